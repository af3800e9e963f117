"""CVAT for images 1.1: a zip of ``annotations.xml`` with skeletons, and of the pictures.

Format: docs.cvat.ai, "XML annotation format". A joint that is ``outside`` is absent. A skeleton's attribute ``person``
says which of two divers it is. CVAT's "COCO Keypoints 1.0" is read in :mod:`~finediving_pose.formats.coco`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.formats.bundle import Bundle
from finediving_pose.formats.cvat_labels import LABEL, PERSON, label, label_xml
from finediving_pose.formats.cvat_xml import Picture, Skeleton, read_pictures
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.joint_names import joint_index
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import JOINTS, N_JOINTS

_XML = "annotations.xml"
_SAME_DATE = (2000, 1, 1, 0, 0, 0)
"""So that the same poses make the same file."""


@writes("cvat", "CVAT for images 1.1: a zip of annotations.xml, the pictures, and labels.json for the label editor")
def write_cvat(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write the zip; a picture is ``images/<video>/<index>/<number>.jpg``."""
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(_entry("labels.json", zipfile.ZIP_DEFLATED), json.dumps(label(), indent=1))
        xml = _entry(_XML, zipfile.ZIP_DEFLATED)
        with archive.open(xml, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in _xml(clips))
        for posed in clips:
            for number, _ in posed.posed_frames():
                archive.writestr(_entry(f"images/{posed.image(number)}", zipfile.ZIP_STORED), posed.frames.jpeg(number))


def _entry(name: str, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _SAME_DATE)
    info.compress_type = compression
    info.external_attr = 0o644 << 16
    return info


def _xml(clips: Sequence[PosedClip]) -> Iterator[str]:
    frames = [(posed, number, rows) for posed in clips for number, rows in posed.posed_frames()]
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>'
    yield f"<meta><task><name>finediving_pose</name><size>{len(frames)}</size><mode>annotation</mode>"
    yield f"<start_frame>0</start_frame><stop_frame>{len(frames) - 1}</stop_frame>\n{label_xml()}\n</task></meta>"
    for i, (posed, number, rows) in enumerate(frames):
        size = f'width="{posed.frames.width}" height="{posed.frames.height}"'
        yield f'<image id="{i}" name={quoteattr(posed.image(number))} {size}>'
        for row in rows:
            yield from _skeleton(posed, row)
        yield "</image>"
    yield "</annotations>"


def _skeleton(posed: PosedClip, row: int) -> Iterator[str]:
    poses = posed.poses
    present = np.isfinite(poses.keypoints[row]).all(1)
    by_hand = present & (poses.source[row] == JointSource.MANUAL)
    made = {True: "manual", False: "semi-auto" if by_hand.any() else "auto"}[bool((by_hand == present).all())]
    yield f'<skeleton label="{LABEL}" source="{made}" z_order="0">'
    middle = poses.keypoints[row][present].mean(0)  # CVAT wants a place for absent joints, too
    for joint, name in enumerate(JOINTS):
        x, y = poses.keypoints[row, joint] if present[joint] else middle
        occluded = int(present[joint] and poses.visibility[row, joint] == Visibility.OCCLUDED)
        source = "manual" if by_hand[joint] else "auto"
        yield (
            f'<points label="{name}" source="{source}" outside="{int(not present[joint])}" occluded="{occluded}"'
            f' points="{x:.4f},{y:.4f}"></points>'
        )
    yield f'<attribute name="{PERSON}">{int(poses.person[row])}</attribute>\n</skeleton>'


def _is_cvat(probe: Probe) -> bool:
    if probe.path.suffix.lower() == ".xml" and probe.path.is_file():
        with open(probe.path, "rb") as file:
            return b"<annotations" in file.read(4096).replace(b"\0", b"")  # UTF-16 has zeros
    bundle = Bundle(probe.path)
    return (bundle.is_zip or probe.path.is_dir()) and bool(bundle.find(_XML))


@reads("cvat", _is_cvat)
def read_cvat(path: Path, index: FrameIndex) -> Annotations:
    """Every skeleton of every picture. Other shapes are left out."""
    bundle = Bundle(path)
    alone = not bundle.is_zip and not path.is_dir()
    names = [path.name] if alone else bundle.find(_XML)
    if not names:
        raise PoseError(f"{path}: no {_XML} in it; export the task as CVAT for images 1.1")
    found = Annotations()
    for name in names:
        where = bundle.where(name)
        with bundle.open(name) as file:
            for picture in read_pictures(file, where):
                if picture.others:
                    found.left_out["shapes that are no skeletons"] += picture.others
                for i, skeleton in enumerate(picture.skeletons):
                    found.poses.append(_pose(where, picture, i, skeleton))
    return found


def _pose(where: str, picture: Picture, i: int, skeleton: Skeleton) -> ImagePose:
    entry = f"image {picture.name}, skeleton {i}"
    keypoints = np.full((N_JOINTS, 2), np.nan, np.float32)
    visibility = np.zeros(N_JOINTS, np.uint8)
    named: set[int] = set()
    for point in skeleton.points:
        joint = joint_index(point.get("label"))
        if joint is None:
            raise PoseError(
                f"{where}: {entry}: {point.get('label')!r} is none of the {N_JOINTS} joints; rename the sublabels of"
                f" {skeleton.label!r} ({JOINTS[0]} to {JOINTS[-1]})"
            )
        if joint in named:
            raise PoseError(f"{where}: {entry}: {JOINTS[joint]} is in it twice; delete one of them in CVAT")
        named.add(joint)
        if point.get("outside") != "1":
            keypoints[joint] = _position(point.get("points", ""), f"{where}: {entry}: {JOINTS[joint]}")
            visibility[joint] = Visibility.OCCLUDED if point.get("occluded") == "1" else Visibility.VISIBLE
    by_machine = np.zeros(N_JOINTS, bool)
    for point in skeleton.points:
        by_machine[joint_index(point.get("label"))] = point.get("source", skeleton.source) == "auto"
    sources = {skeleton.source, *(point.get("source", skeleton.source) for point in skeleton.points)}
    person = skeleton.attributes.get(PERSON, "").strip()
    return ImagePose(
        image=picture.name,
        entry=entry,
        keypoints=keypoints,
        visibility=visibility,
        person=int(person) if person in ("0", "1") else None,
        size=picture.size,
        predicted=sources == {"auto"},
        by_machine=by_machine if by_machine.any() else None,
        listing=f"{where}: {picture.listing}",
    )


def _position(text: str, where: str) -> tuple[float, float]:
    """The place of one point, "x,y"."""
    try:
        x, y = map(float, text.split(","))
        if abs(x) < 1e9 and abs(y) < 1e9:
            return x, y
    except ValueError:
        pass
    raise PoseError(f'{where}: points is "{text[:60]}", expected one position x,y')
