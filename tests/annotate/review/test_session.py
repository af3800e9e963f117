"""A person at work: edits, undo, versions, and the layer that is made of them."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.merge import merge_clips
from annotate.review.session import ConflictError, ReadOnlyError, Session
from finediving_pose.errors import BusyError
from finediving_pose.journals.entry import BETWEEN, Entry, Joint
from finediving_pose.journals.journal import journal_file
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, Visibility, concatenate, read_poses, write_poses
from finediving_pose.reviews import ReviewState, reviews_of_clip
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, table
from tests.annotate.review.made_up import OTHER, Hand, at_work, files, place, placed, with_machine
from tests.holding import held_by_another

NOBODY = Entry((Joint(float("nan"), float("nan"), Visibility.ABSENT),) * 16, ReviewState.CORRECTED)
LAYER = "manual/anna"


def test_only_placed_joints_are_manual(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(1), placed(3, 9, x=51.25)))
    poses = read_poses(grey.pose_file(LAYER, KEY))
    assert poses.frame.tolist() == [1]
    assert np.flatnonzero(poses.source[0] == JointSource.MANUAL).tolist() == [3, 9]
    assert poses.keypoints[0, 3].tolist() == [51.25, 40.0]
    assert not np.isfinite(poses.keypoints[0, [0, 1, 2, 15]]).any()
    assert poses.author == ["anna"]


def test_an_accepted_pose_stays_the_machines(grey: Workspace) -> None:
    """It is recorded with the pose that was seen and its estimator; the layer has no row for it."""
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(2), Entry(state=ReviewState.ACCEPTED, note="splendid")))
    assert not grey.pose_file(LAYER, KEY).exists()
    (review,) = reviews_of_clip(grey, KEY)
    assert (review.annotator, review.frame, review.state, review.note) == ("anna", 2, ReviewState.ACCEPTED, "splendid")
    assert review.machine is not None
    assert review.machine.author == "net"
    assert np.allclose([j for j in review.machine.joints if j], BASE, atol=0.01)


def test_nobody_and_interpolated_joints_reach_the_merge(grey: Workspace) -> None:
    between = Entry(tuple(Joint(7.0, 8.0, by=BETWEEN) if j == 5 else None for j in range(16)))
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(0), NOBODY), (place(1), between))
    merge_clips(grey, read_clips(grey))
    merged = read_poses(grey.pose_file("merged", KEY))
    assert merged.has_diver.tolist() == [False, True, True]
    assert merged.source[1, 5] == JointSource.INTERPOLATED
    assert merged.keypoints[1, 5].tolist() == [7.0, 8.0]
    assert merged.source[1, 6] == JointSource.AUTOMATIC


def imported(grey: Workspace) -> None:
    """Poses that the annotator had before, with a confidence and a box that review never gives."""
    some = table("anna", JointSource.MANUAL, has=np.arange(16) > 4, shift=1 / 3, frames=(0, 2))
    write_poses(grey.pose_file(LAYER, KEY), some)


@pytest.mark.parametrize("before", [lambda grey: None, imported], ids=["no layer", "an imported layer"])
@pytest.mark.parametrize("seed", range(3))
def test_200_operations_undone_leave_the_layer_byte_for_byte(grey: Workspace, before, seed: int) -> None:
    """Through restarts in between; the files, and the folders, are as they were."""
    before(with_machine(grey))
    was, luck = files(grey), random.Random(seed)
    done = 0
    for _ in range(4):
        with at_work(grey) as session:
            hand = Hand(session)
            for _ in range(50):
                what = luck.random()
                if what < 0.15:
                    done -= bool(hand.undoes().places)
                elif what < 0.25:
                    done += bool(hand.redoes().places)
                else:
                    hand.does(*random_edit(luck).items())
                    done += 1
            session.flush()
            assert session.history.depth[0] == done
    assert files(grey) != was
    with at_work(grey) as session:
        for _ in range(done):
            assert Hand(session).undoes().places
        assert not Hand(session).undoes().places
    assert files(grey) == was
    assert grey.manual_layers() == ([LAYER] if was else [])


def random_edit(luck: random.Random) -> dict:
    at = [place(luck.randrange(3), luck.randrange(2), luck.choice([KEY, OTHER])) for _ in range(luck.randint(1, 3))]
    kinds = [
        lambda: placed(*luck.sample(range(16), luck.randint(1, 16)), x=luck.uniform(0, 99)),
        lambda: Entry(state=luck.choice(list(ReviewState)), note=luck.choice(["", "look again"])),
        lambda: NOBODY,
    ]
    return {p: luck.choice(kinds)() for p in at}


def test_undone_and_made_again_is_the_same(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        hand = Hand(session)
        hand.does((place(), placed(3)), what="move left hip")
        hand.does((place(), placed(3, 4)), (place(1), NOBODY))
        session.flush()
        was = files(grey)
        hand.undoes()
        assert hand.undoes().what == "move left hip"
        hand.redoes()
        hand.redoes()
        session.flush()
        assert files(grey) == was
        hand.undoes()
        hand.does((place(), placed(5)))
        assert not hand.redoes().places, "a new edit forgets what was undone"


def test_the_same_operation_twice_counts_once(grey: Workspace) -> None:
    """The page sends again what it had no answer to."""
    with at_work(with_machine(grey)) as session:
        for _ in range(2):
            done = session.edit("e1", "move", {place(): placed(3)}, {place(): ""})
            assert done.places[0][2] == "e1"
        for _ in range(2):
            session.step("u1", "undo")
        assert session.history.depth == (0, 1)
    with at_work(grey) as session:
        session.step("u1", "undo")
        assert session.history.depth == (0, 1)


def test_an_edit_of_an_older_version_is_refused_and_shows_the_newer(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        session.edit("one", "move", {place(): placed(3, x=1)}, {place(): ""})
        with pytest.raises(ConflictError) as refused:
            session.edit("two", "move", {place(): placed(3, x=2)}, {place(): ""})
        (now,) = refused.value.now
        assert now[1].joints[3] == Joint(1, 40.0)
        assert now[2] == "one"
        session.edit("three", "move", {place(): placed(3, x=2)}, {place(): "one"})
    assert read_poses(grey.pose_file(LAYER, KEY)).keypoints[0, 3, 0] == 2


def test_the_same_name_in_two_processes_is_refused_and_another_name_is_not(grey: Workspace) -> None:
    with held_by_another("fdpose review", writes=(journal_file(grey, "anna"),)):
        with pytest.raises(BusyError, match="fdpose review is writing it"):
            Session(grey, "anna", read_clips(grey))
        with at_work(with_machine(grey), "kim") as session:
            Hand(session).does((place(), placed(3)))
    assert grey.manual_layers() == ["manual/kim"]


def test_an_import_meanwhile_is_taken_in_and_the_edit_that_did_not_see_it_refused(grey: Workspace) -> None:
    """Two ways into one layer: what came last counts, nothing is lost without a word."""
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(0), placed(3)), (place(1), placed(3)))
        session.flush()
        old = read_poses(grey.pose_file(LAYER, KEY))
        new = table("anna", JointSource.MANUAL, shift=9, frames=(0,), time="2099-01-01T00:00:00+00:00")
        write_poses(grey.pose_file(LAYER, KEY), concatenate([new, replace_frame(old, 0)]))
        with pytest.raises(ConflictError):
            session.edit("x", "move", {place(0): placed(4)}, {place(0): session.history.version(place(0))})
        entry, _ = session.entries(KEY)[place(0)]
        assert entry.joints[15] == Joint(float(new.keypoints[0, 15, 0]), float(new.keypoints[0, 15, 1]))
        Hand(session).does((place(1), placed(5)))
    poses = read_poses(grey.pose_file(LAYER, KEY))
    assert poses.keypoints[0, 15, 0] == new.keypoints[0, 15, 0]
    assert np.flatnonzero(poses.source[1]).tolist() == [5]


def replace_frame(poses, without: int):
    from finediving_pose.poses import take_rows

    return take_rows(poses, np.flatnonzero(poses.frame != without))


def test_a_layer_that_a_kill_left_behind_is_written_at_the_next_start(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(), placed(3)))
    was = files(grey)
    grey.pose_file(LAYER, KEY).unlink()
    with at_work(grey) as session:
        session.flush()
    assert files(grey) == was


def test_a_read_only_directory_can_be_looked_at(grey: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(), placed(3)))
    real = open

    def refuse(path, mode="r", *more, **named):
        if "a" in mode and str(path).endswith(".lock"):
            raise PermissionError(30, "Read-only file system")
        return real(path, mode, *more, **named)

    monkeypatch.setattr("builtins.open", refuse)
    with at_work(grey) as session:
        assert "Read-only file system" in session.read_only
        assert session.entries(KEY)[place()][0].joints[3] == Joint(50.0, 40.0)
        with pytest.raises(ReadOnlyError, match="Read-only"):
            session.edit("x", "move", {place(): placed(4)}, {place(): session.history.version(place())})


def test_what_can_not_be_written_is_said_and_written_later(grey: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layer's folder is full: the journal has the edit, the person is told, the layer follows."""
    monkeypatch.setattr("annotate.review.layer_writer.AGAIN", 0.05)

    def full(path: Path, poses: object) -> None:
        raise OSError(28, "No space left on device")

    with at_work(with_machine(grey)) as session:
        with monkeypatch.context() as broken:
            broken.setattr("finediving_pose.journals.layer.write_poses", full)
            Hand(session).does((place(), placed(3)))
            session.flush()
            assert "No space left" in session.problem
        until = time.monotonic() + 30
        while session.problem and time.monotonic() < until:
            time.sleep(0.02)
        assert not session.problem
    assert grey.pose_file(LAYER, KEY).is_file()


def test_frames_that_can_teach_are_counted(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(0), placed(1, 2, 3, 4)), (place(1), placed(1, 2, 3)), (place(2), NOBODY))
        assert session.teachable() == 1


def test_replaced_entries_keep_what_the_person_said(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        hand = Hand(session)
        hand.does((place(), placed(3)))
        hand.does((place(), replace(placed(3), note="wrist behind the back")))
    (review,) = reviews_of_clip(grey, KEY)
    assert (review.state, review.note) == (ReviewState.CORRECTED, "wrist behind the back")
