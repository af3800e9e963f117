"""Operations as lines of a journal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.journals.entry import BETWEEN, HAND, MACHINE, Entry, Joint, Place, entry_of_row, row_of_entry
from finediving_pose.journals.layer import same
from finediving_pose.journals.operations import Edit, Found, Operation, Step, line_of, parse_line
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.reviews import MachinePose, ReviewState
from tests.annotate.made_up import KEY, table
from tests.annotate.review.made_up import place, placed

numbers = st.floats(-2000, 2000, width=32)
there = st.builds(
    Joint,
    numbers,
    numbers,
    st.sampled_from([Visibility.OCCLUDED, Visibility.VISIBLE]),
    st.sampled_from([HAND, BETWEEN]),
)
absent = st.just(Joint(float("nan"), float("nan"), Visibility.ABSENT))
machines_own = st.builds(
    Joint, numbers, numbers, st.just(Visibility.VISIBLE), st.just(MACHINE), st.floats(0, 1, width=32)
)
joints = st.tuples(*[st.none() | there | absent | machines_own] * 16)
machines = st.builds(MachinePose, st.text(max_size=9), st.tuples(*[st.none() | st.tuples(numbers, numbers)] * 16))
entries = st.builds(Entry, joints, st.none() | st.sampled_from(ReviewState), st.text(max_size=40), st.none() | machines)
places = st.builds(Place, st.just(KEY), st.integers(0, 9999), st.integers(0, 1))
ids = st.text("abc-123", min_size=1, max_size=40)
operations = st.one_of(
    st.builds(Edit, ids, st.just("t"), st.text(max_size=20), st.dictionaries(places, entries, max_size=3)),
    st.builds(Step, ids, st.just("t"), st.sampled_from(["undo", "redo"]), ids),
    st.builds(Found, ids, st.just("t"), places, st.none()),
)


@given(operations)
def test_a_line_gives_back_the_operation(operation: Operation) -> None:
    line = line_of(operation)
    assert "\n" not in line
    assert line_of(parse_line(line)) == line
    assert repr(parse_line(line)) == repr(operation)  # NaN is not equal to itself


def test_a_found_row_comes_back_value_for_value() -> None:
    row = table("kim", JointSource.MANUAL, has=np.arange(16) < 9, shift=1 / 3, frames=(7,))
    again = parse_line(line_of(Found("a", "t", place(7), row)))
    assert isinstance(again, Found)
    assert same(again.row, row)


@given(entries, places)
def test_a_row_of_the_layer_says_what_the_entry_says(entry: Entry, at: Place) -> None:
    again = entry_of_row(row_of_entry(entry, at, "anna", "t"), 0)
    assert repr(again.joints) == repr(entry.joints)


GOOD = {"clip": "meet/0", "frame": 1, "person": 0, "joints": [None] * 16, "state": None, "note": ""}


@pytest.mark.parametrize(
    "change",
    [
        {"frame": -1},
        {"frame": 1.5},
        {"person": 2},
        {"clip": "../x/0"},
        {"joints": [None] * 15},
        {"state": "fine"},
        {"note": 3},
        {"note": "x" * 2001},
        {"joints": [[1, 2, 0, "hand"]] * 16},
        {"joints": [[None, None, 2, "hand"]] * 16},
        {"joints": [[1e9, 2, 2, "hand"]] * 16},
        {"joints": [["1", 2, 2, "hand"]] * 16},
        {"joints": [[1, 2, 2, "machine"]] * 16},
        {"machine": {"author": "net", "joints": [[1, 2, 3]] * 16}},
    ],
)
def test_an_entry_that_can_not_be_is_refused(change: dict) -> None:
    line = {"id": "a", "at": "t", "op": "edit", "what": "move"}
    parse_line(json.dumps({**line, "entries": [GOOD]}))
    with pytest.raises(ValueError):
        parse_line(json.dumps({**line, "entries": [{**GOOD, **change}]}))


@pytest.mark.parametrize("change", [{"op": "drop"}, {"id": ""}, {"id": "a" * 65}, {"at": 3}, {"entries": [{}]}])
def test_what_is_no_operation_is_refused(change: dict) -> None:
    good = json.loads(line_of(Edit("a", "t", "move", {place(): placed(3)})))
    with pytest.raises(ValueError):
        parse_line(json.dumps({**good, **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"id": "a"}', "[" * 100_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_line(text)
