"""Poses out of the data directory, to a file or folder of another tool, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, PoseError, UsageError
from finediving_pose.formats.registry import PosedClip, Probe, Writer, readers, writer
from finediving_pose.frames import is_complete, open_frames
from finediving_pose.poses import best_layer, read_poses
from finediving_pose.workspace import Workspace, atomic_write, fsync_directory, remove_part_files

MARK = "fdpose-export.json"
"""Written into every exported folder: by it the next export knows the folder for its own."""


def export(
    workspace: Workspace,
    clips: Sequence[Clip],
    format: str,
    out: Path,
    *,
    layer: str | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write the clips' poses, and their frames where the format holds pictures.

    Parameters
    ----------
    format : a name from :func:`~finediving_pose.formats.registry.writers`
    out : file or folder to write
    layer : ``auto``, ``merged`` or ``manual/<annotator>``; None for each clip's best
    force : replace what is at ``out`` though an export did not write it

    Returns
    -------
    Summary: format, path, clips, frames, poses, clips_without_poses.

    Raises
    ------
    UsageError
        No such format; or something that is no export of this format is at ``out``.
    PoseError
        No clip has poses, or a pose file can't be read.
    FdposeError
        ``out`` can't be written.
    """
    chosen = writer(format)
    _check_target(workspace, chosen, out, force)
    posed, without = _posed(workspace, clips, layer)
    if not posed:
        where = f"layer {layer}" if layer else "any layer"
        raise PoseError(f"{workspace.root}: no clip with frames has poses in {where}; run: fdpose annotate --auto")
    frames = [rows for p in posed for _, rows in p.posed_frames()]
    summary = {
        "format": format,
        "path": str(out),
        "clips": len(posed),
        "frames": len(frames),
        "poses": sum(map(len, frames)),
        "clips_without_poses": without,
    }
    if chosen.folder:
        with _folder_written_whole(out) as part:
            chosen.write(part, posed)
            (part / MARK).write_text(json.dumps({"format": format, "layer": layer, **summary}), encoding="utf-8")
    else:
        remove_part_files(out)
        with atomic_write(out) as part:
            chosen.write(part, posed)
    return summary


def _posed(workspace: Workspace, clips: Sequence[Clip], layer: str | None) -> tuple[list[PosedClip], int]:
    """The clips with frames and poses, and how many have frames but no pose."""
    found, without = [], 0
    for clip in clips:
        if not is_complete(workspace, clip.key):
            continue
        source = layer or best_layer(workspace, clip.key)
        path = workspace.pose_file(source, clip.key) if source else None
        posed = None
        if path is not None and path.is_file():
            posed = PosedClip(clip, open_frames(workspace, clip.key), read_poses(path))
        if posed is not None and next(posed.posed_frames(), None):
            found.append(posed)
        else:
            without += 1
    return found, without


def _check_target(workspace: Workspace, chosen: Writer, out: Path, force: bool) -> None:
    """Raise UsageError where ``out`` should not be replaced."""
    kind = "folder" if chosen.folder else "file"
    if not os.path.lexists(out):
        return
    if out.is_dir() != chosen.folder:
        raise UsageError(f"--out {out}: {chosen.name} is written as a {kind}, that is a {_kind(out)}; choose another")
    if chosen.folder and workspace.root.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"--out {out}: the data directory lies in it; choose another folder")
    if not force and not _is_own(chosen, out):
        raise UsageError(f"--out {out}: this {kind} is no {chosen.name} export; to replace it add --force")


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "file"


def _is_own(chosen: Writer, out: Path) -> bool:
    """Whether ``out`` may go without asking: an empty folder, or an earlier export of this format."""
    if chosen.folder:
        return _marked_format(out) == chosen.name or not any(out.iterdir())
    reader = readers().get(chosen.name)
    return reader is not None and reader.recognise(Probe(out))


def _marked_format(folder: Path) -> str | None:
    """The format that an earlier export says it wrote into ``folder``; None where it does not say."""
    mark = Probe(folder / MARK).json
    return mark.get("format") if isinstance(mark, dict) else None


@contextmanager
def _folder_written_whole(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``out``; on a clean exit put it in place of ``out``.

    What was at ``out`` stays until then, and is put back where a killed run left it renamed.
    """
    part = None
    try:
        out = out.absolute()
        out.parent.mkdir(parents=True, exist_ok=True)
        _recover(out)
        part = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part"))
        part.chmod(out.parent.stat().st_mode)
        yield part
        old = part.with_suffix(".old")
        if out.exists():
            out.rename(old)
        part.rename(out)
        fsync_directory(out.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as e:
        raise FdposeError(f"{out}: writing failed ({e.strerror or e}); what was there before is untouched") from e
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _recover(out: Path) -> None:
    """Clear what a killed export left; an old folder caught between two renames goes back."""
    for old in out.parent.glob(f".{out.name}.*.old"):
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(out)
    for part in out.parent.glob(f".{out.name}.*.part"):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
