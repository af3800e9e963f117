"""A leaderboard: all methods that were scored on one packed file, with what their differences are worth.

A *board* is a packed file, a *section* of it a protocol, a *row* of that all trainings that differ by their seed only.
What is compared is always of one section; the rules are those of ``docs/leaderboard.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from baselines.blind.table import BlindRow
from baselines.runs.entries import Entry
from baselines.runs.figures import Figures, Interval, compute_figures
from baselines.runs.resampling import RESAMPLES, SAMPLED, Resampling, middle
from baselines.runs.study import difference, mean, spread
from finediving_pose.clip import ClipKey

T = TypeVar("T")

FEWEST = 3
"""Dives that can be drawn again, as for :func:`baselines.runs.metrics.interval`."""

PROTOCOL_ORDER = ("number", "difficulty", "rotation", "random")


@dataclass(frozen=True, slots=True)
class Row:
    """All trainings of a method that differ by their seed only.

    Attributes
    ----------
    name : method, preset, and the settings that it does not share with all others of its section
    entries : one a training, the smallest seed first
    mean, spread, exemplars_mean : over the trainings; ``spread`` is the standard deviation (n - 1), None for one alone
    panel_spread : the same over five panels of voters, mean over the trainings; None where nobody votes, or not known
    intervals : 95 % of the mean, trainings and test dives drawn again, by the names of :data:`SAMPLED`
    behind : difference to the best row of the section, this less that, on the dives that both scored; None for the best
        itself and where nothing may be compared
    behind_intervals : 95 % of that
    whole : whether no other row of its section scored more test dives
    """

    name: str
    entries: tuple[Entry, ...]
    mean: Figures
    spread: Figures
    panel_spread: Figures
    exemplars_mean: Figures
    intervals: dict[str, Interval]
    whole: bool
    behind: Figures | None = None
    behind_intervals: dict[str, Interval] | None = None

    @property
    def first(self) -> Entry:
        """Any of its trainings: in all but seed and figures they are alike."""
        return self.entries[0]

    @property
    def repeated(self) -> bool:
        """Whether its spread over trainings is known, or there is nothing to train."""
        return len(self.entries) > 1 or not self.first.trained

    @property
    def clearly_behind(self) -> bool:
        """Whether rho is below that of the best beyond the interval of the difference."""
        high = (self.behind_intervals or {}).get("rho", (None, None))[1]
        return high is not None and high < 0


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one protocol on one packed file, the best mean rho first; ``best`` is the place of the best, if any.

    ``shared`` are settings that are not the presets', in which all rows of our own agree.
    """

    pairing: str
    shared: dict[str, Any]
    rows: tuple[Row, ...]
    best: int | None

    @property
    def rivals(self) -> list[Row]:
        """Rows that the best one can't be told from."""
        others = [row for n, row in enumerate(self.rows) if n != self.best and row.behind is not None]
        return [row for row in others if not row.clearly_behind]

    @property
    def proven(self) -> bool:
        """Whether the best row is better than every other beyond its interval, and was trained more than once."""
        compared = any(row.behind is not None for row in self.rows)
        return self.best is not None and compared and self.rows[self.best].repeated and not self.rivals


@dataclass(frozen=True, slots=True)
class Board:
    """All sections of one packed file.

    ``floor`` is what its labels predict without a look at the dives, on its own split and on splits by event
    (:mod:`baselines.blind.floor`); empty where that is not known.
    """

    digest: str
    packed: str
    test_dives: int
    errata: tuple[int, int] | None
    sections: tuple[Section, ...]
    floor: tuple[BlindRow, ...] = ()
    floor_by_event: tuple[BlindRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Boards, the file with most rows first, and what took no part, a line each."""

    boards: tuple[Board, ...]
    left_out: tuple[str, ...]


def make_leaderboard(entries: Sequence[Entry], left_out: Iterable[str] = ()) -> Leaderboard:
    """Rows of all entries, each beside those that it may be compared with."""
    kept, repeated = _without_repeats(entries)
    rows = [sorted(found, key=_order) for found in _grouped(kept, lambda e: e.key)]
    boards = [_board(found) for found in _grouped(rows, lambda row: row[0].digest)]
    boards.sort(key=lambda b: -sum(len(s.rows) for s in b.sections))
    return Leaderboard(tuple(boards), (*left_out, *repeated))


def _grouped(items: Iterable[T], key: Callable[[T], Any]) -> list[list[T]]:
    ordered = sorted(items, key=key)
    return [list(group) for _, group in groupby(ordered, key)]


def _order(entry: Entry) -> tuple[int, str]:
    return (-1 if entry.seed is None else entry.seed, str(entry.folder))


def _without_repeats(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """One entry a training: the same seed again, or the same predictions, would make the spread smaller than it is."""
    found: dict[tuple[str, object], Entry] = {}
    said = []
    for entry in sorted(entries, key=lambda e: _made_at(e.folder)):
        same = entry.seed if entry.seed is not None else tuple(sorted(entry.predicted.items()))
        if (older := found.get((entry.key, same))) is not None and older.folder.resolve() != entry.folder.resolve():
            what = f"seed {entry.seed}" if entry.seed is not None else "the same predictions"
            said.append(f"{older.folder}: {what} of {entry.name} is there again in {entry.folder}, which counts")
        found[entry.key, same] = entry
    return list(found.values()), said


def _made_at(folder: Path) -> float:
    return (folder / "predictions.csv").stat().st_mtime


def _board(rows: Sequence[Sequence[Entry]]) -> Board:
    first = rows[0][0]
    by_protocol = _grouped(rows, lambda row: PROTOCOL_ORDER.index(row[0].pairing))
    dives = {key for row in rows for entry in row for key in entry.true}
    errata = Counter(entry.errata for row in rows for entry in row if entry.errata is not None)
    known = errata.most_common(1)[0][0] if errata else None
    return Board(first.digest, first.packed, len(dives), known, tuple(map(_section, by_protocol)))


def _section(groups: Sequence[Sequence[Entry]]) -> Section:
    most = max(len(_shared(group)) for group in groups)
    shared, draws = _shared_changes([group[0] for group in groups if not group[0].external]), _Draws()
    rows = [_row(group, name, draws, most) for group, name in zip(groups, _names(groups, shared), strict=True)]
    rows.sort(key=lambda row: (row.first.on_test, -np.inf if row.mean.rho is None else -row.mean.rho, row.name))
    best = next((row for row in rows if row.whole and _comparable(row)), None)
    if best is not None:
        rows = [_compared(row, best, draws) if row is not best and _comparable(row) else row for row in rows]
    return Section(groups[0][0].pairing, shared, tuple(rows), None if best is None else rows.index(best))


def _shared_changes(entries: Sequence[Entry]) -> dict[str, Any]:
    first, *others = [entry.changes for entry in entries] or [{}]
    return {name: value for name, value in first.items() if all(c.get(name) == value for c in others)}


def _names(groups: Sequence[Sequence[Entry]], shared: Mapping[str, Any]) -> list[str]:
    """Names of rows, no two alike: where settings were not noted, rows of one name are numbered."""
    named = []
    for entry in (group[0] for group in groups):
        own = [f"{name}={value}" for name, value in entry.changes.items() if name not in shared]
        named.append(f"{entry.name}{''.join(f', {setting}' for setting in own)}")
    places = {name: [n for n, other in enumerate(named) if other == name] for name in named}
    return [f"{name}, {places[name].index(n) + 1}" if len(places[name]) > 1 else name for n, name in enumerate(named)]


def _comparable(row: Row) -> bool:
    return not row.first.on_test and row.mean.rho is not None


@dataclass(slots=True)
class _Draws:
    """Resampled figures of a section's rows; rows with the same dives have the same draws of them."""

    samples: dict[tuple[ClipKey, ...], Resampling] = field(default_factory=dict)
    known: dict[tuple[str, tuple[ClipKey, ...]], dict[str, np.ndarray]] = field(default_factory=dict)

    def means(self, entries: Sequence[Entry], dives: tuple[ClipKey, ...]) -> dict[str, np.ndarray]:
        """Mean figures of a row on these dives in each resample; no numbers where there are too few dives."""
        if len(dives) < FEWEST:
            return dict.fromkeys(SAMPLED, np.full(RESAMPLES, np.nan))
        if dives not in self.samples:
            self.samples[dives] = Resampling(np.array([entries[0].true[key] for key in dives]))
        row = entries[0].key
        if (row, dives) not in self.known:
            predicted = [[entry.predicted[key] for key in dives] for entry in entries]
            self.known[row, dives] = self.samples[dives].means(predicted, row)
        return self.known[row, dives]


def _row(entries: Sequence[Entry], name: str, draws: _Draws, most: int) -> Row:
    dives = _shared(entries)
    sampled = {} if entries[0].on_test else draws.means(entries, dives)
    return Row(
        name=name,
        entries=tuple(entries),
        mean=mean(entry.figures for entry in entries),
        spread=spread(entry.figures for entry in entries),
        panel_spread=mean(spread(entry.panels) for entry in entries if entry.panels),
        exemplars_mean=mean(entry.exemplars_mean for entry in entries),
        intervals={name: middle(values) for name, values in sampled.items()},
        whole=len(dives) == most,
    )


def _compared(row: Row, best: Row, draws: _Draws) -> Row:
    """The row with its difference to the best one, on the dives that both scored."""
    dives = _shared([*row.entries, *best.entries])
    if len(dives) < FEWEST:
        return row
    mine, theirs = (draws.means(r.entries, dives) for r in (row, best))
    return replace(
        row,
        behind=difference(_figures_on(row, dives), _figures_on(best, dives)),
        behind_intervals={name: middle(mine[name] - theirs[name]) for name in SAMPLED},
    )


def _shared(entries: Sequence[Entry]) -> tuple[ClipKey, ...]:
    """The dives that all of them scored, in order."""
    return tuple(sorted(set.intersection(*(set(entry.true) for entry in entries))))


def _figures_on(row: Row, dives: tuple[ClipKey, ...]) -> Figures:
    """Mean figures of a row on some of its dives."""
    chosen = set(dives)
    return mean(compute_figures([p for p in entry.predictions if p.dive in chosen]) for entry in row.entries)
