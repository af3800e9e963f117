"""Corrected copies of the released pickles."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels.errata import corrections, read_errata
from finediving_pose.labels.patch import Change, write_patched
from finediving_pose.labels.read import read_label_files
from finediving_pose.validate import validate_labels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def patched(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Change]]:
    """Both data sets, corrected."""
    folder = tmp_path_factory.mktemp("patched")
    both = folder / "both"
    for name in ("finediving", "mtl_aqa"):
        shutil.copytree(shared_data / name, both / name)
    return folder / "out", write_patched(both, folder / "out")


def load(path: Path) -> Any:
    """As the released code does it; these files are known by their sha256."""
    with path.open("rb") as f:
        return pickle.load(f)


def shape(value: Any) -> Any:
    """The types of everything in a value, without its numbers and texts."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [shape(v) for v in value]
    if isinstance(value, np.ndarray):
        return type(value), value.dtype, value.shape
    return type(value)


@pytest.mark.parametrize(
    "name",
    [
        "finediving/Annotations/FineDiving_coarse_annotation.pkl",
        "finediving/Annotations/fine-grained_annotation_aqa.pkl",
        "mtl_aqa/final_annotations_dict_with_dive_number.pkl",
    ],
)
def test_every_key_and_type_is_as_it_was(patched: tuple[Path, list[Change]], shared_data: Path, name: str) -> None:
    before, after = load(shared_data / name), load(patched[0] / name)
    assert list(before) == list(after)
    assert shape(before) == shape(after)
    differing = [k for k in before if pickle.dumps(before[k]) != pickle.dumps(after[k])]
    assert {f"{k[0]:02d}/{k[1]}" if isinstance(k[0], int) else f"{k[0]}/{k[1]}" for k in differing} == {
        c.clip for c in patched[1] if str(c.path) == name
    }


def test_names_of_stages_follow_their_frames(patched: tuple[Path, list[Change]], shared_data: Path) -> None:
    """In the fine-grained file the keys of the tables of names change with the stages, but not their types."""
    name = "finediving/Annotations/FineDiving_fine-grained_annotation.pkl"
    before, after = load(shared_data / name), load(patched[0] / name)
    for key, dive in after.items():
        table, was = dive["sub-action_types"], before[key]["sub-action_types"]
        assert {type(k) for k in table} <= {type(k) for k in was}
        if set(map(int, table)) != set(map(int, was)):
            assert set(map(int, table)) == set(np.unique(dive["frames_labels"]).tolist())


def test_splits_are_the_same_bytes(patched: tuple[Path, list[Change]], shared_data: Path) -> None:
    for name in ("finediving/Annotations/train_split.pkl", "mtl_aqa/test_split_0.pkl"):
        assert (patched[0] / name).read_bytes() == (shared_data / name).read_bytes()


def test_the_released_loaders_steps_work_on_it(patched: tuple[Path, list[Change]]) -> None:
    """What a training loader of FineDiving, and one of MTL-AQA, reads of a dive."""
    folder = patched[0] / "finediving" / "Annotations"
    training, coarse = (
        load(folder / "fine-grained_annotation_aqa.pkl"),
        load(folder / "FineDiving_coarse_annotation.pkl"),
    )
    by_number: dict[str, list[Any]] = {}
    for key in load(folder / "train_split.pkl"):
        by_number.setdefault(training[key][0], []).append(key)
    key = ("01", 34)
    number, score, difficulty, transits, labels = training[key]
    assert number in by_number
    assert difficulty == coarse[key]["difficulty"] == 3.3
    assert sum(sorted(coarse[key]["judge_scores"])[2:5]) * difficulty == pytest.approx(score)
    assert len(labels) == coarse[key]["end_frame"] - coarse[key]["start_frame"] + 1
    assert all(labels[t] != labels[t + 1] for t in transits)
    mtl = load(patched[0] / "mtl_aqa" / "final_annotations_dict_with_dive_number.pkl")
    dive = mtl[7, 7]
    assert (dive["dive_number"], dive["ss_no"], dive["position"]) == ("101B", 1, 1)
    assert sorted(dive["judge_scores"])[3] * dive["difficulty"] > 0
    assert all(key in mtl for key in load(patched[0] / "mtl_aqa" / "train_split_0.pkl"))


def test_nothing_certain_is_left_to_correct(patched: tuple[Path, list[Change]]) -> None:
    """But awards of which only the sum is known."""
    files = [read_label_files(patched[0] / name) for name in ("finediving", "mtl_aqa")]
    left = [f for f in validate_labels(files, select=["label"]) if f.level == "certain"]
    assert {f.field for f in left} == {"judge_scores"}
    assert all(f.expected.endswith("in sum") for f in left)
    known = corrections(read_errata("labels"))
    assert {c.erratum for c in patched[1]} == {e for e in known if not e.expected.endswith("in sum")}


def test_another_file_than_the_release_is_refused(shared_data: Path, tmp_path: Path) -> None:
    shutil.copytree(shared_data / "mtl_aqa", tmp_path / "mtl_aqa")
    path = tmp_path / "mtl_aqa" / "final_annotations_dict_with_dive_number.pkl"
    dives = load(path)
    dives[1, 1]["difficulty"] = 3.3
    path.write_bytes(pickle.dumps(dives))
    with pytest.raises(LabelError, match="not a released file, by its sha256"):
        write_patched(tmp_path / "mtl_aqa", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_not_written_to(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        write_patched(shared_data / "mtl_aqa", tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        write_patched(shared_data / "mtl_aqa" / "train_split_0.pkl", tmp_path / "out")
