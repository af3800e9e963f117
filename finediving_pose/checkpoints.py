"""Checkpoints of torch, in and out: tensors, arrays and plain values. The one place that reads any.

``torch.load(weights_only=True)`` runs no code, but trusts a file in smaller things: codecs, sizes, the bytes that a
tensor spans, and numpy where it is allowed. So the pickle is first read by :mod:`finediving_pose.plain_pickle`, with
stand-ins that check what tensors are made of, and then by torch, with numpy's functions replaced
(:mod:`finediving_pose.pickled_arrays`).
"""

from __future__ import annotations

import math
import mmap
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

from finediving_pose.errors import CheckpointError
from finediving_pose.pickled_arrays import MAKERS, Refused
from finediving_pose.plain_pickle import ADMITTED, MOST_BYTES, PlainUnpickler, one_line, plain
from finediving_pose.workspace import atomic_write, remove_part_files

_LEGACY = 0x1950A86A20F9469CFC6C
"""How files begin that torch wrote before version 1.6."""
_STAND_INS: list[Any] = [(m, name.replace("_core", core)) for name, m in MAKERS.items() for core in ("_core", "core")]
_ITEM_SIZES = {
    **{"Byte": 1, "Char": 1, "Bool": 1, "Short": 2, "Half": 2, "BFloat16": 2, "Int": 4, "Float": 4},
    **{"Long": 8, "Double": 8, "ComplexFloat": 8, "ComplexDouble": 16},
}


def read_checkpoint(path: Path) -> Any:
    """What :func:`write_checkpoint` or ``torch.save`` wrote, tensors on the CPU.

    Raises
    ------
    CheckpointError
        The file is missing, damaged or cut short, or holds more than tensors, arrays and plain values.
    """
    import torch

    try:
        _check(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals(_STAND_INS):
            warnings.simplefilter("ignore")
            return plain(torch.load(path, map_location="cpu", weights_only=True), _tensor)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such checkpoint") from None
    except Refused as e:
        raise CheckpointError(f"{path}: not a checkpoint of tensors and plain values ({one_line(e)})") from None
    except OSError as e:
        raise CheckpointError(f"{path}: can't be read ({e.strerror or one_line(e)})") from e
    except Exception as e:  # a damaged file can raise anything
        lines = str(e).strip().splitlines() or [""]
        said = one_line(Exception(lines[0])) or type(e).__name__
        raise CheckpointError(f"{path}: not a checkpoint of tensors and plain values, or damaged ({said})") from e


def write_checkpoint(path: Path, content: Any) -> None:
    """Write a checkpoint, whole or not at all. Raises FdposeError where the folder can't be written or is full."""
    import torch

    remove_part_files(path)
    with atomic_write(path) as part, open(part, "wb") as f:
        target = _Target(f)
        try:
            torch.save(content, target)  # type: ignore[arg-type]
        except RuntimeError as e:
            raise target.error or e from e


class _Target:
    """A file that remembers why a write failed: torch says where it stood, and not that the disk is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self.file.write(data)
        except OSError as e:
            self.error = e
            raise

    def flush(self) -> None:
        self.file.flush()


def _check(path: Path) -> None:
    """Raises Refused where the checkpoint asks for more than tensors, arrays and plain values."""
    with open(path, "rb") as f:
        if f.read(4) == b"PK\3\4":  # as torch looks
            with zipfile.ZipFile(f) as archive:
                _check_archive(archive, path.stat().st_size)
        elif path.stat().st_size:
            with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check_legacy(content)
        else:
            raise Refused("the file is empty")


def _check_archive(archive: zipfile.ZipFile, size: int) -> None:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(entries) < len(archive.infolist()):
        raise Refused("two entries of one name")
    if any(e.compress_type != zipfile.ZIP_STORED for e in entries.values()):
        raise Refused("compressed entries, which torch does not write")
    if sum(e.file_size for e in entries.values()) > size:
        raise Refused("entries that overlap")
    damaged = archive.testzip()
    if damaged:
        raise Refused(f"{damaged} is damaged")
    found = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1 or entries[found[0]].file_size > MOST_BYTES:
        raise Refused("no data.pkl of torch")
    root = found[0].removesuffix("data.pkl")
    sizes = {name.removeprefix(f"{root}data/"): entry.file_size for name, entry in entries.items()}
    with archive.open(found[0]) as f:
        plain(_TensorUnpickler(f, sizes).load(), _is_checked)


def _check_legacy(content: Any) -> None:
    """A file that torch wrote before version 1.6: four pickles, and then the tensors' bytes, whose sizes it checks."""
    if PlainUnpickler(content, ADMITTED).load() != _LEGACY:
        raise Refused("no file of torch's")
    for _ in range(2):
        plain(PlainUnpickler(content, ADMITTED).load())
    plain(_TensorUnpickler(content, None).load(), _is_checked)
    plain(PlainUnpickler(content, ADMITTED).load())


class _Storage:
    """Stands for the bytes of tensors: ``count`` items."""

    def __init__(self, count: int) -> None:
        self.count = count


class _Checked:
    """Stands for a tensor whose items are within its storage."""


class _StorageType(str):
    """Name of a type of storage; it is never called."""


def _rebuilt(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> _Checked:
    numbers = [offset, *size, *stride] if isinstance(size, tuple) and isinstance(stride, tuple) else [None]
    if not isinstance(storage, _Storage) or not all(type(n) is int and n >= 0 for n in numbers):
        raise Refused("a tensor of no sizes")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if 0 not in size else -1
    if last >= storage.count or math.prod(size) > storage.count:
        raise Refused("a tensor that is larger than its bytes")
    return _Checked()


def _parameter(tensor: Any, *rest: Any) -> _Checked:
    if not isinstance(tensor, _Checked):
        raise Refused("a parameter that is no tensor")
    return tensor


def _is_checked(value: Any) -> None:
    if not isinstance(value, _Checked):
        raise Refused(f"a {type(value).__name__}")


def _sizes(numbers: Any = ()) -> tuple[Any, ...]:
    return tuple(numbers) if isinstance(numbers, (list, tuple)) else ()


_TENSORS = (
    ADMITTED
    | {"torch._utils._rebuild_tensor": _rebuilt, "torch._utils._rebuild_tensor_v2": _rebuilt}
    | {"torch._utils._rebuild_parameter": _parameter, "torch.Size": _sizes}
    | {f"torch.{name}Storage": _StorageType(name) for name in _ITEM_SIZES}
)


class _TensorUnpickler(PlainUnpickler):
    """Reads what torch pickles, without tensors."""

    def __init__(self, file: IO[bytes], sizes: dict[str, int] | None) -> None:
        super().__init__(file, _TENSORS)
        self.sizes = sizes

    def persistent_load(self, pid: Any) -> _Storage:
        """The bytes of tensors: ``("storage", type, key, location, count of items, ...)``."""
        match pid:
            case ("storage", _StorageType() as kind, str() as key, str(), int() as count, *_) if count >= 0:
                if self.sizes is not None and count * _ITEM_SIZES[kind] > self.sizes.get(key, -1):
                    raise Refused(f"tensor {key} has fewer bytes than it says")
                return _Storage(count)
        raise Refused("something kept elsewhere that is no tensor")

    def load_build(self) -> None:
        """A state dict's versions of its modules are let pass; they are not read."""
        if type(self.stack[-2]) is dict and isinstance(self.stack[-1], dict):
            self.stack.pop()
        else:
            super().load_build()

    dispatch = PlainUnpickler.dispatch | {
        pickle.BINPERSID[0]: pickle._Unpickler.dispatch[pickle.BINPERSID[0]],
        pickle.BUILD[0]: load_build,
    }


def _tensor(value: Any) -> Any:
    import torch

    if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.layout != torch.strided:
        raise Refused(f"a {type(value).__name__}")
    return value.detach()
