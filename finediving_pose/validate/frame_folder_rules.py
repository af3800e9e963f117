"""Rules on the frame folder of one clip: its manifest, its files, and the labels of the clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from finediving_pose.frames import HIGHEST_FPS, LOWEST_FPS, MANIFEST, frame_name
from finediving_pose.validate.clip_frames import ClipFrames
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted


@rule("frame.complete", severity="error")
def folder_is_complete(frames: ClipFrames) -> Iterator[Finding]:
    """A frame folder has its clip.json, which is written last."""
    if frames.problem:
        yield frames.finding(frames.problem)


@rule("frame.readable", severity="error")
def pictures_are_readable(frames: ClipFrames) -> Iterator[Finding]:
    """Every picture is there, whole, and decodes."""
    if frames.unreadable and frames.folder:
        n, whole = len(frames.unreadable), len(frames.folder.numbers)
        number, first = next(iter(frames.unreadable.items()))
        first = first.removeprefix(f"{frames.clip.key}: ")
        yield frames.finding(
            f"{n} of {whole} frames can't be read; {first}", number, f"{n} unreadable", f"{whole} whole"
        )


@rule("frame.unchanged", severity="warning")
def pictures_are_unchanged(frames: ClipFrames) -> Iterator[Finding]:
    """The pictures are those that were extracted, by their digest in clip.json."""
    if frames.folder and frames.digest and not frames.unreadable and frames.digest != frames.folder.digest:
        yield frames.finding(
            f"pictures were changed since {MANIFEST} was written; if that was meant, extract the clip again"
            f" with: fdpose extract --clip {frames.clip.key} --force",
            found=frames.digest[:12],
            expected=frames.folder.digest[:12],
        )


@rule("frame.size", severity="error")
def pictures_have_one_size(frames: ClipFrames) -> Iterator[Finding]:
    """All pictures of a clip have the size that clip.json gives."""
    if not frames.folder:
        return
    expected = (frames.folder.width, frames.folder.height)
    other = {n: size for n, size in frames.sizes.items() if size != expected}
    if other:
        number, size = next(iter(other.items()))
        yield frames.finding(
            f"{len(other)} of {len(frames.sizes)} frames are not {_size(expected)};"
            f" {frame_name(number)} is {_size(size)}",
            number,
            _size(size),
            _size(expected),
        )


@rule("frame.table-size", severity="warning")
def table_has_the_size(frames: ClipFrames) -> Iterator[Finding]:
    """The image size in the clips table is that of the pictures.

    Boxes and poses made elsewhere are scaled by the table's size; a size from an older extraction misplaces them.
    """
    table = (frames.clip.image_width, frames.clip.image_height)
    if frames.folder and None not in table and table != (frames.folder.width, frames.folder.height):
        real = _size((frames.folder.width, frames.folder.height))
        yield frames.finding(
            f"the clips table says {table[0]} x {table[1]}, the pictures are {real}", None, real, table
        )


@rule("frame.label-range", severity="error")
def frames_are_those_of_the_range(frames: ClipFrames) -> Iterator[Finding]:
    """The folder holds exactly the frames of the labelled range."""
    labelled = frames.clip.frame_range
    if not frames.folder or labelled is None or frames.folder.numbers == tuple(labelled):
        return
    numbers = frames.folder.numbers
    missing, extra = sorted(set(labelled) - set(numbers)), sorted(set(numbers) - set(labelled))
    parts = [
        f"{len(some)} {what}, first {some[0]}" for some, what in ((missing, "missing"), (extra, "too many")) if some
    ]
    yield frames.finding(
        f"{len(numbers)} frames, the labels say {len(labelled)}, {labelled.start} to {labelled[-1]}:"
        f" {'; '.join(parts)}",
        extra[0] if extra else min(numbers, key=lambda n: abs(n - missing[0]), default=None),
        len(numbers),
        len(labelled),
    )


@rule("frame.count", severity="error")
def frames_are_as_many_as_the_table_says(frames: ClipFrames) -> Iterator[Finding]:
    """A clip without a labelled range has as many frames as the clips table says."""
    n = frames.clip.n_frames
    if frames.folder and frames.clip.frame_range is None and n is not None and len(frames.folder.numbers) != n:
        there = len(frames.folder.numbers)
        yield frames.finding(f"{there} frames, the clips table says {n}", None, there, n)


@rule("frame.gap", severity="warning")
def numbers_have_no_gaps(frames: ClipFrames) -> Iterator[Finding]:
    """Frame numbers have no gaps.

    Stage labels and speeds count frames; a missing one shifts all that follow. A folder of every second or
    third frame has gaps, too: the labels' frame numbers would then mean other moments.
    """
    numbers = frames.folder.numbers if frames.folder else ()
    gaps = [(a, b) for a, b in pairwise(numbers) if b - a != 1]
    if gaps:
        a, b = gaps[0]
        missing = sum(max(b - a - 1, 0) for a, b in gaps)
        yield frames.finding(
            f"{counted(len(gaps), 'gap')} of {counted(missing, 'frame')}, the first between {a} and {b}", b, b, a + 1
        )


@rule("frame.unlisted", severity="warning")
def folder_holds_nothing_else(frames: ClipFrames) -> Iterator[Finding]:
    """Every picture in the folder is listed in clip.json.

    Scripts that read the folder itself, as the released training code does, treat unlisted pictures as frames
    of the dive.
    """
    if frames.unlisted:
        n = len(frames.unlisted)
        yield frames.finding(
            f"{counted(n, 'picture')} that {MANIFEST} does not list, first {frames.unlisted[0]}; delete them,"
            f" or extract the clip again with: fdpose extract --clip {frames.clip.key} --force",
            found=frames.unlisted[0],
        )


@rule("frame.fps", severity="warning")
def speed_is_a_videos(frames: ClipFrames) -> Iterator[Finding]:
    """The frame rate is a plausible 10 to 1000 frames a second, and the same in labels and clip.json.

    Broadcasts have 25 to 60, the slow motion of phones is filmed at 120 to 960.
    """
    if not frames.folder:
        return
    real, labelled = frames.folder.fps, frames.clip.fps
    if real is not None and not LOWEST_FPS <= real <= HIGHEST_FPS:
        yield frames.finding(f"{real:g} frames a second", None, f"{real:g}", f"{LOWEST_FPS:g} to {HIGHEST_FPS:g}")
    if real is not None and labelled is not None and abs(real - labelled) > 0.02 * real:
        yield frames.finding(
            f"the clips table says {labelled:g} frames a second, {MANIFEST} {real:g}",
            None,
            f"{real:g}",
            f"{labelled:g}",
        )


@rule("frame.upright", severity="warning")
def pictures_are_upright(frames: ClipFrames) -> Iterator[Finding]:
    """Pictures are stored as their video asks to be shown: upright, and not mirrored.

    Frames of a data set stay as they are coded, since its boxes and joints are counted so. Where the video declares
    a rotation all the same, divers lie on their side and the estimator fails.
    """
    display = frames.folder.display if frames.folder else None
    if display and not display.applied and display.turns:
        yield frames.finding(
            f"the video asks to be shown {replace(display, aspect=1.0).words()}, its frames are stored as coded; if"
            " they lie on their side, turn the video with ffmpeg -i INPUT OUTPUT and extract it again with --force",
            found="as coded",
            expected=replace(display, aspect=1.0).words(),
        )


@rule("frame.square-pixels", severity="warning")
def pixels_are_square(frames: ClipFrames) -> Iterator[Finding]:
    """Pictures are stored with square pixels.

    A video whose pixels are not square is stretched by players, but frames of a data set stay as they are coded.
    Angles and lengths measured in them are then wrong.
    """
    display = frames.folder.display if frames.folder else None
    if display and not display.applied and display.aspect != 1:
        yield frames.finding(
            f"the video has pixels {display.aspect:.4g} times as wide as high, its frames are stored as coded",
            found=f"{display.aspect:.4g}",
            expected="1",
        )


@rule("frame.fps-known", severity="note")
def speed_is_known(frames: ClipFrames) -> Iterator[Finding]:
    """The frame rate is known, from the video or from the labels.

    Pictures without their video have no frame rate; speeds in pixels a second can't be computed from them.
    """
    if frames.folder and frames.folder.fps is None and frames.clip.fps is None:
        yield frames.finding(f"frames a second are not known; the pictures came from {frames.folder.source}")


def _size(size: Sequence[int]) -> str:
    return f"{size[0]} x {size[1]}"
