"""mmpose's top-down models as estimators: from a bundled or trained checkpoint, or from a config of one's own."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from annotate.estimators import mmpose_compat
from annotate.estimators.checkpoint import load_weights, read_checkpoint
from annotate.estimators.config import check_trust, crop_settings, read_config, turns_onto_itself, without_pretrained
from annotate.estimators.decode import decode
from annotate.estimators.device import torch_device
from annotate.estimators.openvino import Engine, compiled
from annotate.estimators.stored import stored_config
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.plain_pickle import one_line
from finediving_pose.skeleton import FLIP, N_JOINTS

_AT_ONCE = 8 * 256 * 256
"""Pixels of crops that a processor works on at once: what its layers put out then stays in the caches. (A GPU takes
64 crops of any size.)"""


class MMPoseEstimator:
    """A ``TopdownPoseEstimator``. See :class:`~annotate.estimators.base.Estimator`.

    Batches of crops go through the model in channels-last order and are decoded in one call
    (:mod:`annotate.estimators.decode`).

    Parameters
    ----------
    config : mapping with ``model`` and optionally ``pipeline``, ``all_round`` and ``sizes``, or an mmpose config.
        ``all_round`` and ``sizes`` say what :attr:`thorough` does; without it every crop is seen once.
        ``all_round`` takes the mean over the crop turned by 0, 90, 180 and 270 degrees and the mirror images of these;
        ``sizes`` the mean over the crop in these sizes: a small network reads from the borders where in a crop it is,
        and knows by heart where joints usually are; in a size it did not learn in, it has to look
    weights : state dict of the model
    id : what poses are signed with
    device : as torch names it, e.g. ``cpu`` or ``cuda:0``
    bf16 : keep the weights and compute in bfloat16, under autocast for what a model makes in float32 itself; see
        :func:`annotate.estimators.device.has_bf16`
    flip : estimate the mirrored crop as well and take the mean (flip test), at twice the time
    outputs : number of points it finds: the 16 joints in MPII order, or the points of another network
    engine : what computes the network, torch or on a processor OpenVINO (:mod:`annotate.estimators.openvino`)

    Raises
    ------
    UsageError
        The engine does not compute on this device.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        weights: Mapping[str, Any],
        *,
        id: str,
        device: str = "cpu",
        bf16: bool = False,
        flip: bool = False,
        outputs: int = N_JOINTS,
        engine: Engine = "torch",
    ) -> None:
        import torch
        from mmcv.cnn.utils import fuse_conv_bn

        if flip and outputs != N_JOINTS:
            raise ValueError(f"a flip test needs the {N_JOINTS} joints; {id} finds {outputs} points")
        self.id, self.device, self.bf16, self.outputs = id, torch_device(device), bf16, outputs
        if engine == "openvino" and self.device.type != "cpu":
            raise UsageError(f"--engine openvino computes on the processor, not on {device}; add --device cpu")
        self.unbiased, self.padding = crop_settings(config)
        built = build_model(config["model"], outputs)
        load_weights(built, weights, id)
        model: Any = fuse_conv_bn(built.eval()).to(self.device)
        if bf16 and engine == "torch":
            for name, part in model.named_children():
                if name != "data_preprocessor":  # the colours' mean and deviation, to be taken off the crops exactly
                    part.to(torch.bfloat16)
        self.model: Any = model.to(memory_format=torch.channels_last)
        width, height = map(int, model.head.decoder.input_size)
        self._compiled = None
        if engine == "openvino":
            self._compiled = compiled(self.model, torch.zeros(1, 3, height, width), bf16=bf16, id=id)
        self.flip = flip
        self._all_turns, self._all_sizes = 4 if config.get("all_round") else 1, config.get("sizes") or [width]
        if self._all_turns > 1 and not turns_onto_itself(config):
            raise PoseError(f"{id}: all_round needs square crops and UDP heatmaps, which turn onto themselves")
        self._look(1, [width], (width, height))

    @property
    def thorough(self) -> MMPoseEstimator:
        """See :class:`annotate.estimators.base.Estimator`."""
        if self._all_turns == 1 and len(self._all_sizes) == 1:
            return self
        largest, many = max(self._all_sizes), copy.copy(self)
        many._look(self._all_turns, self._all_sizes, (largest, largest))
        return many

    def _look(self, turns: int, sizes: list[int], input_size: tuple[int, int]) -> None:
        """Look at crops of this size from this many sides, and in these sizes."""
        self.turns, self.sizes, self.input_size = turns, sizes, input_size
        at_once = max(1, _AT_ONCE // (input_size[0] * input_size[1]))
        self.batch = 64 if self.device.type == "cuda" else at_once

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Joints of each crop; see :meth:`annotate.estimators.base.Finder.estimate`."""
        parts = [self._batch(crops[i : i + self.batch], places) for i in range(0, len(crops), self.batch)]
        if not parts:
            k = self.outputs * places
            return np.zeros((0, k, 2), np.float32), np.zeros((0, k), np.float32)
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def mirror_gaps(self, crops: np.ndarray) -> np.ndarray:
        """See :meth:`annotate.estimators.base.Estimator.mirror_gaps`."""
        import torch

        decoder, gaps = self.model.head.decoder, [np.zeros((0, self.outputs), np.float32)]
        for i in range(0, len(crops), self.batch):
            with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                inputs = self._normalised(crops[i : i + self.batch])
                raw, back = self._of(inputs), self._turned_back(self._of(inputs.flip(-1)))
                here, there = (decode(decoder, r)[0] for r in (raw, back))
            gaps.append(np.linalg.norm(here - there, axis=-1) / decoder.input_size[0])
        return np.concatenate(gaps)

    def heatmaps(self, crops: np.ndarray) -> np.ndarray:
        """What the network says of each crop, in the size that it learned: float32 (n, points, height, width)."""
        import torch

        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            raw = self._raw(self._normalised(crops))
        return _resized(raw, self.model.head.decoder.heatmap_size[0]).float().cpu().numpy()

    def _batch(self, crops: np.ndarray, places: int) -> tuple[np.ndarray, np.ndarray]:
        import torch

        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            raw = self._raw(self._normalised(crops))
            keypoints, scores = decode(self.model.head.decoder, raw, places)
        keypoints = keypoints / np.array(self.model.head.decoder.input_size, np.float32)
        keypoints[scores <= 0] = np.nan  # an empty heatmap: its peak is anywhere
        return keypoints, np.clip(scores, 0, 1)

    def _raw(self, inputs: Any) -> Any:
        """What the model says about the crops; the mean where it looks at them in several sizes."""
        if len(self.sizes) == 1:
            return self._from_all_sides(inputs)
        seen = [self._from_all_sides(_resized(inputs, side)) for side in self.sizes]
        finest = max(heat.shape[-1] for heat in seen)
        return sum(_resized(heat, finest) for heat in seen) / len(seen)

    def _from_all_sides(self, inputs: Any) -> Any:
        """The mean where it looks at them from several sides."""
        if self.turns == 1:
            return self._upright(inputs)
        turned = [self._upright(inputs.rot90(k, (2, 3))).rot90(-k, (2, 3)) for k in range(self.turns)]
        return sum(turned) / self.turns

    def _upright(self, inputs: Any) -> Any:
        raw = self._of(inputs)
        return self._mean(raw, self._of(inputs.flip(-1))) if self.flip or self.turns > 1 else raw

    def _of(self, inputs: Any) -> Any:
        """What the network puts out."""
        return self._compiled(inputs) if self._compiled else self.model(inputs, None, mode="tensor")

    def _normalised(self, crops: np.ndarray) -> Any:
        """Crops as the model was trained on: float (n, 3, height, width), channels last in memory."""
        import torch

        prepare = self.model.data_preprocessor
        order = crops if prepare._channel_conversion else crops[..., ::-1]  # mmpose reads pictures as BGR
        inputs = torch.from_numpy(np.ascontiguousarray(order)).to(self.device).permute(0, 3, 1, 2).float()
        return inputs.sub_(prepare.mean).div_(prepare.std) if prepare._enable_normalize else inputs

    def _mean(self, raw: Any, mirrored: Any) -> Any:
        """Mean of what the crop and its mirror image gave."""
        back = self._turned_back(mirrored)
        if isinstance(raw, (tuple, list)):
            return tuple((a.float() + b.float()) / 2 for a, b in zip(raw, back, strict=True))
        return (raw.float() + back) / 2

    def _turned_back(self, mirrored: Any) -> Any:
        """What a mirrored crop gave, as if it were that of the crop; as the model's ``test_cfg`` says."""
        from mmpose.models.utils.tta import flip_heatmaps, flip_vectors

        if isinstance(mirrored, (tuple, list)):
            return flip_vectors(*mirrored, flip_indices=list(FLIP))
        settings = self.model.test_cfg or {}
        mode, shift = settings.get("flip_mode", "heatmap"), settings.get("shift_heatmap", False)
        return flip_heatmaps(mirrored.float(), list(FLIP), mode, shift)


def _resized(maps: Any, side: int) -> Any:
    """Crops or heatmaps (n, channels, height, width) as squares of ``side``, corner on corner as UDP has it."""
    from torch.nn.functional import interpolate

    if maps.shape[-1] == side:
        return maps
    return interpolate(maps.float(), (side, side), mode="bilinear", align_corners=True)


def from_checkpoint(
    path: Path,
    *,
    id: str | None = None,
    device: str = "cpu",
    bf16: bool = False,
    flip: bool = False,
    outputs: int = N_JOINTS,
    engine: Engine = "torch",
) -> MMPoseEstimator:
    """An estimator from a checkpoint that carries its own configuration, as ``fdpose finetune`` writes it.

    Raises
    ------
    PoseError
        The file is missing, is no checkpoint, or carries no configuration, or one that is refused
        (:mod:`annotate.estimators.stored`).
    """
    checkpoint = read_checkpoint(path)
    config = stored_config(checkpoint, path)
    on: dict[str, Any] = {"device": device, "bf16": bf16, "flip": flip, "engine": engine}
    try:
        return MMPoseEstimator(config, checkpoint["state_dict"], id=id or path.stem, outputs=outputs, **on)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as e:
        raise PoseError(
            f"{path}: no estimator can be made of its configuration ({type(e).__name__}: {one_line(e)}); train it again"
        ) from e


def from_config(
    config: Path,
    checkpoint: Path,
    *,
    trust_config: bool,
    id: str | None = None,
    device: str = "cpu",
    bf16: bool = False,
    flip: bool = False,
    engine: Engine = "torch",
) -> MMPoseEstimator:
    """An estimator from an mmpose config file and its checkpoint.

    Raises
    ------
    UsageError
        ``trust_config`` is not set: an mmpose config is Python code, and reading it runs it.
    PoseError
        A file is missing or unreadable, or the checkpoint is of another model.
    """
    check_trust(config, trust_config)
    on: dict[str, Any] = {"device": device, "bf16": bf16, "flip": flip, "engine": engine}
    weights = read_checkpoint(checkpoint)["state_dict"]
    return MMPoseEstimator(read_config(config), weights, id=id or checkpoint.stem, **on)


def build_model(config: Mapping[str, Any], outputs: int = N_JOINTS) -> Any:
    """A ``TopdownPoseEstimator`` with random weights. Raises PoseError for a model of another number of outputs."""
    import mmpose.models  # noqa: F401  (fills the registry)
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    import annotate.training.losses  # noqa: F401  (registers ours)

    init_default_scope("mmpose")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MODELS.build(without_pretrained(mmpose_compat.mmpose_scope(dict(config))))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, ImportError) as e:
        raise PoseError(f"mmpose can't build this model: {one_line(e)}") from e
    except (RuntimeError, MemoryError, OverflowError, ArithmeticError) as e:  # sizes that no memory holds
        raise PoseError(f"this model can't be built here: {one_line(e)}") from e
    head = getattr(model, "head", None)
    found = getattr(head, "out_channels", None)
    what = f"the {N_JOINTS} MPII joints" if outputs == N_JOINTS else f"{outputs} points"
    if not isinstance(found, int):
        raise PoseError(
            f"this model has a {type(head).__name__}; a top-down model with heatmaps or SimCC of {what} is needed"
        )
    if found != outputs:
        raise PoseError(f"this model has {found} outputs; a top-down model of {what} is needed")
    return model
