"""What a dive is: its key, its labels, its stages. Pure data and arithmetic."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

from finediving_pose.errors import LabelError

Split = Literal["train", "test", "none"]
Source = Literal["finediving", "mtl_aqa", "synthetic", "unlabelled"]

UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')
"""Not for folder names, or no text: a file name that is not UTF-8 comes with lone surrogates."""
MOST_BYTES_OF_A_NAME = 200


def composed(name: str) -> str:
    """The name with its accents composed with their letters (Unicode's NFC); macOS writes file names taken apart."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


@dataclass(frozen=True, slots=True, order=True)
class ClipKey:
    """Names one dive: the competition video and the dive's index in it.

    Written ``video/index``, as upstream writes its folders. Both parts become
    path components, so they are checked here, once, and trusted afterwards. The
    video's name is kept composed, whichever way a file or file system spells it.

    Raises
    ------
    LabelError
        The video name can't be a folder name, or the index is negative.
    """

    video: str
    index: int

    def __post_init__(self) -> None:
        name = composed(self.video)
        object.__setattr__(self, "video", name)
        odd = not name or name != name.strip() or name.startswith(".") or UNSAFE.search(name)
        if odd or len(name.encode()) > MOST_BYTES_OF_A_NAME:
            raise LabelError(f"video name {name!r} can't be a folder name; rename it in the label file")
        if self.index < 0:
            raise LabelError(f"{name}: dive index {self.index} is negative; indices count from 0 or 1")

    @classmethod
    def parse(cls, text: str) -> ClipKey:
        """Read ``video/index``. Raises LabelError where the text is not that."""
        video, _, index = text.rpartition("/")
        if not video or not index.isdecimal():
            raise LabelError(f"{text!r} is no clip key; write it as video/index, for example Men10m_final_r1/4")
        return cls(video, int(index))

    def __str__(self) -> str:
        return f"{self.video}/{self.index}"


@dataclass(frozen=True, slots=True)
class Clip:
    """One dive and what is known of it. Any field but the key may be missing (None or empty).

    Attributes
    ----------
    key : ClipKey
    split : "train", "test" or "none"
    action_type : dive number in lower case, e.g. ``5253b``
    difficulty : degree of difficulty
    dive_score : final score in points, penalties included
    judge_scores : awards as listed, 0 to 10
    start_frame, end_frame : frame numbers in the source video, counted from 0, both inclusive
    n_frames : number of frames of the clip
    fps : frames a second of the source video
    height_m : 3 (springboard) or 10 (platform)
    synchronised : two divers at once
    stage_starts : first frame of every stage after the first, counted from the clip's first frame
    sub_actions : sub-action id of each stage (``len(stage_starts) + 1`` of them)
    source : the data set it comes from
    image_width, image_height : size of the stored frames in pixels
    """

    key: ClipKey
    split: Split = "none"
    action_type: str | None = None
    difficulty: float | None = None
    dive_score: float | None = None
    judge_scores: tuple[float, ...] = ()
    start_frame: int | None = None
    end_frame: int | None = None
    n_frames: int | None = None
    fps: float | None = None
    height_m: float | None = None
    synchronised: bool | None = None
    stage_starts: tuple[int, ...] = ()
    sub_actions: tuple[int, ...] = ()
    source: Source = "unlabelled"
    image_width: int | None = None
    image_height: int | None = None

    def __post_init__(self) -> None:
        for name, value, known in (("split", self.split, get_args(Split)), ("source", self.source, get_args(Source))):
            if value not in known:
                raise LabelError(f"{self.key}: {name} is {value!r}, not a {name}; it can be {', '.join(known)}")
        if self.sub_actions and len(self.sub_actions) != len(self.stage_starts) + 1:
            raise LabelError(
                f"{self.key}: {len(self.sub_actions)} sub-actions but {len(self.stage_starts)} stage starts;"
                " there is one start for every stage after the first"
            )
        if self.start_frame is not None and self.end_frame is not None and self.end_frame < self.start_frame:
            raise LabelError(f"{self.key}: ends at frame {self.end_frame}, before its start at {self.start_frame}")

    @property
    def frame_range(self) -> range | None:
        """Frame numbers of the clip in its source video, or None where the labels give no range."""
        if self.start_frame is None or self.end_frame is None:
            return None
        return range(self.start_frame, self.end_frame + 1)

    @property
    def n_stages(self) -> int:
        """Number of labelled stages; 0 where the stages are not labelled."""
        return len(self.sub_actions)

    def frame_labels(self) -> list[int]:
        """Sub-action id of every frame, -1 where unlabelled. Length ``n_frames``."""
        n = self.n_frames or 0
        if not self.sub_actions:
            return [-1] * n
        bounds = [0, *self.stage_starts, n]
        return [s for s, a, b in zip(self.sub_actions, bounds, bounds[1:], strict=False) for _ in range(a, min(b, n))]
