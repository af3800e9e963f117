"""A folder takes another's place: one of the two is always there."""

from __future__ import annotations

from pathlib import Path

import pytest

from finediving_pose import replacing
from finediving_pose.replacing import put_in_place, recover


def _folder(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "a.txt").write_text(content)
    return path


def _read(path: Path) -> str:
    return (path / "a.txt").read_text()


@pytest.mark.parametrize("swaps", [True, False])
def test_the_new_folder_is_there_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool) -> None:
    if not swaps:
        monkeypatch.setattr(replacing, "_swapped", lambda first, second: False)
    target = tmp_path / "1"
    for content in ("first", "second"):
        put_in_place(_folder(tmp_path / ".1.x.part", content), target)
        assert _read(target) == content
        assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_without_a_moment_in_which_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, part = _folder(tmp_path / "1", "old"), _folder(tmp_path / ".1.x.part", "new")
    monkeypatch.setattr(Path, "rename", None)  # of two renames a kill may come between
    put_in_place(part, target)
    assert _read(target) == "new"


@pytest.mark.parametrize("killed_at", [1, 2])
def test_where_a_system_can_not_swap_a_killed_writer_leaves_the_old_folder_to_be_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    target, part = _folder(tmp_path / "1", "old"), _folder(tmp_path / ".1.x.part", "new")
    renamed, rename = [0], Path.rename

    def killed(self: Path, to: Path) -> Path:
        renamed[0] += 1
        if renamed[0] == killed_at:
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(replacing, "_swapped", lambda first, second: False)
    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(part, target)
    recover(target)
    assert _read(target) == "old"
    assert list(tmp_path.iterdir()) == [target]
