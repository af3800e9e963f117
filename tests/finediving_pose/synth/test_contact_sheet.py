from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from finediving_pose.synth.contact_sheet import MOMENTS, TILE, contact_sheet, write_contact_sheet

pytestmark = pytest.mark.slow


def test_a_sheet_has_a_strip_of_different_moments_for_every_dive() -> None:
    sheet = contact_sheet(dives=3, seed=2, abreast=2)
    assert sheet.shape == (2 * TILE[1], 2 * MOMENTS * TILE[0], 3) and sheet.dtype == np.uint8
    tiles = sheet.reshape(2, TILE[1], 2 * MOMENTS, TILE[0], 3).transpose(0, 2, 1, 3, 4).reshape(-1, *TILE[::-1], 3)
    made, empty = tiles[: 3 * MOMENTS], tiles[3 * MOMENTS :]
    assert not empty.any() and all(tile.std() > 5 for tile in made)
    assert all((a != b).mean() > 0.2 for a, b in pairwise(made))


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_contact_sheet(tmp_path / name, dives=1, seed=4)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    sheet = cv2.imread(str(tmp_path / "a.jpg"))
    assert sheet is not None
    assert sheet.shape[1] == 2 * MOMENTS * TILE[0]
