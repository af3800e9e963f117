"""The pictures of one clip, real JPEG files, and ways to damage them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import digest_jpegs, frame_name
from finediving_pose.validate.clip_frames import load_frames
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
        entries = {**json.loads(path.read_text()), **changes}
        entries["names"] = entries["names"][: len(entries["numbers"])]
        path.write_text(json.dumps(entries))

    return change


def found(workspace: Workspace, clip: Clip = CLIP) -> dict[str, Finding]:
    """What the rules on pictures find, by rule."""
    frames = load_frames(workspace, clip)
    return {f.rule: f for r in RULES.values() if r.scope == "frames" and frames for f in r(frames)}


def assert_found(workspace: Workspace, says: dict[str, str]) -> None:
    """These rules have a finding, and no others; each message holds the words."""
    findings = found(workspace)
    assert set(findings) == set(says)
    for rule, words in says.items():
        assert words in findings[rule].message
