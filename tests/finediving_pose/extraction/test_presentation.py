"""Own videos are stored as they ask to be shown, timed as they were filmed; those of a data set as they are coded."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.display import Display
from finediving_pose.errors import VideoError
from finediving_pose.extraction.own_videos import extract_own_videos
from finediving_pose.extraction.presentation import Presentation, read_presentation
from finediving_pose.extraction.run import extract_videos
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.media import ffmpeg, painted, painted_number, write_video

pytestmark = pytest.mark.slow

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (40, 40, 200), "white": (230, 230, 230)}
CODED = [["red", "green"], ["blue", "white"]]


def quadrants(_: int, width: int, height: int) -> np.ndarray:
    """A picture whose four quarters are those of CODED."""
    corners = np.array([[COLOURS[name] for name in row] for row in CODED], np.uint8)
    return corners.repeat(height // 2, 0).repeat(width // 2, 1)


def corners(rgb: np.ndarray) -> list[list[str]]:
    """The colours of a picture's four quarters, by name."""
    height, width = rgb.shape[:2]

    def name(y: int, x: int) -> str:
        seen = rgb[y - 3 : y + 3, x - 3 : x + 3].mean((0, 1))
        return min(COLOURS, key=lambda n: float(np.abs(seen - COLOURS[n]).sum()))

    return [[name(height * y // 4, width * x // 4) for x in (1, 3)] for y in (1, 3)]


def asking(degrees: float = 0, hflip: bool = False, aspect: Fraction | None = None, **note: str) -> Callable:
    def prepare(container: Any, stream: Any) -> None:
        if degrees or hflip:
            stream.set_display_rotation(degrees, hflip=hflip)  # counter-clockwise
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        container.metadata.update({k.replace("_", "."): v for k, v in note.items()})

    return prepare


def taken(workspace: Workspace, path: Path, **more: Any) -> FrameFolder:
    result = extract_own_videos(workspace, path, jobs=1, **more)
    assert not result.failed
    return open_frames(workspace, result.made[0])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("degrees", "hflip", "seen", "size"),
    [
        (0, False, CODED, (455, 256)),
        (-90, False, [["blue", "red"], ["white", "green"]], (144, 256)),
        (90, False, [["green", "white"], ["red", "blue"]], (144, 256)),
        (180, False, [["white", "blue"], ["green", "red"]], (456, 256)),
        (0, True, [["green", "red"], ["white", "blue"]], (456, 256)),
    ],
)
def test_a_video_is_stored_as_it_asks_to_be_shown(
    workspace: Workspace, tmp_path: Path, suffix: str, degrees: int, hflip: bool, seen: list, size: tuple[int, int]
) -> None:
    prepare = asking(degrees, hflip)
    path = write_video(tmp_path / f"a{suffix}", 3, size=(320, 180), picture=quadrants, prepare=prepare)
    frames = taken(workspace, path)
    assert (frames.width, frames.height) == size
    assert corners(frames.read(1)) == seen
    assert frames.read(1).shape == (frames.height, frames.width, 3)
    assert frames.display == Display((-degrees) % 360.0, hflip, 1.0, applied=True)


def test_ffmpeg_turns_it_the_same_way(workspace: Workspace, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 2, size=(320, 180), picture=quadrants, prepare=asking(-90))
    words = [ffmpeg(), "-v", "error", "-i", str(path), "-frames:v", "1", str(tmp_path / "shown.png")]
    subprocess.run(words, check=True)
    shown = np.asarray(Image.open(tmp_path / "shown.png").convert("RGB"))
    frames = taken(workspace, path, size=None)
    assert shown.shape == (frames.height, frames.width, 3) == (320, 180, 3)
    assert corners(shown) == corners(frames.read(0))


def test_a_data_sets_frames_stay_as_they_are_coded(workspace: Workspace, tmp_path: Path) -> None:
    prepare = asking(-90, aspect=Fraction(2))
    write_video(tmp_path / "men.mp4", 3, size=(320, 180), picture=quadrants, prepare=prepare)
    clip = Clip(ClipKey("men", 1), start_frame=0, end_frame=1, source="finediving")
    assert extract_videos(workspace, tmp_path, [clip], jobs=1).warnings == []
    frames = open_frames(workspace, clip.key)
    assert (frames.width, frames.height) == (455, 256)
    assert corners(frames.read(0)) == CODED
    assert frames.display == Display(90.0, False, 2.0, applied=False)


def test_a_list_of_ones_own_dives_is_stored_upright(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "club.mp4", 3, size=(320, 180), picture=quadrants, prepare=asking(-90))
    extract_videos(workspace, tmp_path, [Clip(ClipKey("club", 1), start_frame=1, end_frame=2)], jobs=1)
    assert corners(open_frames(workspace, ClipKey("club", 1)).read(1)) == [["blue", "red"], ["white", "green"]]


def test_pixels_are_made_square(workspace: Workspace, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 2, size=(180, 160), prepare=asking(aspect=Fraction(4, 3)))
    assert (taken(workspace, path).width, taken(Workspace(tmp_path / "n"), path, size=None).width) == (384, 240)
    turned = write_video(tmp_path / "b.mp4", 2, size=(180, 160), prepare=asking(-90, aspect=Fraction(4, 3)))
    frames = taken(workspace, turned, size=None)
    assert (frames.width, frames.height) == (160, 240)


def test_pixels_that_no_camera_has_are_told_and_taken_as_square(workspace: Workspace, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 2, prepare=asking(aspect=Fraction(50)))
    result = extract_own_videos(workspace, path, jobs=1)
    assert "declares pixels 50 times as wide as high; they are taken as square" in result.warnings[0]
    assert open_frames(workspace, ClipKey("a", 0)).width == 427


def test_an_angle_between_is_refused_and_a_mirror_image_told(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "odd.mp4", 2, prepare=asking(-37))
    write_video(tmp_path / "mirror.mp4", 2, prepare=asking(0, hflip=True))
    result = extract_own_videos(workspace, tmp_path, jobs=1)
    assert list(result.made) == [ClipKey("mirror", 0)]
    assert "mirror.mp4: asks to be shown mirrored; its frames are stored so" in result.warnings[0]
    message = str(result.failed[ClipKey("odd", 0)])
    assert "odd.mp4: asks to be turned by 37 degrees; only quarter turns are applied; turn it first" in message
    with pytest.raises(VideoError, match="odd"):
        read_presentation(tmp_path / "odd.mp4").applied(tmp_path / "odd.mp4")


# -- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [25, 60, 240])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_constant_rate_needs_no_list_of_times(workspace: Workspace, tmp_path: Path, rate: int, suffix: str) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    frames = taken(workspace, write_video(tmp_path / f"a{suffix}", 40, codec, rate=rate))
    assert frames.seconds == ()
    assert frames.fps == pytest.approx(rate, rel=1e-3)
    np.testing.assert_allclose(frames.times, np.arange(40) / rate, atol=1e-3)
    assert read_clips(workspace)[0].fps == frames.fps


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.webm", "libvpx")])
def test_uneven_times_are_kept(workspace: Workspace, tmp_path: Path, name: str, codec: str) -> None:
    """With packets that name the frames, and where frames are counted."""
    stamps = np.cumsum([0] + [33, 34, 50, 17, 33] * 7).tolist()
    frames = taken(workspace, write_video(tmp_path / name, 36, codec, times=[1000 + t for t in stamps]))
    np.testing.assert_allclose(frames.times, np.array(stamps) / 1000, atol=1e-6)
    assert frames.times.dtype == np.float64
    assert frames.seconds[0] == 0.0


def test_times_count_from_the_clips_first_frame(workspace: Workspace, tmp_path: Path) -> None:
    stamps = [0, 40, 100, 130, 200, 240]
    write_video(tmp_path / "club.mp4", 6, times=stamps)
    clip = Clip(ClipKey("club", 1), start_frame=2, end_frame=4)
    extract_videos(workspace, tmp_path, [clip], jobs=1)
    np.testing.assert_allclose(open_frames(workspace, clip.key).times, [0, 0.03, 0.1], atol=1e-6)


def test_slow_motion_gets_the_times_of_filming(workspace: Workspace, tmp_path: Path) -> None:
    """Android notes the rate of filming; a note that is about the played rate, or no number, changes nothing."""
    options = {"movflags": "use_metadata_tags"}
    for name, note in (("slow", "240.0"), ("usual", "30.0"), ("odd", "fast")):
        prepare = asking(com_android_capture_fps=note)
        write_video(tmp_path / f"{name}.mp4", 4, container_options=options, rate=30, prepare=prepare)
    result = extract_own_videos(workspace, tmp_path, jobs=1)
    assert [c.fps for c in read_clips(workspace)] == [30, 240, 30]
    assert len(result.warnings) == 1
    assert "slow.mp4: plays 8 times slower than it was filmed" in result.warnings[0]
    np.testing.assert_allclose(open_frames(workspace, ClipKey("slow", 0)).times, np.arange(4) / 240)


def test_a_data_set_keeps_the_rate_that_it_plays_at() -> None:
    assert Presentation(Display(), 8.0).as_coded().slowed == 1.0


def test_frames_without_a_rate_have_no_times(workspace: Workspace, tmp_path: Path) -> None:
    frames = taken(workspace, write_video(tmp_path / "a.mp4", 3))
    assert np.isnan(replace(frames, fps=None).times).all()


def test_the_number_of_threads_changes_no_time(tmp_path: Path) -> None:
    stamps = np.cumsum([0] + [33, 34, 50, 17, 33] * 17).tolist()
    path = write_video(tmp_path / "a.mp4", 86, codec_options={"bf": "3", "g": "15"}, times=stamps)
    one, many = Workspace(tmp_path / "one"), Workspace(tmp_path / "many")
    extract_own_videos(one, path, jobs=1)
    extract_own_videos(many, path, jobs=4)
    assert open_frames(one, ClipKey("a", 0)).seconds == open_frames(many, ClipKey("a", 0)).seconds != ()


def test_the_first_frame_that_can_be_decoded_tells_the_turn(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 30, codec_options={"bf": "0", "g": "10"}, prepare=asking(-90))
    with av.open(path) as container:
        victim = bytes(next(p for p in container.demux(video=0) if p.size))
    path.write_bytes(path.read_bytes().replace(victim, victim[:8] + b"\xff" * (len(victim) - 8)))
    assert read_presentation(path).display.rotation == 90.0


def test_a_painted_number_survives_the_turn(workspace: Workspace, tmp_path: Path) -> None:
    """Frames of a turned video are the right ones, in order."""

    def sideways(number: int, width: int, height: int) -> np.ndarray:
        return np.rot90(painted(number, height, width), 1)  # stored turned to the left

    path = write_video(tmp_path / "a.mp4", 30, size=(320, 192), picture=sideways, prepare=asking(-90))
    frames = taken(workspace, path)
    assert [painted_number(frames.read(n)) for n in frames.numbers] == list(range(30))
