"""The model as a whole, small."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from baselines.backbones.hdgcn import HDGCN
from baselines.data.batch import Batch, given
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from tests.baselines.small_model import SMALL, batch

pytestmark = pytest.mark.slow


@pytest.fixture
def model() -> HPMCR:
    torch.manual_seed(0)
    return HPMCR(**SMALL)


def test_every_part_of_the_model_learns(model: HPMCR) -> None:
    losses = model.loss(batch())
    assert set(losses) == {"score_loss", "segmentation_loss", "fused_contrast_loss", "static_contrast_loss"}
    torch.stack(list(losses.values())).sum().backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert still == []


def test_the_stages_add_up_to_the_comparison(model: HPMCR) -> None:
    b = batch()
    model.eval()
    with torch.no_grad():
        model.stage_weights.log.copy_(torch.tensor([1.0, 0.0, -1.0]))
        clips = model.encode(b)
        q, e = clips.pick(given(b.query)), clips.pick(given(b.exemplar))
        by_stage = model.compare(q, e)
        fused, static = model.compare_fused(q.fused, e.fused), model.compare_static(q.static, e.static)
    assert by_stage.shape == (3, 3)
    mean = (model.stage_weights(fused) + model.stage_weights(static)).sum(1) / 2
    assert torch.allclose(by_stage.sum(1), mean, atol=1e-6)


@pytest.mark.parametrize("part", HPMCRMethod.parts)
def test_without_a_part_the_rest_starts_the_same_and_learns(part: str) -> None:
    whole, less = (torch.manual_seed(0), HPMCR(**SMALL))[1], (torch.manual_seed(0), HPMCR(**SMALL, without=[part]))[1]
    state = whole.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in less.state_dict().items())
    losses = less.loss(batch())
    torch.stack(list(losses.values())).sum().backward()
    unused = {n.split(".")[0] for n, p in less.named_parameters() if p.grad is None}
    assert unused == ({"segmentation"} if part == "segmentation" else set())


def test_what_a_part_is_left_out_of() -> None:
    """Without the skeleton poses change nothing; without the static branch its tokens don't."""
    b, other = batch(), torch.randn(4, 2, 24, 16, 1)
    found = {}
    for part in HPMCRMethod.parts:
        torch.manual_seed(0)
        model = HPMCR(**SMALL, without=[part])
        losses = set(model.loss(b))
        with torch.no_grad():
            one, two = (model.eval().encode(batch(pose=pose)) for pose in (given(b.pose), other))
            blank = one._replace(static=torch.zeros_like(one.static))
            scores = [model.compare(x.pick(given(b.query)), x.pick(given(b.exemplar))) for x in (one, blank)]
        found[part] = (losses, torch.equal(one.fused, two.fused), torch.equal(*scores), one.transitions.tolist())
    assert [part for part in HPMCRMethod.parts if found[part][1]] == ["skeleton"]
    assert [part for part in HPMCRMethod.parts if found[part][2]] == ["static"]
    assert "fused_contrast_loss" not in found["contrast"][0]
    assert "static_contrast_loss" not in found["static"][0]
    assert "segmentation_loss" not in found["segmentation"][0]
    assert found["segmentation"][3] == [[8, 16]] * 4


NATIVE = torch.tensor([[6, -1, -1, 15], [6, 9, -1, 15], [6, 9, 12, 15], [5, -1, -1, 16]])
"""Transitions of dives of three, four, five and three stages."""


def test_dives_of_three_to_five_stages_are_learnt_together() -> None:
    torch.manual_seed(0)
    model = HPMCR(**SMALL, stages="native")
    losses = model.loss(batch(transitions=NATIVE))
    torch.stack(list(losses.values())).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    encoded = model.eval().encode(batch())
    assert encoded.fused.shape == (4, 5, 4, 32)
    for found in encoded.transitions.tolist():
        known = [t for t in found if t >= 0]
        assert known == sorted(set(known))
        assert found[0] > 0
        assert found[-1] > 0


def test_unequal_dives_are_compared_in_the_stages_that_both_have() -> None:
    b = batch()
    torch.manual_seed(0)
    model = HPMCR(**SMALL, stages="native").eval()
    with torch.no_grad():
        clips = model.encode(b, NATIVE)
        three, four, five = (clips.pick(torch.tensor([i])) for i in range(3))
        unequal, equal = model.compare(three, five), model.compare(five, five)
        assert unequal[0].ne(0).tolist() == [True, True, False, False, True]
        assert equal[0].ne(0).tolist() == [True] * 5
        assert model.compare(five, four)[0].ne(0).tolist() == [True, True, True, False, True]
        fused = five.fused.clone()
        fused[:, 3] += 1  # the third flight, which a dive of three stages has not
        assert torch.equal(model.compare(three, five._replace(fused=fused)), unequal)


def test_three_stages_are_what_native_makes_of_dives_of_three() -> None:
    """Cut, pooled and weighted alike, when the weights are."""
    b = batch()
    torch.manual_seed(0)
    native, three = HPMCR(**SMALL, stages="native").eval(), HPMCR(**SMALL).eval()
    slots = {"copies.0": "copies.0", "copies.1": "copies.1", "copies.4": "copies.2"}
    state = {}
    for name, value in native.state_dict().items():
        slot = next((s for s in ("copies.2", "copies.3") if s in name), None)
        if slot is None:
            renamed = next((name.replace(a, z) for a, z in slots.items() if a in name), name)
            state[renamed] = value
    state |= {"stage_weights.log": native.stage_weights.log[[0, 1, 4]].detach()}
    state |= {f"segmentation.out.{k}": getattr(native.segmentation.out, k)[[0, 3]] for k in ("weight", "bias")}
    three.load_state_dict(state)
    cut = torch.tensor([[6, 15]] * 4)
    with torch.no_grad():
        a = native.encode(b, torch.tensor([[6, -1, -1, 15]] * 4))
        z = three.encode(b, cut)
        q, e = given(b.query), given(b.exemplar)
        assert torch.allclose(
            native.compare(a.pick(q), a.pick(e)).sum(1), three.compare(z.pick(q), z.pick(e)).sum(1), atol=1e-5
        )


def test_the_splash_is_learnt_from_the_dives_whose_splash_is_known() -> None:
    torch.manual_seed(0)
    model = HPMCR(**SMALL, splash_weight=2.0).eval()
    known = torch.tensor([0.4, -1, 0.1, -1])
    with torch.no_grad():
        some = model.loss(batch(splash=known))["splash_loss"]
        none = model.loss(batch(splash=torch.full((4,), -1.0)))["splash_loss"]
        b = batch()
        guess = model.splash(model.encode(b, b.transitions).fused)  # type: ignore[misc]
    assert none == 0
    assert torch.allclose(some, (guess - known).square()[[0, 2]].sum(), atol=1e-6)  # 2 x the mean of two
    assert "splash_loss" not in HPMCR(**SMALL).loss(batch(splash=known))


@pytest.mark.parametrize("options", [{"stages": 4}, {"stages": "native", "predict": "halves"}])
def test_stages_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"stages"):
        HPMCR(**SMALL, **options)


def test_encoding_has_a_stage_axis_and_ordered_transitions(model: HPMCR) -> None:
    b = batch()
    encoded = model.eval().encode(b)
    assert encoded.fused.shape == encoded.static.shape == (4, 3, 4, 32)
    assert encoded.logits.shape == (4, 24, 2)
    assert (encoded.transitions[:, 0] < encoded.transitions[:, 1]).all()


def test_a_clip_is_encoded_the_same_in_any_company(model: HPMCR) -> None:
    """What encoding each clip once, and using it for all votes, rests on."""
    b = batch()
    model.eval()
    with torch.no_grad():
        together, alone = model.encode(b), model.encode(Batch(video=given(b.video)[2:3], pose=given(b.pose)[2:3]))
    for whole, part in zip(together, alone, strict=True):
        assert torch.allclose(whole[2:3], part, atol=1e-4)


def test_widths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="ends in 32 channels, dim is 64"):
        HPMCR(**{**SMALL, "dim": 64})


def test_the_paper_s_shape_is_built() -> None:
    """Widths of the published encoders: 1024 dynamic, 368 static, 256 skeleton."""
    model = HPMCR()
    assert (model.dynamic.out_channels, model.static.out_channels, model.skeleton.out_channels) == (1024, 368, 256)
    assert isinstance(model.skeleton, HDGCN)
    assert len(model.skeleton.blocks) == 10


def test_half_precision_compares_in_full(model: HPMCR) -> None:
    """bf16 has no number between 16 and 16.125: a comparison in it could not tell dives apart."""
    b = batch()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        clips = model.eval().encode(b)
        assert model.compare(clips.pick(given(b.query)), clips.pick(given(b.exemplar))).dtype == torch.float32
        losses = model.loss(b)
    assert all(torch.isfinite(v) and v.dtype == torch.float32 for v in losses.values())


def test_a_model_may_start_at_the_exemplars_scores() -> None:
    clips = batch()
    model = HPMCR(**SMALL, start_equal=True).eval()
    encoded = model.encode(clips)
    relative = model.compare(encoded.pick(given(clips.query)), encoded.pick(given(clips.exemplar)))
    assert torch.equal(relative, torch.zeros(3, 3))
    loss = model.loss(clips)["score_loss"]
    loss.backward()
    learns = dict(model.compare_fused.named_parameters())["head.4.weight"].grad
    assert learns is not None
    assert learns.abs().max() > 0


def test_visual_dropout_blanks_pictures_in_training_only() -> None:
    """With all of them blanked, what is fused in training follows from the poses alone."""
    clips, other = batch(), torch.randn(4, 3, 24, 32, 32)
    torch.manual_seed(0)
    model = HPMCR(**SMALL, visual_dropout=1.0)
    for training in (True, False):
        model.train(training)
        fused = [model.encode(batch(video=v), clips.transitions).fused for v in (given(clips.video), other)]
        assert torch.equal(*fused) == training


def test_antisymmetric_comparisons_are_each_others_opposite() -> None:
    torch.manual_seed(0)
    clips = batch()
    relative = {}
    for antisymmetric in (False, True):
        model = HPMCR(**SMALL, antisymmetric=antisymmetric).eval()
        encoded = model.encode(clips)
        q, e = encoded.pick(given(clips.query)), encoded.pick(given(clips.exemplar))
        relative[antisymmetric] = model.compare(q, e), model.compare(e, q), model.compare(q, q)
    forth, back, itself = relative[True]
    assert torch.equal(forth, -back)
    assert forth.abs().min() > 0
    assert torch.equal(itself, torch.zeros(3, 3))
    forth, back, _ = relative[False]
    assert not torch.allclose(forth, -back, atol=1e-3)
