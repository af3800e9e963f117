"""Splits by competition."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.splits import competition, split_by_competition


@pytest.mark.parametrize(
    ("video", "name"),
    [
        ("FINADivingWorldCup2021_Men10m_final_r1", "FINADivingWorldCup2021_Men10m"),
        ("FINADivingWorldCup2021_Men10m_semifinal_r6", "FINADivingWorldCup2021_Men10m"),
        ("FINADivingWorldCup2021_Women3m_final", "FINADivingWorldCup2021_Women3m"),
        ("FINADivingWorldCup2021_Women3mSynchronised_final_r1", "FINADivingWorldCup2021_Women3mSynchronised"),
        ("3mMenSpringboardFinal-EuropeanChampionships2021_4", "3mMenSpringboardFinal-EuropeanChampionships2021"),
        ("01", "01"),
    ],
)
def test_the_rounds_of_a_competition_are_one(video: str, name: str) -> None:
    assert competition(video) == name


@st.composite
def competitions(draw: st.DrawFn) -> list[Clip]:
    sizes = draw(st.lists(st.integers(1, 30), min_size=2, max_size=12))
    return [Clip(ClipKey(f"Event{e}_final_r{i % 3}", i)) for e, n in enumerate(sizes) for i in range(n)]


@pytest.mark.slow
@given(competitions(), st.floats(0.05, 0.95), st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_no_competition_is_on_both_sides(clips: list[Clip], share: float, seed: int, random: Random) -> None:
    dealt = split_by_competition(clips, share, seed)
    sides: dict[str, set[str]] = {}
    for clip in dealt:
        sides.setdefault(competition(clip.key.video), set()).add(clip.split)
    assert all(len(s) == 1 for s in sides.values())
    assert {c.split for c in dealt} == {"train", "test"}
    random.shuffle(clips)
    again = {c.key: c.split for c in split_by_competition(clips, share, seed)}
    assert again == {c.key: c.split for c in dealt}


@pytest.mark.slow
def test_real_dives_are_split_near_the_share_that_is_asked_for(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    splits = [{str(c.key) for c in split_by_competition(clips, 0.25, seed) if c.split == "test"} for seed in range(5)]
    assert all(700 <= len(test) <= 800 for test in splits)
    assert len({frozenset(test) for test in splits}) == 5


@pytest.mark.parametrize(("share", "videos"), [(0.0, 3), (1.0, 3), (0.5, 1)])
def test_a_split_that_cannot_be_is_refused(share: float, videos: int) -> None:
    clips = [Clip(ClipKey(f"Event{i}", 1)) for i in range(videos)]
    with pytest.raises(UsageError, match=r"share of the test split|all clips are of one competition"):
        split_by_competition(clips, share)
