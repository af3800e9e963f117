"""A dive's frames in time, and the two moments between which the diver flies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics import flight, moments, spin
from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.entry import find_ending
from finediving_pose.kinematics.error_bars import Case
from finediving_pose.kinematics.readings import Reason

USUAL_RATE = 25.0
"""Frames a second that are taken for how far windows reach where the frame rate is not known; no number in seconds
comes of it."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The frames in time, and the two moments between which a diver flies.

    Attributes
    ----------
    axis : float64 (n,), seconds of the frames
    known : whether those are the frames' own, not made up of :data:`USUAL_RATE`
    take_off, touch : seconds, None where not known
    no_touch, no_take_off : why there is none; MEASURED where there is one
    take_off_from : ``stages``, ``spin``, or empty: what the take-off was read from
    until : how long the flight is seen: to the touch, the edge of the picture, or the last frame of a clip that ends in
        the air; None where none of them is known
    start : the take-off; where it is not known, the earliest one that could lead to this touch; None without a touch
    """

    axis: NDArray[np.float64]
    known: bool
    take_off: float | None
    touch: float | None
    no_touch: Reason
    no_take_off: Reason
    take_off_from: str
    until: float | None
    start: float | None

    @property
    def times(self) -> NDArray[np.float64] | None:
        """The axis, where its seconds are known."""
        return self.axis if self.known else None

    @property
    def frame(self) -> float:
        """Seconds between two frames."""
        return float(np.median(np.diff(self.axis))) if len(self.axis) > 1 else 1 / USUAL_RATE

    def case(self, pair: bool) -> Case:
        """Which error bars hold: those of take-offs by the spin, or of one diver, or of two, with labelled stages."""
        if self.take_off_from == "spin":
            return "unlabelled"
        return "two" if pair else "one"

    @property
    def missing(self) -> Reason:
        """Which moment of the flight is missing; MEASURED where both are known."""
        return self.no_touch if self.touch is None else self.no_take_off

    @property
    def unseen(self) -> Reason:
        """Why no flight is seen, be it to the touch or not; MEASURED where one is."""
        return self.no_touch if self.until is None else self.no_take_off

    @property
    def in_flight(self) -> NDArray[np.bool_]:
        """(n,) frames from the take-off on for as long as the flight is seen; none where that is not known."""
        if self.take_off is None or self.until is None:
            return np.zeros(len(self.axis), bool)
        return (self.axis >= self.take_off) & (self.axis <= self.until)


def timeline(
    diver: Diver, times: NDArray[np.float64] | None, stage_starts: tuple[int, ...], platform: float | None
) -> Timeline:
    """Find the touch by the poses, and the take-off by the stages where they are labelled, else by the spin.

    A clip may end in the air; its take-off is found all the same.
    """
    axis = np.arange(len(diver)) / USUAL_RATE if times is None else times
    known = times is not None
    take_off, source = moments.labelled_take_off(stage_starts, axis), "stages"
    ending = find_ending(diver, axis, platform, take_off if known else None)
    touch = ending.touch.value if ending.touch.measured else None
    if take_off is None:
        if ending.until is not None and known:
            take_off = spin.take_off_of_spin(diver, axis, ending.until, platform, touched=touch is not None)
        source = "" if take_off is None else "spin"
    no_take_off = Reason.MEASURED
    if take_off is None:
        in_flight = known and ending.until is not None and spin.begins_in_flight(diver, axis, ending.until)
        no_take_off = Reason.TAKE_OFF_NOT_FILMED if in_flight else Reason.NO_TAKE_OFF
    start = take_off
    if take_off is None and touch is not None:
        start = touch - flight.longest_flight(platform or flight.HIGHEST, flight.HIGHEST_RISE)
    return Timeline(axis, known, take_off, touch, ending.touch.reason, no_take_off, source, ending.until, start)
