"""What goes out in a format comes back in, as far as the format can hold it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.registry import readers, writers
from finediving_pose.poses import ClipPoses, Visibility, read_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, HEIGHT, WIDTH, clip_tables, write_layer


@dataclass(frozen=True)
class Keeps:
    """What a format holds, as docs/formats.md says."""

    tolerance: float
    occluded: bool
    person: bool
    box: bool
    confidence: bool
    outside: bool = True
    examples: int = 40


KEEPS = {
    "official": Keeps(1e-5, occluded=False, person=False, box=False, confidence=False),
    "coco": Keeps(1e-4, occluded=True, person=True, box=True, confidence=True),
    "labelstudio": Keeps(1e-4, occluded=True, person=True, box=True, confidence=True),
    "huggingface": Keeps(1e-5, occluded=True, person=True, box=True, confidence=True, examples=25),
    "csv": Keeps(1e-4, occluded=True, person=True, box=False, confidence=True),
    "dlc": Keeps(1e-4, occluded=False, person=True, box=False, confidence=False),
    "cvat": Keeps(1e-4, occluded=True, person=True, box=False, confidence=False),
    "yolo": Keeps(5e-4, occluded=True, person=False, box=True, confidence=False, outside=False),
    "slp": Keeps(1e-5, occluded=True, person=True, box=False, confidence=True, examples=12),
    "nwb": Keeps(1e-5, occluded=True, person=True, box=False, confidence=False, examples=5),
}
"""hpmcr has tests of its own: it holds 96 frames of one person."""

ENDINGS = {"slp": "slp", "nwb": "nwb", "cvat": "zip", "csv": "csv"}
"""Of the formats that are one file and no JSON."""


def test_every_format_has_a_round_trip() -> None:
    assert set(readers()) == {*KEEPS, "hpmcr", "mpii"}
    assert set(writers()) == {*KEEPS, "hpmcr", "hpmcr3"}


@pytest.mark.slow
@pytest.mark.parametrize("name", KEEPS)
def test_poses_come_back_as_they_went_out(name: str, framed: Workspace, tmp_path: Path) -> None:
    keeps = KEEPS[name]

    @settings(
        max_examples=keeps.examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(tables=clip_tables())
    def round_trip(tables: dict[ClipKey, ClipPoses]) -> None:
        shutil.rmtree(framed.poses, ignore_errors=True)
        write_layer(framed, tables)
        expected = {key: posed for key, t in tables.items() if (posed := _expected(t, keeps))}
        out = tmp_path / ("out" if writers()[name].folder else f"out.{ENDINGS.get(name, 'json')}")
        if not any((t.visibility > 0).any() for t in tables.values()):
            with pytest.raises(PoseError, match="no clip with frames has poses"):
                export(framed, CLIPS, name, out)
            return
        export(framed, CLIPS, name, out)
        if not expected:
            with pytest.raises(PoseError, match="nothing to take in"):
                take_in(framed, CLIPS, [out], "anna", everything=True)
            return
        take_in(framed, CLIPS, [out], "anna", everything=True)
        for clip in CLIPS:
            path = framed.pose_file("manual/anna", clip.key)
            assert path.is_file() == (clip.key in expected)
            if path.is_file():
                _compare(read_poses(path), expected[clip.key], keeps)

    round_trip()


Row = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _expected(poses: ClipPoses, keeps: Keeps) -> dict[tuple[int, int], Row]:
    """By frame and person, the rows with a joint.

    A format without persons counts them from 0, and has one where two are in the same place.
    """
    found: dict[tuple[int, int], Row] = {}
    inside = np.all((poses.keypoints >= 0) & (poses.keypoints <= [WIDTH, HEIGHT]), axis=-1) | np.array(keeps.outside)
    for i in np.flatnonzero((inside & (poses.visibility > 0)).any(1)):
        frame, person = int(poses.frame[i]), int(poses.person[i])
        keypoints = np.where(inside[i][:, None], poses.keypoints[i], np.nan)
        row = (keypoints, poses.visibility[i] * inside[i], poses.box[i], poses.confidence[i])
        if not keeps.person:
            others = [r for (f, _), r in found.items() if f == frame]
            if any(_in_one_place(row, other, keeps) for other in others):
                continue
            person = len(others)
        found[frame, person] = row
    return found


def _in_one_place(one: Row, two: Row, keeps: Keeps) -> bool:
    first, second = (r[1] if keeps.occluded else r[1] > 0 for r in (one, two))
    return np.array_equal(first, second) and np.allclose(one[0], two[0], atol=0.01, equal_nan=True)


def _compare(back: ClipPoses, expected: dict[tuple[int, int], Row], keeps: Keeps) -> None:
    assert list(zip(back.frame.tolist(), back.person.tolist(), strict=True)) == sorted(expected)
    for i, place in enumerate(sorted(expected)):
        keypoints, visibility, box, confidence = expected[place]
        np.testing.assert_allclose(back.keypoints[i], keypoints, atol=keeps.tolerance, rtol=0)
        seen = visibility if keeps.occluded else np.where(visibility > 0, Visibility.VISIBLE, 0)
        np.testing.assert_array_equal(back.visibility[i], seen)
        if keeps.box:
            np.testing.assert_allclose(back.box[i], np.clip(box, 0, [WIDTH, HEIGHT] * 2), atol=1e-3)
        if keeps.confidence:
            np.testing.assert_allclose(back.confidence[i], confidence, atol=1e-5)
        else:
            np.testing.assert_array_equal(back.confidence[i], visibility > 0)


@pytest.mark.parametrize("name", sorted(KEEPS))
def test_a_format_is_recognised_by_looking(name: str, posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / ("folder" if writers()[name].folder else f"poses.{ENDINGS.get(name, 'json')}")
    export(posed, CLIPS, name, out)
    summary = take_in(posed, CLIPS, [out], "anna", everything=True).as_dict()
    assert (summary["format"], summary["clips"], summary["frames"], summary["entries"]) == (name, 2, 6, 10)
