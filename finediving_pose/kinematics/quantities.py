"""The quantities of a dive by name: one series each over the frames, one value each for the dive."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from finediving_pose.errors import LexiconError
from finediving_pose.kinematics import angles, flight, height, moments, pairs, posture, rotation
from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.error_bars import Case, error_of
from finediving_pose.kinematics.readings import Reason, Series, Value
from finediving_pose.kinematics.timeline import Timeline
from finediving_pose.lexicon import DiveNumber, parse_dive_number

SIDES = tuple((side, joint) for side in ("right", "left") for joint in angles.CHAINS)

FRAME_QUANTITIES = (
    "trunk_deg", "somersault_rate_deg_s", *(f"{joint}_deg" for joint in angles.CHAINS),
    *(f"{side}_{joint}_deg" for side, joint in SIDES), "height_m",
)  # fmt: skip
"""What is measured in every frame; a name ends with its unit."""

DIVE_QUANTITIES = (
    "take_off_s", "touch_s", "flight_time_s", "jump_height_m", "half_somersaults", "peak_rate_deg_s", "closure_deg",
    "closure_reached_s", "come_out_s", "entry_angle_deg", "straightness_deg", "splash_share",
)  # fmt: skip
"""What is measured of every dive."""

PAIR_QUANTITIES = ("lag_s", "trunk_difference_deg", "hip_difference_deg", "knee_difference_deg")
"""What is measured of two synchronised divers beside that."""

SEEN = 0.5
"""Share of a flight's frames that must be measured before something is said of all of them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a dive beside its poses; anything may be missing.

    Attributes
    ----------
    dive_number : such as ``5253b``
    height : of the platform or board, metres
    stage_starts : first frame of every stage after the first, counted from the clip's first frame
    pair : whether two divers dive at once
    """

    dive_number: str | None = None
    height: float | None = None
    stage_starts: tuple[int, ...] = ()
    pair: bool = False

    @property
    def dive(self) -> DiveNumber | None:
        """What the dive number says; None for one that is none."""
        try:
            return parse_dive_number(self.dive_number) if self.dive_number else None
        except LexiconError:
            return None


def frame_series(diver: Diver, line: Timeline, platform: float | None) -> dict[str, Series]:
    """Every one of :data:`FRAME_QUANTITIES`."""
    trunk = rotation.unwrap(angles.trunk_angle(diver), line.times)
    series = {"trunk_deg": trunk, "somersault_rate_deg_s": rotation.rate(trunk, line.times)}
    series |= {f"{joint}_deg": angles.pair_angle(diver, joint) for joint in angles.CHAINS}
    series |= {f"{side}_{joint}_deg": angles.side_angle(diver, joint, side == "right") for side, joint in SIDES}
    return series | {"height_m": _heights(diver, line, platform)}


def _heights(diver: Diver, line: Timeline, platform: float | None) -> Series:
    n = len(diver)
    if not line.known:
        return Series.missing(n, Reason.TIMES_UNKNOWN)
    if platform is None:
        return Series.missing(n, Reason.HEIGHT_UNKNOWN)
    if line.take_off is None or line.touch is None:
        return Series.missing(n, line.missing)
    falling = height.fall(diver, line.axis, line.take_off, line.touch)
    found = falling and height.height_above_water(diver, falling, line.touch - line.take_off, platform)
    return found or Series.missing(n, Reason.CAMERA_MOVES)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Values of a dive as they are found, each with the error bar of its case."""

    case: Case
    known: bool
    values: dict[str, Value]

    def enter(self, name: str, number: float | None, reason: Reason, least: float = 0.0, more: float = 0.0) -> float:
        """Enter a number, or the reason why there is none; gives its error bar: ``least`` or more, widened by ``more``,
        an independent error.

        What is in seconds is not entered where the times of the frames are not known.
        """
        if not self.known and name.endswith("_s"):
            self.values[name] = Value.missing(Reason.TIMES_UNKNOWN)
        elif number is None or not np.isfinite(number):
            self.values[name] = Value.missing(reason)
        else:
            # NaN where no error is known
            self.values[name] = Value(
                float(number), float(np.hypot(np.maximum(error_of(name, self.case), least), more))
            )
        return self.values[name].error


def dive_values(diver: Diver, line: Timeline, series: dict[str, Series], facts: Facts) -> dict[str, Value]:
    """Every one of :data:`DIVE_QUANTITIES` but the splash, which poses do not show."""
    if (diver.reason == Reason.NO_POSE).all():
        return {name: Value.missing(Reason.NO_DIVER) for name in DIVE_QUANTITIES}
    sheet = _Sheet(
        line.case(facts.pair),
        line.known,
        {name: Value.missing(line.no_touch or Reason.NO_TOUCH) for name in DIVE_QUANTITIES},
    )
    sheet.values["splash_share"] = Value.missing(Reason.NO_SPLASH_MASK)
    sheet.enter("take_off_s", line.take_off, line.no_take_off, line.frame / 2)
    sheet.enter("touch_s", line.touch, line.no_touch, line.frame / 2)
    _enter_jump(sheet, line, facts.height)
    _enter_turns(sheet, line, series, facts.dive)
    if line.start is not None and line.until is not None:
        _enter_position(sheet, line, series["hip_deg"], line.until)
    if line.touch is not None:
        _enter_entry(sheet, line, diver, line.touch)
    return sheet.values


def _enter_jump(sheet: _Sheet, line: Timeline, platform: float | None) -> None:
    lasts = None if line.take_off is None or line.touch is None else line.touch - line.take_off
    bar = sheet.enter("flight_time_s", lasts, line.missing, line.frame)
    if not line.known or lasts is None or platform is None:
        unknown = Reason.TIMES_UNKNOWN if not line.known else line.missing or Reason.HEIGHT_UNKNOWN
        sheet.values["jump_height_m"] = Value.missing(unknown)
        return
    least = flight.jump_height_error(lasts, platform, bar) if np.isfinite(bar) else 0.0
    jump = flight.jump_height(lasts, platform)
    believed = jump if jump <= flight.highest_jump(platform) else None
    sheet.enter("jump_height_m", believed, Reason.JUMP_TOO_HIGH, least)


def _enter_turns(sheet: _Sheet, line: Timeline, series: dict[str, Series], dive: DiveNumber | None) -> None:
    rates = np.abs(series["somersault_rate_deg_s"].values[line.in_flight])
    seen = np.isfinite(rates).sum() >= SEEN * max(len(rates), 1)
    peak = float(np.nanmax(rates)) if seen else None
    sheet.enter("peak_rate_deg_s", peak, line.unseen or Reason.GAP)
    start, end = trunk_ends(series["trunk_deg"], line)
    followed = bool(np.isfinite(end - start))
    right = followed and (dive is None or posture.is_head_first(start) == dive.armstand)
    halves = rotation.half_turns(end - start) if right else None
    sheet.enter("half_somersaults", halves, line.missing or (Reason.WRONG_TRUNK if followed else Reason.GAP))
    if followed and rotation.half_turns(end - start) is None:
        _take_back_flight(sheet, line)


def _take_back_flight(sheet: _Sheet, line: Timeline) -> None:
    """Take back what needs both moments, one of which is probably wrong, and the take-off where the spin tells it."""
    if sheet.values["jump_height_m"].reason == Reason.JUMP_TOO_HIGH:
        return  # the height is probably wrong: all is measured again without it
    names = ("flight_time_s", "jump_height_m", *(("take_off_s",) if line.take_off_from == "spin" else ()))
    for name in names:
        if sheet.values[name].measured:
            sheet.values[name] = Value.missing(Reason.WRONG_TRUNK)


def _enter_position(sheet: _Sheet, line: Timeline, hip: Series, until: float) -> None:
    flying = (line.axis >= (line.start or 0.0)) & (line.axis <= until)
    seen = hip.measured[flying].sum() >= SEEN * flying.sum()
    closed = moments.closure(hip, line.axis, line.start or 0.0, until) if seen else None
    if closed is None:
        for name in ("closure_deg", "closure_reached_s", "come_out_s"):
            sheet.enter(name, None, Reason.NO_TUCK_OR_PIKE if seen else hip.why(flying, Reason.NO_TUCK_OR_PIKE))
        return
    sheet.enter("closure_deg", closed[0], Reason.NO_JOINT)
    before = line.axis < closed[1]
    closing = (before & hip.measured & (hip.values < closed[0] - moments.REACHED)).any()
    sheet.enter(
        "closure_reached_s",
        closed[1] if closing else None,
        hip.why(before, Reason.TAKE_OFF_NOT_FILMED),
        line.frame / 2,
    )
    opened = moments.come_out(hip, line.axis, closed, until)
    sheet.enter("come_out_s", opened, Reason.NO_COME_OUT, line.frame / 2)


def _enter_entry(sheet: _Sheet, line: Timeline, diver: Diver, touch: float) -> None:
    off = float(np.maximum(error_of("touch_s", sheet.case), line.frame / 2))
    around = touch, touch - off, touch + off
    leaned, bent = (np.array(part) for part in zip(*(_entry_at(diver, line, m) for m in around), strict=True))
    near = posture.near(line.axis, touch)
    why = [part(diver).why(near, Reason.GAP) for part in (angles.trunk_angle, angles.body_bend)]
    sheet.enter("entry_angle_deg", leaned[0], why[0], more=_largest_change(leaned, 180.0))
    sheet.enter("straightness_deg", bent[0], why[1], more=_largest_change(bent))


def _entry_at(diver: Diver, line: Timeline, moment: float) -> tuple[float, float]:
    """Entry angle and straightness, degrees, were the touch at this moment; NaN where not seen."""
    at_touch, turning = trunk_at_entry(diver, replace(line, touch=moment))
    leaned = posture.from_vertical(at_touch, turning) if np.isfinite(turning) else float("nan")
    return leaned, posture.straightness(diver, line.axis, moment)


def _largest_change(values: NDArray[np.float64], period: float = np.inf) -> float:
    """From the first value to any of the others; 0 where none of those is known."""
    apart = np.abs(values[1:] - values[0])
    apart = np.minimum(apart, period - apart)
    return float(np.nanmax(apart, initial=0.0))


def trunk_at_entry(diver: Diver, line: Timeline) -> tuple[float, float]:
    """Angle of the trunk at the touch, 0 upright, and by how much it turned just before, degrees; NaN where not seen.

    Only the last frames are followed: whether the rotation before was makes no difference.
    """
    if line.touch is None:
        return float("nan"), float("nan")
    late = (line.axis >= line.touch - posture.TURNING) & (line.axis <= line.touch + posture.AFTER)
    trunk = rotation.unwrap(angles.trunk_angle(diver).where(late, Reason.NO_POSE), line.times)
    at_touch = rotation.value_at(trunk, line.axis, line.touch, posture.BEFORE, posture.AFTER)
    return at_touch, posture.turning(trunk, line.axis, line.touch)


COUNTED_AROUND = (0.08, 0.2)
"""Seconds around take-off and touch in which a trunk is looked for to count half somersaults: the nearer ones first."""


def trunk_ends(trunk: Series, line: Timeline) -> tuple[float, float]:
    """Unwrapped angles of the trunk at take-off and touch, degrees; NaN where that is not seen.

    Where no frames near the moments show the trunk, it is read from farther ones: good enough for a count.
    """
    start, end = (
        next((v for v in _values_at(trunk, line, moment) if np.isfinite(v)), float("nan"))
        for moment in (line.take_off, line.touch)
    )
    return start, end


def _values_at(trunk: Series, line: Timeline, moment: float | None) -> list[float]:
    if moment is None:
        return []
    return [rotation.value_at(trunk, line.axis, moment, reach, reach) for reach in COUNTED_AROUND]


def pair_values(
    series: tuple[dict[str, Series], dict[str, Series]], lines: tuple[Timeline, Timeline]
) -> dict[str, Value]:
    """Every one of :data:`PAIR_QUANTITIES`, over the frames in which both divers fly."""
    known = lines[0].known
    if missing := lines[0].unseen or lines[1].unseen:
        return {name: Value.missing(missing) for name in PAIR_QUANTITIES}
    together = lines[0].in_flight & lines[1].in_flight
    trunks = [one["trunk_deg"].where(together, Reason.NO_POSE) for one in series]
    numbers = {
        f"{part}_difference_deg": pairs.mean_difference(
            series[0][f"{part}_deg"], series[1][f"{part}_deg"], together, SEEN, 360.0 if part == "trunk" else None
        )
        for part in ("trunk", "hip", "knee")
    }
    numbers["lag_s"] = pairs.lag(trunks[0], trunks[1], lines[0].axis) if known else float("nan")
    sheet = _Sheet(lines[0].case(True), known, {})
    for name in PAIR_QUANTITIES:
        sheet.enter(name, numbers[name], Reason.GAP if name in ("lag_s", "trunk_difference_deg") else Reason.NO_JOINT)
    return sheet.values
