"""TPT's own: its parts, and the losses that put them in order."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.data.batch import given
from baselines.method import pick
from baselines.methods.tpt import TPTMethod
from baselines.methods.tpt.network import MARGIN_OF_THE_CLIP, TPT, centres, rank_loss, sparse_loss
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from tests.baselines.small_model import batch

METHOD = TPTMethod()
SMALL = {"i3d": {"width": 0.0625, "stride": 2}, "width": 32, "heads": 4, "hidden": 16}


def looks(*snippets: int, clips: int = 2, of: int = 9) -> Tensor:
    """Attention (1, clips, of, K) of parts that look at one snippet each, counted from 1."""
    return F.one_hot(torch.tensor(snippets) - 1, of).float().T.expand(1, clips, -1, -1)


def test_parts_in_order_and_far_enough_apart_cost_nothing() -> None:
    in_order = looks(2, 4, 6, 8)
    assert centres(in_order).tolist() == [[[2, 4, 6, 8], [2, 4, 6, 8]]]
    assert rank_loss(in_order, margin=1) == 0
    assert rank_loss(in_order, margin=2) == 2  # a snippet each at both ends
    assert rank_loss(looks(4, 2, 6, 8), margin=1) == 3


def test_the_margin_grows_with_the_number_of_snippets() -> None:
    assert rank_loss(looks(1, 1, of=20)) == pytest.approx(2 * 3.2)
    assert rank_loss(looks(1, 1)) == pytest.approx(2 * MARGIN_OF_THE_CLIP * 8)


def test_attention_that_is_spread_costs_more_than_a_look() -> None:
    assert sparse_loss(looks(2, 8)) == 0
    assert sparse_loss(torch.full((2, 3, 9, 4), 1 / 9)) == pytest.approx(2 * 20 / 9)


def test_every_part_learns_and_parts_are_told_apart() -> None:
    torch.manual_seed(0)
    network, some = TPT(**SMALL, score_range=110), batch()
    torch.stack(list(network.loss(some).values())).sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()] == []
    with torch.no_grad():
        clips = network.eval().encode(some)
        assert clips.parts.shape == (4, 5, 32)
        assert not torch.allclose(clips.parts[:, 0], clips.parts[:, 1])
        q, e = pick(clips, given(some.query)), pick(clips, given(some.exemplar))
        log_probability, place = network.classified(q, e)
    assert torch.allclose(log_probability.exp().sum(1), torch.ones(3))
    assert ((place > 0) & (place < 1)).all()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("model.heads", 7, "width=512 can't be split in 7 attention heads"),
        ("model.groups", 15, "15 groups of differences"),
        ("model.out_of_range", "far", "it is nearest or released"),
        ("model.decoding", "mean", "it is likeliest or expectation"),
    ],
)
def test_what_it_can_not_be_built_from_is_said(name: str, value: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_config(METHOD, "full", seed=0, changes={name: value})
