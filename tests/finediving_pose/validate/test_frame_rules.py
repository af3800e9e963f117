"""Each rule on pictures, on real JPEG files that are then damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.validate.frame_rules import load_frames
from finediving_pose.validate.rules import RULES, Finding
from finediving_pose.workspace import Workspace

CLIP = Clip(ClipKey("v", 1), start_frame=10, end_frame=24, n_frames=15, fps=25.0, image_width=96, image_height=54)


def picture(number: int, width: int = 96, height: int = 54) -> np.ndarray:
    """A blue wall, lighter towards the top, and a diver of 12 x 12 pixels who falls 3 pixels a frame."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 2] = np.linspace(220, 90, height)[:, None]
    top = 3 * number % (height - 12)
    rgb[top : top + 12, 40:52] = (230, 180, 150)
    return rgb


def jpeg(rgb: np.ndarray, quality: int = 95) -> bytes:
    return simplejpeg.encode_jpeg(rgb, quality=quality)


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """Fifteen whole pictures of one clip, as extraction leaves them."""
    folder, numbers = workspace.frame_folder(CLIP.key), tuple(range(10, 25))
    folder.mkdir(parents=True)
    jpegs = [jpeg(picture(n)) for n in numbers]
    for number, data in zip(numbers, jpegs, strict=True):
        (folder / frame_name(number)).write_bytes(data)
    names = tuple(map(frame_name, numbers))
    write_manifest(FrameFolder(CLIP.key, folder, numbers, 96, 54, "v.mp4", names, 25.0, digest_jpegs(jpegs)))
    return folder


def put(rgb: np.ndarray, *numbers: int, quality: int = 95) -> Callable[[Path], None]:
    """These pictures, as if the video had them: the manifest's digest is theirs."""

    def change(folder: Path) -> None:
        for number in numbers:
            (folder / frame_name(number)).write_bytes(jpeg(rgb, quality))
        manifest(digest=digest_jpegs([(folder / frame_name(n)).read_bytes() for n in range(10, 25)]))(folder)

    return change


def write(data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "00012.jpg").write_bytes(data)


def manifest(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "clip.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def found(workspace: Workspace, clip: Clip = CLIP) -> dict[str, Finding]:
    """What the rules on pictures find, by rule."""
    frames = load_frames(workspace, clip)
    return {f.rule: f for r in RULES.values() if r.scope == "frames" and frames for f in r(frames)}


def turn_round(folder: Path) -> None:
    """The diver slows down, is still for two frames, and starts again: here paler, as if a pixel's edge moved."""
    still = picture(15)
    pale = np.where(still == (230, 180, 150), still - 14, still).astype(np.uint8)
    for numbers, rgb in (((14, 17), pale), ((15, 16), still)):
        put(rgb, *numbers)(folder)


OTHER_SCENE = np.full((54, 96, 3), (200, 60, 20), np.uint8) + np.arange(54, dtype=np.uint8)[:, None, None]
WITHOUT_13 = [n for n in range(10, 25) if n != 13]

DAMAGE = [
    ("nothing", lambda f: None, {}),
    ("cut short", write(jpeg(picture(12))[:500]), 
        {"frame.readable": "1 of 15 frames can't be read; frame 00012.jpg is cut short (500 bytes"}),
    ("no picture", write(b"hello"), {"frame.readable": "1 of 15 frames can't be read; frame 00012.jpg"}),
    ("deleted", lambda f: (f / "00012.jpg").unlink(), {"frame.readable": "frame 00012.jpg is missing"}),
    ("new compression", write(jpeg(picture(12), 80)), {"frame.unchanged": "pictures were changed since clip.json"}),
    ("smaller", put(picture(12, 48, 27), 12), {"frame.size": "1 of 15 frames are not 96 x 54; 00012.jpg is 48 x 27"}),
    ("frozen", put(picture(12), *range(12, 22)), {"frame.frozen": "the same for 10 frames from 00012.jpg"}),
    ("nine the same", put(picture(12), *range(12, 21)), {}),
    ("two shown twice", lambda f: (put(picture(15), 16, quality=85)(f), put(picture(19), 20, quality=85)(f)),
        {"frame.repeated": "2 pictures repeated in movement, first 00016.jpg"}),
    ("one shown twice", put(picture(15), 16, quality=85), {}),
    ("still for a moment", turn_round, {}),
    ("black", put(picture(12) // 255, 12), {"frame.blank": "1 blank picture; 00012.jpg is black"}),
    ("grey", put(np.full((54, 96, 3), 128, np.uint8), 10), {"frame.blank": "00010.jpg is of one colour"}),
    ("cut", put(OTHER_SCENE, *range(20, 25)), {"frame.cut": "1 camera cut, the clearest at 00020.jpg"}),
    ("pan", put(np.roll(picture(12), 24, 1), 12), {}),
    ("no manifest", lambda f: (f / "clip.json").unlink(), {"frame.complete": "no complete frames in"}),
    ("stray picture", put(picture(30), 30), 
        {"frame.unlisted": "1 picture that clip.json does not list, first 00030.jpg"}),
    ("not listed", manifest(numbers=WITHOUT_13, digest=""), {
        "frame.unchanged": "",
        "frame.label-range": "14 frames, the labels say 15, 10 to 24: 1 missing, first 13",
        "frame.gap": "1 gap of 1 frame, the first between 12 and 14",
        "frame.unlisted": "first 00013.jpg",
    }),
    ("wrong number", manifest(numbers=[*range(10, 24), 25]), {
        "frame.readable": "frame 00025.jpg is missing",
        "frame.label-range": "the labels say 15, 10 to 24: 1 missing, first 24; 1 too many, first 25",
        "frame.gap": "the first between 23 and 25",
        "frame.unlisted": "first 00024.jpg",
    }),
    ("slow", manifest(fps=2.0), {"frame.fps": "the clips table says 25 frames a second, clip.json 2"}),
    ("other speed", manifest(fps=29.97), {"frame.fps": "the clips table says 25 frames a second, clip.json 29.97"}),
    ("speed rounded", manifest(fps=24.99), {}),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "says"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
def test_a_frame_rule_says_what_is_wrong(
    workspace: Workspace, folder: Path, damage: Callable[[Path], object], says: dict[str, str]
) -> None:
    damage(folder)
    findings = found(workspace)
    assert set(findings) == set(says)
    for rule, words in says.items():
        assert words in findings[rule].message


LABELS = [
    ("no labels at all", Clip(CLIP.key), {}),
    ("another count", Clip(CLIP.key, n_frames=14), {"frame.count": "15 frames, the clips table says 14"}),
    ("the right count", Clip(CLIP.key, n_frames=15), {}),
    ("another size", replace(CLIP, image_width=455, image_height=256), 
        {"frame.table-size": "the clips table says 455 x 256, the pictures are 96 x 54"}),
]  # fmt: skip


@pytest.mark.parametrize(("clip", "says"), [c[1:] for c in LABELS], ids=[c[0] for c in LABELS])
def test_the_table_and_the_pictures_agree(workspace: Workspace, folder: Path, clip: Clip, says: dict[str, str]) -> None:
    assert {rule: f.message for rule, f in found(workspace, clip).items()} == says


def test_a_speed_that_nobody_knows_is_a_note(workspace: Workspace, folder: Path) -> None:
    manifest(fps=None)(folder)
    assert found(workspace) == {}, "the labels know it"
    (finding,) = found(workspace, replace(CLIP, fps=None)).values()
    assert (finding.rule, finding.severity) == ("frame.fps-known", "note")


def test_a_finding_names_the_frame_that_shows_it(workspace: Workspace, folder: Path) -> None:
    put(picture(12, 48, 27), 12)(folder)
    finding = found(workspace)["frame.size"]
    assert (finding.frame, finding.found, finding.expected) == (12, "48 x 27", "96 x 54")


def test_a_clip_without_frames_is_not_complained_about(workspace: Workspace) -> None:
    assert load_frames(workspace, CLIP) is None
