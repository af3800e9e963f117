"""Where the label files of a data directory lie, so that later commands can look into them again."""

from __future__ import annotations

import json
from pathlib import Path

from finediving_pose.documents import read_json
from finediving_pose.errors import FdposeError
from finediving_pose.workspace import Workspace, atomic_write


def remember(workspace: Workspace, labels: Path) -> None:
    """Note the path that the labels were read from."""
    paths = [p for p in recall(workspace) if p != labels.resolve()] + [labels.resolve()]
    with atomic_write(workspace.labels_note) as part:
        part.write_text(json.dumps([str(p) for p in paths], indent=1), encoding="utf-8")


def recall(workspace: Workspace) -> list[Path]:
    """The noted paths that are still there; none where nothing was noted."""
    try:
        noted = read_json(workspace.labels_note)
    except FdposeError:
        return []
    paths = [Path(p) for p in noted if isinstance(p, str) and "\0" not in p] if isinstance(noted, list) else []
    return [p for p in paths if p.is_file() or p.is_dir()]
