"""The command line answers quickly, in plain words, with the promised exit codes."""

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from finediving_pose.cli import COMMANDS, main


def test_help_names_every_command_and_needs_no_heavy_import():
    code = "import sys; from finediving_pose.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n" + (
        "print(sorted({'torch', 'mmpose', 'pandas', 'pyarrow', 'h5py', 'numpy', 'cv2', 'av'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(name in out for name in COMMANDS)
    assert out.splitlines()[-1] == "[]"


def test_help_imports_click_and_nothing_else_that_was_installed():
    """So that it answers at once; benchmarks/help.py has the time."""
    code = "import sys; before = set(sys.modules); from finediving_pose.cli import main\ntry: main(['--help'])\n" + (
        "except SystemExit: pass\nnew = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "['click', 'finediving_pose']"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page_with_an_example(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert re.search(f"Examples?: fdpose {command} ?", " ".join(result.output.split()))


def test_an_unknown_command_is_bad_usage():
    result = CliRunner().invoke(main, ["anotate"])
    assert result.exit_code == 2
    assert "anotate" in result.output


def test_an_error_is_one_line_and_exit_one(tmp_path):
    result = CliRunner().invoke(main, ["validate", "--data", str(tmp_path / "nothing")])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("fdpose: ")


def test_debug_shows_the_traceback(tmp_path):
    result = CliRunner().invoke(main, ["--debug", "validate", "--data", str(tmp_path / "nothing")])
    assert result.exception is not None
    assert result.exit_code == 1


@pytest.mark.parametrize(("given", "wanted"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_asleep_unless_told_otherwise(given: str | None, wanted: str):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": given} if given else {}
    code = "import os, finediving_pose.cli; print(os.environ['OMP_WAIT_POLICY'])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert out.stdout.strip() == wanted
