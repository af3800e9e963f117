"""Training-time change of a diver's pose: arms and legs are cut out of the picture and put back at other angles.

A dive shows few poses: of 34 frames of one pike none has its arms where the next diver's are. Limbs that are
turned about shoulder, elbow, hip and knee show the network many more. The idea is that of Rogez and Schmid,
"MoCap-guided Data Augmentation for 3D Pose Estimation in the Wild", NeurIPS 2016, done with one picture.
Random numbers come from numpy's global generator, see :mod:`annotate.training.augment`.
"""

# ruff: noqa: NPY002
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from annotate.crop import box_of_joints
from annotate.estimators import mmpose_compat  # noqa: F401  (before mmpose)

from mmcv.transforms import BaseTransform  # isort: skip
from mmpose.registry import TRANSFORMS  # isort: skip

HEAD, TRUNK = (8, 9), (6, 7)
"""Upper neck and head top: everything is measured in lengths of the head. Pelvis and thorax."""
SUIT_RADIUS = 0.5


@dataclass(frozen=True, slots=True)
class Limb:
    """Joints of a limb on each side, and how it moves.

    Attributes
    ----------
    sides : root, middle and end joint of the right and of the left limb
    radius : half the width, in lengths of the head
    beyond : how far hand or foot reach beyond the last joint, in lengths of the head
    swing, bend : largest turn about the root and about the middle joint, radians
    """

    sides: tuple[tuple[int, int, int], tuple[int, int, int]]
    radius: float
    beyond: float
    swing: float
    bend: float


ARMS = Limb(((12, 11, 10), (13, 14, 15)), 0.22, 0.6, np.pi * 0.75, np.pi / 3)
LEGS = Limb(((2, 1, 0), (3, 4, 5)), 0.3, 0.7, np.pi / 3, np.pi / 6)


@TRANSFORMS.register_module()
class MoveLimbs(BaseTransform):
    """Turns the arms and half the time the legs, dyes the trunk; the box becomes that of the joints where they are now.

    The trunk gets the colour of the legs, as if the diver wore trunks, or any colour, as if it were another suit.

    Comes first in a pipeline: pixels of the frame. Limbs with a joint that is not known stay where they are.

    Parameters
    ----------
    prob : of a picture being changed at all
    together : of both sides being turned alike, as they nearly always are in a dive
    """

    def __init__(self, prob: float = 0.5, together: float = 0.7) -> None:
        self.prob, self.together = prob, together

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if np.random.rand() >= self.prob:
            return results
        joints, known = results["keypoints"][0].copy(), results["keypoints_visible"][0] > 0
        head = float(np.linalg.norm(joints[HEAD[0]] - joints[HEAD[1]]))
        if head < 2 or not known[[*HEAD, *TRUNK]].all():
            return results
        suit = self._suit(results["img"], joints, known, head)
        limbs = (LEGS, ARMS) if np.random.rand() < 0.5 else (ARMS,)  # arms are put back last: in front
        pieces = [piece for limb in limbs for piece in self._turned(limb, joints, known, head)]
        if pieces:
            results["img"] = _moved(results["img"], pieces, suit)
            results["keypoints"] = joints[None]
            every = np.where(known[:, None], joints, np.nan)[None]
            results["bbox"] = box_of_joints(every).astype(np.float32)
        return results

    def _suit(self, image: np.ndarray, joints: np.ndarray, known: np.ndarray, head: float) -> Piece | None:
        """The trunk and its new colour, half the time."""
        if np.random.rand() < 0.5:
            return None
        if np.random.rand() < 0.5:
            colour = np.random.randint(0, 256, 3).astype(np.float32)
        else:
            side = LEGS.sides[np.random.randint(2)]
            if not known[list(side[:2])].all():
                return None
            height, width = image.shape[:2]
            x, y = np.round((joints[side[0]] + joints[side[1]]) / 2).astype(int)
            colour = image[y.clip(1, height - 2) - 1 :, x.clip(1, width - 2) - 1 :][:3, :3].mean((0, 1))
        low, high = joints[TRUNK[0]], joints[TRUNK[1]]
        return Piece(low, high, SUIT_RADIUS * head, np.eye(3), tuple(colour.tolist()))

    def _turned(self, limb: Limb, joints: np.ndarray, known: np.ndarray, head: float) -> list[Piece]:
        """Turn a limb's joints in place; the pieces of the picture to move with them."""
        alike = np.random.rand() < self.together
        first = _angles(limb)
        pieces = []
        for side in limb.sides:
            swing, bend = first if alike else _angles(limb)
            if not known[list(side)].all():
                continue
            root, middle, end = joints[list(side)]
            reach = end + (end - middle) * limb.beyond * head / max(1.0, float(np.linalg.norm(end - middle)))
            upper = _turn(root, swing)
            lower = upper @ _turn(middle, bend)
            pieces += [Piece(root, middle, limb.radius * head, upper), Piece(middle, reach, limb.radius * head, lower)]
            joints[side[1]], joints[side[2]] = _apply(upper, middle), _apply(lower, end)
        return pieces


@dataclass(frozen=True, slots=True)
class Piece:
    """A capsule of the picture from ``a`` to ``b``, pixels; the turn (3, 3) that moves it, or the colour it is dyed."""

    a: np.ndarray
    b: np.ndarray
    radius: float
    turn: np.ndarray
    colour: tuple[float, ...] = ()


def _angles(limb: Limb) -> tuple[float, float]:
    return np.random.uniform(-limb.swing, limb.swing), np.random.uniform(-limb.bend, limb.bend)


def _turn(about: np.ndarray, angle: float) -> np.ndarray:
    """Rotation by ``angle`` radians about a point of the picture: float (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = about
    return np.array([[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0, 0, 1]])


def _apply(turn: np.ndarray, point: np.ndarray) -> np.ndarray:
    return (turn @ (*point, 1.0))[:2]


def _moved(image: np.ndarray, pieces: list[Piece], suit: Piece | None) -> np.ndarray:
    """The picture with its pieces cut out, filled from around them, the trunk dyed, the pieces put back, turned."""
    result = image.copy()
    _fill(result, pieces)
    if suit is not None:
        _dye(result, suit)
    for piece in pieces:
        _put(result, image, piece)
    return result


def _fill(image: np.ndarray, pieces: list[Piece]) -> None:
    """Smear what is around the pieces over them, in place."""
    radius = max(p.radius for p in pieces)
    ends = [(p.a, p.b) for p in pieces]
    window, corner = _window(np.reshape(ends, (-1, 2)), 4 * radius + 3, image)
    part = image[window].astype(np.float32)
    hole = _capsules(ends, radius + 1, corner, part)
    keep = (hole == 0).astype(np.float32)
    taps = (2 * round(1.5 * radius) + 1,) * 2
    smeared = cv2.blur(cv2.blur(part * keep[..., None], taps), taps)
    weight = cv2.blur(cv2.blur(keep, taps), taps)
    _blend(image[window], smeared / weight[..., None].clip(1e-3), cv2.blur(hole, (5, 5)))


def _dye(image: np.ndarray, piece: Piece) -> None:
    """Give a capsule of the picture another colour, in place; light and shade stay."""
    window, corner = _window(np.stack([piece.a, piece.b]), piece.radius + 3, image)
    part = image[window].astype(np.float32)
    mask = _capsules([(piece.a, piece.b)], piece.radius, corner, part)
    light = part.mean(2, keepdims=True)
    usual = light[mask > 0].mean().clip(1) if mask.any() else 1.0
    new = np.array(piece.colour, np.float32) * (light / usual).clip(0.6, 1.5)
    _blend(image[window], new, cv2.blur(mask, (5, 5)))


def _put(image: np.ndarray, whence: np.ndarray, piece: Piece) -> None:
    """Put a piece of ``whence`` where it is turned to, in place."""
    a, b = _apply(piece.turn, piece.a), _apply(piece.turn, piece.b)
    window, corner = _window(np.stack([a, b]), piece.radius + 3, image)
    part = image[window]
    if part.size:
        to_part = np.array([[1.0, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1]])
        turned = cv2.warpAffine(whence, (to_part @ piece.turn)[:2], part.shape[1::-1])
        _blend(part, turned, cv2.blur(_capsules([(a, b)], piece.radius, corner, part), (3, 3)))


def _blend(image: np.ndarray, other: np.ndarray, share: np.ndarray) -> None:
    """Mix ``other`` into a uint8 picture, in place; ``share`` uint8 (height, width), 255 for all of it."""
    mixed = image + (share[..., None] / np.float32(255)) * (other.astype(np.float32) - image)
    image[...] = mixed.clip(0, 255)


def _window(points: np.ndarray, margin: float, image: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray]:
    """The part of a picture with these points and a margin, as far as it reaches, and its top left corner (x, y)."""
    size = np.array(image.shape[1::-1])
    low = np.clip(points.min(0) - margin, 0, size).astype(int)
    high = np.clip(points.max(0) + margin + 1, 0, size).astype(int)
    return (slice(low[1], high[1]), slice(low[0], high[0])), low


def _capsules(
    ends: list[tuple[np.ndarray, np.ndarray]], radius: float, corner: np.ndarray, part: np.ndarray
) -> np.ndarray:
    """Where the capsules between these ends are in a part of the picture: uint8 (height, width), 0 or 255."""
    mask = np.zeros(part.shape[:2], np.uint8)
    for a, b in np.round(np.array(ends) - corner).astype(int).tolist():
        cv2.line(mask, a, b, (255,), max(1, round(2 * radius)))
    return mask
