"""A picture of a dive over time: the turning trunk, its rate, the joints, with stages and moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.kinematics.error_bars import error_of
from finediving_pose.kinematics.measure import DiverMeasures
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.numerals import halves
from finediving_pose.report.charts import BLUE, GREY, ORANGE, PLAIN_TEXT
from finediving_pose.workspace import atomic_write

_GREEN, _VIOLET = "#2f9e62", "#8455c7"
_ROWS = (
    (("trunk_deg",), "trunk, from\nupright (°)"),
    (("somersault_rate_deg_s",), "somersault\nrate (°/s)"),
    (("hip_deg", "knee_deg"), "legs (°)\n0 = straight"),
    (("elbow_deg", "shoulder_deg"), "arms (°)"),
    (("height_m",), "centre of mass\nabove water (m)"),
)
_COLOURS = {"hip_deg": BLUE, "knee_deg": ORANGE, "elbow_deg": _GREEN, "shoulder_deg": _VIOLET}
_MOMENTS = {"take_off_s": "take-off", "closure_reached_s": "closed", "come_out_s": "come-out", "touch_s": "touch"}
WIDE, NARROW = 9.0, 4.4
"""Inches that a plot is wide, also on a telephone."""
CLOSE = 0.6
"""Inches between two moments within which their names would overlap."""
_AFTER_TOUCH = 0.4
"""Seconds that are shown after the touch."""


def draw_dive(target: Path, clip: Clip, divers: Sequence[DiverMeasures], width: float = WIDE) -> Path:
    """Write a PNG file, whole or not at all: curves broken where nothing was measured, error bars as bands.

    Quantities that were measured in no frame are left out. ``width`` is in inches of 110 pixels.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [row for row in _ROWS if any(d.series[name].measured.any() for d in divers for name in row[0])]
    rows = shown or _ROWS[:1]
    with matplotlib.rc_context({**PLAIN_TEXT, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(width, 1.6 + 1.6 * len(rows)), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        strip, *axes = figure.subplots(len(rows) + 1, 1, sharex=True, height_ratios=[0.22] + [1] * len(rows))
        _strip(strip, clip, divers)
        for ax, (names, label) in zip(axes, rows, strict=True):
            _bands(ax, clip, divers[0])
            for diver in divers:
                for name in names:
                    _curve(ax, diver, name, len(divers) == 2)
                for moment in _moments(diver).values():
                    ax.axvline(moment, color="#777", lw=0.9, ls="--" if diver.person else "-")
            ax.set_ylabel(label)
            if len(names) > 1 or len(divers) > 1:
                beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
                above = {"loc": "lower right", "bbox_to_anchor": (1.0, 0.95), "ncols": 2}
                ax.legend(frameon=False, fontsize=8, **(beside if width > NARROW else above))
        axes[-1].set_xlabel("seconds" if divers[0].line.known else "frame number (the frame rate is not known)")
        axes[-1].set_xlim(*_shown(divers))
        figure.suptitle(_title(clip, divers), fontsize=10, x=0.01, ha="left")
        with atomic_write(target) as part:
            figure.savefig(part, format="png")
    return target


def _time(diver: DiverMeasures) -> np.ndarray:
    return diver.line.axis if diver.line.known else np.array(diver.frames, float)


def _shown(divers: Sequence[DiverMeasures]) -> tuple[float, float]:
    """From the first frame to a little after the last touch; to the last frame where no touch is known."""
    time, touches = _time(divers[0]), [d.line.touch for d in divers if d.line.touch is not None]
    last = np.interp(max(touches) + _AFTER_TOUCH, divers[0].line.axis, time) if touches else time[-1]
    return float(time[0]), max(float(last), float(time[0]) + 1e-3)


def _moments(diver: DiverMeasures) -> dict[str, float]:
    """Where on the plot the moments of a dive are, by their quantity."""
    moments = {name: diver.values[name].value for name in _MOMENTS}
    found = {"take_off_s": diver.take_off, "touch_s": diver.line.touch}  # also where no seconds are known
    moments |= {name: moment for name, moment in found.items() if moment is not None}
    places = {name: float(np.interp(m, diver.line.axis, _time(diver))) for name, m in moments.items() if np.isfinite(m)}
    return places


def _curve(ax: Any, diver: DiverMeasures, name: str, pair: bool) -> None:
    time, values = _time(diver), diver.series[name].values
    colour = _COLOURS.get(name, BLUE if diver.person == 0 else ORANGE)
    label = name.rsplit("_", 1)[0] if name in _COLOURS else ""
    if pair:
        label = f"{label} diver {diver.person}".strip()
    ax.plot(time, values, color=colour, lw=1.4, ls="--" if diver.person else "-", marker=".", ms=3, label=label)
    bar = error_of(name, diver.line.case(pair))
    if np.isfinite(bar):
        ax.fill_between(time, values - bar, values + bar, color=colour, alpha=0.18, lw=0)


def _spans(clip: Clip, diver: DiverMeasures) -> list[tuple[float, float, str]]:
    """Where on the plot the stages are, and their names."""
    time = _time(diver)
    bounds = [0, *clip.stage_starts, len(time) - 1]
    places = [float(time[min(b, len(time) - 1)]) for b in bounds]
    names = [SUB_ACTIONS.get(stage, str(stage)) for stage in clip.sub_actions]
    return [(a, b, name) for a, b, name in zip(places, places[1:], names, strict=False)]


def _bands(ax: Any, clip: Clip, diver: DiverMeasures) -> None:
    for i, (start, stop, _) in enumerate(_spans(clip, diver)):
        if i % 2:
            ax.axvspan(start, stop, color=GREY, alpha=0.12, lw=0)


def _strip(ax: Any, clip: Clip, divers: Sequence[DiverMeasures]) -> None:
    """The names of the stages, and above them those of the moments."""
    ax.set_axis_off()
    _bands(ax, clip, divers[0])
    first, last = _shown(divers)
    for start, stop, name in _spans(clip, divers[0]):
        middle = (max(start, first) + min(stop, last)) / 2
        if first <= middle <= last:
            ax.text(middle, 0.5, name, transform=ax.get_xaxis_transform(), ha="center", va="center", fontsize=8)
    moments = sorted((place, _MOMENTS[name]) for name, place in _moments(divers[0]).items())
    close = CLOSE / ax.figure.get_figwidth() * (last - first)
    for i, (place, name) in enumerate(moments):
        # of two that are close, the first leans to the left
        left = i + 1 < len(moments) and moments[i + 1][0] - place < close
        lean = {"rotation": -30, "ha": "right"} if left else {"rotation": 30, "ha": "left"}
        ax.text(place, 1.05, name, transform=ax.get_xaxis_transform(), fontsize=8, va="bottom", **lean)


def _title(clip: Clip, divers: Sequence[DiverMeasures]) -> str:
    parts = [f"{clip.key}", clip.action_type or "no dive number"]
    for diver in divers:
        seen = diver.values["half_somersaults"]
        words = f"{halves(round(seen.value))} somersaults seen" if seen.measured else "somersaults not counted"
        if diver.count_agrees is False:
            words += f", {halves(diver.half_somersaults_expected or 0)} by the dive number"
        parts.append(f"diver {diver.person}: {words}" if len(divers) > 1 else words)
    return " · ".join(parts)
