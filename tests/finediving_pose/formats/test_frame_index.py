"""Which frame a picture's name means, as other tools write it."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.frames import FrameFolder
from finediving_pose.workspace import Workspace


def index_of(*clips: tuple[str, int, dict[int, str]], workspace: Workspace) -> FrameIndex:
    index = FrameIndex(workspace, list[Clip]())
    for video, number, names in clips:
        key = ClipKey(video, number)
        folder = FrameFolder(
            key=key, folder=workspace.frame_folder(key), numbers=tuple(names), names=tuple(names.values()),
            width=64, height=48, digest="", source="", fps=None,
        )  # fmt: skip
        index.add(folder)
    return index


@pytest.mark.parametrize(
    "name",
    [
        "A/1/00003.jpg",
        "/home/eva/data/frames/A/1/00003.jpg",
        "C:\\data\\A\\1\\00003.jpg",
        "A__1/00003.jpg",
        "A__1__00003.jpg",
        "images/train/A__1__00003.jpg",
        "/data/upload/3/1f2e3d4c-A__1__00003.jpg",
        "shot3.jpg",
        "./shot3.jpg",
        "images/shot3.jpg",
        "images/default/shot3.jpg",
        "/data/upload/12/1f2e3d4c-shot3.jpg",
        "A/shot3.jpg",
        "A/1/shot3.jpg",
    ],
)
def test_a_frame_is_found_by_every_name_that_tools_give_it(workspace: Workspace, name: str) -> None:
    index = index_of(("A", 1, {3: "shot3.jpg"}), ("B", 2, {4: "shot4.jpg"}), workspace=workspace)
    assert index.find(name, "here") == (ClipKey("A", 1), 3)


@pytest.mark.parametrize(
    "name", ["C/shot3.jpg", "images/C/shot3.jpg", "99/shot3.jpg", "B/2/shot3.jpg", "shot3.png", ""]
)
def test_a_picture_of_another_folder_is_not_taken_for_it(workspace: Workspace, name: str) -> None:
    index = index_of(("A", 1, {3: "shot3.jpg"}), workspace=workspace)
    with pytest.raises(PoseError, match="here: there is no such frame"):
        index.find(name, "here")


def test_a_name_that_two_clips_have_is_refused(workspace: Workspace) -> None:
    index = index_of(("A", 1, {3: "shot.jpg"}), ("B", 2, {4: "shot.jpg"}), workspace=workspace)
    with pytest.raises(PoseError, match=r"2 clips have a frame of that name \(A/1, B/2\)"):
        index.find("images/shot.jpg", "here")
    assert index.find("B/shot.jpg", "here") == (ClipKey("B", 2), 4)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_the_same_however_they_are_written(workspace: Workspace, form: Literal["NFC", "NFD"]) -> None:
    index = index_of((unicodedata.normalize("NFC", "Montréal"), 1, {3: "é.jpg"}), workspace=workspace)
    for name in ("Montréal/1/00003.jpg", "Montréal__1__00003.jpg", "é.jpg"):
        assert index.find(unicodedata.normalize(form, name), "here")[1] == 3
