"""Each rule on label files, by a table of (change of the fine-grained labels, what it says)."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from finediving_pose.clip import Clip
from finediving_pose.labels.read import LabelFiles, read_label_files
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import clip, label_files

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
        ("label.transit-frames", {"frames_labels": BACK}, "label changes after 19, 58, 59, 60"),
        ("label.flicker", {"frames_labels": BACK}, "goes back after frame 59: Forward > 3.5 Soms.Pike > Entry > 3.5"),
        ("label.name-table", {"sub-action_types": {1: "Forward", 36: "Entry"}}, "the table names 1 Forward, 36 Entry,"),
    ],
)
def test_a_rule_on_files_says_what_is_wrong(name: str, change: dict[str, Any], says: str | None) -> None:
    found = list(RULES[name](label_files(**change)))
    assert [str(f.key) for f in found] == ["v/1"] * bool(says)
    assert all(str(says) in f.message for f in found)


def test_a_wrong_transit_frame_is_certain_unless_the_labels_flicker() -> None:
    (wrong,) = RULES["label.transit-frames"](label_files(steps_transit_frames=[-1, 59]))
    assert (wrong.found, wrong.expected, wrong.certain) == ("-1 59", "19 59", True)
    (flicker,) = RULES["label.transit-frames"](label_files(frames_labels=BACK))
    assert not flicker.certain


def test_a_second_name_of_an_id_is_found_by_the_others() -> None:
    files = label_files()
    fine: Any = files.of_kind("fine-grained")
    for i in (2, 3):
        fine["v", i] = dict(fine["v", 1])
    fine["v", 3]["sub-action_types"] = {1: "Back", 17: "3.5 Soms.Pike", 36: "Entry"}
    (f,) = RULES["label.one-name"](files)
    assert (str(f.key), f.found, f.expected, f.certain) == ("v/3", "Back", "Forward", True)


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


def both(ours: Clip, theirs: Clip) -> list[LabelFiles]:
    return [LabelFiles("finediving", Path(), {}, [ours]), LabelFiles("mtl_aqa", Path(), {}, [theirs])]


DIVE: dict[str, Any] = {
    "action_type": "107b", "difficulty": 3.0, "dive_score": 72.0, "judge_scores": (8.0,) * 7,
}  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "finding"),
    [
        ({}, {}, None),
        ({"difficulty": 3.1}, {}, ("finediving", "difficulty", "3.1", "3", True)),
        ({}, {"difficulty": 3.1}, ("mtl_aqa", "difficulty", "3.1", "3", True)),
        ({}, {"action_type": "100b"}, ("mtl_aqa", "action_type", "100b", "107b", True)),
        ({"dive_score": 70.0}, {"dive_score": 71.0}, ("finediving", "dive_score", "70", "71", False)),
    ],
)
def test_the_score_decides_between_two_data_sets(
    ours: dict[str, Any], theirs: dict[str, Any], finding: tuple[Any, ...] | None
) -> None:
    a = clip(1, "01", source="finediving", **{**DIVE, **ours})
    b = clip(1, "01", source="mtl_aqa", **{**DIVE, **theirs})
    found = [(f.source, f.field, f.found, f.expected, f.certain) for f in RULES["label.datasets-agree"](both(a, b))]
    assert found == ([finding] if finding else [])
