"""CVAT for images 1.1, as CVAT writes it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from finediving_pose.errors import PoseError
from finediving_pose.formats import bundle
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.poses import ClipPoses, JointSource, read_poses
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, FRAMES, full_tables, write_layer

PLACES = [(5 + 2 * i, 4 + 2 * i) for i in range(16)]


def points(name: str, more: str = "") -> str:
    x, y = PLACES[JOINTS.index(name)]
    return f'<points label="{name}" source="manual" outside="0" occluded="0" points="{x:.2f},{y:.2f}" {more}></points>'


def skeleton(inside: str = "".join(map(points, reversed(JOINTS))), source: str = "manual") -> str:
    return f'<skeleton label="diver" source="{source}" z_order="0">{inside}</skeleton>'


def document(inside: str, name: str = "images/Men__10m/1/00101.jpg", before: str = "") -> str:
    image = f'<image id="0" name="{name}" width="64" height="48">{inside}</image>'
    return f'<?xml version="1.0" encoding="utf-8"?>{before}<annotations><version>1.1</version>{image}</annotations>'


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "annotations.xml").write_text(text)
    return tmp_path / "annotations.xml"


def imported(posed: Workspace, path: Path, **more: Any) -> ClipPoses:
    take_in(posed, CLIPS, [path], "anna", **more)
    return read_poses(posed.pose_file("manual/anna", CLIPS[0].key))


@pytest.mark.parametrize("way", ["xml", "zip", "folder"])
def test_it_comes_in_bare_zipped_and_unpacked(way: str, posed: Workspace, tmp_path: Path) -> None:
    path = written(tmp_path, document(skeleton()))
    if way == "folder":
        path = tmp_path
    if way == "zip":
        with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
            archive.writestr("annotations.xml", path.read_bytes())
        path = tmp_path / "task.zip"
    back = imported(posed, path)
    np.testing.assert_array_equal(back.keypoints[0], PLACES)
    assert (back.visibility == 2).all() and back.frame.tolist() == [101]


def test_outside_is_absent_occluded_is_occluded_and_the_attribute_says_who(posed: Workspace, tmp_path: Path) -> None:
    inside = "".join(map(points, JOINTS)).replace('outside="0"', 'outside="1"', 1)
    inside = inside.replace('occluded="0"', 'occluded="1"', 2) + '<attribute name="person">1</attribute>'
    back = imported(posed, written(tmp_path, document(skeleton(inside))))
    assert back.visibility[0].tolist() == [0, 1] + [2] * 14
    assert back.person.tolist() == [1]


def test_a_skeleton_without_the_attribute_is_the_diver_who_is_left(posed: Workspace, tmp_path: Path) -> None:
    known = skeleton("".join(map(points, JOINTS)) + '<attribute name="person">0</attribute>')
    other = skeleton(points("pelvis") + '<attribute name="person">?</attribute>')
    back = imported(posed, written(tmp_path, document(other + known)))
    assert (back.visibility > 0).sum(1).tolist() == [16, 1]


def test_what_nobody_touched_is_a_prediction(posed: Workspace, tmp_path: Path) -> None:
    path = written(tmp_path, document(skeleton(source="auto").replace("manual", "auto")))
    with pytest.raises(PoseError, match="predicted poses that nobody touched"):
        take_in(posed, CLIPS, [path], "anna")
    assert len(imported(posed, path, everything=True)) == 1


def test_other_shapes_are_counted(posed: Workspace, tmp_path: Path) -> None:
    box = '<box label="diver" xtl="1" ytl="1" xbr="9" ybr="9"></box>'
    intake = take_in(posed, CLIPS, [written(tmp_path, document(skeleton() + box + points("pelvis")))], "anna")
    assert dict(intake.left_out) == {"shapes that are no skeletons": 2}


def test_the_export_has_the_pictures_and_the_label_for_the_editor(posed: Workspace, tmp_path: Path) -> None:
    tables = full_tables()
    poses = tables[CLIPS[0].key]
    poses.source[0] = np.where(poses.visibility[0] > 0, JointSource.MANUAL, JointSource.NONE)
    poses.source[1, np.flatnonzero(poses.visibility[1])[0]] = JointSource.MANUAL
    write_layer(posed, tables)
    export(posed, CLIPS, "cvat", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        root = ElementTree.fromstring(archive.read("annotations.xml"))
        (label,) = json.loads(archive.read("labels.json"))
        pictures = [n for n in archive.namelist() if n.startswith("images/")]
    names = [f"images/{key}/{n:05d}.jpg" for key, numbers in FRAMES.items() for n in numbers]
    assert pictures == names[:6] == [f"images/{i.get('name')}" for i in root.iter("image")]
    assert [s["name"] for s in label["sublabels"]] == list(JOINTS)
    assert all(f'data-label-name="{joint}"' in label["svg"] for joint in JOINTS)
    labels = {n.findtext("name"): n.findtext("parent") for n in root.iter("label")}
    assert labels == {"diver": None} | dict.fromkeys(JOINTS, "diver")
    skeletons = list(root.iter("skeleton"))
    assert [s.get("source") for s in skeletons[:3]] == ["manual", "semi-auto", "auto"]
    assert all(len(s.findall("points")) == 16 for s in skeletons), "CVAT wants a place for absent joints, too"


def test_the_same_poses_make_the_same_file(posed: Workspace, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        export(posed, CLIPS, "cvat", tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
TRACK = '<annotations><track id="0" label="diver"><skeleton frame="0"></skeleton></track></annotations>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (document(skeleton(), before=LAUGHS), "declares a document type or entities"),
        (document(skeleton(), before=OUTSIDE), "declares a document type or entities"),
        (document(skeleton(), before="<!DOCTYPE annotations>"), "declares a document type or entities"),
        (TRACK, "this is CVAT for video"),
        (document(skeleton())[:-20], "not a whole XML file"),
        (document("<a>" * 50 + "</a>" * 50), "nested more than 32 deep"),
        ("<annotation></annotation>", "its root is <annotation>"),
        (document(skeleton(points("pelvis").replace("pelvis", "nose"))), "'nose' is none of the 16 joints"),
        (document(skeleton(points("pelvis") * 2)), "pelvis is in it twice"),
        (document(skeleton(points("pelvis").replace("17", "x"))), "expected one position x,y"),
        (document(skeleton(points("pelvis").replace("17.00", "nan"))), "expected one position x,y"),
        (document(skeleton(), name="00099.jpg"), "there is no such frame"),
        (document(skeleton()).replace('"64"', '"1280"'), "annotated at 1280 x 48 pixels"),
    ],
)
def test_a_fault_is_named(text: str, said: str, posed: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PoseError) as e:
        take_in(posed, CLIPS, [written(tmp_path, text)], "anna", "cvat")
    assert said in str(e.value) and "\n" not in str(e.value)


def test_a_zip_that_declares_too_much_is_not_unpacked(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "task.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.xml", document(" " * 20_000))
    assert (tmp_path / "task.zip").stat().st_size < 1000
    with pytest.raises(PoseError, match=r"20,\d+ bytes; an annotation file of more than 10,000 isn't read"):
        take_in(posed, CLIPS, [tmp_path / "task.zip"], "anna")
