"""A person who corrects poses needs few actions, and gets what was placed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from annotate.agreement import pckh
from finediving_pose.clip import ClipKey
from finediving_pose.poses import read_poses
from finediving_pose.reviews import reviews_of_clip
from finediving_pose.workspace import Workspace
from tests.browser.annotator import ScriptedAnnotator
from tests.browser.pages import Pages, true_poses
from tests.browser.served import Served

FRAMES = 8


def test_k_wrong_joints_take_k_actions_and_one_to_go_on(
    data: Workspace, competition: Path, start: Callable[..., Served], pages: Pages
) -> None:
    """Of every pose but those with joints on one another; each joint is within 2 pixels, and all is on the disk."""
    truth = true_poses(data, competition / "truth" / "annotations.json")
    server = start("--queue", "unsure")
    work = ScriptedAnnotator(pages.open(server.address), truth).correct(FRAMES)
    server.end()
    assert len(work.places) == FRAMES
    extra = np.array(work.actions) - np.array(work.wrong)
    assert np.median(extra) == 1
    assert max(work.off) < 2
    found, wanted = [], []
    for clip, frame, person in work.places:
        key = ClipKey.parse(clip)
        file = data.pose_file("manual/anna", key)
        auto = read_poses(data.pose_file("auto", key))
        pose = auto.keypoints[auto.row(frame, person)]
        if file.is_file() and (row := read_poses(file).row(frame, person)) is not None:
            hand = read_poses(file)
            pose = np.where(hand.source[row][:, None] > 0, hand.keypoints[row], pose)
        found.append(pose)
        wanted.append(truth[key][frame, person])
        assert any((r.frame, r.person) == (frame, person) and r.state for r in reviews_of_clip(data, key))
    assert pckh(np.stack(found), np.stack(wanted)) == 1.0
