"""Rows beside each other: what is compared, with what, and when a row may be called better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.runs.entries import Entry
from baselines.runs.figures import Figures, compute_figures
from baselines.runs.leaderboard import Board, Leaderboard, Section, make_leaderboard
from baselines.runs.results import SELECTIONS
from tests.baselines.small_board import entry


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """Makes entries of three seeds each: ``made(good=2.0, bad=20.0)``."""

    def make(seeds: Sequence[int] = (0, 1, 2), fields: dict[str, Any] | None = None, **noise: float) -> list[Entry]:
        return [entry(tmp_path, name, s, points, **(fields or {})) for name, points in noise.items() for s in seeds]

    return make


def only(leaderboard: Leaderboard) -> Section:
    (board,) = leaderboard.boards
    (section,) = board.sections
    return section


def test_a_row_is_all_trainings_that_differ_by_their_seed(made: Any) -> None:
    entries = made(good=2.0)
    (row,) = only(make_leaderboard(entries)).rows
    rhos = [e.figures.rho for e in entries]
    assert [e.seed for e in row.entries] == [0, 1, 2]
    assert row.mean.rho == pytest.approx(np.mean(rhos))
    assert row.spread.rho == pytest.approx(np.std(rhos, ddof=1))
    low, high = row.intervals["rho"]
    assert low is not None and high is not None and low < np.mean(rhos) < high


def test_the_best_is_proven_only_where_it_is_better_than_all_others_beyond_the_interval(made: Any) -> None:
    clear = only(make_leaderboard(made(good=1.0, middling=8.0, bad=20.0)))
    assert [row.name for row in clear.rows] == ["good", "middling", "bad"]
    assert clear.best == 0 and clear.proven and clear.rivals == []
    assert all(row.clearly_behind for row in clear.rows[1:])
    close = only(make_leaderboard(made(good=8.0, equal=8.0, bad=40.0)))
    assert not close.proven
    assert len(close.rivals) == 1 and close.rivals[0].name in ("good", "equal")


def test_a_difference_is_that_of_the_means_with_an_interval_around_it(made: Any) -> None:
    section = only(make_leaderboard(made(good=2.0, bad=15.0)))
    best, row = section.rows
    assert best.behind is None and row.behind is not None and row.behind_intervals is not None
    assert row.behind.rho == pytest.approx((row.mean.rho or 0) - (best.mean.rho or 0))
    low, high = row.behind_intervals["rho"]
    assert None not in (low, high, row.behind.rho)
    assert low < row.behind.rho < high < 0  # type: ignore[operator]
    assert row.behind_intervals["r_l2_x100"][0] > 0  # type: ignore[operator]


def test_one_seed_has_no_spread_and_proves_nothing(made: Any) -> None:
    section = only(make_leaderboard(made((0,), good=1.0) + made(bad=20.0)))
    assert section.rows[0].spread.rho is None
    assert section.rivals == [] and not section.proven


def test_what_has_nothing_to_train_needs_no_second_seed(made: Any) -> None:
    section = only(make_leaderboard(made((0,), {"epochs": 0}, good=1.0) + made(bad=20.0)))
    assert section.rows[0].spread.rho is None and section.proven


def test_a_row_alone_is_not_better_than_anything(made: Any) -> None:
    assert not only(make_leaderboard(made(good=1.0))).proven


def test_an_epoch_chosen_on_the_test_split_is_compared_with_nothing(made: Any) -> None:
    chosen = made((0, 1), {"selection": SELECTIONS["test"]}, best=0.1)
    section = only(make_leaderboard(chosen + made(good=5.0, bad=20.0)))
    assert [row.name for row in section.rows] == ["good", "bad", "best"], "it stands last, whatever its figure"
    assert section.best == 0
    assert section.rows[-1].behind is None and section.rows[-1].intervals == {}


def test_fewer_dives_are_compared_on_those_that_both_scored(made: Any) -> None:
    section = only(make_leaderboard(made((0, 1), {"dives": 40}, part=0.1) + made((0, 1), good=5.0)))
    part = next(row for row in section.rows if row.name == "part")
    assert section.rows[section.best or 0].name == "good"
    assert not part.whole and part.behind is not None
    good = next(row for row in section.rows if row.name == "good")
    on_part = [compute_figures(e.predictions[:40]).rho or 0 for e in good.entries]
    assert part.behind.rho == pytest.approx((part.mean.rho or 0) - np.mean(on_part))


def without(entry: Entry, n: int) -> Entry:
    """The same without its n-th dive, as where a method can't read it."""
    return replace(entry, predictions=[p for p in entry.predictions if p.dive.index != n])


def test_methods_that_each_leave_out_another_dive_are_compared(made: Any) -> None:
    entries = [without(e, 3) for e in made((0, 1), good=2.0)] + [without(e, 5) for e in made((0, 1), bad=15.0)]
    section = only(make_leaderboard(entries))
    assert section.best == 0 and section.rows[0].name == "good"
    assert section.rows[1].clearly_behind and section.proven


@pytest.mark.parametrize("dives", [1, 2])
def test_a_row_of_next_to_no_dives_is_shown_and_not_compared(made: Any, dives: int) -> None:
    section = only(make_leaderboard(made((0, 1), {"dives": dives}, few=2.0) + made((0, 1), good=5.0)))
    few = next(row for row in section.rows if row.name == "few")
    assert few.behind is None and few.intervals["rho"] == (None, None)
    assert not section.proven


def boards_of(*entries: list[Entry]) -> tuple[Board, ...]:
    return make_leaderboard([e for group in entries for e in group]).boards


def test_files_and_protocols_are_never_mixed(made: Any) -> None:
    first, second = boards_of(
        made(good=2.0, bad=9.0),
        made(fields={"pairing": "random"}, good=3.0),
        made(fields={"digest": "e" * 64, "packed": "b.h5"}, good=4.0),
    )
    assert (first.packed, second.packed) == ("a.h5", "b.h5")
    assert [s.pairing for s in first.sections] == ["number", "random"]
    assert [len(s.rows) for s in first.sections] == [2, 1]
    assert all(row.behind is None for row in (*first.sections[1].rows, *second.sections[0].rows))


def test_the_same_seed_again_counts_once_and_is_told(made: Any, tmp_path: Path) -> None:
    entries = made(good=2.0)
    other = tmp_path / "again"
    other.mkdir()
    again = entry(other, "good", 0, 9.0)
    leaderboard = make_leaderboard([*entries, again])
    (row,) = only(leaderboard).rows
    assert [e.seed for e in row.entries] == [0, 1, 2]
    (said,) = leaderboard.left_out
    assert "seed 0 of good is there again" in said


def test_the_same_predictions_of_another_program_count_once(made: Any, tmp_path: Path) -> None:
    fields = {"external": True, "epochs": None, "selection": None}
    folder = tmp_path / "copy"
    folder.mkdir()
    copies = [entry(place, "mine", None, 3.0, **fields) for place in (tmp_path, folder)]
    leaderboard = make_leaderboard(copies)
    (row,) = only(leaderboard).rows
    assert len(row.entries) == 1 and row.spread.rho is None
    assert "the same predictions of mine" in leaderboard.left_out[0]


def test_settings_that_all_rows_share_are_told_once(made: Any) -> None:
    shared, own = {"training.epochs": 3}, {"training.epochs": 3, "optimiser.lr": 0.1}
    section = only(
        make_leaderboard(made(fields={"changes": shared}, good=2.0) + made(fields={"changes": own}, bad=9.0))
    )
    assert section.shared == shared
    assert [row.name for row in section.rows] == ["good", "bad, optimiser.lr=0.1"]


def test_rows_of_one_name_are_numbered(made: Any) -> None:
    section = only(make_leaderboard(made(good=2.0) + made(fields={"key": "older"}, good=2.5)))
    assert sorted(row.name for row in section.rows) == ["good, 1", "good, 2"]


def test_the_spread_of_voters_is_the_mean_over_trainings(made: Any) -> None:
    entries = made((0,), {"panels": (Figures(rho=0.8), Figures(rho=0.9))}, good=2.0)
    entries += made((1,), {"panels": (Figures(rho=0.8), Figures(rho=0.8))}, good=2.0)
    (row,) = only(make_leaderboard(entries)).rows
    assert row.panel_spread.rho == pytest.approx(np.std([0.8, 0.9], ddof=1) / 2)
