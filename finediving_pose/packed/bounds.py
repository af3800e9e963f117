"""What a packed file may ask for before anything is read: no more memory than its bytes explain, and no other file.

HDF5 lets a small file declare any size, keep its data in other files, point out of itself and run filters that are
loaded at run time. A packed file needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
from h5py import h5o  # type: ignore[attr-defined]

from finediving_pose.errors import PackedError

MOST_GROWTH = 16
"""Bytes of all datasets together, over the bytes of the file: fdpose stores them as they are, ``h5repack`` may not."""

MOST_OBJECTS = 1000
MOST_ATTRIBUTE_BYTES = 1 << 20
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_PLAIN = {h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING}


def check_bounds(path: Path, file: h5py.File) -> None:
    """Raise PackedError where the file asks for more than it may, naming the dataset, link or attribute."""
    size = path.stat().st_size
    declared = 0
    _check_attributes(path, file)
    for name, item in _objects(path, file):
        if isinstance(item, h5py.Dataset):
            declared += _declared_bytes(path, name, item, size)
            if declared > MOST_GROWTH * size:
                raise _refused(path, f"{name} takes the declared data to {declared:,} bytes, the file has {size:,}")
        elif not isinstance(item, h5py.Group):
            raise _refused(path, f"{name} is neither a group nor a dataset")


def _objects(path: Path, file: h5py.File) -> Iterator[tuple[str, Any]]:
    """Every object below the root, each once."""
    seen: set[Any] = {_identity(file)}
    waiting: list[tuple[str, Any]] = [("", file)]
    while waiting:
        prefix, group = waiting.pop()
        if len(seen) + len(group) > MOST_OBJECTS:
            raise _refused(path, f"it holds more than {MOST_OBJECTS:,} objects")
        for key in group:
            name = f"{prefix}{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise _refused(path, f"{name} is a link to another place or file")
            item = group[key]
            if _identity(item) in seen:
                raise _refused(path, f"{name} is a second name of another object")
            seen.add(_identity(item))
            yield name, item
            if isinstance(item, h5py.Group):
                waiting.append((f"{name}/", item))


def _identity(item: Any) -> tuple[int, int]:
    info = h5o.get_info(item.id)
    return info.fileno, info.addr


def _declared_bytes(path: Path, name: str, dataset: h5py.Dataset, size: int) -> int:
    """Bytes that reading the dataset may take."""
    kind, made = dataset.id.get_type(), dataset.id.get_create_plist()
    _check_type(path, name, kind)
    if made.get_external_count():
        raise _refused(path, f"{name} keeps its data in another file")
    layout, count = made.get_layout(), 1
    for n in dataset.id.shape or ():
        count *= n
    declared = count * kind.get_size()
    if layout == h5py.h5d.CHUNKED:
        filters = {made.get_filter(i)[0] for i in range(made.get_nfilters())}
        if filters - _FILTERS:
            raise _refused(path, f"{name} is packed with a filter that is not deflate, shuffle or fletcher32")
        chunk = kind.get_size()
        for n in made.get_chunk():
            chunk *= n
        declared = max(declared, chunk)
    elif layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):
        raise _refused(path, f"{name} is a virtual dataset, made of other ones")
    elif dataset.id.get_storage_size() < declared or (dataset.id.get_offset() or 0) + declared > size:
        raise _refused(path, f"{name} declares {declared:,} bytes that are not in the file of {size:,}")
    return declared


def _check_attributes(path: Path, file: h5py.File) -> None:
    """Those of the root, which are all that are read."""
    if len(file.attrs) > MOST_OBJECTS:
        raise _refused(path, f"it has {len(file.attrs):,} attributes")
    for name in file.attrs:
        attribute = h5py.h5a.open(file.id, name.encode())
        kind, scalar = attribute.get_type(), attribute.shape == ()
        text = kind.get_class() == h5py.h5t.STRING and kind.is_variable_str()
        if not (text and scalar):
            _check_type(path, f"attribute {name}", kind)
        if attribute.get_storage_size() > MOST_ATTRIBUTE_BYTES or (text and not scalar):
            raise _refused(path, f"attribute {name} is larger than {MOST_ATTRIBUTE_BYTES:,} bytes")


def _check_type(path: Path, name: str, kind: Any) -> None:
    """Plain numbers and text of a fixed length: nothing that points elsewhere."""
    if kind.get_class() not in _PLAIN or (kind.get_class() == h5py.h5t.STRING and kind.is_variable_str()):
        raise _refused(path, f"{name} holds neither plain numbers nor text of a fixed length")
    if kind.get_class() != h5py.h5t.STRING and kind.get_size() > 16:
        raise _refused(path, f"{name} holds numbers of {kind.get_size():,} bytes each")


def _refused(path: Path, why: str) -> PackedError:
    return PackedError(f"{path}: refused: {why}; no fdpose pack writes that, pack it again with: fdpose pack")
