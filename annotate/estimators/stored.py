"""Configurations that a checkpoint carries: data of a stranger's, of which networks and transforms are built.

mmengine builds whatever a ``type`` names, imports what has a dot in its name, and reads files and addresses that a
configuration names. So a stored configuration may only name what this project's estimators are made of; everything else
is refused before anything is built. An mmpose config of one's own is Python code, which ``--trust-config`` runs
(:mod:`annotate.estimators.config`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finediving_pose.errors import PoseError
from finediving_pose.plain_pickle import one_line

TYPES = frozenset(
    {
        *("TopdownPoseEstimator", "PoseDataPreprocessor"),
        *("ResNet", "HRNet", "CSPNeXt", "BN", "ReLU", "SiLU"),
        *("HeatmapHead", "RTMCCHead", "KeypointMSELoss", "SidesMSELoss", "KLDiscretLoss"),
        *("UDPHeatmap", "MSRAHeatmap", "SimCCLabel"),
        *("GetBBoxCenterScale", "TopdownAffine", "RandomFlip", "GenerateTarget", "PackPoseInputs"),
        *("UniformBBoxTransform", "PhotometricDistortion"),
        *("RandomWithoutOther", "MoveLimbs", "RandomBlur", "RandomOcclusion"),
    }
)
"""Names in mmpose's registries, ours among them, of the bundled and published estimators' parts."""
WORDS = frozenset(
    {"joints", "frame", "heatmap", "gaussian", "horizontal", "P5", "BASIC", "BOTTLENECK", "ReLU", "SiLU", "pytorch"}
)
"""What a setting in words may say; never the name of a file, an address or a function."""
REFUSED = frozenset({"init_cfg", "pretrained", "metainfo", "from_file", "checkpoint", "custom_imports", "plugins"})
"""Settings that mmengine and mmpose follow to files, addresses and modules; so are those that begin with _."""

_DEEPEST, _MOST_VALUES, _LARGEST = 16, 10_000, 1e6
_KINDS: dict[str, Any] = {
    **{"model": dict, "pipeline": list, "train_pipeline": list, "boxes": str, "all_round": bool},
    **{"sizes": (list, type(None)), "batch_size": int, "learning_rate": float, "weight_decay": float},
}
"""The keys of a stored configuration, and the kinds of their values."""


def stored_config(checkpoint: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The configuration that the checkpoint in ``path`` carries, of which a network can be built without a risk.

    Raises
    ------
    PoseError
        It carries none, or one that names anything but parts of this project's estimators; says what and where.
    """
    meta = checkpoint.get("meta")
    text = meta.get("config") if isinstance(meta, dict) else None
    if not isinstance(text, str):
        raise PoseError(f"{path}: this checkpoint names no model; give its config with --config FILE --trust-config")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise PoseError(f"{path}: its configuration can't be read as JSON ({one_line(e)[:80]})") from None
    try:
        check_stored(config)
    except ValueError as e:
        raise PoseError(
            f"{path}: its configuration is refused: {one_line(e)}; a checkpoint may only name parts of fdpose's own"
            " estimators. Train one with fdpose finetune, or give a config that you trust: --config FILE --trust-config"
        ) from None
    return config


def check_trainable(config: Mapping[str, Any], name: str) -> None:
    """Raises PoseError where a training on this configuration would write a checkpoint that nobody can use."""
    needed = ("train_pipeline", "boxes", "batch_size", "learning_rate", "weight_decay")
    missing = [key for key in needed if key not in config]
    if missing:
        raise PoseError(f"estimator {name} can't be trained: its configuration has no {', '.join(missing)}")
    try:
        check_stored(json.loads(json.dumps({key: config[key] for key in _KINDS if key in config})))
    except (ValueError, TypeError) as e:
        raise PoseError(f"estimator {name} can't be trained: {one_line(e)}, which no checkpoint may carry") from None


def check_stored(config: Any) -> None:
    """Raises ValueError where a configuration names what a checkpoint may not name."""
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict):
        raise ValueError("it has no model")
    for key, value in config.items():
        if key not in _KINDS:
            raise ValueError(f"{key[:40]!r} is no setting of an estimator")
        if not isinstance(value, _KINDS[key]) and not (_KINDS[key] is float and type(value) is int):
            raise ValueError(f"{key} is a {type(value).__name__}")
    for name in ("pipeline", "train_pipeline"):
        if not all(isinstance(step, dict) and "type" in step for step in config.get(name, [])):
            raise ValueError(f"{name} is no list of transforms")
    if config["model"].get("type") != "TopdownPoseEstimator":
        raise ValueError(f"model.type names {str(config['model'].get('type'))[:80]!r}, expected TopdownPoseEstimator")
    sizes = config.get("sizes") or []
    if len(sizes) > 8 or not all(type(side) is int and 32 <= side <= 2048 for side in sizes):
        raise ValueError("sizes are not a few sides of crops in pixels")
    if not 1 <= config.get("batch_size", 1) <= 4096:
        raise ValueError("batch_size is not between 1 and 4096")
    count = 0
    todo: list[tuple[Any, str, int]] = [(config, "", 0)]
    while todo:
        value, where, depth = todo.pop()
        count += 1
        if depth > _DEEPEST or count > _MOST_VALUES:
            raise ValueError(f"{where[:80]} is nested too deep, or has too many values")
        if isinstance(value, dict):
            for key in value:
                if key.startswith("_") or key in REFUSED:
                    raise ValueError(f"{where}{key[:40]} is no setting that a checkpoint may have")
            if "type" in value and value["type"] not in sorted(TYPES):  # told before the settings that go with it
                raise ValueError(f"{where}type names {str(value['type'])[:80]!r}")
            todo += [(v, f"{where}{k[:40]}.", depth + 1) for k, v in value.items()]
        elif isinstance(value, list):
            todo += [(v, where, depth + 1) for v in value]
        else:
            _check_value(value, where.removesuffix("."))


def _check_value(value: Any, where: str) -> None:
    if isinstance(value, str):
        if where.rpartition(".")[2] != "type" and value not in WORDS:
            raise ValueError(f"{where} names {value[:80]!r}")
    elif isinstance(value, (int, float)) and not (math.isfinite(value) and abs(value) <= _LARGEST):
        raise ValueError(f"{where} is no sensible number")
