"""Camera cuts are found, and neither boxes nor joints are carried over them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.crop import iou
from annotate.estimators.presets import DEFAULT, resolve
from annotate.pipeline import Found, poses_of_clips
from annotate.smooth import smooth
from annotate.track import CHANGE, apart, colours, cuts, shots, steady_ways, together, ways
from finediving_pose.clip import ClipKey
from finediving_pose.frames import frame_name, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import machine_poses, spinning


@pytest.mark.slow
def test_no_dive_is_cut_and_two_joined_dives_are_cut_once(dives: Workspace) -> None:
    folders = [open_frames(dives, c.key) for c in read_clips(dives)]
    first, second = (np.stack([colours(f.read(n)) for n in f.numbers]) for f in folders)
    assert not len(cuts(first)) and not len(cuts(second))
    assert cuts(np.concatenate([first[-30:], second[:30]])).tolist() == [30]
    assert cuts(np.concatenate([second[:20], first[40:60], second[20:40]])).tolist() == [20, 40]


def test_a_pan_is_no_cut_though_every_picture_is_new() -> None:
    scene = np.random.default_rng(0).dirichlet(np.full(216, 0.2), 60)  # what is seen is a window that moves over it
    seen = np.stack([scene[i : i + 8].mean(0) for i in range(50)])
    assert (np.abs(np.diff(seen, axis=0)).sum(1) / 2 > CHANGE).mean() > 0.5
    assert not len(cuts(seen))
    assert not len(cuts(seen[:1])) and not len(cuts(np.zeros((2, 216))))


@given(st.integers(1, 50), st.sets(st.integers(1, 49)))
def test_shots_are_the_whole_clip_in_order(n: int, at: set[int]) -> None:
    parts = [np.arange(n)[s] for s in shots(n, np.array(sorted(a for a in at if a < n), int))]
    assert np.concatenate(parts).tolist() == list(range(n)) and all(len(p) for p in parts)


def two_divers(n: int = 40, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints of a pair that spins and falls side by side (n, 2, 16, 2), their boxes (n, 2, 4) and the way between."""
    rng = np.random.default_rng(0)
    one = spinning(n) + 0.07 * np.arange(n)[:, None, None] ** 2 * [0, 1]
    way = np.stack([40 - 0.5 * np.arange(n), 4 * np.sin(np.arange(n) / 6)], axis=1)
    joints = np.stack([one, one + way[:, None]], axis=1) + rng.normal(0, noise, (n, 2, 16, 2))
    return joints, np.concatenate([joints.min(2), joints.max(2)], axis=-1), way


def around(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[..., :2].min(1), boxes[..., 2:].max(1)], axis=-1)


@given(st.integers(0, 2**32 - 1))
def test_two_divers_are_told_apart_whichever_place_of_a_joint_comes_first(seed: int) -> None:
    joints, boxes, way = two_divers()
    turned = np.random.default_rng(seed).random((40, 16)) < 0.5
    seen = np.where(turned[:, None, :, None], joints[:, ::-1], joints)
    found = steady_ways(*ways(seen, np.full((40, 2, 16), 0.8), around(boxes)))
    assert np.abs(found - way).max() < 6  # a median over frames lags where the way changes
    for person in (0, 1):
        assert iou(apart(around(boxes), found)[:, person], boxes[:, person]).min() > 0.7


def test_what_is_seen_of_one_diver_alone_and_what_is_wrong_say_nothing() -> None:
    joints, boxes, way = two_divers()
    sure = np.full((40, 2, 16), 0.8)
    sure[::2, 1] = 0.1  # in every other frame nothing of the second diver
    joints[1::4, 1, 3:] += np.random.default_rng(1).uniform(-300, 300, (10, 13, 2))  # three joints are right
    told, telling = ways(joints, sure, around(boxes))
    assert (telling[::2] == 0).all() and (told[::2] == 0).all() and (telling[1::2] >= 3).all()
    found = steady_ways(told, telling)
    assert np.abs(found - way).max() < 8
    assert not steady_ways(told, np.minimum(telling, 2)).any()


def test_side_by_side_again_after_hiding_one_another_the_first_is_still_the_first() -> None:
    way = np.stack([np.linspace(30, 4, 40), np.linspace(2, -20, 40)], axis=1)
    turned = np.where(np.arange(40)[:, None] % 3 == 0, -way, way)
    found = steady_ways(turned, np.full(40, 9))
    assert (np.sign((found * way).sum(1)) == 1).all()
    assert (steady_ways(-turned, np.full(40, 9)) == found).all(), "the one on the left is the first"


def test_boxes_of_divers_far_apart_are_not_smaller_than_their_share() -> None:
    (pair,) = apart(np.array([[0, 0, 100, 80]], float), np.array([[90.0, 0]]))
    np.testing.assert_allclose(pair, [[-10, 0, 20, 80], [80, 0, 110, 80]])
    (pair,) = apart(np.array([[0, 0, 100, 80]], float), np.array([[40.0, -20]]))
    np.testing.assert_allclose(pair, [[0, 20, 60, 80], [40, 0, 100, 60]])


def test_joints_are_not_smoothed_over_a_cut() -> None:
    left, right = spinning(20), spinning(20) + 300
    joined = np.concatenate([left, right])
    kept = smooth(machine_poses(joined), cuts=(120,)).keypoints
    each = [smooth(machine_poses(left)).keypoints, smooth(machine_poses(right, first=120)).keypoints]
    np.testing.assert_allclose(kept, np.concatenate(each), atol=1e-3)
    assert np.abs(smooth(machine_poses(joined)).keypoints - joined).max() > 2 * np.abs(kept - joined).max()


@pytest.mark.slow
def test_boxes_on_either_side_of_a_cut_are_those_of_their_shot(dives: Workspace, tmp_path: Path) -> None:
    folders = [open_frames(dives, c.key) for c in read_clips(dives)]
    joined = replace(folders[0], key=ClipKey("joined", 0), folder=tmp_path / "joined", numbers=tuple(range(40)))
    joined.folder.mkdir()
    for i in range(40):
        source = folders[i // 20]
        shutil.copy(source.path(source.numbers[i]), joined.folder / frame_name(i))
    machines = resolve(DEFAULT).load()
    found = poses_of_clips([joined, *(replace(f, numbers=f.numbers[start : start + 20]) for f, start in zip(
        folders, (0, 20), strict=True))], *machines, presence=False)  # fmt: skip
    one, first, second = (found[k] for k in (joined.key, folders[0].key, folders[1].key))
    assert isinstance(one, Found) and isinstance(first, Found) and isinstance(second, Found)
    assert one.cuts == (20,)
    np.testing.assert_allclose(one.poses.box, np.concatenate([first.poses.box, second.poses.box]), atol=0.5)


def test_a_box_that_is_smaller_than_the_way_between_the_divers_holds_one_of_them() -> None:
    boxes = np.array([[0, 0, 100, 80], [0, 0, 60, 80], [0, 0, 100, 40]], float)
    way = np.array([[70.0, -50], [70, -50], [70, -50]])
    assert together(boxes, way).tolist() == [[70, -50], [0, 0], [0, 0]]
