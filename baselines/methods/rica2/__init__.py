"""RICA2: rubric-informed, calibrated assessment of actions (Majeedi et al., ECCV 2024)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from baselines.features import demo
from baselines.method import DirectMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.rica2.network import RICA2
    from baselines.runs.config import RunConfig

DEMO = {
    "model": {
        "i3d": demo.I3D,
        "dim": 64,
        "heads": 2,
        "graph_dim": 32,
        "start_at_mean": True,
    },
    "data": demo.PICTURES | {"target": "score_over_difficulty"},
    "training": demo.TRAINING | {"epochs": 12, "batch_size": 8},
    "optimiser": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.1, "clip_norm": 1.0},
}
FULL = {
    "model": {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-3, "freeze_bn": None},  # None: frozen with published weights
        "dim": 512,
        "heads": 8,
        "graph_dim": 256,
        "text": None,  # or {"width": 4096, "weights": "sub_actions.npy"}
        "samples": 20,
        "rank_weight": 0.05,
        "sparse_weight": 0.05,
        "start_at_mean": False,
        "test_dropout": False,
    },
    "data": {"frames": 96, "resize": [200, 112], "crop": 112, "target": "score_over_difficulty"},
    "training": {"epochs": 353, "batch_size": 8, "workers": 4, "channels_last": True},
    "optimiser": {
        "type": "AdamW",
        "lr": 5e-4,
        "lr_mult": {"i3d.": 0.3},
        "clip_norm": 1.0,
        "schedule": "constant",
        "warm_up": 3,
    },
    "validation": {"share": 0.1, "interval": 5},
}
RELEASED = FULL | {
    "model": FULL["model"]
    | {"i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-5, "freeze_bn": True}, "test_dropout": True},
    "validation": {"share": 0.0, "interval": 1, "on_test": True},
}


@method("rica2", title="RICA2")
class RICA2Method(DirectMethod):
    """Finds a dive's sub-actions in its snippets and assesses them; :mod:`baselines.methods.rica2.network`."""

    presets: ClassVar = {
        "demo": Preset("small networks, the encoder frozen, a minute on a core", DEMO),
        "full": Preset("the paper's shape on FineDiving, days on a GPU", FULL, True),
        "released": Preset("the same as the public code does it, dropout in testing included", RELEASED, True),
    }
    parts: ClassVar = {
        "sampling": "sub-actions are vectors, not Gaussians: the paper's deterministic variant",
        "order": "neither loss of the attention",
    }
    needs = Needs.PICTURES | Needs.DIFFICULTY | Needs.SUB_ACTIONS
    weights: ClassVar = {"i3d": WeightFile(("model_rgb.pth",), "github.com/hassony2/kinetics_i3d_pytorch")}
    encoder = "i3d"
    compiles = ("i3d",)

    def settings(self) -> Collection[str]:
        return FULL["model"].keys()

    def build(self, config: RunConfig) -> RICA2:
        from baselines.methods.rica2.network import RICA2

        if config.data.target != "score_over_difficulty":
            raise ValueError(f"it assesses execution, a score over difficulty, not data.target={config.data.target!r}")
        return RICA2(**config.model, without=config.without)
