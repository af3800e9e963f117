"""Layers that follow their journals, whoever reads them, and whenever ``fdpose review`` was killed.

``journals/.<annotator>.written`` says how many bytes of the journal are in the layer ``manual/<annotator>`` and in the
reviews. Where the journal has more, the layer is behind.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

from finediving_pose.droppings import found
from finediving_pose.errors import BusyError, FdposeError
from finediving_pose.journals.history import History
from finediving_pose.journals.journal import journal_file, read_journal
from finediving_pose.journals.layer import write_layer
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

PATIENCE = 10.0
"""Seconds for which others are waited for; a running ``fdpose review`` writes a moment after each change."""
_PAUSE = 0.05


def catch_up(workspace: Workspace, command: str) -> None:
    """Write the layers and reviews that are behind their journals. Call it before locks on layers are taken.

    A layer that can't be written stays as it is, and that is said: what is there can be read all the same.

    Parameters
    ----------
    command : who does it, such as ``fdpose merge``
    """
    journals = found(workspace.journals, "*.jsonl") if workspace.journals.is_dir() else []
    for annotator in sorted(path.stem for path in journals):
        until = time.monotonic() + PATIENCE
        while is_behind(workspace, annotator):
            try:
                _catch_up(workspace, annotator, command)
                break  # on a full disk without a note of it
            except (FdposeError, OSError) as e:
                if not isinstance(e, BusyError) or time.monotonic() > until:
                    tell(f"manual/{annotator} lacks what was done last in fdpose review: {e}")
                    break
            time.sleep(_PAUSE)


def is_behind(workspace: Workspace, annotator: str) -> bool:
    """Whether a journal has more than its layer."""
    try:
        return journal_file(workspace, annotator).stat().st_size != _written(workspace, annotator)
    except OSError:
        return False


def note_written(workspace: Workspace, annotator: str, length: int) -> None:
    """Note that the layer and the reviews have the first ``length`` bytes of the journal."""
    with suppress(OSError):  # the disk is full: the layer is written again, and stays the same
        _note(workspace, annotator).write_text(f"{length}\n", encoding="ascii")


def _written(workspace: Workspace, annotator: str) -> int | None:
    try:
        return int(_note(workspace, annotator).read_bytes())
    except (OSError, ValueError):
        return None


def _note(workspace: Workspace, annotator: str) -> Path:
    return workspace.journals / f".{annotator}.written"


def _catch_up(workspace: Workspace, annotator: str, command: str) -> None:
    path = journal_file(workspace, annotator)
    with writing(command, [path, workspace.poses / "manual" / annotator]):
        size = path.stat().st_size  # with the part of a line that a kill may have left
        history = History(read_journal(path)[0])
        for key in history.clips():
            write_layer(workspace, annotator, key, history, Lock())
        note_written(workspace, annotator, size)
