"""What kind of input a folder holds; one that is unclear is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FrameError, VideoError
from finediving_pose.extraction.run import extract_frames, extract_videos
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
