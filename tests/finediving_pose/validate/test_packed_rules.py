"""Each rule on the packed file by itself, by what is done to a whole one."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import h5py
import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.packed import schema
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip
from tests.finediving_pose.validate.made_up_packed import KEYS, found

pytestmark = pytest.mark.slow

Change = Callable[[Any], object]
"""Of an open h5py.File."""


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


def test_two_clips_that_share_pictures_are_found(packed: Workspace) -> None:
    clip = Clip(ClipKey("men", 9), start_frame=22, end_frame=29, split="test")
    add_clip(packed, clip, list(range(22, 30)))
    write_packed(packed)
    (finding,) = [f for f in found(packed) if f.rule == "packed.same-pictures"]
    assert (str(finding.key), finding.message) == ("men/9", "shares 6 pictures with men/2 (none and test)")
