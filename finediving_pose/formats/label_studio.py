"""Label Studio: JSON tasks with keypoint labels, each joined to the rectangle of its person.

Format: labelstud.io, "Export annotations", JSON. Positions are percent of the picture. An occluded
joint says so in its region's ``meta`` text, which Label Studio shows and keeps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from finediving_pose.documents import read_json
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import INDEX, JOINTS, N_JOINTS

LABELS = ("diver0", "diver1")
OCCLUDED = "occluded"

Region = dict[str, Any]


@writes("labelstudio", "Label Studio: one JSON file of tasks")
def write_label_studio(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write tasks whose pictures Label Studio serves from the data directory's ``frames/`` as local files."""
    tasks = [
        {
            "data": {"image": f"/data/local-files/?d={posed.image(number)}"},
            "meta": {
                "video": {
                    "filename": posed.image(number),
                    "frame_idx": 0,
                    "shape": [1, posed.frames.height, posed.frames.width, 3],
                }
            },
            "annotations": [{"result": [r for row in rows for r in _regions(posed, number, row)]}],
        }
        for posed in clips
        for number, rows in posed.posed_frames()
    ]
    out.write_text(json.dumps(tasks, allow_nan=False), encoding="utf-8")


def _regions(posed: PosedClip, number: int, row: int) -> list[Region]:
    """The person's rectangle, its joints, and the relations between them."""
    poses, width, height = posed.poses, posed.frames.width, posed.frames.height
    person = int(poses.person[row])
    common = {"original_width": width, "original_height": height, "image_rotation": 0, "to_name": "image"}
    x1, y1, x2, y2 = (float(v) for v in posed.box(row))
    place = {"x": x1 / width * 100, "y": y1 / height * 100}
    extent = {"width": (x2 - x1) / width * 100, "height": (y2 - y1) / height * 100, "rotation": 0}
    box_id = f"{number}-{person}"
    regions: list[Region] = [
        common
        | {"id": box_id, "type": "rectanglelabels", "from_name": "individuals"}
        | {"value": place | extent | {"rectanglelabels": [LABELS[person]]}}
    ]
    for joint in np.flatnonzero(np.isfinite(poses.keypoints[row]).all(1)).tolist():
        x, y = (float(v) for v in poses.keypoints[row, joint])
        value = {"x": x / width * 100, "y": y / height * 100, "width": 0.5, "keypointlabels": [JOINTS[joint]]}
        region = common | {"id": f"{box_id}-{joint}", "type": "keypointlabels", "from_name": "keypoint-label"}
        if poses.visibility[row, joint] == Visibility.OCCLUDED:
            region["meta"] = {"text": [OCCLUDED]}
        regions.append(region | {"value": value})
        regions.append({"type": "relation", "from_id": region["id"], "to_id": box_id, "direction": "right"})
    return regions


def _is_label_studio(probe: Probe) -> bool:
    return bool({"annotations", "completions"} & probe.first_of_list().keys())


@reads("labelstudio", "a JSON list of tasks with annotations", _is_label_studio)
def read_label_studio(path: Path, index: FrameIndex) -> Annotations:
    """Every person of every task's last annotation that was not cancelled.

    A joint belongs to the rectangle that it is joined to; joints joined to none are one more person.
    Tasks without annotations are passed over.
    """
    tasks = read_json(path, PoseError)
    if not isinstance(tasks, list):
        raise PoseError(f"{path}: no Label Studio export; expected a list of tasks, found a {type(tasks).__name__}")
    poses = []
    for i, task in enumerate(tasks):
        image = _image(task)
        if image is None:
            raise PoseError(f"{path}: task {i} names no image; expected data.image")
        entry = f"task {i}, image {image}"
        done = [a for a in task.get("annotations") or task.get("completions") or [] if not a.get("was_cancelled")]
        try:
            poses += _persons(image, entry, done[-1]["result"]) if done else []
        except (KeyError, TypeError, IndexError, ValueError) as e:
            raise PoseError(f"{path}: {entry}: a region is not as Label Studio writes it ({e!r})") from e
    return Annotations(poses)


def _image(task: Any) -> str | None:
    """The picture's path: that of Label Studio's local files (``?d=``), or of any other address."""
    data = task.get("data") if isinstance(task, dict) else None
    value = data.get("image") or data.get("img") if isinstance(data, dict) else None
    if not isinstance(value, str):
        return None
    parts = urlsplit(value)
    return parse_qs(parts.query).get("d", [unquote(parts.path)])[0]


def _persons(image: str, entry: str, regions: list[Region]) -> list[ImagePose]:
    boxes = {r["id"]: r for r in regions if r["type"] == "rectanglelabels"}
    owner: dict[str, str | None] = {}
    for relation in (r for r in regions if r["type"] == "relation"):
        ends = (relation["from_id"], relation["to_id"])
        for joint, box in (ends, ends[::-1]):
            if box in boxes:
                owner[joint] = box
    joints: dict[str | None, list[Region]] = {}
    for region in regions:
        if region["type"] == "keypointlabels":
            joints.setdefault(owner.get(region["id"]), []).append(region)
    return [_pose(image, entry, boxes.get(box) if box else None, found) for box, found in joints.items()]


def _pose(image: str, entry: str, box: Region | None, joints: list[Region]) -> ImagePose:
    keypoints = np.full((N_JOINTS, 2), np.nan, np.float32)
    visibility = np.zeros(N_JOINTS, np.uint8)
    width, height = int(joints[0]["original_width"]), int(joints[0]["original_height"])
    for region in joints:
        name, value = region["value"]["keypointlabels"][0], region["value"]
        if name not in INDEX:
            raise ValueError(f"{name} is none of the joints {JOINTS[0]} to {JOINTS[-1]}")
        keypoints[INDEX[name]] = (value["x"] * width / 100, value["y"] * height / 100)
        hidden = OCCLUDED in (region.get("meta") or {}).get("text", [])
        visibility[INDEX[name]] = Visibility.OCCLUDED if hidden else Visibility.VISIBLE
    corners, person = None, None
    if box is not None:
        v = box["value"]
        x, y = v["x"] * width / 100, v["y"] * height / 100
        corners = np.array([x, y, x + v["width"] * width / 100, y + v["height"] * height / 100], np.float32)
        label = (v.get("rectanglelabels") or [""])[0]
        person = LABELS.index(label) if label in LABELS else None
    return ImagePose(image, entry, keypoints, visibility, box=corners, person=person, size=(width, height))
