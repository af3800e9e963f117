"""The table of joints: what pandas reads of it, and what people make of it in a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.joint_table import COLUMNS
from finediving_pose.poses import JointSource, read_poses
from finediving_pose.skeleton import INDEX, JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables

KEY = CLIPS[1].key


@pytest.fixture
def exported(posed: Workspace, tmp_path: Path) -> Path:
    export(posed, CLIPS, "csv", tmp_path / "joints.csv")
    return tmp_path / "joints.csv"


def test_pandas_reads_every_joint_of_every_pose(exported: Path) -> None:
    table: Any = pd.read_csv(exported, dtype={"video": str})
    assert tuple(table) == COLUMNS
    assert len(table) == 16 * 10
    own = table[(table["video"] == KEY.video) & (table["index"] == KEY.index)]
    poses = full_tables()[KEY]
    np.testing.assert_allclose(own[["x", "y"]].to_numpy(), poses.keypoints.reshape(-1, 2), atol=1e-4)
    assert list(own["joint"]) == list(JOINTS) * len(poses)
    assert own["seconds"].tolist() == [0.0] * 16 + [1 / 25] * 16
    wide = own.pivot(index="seconds", columns="joint", values="y")
    np.testing.assert_allclose(wide["head_top"], poses.keypoints[:, INDEX["head_top"], 1], atol=1e-4)
    assert set(own["source"]) <= {"automatic", "none"} and set(own["author"].dropna()) == {"net"}


def test_a_spreadsheet_with_semicolons_and_decimal_commas_comes_in(posed: Workspace, exported: Path) -> None:
    table: Any = pd.read_csv(exported, dtype={"video": str})
    at = table.index[(table["video"] == KEY.video) & (table["frame"] == 7) & table["x"].notna()][0]
    table.loc[at, ["x", "y"]] = (11.5, 12.25)
    table.to_csv(exported, sep=";", decimal=",", index=False, encoding="utf-8-sig")
    take_in(posed, CLIPS, [exported], "anna")
    back = read_poses(posed.pose_file("manual/anna", KEY))
    rows, joints = np.nonzero(back.source == JointSource.MANUAL)
    assert back.keypoints[rows, joints].tolist() == [[11.5, 12.25]]


def test_a_plain_table_of_another_program_needs_six_columns(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Video,Index,Frame,Joint,X,Y,note\n07,12,7,head top,3,4.5,\n07,12,7.0,Left-Knee,,,gone\n")
    take_in(posed, CLIPS, [path], "anna")
    back = read_poses(posed.pose_file("manual/anna", ClipKey("07", 12)))
    assert (back.source == JointSource.MANUAL).sum() == 1
    assert back.keypoints[0, INDEX["head_top"]].tolist() == [3, 4.5]
    assert back.confidence[0, INDEX["head_top"]] == 1


HEAD = "video,index,frame,joint,x,y,visibility,confidence\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frame,joint,x,y\n", "no column 'video'; a table of joints has the columns video, index, frame, joint, x, y"),
        (HEAD + "07,12,7,nose,3,4,,\n", "line 2: 'nose' is none of the joints right_ankle to left_wrist"),
        (HEAD + "07,12,7,pelvis,3,4,,\n07,12,7,pelvis,5,6,,\n", "line 3: pelvis of 07/12/00007.jpg is there twice"),
        (HEAD + "07,12,-7,pelvis,3,4,,\n", "line 2: '-7' is no whole number"),
        (HEAD + "07,12,7,pelvis,3,,visible,\n", "line 2: '' is no number for y"),
        (HEAD + "07,12,7,pelvis,nan,4,,\n", "line 2: x is nan, expected"),
        (HEAD + "07,12,7,pelvis,3,4,seen,\n", "line 2: 'seen' is no visibility; expected absent, occluded, visible"),
        (HEAD + "07,12,7,pelvis,3,4,,1.5\n", "line 2: confidence is 1.5, expected 0 to 1"),
        (HEAD + "07,12,7\n", "line 2: no cell for 'joint'"),
        (HEAD + "07,12,99,pelvis,3,4,,\n", "00099.jpg"),
    ],
)
def test_a_line_that_can_not_be_is_named(posed: Workspace, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "joints.csv"
    path.write_text(text)
    with pytest.raises(PoseError) as error:
        take_in(posed, CLIPS, [path], "anna")
    assert said in str(error.value) and "\n" not in str(error.value)
