"""Rules on the poses of one clip from frame to frame: what a body can't do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np

from finediving_pose.errors import FrameError
from finediving_pose.frames import FrameFolder, frame_name
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.rules import Finding, rule

JOINT_LEAP = 1.0
BODY_LEAP = 2.0
BOX_JUMP = 2.0
LIMB_TOO_LONG, LIMB_SLACK, LIMB_WINDOW = 1.5, 0.02, 5
SWAP_GAIN, SWAP_MOVE = 0.5, 0.05
FROZEN_ROWS, FROZEN_PIXELS, PICTURE_MOVES = 5, 0.01, 20.0

LIMB_SHARE = {
    frozenset({"knee", "ankle"}): 0.246,
    frozenset({"hip", "knee"}): 0.245,
    frozenset({"pelvis", "hip"}): 0.095,
    frozenset({"pelvis", "thorax"}): 0.29,
    frozenset({"thorax", "neck"}): 0.06,
    frozenset({"neck", "top"}): 0.16,
    frozenset({"elbow", "wrist"}): 0.146,
    frozenset({"shoulder", "elbow"}): 0.186,
    frozenset({"thorax", "shoulder"}): 0.129,
}
"""Length of a limb over the body's height.

Source: Drillis and Contini's segment lengths, as in Winter, Biomechanics and Motor Control of Human Movement;
the hips', the neck's and the head's are ours, for where MPII puts these joints.
"""

_SHARE = np.array([LIMB_SHARE[frozenset(JOINTS[j].rpartition("_")[2] for j in limb)] for limb in LIMBS])
_LONG = _SHARE > 0.14
_ENDS = np.array(LIMBS)


@rule("pose.joint-leap", severity="warning")
def joints_do_not_leap(layer: LayerPoses) -> Iterator[Finding]:
    """From one frame to the next no joint moves by the diver's own size against the rest of the body."""
    if layer.poses is None:
        return
    leaps = np.zeros(layer.present.shape, bool)
    for a, b in layer.neighbours:
        both = layer.present[a] & layer.present[b]
        if both.sum() >= 4:
            move = layer.points[b] - layer.points[a]
            against = np.linalg.norm(move - np.median(move[both], axis=0), axis=-1)
            leaps[b] = both & (np.nan_to_num(against) > JOINT_LEAP * layer.usual_size)
    if leaps.any():
        yield layer.on_joints("joints leap", leaps)


@rule("pose.body-leap", severity="warning")
def body_does_not_leap(layer: LayerPoses) -> Iterator[Finding]:
    """From one frame to the next the diver moves by less than twice the own size."""
    if layer.poses is None:
        return
    leaps = np.zeros(len(layer.poses), bool)
    for a, b in layer.neighbours:
        both = layer.present[a] & layer.present[b]
        if both.any():
            move = np.median((layer.points[b] - layer.points[a])[both], axis=0)
            leaps[b] = np.linalg.norm(move) > BODY_LEAP * layer.usual_size
    if leaps.any():
        found = layer.on_rows("the diver leaps", np.flatnonzero(leaps))
        yield layer.finding(f"{found.message.partition(': ')[2]}; another person, or a cut", found.frame, found.found)


@rule("pose.limb-length", severity="warning")
def limbs_are_not_too_long(layer: LayerPoses) -> Iterator[Finding]:
    """No limb is half as long again as the rest of the body allows.

    A limb may look short in a picture, but never longer than it is. Each limb's length over its share of the
    body's height (Drillis and Contini) is a height that it vouches for; the body is as tall as nine of ten
    of the longer limbs within five frames say at most. In real hand poses a limb exceeds that by 24 % at most,
    in true synthetic poses by 6 %; 50 % is wrong.
    """
    if layer.poses is None or not len(layer.poses):
        return
    height = np.linalg.norm(layer.points[:, _ENDS[:, 0]] - layer.points[:, _ENDS[:, 1]], axis=-1) / _SHARE
    body = _body_height(layer, height)
    long = np.nan_to_num(height) > (LIMB_TOO_LONG + LIMB_SLACK / _SHARE) * body[:, None]
    if not long.any():
        return
    rows = np.flatnonzero(long.any(1))
    ratio = np.nan_to_num(height[rows] / body[rows, None]) * long[rows]
    row, limb = np.unravel_index(ratio.argmax(), ratio.shape)
    name, frame, n = _limb(int(limb)), int(layer.poses.frame[rows[row]]), len(rows)
    yield layer.finding(
        f"limbs too long in {n} frame{'s' * (n > 1)}; worst {frame_name(frame)}, {name},"
        f" {ratio.max():.1f} times what the body allows",
        frame,
        f"{ratio.max():.1f}",
        f"at most {LIMB_TOO_LONG}",
    )


@rule("pose.sides-swapped", severity="warning")
def sides_are_not_swapped(layer: LayerPoses) -> Iterator[Finding]:
    """Left and right do not change places from one frame to the next.

    They did where the joints move at most half as far with all left and right ones exchanged, and by more
    than 5 % of the diver's size as they are; both seen from where they were, and from where they would be had
    they moved on as before. The second tells a swap from a fast twist that passes the side view. In real hand
    poses and true synthetic ones exchanging the sides never shortens the way by more than 2 %.
    """
    if layer.poses is None:
        return
    before = {b: a for a, b in layer.neighbours}
    swaps = []
    for a, b in layer.neighbours:
        resting = _ways(layer, layer.points[a], b)
        moving = _ways(layer, 2 * layer.points[a] - layer.points[before[a]], b) if a in before else resting
        if all(straight > SWAP_MOVE and swapped < SWAP_GAIN * straight for straight, swapped in (resting, moving)):
            swaps.append(b)
    if swaps:
        yield layer.on_rows("left and right change places", np.array(swaps))


@rule("pose.frozen", severity="warning")
def pose_moves_with_the_picture(layer: LayerPoses) -> Iterator[Finding]:
    """A pose does not stay the same to the pixel while the picture around it changes.

    Five frames or more within 0.01 pixels are a copy: even a diver who waits on the platform sways by more.
    """
    if layer.poses is None or layer.frames is None:
        return
    still = []
    for a, b in layer.neighbours:
        both = layer.present[a] & layer.present[b]
        same = both.sum() >= 8 and float(np.abs(layer.points[a] - layer.points[b])[both].max()) < FROZEN_PIXELS
        still += [(a, b)] * bool(same)
    for run in _runs(still):
        first, last = (int(layer.poses.frame[r]) for r in (run[0], run[-1]))
        if len(run) >= FROZEN_ROWS and _picture_changes(layer.frames, first, last, layer.extent[run[0]]):
            yield layer.finding(
                f"the pose is the same for {len(run)} frames from {frame_name(first)}, while the picture changes",
                last,
                f"{len(run)} frames",
            )


@rule("pose.box-jump", severity="warning")
def box_keeps_its_size(layer: LayerPoses) -> Iterator[Finding]:
    """A box is not twice as large, or half as large, as those of the frames before and after it.

    A body tucks and opens within several frames, not in one. At the entry it shrinks and stays small.
    """
    if layer.poses is None:
        return
    box = layer.poses.box
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log2(np.hypot(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]))
        spikes = [
            (b, size[b] - size[a], size[b] - size[c]) for (a, b), (b2, c) in pairwise(layer.neighbours) if b == b2
        ]
    jumps = [b for b, rise, fall in spikes if rise * fall > 0 and min(abs(rise), abs(fall)) > np.log2(BOX_JUMP)]
    if jumps:
        yield layer.on_rows("the box jumps in size for one frame,", np.array(jumps))


def _body_height(layer: LayerPoses, height: np.ndarray) -> np.ndarray:
    """float (n,), pixels: the body's height as its longer limbs vouch for nearby; infinite where few do."""
    assert layer.poses
    body = np.full(len(height), np.inf)
    for row, (frame, person) in enumerate(zip(layer.poses.frame, layer.poses.person, strict=True)):
        near = (np.abs(layer.poses.frame - frame) <= LIMB_WINDOW) & (layer.poses.person == person)
        known = height[near][:, _LONG]
        known = known[np.isfinite(known)]
        if len(known) >= 2 * _LONG.sum():
            body[row] = np.percentile(known, 90)
    return np.where(body > 0, body, np.inf)


def _ways(layer: LayerPoses, start: np.ndarray, row: int) -> tuple[float, float]:
    """How far the sided joints of a row are from ``start`` (16, 2), as they are and with left and right exchanged.

    As shares of the diver's usual size, the movement of the whole body taken off; 0 for fewer than six joints.
    """
    end, flip = layer.points[row], np.array(FLIP)
    both = np.isfinite(start + end + end[flip]).all(-1) & (flip != np.arange(len(flip)))
    if both.sum() < 6:
        return 0.0, 0.0
    start = start + np.median((end - start)[both], axis=0)
    straight, swapped = (np.linalg.norm(e - start, axis=-1)[both].mean() for e in (end, end[flip]))
    return float(straight / layer.usual_size), float(swapped / layer.usual_size)


def _limb(limb: int) -> str:
    """``left elbow to left wrist``."""
    return " to ".join(JOINTS[j].replace("_", " ") for j in LIMBS[limb])


def _runs(pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Chains of rows: (1, 2), (2, 3), (7, 8) -> [1, 2, 3], [7, 8]."""
    runs: list[list[int]] = []
    for a, b in pairs:
        if runs and runs[-1][-1] == a:
            runs[-1].append(b)
        else:
            runs.append([a, b])
    return runs


def _picture_changes(frames: FrameFolder, first: int, last: int, extent: np.ndarray) -> bool:
    """Whether the two pictures differ around the diver by 20 of 255 grey levels somewhere, at 32 x 32."""
    try:
        views = [_around(frames.read(n), extent) for n in (first, last)]
    except FrameError:
        return False  # the frame rules say what is wrong with them
    return bool(np.abs(views[0] - views[1]).max() > PICTURE_MOVES)


def _around(picture: np.ndarray, extent: np.ndarray) -> np.ndarray:
    height, width, _ = picture.shape
    x1, y1 = np.clip(np.floor(extent[:2]).astype(int), 0, [width - 1, height - 1])
    x2, y2 = np.clip(np.ceil(extent[2:]).astype(int) + 1, [x1 + 1, y1 + 1], [width, height])
    return cv2.resize(picture[y1:y2, x1:x2], (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32).mean(-1)
