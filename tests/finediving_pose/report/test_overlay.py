"""What is drawn lies where the joints are."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, frame_name, write_manifest
from finediving_pose.poses import ClipPoses, JointSource
from finediving_pose.report.overlay import (
    CAPTION,
    GAP,
    LEFT,
    RIGHT,
    TILE,
    contact_sheet,
    draw_pose,
    evenly_spaced,
)
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace

GREY = np.full((100, 120, 3), 128, np.uint8)


def one_joint(name: str, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    points, visibility = np.full((16, 2), np.nan), np.zeros(16, int)
    points[INDEX[name]], visibility[INDEX[name]] = (x, y), 2
    return points, visibility


@pytest.mark.parametrize(("joint", "colour"), [("right_wrist", RIGHT), ("left_knee", LEFT)])
def test_a_joint_is_a_disc_in_the_colour_of_its_side(joint: str, colour: tuple[int, int, int]) -> None:
    points, visibility = one_joint(joint, 30.0, 70.0)
    drawn = draw_pose(GREY, points, visibility)
    assert tuple(drawn[70, 30]) == colour
    ys, xs = np.nonzero((drawn != GREY).any(-1))
    assert (xs.mean(), ys.mean()) == pytest.approx((30, 70), abs=0.5)
    assert (GREY == 128).all(), "the picture that was given is left alone"


def test_a_hand_placed_joint_is_larger_than_an_automatic_one() -> None:
    points, visibility = one_joint("left_wrist", 60, 50)
    auto, hand = (
        (draw_pose(GREY, points, visibility, np.full(16, s)) != GREY).any(-1).sum()
        for s in (JointSource.AUTOMATIC, JointSource.MANUAL)
    )
    assert hand > 2 * auto


def test_absent_joints_and_unknown_boxes_leave_no_mark() -> None:
    points, visibility = one_joint("left_wrist", np.nan, np.nan)
    assert (draw_pose(GREY, points, visibility, box=np.full(4, np.nan)) == GREY).all()


def test_far_away_joints_do_no_harm() -> None:
    points, visibility = np.full((16, 2), 1e9), np.full(16, 2)
    points[:8] = -1e9
    assert draw_pose(GREY, points, visibility).shape == GREY.shape


def test_frames_are_picked_evenly_with_both_ends() -> None:
    assert evenly_spaced(range(100, 201), 5) == [100, 125, 150, 175, 200]
    assert evenly_spaced((3, 4), 5) == [3, 4]


@pytest.fixture
def folder(workspace: Workspace) -> FrameFolder:
    """Six grey pictures of 120 x 100."""
    key = ClipKey("v", 1)
    path = workspace.frame_folder(key)
    path.mkdir(parents=True)
    names = tuple(frame_name(n) for n in range(6))
    for name in names:
        (path / name).write_bytes(simplejpeg.encode_jpeg(GREY))
    frames = FrameFolder(key, path, tuple(range(6)), 120, 100, "v", names, 25.0, "")
    write_manifest(frames)
    return frames


def test_a_contact_sheet_shows_every_frame_once(folder: FrameFolder) -> None:
    points = np.random.default_rng(0).uniform(40, 60, (3, 16, 2))
    whole = np.ones((3, 16))
    poses = ClipPoses(
        np.array([0, 2, 4]), np.zeros(3), np.zeros((3, 4)), points, 2 * whole, whole, whole, ["a"] * 3, [""] * 3
    )
    clip = Clip(folder.key, n_frames=6, stage_starts=(3, 5), sub_actions=(1, 17, 36))
    cropped = contact_sheet(folder, poses, folder.numbers, clip, columns=4)
    assert cropped.shape == (2 * (TILE + CAPTION) + GAP, 4 * (TILE + GAP) - GAP, 3)
    whole_pictures = contact_sheet(folder, None, folder.numbers, columns=9)
    assert whole_pictures.shape == (TILE + CAPTION, 6 * (264 + GAP) - GAP, 3)
    assert (abs(whole_pictures[:TILE, :264].astype(int) - 128) < 3).all()


def test_the_drawn_pose_stays_on_the_diver_when_cropped(folder: FrameFolder) -> None:
    """A bright spot in the picture and a joint at the same place meet in the tile."""
    picture = GREY.copy()
    picture[58:65, 28:35] = (0, 255, 0)
    folder.path(0).write_bytes(simplejpeg.encode_jpeg(picture, quality=98, colorsubsampling="444"))
    points = np.full((1, 16, 2), np.nan)
    points[0, :2] = [31.0, 61.0], [45.0, 75.0]
    visible = np.zeros((1, 16))
    visible[0, :2] = 2
    poses = ClipPoses(np.array([0]), np.zeros(1), np.zeros((1, 4)), points, visible, visible / 2, visible, ["a"], [""])
    tile = contact_sheet(folder, poses, [0])[:TILE].astype(int)
    ys, xs = np.nonzero((tile[..., 1] > 200) & (tile[..., 0] < 80))
    ring = np.nonzero((tile == np.array(RIGHT)).all(-1))
    nearest = np.hypot(ring[1] - xs.mean(), ring[0] - ys.mean()).min()
    assert nearest < 6
