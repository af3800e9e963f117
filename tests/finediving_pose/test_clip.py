"""A clip key can always be a folder; a clip can't contradict itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError

KEY = ClipKey("Men10m_final_r1", 4)


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", "line\nbreak", "nul\0", " padded", ".hidden"])
def test_a_video_name_that_can_not_be_a_folder_is_refused(name):
    with pytest.raises(LabelError, match="can't be a folder name"):
        ClipKey(name, 1)


@given(st.text(min_size=1, max_size=30), st.integers(0, 10**6))
def test_every_accepted_key_survives_writing_and_reading(name, index):
    try:
        key = ClipKey(name, index)
    except LabelError:
        return
    assert ClipKey.parse(str(key)) == key


@pytest.mark.parametrize("text", ["Men10m", "Men10m/x", "/3", "Men10m/-1", ""])
def test_text_that_is_no_key_is_refused_with_an_example(text):
    with pytest.raises(LabelError, match="write it as video/index"):
        ClipKey.parse(text)


def test_every_frame_carries_the_sub_action_of_its_stage():
    clip = Clip(KEY, n_frames=7, stage_starts=(2, 5), sub_actions=(4, 25, 36))
    assert clip.frame_labels() == [4, 4, 25, 25, 25, 36, 36]
    assert clip.n_stages == 3


def test_an_unlabelled_clip_has_minus_one_everywhere():
    assert Clip(KEY, n_frames=3).frame_labels() == [-1, -1, -1]


def test_stages_and_sub_actions_must_agree():
    with pytest.raises(LabelError, match="3 sub-actions but 1 stage starts"):
        Clip(KEY, stage_starts=(2,), sub_actions=(1, 2, 3))


def test_a_clip_that_ends_before_it_starts_is_refused():
    with pytest.raises(LabelError, match="before its start"):
        Clip(KEY, start_frame=10, end_frame=9)


def test_both_ends_of_the_frame_range_are_included():
    assert list(Clip(KEY, start_frame=3, end_frame=5).frame_range or ()) == [3, 4, 5]
