"""Labelled frames as a data set of torch, through a pipeline of mmpose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from annotate.crop import whole_frame
from annotate.locate import POINTS_FLIP, box_points
from annotate.training.batches import Samples
from annotate.training.labelled_frames import LabelledFrame, draw_weights
from finediving_pose.clip import ClipKey
from finediving_pose.skeleton import FLIP


class LabelledFrameDataset:
    """A map-style data set for torch: a frame's picture and joints through an mmpose pipeline.

    ``boxes`` says what is cropped and learned: ``joints`` (the diver's box, 16 joints) or ``frame`` (all
    of the picture, the five points of the box around all divers in it).
    """

    def __init__(self, frames: Sequence[LabelledFrame], pipeline: Sequence[dict[str, Any]], boxes: str) -> None:
        self.frames, self.boxes, self.pipeline = frames, boxes, compose(pipeline)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Any:
        frame = self.frames[index]
        image = cv2.cvtColor(frame.folder.read(frame.number), cv2.COLOR_RGB2BGR)  # as mmpose reads pictures
        height, width = image.shape[:2]
        if self.boxes == "joints":
            box, points, known, flip = frame.box[None], frame.keypoints, frame.known, FLIP
        else:
            box, points, flip = whole_frame(width, height), box_points(frame.together[None])[0], POINTS_FLIP
            known = np.ones(len(points), bool)
        return self.pipeline(
            {
                "img": image,
                "img_shape": (height, width),
                "ori_shape": (height, width),
                "bbox": box.copy(),
                "way": frame.way,
                "keypoints": points[None].astype(np.float32),
                "keypoints_visible": known[None].astype(np.float32),
                "flip_indices": list(flip),
            }
        )


def labelled_samples(
    frames: Sequence[LabelledFrame], synthetic: Collection[ClipKey], config: Mapping[str, Any], turn: float | None
) -> Samples:
    """Labelled frames as a training draws them: through its pipeline, real ones half of the time.

    ``turn`` as in :class:`annotate.training.plan.FinetunePlan`.
    """
    data = LabelledFrameDataset(frames, tilted(config["train_pipeline"], turn), config["boxes"])
    return Samples(f"{len(frames)} frames", data, draw_weights(frames, synthetic))


def compose(pipeline: Sequence[dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    """The transforms of a pipeline of mmpose, one after the other."""
    from mmengine.dataset import Compose
    from mmengine.registry import DefaultScope
    from mmpose.registry import TRANSFORMS

    import annotate.training.augment
    import annotate.training.limbs  # noqa: F401  (both register our transforms)

    with DefaultScope.overwrite_default_scope("mmpose"):  # whatever was trained before in this process
        return Compose([TRANSFORMS.build(step) for step in pipeline])


def tilted(pipeline: Sequence[dict[str, Any]], most: float | None) -> list[dict[str, Any]]:
    """The pipeline with frames rotated by up to ``most`` degrees; as it is where that is None."""
    if most is None:
        return list(pipeline)
    return [step | {"rotate_factor": most} if "rotate_factor" in step else step for step in pipeline]
