"""What was measured, in lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from finediving_pose.kinematics.flight import jump_height, seldom_jump
from finediving_pose.kinematics.quantities import DIVE_QUANTITIES, PAIR_QUANTITIES
from finediving_pose.kinematics.readings import Reason
from finediving_pose.kinematics.rotation import half_turns
from finediving_pose.numerals import halves, numeral

if TYPE_CHECKING:
    from finediving_pose.kinematics.measure import DiverMeasures

_UNITS = {"_deg_s": "°/s", "_deg": "°", "_s": "s", "_m": "m", "_share": "of the picture"}
_NAMES = {
    "take_off": "take-off",
    "half_somersaults": "somersaults",
    "closure": "closest tuck or pike",
    "closure_reached": "tuck or pike reached",
    "come_out": "come-out",
    "straightness": "bend at entry",
}
MEANINGS = {
    "take_off_s": "after the first frame",
    "touch_s": "after the first frame: the first part of the body touches the water",
    "flight_time_s": "from take-off to touch",
    "jump_height_m": "rise of the centre of mass after the take-off",
    "half_somersaults": "from take-off to touch",
    "peak_rate_deg_s": "of the trunk in flight; 360 °/s is one somersault a second",
    "closure_deg": "largest bend of the hips in flight; 0° is straight, larger is closer",
    "closure_reached_s": "after the first frame: from then on it is about as close as it gets",
    "come_out_s": "after the first frame: the hips are half open again",
    "entry_angle_deg": "trunk from vertical at the touch; below 0° short of it, above 0° beyond it",
    "straightness_deg": "between trunk and legs at the touch; 0° is a straight body",
    "splash_share": "largest share of the picture",
    "lag_s": "by how much this diver turns later than the other",
    "trunk_difference_deg": "mean difference to the other diver in flight",
    "hip_difference_deg": "mean difference to the other diver in flight",
    "knee_difference_deg": "mean difference to the other diver in flight",
}
"""What each quantity of a dive is, in half a sentence; docs/kinematics.md has the definitions."""
_SENTENCES = {reason.label: reason.sentence for reason in Reason}
_DIGITS = {"°/s": 0, "°": 0}
_TILTED = 30.0
"""Degrees about 90 within which a trunk lies on its side, and about 180 within which it is upside down: of divers who
stand, it was 39 from upright at most."""
_MISMATCHES = 5
_LINES = 20
_ALWAYS = {
    "flight_time_s": "flight s",
    "jump_height_m": "jump m",
    "half_somersaults": "somersaults",
    "peak_rate_deg_s": "peak °/s",
    "closure_deg": "tuck/pike °",
    "entry_angle_deg": "entry °",
    "straightness_deg": "bend °",
}
_HEADS = {**_ALWAYS, "lag_s": "lag s", "splash_share": "splash"}
"""Heads of the table of several dives; the last two only where one of them was measured."""


def in_words(name: str) -> tuple[str, str]:
    """A quantity's name and unit as people write them: ``("entry angle", "°")`` for ``entry_angle_deg``."""
    unit = next((suffix for suffix in _UNITS if name.endswith(suffix)), "")
    stem = name.removesuffix(unit)
    return _NAMES.get(stem, stem.replace("_", " ")), _UNITS.get(unit, "")


def summary_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One clip in full; of several, a line a diver with the main quantities, and what was not measured and why."""
    clips = {(row["video"], row["index"]) for row in rows}
    if len(clips) == 1:
        for row in rows:
            yield from _dive(row, several=len(rows) > 1)
    elif rows:
        yield from _dives(rows)
    if len(clips) == 1 and not all(map(_nobody, rows)):
        yield "± holds for two of three synthetic dives; real ones are harder (docs/kinematics.md)"
    wrong = [row for row in rows if row["count_agrees"] is False]
    for row in wrong[:_MISMATCHES]:
        differs = _count_differs(row["half_somersaults"], row["dive_number"], row["half_somersaults_expected"])
        yield f"{row['video']}/{row['index']}: {differs}; see its plot, then correct the poses or the dive number"
    if len(wrong) > _MISMATCHES:
        yield f"and {len(wrong) - _MISMATCHES} more whose count differs; see count_agrees in dives.csv"


def doubts(dive_number: str | None, measures: DiverMeasures) -> Iterator[str]:
    """What speaks against the dive number, or the picture's being upright, a sentence each."""
    count, expected = measures.values["half_somersaults"], measures.half_somersaults_expected
    if measures.count_agrees is False:
        yield f"{_count_differs(count.value, dive_number, expected)}: is the dive number right?"
    turns = measures.half_turns
    if count.reason == Reason.WRONG_TRUNK and turns is not None and half_turns(180 * turns) is not None:
        yield _stands_otherwise(dive_number)
    else:
        yield from doubts_of_picture(dive_number, measures)


def doubts_of_picture(dive_number: str | None, measures: DiverMeasures) -> Iterator[str]:
    """What speaks against the picture's being upright, a sentence."""
    stance = measures.stance
    if stance is not None and 90 - _TILTED < stance < 90 + _TILTED:
        yield f"before the dive the trunk is {stance:.0f}° from upright: is the video on its side? Turn it upright"
    elif stance is not None and stance > 180 - _TILTED and not measures.armstand:
        yield f"before the dive the trunk is upside down, as in no {dive_number}: is the video upside down?"


def _count_differs(seen: float, dive_number: str | None, expected: int | None) -> str:
    return f"{halves(round(seen))} somersaults seen, but {dive_number} has {halves(expected or 0)}"


def _stands_otherwise(dive_number: str | None) -> str:
    return f"the trunk stands at take-off as in no {dive_number}: pose or dive number is probably wrong"


def _dive(row: dict[str, Any], several: bool) -> Iterator[str]:
    if several:
        yield f"diver {row['person']}"
    if _nobody(row):
        yield f"  {_SENTENCES[Reason.NO_DIVER.label]}"
        return
    for words, value, why in readings_in_words(row):
        asked = f"   {why}" if why.endswith("?") else ""
        yield f"  {words:<20} {f'{value}{asked}' if value else f'-  {why}'}"


def readings_in_words(row: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, value with its error bar and unit, and what it means, of a row of ``dives``.

    Where there is no value, the third says why.
    """
    for name in (*DIVE_QUANTITIES, *(PAIR_QUANTITIES if row["person"] else ())):
        words, unit = in_words(name)
        why, value, error = row[f"{name}_why"], row[name], row[f"{name}_error"]
        if value is None:
            if not (name == "splash_share" and why == Reason.NO_SPLASH_MASK.label):
                yield words, "", _why_not(row, name)
            continue
        bar = f" ± {numeral(error, _DIGITS.get(unit, 2))}" if error else ""
        yield words, f"{_figure(name, value)}{bar} {unit}".rstrip(), _meaning(row, name)


def _why_not(row: dict[str, Any], name: str) -> str:
    """Why a quantity has no number; with the number that was not believed, where there is one."""
    why = row[f"{name}_why"]
    if why == Reason.JUMP_TOO_HIGH.label and row["flight_time_s"] is not None:
        jump = jump_height(row["flight_time_s"], row["platform_m"])
        return f"the jump would be {jump:.1f} m: is the height of {row['platform_m']:g} m right? All else is without it"
    if why == Reason.WRONG_TRUNK.label and row["half_turns"] is not None:
        if half_turns(180 * row["half_turns"]) is None:
            return (
                f"the trunk turned {numeral(row['half_turns'] / 2, 2)} times between take-off and touch, which is no"
                " whole number of half turns: take-off or touch is probably wrong"
            )
        return _stands_otherwise(row["dive_number"])
    return _SENTENCES[why]


def _meaning(row: dict[str, Any], name: str) -> str:
    if name == "jump_height_m" and row[name] > seldom_jump(row["platform_m"]):
        return f"{MEANINGS[name]}; few divers rise so high: is the height of {row['platform_m']:g} m right?"
    expected = row["half_somersaults_expected"] if name == "half_somersaults" else None
    if expected is None:
        return MEANINGS[name]
    agrees = (
        f"as {row['dive_number']} has" if row["count_agrees"] else f"but {row['dive_number']} has {halves(expected)}"
    )
    return f"{MEANINGS[name]}, {agrees}"


def _dives(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line a diver with the main quantities, then what was not measured, by its reason."""
    heads = {
        name: head for name, head in _HEADS.items() if name in _ALWAYS or any(row[name] is not None for row in rows)
    }
    pairs = {(row["video"], row["index"]) for row in rows if row["person"]}
    places = [_place(row, several=(row["video"], row["index"]) in pairs) for row in rows[:_LINES]]
    widest = max(map(len, places))
    yield f"  {'':<{widest}}  " + "  ".join(heads.values())
    for place, row in zip(places, rows, strict=False):
        cells = [_cell(row, name).rjust(len(head)) for name, head in heads.items()]
        yield f"  {place:<{widest}}  " + ("no diver" if _nobody(row) else "  ".join(cells))
    if len(rows) > _LINES:
        yield f"  and {len(rows) - _LINES} more in dives.csv"
    yield from _not_measured(rows)


def _place(row: dict[str, Any], several: bool) -> str:
    return f"{row['video']}/{row['index']}" + (f" diver {row['person']}" if several else "")


def _cell(row: dict[str, Any], name: str) -> str:
    return "-" if row[name] is None else _figure(name, row[name])


def _figure(name: str, value: float) -> str:
    return halves(round(value)) if name == "half_somersaults" else numeral(value, _DIGITS.get(in_words(name)[1], 2))


def _nobody(row: dict[str, Any]) -> bool:
    return row["take_off_s_why"] == Reason.NO_DIVER.label


def _not_measured(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Every reason once, with the quantities that it kept from being measured and in how many dives."""
    lacking: dict[str, Counter[str]] = {}
    for row in rows:
        for name in (*DIVE_QUANTITIES, *(PAIR_QUANTITIES if row["person"] else ())):
            why = row[f"{name}_why"]
            if why and not _nobody(row) and why != Reason.NO_SPLASH_MASK.label:
                lacking.setdefault(why, Counter())[in_words(name)[0]] += 1
    if lacking:
        yield "not measured"
    for why, counts in lacking.items():
        yield f"  {_SENTENCES[why]}: " + ", ".join(f"{name} {count}" for name, count in counts.items())
    if nobody := sum(map(_nobody, rows)):
        yield f"  {_SENTENCES[Reason.NO_DIVER.label]}: {nobody} of {len(rows)}"
