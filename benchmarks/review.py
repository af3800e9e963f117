"""``fdpose review`` measured in a real browser: actions, pictures, kills, and poses between checked frames.

annotator      a scripted annotator who sees the truth corrects frames drawn at random, with the page's keys and mouse
pictures       time to the first picture with many clips, and from a key to the next picture
kills          kill -9 of server and browser at random moments, while a person corrects
interpolation  truth at every n-th frame, and how right the frames in between are

Make the data first (the bundled estimator's poses of synthetic dives that it has not seen):

fdpose synth --dives 20 --seed 77 --out synthetic
fdpose extract --labels synthetic/labels --videos synthetic/videos --data data
fdpose annotate --auto --data data

Run: python -m benchmarks.review annotator --data data --truth synthetic/truth/annotations.json
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from annotate.agreement import pckh
from annotate.merge import merge_clips
from annotate.review.interpolate import Array, Machine, along_curves, interpolate, linear
from finediving_pose.clip import ClipKey
from finediving_pose.journals.journal import journal_file, read_journal
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.persons import Posed, numbered_like
from finediving_pose.poses import ClipPoses, read_poses
from finediving_pose.workspace import Workspace
from tests.browser.annotator import ScriptedAnnotator
from tests.browser.pages import PICTURE, Page, Pages, find_chromium, true_poses
from tests.browser.served import Forks, serve

Truth = dict[ClipKey, dict[Posed, np.ndarray]]
ARGUMENTS = ["--no-sandbox"]


def truth_of(data: Workspace, path: Path) -> Truth:
    """The true poses, two divers numbered as the machine numbers them."""
    found: Truth = {}
    for key, poses in true_poses(data, path).items():
        auto = read_poses(data.pose_file("auto", key))
        turned = not np.array_equal(numbered_like(auto, poses).keypoints, auto.keypoints, equal_nan=True)
        found[key] = {(frame, 1 - person if turned else person): joints for (frame, person), joints in poses.items()}
    return found


# -- actions ----------------------------------------------------------------------------------------------------------


def annotator(browser: Any, data: Workspace, truth: Truth, frames: int, seed: int, in_order: bool) -> None:
    """Actions per frame, and how right the corrected frames are."""
    chosen = list_of_frames(data, truth, frames, seed, in_order)
    before = joints_of(data, "auto", chosen)
    pages, began = Pages(browser), time.monotonic()
    with serve(data, "--queue", "suggested") as server:
        work = ScriptedAnnotator(pages.open(server.address), truth).correct(len(chosen))
    took = time.monotonic() - began
    pages.close()
    merge_clips(data, read_clips(data))
    wanted = np.stack([truth[key][frame, person] for key, frame, person in chosen])
    actions, wrong = np.array(work.actions), np.array(work.wrong)
    merged = joints_of(data, "merged", chosen)
    elsewhere = ~np.isclose(merged, np.stack(work.shown), atol=0.02, equal_nan=True).all(-1)
    print(f"{len(work.places)} frames, {len(actions)} with wrong joints, {work.clean} without; {took:.0f} s")
    print(f"wrong joints a corrected frame: mean {wrong.mean():.2f}; actions: mean {actions.mean():.2f}")
    print(f"actions no more than wrong joints + 1: {np.mean(actions <= wrong + 1):.3f} of the corrected frames")
    print(f"actions a frame looked at: {(actions.sum() + work.clean) / len(work.places):.2f}")
    print(f"PCKh@0.5 before {pckh(before, wanted):.4f}, after {pckh(merged, wanted):.4f}")
    print(f"joints merged elsewhere than shown: {elsewhere.sum()}")
    print(f"placed joints from the truth: mean {np.mean(work.off):.3f}, most {np.max(work.off):.3f} pixels")
    print("script errors:", pages.errors or "none")


def list_of_frames(data: Workspace, truth: Truth, n: int, seed: int, in_order: bool) -> list[tuple[ClipKey, int, int]]:
    """``n`` poses drawn at random from those whose head is known, as a list of suggestions; or those of dives drawn at
    random, in their order.
    """
    whole = [(key, f, p) for key, poses in truth.items() for (f, p), j in poses.items() if np.isfinite(j[8:10]).all()]
    single = [place for place in whole if not any(p for _, p in truth[place[0]])]
    luck = random.Random(seed)
    if in_order:
        dives = luck.sample(keys := sorted({key for key, _, _ in single}), len(keys))
        chosen = sorted(single, key=lambda place: (dives.index(place[0]), place))[:n]
    else:
        chosen = luck.sample(sorted(single), min(n, len(single)))
    rows = ["image,dive_worth,worth,why", *(f"{key}/{frame:05d}.jpg,0,0,drawn at random" for key, frame, _ in chosen)]
    data.reports.mkdir(exist_ok=True)
    (data.reports / "suggestions.csv").write_text("\n".join(rows), encoding="utf-8")
    return chosen


def joints_of(data: Workspace, layer: str, places: list[tuple[ClipKey, int, int]]) -> np.ndarray:
    tables = {key: read_poses(data.pose_file(layer, key)) for key in {key for key, _, _ in places}}
    return np.stack([row_of(tables[key], frame, person) for key, frame, person in places])


def row_of(poses: ClipPoses, frame: int, person: int) -> np.ndarray:
    row = poses.row(frame, person)
    return np.full((16, 2), np.nan) if row is None else poses.keypoints[row].astype(float)


# -- pictures ---------------------------------------------------------------------------------------------------------


def pictures(browser: Any, data: Workspace, clips: int, steps: int) -> None:
    """Seconds to the first picture, milliseconds from a key to the next one."""
    many = multiplied(data, clips)
    began = time.monotonic()
    with serve(many, "--queue", "all") as server:
        print(f"{clips} clips: the address after {time.monotonic() - began:.2f} s")
        pages, began = Pages(browser), time.monotonic()
        page = pages.open(server.address)
        print(f"first picture {time.monotonic() - began:.2f} s after the address is opened")
        for name, key, rest in (("next frame", "d", 0), ("accept, next of the queue", " ", 0), ("unhurried", " ", 150)):
            said(name, page.page.evaluate(KEY_TO_PICTURE, [key, rest, steps]))
        said("findings of a dive", [key_to_findings(page) for _ in range(20)])
        pages.close()


def said(name: str, times: Sequence[float]) -> None:
    middle, late = np.percentile(times, [50, 95])
    print(f"{name}: median {middle:.0f} ms, p95 {late:.0f} ms ({len(times)} times)", flush=True)


KEY_TO_PICTURE = """async ([key, rest, steps]) => {
  const picture = document.getElementById("picture"), times = [];
  for (let i = 0; i < steps; i++) {
    await new Promise((done) => setTimeout(done, rest));
    const drawn = new Promise((done) => {
      const watch = new MutationObserver(() => (watch.disconnect(), done(performance.now())));
      watch.observe(picture, { attributes: true, attributeFilter: ["data-shown"] });
    });
    const pressed = performance.now();
    picture.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    times.push((await drawn) - pressed);
  }
  return times;
}"""
"""Milliseconds from each of many keys to the drawn frame, by the page's own clock; ``rest`` milliseconds in between."""


def key_to_findings(page: Page) -> float:
    """Milliseconds that the findings of the dive take in the page."""
    return float(
        page.page.evaluate(
            """async () => {
              const { get, clipPath } = await import("/static/api.js");
              const start = performance.now();
              await get(`${clipPath(review.clip.clip)}/findings`);
              return performance.now() - start;
            }"""
        )
    )


def multiplied(data: Workspace, n: int) -> Workspace:
    """A data directory of ``n`` clips, whose folders and poses are links to those of ``data``."""
    many = Workspace(data.root.parent / "many")
    clips, made = read_clips(data), []
    for i in range(n):
        clip = clips[i % len(clips)]
        key = ClipKey(f"{clip.key.video}_{i // len(clips):04d}", clip.key.index)
        for old, new in (
            (data.frame_folder(clip.key), many.frame_folder(key)),
            (data.pose_file("auto", clip.key), many.pose_file("auto", key)),
        ):
            new.parent.mkdir(parents=True, exist_ok=True)
            new.symlink_to(old.resolve())
        made.append(replace(clip, key=key))
    write_clips(many.clips_table, made)
    return many


# -- kills ------------------------------------------------------------------------------------------------------------

KEYS = ["x", "l", "v", "d", "x", "a", "n", "Delete", "Enter", " ", "u", "z", "y"]


class Worker:
    """A person who presses keys, and what the server said of them."""

    def __init__(self, play: Any, data: Workspace, profile: Path, forks: Forks) -> None:
        self.play, self.data, self.profile, self.forks = play, data, profile, forks
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.server = forks.serve(data, "all")
        self.open()

    def open(self) -> None:
        program = find_chromium()
        self.context = self.play.chromium.launch_persistent_context(
            self.profile, executable_path=program, args=ARGUMENTS
        )
        self.page = self.context.new_page()
        self.page.on("request", lambda r: self.sent.update(ids_of(r)))
        self.page.on("response", lambda r: self.acknowledged.update(ids_of(r.request) if r.status == 200 else ()))
        self.show()

    def show(self) -> None:
        self.page.goto(self.server.address)
        self.page.wait_for_selector(PICTURE, timeout=60_000)

    def press_until(self, over: Callable[[], bool], luck: random.Random) -> None:
        with contextlib.suppress(Exception):  # the browser is killed in between
            while not over():
                self.page.keyboard.press(luck.choice(KEYS))
                self.page.wait_for_timeout(luck.randrange(20))

    def journal(self) -> set[str]:
        return {o.id for o in read_journal(journal_file(self.data, "anna"))[0]}

    def kill_browser(self) -> None:
        for pid in pids_with(str(self.profile)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def kills(play: Any, data: Workspace, victims: Sequence[str], n: int, seed: int) -> None:
    """Acknowledged operations that are missing from the journal, and others that never got there."""
    luck = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, Forks() as forks:
        worker = Worker(play, data, Path(folder) / "profile", forks)
        for whom in victims:
            lost = unacknowledged = most = 0
            for i in range(n):
                a, b = once(worker, whom, luck)
                lost, unacknowledged, most = lost + a, unacknowledged + b, max(most, b)
                if (i + 1) % 25 == 0 or i + 1 == n:
                    print(f"{i + 1} kills of the {whom}: {lost} acknowledged edits lost,"
                          f" {unacknowledged} unacknowledged, at most {most} at once;"
                          f" {len(worker.acknowledged):,} acknowledged so far", flush=True)  # fmt: skip
        worker.context.close()


def once(worker: Worker, whom: str, luck: random.Random) -> tuple[int, int]:
    """Kill at a random moment, start again, and count what is missing then."""
    killed = threading.Event()
    victim = worker.server.kill if whom == "server" else worker.kill_browser
    timer = threading.Timer(luck.uniform(0.05, 1.0), lambda: (victim(), killed.set()))
    timer.start()
    worker.press_until(killed.is_set, luck)
    timer.join()
    lost = len(worker.acknowledged - worker.journal())
    if whom == "server":
        worker.server = worker.forks.serve(worker.data, "all", worker.server.port)
        worker.show()
    else:
        with contextlib.suppress(Exception):
            worker.context.close()
        worker.open()
    worker.page.wait_for_selector(".saved.good", timeout=60_000)
    return lost, len(worker.sent - worker.journal())


def ids_of(request: Any) -> list[str]:
    """Ids of the operation that a request carries."""
    if request.method != "POST" or "/api/edits" not in request.url:
        return []
    return [json.loads(request.post_data)["id"]]


def pids_with(text: str) -> list[int]:
    """Processes whose command line has ``text``: those of one browser profile."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


# -- interpolation ----------------------------------------------------------------------------------------------------


def interpolation(data: Workspace, truth: Truth) -> None:
    """PCKh@0.5 in the frames between every second, fourth, ... true one."""
    print("every  frames  " + "  ".join(f"{name:>10}" for name in ("straight", "curves", "machine", "review")))
    for step in (2, 4, 6, 8):
        found: dict[str, list[Array]] = {name: [] for name in ("straight", "curves", "machine", "review")}
        wanted = []
        for key, poses in truth.items():
            auto = read_poses(data.pose_file("auto", key))
            for person in sorted({p for _, p in poses}):
                frames = np.array(sorted(f for f, p in poses if p == person))
                known = frames[::step]
                between = np.array([f for f in frames if f < known[-1] and f not in known])
                there = np.stack([poses[f, person] for f in known.tolist()])
                machine = [np.stack([row_of(auto, f, person) for f in some.tolist()]) for some in (known, between)]
                found["straight"].append(linear(known, there, between))
                found["curves"].append(along_curves(known, there, between))
                found["machine"].append(machine[1])
                found["review"].append(interpolate(known, there, between, Machine(*machine)))
                wanted.append(np.stack([poses[f, person] for f in between.tolist()]))
        true = np.concatenate(wanted)
        scores = "  ".join(f"{pckh(np.concatenate(found[name]), true):10.4f}" for name in found)
        print(f"{step:5}  {len(true):6}  {scores}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["annotator", "pictures", "kills", "interpolation"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--truth", type=Path, help="annotations.json of the synthetic dives")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--in-order", action="store_true", help="all frames of a dive, one after the other")
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=250, help="of each victim")
    parser.add_argument(
        "--victim", choices=["server", "browser"], action="append", help="what is killed; both by default"
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Workspace(Path(folder) / "data")
        shutil.copytree(
            asked.data, data.root, ignore=shutil.ignore_patterns("manual", "reviews", "journals", "reports")
        )
        if asked.what == "interpolation":
            interpolation(data, truth_of(data, asked.truth))
            return
        from playwright.sync_api import sync_playwright

        with sync_playwright() as play:
            if asked.what == "kills":
                kills(play, data, asked.victim or ["server", "browser"], asked.kills, asked.seed)
                return
            browser = play.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
            if asked.what == "annotator":
                annotator(browser, data, truth_of(data, asked.truth), asked.frames, asked.seed, asked.in_order)
            else:
                pictures(browser, data, asked.clips, 100)
            browser.close()


if __name__ == "__main__":
    main()
