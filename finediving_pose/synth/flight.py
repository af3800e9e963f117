"""How a body turns in the air: its angular momentum about the centre of mass stays as it was at take-off.

The turn is three angles. The body twists about its long axis, that axis is tilted out of the plane of the
somersault, and the plane's normal, the world's y, is the somersault axis along which the momentum L points.
A tilted body twists: the part of L along the long axis has to turn it, and it turns easily about that axis
(Yeadon, The biomechanics of twisting somersaults, 1993). Arms held unlike each other tilt it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth import body


@dataclass(frozen=True, slots=True)
class Turning:
    """Angles (G,) at the times of a grid, radians, and the angular momentum per kilogram, m²/s."""

    somersault: NDArray[np.float64]
    twist: NDArray[np.float64]
    tilt: NDArray[np.float64]
    momentum: float


def turn(
    points: NDArray[np.float64], somersault: NDArray[np.float64], twist: NDArray[np.float64], tilt: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn points (T, P, 3) of a body: twist about its long axis, tilt it, somersault it; angles (T,)."""
    from scipy.spatial.transform import Rotation

    angles = np.stack([twist, tilt, somersault], -1)
    return np.einsum("tij,tpj->tpi", Rotation.from_euler("zxy", angles).as_matrix(), points)


def free_turning(
    points: NDArray[np.float64], grid: NDArray[np.float64], start: float, end: float,
    twists: float, tilted: NDArray[np.float64], facing: float, tilt: NDArray[np.float64],
) -> Turning:  # fmt: skip
    """Angles of a body in free flight that goes from ``start`` to ``end`` in somersault and through ``twists``.

    Parameters
    ----------
    points : (G, N_POINTS, 3) of the body in its own frame, as its joints move
    grid : (G,) seconds, evenly spaced
    twists : radians, with their sign
    tilted : (G,) 0 to 1, when the arms tilt the body for its twist
    facing : turn about the long axis at the start
    tilt : (G,) tilt that has nothing to do with twisting, radians

    How far the body must be tilted follows from the twists, how fast it somersaults from the whole turn.
    """
    step = grid[1] - grid[0]
    x, y, along = body.moments_of_inertia(points).T
    across = (x + y) / 2
    turning = _somersault(points, step, start, end, facing + 0 * grid, tilt)
    twist = 0 * grid
    if twists:
        for _ in range(3):
            ease = tilted * (1 / along - 1 / across)
            share = _integral(ease, step)
            sine = -twists / (turning.momentum * share[-1])
            lean = np.arcsin(np.clip(sine, -0.95, 0.95) * tilted)
            twist = twists * share / share[-1]
            turning = _somersault(points, step, start, end, facing + twist, tilt + lean)
    return Turning(turning.somersault, twist, turning.tilt, turning.momentum)


def _somersault(
    points: np.ndarray, step: float, start: float, end: float, twist: np.ndarray, tilt: np.ndarray
) -> Turning:
    """The somersault that keeps L about y, whatever the limbs do: rate = (L - what the limbs hold) / I."""
    held = body.particles(turn(points, 0 * twist, twist, tilt))
    moved = np.gradient(held, step, axis=0)
    inertia = (np.square(held[..., 0]) + np.square(held[..., 2])) @ body.MASS
    limbs = (held[..., 2] * moved[..., 0] - held[..., 0] * moved[..., 2]) @ body.MASS
    free, taken = _integral(1 / inertia, step), _integral(limbs / inertia, step)
    momentum = (end - start + taken[-1]) / free[-1]
    return Turning(start + momentum * free - taken, twist, tilt, float(momentum))


def _integral(values: np.ndarray, step: float) -> np.ndarray:
    """Running integral (G,) from the first sample."""
    return np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2)]) * step
