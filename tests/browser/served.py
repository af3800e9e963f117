"""``fdpose review`` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass

from finediving_pose.workspace import Workspace

_ADDRESS = re.compile(r"open (http://\S+)")


@dataclass
class Served:
    """A running server and the address that it printed."""

    process: subprocess.Popen[str]
    address: str
    port: int

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
