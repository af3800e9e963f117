"""Splits by event, competition and diver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.events import competition, diver, event
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.splits import BY, By, split_by, units


@st.composite
def events(draw: st.DrawFn) -> list[Clip]:
    sizes = draw(st.lists(st.integers(1, 30), min_size=2, max_size=12))
    return [Clip(ClipKey(f"Event{e}_final_r{i % 3}", i)) for e, n in enumerate(sizes) for i in range(n)]


@pytest.mark.slow
@given(events(), st.floats(0.05, 0.95), st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_no_event_is_on_both_sides(clips: list[Clip], share: float, seed: int, random: Random) -> None:
    dealt = split_by("event", clips, share, seed)
    sides: dict[str, set[str]] = {}
    for clip in dealt:
        sides.setdefault(event(clip), set()).add(clip.split)
    assert all(len(s) == 1 for s in sides.values())
    assert {c.split for c in dealt} == {"train", "test"}
    random.shuffle(clips)
    again = {c.key: c.split for c in split_by("event", clips, share, seed)}
    assert again == {c.key: c.split for c in dealt}


@pytest.mark.slow
def test_real_dives_are_split_near_the_share_that_is_asked_for(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    splits = [{str(c.key) for c in split_by("event", clips, 0.25, seed) if c.split == "test"} for seed in range(5)]
    assert all(650 <= len(test) <= 850 for test in splits)
    assert len({frozenset(test) for test in splits}) == 5


@pytest.mark.slow
@pytest.mark.parametrize("by", BY)
def test_no_unit_of_the_real_dives_is_on_both_sides(shared_data: Path, by: By) -> None:
    """London's videos 01, 02, 03 are rounds of one event, of which the diver split may cut none."""
    clips = split_by(by, read_labels(shared_data / "finediving"), 0.25, 1)
    of: dict[str, Callable[[Clip], str | None]] = {"event": event, "competition": competition, "diver": diver}
    sides: dict[str, set[str]] = {}
    for clip in clips:
        unit = of[by](clip)
        if unit:
            sides.setdefault(unit, set()).add(clip.split)
    assert all(len(s) == 1 for s in sides.values())
    assert {c.split for c in clips} == {"train", "test"}


@pytest.mark.slow
def test_an_event_with_an_unknown_diver_is_one_unit(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    unit = units(clips, "diver")
    unknown = {event(c) for c in clips if diver(c) is None}
    assert {unit[c.key] for c in clips if event(c) in unknown} == unknown
    assert len(unknown) == 13
    assert len(set(unit.values()) - unknown) == 251


@pytest.mark.parametrize(("share", "videos"), [(0.0, 3), (1.0, 3), (0.5, 1)])
def test_a_split_that_cannot_be_is_refused(share: float, videos: int) -> None:
    clips = [Clip(ClipKey(f"Event{i}", 1)) for i in range(videos)]
    with pytest.raises(UsageError, match=r"share of the test split|all clips are of one event"):
        split_by("event", clips, share)
