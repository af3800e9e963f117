"""The methods that score each dive on its own compute what their public code computes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from baselines.data.batch import Batch, given
from baselines.methods.musdl.network import BINS, BINS_A_POINT, COUNTING, MUSDL, counted, panel_awards
from baselines.methods.usdl.network import USDL
from baselines.modules.distribution import decoded, soft_targets
from tests.parity.peers import peers_fixture, peers_state
from tests.parity.reference import TOLERANCE, error, reference_input


class Given(nn.Module):
    """In the encoder's place: features of snippets that are given, (N, n, C)."""

    out_channels = 1024

    def features(self, batch: Batch) -> Tensor:
        return given(batch.video)


@dataclass
class Features:
    """A batch whose pictures are features already."""

    features: Tensor

    def batch(self, **fields: Any) -> Batch:
        return Batch(video=self.features[:, None], **fields)


def classifier_keys(key: str) -> str:
    """``evaluator.3.layer2.weight`` to ``classifiers.3.2.weight``."""
    number = re.search(r"layer(\d)", key)
    assert number
    ours = key.replace(f"layer{number[1]}", str(2 * (int(number[1]) - 1)))
    return re.sub(r"^evaluator\.(\d)\.(\d)", r"classifiers.\1.\2", ours).replace("evaluator.", "classifier.")


@torch.inference_mode()
def test_usdl(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "usdl")
    network = USDL()
    network.i3d = Given()  # type: ignore[assignment]
    network.load_state_dict(peers_state(shared_method, "usdl", classifier_keys))
    given = Features(reference_input("usdl.features", 4, 1024))
    batch = given.batch(score=expected["score"])
    assert error(network.logits(batch), expected["logits"]) < TOLERANCE
    assert error(network.logits(batch).softmax(-1), expected["probabilities"]) < TOLERANCE
    assert error(network.score(batch), expected["predicted_score"]) < TOLERANCE
    assert error(network.loss(batch)["distribution_loss"], expected["loss"]) < TOLERANCE
    targets = soft_targets(expected["score"] / network.step, 101, 5.0)
    assert error(targets, expected["soft_target"]) < TOLERANCE
    assert error(targets.argmax(-1) * network.step, expected["decoded_target"]) < TOLERANCE


@torch.inference_mode()
def test_musdl(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "musdl")
    network = MUSDL(award_order="listed")
    network.i3d = Given()  # type: ignore[assignment]
    network.load_state_dict(peers_state(shared_method, "musdl", classifier_keys))
    given = Features(reference_input("musdl.features", 4, 1024))
    single = torch.zeros(4, dtype=torch.bool)
    batch = given.batch(awards=expected["judge_scores"], synchronised=single)
    assert error(network.logits(batch).softmax(-1), expected["probabilities"]) < TOLERANCE
    assert error(network.score(batch) * expected["difficulty"], expected["predicted_score"]) < TOLERANCE
    assert error(network.loss(batch)["distribution_loss"], expected["loss"]) < TOLERANCE
    awards = panel_awards(expected["judge_scores"], single, listed=True)
    targets = soft_targets(awards * BINS_A_POINT, BINS, 5.0)
    assert error(targets, expected["soft_target"]) < TOLERANCE
    assert (COUNTING.start, COUNTING.stop) == (2, 5)
    total = counted(decoded(targets.log()) / BINS_A_POINT) * expected["difficulty"]
    assert error(total, expected["decoded_target"]) < TOLERANCE
