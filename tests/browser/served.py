"""``fdpose review`` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from finediving_pose.workspace import Workspace

_ADDRESS = re.compile(r"open (http://\S+)")


@dataclass
class Served:
    """A running server and the address that it printed. As a context, it ends with it."""

    process: subprocess.Popen[str]
    address: str
    port: int

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self.process.kill()
        self.process.wait(20)

    def end(self) -> None:
        """As Ctrl-C ends it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)


def serve(workspace: Workspace, *options: str) -> Served:
    """Start it and wait for its address."""
    command = [sys.executable, "-m", "finediving_pose.cli", "review", "--data", str(workspace.root), "--no-browser"]
    named = [] if "--annotator" in options else ["--annotator", "anna"]
    process = subprocess.Popen(
        [*command, *named, *options], stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "400"}
    )
    said = ""
    assert process.stderr
    for line in process.stderr:
        said += line
        if found := _ADDRESS.search(line):
            return Served(process, found[1], int(found[1].partition("127.0.0.1:")[2].partition("/")[0]))
    process.wait(20)
    raise AssertionError(f"no address: {said}")


class Forks:
    """Starts servers as forks of one process that has everything imported: a start takes a moment.

    Use it as a context; servers that still run end with it.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "COLUMNS": "400"},
        )  # fmt: skip
        self._running: set[int] = set()

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self._running):
            self._kill(pid)
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)

    def serve(self, workspace: Workspace, queue: str, port: int | None = None) -> Fork:
        """A server for the annotator anna, when it has said its address."""
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(json.dumps([str(workspace.root), queue, port]) + "\n")
        process.stdin.flush()
        pid = int(process.stdout.readline())
        self._running.add(pid)
        said = ""
        for line in process.stderr:
            said += line
            if found := _ADDRESS.search(line):
                return Fork(pid, found[1], int(found[1].partition("127.0.0.1:")[2].partition("/")[0]), self._kill)
            if line == f"{_ENDED} {pid}\n":
                break
        raise AssertionError(f"no address: {said}")

    def _kill(self, pid: int) -> None:
        """Until it is gone: before that, the next one finds its journal and its port taken."""
        self._running.discard(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            while True:
                os.kill(pid, 0)
                time.sleep(0.002)


@dataclass(frozen=True)
class Fork:
    """A running server of :class:`Forks`."""

    pid: int
    address: str
    port: int
    ends: Callable[[int], None]

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self.ends(self.pid)


_ENDED = "the server ended:"
_FORKING = f"""
import json, os, signal, sys, traceback
from pathlib import Path
from annotate.review.launch import serve
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    root, queue, port = json.loads(line)
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        data = Workspace(Path(root))
        try:
            serve(data, read_clips(data), "anna", queue, port, browser=False)
        except BaseException:
            traceback.print_exc()
        print("{_ENDED}", os.getpid(), file=sys.stderr, flush=True)
        os._exit(0)
    print(pid, flush=True)
"""
