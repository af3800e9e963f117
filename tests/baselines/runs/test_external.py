"""``fdpose evaluate``: predictions of another program, scored as ours; bad files are refused in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from finediving_pose.clip import Clip
from finediving_pose.packed.reader import open_packed
from finediving_pose.workspace import Workspace
from tests.command import fdpose

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tested(competition: Workspace) -> list[Clip]:
    with open_packed(competition.packed) as packed:
        return [c for c in packed.clips if c.split == "test"]


def write(path: Path, rows: list[tuple[object, ...]], columns: str = "video,index,predicted_score") -> Path:
    lines = [columns, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(clips: list[Clip], error: float = 0.0) -> list[tuple[object, ...]]:
    return [(c.key.video, c.key.index, (c.dive_score or 0) + error) for c in clips]


def test_the_truth_scores_perfectly(competition: Workspace, tested: list[Clip], tmp_path: Path) -> None:
    file = write(tmp_path / "predictions.csv", rows_of(tested, 2.0))
    result = fdpose("evaluate", file, "--data", competition.root, "--json")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert scores["n_test"] == len(tested)
    assert scores["figures"]["rho"] == pytest.approx(1.0)
    assert scores["figures"]["l2"] == pytest.approx(4.0)
    assert scores["figures"]["aiou_50"] is None
    assert scores["exemplars_mean"]["l2"] > 0


def test_our_own_predictions_get_the_figures_of_their_run(competition: Workspace) -> None:
    """Other columns are not read; figures, intervals and the baseline are those that benchmark printed."""
    run = json.loads(fdpose("benchmark", "hpmcr", "--data", competition.root, "--epochs", 1, "--json").stdout)
    file = Path(run["run"]) / "predictions.csv"
    scores = json.loads(fdpose("evaluate", file, "--data", competition.root, "--json").stdout)
    for name in ("rho", "r_l2_x100", "l2", "same_number_in_order"):
        assert scores["figures"][name] == run["figures"][name]
        assert scores["intervals"][name] == run["intervals"][name]
    assert scores["exemplars_mean"] == run["exemplars_mean"]


def test_the_table_names_the_method_and_the_baseline(
    competition: Workspace, tested: list[Clip], tmp_path: Path
) -> None:
    file = write(tmp_path / "mine.csv", rows_of(tested))
    result = fdpose("evaluate", file, "--data", competition.root)
    assert result.exit_code == 0, result.output
    for words in ("mine", "95 % from", "exemplars' mean", f"{len(tested)} test dives"):
        assert words in result.stdout


def test_a_part_of_the_split_is_scored_only_when_asked(
    competition: Workspace, tested: list[Clip], tmp_path: Path
) -> None:
    file = write(tmp_path / "part.csv", rows_of(tested[1:]))
    refused = fdpose("evaluate", file, "--data", competition.root)
    assert refused.exit_code == 1
    assert f"1 of {len(tested)} test dives have no prediction: {tested[0].key}" in refused.stderr
    partial = fdpose("evaluate", file, "--data", competition.root, "--partial")
    assert partial.exit_code == 0, partial.output
    assert f"only {len(tested) - 1} of {len(tested)} test dives" in partial.stdout


@pytest.mark.parametrize(
    ("columns", "change", "code", "words"),
    [
        ("video,index,score", lambda rows: rows, 2, "has no column 'predicted_score'; it has video, index, score"),
        (None, lambda rows: [*rows, rows[0]], 1, "is there a second time"),
        (None, lambda rows: [(*rows[0][:2], "nan"), *rows[1:]], 1, "line 2: predicted_score of"),
        (None, lambda rows: [(*rows[0][:2], "inf"), *rows[1:]], 1, "expected points, such as 71.35"),
        (None, lambda rows: [(*rows[0][:2], "high"), *rows[1:]], 1, "line 2: predicted_score of"),
        (
            None,
            lambda rows: [(rows[0][0], "first", 1), *rows[1:]],
            1,
            "line 2: index is 'first'; expected",
        ),
        (None, lambda rows: [(rows[0][0], "2.0", 1), *rows[1:]], 1, "line 2: index is '2.0'; expected a whole number"),
        (None, lambda rows: [(*rows[0], 5), *rows[1:]], 1, "line 2: 4 cells, the header has 3; decimals have a point"),
        ("video,index,predicted_score,predicted_score", lambda rows: rows, 2, "has the column 'predicted_score' twice"),
        ("video;index;predicted_score", lambda rows: rows, 2, "separate the cells by commas"),
        (None, lambda rows: [*rows, ("Nowhere", 3, 50)], 1, "are not scored test dives of"),
        (None, lambda rows: [], 2, "holds no predictions"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(
    competition: Workspace, tested: list[Clip], tmp_path: Path, columns: str | None, change, code: int, words: str
) -> None:
    file = write(tmp_path / "bad.csv", change(rows_of(tested)), columns or "video,index,predicted_score")
    result = fdpose("evaluate", file, "--data", competition.root)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_that_is_not_text_is_refused(competition: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "bytes.csv"
    file.write_bytes(b"\xff\xfe\x00video")
    result = fdpose("evaluate", file, "--data", competition.root)
    assert result.exit_code == 2
    assert "can't be read as CSV" in result.stderr


def test_a_spreadsheet_s_byte_order_mark_is_no_part_of_a_column(
    competition: Workspace, tested: list[Clip], tmp_path: Path
) -> None:
    file = tmp_path / "bom.csv"
    with open(file, "w", newline="", encoding="utf-8-sig") as f:
        table = csv.writer(f)
        table.writerow(["video", "index", "predicted_score"])
        table.writerows(rows_of(tested))
    assert fdpose("evaluate", file, "--data", competition.root).exit_code == 0
