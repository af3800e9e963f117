"""mmpose's top-down models as estimators: from a bundled or trained checkpoint, or from a config of one's own."""

from __future__ import annotations

import copy
import importlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from annotate.estimators import mmpose_compat
from annotate.estimators.decode import decode
from finediving_pose.errors import PoseError, SetupError, UsageError
from finediving_pose.skeleton import FLIP, N_JOINTS

_AT_ONCE = 8 * 256 * 256
"""Pixels of crops that a processor works on at once: what its layers put out then stays in the caches. (A GPU takes
64 crops of any size.)"""

_STEP = 32
"""Crops of sides that are multiples of this leave a ResNet as heatmaps that lie on them corner on corner."""


class MMPoseEstimator:
    """A ``TopdownPoseEstimator``. See :class:`~annotate.estimators.base.Estimator`.

    Batches of crops go through the model in channels-last order and are decoded in one call
    (:mod:`annotate.estimators.decode`).

    Parameters
    ----------
    config : mapping with ``model`` and optionally ``pipeline``, ``all_round`` and ``sizes``, or an mmpose config.
        ``all_round`` takes the mean over the crop turned by 0, 90, 180 and 270 degrees and the mirror images of these;
        ``sizes`` the mean over the crop in these sizes: a small network reads from the borders where in a crop it is,
        and knows by heart where joints usually are; in a size it did not learn in, it has to look
    weights : state dict of the model
    id : what poses are signed with
    device : as torch names it, e.g. ``cpu`` or ``cuda:0``
    bf16 : keep the weights and compute in bfloat16, under autocast for what a model makes in float32 itself; see
        :func:`has_bf16`
    flip : estimate the mirrored crop as well and take the mean (flip test), at twice the time
    outputs : number of points it finds: the 16 joints in MPII order, or the points of another network
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
    ) -> None:
        import torch
        from mmcv.cnn.utils import fuse_conv_bn

        if flip and outputs != N_JOINTS:
            raise ValueError(f"a flip test needs the {N_JOINTS} joints; {id} finds {outputs} points")
        self.id, self.device, self.bf16, self.outputs = id, torch_device(device), bf16, outputs
        self.unbiased, self.padding = crop_settings(config)
        built = build_model(config["model"], outputs)
        load_weights(built, weights, id)
        model: Any = fuse_conv_bn(built.eval()).to(self.device)
        if bf16:
            for name, part in model.named_children():
                if name != "data_preprocessor":  # the colours' mean and deviation, to be taken off the crops exactly
                    part.to(torch.bfloat16)
        self.model: Any = model.to(memory_format=torch.channels_last)
        width, height = model.head.decoder.input_size
        self.sizes = config.get("sizes") or [int(width)]
        largest = max(self.sizes)
        self.input_size = (int(width), int(height)) if len(self.sizes) == 1 else (largest, largest)
        crop_pixels = self.input_size[0] * self.input_size[1]
        self.batch = 64 if self.device.type == "cuda" else max(1, _AT_ONCE // crop_pixels)
        self.turns, self.flip = 4 if config.get("all_round") else 1, flip
        if self.turns > 1 and not turns_onto_itself(config):
            raise PoseError(f"{id}: all_round needs square crops and UDP heatmaps, which turn onto themselves")

    @property
    def quick(self) -> MMPoseEstimator:
        """See :class:`annotate.estimators.base.Estimator`."""
        once, (width, height) = copy.copy(self), self.model.head.decoder.input_size
        once.turns, once.sizes, once.input_size = 1, [int(width)], (int(width), int(height))
        return once

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
                raw = self.model(inputs, None, mode="tensor")
                back = self._turned_back(self.model(inputs.flip(-1), None, mode="tensor"))
                here, there = (decode(decoder, r)[0] for r in (raw, back))
            gaps.append(np.linalg.norm(here - there, axis=-1) / decoder.input_size[0])
        return np.concatenate(gaps)

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
        raw = self.model(inputs, None, mode="tensor")
        return self._mean(raw, self.model(inputs.flip(-1), None, mode="tensor")) if self.flip or self.turns > 1 else raw

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


def turns_onto_itself(config: Mapping[str, Any]) -> bool:
    """Whether heatmaps of a turned crop, turned back, lie on those of the crop: square ones in UDP's convention."""
    decoder = config["model"]["head"]["decoder"]
    width, height = decoder["input_size"]
    return width == height and decoder["type"] == "UDPHeatmap"


def sizes_of(config: Mapping[str, Any]) -> list[int]:
    """Sides of crops that a network of square UDP crops can be shown: its own, a smaller and a larger one."""
    side = config["model"]["head"]["decoder"]["input_size"][0]
    return [_STEP * round(side * factor / _STEP) for factor in (2 / 3, 1, 4 / 3)]


def _resized(maps: Any, side: int) -> Any:
    """Crops or heatmaps (n, channels, height, width) as squares of ``side``, corner on corner as UDP has it."""
    from torch.nn.functional import interpolate

    if maps.shape[-1] == side:
        return maps
    return interpolate(maps.float(), (side, side), mode="bilinear", align_corners=True)


def has_bf16(device: str) -> bool:
    """Whether ``device`` multiplies bfloat16 numbers natively (AVX-512 BF16 or AMX; CUDA from capability 8.0 on).

    There, networks of the size of HRNet and RTMPose run about twice as fast in bfloat16; elsewhere
    it is emulated and slower.
    """
    import torch

    chosen = torch_device(device)
    if chosen.type == "cuda":
        return torch.cuda.get_device_capability(chosen) >= (8, 0)
    able = torch.cpu.get_capabilities() if chosen.type == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def from_checkpoint(
    path: Path,
    *,
    id: str | None = None,
    device: str = "cpu",
    bf16: bool = False,
    flip: bool = False,
    outputs: int = N_JOINTS,
) -> MMPoseEstimator:
    """An estimator from a checkpoint that carries its own configuration, as ``fdpose annotate --finetune`` writes it.

    Raises
    ------
    PoseError
        The file is missing, is no checkpoint, or carries no configuration.
    """
    checkpoint = read_checkpoint(path)
    config = checkpoint.get("meta", {}).get("config")
    if not isinstance(config, str):
        raise PoseError(f"{path}: this checkpoint names no model; give its config with --config FILE --trust-config")
    on: dict[str, Any] = {"device": device, "bf16": bf16, "flip": flip}
    return MMPoseEstimator(json.loads(config), checkpoint["state_dict"], id=id or path.stem, outputs=outputs, **on)


def from_config(
    config: Path, checkpoint: Path, *, trust_config: bool, device: str = "cpu", bf16: bool = False, flip: bool = False
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
    on: dict[str, Any] = {"device": device, "bf16": bf16, "flip": flip}
    return MMPoseEstimator(read_config(config), read_checkpoint(checkpoint)["state_dict"], id=checkpoint.stem, **on)


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


def read_checkpoint(path: Path) -> dict[str, Any]:
    """``{"meta", "state_dict"}`` of a checkpoint; only tensors and plain values are unpickled.

    Raises
    ------
    PoseError
        The file is missing, damaged, or holds more than tensors and plain values.
    """
    import pickle

    import torch

    try:
        with torch.serialization.safe_globals(_numbers()):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise PoseError(f"{path}: no such checkpoint; train one with: fdpose annotate --finetune") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as e:
        lines = [line.strip() for line in str(e).splitlines() if line.strip()] or [type(e).__name__]
        reason = next((line.partition(" Please use")[0] for line in lines if "Unsupported" in line), lines[0])
        raise PoseError(f"{path}: not a checkpoint of tensors and plain values ({reason})") from e
    if not isinstance(checkpoint, dict):
        raise PoseError(f"{path}: holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint if "state_dict" in checkpoint else {"meta": {}, "state_dict": checkpoint}


def _numbers() -> list[Any]:
    """What numpy arrays and numbers are pickled as: published checkpoints of mmpose describe their joints with them."""
    core: Any = importlib.import_module("numpy._core.multiarray")
    makers = [
        (function, f"numpy.{folder}.multiarray.{function.__name__}")
        for folder in ("core", "_core")  # numpy before and from 2.0 on
        for function in (core._reconstruct, core.scalar)
    ]
    return [np.ndarray, np.dtype, *makers, *{type(np.dtype(kind)) for kind in "?bBhHiIlLqQefd"}]


def build_model(config: Mapping[str, Any], outputs: int = N_JOINTS) -> Any:
    """A ``TopdownPoseEstimator`` with random weights. Raises PoseError for a model of another number of outputs."""
    import mmpose.models  # noqa: F401  (fills the registry)
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    import annotate.losses  # noqa: F401  (registers ours)

    init_default_scope("mmpose")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MODELS.build(without_pretrained(mmpose_compat.mmpose_scope(dict(config))))
    except (KeyError, TypeError, ValueError, AssertionError, ImportError) as e:
        raise PoseError(f"mmpose can't build this model: {e}") from e
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


def load_weights(model: Any, weights: Mapping[str, Any], name: str) -> None:
    """Load every weight. Raises PoseError where the checkpoint is of another architecture."""
    try:
        model.load_state_dict(weights, strict=True)
    except (RuntimeError, AttributeError) as e:
        lines = [line.strip() for line in str(e).splitlines()]
        raise PoseError(
            f"{name}: these weights are of another model than the config says ({' '.join(lines[1:2])[:160]})"
        ) from e


def crop_settings(config: Mapping[str, Any]) -> tuple[bool, float]:
    """Whether crops are warped unbiased (UDP), and the padding of boxes, as the config's pipeline says."""
    pipeline = config.get("pipeline") or config.get("val_pipeline") or config.get("test_pipeline") or []
    steps = {step.get("type"): step for step in pipeline}
    unbiased = bool(steps.get("TopdownAffine", {}).get("use_udp", False))
    return unbiased, float(steps.get("GetBBoxCenterScale", {}).get("padding", 1.25))


def torch_device(name: str) -> Any:
    """The torch device of that name. Raises SetupError where it is not there."""
    import torch

    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as e:
        raise SetupError(f"--device {name}: not usable here ({str(e).splitlines()[0]}); try --device cpu") from e
    return device


def without_pretrained(config: Any) -> Any:
    """A copy that names no file or address to load weights from: they come from the checkpoint alone."""
    if isinstance(config, dict):
        return {k: without_pretrained(v) for k, v in config.items() if k not in ("init_cfg", "pretrained")}
    return [without_pretrained(v) for v in config] if isinstance(config, list) else config
