"""What a table or a chart of the page says, in a sentence: nobody has to compare the numbers to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.report.wording import METRICS, differs, number
from baselines.runs.metrics import interval
from baselines.runs.predictions import Prediction
from baselines.runs.results import AblationRow, RunMetrics, StudyMetrics
from finediving_pose.validate.words import counted

if TYPE_CHECKING:
    from baselines.report.page import NumberRow

NEAR, FAR = 5.0, 10.0
"""Points: a prediction nearer to the judges' score is near, one further away is far."""
ALIKE = 0.05
"""Points that do not show in a table with one decimal."""
FALLING = 0.02
"""Share of the loss."""


def on_run(run: RunMetrics) -> str:
    """Whether a run ranks the dives better than the baseline, and better than chance within a dive number."""
    sentences = []
    rho, base, (low, high) = run.figures.rho, run.exemplars_mean.rho, run.intervals["rho"]
    if rho is not None and base is not None and low is not None and high is not None:
        bounds = f"rho {_digits('rho', rho)}, 95 % interval {_digits('rho', low)} to {_digits('rho', high)}"
        against = f"the exemplars' mean has {_digits('rho', base)}"
        if low <= base <= high:
            sentences.append(
                f"With {counted(run.made.n_test, 'test dive')} the model can't be told from its baseline: {bounds};"
                f" {against}."
            )
        else:
            kind = "better" if rho > base else "worse"
            sentences.append(f"The model ranks the dives {kind} than its baseline: {bounds}; {against}.")
    order, (low, high) = run.figures.same_number_in_order, run.intervals["same_number_in_order"]
    if order is not None and low is not None and high is not None:
        share = f"{order:.0%} of the pairs of one dive number are in order ({low:.0%} to {high:.0%})"
        if low > 0.5:
            sentences.append(f"{share}, more than by chance: it sees how well a dive is done, not only which it is.")
        elif high < 0.5:
            sentences.append(f"{share}, fewer than by chance.")
        else:
            sentences.append(f"{share}, which chance explains, too.")
    return " ".join(sentences)


def on_study(study: StudyMetrics) -> str:
    """In how many seeds the method ranks the dives better than the baseline."""
    rows = [r for r in study.rows if r.without is None]
    known = [(r.figures.rho, r.exemplars_mean.rho) for r in rows]
    pairs = [(ours, base) for ours, base in known if ours is not None and base is not None]
    if not pairs:
        return ""
    better, alike = sum(ours > base for ours, base in pairs), sum(ours == base for ours, base in pairs)
    equal = f", alike in {alike}" if alike else ""
    mean, base = study.mean.rho, study.exemplars_mean.rho
    means = f" (mean rho {_digits('rho', mean)} against {_digits('rho', base)})" if None not in (mean, base) else ""
    seeds = counted(len(pairs), "seed")
    return f"The method ranks the dives better than its baseline in {better} of {seeds}{equal}{means}."


def on_ablation(study: StudyMetrics) -> str:
    """Without which part rho falls most, and whether that is more than the seeds differ among themselves."""
    changes = [(a.difference.rho, a) for a in study.ablation if a.difference.rho is not None]
    if not changes:
        return ""
    change, row = min(changes, key=lambda item: item[0])
    if change >= 0:
        return "Without any of the parts rho is as high as with all of them, or higher."
    spread = largest_spread(study, row, "rho")
    if spread is None:
        return (
            f"Rho falls most without {row.without}: {differs(change, 4)}. With one seed that can't be told from chance."
        )
    scale = "more" if is_beyond_spread(study, row, "rho") else "no more"
    return (
        f"Rho falls most without {row.without}: {differs(change, 4)}, {scale} than the seeds' spread of {spread:.4f}."
    )


def largest_spread(study: StudyMetrics, row: AblationRow, key: str) -> float | None:
    """The larger of the spreads of a figure, with the part and without it; None with one seed."""
    spreads = [getattr(spread, key) for spread in (study.spread, row.spread)]
    return max((s for s in spreads if s is not None), default=None)


def is_beyond_spread(study: StudyMetrics, row: AblationRow, key: str) -> bool:
    """Whether leaving a part out changes a figure by more than the seeds do; never with one seed."""
    change, spread = getattr(row.difference, key), largest_spread(study, row, key)
    return change is not None and spread is not None and abs(change) > spread


def on_scores(predictions: Sequence[Prediction]) -> str:
    """How many dives are near the judges' score, and how predictions lean."""
    errors = np.array([p.error for p in predictions])
    near, far = int((np.abs(errors) <= NEAR).sum()), int((np.abs(errors) > FAR).sum())
    lie = "lies" if near == 1 else "lie"
    said = f"Of {counted(len(errors), 'test dive')}, {near} {lie} within {NEAR:g} points of the judges and {far} more"
    said += f" than {FAR:g} points off; on average {_mean_error(errors)}"
    exemplars = np.array([p.exemplar_mean - p.true_score for p in predictions])
    said += f", the exemplars' mean {np.abs(exemplars).mean():.1f}." if np.isfinite(exemplars).all() else "."
    truth = np.array([p.true_score for p in predictions])
    if len(truth) >= 3 and np.ptp(truth) > 0:
        slope = float(np.polyfit(truth, truth + errors, 1)[0])
        if slope < 0.75:
            said += f" Good dives are scored too low and bad ones too high: a true point counts {max(slope, 0):.2f}."
        elif slope > 1.25:
            said += f" Differences are exaggerated: a true point counts {slope:.2f}."
    return said


def _mean_error(errors: np.ndarray) -> str:
    """``6.0 points (95 %: 2.9 to 9.6)``"""
    low, high = interval(lambda e: float(np.abs(e).mean()), errors)
    bounds = f" (95 %: {low:.1f} to {high:.1f})" if np.isfinite([low, high]).all() else ""
    return f"{np.abs(errors).mean():.1f} points{bounds}"


def on_training(history: Sequence[Mapping[str, Any]]) -> str:
    """How the loss fell, and whether it still falls."""
    losses = [h["loss"] for h in history if h.get("loss") is not None]
    if len(losses) < 2 or not losses[0]:
        return ""
    way = "fell" if losses[-1] < losses[0] else "rose"
    said = f"The loss {way} from {losses[0]:.3g} to {losses[-1]:.3g} in {len(losses)} epochs"
    quarter = len(losses) // 4
    if quarter < 2:
        return f"{said}."
    before, last = np.mean(losses[-2 * quarter : -quarter]), np.mean(losses[-quarter:])
    if last < before * (1 - FALLING):
        return f"{said} and still falls: more epochs may help."
    return f"{said} and no longer falls."


def on_numbers(rows: Sequence[NumberRow]) -> str:
    """In how many dive numbers the model is nearer to the judges than the baseline, and where it errs most."""
    gain = [r.exemplar_error - r.mean_error for r in rows]
    nearer, further = (sum(g * sign > ALIKE for g in gain) for sign in (1, -1))
    worst = max(rows, key=lambda r: r.mean_error)
    alike = f", alike in {len(rows) - nearer - further}" if nearer + further < len(rows) else ""
    return (
        f"Of {counted(len(rows), 'dive number')} the model is nearer to the judges than the exemplars' mean in"
        f" {nearer}, further away in {further}{alike}. It errs most in {worst.number}: {worst.mean_error:.1f} points in"
        f" {counted(worst.dives, 'dive')}."
    )


def whole_dives(percent: float, dives: int) -> str:
    """A share of dives in whole dives."""
    return f"{round(percent * dives / 100)}"


def dives_found(percent: float, dives: int) -> str:
    """A share of dives as whole dives: ``1 of 6``."""
    return f"{whole_dives(percent, dives)} of {dives}"


def _digits(key: str, value: float | None) -> str:
    return number(value, min(3, METRICS[key].digits))
