"""Rules on the frame folders of all clips together."""

from __future__ import annotations

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.validate import validate
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (50, []),
        (20, ["shares 10 pictures with meet/0"]),
        (24, ["shares 6 pictures with meet/0"]),
        (15, ["shares 5 pictures with meet/0"]),
        (28, []),
    ],
)
def test_two_clips_with_the_same_pictures_are_found(workspace: Workspace, first: int, says: list[str]) -> None:
    add_clip(workspace, Clip(ClipKey("meet", 0)), list(range(20, 30)))
    add_clip(workspace, Clip(ClipKey("other", 4)), list(range(first, first + 10)))
    found = validate(workspace, select=["frame.same-pictures"])
    assert [f.message for f in found] == says
    assert all(str(f.key) == "other/4" and f.frame == max(20, first) for f in found)


def test_a_missing_picture_does_not_end_the_search(workspace: Workspace) -> None:
    for index in range(2):
        add_clip(workspace, Clip(ClipKey("meet", index)), list(range(20, 30)))
    (workspace.frame_folder(ClipKey("meet", 1)) / "00020.jpg").unlink()
    assert [f.message for f in validate(workspace, select=["frame.same"])] == ["shares 9 pictures with meet/0"]
