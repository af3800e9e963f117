"""What a data directory or a packed file holds, as counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.errors import PoseError
from finediving_pose.frames import is_complete
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.reader import open_packed
from finediving_pose.poses import JointSource, best_layer, read_poses
from finediving_pose.progress import track
from finediving_pose.reviews import count_reviews
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace


def workspace_inventory(workspace: Workspace) -> dict[str, Any]:
    """Counts of a data directory. Raises LabelError where it has no clips table."""
    catch_up(workspace, "fdpose info")
    clips = read_clips(workspace)
    framed = [c for c in clips if is_complete(workspace, c.key)]
    posed = {layer: sum(workspace.pose_file(layer, c.key).is_file() for c in clips) for layer in workspace.layers()}
    best = [workspace.pose_file(layer, c.key) for c in clips if (layer := best_layer(workspace, c.key))]
    return {
        "data_directory": str(workspace.root),
        **_labels(clips),
        "clips_with_frames": len(framed),
        "frames": sum(c.n_frames or 0 for c in framed),
        "clips_with_poses": {layer: n for layer, n in posed.items() if n},
        **_frames_with_a_diver(best),
        "reviewed_poses": count_reviews(workspace),
        "packed_file": str(workspace.packed) if workspace.packed.is_file() else None,
    }


def _frames_with_a_diver(files: Sequence[Path]) -> dict[str, int]:
    """Frames in which a diver is, and those that were looked at without finding one. Unreadable files are passed over.

    ``fdpose validate`` says which those are.
    """
    looked_at = there = 0
    for file in track(files, "reading poses"):
        with suppress(PoseError):
            poses = read_poses(file)
            looked_at += len(np.unique(poses.frame))
            there += len(np.unique(poses.frame[poses.has_diver]))
    return {"frames_with_a_diver": there, "frames_without_a_diver": looked_at - there}


def packed_inventory(path: Path) -> dict[str, Any]:
    """Counts of a packed file and where it comes from. Raises PackedError where it is none."""
    with open_packed(path) as packed:
        seen = packed.dataset("pose/visibility").reshape(-1, 2 * N_JOINTS).any(1)
        joints = np.bincount(packed.dataset("pose/source").reshape(-1), minlength=len(JointSource))
        provenance = packed.attrs.get("provenance", {})
        return {
            "packed_file": str(path),
            "format": packed.attrs["version"],
            "bytes": path.stat().st_size,
            **_labels(packed.clips),
            "frames": packed.shape("frames/number")[0],
            "frames_with_a_diver": int(seen.sum()),
            "joints_by_source": {s.name.lower(): int(joints[s]) for s in JointSource if s},
            "rows_by_estimator": provenance.get("rows_by_estimator", {}),
            "rows_by_annotator": provenance.get("rows_by_annotator", {}),
            "cache": "112 x 200" if packed.has_cache else None,
            "creator": packed.attrs.get("creator"),
            "created": packed.attrs.get("created"),
            "digest": packed.digest,
        }


def _labels(clips: Iterable[Clip]) -> dict[str, Any]:
    clips = list(clips)
    stages = Counter(f"{c.n_stages} stages" for c in clips if c.n_stages)
    return {
        "clips": len(clips),
        "videos": len({c.key.video for c in clips}),
        "splits": dict(sorted(Counter(c.split for c in clips).items())),
        "sources": dict(sorted(Counter(c.source for c in clips).items())),
        "stages": dict(sorted(stages.items())),
    }
