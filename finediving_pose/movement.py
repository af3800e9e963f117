"""Poses of a clip as a dataset of movement (https://movement.neuroinformatics.dev): xarray, in movement's own layout.

Needs movement, which brings xarray: ``pip install 'fdpose[movement]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.errors import SetupError
from finediving_pose.kinematics.measure import clip_frames, clip_poses, frame_times
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from xarray import Dataset  # pyright: ignore[reportMissingImports]

DIVERS = ("diver_0", "diver_1")


def to_movement(workspace: Workspace, clip: Clip, layer: str | None = None) -> Dataset:
    """Poses of a clip as movement's ``load_poses`` gives them, made by movement itself.

    Position (time, space, keypoints, individuals), pixels, NaN where a joint or a diver is absent; confidence (time,
    keypoints, individuals). Time is in seconds from the clip's first frame, in frames where the frame rate is not
    known; a coordinate ``frame`` beside it has the frames' numbers. Dimensions have the installed movement's names.

    Parameters
    ----------
    layer : of the poses; the most trusted one that the clip has where not given

    Raises
    ------
    SetupError
        movement is not installed.
    PoseError
        The clip has no poses in the layer, or they can't be read.
    """
    try:
        from movement.io import load_poses  # pyright: ignore[reportMissingImports]
    except ImportError as e:
        raise SetupError(f"movement is missing ({e}); install it with: pip install 'fdpose[movement]'") from e

    poses = clip_poses(workspace, clip, layer)
    folder, numbers = clip_frames(workspace, clip, poses)
    divers = DIVERS if clip.synchronised else DIVERS[:1]
    position = np.full((len(numbers), 2, N_JOINTS, len(divers)), np.nan)
    confidence = np.zeros((len(numbers), N_JOINTS, len(divers)))
    place = {number: i for i, number in enumerate(numbers)}
    rows = [r for r, f in enumerate(poses.frame.tolist()) if f in place and poses.person[r] < len(divers)]
    at, person = [place[int(poses.frame[r])] for r in rows], poses.person[rows]
    there = poses.visibility[rows] != Visibility.ABSENT
    position[at, :, :, person] = np.where(there[..., None], poses.keypoints[rows], np.nan).swapaxes(1, 2)
    confidence[at, :, person] = np.where(there, poses.confidence[rows], 0.0)
    times = frame_times(numbers, folder, clip)
    steps = np.diff(times) if times is not None else np.zeros(0)
    dataset = load_poses.from_numpy(
        position_array=position,
        confidence_array=confidence,
        individual_names=list(divers),
        keypoint_names=list(JOINTS),
        fps=float(1 / steps[0]) if len(steps) and np.ptp(steps) < 1e-6 else None,
        source_software="fdpose",
    )
    if times is not None:
        dataset = dataset.assign_coords(time=times)
        dataset.attrs["time_unit"] = "seconds"
    return dataset.assign_coords(frame=("time", np.array(numbers)))
