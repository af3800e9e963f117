"""From frames to poses: one diver, or two where the labels say so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

from annotate.estimators.base import Estimator
from annotate.locate import box_points
from annotate.pipeline import Found, poses_of_clips
from finediving_pose.clip import ClipKey
from finediving_pose.frames import FrameFolder, frame_name
from finediving_pose.skeleton import N_JOINTS

pytestmark = pytest.mark.slow

WIDTH, HEIGHT, FRAMES = 320, 192, 24
SIDE = 36


class Squares:
    """Finds white squares as a locator does: the five points of the box around them all."""

    id, input_size, padding, unbiased = "squares", (WIDTH, HEIGHT), 1.0, True

    @property
    def thorough(self) -> Estimator:
        return self

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        white = [cv2.boundingRect((c[..., 0] > 128).astype(np.uint8)) for c in crops]
        boxes = np.array([[x, y, x + w - 1, y + h - 1] for x, y, w, h in white], np.float32)
        return box_points(boxes) / (WIDTH - 1, HEIGHT - 1), np.full((len(crops), 5), 0.9, np.float32)

    def mirror_gaps(self, crops: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Middles:
    """Puts every joint into the middle of the white nearest to the middle of the crop, then of the next nearest."""

    id, input_size, padding, unbiased = "middles", (96, 96), 1.0, True

    @property
    def thorough(self) -> Estimator:
        return self

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        found = np.full((len(crops), places, N_JOINTS, 2), np.nan, np.float32)
        for i, c in enumerate(crops):
            _, _, _, centres = cv2.connectedComponentsWithStats((c[..., 0] > 128).astype(np.uint8))
            middles = sorted(centres[1:], key=lambda p: float(np.hypot(*(p - 48))))[:places]
            found[i, : len(middles)] = np.reshape(middles, (-1, 1, 2)) / 95
        found = found.reshape(len(crops), -1, 2)
        return found, np.where(np.isfinite(found[..., 0]), 0.9, 0).astype(np.float32)

    def mirror_gaps(self, crops: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def film(
    folder: Path, divers: int, gone: Mapping[int, Collection[int]] | None = None
) -> tuple[FrameFolder, np.ndarray]:
    """A clip of squares that fall side by side, the right one a little larger; their middles (frames, divers, 2).

    ``gone``: frames in which one of them is not there.
    """
    folder.mkdir()
    middles = np.zeros((FRAMES, divers, 2))
    for i in range(FRAMES):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for d in range(divers):
            x, y, side = 60 + 4 * i + 70 * d, 20 + 5 * i, SIDE + 4 * d
            picture[y : y + side, x : x + side] = 0 if i in (gone or {}).get(d, ()) else 255
            middles[i, d] = x + (side - 1) / 2, y + (side - 1) / 2
        (folder / frame_name(i)).write_bytes(simplejpeg.encode_jpeg(picture, 95, colorspace="RGB"))
    key = ClipKey(folder.name, divers)
    return FrameFolder(key, folder, tuple(range(FRAMES)), WIDTH, HEIGHT, "squares", (), 25.0, ""), middles


def test_one_clip_has_one_diver_and_another_two_each_numbered_alike_all_along(tmp_path: Path) -> None:
    filmed = [film(tmp_path / "single", 1), film(tmp_path / "pair", 2), film(tmp_path / "another", 1)]
    outcomes = poses_of_clips([f for f, _ in filmed], Squares(), Middles(), {filmed[1][0].key})
    for folder, middles in filmed:
        found = outcomes[folder.key]
        assert isinstance(found, Found)
        poses, divers = found.poses, middles.shape[1]
        assert list(zip(poses.frame.tolist(), poses.person.tolist(), strict=True)) == [
            (f, p) for f in range(FRAMES) for p in range(divers)
        ]
        wanted = middles.reshape(-1, 2)  # the one on the left is the first, though it is the smaller
        np.testing.assert_allclose(poses.keypoints, np.repeat(wanted[:, None], N_JOINTS, axis=1), atol=2.0)


def test_of_a_pair_of_which_one_is_never_seen_there_are_the_poses_of_one(tmp_path: Path) -> None:
    folder, _ = film(tmp_path / "clip", 1)
    found = poses_of_clips([folder], Squares(), Middles(), {folder.key})[folder.key]
    assert isinstance(found, Found)
    assert len(found.poses) == FRAMES and np.isfinite(found.poses.keypoints).all()


class ManyLooks(Middles):
    """Counts the crops that it sees in one look and in many; many are half as sure."""

    def __init__(self, many: ManyLooks | None = None) -> None:
        self.many, self.crops = many, 0

    @property
    def thorough(self) -> Estimator:
        return self.many or self

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        self.crops += len(crops)
        points, confidence = super().estimate(crops, places)
        return points, confidence if self.many else confidence / 2


@pytest.mark.parametrize("thorough", [False, True])
def test_many_looks_are_taken_where_asked_and_at_the_final_boxes_alone(tmp_path: Path, thorough: bool) -> None:
    folder, _ = film(tmp_path / "clip", 1)
    many = ManyLooks()
    once = ManyLooks(many)
    found = poses_of_clips([folder], Squares(), once, presence=False, thorough=thorough)[folder.key]
    assert isinstance(found, Found)
    assert (once.crops, many.crops) == ((FRAMES, FRAMES) if thorough else (2 * FRAMES, 0))
    np.testing.assert_allclose(found.poses.confidence, 0.45 if thorough else 0.9)


class Surer(Squares):
    """As sure as there is white in view: a square that the view cuts makes it less sure."""

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        points, confidence = super().estimate(crops, places)
        white = (crops[..., 0] > 128).mean((1, 2))
        return points, np.clip(4 * white[:, None] * np.ones_like(confidence), 0, 1)


def test_a_diver_in_a_picture_higher_than_wide_is_found_wherever_it_is(tmp_path: Path) -> None:
    width, height = 100, 300
    (tmp_path / "upright").mkdir()
    tops = np.linspace(5, height - SIDE - 5, FRAMES).round().astype(int)
    for i, top in enumerate(tops.tolist()):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[top : top + SIDE, 30 : 30 + SIDE] = 255
        (tmp_path / "upright" / frame_name(i)).write_bytes(simplejpeg.encode_jpeg(picture, 95, colorspace="RGB"))
    key = ClipKey("upright", 0)
    numbers = tuple(range(FRAMES))
    folder = FrameFolder(key, tmp_path / "upright", numbers, width, height, "squares", (), 25.0, "")
    found = poses_of_clips([folder], Surer(), Middles(), presence=False)[key]
    assert isinstance(found, Found)
    middles = np.stack([np.full(FRAMES, 30 + (SIDE - 1) / 2), tops + (SIDE - 1) / 2], axis=1)
    wanted = np.repeat(middles[:, None], N_JOINTS, axis=1)
    np.testing.assert_allclose(found.poses.keypoints, wanted, atol=2.0)
