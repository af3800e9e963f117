"""Errors in the labels of synthetic dives, of the kinds and as often as in FineDiving's released ones.

Which dive got which is written down, so that whoever looks for errors can be measured. The truth of the dives stays
as it is. How often each kind is found in the released labels: ``docs/errata.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_manifest import table

Row = dict[str, Any]
"""A dive, see :func:`finediving_pose.synth.labels.write_labels`."""
OF = 3000
"""Dives of the released labels, in which the errors were counted."""
SHORT = 2
"""Frames of a stage that is too short."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of error in labels.

    Attributes
    ----------
    rule : of ``fdpose validate``, that finds it
    of_3000 : how many of 3000 dives have it
    spoil : what of a dive is labelled wrongly; nothing where the dive can't have it
    """

    rule: str
    of_3000: int
    spoil: Callable[[Row, np.random.Generator], Mapping[str, Any]]


def spoiled(rows: list[Row], seed: int) -> tuple[list[Row], list[dict[str, Any]]]:
    """The dives with errors in some of them, one at most in each; and an entry for every error.

    An entry has the dive's ``video`` and ``index``, the ``rule`` that it breaks, the ``field``, and what is ``found``
    there and ``expected``.
    """
    rng = np.random.default_rng([seed, 3, 1_000_000])
    left, out, told = rng.permutation(len(rows)).tolist(), list(rows), []
    for fault in FAULTS:
        wanted = round(fault.of_3000 * len(rows) / OF)
        for i in list(left):
            if not wanted:
                break
            wrong = fault.spoil(rows[i], rng)
            if wrong:
                out[i] = {**rows[i], **wrong}
                left.remove(i)
                wanted -= 1
                told += [_entry(rows[i], fault, field, value) for field, value in wrong.items()]
    return out, sorted(told, key=lambda e: (e["video"], e["index"]))


def _entry(row: Row, fault: Fault, field: str, found: Any) -> dict[str, Any]:
    where = {"video": row["video"], "index": row["index"], "rule": fault.rule}
    return where | {"field": field, "found": found, "expected": row.get(field)}


# -- awards and scores ----------------------------------------------------------------------------------------------


def _changed(awards: Any, change: Callable[[float], float], fits: Callable[[float], bool]) -> Mapping[str, Any]:
    for k, award in enumerate(awards):
        if fits(award):
            return {"judge_scores": (*awards[:k], change(award), *awards[k + 1 :])}
    return {}


def _without_its_point(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """4.5 becomes 45."""
    return _changed(row["judge_scores"], lambda a: 10 * a, lambda a: 0 < a < 10 and a % 1 == 0.5)


def _off_the_grid(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """8.5 becomes 8.9."""
    return _changed(row["judge_scores"], lambda a: a + 0.4, lambda a: 0 < a < 9.5)


def _of_another_season(row: Row, rng: np.random.Generator) -> Mapping[str, Any]:
    """The score was computed with a difficulty a tenth away."""
    return {"difficulty": round(row["difficulty"] + 0.1 * rng.choice([-1, 1]), 1)} if row["dive_score"] > 0 else {}


def _half_a_point(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """A counting award was half a point higher when the score was computed."""
    return {"dive_score": round(row["dive_score"] + 0.5 * row["difficulty"], 2)} if row["dive_score"] > 0 else {}


def _a_wrong_digit(row: Row, rng: np.random.Generator) -> Mapping[str, Any]:
    return {"dive_score": round(row["dive_score"] + 10 * rng.integers(1, 3), 2)} if row["dive_score"] > 0 else {}


# -- stages ---------------------------------------------------------------------------------------------------------


def _another_stage(row: Row, rng: np.random.Generator) -> Mapping[str, Any]:
    """The stage before the entry has the name of another one of its kind."""
    stages = list(row["stages"])
    action, first = stages[-2]
    kinds = {int(row["id"]): row["kind"] for row in table("sub_actions.csv")}
    others = [i for i, kind in kinds.items() if i != action and kind == kinds[action]]
    return {"stages": [*stages[:-2], (int(rng.choice(others)), first), stages[-1]]}


def _no_entry(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """The last stage has the name of the last but two."""
    stages = list(row["stages"])
    return {"stages": [*stages[:-1], (stages[-3][0], stages[-1][1])]}


def _a_short_stage(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """The first stage ends after two frames."""
    stages = list(row["stages"])
    return {"stages": [stages[0], (stages[1][0], SHORT), *stages[2:]]} if stages[1][1] > SHORT else {}


def _transits_beside(row: Row, rng: np.random.Generator) -> Mapping[str, Any]:
    """``steps_transit_frames`` are a frame or two from where the label of the frames changes."""
    transits = [first - 1 for _, first in row["stages"][1:]]
    off = int(rng.choice([-2, -1, 1, 2]))
    return {"transits": [transits[0] + off, *transits[1:]]} if transits[0] + off > 0 else {}


def _flicker(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """In the middle of the second stage one frame has the label of the first."""
    stages = row["stages"]
    return {"flicker": (stages[1][1] + stages[2][1]) // 2}


# -- files that differ ----------------------------------------------------------------------------------------------


def _tables_differ(row: Row, _: np.random.Generator) -> Mapping[str, Any]:
    """The fine-grained file has another difficulty than the coarse one."""
    return {"fine_difficulty": round(row["difficulty"] + 0.2, 1)}


FAULTS = (
    Fault("label.award-range", 2, _without_its_point),
    Fault("label.award-grid", 1, _off_the_grid),
    Fault("label.score-formula", 75, _of_another_season),
    Fault("label.score-formula", 28, _half_a_point),
    Fault("label.score-formula", 15, _a_wrong_digit),
    Fault("label.sub-actions-fit", 53, _another_stage),
    Fault("label.last-stage-is-entry", 14, _no_entry),
    Fault("label.short-stage", 13, _a_short_stage),
    Fault("label.transit-frames", 10, _transits_beside),
    Fault("label.flicker", 1, _flicker),
    Fault("label.tables-agree", 2, _tables_differ),
)
