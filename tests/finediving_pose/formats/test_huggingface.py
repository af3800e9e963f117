"""The Parquet folder of Hugging Face's datasets: its shards, its card, and files that can't be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from finediving_pose.errors import PoseError
from finediving_pose.formats import huggingface
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS


def test_the_card_names_the_splits_and_their_files(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "huggingface", tmp_path / "out")
    head = yaml.safe_load((tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    files = {entry["split"]: entry["path"] for entry in head["configs"][0]["data_files"]}
    assert files == {"train": "data/train-*.parquet", "test": "data/test-*.parquet"}
    for split, pattern in files.items():
        (file,) = (tmp_path / "out").glob(pattern)
        assert pq.read_metadata(file).num_rows == {"train": 4, "test": 2}[split]


def test_many_pictures_go_into_several_files(posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "_SHARD", 1)
    monkeypatch.setattr(huggingface, "_ROWS", 1)
    export(posed, CLIPS, "huggingface", tmp_path / "out")
    names = sorted(p.name for p in (tmp_path / "out" / "data").iterdir())
    assert names == [*(f"test-{i:05d}.parquet" for i in range(2)), *(f"train-{i:05d}.parquet" for i in range(4))]
    assert take_in(posed, CLIPS, [tmp_path / "out"], "anna", everything=True).as_dict()["entries"] == 10


def changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def harm(file: Path) -> None:
        table = pq.read_table(file)
        rows = table.to_pylist()
        change(rows[0])
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)

    return harm


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a joint less": (changed(lambda r: r["keypoints"][0].pop()), "data/test-00000.parquet row 0: "),
    "a list less": (changed(lambda r: r["visibility"].pop()), "row 0: visibility has the shape (0,), expected (1, 16)"),
    "another visibility": (changed(lambda r: r["visibility"][0].__setitem__(0, 9)), "visibility has 9, expected 0, 1"),
    "no place": (
        changed(lambda r: (r["keypoints"][0].__setitem__(0, [None, 1.0]), r["visibility"][0].__setitem__(0, 2))),
        "a joint that is marked visible has no finite position",
    ),
    "no such frame": (changed(lambda r: r.update(frame=99)), "00099.jpg"),
    "no video": (changed(lambda r: r.update(video=None)), "None/12/00007.jpg"),
    "no column": (lambda f: pq.write_table(pq.read_table(f).drop_columns(["person"]), f), "no column 'person'"),
    "no Parquet": (lambda f: f.write_bytes(b"PAR1"), "not a data set of poses"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_in_one_line(name: str, posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "huggingface", tmp_path / "out")
    harm, said = FAULTS[name]
    harm(tmp_path / "out" / "data" / "test-00000.parquet")
    with pytest.raises(PoseError) as error:
        take_in(posed, CLIPS, [tmp_path / "out"], "anna", everything=True)
    assert said in str(error.value) and "\n" not in str(error.value)
    assert not (posed.poses / "manual").exists()
