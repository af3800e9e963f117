"""DeepLabCut's tables as DeepLabCut, spreadsheets and pandas save them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.poses import ClipPoses, read_poses
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS

KEY = CLIPS[0].key
IMAGE = ("labeled-data", "Men__10m__1", "00101.jpg")
Columns = Sequence[tuple[str, str, str]]
SINGLE: Columns = [("", name, axis) for name in ("head_top", "pelvis") for axis in "xy"]
MULTI: Columns = [(who, name, axis) for who in ("diver1", "diver0") for _, name, axis in SINGLE]


def rows_of(columns: Columns, rows: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[list[Any]]:
    """The cells of a table: header rows, then pictures and their numbers."""
    pad = [""] * (len(rows[0][0]) - 1)
    levels = [("scorer", ["bob"] * len(columns))]
    levels += [("individuals", [c[0] for c in columns])] if columns[0][0] else []
    levels += [("bodyparts", [c[1] for c in columns]), ("coords", [c[2] for c in columns])]
    return [[name, *pad, *cells] for name, cells in levels] + [[*image, *cells] for image, cells in rows]


def save(
    path: Path, cells: list[list[Any]], separator: str = ",", mark: str = "", quoting: Any = csv.QUOTE_MINIMAL
) -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\r\n").writerows(cells)
    path.write_bytes((mark + text.getvalue()).encode())
    return path


def came(workspace: Workspace, layer: str = "x") -> ClipPoses:
    return read_poses(workspace.pose_file(f"manual/{layer}", KEY))


ONE = [(("/".join(IMAGE),), ["1.5", "2.5", "", ""])]


@pytest.mark.parametrize(
    "how",
    [
        {"mark": "\ufeff"},
        {"quoting": csv.QUOTE_ALL},
        {"separator": "\t"},
        {"separator": ";", "mark": "\ufeff"},
        {"separator": ";", "decimal": ","},
    ],
    ids=["byte order mark", "quoted", "tabs", "semicolons", "decimal commas"],
)
@pytest.mark.parametrize("ending", [".csv", ".CSV", ".txt"])
def test_a_table_that_a_spreadsheet_saved_is_read(
    how: dict[str, Any], ending: str, posed: Workspace, tmp_path: Path
) -> None:
    how = dict(how)
    decimal = how.pop("decimal", ".")
    *header, row = rows_of(SINGLE, ONE)
    cells = [*header, [row[0], *(c.replace(".", decimal) for c in row[1:])]]
    take_in(posed, CLIPS, [save(tmp_path / f"CollectedData_bob{ending}", cells, **how)], "x")
    assert came(posed).frame.tolist() == [101]
    np.testing.assert_array_equal(came(posed).keypoints[0, INDEX["head_top"]], [1.5, 2.5])


def test_individuals_have_their_own_names(posed: Workspace, tmp_path: Path) -> None:
    """Whatever their order; a path in three columns; an individual without joints is nobody."""
    rows = [(IMAGE, range(8)), ((*IMAGE[:2], "00102.jpg"), [9, 9, "", "", "", "", "", ""])]
    take_in(posed, CLIPS, [save(tmp_path / "c.csv", rows_of(MULTI, rows))], "x")
    assert list(zip(came(posed).frame.tolist(), came(posed).person.tolist(), strict=True)) == [
        (101, 0),
        (101, 1),
        (102, 1),
    ]
    assert came(posed).keypoints[:, INDEX["head_top"], 0].tolist() == [4, 0, 9]


def test_more_individuals_than_divers_are_told(posed: Workspace, tmp_path: Path) -> None:
    columns = [(f"individual{i}", name, axis) for i in (1, 2, 3) for _, name, axis in SINGLE]
    rows = [(IMAGE, ["", "", "", "", 1, 2, 3, 4, 5, 6, 7, 8])]
    done = take_in(posed, CLIPS, [save(tmp_path / "c.csv", rows_of(columns, rows))], "x")
    assert done.told == ["c.csv has columns for 3 individuals; at most two dive in a frame"]
    assert came(posed).keypoints[:, INDEX["head_top"], 0].tolist() == [1, 5]
    with pytest.raises(PoseError, match="a third person in one frame"):
        take_in(posed, CLIPS, [save(tmp_path / "c.csv", rows_of(columns, [(IMAGE, range(12))]))], "x")


def test_predictions_are_left_out_but_with_all(posed: Workspace, tmp_path: Path) -> None:
    """Columns of likelihoods; rows are pictures, or frames of the clip's video."""
    columns = [("", name, axis) for name in ("head_top", "pelvis") for axis in ("x", "y", "likelihood")]
    rows = [(("1",), [1, 2, 0.5, 3, 4, 0.25])]
    path = save(tmp_path / "Men__10m__1DLC_resnet50_divingNov28shuffle1_50000.csv", rows_of(columns, rows))
    with pytest.raises(PoseError, match=r"nothing to take in; left out: predicted poses that nobody touched \(1\)"):
        take_in(posed, CLIPS, [path], "x")
    take_in(posed, CLIPS, [path], "x", everything=True)
    assert (came(posed).frame.tolist(), came(posed).confidence[0, INDEX["pelvis"]]) == ([101], 0.25)
    with pytest.raises(PoseError, match="a row of the video worlds, whose size the file does not say"):
        take_in(posed, CLIPS, [path.rename(tmp_path / "worldsDLC_resnet50.csv")], "x")


def test_each_scorer_of_a_project_is_a_layer_and_droppings_are_nobody(posed: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "labeled-data" / IMAGE[1]
    folder.mkdir(parents=True)
    save(folder / "CollectedData_bob.csv", rows_of(SINGLE, [(IMAGE, [1, 2, 3, 4])]))
    (folder / "._CollectedData_bob.csv").write_bytes(b"\0\5\x16\7Mac OS X")
    (folder.parent / "._Men__10m__1").write_bytes(b"\0\5\x16\7")
    assert take_in(posed, CLIPS, [tmp_path], "x").layers == {"x": 2}
    eva = rows_of(SINGLE, [(IMAGE, [5, 6, 7, 8])])
    eva[0][3:] = ["eva"] * 4
    save(folder / "CollectedData_eva.csv", eva)
    assert take_in(posed, CLIPS, [tmp_path], "x").layers == {"x-bob": 2, "x-eva": 2}


def pandas_fixed(path: Path, columns: Columns, images: list[tuple[str, ...]], values: np.ndarray) -> Path:
    """As pandas 3.1.1 writes DataFrame.to_hdf(path, key="df_with_missing") with DeepLabCut's labels."""
    labels = [("bob", *(part for part in c if part)) for c in columns]
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs.update({"pandas_type": np.bytes_("frame"), "nblocks": 1, "ndim": 2})
        group.create_dataset("block0_values", data=values).attrs["transposed"] = 1
        for axis, entries in (("axis0", labels), ("block0_items", labels), ("axis1", images)):
            group.attrs[f"{axis}_variety"] = np.bytes_("multi" if len(entries[0]) > 1 else "regular")
            if len(entries[0]) == 1:
                group.create_dataset(axis, data=np.array([e[0].encode() for e in entries]))
                continue
            group.attrs[f"{axis}_nlevels"] = len(entries[0])
            for level, parts in enumerate(zip(*entries, strict=True)):
                names = list(dict.fromkeys(parts))
                group.create_dataset(f"{axis}_level{level}", data=np.array([n.encode() for n in names]))
                group.create_dataset(f"{axis}_label{level}", data=np.array([names.index(p) for p in parts], np.int8))
    return path


@pytest.mark.parametrize(
    "image", [IMAGE, ("\\".join(("..", "other", *IMAGE)),)], ids=["three levels", "one, of Windows"]
)
@pytest.mark.parametrize("columns", [SINGLE, MULTI], ids=["single", "multi"])
def test_hdf5_of_pandas_is_read(columns: Columns, image: tuple[str, ...], posed: Workspace, tmp_path: Path) -> None:
    values = np.arange(len(columns), dtype=float)[None]
    take_in(posed, CLIPS, [pandas_fixed(tmp_path / "CollectedData_bob.h5", columns, [image], values)], "x")
    assert came(posed).frame.tolist() == [101] * (len(columns) // 4)
    assert came(posed).keypoints[:, INDEX["pelvis"], 1].tolist() == ([7, 3] if len(columns) > 4 else [3])


def test_hdf5_is_read_only_as_plain_arrays(posed: Workspace, tmp_path: Path) -> None:
    path = pandas_fixed(tmp_path / "c.h5", SINGLE, [IMAGE], np.ones((1, 4)))
    with h5py.File(path, "r+") as file:
        del file["df_with_missing/axis1_level0"]
        text = h5py.vlen_dtype(np.uint8)
        file.create_dataset("df_with_missing/axis1_level0", (1,), text)[0] = np.frombuffer(b"\x80\x04N.", np.uint8)
    with pytest.raises(
        PoseError, match=r"c.h5: keeps text as pickled objects, which are not read; save the table as CSV"
    ):
        take_in(posed, CLIPS, [path], "x")
    with h5py.File(path, "r+") as file:
        file.create_dataset("df_with_missing/table", data=[1])
    with pytest.raises(PoseError, match="save_as_csv=True"):
        take_in(posed, CLIPS, [path], "x")


def test_hdf5_may_not_point_elsewhere_or_promise_more_than_it_holds(posed: Workspace, tmp_path: Path) -> None:
    for what, says in (
        ("link", "points at another file"),
        ("huge", "more than a file of"),
        ("other", "is in another file"),
    ):
        path = pandas_fixed(tmp_path / f"{what}.h5", SINGLE, [IMAGE], np.ones((1, 4)))
        with h5py.File(path, "r+") as file:
            del file["df_with_missing/block0_values"]
            if what == "link":
                file["df_with_missing/block0_values"] = h5py.ExternalLink("/etc/hostname", "/a")
            elif what == "huge":
                file.create_dataset("df_with_missing/block0_values", (10**9, 4), float, chunks=(1024, 4))
            else:
                kept = [(str(tmp_path / "secret"), 0, 32)]
                file.create_dataset("df_with_missing/block0_values", (1, 4), float, external=kept)
        with pytest.raises(PoseError, match=says):
            take_in(posed, CLIPS, [path], "x")


def test_a_project_whose_tables_are_hdf5_only_is_read(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "dlc", tmp_path / "out")
    for file in (tmp_path / "out").rglob("*.csv"):
        pandas_fixed(file.with_suffix(".h5"), SINGLE, [(*IMAGE[:2], "00100.jpg")], np.ones((1, 4)))
        file.unlink()
    assert take_in(posed, CLIPS, [tmp_path / "out"], "x").layers["x"] > 0


def test_a_project_saved_as_spreadsheets_is_told_to_save_csv(posed: Workspace, tmp_path: Path) -> None:
    sheet = tmp_path / "labeled-data" / "07__12" / "CollectedData_anna.xlsx"
    sheet.parent.mkdir(parents=True)
    sheet.write_bytes(b"PK")
    with pytest.raises(PoseError, match=r"CollectedData_anna\.xlsx: a spreadsheet's own file; save it as CSV"):
        take_in(posed, CLIPS, [tmp_path], "anna")
