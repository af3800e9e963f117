"""Finding a splash: what moved, in squares of the picture's height."""

from __future__ import annotations

import torch

from baselines.backbones.splash_finder import SplashFinder, area


def test_every_frame_of_a_clip_has_a_splash_of_its_own() -> None:
    torch.manual_seed(0)
    finder = SplashFinder(4).eval()
    video = torch.randn(2, 3, 7, 16, 20)
    found = finder(video)
    assert found.shape == (2, 7)
    changed = video.clone()
    changed[0, :, 6] += 1
    again = finder(changed)
    same = torch.isclose(found, again)
    assert same[1].all()
    assert same[0].tolist() == [True] * 4 + [False] * 3, "a frame is seen with those two before and after it"


def test_area_is_in_squares_of_the_pictures_height() -> None:
    logits = torch.full((1, 10, 30), -50.0)
    logits[0, :5, :10] = 50.0
    assert area(logits).tolist() == [0.5]


def test_before_training_nothing_is_splash() -> None:
    torch.manual_seed(0)
    assert (SplashFinder(4).eval()(torch.randn(1, 3, 5, 16, 16)) < 0.1).all()
