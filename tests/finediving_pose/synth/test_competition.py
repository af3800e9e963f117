from __future__ import annotations

import json
import pickle
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.errors import UsageError
from finediving_pose.labels.read import read_labels
from finediving_pose.lexicon import awards_total, expected_sub_actions, parse_dive_number
from finediving_pose.synth import competition as competing
from finediving_pose.synth import filming, joining, labels
from finediving_pose.synth.competition import make_competition
from finediving_pose.synth.plan import DIVE_NUMBERS, Event, deal
from tests.finediving_pose.synth.made_up import TINY

pytestmark = pytest.mark.slow

LABELS = (
    "FineDiving_coarse_annotation.pkl", "FineDiving_fine-grained_annotation.pkl", "fine-grained_annotation_aqa.pkl",
    "train_split.pkl", "test_split.pkl",
)  # fmt: skip


def unpickled(path: Path) -> Any:
    with open(path, "rb") as f:
        return pickle.load(f)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def shape_of(value: Any) -> Any:
    """Types all the way down, dictionaries by their names where these are fixed."""
    if isinstance(value, dict):
        named = all(isinstance(k, str) for k in value)
        return {k if named else shape_of(k): shape_of(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.ndim
    if isinstance(value, tuple | list):
        items = [shape_of(v) for v in value]
        return type(value), items[:1] if all(i == items[0] for i in items) else items
    return type(value)


@pytest.mark.parametrize("name", LABELS)
def test_labels_have_the_structure_of_the_real_ones(competition: Path, shared_data: Path, name: str) -> None:
    ours, real = unpickled(competition / "labels" / name), unpickled(shared_data / "finediving" / "Annotations" / name)
    assert type(ours) is type(real)
    if isinstance(ours, dict):
        assert {shape_of(k) if not isinstance(k, tuple) else tuple(map(type, k)) for k in ours} == {(str, int)}
        assert {str(shape_of(v)) for v in ours.values()} <= {str(shape_of(v)) for v in real.values()}
    else:
        assert {tuple(map(type, k)) for k in ours} == {(str, int)}


def test_the_labels_are_read_as_clips(competition: Path) -> None:
    clips = read_labels(competition / "labels")
    assert {(c.action_type, c.height_m) for c in clips} == {("5253b", 10), ("205b", 3)}
    assert {c.split for c in clips} == {"train", "test"} and not any(c.synchronised for c in clips)
    assert all(c.n_stages == len(expected_sub_actions(parse_dive_number(c.action_type or ""))) for c in clips)


def test_labels_load_where_numpy_is_old(competition: Path) -> None:
    for name in LABELS:
        assert b"numpy._core" not in (competition / "labels" / name).read_bytes()


def test_stage_changes_and_frame_labels_agree(competition: Path) -> None:
    coarse, fine = (unpickled(competition / "labels" / name) for name in LABELS[:2])
    assert list(coarse) == list(fine)
    for key, entry in fine.items():
        labels = entry["frames_labels"]
        assert len(labels) == coarse[key]["end_frame"] - coarse[key]["start_frame"] + 1
        assert np.array_equal(np.flatnonzero(np.diff(labels)), entry["steps_transit_frames"])
        assert set(labels.tolist()) == {int(i) for i in entry["sub-action_types"]}


def test_every_dive_lies_in_its_video_after_empty_water(competition: Path) -> None:
    coarse = unpickled(competition / "labels" / LABELS[0])
    for video in sorted({v for v, _ in coarse}):
        with av.open(str(competition / "videos" / f"{video}.mp4")) as container:
            frames = sum(1 for _ in container.decode(video=0))
            stream = container.streams.video[0]
            assert (stream.width, stream.height, stream.average_rate) == (456, 256, 25)
        ranges = sorted((c["start_frame"], c["end_frame"]) for (v, _), c in coarse.items() if v == video)
        assert ranges[0][0] >= 3 and ranges[-1][1] < frames - 3
        assert all(b[0] - a[1] > 3 for a, b in pairwise(ranges))


def test_scores_are_the_counting_awards_times_the_difficulty(competition: Path) -> None:
    for dive in unpickled(competition / "labels" / LABELS[0]).values():
        counting = sum(sorted(dive["judge_scores"])[2:5])
        assert dive["dive_score"] == pytest.approx(counting * dive["difficulty"], abs=0.0051)


def test_annotations_have_the_released_structure(competition: Path, shared_data: Path) -> None:
    real = json.loads((shared_data / "finediving_pose_examples" / "annotations.json").read_text())[0]
    truth = json.loads((competition / "truth" / "annotations.json").read_text())
    assert list(real) == list(truth[0])
    for entry in truth:
        x1, y1 = np.array(entry["center"]) - 100 * entry["scale"]
        x2, y2 = np.array(entry["center"]) + 100 * entry["scale"]
        assert np.shape(entry["joints"]) == (16, 2) and len(entry["joints_vis"]) == 16
        seen = np.array(entry["joints"])[np.array(entry["joints_vis"]) == 1]
        assert len(seen) and (seen >= [x1 - 1, y1 - 1]).all() and (seen <= [x2 + 1, y2 + 1]).all()


def test_the_hand_annotations_are_some_training_frames_a_little_off(competition: Path) -> None:
    truth = {e["image"]: e for e in json.loads((competition / "truth" / "annotations.json").read_text())}
    hand = json.loads((competition / "hand" / "annotations.json").read_text())
    train = {f"{v}/{i}" for v, i in unpickled(competition / "labels" / "train_split.pkl")}
    assert hand and {e["image"].rpartition("/")[0] for e in hand} <= train
    off = np.array([np.subtract(e["joints"], truth[e["image"]]["joints"]) for e in hand])
    assert 0.5 < off.std() < 1.0 and len(hand) < len(truth) / 3


def test_the_same_seed_gives_the_same_bytes(competition: Path, tmp_path: Path) -> None:
    make_competition(tmp_path / "again", dives=8, seed=3, dive_numbers=TINY, jobs=1)
    first, again = contents(competition), contents(tmp_path / "again")
    assert list(first) == list(again)
    assert [name for name in first if first[name] != again[name]] == []


def test_an_interrupted_competition_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    make_competition(whole, dives=2, seed=9, dive_numbers=TINY, jobs=1)
    filmed: list[str] = []
    real = filming.film_event

    def stops_at_the_second(folder: Path, event: Event) -> int:
        if filmed:
            raise KeyboardInterrupt
        filmed.append(event.video)
        return real(folder, event)

    monkeypatch.setattr(competing, "film_event", stops_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        make_competition(out, dives=2, seed=9, dive_numbers=TINY, jobs=1)
    assert not (out / "labels").exists()
    kept = (out / "videos" / f"{filmed[0]}.mp4").stat().st_mtime_ns
    monkeypatch.setattr(competing, "film_event", real)
    make_competition(out, dives=2, seed=9, dive_numbers=TINY, jobs=1)
    assert (out / "videos" / f"{filmed[0]}.mp4").stat().st_mtime_ns == kept
    assert contents(out) == contents(whole)


def test_another_seed_is_not_taken_for_finished(competition: Path) -> None:
    assert all(filming.is_finished(competition, e) for e in deal(8, 3, TINY))
    assert not any(filming.is_finished(competition, e) for e in deal(8, 4, TINY))


def test_by_default_every_number_of_the_test_split_has_two_dives_to_train_on() -> None:
    events = deal(96, 0, DIVE_NUMBERS[:12], pairs=True)
    rows = [{"video": e.video, "index": i, "action_type": n} for e in events for i, n in enumerate(e.dive_numbers)]
    test = joining.draw_test_split(rows, 0)
    assert len(rows) == 96 and len(test) == 24
    for number in {r["action_type"] for r in rows if (r["video"], r["index"]) in test}:
        assert sum(r["action_type"] == number and (r["video"], r["index"]) not in test for r in rows) >= 2
    assert {"10m" if e.height == 10 else "3m" for e in events} == {"10m", "3m"}
    assert all(("10m" in e.video) == (e.height == 10) for e in events)


@pytest.mark.parametrize(
    ("number", "says"), [("999x", "no dive number"), ("101d", "no degree of difficulty"), ("413c", "no degree")]
)
def test_an_unknown_dive_number_is_one_clear_line(tmp_path: Path, number: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        deal(4, 0, [number])
    result = CliRunner().invoke(main, ["synth", "--out", str(tmp_path / "out"), "--dive-number", number])
    assert result.exit_code == 2 and number in result.output and len(result.output.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_to_run_next_and_speaks_json(competition: Path) -> None:
    options = ["synth", "--out", str(competition), "--dives", "8", "--seed", "3"]
    options += [o for n in TINY for o in ("--dive-number", n)]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 0 and f"next: fdpose extract --videos {competition / 'videos'}" in result.output
    summary = json.loads(CliRunner().invoke(main, [*options, "--json"]).stdout)
    assert summary["dives"] == 8 and summary["train"] + summary["test"] == 8 and summary["frames"] > 400


def test_a_fifth_of_a_competition_with_its_own_numbers_is_synchronised() -> None:
    events = deal(416, 0, DIVE_NUMBERS, pairs=True)
    together = [n for e in events if e.synchronised for n in e.dive_numbers]
    assert 0.15 < len(together) / 416 < 0.22 and not any(n.startswith("6") for n in together)
    assert all(("Synchronised" in e.video) == e.synchronised for e in events)
    assert {n for e in events for n in e.dive_numbers} == set(DIVE_NUMBERS) and len(set(DIVE_NUMBERS)) == 52
    assert not any(e.synchronised for e in deal(416, 0, DIVE_NUMBERS))


def test_a_synchronised_event_has_five_awards_and_the_truth_of_both(tmp_path: Path) -> None:
    events = [e for e in deal(40, 3, ("305b",), pairs=True) if e.synchronised]
    event = replace(events[0], dive_numbers=("305b", "305b"))
    filming.film_event(tmp_path, event)
    dives = filming.made(tmp_path, event)["dives"]
    labels.write_labels(tmp_path / "labels", [{**row, "split": "train"} for row in dives])
    clips = read_labels(tmp_path / "labels")
    assert all(c.synchronised and len(c.judge_scores) == 5 for c in clips)
    for c in clips:
        assert (awards_total(c.judge_scores, True) or 0) * (c.difficulty or 0) == pytest.approx(c.dive_score)
    images = [json.loads(line)["image"] for line in filming.poses_file(tmp_path, event).read_text().splitlines()]
    assert all(images.count(name) == 2 for name in images)
    assert all("faults_partner" in row and "offset_s" in row for row in dives)
