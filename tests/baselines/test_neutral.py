"""What all methods share names none of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import baselines
from baselines.registry import method_names

ROOT = Path(baselines.__file__).parent
SHARED = [p for p in sorted(ROOT.rglob("*")) if p.suffix in (".py", ".j2") and ROOT / "methods" not in p.parents]


@pytest.mark.parametrize("path", SHARED, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_shared_file_names_a_method(path: Path) -> None:
    text = path.read_text(encoding="utf-8").lower()
    assert not [name for name in method_names() if re.search(rf"\b{re.escape(name)}\b", text)]


def test_there_is_something_to_search() -> None:
    assert {p.parent.name for p in SHARED} >= {"data", "runs", "training", "report", "modules", "backbones"}
    assert "hpmcr" in method_names()
