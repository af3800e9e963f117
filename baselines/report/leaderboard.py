"""A leaderboard in words and cells: what terminal, page and files show alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from baselines.blind.table import BlindRow
from baselines.report.published import CAVEAT, COLUMNS, published
from baselines.report.wording import METRICS, PROTOCOLS, differs, number
from baselines.runs.figures import Interval
from baselines.runs.leaderboard import Board, Leaderboard, Row, Section
from baselines.runs.results import SELECTIONS
from finediving_pose.validate.words import counted

READ = {
    "PICTURES": "pictures",
    "POSES": "poses",
    "NUMBER": "dive number",
    "DIFFICULTY": "difficulty",
    "SUB_ACTIONS": "sub-actions",
}
"""What is read of a test dive, by its name in :class:`~baselines.method.Needs`."""

CHOSEN = {
    SELECTIONS[None]: "the last of {}",
    SELECTIONS["validation"]: "best on held-out train videos, of {}",
    SELECTIONS["test"]: "BEST ON THE TEST SPLIT, of {}",
}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text; the first column names the row. ``strong`` are places of bold rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int] = frozenset()


WORDS = frozenset(("", "reads of a test dive", "goes by", "x difficulty", "epoch", "dive number", "run by", "source"))
"""Titles of columns that hold words, not numbers."""


def heading(board: Board) -> str:
    """The file, its test dives, and whether the known errors in their labels are corrected."""
    return (
        f"{Path(board.packed).name} (digest {board.digest[:12]}), {counted(board.test_dives, 'test dive')};"
        f" {in_words_errata(board.errata)}"
    )


def in_words_errata(errata: tuple[int, int] | None) -> str:
    """Whether the known errors of labels were corrected."""
    if errata is None:
        return "whether known errors in labels are corrected was not noted"
    applied, left = errata
    if not applied and not left:
        return "no known errors in its labels"
    if not left:
        return f"errata applied ({counted(applied, 'known error')} in labels corrected)"
    corrected = f", {applied:,} are" if applied else ""
    return f"errata NOT applied ({counted(left, 'known error')} in labels not corrected{corrected})"


def grids_of(section: Section) -> tuple[tuple[str, Grid], ...]:
    """All tables of a section, each with its title."""
    return (
        ("Ranks", ranks_of(section)),
        ("Errors and order", errors_of(section)),
        ("What each reads and takes", making_of(section)),
    )


def ranks_of(section: Section) -> Grid:
    """A section's rho, and what its differences are worth."""
    cells: dict[str, Callable[[Row], str]] = {
        "": name_of,
        "trainings": lambda r: str(len(r.entries)),
        "rho ± seeds": lambda r: mean_and_spread(r, "rho", 4),
        "± voters": voters,
        "95 %": lambda r: in_words_interval(r.intervals.get("rho"), 3),
        "against the best": lambda r: against_best(r, section, "rho", 4),
        "exemplars' mean": lambda r: number(r.exemplars_mean.rho, 4),
    }
    best = [section.best] if section.proven and section.best is not None else []
    return _filled(cells, section, frozenset(best))


def errors_of(section: Section) -> Grid:
    """A section's other figures."""
    cells: dict[str, Callable[[Row], str]] = {
        "": name_of,
        "R-l2 x 100 ± seeds": lambda r: mean_and_spread(r, "r_l2_x100", 3),
        "R-l2 against the best rho": lambda r: against_best(r, section, "r_l2_x100", 3),
        "in order": lambda r: mean_and_spread(r, "same_number_in_order", 3),
        "AIoU@0.5": lambda r: mean_and_spread(r, "aiou_50", 1),
        "AIoU@0.75": lambda r: mean_and_spread(r, "aiou_75", 1),
    }
    return _filled(cells, section)


def making_of(section: Section) -> Grid:
    """What each row of a section reads, how it was trained, and what that takes."""
    cells: dict[str, Callable[[Row], str]] = {
        "": name_of,
        "reads of a test dive": lambda r: reads(r.first.reads),
        "x difficulty": lambda r: {True: "yes", False: "no", None: "not stated"}[r.first.multiplies],
        "epoch": chosen_epoch,
        "parameters": lambda r: "" if r.first.parameters is None else f"{r.first.parameters:,}",
        "training time": lambda r: duration(mean_of(r, "seconds")),
        "dives/s": lambda r: number(mean_of(r, "clips_per_second"), 1),
    }
    return _filled(cells, section)


FLOOR = (
    "Without a look at the dives, from the labels of the training dives alone: the floor of every row above. Intervals"
    " are over videos; splits by event, on which no event is in both parts, are the means of five."
)


UNKNOWN = BlindRow("", "")


def floor_of(board: Board) -> Grid | None:
    """What the labels of a packed file predict by themselves; None where that is not known."""
    if not board.floor:
        return None
    columns = ("", "goes by", "rho", "95 %", "R-l2 x 100", "by event: rho", "by event: R-l2 x 100")
    by_event = {row.title: row for row in board.floor_by_event}
    rows = []
    for row in board.floor:
        figures = number(row.rho, 4), in_words_interval(row.rho_interval, 3), number(row.r_l2_x100, 3)
        other = by_event.get(row.title, UNKNOWN)
        rows.append((row.title, row.knows, *figures, number(other.rho, 4), number(other.r_l2_x100, 3)))
    return Grid(columns, tuple(rows))


def published_grid() -> Grid:
    """What has been published, with who ran it and where it stands."""
    rows = [
        (
            row.method,
            "with" if row.with_number else "without",
            *(number(getattr(row.figures, key), digits) for key, digits in COLUMNS.items()),
            row.run_by,
            row.source,
        )
        for row in published()
    ]
    return Grid(("", "dive number", *(METRICS[key].short for key in COLUMNS), "run by", "source"), tuple(rows))


PUBLISHED = f"Published on FineDiving's test split. Not comparable with figures on other data; {CAVEAT}."


def name_of(row: Row) -> str:
    """The row's name, marked where it stands outside the competition."""
    marks = [*["another program"] * row.first.external, *["chosen on test"] * row.first.on_test]
    return row.name + "".join(f" [{mark}]" for mark in marks)


def mean_and_spread(row: Row, key: str, digits: int) -> str:
    """``0.8612 ± 0.0120``; the mean alone where there is no spread."""
    spread = getattr(row.spread, key)
    return number(getattr(row.mean, key), digits) + ("" if spread is None else f" ± {number(spread, digits)}")


def voters(row: Row) -> str:
    """Spread of rho over five panels of voters; a dash where nobody votes, nothing where it was not noted."""
    spread = row.panel_spread.rho
    if spread is not None:
        return f"± {number(spread, 4)}"
    return "" if row.first.clips_per_second is None else "–"


def against_best(row: Row, section: Section, key: str, digits: int) -> str:
    """``−0.0312 (−0.051 to −0.012)``; of the best row ``best``."""
    if section.best is not None and row is section.rows[section.best]:
        return "best"
    change = None if row.behind is None else getattr(row.behind, key)
    if change is None:
        return "not compared"
    interval = in_words_interval((row.behind_intervals or {}).get(key), digits - 1)
    return f"{differs(change, digits)} ({interval})" if interval else differs(change, digits)


def in_words_interval(interval: Interval | None, digits: int) -> str:
    """``0.791 to 0.902``; nothing where there is none."""
    low, high = interval or (None, None)
    return "" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def reads(names: Sequence[str] | None) -> str:
    """``pictures, dive number``."""
    return "not stated" if names is None else ", ".join(map(in_words_read, names)) or "nothing"


def in_words_read(name: str) -> str:
    """``dive number`` for ``NUMBER``."""
    return READ.get(name, name.lower())


def chosen_epoch(row: Row) -> str:
    """Which epoch counts, of how many."""
    first = row.first
    if first.epochs is None or first.selection is None:
        return "not stated"
    if not first.epochs:
        return "no training"
    return CHOSEN.get(first.selection, f"{first.selection}, of {{}}").replace("{}", str(first.epochs))


def mean_of(row: Row, what: str) -> float | None:
    """Mean of a number over the row's trainings; None where one of them does not know it."""
    values = [getattr(entry, what) for entry in row.entries]
    return None if None in values else sum(values) / len(values)


def duration(seconds: float | None) -> str:
    """``0:02:10``; tenths of a second where it is short."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def commands(row: Row) -> list[str]:
    """What to type to make a row again."""
    command, seeds = row.first.command, [entry.seed for entry in row.entries if entry.seed is not None]
    if command is None or not seeds:
        return []
    first, count = seeds[0], len(seeds)
    if seeds == list(range(first, first + count)):
        return [command + (f" --seed {first}" if first else "") + (f" --seeds {count}" if count > 1 else "")]
    return [f"{command} --seed {seed}" for seed in seeds]


def protocol(section: Section) -> str:
    """``With dive number``."""
    words = PROTOCOLS[section.pairing]
    return words[0].upper() + words[1:]


def verdict(section: Section) -> str:
    """Which row is best, and whether that is more than chance."""
    if section.best is None:
        return "No row may be called the best."
    best, others = section.rows[section.best], [r for r in section.rows if r.behind is not None]
    name = name_of(best)
    if not others:
        return f"{name} stands alone: there is nothing to compare it with."
    if section.proven:
        return f"{name} is better than every other row, beyond the interval of the difference."
    rivals = ", ".join(name_of(r) for r in section.rivals)
    beyond = len(others) - len(section.rivals)
    if rivals:
        ahead = f"; it is better than the other {beyond} beyond their intervals" if beyond else ""
        return f"{name} has the highest rho, but can't be told from {rivals}{ahead}."
    return f"{name} has the highest rho, but was trained once: another seed may change that."


def notes(section: Section) -> Iterator[str]:
    """What has to be known when rows of a section are compared, a sentence each."""
    rows = section.rows
    if section.shared:
        yield f"Settings that are not the presets': {', '.join(f'{k}={v}' for k, v in section.shared.items())}."
    once = [name_of(r) for r in rows if not r.repeated and not r.first.external]
    if once:
        yield f"Trained once, so that no spread is known and intervals are of the test dives alone: {', '.join(once)}."
    if len({r.first.multiplies for r in rows}) > 1:
        yield "Some rows multiply by the true difficulty and others do not: see the column, and what each reads."
    trained = [r for r in rows if r.first.epochs]
    if len({r.first.selection for r in trained}) > 1:
        yield "Epochs are chosen in different ways: see the column."
    if len({r.first.epochs for r in trained}) > 1:
        yield "Budgets differ: see the column of epochs."
    if len({frozenset(r.first.true) for r in rows}) > 1:
        counts = ", ".join(f"{name_of(r)} {len(r.first.true):,}" for r in rows)
        yield (
            "Rows were scored on different test dives, so that only differences are to be compared, which are on the"
            f" dives that both scored: {counts}."
        )
    train = {r.first.n_train for r in rows if r.first.n_train is not None}
    if len(train) > 1:
        yield f"Rows have different train dives: {min(train):,} to {max(train):,}."
    if any(r.first.on_test for r in rows):
        yield "A row whose epoch was chosen on the test split is compared with nothing."
    if any(r.first.external for r in rows):
        yield "Of another program's predictions only what its user states is known."
    if any(len(e.panels) > 1 and len(set(e.panels)) == 1 for r in rows for e in r.entries):
        yield "Five panels of voters that are all alike: no dive has more exemplars than may vote."
    versions = {entry.version for r in rows for entry in r.entries}
    if len(versions) > 1:
        yield f"Made by different versions of fdpose: {', '.join(sorted(v or 'unknown' for v in versions))}."


HOW = (
    "± seeds: standard deviation over trainings that differ by their seed.",
    "± voters: standard deviation over five panels of exemplars that vote, of one training; – where nobody votes.",
    "95 %: bootstrap over test dives and trainings.",
    "Against the best: difference to the row with the highest rho, on the same dives, with its 95 % interval. A row is"
    " bold only if its rho is better than every other's beyond that.",
    "Exemplars' mean: rho of a baseline that knows only the scores of a dive's exemplars.",
    "Training time: with scoring, mean over the trainings. Dives/s: test dives scored in a second, with the time that"
    " their exemplars take.",
    "In order: share of pairs of one dive number in their true order, 0.5 by chance.",
)
"""How the tables are to be read."""


def warnings(board: Leaderboard) -> Iterator[str]:
    """That tables below each other are not to be compared, where there are several."""
    if len(board.boards) > 1:
        yield f"{len(board.boards)} packed files: figures on different files can't be compared."
    if any(len(b.sections) > 1 for b in board.boards):
        yield "Several protocols: figures of one can't be compared with those of another."


def _filled(cells: dict[str, Callable[[Row], str]], section: Section, strong: frozenset[int] = frozenset()) -> Grid:
    """The columns that some row fills."""
    columns = {title: [cell(row) for row in section.rows] for title, cell in cells.items()}
    kept = {title: column for title, column in columns.items() if any(column)}
    return Grid(tuple(kept), tuple(zip(*kept.values(), strict=True)), strong)
