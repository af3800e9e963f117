"""Findings grouped: by kind, that is by rule, and within a kind by clip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from finediving_pose.validate.mending import MENDING, how_to_mend, mended_like
from finediving_pose.validate.rules import RULES, SEVERITIES, Finding, Rule
from finediving_pose.validate.words import counted


@dataclass(frozen=True, slots=True)
class Kind:
    """Everything that one rule found, the first of a clip before the second of any."""

    rule: Rule
    findings: Sequence[Finding]

    @property
    def count(self) -> int:
        return len(self.findings)

    @property
    def by_place(self) -> dict[str, list[Finding]]:
        """The findings by the clip or file that they are about, in its order."""
        places: dict[str, list[Finding]] = {}
        for f in self.findings:
            places.setdefault(f.place, []).append(f)
        return places

    @property
    def extent(self) -> str:
        """``12 clips``, ``30 in 12 clips``, ``2 files``."""
        places = len(self.by_place)
        where = counted(places, "clip" if self.findings[0].key else "file")
        return where if places == self.count else f"{self.count:,} in {where}"

    def how_to_mend(self, data: str = "") -> str:
        """What to do, the first clip as the example."""
        return how_to_mend(self.rule.name, self.findings[0].key, data)


def by_kind(findings: Iterable[Finding]) -> list[Kind]:
    """The gravest kinds first, then the most frequent."""
    grouped: dict[str, list[Finding]] = {}
    for f in findings:
        grouped.setdefault(f.rule, []).append(f)
    kinds = [Kind(RULES[name], found) for name, found in grouped.items()]
    return sorted(kinds, key=lambda k: (SEVERITIES.index(k.rule.severity), -k.count, k.rule.name))


def what_to_do(kinds: Iterable[Kind], data: str = "") -> list[tuple[list[str], str]]:
    """(names of rules, how to mend what they found), rules that are mended alike together."""
    alike: dict[str, list[Kind]] = {}
    for kind in kinds:
        alike.setdefault(MENDING[mended_like(kind.rule.name)], []).append(kind)
    return [([k.rule.name for k in ks], ks[0].how_to_mend(data)) for ks in alike.values()]


def in_short(kinds: Sequence[Kind]) -> list[str]:
    """What follows from the findings, a sentence a severity: what it means, and what is most frequent."""
    meanings = {
        "error": (
            "stands in the way of using the data; mend it first",
            "stand in the way of using the data; mend them first",
        ),
        "warning": ("is worth a look", "are worth a look"),
        "note": ("is no defect", "are no defects"),
    }
    sentences = []
    for severity, (one, many) in meanings.items():
        own = [k for k in kinds if k.rule.severity == severity]
        if own:
            total, first = sum(k.count for k in own), own[0]
            most = "" if len(own) == 1 else f"; {first.rule.name} is the most frequent ({first.extent})"
            sentences.append(f"{counted(total, severity)} {one if total == 1 else many}{most}.")
    return sentences


def by_clip(findings: Iterable[Finding]) -> list[tuple[str, list[str]]]:
    """The clips with most kinds of findings first: (clip, names of the rules)."""
    rules: dict[str, list[str]] = {}
    for f in findings:
        if f.key:
            named = rules.setdefault(f.place, [])
            named += [f.rule] * (f.rule not in named)
    return sorted(rules.items(), key=lambda item: -len(item[1]))


def one_per_fault(findings: Sequence[Finding]) -> list[Finding]:
    """Findings on the layers of one clip, a fault that several layers have counted once.

    Merged poses are made of the others and have their faults, too. Where a rule says the same of the merged poses
    and of the layers that they were made of, the finding on the merged ones stands for all and names the layers.
    What only the others have stays as it is: the merge has mended it in the file that is packed, not in the layer.
    """
    merged = {(f.rule, _statement(f)) for f in findings if f.layer == "merged"}
    layers: dict[tuple[str, str], list[str]] = {}
    for f in findings:
        if f.layer:
            layers.setdefault((f.rule, _statement(f)), []).append(f.layer)
    several = {fault for fault in merged if len(set(layers[fault])) > 1}
    kept = [f for f in findings if f.layer == "merged" or (f.rule, _statement(f)) not in several]
    named = {fault: ", ".join(dict.fromkeys(layers[fault])) for fault in several}
    return [
        replace(f, message=f"{named[fault]}{f.message.removeprefix(f.layer)}")
        if (fault := (f.rule, _statement(f))) in named
        else f
        for f in kept
    ]


_COUNTS = re.compile(r"[\d(;].*", re.DOTALL)


def _statement(finding: Finding) -> str:
    """What a finding says but for the layer, the numbers and what follows them: ``joints outside the box:``."""
    return _COUNTS.sub("", finding.message.removeprefix(f"{finding.layer}: "))
