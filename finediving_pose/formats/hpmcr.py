"""The layout that HPMCR's released training code reads: frame folders, label pickles, ``pred_comp_N.npz``.

Source: the code's data set class and README (github.com/Lumos0507/HP-MCoRe). Frames are
``<data_root>/<video>/<index>/<number>.jpg`` with numbers that follow each other; poses are
``<Pose>/<video>/pred_comp_<index>.npz``, array ``pred`` of 96 x 16 x 2, one row for each of the 96
frames that the loader takes: linspace over the clip's frames, both ends included, cut to integers.
The code's newest loader (commit 712bca1) also reads ``<data_splash>/<video>/<index>.pkl``: a dictionary whose
``splash_pred_masks`` has a mask of 112 x 112 for each frame, or None.
"""

from __future__ import annotations

import math
import pickle
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.frames import frame_name
from finediving_pose.labels.unpickler import load_pickle
from finediving_pose.poses import ClipPoses
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace, copy_file

LENGTH = 96
_SIZES = (LENGTH * N_JOINTS * 2, LENGTH * N_JOINTS * 3)
_FILE = re.compile(r"pred_comp_(\d+)\.npz")


def sampled(numbers: Sequence[int]) -> NDArray[np.int64]:
    """Positions in the clip of the 96 frames that the loader takes: int (96,).

    From the frame numbers, as the loader does: rounding makes it differ by one here and there from
    the same line drawn over positions that begin at 0.
    """
    return np.linspace(numbers[0], numbers[-1], LENGTH).astype(int) - numbers[0]


@writes(
    "hpmcr",
    "HPMCR's training code: FineDiving/ frames, Annotations/ pickles, Pose/ npz (x, y)",
    folder=True,
    whole_clips=True,
)
def write_hpmcr(out: Path, clips: Sequence[PosedClip]) -> None:
    """Person 0 of each clip; gaps in time are filled (the loader has no notion of an absent joint)."""
    _write(out, clips, 2)


@writes(
    "hpmcr3", "the same with the confidence as third column (x, y, c)", folder=True, reader="hpmcr", whole_clips=True
)
def write_hpmcr_with_confidence(out: Path, clips: Sequence[PosedClip]) -> None:
    """For models with three input channels; a joint that was filled in has confidence 0."""
    _write(out, clips, 3)


def _write(out: Path, clips: Sequence[PosedClip], columns: int) -> None:
    from finediving_pose.synth.labels import write_labels

    labelled = []
    for posed in clips:
        key, numbers = posed.clip.key, np.array(posed.frames.numbers)
        if (np.diff(numbers) != 1).any():
            gap = int(np.flatnonzero(np.diff(numbers) != 1)[0])
            raise PoseError(
                f"{key}: no frame {numbers[gap] + 1}; the loader counts on numbers that follow each other:"
                f" fdpose extract --clip {key} --force, or leave the clip out"
            )
        frames = out / "FineDiving" / key.video / str(key.index)
        frames.mkdir(parents=True)
        for number in posed.frames.numbers:
            posed.put_picture(number, frames / frame_name(number))
        pose = out / "Pose" / key.video / f"pred_comp_{key.index}.npz"
        pose.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(pose, pred=filled(posed.poses, numbers)[sampled(posed.frames.numbers)][..., :columns])
        if (row := _labels(posed.clip)) is not None:
            labelled.append(row)
        _write_splashes(out / "Splash" / key.video / f"{key.index}.pkl", posed)
    if labelled:
        write_labels(out / "Annotations", labelled)


def _write_splashes(target: Path, posed: PosedClip) -> None:
    """The clip's masks from ``<data>/splash``, or as many frames without one, of which the loader makes -1, unknown."""
    splashes = Workspace(posed.frames.folder.parents[2]).splashes
    own = splashes / posed.clip.key.video / f"{posed.clip.key.index}.pkl"
    target.parent.mkdir(parents=True, exist_ok=True)
    if own.is_file():
        content = load_pickle(own)
        if not isinstance(content, dict) or not isinstance(content.get("splash_pred_masks"), Sequence):
            raise PoseError(f"{own}: has no splash_pred_masks; copy the file again, or remove it")
        copy_file(own, target)
    else:
        target.write_bytes(pickle.dumps({"splash": [], "splash_pred_masks": [None] * len(posed.frames.numbers)}, 3))


def filled(poses: ClipPoses, numbers: NDArray[np.integer]) -> NDArray[np.float32]:
    """Person 0 in every frame: float32 (n, 16, 3), x, y and confidence.

    A joint that is absent in a frame lies on the line between its neighbours in time, before the first
    and after the last one where that one was, with confidence 0; a joint that is in no frame is 0, 0, 0.
    """
    pred = np.zeros((len(numbers), N_JOINTS, 3), np.float32)
    own = np.flatnonzero(poses.person == 0)
    position = {int(n): i for i, n in enumerate(numbers)}
    rows = [(position[int(poses.frame[r])], r) for r in own if int(poses.frame[r]) in position]
    for joint in range(N_JOINTS):
        known = [(i, r) for i, r in rows if np.isfinite(poses.keypoints[r, joint]).all()]
        if not known:
            continue
        at, source = (np.array(column) for column in zip(*known, strict=True))
        for axis in (0, 1):
            pred[:, joint, axis] = np.interp(np.arange(len(numbers)), at, poses.keypoints[source, joint, axis])
        pred[at, joint, 2] = np.nan_to_num(poses.confidence[source, joint])
    return pred


def _labels(clip: Clip) -> dict[str, Any] | None:
    """The clip as a row of the label pickles; None where it lacks what the loader reads."""
    needed = (clip.action_type, clip.difficulty, clip.dive_score, clip.start_frame, clip.end_frame)
    if any(v is None for v in needed) or not clip.sub_actions:
        return None
    return {
        "video": clip.key.video,
        "index": clip.key.index,
        "action_type": clip.action_type,
        "start_frame": clip.start_frame,
        "end_frame": clip.end_frame,
        "dive_score": clip.dive_score,
        "difficulty": clip.difficulty,
        "judge_scores": clip.judge_scores,
        "stages": list(zip(clip.sub_actions, (0, *clip.stage_starts), strict=True)),
        "split": clip.split,
    }


def _is_hpmcr(probe: Probe) -> bool:
    if probe.path.is_dir():
        return next(probe.path.rglob("pred_comp_*.npz"), None) is not None
    return _FILE.fullmatch(probe.path.name) is not None


@reads("hpmcr", _is_hpmcr)
def read_hpmcr(path: Path, index: FrameIndex) -> Annotations:
    """The poses at the sampled frames, as one person; other frames of the clip get none.

    The video is the name of the file's folder, the index is in the file's name.
    """
    files = sorted(path.rglob("pred_comp_*.npz")) if path.is_dir() else [path]
    return Annotations([pose for file in files for pose in _read_file(file, index)])


def _read_file(path: Path, index: FrameIndex) -> list[ImagePose]:
    name = _FILE.fullmatch(path.name)
    if name is None:
        raise PoseError(f"{path}: expected a file called pred_comp_<index>.npz in a folder called as the video")
    key = ClipKey(path.resolve().parent.name, int(name[1]))
    if key not in index.folders:
        raise PoseError(f"{path}: there is no clip {key} with frames; extract it first")
    pred = _read_pred(path)
    pred = pred.reshape(LENGTH, N_JOINTS, -1)
    numbers = index.folders[key].numbers
    _, steps, step_of = np.unique(positions := sampled(numbers), return_index=True, return_inverse=True)
    differs = np.flatnonzero((pred != pred[steps[step_of]]).any((1, 2)))
    if len(differs):
        raise PoseError(
            f"{path}: rows {steps[step_of[differs[0]]]} and {differs[0]} of pred are one frame,"
            f" {frame_name(numbers[positions[differs[0]]])}, and differ; write the same joints into both"
        )
    poses = []
    for step in steps.tolist():
        image = f"{key}/{frame_name(numbers[positions[step]])}"
        entry = f"row {step}, image {image}"
        confidence = np.clip(pred[step, :, 2], 0, 1) if pred.shape[2] == 3 else None
        absent = (pred[step] == 0).all(1)
        joints = np.where(absent[:, None], np.nan, pred[step, :, :2])
        poses.append(ImagePose.of_joints(image, entry, joints, confidence=confidence, person=0))
    return poses


def _read_pred(path: Path) -> NDArray[np.float32]:
    """The array ``pred``; its declared shape is checked before anything of it is read.

    Raises PoseError.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open("pred.npy") as file:
            read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
            shape, fortran, dtype = read_header[npy.read_magic(file)](file)
            if dtype.kind not in "fiu" or math.prod(shape) not in _SIZES:
                raise PoseError(
                    f"{path}: no array pred of {LENGTH} x {N_JOINTS} x 2 or 3 numbers in it; pred is {dtype} of shape"
                    f" {shape}"
                )
            values = np.frombuffer(file.read(math.prod(shape) * dtype.itemsize), dtype)
            return np.asarray(values.reshape(shape, order="F" if fortran else "C"), np.float32)
    except PoseError:
        raise
    except KeyError as e:
        raise PoseError(f"{path}: no array pred in it ({e})") from e
    except Exception as e:  # zipfile, zlib and numpy have exceptions of their own for damaged archives
        raise PoseError(f"{path}: not an npz file, or cut short ({e})") from e
