"""JSON, YAML and CSV files of other programs, within bounds."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.documents import MAX_DEPTH, read_json, read_table, read_text, read_yaml
from finediving_pose.errors import LabelError, PoseError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_json_comes_back_with_and_without_a_byte_order_mark(tmp_path_factory, value, encoding):
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_bytes(json.dumps(value, ensure_ascii=False).encode(encoding, "surrogatepass"))
    assert read_json(path) == value


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200_000])
def test_json_nested_too_deep_is_refused_by_name(tmp_path, depth):
    path = tmp_path / "deep.json"
    path.write_text("[" * depth + "]" * depth)
    with pytest.raises(PoseError, match=r"deep\.json: nested more than 64 deep"):
        read_json(path, PoseError)
    path.write_text("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    read_json(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a JSON file"),
        (b"{", "not a JSON file"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"\xe9", "not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_json_is_named(tmp_path, content, said):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=rf"a\.json: {said}"):
        read_json(path, LabelError)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(LabelError, match=r"none: no such file"):
        read_text(tmp_path / "none", LabelError)
    with pytest.raises(LabelError, match="can't be read"):
        read_text(tmp_path, LabelError)


def test_yaml_aliases_are_read_within_bounds(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &x [1, 2]\nb: *x\n")
    assert read_yaml(path) == {"a": [1, 2], "b": [1, 2]}
    rungs = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rungs += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    path.write_text("\n".join(rungs))
    with pytest.raises(PoseError, match=r"its aliases \(\*name\) stand for more than 1,000,000 values"):
        read_yaml(path, PoseError)
    path.write_text("a: &x [*x]\n")
    with pytest.raises(PoseError, match="contains itself"):
        read_yaml(path, PoseError)
    path.write_text("[" * 5000 + "]" * 5000)
    with pytest.raises(PoseError, match="nested too deep"):
        read_yaml(path, PoseError)


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['true']", "a: [", "a: 2020-99-99"])
def test_yaml_that_is_more_or_less_than_plain_values_is_refused(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(PoseError, match=r"a\.yaml: not a YAML file"):
        read_yaml(path, PoseError)


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8).map(lambda text: text.lstrip(" "))
"""Spaces after a separator belong to it: people write them."""


@given(
    st.lists(
        st.lists(CELL, min_size=3, max_size=3).filter(lambda r: any(c.strip() for c in r)), min_size=1, max_size=5
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_tables_come_back_whatever_the_spreadsheet_separates_them_with(
    tmp_path_factory, rows, separator, quoting, encoding
):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting).writerows([["one", "two", "three"], *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    table = read_table(path)
    assert (table.separator, table.rows[1:]) == (separator, rows)


def test_a_decimal_comma_is_read_where_commas_do_not_separate(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n1,5;2\n")
    table = read_table(path)
    assert [table.number(c) for c in table.rows[1]] == [1.5, 2]
    path.write_text('x,y\n"1,5",2\n')
    table = read_table(path)
    with pytest.raises(ValueError, match="could not convert"):
        table.number(table.rows[1][0])
