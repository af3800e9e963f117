"""Help is grouped, and a mistyped name is answered with the nearest ones."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from finediving_pose.cli import COMMANDS, GROUPS, main


def test_commands_are_listed_in_their_groups() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    places = [text.index(f"\n{title}:\n") for title in GROUPS]
    assert places == sorted(places) and list(GROUPS) == ["Data", "Poses", "File", "Models", "Start"]
    for title, end in zip(GROUPS, [*places[1:], len(text)], strict=True):
        section = text[text.index(f"\n{title}:\n") : end]
        assert [line.split()[0] for line in section.splitlines() if line.startswith("  ") and line[2] != " "][
            : len(GROUPS[title])
        ] == list(GROUPS[title])


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"benchmark"}))
def test_a_command_is_described_alike_in_both_helps(name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None and command.help is not None
    first = " ".join(command.help.partition("\n\n")[0].split())
    assert first == COMMANDS[name]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("anotate", "did you mean annotate?"),
        ("fine-tune", "did you mean finetune?"),
        ("val", "did you mean validate?"),
        ("s", "did you mean synth or split or suggest or score?"),
        ("xyzzy", "no such command: xyzzy (fdpose --help lists the commands)"),
    ],
)
def test_an_unknown_command_suggests_the_nearest(typed: str, meant: str) -> None:
    result = CliRunner().invoke(main, [typed])
    assert result.exit_code == 2
    assert meant in result.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("annotate --atuo", "--auto"),
        ("finetune --form-scratch", "--from-scratch"),
        ("suggest 5 --devise cpu", "--device"),
        ("extract --vidoes here", "--videos"),
    ],
)
def test_an_unknown_option_suggests_the_nearest(words: str, meant: str) -> None:
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 2
    assert "Did you mean" in result.stderr and meant in result.stderr
