"""A real server on a port of its own, in a thread, and requests to it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from annotate.review.launch import listen
from annotate.review.queue import Queue
from annotate.review.server import TOKEN_HEADER, make_app
from annotate.review.session import Session

TOKEN = "let-me-in"


@dataclass(frozen=True)
class Address:
    """Where a server is, and how to ask it."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: Any = None, **headers: str | None) -> tuple[int, Any]:
        """Status and answer, JSON where it is some. Headers that are None are left out."""
        given = {
            "host": f"127.0.0.1:{self.port}",
            TOKEN_HEADER: TOKEN,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        method = "GET" if body is None else "POST"
        connection.putrequest(method, path, skip_host=True)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        for name, value in {**given, "content-length": str(len(data))}.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        is_json = (answer.getheader("content-type") or "").startswith("application/json")
        return answer.status, json.loads(raw) if is_json else raw


@contextmanager
def served(session: Session, kind: str | None = None) -> Iterator[Address]:
    listening = listen(None)
    port = listening.getsockname()[1]
    app = make_app(session, Queue(session, kind), TOKEN, port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Address(port)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
