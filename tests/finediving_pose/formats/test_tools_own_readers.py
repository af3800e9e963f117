"""The readers of the tools themselves take our exports; each test is skipped where its tool is not installed.

``make test`` installs them from ``requirements/tools.txt``.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.clip import ClipKey
from finediving_pose.formats.export import export
from finediving_pose.frames import open_frames
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, HEIGHT, WIDTH, full_tables, write_layer


def test_ultralytics_finds_no_corrupt_label(posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another working directory than the export's, with joints and boxes that leave the picture."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    utils: Any = pytest.importorskip("ultralytics.data.utils")
    tables = full_tables()
    poses = tables[CLIPS[0].key]
    poses.keypoints[0, :2] = [(70, 5), (5, -3)]
    poses.visibility[0, :2] = 2
    poses.box[0] = (-9, -9, 90, 90)
    write_layer(posed, tables)
    export(posed, CLIPS, "yolo", tmp_path / "out")
    monkeypatch.chdir("/")
    config = utils.check_det_dataset(str(tmp_path / "out" / "data.yaml"), autodownload=False)
    assert config["kpt_names"] == {0: list(JOINTS)}
    counts: Counter[str] = Counter()
    for folder in {config["train"], config["val"]}:
        for picture in sorted(Path(folder).glob("*.jpg")):
            label = picture.parent.parent / "labels" / f"{picture.stem}.txt"
            result = utils.verify_image_label((str(picture), str(label), "", True, 1, 16, 3, False))
            counts.update(dict(zip(("missing", "found", "empty", "corrupt"), result[5:9], strict=True)))
            counts["joints"] += int((result[4][..., 2] > 0).sum())
    inside = sum(int((t.visibility > 0).sum()) for t in tables.values()) - 2
    assert counts == {"missing": 0, "found": 6, "empty": 0, "corrupt": 0, "joints": inside}


def test_cvats_client_takes_the_label(posed: Workspace, tmp_path: Path) -> None:
    models: Any = pytest.importorskip("cvat_sdk.models")
    export(posed, CLIPS, "cvat", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        labels = [models.PatchedLabelRequest(**label) for label in json.loads(archive.read("labels.json"))]
    task = models.TaskWriteRequest(name="dives", labels=labels)
    assert [s["name"] for s in task.labels[0].sublabels] == list(JOINTS)


def test_datumaro_reads_the_cvat_export(posed: Workspace, tmp_path: Path) -> None:
    """It knows no skeletons: it takes their points one by one."""
    dm: Any = pytest.importorskip("datumaro")
    export(posed, CLIPS, "cvat", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "out")
    items = list(dm.Dataset.import_from(str(tmp_path / "out"), "cvat"))
    assert {tuple(item.media.size) for item in items} == {(HEIGHT, WIDTH)}
    assert sum(len(item.annotations) for item in items) == 16 * 10


def test_datumaro_reads_the_coco_export(posed: Workspace, tmp_path: Path) -> None:
    dm: Any = pytest.importorskip("datumaro")
    root = tmp_path / "out"
    (root / "annotations").mkdir(parents=True)
    shutil.copytree(posed.frames, root / "images" / "default")
    export(posed, CLIPS, "coco", root / "annotations" / "person_keypoints_default.json")
    items = list(dm.Dataset.import_from(str(root), "coco_person_keypoints"))
    points = [a for item in items for a in item.annotations if a.type == dm.AnnotationType.points]
    seen = [int(v.value) for a in points for v in a.visibility]
    wanted = [int(v) for t in full_tables().values() for v in t.visibility.reshape(-1)]
    assert Counter(seen) == Counter(wanted)


@pytest.mark.slow
def test_hugging_faces_datasets_read_pictures_labels_and_joints(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets: Any = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    tables = full_tables()
    export(posed, CLIPS, "huggingface", tmp_path / "out")
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": 4, "test": 2}
    assert isinstance(loaded["train"].features["image"], datasets.Image)
    for clip, split in zip(CLIPS, ("train", "test"), strict=True):
        frames, poses = open_frames(posed, clip.key), tables[clip.key]
        for row in loaded[split]:
            assert (ClipKey(row["video"], row["index"]), row["action_type"]) == (clip.key, clip.action_type)
            assert (np.asarray(row["image"]) == frames.read(row["frame"])).all()
            assert row["seconds"] == pytest.approx((row["frame"] - frames.numbers[0]) / 25)
            assert row["sub_action"] == replace(clip, n_frames=4).frame_labels()[row["frame"] - frames.numbers[0]]
            at = [poses.row(row["frame"], person) or 0 for person in row["person"]]
            np.testing.assert_array_equal(np.array(row["keypoints"], np.float32), poses.keypoints[at])
            np.testing.assert_array_equal(row["visibility"], poses.visibility[at])
            np.testing.assert_array_equal(row["joint_source"], poses.source[at])
    shuffled = datasets.load_dataset(str(tmp_path / "out"), split="train", streaming=True).shuffle(seed=1)
    assert len(list(shuffled)) == 4
