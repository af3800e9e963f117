"""A competition of FineDiving's own shape: its videos and counts, and labels with its errors."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from data_manifest import table
from finediving_pose.cli import main
from finediving_pose.labels.read import read_labels
from finediving_pose.synth.like import PlanLike, total_dives

ALL = PlanLike(total_dives(), 7).events()


def test_all_videos_with_all_dives_and_numbers_as_often_as_they_are_dived() -> None:
    assert (len(ALL), sum(len(e.dive_numbers) for e in ALL)) == (135, 3000)
    numbers = Counter(n for e in ALL for n in e.dive_numbers)
    dived = Counter[str]()
    for row in table("dives.csv"):
        dived[row["dive_number"]] += int(row["count"])
    assert set(numbers) == set(dived) and len(numbers) == 52
    off = {n: numbers[n] - dived[n] for n in dived}
    assert sum(abs(d) for d in off.values()) < 130, "117 dives of one video are not in dives.csv"


def test_names_heights_pairs_and_indices_are_the_data_sets() -> None:
    by_name = {e.video: e for e in ALL}
    first = by_name["01"]
    assert (first.height, first.synchronised, len(first.dive_numbers)) == (10.0, False, 180)
    assert first.indices[0] == 1 and first.indices[-1] == 191 and 24 not in first.indices
    pairs = by_name["SyntheticFINADivingWorldCup2021_Women3mSynchronised_final_r4"]
    assert (pairs.height, pairs.synchronised, pairs.woman, pairs.counting) == (3.0, True, True, False)
    assert by_name["SyntheticFINADivingWorldCup2021_Men3m_final_r1"].counting
    assert all(name.isdecimal() or name.startswith("Synthetic") for name in by_name)
    assert sum(e.synchronised for e in ALL) == sum("Synchro" in e.video for e in ALL) == 51


def test_another_seed_deals_otherwise() -> None:
    assert [e.dive_numbers for e in PlanLike(3000, 8).events()] != [e.dive_numbers for e in ALL]
    assert PlanLike(3000, 7).events() == ALL


@pytest.mark.parametrize("dives", [1, 40, 1000])
def test_some_of_the_dives_are_whole_videos_and_a_part_of_one(dives: int) -> None:
    events = PlanLike(dives, 7).events()
    assert sum(len(e.dive_numbers) for e in events) == dives
    sizes = {row["video"]: int(row["dives"]) for row in table("videos.csv")}
    cut = [e for e in events if len(e.dive_numbers) != sizes[e.video.removeprefix("Synthetic")]]
    assert len(cut) <= 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--like", "other"], "--like other: no data set of which the shape is known; there is finediving"),
        (["--like", "finediving", "--dives", "3001"], "--dives 3001: with --like finediving there are 1 to 3000 dives"),
        (["--like", "finediving", "--dive-number", "107b"], "--like has the data set's own dive numbers"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, given: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["synth", "--out", str(tmp_path / "out"), *given])
    assert result.exit_code == 2 and said in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_small_one_is_filmed_and_its_labels_are_synthetic(tmp_path: Path) -> None:
    out = tmp_path / "like"
    asked = ["synth", "--out", str(out), "--like", "finediving", "--dives", "3", "--seed", "1"]
    assert CliRunner().invoke(main, asked).exit_code == 0
    (event,) = PlanLike(3, 1).events()
    clips = read_labels(out / "labels")
    assert [c.key.index for c in clips] == list(event.indices)
    assert {c.source for c in clips} == {"synthetic"} and {c.key.video for c in clips} == {event.video}
    shown = {entry["image"].rpartition("/")[0] for entry in json.loads((out / "truth/annotations.json").read_text())}
    assert shown == {str(c.key) for c in clips}
    assert json.loads((out / "truth" / "errata.json").read_text()) == []
    again = CliRunner().invoke(main, [*asked[:3], "--dives", "3", "--seed", "1"])
    assert again.exit_code == 2 and "holds another competition (like finediving)" in again.stderr
