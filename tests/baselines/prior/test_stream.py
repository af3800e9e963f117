"""Unfilmed dives: always the same, never those of a competition, and seen as a camera sees them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.prior.performed import FAULTS, FRAMES, frame_times
from baselines.prior.stream import UnfilmedDives, generator, perform_unfilmed
from finediving_pose.skeleton import INDEX
from finediving_pose.synth.faults import Faults
from finediving_pose.synth.plan import DIVE_NUMBERS, Plan


@pytest.fixture(scope="module")
def dives() -> UnfilmedDives:
    return perform_unfilmed(3, range(12))


def test_a_dive_follows_from_seed_and_place_alone(dives: UnfilmedDives) -> None:
    again = UnfilmedDives.joined([perform_unfilmed(3, [n]) for n in (7, 2)])
    for f in fields(UnfilmedDives):
        np.testing.assert_array_equal(getattr(again, f.name), getattr(dives, f.name)[[7, 2]])
    assert not np.array_equal(perform_unfilmed(4, [7]).joints, perform_unfilmed(3, [7]).joints)


def test_quality_is_what_the_faults_leave_of_ten(dives: UnfilmedDives) -> None:
    alone = ~dives.synchronised
    assert alone.any()
    for faults, quality in zip(dives.faults[alone], dives.quality[alone], strict=True):
        assert Faults(**dict(zip(FAULTS, faults.tolist(), strict=True))).quality() == pytest.approx(quality, abs=1e-4)


def test_all_numbers_come_single_and_synchronised() -> None:
    draws = [generator(0, place) for place in range(2000)]
    assert {int(rng.integers(len(DIVE_NUMBERS))) for rng in draws} == set(range(len(DIVE_NUMBERS)))
    assert 0.15 < np.mean([rng.random() < 0.2 for rng in draws]) < 0.25


@given(seed=st.integers(0, 2**64), event=st.integers(0, 500), index=st.integers(0, 7), place=st.integers(0, 2**31))
@settings(deadline=None)
def test_no_competition_has_the_random_numbers_of_the_stream(seed: int, event: int, index: int, place: int) -> None:
    """numpy mixes the words of a seed with their number: the stream's are two more than four, a competition's fewer."""
    stream = generator(seed, place).bit_generator.seed_seq
    assert isinstance(stream, np.random.SeedSequence)
    assert len(stream.spawn_key) == 2
    for entropy in ((seed, event), (seed, event, index), (seed, event, 1_000_000)):
        competition = np.random.SeedSequence(entropy)
        assert competition.generate_state(4).tolist() != stream.generate_state(4).tolist()


def test_the_seeds_of_events_are_two_words() -> None:
    assert {len(event.seed) for event in Plan(64, 11).events()} == {2}


def test_a_camera_sees_the_diver_in_the_picture_until_the_water(dives: UnfilmedDives) -> None:
    for i in range(len(dives)):
        joints, seen = dives.seen(i, np.random.default_rng(i))
        take_off, touch, end = dives.times[i].tolist()
        times = frame_times(end)
        assert joints.shape == (FRAMES, 16, 2)
        assert seen[(times > take_off) & (times < touch - 0.1)].mean() > 0.9
        assert not seen[times > touch + 0.6].any()


def test_what_is_higher_over_the_water_is_higher_in_the_picture(dives: UnfilmedDives) -> None:
    """Of the same world points the lower one is lower in the picture, whatever the camera does."""
    up = dives.joints[:1].copy()
    up[..., INDEX["pelvis"], 2] += 0.5
    higher, _ = replace(dives, joints=np.concatenate([up, dives.joints[1:]])).seen(0, np.random.default_rng(0))
    as_it_was, _ = dives.seen(0, np.random.default_rng(0))
    assert (higher[:, INDEX["pelvis"], 1] < as_it_was[:, INDEX["pelvis"], 1]).all()
    np.testing.assert_array_equal(higher[:, INDEX["thorax"]], as_it_was[:, INDEX["thorax"]])
