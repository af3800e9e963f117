"""What was measured, in lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from finediving_pose.kinematics.quantities import DIVE_QUANTITIES, PAIR_QUANTITIES
from finediving_pose.kinematics.readings import Reason

_UNITS = {"_deg_s": "°/s", "_deg": "°", "_s": "s", "_m": "m", "_share": "of the picture"}
_SENTENCES = {reason.label: reason.sentence for reason in Reason}
_DIGITS = {"°/s": 0, "°": 0, "": 0}
_MISMATCHES = 5


def in_words(name: str) -> tuple[str, str]:
    """A quantity's name and unit as people write them: ``("entry angle", "°")`` for ``entry_angle_deg``."""
    unit = next((suffix for suffix in _UNITS if name.endswith(suffix)), "")
    return name.removesuffix(unit).replace("_", " "), _UNITS.get(unit, "")


def summary_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One clip in full; of several, the median of each quantity, in how many dives it was measured, and why not."""
    clips = {(row["video"], row["index"]) for row in rows}
    if len(clips) == 1:
        for row in rows:
            yield from _dive(row, several=len(rows) > 1)
    elif rows:
        yield from _dives(rows)
    if len(clips) == 1:
        yield "± holds for two of three synthetic dives; real ones are harder (docs/kinematics.md)"
    wrong = [row for row in rows if row["count_agrees"] is False]
    for row in wrong[:_MISMATCHES]:
        yield (
            f"{row['video']}/{row['index']}: {row['half_somersaults']:.0f} half somersaults seen, but"
            f" {row['dive_number']} has {row['half_somersaults_expected']}; see its plot, then correct the poses or"
            " the dive number"
        )
    if len(wrong) > _MISMATCHES:
        yield f"and {len(wrong) - _MISMATCHES} more whose count differs; see count_agrees in dives.csv"


def _dive(row: dict[str, Any], several: bool) -> Iterator[str]:
    if several:
        yield f"diver {row['person']}"
    for name in (*DIVE_QUANTITIES, *(PAIR_QUANTITIES if row["person"] else ())):
        words, unit = in_words(name)
        if row[name] is None:
            if not (name == "splash_share" and row[f"{name}_why"] == Reason.NO_SPLASH_MASK.label):
                yield f"  {words:<18} -  {_SENTENCES[row[f'{name}_why']]}"
            continue
        error = row[f"{name}_error"]
        digits = _DIGITS.get(unit, 2)
        bar = "" if not error else f" ± {error:.{digits}f}"
        yield f"  {words:<18} {row[name]:.{digits}f}{bar} {unit}".rstrip()


def _dives(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"  {'':<18} {'median':>8}  {'measured':>12}"
    names = [*DIVE_QUANTITIES, *(PAIR_QUANTITIES if any(row["person"] for row in rows) else ())]
    for name in names:
        words, unit = in_words(name)
        among = [row for row in rows if row["person"]] if name in PAIR_QUANTITIES else rows
        known = [row[name] for row in among if row[name] is not None]
        middle = f"{median(known):.{_DIGITS.get(unit, 2)}f}" if known else "-"
        reasons = Counter(row[f"{name}_why"] for row in among if row[name] is None)
        why = f"  ({_SENTENCES[reasons.most_common(1)[0][0]]})" if reasons else ""
        yield f"  {words:<18} {middle:>8} {unit:<4} {len(known)} of {len(among)}{why}"
