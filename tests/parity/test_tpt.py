"""TPT computes what its public code computes, from I3D's features on."""

from __future__ import annotations

from pathlib import Path

import torch

from baselines.data.batch import Batch
from baselines.method import pick
from baselines.methods.tpt.network import TPT, rank_loss, sparse_loss
from tests.parity.peers import Given, peers_fixture, peers_state
from tests.parity.reference import TOLERANCE, error, reference_input
from tests.parity.test_modules import renamed

NAMES = {
    "action_decoder.query_embed.weight": "parser.position",
    "action_decoder": "parser",
    ".temp": ".temperature",
    "key_embed": "key",
    "value_embed": "value",
    "query_embed": "query",
    "norm1": "norm_seen",
    "norm2": "norm_mlp",
    "norm3": "norm_together",
    "self_attn": "together",
    "linear1": "mlp.0",
    "linear2": "mlp.3",
    "pair_encoder.mlp": "pair",
    "cls.": "classify.",
    "reg.": "place.",
}


@torch.inference_mode()
def test_parts_pairs_and_losses(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "tpt")
    network = TPT().eval()
    network.i3d = Given(1024)  # type: ignore[assignment]
    network.load_state_dict(
        peers_state(shared_method, "tpt", lambda key: renamed(key, NAMES)) | {"groups.bounds": network.groups.bounds}
    )
    video = torch.cat([reference_input(f"tpt.{role}", 3, 9, 1024) for role in ("query", "exemplar")])
    parts, attention = network.parser(video)
    assert error(parts[:3], expected["parts"]) < TOLERANCE
    assert error(torch.cat(list(attention), dim=1)[:3], expected["attention"]) < TOLERANCE
    clips = network.encode(Batch(video=video))
    q, e = pick(clips, torch.arange(3)), pick(clips, torch.arange(3, 6))
    back, forth = network.classified(e, q), network.classified(q, e)
    assert error(torch.cat([back[0], forth[0]]), expected["log_probability"]) < TOLERANCE
    assert error(torch.cat([back[1], forth[1]]), expected["place"]) < TOLERANCE
    assert error(forth[0], expected["log_probability_test"]) < TOLERANCE
    assert error(forth[1], expected["place_test"]) < TOLERANCE
    for margin in ("3.2", "1.0"):
        assert error(rank_loss(attention, float(margin)), expected[f"loss_rank_margin_{margin}"]) < TOLERANCE
    assert error(sparse_loss(attention), expected["loss_sparse"]) < TOLERANCE
