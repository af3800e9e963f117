"""Label Studio in: JSON tasks with keypoint labels.

Format: labelstud.io, "Export annotations", JSON and JSON-MIN. Positions are percent of the picture. An occluded joint
says so in its region's ``meta`` text, which Label Studio shows and keeps.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from finediving_pose.documents import read_json
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.label_studio_regions import Person, people_of
from finediving_pose.formats.registry import Annotations, ImagePose, Probe, reads

MODEL = "fdpose"
"""What the ``model_version`` of predictions that fdpose exported begins with."""

_TABLES = (".csv", ".tsv")


def _is_label_studio(probe: Probe) -> bool:
    if probe.path.suffix.lower() in _TABLES and probe.path.is_file():
        with open(probe.path, encoding="utf-8-sig", errors="replace") as f:
            header = f.readline(10_000).replace("\t", ",").replace('"', "").strip().split(",")
        return {"annotation_id", "lead_time"} <= set(header)
    first = probe.first_of_list()
    return bool({"annotations", "completions", "predictions", "annotation_id"} & first.keys()) or isinstance(
        first.get("data"), dict
    )


@reads("labelstudio", _is_label_studio)
def read_label_studio(path: Path, index: FrameIndex) -> Annotations:
    """Every person of the annotations that count; each annotator's, where several worked on a task.

    Cancelled and empty annotations are left out. Where some are marked as ground truth, they alone count; of several by
    one annotator, the latest. Where a task has none, the prediction that fdpose exported is read.
    """
    if path.suffix.lower() in _TABLES:
        raise PoseError(
            f"{path}: Label Studio's {path.suffix[1:].upper()} does not say which joints belong together; export as"
            " JSON"
        )
    tasks = read_json(path, PoseError)
    if not isinstance(tasks, list):
        raise PoseError(f"{path}: no Label Studio export; expected a list of tasks, found a {type(tasks).__name__}")
    found = Annotations()
    for i, task in enumerate(_tasks(tasks, path)):
        address = _address(task)
        if address is None:
            raise PoseError(f"{path}: task {i} names no image; expected its address in data.image")
        image = _image(address, index)
        where = f"task {task.get('id', i)}, image {image}"
        try:
            for result, known in _counting(task, found.left_out):
                people, others = people_of(result, f"{path}: {where}")
                found.left_out += Counter({"regions that are neither joints nor rectangles": others})
                found.poses += [_pose(person, image, where, f"task {i}", known) for person in people]
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as e:
            raise PoseError(f"{path}: {where}: a region is not as Label Studio writes it ({e!r})") from e
    return found


def _tasks(entries: list[Any], path: Path) -> list[dict[str, Any]]:
    """The tasks; the entries of JSON-MIN, one for each annotation, as tasks."""
    tasks: dict[Any, dict[str, Any]] = {}
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise PoseError(f"{path}: task {i} is a {type(entry).__name__}, expected an object")
        if "annotation_id" not in entry:
            tasks[i] = entry
            continue
        task = tasks.setdefault(f"{entry.get('id')}", {"id": entry.get("id"), "data": entry, "annotations": []})
        annotation = {"id": entry["annotation_id"], "completed_by": entry.get("annotator")}
        task["annotations"].append(annotation | {"updated_at": entry.get("updated_at"), "result": _flat_regions(entry)})
    return list(tasks.values())


def _pose(person: Person, image: str, where: str, listing: str, known: dict[str, Any]) -> ImagePose:
    keypoints, visibility, confidence = person.arrays()
    return ImagePose(
        image,
        where,
        keypoints,
        visibility,
        confidence if known["predicted"] else None,
        person.box(),
        person.number,
        person.size,
        listing=listing,
        **known,
    )


def _address(task: dict[str, Any]) -> str | None:
    """The address of the task's picture: ``data.image``, or the only one that it has."""
    data = task.get("data")
    named = [data.get(name) for name in ("image", "img")] if isinstance(data, dict) else []
    texts = [v for v in data.values() if isinstance(v, str)] if isinstance(data, dict) else []
    others = [v for v in texts if any(mark in v.lower() for mark in _OF_A_PICTURE)]
    found = [v for v in named if isinstance(v, str)] or (others if len(set(others)) == 1 else [])
    return found[0] if found else None


_OF_A_PICTURE = (".jp", "?d=", "?fileuri=")
"""What the address of a picture has in it."""


def _image(address: str, index: FrameIndex) -> str:
    """The picture's path below its storage: what ``?d=`` or ``?fileuri=`` says, or the address's own path.

    Of the ways to read an address that was not percent-encoded, the first that leads to a frame.
    """
    written = list(dict.fromkeys(_paths(address)))
    for image in written:
        try:
            index.find(image, "")
        except PoseError:
            continue
        return image
    return written[0]


def _paths(address: str) -> Iterator[str]:
    try:
        parts = urlsplit(address)
        query = parse_qs(parts.query)
        if coded := query.get("fileuri"):
            yield from _paths(base64.b64decode(coded[0] + "==", altchars=b"-_").decode())
            return
        yield query["d"][0] if "d" in query else unquote(parts.path)
    except ValueError:
        pass
    _, _, after = address.partition("?d=")
    path = after or address
    yield from (unquote(path), path)


def _counting(task: dict[str, Any], left_out: Counter[str]) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """The results that count, each with its annotator and whether a model made it."""
    done = _submitted(task, left_out)
    if any(a.get("ground_truth") for a in done):
        left_out["annotations beside one marked as ground truth"] += sum(not a.get("ground_truth") for a in done)
        done = [a for a in done if a.get("ground_truth")]
    latest: dict[str | None, dict[str, Any]] = {}
    for annotation in sorted(done, key=lambda a: (str(a.get("updated_at") or a.get("created_at") or ""), _id(a))):
        name = _annotator(annotation)
        left_out["earlier annotations by the same annotator"] += name in latest
        latest[name] = annotation
    for name, annotation in latest.items():
        yield annotation["result"], {"annotator": name, "predicted": False}
    drafts = task.get("drafts")
    left_out["drafts that were not submitted"] += len(drafts) if isinstance(drafts, list) else 0
    predictions = [p for p in task.get("predictions") or [] if isinstance(p, dict)]  # an export may name ids only
    ours = [p for p in predictions if str(p.get("model_version")).startswith(MODEL)]
    left_out["predictions of other models"] += len(predictions) - len(ours)
    if ours and not latest:
        yield max(ours, key=_id)["result"], {"annotator": None, "predicted": True}
    left_out["tasks that nobody annotated"] += not (latest or predictions or task.get("annotations"))


def _submitted(task: dict[str, Any], left_out: Counter[str]) -> list[dict[str, Any]]:
    """The task's annotations that were not cancelled and have joints."""
    done = []
    for annotation in task.get("annotations") or task.get("completions") or []:
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            left_out["cancelled annotations"] += 1
        elif not any(str(r["type"]).startswith("keypoint") for r in annotation["result"]):
            left_out["annotations without joints"] += 1
        else:
            done.append(annotation)
    return done


def _id(annotation: dict[str, Any]) -> int:
    return annotation["id"] if isinstance(annotation.get("id"), int) else 0


def _annotator(annotation: dict[str, Any]) -> str | None:
    """Who made the annotation: an address, else a number."""
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        by = next((by[k] for k in ("email", "username", "id") if by.get(k)), None)
    return None if by is None else str(by)


def _flat_regions(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The regions of a JSON-MIN entry, which have no ids and no relations."""
    values = [v for many in entry.values() if isinstance(many, list) for v in many if isinstance(v, dict)]
    places = [v for v in values if "x" in v and "y" in v and any(str(k).endswith("labels") for k in v)]
    return [
        {k: v.get(k) for k in ("original_width", "original_height")}
        | {"id": str(i), "type": "rectanglelabels" if "height" in v else "keypointlabels", "value": v}
        for i, v in enumerate(places)
    ]
