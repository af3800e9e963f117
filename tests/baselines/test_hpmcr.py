"""The model as a whole, small."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from baselines.hpmcr import HPMCR

SMALL: dict[str, Any] = {
    "frames": 24,
    "i3d": {"width": 0.0625, "stride": 8},
    "static": {"arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25}},
    "skeleton": {"channels": (16, 32)},
    "dim": 32,
    "tokens": 4,
    "depth": 1,
}


@pytest.fixture
def model() -> HPMCR:
    torch.manual_seed(0)
    return HPMCR(**SMALL)


def batch(clips: int = 4) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {
        "video": torch.randn(clips, 3, 24, 32, 32),
        "pose": torch.randn(clips, 2, 24, 16, 1),
        "transitions": torch.tensor([[6, 15]] * clips),
        "score": torch.linspace(40, 80, clips),
        "query": torch.tensor([0, 1, 2]),
        "exemplar": torch.tensor([1, 2, 3]),
    }


def test_every_part_of_the_model_learns(model: HPMCR) -> None:
    losses = model(mode="loss", **batch())
    assert set(losses) == {"score_loss", "segmentation_loss", "fused_contrast_loss", "static_contrast_loss"}
    torch.stack(list(losses.values())).sum().backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert still == []


def test_encoding_has_a_stage_axis_and_ordered_transitions(model: HPMCR) -> None:
    b = batch()
    encoded = model.eval().encode(b["video"], b["pose"])
    assert encoded.fused.shape == encoded.static.shape == (4, 3, 4, 32)
    assert encoded.logits.shape == (4, 24, 2)
    assert (encoded.transitions[:, 0] < encoded.transitions[:, 1]).all()


def test_a_clip_is_encoded_the_same_in_any_company(model: HPMCR) -> None:
    """What encoding each clip once, and using it for all votes, rests on."""
    b = batch()
    model.eval()
    with torch.no_grad():
        together, alone = model.encode(b["video"], b["pose"]), model.encode(b["video"][2:3], b["pose"][2:3])
    for whole, part in zip(together, alone, strict=True):
        assert torch.allclose(whole[2:3], part, atol=1e-4)


def test_prediction_is_exemplar_score_plus_relative_score(model: HPMCR) -> None:
    b = batch()
    model.eval()
    inputs = {k: b[k] for k in ("video", "pose", "query", "exemplar")}
    low = model(mode="predict", **inputs, exemplar_score=torch.full((3,), 40.0))
    high = model(mode="predict", **inputs, exemplar_score=torch.full((3,), 70.0))
    assert torch.allclose(high - low, torch.full((3,), 30.0), atol=1e-3)


def test_widths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="ends in 32 channels, dim is 64"):
        HPMCR(**{**SMALL, "dim": 64})


def test_the_paper_s_shape_is_built() -> None:
    """Widths of the published encoders: 1024 dynamic, 368 static, 256 skeleton."""
    model = HPMCR()
    assert (model.dynamic.out_channels, model.static.out_channels, model.skeleton.out_channels) == (1024, 368, 256)
    assert len(model.skeleton.blocks) == 10
