"""What a person sees: picture, screen and colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.browser.pages import WRIST, Page, Pages, moved
from tests.browser.served import Served

Start = Callable[..., Served]


def test_the_first_picture_fits_the_page(start: Start, pages: Pages) -> None:
    """It is drawn before the keys below it are, which take some of its height."""
    page = pages.open(start().address)
    page.settle()
    size = page.asks("[review.view.width, review.view.height]")
    box = page.page.locator("#picture").bounding_box()
    assert size == pytest.approx([box["width"], box["height"]], abs=1)


def test_the_wheel_makes_the_picture_larger_where_the_mouse_is(page: Page) -> None:
    """A joint that is dragged then goes where it is let go; the next frame is shown as it fits."""
    wrist, scale = page.pose()[WRIST], page.asks("review.view.scale")
    spot = page.on_screen(*wrist)
    page.page.mouse.move(*spot)
    page.page.mouse.wheel(0, -400)
    page.page.wait_for_function(f"review.view.scale > {1.9 * scale}")
    assert page.on_screen(*wrist) == pytest.approx(spot, abs=1)
    target = moved(page, by=(2, -3))
    assert np.allclose(page.pose()[page.asks("review.chosen")], target, atol=0.1)
    page.keys("d", "a")
    assert page.asks("review.view.scale") == pytest.approx(scale, rel=0.1)


def test_a_finger_places_joints(start: Start, pages: Pages) -> None:
    page = pages.open(start().address, has_touch=True)
    page.go(page.shown[0], page.asks("review.clip.frames[40]"))
    was = page.pose()
    x, y = page.on_screen(*was[9])
    page.page.touchscreen.tap(x, y)
    assert page.asks("review.chosen") in range(16)
    client = page.page.context.new_cdp_session(page.page)
    for kind, points in (
        ("touchStart", [(x, y)]),
        ("touchMove", [(x + 30, y + 10)]),
        ("touchMove", [(x + 60, y + 20)]),
        ("touchEnd", []),
    ):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})
    page.settle()
    joint = page.asks("review.chosen")
    u, v = page.on_screen(*page.pose()[joint])
    a, b = page.on_screen(*was[joint])
    assert (u - a, v - b) == (pytest.approx(60, abs=1), pytest.approx(20, abs=1))


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_everything_fits_a_small_screen(start: Start, pages: Pages, scheme: str) -> None:
    """1280 x 720: nothing is cut off, the keys' overlay and the picture are whole, text can be told from its ground."""
    page = pages.open(start().address, scheme)
    for element in ("html", "#bottom", "#top"):
        over = "(e) => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"
        sizes = page.page.locator(element).evaluate(over)
        assert max(sizes) <= 0, element
    assert page.page.locator("#picture").bounding_box()["height"] > 500
    page.page.keyboard.press("?")
    box = page.page.locator(".box.keys").bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 720
    assert "accept it" in page.page.inner_text(".box.keys")
    for words in ("A run", "Checked", "strip of frames and the findings can be clicked", "on with the queue"):
        assert words in page.page.inner_text(".box.keys")
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector(".box.keys", state="detached")
    page.go(page.shown[0], page.asks("review.clip.frames[21]"))
    assert f"frame {page.shown[1]}, the 22nd of " in page.page.inner_text("#top")
    assert "frames before and after" in page.page.inner_text(".legend")


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, as WCAG 2 has it."""
    share = np.array([int(colour.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_what_is_filled_in_is_seen_on_the_strip(start: Start, pages: Pages, scheme: str) -> None:
    """It differs from frames that nothing was said of, and from corrected ones."""
    page = pages.open(start().address, scheme)
    names = ("--between", "--open", "--corrected")
    filled, *others = (
        luminance(page.asks(f"getComputedStyle(document.documentElement).getPropertyValue('{name}')")) for name in names
    )
    for other in others:
        assert (max(filled, other) + 0.05) / (min(filled, other) + 0.05) > 1.55
