"""Poses out of the data directory, to a file or folder of another tool, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.documents import read_table
from finediving_pose.errors import FdposeError, PoseError, UsageError
from finediving_pose.formats.export_record import (
    ExportedPose,
    ExportRecord,
    changed_since,
    digests_of,
    joint_authors,
    keep_record,
    match_people,
    read_record,
    record_path,
    write_record,
)
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.intake import place
from finediving_pose.formats.registry import ImagePose, PosedClip, Writer, readers, writer
from finediving_pose.frames import is_complete, open_frames
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.poses import ClipPoses, JointSource, Visibility, best_layer, read_poses
from finediving_pose.replacing import written_whole
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace, atomic_write, remove_part_files
from finediving_pose.writing import writing

AT_ONCE = 100
"""Clips that are read back at a time: a reader keeps some 4 MB of each."""


def export(
    workspace: Workspace,
    clips: Sequence[Clip],
    format: str,
    out: Path,
    *,
    layer: str | None = None,
    frames: Path | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write the clips' poses, and their frames where the format holds pictures.

    What was written is read back, and kept as a record of the export: see
    :mod:`~finediving_pose.formats.export_record`.

    Parameters
    ----------
    format : a name from :func:`~finediving_pose.formats.registry.writers`
    out : file or folder to write
    layer : ``auto``, ``merged`` or ``manual/<annotator>``; None for each clip's best
    frames : a CSV file with a column ``image``, as ``fdpose suggest`` writes it: only these frames are exported
    force : replace what is at ``out`` though an export did not write it, or somebody changed it since

    Returns
    -------
    Summary: format, path, clips, frames, poses, clips_without_poses.

    Raises
    ------
    UsageError
        No such format, or more poses than it is written of; or what is at ``out`` was not written by an export of this
        format, or was changed since.
    PoseError
        No clip has poses, a pose file or ``frames`` can't be read, or what was written can't be read back.
    FdposeError
        ``out`` can't be written.
    BusyError
        Another command is writing ``out``, or what is to be exported.
    """
    chosen = writer(format)
    if frames is not None and chosen.whole_clips:
        raise UsageError(f"--frames: {format} holds whole clips; export them all, or choose another format")
    catch_up(workspace, "fdpose export")
    layers = [layer] if layer else workspace.layers()
    with writing("fdpose export", [out], [workspace.frames, *(workspace.poses / name for name in layers)]):
        return _export(workspace, clips, chosen, out, layer, frames, force)


def _export(
    workspace: Workspace,
    clips: Sequence[Clip],
    chosen: Writer,
    out: Path,
    layer: str | None,
    frames: Path | None,
    force: bool,
) -> dict[str, Any]:
    before = _check_target(workspace, chosen, out, force)
    posed, without = _posed(workspace, clips, layer, _only(workspace, clips, frames))
    if not posed:
        raise PoseError(_nothing_to_export(workspace, layer, frames))
    counts = [len(rows) for p in posed for _, rows in p.posed_frames()]
    if chosen.most is not None and sum(counts) > chosen.most:
        raise UsageError(
            f"{sum(counts):,} poses; {chosen.name} is written of {chosen.most:,} at most, as more take gigabytes of"
            " memory and hours: export fewer with --frames, --clip or --split"
        )
    if chosen.folder:
        with _folder_written_whole(out) as part:
            chosen.write(part, posed)
            record = _read_back(workspace, chosen, part, posed, None)
            write_record(record_path(part), record)
    else:
        remove_part_files(out)
        with atomic_write(out) as part:
            chosen.write(part, posed)
            record = _read_back(workspace, chosen, part, posed, before)
            for path, text in chosen.texts_beside(out).items():
                with atomic_write(path) as beside:
                    beside.write_text(text, encoding="utf-8")
                record.files[path.name] = digests_of(path)[""]
            write_record(record_path(out), record)
    keep_record(workspace, record)
    return {
        "format": chosen.name,
        "path": str(out),
        "clips": len(posed),
        "frames": len(counts),
        "poses": sum(counts),
        "clips_without_poses": without,
    }


def _only(workspace: Workspace, clips: Sequence[Clip], frames: Path | None) -> dict[ClipKey, frozenset[int]] | None:
    """Numbers of the frames to export of each clip, None for all of all."""
    if frames is None:
        return None
    table = read_table(frames, PoseError)
    header = [cell.strip().lower() for cell in table.rows[0]] if table.rows else []
    if "image" not in header:
        raise PoseError(f"{frames}: no column image; give the suggestions.csv that fdpose suggest writes")
    column, index = header.index("image"), FrameIndex(workspace, clips)
    found: dict[ClipKey, set[int]] = defaultdict(set)
    for row, line in zip(table.rows[1:], table.lines[1:], strict=True):
        key, number = index.find(row[column] if column < len(row) else "", f"{frames}: line {line}")
        found[key].add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def _posed(
    workspace: Workspace, clips: Sequence[Clip], layer: str | None, only: dict[ClipKey, frozenset[int]] | None
) -> tuple[list[PosedClip], int]:
    """The clips with frames and poses, and how many have frames but no pose."""
    found, without = [], 0
    for clip in clips:
        if not is_complete(workspace, clip.key) or (only is not None and clip.key not in only):
            continue
        source = layer or best_layer(workspace, clip.key)
        path = workspace.pose_file(source, clip.key) if source else None
        posed = None
        if source is not None and path is not None and path.is_file():
            poses = read_poses(path)
            mixed = any("+" in author for author in poses.author)
            authors = joint_authors(poses, _merged_from(workspace, clip.key) if mixed else [])
            chosen = only[clip.key] if only is not None else None
            posed = PosedClip(clip, open_frames(workspace, clip.key), poses, source, authors, chosen)
        if posed is not None and next(posed.posed_frames(), None):
            found.append(posed)
        else:
            without += 1
    return found, without


def _merged_from(workspace: Workspace, key: ClipKey) -> list[ClipPoses]:
    """The layers that merged poses are made of, hands first."""
    paths = [workspace.pose_file(layer, key) for layer in (*workspace.manual_layers(), "auto")]
    return [read_poses(path) for path in paths if path.is_file()]


def _nothing_to_export(workspace: Workspace, layer: str | None, frames: Path | None) -> str:
    where = f"layer {layer}" if layer else "any layer"
    if frames is not None:
        return f"{frames}: none of these frames has a pose in {where}; nothing was exported"
    return f"{workspace.root}: no clip with frames has poses in {where}; run: fdpose annotate --auto"


def _read_back(
    workspace: Workspace, chosen: Writer, part: Path, posed: Sequence[PosedClip], before: str | None
) -> ExportRecord:
    """The record of what was just written, as an import of it finds it.

    Of more than :data:`AT_ONCE` clips, those of a format that can be read in parts are written again, some at a time:
    what a reader makes of a file takes many times its size.
    """
    if not chosen.in_parts or len(posed) <= AT_ONCE:
        return ExportRecord(chosen.name, digests_of(part), before, _as_read(workspace, chosen, part, posed))
    poses: list[ExportedPose] = []
    beside = {"dir": part.parent, "prefix": f"{part.name.removesuffix('.part')}.", "suffix": ".part"}
    for first in range(0, len(posed), AT_ONCE):
        some = posed[first : first + AT_ONCE]
        with tempfile.NamedTemporaryFile(**beside) as file:
            chosen.write(Path(file.name), some)
            poses += _as_read(workspace, chosen, Path(file.name), some)
    return ExportRecord(chosen.name, digests_of(part), before, poses)


def _as_read(workspace: Workspace, chosen: Writer, path: Path, posed: Sequence[PosedClip]) -> list[ExportedPose]:
    index = FrameIndex(workspace, [p.clip for p in posed])
    placed = place(index, [(path, pose) for pose in readers()[chosen.reader].read(path, index).poses])
    return [pose for p in posed for pose in _exported(p, placed.get(p.clip.key, {}))]


def _exported(posed: PosedClip, read: Mapping[int, Mapping[int, ImagePose]]) -> Iterator[ExportedPose]:
    """Each pose that was read back, with who placed its joints in the row of the table that it was written from."""
    table, rows_of = posed.poses, dict(posed.posed_frames())
    for number, people in read.items():
        rows = rows_of.get(number, [])
        persons = {int(table.person[row]): row for row in rows}
        nearest = match_people([p.keypoints for p in people.values()], [table.keypoints[row] for row in rows])
        for (person, pose), near in zip(people.items(), nearest, strict=True):
            row = persons.get(person) if pose.person is not None else None if near is None else rows[near]
            there = pose.visibility > Visibility.ABSENT
            source = table.source[row] if row is not None else np.zeros(N_JOINTS, np.uint8)
            made_up = there & (source == JointSource.NONE)  # by a format that knows no absent joints, or poses
            yield ExportedPose(
                key=posed.clip.key,
                frame=number,
                person=int(table.person[row]) if row is not None else person,
                person_read=person,
                keypoints=pose.keypoints,
                visibility=pose.visibility,
                source=np.where(made_up, JointSource.INTERPOLATED, source).astype(np.uint8),
                layer=posed.layer,
                authors=posed.authors[row] if row is not None else [""] * N_JOINTS,
            )


def _check_target(workspace: Workspace, chosen: Writer, out: Path, force: bool) -> str | None:
    """The digest of the file that is replaced, if any. Raises UsageError where ``out`` should not be replaced."""
    kind = "folder" if chosen.folder else "file"
    if (own := workspace.owner_of(out)) is not None:
        raise UsageError(f"--out {out}: lies in {own}, which is the data directory's own; choose another place")
    if not force:
        _check_companions(chosen, out)
    if not os.path.lexists(out):
        return None
    if out.is_dir() != chosen.folder:
        raise UsageError(f"--out {out}: {chosen.name} is written as a {kind}, that is a {_kind(out)}; choose another")
    if chosen.folder and workspace.root.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"--out {out}: the data directory lies in it; choose another folder")
    if not force:
        _check_unchanged(chosen, out, kind)
    return None if chosen.folder else digests_of(out).get("")


def _check_unchanged(chosen: Writer, out: Path, kind: str) -> None:
    """Raise UsageError unless ``out`` is an empty folder, or an export of this format that nobody changed."""
    if chosen.folder and not any(out.iterdir()):
        return
    record = read_record(record_path(out))
    if record is None or record.format != chosen.name:
        raise UsageError(
            f"--out {out}: this {kind} was not written by fdpose export {chosen.name}; to replace it add --force"
        )
    if changed := changed_since(out, record):
        raise UsageError(
            f"--out {out}: {changed} was changed or added since it was exported; import or move it first, or add"
            " --force to replace it"
        )


def _check_companions(chosen: Writer, out: Path) -> None:
    """Raise UsageError where a file beside ``out`` would be replaced that no export wrote, or somebody changed."""
    record = read_record(record_path(out))
    for path, text in chosen.texts_beside(out).items():
        if not os.path.lexists(path) or (path.is_file() and path.read_bytes() == text.encode()):
            continue
        if not path.is_file() or record is None or digests_of(path)[""] != record.files.get(path.name):
            raise UsageError(
                f"--out {out}: {path} is written beside it, and what is there was not exported, or changed since;"
                " choose another name, or add --force to replace it"
            )


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "file"


@contextmanager
def _folder_written_whole(out: Path) -> Iterator[Path]:
    """As :func:`~finediving_pose.replacing.written_whole`; raises FdposeError."""
    try:
        with written_whole(out) as part:
            yield part
    except OSError as e:
        raise FdposeError(f"{out}: writing failed ({e.strerror or e}); what was there before is untouched") from e
