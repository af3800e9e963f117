"""What ``fdpose validate`` finds in the poses of a clip, as they are with the person's corrections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from annotate.merge import merge_tables
from annotate.review.session import Session
from finediving_pose.clip import ClipKey
from finediving_pose.frames import open_frames
from finediving_pose.persons import number_hands
from finediving_pose.validate import pose_rules  # noqa: F401  (registers the rules)
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.rules import RULES, Finding, Rule

PAGE_LAYER = "merged"
"""The rules see the poses as they would be merged now, this person's alone over the machine's."""
_FIRST = re.compile(r",? first (?:in )?\d+\.jpg")


def rules() -> list[Rule]:
    """The rules on poses, but those that hold layers against each other: they speak of what is on the disk."""
    return [r for r in RULES.values() if r.scope == "poses" and not r.name.startswith(("pose.merge", "pose.hands"))]


def findings_of_clip(session: Session, key: ClipKey) -> list[Finding]:
    """What is wrong with a clip's poses now, the gravest first.

    Raises FrameError or PoseError where frames or poses can't be read.
    """
    auto, mine = session.machine(key), session.hands(key)
    if auto is None and mine is None:
        return []
    frames, reviews = open_frames(session.workspace, key), session.reviews(key)
    hands = number_hands([mine], auto, reviews) if mine is not None else []
    layer = LayerPoses(session.clip(key), PAGE_LAYER, merge_tables(hands, auto), frames, reviews=reviews)
    return sorted(_found(layer), key=lambda f: f.order)


def said(finding: Finding) -> str:
    """The message without what the page shows beside it: the layer, and the first frame."""
    return _FIRST.sub("", finding.message.removeprefix(f"{PAGE_LAYER}: "))


def _found(layer: LayerPoses) -> Iterator[Finding]:
    for rule in rules():
        yield from rule(layer)
