"""A suggested frame, and lists of them: as a CSV file and as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from finediving_pose.clip import ClipKey
from finediving_pose.frames import open_frames
from finediving_pose.poses import concatenate, read_poses
from finediving_pose.spreadsheet import write_csv
from finediving_pose.workspace import Workspace, atomic_write

NOTHING = 0.1
"""Below this mean confidence there is hardly a diver in the frame."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A frame that is worth annotating.

    Attributes
    ----------
    key, frame, person : the clip, the frame's number, and which of its divers
    doubt : 1 less the mean confidence of the joints
    moved : share of the joints that the smoothing moved
    long_limbs : share of the limbs that are longer than 1.5 times their usual length in the clip
    mirrored : distance of the joints from those of the mirror image, mean over the joints, 1 for
        :data:`annotate.suggest.APART` or more; None where it was not measured
    dive : mean worth of the dive's frames; of a sample of them where mirror images are concerned
    luck : random number that decides among the frames of a dive
    by_lot : drawn at random, whatever its dive is worth
    """

    key: ClipKey
    frame: int
    doubt: float
    moved: float
    long_limbs: float
    mirrored: float | None = None
    person: int = 0
    dive: float = 0.0
    luck: float = 1.0
    by_lot: bool = False

    @property
    def worth(self) -> float:
        """How uncertain the pose is, 0 to 1: the mean of the reasons."""
        reasons = [self.doubt, self.moved, self.long_limbs, *([] if self.mirrored is None else [self.mirrored])]
        return sum(reasons) / len(reasons)

    @property
    def promise(self) -> float:
        """The worth of its dive, less where no diver is visible."""
        return self.visible * self.dive

    @property
    def visible(self) -> float:
        """1, but less where the mean confidence is below :data:`NOTHING`: mostly there is no diver in such a frame."""
        return min(1.0, (1 - self.doubt) / NOTHING)

    @property
    def why(self) -> str:
        """The strongest reason, in words."""
        if self.by_lot:
            return "drawn at random"
        reasons = {
            self.doubt: f"confidence {1 - self.doubt:.2f}",
            self.moved: f"{self.moved:.0%} of the joints disagree with neighbouring frames",
            self.long_limbs: f"{self.long_limbs:.0%} of the limbs are too long",
            self.mirrored or 0.0: "joints differ in the mirror image",
        }
        return reasons[max(reasons)]


def write_suggestions(path: Path, suggestions: Sequence[Suggestion]) -> Path:
    """A CSV file with a row a frame, whole or not at all."""
    rows = ([f"{s.key}/{s.frame:05d}.jpg", f"{s.dive:.3f}", f"{s.worth:.3f}", s.why] for s in suggestions)
    return write_csv(path, ["image", "dive_worth", "worth", "why"], rows)


def write_sheet(path: Path, workspace: Workspace, suggestions: Sequence[Suggestion]) -> Path:
    """The frames with the machine's pose, side by side, the best first: a PNG picture.

    Raises FrameError where a picture is missing or damaged.
    """
    from finediving_pose.report.contact_sheet import TILE, join_tiles, with_head
    from finediving_pose.report.lettering import caption_tiles
    from finediving_pose.report.views import draw_view, people_in, square_around

    tiles, shown = [], []
    for s in suggestions:
        frames, poses = open_frames(workspace, s.key), read_poses(workspace.pose_file("auto", s.key))
        people = people_in(poses, s.frame)
        tiles.append(draw_view(frames.read(s.frame), square_around(people, frames.width, frames.height), TILE, people))
        shown.append(poses)
    sheet = join_tiles(caption_tiles(tiles, [f"{s.key}  {s.frame:05d}" for s in suggestions]), columns=6)
    head = ["Frames worth annotating, the best first", "auto poses; each tile has a scale of its own"]
    sheet = with_head(sheet, head, concatenate(shown))
    ok, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    assert ok
    with atomic_write(path) as part:
        part.write_bytes(data.tobytes())
    return path
