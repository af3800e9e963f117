"""A synthetic competition on disk: videos, label pickles as upstream ships them, hand annotations, the truth.

``competition.json`` says what was asked for and is written first; then come the files of each event, see
:mod:`~finediving_pose.synth.filming`; ``labels/*.pkl``, ``hand/annotations.json``, ``truth/annotations.json`` and
``truth/dives.json`` are written when all events are there. The same seed gives the same bytes on the same machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from finediving_pose.droppings import entries
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.parallel import map_clips
from finediving_pose.synth.filming import film_event, is_finished
from finediving_pose.synth.joining import join
from finediving_pose.synth.layouts import check_layouts, lay_out
from finediving_pose.synth.like import NAMES, PlanLike, total_dives
from finediving_pose.synth.plan import Event, Plan
from finediving_pose.workspace import atomic_write, remove_part_files
from finediving_pose.writing import writing

NOTE = "competition.json"
DIVES = 96


def make_competition(
    out: Path,
    *,
    dives: int | None = None,
    seed: int = 0,
    dive_numbers: Sequence[str] | None = None,
    like: str | None = None,
    layouts: Sequence[str] = (),
    jobs: int | None = None,
) -> dict[str, Any]:
    """Make a competition of ``dives`` dives in ``out``; events that are finished are kept.

    Memory does not grow with the number of dives but for their labels. However often it is interrupted, and by how
    many processes it is made, the files are the same in the end.

    Parameters
    ----------
    dives : 96 where nothing is said; with ``like`` all of the data set
    like : ``finediving`` for the data set's own shape, errors in labels included (:mod:`finediving_pose.synth.like`)
    layouts : other layouts of the same frames to write beside the videos (:mod:`finediving_pose.synth.layouts`)
    dive_numbers : only these; None for as many numbers, up to FineDiving's 52, as leave about eight dives of each,
        and some synchronised dives
    jobs : processes; None for as many as there are cores

    Returns
    -------
    A summary: counts of events, dives, frames; spread of the awards; the noise ceiling.

    Raises
    ------
    UsageError
        Fewer than one dive, or more than the data set has; no such data set or layout; a dive number is not one, or no
        degree of difficulty or stages are known for it; ``out`` holds another competition, or other things.
    FdposeError
        The folder can't be written.
    BusyError
        Another process is filling it.
    """
    plan = _plan(dives, seed, dive_numbers, like)
    check_layouts(layouts)
    events = plan.events()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise FdposeError(f"{out}: can't write here ({e.strerror}); choose another --out") from e
    with writing("fdpose synth", [out / NOTE]):
        _claim(out / NOTE, plan)
        todo = [e for e in events if not is_finished(out, e)]
        for _, outcome in map_clips(partial(film_event, out), todo, jobs, "synthesizing", "dives", count=_dives):
            if isinstance(outcome, FdposeError):
                raise outcome
        summary = join(out, plan, events)
        lay_out(out, layouts, jobs)
        return summary


def _plan(dives: int | None, seed: int, dive_numbers: Sequence[str] | None, like: str | None) -> Plan:
    if not like:
        numbers = dict.fromkeys(number.lower() for number in dive_numbers or ())
        return Plan(DIVES if dives is None else dives, seed, tuple(numbers))
    if like not in NAMES:
        raise UsageError(f"--like {like}: no data set of which the shape is known; there is {', '.join(NAMES)}")
    if dive_numbers:
        raise UsageError("--like has the data set's own dive numbers; leave --dive-number out")
    most = total_dives()
    if dives is not None and not 1 <= dives <= most:
        raise UsageError(f"--dives {dives}: with --like {like} there are 1 to {most} dives")
    return PlanLike(most if dives is None else dives, seed, like=like)


def _dives(event: Event) -> int:
    return len(event.dive_numbers)


def _claim(note: Path, plan: Plan) -> None:
    """Make the note's folder this plan's, or see that it is."""
    remove_part_files(note)
    if note.exists():
        _compare(note, plan)
    else:
        _begin(note, plan)


def _begin(note: Path, plan: Plan) -> None:
    """Write down what is asked for, in an empty folder."""
    found = [p.name for p in entries(note.parent) if not p.name.startswith(f".{NOTE}")]
    if found:
        raise UsageError(
            f"{note.parent}: holds {found[0]} but no {note.name}, so it is not a competition that can be gone on with;"
            " choose another --out, or remove the folder"
        )
    with atomic_write(note) as part:
        part.write_text(json.dumps(plan.as_dict()) + "\n", encoding="utf-8")


def _compare(note: Path, plan: Plan) -> None:
    """Raise UsageError where the folder holds a competition that was asked for in other words."""
    try:
        there = json.loads(note.read_text(encoding="utf-8"))
        asked = plan.as_dict()
        other = [
            f"{name} {_in_words(there.get(name))}" for name in {**asked, **there} if there.get(name) != asked.get(name)
        ]
    except (OSError, ValueError, TypeError, AttributeError):
        other = [f"{note.name} can't be read"]
    if other:
        what = "; ".join(other).replace("_", " ")
        raise UsageError(
            f"{note.parent}: holds another competition ({what}); choose another --out, remove the folder,"
            " or ask for the same again"
        )


def _in_words(value: object) -> str:
    if value is None:
        return "none"
    return (", ".join(map(str, value)) or "of its own choice") if isinstance(value, list) else str(value)
