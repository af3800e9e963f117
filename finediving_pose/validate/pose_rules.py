"""Rules on the poses of one clip in one layer, frame by frame.

What needs more than one frame is in ``pose_motion_rules`` and ``presence_rules``, what needs more than one layer in
``pose_merge_rules``, what people said in ``review_rules``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finediving_pose.frames import frame_name
from finediving_pose.persons import exchanged_divers
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import FLIP, JOINTS
from finediving_pose.validate import pose_merge_rules, pose_motion_rules, presence_rules, review_rules  # noqa: F401  (they register)
from finediving_pose.validate.layer_poses import LayerPoses, load_layers
from finediving_pose.validate.pose_merge_rules import SAME_PLACE
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted

__all__ = ["LayerPoses", "load_layers"]

OUTSIDE_PIXELS = 2.0
OUTSIDE_BOX = 0.15
COVERAGE = 0.9
LOW_CONFIDENCE = 0.3
COLLAPSED = 0.2
SIDES_TOGETHER = 0.004
SAME_PERSON = 0.05


@rule("pose.readable", severity="error")
def pose_file_is_readable(layer: LayerPoses) -> Iterator[Finding]:
    """A pose file can be read and holds a pose table."""
    if layer.problem:
        yield layer.finding(layer.problem)


@rule("pose.values", severity="error")
def values_are_in_range(layer: LayerPoses) -> Iterator[Finding]:
    """Visibility is 0 to 2, source 0 to 3, confidence 0 to 1, and a visible joint has a position."""
    poses = layer.poses
    if poses is None:
        return
    wrong = {
        f"visibility is not 0 to {max(Visibility)}": poses.visibility > max(Visibility),
        f"source is not 0 to {max(JointSource)}": poses.source > max(JointSource),
        "confidence is not between 0 and 1": ~((poses.confidence >= 0) & (poses.confidence <= 1)),
        "a joint is seen but has no place": (poses.visibility == Visibility.VISIBLE)
        & ~np.isfinite(poses.keypoints).all(-1),
    }
    for what, joints in wrong.items():
        if joints.any():
            yield layer.on_joints(what, joints)


@rule("pose.source", severity="error")
def joints_come_from_their_layer(layer: LayerPoses) -> Iterator[Finding]:
    """In a manual layer every joint was placed by hand, in the automatic layer none was.

    Joints that a person had interpolated between own frames belong to the person, and so do joints of the machine that
    the person exchanged: arms and legs for those of the other side, poses for the other diver's. Merging trusts the
    source of each joint: an estimated joint marked as manual would replace people's.
    """
    if layer.poses is None or layer.layer == "merged":
        return
    wrong = (layer.poses.source == (JointSource.AUTOMATIC if layer.by_hand else JointSource.MANUAL)) & layer.present
    if layer.by_hand:
        rows = np.flatnonzero(exchanged_divers(layer.poses)).tolist()
        strange = [row for row in rows if not _is_the_others(layer, row)]
        wrong &= np.isin(np.arange(len(wrong)), strange)[:, None]
    if wrong.any():
        yield layer.on_joints("placed by the machine" if layer.by_hand else "placed by hand", wrong)


def _is_the_others(layer: LayerPoses, row: int) -> bool:
    """Whether a row is beside one of the other diver, and not where the machine has this one."""
    assert layer.poses is not None
    poses, auto = layer.poses, layer.others.get("auto")
    frame, person = int(poses.frame[row]), int(poses.person[row])
    if poses.row(frame, 1 - person) is None:
        return False
    own = None if auto is None else auto.row(frame, person)
    if auto is None or own is None:
        return True
    return not np.allclose(poses.keypoints[row], auto.keypoints[own], rtol=0, atol=SAME_PLACE, equal_nan=True)


@rule("pose.frame-exists", severity="error")
def frames_of_poses_exist(layer: LayerPoses) -> Iterator[Finding]:
    """Every pose belongs to a frame of the clip."""
    known = layer.frames.numbers if layer.frames else layer.clip.frame_range
    if layer.poses is None or known is None:
        return
    strangers = sorted({int(f) for f in layer.poses.frame} - set(known))
    if strangers:
        yield layer.finding(
            f"{counted(len(strangers), 'pose')} for frames that the clip does not have,"
            f" first {frame_name(strangers[0])}; it has {min(known)} to {max(known)}",
            strangers[0],
            strangers[0],
            f"{min(known)} to {max(known)}",
        )


@rule("pose.twice", severity="error")
def persons_are_in_a_frame_once(layer: LayerPoses) -> Iterator[Finding]:
    """A person has at most one pose in a frame.

    Of two rows for the same frame and person only the first would be used.
    """
    if layer.poses is None or len(layer.poses) < 2:
        return
    places = np.stack([layer.poses.frame, layer.poses.person.astype(np.int32)], 1)
    again = np.flatnonzero((places[1:] == places[:-1]).all(1)) + 1
    if len(again):
        yield layer.on_rows("the same person twice", again)


@rule("pose.persons", severity="warning")
def persons_are_as_many_as_divers(layer: LayerPoses) -> Iterator[Finding]:
    """One person in individual dives, two in synchronised ones."""
    if layer.poses is None or not len(layer.poses) or layer.clip.synchronised is None:
        return
    there = np.where(layer.present.any(1), layer.poses.person, -1)
    found, divers = int(there.max()) + 1, 2 if layer.clip.synchronised else 1
    if found and found != divers:
        kind = "a synchronised" if divers == 2 else "an individual"
        row = int(there.argmax())
        yield layer.finding(f"{counted(found, 'person')} in {kind} dive", layer.poses.frame[row], found, divers)


@rule("pose.same-person", severity="warning")
def two_persons_are_two(layer: LayerPoses) -> Iterator[Finding]:
    """The two persons of a frame have different poses.

    If their joints are less than 5 % of a diver's size apart on average, both are the same diver.
    """
    if layer.poses is None or not (layer.poses.person > 0).any():
        return
    same = []
    for b in np.flatnonzero(layer.poses.person == 1):
        a = layer.poses.row(int(layer.poses.frame[b]), 0)
        both = layer.present[a] & layer.present[b] if a is not None else np.zeros(len(JOINTS), bool)
        if a is not None and both.any():
            apart = np.linalg.norm(layer.points[a] - layer.points[b], axis=-1)[both].mean()
            same += [b] * bool(apart < SAME_PERSON * layer.usual_size)
    if same:
        yield layer.on_rows("both persons have the same pose", np.array(same))


@rule("pose.coverage", severity="warning")
def most_frames_have_a_pose(layer: LayerPoses) -> Iterator[Finding]:
    """Nine of ten frames before the entry have a pose, or are known to show nobody.

    Counted before the last stage, or in the first two thirds of a clip without stages. A row without joints says that
    somebody looked and saw no diver. Manual layers are not checked.
    """
    if layer.poses is None or layer.frames is None or layer.by_hand:
        return
    numbers = layer.frames.numbers
    before = numbers[: layer.clip.stage_starts[-1] if layer.clip.stage_starts else len(numbers) * 2 // 3]
    joints = layer.present.sum(1)
    posed = set(layer.poses.frame[(joints >= len(JOINTS) // 2) | (joints == 0)].tolist())
    without = [n for n in before if n not in posed]
    share = 1 - len(without) / max(len(before), 1)
    if before and share < COVERAGE:
        yield layer.finding(
            f"only {share:.0%} of the frames before the entry have a pose of 8 joints or more",
            without[0],
            f"{share:.0%}",
            f"{COVERAGE:.0%}",
        )


@rule("pose.confidence", severity="warning")
def machine_is_confident(layer: LayerPoses) -> Iterator[Finding]:
    """The estimator's mean confidence over a clip is 0.3 or more.

    Below that it mostly guesses: its confidence is 0.5 on synthetic dives, 0.2 under water. Correct the clip by
    hand, or use another estimator.
    """
    if layer.poses is None:
        return
    automatic = layer.present & (layer.poses.source == JointSource.AUTOMATIC)
    if automatic.sum() < len(JOINTS):
        return
    mean = float(layer.poses.confidence[automatic].mean())
    if mean < LOW_CONFIDENCE:
        per_row = np.where(automatic.any(1), (layer.poses.confidence * automatic).sum(1) / automatic.sum(1).clip(1), 1)
        worst = layer.poses.frame[int(per_row.argmin())]
        yield layer.finding(f"mean confidence {mean:.2f}", worst, f"{mean:.2f}", f"at least {LOW_CONFIDENCE}")


@rule("pose.outside-picture", severity="warning")
def joints_are_in_the_picture(layer: LayerPoses) -> Iterator[Finding]:
    """Every joint with a position lies inside the picture."""
    if layer.poses is None or layer.frames is None:
        return
    last = np.array([layer.frames.width - 1, layer.frames.height - 1])
    points = layer.poses.keypoints
    out = ((points < -OUTSIDE_PIXELS) | (points > last + OUTSIDE_PIXELS)).any(-1) & layer.present
    if out.any():
        size = f"{layer.frames.width} x {layer.frames.height}"
        yield layer.on_joints(f"joints outside the picture of {size}", out, size)


@rule("pose.corner", severity="warning")
def joints_are_not_in_the_corner(layer: LayerPoses) -> Iterator[Finding]:
    """No joint lies exactly at (0, 0).

    Many formats, MPII's and COCO's among them, write zeros for a joint that was not annotated. Read as a
    position, they draw the limb into the picture's corner.
    """
    if layer.poses is None:
        return
    zero = (layer.poses.keypoints == 0).all(-1) & layer.present
    if zero.any():
        yield layer.on_joints("joints at (0, 0), absent ones most likely", zero, "no place")


@rule("pose.box-sides", severity="error")
def box_has_its_sides_in_order(layer: LayerPoses) -> Iterator[Finding]:
    """A box is x1 y1 x2 y2 with x1 < x2 and y1 < y2.

    A box of x, y, width and height, as in COCO, is often caught by this rule.
    """
    if layer.poses is None:
        return
    box = layer.poses.box
    wrong = np.flatnonzero((box[:, 2:] <= box[:, :2]).any(1))
    if len(wrong):
        shown = " ".join(f"{v:.0f}" for v in box[wrong[0]])
        yield layer.on_rows(f"box {shown} has its sides in the wrong order", wrong, "x1 < x2, y1 < y2")


@rule("pose.box", severity="warning")
def box_holds_the_joints(layer: LayerPoses) -> Iterator[Finding]:
    """No joint lies outside the box by more than 15 % of the diver's size."""
    if layer.poses is None:
        return
    box, margin = layer.poses.box, OUTSIDE_BOX * layer.size
    with np.errstate(invalid="ignore"):
        beyond = np.maximum(box[:, None, :2] - layer.poses.keypoints, layer.poses.keypoints - box[:, None, 2:]).max(-1)
        out = (beyond > margin[:, None]) & layer.present
    if out.any():
        yield layer.on_joints("joints outside the box", out)


@rule("pose.collapsed", severity="warning")
def joints_are_spread_over_a_body(layer: LayerPoses) -> Iterator[Finding]:
    """A whole pose is at least a fifth as large as the diver usually is in the clip.

    Poses with fewer than 12 joints are skipped: at the entry only the feet are above the water.
    """
    if layer.poses is None:
        return
    whole = layer.present.sum(1) >= 12
    small = np.flatnonzero(whole & (layer.size < COLLAPSED * layer.usual_size))
    if len(small):
        yield layer.on_rows("the whole body lies in one spot", small, f"at least {COLLAPSED:.0%} of its usual size")


@rule("pose.sides-together", severity="warning")
def left_and_right_are_two_places(layer: LayerPoses) -> Iterator[Finding]:
    """Left and right joints do not coincide.

    Even straight from the side some pair is a few pixels apart: the widest by at least 0.8 % of the diver's
    size in every real hand pose, 1.5 % in 99 of 100 synthetic ones. If all pairs are within 0.4 % in most
    frames, the estimator does not tell left from right, and places both in the middle.
    """
    if layer.poses is None or not len(layer.poses):
        return
    flip = np.array(FLIP)
    pairs = np.flatnonzero(flip > np.arange(len(flip)))
    apart = np.linalg.norm(layer.points[:, pairs] - layer.points[:, flip[pairs]], axis=-1)
    known = np.isfinite(apart).sum(1) >= 4
    together = np.flatnonzero(known & (np.nan_to_num(apart).max(1) < SIDES_TOGETHER * layer.usual_size))
    if known.any() and len(together) > known.sum() / 2:
        yield layer.on_rows("left and right joints lie at the same places", together)
