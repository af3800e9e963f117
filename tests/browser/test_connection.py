"""Several windows, a server that is away, another token: what the page does with what it has."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np

from finediving_pose.workspace import Workspace
from tests.browser.pages import PICTURE, Page, Pages, moved
from tests.browser.served import Served

Start = Callable[..., Served]


def test_two_windows_of_one_person_see_both_versions(page: Page, pages: Pages) -> None:
    clip, frame, _ = page.shown
    other = pages.window(page.page.context)
    other.page.goto(page.page.url)
    other.page.wait_for_selector(PICTURE)
    other.go(clip, frame)
    first = moved(page, by=(6, 0))
    joint = page.asks("review.chosen")
    second = moved(other, by=(-8, 2))
    other.page.wait_for_selector("text=changed in another window")
    assert np.allclose(other.pose()[joint], first, atol=0.2), "shown is what is saved"
    assert other.asks("review.ghost() !== null")
    other.keys("k")
    assert np.allclose(other.pose()[joint], second, atol=0.2)
    assert "changed in another window" not in other.page.inner_text("#overlay")


def test_while_the_server_is_away_nothing_is_lost(page: Page, server: Served, start: Start) -> None:
    """Killed, not ended: the page says so and keeps; the window of the next server sends what was kept."""
    clip, frame, _ = page.shown
    server.kill()
    page.page.keyboard.press("x")
    page.page.wait_for_selector("text=NOT SAVING: 1 kept")
    page.page.keyboard.press("v")
    page.page.wait_for_selector("text=NOT SAVING: 2 kept")
    again = start("--port", str(server.port))
    page.page.wait_for_selector("text=token is not that of this run")
    page.page.goto(again.address)
    page.page.wait_for_selector(PICTURE)
    page.settle()
    page.go(clip, frame)
    assert page.entry()["state"] == "corrected"
    assert page.asks("review.session.depth") == [2, 0]


def test_each_window_keeps_what_it_has_not_sent(page: Page, pages: Pages, server: Served, start: Start) -> None:
    """Both are closed while the server is away; the next window sends what the two left."""
    clip, frame, _ = page.shown
    other = pages.window(page.page.context)
    other.page.goto(page.page.url)
    other.page.wait_for_selector(PICTURE)
    other.go(clip, frame + 1)
    server.kill()
    for window in (page, other):
        window.page.keyboard.press("x")
        window.page.wait_for_selector("text=NOT SAVING: 1 kept")
        window.page.close()
    later = pages.window(other.page.context)
    later.page.goto(start("--port", str(server.port)).address)
    later.page.wait_for_selector(PICTURE)
    later.settle()
    assert later.asks("review.session.depth") == [2, 0]
    assert later.asks("Object.keys(localStorage)") == []


def test_a_clip_that_is_deleted_while_it_is_open_is_said(page: Page, data: Workspace) -> None:
    clip, _, _ = page.shown
    shutil.rmtree(data.frames)
    page.asks(f"(review.clips.forget('{clip}'), review.pictures.bitmaps.clear(), null)")
    page.page.keyboard.press("d")
    said = page.page.wait_for_selector("text=fdpose extract")
    assert said is not None and said.is_visible()
    page.keys("x", "z")
    assert "fdpose extract" in page.page.inner_text("#overlay")


def test_another_token_shows_no_data(page: Page, pages: Pages) -> None:
    other = pages.window(page.page.context)
    other.page.goto(page.page.url.partition("#")[0] + "#wrong")
    other.page.wait_for_selector("text=the token is not that of this run")
    assert other.page.query_selector(PICTURE) is None
