"""Every chosen rule over everything there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, FrameError, UsageError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.labels.read import LabelFiles
from finediving_pose.labels.table import read_clips
from finediving_pose.parallel import map_clips
from finediving_pose.validate import (  # noqa: F401  (they register)
    competition_rules,
    dataset_rules,
    file_rules,
    folder_rules,
    frame_folder_rules,
    number_rules,
    packed_rules,
    packed_source_rules,
    picture_rules,
    pose_rules,
    score_rules,
    split_rules,
    stage_rules,
    staged_dive_rules,
)
from finediving_pose.validate.clip_frames import load_frames
from finediving_pose.validate.kinds import one_per_fault
from finediving_pose.validate.layer_poses import load_layers
from finediving_pose.validate.packed_subject import load_packed
from finediving_pose.validate.rules import RULES, Finding, Rule, Scope
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing


def validate(
    workspace: Workspace,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    labels: Sequence[LabelFiles] = (),
    jobs: int | None = None,
) -> list[Finding]:
    """What is wrong in a data directory, the gravest first, then by rule and clip.

    Parameters
    ----------
    workspace : the data directory; what is missing in it (frames, poses, packed file) is not checked
    select, ignore : beginnings of rule names, e.g. ``label`` or ``pose.box``; nothing selected is everything
    labels : the label files that its clips table was made of, for the rules that look into them
    jobs : processes for the rules on frames and poses

    Raises
    ------
    LabelError
        There is no clips table.
    UsageError
        A beginning fits no rule.
    BusyError
        Another command is replacing frames or poses.
    """
    rules = chosen_rules(select, ignore)
    catch_up(workspace, "fdpose validate")
    read = [workspace.frames, *(workspace.poses / layer for layer in workspace.layers())]
    with writing("fdpose validate", reads=read):
        return _validate(workspace, rules, labels, jobs)


def _validate(
    workspace: Workspace, rules: Sequence[Rule], labels: Sequence[LabelFiles], jobs: int | None
) -> list[Finding]:
    clips = read_clips(workspace)
    findings = [*_on_labels(rules, clips), *_on_files(rules, labels)]
    names = tuple(r.name for r in rules if r.scope in ("frames", "poses"))
    if names and (workspace.frames.is_dir() or workspace.poses.is_dir()):
        for clip, found in map_clips(partial(check_clip, workspace, names), clips, jobs, "validating"):
            if isinstance(found, FdposeError):
                raise found
            findings += _of_source(found, clip.source)
    on_folders = _of(rules, "folders")
    if on_folders and workspace.frames.is_dir():
        findings += _apply(on_folders, _folders(workspace, clips))
    on_packed = _of(rules, "packed")
    if on_packed and workspace.packed.is_file():
        findings += _apply(on_packed, load_packed(workspace.packed))
    return sorted(findings, key=lambda f: f.order)


def validate_labels(
    labels: Sequence[LabelFiles], *, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> list[Finding]:
    """What is wrong in label files, without a data directory; several data sets are held against each other.

    Raises UsageError where a beginning fits no rule.
    """
    rules = chosen_rules(select, ignore)
    findings = _on_files(rules, labels)
    for files in labels:
        findings += _on_labels(rules, files.clips)
    return sorted(findings, key=lambda f: f.order)


def chosen_rules(select: Sequence[str], ignore: Sequence[str]) -> list[Rule]:
    """Rules whose name begins with one of ``select`` (or all of them) and with none of ``ignore``, by name."""
    for prefix in (*select, *ignore):
        if not any(name.startswith(prefix) for name in RULES):
            raise UsageError(f"no rule begins with {prefix!r}; see them with: fdpose validate --list-rules")
    chosen = [r for name, r in sorted(RULES.items()) if name.startswith(tuple(select) or "")]
    return [r for r in chosen if not (ignore and r.name.startswith(tuple(ignore)))]


def check_clip(workspace: Workspace, names: Sequence[str], clip: Clip) -> list[Finding]:
    """The named rules on one clip's frames and poses."""
    rules = [RULES[name] for name in names]
    on_frames, on_poses = _of(rules, "frames"), _of(rules, "poses")
    frames = load_frames(workspace, clip) if on_frames else None
    found = _apply(on_frames, frames) if frames else []
    readable = []
    for layer in load_layers(workspace, clip) if on_poses else ():
        on_layer = _apply(on_poses, layer)
        if layer.poses is None:
            found += on_layer
        else:
            readable += on_layer
    return found + one_per_fault(readable)


def _folders(workspace: Workspace, clips: Sequence[Clip]) -> list[FrameFolder]:
    """The frame folders that can be opened; the rules on frames say what is wrong with the others."""
    folders = []
    for clip in clips:
        with suppress(FrameError):
            folders.append(open_frames(workspace, clip.key))
    return folders


def _on_labels(rules: Sequence[Rule], clips: Sequence[Clip]) -> list[Finding]:
    """Rules on single clips, and on the clips of each data set together."""
    by_source: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_source[clip.source].append(clip)
    found: list[Finding] = []
    for source, own in by_source.items():
        for clip in own:
            found += _of_source(_apply(_of(rules, "clip"), clip), source)
        found += _of_source(_apply(_of(rules, "clips"), own), source)
    return found


def _on_files(rules: Sequence[Rule], labels: Sequence[LabelFiles]) -> list[Finding]:
    found: list[Finding] = []
    for files in labels:
        source = files.clips[0].source if files.clips else ""
        found += _of_source(_apply(_of(rules, "labels"), files), source)
    return found + _apply(_of(rules, "datasets"), list(labels))


def _of(rules: Iterable[Rule], scope: Scope) -> list[Rule]:
    return [r for r in rules if r.scope == scope]


def _apply(rules: Iterable[Rule], subject: Any) -> list[Finding]:
    return [f for r in rules for f in r(subject)]


def _of_source(findings: Iterable[Finding], source: str) -> Iterator[Finding]:
    return (replace(f, source=f.source or source) for f in findings)
