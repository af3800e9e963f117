"""RICA2 computes what its public code computes, with and without samples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.data.batch import Batch, given
from baselines.methods.rica2.network import ACTIONS, RICA2, kl_loss, present_actions, rank_loss, sparse_loss
from tests.parity.peers import peers_fixture, peers_state
from tests.parity.reference import TOLERANCE, error, reference_input

NAMES = {
    r"backbone\.embd\.0": "encoder.first",
    r"backbone\.embd\.1": "encoder.second",
    r"backbone\.encoder_blocks": "encoder.blocks",
    r"(blocks\.\d)\.ln1": r"\1.norm_attention",
    r"(blocks\.\d)\.ln2": r"\1.norm_mlp",
    r"attn\.query_conv\.conv": "local.0.0.conv",
    r"attn\.query_norm": "local.0.1",
    r"attn\.key_conv\.conv": "local.1.0.conv",
    r"attn\.key_norm": "local.1.1",
    r"attn\.value_conv\.conv": "local.2.0.conv",
    r"attn\.value_norm": "local.2.1",
    r"neck\.layers": "decoder.blocks",
    r"xattn\.q_conv\.conv": "local.conv",
    r"xattn\.q_norm": "norm_local",
    r"xattn\.xattn": "attention",
    r"\.attn\.": ".attention.",
    r"attention\.proj": "attention.out",
    r"drop_path_attn": "attention_branch",
    r"drop_path_(mlp|ffn)": "mlp_branch",
    r"ln_xattn_q\b": "norm_query",
    r"ln_xattn_kv": "norm_snippets",
    r"ffn\.fc": "mlp.0",
    r"ffn\.proj": "mlp.3",
    r"ln_ffn": "norm_mlp",
    r"neck\.ln_out": "decoder.norm",
    r"neck\.text_queries_projection": "queries.projection",
    r"neck\.text_queries\.weight": "queries.text",
    r"quality_score_head\.common_base": "rubric.node",
    r"quality_score_head\.scoring_head\.0": "rubric.dive.0",
    r"quality_score_head\.scoring_head\.2": "rubric.last",
    r"quality_score_head\.phase_composer\.level_2_mlp": "rubric.part",
    r"quality_score_head\.mean_var_linear": "rubric.gaussian",
}
UNUSED = re.compile(r"temperature|level_3_mlp")


def ours(key: str) -> str:
    for theirs, name in NAMES.items():
        key = re.sub(theirs, name, key)
    return key


class Given(nn.Module):
    """In the encoder's place: features that are given."""

    out_channels = 1024

    def features(self, batch: Batch) -> Tensor:
        return given(batch.video)


def reference(shared_method: Path, name: str, **options: Any) -> tuple[RICA2, Batch, dict[str, Tensor]]:
    expected = peers_fixture(shared_method, name)
    network = RICA2(text={"width": 4096}, **options)
    network.i3d = Given()  # type: ignore[assignment]
    wanted = network.state_dict()
    state = {ours(k): v for k, v in peers_state(shared_method, name).items() if not UNUSED.search(k)}
    network.load_state_dict({k: v.reshape(wanted[k].shape) for k, v in state.items()})
    listed = [[ACTIONS[place] for place in row.nonzero()[:, 0].tolist()] for row in expected["actions"]]
    longest = max(map(len, listed))
    sub_actions = torch.tensor([row + [-1] * (longest - len(row)) for row in listed])
    features = reference_input("rica2.features", 3, 1024, 9).transpose(1, 2)
    batch = Batch(features, score=expected["target"], difficulty=expected["difficulty"], sub_actions=sub_actions)
    return network.eval(), batch, expected


@torch.inference_mode()
@pytest.mark.parametrize("variant", ["deterministic", "stochastic"])
def test_sub_actions_are_found_alike(shared_method: Path, variant: str) -> None:
    network, batch, expected = reference(
        shared_method, f"rica2_{variant}", without=["sampling"] if variant == "deterministic" else []
    )
    present = present_actions(given(batch.sub_actions))
    assert torch.equal(present, expected["actions"].bool())
    assert error(network.encoder(given(batch.video)).transpose(1, 2), expected["encoded"]) < TOLERANCE
    actions, attention = network._found(given(batch.video), present)
    assert error(attention[:, 0], expected["attention_1"]) < TOLERANCE
    assert error(attention[:, 1], expected["attention_2"]) < TOLERANCE
    assert error(actions[present], expected["tokens_present"]) < TOLERANCE
    assert error(rank_loss(attention, present), expected["ranking_loss"]) < TOLERANCE
    assert error(sparse_loss(attention), expected["sparsity_loss"]) < TOLERANCE


@torch.inference_mode()
def test_vectors_are_scored_alike(shared_method: Path) -> None:
    network, batch, expected = reference(shared_method, "rica2_deterministic", without=["sampling"])
    assert error(network.score(batch), expected["score_over_difficulty"]) < TOLERANCE
    assert error(network.score(batch) * given(batch.difficulty), expected["predicted_score"]) < TOLERANCE
    assert error(network.loss(batch)["score_loss"], expected["quality_score_loss"]) < TOLERANCE


@torch.inference_mode()
def test_gaussians_are_scored_alike(shared_method: Path) -> None:
    network, batch, expected = reference(shared_method, "rica2_stochastic")
    present, difficulty = present_actions(given(batch.sub_actions)), given(batch.difficulty)
    actions, _ = network._found(given(batch.video), present)
    mean, log_variance = network.rubric.distribution(actions)
    assert error(mean[present], expected["mean_present"]) < TOLERANCE
    assert error(log_variance.exp()[present], expected["variance_present"]) < TOLERANCE
    sigma = [(0.5 * clip[there]).exp().mean(0) for clip, there in zip(log_variance, present, strict=True)]
    assert error(torch.stack(sigma), expected["sigma"]) < TOLERANCE
    noise = torch.cat([reference_input(f"rica2.noise_{i}", 1, 3, len(ACTIONS), 256) for i in range(2)])
    samples = network.rubric(actions, present, noise)  # (2, N)
    assert error(samples.T, expected["samples"]) < TOLERANCE
    assert error(samples.mean(0) * difficulty, expected["predicted_score"]) < TOLERANCE
    squared = (samples * difficulty - given(batch.score) * difficulty).square().mean()
    assert error(squared, expected["quality_score_loss"]) < TOLERANCE
    assert error(kl_loss(mean, log_variance, present), expected["phase_vib_loss"]) < TOLERANCE
