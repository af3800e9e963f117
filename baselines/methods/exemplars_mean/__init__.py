"""The mean score of a dive's exemplars: what every method that compares dives has to be better than."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baselines.method import ComparativeMethod, Needs, Preset
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.exemplars_mean.network import ExemplarsMean
    from baselines.runs.config import RunConfig

DEMO = {"training": {"epochs": 0, "batch_size": 1}, "optimiser": {"lr": 1.0}}
FULL = DEMO | {"validation": {"share": 0.1}}  # exemplars are drawn from the same dives as for the other methods


@method("exemplars-mean", title="Exemplars' mean")
class ExemplarsMeanMethod(ComparativeMethod):
    """Every dive equals its exemplars; :mod:`baselines.methods.exemplars_mean.network`."""

    presets: ClassVar = {
        "demo": Preset("nothing to train, seconds", DEMO),
        "full": Preset("the same, without the training videos that other methods hold out", FULL),
    }
    needs = Needs.NOTHING

    def build(self, config: RunConfig) -> ExemplarsMean:
        from baselines.methods.exemplars_mean.network import ExemplarsMean

        return ExemplarsMean()
