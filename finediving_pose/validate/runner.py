"""Every chosen rule over everything in a data directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from finediving_pose.clip import Clip
from finediving_pose.errors import UsageError
from finediving_pose.labels.table import read_clips
from finediving_pose.progress import track
from finediving_pose.validate import frame_rules, label_rules, pose_rules, split_rules  # noqa: F401 (they register)
from finediving_pose.validate.frame_rules import load_frames
from finediving_pose.validate.pose_rules import load_layers
from finediving_pose.validate.rules import RULES, Finding, Rule
from finediving_pose.workspace import Workspace


def validate(workspace: Workspace, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> list[Finding]:
    """What is wrong in a data directory, sorted by severity, rule and clip.

    Parameters
    ----------
    workspace : the data directory; what is missing in it (frames, poses) is not checked
    select, ignore : beginnings of rule names, e.g. ``label`` or ``pose.box``; nothing selected is everything

    Raises
    ------
    LabelError
        There is no clips table.
    UsageError
        A beginning fits no rule.
    """
    rules = chosen_rules(select, ignore)
    clips = read_clips(workspace)
    findings = [f for r in _of(rules, "split") for f in r(clips)]
    needs_files = any(_of(rules, subject) for subject in ("frame", "pose"))
    for clip in track(clips, "validating") if needs_files else clips:
        findings += _check_clip(workspace, clip, rules)
    return sorted(findings, key=lambda f: (f.severity, f.rule, f.key))


def chosen_rules(select: Sequence[str], ignore: Sequence[str]) -> list[Rule]:
    """Rules whose name begins with one of ``select`` (or all of them) and with none of ``ignore``, by name."""
    for prefix in (*select, *ignore):
        if not any(name.startswith(prefix) for name in RULES):
            raise UsageError(f"no rule begins with {prefix!r}; see them with: fdpose validate --list-rules")
    chosen = [r for name, r in sorted(RULES.items()) if name.startswith(tuple(select) or "")]
    return [r for r in chosen if not (ignore and r.name.startswith(tuple(ignore)))]


def _check_clip(workspace: Workspace, clip: Clip, rules: Sequence[Rule]) -> list[Finding]:
    found = _apply(_of(rules, "label"), clip)
    on_frames, on_poses = _of(rules, "frame"), _of(rules, "pose")
    frames = load_frames(workspace, clip) if on_frames else None
    if frames:
        found += _apply(on_frames, frames)
    for layer in load_layers(workspace, clip) if on_poses else ():
        found += _apply(on_poses, layer)
    return found


def _of(rules: Iterable[Rule], subject: str) -> list[Rule]:
    return [r for r in rules if r.subject == subject]


def _apply(rules: Iterable[Rule], subject: Any) -> list[Finding]:
    return [f for r in rules for f in r(subject)]
