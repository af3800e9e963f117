"""Which joints of a drawn diver are hidden: by nearer parts of the own body, by a nearer diver, a board, the splash.

A joint lies within the body, so skin is always before it. It is hidden where that skin is another limb's, or its own
limb's but much nearer, as of a hip on the far side. Water is another matter, see ``Truth.visible``.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.anatomy import LIMBS
from finediving_pose.synth.camera import HEIGHT, WIDTH
from finediving_pose.synth.figure import Figure, Placed, faces_to_draw

_LEGS, _ARMS = {"right": (0, 1, 2), "left": (5, 4, 3)}, {"right": (10, 11, 12), "left": (15, 14, 13)}

OWN: dict[int, set[str]] = {
    **{j: {f"{side} leg"} for side, joints in _LEGS.items() for j in joints},
    **{j: {f"{side} arm"} for side, joints in _ARMS.items() for j in joints},
    2: {"right leg", "trunk"}, 3: {"left leg", "trunk"}, 12: {"right arm", "trunk"}, 13: {"left arm", "trunk"},
    6: {"trunk", "right leg", "left leg"}, 7: {"trunk"}, 8: {"trunk", "head"}, 9: {"head"},
}  # fmt: skip
"""Limbs whose skin before a joint does not hide it."""

MIDDLE = {6, 7, 8, 9}
"""Joints in the middle of the body: deep under skin from the side, and not hidden for that."""

NEARER = 0.085
"""Statures by which a joint's own skin may be nearer than the joint."""

_OTHER = 65535


def hidden_joints(
    figure: Figure,
    placed: Placed,
    before: tuple[tuple[Figure, Placed], ...] = (),
    cover: NDArray[np.uint8] | None = None,
) -> NDArray[np.bool_]:
    """Bool (16,): joints of a diver that are covered; False outside the picture.

    ``before`` are the divers who are nearer to the camera, ``cover`` uint8 (H, W) how opaque is what lies over the
    divers: boards, splashes.
    """
    faces = np.zeros((HEIGHT, WIDTH), np.uint16)
    for face, shape in _shapes(figure, placed):
        cv2.fillConvexPoly(faces, shape, face + 1, cv2.LINE_8, 4)
    for nearer in before:
        for _, shape in _shapes(*nearer):
            cv2.fillConvexPoly(faces, shape, _OTHER, cv2.LINE_8, 4)
    hidden = np.zeros(N_JOINTS, bool)
    for joint, (x, y) in enumerate(np.round(placed.places[:N_JOINTS]).astype(int).tolist()):
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            veiled = cover is not None and cover[y, x] > 127
            hidden[joint] = veiled or _covered(figure, placed, joint, int(faces[y, x]))
    return hidden


def _covered(figure: Figure, placed: Placed, joint: int, face: int) -> bool:
    """Whether a joint is hidden by the face (numbered from 1; 0 is none) that is seen where it is."""
    if face in (0, _OTHER):
        return face == _OTHER
    if LIMBS[figure.limb[face - 1]] not in OWN[joint]:
        return True
    nearer = placed.depths[joint] - placed.distance[figure.corners[face - 1]].mean()
    return joint not in MIDDLE and bool(nearer > NEARER * figure.stature)


def _shapes(figure: Figure, placed: Placed) -> list[tuple[int, np.ndarray]]:
    """Faces to the camera, far ones first: index and outline, pixels with 4 fractional bits."""
    faces = faces_to_draw(figure, placed)
    shapes = np.round(placed.pixels[figure.corners[faces]] * 16).astype(np.int32)
    return list(zip(faces.tolist(), shapes, strict=True))
