"""What a person does on the page, and what becomes of it on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from annotate.merge import merge_clips
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import ClipPoses, JointSource, concatenate, read_poses, write_poses
from finediving_pose.reviews import ReviewState, reviews_of_clip
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace
from tests.browser.pages import PICTURE, Page, Pages, moved
from tests.browser.served import Served

Start = Callable[..., Served]


def layer(data: Workspace, page: Page) -> tuple[ClipPoses, int]:
    """The layer of the clip that is shown, and the row of its pose, once that is written.

    The page says "saved" when the journal has an edit; the layer follows it, a thread behind.
    """
    clip, frame, person = page.shown
    file = data.pose_file("manual/anna", next(c.key for c in read_clips(data) if str(c.key) == clip))
    for _ in range(200):
        if file.is_file() and (row := (poses := read_poses(file)).row(frame, person)) is not None:
            return poses, row
        page.page.wait_for_timeout(50)
    raise AssertionError(f"frame {frame} is not in the layer after 10 seconds")


def test_a_dragged_joint_is_in_the_layer_where_it_was_let_go(page: Page, data: Workspace) -> None:
    """Within a tenth of a pixel of the frame, though the picture is zoomed and turned; the rest is the machine's."""
    target = moved(page)
    placed = page.asks("review.chosen")
    assert np.allclose(page.pose()[placed], target, atol=0.1)
    poses, row = layer(data, page)
    assert np.flatnonzero(poses.source[row] == JointSource.MANUAL).tolist() == [placed]
    assert np.allclose(poses.keypoints[row, placed], target, atol=0.1)


def wait_for_reviews(data: Workspace, page: Page, clip: str, frame: int) -> dict[int, tuple[ReviewState | None, str]]:
    """State and note by frame, once that of ``frame`` is written."""
    key = next(c.key for c in read_clips(data) if str(c.key) == clip)
    said: dict[int, tuple[ReviewState | None, str]] = {}
    for _ in range(200):
        said = {r.frame: (r.state, r.note) for r in reviews_of_clip(data, key)}
        if frame in said:
            break
        page.page.wait_for_timeout(50)
    return said


def test_keys_change_sides_hide_and_delete(page: Page) -> None:
    before = page.pose()
    page.keys("x")
    assert np.allclose(page.pose(), before[list(FLIP)], atol=0.01)
    page.keys("x", "w", "s", "v")
    joint = page.asks("review.chosen")
    assert page.entry()["joints"][joint][2:] == [1, "hand"]
    page.keys("v")
    assert page.entry()["joints"][joint] == [None, None, 0, "hand"]


def test_changed_sides_are_no_placed_joints(page: Page, data: Workspace) -> None:
    """X and Shift X exchange arms and legs: the machine's stay the machine's, a placed joint stays the person's.

    Twice, and the entry is as it was.
    """
    clip, frame, _ = page.shown
    page.go(clip, frame + 3)
    page.keys("u")
    page.go(clip, frame)
    moved(page)
    joint, before = page.asks("review.chosen"), page.pose()
    page.keys("Shift+X")
    assert f"changed sides in 3 frames, to frame {frame + 2}; it ends before frame {frame + 3}" in page.says
    assert np.allclose(page.pose(), before[list(FLIP)], atol=0.02)
    by = [j and j[3] for j in page.entry()["joints"]]
    assert [j for j, who in enumerate(by) if who == "hand"] == [FLIP[joint]]
    assert [j for j, who in enumerate(by) if who is None] == [6, 7, 8, 9]
    page.go(clip, frame + 1)
    assert (page.entry()["state"], {j[3] for j in page.entry()["joints"] if j}) == (None, {"machine"})
    machine = page.asks("review.clip.machinePose(review.frame, review.person).map((j) => [j.x, j.y])")
    assert np.allclose(page.pose(), np.array(machine)[list(FLIP)])
    page.keys("x")
    assert (page.entry()["joints"], page.entry()["state"]) == ([None] * 16, None)
    page.keys("x")
    page.go(clip, frame + 2)
    poses, row = layer(data, page)
    assert set(poses.source[row].tolist()) == {JointSource.NONE, JointSource.AUTOMATIC}
    assert page.asks("review.teachable") == 0


def test_arrows_move_a_joint_as_the_screen_is_turned(page: Page) -> None:
    joint = page.asks("review.chosen")
    was = page.pose()[joint]
    x, y = page.on_screen(*was)
    page.keys("ArrowRight", "Shift+ArrowDown")
    now = page.pose()[joint]
    u, v = page.on_screen(*now)
    scale = page.asks("review.view.scale")
    assert (u - x, v - y) == (pytest.approx(scale, abs=0.3), pytest.approx(10 * scale, abs=0.3))


def test_space_accepts_and_the_joints_stay_the_machines(page: Page) -> None:
    clip, frame, _ = page.shown
    page.keys(" ")
    assert page.shown != (clip, frame, 0)
    page.go(clip, frame)
    assert page.entry()["state"] == "accepted"
    assert page.entry()["joints"] == [None] * 16


def test_in_the_queue_of_all_frames_space_goes_on_from_the_frame_that_is_shown(page: Page) -> None:
    """And comes back at the end to what was passed over."""
    clip, frame, _ = page.shown
    page.keys(" ")
    assert page.shown == (clip, frame + 1, 0)
    page.keys("Backspace")
    assert page.shown == (clip, frame, 0)
    while not page.asks("review.queue.complete"):
        last = page.asks("review.queue.items.at(-1)")
        page.go(last["clip"], last["frame"])
        page.keys(" ", "z")
    last = page.asks("review.queue.items.at(-1)")
    page.go(last["clip"], last["frame"])
    page.keys(" ")
    first = page.asks("review.queue.items[0]")
    assert page.shown == (first["clip"], first["frame"], 0)


def test_in_a_dive_that_the_queue_of_all_frames_has_not_reached_space_stays(page: Page) -> None:
    """Its items are fetched some hundred at a time."""
    page.asks("(review.queue.items.splice(2), review.queue.complete = true)")
    clip, frame = page.asks("[review.clip.clip, review.clip.frames[4]]")
    page.asks(f"review.move('{clip}', {frame})")
    page.settle()
    for step, key in enumerate((" ", "u", "r")):
        assert page.shown == (clip, frame + step, 0)
        page.keys(key)
    assert page.shown == (clip, frame + 3, 0)
    page.keys("q")
    assert page.shown == tuple(page.asks("review.queue.items.map((i) => [i.clip, i.frame, i.person])[0]"))


def test_loaded_again_the_page_shows_what_it_showed(page: Page) -> None:
    clip, frame = page.asks("[review.clip.clip, review.clip.frames[4]]")
    page.go(clip, frame)
    page.page.reload()
    page.page.wait_for_selector(PICTURE)
    assert page.shown == (clip, frame, 0)
    page.keys(" ")
    assert page.shown == (clip, frame + 1, 0)


def test_what_is_seen_does_not_jump_while_a_frame_is_corrected(page: Page) -> None:
    view = page.asks("review.view")
    page.keys("[", "Alt+ArrowUp", "z", "y", "h", "o")
    assert page.asks("review.view") == view
    page.keys("f")
    assert page.asks("review.view") != view


def test_whoever_leaves_the_queue_goes_on_frame_by_frame_until_q(data: Workspace, start: Start, pages: Pages) -> None:
    """Enter, Space, U and R; after an undo in the queue nothing is passed over."""
    page = pages.open(start("--queue", "unsure").address)
    first, second = page.asks("review.queue.items.slice(0, 2).map((item) => [item.clip, item.frame, item.person])")
    page.keys(" ", "z")
    assert page.shown == tuple(first)
    page.keys(" ")
    assert page.shown == tuple(second), "not passed over after the undo"
    clip, frame = second[0], page.asks("review.clip.frames[Math.floor(review.clip.frames.length / 2)]")
    page.asks(f"review.move('{clip}', {frame})")
    page.settle()
    for step, key in enumerate(("Enter", " ", "u", "r")):
        assert page.shown == (clip, frame + step, 0)
        page.keys(key)
    assert page.shown == (clip, frame + 4, 0)
    assert "back to it" in page.page.inner_text("#top")
    page.keys("q")
    assert page.shown == tuple(second)
    page.keys("d", "q", " ")
    assert page.shown not in (tuple(second), (clip, second[1] + 1, 0))
    last = page.asks("review.clip.frames.at(-1)")
    page.asks(f"review.move(review.clip.clip, {last})")
    page.keys(" ")
    assert "the last frame of this dive; Q goes on with the queue" in page.says


def test_a_note_just_after_u_is_on_the_pose_that_was_marked(page: Page) -> None:
    clip, frame, _ = page.shown
    page.keys("u", "m")
    assert f"Note on frame {frame}, marked unsure" in page.page.inner_text("#layer")
    page.page.keyboard.type("splash")
    page.keys("Enter")
    assert page.shown == (clip, frame + 1, 0)
    assert page.entry()["note"] == ""
    page.page.keyboard.press("m")
    assert "Note on this pose" in page.page.inner_text("#layer")
    page.keys("Escape")
    page.keys("a")
    assert (page.entry()["state"], page.entry()["note"]) == ("unsure", "splash")


def test_enter_confirms_every_joint(page: Page) -> None:
    clip, frame, person = page.shown
    pose = page.pose()
    page.keys("Enter")
    page.go(clip, frame, person)
    assert [j[3] for j in page.entry()["joints"]] == ["hand"] * 16
    assert np.allclose(page.pose(), pose, atol=0.01, equal_nan=True)


def test_a_correction_of_the_frame_before_is_carried_over(page: Page) -> None:
    """And that nobody is there; one undo takes it back."""
    page.keys("c")
    assert "you placed no joints in the frames beside" in page.page.inner_text("#overlay")
    moved(page)
    joint = page.asks("review.chosen")
    page.keys("d")
    assert f"corrected as frame {page.shown[1] - 1}" in page.page.inner_text("#overlay")
    before = page.pose()
    page.keys("c")
    assert "dotted" not in page.page.inner_text("#overlay")
    apart = np.linalg.norm(page.pose() - before, axis=-1)
    assert np.flatnonzero(apart > 0.05).tolist() == [joint]
    assert apart[joint] == pytest.approx(np.hypot(6, 4), abs=0.1)
    assert page.entry()["joints"][joint][3] == "between"
    page.keys("z", "a", "n", "d", "c")
    assert not np.isfinite(page.pose()).any()
    assert "no diver, you said" in page.page.inner_text("#overlay")


def test_what_is_said_goes_at_the_next_key_and_is_the_last_alone(page: Page) -> None:
    notes = page.page.locator(".notes p")
    page.keys("i")
    assert "no frames between two" in page.says
    page.keys("c")
    assert "you placed no joints" in page.says and notes.count() == 1
    page.keys("s")
    assert page.says == ""
    page.keys("n")
    assert page.says == "no diver, you said"
    side = page.page.inner_text("#side section")
    assert "no diver, you said" in side and "corrected" not in side and "absent" not in side


def test_dotted_is_only_a_pose_that_the_person_corrected(page: Page) -> None:
    """Not where the frame before has no diver, nor one that was only filled in; what is copied is called so."""
    clip, frame, _ = page.shown
    page.keys("n", "d")
    assert "dotted" not in page.says and page.asks("review.ghost()") is None
    page.keys("a", "z")
    for step in (0, 2):
        page.go(clip, frame + step)
        moved(page)
    page.go(clip, frame + 1)
    page.keys("i")
    assert "interpolated 1 frame;" in page.says
    page.go(clip, frame + 3)
    page.keys("s")
    assert f"dotted: corrected as frame {frame + 2}" in page.says
    page.go(clip, frame + 2)
    page.keys("Delete")
    assert "dotted" not in page.says, "the frame before was filled in"


def test_a_pose_that_is_copied_is_no_correction(data: Workspace, start: Start, pages: Pages) -> None:
    clip = read_clips(data)[0]
    poses = read_poses(data.pose_file("auto", clip.key))
    row = len(poses) // 2
    poses.keypoints[row + 1], poses.visibility[row + 1] = np.nan, 0
    write_poses(data.pose_file("auto", clip.key), poses)
    page = pages.open(start().address)
    page.go(str(clip.key), int(poses.frame[row + 1]))
    assert f"no pose yet; dotted: that of frame {poses.frame[row]}; C takes it over" in page.says


def test_no_diver_note_and_states(page: Page, data: Workspace) -> None:
    clip, frame, _ = page.shown
    page.keys("n")
    assert not np.isfinite(page.pose()).any()
    page.go(clip, frame + 2)
    page.page.keyboard.press("m")
    page.page.keyboard.type("arm behind the body")
    page.keys("Enter")
    page.keys("u")
    page.go(clip, frame + 3)
    page.keys("r")
    said = wait_for_reviews(data, page, clip, frame + 3)
    assert said[frame] == (ReviewState.CORRECTED, "")
    assert said[frame + 2] == (ReviewState.UNSURE, "arm behind the body")
    assert said[frame + 3] == (ReviewState.REJECTED, "")


def test_i_fills_in_between_checked_frames_and_one_undo_takes_all_back(page: Page) -> None:
    clip, frame, _ = page.shown
    for step in (0, 4):
        page.go(clip, frame + step)
        page.keys("Enter")
    page.go(clip, frame + 2)
    before = page.pose()
    page.keys("i")
    joints = page.entry()["joints"]
    assert {j[3] for j in joints if j} == {"between"}
    page.go(clip, frame + 1)
    assert page.entry()["joints"][7][3] == "between"
    page.keys("z")
    page.go(clip, frame + 2)
    assert np.allclose(page.pose(), before, equal_nan=True)
    assert page.entry()["joints"] == [None] * 16


def test_undo_and_redo_survive_a_reload(page: Page) -> None:
    was = page.pose()
    moved(page)
    page.keys("x")
    now = page.pose()
    page.page.reload()
    page.page.wait_for_selector(PICTURE)
    page.keys("z")
    page.keys("z")
    assert np.allclose(page.pose(), was, atol=0.01)
    page.page.reload()
    page.page.wait_for_selector(PICTURE)
    page.keys("y")
    page.keys("y")
    assert np.allclose(page.pose(), now, atol=0.01)


def test_without_poses_joints_are_placed_one_after_the_other(data: Workspace, start: Start, pages: Pages) -> None:
    shutil.rmtree(data.poses)
    page = pages.open(start().address)
    assert "no pose yet: press where the right ankle is, then the others; S passes one over" in page.says
    box = page.page.locator("#picture").bounding_box()
    for i in range(16):
        page.page.mouse.click(box["x"] + 300 + 20 * i, box["y"] + 200 + 9 * i)
        page.settle()
        if i == 0:
            assert "press where the right knee is" in page.page.inner_text("#overlay")
    assert np.isfinite(page.pose()).all()
    assert [j[3] for j in page.entry()["joints"]] == ["hand"] * 16
    assert len({tuple(p) for p in page.pose()}) == 16


def test_exchanged_divers_are_exchanged_in_the_merged_poses(data: Workspace, start: Start, pages: Pages) -> None:
    """P in one frame, Shift P from a frame on; what the page shows is what is merged."""
    clip = read_clips(data)[0]
    one = read_poses(data.pose_file("auto", clip.key))
    other = replace(one, person=one.person + 1, keypoints=one.keypoints + np.array([120, 0], np.float32))
    write_poses(data.pose_file("auto", clip.key), concatenate([one, other]))
    page = pages.open(start().address)
    frames = one.frame[one.has_diver].tolist()
    page.go(str(clip.key), frames[2])
    page.keys("p")
    page.go(str(clip.key), frames[-5])
    before = page.on_screen(*np.nanmean(page.pose(), 0))
    page.keys("Shift+P")
    assert "in 5 frames" in page.page.inner_text("#overlay")
    assert np.allclose(page.on_screen(*np.nanmean(page.pose(), 0)), before, atol=60), "the picture goes to the diver"
    merge_clips(data, [clip])
    merged = read_poses(data.pose_file("merged", clip.key))
    for frame in (frames[1], frames[2], frames[3], frames[-6], frames[-5], frames[-1]):
        for person in (0, 1):
            page.go(str(clip.key), frame, person)
            row = merged.row(frame, person)
            assert np.allclose(page.pose(), merged.keypoints[row], atol=0.02, equal_nan=True), (frame, person)
        assert set(merged.source[merged.row(frame, 0)].tolist()) <= {JointSource.NONE, JointSource.AUTOMATIC}
    assert [page.asks(f"review.clip.state({frame}, 0)") for frame in frames[-5:-3]] == ["corrected", None]
    page.go(str(clip.key), frames[-5])
    page.keys("Shift+P")
    assert "in 5 frames" in page.page.inner_text("#overlay")
    assert page.asks(f"review.clip.entry({frames[-1]}, 0).joints") == [None] * 16
    assert page.asks(f"review.clip.state({frames[-5]}, 1)") is None
    page.go(str(clip.key), frames[2], 0)
    assert np.allclose(page.pose(), other.keypoints[other.row(frames[2], 1)], atol=0.02, equal_nan=True)
