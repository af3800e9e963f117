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


BEYOND = {
    INDEX[f"{side}_{joint}"]: [INDEX[f"{side}_{further}"] for further in rest]
    for side in ("left", "right")
    for joint, *rest in (
        ("elbow", "wrist"),
        ("shoulder", "elbow", "wrist"),
        ("knee", "ankle"),
        ("hip", "knee", "ankle"),
    )
} | {INDEX["upper_neck"]: [INDEX["head_top"]], INDEX["thorax"]: [INDEX["upper_neck"], INDEX["head_top"]]}
"""The rest of the limb, which goes along with a drag under Ctrl."""

INWARDS = [6, 7, 8, 9, 2, 3, 1, 4, 0, 5, 12, 13, 11, 14, 10, 15]
"""Joints from the trunk outwards: a limb is mended from its root on."""


@dataclass
class Work:
    """What was done.

    Attributes
    ----------
    actions, wrong : of each frame that had wrong joints: keys and drags, and how many joints were wrong
    clean : frames without a wrong joint, each one action
    off : distance of each joint that was placed from the truth, pixels
    places : clip, frame and person of every pose that was looked at
    """

    actions: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    clean: int = 0
    off: list[float] = field(default_factory=list)
    places: list[tuple[str, int, int]] = field(default_factory=list)


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
        self._press(" ")
        if wrong:
            self.work.actions.append(self.count)
            self.work.wrong.append(wrong)
        else:
            self.work.clean += 1

    def _mend(self, truth: np.ndarray, head: float) -> None:
        if not np.isfinite(truth).any():
            return self._press("n")
        if not np.isfinite(self.page.pose()).any():
            self._press("c")
        self._change_sides(truth, head)
        for _ in range(40):
            pose = self.page.pose()
            left = np.flatnonzero(self._wrong(pose, truth, head))
            if not len(left):
                return None
            self._place(min(left.tolist(), key=INWARDS.index), pose, truth)
        raise AssertionError(f"{self.page.shown}: still wrong after 40 tries: {left}")

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

    def _place(self, joint: int, pose: np.ndarray, truth: np.ndarray) -> None:
        if not np.isfinite(truth[joint]).all():
            self._choose(joint, pose)
            while np.isfinite(self.page.pose()[joint]).all():
                self._press("v")
            return
        self._bring_into_view(truth[joint])
        if not np.isfinite(pose[joint]).all():
            while self.page.asks("review.chosen") != joint:
                self._press("e")
            self.page.page.mouse.click(*self.page.on_screen(*truth[joint]))
            self.page.settle()
            self.count += 1
        else:
            self._choose_if_hidden(joint, pose)
            self._drag(joint, pose, truth)
            self.count += 1
        self.work.off.append(float(np.linalg.norm(self.page.pose()[joint] - truth[joint])))

    def _drag(self, joint: int, pose: np.ndarray, truth: np.ndarray) -> None:
        """Alone, with the rest of the limb, or with the other side: whichever mends most."""
        ways = {"": [joint], "Control": [joint, *BEYOND.get(joint, [])], "Control+Shift": [joint, SIDES[joint]]}
        left = {}
        for keys, joints in ways.items():
            after = pose.copy()
            after[joints] += truth[joint] - pose[joint]
            left[keys] = int(self._wrong(after, truth, self.head).sum())
        keys = min(left, key=lambda name: left[name])
        held = keys.split("+") if keys else []
        for key in held:
            self.page.page.keyboard.down(key)
        self.page.drag(tuple(pose[joint]), tuple(truth[joint]))
        for key in held:
            self.page.page.keyboard.up(key)

    def _choose_if_hidden(self, joint: int, pose: np.ndarray) -> None:
        """Press once more where another joint would be grabbed, as it lies at the same place."""
        if self._would_grab(joint, pose) != joint:
            self._choose(joint, pose)

    def _choose(self, joint: int, pose: np.ndarray) -> None:
        for _ in range(16):
            if self.page.asks("review.chosen") == joint:
                return
            self._bring_into_view(pose[joint])
            self.page.page.mouse.click(*self.page.on_screen(*pose[joint]))
            self.page.settle()
            self.count += 1
        raise AssertionError(f"{self.page.shown}: joint {joint} can't be chosen")

    def _would_grab(self, joint: int, pose: np.ndarray) -> int:
        at = [self.page.on_screen(*p) if np.isfinite(p).all() else (1e9, 1e9) for p in pose]
        away = np.linalg.norm(np.array(at) - at[joint], axis=-1)
        chosen = self.page.asks("review.chosen")
        return chosen if chosen is not None and away[chosen] < 14 else int(away.argmin())

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
