"""The list of known errors, and what is corrected by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.labels.errata import apply_errata, count_errata, read_errata
from finediving_pose.labels.read import read_label_files
from finediving_pose.validate import validate_labels
from finediving_pose.validate.listing import as_row, at_least, without_known, write_findings

AWARD = Clip(ClipKey("04", 49), judge_scores=(2.5, 4.0, 4.0, 45.0, 3.5, 5.0, 4.0), source="finediving")


@pytest.mark.slow
def test_the_list_is_what_validate_finds_in_the_real_labels(shared_data: Path) -> None:
    """Row by row, in the same order: made by ``fdpose validate --labels ... --labels ... --csv``."""
    files = [read_label_files(shared_data / name) for name in ("finediving", "mtl_aqa")]
    found = at_least(validate_labels(files), "warning")
    assert [as_row(f) for f in found] == read_errata()
    assert without_known(found, "errata") == []


def test_the_defects_that_are_known_of_are_in_the_list() -> None:
    count = Counter((e.dataset, e.rule) for e in read_errata())
    assert count["finediving", "label.award-range"] == 2
    assert count["finediving", "label.last-stage-is-entry"] == 14
    assert count["finediving", "label.transit-frames"] == 10
    assert count["finediving", "label.score-formula"] == 118
    assert count["finediving", "label.index-gap"] == 46
    assert count["finediving", "split.video-leak"] == 131
    assert count["mtl_aqa", "label.score-formula"] == 26


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
    after = read_label_files(shared_data / "finediving", with_errata=True)
    assert len(after.corrections) == 92
    assert (count_errata(before.clips), count_errata(after.clips)) == ((0, 92), (92, 0))
    rules = [Counter(f.rule for f in validate_labels([files], select=["label"])) for files in (before, after)]
    assert [r["label.award-range"] for r in rules] == [2, 0]
    assert [r["label.last-stage-is-entry"] for r in rules] == [14, 0]
    assert [r["label.score-formula"] for r in rules] == [118, 41]
    changed = [a.key for a, b in zip(before.clips, after.clips, strict=True) if a != b]
    assert {str(k) for k in changed} == {f"{e.video}/{e.index}" for e in after.corrections}


def test_findings_come_back_from_a_file(tmp_path: Path, shared_data: Path) -> None:
    found = validate_labels([read_label_files(shared_data / "mtl_aqa")])
    path = write_findings(tmp_path / "known.csv", found[:10])
    assert read_errata(path) == [as_row(f) for f in found[:10]]
    assert without_known(found, str(path)) == found[10:]


@pytest.mark.parametrize(("text", "says"), [(None, "can't be read"), ("video,index\n", "no column 'dataset'")])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "known.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_errata(path)


def test_the_counts_in_the_docs_are_those_of_the_list() -> None:
    rows = read_errata()
    counts = Counter((e.rule, e.dataset) for e in rows)
    certain = Counter((e.rule, e.dataset) for e in rows if e.certain == "yes")
    docs = (Path(__file__).parents[3] / "docs" / "errata.md").read_text(encoding="utf-8")
    listed = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in docs.splitlines() if line.count("|") == 6
    ]
    written = {rule: tuple(map(int, numbers)) for rule, *numbers in listed if rule.startswith(("label.", "split."))}
    assert written == {
        rule: tuple(c[rule, d] for d in ("finediving", "mtl_aqa") for c in (counts, certain))
        for rule in {e.rule for e in rows}
    }
    assert f"{len(rows)} rows" in docs
