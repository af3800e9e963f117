"""HPMCR's layout, read as the authors' loader reads it (the steps its data set class takes, in our words)."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from baselines.data.splash import UNKNOWN, read_splashes
from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.hpmcr import filled, sampled
from finediving_pose.formats.intake import take_in
from finediving_pose.frames import open_frames
from finediving_pose.poses import read_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, FRAMES, clip_tables, full_tables
from tests.media import painted_number

LENGTH = 96
Loaded = tuple[Sequence[Image.Image], np.ndarray, np.ndarray, np.ndarray]


def load_as_the_authors_do(root: Path, key: tuple[str, int], columns: int = 2) -> Loaded:
    """Pictures, transitions, frame labels and the pose tensor (C, 96, 16, 1) of a dive."""
    annotations = pickle.loads((root / "Annotations" / "fine-grained_annotation_aqa.pkl").read_bytes())
    pictures = sorted(str(p) for p in (root / "FineDiving" / key[0] / str(key[1])).glob("*.jpg"))
    start, end = (int(p.split("/")[-1][:-4]) for p in (pictures[0], pictures[-1]))
    places = np.linspace(start, end, LENGTH).astype(int) - start
    labels = [annotations[key][4][i] for i in places]
    order = sorted(set(labels), key=labels.index)
    transitions = [labels.index(c) for c in order]
    pred = np.load(root / "Pose" / key[0] / f"pred_comp_{key[1]}.npz")["pred"]
    pose = pred.reshape((LENGTH, 16, columns, 1)).transpose(2, 0, 1, 3)
    video = [Image.open(pictures[i]) for i in places]
    return video, np.array([transitions[1] - 1, transitions[-1] - 1]), np.array(labels), pose


@pytest.mark.parametrize("clip", CLIPS, ids=lambda c: str(c.key))
def test_the_authors_steps_run_on_the_export(posed: Workspace, tmp_path: Path, clip) -> None:
    export(posed, CLIPS, "hpmcr", tmp_path / "out")
    video, transitions, labels, pose = load_as_the_authors_do(tmp_path / "out", (clip.key.video, clip.key.index))
    numbers = np.linspace(clip.start_frame, clip.end_frame, LENGTH).astype(int)
    assert [painted_number(np.asarray(p)) for p in video] == numbers.tolist()
    assert labels.tolist() == [(3, 24, 36)[sum(n - clip.start_frame >= s for s in clip.stage_starts)] for n in numbers]
    assert transitions.tolist() == [labels.tolist().index(24) - 1, labels.tolist().index(36) - 1]
    poses = full_tables()[clip.key]
    assert pose.shape == (2, LENGTH, 16, 1) and np.isfinite(pose).all()
    for step, number in enumerate(numbers):
        if (row := poses.row(int(number))) is not None:
            seen = poses.visibility[row] > 0
            np.testing.assert_array_equal(pose[:, step, seen, 0].T, poses.keypoints[row, seen])


def test_splits_and_scores_are_the_clips_own(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "hpmcr", tmp_path / "out")
    folder = tmp_path / "out" / "Annotations"
    assert pickle.loads((folder / "train_split.pkl").read_bytes()) == [("Men__10m", 1)]
    assert pickle.loads((folder / "test_split.pkl").read_bytes()) == [("07", 12)]
    action, score, difficulty = pickle.loads((folder / "fine-grained_annotation_aqa.pkl").read_bytes())["07", 12][:3]
    assert (action, score, difficulty) == ("5253b", 80.0, 3.2)


def test_with_confidence_there_are_three_columns_and_filled_joints_have_none(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "hpmcr3", tmp_path / "out")
    pose = load_as_the_authors_do(tmp_path / "out", ("07", 12), columns=3)[3][..., 0]
    assert pose.shape == (3, LENGTH, 16)
    assert (pose[2, -1] == 0).all(), "the last two frames have no pose"
    np.testing.assert_array_equal(pose[2, 0], full_tables()[CLIPS[1].key].confidence[0])
    np.testing.assert_array_equal(pose[:2, -1], pose[:2, sampled((7, 8, 9, 10)).tolist().index(1)])


@pytest.mark.slow
@given(clip_tables())
def test_filling_keeps_what_is_known_and_lies_between(tables) -> None:
    for key, poses in tables.items():
        pred = filled(poses, np.array(FRAMES[key]))
        own = poses.keypoints[poses.person == 0]
        assert pred.shape == (4, 16, 3) and np.isfinite(pred).all()
        for i, number in enumerate(FRAMES[key]):
            if (row := poses.row(number)) is not None:
                seen = poses.visibility[row] > 0
                np.testing.assert_array_equal(pred[i, seen, :2], poses.keypoints[row, seen])
        for joint in range(16):
            known = own[np.isfinite(own[:, joint]).all(1), joint]
            low, high = (known.min(0), known.max(0)) if len(known) else (0, 0)
            assert (pred[:, joint, :2] >= low - 1e-4).all() and (pred[:, joint, :2] <= high + 1e-4).all()


@given(st.integers(0, 9999), st.integers(1, 400))
def test_the_96_frames_are_the_clips_own_with_both_ends(start: int, n: int) -> None:
    positions = sampled(range(start, start + n))
    assert len(positions) == LENGTH
    assert (positions[0], positions[-1]) == (0, n - 1)
    assert (np.diff(positions) >= 0).all()


def test_the_96_frames_hang_on_where_the_clip_starts_as_the_loader_has_it() -> None:
    """Rounding: one line meets a whole number where the other is a hair below it."""
    assert (sampled(range(266)) != sampled(range(1234, 1234 + 266))).sum() > 0


def test_the_npz_comes_in_again_at_its_frames(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "hpmcr3", tmp_path / "out")
    summary = take_in(posed, CLIPS, [tmp_path / "out"], "net", everything=True).as_dict()
    assert (summary["format"], summary["frames"]) == ("hpmcr", 8)
    back, went = (read_poses(posed.pose_file(layer, CLIPS[0].key)) for layer in ("manual/net", "auto"))
    for row in np.flatnonzero(went.person == 0):
        seen = went.visibility[row] > 0
        mine = back.row(int(went.frame[row]))
        np.testing.assert_array_equal(back.keypoints[mine, seen], went.keypoints[row, seen])


def test_frames_with_a_gap_are_refused_by_name(posed: Workspace, tmp_path: Path) -> None:
    folder = posed.frame_folder(CLIPS[0].key)
    manifest = (folder / "clip.json").read_text()
    (folder / "clip.json").write_text(manifest.replace("[100, 101, 102, 103]", "[100, 101, 103, 104]"))
    assert open_frames(posed, CLIPS[0].key).numbers == (100, 101, 103, 104)
    with pytest.raises(PoseError, match="Men__10m/1: no frame 102"):
        export(posed, CLIPS, "hpmcr", tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_splashes_are_the_data_directorys_own_or_declared_unknown(posed: Workspace, tmp_path: Path) -> None:
    """Read as the newest loader reads them: the size of the splash, -1 where no frame has a mask."""
    own = posed.splashes / "07" / "12.pkl"
    own.parent.mkdir(parents=True)
    masks = [None, np.ones((112, 112), np.uint8), np.ones((112, 112), np.uint8), None]
    own.write_bytes(pickle.dumps({"splash": [1, 2], "splash_pred_masks": masks}))
    export(posed, CLIPS, "hpmcr", tmp_path / "out")
    assert (tmp_path / "out" / "Splash" / "07" / "12.pkl").read_bytes() == own.read_bytes()
    assert read_splashes(tmp_path / "out" / "Splash") == {"07/12": 2.5, "Men__10m/1": UNKNOWN}
    content = pickle.loads((tmp_path / "out" / "Splash" / "Men__10m" / "1.pkl").read_bytes())
    assert content["splash_pred_masks"] == [None] * 4


def test_a_splash_file_of_something_else_is_named(posed: Workspace, tmp_path: Path) -> None:
    own = posed.splashes / "07" / "12.pkl"
    own.parent.mkdir(parents=True)
    own.write_bytes(pickle.dumps({"masks": []}))
    with pytest.raises(PoseError, match=r"12\.pkl: has no splash_pred_masks"):
        export(posed, CLIPS, "hpmcr", tmp_path / "out")


def test_an_npz_that_declares_more_than_it_may_is_not_read(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "07" / "pred_comp_12.npz"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive, archive.open("pred.npy", "w") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 16, 2)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(PoseError, match=r"no array pred of 96 x 16 x 2 or 3 numbers in it; pred is float64 of shape"):
        take_in(posed, CLIPS, [path], "net")
