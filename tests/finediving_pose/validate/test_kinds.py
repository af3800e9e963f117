"""Findings are grouped by kind and clip, a fault that several layers have is one, and each kind says how to mend it."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from finediving_pose.cli import main
from finediving_pose.clip import ClipKey
from finediving_pose.validate import RULES, Finding
from finediving_pose.validate.kinds import by_clip, by_kind, one_per_fault, what_to_do
from finediving_pose.validate.mending import MENDING, how_to_mend, mended_like

A, B = ClipKey("Men10m_r1", 1), ClipKey("Men10m_r1", 2)


def found(rule: str, key: ClipKey | None = A, message: str = "wrong", layer: str = "", place: str = "") -> Finding:
    words = f"{layer}: {message}" if layer else message
    return Finding(key, words, field=place, layer=layer, rule=rule, severity=RULES[rule].severity)


def test_the_gravest_kinds_come_first_then_the_most_frequent() -> None:
    kinds = by_kind([found("pose.box"), found("pose.corner", A), found("pose.corner", B), found("pose.values")])
    assert [k.rule.name for k in kinds] == ["pose.values", "pose.corner", "pose.box"]


def test_a_kind_is_counted_in_findings_and_in_clips() -> None:
    (kind,) = by_kind([found("pose.box", A, "one"), found("pose.box", B), found("pose.box", A, "two")])
    assert kind.extent == "3 in 2 clips"
    assert {place: len(f) for place, f in kind.by_place.items()} == {"Men10m_r1/1": 2, "Men10m_r1/2": 1}
    (file,) = by_kind([found("packed.opens", None, place="a.h5")])
    assert file.extent == "1 file"


def test_clips_with_most_kinds_come_first() -> None:
    clips = by_clip([found("pose.box", B), found("pose.box", A), found("pose.corner", A), found("pose.corner", A)])
    assert clips == [("Men10m_r1/1", ["pose.box", "pose.corner"]), ("Men10m_r1/2", ["pose.box"])]


def test_a_fault_of_two_layers_is_one_and_names_both() -> None:
    (one,) = one_per_fault(
        [
            found("pose.box", A, "joints outside the box: 12 joints in 8 frames, first 00003.jpg", "auto"),
            found("pose.box", A, "joints outside the box: 9 joints in 6 frames, first 00004.jpg", "merged"),
        ]
    )
    assert one.message == "auto, merged: joints outside the box: 9 joints in 6 frames, first 00004.jpg"
    assert one.layer == "merged"


@pytest.mark.parametrize(
    "findings",
    [
        [found("pose.box", A, "x 1", "auto"), found("pose.box", A, "x 2", "manual/kim")],
        [found("pose.box", A, "x 1", "auto"), found("pose.corner", A, "x 1", "merged")],
        [found("pose.values", A, "visibility is not 0", "auto"), found("pose.values", A, "source is not 0", "merged")],
        [found("pose.merge-stale", A, "x", "merged")],
        [found("frame.blank", A, "1 blank picture"), found("frame.blank", A, "2 blank pictures")],
    ],
)
def test_other_findings_stay_as_they_are(findings: list[Finding]) -> None:
    assert one_per_fault(findings) == findings


def test_three_layers_are_one_too() -> None:
    layers = ("auto", "manual/kim", "merged")
    (one,) = one_per_fault([found("pose.corner", A, f"joints: {i} joint", x) for i, x in enumerate(layers, 1)])
    assert one.message == "auto, manual/kim, merged: joints: 3 joint"


def test_rules_that_are_mended_alike_are_said_once() -> None:
    kinds = by_kind([found("pose.box"), found("pose.joint-leap", B), found("packed.counts", None)])
    (packed, _), (poses, words) = what_to_do(kinds)
    assert packed == ["packed.counts"]
    assert poses == ["pose.box", "pose.joint-leap"]
    assert "--clip Men10m_r1/1 " in words


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_says_how_to_mend_it_with_commands_that_exist(name: str) -> None:
    words = how_to_mend(name, ClipKey("a b", 3), "my data")
    assert "{" not in words
    for line in re.findall(r"fdpose [^.,;)]*", words):
        command, *rest = shlex.split(line.replace("(or another format", ""))[1:]
        known = main.get_command(None, command)  # type: ignore[arg-type]
        assert isinstance(known, click.Command), line
        options = {o for p in known.params for o in p.opts}
        assert [w for w in rest if w.startswith("--") and w not in options] == []
        assert "--data my data" in " ".join([command, *rest])


def test_the_longest_beginning_holds() -> None:
    assert [mended_like(n) for n in ("pose.merge-stale", "pose.box-jump", "label.stage-count")] == [
        "pose.merge", "pose", "label",
    ]  # fmt: skip
    assert all(any(name.startswith(key) for name in RULES) for key in MENDING), "no key without a rule"


def test_a_clip_is_named_as_a_shell_takes_it() -> None:
    assert "--clip 'a b/3' --force" in how_to_mend("frame.readable", ClipKey("a b", 3))
    assert "--clip VIDEO/INDEX --force" in how_to_mend("frame.readable")
