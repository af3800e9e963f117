"""A real browser, and a data directory that it looks at through a real server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from finediving_pose.workspace import Workspace
from tests.annotate.conftest import competition, extracted_once  # noqa: F401  (fixtures)
from tests.browser.pages import Page, Pages, find_chromium, nearly_true
from tests.browser.served import Served, serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(600))  # the first one has the dives made as well


@pytest.fixture(scope="session")
def play() -> Iterator[Any]:
    """Playwright; the tests are skipped where it or Debian's Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright; make test installs it")
    if find_chromium() is None:
        pytest.skip("no Chromium; install it with: apt-get install chromium")
    with playwright.sync_playwright() as play:
        yield play


@pytest.fixture(scope="session")
def browser(play: Any) -> Iterator[Any]:
    browser = play.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def posed_once(extracted_once: Path, competition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The two synthetic dives with automatic poses that are true but for a few joints."""
    root = tmp_path_factory.mktemp("posed") / "data"
    shutil.copytree(extracted_once, root)
    nearly_true(Workspace(root), competition / "truth" / "annotations.json")
    return root


@pytest.fixture
def data(posed_once: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(posed_once, tmp_path / "data")
    return Workspace(tmp_path / "data")


@pytest.fixture
def start(data: Workspace) -> Iterator[Callable[..., Served]]:
    """Starts ``fdpose review`` on the data directory, in a process of its own."""
    running: list[Served] = []

    def start(*options: str) -> Served:
        running.append(serve(data, *options))
        return running[-1]

    yield start
    for server in running:
        server.end()


@pytest.fixture
def pages(browser: Any) -> Iterator[Pages]:
    """Opens windows on servers; no script error in them is passed over."""
    pages = Pages(browser)
    yield pages
    pages.close()
    assert not pages.errors


@pytest.fixture
def server(start: Callable[..., Served]) -> Served:
    return start()


@pytest.fixture
def page(server: Served, pages: Pages) -> Page:
    page = pages.open(server.address)
    middle = page.asks("review.clip.frames[Math.floor(review.clip.frames.length / 2)]")
    page.go(page.shown[0], middle)
    return page
