"""A clip and its pictures, read and decoded once: what the rules on frames look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.droppings import found
from finediving_pose.errors import FrameError
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, open_frames
from finediving_pose.jpeg import decode_jpeg
from finediving_pose.validate.rules import Finding
from finediving_pose.workspace import Workspace

THUMBNAIL = (32, 18)
BLANK_SPREAD = 4.0


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
    thumbnails: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
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
    def between(cls, before: tuple[int, NDArray[np.float32]], after: tuple[int, NDArray[np.float32]]) -> Change:
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
            small = cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA)
            frames.thumbnails[number] = np.asarray(small, np.uint8)
        except FrameError as e:
            frames.unreadable[number] = str(e)
    if len(jpegs) == len(folder.numbers):
        frames.digest = digest_jpegs(jpegs)
    listed = set(map(frame_name, folder.numbers))
    frames.unlisted = sorted(p.name for p in found(folder.folder, "*.jpg") if p.name not in listed)
    return frames


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
