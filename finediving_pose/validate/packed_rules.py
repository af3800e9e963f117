"""Rules on the packed file: is it whole, is it the format it says, is it still what the data directory holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, PackedError
from finediving_pose.frames import is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.packed import schema
from finediving_pose.packed.clip_content import sub_action_of_frames
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.verify import Verification, verify_packed
from finediving_pose.poses import Visibility, best_layer, read_poses
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.same_pictures import shared_pictures
from finediving_pose.validate.words import counted
from finediving_pose.workspace import Workspace

ATTRIBUTES = ("creator", "created", "manifest_digest", "provenance", "n_clips", "n_frames")
_AGAIN = "pack it again with: fdpose pack"


@dataclass
class PackedSubject:
    """A packed file and the data directory around it; everything is read when a rule first asks for it.

    Attributes
    ----------
    path : the file
    """

    path: Path

    @cached_property
    def opened(self) -> PackedFile | PackedError:
        """The file, or why it can't be opened."""
        try:
            return open_packed(self.path)
        except PackedError as e:
            return e

    @cached_property
    def layout(self) -> dict[str, str]:
        """What is wrong with each dataset's type or shape; empty where all are as format 1 says."""
        return dict(_wrong_datasets(self.opened)) if isinstance(self.opened, PackedFile) else {}

    @cached_property
    def bad_offsets(self) -> str:
        """Why the offsets can't be followed; empty where they can."""
        return _bad_offsets(self.opened) if isinstance(self.opened, PackedFile) and not self.layout else ""

    @cached_property
    def file(self) -> PackedFile | None:
        """The file where it can be read clip by clip; None where the first rules have found that it can't."""
        usable = isinstance(self.opened, PackedFile) and not self.layout and not self.bad_offsets
        return self.opened if usable and isinstance(self.opened, PackedFile) else None

    @cached_property
    def verified(self) -> Verification | PackedError | None:
        """What verifying finds, or why it can't be done; None where the file can't be read clip by clip."""
        try:
            return verify_packed(self.path) if self.file else None
        except PackedError as e:
            return e

    @property
    def verification(self) -> Verification | None:
        return self.verified if isinstance(self.verified, Verification) else None

    @cached_property
    def sound(self) -> PackedFile | None:
        """The file where every digest is right: what follows from damage is not said again."""
        return self.file if self.verification and not self.verification.damaged else None

    @cached_property
    def workspace(self) -> Workspace | None:
        """The data directory that the file lies in; None where it lies elsewhere."""
        workspace = Workspace(self.path.parent)
        return workspace if workspace.clips_table.is_file() else None

    @cached_property
    def table(self) -> dict[ClipKey, Clip]:
        """The clips table of the data directory."""
        return {c.key: c for c in read_clips(self.workspace)} if self.workspace else {}

    def finding(self, what: str, found: object = "", expected: object = "", key: ClipKey | None = None) -> Finding:
        return Finding(key, what, field="" if key else self.path.name, found=str(found), expected=str(expected))


def load_packed(path: Path) -> PackedSubject:
    """What the rules on a packed file look at. Nothing is read yet."""
    return PackedSubject(path)


# -- the file by itself ---------------------------------------------------------------------------------------------


@rule("packed.opens", severity="error")
def file_opens(packed: PackedSubject) -> Iterator[Finding]:
    """The file is whole HDF5, has what format 1 asks for, and is of no newer major version."""
    if isinstance(packed.opened, PackedError):
        yield packed.finding(str(packed.opened).removeprefix(f"{packed.path}: "))


@rule("packed.version", severity="note")
def version_is_known(packed: PackedSubject) -> Iterator[Finding]:
    """The file has no newer minor version of the format than this program.

    Such a file can be read, but holds something that is not known here.
    """
    if isinstance(packed.opened, PackedFile):
        version = str(packed.opened.attrs["version"])
        ours = "{}.{}".format(*schema.VERSION)
        if int(version.partition(".")[2] or 0) > schema.VERSION[1]:
            yield packed.finding(f"format {version}, this fdpose knows {ours}", version, ours)


@rule("packed.schema", severity="error")
def datasets_are_as_the_format_says(packed: PackedSubject) -> Iterator[Finding]:
    """Every dataset has the type and shape that format 1 gives it (docs/format.md)."""
    for name, what in packed.layout.items():
        yield packed.finding(f"{name}: {what}; {_AGAIN}")


@rule("packed.offsets", severity="error")
def offsets_rise_to_the_end(packed: PackedSubject) -> Iterator[Finding]:
    """Offsets start at 0, never fall, and end where the data ends."""
    if packed.bad_offsets:
        yield packed.finding(f"{packed.bad_offsets}; {_AGAIN}")


@rule("packed.digests", severity="error")
def bytes_are_those_that_were_packed(packed: PackedSubject) -> Iterator[Finding]:
    """Every clip has the digest it was packed with, and so have its cached frames."""
    for name, what in (packed.verification.damaged if packed.verification else {}).items():
        yield packed.finding(f"{what} changed since it was packed; {_AGAIN}", key=_key(name))


@rule("packed.structure", severity="error")
def rest_of_the_file_is_unchanged(packed: PackedSubject) -> Iterator[Finding]:
    """What belongs to no clip is as it was packed: offsets, attributes, HDF5's own structure."""
    if isinstance(packed.verified, PackedError):
        yield packed.finding(str(packed.verified).removeprefix(f"{packed.path}: "))
    elif packed.verified and packed.verified.parts:
        yield packed.finding(f"{' and '.join(packed.verified.parts)} changed since it was packed; {_AGAIN}")


@rule("packed.skeleton", severity="error")
def skeleton_is_ours(packed: PackedSubject) -> Iterator[Finding]:
    """The joints have the order, limbs and mirrored pairs of this program."""
    if not isinstance(packed.opened, PackedFile):
        return
    ours, theirs = json.loads(schema.skeleton_json()), packed.opened.attrs.get("skeleton", {})
    wrong = [name for name in ours if theirs.get(name) != ours[name]]
    if wrong:
        yield packed.finding(f"skeleton: other {' and '.join(wrong)} than ours; keypoints would be misread")


@rule("packed.provenance", severity="warning")
def file_says_where_it_comes_from(packed: PackedSubject) -> Iterator[Finding]:
    """The file says who made it, when, from which facts, and who placed the joints."""
    if not isinstance(packed.opened, PackedFile):
        return
    missing = [name for name in ATTRIBUTES if name not in packed.opened.attrs]
    if missing:
        yield packed.finding(f"lacks the attributes {', '.join(missing)}; {_AGAIN}", expected=", ".join(missing))


@rule("packed.counts", severity="error")
def counts_are_right(packed: PackedSubject) -> Iterator[Finding]:
    """The attributes n_clips and n_frames count what is there."""
    if packed.file:
        real = {"n_clips": len(packed.file), "n_frames": packed.file.shape("frames/number")[0]}
        for name, n in real.items():
            said = packed.file.attrs.get(name, n)
            if said != n:
                yield packed.finding(f"{name} says {said}, there are {n}", said, n)


@rule("packed.sub-actions", severity="error")
def frames_have_their_sub_action(packed: PackedSubject) -> Iterator[Finding]:
    """Every frame has the sub-action that the clip's stages give it."""
    for i, clip in enumerate(packed.sound.clips if packed.sound else ()):
        assert packed.sound
        stored, expected = packed.sound.frame_labels(i), sub_action_of_frames(clip, packed.sound.frame_numbers(i))
        wrong = np.flatnonzero(stored != expected)
        if len(wrong):
            number = int(packed.sound.frame_numbers(i)[wrong[0]])
            what = f"{counted(len(wrong), 'frame')} with another sub-action than the stages say, first {number}"
            yield packed.finding(what, int(stored[wrong[0]]), int(expected[wrong[0]]), clip.key)


@rule("packed.pose-values", severity="error")
def poses_are_usable(packed: PackedSubject) -> Iterator[Finding]:
    """A joint that is seen has a finite place, and every confidence is between 0 and 1."""
    for i, clip in enumerate(packed.sound.clips if packed.sound else ()):
        assert packed.sound
        poses = packed.sound.poses(i)
        seen = (poses.visibility == Visibility.VISIBLE) & ~np.isfinite(poses.keypoints).all(-1)
        odd = ~((poses.confidence >= 0) & (poses.confidence <= 1))
        for noun, what, joints in (("joint", "seen without a place", seen), ("confidence", "not between 0 and 1", odd)):
            if joints.any():
                yield packed.finding(f"{counted(int(joints.sum()), noun)} {what}", key=clip.key)


@rule("packed.same-pictures", severity="warning")
def clips_are_different_dives(packed: PackedSubject) -> Iterator[Finding]:
    """No two clips show the same pictures.

    A quarter of the shorter clip, in the same order and byte for byte, is the same dive twice or two ranges that
    overlap; in two splits it is a leak.
    """
    if not packed.sound:
        return
    file, offset = packed.sound, packed.sound.dataset("clips/frame_offset")
    sizes = np.diff(file.dataset("frames/jpeg_offset"))
    for pair in shared_pictures([sizes[a:b] for a, b in pairwise(offset)], lambda i, at: file.jpegs(i, [at])[0]):
        a, b = file.clips[pair.a], file.clips[pair.b]
        splits = f" ({a.split} and {b.split})" if a.split != b.split else ""
        yield packed.finding(f"shares {counted(pair.count, 'picture')} with {a.key}{splits}", a.key, key=b.key)


# -- the file against its data directory ----------------------------------------------------------------------------


@rule("packed.clips", severity="warning")
def file_has_the_clips(packed: PackedSubject) -> Iterator[Finding]:
    """The file has every clip with frames, and its labels are those of the clips table."""
    if not packed.sound or not packed.workspace:
        return
    inside = {c.key: c for c in packed.sound.clips}
    ready = [key for key in packed.table if is_complete(packed.workspace, key)]
    missing = [key for key in ready if key not in inside]
    if missing:
        n = len(missing)
        yield packed.finding(
            f"{counted(n, 'clip')} with frames not packed, first {missing[0]}; {_AGAIN}", len(inside), len(ready)
        )
    for key, clip in inside.items():
        now = packed.table.get(key)
        other = _other_fields(clip, now) if now else ["the clip itself"]
        if other:
            yield packed.finding(f"packed with other labels than the clips table has: {', '.join(other)}", key=key)


@rule("packed.frames", severity="warning")
def file_has_the_frames(packed: PackedSubject) -> Iterator[Finding]:
    """The frames are those of the frame folders, by their numbers."""
    for i, clip in enumerate(packed.sound.clips if packed.sound and packed.workspace else ()):
        assert packed.sound and packed.workspace
        if is_complete(packed.workspace, clip.key):
            numbers, now = packed.sound.frame_numbers(i).tolist(), list(open_frames(packed.workspace, clip.key).numbers)
            if numbers != now:
                had = counted(len(numbers), "frame")
                what = f"packed with {had}, the folder has {len(now)} or other numbers; {_AGAIN}"
                yield packed.finding(what, len(numbers), len(now), clip.key)


@rule("packed.poses", severity="warning")
def file_has_the_poses(packed: PackedSubject) -> Iterator[Finding]:
    """The poses are those of the data directory: merged where there are some, else automatic.

    Compared joint by joint, not by time: packing again without a change is no finding.
    """
    for i, clip in enumerate(packed.sound.clips if packed.sound and packed.workspace else ()):
        assert packed.sound and packed.workspace
        layer = best_layer(packed.workspace, clip.key)
        changed = _changed_poses(packed.sound, i, packed.workspace.pose_file(layer, clip.key)) if layer else 0
        if changed:
            yield packed.finding(
                f"{counted(changed, 'frame')} with other poses than {layer} has now; {_AGAIN}", key=clip.key
            )


def _changed_poses(file: PackedFile, i: int, path: Path) -> int:
    """Number of frames whose packed keypoints are not those of a pose file; 0 where that can't be read."""
    try:
        poses = read_poses(path)
    except FdposeError:
        return 0  # pose.readable says so
    numbers = file.frame_numbers(i)
    now = np.full((len(numbers), schema.N_PERSONS, *poses.keypoints.shape[1:]), np.nan, np.float32)
    for row, position in enumerate(np.searchsorted(numbers, poses.frame)):
        person = int(poses.person[row])
        if position < len(numbers) and numbers[position] == poses.frame[row] and 0 <= person < schema.N_PERSONS:
            now[position, person] = poses.keypoints[row]
    same = (now == file.poses(i).keypoints) | (np.isnan(now) & np.isnan(file.poses(i).keypoints))
    return int((~same.reshape(len(numbers), -1).all(1)).sum())


def _other_fields(packed: Clip, now: Clip) -> list[str]:
    """Labels that differ; what the pictures give (their number, speed and size) is left to the rules on frames."""
    now = replace(
        now,
        n_frames=packed.n_frames,
        fps=packed.fps,
        image_width=packed.image_width,
        image_height=packed.image_height,
    )
    return [name for name in Clip.__dataclass_fields__ if getattr(packed, name) != getattr(now, name)]


def _wrong_datasets(file: PackedFile) -> Iterator[tuple[str, str]]:
    """Datasets whose type or shape is not that of format 1, and what is wrong."""
    n_clips, n_frames = file.shape("clips/video")[0], file.shape("frames/number")[0]
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "clips/frame_offset": ("<i8", (n_clips + 1,)),
        "frames/jpeg": ("|u1", (-1,)),
        "frames/jpeg_offset": ("<i8", (n_frames + 1,)),
        "frames/number": ("<i4", (n_frames,)),
        "labels/sub_action": ("<i2", (n_frames,)),
        "digest/clip": ("|u1", (n_clips, 32)),
        **{f"clips/{c.name}": (c.dtype, (n_clips, -1) if c.width else (n_clips,)) for c in schema.COLUMNS},
        **{f"pose/{name}": (dtype, (n_frames, *shape)) for name, (dtype, shape, _) in schema.POSE.items()},
    }
    if file.has_cache:
        expected[schema.CACHE] = ("|u1", (n_frames, schema.TRAINING_HEIGHT, schema.TRAINING_WIDTH, 3))
    for name, (dtype, shape) in expected.items():
        real, kind = file.shape(name), file.dataset(name, slice(0, 0)).dtype
        fits = len(real) == len(shape) and all(want in (-1, n) for want, n in zip(shape, real, strict=True))
        if not fits:
            yield name, f"shape {real}, expected {tuple('any' if n < 0 else n for n in shape)}"
        elif (kind.kind not in "SO") if dtype == "S" else kind != np.dtype(dtype):
            yield name, f"type {kind}, expected {dtype}"


def _bad_offsets(file: PackedFile) -> str:
    ends = {"clips/frame_offset": file.shape("frames/number")[0], "frames/jpeg_offset": file.shape("frames/jpeg")[0]}
    for name, end in ends.items():
        values = file.dataset(name)
        falls = np.flatnonzero(np.diff(values) < 0)
        if values[0] != 0:
            return f"{name} starts at {values[0]}, not at 0"
        if len(falls):
            return f"{name} falls from {values[falls[0]]} to {values[falls[0] + 1]} at {falls[0] + 1}"
        if values[-1] != end:
            return f"{name} ends at {values[-1]}, the data at {end}"
    return ""


def _key(name: str) -> ClipKey | None:
    """A clip's key; None where the damaged row holds none."""
    try:
        return ClipKey.parse(name)
    except FdposeError:
        return None
