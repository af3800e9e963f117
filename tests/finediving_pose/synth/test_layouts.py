"""The same frames in every layout that people hold, by the numbers that the labels count."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from finediving_pose.errors import UsageError
from finediving_pose.extraction.run import extract_frames, extract_videos
from finediving_pose.frames import open_frames
from finediving_pose.labels.read import read_labels
from finediving_pose.synth import layouts
from finediving_pose.synth.competition import make_competition
from finediving_pose.synth.layouts import LAYOUTS, lay_out
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def laid_out(competition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layouts") / "competition"
    shutil.copytree(competition, folder)
    lay_out(folder, list(LAYOUTS), jobs=1)
    return folder


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_gives_the_clips_that_the_videos_give(name: str, laid_out: Path, tmp_path: Path) -> None:
    labelled = read_labels(laid_out / "labels")
    data, other = Workspace(tmp_path / "videos"), Workspace(tmp_path / name)
    extract_videos(data, laid_out / "videos", labelled, jobs=1)
    extract = extract_videos if name == "dives" else extract_frames
    extract(other, laid_out / name, labelled, jobs=1)
    for clip in labelled:
        ours, theirs = (open_frames(workspace, clip.key) for workspace in (data, other))
        assert len(ours.numbers) == len(theirs.numbers) > 40
        if name != "dives":  # a video of its own begins at 0
            assert ours.numbers == theirs.numbers
        for i in (0, len(ours.numbers) // 2, len(ours.numbers) - 1):
            one, another = (f.read(f.numbers[i]).astype(int) for f in (ours, theirs))
            assert np.abs(one - another).mean() < 4, "the same picture, compressed once more"
            neighbour = ours.read(ours.numbers[i - 1 if i else 1]).astype(int)
            assert np.abs(one - another).mean() < np.abs(neighbour - another).mean()


def test_what_is_there_is_kept_and_what_a_kill_left_goes(laid_out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = next((laid_out / "videos").glob("*.mp4")).stem
    left = laid_out / "trimmed" / f".{video}.abc.part"
    left.mkdir()
    shutil.rmtree(laid_out / "trimmed" / video)
    read: list[Path] = []
    pictures = layouts._pictures
    monkeypatch.setattr(layouts, "_pictures", lambda path: read.append(path) or pictures(path))
    lay_out(laid_out, list(LAYOUTS), jobs=1)
    assert [path.stem for path in read] == [video]
    assert not left.exists() and any((laid_out / "trimmed" / video).iterdir())


def test_no_such_layout_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--layout zip: no such layout; there are frames, trimmed, dives"):
        make_competition(tmp_path / "new", dives=1, layouts=["zip"])
    assert not (tmp_path / "new").exists()
