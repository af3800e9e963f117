"""A training of seconds on dives held in memory; ``-m tests.baselines.small_training`` makes it a process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from baselines import processes
from baselines.data import Dives, TrainingPairs
from baselines.hpmcr import HPMCR
from baselines.runs import PRESETS
from baselines.train import train
from tests.baselines.test_data import clip, packed
from tests.baselines.test_hpmcr import SMALL

CONFIGS = Path(train.__code__.co_filename).parent / "configs"


def small_config(**training: Any) -> Config:
    """The demo's, for one epoch, one exemplar a query."""
    config = Config.fromfile(CONFIGS / PRESETS["demo"])
    config.training = {"epochs": 1, "batch_size": 8, **training}
    config.run = {"seed": 0}
    return config


def small_training(
    folder: Path,
    clips: int = 8,
    queries: int | None = None,
    frozen: bool = False,
    resume: bool = False,
    hooks: list[Hook] | None = None,
    **training: Any,
) -> Runner:
    """Train.

    With ``frozen`` batch norms and dropout do as in testing, and the optimiser is one whose step is proportional to the
    gradient: then a batch is the sum of its parts, as long as none of its clips is in two pairs.
    """
    config = small_config(**training)
    torch.manual_seed(0)
    model = HPMCR(**SMALL)
    if frozen:
        model.eval().train = lambda mode=True: model  # type: ignore[method-assign]
        config.optim_wrapper = {"optimizer": {"type": "SGD", "lr": 1e-4}}
    file = packed(*(clip(i) for i in range(clips)))
    dives = Dives(file, frames=24, resize=(60, 34), crop=32, in_memory=True)
    pairs = TrainingPairs(dives, range(clips))
    pairs.train = pairs.train[:queries]
    return train(model, pairs, config, folder, hooks or [], resume=resume)


def main(folder: str, options: str) -> None:
    """Train as the options say and leave the history and how far each weight has moved in ``folder/result.json``."""
    processes.join()
    runner = small_training(Path(folder), **json.loads(options))
    if processes.is_first():
        model = getattr(runner.model, "module", runner.model)
        torch.manual_seed(0)
        moved = {
            n: p.detach() - q.detach()
            for (n, p), q in zip(model.named_parameters(), HPMCR(**SMALL).parameters(), strict=True)
        }
        weights = {name: float(change.double().norm()) for name, change in moved.items()}
        history = [{k: v for k, v in e.items() if k.endswith("loss")} for e in runner.message_hub.get_info("history")]
        (Path(folder) / "result.json").write_text(json.dumps({"history": history, "weights": weights}))


if __name__ == "__main__":
    main(*sys.argv[1:])
