"""Label Studio out: JSON tasks, and the labelling configuration that they need.

The machine's poses are predictions, which the page shows as a draft to correct; frames with a joint placed by hand are
annotations. A person's joints lie under their rectangle (``parentID``), as if they were dragged there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from finediving_pose.formats.label_studio import MODEL
from finediving_pose.formats.label_studio_regions import LABELS, OCCLUDED
from finediving_pose.formats.registry import PosedClip, writes
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import JOINTS

Result = dict[str, Any]

_COLOURS = {"left": "#3ca0ff", "right": "#ff8c28"}
_MIDDLE = "#4caf50"


def labelling_configuration() -> str:
    """What Label Studio's page offers to label: two divers and 16 joints, the left blue, the right orange."""
    divers = "\n".join(f"    <Label value={quoteattr(name)}/>" for name in LABELS)
    joints = "\n".join(
        f'    <Label value="{name}" model_index="{i}" background="{_COLOURS.get(name.partition("_")[0], _MIDDLE)}"/>'
        for i, name in enumerate(JOINTS)
    )
    return f"""<View>
  <Image name="image" value="$image" zoom="true" zoomControl="true" crosshair="true"/>
  <RectangleLabels name="individuals" toName="image">
{divers}
  </RectangleLabels>
  <KeyPointLabels name="keypoint-label" toName="image" strokeWidth="2">
{joints}
  </KeyPointLabels>
</View>
"""


@writes(
    "labelstudio",
    "Label Studio: one JSON file of tasks, and the labelling configuration",
    in_parts=True,
    companions={".labels.xml": labelling_configuration},
)
def write_label_studio(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write tasks whose pictures Label Studio serves as local files, ``frames/...`` below the data directory."""
    version = _model_version(clips)
    tasks = (_task(posed, number, rows, version) for posed in clips for number, rows in posed.posed_frames())
    with open(out, "w", encoding="utf-8") as file:  # a task at a time: all of them take 2 MB of memory a clip
        file.writelines(f"{', ' if n else '['}{json.dumps(task, allow_nan=False)}" for n, task in enumerate(tasks))
        file.write("]")


def _task(posed: PosedClip, number: int, rows: list[int], version: str) -> dict[str, Any]:
    result = [region for row in rows for region in _regions(posed, number, row)]
    task: dict[str, Any] = {
        "data": {"image": f"/data/local-files/?d=frames/{quote(posed.image(number))}"},
        "meta": {"clip": str(posed.clip.key), "frame": number},
    }
    if (posed.poses.source[rows] == JointSource.MANUAL).any():
        return task | {"annotations": [{"result": result}]}
    score = float(np.nanmean(np.where(posed.poses.visibility[rows] > 0, posed.poses.confidence[rows], np.nan)))
    return task | {"predictions": [{"model_version": version, "score": score, "result": result}]}


def _model_version(clips: Sequence[PosedClip]) -> str:
    """One name for all predictions, since Label Studio shows those of one version: ``fdpose <estimator>``."""
    authors: set[str] = set()
    for posed in clips:
        machine = (posed.poses.source != JointSource.MANUAL) & (posed.poses.source != JointSource.NONE)
        authors |= {posed.authors[row][joint] for row, joint in np.argwhere(machine).tolist()}
    return " ".join([MODEL, "+".join(sorted(authors - {""}))]).strip()


def _regions(posed: PosedClip, number: int, row: int) -> list[Result]:
    """The person's rectangle, and under it the joints."""
    poses, width, height = posed.poses, posed.frames.width, posed.frames.height
    person = int(poses.person[row])
    common = {"original_width": width, "original_height": height, "image_rotation": 0, "to_name": "image"}
    x1, y1, x2, y2 = np.clip(posed.box(row), 0, [width, height] * 2).tolist()
    place = {"x": x1 / width * 100, "y": y1 / height * 100}
    extent = {"width": (x2 - x1) / width * 100, "height": (y2 - y1) / height * 100, "rotation": 0}
    box_id = f"{number}-{person}"
    regions: list[Result] = [
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
        if poses.source[row, joint] != JointSource.MANUAL:
            region["score"] = float(poses.confidence[row, joint])
        regions.append(region | {"parentID": box_id, "value": value})
    return regions
