"""``docs/rules.md``: every rule with its sentence and reasons, out of the docstrings.

Make it again with: python -m finediving_pose.validate.rules_page > docs/rules.md
"""

from __future__ import annotations

from collections.abc import Iterable

from finediving_pose.validate.rules import Rule

_SUBJECTS = {
    "label": "Labels",
    "split": "Splits",
    "frame": "Frames",
    "pose": "Poses",
    "packed": "The packed file",
}
_HEAD = """# The rules of `fdpose validate`

An error is certain and stands in the way of using the clip; a warning is worth a person's look; a note is no defect,
but good to know (shown with `--severity note`). `--select label.score` takes the rules whose name begins so,
`--ignore` leaves them out. This page is made from the rules' docstrings.

Beside its severity a finding has a level, which says how sure the correction is that it names: certain (proved by a
published result or table, or by a rule of the sport), likely, doubtful (nothing decides; the usual level) or convention
(no error). `--json` and `--csv` have the level and its evidence. [errata.md](errata.md) has what is known of FineDiving
and MTL-AQA.

Findings are listed by rule, and within a rule by clip; at the end stands what to do about each. Merged poses have the
faults of the layers that they were made of: such a fault is one finding, which names the layers. `--report` writes a
page with pictures: rings mark the joints in question, and rules about boxes show the box.
"""


def rules_page(rules: Iterable[Rule]) -> str:
    """The page, in Markdown."""
    lines = [_HEAD]
    ordered = sorted(rules, key=lambda r: (list(_SUBJECTS).index(r.subject), r.name))
    for subject, title in _SUBJECTS.items():
        lines += [f"## {title}\n", "| rule | severity | what is right |", "|---|---|---|"]
        lines += [f"| `{r.name}` | {r.severity} | {_cell(r)} |" for r in ordered if r.subject == subject]
        lines.append("")
    return "\n".join(lines)


def _cell(rule: Rule) -> str:
    text = f"{rule.says} {' '.join(rule.reference.split())}".strip()
    return text.replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    from finediving_pose.validate import RULES

    print(rules_page(RULES.values()), end="")
