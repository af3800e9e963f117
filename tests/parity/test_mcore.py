"""MCoRe computes what its public code computes, from the features of frames on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from baselines.data.batch import Batch
from baselines.method import pick
from baselines.methods.mcore.network import MCoRe
from baselines.modules.contrast import one_way_stage_contrast
from tests.parity.peers import EXEMPLARS, QUERIES, SCORES, Given, peers_fixture, peers_state
from tests.parity.reference import TOLERANCE, error, reference_input
from tests.parity.test_modules import DECODER_NAMES, HEAD_NAMES, renamed


@pytest.fixture
def network(shared_method: Path) -> MCoRe:
    made = MCoRe(predict="halves", second_transition_weight=2).eval()
    made.static = Given(368)  # type: ignore[assignment]
    parts = {
        "segmentation": lambda key: re.sub(r"^_fc_out\._fc_out", "out", key).replace("_gru.", "gru."),
        "regressor.decoder": lambda key: renamed(key, DECODER_NAMES),
        "regressor.head": lambda key: renamed(key, HEAD_NAMES),
    }
    for (ours, rename), theirs in zip(parts.items(), ("segmentation", "decoder", "regressor"), strict=True):
        made.get_submodule(ours).load_state_dict(peers_state(shared_method, f"mcore_{theirs}", rename))
    return made


@torch.inference_mode()
def test_a_training_step(shared_method: Path, network: MCoRe) -> None:
    expected = peers_fixture(shared_method, "mcore")
    video = torch.cat([reference_input(f"mcore.{role}", 2, 96, 368) for role in ("query", "exemplar")])
    true = torch.cat([expected["transitions_query"], expected["transitions_exemplar"]])
    clips = network.encode(Batch(video=video), true)
    q, e = pick(clips, QUERIES), pick(clips, EXEMPLARS)
    assert error(q.tokens.flatten(1, 2), expected["query_tokens"]) < TOLERANCE
    assert error(network.regressor.decoder(q.tokens[:, 0], e.tokens[:, 0]), expected["decoded"]) < TOLERANCE
    relative = torch.cat([network.compare(q, e), network.compare(e, q)]).sum(1)
    assert error(relative, expected["relative_true"]) < TOLERANCE
    assert error(SCORES[EXEMPLARS] + relative[:2], expected["predicted_score_true"]) < TOLERANCE
    losses = network.loss(Batch(video=video, transitions=true, score=SCORES, query=QUERIES, exemplar=EXEMPLARS))
    names = {"score_loss": "score", "segmentation_loss": "transitions", "contrast_loss": "contrast_x10"}
    assert {n: error(loss, expected[f"loss_{names[n]}"]) < TOLERANCE for n, loss in losses.items()} == dict.fromkeys(
        names, True
    )


@torch.inference_mode()
def test_a_vote(shared_method: Path, network: MCoRe) -> None:
    expected = peers_fixture(shared_method, "mcore")
    query, exemplar = (reference_input(f"mcore.{role}", 2, 96, 368)[:1] for role in ("query", "exemplar"))
    q, e = (network.encode(Batch(video=clip)) for clip in (query, exemplar))
    assert torch.cat([q.transitions, e.transitions]).tolist() == expected["predicted_transitions"].tolist()
    relative = torch.cat([network.compare(q, e), network.compare(e, q)]).sum(1)
    assert error(relative, expected["relative_predicted"]) < TOLERANCE
    assert error(SCORES[EXEMPLARS[:1]] + relative[:1], expected["predicted_score"]) < TOLERANCE


def test_contrast_of_tokens(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "mcore_contrast")
    a = reference_input("mcore.a", 5, 368)
    b = 0.1 * a + reference_input("mcore.b", 5, 368)
    a, b = a[None, :, None], b[None, :, None]
    assert error(one_way_stage_contrast(a, b, 0.5)[0], expected["loss_ab"].mean()) < TOLERANCE
    assert error(one_way_stage_contrast(b, a, 0.5)[0], expected["loss_ba"].mean()) < TOLERANCE
