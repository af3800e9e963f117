"""Corrections carried over to the frame beside, as the page computes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from finediving_pose.skeleton import FLIP
from tests.annotate.made_up import BASE
from tests.browser.pages import Page, Pages
from tests.browser.served import Served

KNEE, ELBOW, THORAX = 4, 11, 7
HIDDEN, VISIBLE = 1, 2
DELETED = [None, None, 0, "hand"]
Entries = dict[int, dict[int, list[Any]]]


@pytest.fixture
def page(start: Callable[..., Served], pages: Pages) -> Page:
    return pages.open(start().address)


def turned() -> np.ndarray:
    """The machine's joints (3, 16, 2) of a body that turns by a right angle from frame to frame."""
    poses = [BASE]
    for _ in range(2):
        x, y = poses[-1].T
        poses.append(np.stack([100 - y, x], axis=-1))
    return np.stack(poses)


def rows_of(machine: np.ndarray, person: int) -> list[dict[str, Any]]:
    joints = [[[*j, VISIBLE, 0.9] if np.isfinite(j).all() else None for j in pose.tolist()] for pose in machine]
    return [{"frame": f, "person": person, "joints": pose} for f, pose in enumerate(joints)]


def carried(
    page: Page, machine: np.ndarray, entries: Entries, frame: int = 1, partner: np.ndarray | None = None
) -> dict[str, Any]:
    """What ``carry.js`` gives for a clip of these poses, NaN where absent, and these joints of the person's."""
    rows = [*rows_of(machine, 0), *([] if partner is None else rows_of(partner, 1))]
    said = {"person": 0, "state": None, "note": "", "version": ""}
    own = [{"frame": f, "joints": [placed.get(j) for j in range(16)], **said} for f, placed in entries.items()]
    info = {"frames": list(range(len(machine))), "machine": rows, "entries": own, "before": []}
    return page.page.evaluate(
        f"""async () => {{
          const {{ Clip }} = await import("/static/poses.js"), {{ carried }} = await import("/static/carry.js");
          return carried(new Clip({json.dumps(info)}), {frame}, 0, {json.dumps(FLIP)});
        }}"""
    )


def test_a_correction_turns_with_the_trunk(page: Page) -> None:
    """As it was seen there; joints that the person did not place are left to the machine."""
    machine = turned()
    x, y = machine[0, ELBOW]
    found = carried(page, machine, {0: {ELBOW: [x + 4, y, HIDDEN, "hand"]}})
    assert found["from"] == 0
    assert [j for j, joint in enumerate(found["joints"]) if joint] == [ELBOW]
    *place, seen, by = found["joints"][ELBOW]
    assert place == pytest.approx(machine[1, ELBOW] + (0, 4), abs=0.02)
    assert (seen, by) == (HIDDEN, "between")


def test_the_frame_before_counts_and_else_the_one_after(page: Page) -> None:
    placed = {KNEE: [1, 2, VISIBLE, "hand"]}
    assert carried(page, turned(), {0: placed, 2: placed})["from"] == 0
    assert carried(page, turned(), {2: placed})["from"] == 2
    assert "placed no joints" in carried(page, turned(), {})["why"]


def test_what_is_deleted_there_is_deleted_and_what_is_placed_here_stays(page: Page) -> None:
    mine = [7, 7, VISIBLE, "hand"]
    found = carried(page, turned(), {0: {KNEE: DELETED, ELBOW: [1, 2, VISIBLE, "hand"]}, 1: {ELBOW: mine}})
    assert found["joints"][KNEE] == DELETED
    assert found["joints"][ELBOW] == mine


def test_sides_that_were_changed_there_change_here(page: Page) -> None:
    """As they are here, by the machine; not by the way from one side to the other there."""
    machine = turned()
    other = machine[0, FLIP[ELBOW]].tolist()
    found = carried(page, machine, {0: {ELBOW: [*other, VISIBLE, "machine", 0.9]}})
    *place, seen, by, sure = found["joints"][ELBOW]
    assert place == pytest.approx(machine[1, FLIP[ELBOW]], abs=0.01)
    assert (seen, by, sure) == (VISIBLE, "machine", 0.9)


def test_divers_that_were_exchanged_there_are_exchanged_here(page: Page) -> None:
    """The machine's joints of the other diver, on the side that was taken there."""
    machine, other = turned().round(2), (turned() + 40).round(2)
    placed = {j: [*other[0, j].tolist(), VISIBLE, "machine", 0.9] for j in (KNEE, THORAX)}
    placed[ELBOW] = [*other[0, FLIP[ELBOW]].tolist(), VISIBLE, "machine", 0.9]
    found = carried(page, machine, {0: placed}, partner=other)
    for j, of in ((KNEE, KNEE), (THORAX, THORAX), (ELBOW, FLIP[ELBOW])):
        assert found["joints"][j] == [*other[1, of].tolist(), VISIBLE, "machine", 0.9]


def test_without_the_machines_trunk_nothing_is_carried_over(page: Page) -> None:
    machine = turned()
    machine[0, THORAX] = np.nan
    found = carried(page, machine, {0: {ELBOW: [1, 2, VISIBLE, "hand"]}})
    assert found["why"] == "no joint of frame 0 can be carried over"


def test_where_the_machine_saw_nobody_the_pose_of_the_frame_before_is_taken(page: Page) -> None:
    machine = turned()
    machine[1:] = np.nan
    found = carried(page, machine, {0: {KNEE: [1, 2, VISIBLE, "hand"]}})
    assert found["joints"][KNEE] == [1, 2, VISIBLE, "between"]
    assert found["joints"][ELBOW][:2] == pytest.approx(machine[0, ELBOW], abs=0.01)
    assert carried(page, machine, {}, frame=2)["why"] == "there is no pose in the frame before"
