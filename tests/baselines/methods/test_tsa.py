"""TSA's own: where its stages are cut, and what it can't be built from."""

from __future__ import annotations

import pytest
import torch

from baselines.data.batch import Batch, given
from baselines.methods.tsa import TSAMethod
from baselines.methods.tsa.network import TSA
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from tests.baselines.small_model import batch

SMALL = {"frames": 24, "i3d": {"width": 0.0625, "stride": 8}, "depth": 1, "heads": 2}


def test_stages_are_cut_at_the_true_transitions_until_a_quarter_of_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    network, cut = TSA(**SMALL), []
    encode = network.encode

    def watched(clips: Batch, transitions: torch.Tensor | None = None) -> object:
        encoded = encode(clips, transitions)
        cut.append(torch.equal(encoded.transitions, given(clips.transitions)))
        return encoded

    monkeypatch.setattr(network, "encode", watched)
    for epoch in (0, 2, 3, 7):
        network.begin_epoch(epoch, 8)
        network.loss(batch())
    assert cut == [True, True, False, False]


def test_every_part_learns_and_the_pair_is_not_symmetric() -> None:
    torch.manual_seed(0)
    network = TSA(**SMALL)
    losses = network.loss(batch())
    torch.stack(list(losses.values())).sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()] == []
    with torch.no_grad():
        clips = network.eval().encode(batch())
        moved = clips._replace(maps=clips.maps + torch.randn_like(clips.maps))
        assert torch.equal(network.compare(clips, clips), network.compare(moved, clips))
        assert not torch.equal(network.compare(clips, clips), network.compare(clips, moved))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("data.frames", 100, "frames=100 has to be a multiple of 8"),
        ("data.stages", "native", "this model cuts every dive in 3 stages"),
        ("model.heads", 7, "can't be split in 7 attention heads"),
        ("model.predict", "thirds", "it is ordered or halves"),
        ("model.maps", "mixed", "it is places or released"),
    ],
)
def test_what_it_can_not_be_built_from_is_said(name: str, value: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_config(TSAMethod(), "full", seed=0, changes={name: value})
