"""Any label source in, clips out."""

from __future__ import annotations

from pathlib import Path

from finediving_pose.clip import Clip
from finediving_pose.errors import LabelError
from finediving_pose.labels import finediving, mtl_aqa
from finediving_pose.labels.ranges import read_ranges
from finediving_pose.labels.unpickler import load_pickle

_LOOKED_FOR = (
    "looked for FineDiving's pickles (FineDiving_coarse_annotation.pkl and its companions), MTL-AQA's"
    " (final_annotations_dict_with_dive_number.pkl), or a CSV file with the columns video,index,start_frame,end_frame"
)


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
    files = _label_files(path)
    if files[0].suffix == ".csv":
        return read_ranges(files[0])
    contents = {p: load_pickle(p) for p in files}
    readers = {p: [r for r in (finediving, mtl_aqa) if r.kind(c)] for p, c in contents.items()}
    for file, found in readers.items():
        if not found:
            raise LabelError(f"{file}: not a label file that is known here; {_LOOKED_FOR}")
    reader = max((finediving, mtl_aqa), key=lambda r: sum(r in found for found in readers.values()))
    for file, found in readers.items():
        if reader not in found:
            raise LabelError(f"{file}: belongs to another data set than the files beside it; give each its own folder")
    return reader.join(contents)


def _label_files(path: Path) -> list[Path]:
    """The pickles to read together, or the one CSV file."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise LabelError(f"{path}: no such file or folder; give --labels a folder of label pickles or a CSV file")
    for folder in (path, path / "Annotations"):
        pickles = sorted(p for p in folder.glob("*.pkl") if p.is_file())
        if pickles:
            return pickles
    tables = sorted(path.glob("*.csv"))
    if len(tables) == 1:
        return tables
    raise LabelError(
        f"{path}: {len(tables)} CSV files, name one of them" if tables else f"{path}: no label file; {_LOOKED_FOR}"
    )
