"""Rules that hold the layers of one clip against each other: hands against hands, merged poses against both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from finediving_pose.frames import frame_name
from finediving_pose.persons import number_hands
from finediving_pose.poses import ClipPoses, JointSource
from finediving_pose.skeleton import HEAD
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted

SAME_PLACE = 0.01
LEAST_DISAGREEMENT = 10.0
_AGAIN = "merge again with: fdpose merge"


@rule("pose.merge-hand", severity="error")
def merged_joints_are_the_hands(layer: LayerPoses) -> Iterator[Finding]:
    """A joint that a person placed has that position in the merged pose, and the source "manual".

    If several people placed it, the position is one of theirs. A joint that a person deleted has none. Divers are
    numbered as the merge numbers them. A finding means that the merged poses are older than the hand poses, or were
    changed afterwards.
    """
    hands = _hands(layer)
    if layer.layer != "merged" or layer.poses is None or not hands:
        return
    placed = np.zeros(layer.present.shape, bool)
    kept = np.zeros(layer.present.shape, bool)
    for table in hands.values():
        rows, mine = _rows_of(layer.poses, table)
        by_hand = table.source[rows] == JointSource.MANUAL
        placed[mine] |= by_hand
        same = _same_place(table.keypoints[rows], layer.poses.keypoints[mine])
        kept[mine] |= by_hand & same & (layer.poses.source[mine] == JointSource.MANUAL)
    lost = placed & ~kept
    if lost.any():
        found = layer.on_joints("not where a person placed them", lost)
        yield layer.finding(f"{found.message.partition(': ')[2]}; {_AGAIN}", found.frame, found.found)


@rule("pose.merge-complete", severity="error")
def merged_poses_are_all_poses(layer: LayerPoses) -> Iterator[Finding]:
    """The merged poses have every frame and person that the hand or automatic poses have."""
    if layer.layer != "merged" or layer.poses is None:
        return
    mine = set(zip(layer.poses.frame.tolist(), layer.poses.person.tolist(), strict=True))
    tables = [*_hands(layer).values(), *([layer.others["auto"]] if "auto" in layer.others else [])]
    theirs = {place for t in tables for place in zip(t.frame.tolist(), t.person.tolist(), strict=True)}
    missing = sorted(theirs - mine)
    if missing:
        first, lacks = missing[0][0], counted(len(missing), "pose")
        yield layer.finding(
            f"lacks {lacks} that other layers have, first {frame_name(first)}; {_AGAIN}",
            first,
            len(mine),
            len(theirs),
        )


@rule("pose.merge-stale", severity="warning")
def merged_joints_are_the_machines(layer: LayerPoses) -> Iterator[Finding]:
    """A merged joint that was estimated has the position of the current automatic pose.

    A finding means that the clip was annotated again after it was merged.
    """
    auto = layer.others.get("auto")
    if layer.layer != "merged" or layer.poses is None or auto is None:
        return
    rows, mine = _rows_of(layer.poses, auto)
    machine = np.isin(layer.poses.source[mine], (JointSource.AUTOMATIC, JointSource.INTERPOLATED))
    machine &= ~_of_hands(layer)[mine]
    same = np.abs(auto.keypoints[rows] - layer.poses.keypoints[mine]).max(-1) <= SAME_PLACE
    moved = np.zeros(layer.present.shape, bool)
    moved[mine] = machine & ~same & layer.present[mine]
    if moved.any():
        found = layer.on_joints("the machine now places them elsewhere", moved)
        yield layer.finding(f"{found.message.partition(': ')[2]}; {_AGAIN}", found.frame, found.found)


@rule("pose.hands-agree", severity="warning")
def hands_agree(layer: LayerPoses) -> Iterator[Finding]:
    """Two people place a joint less than a head's length apart.

    The head's length is the clip's median from upper neck to head top, at least 10 pixels. PCKh@0.5 counts half
    of it as a miss; a whole head's length points to another body part or the other side.
    """
    if not layer.by_hand or layer.poses is None:
        return
    head = np.linalg.norm(layer.points[:, HEAD[0]] - layer.points[:, HEAD[1]], axis=-1)
    limit = max(float(np.nanmedian(head)) if np.isfinite(head).any() else 0.0, LEAST_DISAGREEMENT)
    hands = _hands(replace(layer, others=layer.others | {layer.layer: layer.poses}))
    own = hands[layer.layer]
    layer = replace(layer, poses=own)
    for name, table in hands.items():
        if name <= layer.layer:  # each pair once
            continue
        rows, mine = _rows_of(own, table)
        apart = np.linalg.norm(table.keypoints[rows] - own.keypoints[mine], axis=-1)
        placed = (table.source[rows] == JointSource.MANUAL) & (own.source[mine] == JointSource.MANUAL)
        apart = np.where(placed, np.nan_to_num(apart), 0)
        far = np.zeros(layer.present.shape, bool)
        far[mine] = apart > limit
        if far.any():
            words = f"{name} places joints {apart.max():.0f} pixels away"
            yield layer.on_joints(words, far, f"at most {limit:.0f}")


def _hands(layer: LayerPoses) -> dict[str, ClipPoses]:
    """The other layers that people made, their divers numbered as the merge numbers them."""
    hands = {name: table for name, table in sorted(layer.others.items()) if name.startswith("manual/")}
    return dict(zip(hands, number_hands(list(hands.values()), layer.others.get("auto"), layer.reviews), strict=True))


def _of_hands(layer: LayerPoses) -> np.ndarray:
    """bool (n, 16): joints that a person had interpolated between own frames, or exchanged."""
    assert layer.poses
    theirs = np.zeros(layer.present.shape, bool)
    for table in _hands(layer).values():
        rows, mine = _rows_of(layer.poses, table)
        theirs[mine] |= np.isin(table.source[rows], (JointSource.AUTOMATIC, JointSource.INTERPOLATED))
    return theirs


def _same_place(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Whether joints (n, 16, 2) lie at one place, or are absent in both: bool (n, 16)."""
    return np.asarray(np.isclose(one, two, rtol=0, atol=SAME_PLACE, equal_nan=True).all(-1))


def _rows_of(mine: ClipPoses, theirs: ClipPoses) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ``theirs`` that ``mine`` has, too, and the rows of ``mine``."""
    places = {place: i for i, place in enumerate(zip(mine.frame.tolist(), mine.person.tolist(), strict=True))}
    found = zip(theirs.frame.tolist(), theirs.person.tolist(), strict=True)
    pairs = [(i, places[place]) for i, place in enumerate(found) if place in places]
    rows, own = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(rows, int), np.array(own, int)
