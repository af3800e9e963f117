"""The thread that writes the layer after the journal."""

from __future__ import annotations

import threading

from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.journals.catch_up import note_written
from finediving_pose.journals.history import History
from finediving_pose.journals.journal import Journal
from finediving_pose.journals.layer import write_layer
from finediving_pose.workspace import Workspace

REST = 0.3
"""Seconds between a change and its writing, so that many changes are written once."""
AGAIN = 3.0
"""Seconds until what could not be written is tried again."""


class LayerWriter:
    """Writes changed clips in a thread of its own. The journal has everything already: a kill loses nothing.

    Attributes
    ----------
    problem : why the last clip could not be written, empty where it could
    """

    def __init__(
        self, workspace: Workspace, annotator: str, journal: Journal, history: History, lock: threading.Lock
    ) -> None:
        """``lock``: held by whoever changes ``journal`` and ``history``."""
        self._target = workspace, annotator, history
        self._journal = journal
        self._history_lock = lock
        self._wake = threading.Condition()
        self._marked: set[ClipKey] = set()
        self._writing = False
        self._closing = False
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="layer writer", daemon=True)
        self._thread.start()

    def mark(self, *keys: ClipKey) -> None:
        """These clips have to be written."""
        with self._wake:
            self._marked |= set(keys)
            self._wake.notify_all()

    def flush(self, timeout: float = 60.0) -> None:
        """Wait until everything marked so far is written, or could not be."""
        with self._wake:
            self._wake.wait_for(lambda: bool(self.problem) or not (self._marked or self._writing), timeout)

    def close(self) -> None:
        """Write what is marked, once, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._marked or self._closing)
                if not self._closing:
                    self._wake.wait_for(lambda: self._closing, AGAIN if self.problem else REST)
            with self._history_lock:
                length = self._journal.length  # every clip changed up to here is marked
            with self._wake:
                keys, self._marked = sorted(self._marked), set()
                self._writing = True
            failed = {key for key in keys if not self._written(key)}
            if not failed:
                note_written(*self._target[:2], length)
            with self._wake:
                self._marked |= failed
                self._writing = False
                self._wake.notify_all()
                if self._closing and (failed or not self._marked):
                    return

    def _written(self, key: ClipKey) -> bool:
        workspace, annotator, history = self._target
        try:
            write_layer(workspace, annotator, key, history, self._history_lock)
        except (FdposeError, OSError) as e:
            self.problem = str(e)
            return False
        self.problem = ""
        return True
