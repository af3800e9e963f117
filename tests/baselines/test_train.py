"""The training loop on dives held in memory."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config

from baselines.data import Dives
from baselines.hooks import BEST
from baselines.hpmcr import HPMCR
from baselines.runs import PRESETS
from baselines.splits import split_clips
from baselines.train import train
from tests.baselines.test_data import clip, packed
from tests.baselines.test_hpmcr import SMALL


def small_config(epochs: int) -> Config:
    config = Config.fromfile(Path(train.__code__.co_filename).parent / "configs" / PRESETS["demo"])
    config.training.epochs = epochs
    config.run = {"seed": 0}
    return config


def test_the_best_epoch_on_validation_is_what_remains(tmp_path: Path) -> None:
    clips = [clip(i) for i in range(16)] + [clip(16, "test"), clip(17, "test")]
    file = packed(*clips)
    split = split_clips(file, validation_share=0.25)
    assert len(split.validation) == 4
    config = small_config(3)
    torch.manual_seed(0)
    model = HPMCR(**SMALL)
    dives = Dives(file, frames=24, resize=(60, 34), crop=32, in_memory=True)
    history = train(model, dives, split, config, tmp_path)
    rho = [entry["validation_rho"] for entry in history]
    assert len(rho) == 3
    best = torch.load(tmp_path / BEST, weights_only=True)
    assert all(torch.equal(v, best[k]) for k, v in model.state_dict().items())


def test_training_follows_from_the_seed(tmp_path: Path) -> None:
    losses = []
    for name in ("one", "two"):
        file = packed(*(clip(i) for i in range(8)), clip(8, "test"), clip(9, "test"))
        torch.manual_seed(0)
        model = HPMCR(**SMALL)
        dives = Dives(file, frames=24, resize=(60, 34), crop=32)
        losses.append(train(model, dives, split_clips(file), small_config(1), tmp_path / name)[0]["loss"])
    assert losses[0] == losses[1]
