"""The facts in data_manifest are what the real label files say."""

from __future__ import annotations

import csv
import hashlib
import json
import statistics
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.difficulty import likely_heights
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.unpickler import load_pickle
from finediving_pose.lexicon import SUB_ACTIONS, parse_dive_number

MANIFEST: dict[str, Any] = json.loads((files("data_manifest") / "finediving.json").read_text(encoding="utf-8"))
FOLDERS = {"finediving": "finediving/Annotations", "mtl_aqa": "mtl_aqa"}


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((files("data_manifest") / name).read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("name", sorted(f.name for f in files("data_manifest").iterdir() if f.name.endswith(".csv")))
def test_every_row_has_a_value_for_every_column_and_no_more(name: str) -> None:
    assert not [row for row in rows(name) if None in row or None in row.values()]


def test_videos_are_as_the_labels_have_them(shared_data: Path) -> None:
    clips = read_labels(shared_data / FOLDERS["finediving"])
    for row in rows("videos.csv"):
        own = sorted(c.key.index for c in clips if c.key.video == row["video"])
        panels = {str(len(c.judge_scores)) for c in clips if c.key.video == row["video"]}
        missing = [i for i in range(own[0], own[-1]) if i not in own]
        said = (row["dives"], row["first_index"], row["missing"], {row["awards"]})
        assert said == (str(len(own)), str(own[0]), " ".join(map(str, missing)), panels), row["video"]
        heights = {c.height_m for c in clips if c.key.video == row["video"]} - {None}
        assert heights <= {float(row["height_m"])}


@pytest.mark.parametrize("name", FOLDERS)
def test_label_files_have_the_listed_digests(shared_data: Path, name: str) -> None:
    for file, facts in MANIFEST[name]["files"].items():
        data = (shared_data / FOLDERS[name] / file).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (facts["bytes"], facts["sha256"]), file


@pytest.mark.parametrize("name", FOLDERS)
def test_counts_are_those_of_the_labels(shared_data: Path, name: str) -> None:
    facts, clips = MANIFEST[name], read_labels(shared_data / FOLDERS[name])
    assert len(clips) == facts["dives"]
    assert len({c.key.video for c in clips}) == facts["videos"]
    assert len({c.action_type for c in clips}) == facts["dive_numbers"]
    assert Counter(c.split for c in clips) == facts["splits"]
    assert {str(n): k for n, k in Counter(len(c.judge_scores) for c in clips).items()} == facts["judges"]
    stages = {str(n): k for n, k in Counter(c.n_stages for c in clips if c.n_stages).items()}
    assert stages == facts.get("stages", {})


def test_difficulties_are_those_of_the_labels(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    seen = Counter((c.action_type, "" if c.height_m is None else f"{c.height_m:g}", str(c.difficulty)) for c in clips)
    listed = {(r["dive_number"], r["height_m"], r["difficulty"]): int(r["count"]) for r in rows("difficulty.csv")}
    assert seen == listed


def test_sub_actions_are_named_as_in_the_labels(shared_data: Path) -> None:
    fine = load_pickle(shared_data / "finediving" / "Annotations" / "FineDiving_fine-grained_annotation.pkl")
    names = Counter((int(i), n) for v in fine.values() for i, n in v["sub-action_types"].items())
    wrong = {(2, "Forward"): 1}  # in one dive, see errata_labels.csv
    assert names == Counter({(i, n): names[i, n] for i, n in SUB_ACTIONS.items()}) + Counter(wrong)
    assert {i for i, _ in names} == set(SUB_ACTIONS)


def test_numbers_of_dives_and_awards_by_height_are_those_of_the_labels(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    heights = likely_heights(clips)
    seen: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    for c in clips:
        if (height := heights[c.key]) is not None:
            awards = sorted(c.judge_scores)
            mean = statistics.fmean(awards[2:5] if len(awards) == 7 else awards)
            seen.setdefault((c.action_type or "", f"{height:g}"), []).append((bool(c.synchronised), mean))
    listed = {(r["dive_number"], r["height_m"]): r for r in rows("dives.csv")}
    assert set(listed) == set(seen)
    for key, dives in seen.items():
        row, means = listed[key], [mean for _, mean in dives]
        assert (int(row["count"]), int(row["synchronised"])) == (len(dives), sum(pair for pair, _ in dives))
        assert float(row["award_mean"]) == pytest.approx(statistics.fmean(means), abs=0.006)
        if len(means) > 1:
            assert float(row["award_sd"]) == pytest.approx(statistics.stdev(means), abs=0.006)


@pytest.mark.slow
def test_lengths_of_clips_and_entries_are_those_of_the_labels(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    heights = likely_heights(clips)
    for row in rows("lengths.csv"):
        same = [
            (c.n_frames or 0, (c.n_frames or 0) - c.stage_starts[-1])
            for c in clips
            if heights[c.key] == float(row["height_m"]) and c.stage_starts
            and parse_dive_number(c.action_type or "").armstand == (row["start"] == "armstand")
        ]  # fmt: skip
        part = [a if row["part"] == "clip" else b for a, b in same]
        assert len(part) == int(row["count"])
        for mark in (m for m in row if m[0] == "p" and m[1:].isdigit()):
            assert float(row[mark]) == pytest.approx(np.percentile(part, int(mark[1:])), abs=0.051), mark
