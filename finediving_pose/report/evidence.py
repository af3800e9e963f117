"""Pictures that show a finding: its frame, the one before and the one after, with the pose in question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.poses import read_poses, take_rows
from finediving_pose.report.contact_sheet import contact_sheet
from finediving_pose.report.embedding import picture_uri
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from finediving_pose.validate import Finding

BOXED = ("pose.box", "pose.outside-picture")
"""Beginnings of the names of rules whose pictures show the box and the surroundings of the frame."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A strip of frames as a data URI, and what is said under it."""

    place: str
    message: str
    picture: str


def evidence(workspace: Workspace, findings: Iterable[Finding], clips: Sequence[Clip], most: int) -> list[Evidence]:
    """Strips for up to ``most`` findings that name a frame, each of another clip as long as there are others.

    Findings whose pictures can't be read are passed over.
    """
    by_key = {c.key: c for c in clips}
    strips = []
    for finding in _one_a_clip_first([f for f in findings if f.key and f.frame is not None]):
        if len(strips) == most:
            break
        with suppress(FdposeError, OSError):
            assert finding.key
            strip = _strip(workspace, finding, finding.key, by_key.get(finding.key))
            strips.append(Evidence(f"{finding.place}, frame {finding.frame}", finding.message, picture_uri(strip)))
    return strips


def _strip(workspace: Workspace, finding: Finding, key: ClipKey, clip: Clip | None) -> np.ndarray:
    """Frames before, at and after: cropped around the diver with the pose drawn, or whole for a rule on pictures.

    The joints that the finding is about have rings; a rule about boxes, or about joints beyond the picture, shows
    the box and what lies outside.
    """
    frames = open_frames(workspace, key)
    poses = read_poses(workspace.pose_file(finding.layer, key)) if finding.layer else None
    numbers = _readable(frames, _around(frames.numbers, finding.frame or 0))
    if not numbers:
        raise FrameError(f"{key}: no frame near {finding.frame} can be read")
    near = take_rows(poses, np.flatnonzero(np.isin(poses.frame, numbers))) if poses else None
    return contact_sheet(
        frames,
        near,
        numbers,
        clip,
        layer=finding.layer,
        crop=near is not None,
        columns=3,
        marked={finding.frame or 0: [JOINTS.index(name) for name in finding.joints]},
        boxes=finding.rule.startswith(BOXED),
        titled=False,
    )


def _around(numbers: Sequence[int], number: int) -> list[int]:
    """The frame number, or the nearest there is, and its neighbours; three where the clip has as many."""
    at = min(range(len(numbers)), key=lambda i: abs(numbers[i] - number))
    first = min(max(at - 1, 0), max(len(numbers) - 3, 0))
    return list(numbers[first : first + 3])


def _readable(frames: FrameFolder, numbers: Sequence[int]) -> list[int]:
    readable = []
    for number in numbers:
        with suppress(FrameError):
            frames.read(number)
            readable.append(number)
    return readable


def _one_a_clip_first(findings: Sequence[Finding]) -> list[Finding]:
    """In their order, but the second of a clip after the first of all clips."""
    seen: dict[ClipKey | None, int] = {}
    ranked = []
    for finding in findings:
        seen[finding.key] = seen.get(finding.key, 0) + 1
        ranked.append((seen[finding.key], finding))
    return [f for _, f in sorted(ranked, key=lambda item: item[0])]
