"""The files of a whole competition, joined from those of its events."""

from __future__ import annotations

import json
import multiprocessing
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from finediving_pose.synth import filming
from finediving_pose.synth.joining import join
from finediving_pose.synth.plan import Plan

pytestmark = pytest.mark.slow


def copied(competition: Path, out: Path, dives: int) -> Plan:
    """Files of the events of a larger competition, all with the dives of one event."""
    plan = Plan(dives, 0, ("5253b",))
    (model,) = (competition / "truth" / "events").glob("*Men10m*.json")
    rows = json.loads(model.read_text())["dives"]
    lines = model.with_suffix(".jsonl").read_text()
    for event in plan.events():
        folder = filming.dives_file(out, event).parent
        folder.mkdir(parents=True, exist_ok=True)
        own = [
            rows[i % len(rows)] | {"video": event.video, "index": i, "action_type": number}
            for i, number in enumerate(event.dive_numbers)
        ]
        filming.dives_file(out, event).write_text(json.dumps({"dives": own}))
        filming.poses_file(out, event).write_text(2 * lines.replace(model.stem, event.video))
    return plan


def peak_of_joining(out: Path, plan: Plan) -> int:
    """Bytes in use at most."""
    tracemalloc.start()
    try:
        join(out, plan, plan.events())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_holds_the_rows_of_dives_and_not_their_poses(competition: Path, tmp_path: Path) -> None:
    few, many = copied(competition, tmp_path / "few", 40), copied(competition, tmp_path / "many", 400)
    # in a process of its own: what threads of other tests ask for meanwhile would be counted too
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        plans = [(tmp_path / name, plan) for name, plan in (("few", few), ("few", few), ("many", many))]
        _, small, large = alone.map(peak_of_joining, *zip(*plans, strict=True))  # the first imports and caches
    grown = large - small
    poses = (tmp_path / "many" / "truth" / "annotations.json").stat().st_size
    assert poses > 8_000_000
    assert grown < 360 * 12_000, "12 kilobytes a dive"
    assert grown < poses / 3


def test_joined_files_hold_what_the_events_hold_in_their_order(competition: Path) -> None:
    plan = Plan(8, 3, ("5253b", "205b"))
    lines = [
        json.loads(line)
        for event in plan.events()
        for line in filming.poses_file(competition, event).read_text().splitlines()
    ]
    assert json.loads((competition / "truth" / "annotations.json").read_text()) == lines
    told = json.loads((competition / "truth" / "dives.json").read_text())
    assert (told["seed"], told["version"]) == (3, plan.version)
    rows = [row for event in plan.events() for row in filming.made(competition, event)["dives"]]
    assert [{k: v for k, v in d.items() if k != "split"} for d in told["dives"]] == rows
    assert {d["split"] for d in told["dives"]} == {"train", "test"}
