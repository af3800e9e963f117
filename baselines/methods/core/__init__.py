"""CoRe: group-aware contrastive regression (Yu et al., ICCV 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from baselines.features import demo
from baselines.method import ComparativeMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.core.network import CoRe
    from baselines.runs.config import RunConfig

DEMO: dict[str, Any] = {
    "model": {"i3d": demo.I3D, "width": 64, "decoding": "expectation"},
    "data": demo.PICTURES | {"target": "score_over_difficulty"},
    "training": demo.TRAINING | {"epochs": 30, "batch_size": 16, "exemplars": 0, "every_pair": True, "alike": 8},
    "optimiser": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.1, "clip_norm": 5.0},
}
FULL: dict[str, Any] = {
    "model": {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-3, "freeze_bn": None},  # None: frozen with published weights
        "width": 256,
        "depth": 5,
        "score_range": None,  # 30 for scores over difficulty, 110 for scores
        "out_of_range": "nearest",
        "decoding": "likeliest",
    },
    "data": {
        "frames": 96,
        "resize": [200, 112],
        "crop": 112,
        "pairing": "number",
        "target": "score_over_difficulty",  # "score" for the protocol without dive number
    },
    "training": {"epochs": 200, "batch_size": 2, "workers": 4, "channels_last": True},
    "optimiser": {"type": "Adam", "lr": 1e-3, "lr_mult": {"i3d.": 0.1}, "schedule": "constant"},
    "validation": {"share": 0.1, "interval": 5},
}
RELEASED: dict[str, Any] = FULL | {
    "model": FULL["model"]
    | {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-5, "freeze_bn": True},
        "out_of_range": "released",  # a query that is much better is taught as the worst
    },
    "data": FULL["data"]
    | {
        "resize": [112, 200],  # width and height were swapped
        "resample": "bilinear",
        "pairing": "difficulty",
    },
    "training": FULL["training"] | {"accumulate": 2, "share_clips": False},  # one pair at once
    "evaluation": {"voters": "each", "redraw": True},
    "validation": {"share": 0.0, "interval": 1, "on_test": True},
}


@method("core", title="CoRe")
class CoReMethod(ComparativeMethod):
    """Classifies how far a dive is above an exemplar by a tree of groups; :mod:`baselines.methods.core.network`."""

    presets: ClassVar = {
        "demo": Preset("a small network, the encoder frozen, a minute on a core", DEMO),
        "full": Preset("the paper's shape on FineDiving, for a GPU", FULL, True),
        "released": Preset("the same as the public code does it, slips included", RELEASED, True),
    }
    needs = Needs.PICTURES
    weights: ClassVar = {"i3d": WeightFile(("model_rgb.pth",), "github.com/hassony2/kinetics_i3d_pytorch")}
    encoder = "i3d"
    compiles = ("i3d",)

    def build(self, config: RunConfig) -> CoRe:
        from baselines.methods.core.network import CoRe
        from baselines.modules.groups import with_score_range

        return CoRe(**with_score_range(config.model, config.data.target))
