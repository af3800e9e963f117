"""MUSDL: the awards of seven judges, each a distribution over 21 bins (Tang et al., CVPR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baselines.features import demo
from baselines.method import DirectMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.musdl.network import MUSDL
    from baselines.runs.config import RunConfig

DEMO = {
    "model": {"i3d": demo.I3D, "hidden": [64, 32], "sigma": 2.0, "decode": "expectation"},
    "data": demo.PICTURES | {"target": "score_over_difficulty"},
    "training": demo.TRAINING | {"epochs": 12, "batch_size": 8},
    "optimiser": {"type": "AdamW", "lr": 3e-3, "weight_decay": 0.1},
}
FULL = {
    "model": {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-3, "freeze_bn": None},  # None: frozen with published weights
        "hidden": [256, 128],
        "sigma": 5.0,  # bins, two to a point of an award: nearly flat over the awards that judges give
        "decode": "argmax",  # or "expectation"
        "award_order": "sorted",
    },
    "data": {
        "frames": 96,
        "resize": [200, 112],
        "crop": 112,
        "train_crop": "random",
        "target": "score_over_difficulty",  # the sum of the awards that count
    },
    "training": {"epochs": 100, "batch_size": 4, "workers": 4, "channels_last": True},
    "optimiser": {"type": "Adam", "lr": 1e-4, "weight_decay": 1e-5, "schedule": "constant"},
    "validation": {"share": 0.1, "interval": 5},
}
RELEASED = FULL | {
    "model": FULL["model"] | {"award_order": "listed"},
    "data": FULL["data"] | {"train_crop": "centre", "resample": "random"},
    "validation": {"share": 0.0, "interval": 1, "on_test": True},
}


@method("musdl", title="MUSDL")
class MUSDLMethod(DirectMethod):
    """Seven classifiers of awards on a clip's mean I3D feature; :mod:`baselines.methods.musdl.network`."""

    presets: ClassVar = {
        "demo": Preset("a small I3D, the encoder frozen, a minute on a core", DEMO),
        "full": Preset("the paper's shape on FineDiving, a day on a GPU", FULL, True),
        "released": Preset("the same as the public code does it, filters drawn at random included", RELEASED, True),
    }
    needs = Needs.PICTURES | Needs.DIFFICULTY | Needs.AWARDS
    weights: ClassVar = {"i3d": WeightFile(("model_rgb.pth",), "github.com/hassony2/kinetics_i3d_pytorch")}
    encoder = "i3d"
    compiles = ("i3d",)

    def build(self, config: RunConfig) -> MUSDL:
        from baselines.methods.musdl.network import MUSDL

        if config.data.target != "score_over_difficulty":
            raise ValueError(f"awards add up to a score over difficulty, not to data.target={config.data.target!r}")
        return MUSDL(**config.model)
