"""Sizes of splashes, from the authors' masks and from a synthetic competition's truth."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from baselines.data.splash import UNKNOWN, read_splashes, splash_size
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.synth.camera import HEIGHT, WIDTH


def write_masks(folder: Path, masks: object) -> None:
    (folder / "final").mkdir(parents=True, exist_ok=True)
    (folder / "final" / "3.pkl").write_bytes(pickle.dumps({"splash": 1, "splash_pred_masks": masks}))


def test_a_splash_is_the_trapezoid_sum_of_its_areas() -> None:
    assert splash_size([10, 30, 20], 100) == pytest.approx(5 * (20 + 25) / (100 * 3))
    assert splash_size([], 100) == UNKNOWN


def test_the_authors_masks_are_read(tmp_path: Path) -> None:
    small, large = np.zeros((112, 112), bool), np.ones((112, 112), bool)
    small[:56] = True
    write_masks(tmp_path, [None, small, large, None])
    assert read_splashes(tmp_path) == {"final/3": pytest.approx(5 * 0.75 / 2)}
    write_masks(tmp_path, [None, None])
    assert read_splashes(tmp_path) == {"final/3": UNKNOWN}


def test_the_truth_of_a_synthetic_competition_is_read(tmp_path: Path) -> None:
    file = tmp_path / "dives.json"
    whole = WIDTH * HEIGHT
    file.write_text(json.dumps({"dives": [{"video": "a", "index": 0, "splash_area": [0, whole, whole, 0]}]}))
    assert read_splashes(file) == {"a/0": pytest.approx(2.5)}


@pytest.mark.parametrize("masks", ["nothing", None, [np.zeros((2, 2)), np.zeros((3, 3))]])
def test_what_holds_no_masks_is_said(tmp_path: Path, masks: object) -> None:
    write_masks(tmp_path, masks)
    with pytest.raises(LabelError, match=r"3\.pkl"):
        read_splashes(tmp_path)


def test_no_splashes_are_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no splashes"):
        read_splashes(tmp_path / "absent")
