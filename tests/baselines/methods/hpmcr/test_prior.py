"""HPMCR starts as what was learned from synthetic dives: poses, and the splash; nothing beside them says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from baselines.backbones.splash_finder import SplashFinder
from baselines.data.batch import Batch
from baselines.methods.hpmcr.network import HPMCR
from baselines.methods.hpmcr.prior import FAULT_UNITS, TOLD, faults_in_units
from baselines.prior.network import SCORE_UNIT
from baselines.prior.weights import read_prior, read_splash_prior
from baselines.registry import find_method

T = 48
CUT = torch.tensor([[14, 33]] * 4)


def _network(without: Sequence[str] = (), **changes: Any) -> HPMCR:
    model = find_method("hpmcr").sections("demo")["model"]
    torch.manual_seed(0)
    return HPMCR(frames=T, without=without, **{**model, **changes})


@pytest.fixture(scope="module")
def batch() -> Batch:
    rng = torch.Generator().manual_seed(0)
    return Batch(
        video=torch.randn(4, 3, T, 64, 64, generator=rng),
        pose=torch.randn(4, 2, T, 16, 1, generator=rng),
        transitions=CUT,
        score=torch.tensor([20.0, 21.0, 22.0, 23.0]),
        query=torch.tensor([0, 2]),
        exemplar=torch.tensor([1, 3]),
    )


@pytest.mark.parametrize("without", [(), ("static",)])
def test_before_training_two_dives_differ_as_the_prior_says(batch: Batch, without: tuple[str, ...]) -> None:
    network, prior = _network((*without, "splash")).eval(), read_prior().network()
    with torch.no_grad():
        encoded = network.encode(batch, CUT)
        found = network.compare(encoded.pick(torch.tensor([0, 2])), encoded.pick(torch.tensor([1, 3])))
        assert batch.pose is not None
        tokens, _ = prior.encode(batch.pose, CUT)
        wanted = prior.compare(tokens[[0, 2]], tokens[[1, 3]]) * SCORE_UNIT
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-3)
    assert found.abs().max() > 0.1


class Seen(SplashFinder):
    """In place of the finder: every other clip has a splash in its last frames, a hundredth of the picture large."""

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        found = torch.zeros(len(video), video.shape[2])
        found[::2, -10:] = 0.01
        return found


@pytest.mark.parametrize("without", [(), ("static",)])
def test_a_splash_adds_what_its_prior_says_to_the_last_stage(batch: Batch, without: tuple[str, ...]) -> None:
    network, poses, prior = _network(without).eval(), _network((*without, "splash")).eval(), read_splash_prior()
    query, exemplar = torch.tensor([0, 2]), torch.tensor([1, 3])
    network.finder = Seen()
    scaled = replace(batch, scale=torch.tensor([0.1, 0.1, 0.1, 0.1]))
    with torch.no_grad():
        clips, seen = network.encode(scaled, CUT), poses.encode(scaled, CUT)
        found = network.compare(clips.pick(query), clips.pick(exemplar))
        by_pose = poses.compare(seen.pick(query), seen.pick(exemplar)) * prior.share
    said = (clips.splash[query, 0] - clips.splash[exemplar, 0]) * network.score_unit
    torch.testing.assert_close(found[:, :2], by_pose[:, :2], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(found[:, 2], by_pose[:, 2] + said, atol=1e-4, rtol=1e-3)
    assert (said < -0.5).all()


def test_what_looks_like_a_splash_before_the_last_stage_is_none(batch: Batch) -> None:
    network = _network().eval()
    with torch.no_grad():
        as_it_is = network.encode(batch, CUT).splash
        video = torch.as_tensor(batch.video).clone()
        video[:, :, :30] = video[:, :, :30].flip(0)
        assert torch.equal(network.encode(replace(batch, video=video), CUT).splash, as_it_is)
        video[:, :, 34:] = video[:, :, 34:].flip(0)
        assert not torch.equal(network.encode(replace(batch, video=video), CUT).splash, as_it_is)


def test_the_finder_of_splashes_is_not_trained(batch: Batch) -> None:
    network = _network().train()
    before = {k: v.clone() for k, v in network.named_buffers() if k.startswith("finder.")}
    torch.stack(list(network.loss(batch).values())).sum().backward()
    assert before and all(torch.equal(v, dict(network.named_buffers())[k]) for k, v in before.items())
    assert network.finder is not None and not any(p.requires_grad for p in network.finder.parameters())
    assert network.judge is not None and all(p.grad is not None for p in network.judge.parameters())


def test_a_step_of_training_leaves_the_statistics_of_the_prior(batch: Batch) -> None:
    network = _network().train()
    before = {k: v.clone() for k, v in network.skeleton.state_dict().items() if "running" in k}
    torch.stack(list(network.loss(batch).values())).sum().backward()
    after = network.skeleton.state_dict()
    assert before and all(torch.equal(v, after[k]) for k, v in before.items())
    assert network.visual_share is not None and network.visual_share.grad is not None
    assert network.visual_share.grad.abs() > 0  # pictures begin at nothing, and may grow


def test_a_branch_of_which_a_part_is_left_out_starts_from_random_weights(batch: Batch) -> None:
    network = _network(("skeleton",))
    assert network.facts is None and network.visual_share is None
    assert "pose branch started from" not in network.describe()
    assert "splash finder learned from" in network.describe()
    assert network.faults(network.encode(batch)) == {}


def test_the_page_names_what_the_branch_started_from() -> None:
    assert "23,000 unfilmed dives" in _network().describe()["pose branch started from"]


def test_a_branch_of_another_shape_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"prior=true: skeleton has another shape than the prior's; it is HD-GCN"):
        _network(skeleton={"in_channels": 2, "channels": [16, 64]})


def test_faults_that_poses_do_not_tell_are_not_numbers(batch: Batch) -> None:
    network = _network().eval()
    with torch.no_grad():
        found = network.faults(network.encode(batch))
    figures = read_prior().made["held_out"]["machine"]["faults"]
    told = {name for name, figure in figures.items() if figure["correlation"] >= TOLD} | {"splash"}
    assert told == set(network.told) and 0 < len(told) < len(FAULT_UNITS)
    for name, (_, unit) in FAULT_UNITS.items():
        assert found[f"{name}_{unit}"].isfinite().all() == (name in told)


def test_sizes_of_faults_are_points_times_what_a_point_costs() -> None:
    facts = torch.tensor([[0.5] + [2.0] * 9])
    found = faults_in_units(facts, {"rotation", "late"})
    assert found["rotation_deg"].tolist() == [22.0]
    assert found["late_s"].tolist() == pytest.approx([0.12])
    assert found["splash_share"].isnan().all()
