"""Tables of dives as people save them: by any ending, separator and spelling; what is none is called what it is."""

from __future__ import annotations

import pickle
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.labels.read import read_labels

HEADER = "video,index,start_frame,end_frame,dive_score,judge_scores"
ROW = "men,1,5,40,72.5,8 7.5 8"
WANTED = Clip(
    ClipKey("men", 1), start_frame=5, end_frame=40, n_frames=36, dive_score=72.5, judge_scores=(8.0, 7.5, 8.0)
)


@pytest.mark.parametrize("name", ["l.csv", "l.CSV", "l.Csv", "l.txt", "l.TXT", "l.tsv", "l.TSV", "labels"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_by_any_ending_and_separator(tmp_path: Path, name: str, separator: str) -> None:
    (tmp_path / name).write_text(f"{HEADER}\n{ROW}\n".replace(",", separator))
    assert read_labels(tmp_path / name) == [WANTED]
    if "." in name:
        assert read_labels(tmp_path) == [WANTED]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_no_part_of_a_column(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "l.csv").write_bytes(f"{HEADER}\r\n{ROW}\r\n".encode(encoding))
    assert read_labels(tmp_path / "l.csv") == [WANTED]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER};;\n{ROW};;\n;;;;;;;\n".replace(",", ";"),  # emptied columns and rows
        f"{HEADER}\n{ROW}\n".replace(",", ";").replace("72.5", "72,5").replace("7.5", "7,5"),  # decimal commas
        f"{HEADER}\nmen,1.0,5.0,40.0,72.5,8 7.5 8\n",  # whole numbers of a column with gaps
        f'{HEADER}\n"men","1","5","40","72.5","8 7.5 8"\n',
        f"sep=;\r\n{HEADER}\r\n{ROW}\r\n".replace(",", ";"),  # as Excel says it
        f"SEP=,\n{HEADER}\n{ROW}\n",
        f"\n\n{HEADER}\n\n{ROW}\n\n",
        f"{HEADER}\n men , 1, 5, 40, 72.5, 8 7.5 8\n",
    ],
)
def test_what_spreadsheets_make_of_a_table_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.csv").write_text(text)
    assert read_labels(tmp_path / "l.csv") == [WANTED]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04 and so on", r"a spreadsheet's workbook \(xlsx or ods\); save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0 and so on", r"workbook \(xls\)"),
        (HEADER.encode() + b"\nmen,1,5,40,nan,\n", "line 2: 'nan' is no value for dive_score"),
        (HEADER.encode() + b"\nmen,1,5,40,1e999,\n", "is no value for dive_score"),
        (HEADER.encode() + b"\nmen,1.5,5,40,,\n", "'1.5' is no value for index"),
        (HEADER.encode() + b"\nmen,1,5,99999999999,,\n", "is no value for end_frame"),
        (HEADER.encode() + b"\nmen,1,5\n", "line 2: not as many cells"),
        (HEADER.encode() + b"\nmen,1,5,40,,,7\n", "line 2: not as many cells"),
        (b"\xff\xfe\x00 no text", "no column 'video'|not UTF-8"),
        (b"video,index\n", "no column 'start_frame'"),
    ],
)
@pytest.mark.parametrize("name", ["l.csv", "l.TXT"])
def test_what_is_wrong_is_called_what_it_is(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelError, match=says) as caught:
        read_labels(tmp_path / name)
    assert "pickle" not in str(caught.value)


def test_a_pickle_is_known_by_its_first_byte(tmp_path: Path) -> None:
    dive = {"action_type": "107B", "start_frame": 5, "end_frame": 14, "dive_score": 70.0, "difficulty": 3.0}
    (tmp_path / "labels.csv").write_bytes(pickle.dumps({("A", 1): dive}))
    assert [str(c.key) for c in read_labels(tmp_path / "labels.csv")] == ["A/1"]


def test_a_readme_beside_a_table_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "dives.csv").write_text(f"{HEADER}\n{ROW}\n")
    (tmp_path / "README.txt").write_text("These are the dives of the club night.\n")
    assert read_labels(tmp_path) == [WANTED]


def test_a_name_is_one_name_however_its_accents_are_spelled(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Féminin_10m_ü") for form in ("NFC", "NFD"))
    assert composed != apart and ClipKey(apart, 1) == ClipKey(composed, 1)
    assert ClipKey.parse(f"{apart}/1").video == composed
    (tmp_path / "l.csv").write_text(f"{HEADER}\n{apart},1,5,40,,\n{composed},1,50,60,,\n", encoding="utf-8")
    with pytest.raises(LabelError, match="is there twice"):
        read_labels(tmp_path / "l.csv")


def test_a_file_of_labels_that_no_one_knows_is_not_told_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "labels.docx").write_text("hello")
    run = CliRunner().invoke(
        main, ["extract", "--labels", str(tmp_path / "labels.docx"), "--data", str(tmp_path / "d")]
    )
    assert run.exit_code == 1 and "neither a pickle nor a CSV file" in run.stderr and "damaged" not in run.stderr
