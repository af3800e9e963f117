"""What kind of input a folder holds; one that is unclear is refused before anything is written."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FrameError, VideoError
from finediving_pose.extraction.run import extract_frames, extract_videos
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.media import write_pictures, write_video

CLIP = Clip(ClipKey("men", 1), start_frame=0, end_frame=1)


def test_inputs_that_are_unclear_are_named(workspace: Workspace, tmp_path: Path) -> None:
    both = tmp_path / "both"
    write_video(both / "men.mp4", 4)
    write_video(both / "men__2.mp4", 4)
    with pytest.raises(VideoError, match=r"men__2\.mp4 is one dive .* of men\.mp4, a whole video; keep the two kinds"):
        extract_videos(workspace, both, [CLIP])
    (both / "men__2.mp4").rename(both / "men.mkv")
    with pytest.raises(VideoError, match=r"men\.mkv and men\.mp4 are the same video"):
        extract_videos(workspace, both, [CLIP])
    write_pictures(tmp_path / "mixed" / "men", range(3))
    write_pictures(tmp_path / "mixed" / "men" / "1", range(3))
    with pytest.raises(FrameError, match=r"holds pictures, as <video>/<frame>\.jpg, and folders of single dives"):
        extract_frames(workspace, tmp_path / "mixed")
    with pytest.raises(VideoError, match="no videos here; it holds frame folders; give it as --frames"):
        extract_videos(workspace, tmp_path / "mixed", [CLIP])
    with pytest.raises(FrameError, match="no frames in a layout that is known; it holds videos; give it as --videos"):
        extract_frames(workspace, both)
    assert not workspace.root.exists()


ACCENTED = "Féminin_10m"


def spelled(form: Literal["NFC", "NFD"]) -> str:
    return unicodedata.normalize(form, ACCENTED)


@pytest.mark.parametrize(("file", "label"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_are_one_name_composed_or_apart(workspace: Workspace, tmp_path: Path, file: Any, label: Any) -> None:
    write_video(tmp_path / "videos" / f"{spelled(file)}.mp4", 4)
    write_pictures(tmp_path / "frames" / spelled(file) / "2", range(3))
    wanted = Clip(ClipKey(spelled(label), 1), start_frame=0, end_frame=1)
    assert extract_videos(workspace, tmp_path / "videos", [wanted], jobs=1).n_frames == 2
    assert extract_frames(workspace, tmp_path / "frames", [Clip(ClipKey(spelled(label), 2))], jobs=1).n_frames == 3
    assert sorted(p.name for p in workspace.frames.iterdir()) == [spelled("NFC")]


def test_two_folders_of_one_name_are_told(workspace: Workspace, tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        write_pictures(tmp_path / spelled(form) / "1", range(2))
    with pytest.raises(FrameError, match=r"two folders are called .*F.minin_10m.*put them into one"):
        extract_frames(workspace, tmp_path)


@pytest.mark.parametrize("twin", ["01", "00001"])
def test_two_folders_of_one_dive_are_refused_and_the_others_come_in(
    workspace: Workspace, tmp_path: Path, twin: str
) -> None:
    for name in ("1", twin, "2"):
        write_pictures(tmp_path / "men" / name, range(2))
    result = extract_frames(workspace, tmp_path, jobs=1)
    assert [str(key) for key in result.made] == ["men/2"]
    assert f"{twin} and 1 are both clip men/1; keep one" in str(result.failed[ClipKey("men", 1)])


def test_a_name_that_differs_in_capitals_is_told(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "Men.mp4", 4)
    with pytest.raises(
        VideoError, match=r"expected files such as men\.mp4; there is 'Men', spelled with other capitals"
    ):
        extract_videos(workspace, tmp_path, [CLIP])


def test_two_names_that_differ_in_capitals_are_told(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("men", "Men"):
        write_pictures(tmp_path / name / "1", range(2))
    result = extract_frames(workspace, tmp_path, jobs=1)
    assert len(result.made) == 2
    assert result.warnings[0].startswith("Men and men differ in nothing but capitals")


@pytest.mark.parametrize(
    "name", ["men.MOV", "men.ts", "men.M4V", "men.mts", "men.3gp", "men.flv", "men.TS", "men.m2ts"]
)
def test_a_video_is_one_by_any_usual_ending(workspace: Workspace, tmp_path: Path, name: str) -> None:
    write_video(tmp_path / name.lower(), 4).rename(tmp_path / name)
    assert extract_videos(workspace, tmp_path, [CLIP], jobs=1).n_frames == 2
    assert not extract_videos(workspace, tmp_path, [CLIP], jobs=1, force=True).warnings


def test_pictures_that_ask_to_be_turned_are_taken_upright_and_told(workspace: Workspace, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    (tmp_path / "men" / "1").mkdir(parents=True)
    for n in range(2):
        Image.new("RGB", (64, 48), (20, 90, 140)).save(tmp_path / "men" / "1" / f"{n}.jpg", exif=exif)
    result = extract_frames(workspace, tmp_path, jobs=1)
    assert [(c.image_width, c.image_height) for c in read_clips(workspace)] == [(48, 64)]
    assert result.warnings == ["men/1: 2 pictures have a note to turn them (EXIF); they are stored upright, coded anew"]
