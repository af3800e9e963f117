"""The faults of a dive that judges take points off for, in degrees, seconds and metres, as far as they are seen.

A fault is measured from the poses (:mod:`finediving_pose.kinematics`), with an error bar, or estimated by a network
that has :meth:`faults`; else it is not to be seen, and the reason stands in its place. Names and what they mean are
those of :mod:`finediving_pose.synth.faults`, by the criteria of World Aquatics (part diving, judging).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from finediving_pose.errors import LexiconError
from finediving_pose.kinematics.error_bars import error_of
from finediving_pose.kinematics.measure import DiverMeasures
from finediving_pose.kinematics.quantities import SEEN
from finediving_pose.kinematics.readings import Reason, Value
from finediving_pose.kinematics.words import in_words
from finediving_pose.lexicon import DiveNumber, parse_dive_number
from finediving_pose.numerals import numeral
from finediving_pose.synth.faults import COST, UNITS, possible

_MEANINGS = {
    "rotation": ("rotation", "trunk from vertical at the entry; below 0 short of it, above 0 beyond it"),
    "knees": ("knees bent", "where they should be straight; 0 is straight"),
    "split": ("legs apart", "between the legs"),
    "loose": ("loose position", "by which tuck or pike stay open"),
    "twist": ("twist", "missing (below 0) or too much at the entry"),
    "distance": ("distance", "beyond a good distance from the board"),
    "late": ("late come-out", "after the right moment"),
    "crooked": ("body bent", "between trunk and legs at the entry; 0 is straight"),
    "splash": ("splash", "largest share of the picture"),
}
"""Words for each fault, and what its number is."""
_ESTIMATED = {"splash": ("of a flop", "beyond the smallest splash")}
"""Unit and what the number is where a network estimates it, if that is something else than what is measured."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a dive.

    Attributes
    ----------
    name : with its unit: ``rotation_deg``, ``late_s``, ``distance_m``, ``splash_share``
    words, unit : as people write them
    value : None where it is not to be seen
    error : its error bar; None where none is known
    source : ``measured`` from the poses, ``estimated`` by the network, empty where not to be seen
    remark : what the number is; without one, why
    frame : number of the frame that shows it; None where none does
    """

    name: str
    words: str
    unit: str
    value: float | None
    error: float | None
    source: Literal["measured", "estimated", ""]
    remark: str
    frame: int | None = None

    @property
    def meaning(self) -> str:
        """The remark; of an estimate, that it is one."""
        estimated = "(estimated by the network)" if self.source == "estimated" else ""
        return " ".join(filter(None, [self.remark, estimated]))

    @property
    def text(self) -> str:
        """``−8 ± 4 °``, or ``not to be seen``."""
        if self.value is None:
            return "not to be seen"
        digits = 0 if self.unit == "°" else 2
        bar = "" if self.error is None else f" ± {self.error:.{digits}f}"
        return f"{numeral(self.value, digits)}{bar} {self.unit}".rstrip()


def find_faults(number: str | None, measures: DiverMeasures, estimates: Mapping[str, float]) -> list[Fault]:
    """Every fault that a dive of this number can have, in the order of :data:`~finediving_pose.synth.faults.COST`; then
    what else the network estimates.

    Parameters
    ----------
    measures : of the diver
    estimates : the network's, by name with its unit; NaN where it can't see them
    """
    try:
        dive = parse_dive_number(number or "")
    except LexiconError:
        dive = None
    stems = possible(dive) if dive else tuple(COST)
    names = [f"{stem}_{UNITS[stem]}" for stem in stems]
    more = [name for name in estimates if name not in names and name.rpartition("_")[0] not in COST]
    return [_fault(name, dive, measures, estimates.get(name, float("nan"))) for name in [*names, *more]]


def _fault(name: str, dive: DiveNumber | None, measures: DiverMeasures, estimate: float) -> Fault:
    stem = name.rpartition("_")[0]
    words, meaning = _MEANINGS.get(stem, (in_words(name)[0], ""))
    unit = in_words(name)[1]
    value, frame = _measured(stem, dive, measures)
    if value.measured:
        error = value.error if np.isfinite(value.error) else None
        return Fault(name, words, unit, value.value, error, "measured", meaning, frame)
    if np.isfinite(estimate):
        unit, meaning = _ESTIMATED.get(stem, (unit, meaning))
        return Fault(name, words, unit, estimate, None, "estimated", meaning)
    return Fault(name, words, unit, None, None, "", _why(stem, value, measures))


def _measured(stem: str, dive: DiveNumber | None, measures: DiverMeasures) -> tuple[Value, int | None]:
    """A fault from the poses, and the frame that shows it; a missing value where poses don't tell it."""
    if stem == "rotation":
        return measures.values["entry_angle_deg"], measures.touch_frame
    if stem == "crooked":
        return measures.values["straightness_deg"], measures.touch_frame
    if stem == "splash":
        return measures.values["splash_share"], None
    if stem == "knees" and dive is not None:
        return _knees(dive, measures)
    return Value.missing(Reason.NO_DIVER), None


def _knees(dive: DiveNumber, measures: DiverMeasures) -> tuple[Value, int | None]:
    """The middle bend of the knees in that part of the flight in which they should be straight.

    From the closed pike, after the come-out of a tuck, from the take-off of other dives; to the touch.
    """
    line, values = measures.line, measures.values
    start = line.take_off
    if dive.position in ("pike", "tuck"):
        begins = values["closure_reached_s" if dive.position == "pike" else "come_out_s"]
        if not begins.measured:
            return Value.missing(begins.reason), None
        start = begins.value
    if start is None or line.touch is None:
        return Value.missing(line.missing), None
    knee = measures.series["knee_deg"]
    inside = (line.axis >= start) & (line.axis <= line.touch)
    seen = inside & knee.measured
    if not inside.any() or seen.sum() < SEEN * inside.sum():
        return Value.missing(Reason.NO_JOINT), None
    middle = float(np.median(knee.values[seen]))
    at = int(np.flatnonzero(seen)[np.abs(knee.values[seen] - middle).argmin()])
    return Value(middle, error_of("knee_deg", line.case(pair=False))), measures.frames[at]


def _why(stem: str, value: Value, measures: DiverMeasures) -> str:
    """Why a fault has no number, with what the poses say of it all the same."""
    closure, come_out, touch = (measures.values[n] for n in ("closure_deg", "come_out_s", "touch_s"))
    if stem == "loose" and closure.measured:
        return f"poses do not tell how far this diver could close; the hips bend by {closure.value:.0f}° at most"
    if stem == "late" and come_out.measured and touch.measured:
        before = touch.value - come_out.value
        return f"poses do not tell the right moment; the hips are half open {before:.2f} s before the touch"
    return _REASONS.get(stem) or value.reason.sentence


_REASONS = {
    "split": "one camera beside the pool does not tell legs apart from legs one before the other",
    "loose": Reason.NO_TUCK_OR_PIKE.sentence,
    "twist": "machine poses do not tell left from right",
    "distance": Reason.CAMERA_MOVES.sentence,
    "late": Reason.NO_COME_OUT.sentence,
}
