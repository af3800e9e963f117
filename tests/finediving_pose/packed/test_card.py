"""A packed file has a card and a Croissant description beside it, which say what is in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError
from finediving_pose.packed.card import COLUMNS, card_path, croissant_path, write_descriptions
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.schema import COLUMNS as SCHEMA
from finediving_pose.packed.schema import value_of
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packed(source: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("packed") / "dives.h5"
    write_packed(source, target=target)
    return target


def in_table(clip: Clip) -> dict[str, Any]:
    values = {c.name: value_of(clip, c.name) for c in SCHEMA}
    return {f"clips/{k}": list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def test_every_column_is_described() -> None:
    assert list(COLUMNS) == [c.name for c in SCHEMA]


def test_the_description_names_the_file_and_holds_the_clips_table(packed: Path) -> None:
    described = json.loads(croissant_path(packed).read_text(encoding="utf-8"))
    (file,) = described["distribution"]
    assert (file["contentUrl"], file["contentSize"]) == ("dives.h5", f"{packed.stat().st_size} B")
    assert file["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    with open_packed(packed) as opened:
        assert described["recordSet"][0]["data"] == [in_table(c) for c in opened.clips]


def test_mlcroissant_finds_no_error_and_reads_the_rows(packed: Path) -> None:
    mlc: Any = pytest.importorskip("mlcroissant", reason="make test installs it from requirements/tools.txt")
    dataset = mlc.Dataset(str(croissant_path(packed)))
    assert not dataset.metadata.ctx.issues.errors
    rows = list(dataset.records("clips"))
    with open_packed(packed) as opened:
        assert rows == [in_table(c) for c in opened.clips]


def test_the_card_says_what_is_in_the_file_and_begins_with_yaml(packed: Path) -> None:
    text = card_path(packed).read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    assert yaml.safe_load(head)["pretty_name"] == "dives"
    with open_packed(packed) as opened:
        assert f"| clips | {len(opened.clips)} of " in body
        assert f"| digest of the data | {opened.digest} |" in body
        for source in {c.source for c in opened.clips}:
            assert {"finediving": "xujinglin/FineDiving", "unlabelled": "Own videos"}[source] in body


def test_a_second_pack_replaces_both(source: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "dives.h5"
    for path in (card_path(target), croissant_path(target)):
        path.write_text("of another file")
    summary = write_packed(source, target=target)
    assert (summary["card"], summary["croissant"]) == (str(card_path(target)), str(croissant_path(target)))
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert json.loads(croissant_path(target).read_text())["distribution"][0]["sha256"] == digest
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dives.h5", "dives.h5.card.md", "dives.h5.croissant.json"]


def test_what_is_no_packed_file_has_no_description(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"nothing")
    with pytest.raises(PackedError):
        write_descriptions(tmp_path / "x.h5")
    assert not card_path(tmp_path / "x.h5").exists()
