"""A contact sheet shows every frame once, says what it shows, and draws poses where the divers are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, frame_name, write_manifest
from finediving_pose.poses import ClipPoses
from finediving_pose.report import contact_sheet as module
from finediving_pose.report.contact_sheet import GAP, TILE, contact_sheet, evenly_spaced, title_of, with_head
from finediving_pose.report.lettering import MARGIN, line_height
from finediving_pose.report.overlay import BOX, LEFT, RIGHT
from finediving_pose.workspace import Workspace

GREY = np.full((100, 120, 3), 128, np.uint8)
CAPTION = line_height() + MARGIN


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
    rows = 2 * (TILE + CAPTION) + GAP
    assert cropped.shape[1] == 4 * (TILE + GAP) - GAP
    assert rows < cropped.shape[0] < rows + 100, "the title and the legend stand above"
    whole_pictures = contact_sheet(folder, None, folder.numbers, columns=9)
    assert whole_pictures.shape[1] == 6 * (264 + GAP) - GAP
    tiles = whole_pictures[-TILE - CAPTION : -CAPTION]
    assert (abs(tiles[:, :264].astype(int) - 128) < 3).all()


def test_the_drawn_pose_stays_on_the_diver_when_cropped(folder: FrameFolder) -> None:
    """A bright spot in the picture and a joint at the same place meet in the tile."""
    picture = GREY.copy()
    picture[58:65, 28:35] = (0, 255, 0)
    folder.path(0).write_bytes(simplejpeg.encode_jpeg(picture, quality=98, colorsubsampling="444"))
    points = np.full((1, 16, 2), np.nan)
    points[0, :2] = [31.0, 61.0], [45.0, 75.0]
    visible = np.zeros((1, 16))
    visible[0, :2] = 2
    poses = ClipPoses(
        np.array([0]), np.zeros(1), np.zeros((1, 4)), points, visible, visible / 2, visible / 2, ["a"], [""]
    )
    tile = contact_sheet(folder, poses, [0])[-TILE - CAPTION : -CAPTION].astype(int)
    ys, xs = np.nonzero((tile[..., 1] > 200) & (tile[..., 0] < 80))
    ring = np.nonzero((tile == np.array(RIGHT)).all(-1))
    nearest = np.hypot(ring[1] - xs.mean(), ring[0] - ys.mean()).min()
    assert nearest < 6


def standing(n: int = 6, people: int = 1) -> ClipPoses:
    """A pose in each of some frames, all joints visible, automatic and sure."""
    rows = n * people
    points = np.random.default_rng(1).uniform(30, 70, (rows, 16, 2))
    ones = np.ones((rows, 16))
    box = np.hstack([points.min(1) - 20, points.max(1) + 20])
    frame, person = np.repeat(np.arange(n), people), np.tile(np.arange(people), n)
    return ClipPoses(frame, person, box, points, 2 * ones, ones, ones, ["a"] * rows, [""] * rows)


def captions(monkeypatch: pytest.MonkeyPatch, *args: object, **options: object) -> list[str]:
    """The captions of a contact sheet."""
    said: list[str] = []
    monkeypatch.setattr(module, "caption_tiles", lambda tiles, words: said.extend(words) or tiles)
    contact_sheet(*args, **options)  # type: ignore[arg-type]
    return said


@pytest.mark.parametrize(
    ("layer", "says"), [("auto", "no diver"), ("merged", "no diver"), ("manual/kim", "not annotated")]
)
def test_a_frame_without_a_pose_is_captioned_so(
    folder: FrameFolder, monkeypatch: pytest.MonkeyPatch, layer: str, says: str
) -> None:
    poses = standing(3)
    poses.visibility[2] = 0
    said = captions(monkeypatch, folder, poses, folder.numbers, layer=layer)
    assert said == ["00000", "00001", *(f"{n:05d}  {says}" for n in range(2, 6))]


def test_a_frame_without_a_pose_is_left_as_it_is(folder: FrameFolder) -> None:
    poses = standing(1)
    poses.visibility[:] = 0
    tile = contact_sheet(folder, poses, [0])[-TILE - CAPTION : -CAPTION]
    assert (abs(tile.astype(int) - 128) < 3).all()


def test_the_title_names_clip_dive_and_layer(folder: FrameFolder) -> None:
    clip = Clip(folder.key, action_type="107b")
    assert title_of(folder, clip, "auto") == ["v/1", "107b  forward 3½ somersaults, pike; auto poses"]
    assert title_of(folder, replace(clip, action_type="no number"), "") == ["v/1", "no number; no poses"]


def test_a_title_wider_than_the_sheet_is_wrapped() -> None:
    sheet = np.zeros((10, 220, 3), np.uint8)
    key = "FINADivingWorldCup2021_Men3m_springboard_semifinal_r4/17"
    one, two = (with_head(sheet, [name], None).shape for name in ("short/1", key))
    assert one[1] == two[1] == 220
    assert two[0] == one[0] + 2 * line_height()


def test_the_legend_shows_both_sides_and_the_scale(folder: FrameFolder) -> None:
    sheet = contact_sheet(folder, standing(), folder.numbers)
    head = sheet[: -TILE - CAPTION].astype(int)
    for colour in (RIGHT, LEFT):
        assert (np.abs(head - np.array(colour)).max(-1) < 40).any()


def test_boxes_are_drawn_where_asked_for_and_lie_in_the_tile(folder: FrameFolder) -> None:
    poses = standing()
    plain, boxed = (contact_sheet(folder, poses, [0, 1, 2], boxes=boxes) for boxes in (False, True))
    assert not (plain == np.array(BOX)).all(-1).any()
    tile = np.abs(boxed[-TILE - CAPTION : -CAPTION, :TILE].astype(int) - np.array(BOX)).max(-1) < 30
    ys, xs = np.nonzero(tile)
    assert len(ys) > 300
    assert (xs.min() > 0, ys.min() > 0, xs.max() < TILE - 1, ys.max() < TILE - 1) == (True,) * 4
