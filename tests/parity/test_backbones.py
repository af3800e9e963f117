"""Our backbones compute what the public reference modules compute."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from baselines.backbones.gsm_regnet import GateShift, GSMRegNet
from baselines.backbones.hdgcn import HDGCN, hierarchy_adjacency
from baselines.backbones.i3d import I3D
from tests.parity.reference import TOLERANCE, error, fixture, reference_input, reference_state
from tests.parity.released_keys import hdgcn_from_published

pytestmark = pytest.mark.slow


def i3d(folder: Path, bn_eps: float) -> I3D:
    model = I3D(bn_eps=bn_eps).eval()
    model.load_state_dict(reference_state(folder, "i3d", lambda key: not key.startswith("conv3d_0c_1x1")))
    return model


@torch.inference_mode()
def test_i3d_snippet(shared_method: Path) -> None:
    expected = fixture(shared_method, "i3d_snippet")
    model = i3d(shared_method, 1e-5)
    snippet = reference_input("i3d.input", 1, 3, 16, 112, 112)
    feature_map = model.feature_map(snippet)
    assert error(feature_map, expected["feature_map"]) < TOLERANCE
    assert error(model(snippet)[0, 0], expected["feature"].flatten()) < TOLERANCE
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.eps = 1e-3
    assert error(model(snippet)[0, 0], expected["feature_eps_1e_3"].flatten()) < TOLERANCE


@torch.inference_mode()
def test_i3d_clip_pair(shared_method: Path) -> None:
    expected = fixture(shared_method, "i3d_clip_pair")["features"]
    model = i3d(shared_method, 1e-5)
    both = [model(reference_input(f"i3d.video_{i}", 1, 3, 96, 112, 112)) for i in (1, 2)]
    assert error(torch.cat(both, dim=2), expected) < TOLERANCE


@torch.inference_mode()
def test_gate_shift(shared_method: Path) -> None:
    module = GateShift(8, segments=8).eval()
    module.load_state_dict(reference_state(shared_method, "gsm"))
    assert error(module(reference_input("gsm.input", 8, 8, 5, 6)), fixture(shared_method, "gsm")["output"]) < TOLERANCE


@torch.inference_mode()
def test_static_encoder(shared_method: Path) -> None:
    model = GSMRegNet().eval()
    model.net.load_state_dict(reference_state(shared_method, "regnety_002_gsm"))
    features = model(reference_input("static.video", 1, 3, 96, 112, 112))
    assert error(features, fixture(shared_method, "static_encoder")["features"]) < TOLERANCE


@pytest.mark.parametrize(("channels", "stride"), [(3, 2), (3, 1), (2, 1)])
@torch.inference_mode()
def test_hdgcn(shared_method: Path, channels: int, stride: int) -> None:
    expected = fixture(shared_method, "hdgcn")
    model = HDGCN(in_channels=channels, stride=stride, classes=60).eval()
    model.load_state_dict(hdgcn_from_published(reference_state(shared_method, f"hdgcn_c{channels}")))
    features = model(reference_input(f"hdgcn.input_c{channels}", 2, channels, 96, 16, 1))
    assert error(features, expected[f"features_stride{stride}_c{channels}"]) < TOLERANCE
    assert error(model.classify(features), expected[f"logits_stride{stride}_c{channels}"]) < TOLERANCE


def test_hdgcn_adjacency(shared_method: Path) -> None:
    assert torch.equal(hierarchy_adjacency(), fixture(shared_method, "hdgcn")["adjacency"])
