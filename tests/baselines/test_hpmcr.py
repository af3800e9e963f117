"""The model as a whole, small."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from baselines.hpmcr import HPMCR, PARTS

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


def test_the_stages_add_up_to_the_comparison(model: HPMCR) -> None:
    b = batch()
    model.eval()
    with torch.no_grad():
        model.stage_weights.log += torch.tensor([1.0, 0.0, -1.0])
        clips = model.encode(b["video"], b["pose"])
        q, e = clips.pick(b["query"]), clips.pick(b["exemplar"])
        by_stage = model.compare_stages(q, e)
        fused, static = model.compare_fused(q.fused, e.fused), model.compare_static(q.static, e.static)
    assert by_stage.shape == (3, 3)
    mean = (model.stage_weights(fused) + model.stage_weights(static)) / 2
    assert torch.allclose(model.compare(q, e), mean, atol=1e-6)
    assert torch.allclose(by_stage.sum(1), mean, atol=1e-6)


@pytest.mark.parametrize("part", PARTS)
def test_without_a_part_the_rest_starts_the_same_and_learns(part: str) -> None:
    whole, less = (torch.manual_seed(0), HPMCR(**SMALL))[1], (torch.manual_seed(0), HPMCR(**SMALL, without=[part]))[1]
    state = whole.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in less.state_dict().items())
    losses = less(mode="loss", **batch())
    torch.stack(list(losses.values())).sum().backward()
    unused = {n.split(".")[0] for n, p in less.named_parameters() if p.grad is None}
    assert unused == ({"segmentation"} if part == "segmentation" else set())


def test_what_a_part_is_left_out_of() -> None:
    """Without the skeleton poses change nothing; without the static branch its tokens don't."""
    b, other = batch(), torch.randn(4, 2, 24, 16, 1)
    found = {}
    for part in PARTS:
        torch.manual_seed(0)
        model = HPMCR(**SMALL, without=[part])
        losses = set(model(mode="loss", **b))
        with torch.no_grad():
            one, two = (model.eval().encode(b["video"], pose) for pose in (b["pose"], other))
            blank = one._replace(static=torch.zeros_like(one.static))
            scores = [model.compare(x.pick(b["query"]), x.pick(b["exemplar"])) for x in (one, blank)]
        found[part] = (losses, torch.equal(one.fused, two.fused), torch.equal(*scores), one.transitions.tolist())
    assert [part for part in PARTS if found[part][1]] == ["skeleton"]
    assert [part for part in PARTS if found[part][2]] == ["static"]
    assert "fused_contrast_loss" not in found["contrast"][0]
    assert "static_contrast_loss" not in found["static"][0]
    assert "segmentation_loss" not in found["segmentation"][0]
    assert found["segmentation"][3] == [[8, 16]] * 4


def test_a_part_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no parts"):
        HPMCR(**SMALL, without=["splash"])


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
