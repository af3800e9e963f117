"""COCO keypoints: one JSON file of images, annotations and one category.

Format: cocodataset.org, "Data format", keypoint detection. Fields beyond it (``person``,
``confidence``, ``source``, ``author``, ``time``) are ours; COCO's readers pass over them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.documents import read_json
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import FLIP, INDEX, JOINTS, LIMBS, N_JOINTS, SIGMAS

CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(JOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in LIMBS],
}


def mmpose_metainfo() -> dict[str, Any]:
    """What mmpose's ``CocoDataset`` has to be told of the 16 joints: its argument ``metainfo``."""
    colour = {"color": [255, 128, 0]}
    return {
        "dataset_name": "finediving_pose",
        "keypoint_info": {
            i: {"name": name, "id": i, "type": "", "swap": "" if FLIP[i] == i else JOINTS[FLIP[i]], **colour}
            for i, name in enumerate(JOINTS)
        },
        "skeleton_info": {i: {"link": (JOINTS[a], JOINTS[b]), "id": i, **colour} for i, (a, b) in enumerate(LIMBS)},
        "joint_weights": [1.0] * N_JOINTS,
        "sigmas": list(SIGMAS),
    }


@writes("coco", "COCO keypoints: one JSON file")
def write_coco(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write the file; picture names are relative to the data directory's ``frames/``."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for posed in clips:
        for number, rows in posed.posed_frames():
            images.append(
                {
                    "id": len(images) + 1,
                    "file_name": posed.image(number),
                    "width": posed.frames.width,
                    "height": posed.frames.height,
                    "video": posed.clip.key.video,
                    "index": posed.clip.key.index,
                    "frame": number,
                }
            )
            for row in rows:
                ids = {"id": len(annotations) + 1, "image_id": len(images), "category_id": CATEGORY["id"]}
                annotations.append(ids | _annotation(posed, row))
    info = {"description": "Diving poses, 16 joints in MPII order", "contributor": "fdpose", "version": "1.0"}
    content = {"info": info, "licenses": [], "images": images, "annotations": annotations, "categories": [CATEGORY]}
    out.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def _annotation(posed: PosedClip, row: int) -> dict[str, Any]:
    poses = posed.poses
    present = np.isfinite(poses.keypoints[row]).all(1)
    keypoints = np.zeros((N_JOINTS, 3))
    keypoints[present, :2] = poses.keypoints[row][present]
    keypoints[present, 2] = np.where(poses.visibility[row][present] == Visibility.VISIBLE, 2, 1)
    x1, y1, x2, y2 = (float(v) for v in posed.box(row))
    return {
        "keypoints": [round(v, 4) for v in keypoints.reshape(-1).tolist()],
        "num_keypoints": int(present.sum()),
        "bbox": [round(v, 4) for v in (x1, y1, x2 - x1, y2 - y1)],
        "area": round((x2 - x1) * (y2 - y1), 4),
        "iscrowd": 0,
        "person": int(poses.person[row]),
        "confidence": [round(v, 6) for v in np.nan_to_num(poses.confidence[row]).tolist()],
        "source": [JointSource(int(s)).name.lower() for s in poses.source[row]],
        "author": poses.author[row],
        "time": poses.time[row],
    }


def _is_coco(probe: Probe) -> bool:
    return isinstance(probe.json, dict) and {"images", "annotations"} <= probe.json.keys()


@reads("coco", "a JSON object with images, annotations and categories", _is_coco)
def read_coco(path: Path, index: FrameIndex) -> Annotations:
    """Every annotation with keypoints.

    Joints go by the category's keypoint names; a category without names must have 16 in MPII order.
    """
    data = read_json(path, PoseError)
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        raise PoseError(f"{path}: no COCO file; expected an object with images, annotations and categories")
    images = {i.get("id"): i for i in data["images"] if isinstance(i, dict)}
    orders = {c.get("id"): _joint_order(path, c) for c in data.get("categories") or [] if isinstance(c, dict)}
    poses = []
    for i, annotation in enumerate(data.get("annotations") or []):
        if not isinstance(annotation, dict) or not annotation.get("keypoints"):
            continue
        image = images.get(annotation.get("image_id"))
        if image is None or not isinstance(image.get("file_name"), str):
            raise PoseError(f"{path}: annotation {i}: image_id {annotation.get('image_id')!r} is no image of the file")
        order = orders.get(annotation.get("category_id"), list(range(N_JOINTS)))
        poses.append(_pose(path, f"annotation {i}, image {image['file_name']}", annotation, image, order))
    return Annotations(poses)


def _pose(path: Path, entry: str, annotation: dict[str, Any], image: dict[str, Any], order: list[int]) -> ImagePose:
    values = _numbers(annotation["keypoints"], (3 * len(order),))
    if values is None or len(order) != N_JOINTS:
        found = len(annotation["keypoints"])
        raise PoseError(f"{path}: {entry}: keypoints must be {N_JOINTS} triples x, y, v, found {found} numbers")
    triples = np.zeros((N_JOINTS, 3))
    triples[order] = values.reshape(-1, 3)
    visibility = np.clip(triples[:, 2], 0, 2).astype(np.uint8)
    box = _numbers(annotation.get("bbox"), (4,))
    confidence = _numbers(annotation.get("confidence"), (N_JOINTS,))
    person = annotation.get("person")
    width, height = image.get("width"), image.get("height")
    return ImagePose(
        image=image["file_name"],
        entry=entry,
        keypoints=np.where(visibility[:, None] > 0, triples[:, :2], np.nan).astype(np.float32),
        visibility=visibility,
        confidence=None if confidence is None else confidence.astype(np.float32),
        box=None if box is None else np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]], np.float32),
        person=person if person in (0, 1) else None,
        size=(width, height) if isinstance(width, int) and isinstance(height, int) else None,
    )


def _joint_order(path: Path, category: dict[str, Any]) -> list[int]:
    """Our index of each of the category's keypoints."""
    names = category.get("keypoints")
    if not names:
        return list(range(N_JOINTS))
    if sorted(map(str, names)) != sorted(JOINTS):
        missing = next((j for j in JOINTS if j not in names), None)
        raise PoseError(
            f"{path}: category {category.get('name')!r} has {len(names)} keypoints, expected the {N_JOINTS} joints"
            f" {JOINTS[0]} to {JOINTS[-1]}" + (f"; {missing} is missing" if missing else "")
        )
    return [INDEX[str(n)] for n in names]


def _numbers(value: Any, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """The value as float64 of that shape, all finite, or None."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    return array if array.shape == shape and np.isfinite(array).all() else None
