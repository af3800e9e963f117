"""What a competition says as a whole, out of the files of its events: labels, true poses, hand annotations, dives.

True poses go from file to file line by line. In memory are the rows of the dives, a few kilobytes each.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.synth import judge, labels
from finediving_pose.synth.filming import made, poses_file
from finediving_pose.synth.plan import Event, Plan
from finediving_pose.synth.spoiling import spoiled
from finediving_pose.workspace import atomic_write, remove_part_files

HAND_DIVES, HAND_EVERY = 6, 4
"""By hand: so many dives of the training split, every so many frames."""

FRAME_BY_FRAME = ("hidden", "splash_area")
"""What of a dive's row stays in the files."""


def join(out: Path, plan: Plan, events: list[Event]) -> dict[str, Any]:
    """Write the files of the whole competition, of which every event is finished; gives its summary."""
    rows = [{k: v for k, v in row.items() if k not in FRAME_BY_FRAME} for row in _rows(out, events)]
    test = draw_test_split(rows, plan.seed)
    for row in rows:
        row["split"] = _split_of(row, test)
    labelled, errata = spoiled(rows, plan.seed) if plan.with_errata else (rows, [])
    labels.write_labels(out / "labels", labelled)
    if plan.with_errata:
        _write_list(out / "truth" / "errata.json", map(json.dumps, errata))
    poses = _write_list(out / "truth" / "annotations.json", _lines(out, events))
    by_hand = _by_hand(out, events, rows, plan.seed)
    _write_list(out / "hand" / "annotations.json", (json.dumps(entry) for entry in by_hand))
    ceiling = _ceiling(rows)
    head = json.dumps({"seed": plan.seed, "version": plan.version, "noise_ceiling": ceiling})
    dives = (json.dumps({**row, "split": _split_of(row, test)}) for row in _rows(out, events))
    _write_list(out / "truth" / "dives.json", dives, before=f'{head[:-1]}, "dives": ', after="}")
    awards = [a for row in rows for a in row["judge_scores"]]
    return {
        "folder": str(out), "events": len(events), "dives": len(rows), "train": len(rows) - len(test),
        "test": len(test), "frames": sum(r["end_frame"] - r["start_frame"] + 1 for r in rows),
        "poses": poses, "lowest_award": min(awards), "highest_award": max(awards),
        "noise_ceiling": ceiling["all"], "noise_ceiling_test": ceiling["test"],
    }  # fmt: skip


def draw_test_split(rows: list[dict[str, Any]], seed: int) -> set[tuple[str, int]]:
    """A quarter of the dives at random for the test, as long as two of the same number stay to train on."""
    rng = np.random.default_rng([seed, 1, 1_000_000])
    left = Counter(row["action_type"] for row in rows)
    test: set[tuple[str, int]] = set()
    for i in rng.permutation(len(rows)):
        row = rows[i]
        if len(test) < round(len(rows) / 4) and left[row["action_type"]] > 2:
            test.add((row["video"], row["index"]))
            left[row["action_type"]] -= 1
    return test


def _split_of(row: dict[str, Any], test: set[tuple[str, int]]) -> str:
    return "test" if (row["video"], row["index"]) in test else "train"


def _rows(out: Path, events: list[Event]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield from made(out, event)["dives"]


def _lines(out: Path, events: list[Event]) -> Iterator[str]:
    """The true poses of events, one JSON object a line."""
    for event in events:
        with open(poses_file(out, event), encoding="utf-8") as lines:
            yield from lines


def _by_hand(out: Path, events: list[Event], rows: list[dict[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """What an annotator would have placed: a few dives of the training split, every few frames, a little off."""
    rng = np.random.default_rng([seed, 1, 1_000_003])
    train = [r for r in rows if r["split"] == "train"]
    chosen = [train[i] for i in sorted(rng.permutation(len(train))[:HAND_DIVES])]
    starts = {f"{r['video']}/{r['index']}": r["start_frame"] for r in chosen}
    videos = {r["video"] for r in chosen}
    for line in _lines(out, [e for e in events if e.video in videos]):
        entry = json.loads(line)
        clip, _, name = entry["image"].rpartition("/")
        if clip in starts and (int(Path(name).stem) - starts[clip]) % HAND_EVERY == 0:
            joints = np.array(entry["joints"]) + rng.normal(0, 0.7, (len(entry["joints"]), 2))
            yield {**entry, "joints": joints.round(2).tolist()}


def _ceiling(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Spearman's rho of true quality x difficulty against scores, over all dives and over the test split."""
    picked = {"all": rows, "test": [r for r in rows if r["split"] == "test"]}
    return {
        name: judge.noise_ceiling(*([r[k] for r in part] for k in ("quality", "difficulty", "dive_score")))
        for name, part in picked.items()
    }


def _write_list(path: Path, entries: Iterable[str], before: str = "", after: str = "") -> int:
    """Write JSON texts as one list, an entry a line, none of them kept; gives their number."""
    remove_part_files(path)
    count = 0
    with atomic_write(path) as part, open(part, "w", encoding="utf-8") as file:
        file.write(f"{before}[")
        for entry in entries:
            file.write(f"{',' if count else ''}\n{entry.rstrip()}")
            count += 1
        file.write(f"\n]{after}\n")
    return count
