"""Metres from a camera that stands still: a body in free fall is its own scale.

In flight the centre of mass falls with 9.81 m/s². Where its path in the picture is a parabola whose acceleration fits
the size of the body, the camera stands still and the acceleration says how many pixels a metre has. Broadcast
cameras turn after the diver: the path is no such parabola, and nothing is said in metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.flight import GRAVITY
from finediving_pose.kinematics.readings import Reason, Series
from finediving_pose.skeleton import INDEX

SEGMENTS: tuple[tuple[str, str, float], ...] = (
    ("upper_neck", "head_top", 0.081), ("pelvis", "thorax", 0.497),
    ("right_shoulder", "right_elbow", 0.028), ("left_shoulder", "left_elbow", 0.028),
    ("right_elbow", "right_wrist", 0.022), ("left_elbow", "left_wrist", 0.022),
    ("right_hip", "right_knee", 0.100), ("left_hip", "left_knee", 0.100),
    ("right_knee", "right_ankle", 0.061), ("left_knee", "left_ankle", 0.061),
)  # fmt: skip
"""Ends of a segment and its share of the body's mass (Dempster, as tabled in Winter, Biomechanics and Motor Control of
Human Movement); hands go with the forearms, feet with the shanks, and a segment's mass is at its middle."""

BODY = 0.95
"""Of a person's height, from the ankles over hips and neck to the top of the head (Drillis and Contini)."""

SMALLEST, LARGEST = 1.35, 1.95
"""Metres that a diver is tall, with some room for a view that is not quite from the side."""

ROUGHEST = 0.05
"""Root mean square distance of the centre of mass from its parabola, in body heights, up to which it is one."""

STANDING, TOUCHING = 0.68, 0.62
"""Of a diver's height: from the platform to the centre of mass at take-off, arms up and on the toes, and from the
water to it at the touch, stretched; as synthetic divers have it (0.64 at the take-off from an armstand)."""

UNLIKE = 0.12
"""Share by which the scale of the platform's height and that of the fall may differ."""

OUTLIER = 0.02
"""Distance from the parabola, in body heights, at which a frame's weight is halved."""

_ITERATIONS = 6

FEWEST = 6
"""Frames of a flight that a parabola is fitted to."""


@dataclass(frozen=True, slots=True)
class Fall:
    """The path of the centre of mass in flight before a camera that stands still.

    Attributes
    ----------
    scale : pixels a metre
    tall : height of the diver that this scale makes, metres; what a test of the scale is
    roughness : root mean square distance from the parabola, in body heights
    path : coefficients of the picture's y over time, highest power first
    """

    scale: float
    tall: float
    roughness: float
    path: NDArray[np.float64]


def centre_of_mass(diver: Diver) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Centre of mass (n, 2), pixels, and why there is none (n,)."""
    total = sum(m * diver.points(INDEX[a], INDEX[b]) for a, b, m in SEGMENTS)
    joints = sorted({INDEX[name] for a, b, _ in SEGMENTS for name in (a, b)})
    return np.asarray(total) / sum(m for *_, m in SEGMENTS), diver.reason_of(joints)


def body_length(diver: Diver, frames: NDArray[np.bool_]) -> float:
    """Pixels from the ankles over knees, pelvis, thorax and neck to the top of the head: median of ``frames`` (n,).

    NaN where no frame has all of them.
    """
    names = [("right_ankle", "left_ankle"), ("right_knee", "left_knee"), ("pelvis",), ("thorax",), ("upper_neck",)]
    chain = [tuple(INDEX[n] for n in joints) for joints in (*names, ("head_top",))]
    points = np.stack([diver.points(*joints) for joints in chain])  # (6, n, 2)
    usable = frames & (diver.reason_of([j for joints in chain for j in joints]) == Reason.MEASURED)
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=-1).sum(0)[usable]
    return float(np.median(lengths)) if len(lengths) else float("nan")


def fall(diver: Diver, times: NDArray[np.float64], take_off: float, touch: float) -> Fall | None:
    """The fall between take-off and touch, seconds; None where the camera moves, or too little is seen."""
    centre, reason = centre_of_mass(diver)
    flight = (reason == Reason.MEASURED) & (times >= take_off) & (times <= touch)
    length = body_length(diver, (times >= take_off) & (times <= touch))
    if flight.sum() < FEWEST or not length > 0:
        return None
    time = times[flight] - take_off
    tall = length / BODY
    down, across = (_robust_fit(time, centre[flight, axis], degree, tall) for axis, degree in ((1, 2), (0, 1)))
    scale = 2 * float(down[0]) / GRAVITY
    if scale <= 0:
        return None
    off = np.stack([centre[flight, 0] - np.polyval(across, time), centre[flight, 1] - np.polyval(down, time)])
    found = Fall(scale, tall / scale, float(np.sqrt(np.square(off).sum(0).mean())) / tall, down)
    return found if SMALLEST <= found.tall <= LARGEST and found.roughness <= ROUGHEST else None


def _robust_fit(
    time: NDArray[np.float64], values: NDArray[np.float64], degree: int, tall: float
) -> NDArray[np.float64]:
    """Coefficients of a polynomial, highest power first; what it disagrees with weighs less (Cauchy weights)."""
    weight = np.ones(len(time))
    path = np.zeros(degree + 1)
    for _ in range(_ITERATIONS):
        path = np.polyfit(time, values, degree, w=np.sqrt(weight))
        weight = 1 / (1 + np.square((values - np.polyval(path, time)) / (OUTLIER * tall)))
    return path


def height_above_water(diver: Diver, falling: Fall, flight_time: float, platform: float) -> Series | None:
    """Height (n,) of the centre of mass above the water, metres, in every frame that shows it.

    The centre of mass is :data:`STANDING` of the diver's height above the platform at take-off and :data:`TOUCHING`
    of it above the water at the touch; in between and around, pixels are metres by these two. None where that scale
    and the one of the fall differ by more than :data:`UNLIKE`: the platform is of another height, or the camera moves.

    Parameters
    ----------
    flight_time : seconds from take-off to touch
    platform : its height, metres
    """
    start, end = (float(np.polyval(falling.path, t)) for t in (0.0, flight_time))
    top, low = platform + STANDING * falling.tall, TOUCHING * falling.tall
    scale = (end - start) / (top - low)
    if abs(scale / falling.scale - 1) > UNLIKE:
        return None
    centre, reason = centre_of_mass(diver)
    return Series(low + (end - centre[:, 1]) / scale, reason)
