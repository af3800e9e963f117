"""Whether two rehearsals left the same files: one that was killed at every step, and one that was not.

The same names, and the same content: tables row by row, packed files data set by data set, weights number by number,
pages and JSON word by word, all else byte for byte. Left out are the clock (times of day in tables, names and texts,
seconds and speeds) and digests of it, names that are drawn by lot, the folder's own name, logs, and files cut short,
which stay where a command was killed and are cleared away by the next that writes there. Rehearse both with the same
number of threads; another number rounds otherwise.

    python -m benchmarks.rehearsal A --dives 30
    python -m benchmarks.rehearsal B --dives 30 --kill
    python -m benchmarks.same_files A B
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np
import pandas as pd
import torch

from finediving_pose.checkpoints import read_checkpoint

CLOCK = {"time", "created", "seconds", "waiting_for_data", "scoring_seconds", "dives_per_second", "eta"} | {
    "structure",
    "sha256",
}
"""Columns, keys, attributes and data sets: when something was made, how long it took, and digests of such."""
STAMPS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+\d\d:\d\d)?"), "TIME"),
    (re.compile(r"\d{8}[-_]\d{6}"), "TIME"),
    (re.compile(r"-[0-9a-f]{16}(?=\.parquet)"), "-FOLDER"),
    (re.compile(r"\b[mp][0-9a-f]{10}\b"), "MARK"),  # of a plot, drawn by lot
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|-[0-9a-f]{12}(?=_TIME)"), "ID"),
    (re.compile(r'(data-name="(training time|dives/s)">|<th>time</th><td>)[^<]*'), r"\1"),
]
LOGS = re.compile(r"events\.out\.tfevents|\.log$|/vis_data/|rehearsal\.json$|\.part\b")


@click.command(help=__doc__)
@click.argument("folders", nargs=2, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folders: tuple[Path, Path]) -> None:
    STAMPS.append((re.compile("|".join(re.escape(str(folder)) for folder in folders)), "FOLDER"))
    one, two = (listed(folder) for folder in folders)
    counts: Counter[str] = Counter()
    other: dict[str, list[str]] = defaultdict(list)
    for name in sorted(one.keys() | two.keys()):
        kind = Path(name).suffix or "none"
        there = name in one and name in two
        says = difference(one[name], two[name]) if there else f"only in {folders[name in two]}"
        counts[kind] += not says
        if says:
            other[kind].append(f"{name}: {says}")
    for kind in sorted(counts.keys() | other.keys()):
        click.echo(f"{kind:>10}  {counts[kind]:6} the same  {len(other[kind]):6} different")
        for line in other[kind][:20]:
            click.echo(f"            {line}")
    sys.exit(bool(other))


def listed(folder: Path) -> dict[str, Path]:
    """Files below a folder by their names there, without the times in them."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not LOGS.search(name):
            found[timeless(name)] = path
    return found


def timeless(text: str) -> str:
    for pattern, word in STAMPS:
        text = pattern.sub(word, text)
    return text


def difference(a: Path, b: Path) -> str:
    """In words; empty where there is none."""
    if h5py.is_hdf5(a) and h5py.is_hdf5(b):
        return of_hdf5(a, b)
    match a.suffix:
        case ".parquet":
            return of_tables(a, b)
        case ".pth":
            return of_values(read_checkpoint(a), read_checkpoint(b))
    if a.read_bytes() == b.read_bytes():
        return ""
    try:
        one, two = (timeless(path.read_text(encoding="utf-8")) for path in (a, b))
    except UnicodeDecodeError:
        return "other bytes"
    if one[:1] in "{[":
        return of_values(json.loads(one), json.loads(two))
    return first_difference(one, two) if one != two else ""


def first_difference(one: str, two: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    return f"...{one[max(at - 40, 0) : at + 30]!r} against ...{two[max(at - 40, 0) : at + 30]!r}"


def of_tables(a: Path, b: Path) -> str:
    one, two = (pd.read_parquet(path) for path in (a, b))
    one, two = (t.drop(columns=[c for c in t.columns if c in CLOCK]) for t in (one, two))
    if list(one.columns) != list(two.columns) or len(one) != len(two):
        return f"{one.shape} against {two.shape}"
    for name in one.columns:
        same = [of_values(x, y) == "" for x, y in zip(one[name], two[name], strict=True)]
        if not all(same):
            return f"column {name}: {same.count(False)} of {len(same)} rows differ"
    return ""


def of_hdf5(a: Path, b: Path) -> str:
    with h5py.File(a) as one, h5py.File(b) as two:
        names: tuple[list[str], list[str]] = ([], [])
        for file, listed_there in zip((one, two), names, strict=True):
            file.visit(listed_there.append)
        if names[0] != names[1]:
            return f"{len(names[0])} groups and data sets against {len(names[1])}"
        for name in ("/", *names[0]):
            says = of_values(dict(one[name].attrs), dict(two[name].attrs))
            data = one[name], two[name]
            if not says and isinstance(data[0], h5py.Dataset) and isinstance(data[1], h5py.Dataset):
                says = "" if Path(name).name in CLOCK else of_values(data[0][()], data[1][()])
            if says:
                return f"{name}: {says}"
    return ""


def of_values(a: Any, b: Any, at: str = "") -> str:
    """Where two structures differ first, the clock aside; empty where nowhere."""
    if type(a) is not type(b):
        return f"{at}: {type(a).__name__} against {type(b).__name__}"
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return f"{at}: {sorted(map(str, a.keys() ^ b.keys()))[:4]} in one only"
        return next((says for k in a if k not in CLOCK and (says := of_values(a[k], b[k], f"{at}/{k}"))), "")
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return f"{at}: {len(a)} against {len(b)}"
        return next(
            (says for i, (x, y) in enumerate(zip(a, b, strict=True)) if (says := of_values(x, y, f"{at}/{i}"))), ""
        )
    if isinstance(a, torch.Tensor):
        return of_values(a.float().numpy(), b.float().numpy(), at)
    if isinstance(a, np.ndarray):
        if a.shape != b.shape:
            return f"{at}: {a.shape} against {b.shape}"
        if a.dtype.kind in "fiub":
            return "" if np.array_equal(a, b, equal_nan=a.dtype.kind == "f") else f"{at}: {(a != b).sum()} numbers"
        return of_values(a.tolist(), b.tolist(), at)
    if isinstance(a, bytes):
        a, b = a.decode("utf-8", "replace"), b.decode("utf-8", "replace")
    if isinstance(a, str):
        a, b = timeless(a), timeless(b)
    same = a == b or isinstance(a, h5py.Reference) or (isinstance(a, float) and np.isnan(a) and np.isnan(b))
    return "" if same else f"{at}: {str(a)[:60]} against {str(b)[:60]}"


if __name__ == "__main__":
    main()
