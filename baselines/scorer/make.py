"""Make a scorer out of a finished training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from baselines.data.dives import Dives
from baselines.data.exemplars import draw_panels
from baselines.method import ComparativeNetwork, Method
from baselines.runs.config import RunConfig
from baselines.runs.predictions import Prediction
from baselines.runs.scoring import encode_clips
from baselines.scorer.file import Scorer, portable
from baselines.scorer.interval import calibrate
from baselines.scorer.unlike import Usual, describe_sample, find_usual

DESCRIBED = 512
"""Training dives that say what is usual, at most."""


def make_scorer(
    network: nn.Module,
    method: Method,
    config: RunConfig,
    dives: Dives,
    train: Sequence[int],
    predictions: Sequence[Prediction],
    selected: bool = False,
) -> Scorer:
    """The scorer of a trained network.

    Its exemplars are those that voted on the test dives, and as many of every other group: so it scores a dive as the
    run would have.

    Parameters
    ----------
    train : the dives that were trained on
    predictions : of the test dives, whose errors become the interval
    selected : whether the epoch was chosen on the test dives
    """
    clips, rng = dives.packed.clips, np.random.default_rng(config.seed)
    panels = draw_panels(clips, train, rng, dives.settings.pairing)
    chosen = sorted(i for panel in panels.values() for i in panel[: config.evaluation.votes])
    weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    return Scorer(
        portable(config),
        weights,
        tuple(clips[i] for i in chosen),
        _encode(network, dives, chosen) if method.comparative else {},
        calibrate(predictions, selected),
        _usual(dives, train),
    )


def _encode(network: nn.Module, dives: Dives, chosen: Sequence[int]) -> dict[str, Tensor]:
    was_training = network.training
    network.eval()
    with torch.no_grad():
        encoded = encode_clips(cast(ComparativeNetwork, network), dives, chosen)
    network.train(was_training)
    return {name: _compact(value) for name, value in encoded._asdict().items() if value.numel()}


def _compact(values: Tensor) -> Tensor:
    """Fractions as float16, which moves a score by hundredths of a point; not where they are too large for it."""
    if not values.is_floating_point() or values.abs().max() > torch.finfo(torch.float16).max:
        return values
    return values.half()


def _usual(dives: Dives, train: Sequence[int]) -> dict[str, Usual]:
    some = [train[i] for i in np.unique(np.linspace(0, len(train) - 1, min(DESCRIBED, len(train))).astype(int))]
    seen = replace(dives, features=None)  # what new dives are seen by
    described = [describe_sample(seen.sample(i)) for i in some]
    videos = [dives.packed.clips[i].key.video for i in some]
    found = {name: find_usual(np.stack([d[name] for d in described]), videos) for name in described[0]}
    return {name: usual for name, usual in found.items() if usual is not None}
