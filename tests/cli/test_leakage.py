"""``fdpose leakage``: wiring and words."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from click.testing import CliRunner

from finediving_pose.cli import main


def label_files(folder: Path) -> Path:
    """Six events of eight dives, every fourth for testing."""
    dives = {
        (f"Cup{e}_Men10m_final_r1", i): {
            "action_type": ("107b", "407c")[i % 2], "start_frame": 0, "end_frame": 99, "difficulty": 3.0,
            "dive_score": 60.0 + e + 3 * i, "judge_scores": [7.0, 7.0, 7.0],
        }
        for e in range(6)
        for i in range(8)
    }  # fmt: skip
    folder.mkdir()
    (folder / "coarse.pkl").write_bytes(pickle.dumps(dives))
    for name, rest in (("test", [0]), ("train", [1, 2, 3])):
        (folder / f"{name}_split.pkl").write_bytes(pickle.dumps([k for k in dives if k[1] % 4 in rest]))
    return folder


def test_the_tables_are_markdown_or_json(tmp_path: Path) -> None:
    labels = label_files(tmp_path / "labels")
    result = CliRunner().invoke(main, ["leakage", "--labels", str(labels)])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("| exemplars' mean |") == 2
    said = json.loads(CliRunner().invoke(main, ["leakage", "--labels", str(labels), "--json"]).stdout)
    assert [len(said[name]) for name in ("own_split", "by_event")] == [6, 6]


def test_labels_that_are_not_there_are_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["leakage", "--labels", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "none: no such file or folder" in result.stderr
