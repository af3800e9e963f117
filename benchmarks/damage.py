"""Damages files of the kinds that pose formats are: bytes turned, cut or doubled, values swapped for odd ones."""

from __future__ import annotations

import json
import math
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from scipy.io import loadmat, savemat

from finediving_pose.skeleton import JOINTS

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, 3, 17, 1e9, 1e308, -1e308, 2**70, math.nan, math.inf, "", "x", "1", "nan",
    "\u0000", [], {}, [[]], [None], {"a": 1}, "head_top", [1, 2], [[1, 2]] * 16, "y" * 5000,
)  # fmt: skip


def damage(rng: random.Random, path: Path) -> str:
    """Change a file in place; returns what was done, in words."""
    by_suffix = {
        ".json": [_json, _json, _json, _text], ".yaml": [_yaml, _yaml, _text], ".xml": [_text], ".csv": [_text, _text],
        ".txt": [_text, _text], ".zip": [_zip, _zip, _zip], ".npz": [_npz], ".slp": [_hdf5, _hdf5],
        ".nwb": [_hdf5, _hdf5], ".h5": [_hdf5], ".mat": [_mat, _mat],
    }  # fmt: skip
    ways: list[Callable[[random.Random, Path], None]] = [_bytes, *by_suffix.get(path.suffix, [_bytes])]
    way = rng.choice(ways)
    way(rng, path)
    return f"{way.__name__.strip('_')} of {path.name}"


def _bytes(rng: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 16, 300))
        kind = rng.randrange(5)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at : at + length] = rng.randbytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(data))


def _swap(rng: random.Random, value: Any) -> Any:
    """The value with something in it swapped, doubled or left out."""
    inside = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not inside or rng.random() < 0.12:
        deep: Any = 1
        for _ in range(rng.choice((50, 70, 3000))):
            deep = [deep]
        return rng.choice([*ODD, deep]) if rng.random() < 0.97 else deep
    key = rng.choice(inside)
    kind = rng.random()
    if kind < 0.8:
        value[key] = _swap(rng, value[key])
    elif kind < 0.9 or isinstance(value, dict):
        del value[key]
    else:
        value.insert(key, value[key])
    return value


def _json(rng: random.Random, path: Path) -> None:
    content = _swap(rng, json.loads(path.read_text()))
    try:
        text = json.dumps(content)
    except RecursionError:
        text = "[" * 5000 + "]" * 5000
    path.write_text(text)


def _yaml(rng: random.Random, path: Path) -> None:
    try:
        path.write_text(yaml.safe_dump(_swap(rng, yaml.safe_load(path.read_text()))))
    except RecursionError:
        path.write_text("a: " + "[" * 3000 + "]" * 3000)


def _text(rng: random.Random, path: Path) -> None:
    """One word or number for another, a line doubled, left out or cut; a key doubled in JSON is a line here."""
    path.write_text(_changed(rng, path.read_text()))


def _changed(rng: random.Random, text: str) -> str:
    words = list(re.finditer(r"[-+\w.]+", text))
    kind = rng.random()
    if kind < 0.7 and words:
        for word in sorted(rng.sample(words, min(len(words), rng.choice((1, 1, 3)))), key=lambda w: -w.start()):
            text = text[: word.start()] + _word(rng) + text[word.end() :]
        return text
    pieces = re.split(r"(?<=[\n,>])", text)
    at = rng.randrange(len(pieces))
    if kind < 0.8:
        pieces.insert(at, pieces[at])
    elif kind < 0.9:
        del pieces[at]
    else:
        return "".join(pieces[:at])
    return "".join(pieces)


def _word(rng: random.Random) -> str:
    odd = rng.choice((*ODD, rng.choice(JOINTS), rng.randrange(100), "<!DOCTYPE a>", '"', ",", "&a;", "*a"))
    return odd if isinstance(odd, str) else json.dumps(odd)


def _zip(rng: random.Random, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([n for n in content if n.endswith((".xml", ".json"))])
    inner = path.with_name(f"inner-{Path(name).name}")
    inner.write_bytes(content[name])
    damage(rng, inner)
    content[name] = inner.read_bytes()
    inner.unlink()
    with zipfile.ZipFile(path, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def _npz(rng: random.Random, path: Path) -> None:
    content: dict[str, Any] = {rng.choice(("pred", "pred", "pred", "prd")): _array(rng, np.load(path)["pred"])}
    np.savez(path, **content)


def _mat(rng: random.Random, path: Path) -> None:
    """One field of a struct swapped."""
    content: dict[str, Any] = {"RELEASE": loadmat(path)["RELEASE"]}
    at = content["RELEASE"]
    while isinstance(at, np.ndarray) and at.dtype.names and at.size:
        struct, field = at.reshape(-1)[rng.randrange(at.size)], rng.choice(at.dtype.names)
        inner = struct[field]
        if rng.random() < 0.15 or not (isinstance(inner, np.ndarray) and inner.dtype.names):
            odd = rng.choice([v for v in ODD if isinstance(v, (float, str)) or v in (0, -1, 17)])
            struct[field] = rng.choice((odd, np.zeros((0, 0)), np.zeros(3), at[:, :0]))
            break
        at = inner
    savemat(path, content)


def _array(rng: random.Random, value: np.ndarray) -> np.ndarray:
    """The array with another shape, type or contents."""
    kind = rng.randrange(6)
    if kind == 0 and value.size:
        value = value.copy()
        numbers = value.dtype.kind in "fiu"
        if numbers:
            value.reshape(-1)[rng.randrange(value.size)] = rng.choice((0, 1, 100))
        return value
    if kind == 1:
        return value[: rng.randrange(len(value) + 1)] if value.ndim else value.reshape(1)
    if kind == 2:
        return np.zeros(value.shape, rng.choice(("f8", "i8", "u1", "c16", "S4", "?")))
    if kind == 3 and value.dtype.kind == "f":
        return np.full_like(value, rng.choice((math.nan, math.inf, 1e30, -5, 0, 0.5)))
    if kind == 4:
        return np.zeros(rng.choice(((), (0,), (1,), (96, 16), (3, 3, 3))))
    return value.reshape(-1)


def _hdf5(rng: random.Random, path: Path) -> None:
    """One data set replaced, or one set, group or attribute left out or swapped."""
    open_h5: Any = h5py.File
    with open_h5(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        item = file[name := rng.choice(names)]
        kind = rng.random()
        if kind < 0.2:
            del file[name]
        elif kind < 0.4 and len(item.attrs):
            key = rng.choice(sorted(item.attrs))
            del item.attrs[key]
            if rng.random() < 0.7:
                item.attrs[key] = rng.choice(("x", 3, 1e308, b"\xff", "[]", "{}", json.dumps([1, {"a": None}])))
        elif isinstance(item, h5py.Dataset):
            value, attributes = np.asarray(item[()]), dict(item.attrs)
            plain = value.dtype.kind in "fiub"
            changed = _array(rng, value) if plain else value[: rng.randrange(len(value) + 1)] if value.ndim else value
            del file[name]
            file.create_dataset(name, data=changed, dtype=None if plain else _text_type(value))
            for key, attribute in attributes.items():
                if not isinstance(attribute, h5py.Reference):
                    file[name].attrs[key] = attribute


def _text_type(value: np.ndarray) -> Any:
    """The type to store an array of texts, references or records with."""
    return h5py.string_dtype() if value.dtype.kind == "O" else value.dtype
