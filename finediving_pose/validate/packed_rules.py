"""Rules on the packed file by itself: it is whole, and what it says fits together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, PackedError
from finediving_pose.packed import schema
from finediving_pose.packed.clip_content import sub_action_of_frames
from finediving_pose.packed.reader import PackedFile
from finediving_pose.poses import Visibility
from finediving_pose.validate.packed_subject import PACK_AGAIN, PackedSubject
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.same_pictures import shared_pictures
from finediving_pose.validate.words import counted

ATTRIBUTES = ("creator", "created", "manifest_digest", "provenance", "n_clips", "n_frames")


@rule("packed.opens", severity="error")
def file_opens(packed: PackedSubject) -> Iterator[Finding]:
    """The file is whole HDF5, has what format 1 asks for, and is of no newer major version."""
    if isinstance(packed.opened, PackedError):
        yield packed.finding(str(packed.opened).removeprefix(f"{packed.path}: "))


@rule("packed.version", severity="note")
def version_is_known(packed: PackedSubject) -> Iterator[Finding]:
    """The file has no newer minor version of the format than this program.

    Such a file can be read, but holds something that this program does not know.
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
        yield packed.finding(f"{name}: {what}; {PACK_AGAIN}")


@rule("packed.offsets", severity="error")
def offsets_rise_to_the_end(packed: PackedSubject) -> Iterator[Finding]:
    """Offsets start at 0, never fall, and end where the data ends."""
    if packed.bad_offsets:
        yield packed.finding(f"{packed.bad_offsets}; {PACK_AGAIN}")


@rule("packed.digests", severity="error")
def bytes_are_those_that_were_packed(packed: PackedSubject) -> Iterator[Finding]:
    """Every clip has the digest it was packed with, and so have its cached frames."""
    for name, what in (packed.verification.damaged if packed.verification else {}).items():
        yield packed.finding(f"{what} changed since it was packed; {PACK_AGAIN}", key=_key(name))


@rule("packed.structure", severity="error")
def rest_of_the_file_is_unchanged(packed: PackedSubject) -> Iterator[Finding]:
    """Everything outside the clips is as it was packed: offsets, attributes, HDF5's own structure."""
    if isinstance(packed.verified, PackedError):
        yield packed.finding(str(packed.verified).removeprefix(f"{packed.path}: "))
    elif packed.verified and packed.verified.parts:
        yield packed.finding(f"{' and '.join(packed.verified.parts)} changed since it was packed; {PACK_AGAIN}")


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
    """The file records which program made it, when, from which facts, and who placed the joints."""
    if not isinstance(packed.opened, PackedFile):
        return
    missing = [name for name in ATTRIBUTES if name not in packed.opened.attrs]
    if missing:
        yield packed.finding(f"lacks the attributes {', '.join(missing)}; {PACK_AGAIN}", expected=", ".join(missing))


@rule("packed.counts", severity="error")
def counts_are_right(packed: PackedSubject) -> Iterator[Finding]:
    """The attributes n_clips and n_frames equal the numbers of clips and frames in the file."""
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
    """A visible joint has a finite position, and every confidence is between 0 and 1."""
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

    If a quarter of the shorter clip's pictures are the other's, byte for byte and in the same order, the clips
    are one dive listed twice, or two ranges that overlap; in two splits this is a leak.
    """
    if not packed.sound:
        return
    file, offset = packed.sound, packed.sound.dataset("clips/frame_offset")
    sizes = np.diff(file.dataset("frames/jpeg_offset"))
    for pair in shared_pictures([sizes[a:b] for a, b in pairwise(offset)], lambda i, at: file.jpegs(i, [at])[0]):
        a, b = file.clips[pair.a], file.clips[pair.b]
        splits = f" ({a.split} and {b.split})" if a.split != b.split else ""
        yield packed.finding(f"shares {counted(pair.count, 'picture')} with {a.key}{splits}", a.key, key=b.key)


def _key(name: str) -> ClipKey | None:
    """A clip's key; None where the damaged row holds none."""
    try:
        return ClipKey.parse(name)
    except FdposeError:
        return None
