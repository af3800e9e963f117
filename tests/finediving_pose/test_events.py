"""Which event, competition, season and diver a clip is from."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from data_manifest import table
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.events import competition, diver, event, season
from finediving_pose.labels.read import read_labels


@pytest.mark.parametrize(
    ("video", "event_name", "competition_name"),
    [
        ("Cup2021_Men10m_final_r1", "Cup2021_Men10m", "Cup2021"),
        ("Cup2021_Men10m_semifinal_r6", "Cup2021_Men10m", "Cup2021"),
        ("Cup2021_Women3m_final", "Cup2021_Women3m", "Cup2021"),
        ("Cup2021_Women3mSynchronised_final_r1", "Cup2021_Women3mSynchronised", "Cup2021"),
        ("Evening-at-the-pool_4", "Evening-at-the-pool", "Evening-at-the-pool"),
        ("01", "01", "01"),
    ],
)
def test_a_name_tells_event_and_competition(video: str, event_name: str, competition_name: str) -> None:
    clip = Clip(ClipKey(video, 1))
    assert (event(clip), competition(clip), season(clip), diver(clip)) == (event_name, competition_name, None, None)


@pytest.mark.parametrize(("video", "name"), [("01", "Men10m"), ("05", "Women10m"), ("18", "Men3m")])
def test_numbered_videos_of_the_data_sets_are_listed(video: str, name: str) -> None:
    clip = Clip(ClipKey(video, 1), source="mtl_aqa")
    assert event(clip) == f"OlympicGames2012_{name}"
    assert competition(clip) == "OlympicGames2012"
    assert season(clip) == "2009 to 2013"


def test_a_diver_has_one_number_in_all_rounds_of_an_event() -> None:
    """The first of London's semifinal is the 25th of the preliminary, the tenth and eleventh dive of the final are of
    the divers 29, who dived twice, and 25."""
    dives = [("01", 25), ("02", 1), ("02", 19), ("03", 11), ("03", 23)]
    assert {diver(Clip(ClipKey(v, i), source="finediving")) for v, i in dives} == {"OlympicGames2012_Men10m/25"}
    again = [diver(Clip(ClipKey("03", i), source="finediving")) for i in (9, 10)]
    assert again == ["OlympicGames2012_Men10m/29"] * 2


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Clip]:
    """Every dive of either data set, FineDiving's where both have it."""
    dives = {c.key: c for name in ("mtl_aqa", "finediving") for c in read_labels(shared_data / name)}
    return list(dives.values())


def test_every_video_is_listed(real: list[Clip]) -> None:
    assert {c.key.video for c in real} == {r["video"] for r in table("videos.csv")}


@pytest.mark.slow
def test_a_diver_does_not_repeat_a_dive_in_a_round_of_the_event(real: list[Clip]) -> None:
    """The start orders are right only if no diver dives a number twice in a phase, but the one who dived again."""
    phases: dict[tuple[str | None, str], list[str]] = defaultdict(list)
    for clip in real:
        if diver(clip):
            phase = clip.key.video if clip.key.video.isdecimal() else clip.key.video.rpartition("_r")[0]
            phases[diver(clip), phase].append(clip.action_type or "")
    repeated = [key for key, numbers in phases.items() if len(set(numbers)) < len(numbers)]
    assert repeated == [("OlympicGames2012_Men10m/29", "03")]


@pytest.mark.slow
@pytest.mark.parametrize(("earlier", "later"), [("01", "02"), ("02", "03"), ("04", "05"), ("05", "06")])
def test_divers_start_in_reverse_order_of_the_phase_before(real: list[Clip], earlier: str, later: str) -> None:
    """And dive the same dives: what the numbers in start_orders.csv were inferred from."""
    scores: dict[str, list[float]] = defaultdict(list)
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for clip in real:
        if clip.key.video in (earlier, later):
            numbers[clip.key.video, diver(clip) or ""].add(clip.action_type or "")
            if clip.key.video == earlier:
                scores[diver(clip) or ""].append(clip.dive_score or 0.0)
    most = max(map(len, scores.values()))
    totals = {d: sum(s) for d, s in scores.items() if len(s) == most}
    order = [diver(c) or "" for c in sorted(real, key=lambda c: c.key) if c.key.video == later]
    order = [d for d in dict.fromkeys(order) if d in totals]
    assert order == sorted(order, key=lambda d: totals[d])
    assert all(numbers[later, d] == numbers[earlier, d] for d in order)
