"""Progress where there is no terminal: a line a minute, and one when it is over."""

from __future__ import annotations

import re

import pytest

from finediving_pose import progress
from finediving_pose.parallel import map_clips
from finediving_pose.progress import track


def test_units_are_counted_and_not_items(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([700, 800], "synthesizing", "frames", count=lambda frames: frames)) == [700, 800]
    line = capsys.readouterr().err
    assert re.fullmatch(r"synthesizing: 1,500 frames in \d+\.\d s \([\d.]+ frames/s\)\n", line)


def test_an_item_is_one_unit_where_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track("abc", "drawing")) == ["a", "b", "c"]
    assert capsys.readouterr().err.startswith("drawing: 3 clips in ")


def test_long_work_says_from_time_to_time_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0)
    assert list(track("abc", "drawing")) == ["a", "b", "c"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"drawing: 2 of 3 clips, [\d.]+ clips/s, 0:00:00 left", lines[1])


def test_the_total_is_in_units_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of clips, as annotation deals them out: people count the clips."""
    monkeypatch.setattr(progress, "MINUTE", 0)
    groups = [("a", "b", "c"), ("d",), ("e", "f")]
    assert list(track(groups, "annotating", count=len)) == groups
    lines = capsys.readouterr().err.splitlines()
    assert [re.match(r"annotating: (\d of 6 clips|6 clips in)", line) is not None for line in lines] == [True] * 4
    assert lines[0].startswith("annotating: 3 of 6 clips, ")
    assert list(track(iter(groups), "annotating", total=6, count=len)) == groups
    assert capsys.readouterr().err.startswith("annotating: 3 of 6 clips, ")


def test_clips_are_counted_where_videos_are_worked_on(capsys: pytest.CaptureFixture[str]) -> None:
    list(map_clips(len, [("one", "two", "three"), ("four",)], 1, "extracting", count=len))
    assert capsys.readouterr().err.startswith("extracting: 4 clips in ")
