"""The page of a run or a study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baselines.registry import find_method
from baselines.report.comparisons import Comparisons, compare_worst
from baselines.report.published import CAVEAT, COLUMNS, published_figures
from baselines.report.tables import ablation_note
from baselines.report.verdicts import (
    dives_found,
    is_beyond_spread,
    on_ablation,
    on_numbers,
    on_run,
    on_scores,
    on_study,
    on_training,
    whole_dives,
)
from baselines.report.wording import METRICS, differs, how_made, number, what_baseline
from baselines.runs.config import read_config
from baselines.runs.metrics import pairs_in_order
from baselines.runs.predictions import Prediction, read_predictions
from baselines.runs.results import RunMetrics, read_run, read_study, row_name
from baselines.runs.run import open_run_data
from baselines.runs.study import is_study, read_plan
from baselines.training import processes
from finediving_pose.errors import LexiconError, PackedError, UsageError
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.report import charts
from finediving_pose.workspace import atomic_write

PAGE = "report.html"
WORST = 6
SIDE = 400
FILES = {
    "metrics.json": "",
    "predictions.csv": " (a row a test dive)",
    "votes.csv": " (a row a comparison)",
    "scorer.pth": " (scores new dives)",
    "config.json": "",
}
"""Of a run, linked from its page, and what they hold."""


@processes.on_first
def write_page(folder: Path) -> Path:
    """Write ``report.html`` into the folder of a finished run or study, and into those of a study's runs.

    One file, no server. It holds frames of the worst dives, out of the packed file that was trained on;
    where that has gone, the pictures are left out.

    Raises
    ------
    UsageError
        The folder holds no finished run.
    """
    for m in read_plan(folder) if is_study(folder) else []:
        _write(folder / m.run)
    return _write(folder)


def _write(folder: Path) -> Path:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    study = read_study(folder) if is_study(folder) else None
    shown = next(row for row in study.rows if row.without is None) if study else None
    run_folder = folder / shown.run if shown else folder
    run, predictions = read_run(run_folder), read_predictions(run_folder)
    how_run = how_made(run.made, [run.seed], run.epoch)
    comparative = any(p.votes for p in predictions)
    numbers = dives_by_number(predictions)
    environment = Environment(
        loader=PackageLoader("baselines", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"figure": number, "signed": differs, "dives": dives_found, "whole": whole_dives}
    page = environment.get_template("page.html.j2").render(
        title=folder.name,
        how=how_made(study.made, study.seeds) if study else how_run,
        how_run=how_run,
        study=study,
        ablation_note=ablation_note(study) if study else "",
        beyond=is_beyond_spread,
        parts=_parts(run),
        shown=shown,
        run=run,
        up=folder.parent.name if is_study(folder.parent) else None,
        metrics={
            key: m for key, m in METRICS.items() if getattr((study.mean if study else run.figures), key) is not None
        },
        name=row_name(run.made),
        comparative=comparative,
        baseline=what_baseline(run.made.votes, run.made.pairing),
        facts=_facts(run, comparative),
        published=_published(),
        verdicts={
            "figures": on_study(study) if study else on_run(run),
            "parts": on_ablation(study) if study else "",
            "scores": on_scores(predictions),
            "training": on_training(run.history),
            "numbers": on_numbers(numbers),
        },
        cut=sum(bool(p.true_transitions and p.predicted_transitions) for p in predictions),
        files=[(name, what) for name, what in FILES.items() if (run_folder / name).is_file()],
        at=f"{shown.run}/" if shown else "",
        caveat=CAVEAT,
        curves=charts.curves(run.history) if len(run.history) > 1 else None,
        scatter=_scatter(predictions),
        side=SIDE,
        numbers=numbers,
        ordered=any(r.in_order is not None for r in numbers),
        all_numbers=_number_row("", predictions),
        words=in_words,
        worst=_worst(run_folder, predictions),
    )
    with atomic_write(folder / PAGE) as part:
        part.write_text(page, encoding="utf-8")
    return folder / PAGE


@dataclass(frozen=True, slots=True)
class NumberRow:
    """How the test dives of one dive number were scored; errors in points."""

    number: str
    words: str
    dives: int
    voters: int
    true_mean: float
    bias: float
    mean_error: float
    exemplar_error: float
    in_order: float | None


def dives_by_number(predictions: Sequence[Prediction]) -> list[NumberRow]:
    """A row a dive number, the most frequent first."""
    groups: dict[str, list[Prediction]] = defaultdict(list)
    for p in predictions:
        groups[p.action_type].append(p)
    return sorted((_number_row(n, ps) for n, ps in groups.items()), key=lambda r: (-r.dives, r.number))


def _number_row(name: str, dives: Sequence[Prediction]) -> NumberRow:
    errors = np.array([p.error for p in dives])
    exemplars = np.array([p.exemplar_mean - p.true_score for p in dives])
    order = pairs_in_order([p.true_score for p in dives], [p.predicted_score for p in dives], [name] * len(dives))
    return NumberRow(
        name,
        in_words(name),
        len(dives),
        len({v.exemplar for p in dives for v in p.votes}),
        float(np.mean([p.true_score for p in dives])),
        float(errors.mean()),
        float(np.abs(errors).mean()),
        float(np.abs(exemplars).mean()),
        order if np.isfinite(order) else None,
    )


def in_words(name: str) -> str:
    """A dive number in words; nothing where it is none."""
    try:
        return parse_dive_number(name).words()
    except LexiconError:
        return ""


def _worst(folder: Path, predictions: Sequence[Prediction]) -> list[Comparisons]:
    """The dives with the largest errors, with pictures as long as the packed file is the one that was scored."""
    worst = sorted(predictions, key=lambda p: -abs(p.error))[:WORST]
    try:
        with open_run_data(folder, read_config(folder)) as packed:
            return compare_worst(packed, worst)
    except (PackedError, UsageError):
        return compare_worst(None, worst)


def _parts(run: RunMetrics) -> dict[str, str]:
    """What is left without each part; nothing where the method is not installed here."""
    try:
        return dict(find_method(run.made.method).parts)
    except UsageError:
        return {}


def _facts(run: RunMetrics, comparative: bool) -> dict[str, str]:
    """How the run came about."""
    made = run.made
    kin = {"number": "dive number", "rotation": "kind of rotation", "difficulty": "difficulty"}.get(made.pairing)
    group = f" of the {kin}" if kin else ""
    rule = f"the same for all dives{group}" if made.voters == "panel" else "drawn anew for each dive"
    by_difficulty = run.matched_by_difficulty
    left_out = {reason: len(keys) for reason, keys in made.left_out.items()}
    facts = {
        "trained": how_made(made, [run.seed], run.epoch),
        "method": f"{row_name(made)}, {run.parameters:,} parameters",
        "dives": f"{made.n_train:,} train, {made.n_test:,} test"
        + "".join(f"; {n} left out with {reason}" for reason, n in left_out.items()),
        "exemplars" if comparative else "exemplars of the baseline": f"up to {made.votes} train dives{group}, {rule}"
        + (f"; {by_difficulty} dives without one, matched by the nearest difficulty" if by_difficulty else ""),
        "weights at start": ", ".join(f"{name}: {Path(w).name}" for name, w in made.weights.items()) or "random",
        "data": f"{Path(made.packed).name}, digest {made.digest[:12]}",
        "time": f"{run.seconds:,.0f} s",
    }
    rhos = [panel.rho for panel in run.panels if panel.rho is not None]
    if len(rhos) > 1:
        facts["voters"] = f"rho {number(min(rhos), 4)} to {number(max(rhos), 4)} with {len(rhos)} panels of exemplars"
    return facts | run.facts


def _published() -> list[tuple[str, list[str]]]:
    rows = []
    with_number, without = published_figures(True), published_figures(False)
    for method in with_number:
        for protocol, figures in (("without dive number", without), ("with dive number", with_number)):
            if method in figures:
                row = zip(figures[method], COLUMNS.values(), strict=True)
                rows.append((f"{method}, {protocol}", [number(v, d) for v, d in row]))
    return [("", [METRICS[key].short for key in COLUMNS]), *rows]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Predicted against true scores, in units of a square of ``SIDE`` by ``SIDE``, y downwards."""

    points: list[tuple[float, float, float, Prediction]]
    """x, y, y of the exemplars' mean, and the dive."""
    ticks: list[tuple[float, int]]


def _scatter(predictions: Sequence[Prediction]) -> Scatter:
    values = [v for p in predictions for v in (p.true_score, p.predicted_score, p.exemplar_mean) if np.isfinite(v)]
    low, high = min(values) - 3, max(values) + 3
    scale = SIDE / (high - low)
    step = next(s for s in (5, 10, 20, 50, 100) if (high - low) / s <= 8)
    ticks = range(int(np.ceil(low / step)) * step, int(high) + 1, step)
    return Scatter(
        [
            ((p.true_score - low) * scale, (high - p.predicted_score) * scale, (high - p.exemplar_mean) * scale, p)
            for p in predictions
        ],
        [((t - low) * scale, t) for t in ticks],
    )
