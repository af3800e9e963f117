"""TSA computes what its public code computes, from I3D's features and maps on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.methods.tsa.network import TSA, transition_loss
from tests.parity.peers import EXEMPLARS, QUERIES, SCORES, peers_fixture, peers_state
from tests.parity.reference import TOLERANCE, error, reference_input
from tests.parity.test_modules import DECODER_NAMES, HEAD_NAMES, renamed

ROLES = ("query", "exemplar")


class GivenMaps(nn.Module):
    """In I3D's place: features and maps of clips that the "pictures" (N,) are the numbers of."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.cat([reference_input(f"tsa.{role}_features_c", 2, 9, 1024) for role in ROLES])
        self.maps = torch.cat([reference_input(f"tsa.{role}_maps", 2, 9, 1024, 2, 4, 4) for role in ROLES]).mean(3)

    def features_and_maps(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self.features[given(batch.video)], self.maps[given(batch.video)]


def parser_key(key: str) -> str:
    key = re.sub(r"^down(\d)\.mpconv\.1\.conv\.", r"blocks.\1.", key.replace("inc.conv.conv.", "blocks.0."))
    return renamed(key, {f"tas.{theirs}": f"transitions.{ours}" for theirs, ours in HEAD_NAMES.items()})


def network(folder: Path, maps: Literal["places", "released"] = "places") -> TSA:
    made = TSA(maps=maps, predict="halves").eval()
    made.i3d = GivenMaps()  # type: ignore[assignment]
    made.parser.load_state_dict(peers_state(folder, "tsa_parser", parser_key))
    for part, names, theirs in (("decoder", DECODER_NAMES, "decoder"), ("head", HEAD_NAMES, "regressor")):
        state = peers_state(folder, f"tsa_{theirs}", lambda key, names=names: renamed(key, names))
        made.regressor.get_submodule(part).load_state_dict(state)
    return made


@torch.inference_mode()
def test_parser(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "tsa_parser")
    made = network(shared_method)
    features, logits = made.parser(reference_input("tsa.snippets", 4, 9, 1024))
    assert error(features, expected["features"]) < TOLERANCE
    assert error(logits, expected["logits"]) < TOLERANCE
    assert error(logits.sigmoid(), expected["probabilities"]) < TOLERANCE
    assert made.predict_transitions(logits).tolist() == expected["predicted"].tolist()
    assert error(transition_loss(logits, expected["labels"]), expected["loss"]) < TOLERANCE


@torch.inference_mode()
def test_decoder_and_head(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "tsa_decoder")
    regressor = network(shared_method).regressor
    tokens = regressor.decoder(reference_input("tsa.decoder_q", 2, 5, 64), reference_input("tsa.decoder_v", 2, 80, 64))
    assert error(tokens, expected["output"]) < TOLERANCE
    assert error(regressor.head(tokens), expected["token_scores"]) < TOLERANCE


MAPS: dict[str, Literal["places", "released"]] = {"tsa_permuted": "places", "tsa_released": "released"}


@pytest.mark.parametrize("name", MAPS)
@torch.inference_mode()
def test_a_training_step(shared_method: Path, name: str) -> None:
    expected = peers_fixture(shared_method, name)
    made = network(shared_method, MAPS[name])
    true = torch.cat([expected["transitions_query"], expected["transitions_exemplar"]])
    clips = made.encode(Batch(video=torch.arange(4)), true)
    q, e = pick(clips, QUERIES), pick(clips, EXEMPLARS)
    assert error(q.tokens.flatten(1, 2), expected["query_tokens"]) < TOLERANCE
    assert error(e.maps.flatten(1, 2), expected["exemplar_map_tokens"]) < TOLERANCE
    relative = torch.cat([made.compare(q, e), made.compare(e, q)]).sum(1)
    assert error(relative, expected["relative_true"]) < TOLERANCE
    assert error(SCORES[EXEMPLARS] + relative[:2], expected["predicted_score_true"]) < TOLERANCE
    batch = Batch(video=torch.arange(4), transitions=true, score=SCORES, query=QUERIES, exemplar=EXEMPLARS)
    losses = made.loss(batch)
    assert error(losses["score_loss"], expected["loss_score"]) < TOLERANCE
    assert error(losses["segmentation_loss"], expected["loss_transitions"]) < TOLERANCE


@pytest.mark.parametrize("name", MAPS)
@torch.inference_mode()
def test_a_vote(shared_method: Path, name: str) -> None:
    expected = peers_fixture(shared_method, name)
    made = network(shared_method, MAPS[name])
    q, e = (made.encode(Batch(video=torch.tensor([i]))) for i in (0, 2))
    assert torch.cat([q.transitions, e.transitions]).tolist() == expected["predicted_transitions"].tolist()
    relative = torch.cat([made.compare(q, e), made.compare(e, q)]).sum(1)
    assert error(relative, expected["relative_predicted"]) < TOLERANCE
    assert error(SCORES[EXEMPLARS[:1]] + relative[:1], expected["predicted_score"]) < TOLERANCE
