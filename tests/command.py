"""The command line, run in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from finediving_pose.cli import main


def fdpose(*words: object) -> Result:
    return CliRunner().invoke(main, [str(w) for w in words])
