"""Rules on the pictures of one clip: the folder and its manifest, then what the pictures show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.errors import FrameError
from finediving_pose.frames import MANIFEST, FrameFolder, decode_jpeg, digest_jpegs, frame_name, open_frames
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted
from finediving_pose.workspace import Workspace

FROZEN_FRAMES = 10
THUMBNAIL = (32, 18)
LEAST_REPEATS = 2
STILL, MOVING = 4.0, 30.0
"""Grey levels between two thumbnails at the place where they differ most: compression alone, and a moving diver."""
BLANK_SPREAD, BLACK = 4.0, 32.0
CUT_COLOURS, CUT_PICTURE = 0.4, 30.0
LOWEST_FPS, HIGHEST_FPS = 10.0, 120.0


@dataclass
class ClipFrames:
    """A clip and its pictures, each read and decoded once.

    Attributes
    ----------
    clip : Clip
    folder : the frame folder, None where it is incomplete
    problem : why the folder could not be opened
    sizes : (width, height) of every readable picture, by frame number
    unreadable : what is wrong with a picture, by frame number
    repeats : how many pictures before this one are the same bytes, by frame number
    thumbnails : uint8 (18, 32, 3), RGB, of every readable picture, by frame number
    unlisted : names of pictures in the folder that its manifest does not list
    digest : sha256 over the bytes of all pictures, None where one is missing
    """

    clip: Clip
    folder: FrameFolder | None = None
    problem: str = ""
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)
    repeats: dict[int, int] = field(default_factory=dict)
    thumbnails: dict[int, np.ndarray] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    digest: str | None = None

    @cached_property
    def blank(self) -> list[int]:
        """Numbers of pictures whose thumbnail is grey without any shape."""
        return [n for n, t in self.thumbnails.items() if t.astype(np.float32).mean(-1).std() < BLANK_SPREAD]

    @cached_property
    def changes(self) -> list[Change]:
        """From every picture to the next, of those that can be read and are not blank."""
        small = [(n, t.astype(np.float32)) for n, t in self.thumbnails.items() if n not in self.blank]
        return [Change.between(a, b) for a, b in pairwise(small)]

    def finding(self, what: str, frame: int | None = None, found: object = "", expected: object = "") -> Finding:
        return Finding(self.clip.key, what, found=str(found), expected=str(expected), frame=frame)


@dataclass(frozen=True, slots=True)
class Change:
    """How the thumbnail of frame ``number`` differs from the one before it.

    ``most``: grey levels where they differ most; ``mean``: over the picture; ``colours``: Bhattacharyya distance
    of the colour histograms, 0 (the same) to 1 (no colour in common).
    """

    number: int
    most: float
    mean: float
    colours: float

    @classmethod
    def between(cls, before: tuple[int, np.ndarray], after: tuple[int, np.ndarray]) -> Change:
        difference = np.abs(after[1] - before[1]).mean(-1)
        colours = cv2.compareHist(_colours(before[1]), _colours(after[1]), cv2.HISTCMP_BHATTACHARYYA)
        return cls(after[0], float(difference.max()), float(difference.mean()), colours)


def load_frames(workspace: Workspace, clip: Clip) -> ClipFrames | None:
    """Read a clip's pictures; None where it has no frame folder at all."""
    if not workspace.frame_folder(clip.key).is_dir():
        return None
    try:
        folder = open_frames(workspace, clip.key)
    except FrameError as e:
        return ClipFrames(clip, problem=str(e))
    frames, jpegs = ClipFrames(clip, folder), []
    for number in folder.numbers:
        where = f"frame {frame_name(number)}"
        try:
            jpeg = folder.jpeg(number)
            frames.repeats[number] = frames.repeats.get(number - 1, 0) + 1 if jpegs and jpegs[-1] == jpeg else 0
            jpegs.append(jpeg)
            picture = decode_jpeg(jpeg, where, clip.key)
            frames.sizes[number] = (picture.shape[1], picture.shape[0])
            frames.thumbnails[number] = cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA)
        except FrameError as e:
            frames.unreadable[number] = str(e)
    if len(jpegs) == len(folder.numbers):
        frames.digest = digest_jpegs(jpegs)
    listed = set(map(frame_name, folder.numbers))
    frames.unlisted = sorted(p.name for p in folder.folder.glob("*.jpg") if p.name not in listed)
    return frames


# -- the folder -----------------------------------------------------------------------------------------------------


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

    Boxes and poses made elsewhere are scaled by the table's size; where it is of an older extraction they miss.
    """
    table = (frames.clip.image_width, frames.clip.image_height)
    if frames.folder and None not in table and table != (frames.folder.width, frames.folder.height):
        real = _size((frames.folder.width, frames.folder.height))
        yield frames.finding(
            f"the clips table says {table[0]} x {table[1]}, the pictures are {real}", None, real, table
        )


@rule("frame.label-range", severity="error")
def frames_are_those_of_the_range(frames: ClipFrames) -> Iterator[Finding]:
    """The frames are the ones that the labels' range names, each of them."""
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
    """Frame numbers run on without gaps.

    Stage labels and speeds count frames; a missing one shifts all that follow. Every second or third
    frame throughout is a gap, too: the labels' frame numbers then mean other moments.
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

    Scripts that read the folder itself, as the released training code does, take the others for frames of the dive.
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
    """Frames a second are those of a broadcast, 10 to 120, and the same in labels and clip.json."""
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


@rule("frame.fps-known", severity="note")
def speed_is_known(frames: ClipFrames) -> Iterator[Finding]:
    """Frames a second are known, from the video or from the labels.

    Pictures that came without their video have none; speeds in pixels a second can't be told from them.
    """
    if frames.folder and frames.folder.fps is None and frames.clip.fps is None:
        yield frames.finding(f"frames a second are not known; the pictures came from {frames.folder.source}")


# -- what the pictures show -----------------------------------------------------------------------------------------


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

    A video that was brought to another frame rate repeats every fifth picture or so; poses then stand still
    and leap. One repeat alone is none: a diver stands still at the lowest point of the board. Thumbnails of
    32 x 18 that differ by at most 4 of 255 grey levels anywhere, between two changes of 30 or more, count as a
    repeat: new compression changes a picture by less, a dive by 70 to 120 from frame to frame. A diver who
    turns round in the crouch is still for a moment, too, but slow before and after.
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

    The grey levels of its thumbnail spread by less than 4 of 255 (standard deviation).
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

    The labels promise one dive in one take. A cut is a change in which picture and colours both jump: grey
    levels by 30 of 255 on average, and colour histograms by a Bhattacharyya distance of 0.4. The fastest pans
    of the real example dives reach 36 and 0.18, splashes 35 and 0.22; a cut between two views with the same
    colours goes unseen.
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


def _colours(thumbnail: np.ndarray) -> np.ndarray:
    """Histogram of a thumbnail's colours, 6 x 6 x 6, smoothed so that a small shift of brightness is a small change."""
    histogram = cv2.calcHist([thumbnail], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3)
    for axis in range(3):
        histogram = _smooth(histogram, axis)
    return histogram.reshape(-1) / max(float(histogram.sum()), 1.0)


def _smooth(values: np.ndarray, axis: int) -> np.ndarray:
    padded = np.pad(values, [(1, 1) if a == axis else (0, 0) for a in range(values.ndim)])
    before, middle, after = (np.take(padded, np.arange(k, k + values.shape[axis]), axis) for k in range(3))
    return 0.25 * before + 0.5 * middle + 0.25 * after


def _size(size: Sequence[int]) -> str:
    return f"{size[0]} x {size[1]}"
