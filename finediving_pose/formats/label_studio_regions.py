"""Which joints of a Label Studio annotation belong to one person?

A joint is its rectangle's where it was dragged under it (``parentID``) or joined to it by a relation. A joint that is
neither, as one that was deleted and placed anew, is the only person's who lacks it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.errors import PoseError
from finediving_pose.formats.joint_names import joint_index
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import JOINTS, N_JOINTS

LABELS = ("diver0", "diver1")
OCCLUDED = "occluded"

_NAMES = ("keypointlabels", "rectanglelabels", "labels")


@dataclass(slots=True)
class Region:
    """A region of an annotation: the results that share its id.

    Attributes
    ----------
    kind : ``keypoint``, ``rectangle``, or "" for what has no place among joints
    names : its labels
    value : place in percent of the picture
    size : width and height of the picture, pixels; zeros where no result says it
    parent : id of the region that it was dragged under
    """

    id: str
    kind: str = ""
    names: list[str] = field(default_factory=list)
    value: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    parent: str | None = None
    hidden: bool = False
    score: float | None = None

    def place(self, dx: float = 0, dy: float = 0) -> tuple[float, float]:
        """Pixels of the region's corner or point, moved by percent of the picture and turned by its rotation."""
        width, height = self.size
        angle = math.radians(float(self.value.get("rotation") or 0))
        x, y = float(self.value["x"]) * width / 100, float(self.value["y"]) * height / 100
        dx, dy = dx * width / 100, dy * height / 100
        found = (x + dx * math.cos(angle) - dy * math.sin(angle), y + dx * math.sin(angle) + dy * math.cos(angle))
        if not all(map(math.isfinite, found)) or not (width > 0 and height > 0):
            raise ValueError(f"no place in the picture: {self.value}, {width} x {height}")
        return found


@dataclass(slots=True)
class Person:
    """Joints of one person, by their index, and the rectangle where there is one."""

    rectangle: Region | None = None
    joints: dict[int, Region] = field(default_factory=dict)

    @property
    def number(self) -> int | None:
        """0 or 1 as the rectangle's label says, else None."""
        names = self.rectangle.names if self.rectangle else []
        return LABELS.index(names[0]) if names and names[0] in LABELS else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture that was annotated, pixels."""
        return next(iter(self.joints.values())).size

    def box(self) -> NDArray[np.float32] | None:
        """The rectangle, float32 (4,), x1 y1 x2 y2 in pixels."""
        if self.rectangle is None:
            return None
        width, height = float(self.rectangle.value["width"]), float(self.rectangle.value["height"])
        corners = np.array([self.rectangle.place(x, y) for x in (0, width) for y in (0, height)], np.float32)
        return np.concatenate([corners.min(0), corners.max(0)])

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32] | None]:
        """Joints (16, 2) in pixels, visibility (16,), and confidence (16,) where every joint has a score."""
        keypoints = np.full((N_JOINTS, 2), np.nan, np.float32)
        visibility = np.zeros(N_JOINTS, np.uint8)
        confidence = np.zeros(N_JOINTS, np.float32)
        for joint, region in self.joints.items():
            keypoints[joint] = region.place()
            visibility[joint] = Visibility.OCCLUDED if region.hidden else Visibility.VISIBLE
            confidence[joint] = math.nan if region.score is None else region.score
        return keypoints, visibility, None if np.isnan(confidence).any() else confidence


def people_of(results: Sequence[dict[str, Any]], where: str) -> tuple[list[Person], int]:
    """The people of an annotation, and the number of regions that are neither joints nor rectangles.

    Raises PoseError beginning with ``where``: a joint has no name or an unknown one, a person has a joint twice, or the
    annotation does not say whose it is.
    """
    regions = {r.id: r for r in _regions(results, where)}
    points = {r.id: _joint(r, where) for r in regions.values() if r.kind == "keypoint"}
    boxes = [r for r in regions.values() if r.kind == "rectangle"]
    roots = _joined(regions, results)
    people: dict[str, Person] = {}
    for box in boxes:
        if roots[box.id] in people:
            raise PoseError(f"{where}: two rectangles are joined to one joint; leave it with one of them")
        people[roots[box.id]] = Person(box)
    loose: list[Region] = []
    members: dict[str, list[Region]] = defaultdict(list)
    for id in points:
        members[roots[id]].append(regions[id])
    for root, group in members.items():
        if root not in people and (len(group) == 1 or boxes):  # joined to joints alone
            loose += group
            continue
        person = people.setdefault(root, Person())
        for region in group:
            if region.size != group[0].size:
                raise PoseError(
                    f"{where}: {JOINTS[points[region.id]]} was placed on a picture of {region.size[0]} x"
                    f" {region.size[1]} pixels, others on {group[0].size[0]} x {group[0].size[1]}; export"
                    " the task again"
                )
            if points[region.id] in person.joints:
                raise PoseError(_twice(where, points[region.id], bool(boxes)))
            person.joints[points[region.id]] = region
    _give(loose, points, list(people.values()) or [people.setdefault("", Person())], where)
    _check_labels(people.values(), where)
    return [p for p in people.values() if p.joints], sum(not r.kind for r in regions.values())


def _regions(results: Sequence[dict[str, Any]], where: str) -> Iterator[Region]:
    """A region for each id: a tag for the place and one for the name give two results, with one id."""
    found: dict[str, Region] = {}
    for result in results:
        if result["type"] == "relation":
            continue
        region = found.setdefault(str(result["id"]), Region(str(result["id"])))
        if float(result.get("image_rotation") or 0):
            raise PoseError(
                f"{where}: the picture was turned by {result['image_rotation']} degrees in Label Studio; turn it back"
                " there and place the joints again"
            )
        value, kind = dict(result["value"]), str(result["type"])
        region.kind = region.kind or next((k for k in ("keypoint", "rectangle") if kind.startswith(k)), "")
        region.names += [str(name) for names in _NAMES for name in value.pop(names, None) or []]
        text = (result.get("meta") or {}).get("text") or []
        said = [*(value.pop("choices", None) or []), *([text] if isinstance(text, str) else text)]
        region.hidden |= OCCLUDED in {str(word).strip().lower() for word in said}
        region.value |= value
        if result.get("original_width"):
            region.size = int(result["original_width"]), int(result["original_height"])
        region.parent = region.parent or (str(result["parentID"]) if result.get("parentID") else None)
        region.score = float(result["score"]) if result.get("score") is not None else region.score
    return iter(found.values())


def _joint(region: Region, where: str) -> int:
    names = list(dict.fromkeys(region.names))
    if len(names) != 1:
        named = f"the names {' and '.join(names)}" if names else "no name"
        raise PoseError(f"{where}: a point has {named}; give it the name of one joint")
    if (joint := joint_index(names[0])) is None:
        raise PoseError(f"{where}: {names[0]} is none of the joints {', '.join(JOINTS)}; rename it")
    return joint


def _joined(regions: dict[str, Region], results: Sequence[dict[str, Any]]) -> dict[str, str]:
    """By region, one id for all that are joined by dragging or by relations."""
    links = [(r.id, r.parent) for r in regions.values()]
    links += [(str(r["from_id"]), str(r["to_id"])) for r in results if r["type"] == "relation"]
    root = {id: id for id in regions}

    def root_of(id: str) -> str:
        while root[id] != id:
            id = root[id]
        return id

    for one, two in links:
        ends = [regions.get(id) for id in (one, two) if id is not None]
        if len(ends) == 2 and all(r is not None and r.kind for r in ends) and {r.kind for r in ends if r} != _BOXES:
            root[root_of(one)] = root_of(str(two))
    return {id: root_of(id) for id in regions}


_BOXES = {"rectangle"}
"""Kinds of a link that joins two rectangles: it says nothing of joints."""


def _give(loose: Sequence[Region], points: dict[str, int], people: Sequence[Person], where: str) -> None:
    """Joints joined to nothing go to the only person who lacks them."""
    boxes = any(p.rectangle for p in people)
    named = [p for p in people if p.number is not None]
    lacking = {id: [p for p in named or people if points[id] not in p.joints] for id in (r.id for r in loose)}
    for region in loose:
        joint = points[region.id]
        if not lacking[region.id] or joint in lacking[region.id][0].joints:
            raise PoseError(_twice(where, joint, boxes))
        if len(lacking[region.id]) > 1:
            raise PoseError(
                f"{where}: {JOINTS[joint]} is joined to no rectangle, and {len(lacking[region.id])} lack it; drag it"
                " under its rectangle in the list of regions, and export as JSON"
            )
        lacking[region.id][0].joints[joint] = region


def _twice(where: str, joint: int, boxes: bool) -> str:
    mend = "delete one" if boxes else "draw a rectangle around each diver and drag the joints under it"
    return f"{where}: {JOINTS[joint]} was placed twice for one person; {mend}"


def _check_labels(people: Iterable[Person], where: str) -> None:
    numbers = [p.number for p in people if p.number is not None and p.joints]
    if len(numbers) > len(set(numbers)):
        raise PoseError(f"{where}: two rectangles are named {LABELS[numbers[0]]}; name one of them {LABELS[1]}")
