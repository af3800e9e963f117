"""The page as a person uses it: keys, mouse, and what can be read on it."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.boxes import box_of_joints
from finediving_pose.clip import ClipKey
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.official import read_official
from finediving_pose.labels.table import read_clips
from finediving_pose.persons import Posed
from finediving_pose.poses import ClipPoses, JointSource, Visibility, write_poses
from finediving_pose.workspace import Workspace

SIZE = {"width": 1280, "height": 720}
PICTURE = "#picture[data-shown]"
WRIST = 10


def find_chromium() -> str | None:
    return next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)


class Pages:
    """Windows of a browser."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.errors: list[str] = []
        self._open: list[Any] = []

    def open(self, address: str, scheme: str = "dark", **context: Any) -> Page:
        """A window of a browser's profile of its own, on the server's address, when it shows a picture."""
        profile = self.browser.new_context(viewport=SIZE, color_scheme=scheme, **context)
        self._open.append(profile)
        page = self.window(profile)
        page.page.goto(address)
        page.page.wait_for_selector(PICTURE, timeout=20_000)
        return page

    def window(self, profile: Any) -> Page:
        page = profile.new_page()
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        return Page(page)

    def close(self) -> None:
        for profile in self._open:
            profile.close()


class Page:
    """One window."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def asks(self, script: str) -> Any:
        """Run a line of JavaScript; ``review`` is the page's state, ``geometry`` the module."""
        return self.page.evaluate(f"import('/static/geometry.js').then((geometry) => ({script}))")

    @property
    def shown(self) -> tuple[str, int, int]:
        """Clip, frame and person that the picture shows."""
        clip, frame, person = self.page.get_attribute("#picture", "data-shown").rsplit(" ", 2)
        return clip, int(frame), int(person)

    @property
    def saved(self) -> str:
        return self.page.inner_text(".saved")

    @property
    def says(self) -> str:
        """The words over the picture."""
        return self.page.inner_text("#overlay")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def settle(self) -> None:
        """Wait until every key has had its effect, the server has answered, and the picture is drawn."""
        self.page.evaluate("import('/static/keys.js').then((keys) => keys.idle())")
        self.page.wait_for_selector(".saved.good", timeout=20_000)
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def pose(self) -> np.ndarray:
        """Joints that are shown, float (16, 2), NaN where absent."""
        joints = self.asks("review.pose.map((j) => j && j.v ? [j.x, j.y] : null)")
        return np.array([j or (np.nan, np.nan) for j in joints], float)

    def entry(self) -> dict[str, Any]:
        """What the person says of the pose that is shown."""
        return self.asks("review.clip.entry(review.frame, review.person)")

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the frame is in the window."""
        at = self.asks(f"geometry.toScreen(review.view, {json.dumps({'x': x, 'y': y})})")
        box = self.page.locator("#picture").bounding_box()
        return at["x"] + box["x"], at["y"] + box["y"]

    def drag(self, start: tuple[float, float], end: tuple[float, float], button: str = "left") -> None:
        """Press at one pixel of the frame, let go at another."""
        mouse = self.page.mouse
        (x, y), (u, v) = self.on_screen(*start), self.on_screen(*end)
        mouse.move(x, y)
        mouse.down(button=button)
        mouse.move((x + u) / 2, (y + v) / 2)
        mouse.move(u, v)
        mouse.up(button=button)
        self.settle()

    def go(self, clip: str, frame: int, person: int = 0) -> None:
        self.asks(f"review.go({json.dumps(clip)}, {frame}, {person})")
        self.settle()


def true_poses(workspace: Workspace, path: Path) -> dict[ClipKey, dict[Posed, np.ndarray]]:
    """Joints (16, 2) by clip, frame and person, of a file of synthetic truth."""
    index = FrameIndex(workspace, read_clips(workspace))
    found: dict[ClipKey, dict[Posed, np.ndarray]] = defaultdict(dict)
    for entry in read_official(path):
        key, number = index.find(entry.image, entry.image)
        person = sum(frame == number for frame, _ in found[key])
        found[key][number, person] = np.asarray(entry.keypoints, float)
    return found


def nearly_true(workspace: Workspace, truth: Path, seed: int = 0) -> None:
    """Write automatic poses: the true ones with up to two joints of each misplaced."""
    luck = np.random.default_rng(seed)
    for key, joints in true_poses(workspace, truth).items():
        places = sorted(joints)
        points = np.stack([joints[p] for p in places]) + luck.normal(0, 0.4, (len(places), 16, 2))
        for row in points:
            wrong = luck.choice(16, luck.integers(0, 3), replace=False)
            row[wrong] += luck.choice([-1, 1], (len(wrong), 2)) * luck.uniform(12, 25, (len(wrong), 2))
        known = np.isfinite(points).all(-1)
        poses = ClipPoses(
            frame=np.array([f for f, _ in places]),
            person=np.array([p for _, p in places]),
            box=box_of_joints(points.astype(np.float32)),
            keypoints=points,
            visibility=np.where(known, Visibility.VISIBLE, Visibility.ABSENT),
            confidence=np.where(known, luck.uniform(0.2, 0.9, known.shape), 0),
            source=np.where(known, JointSource.AUTOMATIC, JointSource.NONE),
            author=["net"] * len(places),
            time=["2026-01-01T00:00:00+00:00"] * len(places),
        )
        write_poses(workspace.pose_file("auto", key), poses)


def moved(page: Page, joint: int = WRIST, by: tuple[float, float] = (6, -4)) -> np.ndarray:
    """Drag a joint; where it was let go."""
    start = page.pose()[joint]
    page.drag((start[0], start[1]), (start[0] + by[0], start[1] + by[1]))
    return start + by
