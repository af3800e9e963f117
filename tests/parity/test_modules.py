"""Our modules, losses and metrics compute what the public reference code computes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.modules.contrast import one_way_stage_contrast
from baselines.modules.decoder import Decoder
from baselines.modules.regressor import StageRegressor, StageWeights
from baselines.modules.segmentation import ProcedureSegmentation, predict_transitions_by_halves, segmentation_loss
from baselines.modules.stages import pool_stages
from baselines.runs.metrics import average_iou, interval_iou
from finediving_pose.packed.views import sample_frames
from tests.parity.peers import peers_fixture
from tests.parity.reference import TOLERANCE, error, fixture, reference_input, reference_state


@pytest.mark.parametrize("frames", [63, 96, 101, 273])
def test_frame_sampling(shared_method: Path, frames: int) -> None:
    expected = fixture(shared_method, "frame_sampling")[f"n{frames}"].numpy()
    assert np.array_equal(sample_frames(frames, 96), expected)


@pytest.mark.parametrize(
    ("name", "length"),
    [
        (f"{kind}_{t}", n)
        for kind, n, first in (("frames", 96, "1_94"), ("snippets", 9, "5_94"))
        for t in (first, "30_61", "47_48")
    ],
)
def test_stage_pooling(shared_method: Path, name: str, length: int) -> None:
    expected = fixture(shared_method, "stage_pooling")[name]
    transitions = torch.tensor([[int(t) for t in name.split("_")[1:]]])
    features = reference_input(f"seg_pool.input_{length}", 1, 4, length).transpose(1, 2)
    pooled = pool_stages(features, transitions if length == 96 else transitions // 10, tokens=10)
    assert error(pooled.flatten(1, 2).transpose(1, 2), expected) < TOLERANCE


@pytest.mark.parametrize("name", ["stages_20_70", "stages_1_95", "stages_48_49", "stages_47_48"])
def test_half_open_stage_pooling(shared_method: Path, name: str) -> None:
    expected = peers_fixture(shared_method, "halfopen_pooling")[name]
    transitions = torch.tensor([[int(t) for t in name.split("_")[1:]]])
    features = reference_input("seg_pool.input_96", 1, 4, 96).transpose(1, 2)
    pooled = pool_stages(features, transitions, tokens=5, half_open=True)
    assert error(pooled.flatten(1, 2).transpose(1, 2), expected) < TOLERANCE


@torch.inference_mode()
def test_segmentation(shared_method: Path) -> None:
    expected = fixture(shared_method, "segmentation")
    module = ProcedureSegmentation(368).eval()
    state = reference_state(shared_method, "segmentation")
    module.load_state_dict(
        {re.sub(r"^_fc_out\._fc_out", "out", k).replace("_gru.", "gru."): v for k, v in state.items()}
    )
    logits = module(reference_input("segmentation.input", 2, 96, 368))
    assert error(logits, expected["logits"]) < TOLERANCE
    assert torch.equal(predict_transitions_by_halves(logits), expected["predicted"])
    loss = segmentation_loss(logits, expected["labels"], second_weight=2)
    assert error(loss, expected["loss"]) < TOLERANCE


def test_stage_contrast(shared_method: Path) -> None:
    expected = fixture(shared_method, "stage_contrast")
    a = reference_input("contrast.a", 30, 256)
    b = 0.1 * a + reference_input("contrast.b", 30, 256)
    a, b = a.view(1, 3, 10, 256), b.view(1, 3, 10, 256)
    assert error(one_way_stage_contrast(a, b)[0], expected["loss_ab"]) < TOLERANCE
    assert error(one_way_stage_contrast(b, a)[0], expected["loss_ba"]) < TOLERANCE


DECODER_NAMES = {
    "model.": "blocks.",
    "norm_q.": "norm_query.",
    "norm_v.": "norm_value.",
    "norm2.": "norm_mlp.",
    "attn.q_map": "attention.query",
    "attn.k_map": "attention.key",
    "attn.v_map": "attention.value",
    "attn.proj": "attention.out",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.2",
}

HEAD_NAMES = {"layer1": "0", "layer2": "2", "layer3": "4"}


def renamed(key: str, names: dict[str, str]) -> str:
    for theirs, ours in names.items():
        key = key.replace(theirs, ours)
    return key


@torch.inference_mode()
def test_decoder(shared_method: Path) -> None:
    module = Decoder(256).eval()
    state = reference_state(shared_method, "decoder")
    module.load_state_dict({renamed(k, DECODER_NAMES): v for k, v in state.items()})
    output = module(reference_input("decoder.q", 2, 10, 256), reference_input("decoder.v", 2, 10, 256))
    assert error(output, fixture(shared_method, "decoder")["output"]) < TOLERANCE


@torch.inference_mode()
def test_regressor(shared_method: Path) -> None:
    expected = fixture(shared_method, "regressor")
    head = StageRegressor(256).head.eval()
    state = reference_state(shared_method, "regressor")
    head.load_state_dict({renamed(k, HEAD_NAMES): v for k, v in state.items()})
    scores = head(reference_input("regressor.tokens", 2, 30, 256))
    assert error(scores, expected["token_scores"]) < TOLERANCE
    weights = StageWeights()
    weights.log.copy_(expected["stage_weights"].log())
    relative = weights(scores.view(2, 3, 10).mean(2)).sum(1)
    assert error(relative[:, None], expected["relative_score"]) < TOLERANCE


def test_stage_iou(shared_method: Path) -> None:
    expected = fixture(shared_method, "stage_iou")
    target, predicted = expected["target"].numpy(), expected["predicted"].numpy()
    assert error(torch.from_numpy(interval_iou(target, predicted)), expected["iou"]) < TOLERANCE
    shares = [average_iou(interval_iou(target, predicted), t) * len(target) / 100 for t in (0.5, 0.75)]
    assert shares == pytest.approx(expected["correct_at_50_75"].tolist())
