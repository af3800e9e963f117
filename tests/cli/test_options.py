"""Options that the commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from finediving_pose.cli.options import device_names, speak_of, with_data
from finediving_pose.workspace import Workspace
from tests.command import fdpose


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a/0: no frames; run: fdpose extract --clip a/0", "a/0: no frames; run: fdpose extract{} --clip a/0"),
        ("again: fdpose extract --force, then fdpose info", "again: fdpose extract{} --force, then fdpose info{}"),
        ("cut: fdpose extract --data dives && fdpose info", "cut: fdpose extract --data dives && fdpose info{}"),
        ("to begin: fdpose synth --out films", "to begin: fdpose synth --out films"),
        ("x: fdpose merge is writing it (process 7)", "x: fdpose merge is writing it (process 7)"),
        ("x: fdpose annotate --auto is reading it (process 7)", "x: fdpose annotate --auto is reading it (process 7)"),
        ("a run of fdpose benchmark leaves one", "a run of fdpose benchmark leaves one"),
    ],
)
def test_a_command_to_be_typed_has_the_data_directory(text: str, wanted: str) -> None:
    with click.Context(click.Command("any")):
        assert with_data(text) == text
        assert with_data(text, Workspace(Path("my data"))) == wanted.replace("{}", " --data 'my data'")
        speak_of(Workspace(Path("there")))
        assert with_data(text) == wanted.replace("{}", " --data there")


def test_errors_name_the_data_directory_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (("pack",), ("kinematics",), ("annotate", "--auto")):
        assert "fdpose extract --videos PATH" in fdpose(*command).stderr.replace(f" --data {tmp_path}", "")
        assert f": fdpose extract --data {tmp_path} " in fdpose(*command, "--data", tmp_path).stderr
    monkeypatch.setenv("FDPOSE_DATA", str(tmp_path))
    assert "with: fdpose extract --videos PATH" in fdpose("pack").stderr


@pytest.mark.parametrize(
    ("given", "devices"),
    [("cpu", ("cpu",)), ("cuda:0, cuda:1", ("cuda:0", "cuda:1")), ("cuda:0,cuda:0", ("cuda:0",))],
)
def test_devices_are_named_one_by_one(given: str, devices: tuple[str, ...]) -> None:
    assert device_names(given) == devices


def test_devices_are_found_and_the_processor_taken_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert device_names("all") == device_names("auto") == ("cpu",)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert device_names("all") == ("cuda:0", "cuda:1", "cuda:2")
    assert device_names("auto") == ("cuda:0",)
