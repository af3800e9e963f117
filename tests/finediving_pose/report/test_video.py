"""A video of a dive shows its source's pictures whole, at its speed, with the skeleton where the diver is."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import simplejpeg
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.display import Display
from finediving_pose.errors import FdposeError
from finediving_pose.extraction.video import VideoInfo
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, open_frames, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.report.overlay import LEFT, RIGHT
from finediving_pose.report.video import Painter, video_size, words_by_frame, write_video, write_videos
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace

CLIP = Clip(
    ClipKey("Men10m_r1", 1), action_type="107b", n_frames=12, fps=60.0, stage_starts=(4, 9), sub_actions=(1, 19, 36)
)
N, WIDTH, HEIGHT = 12, 114, 64


def film(path: Path, width: int, height: int) -> Path:
    """A video of two grey pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=60)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(2):
            grey = np.full((height, width, 3), 128, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def add_frames(workspace: Workspace, source: str, numbers: range | tuple[int, ...] = range(N), fps: float | None = 60.0,
               size: tuple[int, int] = (WIDTH, HEIGHT)) -> FrameFolder:  # fmt: skip
    folder = workspace.frame_folder(CLIP.key)
    folder.mkdir(parents=True, exist_ok=True)
    jpeg = simplejpeg.encode_jpeg(np.full((size[1], size[0], 3), 128, np.uint8))
    names = tuple(map(frame_name, numbers))
    for name in names:
        (folder / name).write_bytes(jpeg)
    frames = FrameFolder(CLIP.key, folder, tuple(numbers), *size, source, names, fps, digest_jpegs([jpeg] * len(names)))
    write_manifest(frames)
    return frames


def add_poses(workspace: Workspace, there: int = N - 2) -> ClipPoses:
    """A right thigh from (40, 30) to (60, 50), a left forearm from (80, 30) to (80, 50), in the first frames."""
    points = np.full((there, 16, 2), np.nan)
    points[:, [INDEX["right_hip"], INDEX["right_knee"]]] = [40, 30], [60, 50]
    points[:, [INDEX["left_elbow"], INDEX["left_wrist"]]] = [80, 30], [80, 50]
    present = np.isfinite(points).all(-1)
    visibility, source = np.where(present, 2, 0), np.where(present, 1, 0)
    poses = ClipPoses(
        np.arange(there), np.zeros(there), np.full((there, 4), np.nan), points, visibility,
        np.where(present, 0.75, 0.0), source, ["a"] * there, [""] * there,
    )  # fmt: skip
    write_poses(workspace.pose_file("auto", CLIP.key), poses)
    return poses


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    """A clip of twelve frames, 60 a second, out of a video of 456 x 256 that is still there."""
    write_clips(workspace.clips_table, [CLIP])
    add_frames(workspace, str(film(workspace.root / "source.mp4", 456, 256)))
    add_poses(workspace)
    return workspace


def decoded(path: Path) -> tuple[list[np.ndarray], list[float], av.VideoStream]:
    """Its pictures, their times in seconds, and its stream."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return [f.to_ndarray(format="rgb24") for f in frames], [float(f.time or 0) for f in frames], stream


def like(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a picture has a colour, as far as compression keeps it: (n, 2), x and y."""
    ys, xs = np.nonzero(np.abs(picture.astype(int) - np.array(colour)).max(-1) < 70)
    return np.stack([xs, ys], 1)


def test_it_decodes_to_all_frames_at_the_sources_width_and_speed(posed: Workspace, tmp_path: Path) -> None:
    (path,), failed = write_videos(posed, [CLIP], tmp_path / "out")
    pictures, times, stream = decoded(path)
    assert not failed
    assert path.name == "Men10m_r1_1.mp4"
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
    height, width, _ = pictures[0].shape
    assert (len(pictures), width, height % 2) == (N, 456, 0)
    assert 256 + 2 * 18 <= height <= 256 + 90, "bands of words and stages beside the picture"
    assert stream.average_rate == Fraction(60)
    assert times == pytest.approx([i / 60 for i in range(N)], abs=1e-4)


def test_nothing_but_the_skeleton_covers_the_picture(posed: Workspace) -> None:
    """The diver may be anywhere in it, at its upper edge above all."""
    frames, poses = open_frames(posed, CLIP.key), add_poses(posed)
    painter = Painter(frames, poses, CLIP, "auto")
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    painted = painter.paint(N - 1, grey)  # nobody is there
    top = painter.top
    assert painted.shape == (painter.size[1], painter.size[0], 3)
    assert (painted[top : top + 256] == 128).all()
    assert (painted[:top] > 200).any() and (painted[top + 256 :] != 128).any()


def test_the_skeleton_lies_on_the_diver_in_frames_that_have_one(posed: Workspace, tmp_path: Path) -> None:
    (path,), _ = write_videos(posed, [CLIP], tmp_path)
    top = Painter(open_frames(posed, CLIP.key), add_poses(posed), CLIP, "auto").top
    pictures = [picture[top : top + 256] for picture in decoded(path)[0]]
    for colour, (x, y) in ((RIGHT, (50, 40)), (LEFT, (80, 40))):
        found = like(pictures[3], colour)
        assert len(found) > 40
        assert found.mean(0) == pytest.approx(((x + 0.5) * 4, (y + 0.5) * 4), abs=4)
        assert len(like(pictures[N - 1], colour)) == 0, "no diver, no skeleton"


def test_frames_that_are_missing_are_held(posed: Workspace, tmp_path: Path) -> None:
    numbers = (0, 1, 2, 7, 8)
    frames = add_frames(posed, "gone.mp4", numbers)
    list(write_video(frames, add_poses(posed), CLIP, "auto", tmp_path / "v.mp4"))
    pictures, times, _ = decoded(tmp_path / "v.mp4")
    assert len(pictures) == len(numbers)
    assert times == pytest.approx([n / 60 for n in numbers], abs=1e-4)


@pytest.mark.parametrize("fps", [23.976, 30000 / 1001, 240.0])
def test_other_speeds_are_kept(posed: Workspace, tmp_path: Path, fps: float) -> None:
    frames = replace(open_frames(posed, CLIP.key), fps=fps)
    list(write_video(frames, add_poses(posed), CLIP, "auto", tmp_path / "v.mp4"))
    _, times, _ = decoded(tmp_path / "v.mp4")
    assert times[-1] == pytest.approx((N - 1) / fps, rel=1e-3)


@pytest.mark.parametrize(
    ("source", "display", "stored", "expected"),
    [
        ((1280, 720), None, (455, 256), (1280, 720)),
        ((1280, 720), None, (456, 256), (1280, 720)),
        ((1920, 1080), Display(rotation=90, applied=True), (144, 256), (1080, 1920)),
        ((1920, 1080), Display(rotation=90), (455, 256), (1920, 1080)),
        ((720, 576), Display(aspect=64 / 45, applied=True), (455, 256), (1024, 576)),
        ((720, 576), Display(aspect=64 / 45), (320, 256), (720, 576)),
        ((640, 360), None, (144, 256), (202, 360)),  # another video by now
        ((853, 481), None, (454, 256), (852, 480)),  # odd
        ((7680, 4320), None, (455, 256), (3840, 2160)),  # more than is of use
        ((160, 90), None, (455, 256), (456, 256)),  # smaller than the frames
        (None, None, (455, 256), (910, 512)),
        (None, None, (145, 257), (290, 514)),
    ],
)
def test_its_size_is_the_sources_and_even(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    source: tuple[int, int] | None, display: Display | None, stored: tuple[int, int], expected: tuple[int, int],
) -> None:  # fmt: skip
    path = tmp_path / "source.mp4"
    if source:
        path.touch()
        info = VideoInfo(path, 60.0, 1, *source, 0.001)
        monkeypatch.setattr("finediving_pose.extraction.video.open_video", lambda path: info)
    frames = replace(add_frames(workspace, str(path), (0,), size=stored), display=display)
    assert video_size(frames) == expected


@pytest.mark.parametrize("content", [None, b"", b"no video at all"])
def test_a_source_that_is_gone_or_no_video_is_passed_over(workspace: Workspace, content: bytes | None) -> None:
    path = workspace.root / "source.mp4"
    workspace.root.mkdir(exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    assert video_size(add_frames(workspace, str(path))) == (912, 512)


def test_every_frame_says_time_stage_and_confidence(posed: Workspace) -> None:
    frames, poses = open_frames(posed, CLIP.key), add_poses(posed)
    words = words_by_frame(frames, poses, CLIP, "auto")
    assert words[0] == "0.00 s   frame 00000   Forward   confidence 0.75"
    assert words[6] == "0.10 s   frame 00006   4.5 Soms.Pike   confidence 0.75"
    assert words[11] == "0.18 s   frame 00011   Entry   no diver"
    poses.source[:] = 2
    unknown = words_by_frame(replace(frames, fps=None), poses, replace(CLIP, fps=None), "manual/kim")
    assert unknown[0] == "frame 00000   Forward   by hand"
    assert unknown[11] == "frame 00011   Entry   not annotated"


def test_frames_keep_the_times_that_they_know(posed: Workspace, tmp_path: Path) -> None:
    seconds = tuple((np.arange(N) / 60 + np.where(np.arange(N) > 5, 0.1, 0)).tolist())
    frames = replace(open_frames(posed, CLIP.key), seconds=seconds)
    list(write_video(frames, add_poses(posed), CLIP, "auto", tmp_path / "v.mp4"))
    _, times, _ = decoded(tmp_path / "v.mp4")
    assert times == pytest.approx(seconds, abs=1e-4)
    assert words_by_frame(frames, add_poses(posed), CLIP, "auto")[6].startswith("0.20 s")


def test_angles_are_said_where_they_are_known(posed: Workspace) -> None:
    """A straight body upright, seen from the side, in all frames but the last two."""
    frames, poses = open_frames(posed, CLIP.key), add_poses(posed)
    heights = {"ankle": 60, "knee": 48, "hip": 36, "pelvis": 36, "thorax": 20, "neck": 17, "top": 8, "shoulder": 20,
               "elbow": 28, "wrist": 35}  # fmt: skip
    for name, j in INDEX.items():
        poses.keypoints[:, j] = 50, heights[name.rpartition("_")[2]]
    poses.visibility[:], poses.source[:], poses.confidence[:] = 2, 1, 0.9
    words = words_by_frame(frames, poses, CLIP, "auto")
    assert "hip 0°   knee 0°" in words[3].splitlines()[1]
    assert "hip –   knee –" in words[N - 1].splitlines()[1]


def fdpose(workspace: Workspace, *args: str) -> Result:
    return CliRunner().invoke(main, ["render", "--video", "--data", str(workspace.root), *args])


def test_a_speed_that_is_not_known_is_said(posed: Workspace, tmp_path: Path) -> None:
    write_clips(posed.clips_table, [replace(CLIP, fps=None)])
    add_frames(posed, "gone", fps=None)
    result = fdpose(posed, "--out", str(tmp_path))
    assert result.exit_code == 0
    assert "Men10m_r1/1: frames per second are not known; the video plays at 25" in result.stderr


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda w: w.pose_file("auto", CLIP.key).unlink(), "Men10m_r1/1: no automatic or merged poses"),
        (lambda w: (w.frame_folder(CLIP.key) / "clip.json").unlink(), "Men10m_r1/1: no complete frames"),
        (lambda w: (w.frame_folder(CLIP.key) / "00005.jpg").write_bytes(b""), "Men10m_r1/1: frame 00005.jpg"),
        (lambda w: (w.frame_folder(CLIP.key) / "00005.jpg").unlink(), "Men10m_r1/1: frame 00005.jpg is missing"),
    ],
)
def test_what_is_missing_is_one_line_and_no_half_video(
    posed: Workspace, tmp_path: Path, break_it: object, says: str
) -> None:
    break_it(posed)  # type: ignore[operator]
    out = tmp_path / "out"
    result = fdpose(posed, "--out", str(out))
    assert result.exit_code == 1
    (line,) = [x for x in result.stderr.splitlines() if x.startswith("fdpose: ")]
    assert says in line
    assert not out.exists() or not list(out.iterdir())


def test_a_folder_that_can_not_be_written_is_one_line(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("finediving_pose.workspace.tempfile.mkstemp", refused)
    result = fdpose(posed, "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    (line,) = [x for x in result.stderr.splitlines() if x.startswith("fdpose: ")]
    assert "Men10m_r1_1.mp4: can't write here (Permission denied)" in line


def test_a_folder_below_a_file_is_one_line(posed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FdposeError, match="out"):
        write_videos(posed, [CLIP], tmp_path / "out" / "videos")


def test_every_is_for_sheets(posed: Workspace, tmp_path: Path) -> None:
    result = fdpose(posed, "--out", str(tmp_path), "--every", "2")
    assert result.exit_code == 2
    assert "--every is for contact sheets" in result.stderr
