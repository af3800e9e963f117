"""What a splash costs."""

from __future__ import annotations

import torch

from baselines.modules.splash import SplashJudge


def _judge() -> SplashJudge:
    torch.manual_seed(0)
    judge = SplashJudge()
    torch.nn.init.normal_(judge.head[-1].weight)  # type: ignore[arg-type]
    return judge


def test_before_training_a_splash_says_nothing() -> None:
    assert SplashJudge()(torch.rand(3, 12), torch.full((3,), 0.2)).abs().max() == 0


def test_a_scale_that_is_not_known_is_no_scale_and_no_nan() -> None:
    judge, splash = _judge(), torch.rand(2, 12) * 0.1
    said = judge(splash, torch.tensor([0.1, torch.nan]))
    assert said.shape == (2, 3) and said.isfinite().all()
    both_unknown = judge(splash, torch.full((2,), torch.nan))
    assert torch.equal(both_unknown[1], said[1])
    assert not torch.allclose(both_unknown[0], said[0])


def test_a_gradient_comes_through_where_no_scale_is_known() -> None:
    judge = _judge()
    judge(torch.rand(2, 12), torch.tensor([torch.nan, 0.1])).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in judge.parameters())
