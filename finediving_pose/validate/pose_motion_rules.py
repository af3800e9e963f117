"""Rules on the poses of one clip from frame to frame: what a body can't do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from finediving_pose.errors import FrameError
from finediving_pose.frames import FrameFolder, frame_name
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted

JOINT_LEAP = 1.0
BODY_LEAP = 2.0
BOX_JUMP = 2.0
LIMB_TOO_LONG, LIMB_SLACK, LIMB_WINDOW = 1.5, 0.02, 5
SWAP_GAIN, SWAP_MOVE = 0.5, 0.03
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
_FLIP = np.array(FLIP)
_PAIRS = [j for j, other in enumerate(FLIP) if j < other]


@rule("pose.joint-leap", severity="warning")
def joints_do_not_leap(layer: LayerPoses) -> Iterator[Finding]:
    """From one frame to the next no joint moves by more than the diver's size relative to the rest of the body."""
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
    """From one frame to the next the diver moves by less than twice the diver's size."""
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
    """No limb is more than 50 % longer than the rest of the body allows.

    A limb can look shorter in a picture than it is, but never longer. Its length divided by its share of the
    body's height (Drillis and Contini) estimates that height. The body's height is the 90th percentile of the
    estimates from the longer limbs within five frames. A limb exceeds it by at most 24 % in real hand poses,
    and by 6 % in true synthetic ones.
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
    name, frame = _limb(int(limb)), int(layer.poses.frame[rows[row]])
    found = layer.finding(
        f"limbs too long in {counted(len(rows), 'frame')}; worst {frame_name(frame)}, {name},"
        f" {ratio.max():.1f} times what the body allows",
        frame,
        f"{ratio.max():.1f}",
        f"at most {LIMB_TOO_LONG}",
    )
    yield replace(found, joints=tuple(JOINTS[j] for j in LIMBS[int(limb)]))


@rule("pose.sides-swapped", severity="warning")
def sides_are_not_swapped(layer: LayerPoses) -> Iterator[Finding]:
    """Left and right do not change places from one frame to the next.

    The body's turn in the picture is taken from the midpoints of left and right joints and removed. What remains
    is a swap if the pairs moved by more than 3 % of the diver's size, and exchanging left and right at least
    halves the movement. To tell swaps from fast twists, this must also hold for positions extrapolated from the
    frames before and after. Finds 932 of 1071 swaps put into true synthetic poses; no false alarms in true
    synthetic or real hand poses. Straight from the side a swap can't be seen.
    """
    swaps = [] if layer.poses is None else swapped_rows(layer)
    if swaps:
        yield layer.on_rows("left and right change places", np.array(swaps))


def swapped_rows(layer: LayerPoses) -> list[int]:
    """Rows in which left and right have changed places since the frame before; see :func:`sides_are_not_swapped`."""
    before, after = {b: a for a, b in layer.neighbours}, dict(layer.neighbours)
    chains = [(before[a], a, b, after[b]) for a, b in layer.neighbours if a in before and b in after]
    if not chains:
        return []
    earlier, a, b, later = np.array(chains).T
    resting = _pair_ways(layer, a, b)
    moving = _pair_ways(layer, a, b, earlier) + _pair_ways(layer, b, a, later)
    return b[(resting[:, 0] > SWAP_MOVE) & _shorter(resting) & _shorter(moving)].tolist()


@rule("pose.frozen", severity="warning")
def pose_moves_with_the_picture(layer: LayerPoses) -> Iterator[Finding]:
    """A pose does not stay exactly the same while the picture around it changes.

    A pose that moves by less than 0.01 pixels for five frames is a copy: even a diver who waits on the platform
    sways by more.
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
    """A box is neither twice nor half as large as both the box before and the box after it.

    A body tucks and opens over several frames. At the entry the box shrinks and stays small, which is allowed.
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
    places = layer.poses.person.astype(int) * 2**32 + layer.poses.frame
    order = np.argsort(places)
    near = places[:, None] + np.arange(-LIMB_WINDOW, LIMB_WINDOW + 1)
    rows = order[np.searchsorted(places, near, sorter=order).clip(max=len(order) - 1)]
    vouching = np.where((places[rows] == near)[..., None], height[rows][..., _LONG], np.nan).reshape(len(height), -1)
    known = np.isfinite(vouching).sum(1)
    enough = known >= 2 * _LONG.sum()
    body = np.full(len(height), np.inf)
    body[enough] = _percentile(np.sort(vouching[enough], axis=1), known[enough], 0.9)
    return np.where(body > 0, body, np.inf)


def _percentile(values: np.ndarray, known: np.ndarray, share: float) -> np.ndarray:
    """The percentile (n,) of the first ``known`` of each row's sorted values (n, m), between the two around it."""
    at = share * (known - 1)
    below, row = np.floor(at).astype(int), np.arange(len(values))
    low, high = values[row, below], values[row, np.ceil(at).astype(int)]
    return low + (at - below) * (high - low)


def _shorter(ways: np.ndarray) -> np.ndarray:
    """bool (k,): whether ways (k, 2) are at most half as long with the sides exchanged."""
    return ways[:, 1] <= SWAP_GAIN * ways[:, 0]


def _pair_ways(layer: LayerPoses, a: np.ndarray, b: np.ndarray, earlier: np.ndarray | None = None) -> np.ndarray:
    """How far the pairs of rows ``b`` are from where rows ``a`` have them, as they are and with the sides exchanged.

    With ``earlier``, rows on the other side of ``a``, from where they would be had they moved on.
    (k, 2) of k rows each, as shares of the diver's usual size; 0 where fewer than three pairs are known, or that size
    is not.
    """
    half = _halves(layer.points)
    start = half[a] if earlier is None else 2 * half[a] - half[earlier] @ _turns(layer.points, earlier, a)
    start = start @ _turns(layer.points, a, b)
    both = np.isfinite(start + half[b]).all(-1)
    enough = (both.sum(1) >= 3) & (layer.usual_size > 0)
    ways = [np.linalg.norm(sign * half[b] - start, axis=-1) for sign in (1, -1)]
    sums = np.stack([np.where(both, way, 0).sum(1) for way in ways], axis=-1)
    return np.where(enough[:, None], sums / both.sum(1).clip(1)[:, None] / (layer.usual_size or np.inf), 0)


def _halves(points: np.ndarray) -> np.ndarray:
    """(n, 6, 2), from the middle of each pair to its right joint."""
    return (points - points[:, _FLIP])[:, _PAIRS] / 2


def _turns(points: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The rotations in the picture, (k, 2, 2) to be multiplied from the right, that best take the middles of rows
    ``before`` to those of rows ``after``; none where fewer than four are known.
    """
    middles = points + points[:, _FLIP]
    one, two = middles[before], middles[after]
    both = np.asarray(np.isfinite(one + two).all(-1))
    n = both.sum(1)
    (x, y), (u, v) = (_centred(middles, both).transpose(2, 0, 1) for middles in (one, two))
    angle = np.where(n >= 4, np.arctan2((x * v - y * u).sum(1), (x * u + y * v).sum(1)), 0)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c, s, -s, c], -1).reshape(-1, 2, 2)


def _centred(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Points (k, 16, 2) about the mean of the known ones; 0 for the others."""
    points = np.where(known[..., None], points, 0)
    return np.where(known[..., None], points - points.sum(1, keepdims=True) / known.sum(1).clip(1)[:, None, None], 0)


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
