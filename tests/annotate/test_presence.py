"""Where a diver is to be seen, by made-up confidences, by filmed squares, and on a synthetic dive."""

from __future__ import annotations

import json
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from annotate.pipeline import Found, poses_of_clips
from annotate.presence import COMING, FAINT, best_runs, find_presence, mark_visibility, twice_found
from annotate.track import shots
from finediving_pose.cli import main
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, Visibility, read_poses
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import machine_poses, spinning
from tests.annotate.test_pipeline import FRAMES, Middles, Squares, film

THERE, AWAY = 0.7, 0.15


def confidence(*runs: tuple[float, int]) -> np.ndarray:
    """So many frames of each confidence."""
    return np.concatenate([np.full(n, value) for value, n in runs])


def found(sure: np.ndarray, *cuts: int) -> list[tuple[int, int]]:
    """The runs of frames in which the diver is: first, and one past the last."""
    there = find_presence(sure, shots(len(sure), np.array(cuts, int)))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    return [(a, b) for a, b in edges.reshape(-1, 2).tolist()]


def near(runs: list[tuple[int, int]], wanted: list[tuple[int, int]], frames: int = 1) -> bool:
    """Whether they are the same runs to a frame: a diver is seen a little longer than the networks are sure."""
    return len(runs) == len(wanted) and bool(np.abs(np.array(runs) - np.array(wanted)).max(initial=0) <= frames)


def test_a_diver_comes_once_and_leaves_once() -> None:
    assert near(found(confidence((AWAY, 20), (THERE, 60), (AWAY, 30))), [(20, 80)])


def test_a_diver_who_is_there_all_along_has_no_border() -> None:
    assert found(confidence((THERE, 34))) == [(0, 34)]


def test_nobody_is_nobody() -> None:
    assert found(confidence((AWAY, 100))) == []
    assert found(np.zeros(0)) == []


@pytest.mark.parametrize("hole", [1, 3, 6])
def test_a_hole_is_bridged(hole: int) -> None:
    sure = confidence((THERE, 30), (AWAY, hole), (THERE, 30), (AWAY, 30))
    assert near(found(sure), [(0, 60 + hole)])


def test_flicker_is_left_out() -> None:
    sure = confidence((AWAY, 20), (THERE, 2), (AWAY, 20), (THERE, 60), (AWAY, 20), (0.55, 3), (AWAY, 10))
    assert near(found(sure), [(42, 102)])


def test_who_comes_back_after_long_is_there_again() -> None:
    """A second dive in one clip is not thrown away; fdpose validate names it."""
    assert near(found(confidence((THERE, 60), (AWAY, 50), (THERE, 60))), [(0, 60), (110, 170)])


def test_at_a_cut_a_diver_may_be_gone_at_once_and_back_at_once() -> None:
    """The run-up, a look at the stands, and the dive."""
    sure = confidence((THERE, 20), (AWAY, 15), (THERE, 40), (AWAY, 10))
    assert found(sure, 20, 35, 75) == [(0, 20), (35, 75)]


def test_what_is_taken_for_a_cut_does_not_lose_the_last_of_a_diver() -> None:
    """A splash changes the picture; the feet that are still to be seen alone would be too little to come for."""
    sure = confidence((THERE, 60), (0.5, 5), (AWAY, 20))
    assert near(found(sure, 60), [(0, 65)])


def test_frames_of_another_shot_do_not_decide() -> None:
    """The frames before the cut show nobody, those after it the diver from the first on."""
    assert found(confidence((AWAY, 20), (THERE, 30)), 20) == [(20, 50)]
    assert found(confidence((THERE, 30), (AWAY, 20)), 30) == [(0, 30)]


@given(st.lists(st.floats(-0.4, 0.6), max_size=9))
def test_no_other_runs_have_more_evidence(evidence: list[float]) -> None:
    def total(there: tuple[bool, ...]) -> float:
        comings = sum(b and not a for a, b in pairwise((False, *there)))
        return sum(e for e, t in zip(evidence, there, strict=True) if t) - COMING * comings

    best = max(total(there) for there in product((False, True), repeat=len(evidence)))
    assert total(tuple(best_runs(np.array(evidence)).tolist())) == pytest.approx(best)


def test_of_one_diver_found_twice_the_less_sure_one_is_nobody() -> None:
    truth = spinning(20)
    pair = np.stack([truth, truth + 60], axis=1)
    pair[8:14, 1] = pair[8:14, 0] + 1  # the second left, and the first is found in their place
    sure = np.full((20, 2), 0.7)
    sure[8:14, 1] = 0.6
    sure[10] = 0.6, 0.7  # in one frame the wrong one is surer
    twice = twice_found(pair, sure, size=100)
    assert np.flatnonzero(twice[:, 1]).tolist() == list(range(8, 14)) and not twice[:, 0].any()


def test_a_joint_outside_the_picture_is_absent_and_a_faint_one_is_occluded() -> None:
    points = np.full((2, N_JOINTS, 2), 50.0)
    points[0, 3] = -0.4, 20  # in the first pixel
    points[0, 4] = -0.6, 20
    points[0, 5] = 60, 99.6
    points[1] = 200  # nothing of this diver is in the picture
    poses = machine_poses(points, 0.8)
    poses.confidence[0, 7] = FAINT - 0.01
    poses.confidence[0, 8] = 0.01
    poses.source[0, 8] = JointSource.MANUAL
    marked = mark_visibility(poses, 100, 100)
    assert np.flatnonzero(marked.visibility[0] == Visibility.ABSENT).tolist() == [4, 5]
    assert np.flatnonzero(marked.visibility[0] == Visibility.OCCLUDED).tolist() == [7]
    assert np.isnan(marked.keypoints[0, [4, 5]]).all() and (marked.source[0, [4, 5]] == JointSource.NONE).all()
    assert (marked.confidence[0, [4, 5]] == 0).all() and np.isfinite(marked.box[0]).all()
    assert not marked.visibility[1].any() and np.isnan(marked.box[1]).all()


@pytest.mark.slow
def test_where_the_squares_are_gone_there_is_no_pose(tmp_path: Path) -> None:
    folder, _ = film(tmp_path / "clip", 1, gone={0: range(15, FRAMES)})
    found = poses_of_clips([folder], Squares(), Middles())[folder.key]
    assert isinstance(found, Found) and len(found.poses) == FRAMES
    there = found.poses.has_diver
    assert there.tolist() == [True] * 15 + [False] * (FRAMES - 15)
    assert np.isnan(found.poses.box[16:]).all() and not found.poses.confidence[15:].any()
    everywhere = poses_of_clips([folder], Squares(), Middles(), presence=False)[folder.key]
    assert isinstance(everywhere, Found) and np.isfinite(everywhere.poses.box).all()


@pytest.mark.slow
def test_a_partner_who_leaves_is_absent_and_the_other_stays(tmp_path: Path) -> None:
    folder, middles = film(tmp_path / "clip", 2, gone={1: range(12, FRAMES)})
    found = poses_of_clips([folder], Squares(), Middles(), {folder.key})[folder.key]
    assert isinstance(found, Found)
    there = found.poses.has_diver
    each = [there[found.poses.person == p] for p in (0, 1)]
    stays = max((0, 1), key=lambda p: each[p].sum())
    assert each[stays].all(), "one diver is there all along"
    assert near([(0, int(each[1 - stays].sum()))], [(0, 12)], frames=4)
    kept = found.poses.keypoints[found.poses.person == stays].mean(1)
    np.testing.assert_allclose(kept[15:], middles[15:, 0], atol=3)


@pytest.mark.slow
def test_a_synthetic_dive_has_poses_where_its_diver_is(dives: Workspace, competition: Path) -> None:
    """Figures on many dives are in docs/experiments/estimator.md."""
    clip = read_clips(dives)[0]
    result = CliRunner().invoke(
        main, ["annotate", "--auto", "--data", str(dives.root), "--clip", str(clip.key), "--json"]
    )
    assert result.exit_code == 0, result.output
    poses = read_poses(dives.pose_file("auto", clip.key))
    there = poses.has_diver
    entries = json.loads((competition / "truth" / "annotations.json").read_text())
    shown = {e["image"] for e in entries if any(e["joints_vis"])}
    truth = np.array([f"{clip.key}/{n:05d}.jpg" in shown for n in poses.frame])
    assert 0 < truth.sum() < len(truth) == clip.n_frames
    assert (there != truth).sum() <= 6, "a few frames at the borders: a diver comes in at the edge, feet go under"
    edges = np.flatnonzero(np.diff(there.astype(int)))
    assert len(edges) <= 2, "in once, out once"
    said = json.loads(result.stdout)
    assert (said["frames"], said["frames_with_a_diver"], said["no_diver_found"]) == (clip.n_frames, there.sum(), [])
    seen = poses.visibility[there]
    assert 0 < (seen == Visibility.OCCLUDED).mean() < 0.3
    assert (poses.visibility[~there] == Visibility.ABSENT).all() and np.isnan(poses.box[~there]).all()


@pytest.mark.slow
def test_a_clip_without_a_diver_is_said_and_nothing_is_invented(grey: Workspace) -> None:
    said = json.loads(CliRunner().invoke(main, ["annotate", "--auto", "--data", str(grey.root), "--json"]).stdout)
    assert said["no_diver_found"] == ["meet/0", "meet/1"] and (said["frames"], said["frames_with_a_diver"]) == (6, 0)
    rows = Path(said["all_clips"]).read_text(encoding="utf-8").splitlines()
    assert rows == ["clip,frames,frames_with_a_diver,confidence", "meet/0,3,0,0.000", "meet/1,3,0,0.000"]
    again = json.loads(CliRunner().invoke(main, ["annotate", "--auto", "--data", str(grey.root), "--json"]).stdout)
    assert again["no_diver_found"] == said["no_diver_found"], "also when it is kept"
    for clip in read_clips(grey):
        poses = read_poses(grey.pose_file("auto", clip.key))
        assert len(poses) == 3 and not np.isfinite(poses.keypoints).any() and not poses.visibility.any()
