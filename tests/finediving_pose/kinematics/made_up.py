"""Stick figures of known angles, and dives of which everything is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from finediving_pose.kinematics.diver import Diver, diver_of_arrays
from finediving_pose.kinematics.flight import GRAVITY
from finediving_pose.kinematics.height import centre_of_mass
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.skeleton import INDEX, N_JOINTS

SIZE = 60.0
"""Pixels a metre."""


def _along(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors (n, 2) in the picture, ``angle`` degrees anticlockwise from up."""
    a = np.radians(angle)
    return np.stack([-np.sin(a), -np.cos(a)], -1)


def stick_figure(
    trunk: ArrayLike, hip: ArrayLike = 0.0, knee: ArrayLike = 0.0, shoulder: ArrayLike = 180.0, elbow: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Joints (n, 16, 2), pixels, of a flat figure with the pelvis at the origin; both limbs of a pair are one.

    ``trunk`` is its angle anticlockwise from upright; the figure faces left and moves its limbs to the front.
    """
    trunk, hip, knee, shoulder, elbow = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, float)) for a in
                                                              (trunk, hip, knee, shoulder, elbow)))  # fmt: skip
    up = _along(trunk)
    thigh = _along(trunk + 180 - hip)
    shank = _along(trunk + 180 - hip + knee)
    arm = _along(trunk + 180 - shoulder)
    forearm = _along(trunk + 180 - shoulder - elbow)
    at: dict[str, NDArray[np.float64]] = {"pelvis": 0 * up, "thorax": 0.50 * up, "upper_neck": 0.58 * up}
    at["head_top"] = 0.80 * up
    for side in ("right", "left"):
        at[f"{side}_hip"], at[f"{side}_shoulder"] = 0 * up, 0.50 * up
        at[f"{side}_knee"] = 0.41 * thigh
        at[f"{side}_ankle"] = at[f"{side}_knee"] + 0.41 * shank
        at[f"{side}_elbow"] = at[f"{side}_shoulder"] + 0.30 * arm
        at[f"{side}_wrist"] = at[f"{side}_elbow"] + 0.25 * forearm
    points = np.zeros((len(trunk), N_JOINTS, 2))
    for name, place in at.items():
        points[:, INDEX[name]] = SIZE * place
    return points


class MadeUpDive:
    """A dive of 2 1/2 back somersaults from a platform before a camera that stands still, facing left.

    The diver stands for half a second, flies as gravity has it, piked in the middle, and is gone half a second after
    the touch. ``fps`` frames a second. ``upside_down`` is how an estimator may have it throughout, by half of it on
    the side.
    """

    def __init__(
        self, fps: float = 50.0, platform: float = 10.0, rise: float = 0.5, halves: float = 5, upside_down: float = 0
    ) -> None:
        speed = np.sqrt(2 * GRAVITY * rise)
        self.take_off = 0.5
        self.flight = float((speed + np.sqrt(speed**2 + 2 * GRAVITY * platform)) / GRAVITY)
        self.touch = self.take_off + self.flight
        self.platform, self.rise = platform, rise
        n = round((self.touch + 0.8) * fps)
        self.times = np.arange(n) / fps
        share = np.clip((self.times - self.take_off) / self.flight, 0, 1)
        self.trunk = -180.0 * halves * share + 180.0 * upside_down
        self.opens = self.take_off + 0.8 * self.flight
        self.hip = 130 * np.interp(share, [0, 0.15, 0.25, 0.75, 0.85, 1], [0, 0, 1, 1, 0, 0])
        points = stick_figure(self.trunk, self.hip)
        air = np.maximum(self.times - self.take_off, 0)
        up = platform + speed * air - GRAVITY / 2 * air**2
        centre = np.stack([300 + 40 * air, 700 - SIZE * up], -1)
        own = centre_of_mass(diver_of_arrays(points))[0]
        self.points = points + (centre - own)[:, None]
        self.confidence = np.full((n, N_JOINTS), 0.9)
        deep = np.clip((self.times - self.touch) / 0.25, 0, 1)  # joints go under one after the other
        order = np.argsort(np.argsort(-self.points[..., 1], axis=1, kind="stable"), axis=1) / N_JOINTS
        self.confidence[order < deep[:, None]] = 0.05

    def diver(self, **changed: Any) -> Diver:
        """The dive as a diver; ``changed`` are arguments of ``diver_of_arrays``."""
        return diver_of_arrays(**{"keypoints": self.points, "confidence": self.confidence, **changed})


def poses_of(dive: MadeUpDive, start: int = 0, person: int = 0, source: int = JointSource.AUTOMATIC) -> ClipPoses:
    """The dive as rows of a pose table; frames in which nothing is sure have none."""
    seen = np.flatnonzero((dive.confidence > 0.5).any(1))
    shape = (len(seen), N_JOINTS)
    return ClipPoses(
        frame=seen + start, person=np.full(len(seen), person), box=np.zeros((len(seen), 4)),
        keypoints=dive.points[seen], visibility=np.full(shape, Visibility.VISIBLE), confidence=dive.confidence[seen],
        source=np.full(shape, source), author=["made up"] * len(seen), time=["2026-01-01T00:00:00+00:00"] * len(seen),
    )  # fmt: skip
