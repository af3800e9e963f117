"""Files that systems and programs leave beside a person's own: passed over wherever a folder is searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_NAMES = frozenset(
    {
        "__macosx",  # macOS, in zip files
        "icon\r",
        "thumbs.db",  # Windows
        "ehthumbs.db",
        "desktop.ini",
        "$recycle.bin",
        "system volume information",
        "lost+found",  # ext file systems
        "@eadir",  # Synology
        "#recycle",
        "__pycache__",
    }
)


def is_dropping(name: str) -> bool:
    """Whether a file or folder of this name is nobody's data.

    Hidden files (``.DS_Store``, ``._name`` beside every file on disks that macOS can't keep its notes on,
    ``.name.part`` of a killed writer), a spreadsheet's lock (``~$name``) and back-up copies (``name.txt~``) are
    droppings.
    """
    return name.startswith((".", "~$")) or (name.endswith("~") and "." in name) or name.lower() in _NAMES


def entries(folder: Path) -> list[Path]:
    """What a folder holds, sorted by name, droppings left out."""
    return sorted(p for p in folder.iterdir() if not is_dropping(p.name))


def found(folder: Path, pattern: str) -> Iterator[Path]:
    """What :meth:`Path.glob` finds, droppings and what lies in them left out."""
    for path in folder.glob(pattern):
        if not any(map(is_dropping, path.relative_to(folder).parts)):
            yield path
