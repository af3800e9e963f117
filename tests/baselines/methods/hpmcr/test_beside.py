"""The prior's pose scorer beside a model of any shape: what it says is added, and it learns on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from baselines.data.batch import given
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.modules.segmentation import predict_transitions
from baselines.prior.network import SCORE_UNIT
from baselines.prior.weights import read_prior
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from tests.baselines.small_model import SMALL, batch

T = 96
CLIPS = batch(video=torch.randn(4, 3, T, 32, 32), pose=torch.randn(4, 2, T, 16, 1))
CUT = torch.tensor([[24, 60]] * 4)
OF_PRIOR = torch.linspace(0, T - 1, 48).round().long()
"""The frames that the prior reads."""


def _network(**changes: Any) -> HPMCR:
    torch.manual_seed(0)
    return HPMCR(**{**SMALL, "frames": T, **changes})


def _compared(network: HPMCR) -> torch.Tensor:
    network.eval()
    with torch.no_grad():
        clips = network.encode(CLIPS, CUT)
        return network.compare(clips.pick(given(CLIPS.query)), clips.pick(given(CLIPS.exemplar)))


def test_what_the_prior_says_of_every_second_frame_is_added() -> None:
    added = _compared(_network(prior_beside=True)) - _compared(_network())
    prior = read_prior().network()
    with torch.no_grad():
        cut = torch.tensor([[int((c > OF_PRIOR).sum()) for c in CUT[0].tolist()]] * 4)
        tokens, _ = prior.encode(given(CLIPS.pose)[:, :, OF_PRIOR], cut)
        said = prior.compare(tokens[given(CLIPS.query)], tokens[given(CLIPS.exemplar)]) * SCORE_UNIT
    torch.testing.assert_close(added, said, atol=1e-3, rtol=1e-3)
    assert said.abs().max() > 0.1


def test_where_no_transitions_are_learned_it_finds_the_stages_itself() -> None:
    network = _network(prior_beside=True, without=("segmentation",)).eval()
    assert network.beside is not None
    with torch.no_grad():
        found = network.encode(CLIPS, CUT).beside
        prior = read_prior().network()
        poses = given(CLIPS.pose)[:, :, OF_PRIOR]
        cut = predict_transitions(prior.encode(poses, torch.tensor([[16, 32]] * 4))[1])
        wanted, _ = prior.encode(poses, cut)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


def test_it_learns_on_and_keeps_its_statistics() -> None:
    network = _network(prior_beside=True).train()
    assert network.beside is not None
    before = {k: v.clone() for k, v in network.beside.named_buffers() if "running" in k}
    losses = network.loss(replace(CLIPS, transitions=CUT))
    torch.stack(list(losses.values())).sum().backward()
    after = dict(network.beside.named_buffers())
    assert before and all(torch.equal(v, after[k]) for k, v in before.items())
    learning = dict(network.beside.named_parameters())
    for name in ("share", "scorer.skeleton.blocks.4.residual.0.weight"):
        gradient = learning[name].grad
        assert gradient is not None and gradient.abs().max() > 0


def test_without_poses_it_is_not_there() -> None:
    network = _network(prior_beside=True, without=("skeleton",))
    assert network.beside is None
    assert not network.describe().keys() & {"beside the model, pose scorer learned from"}


def test_the_page_names_what_it_learned_from() -> None:
    said = _network(prior_beside=True).describe()["beside the model, pose scorer learned from"]
    assert said == read_prior().title


@pytest.mark.parametrize(
    "changed, words",
    [
        ({}, "data.target=score_over_difficulty"),
        ({"data.target": "score_over_difficulty", "data.pose_norm": "none"}, "data.pose_norm=centre"),
        ({"data.target": "score_over_difficulty", "data.stages": "native"}, "data.stages=3"),
        ({"data.target": "score_over_difficulty", "model.prior": True}, "prior=true"),
    ],
)
def test_what_it_can_not_stand_beside_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_config(HPMCRMethod(), "full", seed=0, changes={"model.prior_beside": True, **changed})
