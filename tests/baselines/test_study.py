"""Means and spreads of trainings, without training any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baselines.study import COMMON, Member, gather, is_study, read_metrics, read_plan
from baselines.wording import METRICS, differs, how_made, number
from finediving_pose.errors import UsageError


def result(rho: float | None, l2: float = 90.0, **fields: Any) -> dict[str, Any]:
    made = dict.fromkeys(COMMON, "x") | dict.fromkeys(METRICS, 0.5)
    return (
        made
        | {"rho": rho, "l2": l2, "epoch": 3, "parameters": 7, "seconds": 1.5, "exemplar_mean": {"rho": 0.4}}
        | fields
    )


def test_spread_is_the_standard_deviation_over_seeds() -> None:
    members = [Member(f"seed-{s}", s) for s in range(3)]
    study = gather(members, [result(0.7), result(0.8), result(0.9)])
    assert study["mean"]["rho"] == pytest.approx(0.8)
    assert study["spread"]["rho"] == pytest.approx(0.1)
    assert study["exemplar_mean"]["rho"] == pytest.approx(0.4)
    assert study["seeds"] == [0, 1, 2]
    assert study["seconds"] == 4.5


def test_a_single_seed_has_no_spread_and_no_number_is_left_out_of_a_mean() -> None:
    study = gather([Member("seed-0", 0)], [result(0.7)])
    assert study["spread"]["rho"] is None
    study = gather([Member("seed-0", 0), Member("seed-1", 1)], [result(None), result(0.6)])
    assert study["mean"]["rho"] == pytest.approx(0.6)


def test_a_part_is_compared_with_the_whole_model_of_the_same_seed() -> None:
    members = [Member(str(s) + (p or ""), s, p) for p in (None, "fusion") for s in (4, 5)]
    study = gather(members, [result(0.8), result(0.6), result(0.7), result(None, 80.0)])
    (row,) = study["ablation"]
    assert row["without"] == "fusion"
    assert row["difference"]["rho"] == pytest.approx(-0.1), "seed 5 has no number, so seed 4 speaks alone"
    assert row["difference"]["l2"] == pytest.approx(-5.0)


def test_a_folder_without_a_plan_is_no_study(tmp_path: Path) -> None:
    assert not is_study(tmp_path)
    assert read_metrics(tmp_path) is None
    with pytest.raises(UsageError, match="no study"):
        read_plan(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps([{"run": "seed-0", "seed": 0, "colour": "red"}]))
    with pytest.raises(UsageError, match="no study"):
        read_plan(tmp_path)


def test_every_figure_says_seed_batch_and_epoch() -> None:
    one = {"seed": 3, "batch_size": 8, "epochs": 201, "epoch": 35, "selection": "best rho on validation videos"}
    assert how_made(one) == "seed 3; batches of 8; 201 epochs, best rho on validation videos (epoch 35)"
    many = {"seeds": [0, 1], "batch_size": 8, "epochs": 20, "selection": "last epoch"}
    assert how_made(many) == "seeds 0, 1; batches of 8; 20 epochs, last epoch"


def test_figures_in_words() -> None:
    assert (number(None, 2), number(0.12345, 3)) == ("n/a", "0.123")
    assert (differs(None, 1), differs(-0.04, 1), differs(0.04, 1), differs(-2.06, 1)) == ("n/a", "0.0", "0.0", "−2.1")
