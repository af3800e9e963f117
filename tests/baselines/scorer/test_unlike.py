"""What is unlike the training dives is told, and what is like them is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.scorer.unlike import FEWEST, describe_pictures, describe_poses, find_usual
from finediving_pose.skeleton import FLIP


def dives(rng: np.random.Generator, n: int, videos: int, apart: float = 0.0) -> tuple[np.ndarray, list[str]]:
    """Statistics (n, 10), correlated, of so many videos whose means lie ``apart`` from each other."""
    mixing = np.random.default_rng(7).normal(size=(10, 10))
    place = np.arange(n) % videos
    return rng.normal(size=(n, 10)) @ mixing + apart * rng.normal(size=(videos, 10))[place], [f"v{p}" for p in place]


def test_new_dives_of_the_kind_are_usual_and_others_are_not() -> None:
    rng = np.random.default_rng(0)
    usual = find_usual(*dives(rng, 200, 20))
    assert usual is not None
    fresh = [usual.distance(s) > usual.limit for s in dives(rng, 1000, 1000)[0]]
    assert np.mean(fresh) < 0.04
    assert usual.distance(usual.mean) == 0
    strange, _ = dives(rng, 100, 100)
    strange[:, 3] += 100
    assert all(usual.distance(s) > usual.limit for s in strange)


def test_a_new_video_is_as_usual_as_the_known_ones() -> None:
    """Dives of one video are alike; measured against its own video, each would seem nearer than a new one can be."""
    rng = np.random.default_rng(1)
    statistics, videos = dives(rng, 200, 6, apart=10.0)
    usual, blind = find_usual(statistics, videos), find_usual(statistics, ["one"] * 200)
    assert usual is not None and blind is not None and usual.limit > 1.3 * blind.limit


def test_of_too_few_dives_nothing_is_said() -> None:
    statistics, videos = dives(np.random.default_rng(2), FEWEST, 5)
    assert find_usual(statistics, videos) is not None
    assert find_usual(statistics[1:], videos[1:]) is None


def test_a_pose_is_described_whatever_its_unit_place_and_side() -> None:
    rng = np.random.default_rng(3)
    pose = torch.from_numpy(rng.normal(size=(2, 30, 16, 1)) + np.arange(30)[None, :, None, None]).float()
    described = describe_poses(pose)
    np.testing.assert_allclose(describe_poses(pose * 40 + 7), described, atol=1e-3)
    mirrored = pose[:, :, list(FLIP)] * torch.tensor([-1.0, 1.0])[:, None, None, None]
    np.testing.assert_allclose(describe_poses(mirrored), described, atol=1e-5)
    long_arms = pose.clone()
    long_arms[:, :, (10, 15)] *= 3
    assert np.abs(describe_poses(long_arms) - described).max() > 0.3


def test_frames_in_which_a_pose_stands_still_are_left_out() -> None:
    pose = torch.randn(2, 30, 16, 1, generator=torch.Generator().manual_seed(0))
    waiting = torch.cat([pose[:, :1].expand(-1, 20, -1, -1), pose], dim=1)
    np.testing.assert_allclose(describe_poses(waiting), describe_poses(pose), atol=0.2)
    assert np.isfinite(describe_poses(pose[:, :1])).all()
    assert np.isfinite(describe_poses(torch.zeros(2, 5, 16, 1))).all()


@pytest.mark.parametrize("change", ["brighter", "noisy", "grey"])
def test_pictures_differ_by_colour_noise_and_light(change: str) -> None:
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.randn(3, 8, 4, 4, generator=generator), size=(32, 32))
    changed = {
        "brighter": smooth + 1,
        "noisy": smooth + 0.5 * torch.randn(3, 8, 32, 32, generator=generator),
        "grey": smooth.mean(0, keepdim=True).expand(3, -1, -1, -1),
    }
    assert np.abs(describe_pictures(changed[change]) - describe_pictures(smooth)).max() > 0.3
    assert np.isfinite(describe_pictures(smooth[:, :1])).all()
