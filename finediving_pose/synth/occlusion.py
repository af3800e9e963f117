"""Which joints of a drawn diver are hidden: by nearer limbs of their own, or by a diver who is nearer.

Boards hide nobody here: they are drawn behind the divers. Water is another matter, see ``Truth.visible``.
"""

from __future__ import annotations

import cv2
import numpy as np

from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.figure import Figure, Placed

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 13)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 13)[:-1])], -1)

UNMARKED = {6: {"trunk"}, 8: {"trunk", "hair", "face"}, 9: {"hair", "face", "bun"}}
"""Limbs of the joints at which no sphere of the figure sits: pelvis and head's top; and the neck is the head's too."""


def hidden_joints(figure: Figure, placed: Placed, before: tuple[tuple[Figure, Placed], ...] = ()) -> np.ndarray:
    """Bool (16,): joints of a diver that are covered, ``before`` being the divers who are nearer to the camera.

    A limb is covered by the limbs that are drawn after it, the nearer ones, as the picture is drawn.
    """
    shapes, depth = _silhouettes(figure, placed)
    hidden = np.zeros(N_JOINTS, bool)
    others = [shape for nearer in before for limb in _silhouettes(*nearer)[0].values() for shape in limb]
    for joint in range(N_JOINTS):
        own = _own_limbs(figure, joint)
        nearest = min(depth[limb] for limb in own)
        over = [s for limb, parts in shapes.items() if limb not in own and depth[limb] < nearest for s in parts]
        place = tuple(float(v) for v in placed.places[joint])
        hidden[joint] = any(cv2.pointPolygonTest(shape, place, False) > 0 for shape in (*over, *others))
    return hidden


def _own_limbs(figure: Figure, joint: int) -> set[str]:
    names = list(figure.limbs)
    return {names[k] for k in figure.owners[figure.points == joint]} | (UNMARKED.get(joint, set()) & set(names))


def _silhouettes(figure: Figure, placed: Placed) -> tuple[dict[str, list[np.ndarray]], dict[str, float]]:
    """Outlines of every limb's parts, pixels, and how far each limb is."""
    centres = placed.places[figure.points]
    rims = centres[:, None] + (figure.radii * placed.scale)[:, None, None] * _CIRCLE
    shapes = {
        limb: [cv2.convexHull(rims[part].reshape(-1, 2).astype(np.float32)) for _, parts in materials for part in parts]
        for limb, materials in figure.limbs.items()
    }
    means = np.bincount(figure.owners, placed.depths[figure.points]) / np.bincount(figure.owners)
    return shapes, dict(zip(figure.limbs, means.tolist(), strict=True))
