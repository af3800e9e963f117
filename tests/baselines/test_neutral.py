"""What all methods share names none of them, but for the sources in docstrings and comments."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

import baselines
from baselines.data.batch import Batch
from baselines.registry import method_names

ROOT = Path(baselines.__file__).parent
SHARED = [p for p in sorted(ROOT.rglob("*")) if p.suffix in (".py", ".j2") and ROOT / "methods" not in p.parents]


def code_alone(text: str) -> str:
    """Python without comments and without strings that are statements."""

    class WithoutDocstrings(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST:
            return ast.Pass() if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(WithoutDocstrings().visit(ast.parse(text))))


LABELS = {field.name for field in fields(Batch)}
"""A method may be called after the label that it reads, and labels are everywhere."""
PACKAGES = {p.name for p in ROOT.iterdir() if p.is_dir()}
"""Or after the package that its network comes from."""


def named(text: str) -> list[str]:
    names = [name for name in method_names() if name not in LABELS | PACKAGES]
    return [name for name in names if re.search(rf"\b{re.escape(name)}\b", text.lower())]


@pytest.mark.parametrize("path", SHARED, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_shared_file_names_a_method(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert named(code_alone(text) if path.suffix == ".py" else text) == []
    assert "hpmcr" not in text.lower(), "sources are called as their authors call them: HP-MCoRe"


def test_a_name_in_code_is_found_and_a_source_in_a_docstring_is_not() -> None:
    assert named(code_alone('def f():\n    """As HPMCR does."""\n    return 1  # hpmcr')) == []
    assert named(code_alone("from baselines.methods.hpmcr import A")) == ["hpmcr"]
    assert named(code_alone('if name == "hpmcr": pass')) == ["hpmcr"]


def test_there_is_something_to_search() -> None:
    assert {p.parent.name for p in SHARED} >= {"data", "runs", "training", "report", "modules", "backbones"}
    assert "hpmcr" in method_names()
