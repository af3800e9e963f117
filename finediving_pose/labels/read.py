"""Any label source in, clips out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from finediving_pose.clip import Clip
from finediving_pose.droppings import entries
from finediving_pose.errors import LabelError
from finediving_pose.labels import finediving, mtl_aqa
from finediving_pose.labels.errata import Erratum, Upto, apply_errata
from finediving_pose.labels.ranges import read_ranges
from finediving_pose.labels.unpickler import load_pickle

Dataset = Literal["finediving", "mtl_aqa", "ranges"]

_PICKLES = (".pkl", ".pickle")
_TABLES = (".csv", ".tsv")
_WORKBOOKS = {b"PK\x03\x04": "xlsx or ods", b"\xd0\xcf\x11\xe0": "xls"}

_LOOKED_FOR = (
    "looked for FineDiving's pickles (FineDiving_coarse_annotation.pkl and its companions), MTL-AQA's"
    " (final_annotations_dict_with_dive_number.pkl), or a CSV file with the columns video,index,start_frame,end_frame"
)


@dataclass(frozen=True, slots=True, eq=False)
class LabelFiles:
    """The label files of one data set as they are on disk, and the clips that they make.

    Attributes
    ----------
    dataset : which reader they belong to
    folder : where they lie
    contents : what each pickle holds, by its path; empty for a CSV file of ranges
    clips : one a dive, sorted by key
    corrections : the errata that were applied to the clips
    """

    dataset: Dataset
    folder: Path
    contents: Mapping[Path, Any]
    clips: list[Clip]
    corrections: Sequence[Erratum] = ()

    def of_kind(self, kind: str) -> dict[Any, Any] | None:
        """What the file of a kind (``coarse``, ``fine-grained``, ...) says of every dive; None where there is none."""
        reader = mtl_aqa if self.dataset == "mtl_aqa" else finediving
        return next((c for c in self.contents.values() if reader.kind(c) == kind), None)

    def unknown_files(self) -> list[Path]:
        """Files whose bytes are not those of the release that ``data_manifest/finediving.json`` describes."""
        known = _known_digests()
        synthetic = bool(self.clips) and self.clips[0].source == "synthetic"
        return [] if synthetic else [p for p in self.contents if _sha256(p) not in known]


def read_labels(path: Path) -> list[Clip]:
    """Clips of a label file, or of a folder of them (or of its folder ``Annotations``), sorted by key.

    Pickles are told apart by what is in them, not by their names; which split a list of dives
    is, only its name can say.

    Raises
    ------
    LabelError
        There is nothing to read, it is neither FineDiving's, MTL-AQA's nor a CSV file of ranges,
        or what is in it can't be used.
    """
    return read_label_files(path).clips


def read_label_files(path: Path, *, errata: Upto | None = None) -> LabelFiles:
    """As :func:`read_labels`, with what the files themselves hold; with errata down to a level, the clips corrected.

    Raises LabelError as there.
    """
    labels = _read(path)
    if errata is None:
        return labels
    clips, made = apply_errata(labels.clips, errata)
    return replace(labels, clips=clips, corrections=made)


def _read(path: Path) -> LabelFiles:
    found = _label_files(path)
    folder = found[0].parent
    if len(found) == 1 and _is_table(found[0]):
        return LabelFiles("ranges", folder, {}, read_ranges(found[0]))
    contents = {p: load_pickle(p) for p in found}
    readers = {p: [r for r in (finediving, mtl_aqa) if r.kind(c)] for p, c in contents.items()}
    for file, fitting in readers.items():
        if not fitting:
            raise LabelError(f"{file}: not a label file that is known here; {_LOOKED_FOR}")
    reader = max((finediving, mtl_aqa), key=lambda r: sum(r in fitting for fitting in readers.values()))
    for file, fitting in readers.items():
        if reader not in fitting:
            raise LabelError(f"{file}: belongs to another data set than the files beside it; give each its own folder")
    return LabelFiles("mtl_aqa" if reader is mtl_aqa else "finediving", folder, contents, reader.join(contents))


def _label_files(path: Path) -> list[Path]:
    """The pickles to read together, or the one CSV file."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise LabelError(f"{path}: no such file or folder; give --labels a folder of label pickles or a CSV file")
    for folder in (path, path / "Annotations"):
        if pickles := _with_suffix(folder, _PICKLES):
            return pickles
    tables = _with_suffix(path, _TABLES) or _with_suffix(path, (".txt",))
    if len(tables) == 1:
        return tables
    raise LabelError(
        f"{path}: {len(tables)} CSV files, name one of them" if tables else f"{path}: no label file; {_LOOKED_FOR}"
    )


def _with_suffix(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return [p for p in entries(folder) if p.suffix.lower() in suffixes and p.is_file()] if folder.is_dir() else []


def _is_table(path: Path) -> bool:
    """Whether a label file is a table and no pickle, by its first bytes, then by its name's ending.

    Raises LabelError where it is something else that people take for a table.
    """
    try:
        with open(path, "rb") as f:
            start = f.read(8)
    except OSError as e:
        raise LabelError(f"{path}: can't be read ({e.strerror}); check the path given to --labels") from e
    for magic, kind in _WORKBOOKS.items():
        if start.startswith(magic):
            raise LabelError(f"{path}: a spreadsheet's workbook ({kind}); save the sheet as CSV and give that")
    if path.suffix.lower() in _PICKLES or start.startswith(b"\x80"):  # as pickles begin since protocol 2
        return False
    if path.suffix.lower() in (*_TABLES, ".txt", ""):
        return True
    raise LabelError(f"{path}: neither a pickle nor a CSV file, by its name and first bytes; {_LOOKED_FOR}")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _known_digests() -> frozenset[str]:
    manifest = json.loads((files("data_manifest") / "finediving.json").read_text(encoding="utf-8"))
    return frozenset(facts["sha256"] for dataset in manifest.values() for facts in dataset["files"].values())
