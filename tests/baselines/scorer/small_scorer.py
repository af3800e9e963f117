"""A scorer of seconds: the demo's networks before training, and dives held in memory."""

from __future__ import annotations

from typing import Any

import torch

from baselines.data.dives import Dives
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs.config import RunConfig, make_config
from baselines.runs.predictions import Prediction
from baselines.runs.scoring import predict_clips
from baselines.scorer.file import Scorer
from baselines.scorer.make import make_scorer
from finediving_pose.packed.reader import PackedFile
from tests.baselines.made_up import clip, packed

METHOD = HPMCRMethod()
TRAIN, TEST = range(24), range(24, 36)
STRANGER = 36
"""The dive whose number no other has."""


def dives_in_memory() -> PackedFile:
    """24 train and 12 test dives of two numbers, and one test dive of a third."""
    train = [clip(i, number=("107b", "5253b")[i % 2], difficulty=2.0 + i / 10) for i in TRAIN]
    test = [clip(i, "test", ("107b", "5253b")[i % 2]) for i in TEST]
    return packed(*train, *test, clip(STRANGER, "test", "405b", difficulty=2.0))


def small_network(config: RunConfig) -> HPMCR:
    """Untrained: its pose branch knows dives, the others are random."""
    torch.manual_seed(0)
    return METHOD.build(config).eval()


def small_scorer(**changes: Any) -> tuple[Scorer, list[Prediction]]:
    """A scorer, and what the run that made it says of its test dives; ``changes`` of the demo's model."""
    config = make_config(METHOD, "demo", 0, changes={f"model.{name}": value for name, value in changes.items()})
    dives = Dives(dives_in_memory(), config.data, METHOD.needs)
    network = small_network(config)
    predictions = predict_clips(network, METHOD, dives, TEST, TRAIN, config.evaluation, config.seed)
    return make_scorer(network, METHOD, config, dives, TRAIN, predictions), predictions
