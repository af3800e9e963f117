"""What the mouse moves: a joint, what goes along with it, the joint beneath, the whole pose."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.pages import Page

WRIST, ELBOW = 10, 11


def dragged(page: Page, joint: int, by: tuple[float, float], *keys: str, button: str = "left") -> np.ndarray:
    """Drag a joint under keys; how far each joint went, float (16, 2)."""
    before = page.pose()
    for key in keys:
        page.page.keyboard.down(key)
    page.drag((before[joint][0], before[joint][1]), (before[joint][0] + by[0], before[joint][1] + by[1]), button)
    for key in keys:
        page.page.keyboard.up(key)
    return page.pose() - before


@pytest.mark.parametrize(
    ("joint", "keys", "along"),
    [
        (14, ("Control",), {15: 1.0}),
        (14, ("Control", "Shift"), {11: 1.0}),
        (15, ("Control",), {14: 0.5}),
        (0, ("Control",), {1: 0.5}),
    ],
    ids=["elbow, limb", "elbow, both sides", "wrist, limb", "ankle, limb"],
)
def test_ctrl_drag_takes_the_limb_along_and_ctrl_shift_the_other_side(page: Page, joint, keys, along) -> None:
    """What is farther out goes as far; of a hand or foot, the elbow or knee goes half as far."""
    before = page.pose()
    page.asks(f"(review.chosen = {joint}, null)")
    went = dragged(page, joint, (6, -4), *keys)
    for other, share in {joint: 1.0, **along}.items():
        assert np.allclose(went[other], (6 * share, -4 * share), atol=0.1)
    assert np.flatnonzero(np.abs(went).max(1) > 0.05).tolist() == sorted([joint, *along])
    page.keys("z")
    assert np.allclose(page.pose(), before, atol=0.01)


def test_the_right_button_takes_the_joint_beneath_as_the_page_says_before(page: Page) -> None:
    wrist, elbow = page.pose()[[WRIST, ELBOW]]
    page.asks(f"(review.chosen = {WRIST}, null)")
    page.drag((wrist[0], wrist[1]), (elbow[0], elbow[1]))
    x, y = page.on_screen(*elbow)
    page.page.mouse.move(x + 3, y)
    page.page.mouse.move(x, y)
    assert page.asks("review.hovered") == {"joint": WRIST, "beneath": ELBOW}
    went = dragged(page, WRIST, (5, 7), button="right")
    assert np.flatnonzero(np.abs(went).max(1) > 0.05).tolist() == [ELBOW]
    assert page.asks("review.chosen") == ELBOW


def test_a_joint_that_is_chosen_and_absent_in_the_next_frame_is_not_placed_by_the_next_press(page: Page) -> None:
    """It is chosen no more; who wants to place it presses E."""
    page.asks(f"(review.chosen = {WRIST}, null)")
    page.keys("d", "v", "v")
    assert not np.isfinite(page.pose()[WRIST]).any()
    page.keys("a", "d")
    assert page.asks("review.chosen") is None
    went = dragged(page, ELBOW, (5, 5))
    assert np.isnan(went[WRIST]).all()
    assert np.allclose(went[page.asks("review.chosen")], (5, 5), atol=0.1)
    page.keys("s", "e")
    assert page.asks("review.chosen") == WRIST


def test_shift_drag_moves_the_pose_and_alt_drag_turns_it(page: Page) -> None:
    before = page.pose()
    page.page.keyboard.down("Shift")
    page.drag((before[7][0], before[7][1]), (before[7][0] + 5, before[7][1] + 3))
    page.page.keyboard.up("Shift")
    assert np.allclose(page.pose() - before, (5, 3), atol=0.1)
    page.page.keyboard.down("Alt")
    page.drag((before[7][0], before[7][1]), (before[7][0] + 10, before[7][1]))
    page.page.keyboard.up("Alt")
    after = page.pose()
    lengths = [np.linalg.norm(p[0] - p[1]) for p in (before, after)]
    assert lengths[0] == pytest.approx(lengths[1], abs=0.1)
    assert not np.allclose(after, before + np.array([5, 3]), atol=0.5)


def test_a_joint_beneath_another_is_chosen_by_pressing_again(page: Page) -> None:
    target = page.pose()[ELBOW]
    wrist = page.pose()[WRIST]
    page.asks(f"(review.chosen = {WRIST}, null)")
    page.drag((wrist[0], wrist[1]), (target[0], target[1]))
    spot = page.on_screen(*target)
    chosen = set()
    for _ in range(3):
        page.page.mouse.click(*spot)
        chosen.add(page.asks("review.chosen"))
    assert {WRIST, ELBOW} <= chosen
