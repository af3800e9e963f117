"""A leaderboard as CSV, Markdown, LaTeX and plain values for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from baselines.report.leaderboard import (
    FLOOR,
    HOW,
    PUBLISHED,
    WORDS,
    Grid,
    commands,
    floor_of,
    grids_of,
    heading,
    in_words_read,
    mean_of,
    name_of,
    notes,
    protocol,
    published_grid,
    verdict,
    warnings,
)
from baselines.runs.figures import NAMES
from baselines.runs.leaderboard import Board, Leaderboard, Row, Section
from baselines.runs.resampling import SAMPLED
from finediving_pose.spreadsheet import write_csv
from finediving_pose.workspace import atomic_write


def values_of(leaderboard: Leaderboard) -> dict[str, Any]:
    """All of a leaderboard as plain values, warnings and notes included."""
    return {
        "warnings": list(warnings(leaderboard)),
        "boards": [_board_values(board) for board in leaderboard.boards],
        "left_out": list(leaderboard.left_out),
    }


def _board_values(board: Board) -> dict[str, Any]:
    applied, left = board.errata or (None, None)
    return {
        "packed": board.packed,
        "digest": board.digest,
        "test_dives": board.test_dives,
        "errata_applied": applied,
        "errata_left": left,
        "sections": [
            {
                "pairing": section.pairing,
                "verdict": verdict(section),
                "notes": list(notes(section)),
                "rows": [_row_values(row, section) for row in section.rows],
            }
            for section in board.sections
        ],
        "floor": [asdict(row) for row in board.floor],
        "floor_by_event": [asdict(row) for row in board.floor_by_event],
    }


def _row_values(row: Row, section: Section) -> dict[str, Any]:
    first = row.first
    return {
        "name": row.name,
        "another_program": first.external,
        "chosen_on_test": first.on_test,
        "best": _is_best(row, section),
        "bold": _is_best(row, section) and section.proven,
        "seeds": [entry.seed for entry in row.entries],
        "test_dives": len(first.true),
        "train_dives": first.n_train,
        "mean": asdict(row.mean),
        "spread": asdict(row.spread),
        "spread_of_voters": asdict(row.panel_spread),
        "intervals": row.intervals,
        "against_best": None if row.behind is None else asdict(row.behind),
        "against_best_intervals": row.behind_intervals,
        "exemplars_mean": asdict(row.exemplars_mean),
        "reads": None if first.reads is None else [in_words_read(name) for name in first.reads],
        "times_difficulty": first.multiplies,
        "selection": first.selection,
        "epochs": first.epochs,
        "epoch": [entry.epoch for entry in row.entries],
        "parameters": first.parameters,
        "seconds": mean_of(row, "seconds"),
        "test_dives_a_second": mean_of(row, "clips_per_second"),
        "version": first.version,
        "commands": commands(row),
        "folders": [str(entry.folder) for entry in row.entries],
    }


def _is_best(row: Row, section: Section) -> bool:
    return section.best is not None and row is section.rows[section.best]


def write_leaderboard_csv(path: Path, leaderboard: Leaderboard) -> Path:
    """Write a row a method, whole or not at all; every row says its packed file and protocol."""
    rows = [
        {"packed": board["packed"], "digest": board["digest"], "pairing": section["pairing"], **_flat(row)}
        for board in values_of(leaderboard)["boards"]
        for section in board["sections"]
        for row in section["rows"]
    ]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return write_csv(path, columns, ([row.get(c, "") for c in columns] for row in rows))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row's values, one a cell: ``rho``, ``rho_spread``, ``rho_low``, ``rho_against_best_low``."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if key in ("mean", "spread", "spread_of_voters", "against_best", "exemplars_mean"):
            ending = "" if key == "mean" else f"_{key}"
            flat |= {f"{name}{ending}": (value or {}).get(name) for name in NAMES}
        elif key in ("intervals", "against_best_intervals"):
            ending = key.removesuffix("intervals").rstrip("_")
            for name in SAMPLED:
                low, high = (value or {}).get(name, (None, None))
                begin = "_".join(filter(None, [name, ending]))
                flat |= {f"{begin}_low": low, f"{begin}_high": high}
        else:
            flat[key] = "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
    return {key: "" if value is None else value for key, value in flat.items()}


def write_markdown(path: Path, leaderboard: Leaderboard) -> Path:
    """Write a leaderboard as a page of Markdown, whole or not at all."""
    return _write(path, "\n".join(_markdown(leaderboard)) + "\n")


def _markdown(leaderboard: Leaderboard) -> Iterator[str]:
    for line in warnings(leaderboard):
        yield f"**{line}**\n"
    for board in leaderboard.boards:
        yield f"## {heading(board)}\n"
        for section in board.sections:
            yield f"### {protocol(section)}\n"
            for _, grid in grids_of(section):
                yield from _markdown_table(grid)
            yield f"**{_plain(verdict(section))}**\n"
            yield from (f"- {_plain(line)}" for line in notes(section))
            typed = [(name_of(row), command) for row in section.rows for command in commands(row)]
            if typed:
                yield "\nMade with:\n\n```"
                yield from (command for _, command in typed)
                yield "```\n"
        if floor := floor_of(board):
            yield f"\n### Floor\n\n{FLOOR}\n"
            yield from _markdown_table(floor)
    yield from (f"- {line}" for line in HOW)
    yield from (f"- Left out: {_plain(line)}" for line in leaderboard.left_out)
    yield f"\n## Published\n\n{PUBLISHED}\n"
    yield from _markdown_table(published_grid())


def _markdown_table(grid: Grid) -> Iterator[str]:
    yield _markdown_row(grid.columns)
    yield _markdown_row("---" if title in WORDS else "---:" for title in grid.columns)
    for n, row in enumerate(grid.rows):
        cells = [_plain(cell) for cell in row]
        yield _markdown_row((f"**{cell}**" if cell else "" for cell in cells) if n in grid.strong else cells)
    yield ""


def _markdown_row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    for sign in "\\`*_|<>[]":
        text = text.replace(sign, f"\\{sign}")
    return text


_LONG = {"source": "p{6cm}", "run by": "p{3cm}"}
"""Columns whose text is broken into lines."""
_FITTED = r"\noindent\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


def write_latex(path: Path, leaderboard: Leaderboard) -> Path:
    """Write tables to be taken into a paper, with booktabs' rules, whole or not at all."""
    return _write(path, "\n".join(_latex(leaderboard)) + "\n")


def _latex(leaderboard: Leaderboard) -> Iterator[str]:
    yield r"% Needs \usepackage{booktabs} and \usepackage{graphicx}. Wide tables are made smaller."
    for line in warnings(leaderboard):
        yield f"% {line}"
    for board in leaderboard.boards:
        for section in board.sections:
            for line in (heading(board), protocol(section), verdict(section), *notes(section)):
                yield f"% {line}"
            for _, grid in grids_of(section):
                yield _latex_table(grid)
        if floor := floor_of(board):
            yield f"% {FLOOR}"
            yield _latex_table(floor)
    for line in (*HOW, PUBLISHED):
        yield f"% {line}"
    yield _latex_table(published_grid())


def _latex_table(grid: Grid) -> str:
    """A ``tabular``; pandas escapes what LaTeX would take for its own."""
    from pandas import DataFrame

    frame = DataFrame([list(row) for row in grid.rows], columns=list(grid.columns))
    style = frame.style
    style.hide(axis="index")
    style.apply(lambda row: ["font-weight: bold" * (row.name in grid.strong)] * len(row), axis=1)
    style.format(escape="latex")
    style.format_index(escape="latex", axis="columns")
    form = "".join(_LONG.get(title, "l" if title in WORDS else "r") for title in grid.columns)
    text = style.to_latex(hrules=True, column_format=form, convert_css=True)
    for sign, written in (("±", r"$\pm$"), ("−", "$-$"), ("–", "--"), ("²", "$^2$")):
        text = text.replace(sign, written)
    return f"{_FITTED}\n{text}}}\\par\\medskip\n"


def _write(path: Path, text: str) -> Path:
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


WRITERS: dict[str, Callable[[Path, Leaderboard], Path]] = {
    "csv": write_leaderboard_csv,
    "markdown": write_markdown,
    "latex": write_latex,
}
"""What writes a leaderboard into a file, by the name of the format."""
