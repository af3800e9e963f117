"""Agreement of a layer of poses with a reference, another layer or a file of true poses: by joint and by stage.

The reference may be hand annotations, the truth of synthetic dives, or another annotator. Only frames and persons that
both have are counted, and of merged poses only the joints that people placed. The order of two synchronised divers does
not matter, as long as it is the same all along a clip.

A reference can also say that nobody is there: by an entry without joints, by a hand pose of which every joint was
deleted, by a frame in which the automatic layer has no diver, or, if it is complete, by naming nobody. A pose of the
layer there is a false one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from annotate.agreement import layer_hits, oks_ap, pck_torso
from annotate.crop import box_of_joints, iou
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.official import read_official
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.lexicon import SUB_ACTIONS, stage_of
from finediving_pose.persons import FEWEST_JOINTS, Posed, joints_of, numbered_like
from finediving_pose.poses import ClipPoses, JointSource, read_poses, take_rows
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace

FEWEST_RESAMPLED = 3
"""Clips that a bootstrap needs."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Agreement of a layer of poses with a reference; NaN where there is nothing to count.

    Attributes
    ----------
    frames : poses compared, one a frame and person
    missed : poses among these of which the layer says that nobody is there; all their joints are wrong
    nobody : frames and persons in which the reference says that nobody is there and the layer has a row
    false_poses : poses that the layer has there
    pckh : share of joints within half a head length (PCKh@0.5, see :mod:`annotate.agreement`); the head's length is
        the layer's where the reference lacks the head
    pckh_interval : 95 % interval of ``pckh`` by the bootstrap over clips; None with fewer than three
    pckh_false_wrong : ``pckh`` with every joint of a false pose counted as wrong
    pck_torso : share of joints within a fifth of the torso (PCK@0.2)
    oks_ap : average precision by object keypoint similarity, of poses with four joints or more in the reference
    box_found : share of these whose box overlaps the reference's by an intersection over union of 0.5 or more
    by_joint : ``pckh`` of each joint
    by_stage : ``pckh`` in each kind of stage (take-off, twists, somersaults, entry), where stages are labelled
    """

    frames: int
    missed: int
    nobody: int
    false_poses: int
    pckh: float
    pckh_interval: tuple[float, float] | None
    pckh_false_wrong: float
    pck_torso: float
    oks_ap: float
    box_found: float
    by_joint: dict[str, float]
    by_stage: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One pose in both: clip, joints (16, 2) found and wanted, the found box, its confidence, the kind of stage."""

    clip: ClipKey
    found: np.ndarray
    wanted: np.ndarray
    box: np.ndarray
    confidence: float
    stage: str


def compare(
    workspace: Workspace,
    clips: Sequence[Clip],
    reference: str | Path,
    layer: str = "auto",
    *,
    complete: bool = False,
) -> Accuracy:
    """Compare a layer with a reference.

    Parameters
    ----------
    reference : a layer (``manual/anna``, ``merged``), or the path of a FineDiving-Pose JSON
    layer : ``auto``, ``merged`` or ``manual/NAME``
    complete : the reference has every diver in every frame of its clips, as the truth of synthetic dives has; without
        it, frames that the reference does not name are unknown

    Raises
    ------
    UsageError
        ``reference`` is neither a layer nor a file, or is ``layer`` itself.
    PoseError
        The file can't be read, names a frame that does not exist, or shares no frame with the layer.
    """
    catch_up(workspace, "fdpose compare")
    wanted = _reference(workspace, clips, reference, layer)
    by_key = {c.key: c for c in clips}
    tables = {key: read_poses(p) for key in wanted if (p := workspace.pose_file(layer, key)).is_file()}
    tables = {key: numbered_like(poses, wanted[key]) for key, poses in tables.items()}
    pairs = [p for key, poses in tables.items() for p in _pairs(by_key[key], poses, wanted[key])]
    if not pairs:
        raise PoseError(
            f"{reference}: none of its {len(wanted)} clips has poses in {layer} for the same frames; run:"
            " fdpose annotate --auto"
        )
    return _summed_up(pairs, [n for key, poses in tables.items() for n in _where_nobody(poses, wanted[key], complete)])


def _reference(
    workspace: Workspace, clips: Sequence[Clip], reference: str | Path, layer: str
) -> dict[ClipKey, dict[Posed, np.ndarray]]:
    """Joints (16, 2) of the reference by clip, frame and person."""
    path = Path(reference)
    if path.is_file():
        return _of_file(workspace, clips, path)
    layers = workspace.layers()
    if str(reference) not in layers:
        raise UsageError(f"REFERENCE {reference}: no such file, and no layer of {', '.join(layers)}")
    if str(reference) == layer:
        raise UsageError(f"REFERENCE {reference}: the same layer as --layer; a layer agrees with itself")
    files = {c.key: workspace.pose_file(str(reference), c.key) for c in clips}
    tables = {key: read_poses(file) for key, file in files.items() if file.is_file()}
    return {key: joints_of(t if reference == "auto" else by_hand(t)) for key, t in tables.items()}


def by_hand(poses: ClipPoses) -> ClipPoses:
    """What people said: the joints that they placed, since the machine agrees with its own, and where nobody is."""
    manual = poses.source == JointSource.MANUAL
    poses = replace(poses, keypoints=np.where(manual[..., None], poses.keypoints, np.nan))
    return take_rows(poses, np.flatnonzero(poses.has_diver | manual.all(1)))


def _of_file(workspace: Workspace, clips: Sequence[Clip], path: Path) -> dict[ClipKey, dict[Posed, np.ndarray]]:
    index = FrameIndex(workspace, clips)
    found: dict[ClipKey, dict[Posed, np.ndarray]] = defaultdict(dict)
    for i, entry in enumerate(read_official(path)):
        key, number = index.find(entry.image, f"{path}: entry {i}, image {entry.image}")
        person = sum(n == number for n, _ in found[key])
        found[key][number, person] = entry.keypoints
    return found


def _pairs(clip: Clip, poses: ClipPoses, wanted: dict[Posed, np.ndarray]) -> list[_Pair]:
    pairs = []
    for (frame, person), joints in wanted.items():
        row = poses.row(frame, person)
        if row is not None and np.isfinite(joints).any():
            confidence = float(poses.confidence[row].mean())
            pairs.append(_Pair(clip.key, poses.keypoints[row], joints, poses.box[row], confidence, _stage(clip, frame)))
    return pairs


def _where_nobody(poses: ClipPoses, wanted: dict[Posed, np.ndarray], complete: bool) -> list[int]:
    """Number of joints that each row has where the reference has nobody; unnamed frames count where ``complete``."""
    places = zip(poses.frame.tolist(), poses.person.tolist(), strict=True)
    there = [bool(np.isfinite(wanted[place]).any()) if place in wanted else not complete for place in places]
    joints = np.asarray(np.isfinite(poses.keypoints).all(-1)).sum(1)
    return joints[~np.array(there, bool)].tolist()


def _stage(clip: Clip, frame: int) -> str:
    """Kind of stage that a frame is in, empty where it is not labelled."""
    labels, at = clip.frame_labels(), frame - (clip.start_frame or 0)
    if not 0 <= at < len(labels) or labels[at] not in SUB_ACTIONS:
        return ""
    kind = stage_of(labels[at]).kind
    return "take-off" if kind in ("direction", "armstand") else kind


def _summed_up(pairs: Sequence[_Pair], nobody: Sequence[int]) -> Accuracy:
    found, wanted = np.stack([p.found for p in pairs]), np.stack([p.wanted for p in pairs])
    right, counted = layer_hits(found, wanted)
    boxed = np.isfinite(wanted).all(-1).sum(1) >= FEWEST_JOINTS
    overlap = iou(np.stack([p.box for p in pairs]), box_of_joints(wanted))[boxed]
    confidence = np.array([p.confidence for p in pairs])
    stages = np.array([p.stage for p in pairs])
    kinds = [k for k in ("take-off", "twists", "somersaults", "entry") if (stages == k).any()]
    return Accuracy(
        frames=len(pairs),
        missed=int((~np.isfinite(found).any((1, 2))).sum()),
        nobody=len(nobody),
        false_poses=sum(n > 0 for n in nobody),
        pckh=_share(right, counted),
        pckh_interval=_interval(right.sum(1), counted.sum(1), [str(p.clip) for p in pairs]),
        pckh_false_wrong=float(right.sum() / (counted.sum() + sum(nobody))) if counted.any() else float("nan"),
        pck_torso=pck_torso(found, wanted),
        oks_ap=oks_ap(found[boxed], wanted[boxed], confidence[boxed]),
        box_found=float((overlap >= 0.5).mean()) if boxed.any() else float("nan"),
        by_joint={name: _share(right[:, j], counted[:, j]) for j, name in enumerate(JOINTS)},
        by_stage={k: _share(right[stages == k], counted[stages == k]) for k in kinds},
    )


def _interval(right: np.ndarray, counted: np.ndarray, clips: Sequence[str]) -> tuple[float, float] | None:
    """95 % interval of a share, from numbers of joints (n,): percentiles of 1000 resamples of the clips.

    Frames of a clip are alike, so that whole clips are drawn (Efron, 1979).
    """
    _, clip = np.unique(clips, return_inverse=True)
    number = clip.max() + 1
    if number < FEWEST_RESAMPLED or not counted.any():
        return None
    drawn = np.random.default_rng(0).integers(number, size=(1000, number))
    sums = [np.bincount(clip, n, number)[drawn].sum(1) for n in (right, counted)]
    shares = np.divide(*sums, out=np.full(1000, np.nan), where=sums[1] > 0)
    low, high = np.nanpercentile(shares, (2.5, 97.5))
    return float(low), float(high)


def _share(right: np.ndarray, counted: np.ndarray) -> float:
    """NaN where nothing is counted."""
    return float(right.sum() / counted.sum()) if counted.any() else float("nan")
