"""USDL: a score as a distribution over 101 bins (Tang et al., CVPR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baselines.features import demo
from baselines.method import DirectMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.usdl.network import USDL
    from baselines.runs.config import RunConfig

DEMO = {
    "model": {"i3d": demo.I3D, "hidden": [64, 32], "decode": "expectation"},
    "data": demo.PICTURES | {"target": "score_over_difficulty"},
    "training": demo.TRAINING | {"epochs": 12, "batch_size": 8},
    "optimiser": {"type": "AdamW", "lr": 3e-3, "weight_decay": 0.1},
}
FULL = {
    "model": {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-3, "freeze_bn": None},  # None: frozen with published weights
        "hidden": [256, 128],
        "top": None,  # of the bins: 104.5 points, or 30 over difficulty
        "sigma": 5.0,  # bins
        "decode": "argmax",  # in steps of a hundredth of the top; or "expectation"
    },
    "data": {
        "frames": 96,
        "resize": [200, 112],
        "crop": 112,
        "train_crop": "random",
        "target": "score_over_difficulty",  # the dive number comes in by its difficulty alone
    },
    "training": {"epochs": 100, "batch_size": 4, "workers": 4, "channels_last": True},
    "optimiser": {"type": "Adam", "lr": 1e-4, "schedule": "constant"},
    "validation": {"share": 0.1, "interval": 5},
}
RELEASED = FULL | {
    "model": FULL["model"] | {"i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-3, "freeze_bn": False}},
    "data": FULL["data"] | {"target": "score", "pairing": "random", "train_crop": "centre", "resample": "random"},
    "validation": {"share": 0.0, "interval": 1, "on_test": True},
}


@method("usdl", title="USDL")
class USDLMethod(DirectMethod):
    """Classifies a clip's mean I3D feature into bins of the score; :mod:`baselines.methods.usdl.network`."""

    presets: ClassVar = {
        "demo": Preset("a small I3D, the encoder frozen, a minute on a core", DEMO),
        "full": Preset("the paper's shape on FineDiving, a day on a GPU", FULL, True),
        "released": Preset("the same as the public code does it, filters drawn at random included", RELEASED, True),
    }
    needs = Needs.PICTURES
    weights: ClassVar = {"i3d": WeightFile(("model_rgb.pth",), "github.com/hassony2/kinetics_i3d_pytorch")}
    encoder = "i3d"
    compiles = ("i3d",)

    def build(self, config: RunConfig) -> USDL:
        from baselines.methods.usdl.network import TOPS, USDL

        model = dict(config.model)
        top = model.pop("top", None)
        return USDL(**model, top=TOPS[config.data.target] if top is None else top)
