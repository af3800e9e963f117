"""The clips table: what labels say of the clips, and what their frames do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import fields, replace

from finediving_pose.clip import Clip
from finediving_pose.extraction.sources import other_case
from finediving_pose.frames import FrameFolder
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing


def add_clips(workspace: Workspace, clips: Iterable[Clip]) -> list[Clip]:
    """Merge clips into the clips table and return the whole table; what a new row leaves open keeps its old value."""
    with extracting(workspace):
        table = {c.key: c for c in known_clips(workspace)}
        for clip in clips:
            table[clip.key] = _merged(table[clip.key], clip) if clip.key in table else clip
        rows = sorted(table.values(), key=lambda c: c.key)
        write_clips(workspace.clips_table, rows)
    return rows


def extracting(workspace: Workspace, force: bool = False) -> AbstractContextManager[None]:
    """Hold the clips table, and with ``force`` the frames that are there: others read them, or write the table.

    Raises BusyError where another command is at work on them.
    """
    return writing("fdpose extract", [workspace.clips_table, *([workspace.frames] if force else [])])


def twins(clips: Iterable[Clip]) -> list[str]:
    """What to know of videos whose names differ in nothing but capitals."""
    names = sorted({c.key.video for c in clips})
    pairs = ((name, other_case(name, names[:i])) for i, name in enumerate(names))
    return [
        f"{twin} and {name} differ in nothing but capitals: macOS and Windows put both into one folder; rename one"
        for name, twin in pairs
        if twin
    ]


def known_clips(workspace: Workspace) -> list[Clip]:
    """The clips table's, none where there is no table yet."""
    return read_clips(workspace) if workspace.clips_table.is_file() else []


def _merged(old: Clip, new: Clip) -> Clip:
    empty = Clip(old.key)
    said = {f.name: getattr(new, f.name) for f in fields(Clip) if getattr(new, f.name) != getattr(empty, f.name)}
    if "sub_actions" in said:
        said["stage_starts"] = new.stage_starts
    return replace(old, **said)


def facts_of(frames: FrameFolder) -> Clip:
    """What only the frames know: their count, size and rate."""
    n = len(frames.numbers)
    return Clip(frames.key, n_frames=n, fps=frames.fps, image_width=frames.width, image_height=frames.height)


def record(workspace: Workspace, facts: list[Clip]) -> None:
    """Add what frames know, where there is anything to add."""
    if facts:
        add_clips(workspace, facts)
