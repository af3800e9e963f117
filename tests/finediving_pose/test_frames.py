"""A frame folder is complete when its manifest is there, and a damaged picture is named."""

import json
from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import ClipKey
from finediving_pose.display import Display
from finediving_pose.errors import FrameError
from finediving_pose.frames import FrameFolder, digest_jpegs, is_complete, open_frames, write_manifest
from finediving_pose.jpeg import decode_jpeg

KEY = ClipKey("Men10m", 1)


def picture(value: int) -> bytes:
    return simplejpeg.encode_jpeg(np.full((32, 48, 3), value, np.uint8))


@pytest.fixture
def frames(workspace) -> FrameFolder:
    folder = workspace.frame_folder(KEY)
    folder.mkdir(parents=True)
    jpegs = [picture(v) for v in (10, 200)]
    made = FrameFolder(KEY, folder, (7, 8), 48, 32, "Men10m.mp4", ("a.jpg", "b.jpg"), 25.0, digest_jpegs(jpegs))
    for number, jpeg in zip(made.numbers, jpegs, strict=True):
        made.path(number).write_bytes(jpeg)
    return made


def test_a_folder_is_complete_only_with_its_manifest(workspace, frames):
    assert not is_complete(workspace, KEY)
    with pytest.raises(FrameError, match="no complete frames"):
        open_frames(workspace, KEY)
    write_manifest(frames)
    assert is_complete(workspace, KEY)
    assert open_frames(workspace, KEY) == frames


def test_a_frame_reads_as_rgb(frames):
    assert frames.read(8).shape == (32, 48, 3)
    assert abs(int(frames.read(8).mean()) - 200) <= 2


def test_a_missing_frame_names_clip_file_and_the_next_step(frames):
    with pytest.raises(FrameError, match=r"Men10m/1: frame 00009\.jpg is missing.*fdpose extract --clip Men10m/1"):
        frames.read(9)


@pytest.mark.parametrize("keep", [0, 1, 50, -1])
def test_a_picture_cut_anywhere_is_refused(keep):
    whole = picture(100)
    with pytest.raises(FrameError, match="somewhere is cut short"):
        decode_jpeg(whole[:keep], "somewhere")


def test_a_picture_that_is_no_jpeg_is_refused():
    with pytest.raises(FrameError, match="can't be decoded"):
        decode_jpeg(b"\x89PNG" + b"x" * 100 + b"\xff\xd9", "somewhere")


def test_a_broken_manifest_is_named(workspace, frames):
    write_manifest(frames)
    (frames.folder / "clip.json").write_text("{")
    with pytest.raises(FrameError, match=r"clip\.json: not a frame manifest"):
        open_frames(workspace, KEY)


@pytest.mark.parametrize(
    ("entry", "value", "says"),
    [
        ("numbers", ["x"] * 4, r"numbers is .*, expected frame numbers from 0 on, increasing"),
        ("numbers", 7, "numbers is '7'"),
        ("numbers", [3, 2, 1, 0], "numbers is"),
        ("numbers", [0, 1, 1, 2], "numbers is"),
        ("numbers", [-1, 0, 1, 2], "numbers is"),
        ("numbers", [0.5, 1, 2, 3], "numbers is"),
        ("numbers", [0, 1, 2, 2**40], "numbers is"),
        ("numbers", [True, 2, 3, 4], "numbers is"),
        ("numbers", {"0": 1}, "numbers is"),
        ("numbers", [0, 1, 2], "3 numbers, but 2 names"),
        ("width", "96", "width is '96', expected pixels"),
        ("width", 0, "its pictures are 0 x"),
        ("height", 10**7, "declares .* pixels, the limit is"),
        ("names", [1, 2, 3], "names is .*, expected a list of file names"),
        ("names", None, "names is"),
        ("fps", "25", "fps is '25', expected frames a second, above 0, or null"),
        ("fps", 0, "fps is '0'"),
        ("fps", float("nan"), "fps is 'nan'"),
        ("source", None, "source is"),
        ("digest", 5, "digest is"),
        ("notes", "mine", "expected an object with numbers"),
    ],
)
def test_an_entry_of_the_manifest_that_is_broken_is_named(workspace, frames, entry, value, says):
    write_manifest(frames)
    path = frames.folder / "clip.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), entry: value}))
    with pytest.raises(
        FrameError, match=rf"clip\.json: not a frame manifest \(.*{says}.*fdpose extract --clip .*--force"
    ):
        open_frames(workspace, KEY)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "7", "null", '"x"', "\ufeff{}", "{}"])
def test_a_manifest_that_is_something_else_is_told(workspace, frames, text):
    write_manifest(frames)
    (frames.folder / "clip.json").write_text(text)
    with pytest.raises(FrameError, match=r"clip\.json: not a frame manifest"):
        open_frames(workspace, KEY)


def test_a_manifest_without_frames_is_told(workspace, frames):
    write_manifest(replace(frames, numbers=(), names=()))
    with pytest.raises(FrameError, match="has no frames; leave it out"):
        open_frames(workspace, KEY)


# -- times and display ----------------------------------------------------------------------------------------------


def test_frames_know_their_times(frames):
    assert frames.times.tolist() == [0.0, 1 / 25]
    assert replace(frames, numbers=(7, 12)).times.tolist() == [0.0, 5 / 25], "a gap takes its time"
    assert replace(frames, seconds=(0.0, 0.05)).times.tolist() == [0.0, 0.05]
    assert np.isnan(replace(frames, fps=None).times).all()
    assert frames.times.dtype == np.float64


def test_times_and_display_come_back(workspace, frames):
    told = replace(frames, seconds=(0.0, 0.05), display=Display(90.0, True, 4 / 3, applied=True))
    write_manifest(told)
    assert open_frames(workspace, KEY) == told


def test_a_manifest_of_an_earlier_version_reads(workspace, frames):
    write_manifest(frames)
    path = frames.folder / "clip.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in data.items() if k not in ("n_bytes", "seconds", "display")}))
    assert open_frames(workspace, KEY) == frames


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("seconds", [0.0, 0.0], "expected seconds from 0 on, increasing"),
        ("seconds", [1.0, 2.0], "expected seconds from 0 on, increasing"),
        ("seconds", [0.0, float("nan")], "expected seconds from 0 on, increasing"),
        ("seconds", [0.0], "2 numbers, but 1 times"),
        ("display", {"rotation": 90}, "expected how the video asks to be shown, or null"),
        ("display", "upright", "expected how the video asks to be shown, or null"),
    ],
)
def test_times_and_displays_that_can_not_be_are_told(workspace, frames, name, value, words):
    write_manifest(frames)
    path = frames.folder / "clip.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(FrameError, match=words):
        open_frames(workspace, KEY)
