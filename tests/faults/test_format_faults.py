"""Pose files of other tools that are damaged, foreign or half there; exports that are killed or find no room."""

from __future__ import annotations

import json
import multiprocessing
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.errors import FdposeError
from finediving_pose.formats.export import export
from finediving_pose.formats.export_record import NAME, record_path
from finediving_pose.formats.registry import writers
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, fill, full_tables, write_layer
from tests.killing import count_moments, kill_at

FILES = ("official", "coco", "labelstudio", "slp", "nwb")


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    fill(workspace)
    write_layer(workspace, full_tables())
    return workspace


def fdpose(data: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--data", str(data.root)])


def state(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def exported(posed: Workspace, name: str, folder: Path) -> Path:
    ending = f".{name}" if name in ("slp", "nwb") else ".json"
    out = folder / ("out" if writers()[name].folder else f"out{ending}")
    export(posed, CLIPS, name, out)
    return out


def refused(posed: Workspace, *words: object) -> str:
    """One line, exit 1, and not a byte of the data directory is other than before."""
    before = state(posed.root)
    run = fdpose(posed, "import", *words)
    assert run.exit_code == 1, run.output
    assert state(posed.root) == before
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr
    return run.stderr.strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_is_named(name: str, share: float, posed: Workspace, tmp_path: Path) -> None:
    out = exported(posed, name, tmp_path)
    out.write_bytes(out.read_bytes()[: int(share * out.stat().st_size)])
    assert str(out) in refused(posed, name, out)


def reword(path: Path, old: str, new: str, times: int = 1) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, times))


def some(folder: Path, pattern: str) -> Path:
    return sorted(folder.rglob(pattern))[0]


FAULTS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a picture that is no frame": (
        "coco", lambda p: reword(p, "07/12/00007.jpg", "07/12/00099.jpg"),
        "image 07/12/00099.jpg: there is no such frame",
    ),
    "an annotation of no image": (
        "coco", lambda p: reword(p, '"image_id": 3,', '"image_id": 333,'), "image_id 333 is no image of the file",
    ),
    "a picture of another size": (
        "coco", lambda p: reword(p, '"width": 64', '"width": 1280'), "annotated at 1280 x 48 pixels, but the stored",
    ),
    "another skeleton": ("coco", lambda p: reword(p, '"head_top"', '"nose"'), "head_top is missing"),
    "a person twice": (
        "coco", lambda p: reword(p, '"person": 1', '"person": 0'),
        "person 0 of Men__10m/1 frame 100 was annotated twice, differently",
    ),
    "too few numbers": (
        "coco",
        lambda p: reword(p, '"keypoints": [', '"keypoints": [1, ', 2),
        "must be 16 triples x, y, v in pixels, found 49",
    ),
    "no picture": ("labelstudio", lambda p: reword(p, '"data"', '"date"'), "task 0 names no image"),
    "another label": (
        "labelstudio", lambda p: reword(p, '"head_top"', '"nose"'), "nose is none of the joints",
    ),
    "a region without a size": (
        "labelstudio", lambda p: reword(p, '"original_width"', '"width"', 99), "not as Label Studio writes it",
    ),
    "a word for a number": (
        "dlc", lambda p: reword(some(p, "*.csv"), "00007.jpg,", "00007.jpg,here"), "expected a number or nothing",
    ),
    "another bodypart": ("dlc", lambda p: reword(some(p, "*.csv"), "head_top", "nose"), "bodypart 'nose' is none"),
    "a folder without tables": (
        "dlc", lambda p: [f.unlink() for f in p.rglob("*.csv")], "no labeled-data/*/CollectedData_*.csv",
    ),
    "a line cut short": (
        "yolo", lambda p: some(p, "*.txt").write_text("0 0.5 0.5\n"), "expected 53 numbers",
    ),
    "another shape": ("yolo", lambda p: reword(p / "data.yaml", "- 16", "- 17"), "kpt_shape is [17, 3]"),
    "labels of another video": (
        "yolo", lambda p: some(p, "*.txt").rename(some(p, "*.txt").with_name("x__1__00001.txt")),
        "there is no such frame",
    ),
    "an npz of noise": ("hpmcr", lambda p: some(p, "*.npz").write_bytes(b"PK\3\4" + b"x" * 99), "npz"),
    "an npz of another clip": (
        "hpmcr", lambda p: some(p, "*.npz").rename(some(p, "*.npz").with_name("pred_comp_77.npz")),
        "there is no clip 07/77 with frames",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_one_entry_is_named_and_nothing_is_written(fault: str, posed: Workspace, tmp_path: Path) -> None:
    name, damage, said = FAULTS[fault]
    out = exported(posed, name, tmp_path)
    damage(out)
    assert said in refused(posed, out)


def test_an_npz_that_would_run_code_is_not_unpickled(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "07" / "pred_comp_12.npz"
    path.parent.mkdir()
    np.savez(path, pred=np.array([{"a": 1}], dtype=object))
    assert "no array pred" in refused(posed, path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolo", "coco", "slp"])
def test_a_kill_anywhere_leaves_a_whole_export_and_no_trace_once_it_has_run_again(
    name: str, posed: Workspace, tmp_path: Path
) -> None:
    """Between the two renames of a folder the old one has a hidden name beside it; the next run puts it back."""
    folder = tmp_path / "exports"
    folder.mkdir()
    out = exported(posed, name, folder)
    again = lambda: export(posed, CLIPS, name, out)  # noqa: E731
    moments = count_moments(again)
    whole = _content(out)
    for moment in np.linspace(1, 0.99 * moments, 20).astype(int):
        kill_at(again, int(moment))
        assert _content(out if out.exists() else next(folder.glob(".out.*.old"))) == whole
    again()
    assert sorted(folder.iterdir()) == sorted({out, record_path(out) if out.is_file() else out})
    assert _content(out) == whole


def _content(path: Path) -> object:
    """What is in a folder, or in a file as far as it does not say when it was written."""
    if path.suffix == ".slp":
        open_slp: Any = h5py.File
        with open_slp(path) as file:
            return [repr(file[name][()].tolist()) for name in ("points", "pred_points") if name in file]
    return {n: b for n, b in state(path).items() if n != NAME} if path.is_dir() else path.read_bytes()


@pytest.mark.parametrize("name", ["coco", "dlc", "slp"])
def test_a_full_disk_stops_the_export_and_the_old_one_stays(name: str, posed: Workspace, tmp_path: Path) -> None:
    out = exported(posed, name, tmp_path)
    before = state(tmp_path / "out" if out.is_dir() else tmp_path)
    receive, send = multiprocessing.get_context("fork").Pipe(duplex=False)

    def on_a_full_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        try:
            export(posed, CLIPS, name, out)
        except FdposeError as e:
            send.send(str(e))
        except BaseException as e:
            send.send(f"not told in words: {e!r}")

    child = multiprocessing.get_context("fork").Process(target=on_a_full_disk)
    child.start()
    said = receive.recv()
    child.join()
    assert str(out) in said and "what was there before is untouched" in said
    assert state(tmp_path / "out" if out.is_dir() else tmp_path) == before


def test_a_folder_that_no_export_wrote_is_left_alone(posed: Workspace, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("chapter 1")
    run = fdpose(posed, "export", "yolo", "--out", mine)
    assert run.exit_code == 2 and "add --force" in run.stderr
    assert state(mine) == {"thesis.txt": b"chapter 1"}
    assert fdpose(posed, "export", "yolo", "--out", mine, "--force").exit_code == 0
    assert (mine / NAME).is_file() and not (mine / "thesis.txt").exists()


def test_an_export_of_another_format_is_left_alone(posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert fdpose(posed, "export", "dlc", "--out", out).exit_code == 0
    before = state(out)
    run = fdpose(posed, "export", "yolo", "--out", out)
    assert run.exit_code == 2 and "was not written by fdpose export yolo" in run.stderr
    assert state(out) == before
    assert fdpose(posed, "export", "dlc", "--out", out).exit_code == 0


def test_a_file_of_another_kind_is_left_alone(posed: Workspace, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"name": "a package"}))
    assert fdpose(posed, "export", "coco", "--out", mine).exit_code == 2
    assert json.loads(mine.read_text()) == {"name": "a package"}
    assert fdpose(posed, "export", "coco", "--out", mine, "--force").exit_code == 0
    assert fdpose(posed, "export", "coco", "--out", mine).exit_code == 0, "its own file may be written again"


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_data_directory_is_never_replaced(force: list[str], posed: Workspace) -> None:
    before = state(posed.root)
    for out in (posed.root, posed.root.parent):
        run = fdpose(posed, "export", "yolo", "--out", out, *force)
        assert run.exit_code == 2 and "the data directory lies in it" in run.stderr
    assert state(posed.root) == before


def test_a_place_that_can_not_be_written_is_named(posed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("yolo", "coco"):
        run = fdpose(posed, "export", name, "--out", tmp_path / "file" / "out.json")
        assert run.exit_code == 1 and str(tmp_path / "file" / "out.json") in run.stderr
