"""Filmed ends of dives: where foam is, the poses of the same camera, and no dive of a competition."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.prior.filmed import BEFORE, DIVES, LAST, FilmedEntries, _event, film_entries
from baselines.prior.performed import FRAMES
from finediving_pose.packed.views import sample_frames
from finediving_pose.synth.camera import HEIGHT, WIDTH
from finediving_pose.synth.dive import FPS


@pytest.fixture(scope="module")
def dives() -> FilmedEntries:
    return film_entries(3, range(2))


def test_a_venue_follows_from_seed_and_place_alone(dives: FilmedEntries) -> None:
    again = film_entries(3, [1])
    for f in fields(FilmedEntries):
        np.testing.assert_array_equal(getattr(again, f.name), getattr(dives, f.name)[DIVES:])


def test_foam_comes_after_the_touch_where_the_picture_changed(dives: FilmedEntries) -> None:
    for i in range(len(dives)):
        seconds = sample_frames(round(float(dives.times[i, 2]) * FPS), FRAMES)[-LAST:] / FPS
        foamy = dives.foam[i].reshape(LAST, -1).astype(float).sum(1) > 0
        assert not foamy[seconds <= dives.times[i, 1]].any()
        assert foamy[seconds > dives.times[i, 1] + 0.1].all()


def test_only_the_last_stage_is_filmed(dives: FilmedEntries) -> None:
    for i in range(len(dives)):
        numbers = sample_frames(round(float(dives.times[i, 2]) * FPS), FRAMES)
        entry = int(np.searchsorted(numbers, dives.starts[i].max()))
        filmed = dives.pictures[i].any((1, 2, 3))
        first = max(entry - BEFORE - FRAMES + LAST, 0)
        assert not filmed[:first].any() and filmed[first:].all()


def test_joints_in_sight_are_in_the_picture(dives: FilmedEntries) -> None:
    joints, seen = dives.seen(0, np.random.default_rng(0))
    assert joints.shape == (FRAMES, 16, 2) and seen.any()
    assert (joints[seen] >= 0).all() and (joints[seen] <= (WIDTH - 1, HEIGHT - 1)).all()


@given(seed=st.integers(0, 2**32), venue=st.integers(0, 10_000), event=st.integers(0, 500), index=st.integers(0, 7))
@settings(deadline=None)
def test_no_competition_has_the_random_numbers_of_a_filmed_dive(seed: int, venue: int, event: int, index: int) -> None:
    """The generator pads short seeds with zeros to four words; those of filmed dives are longer, and end in a one."""
    mine = _event(seed, venue)
    assert len(mine.seed) == 5 and mine.seed[-1] == 1
    states = [np.random.SeedSequence(words).generate_state(4).tolist() for words in (mine.seed, (*mine.seed, index))]
    for entropy in ((seed, event), (seed, event, index), (seed, event, 1_000_000)):
        assert np.random.SeedSequence(entropy).generate_state(4).tolist() not in states
