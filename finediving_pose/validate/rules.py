"""The registry of rules, and what a rule yields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from finediving_pose.clip import ClipKey
from finediving_pose.labels.levels import Level

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From the gravest down."""

Scope = Literal["clip", "clips", "labels", "datasets", "frames", "folders", "poses", "packed"]
_SCOPES: dict[str, Scope] = {"label": "clip", "split": "clips", "frame": "frames", "pose": "poses", "packed": "packed"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one clip. A rule gives key, message and what follows; the registry adds the rest.

    An error is certain and stands in the way of using the clip; a warning is worth a person's look;
    a note is no defect, but good to know.

    Attributes
    ----------
    key : the clip; None for what concerns a whole file
    message : what is wrong, in words
    field : what is wrong by its name: a field of Clip or of the label file, e.g. ``difficulty``
    found, expected : what is there and what should be, as short as a table cell
    level : how sure it is that the label is wrong and ``expected`` right (:mod:`finediving_pose.labels.levels`)
    evidence : what makes it so, for the levels other than ``doubtful``
    frame : a frame number that shows it, for the rules on frames and poses
    layer : the pose layer, for the rules on poses
    joints : names of the joints that it is about, in that frame
    source : the data set of the clip
    rule, severity : of the rule that found it
    """

    key: ClipKey | None
    message: str
    field: str = ""
    found: str = ""
    expected: str = ""
    level: Level = "doubtful"
    evidence: str = ""
    frame: int | None = None
    layer: str = ""
    joints: tuple[str, ...] = ()
    source: str = ""
    rule: str = ""
    severity: Severity = "warning"

    @property
    def place(self) -> str:
        """The clip as ``video/index``, or the file."""
        return str(self.key) if self.key else self.field

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts findings: the gravest first, then by rule, data set and clip."""
        key = (self.key.video, self.key.index) if self.key else ("", -1)
        return (SEVERITIES.index(self.severity), self.rule, self.source, key, self.layer, self.field, self.message)


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule.

    Attributes
    ----------
    name : its first part says what kind of thing is wrong: label, split, frame, pose or packed
    severity : of its findings
    scope : what the rule is called with, see :func:`rule`
    says : what is right, in one sentence
    reference : the rest of the docstring: reasons, thresholds, sources
    """

    name: str
    severity: Severity
    scope: Scope
    says: str
    reference: str
    check: Callable[[Any], Iterator[Finding]]

    @property
    def subject(self) -> str:
        return self.name.partition(".")[0]

    def __call__(self, subject: Any) -> Iterator[Finding]:
        for finding in self.check(subject):
            yield replace(finding, rule=self.name, severity=self.severity)


RULES: dict[str, Rule] = {}
"""Every rule by its name."""


def rule(
    name: str, *, severity: Severity, scope: Scope | None = None
) -> Callable[[Callable[[Any], Iterator[Finding]]], Rule]:
    """Register a function as a rule; the first line of its docstring is what ``--list-rules`` says of it.

    The function is called with what its scope says, by default what its name begins with:

    * ``clip`` (``label.``): a Clip, each in turn
    * ``clips`` (``split.``): all clips of one data set, a list
    * ``labels``: the label files of one data set, a LabelFiles
    * ``datasets``: all LabelFiles, a list; rules that hold two data sets against each other
    * ``frames`` (``frame.``): a ClipFrames, each clip in turn
    * ``folders``: the frame folders of all clips, a list
    * ``poses`` (``pose.``): a LayerPoses, each layer of each clip
    * ``packed`` (``packed.``): a packed file
    """

    def register(check: Callable[[Any], Iterator[Finding]]) -> Rule:
        assert name not in RULES, f"two rules are called {name}"
        assert check.__doc__, f"rule {name} has no docstring"
        says, _, rest = inspect.cleandoc(check.__doc__).partition("\n")
        RULES[name] = Rule(name, severity, scope or _SCOPES[name.partition(".")[0]], says, rest.strip(), check)
        return RULES[name]

    return register
