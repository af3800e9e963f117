"""MCoRe: multi-stage contrastive regression of single frames (An et al., ICASSP 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from baselines.features import demo
from baselines.method import ComparativeMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.mcore.network import MCoRe
    from baselines.runs.config import RunConfig

DEMO: dict[str, Any] = {
    "model": {
        "static": {
            "arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25, "stem_width": 16}
        },
        "depth": 1,
        "heads": 2,
        "score_unit": 10.0,
        "start_equal": True,
        "contrast_weight": 0.01,
    },
    "data": demo.PICTURES,
    "training": demo.TRAINING | {"epochs": 30, "batch_size": 16, "exemplars": 0, "every_pair": True, "alike": 8},
    "optimiser": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.1, "clip_norm": 5.0},
}
FULL: dict[str, Any] = {
    "model": {
        "static": {"arch": "regnety_002", "freeze_bn": None},  # None: frozen with published weights
        "tokens": 5,
        "depth": 3,
        "heads": 8,
        "temperature": 0.5,
        "contrast_weight": 1.0,
        "predict": "ordered",
        "second_transition_weight": 1.0,
        "score_unit": 1.0,
        "start_equal": False,
    },
    "data": {"frames": 96, "resize": [200, 112], "crop": 112, "pairing": "number"},
    "training": {"epochs": 200, "batch_size": 8, "workers": 4},
    "optimiser": {"type": "Adam", "lr": 1e-3, "lr_mult": {"static.": 0.1}, "schedule": "constant"},
    "validation": {"share": 0.1, "interval": 5},
}
RELEASED: dict[str, Any] = FULL | {
    "model": FULL["model"]
    | {
        "static": {"arch": "regnety_002", "freeze_bn": True},  # whatever the weights are
        "predict": "halves",  # a second transition before the middle of the clip can't be found
        "second_transition_weight": 2.0,
    },
    "data": FULL["data"]
    | {
        "resize": [112, 200],  # width and height were swapped
        "resample": "bilinear",
        "sampling": "video",
        "boundary": "before",  # a stage begins one sampled frame early
    },
    "training": FULL["training"] | {"share_clips": False},
    "evaluation": {"voters": "each", "redraw": True},
    "validation": {"share": 0.0, "interval": 1, "on_test": True},
}


@method("mcore", title="MCoRe")
class MCoReMethod(ComparativeMethod):
    """Compares a dive stage by stage with exemplars, by its single frames; :mod:`baselines.methods.mcore.network`."""

    presets: ClassVar = {
        "demo": Preset("a small network, the encoder frozen, a minute on a core", DEMO),
        "full": Preset("the paper's shape on FineDiving, for a GPU", FULL, True),
        "released": Preset("the same as the public code does it, slips included", RELEASED, True),
    }
    parts: ClassVar = {
        "contrast": "no contrastive loss",
        "segmentation": "stages are equal parts of the clip",
    }
    needs = Needs.PICTURES | Needs.STAGES
    weights: ClassVar = {"static": WeightFile(("regnety_002.safetensors", "regnety_002.pth"), "timm's regnety_002")}
    encoder = "static"
    compiles = ("static",)

    def needs_of(self, config: RunConfig) -> Needs:
        """Stages are not read where no transitions are learned."""
        return self.needs & ~Needs.STAGES if "segmentation" in config.without else self.needs

    def build(self, config: RunConfig) -> MCoRe:
        from baselines.methods.mcore.network import MCoRe
        from baselines.modules.stages import check_three_stages

        check_three_stages(config.data.stages)
        return MCoRe(frames=config.data.frames, without=config.without, **config.model)
