"""The errors of an estimator on a synthetic competition: its automatic poses beside the truth of the same dives."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.prior.errors import PoseErrors, compare_poses, phases
from baselines.prior.performed import FRAMES
from finediving_pose.clip import ClipKey
from finediving_pose.documents import read_json
from finediving_pose.errors import LabelError, PoseError
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.views import sample_frames
from finediving_pose.poses import read_poses
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace

_NOWHERE = np.full((N_JOINTS, 2), np.nan, np.float32)
_UNSEEN = np.zeros(N_JOINTS, bool)


def measure_errors(workspace: Workspace, truth: Path) -> PoseErrors:
    """Errors of the automatic poses of a data directory, of first divers.

    Parameters
    ----------
    truth : the folder ``truth`` that ``fdpose synth`` wrote

    Raises
    ------
    PoseError
        No clip has both automatic poses and a truth.
    LabelError
        The truth can't be read.
    """
    joints, dives = true_joints(truth / "annotations.json"), true_dives(truth / "dives.json")
    rows: list[tuple[str, NDArray[np.float32], dict[str, NDArray[Any]]]] = []
    for clip in read_clips(workspace):
        path, dive = workspace.pose_file("auto", clip.key), dives.get(clip.key)
        if dive is None or not path.is_file():
            continue
        first, last = dive["start_frame"], dive["end_frame"]
        positions = sample_frames(last - first + 1, FRAMES)
        poses = read_poses(path)
        machine = dict(zip(poses.frame[poses.person == 0].tolist(), poses.keypoints[poses.person == 0], strict=True))
        true = [joints[clip.key].get(first + p, (_NOWHERE, _UNSEEN)) for p in positions.tolist()]
        found = np.stack([machine.get(first + p, _NOWHERE) for p in positions.tolist()])
        phase = phases(positions, dive["take_off_frame"], dive["touch_frame"], last - first + 1)
        compared = compare_poses(found, np.stack([j for j, _ in true]), np.stack([seen for _, seen in true]))
        rows.append((dive["action_type"], phase, compared))
    if not rows:
        raise PoseError(f"{workspace.poses}: no clip has automatic poses and a truth in {truth}; run fdpose annotate")
    return PoseErrors(
        np.array([number for number, _, _ in rows]),
        np.stack([phase for _, phase, _ in rows]),
        *(np.stack([compared[name] for _, _, compared in rows]) for name in ("offset", "exchanged", "missed")),
    )


def true_joints(path: Path) -> dict[ClipKey, dict[int, tuple[NDArray[np.float32], NDArray[np.bool_]]]]:
    """Joints (16, 2), pixels, and whether they are to be seen (16,), of the first diver, by clip and frame."""
    found: dict[ClipKey, dict[int, Any]] = defaultdict(dict)
    for entry in read_json(path, LabelError):
        video, index, name = entry["image"].rsplit("/", 2)
        pose = np.array(entry["joints"], np.float32), np.array(entry["joints_vis"], bool)
        found[ClipKey(video, int(index))].setdefault(int(Path(name).stem), pose)
    return found


def true_dives(path: Path) -> dict[ClipKey, dict[str, Any]]:
    """What ``dives.json`` says of each dive: number, quality, faults, stages, frames."""
    return {ClipKey(d["video"], d["index"]): d for d in read_json(path, LabelError)["dives"]}
