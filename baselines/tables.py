"""What a run or a study says on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from baselines.published import CAVEAT, COLUMNS, PUBLISHED
from baselines.wording import METRICS, differs, how_made, number

NOTES = (
    "exemplars' mean: what predicting the mean score of the same train dives gives\n"
    "in order: share of pairs of test dives of one dive number in their true order, 0.5 by chance\n"
)


def show_run(metrics: Mapping[str, Any]) -> None:
    """Print a run's row beside the exemplars' mean, and the published figures apart from them."""
    out = Console(highlight=False)
    ours = _table([m.short for m in METRICS.values()])
    less = "".join(f", without {part}" for part in metrics["without"])
    _row(ours, f"HPMCR ({metrics['preset']}{less})", metrics)
    _row(ours, "exemplars' mean", metrics["exemplar_mean"])
    _say(out, f"{_dives(metrics)}; {how_made(metrics)}")
    out.print(ours)
    low, high = (number(v, 2) for v in metrics["rho_95"])
    _say(out, f"rho lies between {low} and {high} (95 %, bootstrap over test dives); other seeds move it, too\n{NOTES}")
    _say_published(out, metrics)


def show_study(metrics: Mapping[str, Any]) -> None:
    """Print a row a seed, their mean and spread, and, where parts were left out, a row a part."""
    out = Console(highlight=False)
    table = _table([m.short for m in METRICS.values()])
    for row in metrics["rows"]:
        if row["without"] is None:
            _row(table, f"seed {row['seed']}", row)
    table.add_section()
    _row(table, "mean", metrics["mean"], style="bold")
    _row(table, "spread", metrics["spread"])
    table.add_section()
    _row(table, "exemplars' mean", metrics["exemplar_mean"])
    _say(out, f"{_dives(metrics)}; {how_made(metrics)}")
    out.print(table)
    _say(out, f"spread: standard deviation over the seeds (n - 1)\n{NOTES}")
    if metrics["ablation"]:
        _say(out, f"One part left out at a time; {how_made(metrics)}")
        out.print(_ablation(metrics))
        _say(out, f"{ablation_note(metrics)}\n")
    _say_published(out, metrics)


def ablation_note(metrics: Mapping[str, Any]) -> str:
    """How the table of parts is to be read."""
    if len(metrics["seeds"]) < 2:
        return "second line: the change against the whole model; whether another seed would agree shows --seeds 3"
    return "second line: the change against the whole model, mean over the same seeds; ± is the spread over the seeds"


ABLATED = ("rho", "r_l2_x100", "same_number_in_order", "aiou_50", "aiou_75")
"""Metrics of the table of parts, which has to fit a terminal; the page has all."""


def _ablation(metrics: Mapping[str, Any]) -> Table:
    table = _table([METRICS[key].short for key in ABLATED])
    table.columns[0].header = "without"
    rows = [{"without": "nothing", **{k: metrics[k] for k in ("mean", "spread")}}, *metrics["ablation"]]
    for row in rows:
        table.add_row(row["without"], *(_cell(row, key) for key in ABLATED))
    return table


def _cell(row: Mapping[str, Any], key: str) -> str:
    """``0.812 ± 0.013``, and below it the change, ``−0.024``."""
    digits = METRICS[key].digits - 1
    spread = "" if row["spread"][key] is None else f" ± {number(row['spread'][key], digits)}"
    changed = "" if "difference" not in row else f"\n{differs(row['difference'][key], digits)}"
    return f"{number(row['mean'][key], digits)}{spread}{changed}"


def _say_published(out: Console, metrics: Mapping[str, Any]) -> None:
    """The published figures of the protocol that was run: with dive number, or without."""
    with_number = metrics.get("pairing", "number") == "number"
    table = _table(COLUMNS)
    for method, protocols in PUBLISHED.items():
        row = zip(protocols[with_number], (4, 3, 2, 2), strict=True)
        table.add_row(method, *("" if v is None else number(v, d) for v, d in row))
    protocol = "with dive number" if with_number else "without dive number"
    _say(out, f"Published on FineDiving {protocol}, other data: not comparable with the above")
    out.print(table)
    _say(out, CAVEAT)


def _say(out: Console, words: str) -> None:
    """A line that the terminal wraps, not we."""
    out.print(words, soft_wrap=True)


def _dives(metrics: Mapping[str, Any]) -> str:
    return f"{metrics['n_test']} test dives, {metrics['n_train']} train dives"


def _row(table: Table, name: str, values: Mapping[str, Any], style: str | None = None) -> None:
    table.add_row(name, *(number(values[k], m.digits) if k in values else "" for k, m in METRICS.items()), style=style)


def _table(columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
