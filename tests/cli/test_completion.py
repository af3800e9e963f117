"""The shell completes commands, options and choices, quickly (docs/completion.md)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {"torch", "mmpose", "mmengine", "pandas", "pyarrow", "h5py", "numpy", "cv2", "av", "matplotlib"}

ASK = """
import atexit, sys
atexit.register(lambda: print("heavy:", *sorted(HEAVY & sys.modules.keys())))
from finediving_pose.cli import main
main(prog_name="fdpose")
""".replace("HEAVY", repr(HEAVY))


def completed(line: str) -> list[str]:
    """What bash is offered for a line that ends where the Tab key is pressed; checks that nothing heavy is imported."""
    words = line.split(" ")
    asked = {
        "_FDPOSE_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    run = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, env=os.environ | asked)
    assert run.returncode == 0, run.stderr
    *offered, heavy = run.stdout.splitlines()
    assert heavy.split() == ["heavy:"]
    return [item.partition(",")[2] for item in offered]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("fdpose ann", ["annotate"]),
        ("fdpose s", ["synth", "split", "suggest", "score"]),
        ("fdpose annotate --man", ["--manual"]),
        ("fdpose finetune --from", ["--from-scratch"]),
        ("fdpose benchmark --pre", ["--preset"]),
        ("fdpose finetune --network ", ["pose", "locator"]),
        ("fdpose --deb", ["--debug"]),
    ],
)
def test_commands_options_and_choices_are_completed(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_every_documented_shell(shell: str) -> None:
    asked = {"_FDPOSE_COMPLETE": f"{shell}_source"}
    run = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, env=os.environ | asked)
    if shell == "bash" and "4.4" in run.stderr:
        pytest.skip("this bash is too old")
    assert "_FDPOSE_COMPLETE" in run.stdout and "fdpose" in run.stdout
