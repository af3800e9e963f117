"""Where the scorer of a command is: a file, a run's, or the bundled one."""

from __future__ import annotations

import shlex
from pathlib import Path

from baselines.runs.config import CONFIG
from baselines.runs.study import is_study
from baselines.scorer.file import SCORER, WHERE
from finediving_pose.errors import SetupError, UsageError

BUNDLED = Path(__file__).parent / "bundled" / "synthetic.pth"
"""The scorer that comes with fdpose; it learned from synthetic dives."""


def find_scorer(name: str, runs: Path) -> Path | None:
    """The scorer that a name means: a file ``.pth``, the folder of a run, or a run's name; None for anything else.

    Raises UsageError where it means one that is not there, or a study, which has several.
    """
    for folder in (Path(name), runs / name) if name else ():
        if (folder / SCORER).is_file():
            return folder / SCORER
        if is_study(folder):
            raise UsageError(_of_a_study(folder))
        if (folder / CONFIG).is_file():
            raise UsageError(
                f"{folder}: a run without {SCORER}, which its end writes; finish it with: fdpose benchmark --resume"
                f" {shlex.quote(str(folder))}"
            )
    if not name.endswith(".pth"):
        return None
    if not Path(name).exists():
        raise UsageError(f"{name}: no such scorer; {WHERE}")
    return Path(name)


def _of_a_study(folder: Path) -> str:
    """What to say where a study is named, and one of its scorers is wanted."""
    scorers = sorted(folder.glob(f"*/{SCORER}"))
    if not scorers:
        return (
            f"{folder}: a study none of whose runs has a scorer yet; finish it with: fdpose benchmark --resume"
            f" {shlex.quote(str(folder))}"
        )
    more = f" and {len(scorers) - 3} more" if len(scorers) > 3 else ""
    return f"{folder}: a study, not a scorer; name one of its runs: {', '.join(map(_run, scorers[:3]))}{more}"


def _run(scorer: Path) -> str:
    return shlex.quote(str(scorer.parent))


def bundled_scorer() -> Path:
    """The bundled scorer. Raises SetupError where this installation has none."""
    if not BUNDLED.is_file():
        raise SetupError(
            "no scorer is given, and none comes with this installation; train one with: fdpose benchmark METHOD, and"
            f" give runs/METHOD-TIME/{SCORER}, or make the bundled one with: make scorer"
        )
    return BUNDLED
