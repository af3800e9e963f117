"""Each rule on a frame folder, on real JPEG files that are then damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from finediving_pose.clip import Clip
from finediving_pose.validate.clip_frames import load_frames
from finediving_pose.workspace import Workspace
from tests.finediving_pose.validate.made_up_frames import CLIP, assert_found, found, jpeg, manifest, picture, put, write

WITHOUT_13 = [n for n in range(10, 25) if n != 13]

DISPLAY = {"rotation": 90.0, "mirrored": False, "aspect": 1.0, "applied": False}

DAMAGE = [
    ("nothing", lambda f: None, {}),
    ("cut short", write(jpeg(picture(12))[:500]), 
        {"frame.readable": "1 of 15 frames can't be read; frame 00012.jpg is cut short (500 bytes"}),
    ("no picture", write(b"hello"), {"frame.readable": "1 of 15 frames can't be read; frame 00012.jpg"}),
    ("deleted", lambda f: (f / "00012.jpg").unlink(), {"frame.readable": "frame 00012.jpg is missing"}),
    ("new compression", write(jpeg(picture(12), 80)), {"frame.unchanged": "pictures were changed since clip.json"}),
    ("smaller", put(picture(12, 48, 27), 12), {"frame.size": "1 of 15 frames are not 96 x 54; 00012.jpg is 48 x 27"}),
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
    ("on its side", manifest(display=DISPLAY), {
        "frame.upright": "the video asks to be shown turned by 90 degrees clockwise, its frames are stored as coded"}),
    ("mirrored", manifest(display={**DISPLAY, "rotation": 0.0, "mirrored": True}), {
        "frame.upright": "the video asks to be shown mirrored, its frames are stored as coded"}),
    ("upright", manifest(display={**DISPLAY, "aspect": 2.0, "applied": True}), {}),
    ("as coded", manifest(display={**DISPLAY, "rotation": 0.0}), {}),
    ("wide pixels", manifest(display={**DISPLAY, "rotation": 0.0, "aspect": 16 / 11}), {
        "frame.square-pixels": "the video has pixels 1.455 times as wide as high"}),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "says"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
def test_a_frame_rule_says_what_is_wrong(
    workspace: Workspace, folder: Path, damage: Callable[[Path], object], says: dict[str, str]
) -> None:
    damage(folder)
    assert_found(workspace, says)


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
