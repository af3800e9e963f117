"""Prior: execution read off poses by what was learned from dives that nobody filmed, at the level of each number."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baselines.method import DirectMethod, Needs, Preset
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.prior.network import LevelledPoseScorer
    from baselines.runs.config import RunConfig

DEMO = {
    "data": {"frames": 48, "pose_norm": "centre", "target": "score_over_difficulty", "in_memory": True},
    "training": {"epochs": 8, "batch_size": 16, "threads": 1},
    "optimiser": {"type": "AdamW", "lr": 1e-4, "weight_decay": 0.1, "clip_norm": 5.0},
}
FULL = DEMO | {"validation": {"share": 0.1}}  # the same training dives as for the other methods


@method("prior", title="Prior")
class PriorMethod(DirectMethod):
    """What synthetic dives teach of poses, fine-tuned on a competition; :mod:`baselines.methods.prior.network`."""

    presets: ClassVar = {
        "demo": Preset("fine-tuned for eight epochs, a minute on a core", DEMO),
        "full": Preset("the same; the epoch is chosen on training videos held out", FULL),
    }
    needs = Needs.POSES | Needs.NUMBER | Needs.DIFFICULTY

    def build(self, config: RunConfig) -> LevelledPoseScorer:
        from baselines.methods.prior.network import LevelledPoseScorer

        if config.data.target != "score_over_difficulty":
            raise ValueError(f"poses show execution, a score over difficulty, not data.target={config.data.target!r}")
        return LevelledPoseScorer()
