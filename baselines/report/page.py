"""The page of a run or a study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from baselines import processes
from baselines.evaluate import Prediction
from baselines.metrics import pairs_in_order
from baselines.published import CAVEAT, COLUMNS, PUBLISHED
from baselines.report.comparisons import STAGE_NAMES, Comparisons, compare_worst
from baselines.results import read_predictions
from baselines.study import is_study, read_metrics, read_plan
from baselines.tables import ablation_note
from baselines.wording import METRICS, differs, how_made, number
from finediving_pose.errors import LexiconError, PackedError, UsageError
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.packed.reader import open_packed
from finediving_pose.report import charts
from finediving_pose.workspace import atomic_write

PAGE = "report.html"
WORST = 6
SIDE = 400
PUBLISHED_DIGITS = (4, 3, 2, 2)


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

    metrics = read_metrics(folder)
    if metrics is None:
        raise UsageError(f"{folder}: no finished run; go on with: fdpose benchmark hpmcr --resume {folder}")
    members = read_plan(folder) if is_study(folder) else []
    shown = next((m for m in members if m.without is None), None)
    run = (read_metrics(folder / shown.run) if shown else metrics) or metrics
    predictions = read_predictions(folder / shown.run if shown else folder)
    environment = Environment(
        loader=PackageLoader("baselines", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"figure": number, "signed": differs}
    page = environment.get_template("page.html.j2").render(
        title=folder.name,
        how=how_made(metrics),
        how_run=how_made(run),
        study=metrics if members else None,
        ablation_note=ablation_note(metrics) if members else "",
        shown=shown,
        run=run,
        up=folder.parent.name if is_study(folder.parent) else None,
        metrics=METRICS,
        facts=_facts(run),
        published=_published(),
        caveat=CAVEAT,
        curves=charts.curves(run["history"]) if len(run["history"]) > 1 else None,
        scatter=_scatter(predictions),
        side=SIDE,
        numbers=dives_by_number(predictions),
        all_numbers=_number_row("", predictions),
        words=in_words,
        worst=_worst(run, predictions),
        stage_names=STAGE_NAMES.get(len(run["stage_weights"]), ()),
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


def _worst(run: Mapping[str, Any], predictions: Sequence[Prediction]) -> list[Comparisons]:
    """The dives with the largest errors, with pictures as long as the packed file is the one that was scored."""
    worst = sorted(predictions, key=lambda p: -abs(p.error))[:WORST]
    try:
        with open_packed(run["packed"]) as packed:
            return compare_worst(packed if packed.digest == run["digest"] else None, worst)
    except PackedError:
        return compare_worst(None, worst)


def _facts(run: Mapping[str, Any]) -> dict[str, str]:
    """How the run came about."""
    kin = {"number": "dive number", "rotation": "kind of rotation"}.get(run["pairing"])
    group = f" of the {kin}" if kin else ""
    rule = f"the same for all dives{group}" if run["voters"] == "panel" else "drawn anew for each dive"
    by_difficulty = run["matched_by_difficulty"]
    left_out = {reason: len(keys) for reason, keys in run["left_out"].items()}
    return {
        "trained": how_made(run),
        "model": f"HPMCR, preset {run['preset']}, {run['parameters']:,} parameters"
        + "".join(f", without {part}" for part in run["without"]),
        "dives": f"{run['n_train']:,} train, {run['n_test']:,} test"
        + "".join(f"; {n} left out with {reason}" for reason, n in left_out.items()),
        "exemplars": f"up to {run['votes']} train dives{group}, {rule}"
        + (f"; {by_difficulty} dives by the nearest difficulty, having none" if by_difficulty else ""),
        "weights at start": ", ".join(f"{name}: {Path(w).name}" for name, w in run["weights"].items()),
        "data": f"{Path(run['packed']).name}, digest {run['digest'][:12]}",
        "time": f"{run['seconds']:,.0f} s",
    }


def _published() -> list[tuple[str, list[str]]]:
    rows = []
    for method, protocols in PUBLISHED.items():
        for protocol, row in zip(("without dive number", "with dive number"), protocols, strict=True):
            cells = ["" if v is None else number(v, d) for v, d in zip(row, PUBLISHED_DIGITS, strict=True)]
            rows.append((f"{method}, {protocol}", cells))
    return [("", list(COLUMNS)), *rows]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Predicted against true scores, in units of a square of ``SIDE`` by ``SIDE``, y downwards."""

    points: list[tuple[float, float, float, Prediction]]
    """x, y, y of the exemplars' mean, and the dive."""
    ticks: list[tuple[float, int]]


def _scatter(predictions: Sequence[Prediction]) -> Scatter:
    values = [v for p in predictions for v in (p.true_score, p.predicted_score, p.exemplar_mean)]
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
