"""Each rule on what pictures show, on real JPEG files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from finediving_pose.workspace import Workspace
from tests.finediving_pose.validate.made_up_frames import assert_found, picture, put

OTHER_SCENE = np.full((54, 96, 3), (200, 60, 20), np.uint8) + np.arange(54, dtype=np.uint8)[:, None, None]


def turn_round(folder: Path) -> None:
    """The diver slows down, is still for two frames, and starts again: here paler, as if a pixel's edge moved."""
    still = picture(15)
    pale = np.where(still == (230, 180, 150), still - 14, still).astype(np.uint8)
    for numbers, rgb in (((14, 17), pale), ((15, 16), still)):
        put(rgb, *numbers)(folder)


DAMAGE = [
    ("frozen", put(picture(12), *range(12, 22)), {"frame.frozen": "the same for 10 frames from 00012.jpg"}),
    ("nine the same", put(picture(12), *range(12, 21)), {}),
    ("two shown twice", lambda f: (put(picture(15), 16, quality=85)(f), put(picture(19), 20, quality=85)(f)),
        {"frame.repeated": "2 pictures repeated in movement, first 00016.jpg"}),
    ("one shown twice", put(picture(15), 16, quality=85), {}),
    ("still for a moment", turn_round, {}),
    ("black", put(picture(12) // 255, 12), {"frame.blank": "1 blank picture; 00012.jpg is black"}),
    ("grey", put(np.full((54, 96, 3), 128, np.uint8), 10), {"frame.blank": "00010.jpg is of one colour"}),
    ("cut", put(OTHER_SCENE, *range(20, 25)), {"frame.cut": "1 camera cut, the clearest at 00020.jpg"}),
    ("pan", put(np.roll(picture(12), 24, 1), 12), {}),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "says"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
def test_a_picture_rule_says_what_is_wrong(
    workspace: Workspace, folder: Path, damage: Callable[[Path], object], says: dict[str, str]
) -> None:
    damage(folder)
    assert_found(workspace, says)
