"""A joint that a person moved as Label Studio and SLEAP do it, beside the prediction, comes in alone."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.merge import merge_clips
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.poses import JointSource, read_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables

pytest.importorskip("sleap_io")
KEY = CLIPS[0].key
FRAME, PERSON = 101, 1
JOINT = int(np.flatnonzero(full_tables()[KEY].visibility[3] == 2)[0])
"""Of row 3, the second person of the second frame."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def move_in_label_studio(path: Path) -> None:
    """As its page does: the prediction becomes an annotation; its JSON export names the prediction's number only."""
    tasks = json.loads(path.read_text())
    (task,) = [t for t in tasks if t["data"]["image"].endswith("Men__10m/1/00101.jpg")]
    result = task["predictions"][0]["result"]
    for region in result:
        region["origin"] = "prediction"
        if region["id"] == f"{FRAME}-{PERSON}-{JOINT}":
            region["value"]["x"] += 3 / 64 * 100
            region["origin"] = "prediction-changed"
    task["annotations"] = [{"id": 4, "completed_by": 1, "was_cancelled": False, "result": result}]
    path.write_text(json.dumps([{**t, "predictions": [1]} for t in tasks]))


def move_in_sleap(path: Path) -> None:
    """As its window does: a user instance on the prediction's track."""
    sio: Any = pytest.importorskip("sleap_io")
    labels = sio.load_slp(str(path), open_videos=False)
    (frame,) = [f for f in labels if f.video.filename[f.frame_idx].endswith("Men__10m/1/00101.jpg")]
    (predicted,) = [p for p in frame.instances if p.track.name == f"diver{PERSON}"]
    points = np.array(predicted.points["xy"])
    points[JOINT, 0] += 3
    own = sio.Instance.from_numpy(points, skeleton=labels.skeleton, track=predicted.track, from_predicted=predicted)
    own.points["visible"] = predicted.points["visible"]
    frame.instances.append(own)
    sio.save_slp(labels, str(path), verbose=False)


MOVES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "labelstudio": ("out.json", move_in_label_studio),
    "slp": ("out.slp", move_in_sleap),
}


@pytest.mark.parametrize("name", MOVES)
def test_one_moved_joint_is_one_joint_by_hand(name: str, posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / MOVES[name][0]
    export(posed, CLIPS, name, out)
    MOVES[name][1](out)
    assert take_in(posed, CLIPS, [out], "anna").layers == {"anna": 1}
    hand, auto = (read_poses(posed.pose_file(layer, KEY)) for layer in ("manual/anna", "auto"))
    assert (hand.frame.tolist(), hand.person.tolist()) == ([FRAME], [PERSON])
    assert np.flatnonzero(hand.source[0] == JointSource.MANUAL).tolist() == [JOINT]
    np.testing.assert_allclose(hand.keypoints[0, JOINT], auto.keypoints[3, JOINT] + [3, 0], atol=1e-3)
    said = merge_clips(posed, CLIPS).as_dict()
    assert (said["joints_manual"], said["machine_against_hand_joints"]) == (1, 1)
