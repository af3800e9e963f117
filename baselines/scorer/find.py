"""Where the scorer of a command is: a file, a run's, or the bundled one."""

from __future__ import annotations

from pathlib import Path

from baselines.scorer.file import SCORER
from finediving_pose.errors import SetupError

BUNDLED = Path(__file__).parent / "bundled" / "synthetic.pth"
"""The scorer that comes with fdpose; it learned from synthetic dives."""


def find_scorer(name: str, runs: Path) -> Path | None:
    """The scorer that a name means: a file ``.pth``, the folder of a run, or a run's name; None for anything else.

    A file need not be there.
    """
    if name.endswith(".pth"):
        return Path(name)
    folders = (Path(name), runs / name) if name else ()
    return next((folder / SCORER for folder in folders if (folder / SCORER).is_file()), None)


def bundled_scorer() -> Path:
    """The bundled scorer. Raises SetupError where this installation has none."""
    if not BUNDLED.is_file():
        raise SetupError(
            "no scorer is given, and none comes with this installation; train one with: fdpose benchmark METHOD, and"
            f" give runs/METHOD-TIME/{SCORER}, or make the bundled one with: make scorer"
        )
    return BUNDLED
