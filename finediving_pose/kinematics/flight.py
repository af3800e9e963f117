"""How high a diver jumps, by how long the flight lasts: a body in free fall."""

from __future__ import annotations

import numpy as np

GRAVITY = 9.81

HIGHEST, HIGHEST_RISE = 10.0, 2.0
"""Metres: no platform is higher, no diver rises further above one."""

SPRINGBOARDS = 3.0
"""Metres: no springboard is higher."""

HIGHEST_FROM_SPRINGBOARD, HIGHEST_FROM_PLATFORM = 1.6, 1.2
"""Metres that a diver rises at most."""

SELDOM_FROM_SPRINGBOARD, SELDOM_FROM_PLATFORM = 1.4, 0.9
"""Metres that few divers rise."""


def launch_speed(flight_time: float, height: float) -> float:
    """Upward speed at take-off, m/s, of a flight of ``flight_time`` seconds from ``height`` metres: gT/2 - H/T.

    The centre of mass is taken to fall by the platform's height between take-off and touch. It stands above the feet
    at take-off about as far as above the hands (or feet) at touch: in synthetic dives the jump height comes out 0.03 m
    too large by that.
    """
    return GRAVITY * flight_time / 2 - height / flight_time


def jump_height(flight_time: float, height: float) -> float:
    """How far the centre of mass rises after take-off, metres: v0²/2g; 0 where it does not rise."""
    return max(launch_speed(flight_time, height), 0.0) ** 2 / (2 * GRAVITY)


def highest_jump(height: float) -> float:
    """Metres above which a jump is not believed: the height, the take-off or the touch must be wrong.

    The bounds are ours: 1.6 from 1 or 3 metres, where there are springboards (a flight of 1.53 s from 3 m), 1.2 from
    platforms.
    """
    return HIGHEST_FROM_SPRINGBOARD if height <= SPRINGBOARDS else HIGHEST_FROM_PLATFORM


def seldom_jump(height: float) -> float:
    """Metres above which a jump is unusual: a wrong height may have made it."""
    return SELDOM_FROM_SPRINGBOARD if height <= SPRINGBOARDS else SELDOM_FROM_PLATFORM


def jump_height_error(flight_time: float, height: float, flight_time_error: float) -> float:
    """What an error of the flight time, seconds, makes of the jump height, metres: the larger of both directions."""
    here = jump_height(flight_time, height)
    ends = (flight_time - flight_time_error, flight_time + flight_time_error)
    return max(abs(jump_height(t, height) - here) for t in ends if t > 0)


def speed_at_touch(height: float, rise: float) -> float:
    """Speed of the centre of mass at touch, m/s, after a rise above the platform of ``rise`` metres."""
    return float(np.sqrt(2 * GRAVITY * (height + rise)))


def longest_flight(height: float, rise: float) -> float:
    """Seconds from take-off to touch of a body that rises by ``rise`` metres and then falls to the water."""
    return float(np.sqrt(2 * rise / GRAVITY) + np.sqrt(2 * (height + rise) / GRAVITY))
