"""TSA: temporal segmentation attention (Xu et al., CVPR 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from baselines.features import demo
from baselines.method import ComparativeMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.tsa.network import TSA
    from baselines.runs.config import RunConfig

DEMO: dict[str, Any] = {
    "model": {
        "i3d": demo.I3D,
        "depth": 1,
        "heads": 2,
        "score_unit": 10.0,
        "start_equal": True,
    },
    "data": demo.PICTURES,
    "training": demo.TRAINING | {"epochs": 20, "batch_size": 16, "exemplars": 0, "every_pair": True, "alike": 8},
    "optimiser": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.1, "clip_norm": 5.0},
}
FULL: dict[str, Any] = {
    "model": {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-3, "freeze_bn": None},  # None: frozen with published weights
        "tokens": 5,
        "depth": 3,
        "heads": 8,
        "maps": "places",
        "predict": "ordered",
        "true_stages_until": 0.25,  # of the training
        "score_unit": 1.0,
        "start_equal": False,
    },
    "data": {"frames": 96, "resize": [200, 112], "crop": 112, "pairing": "number"},
    "training": {"epochs": 200, "batch_size": 8, "workers": 4, "channels_last": True},
    "optimiser": {"type": "Adam", "lr": 1e-3, "lr_mult": {"i3d.": 0.1}, "schedule": "constant"},
    "validation": {"share": 0.1, "interval": 5},
}
RELEASED: dict[str, Any] = FULL | {
    "model": FULL["model"]
    | {
        "i3d": {"width": 1.0, "stride": 10, "bn_eps": 1e-5, "freeze_bn": True},
        "maps": "released",  # a place of the map is a mixture of snippets, channels and places
        "predict": "halves",  # a second transition before the middle of the clip can't be found
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


@method("tsa", title="TSA")
class TSAMethod(ComparativeMethod):
    """Compares a dive's tokens with an exemplar's feature map, stage by stage; :mod:`baselines.methods.tsa.network`."""

    presets: ClassVar = {
        "demo": Preset("a small network, the encoder frozen, a minute on a core", DEMO),
        "full": Preset("the paper's shape on FineDiving, for a GPU", FULL, True),
        "released": Preset("the same as the public code does it, slips included", RELEASED, True),
    }
    parts: ClassVar = {"segmentation": "stages are equal parts of the clip"}
    needs = Needs.PICTURES | Needs.STAGES
    weights: ClassVar = {"i3d": WeightFile(("model_rgb.pth",), "github.com/hassony2/kinetics_i3d_pytorch")}
    encoder = "i3d"
    compiles = ("i3d",)

    def needs_of(self, config: RunConfig) -> Needs:
        """Stages are not read where no transitions are learned."""
        return self.needs & ~Needs.STAGES if "segmentation" in config.without else self.needs

    def build(self, config: RunConfig) -> TSA:
        from baselines.methods.tsa.network import TSA
        from baselines.modules.stages import check_three_stages

        check_three_stages(config.data.stages)
        return TSA(frames=config.data.frames, without=config.without, **config.model)
