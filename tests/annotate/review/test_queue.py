"""Which poses a person is asked to look at."""

from __future__ import annotations

import pytest

from annotate.review.queue import Queue
from finediving_pose.errors import UsageError
from finediving_pose.journals.entry import Entry
from finediving_pose.poses import JointSource, write_poses
from finediving_pose.reviews import ReviewState
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table
from tests.annotate.review.made_up import OTHER, Hand, at_work, place, with_machine


def places(queue: Queue) -> list[tuple[str, int]]:
    items, complete = queue.items(0)
    assert complete
    return [(str(i.place.key), i.place.frame) for i in items]


def test_all_frames_in_their_order_where_there_is_no_list(grey: Workspace) -> None:
    with at_work(grey) as session:
        queue = Queue(session)
        assert places(queue) == [(f"meet/{c}", f) for c in (0, 1) for f in (0, 1, 2)]
        assert "fdpose suggest" in queue.note
        assert queue.items(4)[0][0].place == place(1, 0, OTHER)


def test_the_list_of_suggest_is_followed(grey: Workspace) -> None:
    grey.reports.mkdir()
    rows = [
        "image,dive_worth,worth,why",
        "meet/1/00002.jpg,1,1,limbs",
        "gone/1/00000.jpg,1,1,x",
        "meet/0/00000.jpg,1,1,lot",
    ]
    (grey.reports / "suggestions.csv").write_text("\n".join(rows), encoding="utf-8")
    with at_work(with_machine(grey)) as session:
        queue = Queue(session)
        assert queue.name == "suggested"
        assert places(queue) == [("meet/1", 2), ("meet/0", 0)]
        assert [i.why for i in queue.items(0)[0]] == ["limbs", "lot"]


def test_suggested_without_a_list_says_how_to_make_one(grey: Workspace) -> None:
    with at_work(grey) as session, pytest.raises(UsageError, match="make it with: fdpose suggest 50"):
        Queue(session, "suggested")


def test_findings_come_by_frame(grey: Workspace) -> None:
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    poses.keypoints[1, 3] = (900, 20)
    write_poses(grey.pose_file("auto", KEY), poses)
    with at_work(grey) as session:
        items, _ = Queue(session, "findings").items(0)
    assert ("meet/0", 1) in [(str(i.place.key), i.place.frame) for i in items]
    assert any("outside the picture" in i.why for i in items)


def test_unsure_begins_with_what_the_person_left_open_then_the_least_confident(grey: Workspace) -> None:
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    poses.confidence[2] = 0.1
    write_poses(grey.pose_file("auto", KEY), poses)
    with at_work(grey) as session:
        Hand(session).does((place(1, 0, OTHER), Entry(state=ReviewState.UNSURE, note="splash")))
        items, _ = Queue(session, "unsure").items(0)
    assert [(str(i.place.key), i.place.frame, i.why) for i in items[:2]] == [
        ("meet/1", 1, "splash"),
        ("meet/0", 2, "confidence 0.10"),
    ]


def test_clips_without_frames_are_passed_over(grey: Workspace) -> None:
    (grey.frame_folder(KEY) / "clip.json").unlink()
    with at_work(grey) as session:
        assert {key for key, _ in places(Queue(session, "all"))} == {"meet/1"}
