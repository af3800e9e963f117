"""What a run, a study, an evaluation or a leaderboard prints on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from baselines.report.leaderboard import (
    FLOOR,
    HOW,
    PUBLISHED,
    WORDS,
    Grid,
    floor_of,
    grids_of,
    heading,
    notes,
    protocol,
    published_grid,
    verdict,
    warnings,
)
from baselines.report.published import CAVEAT, COLUMNS, published_figures
from baselines.report.wording import METRICS, Metric, differs, how_made, number, what_baseline
from baselines.runs.figures import Figures, Scores
from baselines.runs.leaderboard import Leaderboard
from baselines.runs.results import AblationRow, Conditions, RunMetrics, StudyMetrics, row_name
from finediving_pose.terminal import terminal

BASELINE = "exemplars' mean"

IN_ORDER = "in order: share of pairs of test dives with the same dive number in their true order; 0.5 by chance\n"


WIDE = 120
"""Columns of a terminal that a figure and its interval fit beside each other in."""


def show_run(metrics: RunMetrics) -> None:
    """Print a run's row above the baseline's, and the published figures apart from them."""
    out = terminal()
    shown = _known(metrics.figures, metrics.exemplars_mean)
    ours = _table(m.short for m in shown.values())
    _row(ours, shown, row_name(metrics.made), metrics.figures)
    _row(ours, shown, BASELINE, metrics.exemplars_mean)
    _say(out, f"{_dives(metrics.made)}; {how_made(metrics.made, [metrics.seed], metrics.epoch)}")
    out.print(ours)
    _say(out, f"{_interval(metrics.intervals['rho'])}; it also varies with the seed\n{_notes(metrics.made)}")
    _say_published(out, metrics.made)


def show_study(metrics: StudyMetrics) -> None:
    """Print a row a seed, their mean and spread, and, where parts were left out, a row a part."""
    out = terminal()
    shown = _known(metrics.mean, metrics.exemplars_mean)
    table = _table(m.short for m in shown.values())
    for row in metrics.rows:
        if row.without is None:
            _row(table, shown, f"seed {row.seed}", row.figures)
    table.add_section()
    _row(table, shown, "mean", metrics.mean, style="bold")
    _row(table, shown, "spread", metrics.spread)
    table.add_section()
    _row(table, shown, BASELINE, metrics.exemplars_mean)
    how = how_made(metrics.made, metrics.seeds)
    _say(out, f"{row_name(metrics.made)}: {_dives(metrics.made)}; {how}")
    out.print(table)
    _say(out, f"spread: standard deviation over the seeds (n - 1)\n{_notes(metrics.made)}")
    if metrics.ablation:
        _say(out, f"One part left out at a time; {how}")
        out.print(_ablation(metrics))
        _say(out, f"{ablation_note(metrics)}\n")
    _say_published(out, metrics.made)


def show_evaluation(scores: Scores, name: str, dives: int, baseline: str) -> None:
    """Print the figures of predictions that another program made, with their intervals."""
    out = terminal()
    known = _known(scores.figures)
    table = _table([m.short for m in known.values()])
    for words, value in (
        (name, lambda key: getattr(scores.figures, key)),
        ("95 % from", lambda key: scores.intervals[key][0]),
        ("95 % to", lambda key: scores.intervals[key][1]),
        (BASELINE, lambda key: getattr(scores.exemplars_mean, key)),
    ):
        table.add_row(words, *(number(value(key), m.digits) for key, m in known.items()))
    _say(out, f"{dives} test dives")
    out.print(table)
    _say(out, f"95 %: interval by bootstrap over the test dives\nexemplars' mean: {baseline}\n{IN_ORDER}")


def show_leaderboard(board: Leaderboard) -> None:
    """Print the tables of each packed file and protocol, with what has to be known to compare their rows."""
    out = terminal()
    wide = out.width >= WIDE
    for line in warnings(board):
        out.print(line, soft_wrap=True, style="bold yellow")
    for file in board.boards:
        out.print(f"\n{heading(file)}", soft_wrap=True, style="bold")
        for section in file.sections:
            _say(out, protocol(section))
            for _, grid in grids_of(section):
                out.print(_grid(grid, wide))
            out.print(verdict(section), soft_wrap=True, style="bold")
            for line in notes(section):
                _say(out, line)
        if floor := floor_of(file):
            out.print(_grid(floor, wide))
            _say(out, FLOOR)
    _say(out, "\n" + "\n".join(HOW))
    _say(out, f"\n{PUBLISHED}")
    _say_all_published(out)


def _grid(grid: Grid, wide: bool) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    for title in grid.columns:
        words = title in WORDS
        table.add_column(
            title if wide or words else _stacked(title),
            justify="left" if words else "right",
            overflow="fold",
            no_wrap=not words,
        )
    table.columns[0].min_width = 12
    for n, row in enumerate(grid.rows):
        cells = (
            cell if wide or title in WORDS else _broken(cell) for title, cell in zip(grid.columns, row, strict=True)
        )
        table.add_row(*cells, style="bold" if n in grid.strong else None)
    return table


def _say_all_published(out: Console) -> None:
    """Published figures, each with the number of its source, and the sources below."""
    table, grid = _table(["dive\nnumber", *(METRICS[key].short for key in COLUMNS), ""]), published_grid()
    sources = list(dict.fromkeys(row[-2:] for row in grid.rows))
    for row in grid.rows:
        table.add_row(*row[:-2], f"({sources.index(row[-2:]) + 1})")
    out.print(table)
    for n, (run_by, source) in enumerate(sources, 1):
        _say(out, f"({n}) run by {run_by}: {source}")


def _stacked(title: str) -> str:
    """A word above the other, for a narrow terminal; signs stay with their words."""
    stacked = title.replace(" ", "\n")
    for parted in ("±\n", "\n%", "\nx\n"):
        stacked = stacked.replace(parted, parted.replace("\n", " "))
    return stacked


def _broken(cell: str) -> str:
    """A figure above its spread or interval, for a narrow terminal."""
    for sign in ("± ", "(", "to "):
        cell = cell.replace(f" {sign}", f"\n{sign}")
    return cell


def ablation_note(metrics: StudyMetrics) -> str:
    """How the table of parts is to be read."""
    if len(metrics.seeds) < 2:
        return "second line: the change against the whole method with one seed; --seeds 3 shows the spread"
    return "second line: the change against the whole method, mean over the same seeds; ± is the spread over the seeds"


ABLATED = ("rho", "r_l2_x100", "same_number_in_order", "aiou_50", "aiou_75")
"""Metrics of the table of parts, which has to fit a terminal; the page has all."""


def _ablation(metrics: StudyMetrics) -> Table:
    table = _table([METRICS[key].short for key in ABLATED])
    table.columns[0].header = "without"
    table.add_row("nothing", *(_cell(metrics.mean, metrics.spread, key) for key in ABLATED))
    for row in metrics.ablation:
        table.add_row(row.without, *(_changed(row, key) for key in ABLATED))
    return table


def _cell(mean: Figures, spread: Figures, key: str) -> str:
    """``0.812±0.013``; with spaces the table would be wider than 80 columns."""
    digits, of_seeds = METRICS[key].digits - 1, getattr(spread, key)
    return number(getattr(mean, key), digits) + ("" if of_seeds is None else f"±{number(of_seeds, digits)}")


def _changed(row: AblationRow, key: str) -> str:
    """``0.812±0.013``, and below it the change, ``−0.024``."""
    digits = METRICS[key].digits - 1
    return f"{_cell(row.mean, row.spread, key)}\n{differs(getattr(row.difference, key), digits)}"


def _notes(made: Conditions) -> str:
    return f"exemplars' mean: {what_baseline(made.votes, made.pairing)}\n{IN_ORDER}"


def _say_published(out: Console, made: Conditions) -> None:
    """The published figures of the protocol that was run: with dive number, or without."""
    with_number = made.pairing == "number"
    table = _table([METRICS[key].short for key in COLUMNS])
    for method, figures in published_figures(with_number).items():
        row = zip(figures, COLUMNS.values(), strict=True)
        table.add_row(method, *("" if v is None else number(v, digits) for v, digits in row))
    protocol = "with dive number" if with_number else "without dive number"
    _say(out, f"Published on FineDiving {protocol}, other data: not comparable with the above")
    out.print(table)
    _say(out, CAVEAT)


def _interval(rho: tuple[float | None, float | None]) -> str:
    return f"95 % interval of rho: {_range(rho, 2)} (bootstrap over test dives)"


def _range(interval: tuple[float | None, float | None], digits: int) -> str:
    low, high = interval
    return "" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def _say(out: Console, words: str) -> None:
    """A line that the terminal wraps, not we."""
    out.print(words, soft_wrap=True)


def _dives(made: Conditions) -> str:
    return f"{made.n_test} test dives, {made.n_train} train dives"


def _known(*rows: Figures) -> dict[str, Metric]:
    """The metrics that one of the rows has a value of."""
    return {key: m for key, m in METRICS.items() if any(getattr(figures, key) is not None for figures in rows)}


def _row(table: Table, shown: Mapping[str, Metric], name: str, figures: Figures, style: str | None = None) -> None:
    values = ((getattr(figures, key), m.digits) for key, m in shown.items())
    table.add_row(name, *("" if v is None else number(v, digits) for v, digits in values), style=style)


def _table(columns: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
