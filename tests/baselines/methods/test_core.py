"""CoRe's own: its range of scores, what it reads of an exemplar, and where its groups come from."""

from __future__ import annotations

import pytest
import torch

from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.methods.core import CoReMethod
from baselines.methods.core.network import CoRe, GroupTree
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from tests.baselines.small_model import batch

METHOD = CoReMethod()
SMALL = {"i3d": {"width": 0.0625, "stride": 8}, "width": 16}


@pytest.mark.parametrize(
    ("changes", "score_range"),
    [({}, 30), ({"data.target": "score"}, 110), ({"data.target": "score", "model.score_range": 100}, 100)],
)
def test_the_range_of_scores_follows_from_the_target_unless_it_is_given(
    changes: dict[str, object], score_range: float
) -> None:
    with torch.device("meta"):
        assert METHOD.build(make_config(METHOD, "full", 0, changes=changes)).groups.score_range == score_range


def test_every_part_learns_and_the_exemplar_s_score_is_read() -> None:
    torch.manual_seed(0)
    network, some = CoRe(**SMALL, score_range=110), batch()
    torch.stack(list(network.loss(some).values())).sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()] == []
    with torch.no_grad():
        clips = network.eval().encode(some)
        q, e = pick(clips, given(some.query)), pick(clips, given(some.exemplar))
        low, high = (network.compare(q, e, torch.full((3,), score)) for score in (20.0, 90.0))
    assert low.shape == (3,)
    assert not torch.equal(low, high)


def test_leaves_are_as_likely_as_their_parents_together() -> None:
    torch.manual_seed(0)
    log_probability, place = GroupTree(7, 8, 4)(torch.randn(5, 7))
    assert log_probability.shape == place.shape == (5, 8)
    assert torch.allclose(log_probability.exp().sum(1), torch.ones(5))


def test_the_groups_go_with_the_weights() -> None:
    one, other = CoRe(**SMALL), CoRe(**SMALL)
    one.prepare(Batch(score=torch.tensor([20.0, 21, 25]), query=torch.tensor([0, 1]), exemplar=torch.tensor([1, 2])))
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.groups.bounds, one.groups.bounds)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("model.out_of_range", "far", "it is nearest or released"),
        ("model.decoding", "mean", "it is likeliest or expectation"),
        ("model.depth", 1, "1 groups of differences"),
        ("model.score_range", -3, "groups of differences up to -3"),
    ],
)
def test_what_it_can_not_be_built_from_is_said(name: str, value: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_config(METHOD, "full", seed=0, changes={name: value})
