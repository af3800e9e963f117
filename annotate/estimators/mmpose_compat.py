"""Makes ``import mmpose`` work beside current Pythons; import this module before mmpose.

mmpose 1.3.2 imports three things at module level that it needs for nothing done here and that
do not install today: ``xtcocotools`` (no wheels past cp311), compiled ``mmcv.ops`` and ``mmdet``.
Each is lent only where the real one is absent; where real mmcv and mmdet are installed, nothing
is touched. :func:`mmpose_scope` reads configs whose backbone comes from mmdet with mmpose's own copy.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def lend_missing_modules() -> None:
    """Put the three stand-ins in place and import mmpose's models. Safe to call again."""
    if find_spec("xtcocotools") is None:
        _offer_pycocotools()
    if find_spec("mmcv._ext") is None:
        _offer_mmcv_ops()
    if find_spec("mmdet") is None:
        with _mmdet_utils():
            importlib.import_module("mmpose.models.heads.hybrid_heads.rtmo_head")


def mmpose_scope(config: Any) -> Any:
    """A copy of a config (nested dicts and lists) with ``_scope_='mmdet'`` read as ``'mmpose'``.

    mmpose's RTMPose configs take CSPNeXt from mmdet; mmpose registers the same backbone itself.
    """
    if isinstance(config, dict):
        copied = {k: mmpose_scope(v) for k, v in config.items()}
        if copied.get("_scope_") == "mmdet" and find_spec("mmdet") is None:
            copied["_scope_"] = "mmpose"
        return copied
    if isinstance(config, (list, tuple)):
        return type(config)(mmpose_scope(v) for v in config)
    return config


def _offer_pycocotools() -> None:
    """``xtcocotools`` is a fork of pycocotools with the same modules."""
    for name in ("", ".coco", ".cocoeval", ".mask"):
        sys.modules.setdefault(f"xtcocotools{name}", importlib.import_module(f"pycocotools{name}"))


def _offer_mmcv_ops() -> None:
    """``mmcv.ops`` with the one name that mmpose imports unconditionally; building it raises."""
    from torch import nn

    class MultiScaleDeformableAttention(nn.Module):
        def __init__(self, *args: object, **kwargs: object) -> None:
            raise ImportError("MultiScaleDeformableAttention needs mmcv with compiled ops; mmcv-lite has none")

    ops = ModuleType("mmcv.ops")
    ops.MultiScaleDeformableAttention = MultiScaleDeformableAttention  # type: ignore[attr-defined]
    sys.modules["mmcv.ops"] = ops


@contextmanager
def _mmdet_utils() -> Iterator[None]:
    """``mmdet.utils`` while RTMO's head is imported, and gone again, so that nobody takes mmdet for installed."""
    from mmengine.config import ConfigDict
    from mmengine.dist import all_reduce

    def reduce_mean(tensor: Any) -> Any:
        """Mean over the processes of a distributed run."""
        reduced = tensor.clone()
        all_reduce(reduced, op="mean")
        return reduced

    utils = ModuleType("mmdet.utils")
    utils.ConfigType = ConfigDict | dict  # type: ignore[attr-defined]
    utils.reduce_mean = reduce_mean  # type: ignore[attr-defined]
    package = ModuleType("mmdet")
    package.utils = utils  # type: ignore[attr-defined]
    sys.modules.update({"mmdet": package, "mmdet.utils": utils})
    try:
        yield
    finally:
        del sys.modules["mmdet"], sys.modules["mmdet.utils"]


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mmcv-lite warns of each of the compiled operators that it lacks
    lend_missing_modules()

warnings.filterwarnings("ignore", "`torch.cuda.amp.autocast", FutureWarning)  # mmpose's CSPNeXt and RTMPose head
