"""Each rule on label files, by a table of (change of the fine-grained labels, what it says)."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from finediving_pose.labels.read import read_label_files
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import label_files

BACK = [1] * 20 + [17] * 39 + [36, 17] + [36] * 19


@pytest.mark.parametrize("rule", [r for r in RULES.values() if r.scope == "labels"], ids=lambda r: r.name)
def test_good_files_break_no_rule(rule: Any) -> None:
    if rule.name != "label.known-file":
        assert [f.message for f in rule(label_files())] == []


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("label.tables-agree", {"difficulty": 2.0}, "difficulty is 3.0 in the coarse table, 2.0 in the fine-grained"),
        ("label.tables-agree", {"action_type": "107B"}, None),
        ("label.transit-frames", {"steps_transit_frames": [-1, 59]}, "frames -1, 59, but the frames' label changes"),
        ("label.transit-frames", {"frames_labels": BACK}, None),  # a matter of label.flicker
        ("label.flicker", {"frames_labels": BACK}, "goes back after frame 59: Forward > 3.5 Soms.Pike > Entry > 3.5"),
        ("label.name-table", {"sub-action_types": {1: "Forward", 36: "Entry"}}, "the table names 1 Forward, 36 Entry,"),
    ],
)
def test_a_rule_on_files_says_what_is_wrong(name: str, change: dict[str, Any], says: str | None) -> None:
    found = list(RULES[name](label_files(**change)))
    assert [str(f.key) for f in found] == ["v/1"] * bool(says)
    assert all(str(says) in f.message for f in found)


@pytest.mark.parametrize(("transits", "level"), [([-1, 59], "certain"), ([18, 59], "doubtful")])
def test_a_transit_frame_is_certainly_wrong_only_where_it_is_no_frame(transits: list[int], level: str) -> None:
    (f,) = RULES["label.transit-frames"](label_files(steps_transit_frames=transits))
    assert (f.found, f.expected, f.level) == (f"{transits[0]} 59", "19 59", level)


def test_a_second_name_of_an_id_is_found_by_the_others() -> None:
    files = label_files()
    fine: Any = files.of_kind("fine-grained")
    for i in (2, 3):
        fine["v", i] = dict(fine["v", 1])
    fine["v", 3]["sub-action_types"] = {1: "Back", 17: "3.5 Soms.Pike", 36: "Entry"}
    (f,) = RULES["label.one-name"](files)
    assert (str(f.key), f.found, f.expected, f.level) == ("v/3", "Back", "Forward", "certain")


@pytest.mark.parametrize("known", [True, False])
def test_other_bytes_than_the_release_are_a_warning(tmp_path: Path, known: bool) -> None:
    """Synthetic label files are never the release's, and need not be."""
    video = "Synthetic_1" if known else "FINA_1"
    labels = {
        (video, 1): {"action_type": "107b", "difficulty": 3.0, "dive_score": 72.0, "start_frame": 0, "end_frame": 9}
    }
    (tmp_path / "coarse.pkl").write_bytes(pickle.dumps(labels))
    found = list(RULES["label.known-file"](read_label_files(tmp_path)))
    assert [(f.place, f.severity) for f in found] == [] if known else [("coarse.pkl", "warning")]
