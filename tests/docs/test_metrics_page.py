"""The page on metrics.json has every field of it, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from baselines.runs.figures import Figures
from baselines.runs.results import AblationRow, Conditions, RunMetrics, StudyMetrics, StudyRow
from tests.baselines.small_training import small_training

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


def documented(heading: str) -> list[str]:
    """Names in the first column of the table under a heading."""
    section = re.split(r"^## ", PAGE.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Run", RunMetrics),
        ("Conditions", Conditions),
        ("Figures", Figures),
        ("Study", StudyMetrics),
        ("Rows", StudyRow),
        ("Ablation", AblationRow),
    ],
)
def test_every_field_is_on_the_page(heading: str, kind: Any) -> None:
    assert sorted(documented(heading)) == sorted(f.name for f in fields(kind))


@pytest.mark.slow
def test_every_entry_of_the_history_is_on_the_page(tmp_path: Path) -> None:
    entry = small_training(tmp_path).message_hub.get_info("history")[0]
    names = {name if name == "loss" or not name.endswith("_loss") else "NAME_loss" for name in entry}
    assert names == set(documented("History")) - {"validation_rho", "test_rho"}
