"""Faults that were told, beside the true ones."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from baselines.scorer.against_truth import compare_faults, figures_in_lines, read_true_faults
from baselines.scorer.faults import Fault
from baselines.scorer.run import ScoredDive
from finediving_pose.clip import ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.synth.faults import COST

TRUE = [0.0, -10.0, 4.0, 6.0, 20.0]
TOLD = [1.0, 11.0, None, 5.0, -18.0]


def _dive(index: int, rotation: float | None) -> ScoredDive:
    fault = Fault("rotation_deg", "rotation", "°", rotation, None, "estimated" if rotation is not None else "", "")
    score: Any = SimpleNamespace(clip=SimpleNamespace(key=ClipKey("meet", index)))
    return ScoredDive(cast(Any, score), (fault,))


def _truth(rotation: list[float]) -> dict[str, dict[str, float]]:
    return {f"meet/{i}": dict.fromkeys(COST, 0.0) | {"rotation": r} for i, r in enumerate(rotation)}


def test_sizes_are_compared_without_signs_where_the_fault_is_and_was_told() -> None:
    rotation, *others = compare_faults([_dive(i, r) for i, r in enumerate(TOLD)], _truth(TRUE))
    assert (rotation.name, rotation.dives, rotation.told, rotation.source) == ("rotation_deg", 4, 3, "estimated")
    assert rotation.correlation == pytest.approx(np.corrcoef([11, 5, 18], [10, 6, 20])[0, 1], abs=1e-4)
    assert rotation.correlation_all == pytest.approx(np.corrcoef([1, 11, 5, 18], [0, 10, 6, 20])[0, 1], abs=1e-4)
    assert rotation.median_error == 1.0
    assert [f.told for f in others] == [0] * 8 and all(f.as_dict()["correlation"] is None for f in others)


def test_a_dive_without_truth_is_left_out() -> None:
    figures = compare_faults([_dive(0, 1.0), _dive(9, 1.0)], _truth(TRUE))
    assert figures[0].dives == 0 and figures[0].told == 0


def test_the_table_says_of_how_many_and_how() -> None:
    head, first, *_, note = figures_in_lines(compare_faults([_dive(i, r) for i, r in enumerate(TOLD)], _truth(TRUE)))
    assert head.split()[:2] == ["fault", "told"]
    assert "3 of 4" in first and "estimated" in first and "1.00 °" in first
    assert "over all" in note


def test_the_truth_is_read_and_another_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "dives.json"
    file.write_text(json.dumps({"dives": [{"video": "meet", "index": 0, "faults": dict.fromkeys(COST, 1)}]}))
    assert read_true_faults(file) == {"meet/0": dict.fromkeys(COST, 1.0)}
    file.write_text(json.dumps({"dives": [{"video": "meet"}]}))
    with pytest.raises(LabelError, match=r"dives.json: no dives with faults .*truth/dives.json of fdpose synth"):
        read_true_faults(file)
