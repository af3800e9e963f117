"""Training-time change of a diver's pose: arms and legs are cut out of the picture and put back at other angles.

A dive shows few poses: of 34 frames of one pike none has its arms where the next diver's are. Limbs that are
turned about shoulder, elbow, hip and knee show the network many more. The idea is that of Rogez and Schmid,
"MoCap-guided Data Augmentation for 3D Pose Estimation in the Wild", NeurIPS 2016, done with one picture.
Random numbers come from numpy's global generator, see :mod:`annotate.augment`.
"""

# ruff: noqa: NPY002
from __future__ import annotations

from dataclasses import dataclass, replace
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
        suit = self._suit(results["img"], joints, head)
        limbs = (LEGS, ARMS) if np.random.rand() < 0.5 else (ARMS,)  # arms are put back last: in front
        pieces = [piece for limb in limbs for piece in self._turned(limb, joints, known, head)]
        if pieces:
            results["img"] = _within(results["img"], results["bbox"][0], pieces, suit)
            results["keypoints"] = joints[None]
            every = np.where(known[:, None], joints, np.nan)[None]
            results["bbox"] = box_of_joints(every).astype(np.float32)
        return results

    def _suit(self, image: np.ndarray, joints: np.ndarray, head: float) -> Piece | None:
        """The trunk and its new colour, half the time."""
        if np.random.rand() < 0.5:
            return None
        if np.random.rand() < 0.5:
            colour = np.random.randint(0, 256, 3).astype(np.float32)
        else:
            side = LEGS.sides[np.random.randint(2)]
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


def _within(image: np.ndarray, box: np.ndarray, pieces: list[Piece], suit: Piece | None) -> np.ndarray:
    """The picture with its pieces moved; only what a limb can reach is worked on."""
    height, width = image.shape[:2]
    reach = 0.5 * max(box[2:] - box[:2])
    x1, y1 = np.maximum(box[:2] - reach, 0).astype(int)
    x2, y2 = np.minimum(box[2:] + reach, (width, height)).astype(int)
    to_part = np.array([[1.0, 0, -x1], [0, 1, -y1], [0, 0, 1]])
    back = np.linalg.inv(to_part)
    corner = (x1, y1)
    moved, dyed = (
        [replace(p, a=p.a - corner, b=p.b - corner, turn=to_part @ p.turn @ back) for p in part]
        for part in (pieces, [suit] if suit else [])
    )
    image = image.copy()
    image[y1:y2, x1:x2] = _moved(image[y1:y2, x1:x2], moved, dyed)
    return image


def _moved(image: np.ndarray, pieces: list[Piece], dyed: list[Piece]) -> np.ndarray:
    """The picture with its pieces cut out, filled from around them, some of it dyed, the pieces put back, turned."""
    height, width = image.shape[:2]
    masks = [_capsule(piece, height, width) for piece in pieces]
    result = _filled(image, np.maximum.reduce(masks), max(p.radius for p in pieces))
    for piece in dyed:
        _dye(result, piece)
    for piece, mask in zip(pieces, masks, strict=True):
        soft = cv2.blur(mask, (3, 3))
        alpha = cv2.warpAffine(soft, piece.turn[:2], (width, height))
        where = np.nonzero(alpha)
        turned = cv2.warpAffine(image, piece.turn[:2], (width, height))
        result[where] += (alpha[where][:, None] / 255) * (turned[where] - result[where])
    return result.clip(0, 255).astype(np.uint8)


def _dye(image: np.ndarray, piece: Piece) -> None:
    """Give a capsule of the picture another colour, in place; light and shade stay."""
    soft = cv2.blur(_capsule(piece, *image.shape[:2]), (5, 5))
    at = np.nonzero(soft)
    light = image[at].mean(1, keepdims=True)
    new = np.array(piece.colour, np.float32) * (light / light.mean().clip(1)).clip(0.6, 1.5)
    image[at] += (soft[at][:, None] / 255) * (new - image[at])


def _capsule(piece: Piece, height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    a, b = (tuple(np.round(p).astype(int).tolist()) for p in (piece.a, piece.b))
    cv2.line(mask, a, b, 255, max(1, round(2 * piece.radius)))
    return mask


def _filled(image: np.ndarray, mask: np.ndarray, radius: float) -> np.ndarray:
    """The picture as float32, with what is around the mask smeared into it."""
    hole = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    keep = (hole == 0).astype(np.float32)
    taps = (2 * round(1.5 * radius) + 1,) * 2
    smeared = cv2.blur(cv2.blur(image * keep[..., None], taps), taps)
    weight = cv2.blur(cv2.blur(keep, taps), taps)
    result, soft = image.astype(np.float32), cv2.blur(hole, (5, 5))
    at = np.nonzero(soft)
    result[at] += (soft[at][:, None] / 255) * (smeared[at] / weight[at][:, None].clip(1e-3) - result[at])
    return result
