"""Metrics and runs in words, the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from baselines.runs.results import Conditions, epochs_in_words
from finediving_pose.numerals import numeral


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name in a table and in full, its digits, whether more is better, whether it is a % of dives."""

    short: str
    words: str
    digits: int
    more_is_better: bool = True
    of_dives: bool = False


METRICS = {
    "rho": Metric("rho", "Spearman's rho over all test dives", 4),
    "r_l2_x100": Metric("R-l2 x 100", "squared error over the squared range of the true scores, x 100", 3, False),
    "l2": Metric("L2", "squared error, points²", 1, False),
    "same_number_in_order": Metric("in order", "pairs of one dive number in their true order; 0.5 by chance", 3),
    "aiou_50": Metric("AIoU@0.5", "% of dives whose flight is found with an overlap of 0.5", 2, of_dives=True),
    "aiou_75": Metric("AIoU@0.75", "the same with an overlap of 0.75", 2, of_dives=True),
}
"""By their names in :class:`baselines.runs.figures.Figures`."""


def number(value: float | None, digits: int) -> str:
    """A figure; nothing where there is none."""
    return "" if value is None else numeral(value, digits)


def differs(value: float | None, digits: int) -> str:
    """A difference, with its sign; none where it rounds to zero."""
    if value is None:
        return ""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


PROTOCOLS = {
    "number": "with dive number",
    "random": "without dive number",
    "rotation": "by rotation",
    "difficulty": "by difficulty",
}
"""By the pairing."""


def what_baseline(votes: int, pairing: str) -> str:
    """What the exemplars' mean predicts."""
    of = {
        "number": " with the same dive number",
        "random": "",
        "rotation": " that rotate the same way",
        "difficulty": " of the same difficulty",
    }[pairing]
    return f"the baseline that predicts the mean score of up to {votes} train dives{of}"


def how_made(made: Conditions, seeds: Sequence[int], epoch: int | None = None) -> str:
    """Protocol, seeds, batch size, rule for the epoch: printed beside every figure, since each of them moves it."""
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
    protocol, epochs = f"{PROTOCOLS[made.pairing]}; {which}", epochs_in_words(made.epochs)
    if not made.epochs:
        return f"{protocol}; {epochs}"
    picked = "" if epoch in (None, made.epochs) else f" (epoch {epoch})"
    return f"{protocol}; batches of {made.batch_size}; {epochs}, {made.selection}{picked}"
