"""Real and hand-made label files, read into clips."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.labels.read import read_labels
from finediving_pose.lexicon import ENTRY, expected_sub_actions, parse_dive_number
from tests.finediving_pose.labels.made_up import COARSE, DIVE, FINE, save


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Clip]:
    return read_labels(shared_data / "finediving")


@pytest.mark.slow
def test_all_3000_real_dives_read(real: list[Clip]) -> None:
    assert len(real) == 3000
    assert Counter(c.n_stages for c in real) == {3: 2206, 4: 537, 5: 257}
    assert Counter(c.split for c in real) == {"train": 2251, "test": 749}
    assert Counter(len(c.judge_scores) for c in real) == {3: 1024, 5: 607, 7: 1024 + 345}
    assert all(c.frame_range and c.n_frames == len(c.frame_range) == len(c.frame_labels()) for c in real)
    assert sum(bool(c.synchronised) for c in real) == 607


def test_stages_of_a_real_dive_start_where_its_label_changes(real: list[Clip]) -> None:
    clips = {str(c.key): c for c in real}
    assert clips["01/1"].stage_starts == (3, 35)
    assert clips["01/1"].sub_actions == (4, 25, ENTRY)
    assert clips["03/67"].stage_starts == (15, 36, 52), "its transit frames are out of order and one is zero"
    assert clips["FINAWorldChampionships2019_Women3mSynchronised_final_r1/5"].stage_starts == (42, 64), "it flickers"


def test_sub_actions_of_most_real_dives_follow_from_the_dive_number(real: list[Clip]) -> None:
    same = sum(c.sub_actions == expected_sub_actions(parse_dive_number(c.action_type or "")) for c in real)
    assert same == 2947


@pytest.mark.parametrize("names", [("coarse",), ("_fine-grained_annotation",), ("_aqa",), ("_aqa", "split")])
def test_any_label_file_that_suffices_is_enough(shared_data: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    for path in (shared_data / "finediving" / "Annotations").iterdir():
        if any(n in path.name for n in names):
            (tmp_path / path.name.replace("annotation", "renamed")).symlink_to(path)
    clips = read_labels(tmp_path)
    assert len(clips) == 3000
    assert {c.split for c in clips} == ({"train", "test"} if "split" in names else {"none"})
    assert (clips[0].n_stages == 3) is (names != ("coarse",))


def test_mtl_aqa_names_its_dives_as_finediving_does(shared_data: Path, real: list[Clip]) -> None:
    clips = read_labels(shared_data / "mtl_aqa")
    assert len(clips) == 1412
    assert Counter(c.split for c in clips) == {"train": 1059, "test": 353}
    assert {c.source for c in clips} == {"mtl_aqa"}
    by_key = {c.key: c for c in clips}
    shared = [c for c in real if c.key.video.isdecimal()]
    assert len(shared) == 1369
    assert all(c.key in by_key for c in shared)
    first = by_key[ClipKey("01", 1)]
    assert (first.action_type, first.dive_score, first.judge_scores[0], first.n_frames) == ("407c", 88.0, 9.5, 86)


def test_coarse_fine_and_splits_are_joined(tmp_path: Path) -> None:
    save(tmp_path / "a.pkl", {DIVE: COARSE})
    save(tmp_path / "b.pkl", {DIVE: FINE})
    save(tmp_path / "my_test_list.pkl", [DIVE])
    assert read_labels(tmp_path) == [
        Clip(
            ClipKey(*DIVE), "test", "207c", 3.3, 79.2, (8.0, 7.5, 8.5), 100, 109, 10, None, 10.0, False,
            (3, 6), (2, 25, 36), "finediving",
        )
    ]  # fmt: skip


def test_dives_of_a_synthetic_competition_say_so(tmp_path: Path) -> None:
    save(tmp_path / "a.pkl", {("Synthetic2026Women3m_final_r1", 0): COARSE, DIVE: COARSE})
    assert {c.key.video: c.source for c in read_labels(tmp_path)} == {
        "Synthetic2026Women3m_final_r1": "synthetic",
        DIVE[0]: "finediving",
    }


def test_ranges_come_from_a_csv_file(tmp_path: Path) -> None:
    table = tmp_path / "ranges.csv"
    table.write_text(
        "\ufeffvideo,index,start_frame,end_frame,action_type,judge_scores,synchronised,split\n"
        "Club night,2,100,150,107B,8 7.5 8,no,train\n"
        "Club night,1,10,60,,,,\n",
        encoding="utf-8",
    )
    first, second = read_labels(table)
    assert first == Clip(ClipKey("Club night", 1), start_frame=10, end_frame=60, n_frames=51)
    assert (second.action_type, second.judge_scores, second.synchronised) == ("107b", (8.0, 7.5, 8.0), False)
    assert (second.split, second.source) == ("train", "unlabelled")
    assert read_labels(tmp_path) == [first, second]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,index,start_frame\na,1,2\n", r"no column 'end_frame'; the first line has to name"),
        ("video,index,start_frame,end_frame,mood\n", r"unknown column 'mood'; the columns can be video, index"),
        ("video,index,start_frame,end_frame\n", r"no rows; write one line a dive"),
        ("", r"no column 'video'.*found nothing"),
        ("video,index,start_frame,end_frame\na,1,2,x\n", r"line 2: 'x' is no value for end_frame; expected a whole"),
        ("video,index,start_frame,end_frame\na,1,-2,5\n", r"line 2: '-2' is no value for start_frame"),
        ("video,index,start_frame,end_frame\na,1,,5\n", r"line 2: '' is no value for start_frame"),
        ("video,index,start_frame,end_frame\na,1,2\n", r"line 2: not as many cells"),
        ("video,index,start_frame,end_frame\na,1,9,5\n", r"line 2: a/1: ends at frame 5, before its start at 9"),
        ("video,index,start_frame,end_frame\n../a,1,2,5\n", r"line 2: video name '../a' can't be a folder name"),
        ("video,index,start_frame,end_frame\na,1,2,5\na,1,6,9\n", r"line 3: a/1 is there twice"),
        (
            "video,index,start_frame,end_frame,split\na,1,2,5,dev\n",
            r"'dev' is no value for split; expected one of train",
        ),
    ],
)
def test_a_bad_csv_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "ranges.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(LabelError, match=message):
        read_labels(table)
