"""A leaderboard in words: what is said beside the figures, and the same in every file."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from baselines.report.leaderboard import (
    chosen_epoch,
    commands,
    duration,
    errors_of,
    heading,
    making_of,
    notes,
    published_grid,
    ranks_of,
    verdict,
    warnings,
)
from baselines.report.leaderboard_files import values_of, write_latex, write_leaderboard_csv, write_markdown
from baselines.report.leaderboard_page import ShownSection, write_leaderboard_page
from baselines.report.tables import show_leaderboard
from baselines.runs.figures import Figures
from baselines.runs.leaderboard import Board, Leaderboard, Section, make_leaderboard
from baselines.runs.results import SELECTIONS
from tests.baselines.small_board import DIVES, entry

PANELS = tuple(Figures(rho=0.9 + n / 1000) for n in range(5))


def board_of(folder: Path, *rows: tuple[str, tuple[int | None, ...], float, dict[str, Any]]) -> Leaderboard:
    return make_leaderboard([entry(folder, n, seed, noise, **f) for n, seeds, noise, f in rows for seed in seeds])


def section_of(leaderboard: Leaderboard) -> Section:
    return leaderboard.boards[0].sections[0]


@pytest.fixture
def leaderboard(tmp_path: Path) -> Leaderboard:
    """A clear winner, a second, one trained once, one chosen on test, one of another program."""
    full = {"panels": PANELS, "parameters": 1234567, "seconds": 130.0, "clips_per_second": 20.0, "n_train": 100}
    other = {"external": True, "reads": None, "multiplies": None, "epochs": None, "selection": None}
    return board_of(
        tmp_path,
        ("First", (0, 1, 2), 1.0, {**full, "command": "fdpose benchmark first --preset demo"}),
        ("Second", (0, 1), 9.0, {**full, "multiplies": True, "panels": ()}),
        ("Once", (3,), 40.0, {**full, "epochs": 30}),
        ("Chosen", (0, 1), 0.1, {**full, "selection": SELECTIONS["test"]}),
        ("Mine", (None,), 15.0, other),
    )


def column(grid: Any, title: str) -> list[str]:
    return [row[grid.columns.index(title)] for row in grid.rows]


def test_ranks_show_spreads_intervals_and_differences(leaderboard: Leaderboard) -> None:
    section = section_of(leaderboard)
    grid = ranks_of(section)
    assert column(grid, "") == ["First", "Second", "Mine [another program]", "Once", "Chosen [chosen on test]"]
    assert column(grid, "trainings") == ["3", "2", "1", "1", "2"]
    rho = column(grid, "rho ± seeds")
    assert re.fullmatch(r"0\.\d{4} ± 0\.\d{4}", rho[0])
    assert re.fullmatch(r"0\.\d{4}", rho[3]), "one training has no spread, not one of 0"
    assert column(grid, "± voters") == ["± 0.0016", "–", "", "± 0.0016", "± 0.0016"]
    best = column(grid, "against the best")
    assert best[0] == "best" and best[4] == "not compared"
    assert all(re.fullmatch(r"−0\.\d{4} \(−0\.\d{3} to −0\.\d{3}\)", text) for text in best[1:4])
    assert grid.strong == {0}


def test_what_each_reads_and_takes(leaderboard: Leaderboard) -> None:
    grid = making_of(section_of(leaderboard))
    assert column(grid, "reads of a test dive") == ["pictures", "pictures", "not stated", "pictures", "pictures"]
    assert column(grid, "x difficulty") == ["no", "yes", "not stated", "no", "no"]
    assert column(grid, "epoch") == [
        "the last of 10", "the last of 10", "not stated", "the last of 30", "BEST ON THE TEST SPLIT, of 10",
    ]  # fmt: skip
    assert column(grid, "parameters")[:3] == ["1,234,567", "1,234,567", ""]
    assert column(grid, "training time")[0] == "0:02:10"
    assert column(grid, "dives/s")[0] == "20.0"


def test_columns_that_nobody_fills_are_left_out(leaderboard: Leaderboard) -> None:
    kept = errors_of(section_of(leaderboard)).columns
    assert kept == ("", "R-l2 x 100 ± seeds", "R-l2 against the best rho", "in order")


def test_notes_say_what_rows_do_not_share(leaderboard: Leaderboard) -> None:
    said = " ".join(notes(section_of(leaderboard)))
    assert "Trained once, so that no spread is known and intervals are of the test dives alone: Once." in said
    assert "Some rows multiply by the true difficulty" in said
    assert "Epochs are chosen in different ways" in said
    assert "Budgets differ" in said
    assert "Of another program's predictions only" in said
    assert "compared with nothing" in said


def test_rows_that_share_everything_need_no_notes(tmp_path: Path) -> None:
    board = board_of(tmp_path, ("A", (0, 1), 1.0, {}), ("B", (0, 1), 9.0, {}))
    assert list(notes(section_of(board))) == []
    assert list(warnings(board)) == []


def test_fewer_dives_and_other_versions_are_told(tmp_path: Path) -> None:
    fewer = {"dives": 40, "version": "0.2"}
    board = board_of(tmp_path, ("A", (0, 1), 1.0, {"version": "0.1"}), ("B", (0, 1), 9.0, fewer))
    said = " ".join(notes(section_of(board)))
    assert "different test dives" in said and f"A {DIVES}, B 40." in said
    assert "different versions of fdpose: 0.1, 0.2" in said


def test_panels_that_are_all_alike_are_no_small_spread(tmp_path: Path) -> None:
    board = board_of(tmp_path, ("A", (0, 1), 1.0, {"panels": (Figures(rho=0.9),) * 5}), ("B", (0, 1), 9.0, {}))
    assert "no dive has more exemplars than may vote" in " ".join(notes(section_of(board)))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("A", (0, 1), 1.0), ("B", (0, 1), 20.0)], "A is better than every other row, beyond the interval"),
        ([("A", (0, 1), 1.0)], "A stands alone"),
        ([("A", (0,), 1.0), ("B", (0, 1), 20.0)], "A has the highest rho, but was trained once"),
        ([("AA", (0, 1), 8.0), ("B", (0, 1), 8.0)], "can't be told from"),
        ([("AA", (0, 1), 8.0), ("B", (0, 1), 8.0), ("C", (0, 1), 60.0)], "it is better than the other 1 beyond"),
    ],
)
def test_the_verdict_is_no_stronger_than_the_figures(tmp_path: Path, rows: list[Any], says: str) -> None:
    assert says in verdict(section_of(board_of(tmp_path, *((*row, {}) for row in rows))))


def test_nothing_may_be_best_where_all_were_chosen_on_test(tmp_path: Path) -> None:
    board = board_of(tmp_path, ("A", (0, 1), 1.0, {"selection": SELECTIONS["test"]}))
    assert verdict(section_of(board)) == "No row may be called the best."


@pytest.mark.parametrize(
    ("errata", "says"),
    [
        (None, "was not noted"),
        ((0, 0), "no known errors in its labels"),
        ((75, 0), "errata applied (75 known errors in labels corrected)"),
        ((0, 75), "errata NOT applied (75 known errors in labels not corrected)"),
        ((2, 73), "errata NOT applied (73 known errors in labels not corrected, 2 are)"),
    ],
)
def test_the_heading_says_whether_errata_are_applied(errata: tuple[int, int] | None, says: str) -> None:
    said = heading(Board("d" * 64, "x/a.h5", 12, errata, ()))
    assert said.startswith("a.h5 (digest dddddddddddd), 12 test dives; ")
    assert said.endswith(says)


def test_several_files_and_protocols_are_warned_of(tmp_path: Path) -> None:
    board = board_of(
        tmp_path,
        ("A", (0, 1), 1.0, {}),
        ("A", (0, 1), 1.0, {"pairing": "random"}),
        ("A", (0, 1), 1.0, {"digest": "e" * 64, "packed": "b.h5"}),
    )
    lines = list(warnings(board))
    assert lines == [
        "2 packed files: figures on different files can't be compared.",
        "Several protocols: figures of one can't be compared with those of another.",
    ]
    for write in (write_markdown, write_latex, write_leaderboard_page):
        text = write(tmp_path / "board", board).read_text().replace("&#39;", "'")
        assert all(line in text for line in lines)


def test_commands_make_the_same_seeds(tmp_path: Path) -> None:
    fields = {"command": "fdpose benchmark a"}
    for seeds, typed in (
        ((0,), ["fdpose benchmark a"]),
        ((0, 1, 2), ["fdpose benchmark a --seeds 3"]),
        ((4, 5), ["fdpose benchmark a --seed 4 --seeds 2"]),
        ((1, 7), ["fdpose benchmark a --seed 1", "fdpose benchmark a --seed 7"]),
    ):
        assert commands(section_of(board_of(tmp_path, ("A", seeds, 1.0, fields))).rows[0]) == typed
    assert commands(section_of(board_of(tmp_path, ("B", (0,), 1.0, {}))).rows[0]) == []


def test_a_selection_of_another_version_is_shown_as_it_is(tmp_path: Path) -> None:
    (row,) = section_of(board_of(tmp_path, ("A", (0,), 1.0, {"selection": "best of {all} days"}))).rows
    assert chosen_epoch(row) == "best of {all} days, of 10"


def test_durations() -> None:
    assert [duration(s) for s in (None, 3.04, 59.9, 130, 90000)] == ["", "3.0 s", "59.9 s", "0:02:10", "1 day, 1:00:00"]


HOSTILE = "=<b>&|_%$\\[x](y)`"


def test_names_of_strangers_are_text_everywhere(tmp_path: Path) -> None:
    board = board_of(tmp_path, ("A", (0, 1), 1.0, {}), ("B", (None,), 9.0, {"external": True}))
    rows = tuple(replace(row, name=HOSTILE) if row.first.external else row for row in section_of(board).rows)
    section = replace(section_of(board), rows=rows)
    board = replace(board, boards=(replace(board.boards[0], sections=(section,)),))
    page = write_leaderboard_page(tmp_path / "a.html", board).read_text()
    assert "=&lt;b&gt;&amp;|" in page and "<b>&" not in page
    markdown = write_markdown(tmp_path / "a.md", board).read_text()
    assert r"=\<b\>&\|\_%$\\\[x\](y)\`" in markdown
    latex = write_latex(tmp_path / "a.tex", board).read_text()
    assert r"\&|\_\%\$\textbackslash" in latex
    with open(write_leaderboard_csv(tmp_path / "a.csv", board), newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["A", f"'{HOSTILE}"]
    assert HOSTILE in printed(board)


def printed(board: Leaderboard, columns: int = 200) -> str:
    with CliRunner(env={"COLUMNS": str(columns)}).isolation() as (out, *_):
        show_leaderboard(board)
        return out.getvalue().decode()


def test_the_same_figures_stand_in_every_file(leaderboard: Leaderboard, tmp_path: Path) -> None:
    section = section_of(leaderboard)
    texts = {
        "terminal": printed(leaderboard),
        "markdown": write_markdown(tmp_path / "a.md", leaderboard).read_text(),
        "html": write_leaderboard_page(tmp_path / "a.html", leaderboard).read_text(),
        "latex": write_latex(tmp_path / "a.tex", leaderboard).read_text().replace(r"$\pm$", "±").replace("$-$", "−"),
    }
    for grid in (ranks_of(section), errors_of(section), making_of(section)):
        for row in grid.rows:
            for cell in row[1:]:
                for name, text in texts.items():
                    assert cell.replace("–", "--") in text if name == "latex" else cell in text, (name, cell)
    assert "**First**" in texts["markdown"] and "**Second**" not in texts["markdown"]
    assert r"\bfseries First" in texts["latex"] and r"\bfseries Second" not in texts["latex"]
    assert texts["html"].count('<tr class="strong">') == 1, "in the table of ranks alone"


def test_csv_and_json_have_a_row_a_method_with_all_digits(leaderboard: Leaderboard, tmp_path: Path) -> None:
    with open(write_leaderboard_csv(tmp_path / "a.csv", leaderboard), newline="") as file:
        rows = list(csv.DictReader(file))
    values = json.loads(json.dumps(values_of(leaderboard)))["boards"][0]["sections"][0]["rows"]
    assert [r["name"] for r in rows] == [v["name"] for v in values] == ["First", "Second", "Mine", "Once", "Chosen"]
    for row, value in zip(rows, values, strict=True):
        assert float(row["rho"]) == value["mean"]["rho"]
        spread = value["spread"]["rho"]
        assert row["rho_spread"] == ("" if spread is None else str(spread))
        assert row["bold"] == str(value["bold"])
    assert rows[1]["rho_against_best_high"] == str(values[1]["against_best_intervals"]["rho"][1])
    assert (rows[2]["reads"], rows[0]["reads"]) == ("", "pictures")
    assert rows[0]["seeds"] == "0; 1; 2"
    assert rows[0]["commands"] == "fdpose benchmark first --preset demo --seeds 3"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_narrow_terminal_cuts_nothing_off(leaderboard: Leaderboard, columns: int) -> None:
    assert "…" not in printed(leaderboard, columns).partition("Published")[0]


def test_intervals_are_drawn_within_the_line(leaderboard: Leaderboard) -> None:
    shown = ShownSection(section_of(leaderboard))
    assert [span.name for span in shown.spans] == ["First", "Second", "Mine [another program]", "Once"]
    for span in shown.spans:
        assert 0 <= span.low <= span.at <= span.high <= 100
    assert shown.spans[0].at > shown.spans[1].at
    places = [at for at, _ in shown.ticks]
    assert places == sorted(places) and places[0] >= 0 and places[-1] <= 100 and len(places) >= 2
    assert shown.ends[1] + 0.05 >= 1.0


def test_the_page_is_one_file(leaderboard: Leaderboard, tmp_path: Path) -> None:
    page = write_leaderboard_page(tmp_path / "a.html", leaderboard).read_text()
    assert "<script" not in page and "src=" not in page and "<link" not in page and "@import" not in page
    assert f"{DIVES} test dives" in page
    assert "fdpose benchmark first --preset demo --seeds 3" in page


def test_published_figures_stand_apart_with_their_sources() -> None:
    grid = published_grid()
    by_protocol = [(row[0], row[1], row[2]) for row in grid.rows]
    assert len(by_protocol) == len(set(by_protocol))
    assert all(row[-1] and row[-2] for row in grid.rows)
    assert sum(row[0] == "USDL" and row[1] == "with" for row in grid.rows) == 3
