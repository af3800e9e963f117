"""Frame folders that people hold are taken in as they are, or fail clip by clip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FrameError
from finediving_pose.extraction.run import extract_frames
from finediving_pose.frames import frame_name, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.media import jpeg, painted_number, write_pictures

pytestmark = pytest.mark.slow


def clip(video: str, index: int, first: int | None = None, last: int | None = None, **more) -> Clip:
    return Clip(ClipKey(video, index), start_frame=first, end_frame=last, **more)


def shown(workspace: Workspace, key: ClipKey) -> list[int]:
    frames = open_frames(workspace, key)
    return [painted_number(frames.read(n)) for n in frames.numbers]


def leftovers(workspace: Workspace) -> list[Path]:
    return [p for p in workspace.root.rglob(".*") if p.name.endswith((".part", ".old"))]


def test_a_folder_a_video_is_cut_by_the_labels(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in" / "men", range(20), prefix="men_r1_")
    result = extract_frames(workspace, tmp_path / "in", [clip("men", 1, 0, 8), clip("men", 2, 9, 19)])
    assert [len(open_frames(workspace, k).numbers) for k in result.made] == [9, 11]
    assert shown(workspace, ClipKey("men", 2)) == list(range(9, 20))
    assert open_frames(workspace, ClipKey("men", 2)).names[0] == "men_r1_00009.jpg"


def test_frame_folders_are_taken_in_by_several_processes(workspace: Workspace, tmp_path: Path) -> None:
    for index in range(4):
        write_pictures(tmp_path / "in" / "men" / str(index), range(index, 9))
    (tmp_path / "in" / "men" / "2" / "00004.jpg").write_bytes(b"")
    result = extract_frames(workspace, tmp_path / "in", jobs=2)
    assert sorted(k.index for k in result.made) == [0, 1, 3]
    assert result.n_frames == 9 + 8 + 6
    assert "00004.jpg: not a JPEG" in str(result.failed[ClipKey("men", 2)])


def test_trimmed_folders_keep_their_numbers(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in" / "men" / "3", range(100, 110))
    write_pictures(tmp_path / "in" / "women" / "0", range(5))
    result = extract_frames(workspace, tmp_path / "in")
    assert sorted(map(str, result.made)) == ["men/3", "women/0"]
    assert shown(workspace, ClipKey("men", 3)) == list(range(100, 110))
    assert [c.source for c in read_clips(workspace)] == ["unlabelled", "unlabelled"]


def test_a_folder_of_pictures_is_one_video(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "holiday", range(4))
    assert extract_frames(workspace, folder).made == [ClipKey("holiday", 0)]
    assert extract_frames(workspace, folder, [clip("men", 1, 1, 2)]).made == [ClipKey("men", 1)]


def test_pictures_are_taken_in_byte_for_byte(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "in", range(4))
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
    extract_frames(workspace, folder)
    extract_frames(workspace, folder, force=True)
    frames = open_frames(workspace, ClipKey("in", 0))
    assert [frames.jpeg(n) for n in frames.numbers] == [before[frame_name(n)][0] for n in range(4)]
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()} == before


def test_another_count_than_the_labels_is_a_warning(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in" / "men" / "1", range(7))
    result = extract_frames(workspace, tmp_path / "in", [clip("men", 1, 0, 9), clip("men", 2, 10, 12)])
    assert result.warnings[0].endswith("no frames for 1 of 2 clips (men/2)")
    assert result.warnings[1] == "men/1: 7 frames, but the labels count 10"
    assert read_clips(workspace)[0].n_frames == 7


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a JPEG"),
        (jpeg(2)[:900], "is cut short"),
        (jpeg(2)[:900] + b"\xff\xd9", "can't be decoded"),
        (jpeg(2, 64, 64), "64 x 64 pixels, the pictures before it 320 x 192"),
    ],
)
def test_a_damaged_picture_fails_its_clip_alone(
    workspace: Workspace, tmp_path: Path, content: bytes, words: str
) -> None:
    write_pictures(tmp_path / "in" / "men" / "1", range(4))
    write_pictures(tmp_path / "in" / "men" / "2", range(4))
    (tmp_path / "in" / "men" / "1" / "00002.jpg").write_bytes(content)
    result = extract_frames(workspace, tmp_path / "in")
    assert result.made == [ClipKey("men", 2)]
    message = str(result.failed[ClipKey("men", 1)])
    assert "00002.jpg" in message
    assert words in message
    assert not workspace.frame_folder(ClipKey("men", 1)).exists()
    assert leftovers(workspace) == []


def test_frames_without_a_number_or_twice_fail_their_clip_alone(workspace: Workspace, tmp_path: Path) -> None:
    for index in range(3):
        write_pictures(tmp_path / "in" / "men" / str(index), [1, 2])
    (tmp_path / "in" / "men" / "1" / "cover.jpg").write_bytes(jpeg(0))
    (tmp_path / "in" / "men" / "2" / "b00002.jpg").write_bytes(jpeg(2))
    result = extract_frames(workspace, tmp_path / "in")
    assert result.made == [ClipKey("men", 0)]
    assert "cover.jpg: no frame number at the end" in str(result.failed[ClipKey("men", 1)])
    assert "00002.jpg and b00002.jpg are both frame 2" in str(result.failed[ClipKey("men", 2)])


def test_an_unknown_layout_names_the_known_ones(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in" / "a" / "b" / "c", [1])
    with pytest.raises(FrameError, match=r"expected one of .*<video>/<frame>\.jpg or <video>/<index>/<frame>\.jpg"):
        extract_frames(workspace, tmp_path / "in")


def test_the_real_frames_become_two_clips(workspace: Workspace, shared_data: Path, tmp_path: Path) -> None:
    labels = tmp_path / "real.csv"
    labels.write_text("video,index,start_frame,end_frame\nfinediv,1,0,33\nfinediv,2,34,68\n")
    images = shared_data / "finediving_pose_examples" / "images"
    words = ["extract", "--frames", str(images), "--labels", str(labels), "--json", "--data", str(workspace.root)]
    run = CliRunner().invoke(main, words)
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["frames_extracted"] == 69
    clips = read_clips(workspace)
    assert [(c.n_frames, c.image_width, c.image_height, c.source) for c in clips] == [
        (34, 455, 256, "unlabelled"),
        (35, 455, 256, "unlabelled"),
    ]
    assert open_frames(workspace, ClipKey("finediv", 2)).names[0] == "finediv00034.jpg"


def test_a_torn_clip_of_a_frame_folder_is_taken_in_again(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in" / "men", range(3, 7))
    key = extract_frames(workspace, tmp_path / "in").made[0]
    picture = workspace.frame_folder(key) / "00004.jpg"
    content = picture.read_bytes()
    picture.unlink()  # it is a link to the original
    picture.write_bytes(content[:10])
    again = extract_frames(workspace, tmp_path / "in")
    assert again.made == [key]
    assert f"picture 00004.jpg has 10 of {len(content):,} bytes" in again.warnings[0]
    assert picture.read_bytes() == content
