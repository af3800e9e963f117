"""Who does what when in a dive: joint angles as knots in time, where feet or hands are, where stages begin.

Seconds count from the take-off, negative before it; the lengths of clips and of entries are FineDiving's
(``data_manifest/lengths.csv``), everything between take-off and entry is the dive's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_manifest import table
from finediving_pose.lexicon import SUB_ACTIONS, DiveNumber, expected_sub_actions
from finediving_pose.synth import body
from finediving_pose.synth.body import Pose
from finediving_pose.synth.faults import Faults

Knot = tuple[float, Pose]

LONGEST_APPROACH, SHORTEST_APPROACH = 4.0, 0.2
"""Seconds of a clip before the take-off."""


@dataclass(frozen=True, slots=True)
class Approach:
    """What happens on the board: pose knots up to the take-off at 0; support's times, x, z (S, 3) beside the tip."""

    knots: list[Knot]
    support: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in the air: pose knots, stages (sub-action, seconds), and when the body twists."""

    knots: list[Knot]
    stages: list[tuple[int, float]]
    twisting: tuple[float, float]


def approach(dive: DiveNumber, springboard: bool, rng: np.random.Generator) -> Approach:
    """Approach, stance and take-off, four seconds of them."""
    if dive.armstand:
        sway = body.ARMSTAND._replace(hip=float(rng.uniform(0.02, 0.08)))
        knots = [(-5.0, body.ARMSTAND), (-1.2, sway), (-0.35, body.ARMSTAND)]
        kick = body.ARMSTAND._replace(hip=0.25, spine=0.1)
        return Approach([*knots, (0.0, kick)], np.array([[-5.0, -0.10, 0.0], [0.0, -0.10, 0.0]]))
    return _run(springboard, rng) if dive.direction in ("forward", "reverse") else _stance(springboard, rng)


def _run(springboard: bool, rng: np.random.Generator) -> Approach:
    """Steps, hurdle, and the push off both feet."""
    dip, push, high, hang = (0.42, 0.28, 0.36, 0.52) if springboard else (0.0, 0.22, 0.2, 0.36)
    land = -push - (0.24 if springboard else 0.16)
    leap = land - hang
    stride = body.STAND._replace(split=0.32, knee=0.2, hip=0.1).arms(0.1, 0.2, 0.2, 0)
    hurdle = body.STAND._replace(hip=0.5, knee=0.8, toes=1.2).arms(2.6, 0.25, 0.1, 0.0)
    crouch = body.CROUCH.arms(0.3, 0.3, 0.3, 0.1) if springboard else body.CROUCH
    pace, steps = float(rng.uniform(0.42, 0.56)), int(rng.integers(3, 5))
    first = leap - pace * steps
    still = body.STAND.arms(0.0, 0.1, 0.05, 0.0)
    knots: list[Knot] = [(-6.0, still), (first, still)]
    path = [(-6.0, -0.72 - 0.55 * steps, 0.0), (first, -0.72 - 0.55 * steps, 0.0)]
    for k in range(1, steps + 1):
        side = (-1.0) ** k
        knots.append((first + pace * k, stride._replace(split=0.32 * side)))
        path.append((first + pace * k, -0.72 - 0.55 * (steps - k), 0.0))
    knots += [
        (leap + 0.45 * hang, hurdle), (land, body.SWING._replace(hip=0.6, knee=0.6)), (-push, crouch), (0.0, body.JUMP),
    ]  # fmt: skip
    path += [(leap + 0.5 * hang, -0.36, high), (land, -0.07, 0.0), (-push, -0.05, -dip), (0.0, -0.05, 0.0)]
    return Approach(knots, np.array(path))


def _stance(springboard: bool, rng: np.random.Generator) -> Approach:
    """On the toes at the edge, back to the water, arms up, then a swing and the push."""
    dip, push = (0.42, 0.30) if springboard else (0.0, 0.24)
    wait = float(rng.uniform(0.3, 0.9))
    ready = body.READY._replace(toes=0.5)
    low = body.STAND._replace(toes=0.5).arms(0.0, 0.1, 0.05, 0.0)
    swing = -push - 0.18
    knots = [
        (-6.0, low), (swing - 1.0 - wait, low), (swing - 0.4 - wait, ready), (swing - 0.3, ready),
        (swing, body.SWING), (-push, body.CROUCH), (0.0, body.JUMP),
    ]  # fmt: skip
    path = [(-6.0, -0.06, 0.0), (swing - 0.1, -0.06, 0.03), (-push, -0.06, -0.8 * dip), (0.0, -0.05, 0.0)]
    return Approach(knots, np.array(path))


def plan_flight(
    dive: DiveNumber, springboard: bool, jump: Pose, entry: Pose, touch: float, faults: Faults, mirror: bool,
    rng: np.random.Generator,
) -> Plan:  # fmt: skip
    """Positions, come-out and entry between take-off and ``touch`` seconds after it."""
    first, *middle, last = expected_sub_actions(dive)
    lead = 0.40 - 0.03 * dive.half_somersaults - 0.06 * springboard + rng.normal(0, 0.035)
    lead = float(np.clip(lead, 0.04, 0.5)) - faults.late
    opening = min(touch - lead - 0.12, touch - 0.13)
    open_by = min(opening + 0.30, touch - 0.02)
    knots: list[Knot] = [(0.0, jump)]
    stages: list[tuple[int, float]] = [(first, -np.inf)]
    twisting = (0.0, 0.0)
    begin = 0.0
    for action, length in zip(middle, _lengths(dive, middle, opening), strict=True):
        is_twist = "Twist" in SUB_ACTIONS[action]
        held = twist_pose(mirror) if is_twist else position(dive)
        held = spoiled(held, faults, straight=is_twist or dive.position == "straight")
        ease = min(0.26 if begin == 0 else 0.2, 0.6 * length)
        stages.append((action, begin + (0.02 if begin == 0 else 0.4 * ease)))
        if is_twist:
            twisting = (begin, begin + length + 0.2)
            if begin == 0:
                knots.append((0.55 * ease, _swung(held, mirror)))
            knots += [(begin + ease, held), (begin + length, held)]
        elif len(middle) == 1 and (dive.half_somersaults == 1 or dive.flying):
            knots += _late_position(dive, held, length)
        else:
            knots += [(begin + ease, held), (begin + length, held)]
        begin += length
    knots.append((open_by, entry))
    stages.append((last, max(touch - max(lead, 0.02), stages[-1][1] + 0.12)))
    return Plan(knots, stages, twisting)


def _lengths(dive: DiveNumber, middle: list[int], opening: float) -> list[float]:
    """Seconds of the stages between take-off and come-out: as long as the twists need, somersaults the rest.

    Divers twist slower where there are few somersaults; the numbers are the medians of FineDiving's stages.
    """
    halves, few = dive.half_twists, dive.half_somersaults <= 3
    if len(middle) == 3:
        twist = 0.56 if few else 0.12 + 0.128 * halves
    else:
        twist = (0.38 + 0.14 * halves) if few or dive.armstand else 0.19 + 0.15 * halves
    twist = min(twist, 0.82 * opening) if halves else 0.0
    rest = opening - twist
    first = 0.2 if few else 0.8 * rest if dive.half_somersaults > 5 else min(0.48, 0.55 * rest)
    somersaults = {1: [rest], 2: [rest], 3: [first, rest - first]}[len(middle)]
    return [twist if "Twist" in SUB_ACTIONS[a] else somersaults.pop(0) for a in middle]


def _late_position(dive: DiveNumber, held: Pose, length: float) -> list[Knot]:
    """A dive of half a somersault shows its position at the top of the jump, a flying one after a straight line."""
    line = body.SWAN if dive.flying or dive.position == "straight" else body.JUMP
    if dive.flying:
        return [(0.2, line), (0.38 * length, line), (0.38 * length + 0.2, held), (length, held)]
    return [(0.15, line), (0.36 * length, held), (0.5 * length, held), (0.85 * length, body.STRAIGHT)]


def position(dive: DiveNumber) -> Pose:
    """The position that a dive is done in; a free one is piked where it does not twist."""
    return {"straight": body.SWAN, "pike": body.PIKE, "tuck": body.TUCK, "free": body.PIKE}[dive.position]


def twist_pose(mirror: bool) -> Pose:
    """One arm over the head, the other across the body."""
    return body.TWIST.mirrored() if mirror else body.TWIST


def _swung(held: Pose, mirror: bool) -> Pose:
    """One arm stays up, the other is on its way down through the side: that is what tilts the body."""
    up, down = ("left", "right") if mirror else ("right", "left")
    arms = {f"{up}_shoulder": 2.95, f"{up}_abduct": 0.05, f"{up}_elbow": 0.4, f"{up}_across": -0.1}
    arms |= {f"{down}_shoulder": 1.8, f"{down}_abduct": 1.35, f"{down}_elbow": 0.1, f"{down}_across": 0.0}
    return held._replace(**arms)


def spoiled(pose: Pose, faults: Faults, straight: bool) -> Pose:
    """A position in the air with the diver's faults in it."""
    loose, knees, split = (np.radians(v) for v in (faults.loose, faults.knees, faults.split))
    if pose.knee > 1:
        return pose._replace(
            hip=pose.hip - 0.9 * loose, knee=pose.knee - 0.8 * loose, straddle=0.02 + 0.7 * split, split=0.25 * split,
            spine=pose.spine - 0.4 * loose,
        )  # fmt: skip
    if not straight:
        return pose._replace(hip=pose.hip - loose, knee=knees, straddle=0.3 * split, split=0.45 * split)
    return pose._replace(knee=0.8 * knees, straddle=0.3 * split, split=0.6 * split)


def spoiled_entry(pose: Pose, faults: Faults) -> Pose:
    """The entry with the diver's faults in it."""
    crooked, knees, split = (np.radians(v) for v in (faults.crooked, faults.knees, faults.split))
    return pose._replace(
        hip=0.9 * crooked, spine=-0.3 * crooked, knee=0.6 * knees, straddle=pose.straddle + 0.25 * split,
        split=0.35 * split, toes=pose.toes - 0.4 * knees,
    )  # fmt: skip


def under_water(touch: float, entry: Pose) -> list[Knot]:
    """What follows the touch: straight until the feet are in, then the body folds and turns to swim up."""
    folded = entry._replace(hip=0.7, knee=0.5).arms(1.6, 0.7, 0.3, 0.0)
    return [(touch + 0.25, entry), (touch + 0.9, folded), (touch + 6.0, folded)]


def clip_and_entry(dive: DiveNumber, springboard: bool, rng: np.random.Generator) -> tuple[float, float]:
    """Frames of the clip and of its entry, drawn from FineDiving's distributions; long clips have long entries."""
    from scipy.special import ndtr

    a, b = rng.normal(size=2)
    share = ndtr([a, 0.3 * a + np.sqrt(1 - 0.3**2) * b])
    start, height = ("armstand" if dive.armstand else "feet"), ("3" if springboard and not dive.armstand else "10")
    rows = {r["part"]: r for r in table("lengths.csv") if (r["start"], r["height_m"]) == (start, height)}
    marks = [int(k[1:]) / 100 for k in rows["clip"] if k.startswith("p") and k[1:].isdigit()]
    clip, entry = (
        float(np.interp(u, marks, [float(rows[part][f"p{round(100 * m)}"]) for m in marks]))
        for part, u in zip(("clip", "entry"), share, strict=True)
    )
    return clip, entry
