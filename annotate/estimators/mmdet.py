"""mmdet's detectors, RTMDet foremost, as locators: the diver in the whole frame, from a config of one's own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotate.crop import hull
from annotate.estimators import mmpose_compat  # noqa: F401  (before mmdet)
from annotate.estimators.checkpoint import load_weights, read_checkpoint
from annotate.estimators.config import check_trust, read_config, without_pretrained
from annotate.estimators.device import torch_device
from annotate.locate import POINTS, SURE, box_points
from finediving_pose.errors import PoseError, SetupError

DIVER = 0
"""The class of a detector that is the diver: ``person`` of COCO, or the only one of a detector of divers."""

warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)  # mmdet's anchors call it without its new argument


class MMDetLocator:
    """A detector of mmdet as a locator. See :class:`~annotate.estimators.base.Finder`.

    Its box is the one that the detector is most sure of, together with those it is sure of that overlap it: two
    synchronised divers are side by side, and a locator finds the box around both.

    Parameters
    ----------
    config : an mmdet config, ``model`` and ``test_pipeline``
    weights : state dict of the model
    id : name of the locator
    device : as torch names it
    """

    padding = 1.0
    unbiased = False

    def __init__(self, config: dict[str, Any], weights: dict[str, Any], *, id: str, device: str = "cpu") -> None:
        self.id, self.device = id, torch_device(device)
        self.input_size = input_size(config)
        model = build_model(config["model"])
        load_weights(model, weights, id)
        self.model: Any = model.eval().to(self.device)
        self.batch = 16 if self.device.type == "cuda" else 1

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """The five points (:data:`annotate.locate.POINTS`) of the box around the divers in each crop."""
        if places != 1:
            raise ValueError(f"{self.id}: a locator finds one box around all divers, not {places}")
        found = np.full((len(crops), 4), np.nan, np.float32)
        score = np.zeros(len(crops), np.float32)
        for i in range(0, len(crops), self.batch):
            for j, instances in enumerate(self._detect(crops[i : i + self.batch]), start=i):
                is_diver = (instances.labels == DIVER).cpu().numpy()
                boxes, scores = (getattr(instances, n).float().cpu().numpy()[is_diver] for n in ("bboxes", "scores"))
                if len(boxes):
                    found[j], score[j] = together(boxes, scores), scores.max()
        points = box_points(found / np.tile(np.array(self.input_size, np.float32), 2))
        return points, np.repeat(score[:, None], len(POINTS), 1)

    def _detect(self, crops: np.ndarray) -> Sequence[Any]:
        """mmdet's instances in each crop, uint8 (n, height, width, 3), RGB."""
        import torch
        from mmdet.structures import DetDataSample

        size = crops.shape[1:3]
        meta = {"img_shape": size, "ori_shape": size, "scale_factor": (1.0, 1.0)}
        bgr = torch.from_numpy(np.ascontiguousarray(crops[..., ::-1])).permute(0, 3, 1, 2)
        with torch.inference_mode():
            samples = [DetDataSample(metainfo=meta) for _ in crops]
            return [s.pred_instances for s in self.model.test_step({"inputs": list(bgr), "data_samples": samples})]


def together(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The box around the best of ``boxes`` (n, 4) and the sure ones that overlap it: (4,)."""
    best = boxes[scores.argmax()]
    touches = (np.minimum(boxes[:, 2:], best[2:]) > np.maximum(boxes[:, :2], best[:2])).all(1)
    return hull(np.concatenate([best[None], boxes[touches & (scores >= SURE)]]))


def from_config(config: Path, checkpoint: Path, *, trust_config: bool, device: str = "cpu") -> MMDetLocator:
    """A locator from an mmdet config file and its checkpoint.

    Raises
    ------
    UsageError
        ``trust_config`` is not set: an mmdet config is Python code, and reading it runs it.
    SetupError
        mmdet is not installed.
    PoseError
        A file is missing or unreadable, is no detector, or the checkpoint is of another model.
    """
    check_trust(config, trust_config)
    try:
        import mmdet  # noqa: F401
    except ImportError as e:
        raise SetupError(f"--detector needs mmdet, which is not here ({e}): pip install --no-deps mmdet==3.3.0") from e
    weights = read_checkpoint(checkpoint)["state_dict"]
    return MMDetLocator(read_config(config), weights, id=checkpoint.stem, device=device)


def input_size(config: dict[str, Any]) -> tuple[int, int]:
    """Width and height that the config's ``test_pipeline`` shrinks pictures to. Raises PoseError if it says none."""
    for step in config.get("test_pipeline") or []:
        scale = step.get("scale")
        if str(step.get("type")).endswith("Resize") and isinstance(scale, (tuple, list)) and len(scale) == 2:
            return int(scale[0]), int(scale[1])
    raise PoseError("this config's test_pipeline resizes to no width and height; give one of an mmdet detector")


def build_model(config: dict[str, Any]) -> Any:
    """A detector with random weights. Raises PoseError where mmdet has none such."""
    from mmengine.registry import DefaultScope

    with warnings.catch_warnings(), DefaultScope.overwrite_default_scope("mmdet"):
        warnings.simplefilter("ignore")
        import mmdet.models  # noqa: F401  (fills the registry)
        from mmdet.models.detectors.base import BaseDetector
        from mmdet.registry import MODELS
        from mmengine.config import ConfigDict

        try:
            model = MODELS.build(ConfigDict(without_pretrained(config)))
        except (KeyError, TypeError, ValueError, AssertionError, ImportError) as e:
            raise PoseError(f"mmdet can't build this model: {e}") from e
    if not isinstance(model, BaseDetector):
        raise PoseError(f"this model is a {type(model).__name__}; a detector of mmdet is needed, RTMDet for example")
    return model
