"""HPMCR: hierarchical pose-guided multi-stage contrastive regression (arXiv 2501.03674)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, ClassVar

from baselines.method import ComparativeMethod, Needs, Preset, WeightFile
from baselines.registry import method

if TYPE_CHECKING:
    from baselines.methods.hpmcr.network import HPMCR
    from baselines.runs.config import RunConfig


@method("hpmcr", title="HPMCR")
class HPMCRMethod(ComparativeMethod):
    """Compares a dive stage by stage with exemplars of its dive number; :mod:`baselines.methods.hpmcr.network`."""

    presets: ClassVar = {
        "demo": Preset("small networks, minutes on two cores", "configs/demo.py"),
        "full": Preset("the paper's shape on FineDiving, days on a GPU", "configs/full.py", True),
        "released": Preset("the same as the public code does it, slips included", "configs/released.py", True),
        "mtl-aqa": Preset("the paper's shape on MTL-AQA", "configs/mtl_aqa.py", True),
    }
    parts: ClassVar = {
        "skeleton": "fused tokens are the visual tokens",
        "static": "only fused tokens are compared",
        "fusion": "visual and skeleton tokens are added",
        "contrast": "no contrastive loss",
        "splash": "no splash is looked for in the pictures",
        "segmentation": "stages are equal parts of the clip",
    }
    needs = Needs.PICTURES | Needs.POSES | Needs.STAGES
    weights: ClassVar = {
        "i3d": WeightFile(("model_rgb.pth",), "github.com/hassony2/kinetics_i3d_pytorch"),
        "static": WeightFile(("regnety_002.safetensors", "regnety_002.pth"), "timm's regnety_002"),
    }
    compiles = ("dynamic", "static")

    def needs_of(self, config: RunConfig) -> Needs:
        """Poses and stages are not read where the part that reads them is left out."""
        unread = Needs.POSES if "skeleton" in config.without else Needs.NOTHING
        return self.needs & ~(unread | (Needs.STAGES if "segmentation" in config.without else Needs.NOTHING))

    def parts_of(self, config: RunConfig) -> Mapping[str, str]:
        """Without the prior nothing looks for a splash."""
        return {name: what for name, what in self.parts.items() if name != "splash" or config.model.get("prior")}

    def settings(self) -> Collection[str]:
        from inspect import signature

        from baselines.methods.hpmcr.network import HPMCR

        return [name for name in signature(HPMCR).parameters if name not in ("frames", "stages", "without")]

    def build(self, config: RunConfig) -> HPMCR:
        from baselines.methods.hpmcr.network import HPMCR

        data = config.data
        if config.model.get("prior_beside"):
            for name, found, wanted in (
                ("target", data.target, "score_over_difficulty"),
                ("pose_norm", data.pose_norm, "centre"),
            ):
                if found != wanted:
                    raise ValueError(f"model.prior_beside=true reads poses as the prior does; use data.{name}={wanted}")
        return HPMCR(frames=data.frames, stages=data.stages, without=config.without, **config.model)
