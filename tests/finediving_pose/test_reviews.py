"""What people say of poses, on the disk."""

from __future__ import annotations

import pytest

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.reviews import (
    MachinePose,
    Review,
    ReviewState,
    count_reviews,
    read_reviews,
    review_file,
    reviews_of_clip,
    write_reviews,
)
from finediving_pose.workspace import Workspace

KEY = ClipKey("meet", 3)
POSE = MachinePose("net", ((1.25, 2.5), None, *[(3.0, 4.0)] * 14))


def review(annotator: str = "anna", frame: int = 7, state: ReviewState | None = ReviewState.ACCEPTED) -> Review:
    return Review(annotator, KEY, frame, 1, state, "arm, hidden — „so“", "2026-01-01T00:00:00+00:00", POSE)


def test_reviews_come_back_as_they_were_written(workspace: Workspace) -> None:
    for name, reviews in (("anna", [review(), review(frame=8, state=None)]), ("kim", [review("kim")])):
        write_reviews(review_file(workspace, name, KEY), reviews)
    assert reviews_of_clip(workspace, KEY) == [review(), review(frame=8, state=None), review("kim")]
    assert reviews_of_clip(workspace, ClipKey("meet", 4)) == []


def test_no_reviews_are_no_file(workspace: Workspace) -> None:
    path = review_file(workspace, "anna", KEY)
    write_reviews(path, [review()])
    write_reviews(path, [])
    assert not path.exists()


def test_poses_are_counted_by_what_is_said_of_them_and_damaged_files_passed_over(workspace: Workspace) -> None:
    write_reviews(review_file(workspace, "anna", KEY), [review(), review(frame=8, state=None), review(frame=9)])
    write_reviews(review_file(workspace, "kim", KEY), [review("kim", state=ReviewState.UNSURE)])
    review_file(workspace, "kim", ClipKey("meet", 9)).write_text("{", encoding="utf-8")
    assert count_reviews(workspace) == {"accepted": 2, "unsure": 1}
    assert count_reviews(Workspace(workspace.root / "none")) == {}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "3",
        "[3]",
        "[{}]",
        '[{"frame": 1, "person": 0, "state": "fine", "note": "", "time": "t", "machine": null}]',
        '[{"frame": 1, "person": 7, "state": null, "note": "", "time": "t", "machine": null}]',
        '[{"frame": 1, "person": 0, "state": null, "note": 1, "time": "t", "machine": null}]',
        '[{"frame": 1, "person": 0, "state": null, "note": "", "time": "t", "machine": {"author": "a", "joints": []}}]',
    ],
)
def test_a_file_that_is_none_of_reviews_is_named(workspace: Workspace, text: str) -> None:
    path = review_file(workspace, "anna", KEY)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PoseError, match=r"reviews/anna/meet/3\.json"):
        read_reviews(path, "anna", KEY)
