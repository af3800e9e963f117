"""What an import takes in, from whom, and what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.intake import place, take_in
from finediving_pose.formats.registry import ImagePose
from finediving_pose.poses import JointSource, read_poses
from finediving_pose.skeleton import INDEX, JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables, write_layer

KEY = CLIPS[1].key
"""07/12: one diver in frames 7 and 8."""


def entry(image: str, dx: float = 0, joints: int = 16) -> dict[str, Any]:
    """A pose in the release's own format."""
    points = [[5 + dx + 2 * i, 4 + 2 * i] for i in range(16)]
    return {"image": image, "joints": points, "joints_vis": [int(i < joints) for i in range(16)]}


def written(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps(entries))
    return path


def manual(workspace: Workspace, name: str, key: ClipKey = KEY) -> Any:
    return read_poses(workspace.pose_file(f"manual/{name}", key))


def by_hand(workspace: Workspace, name: str) -> list[tuple[int, int, str]]:
    """Frame, person and joint of everything that a person placed."""
    table = manual(workspace, name)
    rows, joints = np.nonzero(table.source == JointSource.MANUAL)
    return [(int(table.frame[r]), int(table.person[r]), JOINTS[j]) for r, j in zip(rows, joints, strict=True)]


def exported(posed: Workspace, path: Path, layer: str = "auto") -> dict[str, Any]:
    export(posed, CLIPS[1:], "coco", path, layer=layer)
    return json.loads(path.read_text())


def move(content: dict[str, Any], annotation: int, joint: str, dx: float = 9) -> None:
    values, at = content["annotations"][annotation]["keypoints"], 3 * INDEX[joint]
    values[at : at + 3] = [values[at] + dx, values[at + 1], 2]


def test_a_pose_without_joints_is_nobody(posed: Workspace, tmp_path: Path) -> None:
    file = written(tmp_path / "a.json", entry("07/12/00007.jpg", joints=0), entry("07/12/00007.jpg"))
    intake = take_in(posed, CLIPS, [file], "anna")
    assert manual(posed, "anna").person.tolist() == [0]
    assert intake.sentence() == "took in 16 joints by anna (1 frame of 1 clip); left out: poses without joints (1)"


@pytest.mark.parametrize("content", [[], [entry("07/12/00007.jpg", joints=0)]])
def test_an_import_that_takes_in_nothing_is_an_error(posed: Workspace, tmp_path: Path, content: list[Any]) -> None:
    with pytest.raises(PoseError, match=r"a\.json: nothing to take in"):
        take_in(posed, CLIPS, [written(tmp_path / "a.json", *content)], "anna")
    assert posed.manual_layers() == []


def test_only_what_differs_from_the_export_is_a_persons(posed: Workspace, tmp_path: Path) -> None:
    content = exported(posed, tmp_path / "a.json")
    move(content, 0, "head_top")
    other_name = tmp_path / "corrected by anna.json"
    other_name.write_text(json.dumps(content))
    intake = take_in(posed, CLIPS, [other_name], "anna")
    assert by_hand(posed, "anna") == [(7, 0, "head_top")]
    assert intake.layers == {"anna": 1} and "as they were exported" in intake.sentence()
    take_in(posed, CLIPS, [other_name], "bob", everything=True)
    assert len(by_hand(posed, "bob")) > 20


def test_an_untouched_export_is_nothing_to_take_in(posed: Workspace, tmp_path: Path) -> None:
    exported(posed, tmp_path / "a.json")
    with pytest.raises(PoseError, match=r"nothing to take in; left out: joints as they were exported.* with --all"):
        take_in(posed, CLIPS, [tmp_path / "a.json"], "anna")


def test_a_joint_that_a_person_deletes_is_absent_by_their_hand(posed: Workspace, tmp_path: Path) -> None:
    content = exported(posed, tmp_path / "a.json")
    joint = next(j for j in JOINTS if content["annotations"][1]["keypoints"][3 * INDEX[j] + 2])
    content["annotations"][1]["keypoints"][3 * INDEX[joint] : 3 * INDEX[joint] + 3] = [0, 0, 0]
    (tmp_path / "a.json").write_text(json.dumps(content))
    take_in(posed, CLIPS, [tmp_path / "a.json"], "anna")
    assert by_hand(posed, "anna") == [(8, 0, joint)]
    assert np.isnan(manual(posed, "anna").keypoints[0, INDEX[joint]]).all()


def test_what_a_person_placed_before_stays_when_another_joint_of_the_frame_comes(
    posed: Workspace, tmp_path: Path
) -> None:
    for joint in ("head_top", "pelvis"):
        content = exported(posed, tmp_path / f"{joint}.json")
        move(content, 0, joint)
        (tmp_path / f"{joint}.json").write_text(json.dumps(content))
        take_in(posed, CLIPS, [tmp_path / f"{joint}.json"], "anna")
    assert by_hand(posed, "anna") == [(7, 0, "pelvis"), (7, 0, "head_top")]


def test_another_persons_joints_in_merged_poses_stay_theirs(posed: Workspace, tmp_path: Path) -> None:
    merged = full_tables()[KEY]
    merged.source[0, INDEX["pelvis"]] = JointSource.MANUAL
    merged.keypoints[0, INDEX["pelvis"]], merged.visibility[0, INDEX["pelvis"]] = (30, 20), 2
    merged.author[0] = "bob+net"
    write_layer(posed, {KEY: merged}, "merged")
    content = exported(posed, tmp_path / "a.json", "merged")
    move(content, 0, "head_top")
    (tmp_path / "a.json").write_text(json.dumps(content))
    take_in(posed, CLIPS, [tmp_path / "a.json"], "anna")
    assert by_hand(posed, "anna") == [(7, 0, "head_top")]


def test_a_persons_layer_comes_back_whole(posed: Workspace, tmp_path: Path) -> None:
    take_in(posed, CLIPS, [written(tmp_path / "a.json", entry("07/12/00007.jpg"))], "anna")
    exported(posed, tmp_path / "b.json", "manual/anna")
    take_in(posed, CLIPS, [tmp_path / "b.json"], "bob")
    np.testing.assert_allclose(manual(posed, "bob").keypoints, manual(posed, "anna").keypoints, atol=1e-4)


def test_one_frame_in_two_files_is_a_conflict_unless_both_say_the_same(posed: Workspace, tmp_path: Path) -> None:
    one = written(tmp_path / "one.json", entry("07/12/00007.jpg"))
    same = written(tmp_path / "same.json", entry("07/12/00007.jpg"), entry("07/12/00008.jpg"))
    other = written(tmp_path / "other.json", entry("07/12/00007.jpg", dx=1))
    take_in(posed, CLIPS, [one, same], "anna")
    assert list(zip(manual(posed, "anna").frame, manual(posed, "anna").person, strict=True)) == [(7, 0), (8, 0)]
    with pytest.raises(PoseError, match=r"other\.json: entry 0.* annotated twice, differently .*one\.json: entry 0"):
        take_in(posed, CLIPS, [one, other], "bob")


def test_pairs_in_two_files_are_the_same_pair(posed: Workspace, tmp_path: Path) -> None:
    pair = [entry("07/12/00007.jpg"), entry("07/12/00007.jpg", dx=20)]
    files = [written(tmp_path / "a.json", *pair), written(tmp_path / "b.json", *pair[::-1])]
    take_in(posed, CLIPS, files, "anna")
    assert manual(posed, "anna").person.tolist() == [0, 1]


def test_annotators_that_a_file_names_get_a_layer_each(posed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def pose(annotator: str | None, dx: float) -> ImagePose:
        keypoints = np.full((16, 2), 10 + dx, np.float32)
        return ImagePose.of_joints("07/12/00007.jpg", "task 1", keypoints, annotator=annotator)

    def reading(*poses: ImagePose) -> None:
        from finediving_pose.formats.registry import Annotations, Reader

        reader = Reader("some", lambda probe: True, lambda path, index: Annotations(list(poses)))
        monkeypatch.setattr("finediving_pose.formats.intake.reader_of", lambda file, format: reader)

    reading(pose("eva@pool.org", 0), pose("7", 5))
    intake = take_in(posed, CLIPS, [Path("a.json")], "x")
    assert intake.layers == {"x-eva": 16, "x-7": 16}
    assert intake.told == ["2 annotators in the file, a layer each: x-7 (7), x-eva (eva@pool.org)"]
    reading(pose("eva@pool.org", 0))
    assert take_in(posed, CLIPS, [Path("a.json")], "x").layers == {"x": 16}


def test_a_third_person_and_a_picture_of_another_size_are_refused(posed: Workspace) -> None:
    index = FrameIndex(posed, CLIPS)
    poses = [ImagePose.of_joints("07/12/00007.jpg", f"entry {i}", np.full((16, 2), 9.0 * i)) for i in range(3)]
    with pytest.raises(PoseError, match="entry 2: a third person in one frame"):
        place(index, [(Path("a"), pose) for pose in poses])
    large = ImagePose.of_joints("07/12/00007.jpg", "entry 0", np.zeros((16, 2), np.float32), size=(128, 96))
    with pytest.raises(PoseError, match="annotated at 128 x 96 pixels, but the stored frame has 64 x 48"):
        place(index, [(Path("a"), large)])


def test_annotators_whose_names_look_alike_as_folders_get_a_layer_each(
    posed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finediving_pose.formats.registry import Annotations, Reader

    names = ["anna@x.org", "anna@y.org", "??@z.org", "!!@z.org", "Anna"]
    poses = [
        ImagePose.of_joints("07/12/00007.jpg", f"task {i}", np.full((16, 2), 10 + i, np.float32), annotator=name)
        for i, name in enumerate(names)
    ]
    reader = Reader("some", lambda probe: True, lambda path, index: Annotations(poses))
    monkeypatch.setattr("finediving_pose.formats.intake.reader_of", lambda file, format: reader)
    layers = take_in(posed, CLIPS, [Path("a.json")], "x").layers
    assert len({name.lower() for name in layers}) == 5 and set(layers.values()) == {16}


def test_a_pose_that_is_there_twice_is_one_person(posed: Workspace, tmp_path: Path) -> None:
    file = written(tmp_path / "a.json", entry("07/12/00007.jpg"), entry("07/12/00007.jpg"))
    intake = take_in(posed, CLIPS, [file], "anna")
    assert manual(posed, "anna").person.tolist() == [0]
    assert "poses that are there twice (1)" in intake.sentence()


def test_what_the_file_says_a_model_placed_is_no_persons_without_the_record_either(
    posed: Workspace, tmp_path: Path
) -> None:
    content = exported(posed, tmp_path / "a.json")
    for path in posed.exports.iterdir():
        path.unlink()
    other = tmp_path / "elsewhere" / "b.json"
    other.parent.mkdir()
    other.write_text(json.dumps(content))
    with pytest.raises(PoseError, match=r"nothing to take in; left out: predicted poses that nobody touched \(2\)"):
        take_in(posed, CLIPS, [other], "anna")
    joint = next(j for j in JOINTS if content["annotations"][0]["keypoints"][3 * INDEX[j] + 2])
    content["annotations"][0]["source"][INDEX[joint]] = "manual"
    other.write_text(json.dumps(content))
    take_in(posed, CLIPS, [other], "anna")
    assert by_hand(posed, "anna") == [(7, 0, joint)]


def test_a_moved_joint_is_in_the_box_that_is_stored(posed: Workspace, tmp_path: Path) -> None:
    content = exported(posed, tmp_path / "a.json")
    move(content, 0, "head_top", dx=15)
    (tmp_path / "a.json").write_text(json.dumps(content))
    take_in(posed, CLIPS, [tmp_path / "a.json"], "anna")
    table = manual(posed, "anna")
    x, y = table.keypoints[0, INDEX["head_top"]]
    x1, y1, x2, y2 = table.box[0]
    assert x1 <= x <= x2 and y1 <= y <= y2


def test_a_tool_that_rounds_is_told(posed: Workspace, tmp_path: Path) -> None:
    content = exported(posed, tmp_path / "a.json")
    for annotation in content["annotations"]:
        annotation["keypoints"] = [round(v) + 0.1 for v in annotation["keypoints"]]
        annotation["keypoints"][2::3] = [min(2, round(v)) for v in annotation["keypoints"][2::3]]
    (tmp_path / "a.json").write_text(json.dumps(content))
    intake = take_in(posed, CLIPS, [tmp_path / "a.json"], "anna")
    assert any("moved by less than a pixel, as if the tool rounds positions" in line for line in intake.told)


def test_poses_of_clips_that_were_not_chosen_are_left_out(posed: Workspace, tmp_path: Path) -> None:
    file = written(tmp_path / "a.json", entry("07/12/00007.jpg"), entry("Men__10m/1/00100.jpg"))
    intake = take_in(posed, CLIPS, [file], "anna", only={KEY})
    assert intake.clips == {KEY}
    assert intake.left_out == {"poses of clips that were not chosen": 1}
    with pytest.raises(PoseError, match=r"nothing to take in; left out: poses of clips that were not chosen \(2\)"):
        take_in(posed, CLIPS, [file], "anna", only=())


def test_an_annotators_accents_may_be_written_apart(posed: Workspace, tmp_path: Path) -> None:
    take_in(posed, CLIPS, [written(tmp_path / "a.json", entry("07/12/00007.jpg"))], "Zoe\u0308")
    assert posed.pose_file("manual/Zo\u00eb", KEY).is_file()
