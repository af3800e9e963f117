"""A scripted annotator who sees the truth, and corrects poses with the page's own keys and the mouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.persons import Posed
from finediving_pose.skeleton import FLIP, HEAD, INDEX
from tests.browser.pages import Page

WRONG = 0.5
"""A joint is wrong from this many head lengths on, as PCKh@0.5 counts."""

SIDES = np.array(FLIP)
ARMS = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("wrist", "elbow", "shoulder")]
LEGS = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("ankle", "knee", "hip")]


ALONG = {
    INDEX[f"{side}_{joint}"]: {INDEX[f"{side}_{other}"]: share for other in others}
    for side in ("left", "right")
    for joint, others, share in (
        ("shoulder", ("elbow", "wrist"), 1.0),
        ("elbow", ("wrist",), 1.0),
        ("wrist", ("elbow",), 0.5),
        ("hip", ("knee", "ankle"), 1.0),
        ("knee", ("ankle",), 1.0),
        ("ankle", ("knee",), 0.5),
    )
} | {INDEX["upper_neck"]: {INDEX["head_top"]: 1.0}, INDEX["thorax"]: {INDEX["upper_neck"]: 1.0, INDEX["head_top"]: 1.0}}
"""What goes along with a drag under Ctrl, and how far."""


@dataclass
class Work:
    """What was done.

    Attributes
    ----------
    actions, wrong : of each frame that had wrong joints: keys and drags, and how many joints were wrong
    clean : frames without a wrong joint, each one action
    off : distance of each joint that was placed from the truth, pixels
    places : clip, frame and person of every pose that was looked at
    shown : joints (16, 2) of each when the person went on
    """

    actions: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    clean: int = 0
    off: list[float] = field(default_factory=list)
    places: list[tuple[str, int, int]] = field(default_factory=list)
    shown: list[np.ndarray] = field(default_factory=list)


class ScriptedAnnotator:
    """Looks at what the page shows, corrects what is wrong, goes on with Space."""

    def __init__(self, page: Page, truth: Mapping[ClipKey, Mapping[Posed, np.ndarray]]) -> None:
        self.page, self.truth, self.work = page, truth, Work()
        self.count, self.head = 0, 0.0

    def correct(self, most: int) -> Work:
        """Correct ``most`` poses of the queue, or all that there are."""
        for _ in range(most):
            place = self.page.shown
            if place in self.work.places:
                break  # the last of the queue stays
            self.work.places.append(place)
            self._one(*place)
        return self.work

    def _one(self, clip: str, frame: int, person: int) -> None:
        truth = self.truth[ClipKey.parse(clip)].get((frame, person), np.full((16, 2), np.nan))
        head = float(np.linalg.norm(truth[HEAD[0]] - truth[HEAD[1]]))
        self.head = head = head if np.isfinite(head) and head > 0 else 12.0
        self.count = 0
        wrong = int(self._wrong(self.page.pose(), truth, head).sum())
        if wrong:
            self._mend(truth, head)
        self.work.shown.append(self.page.pose())
        self._press(" ")
        if wrong:
            self.work.actions.append(self.count)
            self.work.wrong.append(wrong)
        else:
            self.work.clean += 1

    def _mend(self, truth: np.ndarray, head: float) -> None:
        if not np.isfinite(truth).any():
            return self._press("n")
        self._carry_over(truth, head)
        self._change_sides(truth, head)
        for _ in range(40):
            pose = self.page.pose()
            left = np.flatnonzero(self._wrong(pose, truth, head)).tolist()
            if not left:
                return None
            lost = [j for j in left if not np.isfinite([truth[j], pose[j]]).all()]
            if lost:
                self._place_or_delete(lost[0], pose, truth)
            else:
                self._drag(*self._best_drag(left, pose, truth), pose, truth)
        raise AssertionError(f"{self.page.shown}: still wrong after 40 tries: {left}")

    def _carry_over(self, truth: np.ndarray, head: float) -> None:
        """C where the pose that the page proposes has two wrong joints fewer, or the machine has none."""
        pose = self.page.pose()
        proposed = self.page.asks("review.proposed() && review.ghost().map((j) => j && j.v ? [j.x, j.y] : null)")
        if proposed:
            after = self._wrong(np.array([j or (np.nan, np.nan) for j in proposed], float), truth, head)
            if not np.isfinite(pose).any() or after.sum() <= self._wrong(pose, truth, head).sum() - 2:
                self._press("c")

    def _change_sides(self, truth: np.ndarray, head: float) -> None:
        """X, or L for a limb, where that mends two joints or more at once."""
        pose = self.page.pose()
        now = self._wrong(pose, truth, head)
        swapped = self._wrong(pose[SIDES], truth, head)
        if swapped.sum() <= now.sum() - 2:
            self._press("x")
            return
        for limb in (ARMS, LEGS):
            if swapped[limb].sum() <= now[limb].sum() - 3:  # a press to choose the limb, and the key
                self._choose(limb[0], pose)
                self._press("l")

    def _place_or_delete(self, joint: int, pose: np.ndarray, truth: np.ndarray) -> None:
        """A joint that is absent on the page, or in truth."""
        if not np.isfinite(truth[joint]).all():
            self._choose(joint, pose)
            while np.isfinite(self.page.pose()[joint]).all():
                self._press("v")
            return
        self._bring_into_view(truth[joint])
        while self.page.asks("review.chosen") != joint:
            self._press("e")
        self.page.page.mouse.click(*self.page.on_screen(*truth[joint]))
        self.page.settle()
        self.count += 1
        self._note_where(joint, truth)

    def _best_drag(self, wrong: list[int], pose: np.ndarray, truth: np.ndarray) -> tuple[int, str]:
        """The joint, and the keys of the drag that leaves fewest joints wrong: alone, with the limb, on both sides."""
        left: dict[tuple[int, str], tuple[int, float]] = {}
        for joint in wrong:
            for keys, along in {"": {}, "Control": ALONG.get(joint, {}), "Control+Shift": {SIDES[joint]: 1.0}}.items():
                after = pose.copy()
                for other, share in {**along, joint: 1.0}.items():
                    after[other] += share * (truth[joint] - pose[joint])
                away = float(np.nansum(np.linalg.norm(after - truth, axis=-1)))
                left[joint, keys] = int(self._wrong(after, truth, self.head).sum()), away
        return min(left, key=lambda way: left[way])

    def _drag(self, joint: int, keys: str, pose: np.ndarray, truth: np.ndarray) -> None:
        self._bring_into_view(truth[joint])
        held = keys.split("+") if keys else []
        button = self._button_for(joint, pose)
        for key in held:
            self.page.page.keyboard.down(key)
        self.page.drag(tuple(pose[joint]), tuple(truth[joint]), button)
        for key in held:
            self.page.page.keyboard.up(key)
        self.count += 1
        self._note_where(joint, truth)

    def _button_for(self, joint: int, pose: np.ndarray) -> str:
        """The button that takes the joint, as the page says where the mouse is over it; else choose it first."""
        self._bring_into_view(pose[joint])
        x, y = self.page.on_screen(*pose[joint])
        self.page.page.mouse.move(x + 1, y)
        self.page.page.mouse.move(x, y)
        hovered = self.page.asks("review.hovered")
        if hovered and hovered["joint"] != joint and hovered["beneath"] == joint:
            return "right"
        if not hovered or hovered["joint"] != joint:
            self._choose(joint, pose)
        return "left"

    def _note_where(self, joint: int, truth: np.ndarray) -> None:
        self.work.off.append(float(np.linalg.norm(self.page.pose()[joint] - truth[joint])))

    def _choose(self, joint: int, pose: np.ndarray) -> None:
        for _ in range(16):
            if self.page.asks("review.chosen") == joint:
                return
            self._bring_into_view(pose[joint])
            self.page.page.mouse.click(*self.page.on_screen(*pose[joint]))
            self.page.settle()
            self.count += 1
        raise AssertionError(f"{self.page.shown}: joint {joint} can't be chosen")

    def _bring_into_view(self, point: np.ndarray) -> None:
        box = self.page.page.locator("#picture").bounding_box()
        x, y = self.page.on_screen(*point)
        if not (box["x"] < x < box["x"] + box["width"] and box["y"] < y < box["y"] + box["height"]):
            self._press("f")

    def _press(self, key: str) -> None:
        self.count += 1
        self.page.keys(key)

    @staticmethod
    def _wrong(pose: np.ndarray, truth: np.ndarray, head: float) -> np.ndarray:
        """bool (16,): far from the truth, missing, or there though the whole diver is not."""
        known, there = np.isfinite(truth).all(-1), np.isfinite(pose).all(-1)
        if not known.any():
            return np.asarray(there)
        apart = np.nan_to_num(np.linalg.norm(pose - truth, axis=-1), nan=np.inf)
        return np.asarray(known & (apart >= WRONG * head))
