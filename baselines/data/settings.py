"""How clips are sampled and paired: the ``data`` section of a run's configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat, PositiveInt, model_validator
from pydantic.dataclasses import dataclass

from baselines.data.exemplars import Pairing
from baselines.data.transforms import Boundary, PoseNorm, Resample, Sampling, TrainCrop
from baselines.modules.stages import STAGES, Stages
from finediving_pose.packed.schema import TRAINING_HEIGHT, TRAINING_WIDTH

Target = Literal["score", "score_over_difficulty"]
"""What is regressed: the final score, or the score divided by the degree of difficulty."""


@dataclass(frozen=True, slots=True, config={"extra": "forbid", "allow_inf_nan": False})
class DataSettings:
    """How clips become samples.

    Attributes
    ----------
    frames : T, frames sampled of a clip
    resize : width and height of the pictures before the crop; (200, 112) as published, smaller for small networks,
        (112, 200) as the public code really had them
    resample : how pictures are brought to that size, see :func:`baselines.data.transforms.resized`; ``bilinear`` always
        starts from the stored frames, ``area`` from the cache where it is large enough
    sampling : see :data:`baselines.data.transforms.Sampling`
    boundary : see :data:`baselines.data.transforms.Boundary`
    crop : side of the square crop, pixels
    train_crop : where training clips are cropped, ``random`` or in the ``centre``; others always in the centre
    pose_norm : see :func:`baselines.data.transforms.normalise_pose`
    pose_noise : standard deviation of the noise added to every joint of a training sample, in units of ``pose_norm``
    flip_pose : mirror the pose where the picture is mirrored; the public code does not
    in_memory : keep every clip's resized frames (T x W x H x 3 bytes) once they were read
    stages : 3 (take-off, flight, entry), as published; or ``native``, the three to five of every dive
    target : what ``score`` is
    pairing : which dives a dive is compared with, see :data:`baselines.data.exemplars.Pairing`
    splash : where sizes of splashes are read from, see :func:`baselines.data.splash.read_splashes`; None reads none
    """

    frames: PositiveInt = 96
    resize: tuple[PositiveInt, PositiveInt] = (TRAINING_WIDTH, TRAINING_HEIGHT)
    resample: Resample = "area"
    sampling: Sampling = "clip"
    boundary: Boundary = "first"
    crop: PositiveInt = 112
    train_crop: TrainCrop = "random"
    pose_norm: PoseNorm = "centre"
    pose_noise: NonNegativeFloat = 0.0
    flip_pose: bool = True
    in_memory: bool = False
    stages: Stages = STAGES
    target: Target = "score"
    pairing: Pairing = "number"
    splash: str | None = None

    @model_validator(mode="after")
    def _check_crop(self) -> DataSettings:
        if self.crop > min(self.resize):
            raise ValueError(f"crop {self.crop} is larger than the pictures, {self.resize[0]} x {self.resize[1]}")
        return self
