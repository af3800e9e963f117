"""``fdpose errata``: wiring, exit codes and words."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.labels.errata import read_errata


def errata(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["errata", *map(str, args)])


def test_without_options_the_tables_are_counted() -> None:
    counts = json.loads(errata("--json").stdout)
    assert counts["labels, finediving, certain"] == sum(
        (e.dataset, e.level) == ("finediving", "certain") for e in read_errata("labels")
    )


@pytest.mark.slow
def test_the_tables_are_checked_against_the_label_files(shared_data: Path, tmp_path: Path) -> None:
    both = ("--labels", shared_data / "finediving", "--labels", shared_data / "mtl_aqa")
    result = errata(*both, "--out", tmp_path / "made", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rows_that_differ"] == 0
    assert {p.name for p in (tmp_path / "made").iterdir()} == {
        f"errata_{name}.csv" for name in ("labels", "omissions", "protocol")
    }
    one = errata("--labels", shared_data / "mtl_aqa")
    assert one.exit_code == 1
    assert "differs from the package's tables in" in one.stderr


@pytest.mark.slow
def test_a_patch_prints_every_change(shared_data: Path, tmp_path: Path) -> None:
    result = errata("--patch", shared_data / "mtl_aqa", tmp_path / "out")
    assert result.exit_code == 0
    assert "final_annotations_dict_with_dive_number.pkl  07/7  dive_number  100B -> 101B  (certain)" in result.stdout
    assert (tmp_path / "out" / "train_split_0.pkl").is_file()


def test_files_of_another_release_are_not_patched(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    dives = {("a", 1): {"action_type": "107b", "difficulty": 3.0, "dive_score": 72.0, "start_frame": 0, "end_frame": 9}}
    (tmp_path / "in" / "coarse.pkl").write_bytes(pickle.dumps(dives))
    result = errata("--patch", tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1
    assert "coarse.pkl: not a released file, by its sha256" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--labels", "a", "--patch", "b", "c"), "give --labels to check the tables or --patch to correct files"),
        (("--out", "a"), "--out is for the tables that --labels makes"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(args: tuple[str, ...], says: str) -> None:
    result = errata(*args)
    assert result.exit_code == 2
    assert says in result.stderr
