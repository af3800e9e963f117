"""Each rule on poses, by what is done to a good pose table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, frame_name, write_manifest
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.skeleton import FLIP, INDEX
from finediving_pose.validate.pose_rules import load_layers
from finediving_pose.validate.rules import RULES, Finding
from finediving_pose.workspace import Workspace

CLIP = Clip(ClipKey("v", 1), synchronised=False, start_frame=0, end_frame=9, n_frames=10)
HALF = {
    "ankle": (5, 49), "knee": (5, 24.5), "hip": (5, 0), "shoulder": (13, -28), "elbow": (15, -10), "wrist": (16, 4),
    "pelvis": (0, 0), "thorax": (0, -29), "upper_neck": (0, -35), "head_top": (0, -51),
}  # fmt: skip
BODY = np.array([np.multiply(HALF[re.sub("^(left|right)_", "", j)], (-1 if j[:5] == "left_" else 1, 1)) for j in INDEX])
"""A body of 100 pixels that stands and looks away, its pelvis at the origin."""

Change = Callable[[ClipPoses], object]


def good_poses(n: int = 10, source: int = 1) -> ClipPoses:
    """The body falls 5 pixels a frame."""
    points = BODY + np.array([200, 80]) + np.arange(n)[:, None, None] * np.array([0, 5])
    box = np.hstack([points.min(1) - 5, points.max(1) + 5])
    whole = np.ones((n, 16))
    return ClipPoses(
        np.arange(n), np.zeros(n), box, points, 2 * whole, 0.9 * whole, source * whole, ["me"] * n, ["2026-01-01"] * n
    )


def two(poses: ClipPoses, apart: float) -> ClipPoses:
    """The same poses, and a second person who is that many pixels to the right."""
    both = {
        name: np.concatenate([getattr(poses, name)] * 2)
        for name in ("frame", "person", "box", "keypoints", "visibility", "confidence", "source")
    }
    both["person"][len(poses) :] = 1
    both["keypoints"][len(poses) :, :, 0] += apart
    both["box"][len(poses) :, ::2] += apart
    return ClipPoses(**both, author=poses.author * 2, time=poses.time * 2)


def joint(field: str, frame: int, value: float, name: str = "left_hip") -> Change:
    def change(poses: ClipPoses) -> None:
        getattr(poses, field)[frame, INDEX[name]] = value

    return change


def move(frames: slice, by: float | tuple[float, float], joints: slice = slice(None)) -> Change:
    def change(poses: ClipPoses) -> None:
        poses.keypoints[frames, joints] += by
        if joints == slice(None):
            poses.box[frames] += np.tile(by, 2) if isinstance(by, tuple) else by

    return change


def shrink(*frames: int, to: float) -> Change:
    def change(poses: ClipPoses) -> None:
        centre = poses.keypoints[list(frames)].mean(1, keepdims=True)
        poses.keypoints[list(frames)] = centre + (poses.keypoints[list(frames)] - centre) * to

    return change


def box(frame: int, *sides: float) -> Change:
    return lambda p: p.box.__setitem__(frame, sides)


def hide_most(poses: ClipPoses) -> None:
    poses.visibility[:3, :12] = 0


def gone(*frames: int) -> Change:
    """Rows that say: nobody is there."""

    def change(poses: ClipPoses) -> None:
        poses.keypoints[list(frames)] = poses.box[list(frames)] = np.nan
        poses.visibility[list(frames)] = poses.confidence[list(frames)] = poses.source[list(frames)] = 0

    return change


def only_feet(poses: ClipPoses) -> None:
    """The diver is in the water: small poses of few joints, in the last frames."""
    poses.visibility[7:, 1:5] = poses.visibility[7:, 6:] = 0


def swap_from(frame: int) -> Change:
    return lambda p: p.keypoints.__setitem__(slice(frame, None), p.keypoints[frame:, list(FLIP)])


def twist(poses: ClipPoses) -> None:
    """50 degrees a frame, as fast as divers twist: the sides pass each other between two frames."""
    middle = poses.keypoints[:, [INDEX["pelvis"]], 0]
    angle = np.radians(15 + 50 * np.arange(len(poses)))[:, None]
    poses.keypoints[..., 0] = middle + (poses.keypoints[..., 0] - middle) * np.cos(angle)


def flat(poses: ClipPoses) -> None:
    poses.keypoints[..., 0] = 200


@pytest.fixture
def frames(workspace: Workspace) -> Workspace:
    """A workspace with one clip of ten pictures, 455 x 256, in which a bar falls with the body."""
    folder = workspace.frame_folder(CLIP.key)
    folder.mkdir(parents=True)
    for i in range(10):
        rgb = np.full((256, 455, 3), 90, np.uint8)
        rgb[60 + 5 * i : 70 + 5 * i] = 240
        (folder / frame_name(i)).write_bytes(simplejpeg.encode_jpeg(rgb))
    names = tuple(map(frame_name, range(10)))
    write_manifest(FrameFolder(CLIP.key, folder, tuple(range(10)), 455, 256, "v.mp4", names, 25.0, ""))
    return workspace


def found(workspace: Workspace, clip: Clip = CLIP) -> list[Finding]:
    rules = [r for r in RULES.values() if r.scope == "poses"]
    return [f for layer in load_layers(workspace, clip) for r in rules for f in r(layer)]


CASES: list[tuple[str, Change, str | None, str]] = [
    ("nothing", lambda p: None, None, ""),
    ("visibility", joint("visibility", 4, 3),
     "pose.values", "0 to 2: 1 joint in 1 frame, first 00004.jpg (left_hip)"),
    ("confidence", joint("confidence", 4, 1.5), "pose.values", "confidence is not between 0 and 1"),
    ("source", joint("source", 4, 9), "pose.values", "source is not 0 to 3"),
    ("no place", joint("keypoints", 4, np.nan), "pose.values", "a joint is seen but has no place"),
    ("a hand's joint", joint("source", 4, 2), "pose.source", "placed by hand: 1 joint in 1 frame, first 00004.jpg"),
    ("other frames", lambda p: p.frame.__iadd__(1),
     "pose.frame-exists", "that the clip does not have, first 00010.jpg"),
    ("twice", lambda p: p.frame.__setitem__(4, 3), "pose.twice", "the same person twice in 1 frame, first 00003.jpg"),
    ("two persons", lambda p: p.person.__setitem__(-1, 1), "pose.persons", "2 persons in an individual dive"),
    ("few joints", hide_most,
     "pose.coverage", "only 50% of the frames before the entry have a pose of 8 joints or more"),
    ("not there yet, gone again", gone(0, 1, 2, 8, 9), None, ""),
    ("lost in between", gone(4, 5),
     "pose.presence", "the diver is gone and there again 1 time, first in 00006.jpg"),
    ("lost twice", gone(2, 4, 5), "pose.presence", "gone and there again 2 times, first in 00003.jpg"),
    ("nobody", gone(*range(10)), "pose.nobody", "no diver in any frame"),
    ("unsure", lambda p: p.confidence.__imul__(0.3), "pose.confidence", "mean confidence 0.27"),
    ("beside the picture", move(slice(None), (260, 0)), "pose.outside-picture", "outside the picture of 455 x 256"),
    ("at zero", joint("keypoints", 4, 0),
     "pose.corner", "joints at (0, 0), absent ones most likely: 1 joint in 1 frame"),
    ("box as x y w h", box(4, 180, 90, 50, 110),
     "pose.box-sides", "box 180 90 50 110 has its sides in the wrong order"),
    ("box too small", box(4, 190, 90, 210, 110), "pose.box", "joints in 1 frame, first 00004.jpg (right_ankle, "),
    ("one box large", box(4, 0, 0, 450, 250),
     "pose.box-jump", "the box jumps in size for one frame, in 1 frame, first"),
    ("in one spot", shrink(4, to=0.1),
     "pose.collapsed", "the whole body lies in one spot in 1 frame, first 00004.jpg"),
    ("few joints left", only_feet, None, ""),
    ("from the side", flat, "pose.sides-together", "left and right joints lie at the same places in 10 frames"),
    ("a joint leaps", move(slice(5, 6), 110, slice(3, 4)),
     "pose.joint-leap", "2 joints in 2 frames, first 00005.jpg"),
    ("all leap", move(slice(5, None), (230, 0)),
     "pose.body-leap", "the diver leaps in 1 frame, first 00005.jpg; another"),
    ("long arm", move(slice(4, 5), (-30, 0), slice(15, 16)),
     "pose.limb-length", "worst 00004.jpg, left elbow to left wrist, "),
    ("arm a bit long", move(slice(4, 5), (-3, 3), slice(15, 16)), None, ""),
    ("tucked", shrink(3, 4, 5, 6, to=0.55), None, ""),
    ("sides swapped", swap_from(5), "pose.sides-swapped", "left and right change places in 1 frame, first 00005.jpg"),
    ("a twist", twist, None, ""),
    ("a copy", lambda p: p.keypoints.__setitem__(slice(2, 8), p.keypoints[4]),
     "pose.frozen", "the pose is the same for 6 frames from 00002.jpg"),
    ("a short copy", lambda p: p.keypoints.__setitem__(slice(3, 7), p.keypoints[4]), None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_pose_rule_says_what_is_wrong(frames: Workspace, change: Change, rule: str | None, says: str) -> None:
    poses = good_poses()
    change(poses)
    write_poses(frames.pose_file("auto", CLIP.key), poses)
    findings = {f.rule: f for f in found(frames)}
    if rule is None:
        assert findings == {}
    else:
        finding = findings[rule]
        assert finding.message.startswith("auto: ")
        assert says in finding.message
        assert finding.layer == "auto"
        assert finding.frame is not None


@pytest.mark.parametrize("change", [c[1] for c in CASES if c[2] in (None, "pose.coverage", "pose.confidence")])
def test_hand_poses_may_be_few_and_have_no_confidence(frames: Workspace, change: Change) -> None:
    poses = good_poses(source=2)
    change(poses)
    write_poses(frames.pose_file("manual/kim", CLIP.key), poses)
    assert found(frames) == []


def test_the_machines_joint_in_a_hand_layer_is_an_error(frames: Workspace) -> None:
    write_poses(frames.pose_file("manual/kim", CLIP.key), good_poses(source=1))
    (finding,) = found(frames)
    assert (finding.rule, finding.layer) == ("pose.source", "manual/kim")
    assert "placed by the machine: 160 joints in 10 frames" in finding.message


@pytest.mark.parametrize(
    ("synchronised", "apart", "rules"),
    [(True, 60, []), (True, 3, ["pose.same-person"]), (False, 60, ["pose.persons"]), (None, 60, [])],
)
def test_two_persons_are_two_divers(
    frames: Workspace, synchronised: bool | None, apart: float, rules: list[str]
) -> None:
    write_poses(frames.pose_file("auto", CLIP.key), two(good_poses(), apart))
    assert [f.rule for f in found(frames, replace(CLIP, synchronised=synchronised))] == rules


def test_a_partner_who_is_gone_is_no_missing_pose_and_one_who_comes_back_is_named(frames: Workspace) -> None:
    clip, poses = replace(CLIP, synchronised=True), two(good_poses(), 60)
    rows = np.flatnonzero((poses.person == 1) & (poses.frame >= 7))
    gone(*rows.tolist())(poses)
    write_poses(frames.pose_file("auto", CLIP.key), poses)
    assert found(frames, clip) == []
    gone(*np.flatnonzero((poses.person == 1) & (poses.frame == 3)).tolist())(poses)
    write_poses(frames.pose_file("auto", CLIP.key), poses)
    (finding,) = found(frames, clip)
    assert finding.message == "auto: diver 1 is gone and there again 1 time, first in 00004.jpg"


def test_a_synchronised_dive_wants_two_persons(frames: Workspace) -> None:
    write_poses(frames.pose_file("merged", CLIP.key), good_poses())
    (finding,) = found(frames, replace(CLIP, synchronised=True))
    assert finding.message == "merged: 1 person in a synchronised dive"


def merged_from(auto: ClipPoses, hand: ClipPoses) -> ClipPoses:
    """A right merge: the hand's frames 0 to 4, the machine's others."""
    merged = good_poses()
    merged.keypoints[:] = np.concatenate([hand.keypoints, auto.keypoints[5:]])
    merged.source[:5] = 2
    return merged


MERGES: list[tuple[str, Callable[[ClipPoses, ClipPoses, ClipPoses], object], dict[str, str]]] = [
    ("right", lambda auto, hand, merged: None, {}),
    ("the machine won", lambda auto, hand, merged: merged.keypoints.__setitem__(3, auto.keypoints[3]),
     {"pose.merge-hand": "merged: not where a person placed them: 16 joints in 1 frame, first 00003.jpg"}),
    ("not marked as a hand's", lambda auto, hand, merged: merged.source.__setitem__((3, INDEX["left_hip"]), 1),
     {"pose.merge-hand": "1 joint in 1 frame, first 00003.jpg (left_hip)", "pose.merge-stale": "elsewhere: 1 joint"}),
    ("corrected since", lambda auto, hand, merged: hand.keypoints.__setitem__(2, hand.keypoints[2] + 1),
     {"pose.merge-hand": "first 00002.jpg"}),
    ("annotated again", lambda auto, hand, merged: auto.keypoints.__iadd__(1),
     {"pose.merge-stale": "merged: the machine now places them elsewhere: 80 joints in 5 frames, first 00005.jpg"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), [m[1:] for m in MERGES], ids=[m[0] for m in MERGES])
def test_merged_poses_follow_the_hand_then_the_machine(
    frames: Workspace, change: Callable[..., object], says: dict[str, str]
) -> None:
    auto, hand = good_poses(), good_poses(5, source=2)
    hand.keypoints[:] += 2
    merged = merged_from(auto, hand)
    change(auto, hand, merged)
    for layer, poses in (("auto", auto), ("manual/kim", hand), ("merged", merged)):
        write_poses(frames.pose_file(layer, CLIP.key), poses)
    findings = {f.rule: f.message for f in found(frames)}
    assert set(findings) == set(says)
    assert all(words in findings[rule] for rule, words in says.items())


def test_joints_between_a_persons_frames_are_the_persons(frames: Workspace) -> None:
    """Interpolated at a person's wish: neither strange in the person's layer, nor stale where they are merged."""
    auto, hand = good_poses(), good_poses(5, source=3)
    hand.keypoints[:] += 2
    for layer, poses in (("auto", auto), ("manual/kim", hand), ("merged", merged_from(auto, hand))):
        write_poses(frames.pose_file(layer, CLIP.key), poses)
    assert found(frames) == []


def test_exchanged_sides_are_the_persons(frames: Workspace) -> None:
    """The machine's arms and legs, left and right exchanged: neither strange in the layer, nor stale in the merge."""
    auto, hand = good_poses(), good_poses(5)
    middle = [j for j, other in enumerate(FLIP) if j == other]
    hand.keypoints[:] = hand.keypoints[:, list(FLIP)]
    merged = merged_from(auto, hand)
    merged.source[:] = 1
    hand.keypoints[:, middle], hand.visibility[:, middle], hand.source[:, middle] = np.nan, 0, 0
    for layer, poses in (("auto", auto), ("manual/kim", hand), ("merged", merged)):
        write_poses(frames.pose_file(layer, CLIP.key), poses)
    assert {f.rule for f in found(frames)} <= {"pose.sides-swapped"}


def test_a_frame_that_was_not_merged_is_missed(frames: Workspace) -> None:
    write_poses(frames.pose_file("auto", CLIP.key), good_poses())
    write_poses(frames.pose_file("merged", CLIP.key), good_poses(9))
    assert [f.message for f in found(frames)] == [
        "merged: lacks 1 pose that other layers have, first 00009.jpg; merge again with: fdpose merge"
    ]


@pytest.mark.parametrize(("by", "rules"), [(5, []), (14, ["pose.hands-agree"])])
def test_two_people_agree_within_half_a_head(frames: Workspace, by: float, rules: list[str]) -> None:
    kim, lee = good_poses(source=2), good_poses(source=2)
    lee.keypoints[4, INDEX["left_wrist"]] += by
    for name, poses in (("kim", kim), ("lee", lee)):
        write_poses(frames.pose_file(f"manual/{name}", CLIP.key), poses)
    findings = [f for f in found(frames) if f.rule == "pose.hands-agree"]
    assert [f.rule for f in findings] == rules
    for f in findings:
        assert f.message == (
            "manual/kim: manual/lee places joints 20 pixels away: 1 joint in 1 frame, first 00004.jpg (left_wrist)"
        )


def test_a_damaged_pose_file_is_a_finding_and_no_end(frames: Workspace) -> None:
    path = frames.pose_file("auto", CLIP.key)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 no")
    (finding,) = found(frames)
    assert (finding.rule, finding.severity) == ("pose.readable", "error")
    assert "not a pose table" in finding.message
