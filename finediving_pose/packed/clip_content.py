"""What one clip brings into a packed file, read and digested; the writer only has to store it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError
from finediving_pose.frames import FrameFolder
from finediving_pose.jpeg import decode_jpeg
from finediving_pose.packed import schema
from finediving_pose.packed.exactness import check_exact_poses
from finediving_pose.poses import ClipPoses, best_layer, read_poses
from finediving_pose.prefetch import prefetch
from finediving_pose.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class ClipContent:
    """One clip.

    Attributes
    ----------
    numbers : int32 (n,), frame numbers
    sizes : int64 (n,), bytes of each JPEG
    jpeg : uint8, all JPEG bytes
    labels : int16 (n,), sub-action of every frame
    pose : the arrays of ``/pose``
    digest : 32 bytes
    small : frames at training size, uint8 (n, 112, 200, 3); None without cache
    layer, poses : where the poses come from; None where there are none
    rows_without_frame : rows of the pose table that no frame belongs to
    """

    numbers: NDArray[np.int32]
    sizes: NDArray[np.int64]
    jpeg: NDArray[np.uint8]
    labels: NDArray[np.int16]
    pose: dict[str, NDArray[Any]]
    digest: bytes
    small: NDArray[np.uint8] | None
    layer: str | None
    poses: ClipPoses | None
    rows_without_frame: int


def read_ahead(
    workspace: Workspace, columns: Mapping[str, NDArray[Any]], clips: Sequence[Clip], folders: Sequence[FrameFolder],
    cache: bool,
) -> Iterator[ClipContent]:  # fmt: skip
    """The clips' content in order, the next ones read while the caller stores one. Raises as :func:`read_clip`."""

    def read(at: tuple[int, Clip, FrameFolder]) -> ClipContent:
        return read_clip(workspace, columns, *at, cache)

    yield from prefetch(read, zip(range(len(clips)), clips, folders, strict=True))  # hashing, too, leaves Python's lock


def read_clip(
    workspace: Workspace, columns: Mapping[str, NDArray[Any]], i: int, clip: Clip, folder: FrameFolder, cache: bool
) -> ClipContent:
    """Read and digest clip ``i``.

    Raises
    ------
    PackedError
        The pictures are not those that were extracted, or the poses are none that the file could give back.
    FrameError, PoseError
        A file is missing or damaged.
    """
    jpegs = [folder.jpeg(n) for n in folder.numbers]
    jpeg = np.frombuffer(b"".join(jpegs), np.uint8)
    if hashlib.sha256(jpeg.data).hexdigest() != folder.digest:
        raise PackedError(
            f"{clip.key}: pictures in {folder.folder} changed since they were extracted;"
            f" extract them again with: fdpose extract --clip {clip.key} --force"
        )
    numbers = np.array(folder.numbers, "<i4")
    sizes = np.array([len(j) for j in jpegs], np.int64)
    labels = sub_action_of_frames(clip, numbers)
    layer = best_layer(workspace, folder.key)
    poses = read_poses(workspace.pose_file(layer, folder.key)) if layer else None
    if poses is not None:
        check_exact_poses(clip.key, poses)
    pose, rows_without_frame = _laid_out(numbers, poses)
    digest = schema.clip_digest(columns, i, (numbers, sizes, jpeg, labels), pose)
    small = None
    if cache:
        small = np.stack([schema.training_size(decode_jpeg(j, str(folder.folder), clip.key)) for j in jpegs])
    return ClipContent(numbers, sizes, jpeg, labels, pose, digest, small, layer, poses, rows_without_frame)


def sub_action_of_frames(clip: Clip, numbers: NDArray[np.int32]) -> NDArray[np.int16]:
    """Sub-action of every frame, int16 (n,), -1 where unlabelled.

    By frame number, not by position, so that a folder with gaps keeps its
    labels; a folder numbered otherwise than the labels counts from its first frame.
    """
    if not clip.sub_actions:
        return np.full(len(numbers), -1, "<i2")
    labelled = clip.frame_range
    start = labelled.start if labelled and int(numbers[0]) in labelled else int(numbers[0])
    stage = np.searchsorted(np.array(clip.stage_starts, np.int64), numbers - start, side="right")
    return np.array(clip.sub_actions, "<i2")[stage]


def _laid_out(numbers: np.ndarray, poses: ClipPoses | None) -> tuple[dict[str, np.ndarray], int]:
    """Poses by frame and person, empty where there are none; and how many rows belong to no frame."""
    n = len(numbers)
    out = {name: np.full((n, *shape), empty, dtype) for name, (dtype, shape, empty) in schema.POSE.items()}
    if poses is None:
        return out, 0
    at = np.searchsorted(numbers, poses.frame).clip(max=n - 1)
    fits = (numbers[at] == poses.frame) & (poses.person >= 0) & (poses.person < schema.N_PERSONS)
    for name in schema.POSE:
        out[name][at[fits], poses.person[fits]] = getattr(poses, name)[fits]
    return out, int((~fits).sum())
