"""What the machine placed and nobody touched stays the machine's, through every format and back."""

from __future__ import annotations

import csv
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.formats.export import export
from finediving_pose.formats.hpmcr import sampled
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.registry import writers
from finediving_pose.poses import JointSource, read_poses
from finediving_pose.skeleton import INDEX, JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, FRAMES, WIDTH, full_tables

KEY, FRAME = CLIPS[1].key, 7
JOINT = JOINTS[int(np.flatnonzero(full_tables()[KEY].visibility[0] == 2)[0])]
"""A joint of the only diver in the frame."""
IMAGE = "07/12/00007.jpg"
DX = 6.0


def _json(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def move_official(path: Path) -> None:
    def change(entries: Any) -> None:
        (entry,) = [e for e in entries if e["image"] == IMAGE]
        entry["joints"][INDEX[JOINT]][0] += DX

    _json(path, change)


def move_coco(path: Path) -> None:
    def change(content: Any) -> None:
        (image,) = [i["id"] for i in content["images"] if i["file_name"] == IMAGE]
        (annotation,) = [a for a in content["annotations"] if a["image_id"] == image]
        annotation["keypoints"][3 * INDEX[JOINT]] += DX

    _json(path, change)


def move_labelstudio(path: Path) -> None:
    """In the results of that picture, whether they are annotations or predictions."""

    def change(tasks: Any) -> None:
        (task,) = [t for t in tasks if "00007.jpg" in json.dumps(t["data"])]
        results = [a["result"] for kind in ("annotations", "predictions") for a in task.get(kind) or []]
        (value,) = [
            r["value"] for result in results for r in result if (r.get("value") or {}).get("keypointlabels") == [JOINT]
        ]
        value["x"] += DX / WIDTH * 100

    _json(path, change)


def move_cvat(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    before, after = content["annotations.xml"].decode().split(f'name="{IMAGE}"')
    start = after.index(">", after.index(f'<points label="{JOINT}"')) - len('"')
    at = after.rindex('points="', 0, start) + len('points="')
    x, y = after[at:start].split(",")
    content["annotations.xml"] = f'{before}name="{IMAGE}"{after[:at]}{float(x) + DX},{y}{after[start:]}'.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def move_yolo(path: Path) -> None:
    (file,) = path.rglob("07__12__00007.txt")
    words = file.read_text().split()
    at = 5 + 3 * INDEX[JOINT]
    words[at] = f"{float(words[at]) + DX / WIDTH:.6f}"
    file.write_text(" ".join(words) + "\n")


def move_dlc(path: Path) -> None:
    (file,) = path.glob("labeled-data/07__12/*.csv")
    rows = list(csv.reader(file.read_text().splitlines()))
    header = {row[0]: row for row in rows[:4]}
    (column,) = [
        i for i, c in enumerate(header["coords"])
        if (header["individuals"][i], header["bodyparts"][i], c) == ("diver0", JOINT, "x")
    ]  # fmt: skip
    (row,) = [r for r in rows if "00007.jpg" in r]
    row[column] = str(float(row[column]) + DX)
    file.write_text("".join(",".join(row) + "\n" for row in rows))


def move_csv(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (at,) = [i for i, line in enumerate(lines) if line.startswith("07,12,7,") and f",{JOINT}," in line]
    cells = lines[at].split(",")
    cells[6] = str(float(cells[6]) + DX)
    path.write_text("".join([*lines[:at], ",".join(cells), *lines[at + 1 :]]), encoding="utf-8")


def move_huggingface(path: Path) -> None:
    """The clip 07/12 is the only one of the split test."""
    (file,) = path.glob("data/test-*.parquet")
    table = pq.read_table(file)
    rows = table.to_pylist()
    (row,) = [r for r in rows if r["frame"] == 7]
    row["keypoints"][0][INDEX[JOINT]][0] += DX
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)


def move_slp(path: Path) -> None:
    sio: Any = pytest.importorskip("sleap_io")
    labels = sio.load_slp(str(path))
    (frame,) = [f for f in labels.labeled_frames if str(f.video.filename[f.frame_idx]).endswith("07/12/00007.jpg")]
    (instance,) = frame.instances
    points = instance.points
    points["xy"][[str(n) for n in points["name"]].index(JOINT), 0] += DX
    sio.save_slp(labels, str(path), verbose=False)


def move_nwb(path: Path) -> None:
    """The clip 07/12 comes last; its two frames have one diver each."""
    where = full_tables()[KEY].keypoints[0, INDEX[JOINT]]
    places: list[tuple[str, tuple[int, int]]] = []
    open_h5: Any = h5py.File
    with open_h5(path, "r+") as file:

        def look(name: str, item: Any) -> None:
            if name.endswith("node_locations"):
                hits = np.argwhere((np.abs(item[()] - where) < 1e-3).all(-1))
                places.extend((name, tuple(hit)) for hit in hits)

        file.visititems(look)
        ((name, at),) = places
        values = file[name][()]
        values[(*at, 0)] += DX
        file[name][...] = values


def move_hpmcr(path: Path) -> None:
    """In every of the 96 rows that show the frame."""
    file = path / "Pose" / "07" / "pred_comp_12.npz"
    pred = np.load(file)["pred"]
    pred[sampled(FRAMES[KEY]) == FRAMES[KEY].index(FRAME), INDEX[JOINT], 0] += DX
    np.savez_compressed(file, pred=pred)


MOVES: dict[str, Callable[[Path], None]] = {
    "official": move_official, "coco": move_coco, "labelstudio": move_labelstudio, "cvat": move_cvat,
    "huggingface": move_huggingface, "csv": move_csv, "yolo": move_yolo, "dlc": move_dlc, "slp": move_slp,
    "nwb": move_nwb, "hpmcr": move_hpmcr, "hpmcr3": move_hpmcr,
}  # fmt: skip


def test_every_format_is_here() -> None:
    assert set(MOVES) == set(writers())


@pytest.mark.slow
@pytest.mark.parametrize("name", MOVES)
def test_one_joint_moved_in_the_file_is_one_joint_by_hand(name: str, posed: Workspace, tmp_path: Path) -> None:
    if name in ("slp", "nwb"):
        pytest.importorskip("sleap_io")
    endings = {"slp": ".slp", "nwb": ".nwb", "cvat": ".zip", "csv": ".csv"}
    out = tmp_path / ("out" if writers()[name].folder else f"out{endings.get(name, '.json')}")
    export(posed, CLIPS, name, out, layer="auto")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MOVES[name](out)
    intake = take_in(posed, CLIPS, [out], "anna")
    assert intake.layers == {"anna": 1} and intake.frames == {(KEY, FRAME)}
    back = read_poses(posed.pose_file("manual/anna", KEY))
    rows, joints = np.nonzero(back.source == JointSource.MANUAL)
    assert [(int(back.frame[r]), int(back.person[r]), JOINTS[j]) for r, j in zip(rows, joints, strict=True)] == [
        (FRAME, 0, JOINT)
    ]
    before = full_tables()[KEY].keypoints[0, INDEX[JOINT]]
    np.testing.assert_allclose(back.keypoints[rows[0], joints[0]], before + np.array([DX, 0]), atol=0.01)
    assert not posed.pose_file("manual/anna", CLIPS[0].key).exists()
    run = CliRunner().invoke(main, ["merge", "--json", "--data", str(posed.root)])
    assert run.exit_code == 0, run.output
    merged = json.loads(run.stdout)
    joints = sum(int((poses.visibility > 0).sum()) for poses in full_tables().values())
    assert (merged["joints_manual"], merged["joints_automatic"]) == (1, joints - 1)
    assert merged["machine_against_hand_joints"] <= 1, "the machine's own joints say nothing about it"
