"""From a data directory to an address."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sys
from pathlib import Path

import pytest

from annotate import review
from annotate.review.launch import HOST, USUAL_PORT, greeting, has_browser, listen
from annotate.review.server import TOKEN_HEADER
from finediving_pose.errors import UsageError
from finediving_pose.journals.catch_up import is_behind
from finediving_pose.journals.journal import journal_file
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY
from tests.annotate.review.made_up import at_work, placed
from tests.browser.served import serve
from tests.command import fdpose

MODULES = Path(review.__file__).parent / "static"
SSH = {"SSH_CONNECTION": "10.0.0.2 55555 10.0.0.9 22"}


def test_it_listens_on_this_machine_alone() -> None:
    with listen(None) as listening:
        assert listening.getsockname()[0] == HOST == "127.0.0.1"


def test_an_answers_body_does_not_wait_for_its_headers() -> None:
    """With Nagle's algorithm each takes 40 ms and more: asyncio turns it off for sockets that are named as TCP."""
    with listen(None) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_a_second_one_takes_another_port_and_a_port_that_was_asked_for_is_not_replaced() -> None:
    with listen(None) as first, listen(None) as second:
        ports = {first.getsockname()[1], second.getsockname()[1]}
        assert len(ports) == 2
        assert ports & {USUAL_PORT} or usual_port_is_taken()
        with pytest.raises(UsageError, match="taken by another program"):
            listen(second.getsockname()[1])


def usual_port_is_taken() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, USUAL_PORT)) == 0


def test_over_ssh_it_says_the_line_for_a_tunnel(grey: Workspace) -> None:
    with at_work(grey) as session:
        lines = greeting(session, "http://127.0.0.1:8765/#t", 8765, SSH)
        assert any("ssh -N -L 8765:127.0.0.1:8765" in line and line.endswith("@10.0.0.9") for line in lines)
        assert not any("ssh -N" in line for line in greeting(session, "http://127.0.0.1:8765/#t", 8765, {}))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has a display without saying so")
def test_a_browser_is_opened_only_where_the_person_sees_it() -> None:
    assert has_browser({"DISPLAY": ":0"})
    assert not has_browser({"DISPLAY": "localhost:10.0", **SSH})
    assert not has_browser({})


@pytest.mark.parametrize("name", ["../up", "a b", ".hidden"])
def test_a_name_that_is_no_folder_is_refused(grey: Workspace, name: str) -> None:
    result = fdpose("review", "--data", grey.root, "--annotator", name)
    assert result.exit_code == 2
    assert "it becomes a folder name" in result.stderr
    assert not grey.journals.exists()


def test_suggested_without_a_list_leaves_nothing_locked(grey: Workspace) -> None:
    for _ in range(2):
        result = fdpose("review", "--data", grey.root, "--annotator", "anna", "--queue", "suggested")
        assert result.exit_code == 2
        assert "make it with: fdpose suggest" in result.stderr


def test_without_the_extra_the_command_says_what_to_install(grey: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finediving_pose.cli.review.find_spec", lambda name: None)
    result = fdpose("review", "--data", grey.root)
    assert result.exit_code == 1
    assert "pip install 'fdpose[review]'" in result.stderr


def test_clips_without_frames_are_named_before_anything_is_served(grey: Workspace) -> None:
    shutil.rmtree(grey.frames)
    result = fdpose("review", "--data", grey.root, "--annotator", "anna", "--no-browser")
    assert result.exit_code == 1
    assert "none of the 2 clips has frames; run: fdpose extract" in result.stderr
    assert not grey.journals.exists()


def test_ended_by_sigterm_the_layer_is_written_to_the_end(grey: Workspace) -> None:
    """And the locks are let go of, as after Ctrl-C."""
    server = serve(grey)
    entry = {"clip": str(KEY), "frame": 0, "person": 0, "version": "", **placed(3).as_json()}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    body = json.dumps({"id": "one", "what": "move", "entries": [entry]})
    connection.request("POST", "/api/edits", body, {TOKEN_HEADER: server.address.partition("#")[2]})
    assert connection.getresponse().status == 200
    server.process.terminate()
    server.process.wait(20)
    assert grey.pose_file("manual/anna", KEY).is_file()
    assert not is_behind(grey, "anna")
    assert not list(journal_file(grey, "anna").parent.glob(".*.lock"))


def test_the_page_asks_for_all_its_modules_at_once() -> None:
    page = (MODULES / "index.html").read_text()
    names = {p.relative_to(MODULES).as_posix() for p in MODULES.rglob("*.js")}
    assert names == {name for name in names if f'"/static/{name}"' in page}
