"""Rules on what the pictures of one clip show."""

from __future__ import annotations

from collections.abc import Iterator

from finediving_pose.frames import frame_name
from finediving_pose.validate.clip_frames import ClipFrames
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted

FROZEN_FRAMES = 10
LEAST_REPEATS = 2
STILL, MOVING = 4.0, 30.0
"""Grey levels between two thumbnails at the place where they differ most: compression alone, and a moving diver."""
BLACK = 32.0
CUT_COLOURS, CUT_PICTURE = 0.4, 30.0


@rule("frame.frozen", severity="warning")
def picture_does_not_freeze(frames: ClipFrames) -> Iterator[Finding]:
    """No picture is repeated unchanged for ten frames or more."""
    last, longest = max(frames.repeats.items(), key=lambda item: item[1], default=(0, 0))
    if longest + 1 >= FROZEN_FRAMES:
        first = last - longest
        yield frames.finding(
            f"the picture is the same for {longest + 1} frames from {frame_name(first)}", first, longest + 1
        )


@rule("frame.repeated", severity="warning")
def pictures_are_not_repeated_in_movement(frames: ClipFrames) -> Iterator[Finding]:
    """No picture is shown twice while the diver moves.

    A video converted to another frame rate repeats every fifth picture or so; poses then stand still and leap.
    A repeat is a change of at most 4 of 255 grey levels anywhere in a thumbnail of 32 x 18, between two changes
    of 30 or more. Compression alone stays below 4; a dive changes by 70 to 120 per frame. A single repeat is
    ignored: a diver is still at the lowest point of the board.
    """
    changes = frames.changes
    triples = zip(changes, changes[1:], changes[2:], strict=False)
    twice = [b.number for a, b, c in triples if b.most <= STILL and min(a.most, c.most) >= MOVING]
    if len(twice) >= LEAST_REPEATS:
        n = len(twice)
        yield frames.finding(
            f"{counted(n, 'picture')} repeated in movement, first {frame_name(twice[0])}", twice[0], f"{n} repeated"
        )


@rule("frame.blank", severity="warning")
def pictures_show_something(frames: ClipFrames) -> Iterator[Finding]:
    """No picture is black or of one colour.

    A picture is blank if the standard deviation of its thumbnail's grey levels is below 4 of 255.
    """
    if frames.blank:
        first, n = frames.blank[0], len(frames.blank)
        kind = "black" if frames.thumbnails[first].mean() < BLACK else "of one colour"
        yield frames.finding(
            f"{counted(n, 'blank picture')}; {frame_name(first)} is {kind}",
            first,
            kind,
        )


@rule("frame.cut", severity="warning")
def camera_does_not_cut(frames: ClipFrames) -> Iterator[Finding]:
    """The camera does not cut within a dive.

    At a cut both picture and colours jump: grey levels by more than 30 of 255 on average, and colour histograms
    by a Bhattacharyya distance of more than 0.4. The fastest pans of the real example dives reach 36 and 0.18,
    splashes 35 and 0.22. A cut between two views with the same colours is missed.
    """
    cuts = [c for c in frames.changes if c.mean > CUT_PICTURE and c.colours > CUT_COLOURS]
    if cuts:
        first = max(cuts, key=lambda c: c.colours)
        yield frames.finding(
            f"{counted(len(cuts), 'camera cut')}, the clearest at {frame_name(first.number)}",
            first.number,
            f"{first.colours:.2f}",
            f"at most {CUT_COLOURS}",
        )
