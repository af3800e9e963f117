"""Progress where there is no terminal: a line a minute, and one when it is over."""

from __future__ import annotations

import re

import pytest

from finediving_pose import progress
from finediving_pose.progress import track


def test_the_speed_is_told_in_what_the_items_are_worth(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([700, 800], "synthesizing", "frames", worth=lambda frames: frames)) == [700, 800]
    line = capsys.readouterr().err
    assert re.fullmatch(r"synthesizing: 1,500 frames in \d+\.\d s \([\d.]+ frames/s\)\n", line)


def test_an_item_is_worth_one_where_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track("abc", "drawing")) == ["a", "b", "c"]
    assert capsys.readouterr().err.startswith("drawing: 3 clips in ")


def test_long_work_says_from_time_to_time_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0)
    assert list(track("abc", "drawing")) == ["a", "b", "c"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"drawing: 2 of 3, [\d.]+ clips/s, 0:00:00 left", lines[1])
