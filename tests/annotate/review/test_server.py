"""What the page may ask, and who may ask it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import annotate.review
from annotate.review.session import Session
from finediving_pose.poses import read_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY
from tests.annotate.review.made_up import at_work, with_machine
from tests.annotate.review.serving import Address, served

STATIC = Path(annotate.review.__file__).parent / "static"
CLIP = "/api/clips/meet/0"
ABSENT = [None, None, 0, "hand"]


@pytest.fixture
def session(grey: Workspace) -> Iterator[Session]:
    with at_work(with_machine(grey)) as session:
        yield session


@pytest.fixture
def address(session: Session) -> Iterator[Address]:
    with served(session) as address:
        yield address


def entry(frame: int = 0, version: str = "", joints: list | None = None, **more: object) -> dict:
    made = joints or [[50.0, 40.0, 2, "hand"], *[None] * 15]
    return {"clip": "meet/0", "frame": frame, "person": 0, "version": version, "joints": made, "state": "corrected",
            "note": "", **more}  # fmt: skip


def edit(id: str = "e1", **more: object) -> dict:
    return {"id": id, "what": "move right ankle", "entries": [entry(**more)]}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"host": "evil.example:{port}"}, "another host"),
        ({"host": "127.0.0.1:1"}, "another host"),
        ({"host": "127.0.0.1"}, "another host"),
        ({"host": None}, ""),
        ({"origin": "http://evil.example"}, "another origin"),
        ({"origin": "null"}, "another origin"),
        ({"origin": "https://127.0.0.1:{port}"}, "another origin"),
        ({"x_review_token": "guess"}, "token"),
        ({"x_review_token": ""}, "token"),
        ({"x_review_token": None}, "token"),
        ({"x_review_token": "let-me-i\u00ffn"}, "token"),
    ],
)
def test_strangers_are_refused_and_change_nothing(address: Address, session: Session, headers: dict, why: str) -> None:
    given = {k: v and v.replace("{port}", str(address.port)) for k, v in headers.items()}
    for path, body in ((CLIP, None), ("/api/edits", edit()), (f"{CLIP}/0.jpg", None)):
        status, answer = address.ask(path, body, **given)
        assert status in (400, 403)
        assert why in str(answer)
    assert session.history.depth == (0, 0)


def test_the_page_is_open_to_this_machine_and_to_no_other_host(address: Address) -> None:
    for host in (f"127.0.0.1:{address.port}", f"localhost:{address.port}"):
        status, page = address.ask("/", host=host, x_review_token=None)
        assert status == 200
        assert b"fdpose review" in page
    assert address.ask("/", host="evil.example")[0] == 403
    assert address.ask("/static/app.js", host="evil.example")[0] == 403


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py", "/etc/passwd"]
)
def test_no_other_files_are_served(address: Address, path: str) -> None:
    assert address.ask(path)[0] == 404


def test_a_clip_has_all_that_the_page_draws(address: Address) -> None:
    status, clip = address.ask(CLIP)
    assert status == 200
    assert (clip["frames"], clip["width"], clip["height"], clip["persons"]) == ([0, 1, 2], 112, 64, 1)
    assert len(clip["machine"]) == 3
    assert clip["machine"][0]["joints"][0] == [20.0, 5.0, 2, 0.5]
    assert address.ask(f"{CLIP}/2.jpg")[1].startswith(b"\xff\xd8")


def test_an_edit_is_on_the_disk_when_it_is_answered(address: Address, session: Session) -> None:
    status, done = address.ask("/api/edits", edit())
    assert (status, done["depth"]) == (200, [1, 0])
    assert done["places"][0]["version"] == "e1"
    assert b'"e1"' in (session.workspace.journals / "anna.jsonl").read_bytes()
    session.flush()
    assert read_poses(session.workspace.pose_file("manual/anna", KEY)).keypoints[0, 0].tolist() == [50, 40]
    assert address.ask(CLIP)[1]["entries"][0]["joints"][0] == [50.0, 40.0, 2, "hand"]
    status, undone = address.ask("/api/steps", {"id": "u1", "kind": "undo"})
    assert (status, undone["what"], undone["depth"]) == (200, "move right ankle", [0, 1])
    assert undone["places"][0]["joints"] == [None] * 16


def test_a_conflict_answers_with_the_newer_pose(address: Address) -> None:
    address.ask("/api/edits", edit("one"))
    status, answer = address.ask("/api/edits", edit("two"))
    assert status == 409
    assert answer["places"][0]["version"] == "one"
    assert address.ask("/api/edits", edit("three", version="one"))[0] == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/edits", b"{"),
        ("/api/edits", b"[]"),
        ("/api/edits", {"id": "", "what": "x", "entries": []}),
        ("/api/edits", {"id": "x" * 99, "what": "x", "entries": []}),
        ("/api/edits", {"id": "x", "what": "x", "entries": [{}]}),
        ("/api/edits", {"id": "x", "what": "x", "entries": [entry(joints=[[1, 2, 9, "hand"]] * 16)]}),
        ("/api/edits", {"id": "x", "what": "x", "entries": [{**entry(), "clip": "../../etc/0"}]}),
        ("/api/edits", {"id": "x", "what": "x", "entries": [{**entry(), "clip": "meet/77"}]}),
        ("/api/edits", b" " * 9_000_000),
        ("/api/steps", {"id": "x", "kind": "again"}),
        ("/api/proposals", {"kind": "guess", "clip": "meet/0", "frame": 0, "person": 0}),
        ("/api/queue?from=x", None),
    ],
)
def test_a_request_that_can_not_be_is_refused_in_a_line(
    address: Address, session: Session, path: str, body: object
) -> None:
    status, answer = address.ask(path, body)
    assert status == 400
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert session.history.depth == (0, 0)


def test_a_clip_that_was_deleted_while_it_is_open_is_said(address: Address, session: Session) -> None:
    shutil.rmtree(session.workspace.frame_folder(KEY))
    status, answer = address.ask(CLIP)
    assert status == 404
    assert "run: fdpose extract --clip meet/0" in answer["error"]
    assert address.ask(f"{CLIP}/0.jpg")[0] == 404


def test_findings_are_of_the_pose_as_it_is_now(address: Address) -> None:
    assert not any(f["rule"] == "pose.outside-picture" for f in address.ask(f"{CLIP}/findings")[1]["findings"])
    address.ask("/api/edits", edit(joints=[[5000.0, 40.0, 2, "hand"], *[None] * 15]))
    found = [f for f in address.ask(f"{CLIP}/findings")[1]["findings"] if f["rule"] == "pose.outside-picture"]
    assert found[0]["frame"] == 0
    assert found[0]["joints"] == ["right_ankle"]


def test_an_accepted_pose_that_a_new_estimator_moved_is_shown_as_before(address: Address, session: Session) -> None:
    address.ask("/api/edits", {**edit(), "entries": [{**entry(joints=[None] * 16), "state": "accepted"}]})
    assert address.ask(CLIP)[1]["before"] == []
    with_machine(session.workspace, shift=12, author="newer")
    (before,) = address.ask(CLIP)[1]["before"]
    assert (before["author"], before["frame"], before["pixels"]) == ("net", 0, 12)
    assert before["joints"][0] == [20.0, 5.0]


def test_the_vendored_module_is_the_one_whose_digest_is_noted() -> None:
    note = (STATIC / "vendor" / "htm-preact.txt").read_text(encoding="utf-8")
    digest = sha256((STATIC / "vendor" / "htm-preact.js").read_bytes()).hexdigest()
    assert f"sha256  {digest}" in note
    assert "MIT License" in note
    assert "Apache License" in note


def test_nothing_is_fetched_from_elsewhere() -> None:
    """The page works without a network: no address in it, none in the module that comes with it is asked."""
    pages = [p for p in STATIC.rglob("*") if p.suffix in (".js", ".html", ".css")]
    assert len(pages) > 8
    named = {p.name for p in pages if "http://" in p.read_text("utf-8") or "https://" in p.read_text("utf-8")}
    assert named <= {"htm-preact.js"}  # names of XML's languages
