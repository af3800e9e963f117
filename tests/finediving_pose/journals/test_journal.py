"""The journal's file: what was acknowledged is in it, whatever happened."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from finediving_pose.errors import PoseError
from finediving_pose.journals import journal as module
from finediving_pose.journals.journal import Journal, JournalFullError, read_journal
from finediving_pose.journals.operations import Edit
from tests.annotate.review.made_up import place, placed


def edit(number: int) -> Edit:
    return Edit(f"e{number}", "t", "move", {place(): placed(3, x=number)})


def written(path: Path, n: int = 3) -> Journal:
    journal = Journal(path, 0)
    for i in range(n):
        journal.append([edit(i)])
    return journal


def ids(path: Path) -> list[str]:
    return [o.id for o in read_journal(path)[0]]


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    written(tmp_path / "j" / "anna.jsonl").close()
    assert ids(tmp_path / "j" / "anna.jsonl") == ["e0", "e1", "e2"]


def test_cut_anywhere_the_whole_lines_count_and_writing_goes_on(tmp_path: Path) -> None:
    """A kill or a power cut in a line: the line was not acknowledged, all before it were."""
    written(tmp_path / "whole").close()
    raw = (tmp_path / "whole").read_bytes()
    for length in range(len(raw) + 1):
        path = tmp_path / "cut"
        path.write_bytes(raw[:length])
        operations, whole = read_journal(path)
        assert len(operations) == max(0, raw[:length].count(b"\n") - 1)
        journal = Journal(path, whole)
        journal.append([edit(9)])
        journal.close()
        assert ids(path) == [*(o.id for o in operations), "e9"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    written(tmp_path / "j").close()
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    (tmp_path / "j").write_bytes(b"".join([*lines[:2], b'{"op": 1}\n', *lines[3:]]))
    with pytest.raises(PoseError, match="line 3 is damaged"):
        read_journal(tmp_path / "j")


@pytest.mark.parametrize("head", [b'{"fdpose_journal": 2}\n', b"[]\n", b"PK\n", b"\xff\n"])
def test_another_file_is_no_journal(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "j").write_bytes(head)
    with pytest.raises(PoseError, match="line 1 is damaged"):
        read_journal(tmp_path / "j")


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a line fits: it is cut off again, and the next operation is written once there is room."""
    journal = written(tmp_path / "j")
    before = (tmp_path / "j").read_bytes()
    whole = os.pwrite

    def full(fd: int, data: bytes, offset: int) -> int:
        whole(fd, data[:10], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "pwrite", full)
    with pytest.raises(JournalFullError, match="No space left"):
        journal.append([edit(7)])
    assert (tmp_path / "j").read_bytes() == before
    monkeypatch.undo()
    journal.append([edit(8)])
    journal.close()
    assert ids(tmp_path / "j") == ["e0", "e1", "e2", "e8"]
