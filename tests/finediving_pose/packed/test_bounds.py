"""A packed file of a stranger asks for no more memory than its bytes explain, and for no other file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.errors import PackedError
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import fill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed file. Not to be changed."""
    source = fill(Workspace(tmp_path_factory.mktemp("whole") / "data"))
    write_packed(source)
    return source.packed


def declared(name: str, count: int, **options: Any) -> Callable[[Any, Path], object]:
    """A dataset of this many numbers, of which none is in the file."""

    def change(file: Any, _: Path) -> None:
        file.pop(name, None)
        file.create_dataset(name, (count,), "<i8", **options)

    return change


def with_data(name: str, data: Any, **options: Any) -> Callable[[Any, Path], object]:
    def change(file: Any, _: Path) -> None:
        file.pop(name, None)
        file.create_dataset(name, data=data, **options)

    return change


def external(file: Any, folder: Path) -> None:
    (folder / "secret").write_text("root:secret-of-this-machine" + " " * 200)
    del file["clips/video"]
    file.create_dataset("clips/video", (4,), "S29", external=[(str(folder / "secret"), 0, 116)])


def virtual(file: Any, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["index"] = np.arange(4)
    layout = h5py.VirtualLayout((10**9,), "<i8")
    layout[:4] = h5py.VirtualSource(folder / "other.h5", "index", (4,))
    del file["clips/index"]
    file.create_virtual_dataset("clips/index", layout)


def link(made: Callable[[Path], Any]) -> Callable[[Any, Path], object]:
    def change(file: Any, folder: Path) -> None:
        del file["clips/index"]
        file["clips/index"] = made(folder)

    return change


def in_a_circle(file: Any, _: Path) -> None:
    file["clips/clips"] = file["clips"]


def twice(file: Any, _: Path) -> None:
    file["clips/again"] = file["clips/index"]


def many_groups(file: Any, _: Path) -> None:
    for n in range(1100):
        file.create_group(f"more/{n}")


def deep_groups(file: Any, _: Path) -> None:
    file.create_group("/".join(["a"] * 1100))


def attribute(value: Any) -> Callable[[Any, Path], object]:
    def change(file: Any, _: Path) -> None:
        file.attrs["creator"] = value

    return change


def references(file: Any, _: Path) -> None:
    del file["clips/index"]
    file.create_dataset("clips/index", data=np.array([file["clips"].ref] * 4, h5py.ref_dtype), dtype=h5py.ref_dtype)


TEXTS = h5py.string_dtype()
CASES = {
    "offsets of a billion clips": (
        declared("clips/frame_offset", 10**12, chunks=(1 << 20,), compression="gzip"),
        "frame_offset takes the declared",
    ),
    "a large column": (
        declared("clips/index", 10**9, chunks=(1 << 20,), compression="gzip"),
        "clips/index takes the declared",
    ),
    "a large unknown dataset": (declared("more", 10**9, chunks=(1 << 20,)), "more takes the declared data to"),
    "one chunk of everything": (
        declared("more", 4, chunks=(1 << 28,), maxshape=(None,)),
        "more takes the declared data to",
    ),
    "without its data": (declared("clips/index", 10**5), "800,000 bytes that are not in the file"),
    "of zeros, compressed": (with_data("more", np.zeros(10**7), compression="gzip"), "more takes the declared data to"),
    "text of a gigabyte": (
        with_data("clips/split", np.array([b"train"] * 4, "S10000000"), compression="gzip"),
        "clips/split takes",
    ),
    "in another file": (external, "clips/video keeps its data in another file"),
    "made of another file": (virtual, "clips/index is a virtual dataset"),
    "link to another file": (link(lambda p: h5py.ExternalLink(str(p / "x.h5"), "/i")), "clips/index is a link"),
    "link to another place": (link(lambda _: h5py.SoftLink("/clips/fps")), "clips/index is a link"),
    "link to itself": (link(lambda _: h5py.SoftLink("/clips/index")), "clips/index is a link"),
    "groups in a circle": (in_a_circle, "clips/clips is a second name"),
    "two names": (twice, "a second name of another object"),
    "many groups": (many_groups, "more than 1,000 objects"),
    "deep groups": (deep_groups, "more than 1,000 objects"),
    "text of any length": (with_data("clips/split", ["train"] * 4, dtype=TEXTS), "clips/split holds neither plain"),
    "compound": (with_data("clips/index", np.zeros(4, [("a", "<i8"), ("b", "<f4")])), "clips/index holds neither"),
    "references": (references, "clips/index holds neither"),
    "a named type": (lambda f, _: f.__setitem__("more", np.dtype("<i8")), "more is neither a group nor a dataset"),
    "lzf": (with_data("more", np.arange(99), compression="lzf"), "more is packed with a filter"),
    "many texts as attribute": (attribute(np.array(["x"] * 9, TEXTS)), "attribute creator"),
    "a circle of attributes": (attribute(np.zeros(3, [("a", "<i8")])), "attribute creator holds neither"),
    "an index that is real": (with_data("clips/index", np.zeros(4)), "clips/index: type float64, expected <i8"),
    "a video that is a number": (with_data("clips/video", np.zeros(4)), "clips/video: type float64, expected S"),
    "a column of no dimension": (
        with_data("clips/video", np.bytes_(b"x")),
        "clips/frame_offset: shape (5,), expected (1,)",
    ),
    "sources that are real": (with_data("pose/source", np.zeros((23, 2, 16))), "pose/source: "),
}


@pytest.mark.parametrize(("change", "says"), CASES.values(), ids=CASES)
def test_a_file_that_asks_for_too_much_is_refused_in_one_line(
    whole: Path, tmp_path: Path, change: Callable[[Any, Path], object], says: str
) -> None:
    path = Path(shutil.copy(whole, tmp_path / "stranger.h5"))
    with h5py.File(path, "r+") as file:
        change(file, tmp_path)
    with pytest.raises(PackedError) as caught:
        open_packed(path)
    assert says in str(caught.value) and "pack it again" in str(caught.value)
    for command in ("info", "verify"):
        run = CliRunner().invoke(main, [command, str(path)])
        assert run.exit_code == 1 and isinstance(run.exception, SystemExit)
        assert len(run.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("text", ["[" * 100_000, "7", "{"])
def test_attributes_that_should_be_json_are_told(whole: Path, tmp_path: Path, text: str) -> None:
    path = Path(shutil.copy(whole, tmp_path / "stranger.h5"))
    with h5py.File(path, "r+") as file:
        del file.attrs["provenance"]
        file.attrs["provenance"] = np.bytes_(text.encode()) if len(text) < 60_000 else text
    with pytest.raises(PackedError, match="attribute provenance"):
        _ = open_packed(path).attrs


def test_a_file_that_was_compressed_is_read(whole: Path, tmp_path: Path) -> None:
    """As h5repack does it: the same data behind filters that HDF5 has built in."""
    path = Path(shutil.copy(whole, tmp_path / "repacked.h5"))
    with h5py.File(path, "r+") as file:
        for name in ("clips/index", "pose/visibility"):
            data = file[name][()]  # type: ignore[index]
            del file[name]
            file.create_dataset(name, data=data, compression="gzip", shuffle=True, fletcher32=True)
    assert [c.key for c in open_packed(path).clips] == [c.key for c in open_packed(whole).clips]
