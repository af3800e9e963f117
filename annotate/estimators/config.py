"""Configurations of networks: mmengine config files, and what an estimator reads from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finediving_pose.errors import PoseError, UsageError

CONFIGS = Path(__file__).parents[1] / "configs"
"""Configurations that come with the project."""

_STEP = 32
"""Crops of sides that are multiples of this leave a ResNet as heatmaps that lie on them corner on corner."""


def check_trust(config: Path, trusted: bool) -> None:
    """Raises UsageError unless ``trusted``: an mmpose config is Python code."""
    if not trusted:
        raise UsageError(f"{config} is Python code and reading it runs it; if you trust it, add --trust-config")


def read_config(path: Path) -> dict[str, Any]:
    """An mmengine config file as plain dicts. Raises PoseError where it can't be read or names no model."""
    from mmengine.config import Config

    try:
        config = Config.fromfile(path).to_dict()
    except FileNotFoundError:
        raise PoseError(f"{path}: no such config file") from None
    except Exception as e:  # a config is a program: anything may go wrong in it
        raise PoseError(f"{path}: not an mmengine config ({type(e).__name__}: {e})") from e
    if not isinstance(config.get("model"), dict):
        raise PoseError(f"{path}: names no model; give a top-down config of mmpose")
    return config


def crop_settings(config: Mapping[str, Any]) -> tuple[bool, float]:
    """Whether crops are warped unbiased (UDP), and the padding of boxes, as the config's pipeline says."""
    pipeline = config.get("pipeline") or config.get("val_pipeline") or config.get("test_pipeline") or []
    steps = {step.get("type"): step for step in pipeline}
    unbiased = bool(steps.get("TopdownAffine", {}).get("use_udp", False))
    return unbiased, float(steps.get("GetBBoxCenterScale", {}).get("padding", 1.25))


def turns_onto_itself(config: Mapping[str, Any]) -> bool:
    """Whether heatmaps of a turned crop, turned back, lie on those of the crop: square ones in UDP's convention."""
    decoder = config["model"]["head"]["decoder"]
    width, height = decoder["input_size"]
    return width == height and decoder["type"] == "UDPHeatmap"


def crop_sides(config: Mapping[str, Any]) -> list[int]:
    """Sides of crops that a network of square UDP crops can be shown: its own, a smaller and a larger one."""
    side = config["model"]["head"]["decoder"]["input_size"][0]
    return [_STEP * round(side * factor / _STEP) for factor in (2 / 3, 1, 4 / 3)]


def without_pretrained(config: Any) -> Any:
    """A copy that names no file or address to load weights from: they come from the checkpoint alone."""
    if isinstance(config, dict):
        return {k: without_pretrained(v) for k, v in config.items() if k not in ("init_cfg", "pretrained")}
    return [without_pretrained(v) for v in config] if isinstance(config, list) else config
