"""What Label Studio's files mean: whose joints they are, whose work counts, which picture is meant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import Intake, take_in
from finediving_pose.poses import ClipPoses, Visibility, read_poses, take_rows
from finediving_pose.skeleton import INDEX, JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables, write_layer
from tests.finediving_pose.packed.made_up import add_clip

KEY = CLIPS[0].key
IMAGE = "/data/local-files/?d=frames/Men__10m/1/00101.jpg"
COMMON: dict[str, Any] = {"original_width": 64, "original_height": 48, "image_rotation": 0, "to_name": "image"}
Result = dict[str, Any]


def point(id: str, name: str = "head_top", x: float = 32, y: float = 12, **more: Any) -> Result:
    value = {"x": x / 64 * 100, "y": y / 48 * 100, "width": 0.5, "keypointlabels": [name]}
    return COMMON | {"id": id, "type": "keypointlabels", "from_name": "any", "value": value} | more


def box(id: str, label: str | None = "diver0", x: float = 0, **more: Any) -> Result:
    value: dict[str, Any] = {"x": x, "y": 25, "width": 25, "height": 50, "rotation": 0}
    value |= {"rectanglelabels": [label]} if label else {}
    return COMMON | {"id": id, "type": "rectanglelabels" if label else "rectangle", "value": value} | more


def joined(one: str, two: str) -> Result:
    return {"type": "relation", "from_id": one, "to_id": two, "direction": "right"}


def annotation(*results: Result, **more: Any) -> dict[str, Any]:
    return {"result": list(results), "was_cancelled": False} | more


def task(*annotations: dict[str, Any], image: str = IMAGE, **more: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations)} | more


def take(workspace: Workspace, folder: Path, *tasks: Any, annotator: str = "x", **more: Any) -> Intake:
    path = folder / "tasks.json"
    path.write_text(json.dumps(tasks))
    return take_in(workspace, CLIPS, [path], annotator, **more)


def came(workspace: Workspace, layer: str = "x") -> ClipPoses:
    return read_poses(workspace.pose_file(f"manual/{layer}", KEY))


def where(poses: ClipPoses, person: int, name: str = "head_top") -> list[float]:
    row = poses.row(101, person)
    assert row is not None
    return poses.keypoints[row, INDEX[name]].tolist()


BOXES = (box("b0"), box("b1", "diver1", 50))


@pytest.mark.parametrize(
    "results",
    [
        (point("p", parentID="b0"), point("q", x=40, parentID="b1")),
        (point("p"), point("q", x=40), joined("p", "b0"), joined("b1", "q")),
        (point("p", parentID="b0"), point("q", x=40)),
        (point("p"), point("q", x=40), joined("q", "b1")),
        (point("r", "pelvis", parentID="b0"), point("p", parentID="r"), point("q", x=40, parentID="b1")),
    ],
    ids=["dragged", "related", "one placed anew", "the other placed anew", "dragged under a joint"],
)
def test_a_joint_is_its_rectangles_or_the_only_persons_who_lacks_it(
    results: Sequence[Result], posed: Workspace, tmp_path: Path
) -> None:
    take(posed, tmp_path, task(annotation(*BOXES, *results)))
    assert (where(came(posed), 0), where(came(posed), 1)) == ([32, 12], [40, 12])
    np.testing.assert_allclose(came(posed).box[1], [32, 12, 48, 36])


def test_without_a_rectangle_all_joints_are_one_person(posed: Workspace, tmp_path: Path) -> None:
    take(posed, tmp_path, task(annotation(point("p"), point("q", "pelvis", x=40))))
    assert len(came(posed)) == 1
    assert (where(came(posed), 0), where(came(posed), 0, "pelvis")) == ([32, 12], [40, 12])


def test_rectangles_of_other_things_are_nobody(posed: Workspace, tmp_path: Path) -> None:
    take(posed, tmp_path, task(annotation(box("b0"), box("c", "platform", 60), point("p"), joined("b0", "c"))))
    assert (len(came(posed)), where(came(posed), 0)) == (1, [32, 12])


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ((*BOXES, point("p")), "head_top is joined to no rectangle, and 2 lack it; drag it under its rectangle"),
        ((point("p"), point("q", x=40)), "head_top was placed twice for one person; draw a rectangle around each"),
        ((box("b0"), point("p"), point("q")), "head_top was placed twice for one person; delete one"),
        ((box("b0"), *(point(p, parentID="b0") for p in "pq")), "head_top was placed twice for one person; delete one"),
        ((*BOXES, point("p"), joined("p", "b0"), joined("p", "b1")), "two rectangles are joined to one joint"),
        ((*BOXES, point("p", parentID="b0"), joined("p", "b1")), "two rectangles are joined to one joint"),
        ((box("a"), box("b"), point("p", parentID="a"), point("q", parentID="b")), "two rectangles are named diver0"),
        ((point("p", image_rotation=90),), "the picture was turned by 90 degrees in Label Studio"),
        ((point("p", "nose"),), "nose is none of the joints right_ankle, "),
        ((point("p", "nose") | {"value": {"x": 1, "y": 1}},), "a point has no name"),
        ((point("p", x=float("nan")),), "a region is not as Label Studio writes it"),
        (({"type": "keypointlabels"},), "a region is not as Label Studio writes it"),
    ],
)  # fmt: skip
def test_what_an_annotation_does_not_say_is_not_guessed(
    results: Sequence[Result], says: str, posed: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(PoseError, match=says) as e:
        take(posed, tmp_path, task(annotation(*results)))
    assert "tasks.json: task 7, image frames/Men__10m/1/00101.jpg: " in str(e.value)
    assert not (posed.poses / "manual").exists()


def test_separate_tags_for_places_and_names_are_one_region(posed: Workspace, tmp_path: Path) -> None:
    """<KeyPoint>, <Rectangle>, <Labels> and <Choices perRegion>: results that share an id."""
    place = {"x": 50.0, "y": 25.0, "width": 0.5}
    corner = {"x": 0, "y": 25, "width": 25, "height": 50}
    results = [
        COMMON | {"id": "p", "type": "keypoint", "value": place},
        COMMON | {"id": "p", "type": "labels", "value": place | {"labels": ["head_top"]}},
        COMMON | {"id": "p", "type": "choices", "value": place | {"choices": ["occluded"]}},
        COMMON | {"id": "b", "type": "rectangle", "value": corner},
        COMMON | {"id": "b", "type": "labels", "value": corner | {"labels": ["diver1"]}},
    ]
    take(posed, tmp_path, task(annotation(*results)))
    assert where(came(posed), 1) == [32, 12]
    assert came(posed).visibility[0, INDEX["head_top"]] == Visibility.OCCLUDED


def test_a_turned_rectangle_is_the_box_around_it(posed: Workspace, tmp_path: Path) -> None:
    turned = box("b0", x=50)
    turned["value"]["rotation"] = 90
    take(posed, tmp_path, task(annotation(turned, point("p"))))
    np.testing.assert_allclose(came(posed).box[0], [32 - 24, 12, 32, 12 + 16], atol=1e-4)


def test_each_annotator_is_a_layer(posed: Workspace, tmp_path: Path) -> None:
    anna = {"id": 3, "email": "anna@pool.org", "first_name": "A"}
    done = take(
        posed,
        tmp_path,
        task(annotation(point("p"), completed_by=anna), annotation(point("p", x=20), completed_by=4)),
    )
    assert done.layers == {"x-anna": 1, "x-4": 1}
    assert (where(came(posed, "x-anna"), 0), where(came(posed, "x-4"), 0)) == ([32, 12], [20, 12])


@pytest.mark.parametrize(
    ("others", "left_out"),
    [
        ([annotation(point("q", x=9), was_cancelled=True)], "cancelled annotations"),
        ([annotation()], "annotations without joints"),
        ([annotation(box("b0"), id=9)], "annotations without joints"),
        ([annotation(point("q", x=9), id=1, completed_by=2)], "annotations beside one marked as ground truth"),
        ([annotation(point("q", x=9), id=9, updated_at="2026-01-01")], "earlier annotations by the same annotator"),
    ],
)
def test_one_annotation_counts_and_the_others_are_told(
    others: list[dict[str, Any]], left_out: str, posed: Workspace, tmp_path: Path
) -> None:
    truth = {"ground_truth": True} if "truth" in left_out else {}
    good = annotation(point("p"), id=5, updated_at="2026-02-02", **truth)
    for order in ([good, *others], [*others, good]):
        done = take(posed, tmp_path, task(*order))
        assert done.left_out == {left_out: 1}
        assert where(came(posed), 0) == [32, 12]


def test_drafts_and_other_models_predictions_are_left_out_and_told(posed: Workspace, tmp_path: Path) -> None:
    guess = {"model_version": "yolo", "result": [point("q", x=9)]}
    alone = task(image=IMAGE.replace("00101", "00102"), predictions=[guess], drafts=[{"id": 1}])
    done = take(posed, tmp_path, task(annotation(point("p")), predictions=[guess, 4]), alone)
    assert done.left_out == {"predictions of other models": 2, "drafts that were not submitted": 1}
    unseen = task(image=IMAGE, predictions=[4])
    with pytest.raises(PoseError, match=r"nothing to take in; left out: tasks that nobody annotated \(1\)"):
        take(posed, tmp_path, unseen)
    with pytest.raises(PoseError, match=r"nothing to take in; .*drafts that were not submitted \(1\)"):
        take(posed, tmp_path, alone)


def test_json_min_is_read_where_it_says_whose_joints_they_are(posed: Workspace, tmp_path: Path) -> None:
    """It has no ids and no relations: one diver a picture can be told, two can't."""

    def entry(*regions: Result, **more: Any) -> dict[str, Any]:
        flat = [r["value"] | {k: r[k] for k in ("original_width", "original_height")} for r in regions]
        shapes = {
            "individuals": [v for v in flat if "height" in v],
            "keypoint-label": [v for v in flat if "height" not in v],
        }
        return {"id": 7, "image": IMAGE, "annotator": 1, "annotation_id": 2} | shapes | more

    later = entry(box("b0"), point("p"), annotation_id=3, updated_at="2026-03-03")
    done = take(posed, tmp_path, later, entry(point("p", x=9)))
    assert (where(came(posed), 0), done.left_out) == ([32, 12], {"earlier annotations by the same annotator": 1})
    with pytest.raises(PoseError, match=r"joined to no rectangle, and 2 lack it; .* and export as JSON"):
        take(posed, tmp_path, entry(*BOXES, point("p")))


def test_tables_of_label_studio_are_refused_by_name(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "project-1.csv"
    path.write_text('"annotation_id","annotator","id","image","joints","lead_time"\n1,1,1,a.jpg,[],3\n')
    with pytest.raises(PoseError, match="Label Studio's CSV does not say which joints belong together; export as JSON"):
        take_in(posed, CLIPS, [path], "x")


def test_its_coco_export_which_mixes_divers_is_refused_by_name(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"info": {"contributor": "Label Studio"}, "images": [], "annotations": []}))
    with pytest.raises(PoseError, match="Label Studio's COCO export makes one pose of all joints in a picture"):
        take_in(posed, CLIPS, [path], "x", format="coco")


def test_a_task_without_a_picture_is_named(posed: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PoseError, match="task 1 names no image"):
        take(posed, tmp_path, task(annotation(point("p"))), {"data": {"text": "a"}, "annotations": []})


@pytest.mark.parametrize("video", ["A+B", "A & B", "A#1", "50%20x", "Tée"])
def test_addresses_lead_back_whatever_the_video_is_called(video: str, workspace: Workspace, tmp_path: Path) -> None:
    clip = Clip(ClipKey(video, 1), n_frames=2)
    add_clip(workspace, clip, [0, 1])
    poses = next(iter(full_tables().values()))
    poses.frame[:] = np.repeat([0, 1], 4)[: len(poses)]
    write_layer(workspace, {clip.key: take_rows(poses, np.array([0]))})
    out = tmp_path / "tasks.json"
    export(workspace, [clip], "labelstudio", out)
    (address,) = [t["data"]["image"] for t in json.loads(out.read_text())]
    assert address.isascii() and " " not in address
    assert unquote(address.partition("?d=")[2]) == f"frames/{video}/1/00000.jpg"
    by_hand = json.dumps([task(annotation(point("p")), image=f"/data/local-files/?d=frames/{video}/1/00001.jpg")])
    for name, text in (("encoded", out.read_text()), ("as it is", by_hand)):
        (tmp_path / "back.json").write_text(text)
        take_in(workspace, [clip], [tmp_path / "back.json"], "x", everything=True)
        assert workspace.pose_file("manual/x", clip.key).is_file(), name


@pytest.mark.parametrize(
    "image",
    [
        "/data/upload/3/1f2e3d4c-Men__10m__1__00101.jpg",
        "gs://bucket/deep/Men__10m/1/00101.jpg",
        "https://host/tasks/3/presign/?fileuri=czM6Ly9idWNrZXQvZnJhbWVzL01lbl9fMTBtLzEvMDAxMDEuanBn",
        "https://bucket.s3.org/frames/Men__10m/1/00101.jpg?X-Amz-Signature=ab12",
    ],
)
def test_a_picture_is_found_wherever_it_was_served_from(image: str, posed: Workspace, tmp_path: Path) -> None:
    take(posed, tmp_path, {"data": {"photo": image}, "annotations": [annotation(point("p"))]})
    assert where(came(posed), 0) == [32, 12]


def test_machine_poses_go_out_as_predictions_and_hand_placed_ones_as_annotations(
    posed: Workspace, tmp_path: Path
) -> None:
    tables = full_tables()
    poses = tables[KEY]
    poses.source[0, np.flatnonzero(poses.visibility[0])[0]] = 2
    poses.author[0] = "anna+net"
    write_layer(posed, tables, "merged")
    export(posed, CLIPS, "labelstudio", tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [sorted(t.keys() - {"data", "meta"}) for t in tasks] == [["annotations"]] + [["predictions"]] * 5
    assert {p["model_version"] for t in tasks[1:] for p in t["predictions"]} == {"fdpose net"}
    placed = [r for r in tasks[0]["annotations"][0]["result"] if r["type"] == "keypointlabels"]
    assert len(placed) == int((poses.visibility[:2] > 0).sum())
    assert all(r["parentID"] in ("100-0", "100-1") for r in placed)


def test_label_studios_own_converter_reads_the_export(posed: Workspace, tmp_path: Path) -> None:
    """Its checks of predictions, and its COCO and JSON-MIN, once somebody submitted the predictions as they are."""
    pytest.importorskip("label_studio_sdk", reason="label-studio-sdk brings half a gigabyte")
    from label_studio_sdk.converter import Converter  # pyright: ignore[reportMissingImports]
    from label_studio_sdk.label_interface import LabelInterface  # pyright: ignore[reportMissingImports]

    out = tmp_path / "tasks.json"
    export(posed, CLIPS, "labelstudio", out)
    configuration = (tmp_path / "tasks.labels.xml").read_text()
    tasks = json.loads(out.read_text())
    labels = LabelInterface(configuration)
    assert [labels.validate_prediction(t["predictions"][0], return_errors=True) for t in tasks] == [[]] * 6
    for i, t in enumerate(tasks):
        t |= {"id": i, "annotations": [{"id": i, "completed_by": 1, "result": t.pop("predictions")[0]["result"]}]}
    out.write_text(json.dumps(tasks))
    converter = Converter(config=configuration, project_dir=None, download_resources=False)
    converter.convert(str(out), str(tmp_path / "coco"), "COCO", is_dir=False)
    coco = json.loads((tmp_path / "coco" / "result.json").read_text())
    keypoints = [c["keypoints"] for c in coco["categories"] if "keypoints" in c]
    assert (keypoints, len(coco["images"])) == ([list(JOINTS)], 6)
    converter.convert(str(out), str(tmp_path / "min"), "JSON_MIN", is_dir=False)
    flat = json.loads((tmp_path / "min" / "result.json").read_text())
    single = [entry for entry in flat if "/07/12/" in entry["image"]]
    (tmp_path / "single.json").write_text(json.dumps(single))
    take_in(posed, CLIPS, [tmp_path / "single.json"], "x", everything=True)
    back = read_poses(posed.pose_file("manual/x", CLIPS[1].key))
    np.testing.assert_allclose(back.keypoints, full_tables()[CLIPS[1].key].keypoints, atol=1e-4)


def test_the_labelling_configuration_lies_beside_the_tasks(posed: Workspace, tmp_path: Path) -> None:
    """It is replaced only where nobody changed it."""
    import xml.etree.ElementTree as ET

    out, labels = tmp_path / "tasks.json", tmp_path / "tasks.labels.xml"
    export(posed, CLIPS, "labelstudio", out)
    tags = {e.get("name"): [label.get("value") for label in e] for e in ET.parse(labels).getroot()}
    assert tags == {"image": [], "individuals": ["diver0", "diver1"], "keypoint-label": list(JOINTS)}
    names = {r["from_name"] for t in json.loads(out.read_text()) for r in t["predictions"][0]["result"]}
    assert names == {"individuals", "keypoint-label"}
    export(posed, CLIPS, "labelstudio", out)
    labels.write_text("<View/>")
    with pytest.raises(UsageError, match=r"tasks.labels.xml is written beside it, .* add --force"):
        export(posed, CLIPS, "labelstudio", out)
    assert labels.read_text() == "<View/>"
    export(posed, CLIPS, "labelstudio", out, force=True)
    assert "KeyPointLabels" in labels.read_text()
