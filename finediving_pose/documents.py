"""JSON, YAML and CSV files that other programs wrote, read within bounds.

A byte order mark, UTF-16 with one and a spreadsheet's separators are read as they are meant. Nesting and the expansion
of YAML's aliases are bounded, so that a small file can't take all memory or the whole stack.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finediving_pose.errors import FdposeError

MAX_DEPTH = 64
"""Lists and objects within one another; the deepest file of a known tool has 10."""

MAX_YAML_BYTES = 10_000_000
MAX_YAML_NODES = 1_000_000
"""Values of a YAML file once its aliases are written out."""

_SEPARATORS = (",", ";", "\t")
_NAMED_SEPARATOR = re.compile("sep=([,;\t])", re.IGNORECASE)
"""The line that Excel puts before a table to say what separates its cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a CSV file, empty lines left out.

    Attributes
    ----------
    rows : cells of each line
    lines : number of each row's line in the file, from 1
    separator : ``,``, ``;`` or tab, whichever the first line has most of
    """

    rows: list[list[str]]
    lines: list[int]
    separator: str

    def number(self, text: str) -> float:
        """A cell as a number; where cells aren't separated by commas, a comma may be the decimal point.

        Raises ValueError where it is none.
        """
        text = text.strip()
        if self.separator != "," and text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        return float(text)


def read_text(path: Path, error: type[FdposeError] = FdposeError) -> str:
    """The file's text: UTF-8, or what its byte order mark says. Raises ``error`` where it can't be read."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise error(f"{path}: no such file; check the path") from None
    except OSError as e:
        raise error(f"{path}: can't be read ({e.strerror}); check the path and its permissions") from e
    return decode_text(raw, str(path), error)


def decode_text(raw: bytes, name: str, error: type[FdposeError] = FdposeError) -> str:
    """The text of a file's bytes, as :func:`read_text` has it; ``name`` says in an error where they came from."""
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return raw.decode("utf-16")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise error(f"{name}: not UTF-8 text (byte {e.start}); save it as UTF-8") from e


def read_json(path: Path, error: type[FdposeError] = FdposeError) -> Any:
    """What a JSON file holds. Raises ``error`` where it is missing, no JSON, or nested more than MAX_DEPTH deep."""
    return parse_json(read_text(path, error), str(path), error)


def parse_json(text: str, name: str, error: type[FdposeError] = FdposeError) -> Any:
    """What a JSON text holds; ``name`` says in an error where it came from."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise error(f"{name}: nested more than {MAX_DEPTH} deep; no annotation tool writes such a file") from None
    except ValueError as e:
        raise error(f"{name}: not a JSON file ({e}); export it again") from e
    if _is_deep(value):
        raise error(f"{name}: nested more than {MAX_DEPTH} deep; no annotation tool writes such a file")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        lists = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, (dict, list))]
        if not lists:
            return False
        level = [child for values in lists for child in values if isinstance(child, (dict, list))]
    return True


def read_yaml(path: Path, error: type[FdposeError] = FdposeError) -> Any:
    """What a YAML file holds: plain values only, aliases within MAX_YAML_NODES.

    Raises ``error`` where the file is missing, too large, no YAML, or grows without bounds through its aliases.
    """
    import yaml

    text = read_text(path, error)
    if len(text) > MAX_YAML_BYTES:
        raise error(f"{path}: {len(text):,} characters; a YAML file of more than {MAX_YAML_BYTES:,} isn't read")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None and _expanded_size(node, {}) > MAX_YAML_NODES:
            raise error(f"{path}: its aliases (*name) stand for more than {MAX_YAML_NODES:,} values; write them out")
        return yaml.safe_load(text)
    except RecursionError:
        raise error(f"{path}: nested too deep, or an alias (*name) that contains itself; write it out") from None
    except (yaml.YAMLError, ValueError, TypeError) as e:
        raise error(f"{path}: not a YAML file ({' '.join(str(e).split())[:160]})") from e


def _expanded_size(node: Any, known: dict[int, int]) -> int:
    """Values below a YAML node, each alias counted as often as it is used. RecursionError for one within itself."""
    if id(node) not in known:
        children = node.value if isinstance(node.value, list) else []
        flat = [n for child in children for n in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_expanded_size(child, known) for child in flat)
    return known[id(node)]


def read_table(path: Path, error: type[FdposeError] = FdposeError) -> Table:
    """The cells of a CSV file, separated by commas, semicolons or tabs. Raises ``error`` where it can't be read."""
    text = read_text(path, error)
    first = next((line for line in text.splitlines() if line.strip()), "")
    named = _NAMED_SEPARATOR.fullmatch(first.strip("\r\n"))
    separator = named[1] if named else max(_SEPARATORS, key=_unquoted(first).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    rows, lines = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row) and not (named and not lines and reader.line_num == 1):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as e:
        raise error(f"{path}: line {reader.line_num}: not a CSV file ({e})") from e
    return Table(rows, lines, separator)


def _unquoted(line: str) -> str:
    """The line without what is between quotation marks."""
    return "".join(line.split('"')[::2])
