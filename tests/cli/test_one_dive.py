"""What is known of the dive of a video before anything is done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finediving_pose.cli.one_dive import find_dive
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.labels.table import write_clips
from finediving_pose.workspace import Workspace


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A video of which number and height were given before."""
    (tmp_path / "out").mkdir()
    known = Clip(ClipKey("film", 0), action_type="107b", height_m=7.5)
    write_clips(Workspace(tmp_path / "out").clips_table, [known])
    (tmp_path / "film.mp4").write_bytes(b"")
    return tmp_path / "film.mp4"


@pytest.mark.parametrize(
    ("facts", "number", "said"),
    [
        (
            {},
            "107b",
            [
                "dive number 107b, as given before; another: --dive-number",
                "height 7.5 m, as given before; another: --height",
            ],
        ),
        (
            {"action_type": "5253b", "height_m": 7.5},
            "5253b",
            ["dive number 5253b from now on; before, it was 107b"],
        ),
        ({"action_type": "107b", "height_m": 10.0}, "107b", ["height 10 m from now on; before, it was 7.5 m"]),
    ],
)
def test_what_was_given_before_is_taken_and_told(video: Path, facts: dict[str, Any], number: str, said: list[str]):
    dive = find_dive(video, video.parent / "out", facts)
    assert dive.clip.action_type == number and list(dive.recalled) == said


def test_of_a_new_video_nothing_is_recalled_and_nothing_written(video: Path, tmp_path: Path):
    dive = find_dive(video, tmp_path / "new", {"action_type": "107b"})
    assert dive.recalled == () and dive.clip == Clip(ClipKey("film", 0), action_type="107b")
    assert not (tmp_path / "new").exists()


def test_the_folder_of_another_dive_is_refused(video: Path):
    write_clips(Workspace(video.parent / "out").clips_table, [Clip(ClipKey("other", 0))])
    with pytest.raises(UsageError, match=r"holds the dive of another video already \(other/0\)"):
        find_dive(video, video.parent / "out", {})
