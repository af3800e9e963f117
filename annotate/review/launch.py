"""From a data directory to a running page: port, token, address, browser."""

from __future__ import annotations

import getpass
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress

import uvicorn

from annotate.review.clip_view import clip_as_json
from annotate.review.findings import findings_of_clip
from annotate.review.queue import Queue
from annotate.review.server import make_app
from annotate.review.session import Session
from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, FrameError, UsageError
from finediving_pose.frames import is_complete
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace

HOST = "127.0.0.1"
USUAL_PORT = 8765
"""The same at each start, so that the browser finds there what it has not sent yet."""


def serve(
    workspace: Workspace,
    clips: Sequence[Clip],
    annotator: str,
    kind: str | None = None,
    port: int | None = None,
    *,
    browser: bool = True,
) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Raises
    ------
    FrameError
        No clip has frames.
    UsageError
        The port is taken, or there is no list of suggestions for the queue.
    BusyError
        The same annotator's journal is open in another process.
    """
    if not any(is_complete(workspace, clip.key) for clip in clips):
        raise FrameError(f"{workspace.root}: none of the {len(clips):,} clips has frames; run: fdpose extract")
    session = Session(workspace, annotator, clips)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the layer is written to the end
    try:
        queue = Queue(session, kind)
        listening = listen(port)
        bound, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        address = f"http://{HOST}:{bound}/#{token}"
        for line in greeting(session, address, bound, os.environ):
            tell(line)
        threading.Thread(target=prepare, args=[session, queue], daemon=True).start()
        if browser and has_browser(os.environ):
            webbrowser.open(address)
        settings = uvicorn.Config(
            make_app(session, queue, token, bound), log_level="error", access_log=False, timeout_graceful_shutdown=3
        )
        uvicorn.Server(settings).run(sockets=[listening])
    finally:
        session.close()


def prepare(session: Session, queue: Queue) -> None:
    """Find what the page shows first while the browser opens: what is read and imported by then is not waited for."""
    with suppress(FdposeError):  # the page asks for the same, and says it
        for item in queue.items(0)[0][:1]:
            clip_as_json(session, item.place.key)
            findings_of_clip(session, item.place.key)


def listen(port: int | None) -> socket.socket:
    """A socket that listens on this machine alone; where no port is given, on the usual one or any that is free.

    Raises UsageError where the port given is taken.
    """
    for candidate in [port] if port else [USUAL_PORT, 0]:
        # named as TCP, else asyncio leaves Nagle's algorithm on: an answer's body then waits 40 ms for its headers
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, candidate))
            listening.listen(128)
            return listening
        except OSError:
            listening.close()
    raise UsageError(f"--port {port}: taken by another program; leave --port out, or give another one")


def greeting(session: Session, address: str, port: int, environment: Mapping[str, str]) -> list[str]:
    """What the terminal says: who corrects what, the address, and how to reach it over SSH."""
    lines = [f"{session.annotator} corrects {len(session.clips):,} clips of {session.workspace.root}"]
    if session.read_only:
        lines.append(f"view only: {session.read_only}")
    if connection := environment.get("SSH_CONNECTION", "").split():
        host = connection[2] if len(connection) == 4 else socket.gethostname()
        lines.append(f"on your own machine: ssh -N -L {port}:{HOST}:{port} {getpass.getuser()}@{host}")
    return [*lines, f"open {address}", "Ctrl-C ends it; everything is saved as you work"]


def has_browser(environment: Mapping[str, str]) -> bool:
    """Whether a browser opened from here is one that the person sees."""
    if environment.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
