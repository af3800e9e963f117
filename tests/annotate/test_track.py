"""Camera cuts are found, and neither boxes nor joints are carried over them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotate.estimators.presets import DEFAULT, resolve
from annotate.pipeline import Found, poses_of_clips
from annotate.smooth import smooth
from annotate.track import CHANGE, apart, colours, cuts, shots
from finediving_pose.clip import ClipKey
from finediving_pose.frames import frame_name, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.annotate.test_smooth import spinning, table


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


def two_divers(n: int = 50, between: float = 30) -> np.ndarray:
    """A pair that falls side by side, drifts about and comes ever nearer to hiding one another: (n, 2, 4)."""
    y = 20 + 0.07 * np.arange(n) ** 2
    x = 200 + 30 * np.sin(np.arange(n) / 8)
    gap = between * (1 - 0.7 * np.arange(n) / n)
    one = np.stack([x, y, x + 50, y + 70], axis=1)
    return np.stack([one, one + np.stack([gap, gap * 0, gap, gap * 0], axis=1)], axis=1).astype(np.float32)


@given(st.lists(st.booleans(), min_size=50, max_size=50))
def test_two_divers_keep_their_columns_in_whatever_order_they_are_found(swapped: list[bool]) -> None:
    boxes = two_divers()
    seen = np.where(np.array(swapped)[:, None, None], boxes[:, ::-1], boxes)
    found, sure = apart(seen, np.ones((50, 2), bool))
    np.testing.assert_array_equal(found, boxes)
    assert sure.all()


def test_a_diver_seen_alone_stays_on_their_side_and_one_between_is_of_both() -> None:
    boxes, sure = two_divers(), np.ones((50, 2), bool)
    seen = boxes.copy()
    seen[20, 0], sure[20, 1] = boxes[20, 1], False  # only the right one
    seen[25, 0], sure[25, 0], seen[25, 1] = np.nan, False, boxes[25, 0]  # only the left one
    seen[30, 0], sure[30, 1] = boxes[30].mean(0), False  # the one before the other
    found, known = apart(seen, sure)
    assert known[20].tolist() == [False, True] and known[25].tolist() == [True, False] and known[30].all()
    np.testing.assert_array_equal(found[20, 1], boxes[20, 1])
    np.testing.assert_array_equal(found[25, 0], boxes[25, 0])
    np.testing.assert_array_equal(found[30], [boxes[30].mean(0)] * 2)
    assert known[[i for i in range(50) if i not in (20, 25)]].all()


def test_nobody_is_sure_before_two_were_seen() -> None:
    boxes, sure = two_divers(), np.ones((50, 2), bool)
    sure[:, 1] = False
    found, known = apart(boxes, sure)
    np.testing.assert_array_equal(found, boxes)
    np.testing.assert_array_equal(known, sure)


def test_joints_are_not_smoothed_over_a_cut() -> None:
    left, right = spinning(20), spinning(20) + 300
    joined = np.concatenate([left, right])
    kept = smooth(table(joined), cuts=(120,)).keypoints
    each = [smooth(table(left)).keypoints, smooth(table(right, first=120)).keypoints]
    np.testing.assert_allclose(kept, np.concatenate(each), atol=1e-3)
    assert np.abs(smooth(table(joined)).keypoints - joined).max() > 2 * np.abs(kept - joined).max()


def test_boxes_on_either_side_of_a_cut_are_those_of_their_shot(dives: Workspace, tmp_path: Path) -> None:
    folders = [open_frames(dives, c.key) for c in read_clips(dives)]
    joined = replace(folders[0], key=ClipKey("joined", 0), folder=tmp_path / "joined", numbers=tuple(range(40)))
    joined.folder.mkdir()
    for i in range(40):
        source = folders[i // 20]
        shutil.copy(source.path(source.numbers[i]), joined.folder / frame_name(i))
    machines = resolve(DEFAULT).load()
    found = poses_of_clips([joined, *(replace(f, numbers=f.numbers[start : start + 20]) for f, start in zip(
        folders, (0, 20), strict=True))], *machines)  # fmt: skip
    one, first, second = (found[k] for k in (joined.key, folders[0].key, folders[1].key))
    assert isinstance(one, Found) and isinstance(first, Found) and isinstance(second, Found)
    assert one.cuts == (20,)
    np.testing.assert_allclose(one.poses.box, np.concatenate([first.poses.box, second.poses.box]), atol=0.5)
