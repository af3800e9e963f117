"""The page of rules is that of the rules."""

from __future__ import annotations

from pathlib import Path

from finediving_pose.validate import RULES
from finediving_pose.validate.rules_page import rules_page

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_rules_is_made_of_their_docstrings() -> None:
    """Make it again with: python -m finediving_pose.validate.rules_page > docs/rules.md"""
    assert (DOCS / "rules.md").read_text(encoding="utf-8") == rules_page(RULES.values())


def test_there_are_forty_rules_and_every_one_is_on_the_page() -> None:
    page = (DOCS / "rules.md").read_text(encoding="utf-8")
    assert len(RULES) >= 40
    assert all(f"`{name}`" in page for name in RULES)
    assert all(r.says.endswith((".", ")")) for r in RULES.values()), "a rule's first line is a sentence"
