"""A packed file as a torch dataset: one item a clip, ready for a DataLoader.

::

    from torch.utils.data import DataLoader
    from finediving_pose.torch_data import ClipDataset

    loader = DataLoader(ClipDataset("finediving_pose.h5", split="train", augment=True), batch_size=8, num_workers=4)

The dataset can be pickled and forked: every worker opens the file for itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from finediving_pose.clip import Split
from finediving_pose.errors import PackedError, UsageError
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.schema import TRAINING_HEIGHT, TRAINING_WIDTH
from finediving_pose.packed.snippets import DEVIATION, MEAN, mirrored, normalised, snippet
from finediving_pose.packed.views import View, mirror_joints, sample_frames
from finediving_pose.skeleton import FLIP

if TYPE_CHECKING:
    from finediving_pose.packed.reader import PackedFile


def normalise(pictures: Tensor) -> Tensor:
    """What :class:`ClipDataset` does with ``normalise=True``, for pictures that were left as uint8; on any device.

    uint8 (..., T, height, width, 3) -> float32 (..., 3, T, height, width).
    """
    channels_first = pictures.movedim(-1, -4)
    shape = (3, 1, 1, 1)
    scale = torch.tensor(1 / (255 * DEVIATION), device=pictures.device).view(shape)
    shift = torch.tensor(-MEAN / DEVIATION, device=pictures.device).view(shape)
    return channels_first.to(torch.float32).mul_(scale).add_(shift)


class ClipDataset(Dataset):
    """Clips with a score, as models of action quality read them.

    Parameters
    ----------
    packed : the packed file, open or its path
    split : only clips of this split; all with None
    frames : T, frames spread evenly over the clip, both ends included
    crop : side of the square crop out of the 200 x 112 pixels
    augment : crop at a random place, the same for all frames, and mirror every other clip, joints included
    normalise : ``video`` is float32 (3, T, crop, crop), normalised; else uint8 (T, crop, crop, 3), which is
        faster and smaller to move: normalise it on the device with :func:`normalise`

    Items
    -----
    A dict: ``video``; ``keypoints`` float32 (T, 2, 16, 2), pixels of the crop, NaN where absent;
    ``visibility`` uint8 (T, 2, 16); ``sub_action`` int64 (T,), -1 where unlabelled; ``score`` and ``difficulty``
    float32 (), NaN where unknown; ``clip`` int, the row in the packed file.

    Raises
    ------
    PackedError
        The file can't be read, or has no clip of the split.
    UsageError
        ``crop`` is larger than 112.
    """

    def __init__(
        self,
        packed: PackedFile | Path | str,
        split: Split | None = None,
        *,
        frames: int = 96,
        crop: int = 112,
        augment: bool = False,
        normalise: bool = True,
    ) -> None:
        self.packed = open_packed(packed) if isinstance(packed, (Path, str)) else packed
        if not 0 < crop <= TRAINING_HEIGHT:
            raise UsageError(f"crop {crop}: the pictures are {TRAINING_WIDTH} x {TRAINING_HEIGHT}; take up to 112")
        splits = self.packed.columns["split"].tolist()
        self.rows = [i for i, s in enumerate(splits) if split is None or s == split.encode()]
        if not self.rows:
            raise PackedError(f"{self.packed.path}: none of its {len(splits)} clips is in the split {split!r}")
        self.frames, self.crop, self.augment, self.normalise = frames, crop, augment, normalise

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: int) -> dict[str, Any]:
        i = self.rows[item]
        numbers = self.packed.frame_numbers(i)
        positions = sample_frames(len(numbers), self.frames)
        view = self._view()
        pictures = snippet(self.packed, i, positions, view)
        poses, clip = self.packed.poses(i), self.packed.clips[i]
        width, height = clip.image_width or TRAINING_WIDTH, clip.image_height or TRAINING_HEIGHT
        keypoints = to_crop(poses.keypoints[positions], (width, height), view)
        visibility = poses.visibility[positions]
        if view.mirrored:
            pictures = mirrored(pictures)
            keypoints, visibility = mirror_joints(keypoints, self.crop), visibility[..., FLIP]
        video = normalised(pictures) if self.normalise else pictures
        return {
            "clip": i,
            "video": torch.from_numpy(video),
            "keypoints": torch.from_numpy(keypoints),
            "visibility": torch.from_numpy(np.ascontiguousarray(visibility)),
            "sub_action": torch.from_numpy(self.packed.frame_labels(i)[positions].astype(np.int64)),
            "score": torch.tensor(np.nan if clip.dive_score is None else clip.dive_score, dtype=torch.float32),
            "difficulty": torch.tensor(np.nan if clip.difficulty is None else clip.difficulty, dtype=torch.float32),
        }

    def _view(self) -> View:
        if not self.augment:
            return View.centre(self.crop)
        # torch's generator is the one that a DataLoader seeds in every worker
        return View.random(self.crop, np.random.default_rng(int(torch.randint(2**62, ()))))


def to_crop(keypoints: NDArray[np.floating], size: tuple[int, int], view: View) -> NDArray[np.float32]:
    """Pixels of a stored frame of ``size`` (width, height) to pixels of the crop: float32 (..., 2)."""
    scale = np.array([TRAINING_WIDTH / size[0], TRAINING_HEIGHT / size[1]])
    return ((keypoints + 0.5) * scale - 0.5 - np.array([view.x, view.y])).astype(np.float32)
