"""COCO keypoints: one JSON file of images, annotations and one category.

Format: cocodataset.org, "Data format", keypoint detection. Fields beyond it (``person``,
``confidence``, ``source``, ``author``, ``authors``, ``time``) are ours; COCO's readers pass over them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.documents import decode_text, parse_json
from finediving_pose.errors import PoseError
from finediving_pose.formats.bundle import Bundle
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.joint_names import joint_indices
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS, N_JOINTS, SIGMAS

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


@writes("coco", "COCO keypoints: one JSON file", in_parts=True)
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
        "segmentation": [],  # CVAT and datumaro ask for it
        "iscrowd": 0,
        "person": int(poses.person[row]),
        "confidence": [round(v, 6) for v in np.nan_to_num(poses.confidence[row]).tolist()],
        "source": [JointSource(int(s)).name.lower() for s in poses.source[row]],
        "author": poses.author[row],
        "authors": posed.authors[row],
        "time": poses.time[row],
    }


def _is_coco(probe: Probe) -> bool:
    if isinstance(probe.json, dict):
        return {"images", "annotations"} <= probe.json.keys()
    return {"image_id", "keypoints"} <= probe.first_of_list().keys() or bool(Bundle(probe.path).find(_IN_BUNDLE))


_IN_BUNDLE = "annotations/person_keypoints*.json"
"""Where CVAT's "COCO Keypoints 1.0" and COCO itself have the file."""


@reads("coco", _is_coco)
def read_coco(path: Path, index: FrameIndex) -> Annotations:
    """Every annotation with keypoints. Joints go by the category's keypoint names."""
    found = Annotations()
    bundle = Bundle(path)
    for name in (bundle.find(_IN_BUNDLE) or [path.name]) if bundle.is_zip or path.is_dir() else [path.name]:
        where = bundle.where(name)
        with bundle.open(name) as file:
            text = decode_text(file.read(), where, PoseError)
        _read_file(where, parse_json(text, where, PoseError), found)
    return found


def _read_file(where: str, data: Any, found: Annotations) -> None:
    if isinstance(data, list):
        raise PoseError(
            f"{where}: a list of results says neither the pictures' names nor the joints' order; write it as"
            ' {"images": [...], "annotations": <the list>, "categories": [...]} with those of the ground truth'
        )
    annotations = (data.get("annotations") or []) if isinstance(data, dict) else None
    if not isinstance(annotations, list) or not isinstance(data.get("images"), list):
        raise PoseError(f"{where}: no COCO file; expected an object with images, annotations and categories")
    if isinstance(info := data.get("info"), dict) and info.get("contributor") == "Label Studio":
        raise PoseError(
            f"{where}: Label Studio's COCO export makes one pose of all joints in a picture, both divers', and rounds"
            " them; export as JSON there"
        )
    images = _by_id(where, data, "images")
    categories = _by_id(where, data, "categories")
    orders: dict[str | None, list[int]] = {}
    for i, annotation in enumerate(annotations):
        if not isinstance(annotation, dict) or not annotation.get("keypoints"):
            found.left_out["annotations without keypoints"] += 1
            continue
        if annotation.get("iscrowd") in (1, True):
            found.left_out["crowds (iscrowd: 1)"] += 1
            continue
        image_id, category_id = _id(annotation.get("image_id")), _id(annotation.get("category_id"))
        image = images.get(image_id)
        if image is None:
            raise PoseError(f"{where}: annotation {i}: image_id {annotation.get('image_id')!r} is no image of the file")
        if not isinstance(image.get("file_name"), str):
            raise PoseError(
                f"{where}: image {image_id}: file_name is {image.get('file_name')!r}, expected the picture's name, such"
                " as video/index/00000.jpg"
            )
        entry = f"annotation {i}, image {image['file_name']}"
        if category_id not in orders:
            orders[category_id] = _joint_order(where, entry, categories, category_id)
        found.poses.append(_pose(where, entry, annotation, image, orders[category_id], f"{where}: {image_id}"))


def _by_id(where: str, data: dict[str, Any], kind: str) -> dict[str | None, dict[str, Any]]:
    """Images or categories by their id, which may be a number here and text there. PoseError for one id twice."""
    found: dict[str | None, dict[str, Any]] = {}
    entries = data.get(kind) or []
    for entry in entries if isinstance(entries, list) else []:
        key = _id(entry.get("id")) if isinstance(entry, dict) else None
        if key is not None and found.setdefault(key, entry) != entry:
            raise PoseError(f"{where}: two {kind} have the id {key}; number them anew, or export the file again")
    return found


def _id(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, str)) else None


def _joint_order(
    where: str, entry: str, categories: dict[str | None, dict[str, Any]], category_id: str | None
) -> list[int]:
    """Our index of each keypoint of an annotation's category."""
    add = f'add "keypoints": ["{JOINTS[0]}", ...], the {N_JOINTS} names in the order of the file'
    if not categories:
        raise PoseError(
            f"{where}: has no categories, so the order of its joints isn't known; add"
            f' "categories": [{{"id": {category_id or 1}, "name": "diver"}}] and in it {add.removeprefix("add ")}'
        )
    category = categories.get(category_id)
    if category is None:
        raise PoseError(
            f"{where}: {entry}: category_id {category_id} is no category of the file (there are"
            f" {', '.join(str(key) for key in list(categories)[:5])}); correct the annotation or the category"
        )
    if not category.get("keypoints"):
        raise PoseError(f"{where}: category {category.get('name')!r} doesn't name its keypoints; {add}")
    return joint_indices(category["keypoints"], f"{where}: category {category.get('name')!r}")


def _pose(
    where: str, entry: str, annotation: dict[str, Any], image: dict[str, Any], order: list[int], listing: str
) -> ImagePose:
    values = _numbers(annotation["keypoints"], (3 * N_JOINTS,))
    if values is None:
        values = _numbers(annotation["keypoints"], (N_JOINTS, 3))  # triples as lists of their own
    if values is None:
        found = _what_is_wrong(annotation["keypoints"])
        raise PoseError(f"{where}: {entry}: keypoints must be {N_JOINTS} triples x, y, v in pixels, found {found}")
    triples = np.zeros((N_JOINTS, 3))
    triples[order] = values.reshape(-1, 3)
    confidence = _numbers(annotation.get("confidence"), (N_JOINTS,))
    visibility, predicted = triples[:, 2], _numbers(annotation.get("score"), ()) is not None
    if predicted and (visibility < Visibility.VISIBLE).all():
        confidence = np.clip(triples[:, 2], 0, 1)
        visibility = np.where(triples[:, 2] > 0, Visibility.VISIBLE, Visibility.ABSENT)
    elif not np.isin(visibility, (0, 1, 2)).all():
        odd = visibility[~np.isin(visibility, (0, 1, 2))][0]
        raise PoseError(
            f"{where}: {entry}: v is {odd:g}, expected 0, 1 or 2; if it is a confidence, the annotation needs the"
            ' "score" that a model\'s results have'
        )
    by_machine = _by_machine(annotation, order)
    if by_machine is not None and (by_machine | (visibility == 0)).all():
        predicted = True
    return ImagePose(
        image=image["file_name"],
        entry=entry,
        keypoints=np.where(visibility[:, None] > 0, triples[:, :2], np.nan).astype(np.float32),
        visibility=visibility.astype(np.uint8),
        confidence=None if confidence is None else confidence.astype(np.float32),
        box=_box(annotation),
        person=_person(annotation),
        size=_size(image),
        predicted=predicted,
        by_machine=by_machine,
        listing=listing,
    )


def _what_is_wrong(keypoints: Any) -> str:
    """Of keypoints that are not 16 triples of finite numbers of a size that pixels have."""
    if not isinstance(keypoints, list):
        return f"{keypoints!r:.40}"
    if len(keypoints) != 3 * N_JOINTS:
        return f"{len(keypoints)} values"
    odd = next((v for v in keypoints if _numbers(v, ()) is None), None)
    return f"{odd!r:.40} among them"


def _by_machine(annotation: dict[str, Any], order: list[int]) -> NDArray[np.bool_] | None:
    """bool (16,), joints that our own field ``source`` gives to the machine; None where there is no such field."""
    source = annotation.get("source")
    if not isinstance(source, list) or len(source) != N_JOINTS:
        return None
    found = np.zeros(N_JOINTS, bool)
    found[order] = [word in ("automatic", "interpolated") for word in source]
    return found


def _box(annotation: dict[str, Any]) -> NDArray[np.float32] | None:
    box = _numbers(annotation.get("bbox"), (4,))
    if box is None or (box[2:] <= 0).any():
        return None
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]], np.float32)


def _person(annotation: dict[str, Any]) -> int | None:
    """Our own field, or the attribute of CVAT's export."""
    attributes = annotation.get("attributes")
    person = annotation.get("person", attributes.get("person") if isinstance(attributes, dict) else None)
    return int(person) if person in (0, 1, "0", "1") else None


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    size = _numbers([image.get("width"), image.get("height")], (2,))
    return None if size is None or (size <= 0).any() else (int(size[0]), int(size[1]))


def _numbers(value: Any, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """The value as float64 of that shape, all finite and of a size that pixels have, or None."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array.shape == shape and (np.abs(array) < 1e9).all() else None
