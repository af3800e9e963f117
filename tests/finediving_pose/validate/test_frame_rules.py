"""Each rule on pictures, on real JPEG files that are then damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.validate import validate
from finediving_pose.workspace import Workspace

CLIP = Clip(ClipKey("v", 1), start_frame=10, end_frame=24, n_frames=15)


def jpeg(seed: int, width: int = 64, height: int = 48) -> bytes:
    return simplejpeg.encode_jpeg(np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8))


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """Fifteen whole pictures of one clip, as extraction leaves them."""
    write_clips(workspace.clips_table, [CLIP])
    folder, numbers = workspace.frame_folder(CLIP.key), tuple(range(10, 25))
    folder.mkdir(parents=True)
    jpegs = [jpeg(n) for n in numbers]
    for number, data in zip(numbers, jpegs, strict=True):
        (folder / frame_name(number)).write_bytes(data)
    names = tuple(map(frame_name, numbers))
    write_manifest(FrameFolder(CLIP.key, folder, numbers, 64, 48, "v.mp4", names, 25.0, digest_jpegs(jpegs)))
    return folder


def cut_short(folder: Path) -> None:
    path = folder / "00012.jpg"
    path.write_bytes(path.read_bytes()[:500])


def not_a_picture(folder: Path) -> None:
    (folder / "00012.jpg").write_bytes(b"hello")


def repaint(folder: Path) -> None:
    (folder / "00012.jpg").write_bytes(jpeg(99))


def resize(folder: Path) -> None:
    (folder / "00012.jpg").write_bytes(jpeg(1, 32, 24))


def freeze(folder: Path) -> None:
    for number in range(12, 22):
        (folder / frame_name(number)).write_bytes(jpeg(1))


def forget_a_frame(folder: Path) -> None:
    (folder / "clip.json").write_text((folder / "clip.json").read_text().replace("23, 24]", "23, 25]"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: None, {}),
        (cut_short, {"frame.readable": "1 of 15 frames can't be read; frame 00012.jpg is cut short (500 bytes"}),
        (not_a_picture, {"frame.readable": "1 of 15 frames can't be read; frame 00012.jpg"}),
        (lambda f: (f / "00012.jpg").unlink(), {"frame.readable": "frame 00012.jpg is missing"}),
        (repaint, {"frame.unchanged": "pictures were changed since clip.json was written"}),
        (resize, {"frame.size": "1 of 15 frames are not 64 x 48; 00012.jpg is 32 x 24", "frame.unchanged": "changed"}),
        (freeze, {"frame.frozen": "the same for 10 frames from 00012.jpg", "frame.unchanged": "changed"}),
        (lambda f: (f / "clip.json").unlink(), {"frame.complete": "no complete frames in"}),
        (
            forget_a_frame,
            {
                "frame.readable": "frame 00025.jpg is missing",
                "frame.label-range": "the labels say 15, 10 to 24: 1 missing, first 24; 1 too many, first 25",
            },
        ),
    ],
)
def test_a_frame_rule_says_what_is_wrong(
    workspace: Workspace, folder: Path, damage: Callable[[Path], object], says: dict[str, str]
) -> None:
    damage(folder)
    found = {f.rule: f.message for f in validate(workspace, select=["frame"])}
    assert set(found) == set(says)
    assert all(words in found[rule] for rule, words in says.items())


def test_a_clip_without_frames_is_not_complained_about(workspace: Workspace) -> None:
    write_clips(workspace.clips_table, [CLIP])
    assert validate(workspace) == []
