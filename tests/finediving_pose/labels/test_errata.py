"""The tables of known errors, and what is corrected by them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from data_manifest import table
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.labels.errata import TABLES, ErrataTable, apply_errata, corrections, count_errata, read_errata
from finediving_pose.labels.levels import LEVELS
from finediving_pose.labels.read import read_label_files, read_labels
from finediving_pose.validate import validate_labels
from finediving_pose.validate.errata_tables import make_errata
from finediving_pose.validate.listing import as_row, at_least, read_findings, without_known, write_findings

AWARD = Clip(ClipKey("04", 49), judge_scores=(2.5, 4.0, 4.0, 45.0, 3.5, 5.0, 4.0), source="finediving")
DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.slow
def test_the_tables_are_what_validate_finds_in_the_real_labels(shared_data: Path) -> None:
    """Row by row, in the same order: made by ``fdpose errata --labels ... --labels ... --out``."""
    files = [read_label_files(shared_data / name) for name in ("finediving", "mtl_aqa")]
    made = make_errata(files)
    for name in TABLES:
        assert made[name] == read_errata(name)
    assert without_known(at_least(validate_labels(files), "warning"), "errata") == []


@pytest.mark.parametrize("name", TABLES)
def test_a_row_is_a_dive_and_field_with_a_level_and_its_evidence(name: ErrataTable) -> None:
    rows = read_errata(name)
    assert max(Counter((e.dataset, e.clip, e.field) for e in rows).values()) == 1 or name == "protocol"
    assert {e.level for e in rows} <= set(LEVELS)
    assert all(e.evidence and e.rules for e in rows)
    assert [(e.dataset, e.video, int(e.index)) for e in rows] == sorted(
        (e.dataset, e.video, int(e.index)) for e in rows
    )


def test_one_dive_has_one_story() -> None:
    """What an impossible award, a wrong number or a wrong season explains is not listed a second time."""
    rows = read_errata("labels")
    fields = {(e.dataset, e.clip): set[str]() for e in rows}
    for e in rows:
        fields[e.dataset, e.clip].add(e.field.partition("[")[0])
    assert fields["finediving", "FINAWorldChampionships2019_Women3m_final_r3/1"] == {"judge_scores"}
    assert fields["finediving", "FINADivingWorldCup2021_Men3mSynchronised_final_r2/7"] == {"judge_scores"}
    numbers = {(e.dataset, e.clip) for e in rows if e.field == "action_type" and e.level == "certain"}
    assert len(numbers) == 44
    assert not any("difficulty" in fields[dive] for dive in numbers)
    assert not any(e.rules == "label.duplicate" for e in rows), "dives of other rounds and start positions"


@pytest.mark.parametrize(
    ("clip", "field", "expected", "level"),
    [
        ("02/1", "dive_score", "88.2", "certain"),
        ("18/43", "dive_score", "76.5", "certain"),
        ("13/17", "dive_score", "57.75", "certain"),
        ("FINAWorldChampionships2019_Men3m_final_r6/9", "judge_scores", "2.5 3 3", "likely"),
        ("FINAWorldChampionships2019_Women3m_final_r3/1", "judge_scores[0]", "6", "likely"),
        ("FINADivingWorldCup2021_Men3mSynchronised_final_r2/7", "judge_scores[2]", "8", "likely"),
        ("04/49", "judge_scores[3]", "4.5", "certain"),
        ("09/67", "action_type", "305c", "likely"),
        ("01/134", "difficulty", "3.3", "certain"),
        ("05/56", "fine-grained: steps_transit_frames", "28 57", "doubtful"),
        ("18/13", "sub_actions", "Forward > 2.5 Soms.Pike > 2 Twists > 2.5 Soms.Pike > Entry", "convention"),
    ],
)
def test_what_was_disputed_has_the_level_that_its_evidence_allows(
    clip: str, field: str, expected: str, level: str
) -> None:
    (row,) = [e for e in read_errata("labels") if (e.dataset, e.clip, e.field) == ("finediving", clip, field)]
    assert (row.expected, row.level) == (expected, level)


@pytest.mark.slow
def test_published_totals_are_the_sums_of_the_dives_with_the_ruled_score(shared_data: Path) -> None:
    """A ruling that cites a total names the dives that add up to it."""
    clips = {str(c.key): c for c in read_labels(shared_data / "finediving")}
    ruled = {
        f"{r['video']}/{r['index']}": float(r["value"]) for r in table("rulings.csv") if r["field"] == "dive_score"
    }
    totals = [r for r in table("rulings.csv") if r["total"]]
    assert len(totals) >= 8
    for r in totals:
        dives = r["dives"].split()
        total = sum(ruled.get(d, clips[d].dive_score or 0.0) for d in dives)
        assert total == pytest.approx(float(r["total"]), abs=0.005), r["video"]
        assert f"{r['video']}/{r['index']}" in dives


def test_a_certain_error_is_corrected() -> None:
    (corrected,), (made,) = apply_errata([AWARD])
    assert corrected == replace(AWARD, judge_scores=(2.5, 4.0, 4.0, 4.5, 3.5, 5.0, 4.0))
    assert (made.field, made.found, made.expected) == ("judge_scores[3]", "45", "4.5")


def test_errata_are_counted_by_what_a_clip_says() -> None:
    mended = replace(AWARD, judge_scores=(2.5, 4.0, 4.0, 4.5, 3.5, 5.0, 4.0))
    another = replace(AWARD, key=ClipKey("04", 50))
    assert count_errata([AWARD, another]) == (0, 1)
    assert count_errata([mended, mended, AWARD]) == (2, 1)
    assert count_errata([replace(AWARD, judge_scores=(2.5,))]) == (0, 0)


def test_a_likely_error_is_corrected_when_asked_for() -> None:
    clip = Clip(
        ClipKey("FINAWorldChampionships2019_Women3m_final_r3", 1), judge_scores=(55.5, 5.0, 6.0), source="finediving"
    )
    assert apply_errata([clip]) == ([clip], [])
    (corrected,), (made,) = apply_errata([clip], "likely")
    assert corrected.judge_scores == (6.0, 5.0, 6.0)
    assert made.level == "likely"


def test_a_stage_is_corrected_by_its_name() -> None:
    clip = Clip(ClipKey("01", 92), stage_starts=(36, 60, 72), sub_actions=(5, 30, 14, 35), source="finediving")
    (corrected,), _ = apply_errata([clip])
    assert corrected.sub_actions == (5, 30, 14, 36)


@pytest.mark.parametrize(
    "clip",
    [
        replace(AWARD, judge_scores=(2.5, 4.0, 4.0, 4.5, 3.5, 5.0, 4.0)),
        replace(AWARD, judge_scores=(2.5,)),
        replace(AWARD, source="mtl_aqa"),
        replace(AWARD, key=ClipKey("04", 50)),
    ],
    ids=["mended already", "another panel", "another data set", "another dive"],
)
def test_what_does_not_say_what_the_list_says_is_left_alone(clip: Clip) -> None:
    assert apply_errata([clip]) == ([clip], [])


@pytest.mark.slow
def test_real_labels_are_better_for_it(shared_data: Path) -> None:
    before = read_label_files(shared_data / "finediving")
    after = read_label_files(shared_data / "finediving", errata="certain")
    assert count_errata(before.clips) == (0, len(after.corrections))
    assert count_errata(after.clips) == (len(after.corrections), 0)
    rules = [Counter(f.rule for f in validate_labels([files], select=["label"])) for files in (before, after)]
    assert [r["label.difficulty"] for r in rules] == [76, 1]
    assert [r["label.last-stage-is-entry"] for r in rules] == [14, 0]
    assert [r["label.score-formula"] for r in rules] == [121, 38]
    changed = [a.key for a, b in zip(before.clips, after.clips, strict=True) if a != b]
    assert {str(k) for k in changed} == {e.clip for e in after.corrections}
    assert {e.level for e in after.corrections} == {"certain"}
    likely = read_label_files(shared_data / "finediving", errata="likely")
    assert len(likely.corrections) > len(after.corrections)


def test_corrections_are_those_of_the_level_and_above() -> None:
    rows = read_errata("labels")
    assert {e.level for e in corrections(rows)} == {"certain"}
    assert {e.level for e in corrections(rows, "likely")} == {"certain", "likely"}


def test_findings_come_back_from_a_file(tmp_path: Path, shared_data: Path) -> None:
    found = validate_labels([read_label_files(shared_data / "mtl_aqa")])
    path = write_findings(tmp_path / "known.csv", found[:10])
    assert read_findings(path) == [as_row(f) for f in found[:10]]
    assert without_known(found, str(path)) == found[10:]


@pytest.mark.parametrize(("text", "says"), [(None, "can't be read"), ("video,index\n", "no column 'dataset'")])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "known.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_findings(path)


def test_the_counts_in_the_docs_are_those_of_the_tables() -> None:
    """docs/errata.md counts the label errors by field and level, and the rows of each table."""
    docs = (DOCS / "errata.md").read_text(encoding="utf-8")
    written = {
        (cells[0].strip("`"), cells[1]): [int(n) for n in cells[2:]]
        for line in docs.splitlines()
        if re.fullmatch(r"\| `.+` \| (FineDiving|MTL-AQA)( \| +\d+){4} \|", line)
        for cells in [[c.strip() for c in line.split("|")[1:-1]]]
    }
    names = {"finediving": "FineDiving", "mtl_aqa": "MTL-AQA"}
    counts: dict[tuple[str, str], list[int]] = {}
    for e in read_errata("labels"):
        field = re.sub(r"\[\d+\]", "", e.field)
        counts.setdefault((field, names[e.dataset]), [0] * 4)[LEVELS.index(e.level)] += 1  # type: ignore[arg-type]
    assert written == counts
    for name in TABLES:
        assert f"| `errata_{name}.csv` | {len(read_errata(name))} |" in docs
