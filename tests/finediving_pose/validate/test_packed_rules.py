"""Each rule on the packed file, by what is done to a whole one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.packed import schema
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, read_poses, write_poses
from finediving_pose.validate.packed_rules import load_packed
from finediving_pose.validate.rules import RULES, Finding
from finediving_pose.validate.same_pictures import shared_pictures
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip

KEYS = [ClipKey("men", 1), ClipKey("men", 2), ClipKey("women", 0)]
Change = Callable[[Any], object]
"""Of an open h5py.File."""


@pytest.fixture
def packed(workspace: Workspace) -> Workspace:
    """A data directory with three clips of eight frames, two with poses, and their packed file with a cache."""
    for i, key in enumerate(KEYS):
        clip = Clip(key, start_frame=20 * i, end_frame=20 * i + 7, stage_starts=(2, 5), sub_actions=(3, 24, 36))
        add_clip(workspace, clip, list(range(20 * i, 20 * i + 8)))
    for key in KEYS[:2]:
        write_poses(workspace.pose_file("auto", key), poses(KEYS.index(key)))
    write_packed(workspace, cache=True)
    return workspace


def poses(clip: int) -> ClipPoses:
    rng = np.random.default_rng(clip)
    points = rng.uniform(0, 60, (8, 16, 2))
    box = np.hstack([points.min(1), points.max(1)])
    whole = np.ones((8, 16))
    return ClipPoses(
        np.arange(8) + 20 * clip, np.zeros(8), box, points, 2 * whole, 0.9 * whole, whole, ["me"] * 8, [""] * 8
    )


def found(workspace: Workspace) -> list[Finding]:
    subject = load_packed(workspace.packed)
    return [f for r in RULES.values() if r.scope == "packed" for f in r(subject)]


def put(name: str, at: Any, value: Any) -> Change:
    return lambda file: file[name].__setitem__(at, value)


def attribute(name: str, value: Any) -> Change:
    return lambda file: file.attrs.__setitem__(name, value)


def retype(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:
    def apply(file: Any) -> None:
        data = file[name][()]
        del file[name]
        file[name] = change(data)

    return apply


def honest(change: Change) -> Change:
    """Changed before it was packed, so to say: the clips' digests are right."""

    def apply(file: Any) -> None:
        change(file)
        columns = {c.name: file[f"clips/{c.name}"][()] for c in schema.COLUMNS}
        offset, jpeg_offset = file["clips/frame_offset"][()], file["frames/jpeg_offset"][()]
        for i, (a, b) in enumerate(pairwise(offset)):
            jpeg = file["frames/jpeg"][jpeg_offset[a] : jpeg_offset[b]]
            frames = (file["frames/number"][a:b], np.diff(jpeg_offset[a : b + 1]), jpeg, file["labels/sub_action"][a:b])
            pose = {name: file[f"pose/{name}"][a:b] for name in schema.POSE}
            file["digest/clip"][i] = np.frombuffer(schema.clip_digest(columns, i, frames, pose), np.uint8)

    return apply


def other_skeleton(file: Any) -> None:
    skeleton = json.loads(file.attrs["skeleton"])
    file.attrs["skeleton"] = json.dumps({**skeleton, "joints": skeleton["joints"][::-1]})


CASES: list[tuple[str, Change, str | None, str]] = [
    ("nothing", lambda file: None, None, ""),
    ("the digests made anew", honest(lambda file: None), None, ""),
    ("no file of ours", attribute("format", "other"), "packed.opens", "an HDF5 file, but not one that fdpose packed"),
    ("newer major version", attribute("version", "2.0"), "packed.opens", "format 2.0 is newer than this fdpose can"),
    ("a dataset gone", lambda file: file.__delitem__("pose/box"),
     "packed.opens", "lacks pose/box; pack it again with"),
    ("newer minor version", attribute("version", "1.7"), "packed.version", "format 1.7, this fdpose knows 1.0"),
    ("another type", retype("pose/confidence", lambda v: v.astype("<f8")),
     "packed.schema", "pose/confidence: type float64, expected <f4"),
    ("a frame too few", retype("frames/number", lambda v: v[:-1]),
     "packed.schema", "frames/jpeg_offset: shape (25,), expected (24,)"),
    ("a joint too few", retype("pose/visibility", lambda v: v[:, :, :15]),
     "packed.schema", "pose/visibility: shape (24, 2, 15), expected (24, 2, 16)"),
    ("a short column", retype("clips/fps", lambda v: v[:2]), "packed.schema", "clips/fps: shape (2,), expected (3,)"),
    ("offsets fall", put("clips/frame_offset", 2, 4), "packed.offsets", "clips/frame_offset falls from 8 to 4 at 2"),
    ("offsets end early", put("clips/frame_offset", 3, 20),
     "packed.offsets", "clips/frame_offset ends at 20, the data at 24"),
    ("offsets start late", put("frames/jpeg_offset", 0, 1),
     "packed.offsets", "frames/jpeg_offset starts at 1, not at 0"),
    ("a label changed", put("clips/dive_score", 1, 99.0),
     "packed.digests", "labels, frames or poses changed since it was"),
    ("a cached pixel changed", retype(schema.CACHE, lambda v: v ^ 1),
     "packed.digests", "cached frames changed"),
    ("an attribute changed", attribute("creator", "somebody"),
     "packed.structure", "changed since it was packed; pack it again"),
    ("another skeleton", other_skeleton, "packed.skeleton", "skeleton: other joints than ours"),
    ("no provenance", lambda file: file.attrs.__delitem__("provenance"),
     "packed.provenance", "lacks the attributes provenance"),
    ("a wrong count", attribute("n_frames", 25), "packed.counts", "n_frames says 25, there are 24"),
    ("another sub-action", honest(put("labels/sub_action", 10, 36)),
     "packed.sub-actions", "1 frame with another sub-action than the stages say, first 22"),
    ("a place lost", honest(put("pose/keypoints", (10, 0, 3), np.nan)),
     "packed.pose-values", "1 joint seen without a place"),
    ("a confidence of 90", honest(put("pose/confidence", (10, 0, 3), 90)),
     "packed.pose-values", "1 confidence not between 0 and 1"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_packed_rule_says_what_is_wrong(packed: Workspace, change: Change, rule: str | None, says: str) -> None:
    with h5py.File(packed.packed, "r+") as file:
        change(file)
    findings = found(packed)
    also = {"packed.poses", "packed.structure"} - {rule}  # a changed attribute changes the file's structure, too
    assert {f.rule for f in findings} - also == ({rule} if rule else set())
    assert not says or any(says in f.message for f in findings)
    assert all(f.key in KEYS or f.field == packed.packed.name for f in findings)


def test_a_finding_on_one_clip_names_it(packed: Workspace) -> None:
    with h5py.File(packed.packed, "r+") as file:
        put("clips/dive_score", 1, 99.0)(file)
    (finding,) = found(packed)
    assert (finding.place, finding.severity) == ("men/2", "error")


def test_a_file_cut_short_is_a_finding_and_no_end(packed: Workspace) -> None:
    packed.packed.write_bytes(packed.packed.read_bytes()[:2000])
    (finding,) = found(packed)
    assert (finding.rule, finding.place) == ("packed.opens", "finediving_pose.h5")
    assert "cut short (2,000 bytes)" in finding.message


def annotate_again(workspace: Workspace) -> None:
    path = workspace.pose_file("auto", KEYS[0])
    changed = read_poses(path)
    write_poses(path, replace(changed, keypoints=changed.keypoints + (np.arange(8) == 3)[:, None, None]))


def merge(workspace: Workspace) -> None:
    write_poses(workspace.pose_file("merged", KEYS[1]), poses(7))


def write_again(workspace: Workspace) -> None:
    write_poses(workspace.pose_file("auto", KEYS[0]), read_poses(workspace.pose_file("auto", KEYS[0])))


def relabel(workspace: Workspace) -> None:
    clips = read_clips(workspace)
    write_clips(workspace.clips_table, [replace(clips[0], dive_score=12.5, split="test"), *clips[1:]])


def another_clip(workspace: Workspace) -> None:
    add_clip(workspace, Clip(ClipKey("men", 3)), [100, 101, 102, 103])


def extract_again(workspace: Workspace) -> None:
    path = workspace.frame_folder(KEYS[2]) / "clip.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "numbers": list(range(50, 58))}))


STALE: list[tuple[Callable[[Workspace], object], str | None, str]] = [
    (annotate_again, "packed.poses", "1 frame with other poses than auto has now; pack it again with: fdpose pack"),
    (merge, "packed.poses", "8 frames with other poses than merged has now"),
    (write_again, None, ""),
    (relabel, "packed.clips", "packed with other labels than the clips table has: split, dive_score"),
    (another_clip, "packed.clips", "1 clip with frames not packed, first men/3"),
    (extract_again, "packed.frames", "packed with 8 frames, the folder has 8 or other numbers"),
]


@pytest.mark.parametrize(("change", "rule", "says"), STALE)
def test_a_stale_packed_file_is_found(
    packed: Workspace, change: Callable[[Workspace], object], rule: str | None, says: str
) -> None:
    change(packed)
    findings = found(packed)
    assert {f.rule for f in findings} == ({rule} if rule else set())
    assert not rule or says in findings[0].message


def test_a_file_elsewhere_is_checked_by_itself(packed: Workspace, tmp_path: Path) -> None:
    annotate_again(packed)
    elsewhere = tmp_path / "copy.h5"
    elsewhere.write_bytes(packed.packed.read_bytes())
    assert [f for r in RULES.values() if r.scope == "packed" for f in r(load_packed(elsewhere))] == []


def test_two_clips_that_share_pictures_are_found(packed: Workspace) -> None:
    clip = Clip(ClipKey("men", 9), start_frame=22, end_frame=29, split="test")
    add_clip(packed, clip, list(range(22, 30)))
    write_packed(packed)
    (finding,) = [f for f in found(packed) if f.rule == "packed.same-pictures"]
    assert (str(finding.key), finding.message) == ("men/9", "shares 6 pictures with men/2 (none and test)")


@pytest.mark.parametrize(
    ("clips", "pairs"),
    [
        (["abcd", "efgh"], []),
        (["abcd", "xxabcd"], [(0, 1, 4, 0, 2)]),
        (["abcd", "dcba"], []),
        (["aaaaaaaaa", "aaaaaaaaa"], []),
        (["abc" + "efghijklmnop", "abc" + "EFGHIJKLMNOP"], []),
        (["ab", "ab"], []),
        (["abcd", "ABCD"], []),
        (["abcdef", "abXdef"], [(0, 1, 3, 3, 3)]),
    ],
)
def test_shared_pictures_are_in_the_same_order_and_many(clips: list[str], pairs: list[tuple[int, ...]]) -> None:
    """A letter is a picture; its size is its place in the alphabet, so that a and A are as large."""
    sizes = [np.array([ord(letter.lower()) for letter in clip]) for clip in clips]
    shared = shared_pictures(sizes, lambda i, at: clips[i][at].encode())
    assert [(s.a, s.b, s.count, s.at_a, s.at_b) for s in shared] == pairs
