"""Degree of difficulty x mean execution of the training dives: a score without a look at the dive."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baselines.method import DirectMethod, Needs, Preset
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.difficulty.network import MeanExecution
    from baselines.runs.config import RunConfig

DEMO = {
    "data": {"target": "score_over_difficulty"},
    "training": {"epochs": 0, "batch_size": 1},
    "optimiser": {"lr": 1.0},
}
FULL = DEMO | {"validation": {"share": 0.1}}  # the same training dives as for the other methods


@method("difficulty", title="Difficulty")
class DifficultyMethod(DirectMethod):
    """Every dive is executed as well as the mean training dive; :mod:`baselines.methods.difficulty.network`."""

    presets: ClassVar = {
        "demo": Preset("nothing to train, seconds", DEMO),
        "full": Preset("the same, without the training videos that other methods hold out", FULL),
    }
    needs = Needs.DIFFICULTY

    def build(self, config: RunConfig) -> MeanExecution:
        from baselines.methods.difficulty.network import MeanExecution

        if config.data.target != "score_over_difficulty":
            raise ValueError(f"execution is a score over difficulty, not data.target={config.data.target!r}")
        return MeanExecution()
