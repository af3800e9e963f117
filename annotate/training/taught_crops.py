"""Crops with what a network says of them when it looks many times: what its single look is taught to say.

Self-distillation (Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv 1503.02531). No joint has to be
known, so every frame with a diver serves.
"""

# ruff: noqa: NPY002
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData

from annotate.estimators.mmpose import MMPoseEstimator
from annotate.training.batches import Draw, DrawnFrames
from annotate.training.dataset import LabelledFrameDataset, compose, tilted
from annotate.training.labelled_frames import LabelledFrame
from finediving_pose.progress import track
from finediving_pose.skeleton import FLIP, N_JOINTS

from mmpose.structures import PoseDataSample  # isort: skip

TILT = 30.0
"""Degrees by which crops are rotated at most: an estimator is shown upright ones."""


class TaughtCrops:
    """A map-style data set for torch: crops and the teacher's heatmaps, as mmpose's heads take them.

    Colours are changed as in training, and half of the samples are mirrored, afresh each time.

    Parameters
    ----------
    crops : uint8 (n, height, width, 3), BGR
    heatmaps : float16 (n, 16, h, w)
    pipeline : the training pipeline of the network
    """

    def __init__(self, crops: np.ndarray, heatmaps: np.ndarray, pipeline: Sequence[dict[str, Any]]) -> None:
        types = [step["type"] for step in pipeline]
        colours = pipeline[types.index("TopdownAffine") + 1 : types.index("GenerateTarget")]
        self.crops, self.heatmaps, self.colours = crops, heatmaps, compose(colours)

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image, heatmaps = self.colours({"img": self.crops[index].copy()})["img"], self.heatmaps[index]
        if np.random.rand() < 0.5:
            image, heatmaps = image[:, ::-1], heatmaps[list(FLIP), :, ::-1]
        sample = PoseDataSample()
        sample.gt_fields = PixelData(heatmaps=torch.from_numpy(heatmaps.astype(np.float32)))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, N_JOINTS))
        return {"inputs": torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), "data_samples": sample}


def teach(
    frames: Sequence[LabelledFrame],
    teacher: MMPoseEstimator,
    pipeline: Sequence[dict[str, Any]],
    n: int,
    seed: int,
) -> TaughtCrops:
    """What ``teacher`` says, looking many times, of ``n`` crops around divers, moved at random.

    They are of evenly spread frames; of fewer than ``n``, each serves for several. The same arguments give the same
    crops.
    """
    many, luck = teacher.thorough, np.random.default_rng(seed)
    chosen = np.linspace(0, len(frames) - 1, min(n, len(frames))).round().astype(int)
    draws: list[Draw] = list(zip(np.resize(chosen, n).tolist(), luck.integers(2**32, size=n).tolist(), strict=True))
    small, large = (DrawnFrames(_moved(frames, pipeline, e.input_size)) for e in (teacher, many))
    crops, heatmaps = [], []
    batches = [draws[i : i + many.batch] for i in range(0, n, many.batch)]
    for batch in track(batches, "looking many times", "crops", count=len):
        crops += [small[draw]["img"] for draw in batch]
        seen = np.stack([large[draw]["img"] for draw in batch])[..., ::-1]  # RGB
        heatmaps.append(many.heatmaps(seen).astype(np.float16))
    return TaughtCrops(np.stack(crops), np.concatenate(heatmaps), pipeline)


def _moved(
    frames: Sequence[LabelledFrame], pipeline: Sequence[dict[str, Any]], size: tuple[int, int]
) -> LabelledFrameDataset:
    """Crops of ``size``, shifted and scaled as in training; two data sets of one draw differ in nothing else."""
    steps = tilted(pipeline[: [step["type"] for step in pipeline].index("TopdownAffine") + 1], TILT)
    kept = [step for step in steps if step["type"] not in ("MoveLimbs", "RandomFlip")]
    kept[-1] = kept[-1] | {"input_size": size}
    return LabelledFrameDataset(frames, kept, "joints")
