"""The registry of rules, and what a rule yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from finediving_pose.clip import ClipKey

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one clip. A rule gives key, message and what follows; the registry adds the rest.

    An error is certain and stands in the way of using the clip; a warning is worth a person's look.

    Attributes
    ----------
    key : the clip
    message : what is wrong, in words
    field : what is wrong by its name: a field of Clip or of the label file, e.g. ``difficulty``
    found, expected : what is there and what should be, as short as a table cell
    frame : a frame number that shows it, for the rules on frames and poses
    layer : the pose layer, for the rules on poses
    source : the data set of the clip
    rule, severity : of the rule that found it
    """

    key: ClipKey
    message: str
    field: str = ""
    found: str = ""
    expected: str = ""
    frame: int | None = None
    layer: str = ""
    source: str = ""
    rule: str = ""
    severity: Severity = "warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule. The first part of its name says what it looks at: label, split, frame or pose."""

    name: str
    severity: Severity
    says: str
    check: Callable[[Any], Iterator[Finding]]

    @property
    def subject(self) -> str:
        return self.name.partition(".")[0]

    def __call__(self, subject: Any) -> Iterator[Finding]:
        for finding in self.check(subject):
            yield replace(finding, rule=self.name, severity=self.severity)


RULES: dict[str, Rule] = {}
"""Every rule by its name."""


def rule(name: str, *, severity: Severity) -> Callable[[Callable[[Any], Iterator[Finding]]], Rule]:
    """Register a function as a rule; the first line of its docstring is what ``--list-rules`` says of it.

    The function takes what its name begins with: ``label.`` a Clip, ``split.`` all clips (a list),
    ``frame.`` a ClipFrames, ``pose.`` a LayerPoses.
    """

    def register(check: Callable[[Any], Iterator[Finding]]) -> Rule:
        assert name not in RULES, f"two rules are called {name}"
        assert check.__doc__, f"rule {name} has no docstring"
        RULES[name] = Rule(name, severity, check.__doc__.strip().splitlines()[0], check)
        return RULES[name]

    return register
