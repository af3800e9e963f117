"""The address that the page talks to: JSON and pictures, for this machine alone.

Every request must name this address as its host, come from this page (or from no page) and, but for the page's own
files, carry the token that the address was printed with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from annotate.review.clip_view import clip_as_json, entry_as_json
from annotate.review.findings import findings_of_clip, said
from annotate.review.proposals import Poses, between, sides
from annotate.review.queue import Queue
from annotate.review.session import ConflictError, Done, ReadOnlyError, Session
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import open_frames
from finediving_pose.journals.entry import Entry, Place
from finediving_pose.journals.journal import JournalFullError
from finediving_pose.journals.operations import LONGEST_ID, parse_place
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS

STATIC = Path(__file__).parent / "static"
TOKEN_HEADER = "x-review-token"
MOST_BYTES = 8_000_000
"""Of a request: an edit of two divers in a thousand frames has less."""
_STATUS = {ConflictError: 409, ReadOnlyError: 403, JournalFullError: 507, FrameError: 404}


def make_app(session: Session, queue: Queue, token: str, port: int) -> Starlette:
    """The application for one person at work, to be served on 127.0.0.1 at this port."""
    api = Api(session, queue)
    routes = [
        Route("/", page),
        Route("/api/session", _answer(api.session_facts)),
        Route("/api/queue", _answer(api.queue_items)),
        Route("/api/clips", _answer(api.clips)),
        Route("/api/clips/{video}/{index:int}", _answer(api.clip)),
        Route("/api/clips/{video}/{index:int}/findings", _answer(api.findings)),
        Route("/api/clips/{video}/{index:int}/{frame:int}.jpg", _answer(api.picture)),
        Route("/api/edits", _answer(api.edit), methods=["POST"]),
        Route("/api/steps", _answer(api.step), methods=["POST"]),
        Route("/api/proposals", _answer(api.proposal), methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(Guard, token=token, port=port)  # type: ignore[arg-type]
    return app


class Guard:
    """Refuses other hosts (a name that a stranger's DNS gives this address), origins and tokens."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token.encode()
        self.hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self.origins = {b"http://" + host for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope["path"], scope["headers"])
        if refusal:
            await JSONResponse({"error": refusal}, 403)(scope, receive, _with_headers(send))
            return
        await self.app(scope, receive, _with_headers(send))

    def refusal(self, path: str, headers: list[tuple[bytes, bytes]]) -> str:
        """Why a request is refused; empty where it is not."""
        given: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            given.setdefault(name, []).append(value)
        hosts, origins = given.get(b"host", []), given.get(b"origin", [])
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return (
                "another host; open the address that fdpose review printed, a tunnel needs the same port on both sides"
            )
        if any(origin not in self.origins for origin in origins):
            return "another origin; only fdpose review's own page may ask"
        token = given.get(TOKEN_HEADER.encode(), [b""])[0]
        if path.startswith("/api/") and not compare_digest(token, self.token):
            return "the token is not that of this run; open the address that fdpose review printed last"
        return ""


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *_HEADERS]
        await send(message)

    return with_headers


_HEADERS = [
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


async def page(_: Request) -> Response:
    """The page itself; it holds nothing of the data."""
    return Response((STATIC / "index.html").read_bytes(), media_type="text/html", headers={"cache-control": "no-cache"})


def _answer(work: Callable[..., Any]) -> Callable[[Request], Any]:
    """An endpoint that runs in a thread, gets path, query and body as one mapping, and turns errors into one line."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await _body(request) if request.method == "POST" else {}
            answer = await run_in_threadpool(work, {**request.query_params, **request.path_params, **body})
        except ConflictError as e:
            places = [entry_as_json(*place) for place in e.now]
            return JSONResponse({"error": str(e), "places": places}, 409)
        except FdposeError as e:
            status = next((code for kind, code in _STATUS.items() if isinstance(e, kind)), 400)
            return JSONResponse({"error": str(e)}, status)
        except (ValueError, KeyError, TypeError) as e:
            return JSONResponse({"error": f"not a request that this version knows ({type(e).__name__}: {e})"}, 400)
        return answer if isinstance(answer, Response) else JSONResponse(answer, headers={"cache-control": "no-store"})

    return endpoint


async def _body(request: Request) -> dict[str, Any]:
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
    value = json.loads(b"".join(parts))
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return value


class Api:
    """What the page can ask. Each method takes the request's values and gives what becomes JSON."""

    def __init__(self, session: Session, queue: Queue) -> None:
        self.session, self.queue = session, queue

    def session_facts(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "annotator": self.session.annotator,
            "data": str(self.session.workspace.root),
            "read_only": self.session.read_only,
            "joints": JOINTS,
            "limbs": LIMBS,
            "flip": FLIP,
            "queue": self.queue.name,
            "note": self.queue.note,
            "depth": self.session.history.depth,
        }

    def queue_items(self, asked: dict[str, Any]) -> dict[str, Any]:
        start = int(asked["from"])
        items, complete = self.queue.items(start)
        return {"items": [self._item(i) for i in items], "complete": complete}

    def _item(self, item: Any) -> dict[str, Any]:
        place: Place = item.place
        state = self.session.history.entry(place).state
        return {"clip": str(place.key), "frame": place.frame, "person": place.person, "why": item.why, "state": state}

    def clips(self, _: dict[str, Any]) -> list[str]:
        return [str(key) for key in self.session.clips]

    def clip(self, asked: dict[str, Any]) -> dict[str, Any]:
        return clip_as_json(self.session, _key(asked))

    def findings(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = findings_of_clip(self.session, _key(asked))
        rows = [
            {**{name: getattr(f, name) for name in ("rule", "severity", "frame", "joints")}, "message": said(f)}
            for f in found
        ]
        return {"findings": rows, "problem": self.session.problem, "teachable": self.session.teachable()}

    def picture(self, asked: dict[str, Any]) -> Response:
        self.session.clip(_key(asked))
        frames = open_frames(self.session.workspace, _key(asked))
        headers = {"cache-control": "private, max-age=86400"} if asked.get("digest") else {}
        return Response(frames.jpeg(asked["frame"]), media_type="image/jpeg", headers=headers)

    def edit(self, asked: dict[str, Any]) -> dict[str, Any]:
        places = [(parse_place(e), e) for e in asked["entries"]]
        for place, _ in places:
            self.session.clip(place.key)
        entries = {place: Entry.parse(e) for place, e in places}
        versions = {place: str(e["version"]) for place, e in places}
        return self._done(self.session.edit(_id(asked), str(asked["what"])[:200], entries, versions))

    def step(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["kind"] not in ("undo", "redo"):
            raise ValueError(f"no step {asked['kind']!r}")
        return self._done(self.session.step(_id(asked), asked["kind"]))

    def proposal(self, asked: dict[str, Any]) -> dict[str, Any]:
        place = parse_place(asked)
        self.session.clip(place.key)
        poses = Poses(self.session, place.key, place.person)
        if place.frame not in poses.frames:
            raise FrameError(f"{place.key}: has no frame {place.frame}")
        match asked["kind"]:
            case "between":
                return between(poses, place.frame).as_json(place.person)
            case "between-all":
                return between(poses, None).as_json(place.person)
            case "sides":
                return sides(poses, place.frame).as_json(place.person)
        raise ValueError(f"no proposal {asked['kind']!r}")

    def _done(self, done: Done) -> dict[str, Any]:
        return {
            "what": done.what,
            "places": [entry_as_json(*place) for place in done.places],
            "depth": done.depth,
            "problem": self.session.problem,
        }


def _key(asked: dict[str, Any]) -> ClipKey:
    return ClipKey(asked["video"], asked["index"])


def _id(asked: dict[str, Any]) -> str:
    id = asked["id"]
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise ValueError("an operation has an id")
    return id
