"""Videos without labels: one dive each, named by the file; what can't be taken is one line, the rest comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finediving_pose.clip import Clip, ClipKey, composed
from finediving_pose.errors import LabelError, UsageError, VideoError
from finediving_pose.extraction.own_videos import extract_own_videos, find_own_videos, video_name
from finediving_pose.extraction.run import extract_videos
from finediving_pose.frames import open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.command import fdpose
from tests.media import painted, painted_number, write_pictures, write_video

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phone")
    write_video(folder / "IMG_1234.mp4", 6).rename(folder / "IMG_1234.MOV")
    write_video(folder / "Été à la piscine.mp4", 4)
    return folder


def extracted(data: Path, *words: object) -> Any:
    return fdpose("extract", *words, "--data", data)


# -- names ----------------------------------------------------------------------------------------------------------


@given(st.text(max_size=300))
def test_every_name_becomes_a_clips(stem: str) -> None:
    name = video_name(stem)
    key = ClipKey(name, 0)
    assert key.video == name == video_name(name)
    assert ClipKey.parse(str(key)) == key


@given(st.text(max_size=150))
def test_a_name_that_a_clip_can_have_stays(stem: str) -> None:
    try:
        key = ClipKey(stem, 0)
    except LabelError:
        return
    assert video_name(stem) == key.video


@pytest.mark.parametrize(
    ("file", "clip"),
    [
        ("IMG_1234.MOV", "IMG_1234/0"),
        ("PXL_20260501_183000123.TS.mp4", "PXL_20260501_183000123.TS/0"),
        ("Été à la piscine.mp4", "Été à la piscine/0"),
        ("club__2.mp4", "club/2"),
        ("club__99999999999.mp4", "club__99999999999/0"),
        ("2026-05-01 18:30:05.mp4", "2026-05-01 18_30_05/0"),
        (" back .mp4", "back/0"),
        ("x" * 240 + ".mp4", "x" * 200 + "/0"),
    ],
)
def test_files_are_named_as_phones_name_them(tmp_path: Path, file: str, clip: str) -> None:
    (tmp_path / file).touch()
    found = find_own_videos(tmp_path)
    assert list(map(str, found.dives)) == [composed(clip)]
    changed = clip.rpartition("/")[0] not in file
    assert len(found.notes) == changed or file.startswith((" ", "x"))


# -- videos ---------------------------------------------------------------------------------------------------------


def test_every_video_of_a_folder_is_one_dive(workspace: Workspace, phone: Path) -> None:
    result = extract_own_videos(workspace, phone, {"action_type": "107b", "height_m": 3.0})
    assert sorted(map(str, result.made)) == ["IMG_1234/0", composed("Été à la piscine/0")]
    clips = read_clips(workspace)
    assert [(c.action_type, c.height_m, c.n_frames, c.fps, c.source) for c in clips] == [
        ("107b", 3.0, n, 25.0, "unlabelled") for n in (6, 4)
    ]
    frames = open_frames(workspace, ClipKey("IMG_1234", 0))
    assert [painted_number(frames.read(n)) for n in frames.numbers] == list(range(6))
    assert Path(frames.source) == phone / "IMG_1234.MOV"


def test_one_file_is_taken_alone_and_a_second_beside_it(workspace: Workspace, phone: Path) -> None:
    first, second = sorted(phone.iterdir())
    assert len(extract_own_videos(workspace, first).made) == 1
    again = extract_own_videos(workspace, second)
    assert (len(again.made), again.warnings) == (1, [])
    assert len(extract_own_videos(workspace, phone).kept) == 2
    assert len(read_clips(workspace)) == 2


def test_what_is_said_later_is_added(workspace: Workspace, phone: Path) -> None:
    extract_own_videos(workspace, phone / "IMG_1234.MOV", {"height_m": 7.5})
    result = extract_own_videos(workspace, phone / "IMG_1234.MOV", {"action_type": "5253b"})
    assert (len(result.kept), read_clips(workspace)[0].action_type, read_clips(workspace)[0].height_m) == (
        1,
        "5253b",
        7.5,
    )


def test_a_file_needs_no_known_ending(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 3).rename(tmp_path / "video.insv")
    assert extract_own_videos(workspace, tmp_path / "video.insv").made == [ClipKey("video", 0)]


def sound_only(path: Path) -> str:
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return "holds no pictures (audio)"


def no_frames(path: Path) -> str:
    """As a recording that was stopped at once: a header, and not one frame."""
    with av.open(path, "w", format="matroska") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return "not a video, or cut short"


def renamed_jpeg(path: Path) -> str:
    Image.fromarray(painted(3)).save(path, "JPEG")
    return "a single picture (mjpeg), not a video; give a folder of pictures as --frames"


def renamed_png(path: Path) -> str:
    Image.fromarray(painted(3)).save(path, "PNG")
    return "a single picture (png), not a video"


def text(path: Path) -> str:
    path.write_text("no video\n" * 100)
    return "not a video"


def nothing(path: Path) -> str:
    path.touch()
    return "not a video"


def test_junk_among_videos_is_one_line_each_and_leaves_no_row(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_video(folder / "dive.mp4", 4)
    words = {f"{make.__name__}.mp4": make(folder / f"{make.__name__}.mp4") for make in _JUNK}
    for name in ("notes.txt", "IMG_1.HEIC", "IMG_1.AAE", "b.csv", ".hidden.txt", "._dive.mp4"):
        (folder / name).touch()
    run = extracted(workspace.root, "--videos", folder)
    assert run.exit_code == 1
    lines = [x for x in run.stderr.splitlines() if x.startswith("fdpose: ")]
    assert len(lines) == len(_JUNK) + 1
    for name, said in words.items():
        (line,) = [x for x in lines if f"{name}" in x]
        assert said in line
    assert lines[0] == (
        f"fdpose: warning: {folder}: left out what is no video by its ending: IMG_1.AAE, IMG_1.HEIC, b.csv and 1 more"
    )
    assert [str(c.key) for c in read_clips(workspace)] == ["dive/0"]


_JUNK = (sound_only, no_frames, renamed_jpeg, renamed_png, text, nothing)


def test_two_files_of_one_name_are_both_left_out_and_told(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "b.mp4"):
        write_video(tmp_path / name, 3)
    result = extract_own_videos(workspace, tmp_path)
    assert result.made == [ClipKey("b", 0)]
    assert "a.mkv and a.mp4 are both clip a/0; rename one of them" in str(result.failed[ClipKey("a", 0)])


def test_another_video_of_the_same_name_is_told(workspace: Workspace, tmp_path: Path) -> None:
    """Every phone has an IMG_0001."""
    for place, n in (("anna", 3), ("kim", 5)):
        write_video(tmp_path / place / "IMG_0001.mp4", n)
    extract_own_videos(workspace, tmp_path / "anna")
    result = extract_own_videos(workspace, tmp_path / "kim")
    assert "IMG_0001/0 is another video's already" in str(result.failed[ClipKey("IMG_0001", 0)])
    assert len(open_frames(workspace, ClipKey("IMG_0001", 0)).numbers) == 3
    assert extract_own_videos(workspace, tmp_path / "kim", force=True).n_frames == 5


def test_a_long_video_is_told(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "training.mp4", 4, times=[0, 100, 200, 65000])
    result = extract_own_videos(workspace, tmp_path)
    assert (
        "65 seconds are taken as one dive; where it holds several, name the frames of each in a CSV"
        in result.warnings[0]
    )


def test_a_clip_is_chosen_by_its_name(workspace: Workspace, phone: Path) -> None:
    assert extract_own_videos(workspace, phone, keys=["IMG_1234/0"]).made == [ClipKey("IMG_1234", 0)]
    with pytest.raises(UsageError, match=r"--clip IMG_1: not among the videos of .* which are the clips IMG_1234/0, "):
        extract_own_videos(workspace, phone, keys=["IMG_1"])


# -- size -----------------------------------------------------------------------------------------------------------


def test_the_stored_height_is_chosen(workspace: Workspace, phone: Path) -> None:
    path = phone / "IMG_1234.MOV"
    for size, expected in (("128", (213, 128)), ("native", (320, 192))):
        data = workspace.root / size
        assert extracted(data, "--videos", path, "--size", size).exit_code == 0
        frames = open_frames(Workspace(data), ClipKey("IMG_1234", 0))
        assert (frames.width, frames.height) == expected
        assert frames.read(0).shape == (expected[1], expected[0], 3)
        assert extracted(data, "--videos", path, "--size", size).exit_code == 0, "the same size again is no other"


def test_another_size_is_told_and_nothing_is_mixed(workspace: Workspace, phone: Path) -> None:
    extract_own_videos(workspace, phone / "IMG_1234.MOV")
    for size, wanted in (("512", 512), ("native", 192)):
        run = extracted(workspace.root, "--videos", phone, "--clip", "IMG_1234", "--size", size)
        assert run.exit_code == 1
        line = f"IMG_1234/0: its frames are 256 pixels high, not {wanted}; poses count their pixels, so make both again"
        assert line in run.stderr
        assert f"--size {wanted} --clip IMG_1234/0 --force, then" in run.stderr
    assert open_frames(workspace, ClipKey("IMG_1234", 0)).height == 256
    assert extracted(workspace.root, "--videos", phone, "--clip", "IMG_1234", "--size", 512, "--force").exit_code == 0
    assert open_frames(workspace, ClipKey("IMG_1234", 0)).height == 512
    assert read_clips(workspace)[0].image_height == 512


@pytest.mark.parametrize("size", ["15", "62", "4322", "-256", "1e3", "big", "257", ""])
def test_a_height_that_is_none_is_bad_usage(workspace: Workspace, phone: Path, size: str) -> None:
    run = extracted(workspace.root, "--videos", phone, f"--size={size}")
    assert run.exit_code == 2
    assert "give an even number of pixels from 64 to 4320, or native" in run.stderr


# -- the command ----------------------------------------------------------------------------------------------------


def test_the_command_needs_no_labels(workspace: Workspace, phone: Path) -> None:
    words = ["--videos", phone / "IMG_1234.MOV", "--dive-number", "107B", "--height", "7.5", "--json"]
    run = extracted(workspace.root, *words)
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["frames_extracted"] == 6
    clip = read_clips(workspace)[0]
    assert (clip.action_type, clip.height_m) == ("107b", 7.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dive-number", "907z"], "--dive-number: '907z' is no dive number; expected three digits"),
        (["--height", "4"], "'4' is not one of '1', '3', '5', '7.5', '10'"),
        (["--labels", "LABELS", "--height", "3"], "--dive-number and --height are for videos without labels"),
        (["--labels", "LABELS", "--dive-number", "107b"], "--dive-number and --height are for videos without labels"),
    ],
)
def test_what_can_not_be_is_bad_usage(
    workspace: Workspace, phone: Path, tmp_path: Path, words: list[str], said: str
) -> None:  # fmt: skip
    labels = tmp_path / "dives.csv"
    labels.write_text("video,index,start_frame,end_frame\nIMG_1234,1,0,3\n")
    words = [str(labels) if w == "LABELS" else w for w in words]
    run = extracted(workspace.root, "--videos", phone, *words)
    assert run.exit_code == 2
    assert said in run.stderr
    assert not workspace.root.exists()


def test_labels_read_before_cut_the_videos_that_they_name(workspace: Workspace, phone: Path, tmp_path: Path) -> None:
    labels = tmp_path / "dives.csv"
    labels.write_text("video,index,start_frame,end_frame\nIMG_1234,1,0,2\nIMG_1234,2,3,5\n")
    assert extracted(workspace.root, "--labels", labels).exit_code == 0
    assert extracted(workspace.root, "--videos", phone).exit_code == 0
    assert [str(c.key) for c in read_clips(workspace)] == ["IMG_1234/1", "IMG_1234/2"], "no other video is guessed at"
    other = next(p for p in phone.iterdir() if p.suffix == ".mp4")
    run = extracted(workspace.root, "--videos", other)
    assert run.exit_code == 0, run.output
    assert len(read_clips(workspace)) == 3, "a file that is given is meant"
    run = extracted(workspace.root, "--videos", phone / "IMG_1234.MOV", "--height", "3")
    assert (run.exit_code, "here labels name the dives" in run.stderr) == (2, True)


def test_videos_that_no_label_names_end_with_a_step_that_works(
    workspace: Workspace, phone: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "dives.csv"
    labels.write_text("video,index,start_frame,end_frame\nmen,1,0,2\n")
    run = extracted(workspace.root, "--videos", phone, "--labels", labels)
    assert run.exit_code == 1
    assert "for videos that no label names, give each by its file, or another --data" in run.stderr


def test_a_clip_alone_is_answered_with_its_place(workspace: Workspace, phone: Path, tmp_path: Path) -> None:
    extract_own_videos(workspace, phone / "IMG_1234.MOV", size=128)
    write_pictures(tmp_path / "a b", [1])
    extracted(workspace.root, "--frames", tmp_path / "a b")
    run = extracted(workspace.root, "--clip", "IMG_1234/0", "--force")
    assert run.exit_code == 2
    given = f"--data {workspace.root}"
    step = f"fdpose extract {given} --videos {phone / 'IMG_1234.MOV'} --size 128 --clip IMG_1234/0 --force"
    assert run.stderr == f"fdpose: give the place of IMG_1234/0, too: {step}\n"
    assert extracted(workspace.root, *step.split()[2:]).exit_code == 0
    run = extracted(workspace.root, "--clip", "a b/0")
    assert f"fdpose extract {given} --frames '{tmp_path / 'a b'}' --clip 'a b/0' --force" in run.stderr
    assert "give --videos FILE or DIR, or --frames DIR" in extracted(workspace.root, "--clip", "c/0").stderr


def test_an_empty_data_directory_is_told_a_command_that_needs_no_labels(workspace: Workspace, phone: Path) -> None:
    run = fdpose("validate", "--data", workspace.root)
    assert f"make one with: fdpose extract --data {workspace.root} --videos PATH" in run.stderr
    assert extracted(workspace.root, "--videos", phone).exit_code == 0
    assert fdpose("info", "--data", workspace.root).exit_code == 0


def test_a_folder_of_folders_names_the_one_with_videos(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "a" / "b.mp4", 2)
    with pytest.raises(VideoError, match=r"no videos here; there are some in .*a; give that folder as --videos"):
        extract_own_videos(workspace, tmp_path)
    with pytest.raises(VideoError, match="no such folder or file"):
        extract_own_videos(workspace, tmp_path / "none")


def test_ready_made_frames_keep_their_size(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", [1, 2])
    run = extracted(workspace.root, "--frames", tmp_path / "in", "--size", "512")
    assert run.exit_code == 2
    assert "frames that are given keep their size: leave --size out" in run.stderr


def test_labels_of_one_video_may_come_with_its_file(workspace: Workspace, phone: Path) -> None:
    clip = Clip(ClipKey("IMG_1234", 3), start_frame=1, end_frame=2)
    assert extract_videos(workspace, phone / "IMG_1234.MOV", [clip]).n_frames == 2


def test_a_video_that_was_replaced_is_not_taken_for_the_old_one(workspace: Workspace, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", 8)
    assert extract_own_videos(workspace, video).made == [ClipKey("a", 0)]
    assert extract_own_videos(workspace, video).kept == [ClipKey("a", 0)]
    write_video(video, 20)
    again = extract_own_videos(workspace, video)
    assert again.made == again.kept == []
    said = str(again.failed[ClipKey("a", 0)])
    assert said.startswith(f"{video}: not the file that the frames of a/0 came from (") and "--force" in said
    assert len(open_frames(workspace, ClipKey("a", 0)).numbers) == 8
    assert extract_own_videos(workspace, video, force=True).made == [ClipKey("a", 0)]
    assert len(open_frames(workspace, ClipKey("a", 0)).numbers) == 20


def test_a_frame_rate_that_no_camera_has_is_told(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 12, rate=6000)
    (note,) = extract_own_videos(workspace, tmp_path / "a.mp4").warnings
    assert note.startswith(f"{tmp_path / 'a.mp4'}: 6000 frames a second can't be right")
