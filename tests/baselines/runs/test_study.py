"""Means and spreads of trainings, without training any."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from baselines.registry import find_method
from baselines.report.wording import differs, how_made, number
from baselines.runs.figures import Figures
from baselines.runs.results import Conditions, RunMetrics, is_finished, read_run, row_name, write_metrics
from baselines.runs.study import ALL_PARTS, Member, gather, is_study, plan_study, read_plan
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

MADE = Conditions(
    method="some", title="Some", preset="demo", without=(), n_train=8, n_test=4, batch_size=8, epochs=3,
    selection="last epoch", target="score", pairing="number", votes=10, voters="panel", packed="a.h5", digest="0",
    weights={}, left_out={},
)  # fmt: skip


def result(rho: float | None, l2: float = 90.0) -> RunMetrics:
    return RunMetrics(
        made=MADE, seed=0, figures=Figures(rho=rho, l2=l2), intervals={}, exemplars_mean=Figures(rho=0.4),
        matched_by_difficulty=0, parameters=7, seconds=1.5, epoch=3, history=[],
    )  # fmt: skip


def test_spread_is_the_standard_deviation_over_seeds() -> None:
    members = [Member(f"seed-{s}", s) for s in range(3)]
    study = gather(members, [result(0.7), result(0.8), result(0.9)])
    assert study.mean.rho == pytest.approx(0.8)
    assert study.spread.rho == pytest.approx(0.1)
    assert study.exemplars_mean.rho == pytest.approx(0.4)
    assert study.seeds == (0, 1, 2)
    assert study.seconds == 4.5


def test_a_single_seed_has_no_spread_and_no_number_is_left_out_of_a_mean() -> None:
    study = gather([Member("seed-0", 0)], [result(0.7)])
    assert study.spread.rho is None
    study = gather([Member("seed-0", 0), Member("seed-1", 1)], [result(None), result(0.6)])
    assert study.mean.rho == pytest.approx(0.6)


def test_a_part_is_compared_with_the_whole_model_of_the_same_seed() -> None:
    members = [Member(str(s) + (p or ""), s, p) for p in (None, "fusion") for s in (4, 5)]
    study = gather(members, [result(0.8), result(0.6), result(0.7), result(None, 80.0)])
    (row,) = study.ablation
    assert row.without == "fusion"
    assert row.difference.rho == pytest.approx(-0.1), "seed 5 has no number, so seed 4 speaks alone"
    assert row.difference.l2 == pytest.approx(-5.0)


def test_a_folder_without_a_plan_is_not_a_study(tmp_path: Path) -> None:
    assert not is_study(tmp_path)
    assert not is_finished(tmp_path)
    with pytest.raises(UsageError, match="not a study"):
        read_plan(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps([{"run": "seed-0", "seed": 0, "colour": "red"}]))
    with pytest.raises(UsageError, match="not a study"):
        read_plan(tmp_path)


def test_metrics_are_read_back_and_a_foreign_key_is_named(tmp_path: Path) -> None:
    metrics = result(0.7)
    write_metrics(tmp_path, metrics)
    assert read_run(tmp_path) == metrics
    content = json.loads((tmp_path / "metrics.json").read_text())
    (tmp_path / "metrics.json").write_text(json.dumps({**content, "colour": "red"}))
    with pytest.raises(UsageError, match=r"metrics\.json: colour"):
        read_run(tmp_path)


def test_every_figure_says_seed_batch_and_epoch() -> None:
    one = replace(MADE, epochs=201, selection="best rho on validation videos")
    assert (
        how_made(one, [3], 35)
        == "with dive number; seed 3; batches of 8; 201 epochs, best rho on validation videos (epoch 35)"
    )
    assert (
        how_made(replace(MADE, epochs=20), [0, 1])
        == "with dive number; seeds 0, 1; batches of 8; 20 epochs, last epoch"
    )
    assert row_name(replace(MADE, without=("skeleton",))) == "Some (demo, without skeleton)"


def test_figures_in_words() -> None:
    assert (number(None, 2), number(0.12345, 3)) == ("", "0.123")
    assert (differs(None, 1), differs(-0.04, 1), differs(0.04, 1), differs(-2.06, 1)) == ("", "0.0", "0.0", "−2.1")


def test_all_parts_are_those_that_a_network_of_these_settings_has(made_up: Workspace) -> None:
    hpmcr = find_method("hpmcr")
    with_prior, without = (
        {m.without for m, _ in plan_study(made_up, hpmcr, "demo", [0], [ALL_PARTS], changes={"model.prior": prior})}
        for prior in (True, False)
    )
    assert with_prior - without == {"splash"}
    with pytest.raises(UsageError, match="HPMCR has no part 'splash' with these settings; there are skeleton"):
        plan_study(made_up, hpmcr, "demo", [0], ["splash"], changes={"model.prior": False})


def test_a_method_in_one_piece_has_nothing_to_leave_out(made_up: Workspace) -> None:
    with pytest.raises(UsageError, match="has no parts that can be left out"):
        plan_study(made_up, find_method("difficulty"), "demo", [0], [ALL_PARTS])
