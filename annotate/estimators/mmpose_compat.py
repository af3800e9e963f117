"""Makes ``import mmpose`` work beside current Pythons; import this module before mmpose.

mmpose 1.3.2 imports three things at module level: ``xtcocotools`` (no wheels past cp311) and compiled ``mmcv.ops``,
which do not install today, and ``mmdet``, which takes half a second and is needed by one head that is not used here.
Where the real ones are absent (of mmdet in any case) stand-ins are lent; of ``mmcv.ops`` with the one operator that
mmdet's detectors run, non-maximum suppression, by torchvision. :func:`mmpose_scope` reads configs whose backbone comes
from mmdet with mmpose's own copy.
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
    if "mmdet" not in sys.modules:
        with _mmdet_utils():
            importlib.import_module("mmpose.models.heads.hybrid_heads.rtmo_head")


def mmpose_scope(config: Any) -> Any:
    """A copy of a config (nested dicts and lists) with ``_scope_='mmdet'`` read as ``'mmpose'``.

    mmpose's RTMPose configs take CSPNeXt from mmdet; mmpose registers the same backbone itself.
    """
    if isinstance(config, dict):
        copied = {k: mmpose_scope(v) for k, v in config.items()}
        if copied.get("_scope_") == "mmdet":
            copied["_scope_"] = "mmpose"
        return copied
    if isinstance(config, (list, tuple)):
        return type(config)(mmpose_scope(v) for v in config)
    return config


def _offer_pycocotools() -> None:
    """``xtcocotools`` is a fork of pycocotools with the same modules."""
    for name in ("", ".coco", ".cocoeval", ".mask"):
        sys.modules.setdefault(f"xtcocotools{name}", importlib.import_module(f"pycocotools{name}"))


class _Operators(ModuleType):
    """``mmcv.ops`` or a module of it: any operator, of which all but those that are set raise when they are built."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from torch import nn

        def refuse(self: Any, *args: object, **kwargs: object) -> None:
            raise ImportError(f"{name} needs mmcv with compiled operators; mmcv-lite has none")

        return type(name, (nn.Module,), {"__init__": refuse})


def _offer_mmcv_ops() -> None:
    """``mmcv.ops`` and those modules of it that mmpose and mmdet import."""
    parts = ("carafe", "merge_cells", "modulated_deform_conv", "multi_scale_deform_attn", "nms", "roi_align")
    for name in ("mmcv.ops", *(f"mmcv.ops.{part}" for part in parts)):
        module = _Operators(name)
        module.batched_nms = batched_nms  # type: ignore[attr-defined]
        sys.modules[name] = module


def batched_nms(
    boxes: Any, scores: Any, classes: Any, settings: dict[str, Any] | None, class_agnostic: bool = False
) -> tuple[Any, Any]:
    """mmcv's ``batched_nms`` with ``type='nms'``: of boxes (n, 4) of one class that overlap, the best.

    Returns
    -------
    Boxes with scores (k, 5), the best first, and their rows: int64 (k,)
    """
    import torch
    from torchvision import ops

    wanted = dict(settings or {})
    if wanted.pop("type", "nms") != "nms":
        raise ImportError(f"{settings}: needs mmcv with compiled operators; mmcv-lite has none")
    if settings is None:
        kept = scores.argsort(descending=True)
    elif class_agnostic or wanted.get("class_agnostic"):
        kept = ops.nms(boxes, scores, wanted["iou_threshold"])
    else:
        kept = ops.batched_nms(boxes, scores, classes, wanted["iou_threshold"])
    most = wanted.get("max_num", -1)
    kept = kept[:most] if most > 0 else kept
    return torch.cat([boxes[kept], scores[kept, None]], 1), kept


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
