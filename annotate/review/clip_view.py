"""A clip as the page shows it: frames, stages, the machine's poses, the person's entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotate.review.session import Session
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.journals.entry import Entry, Place
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.poses import ClipPoses
from finediving_pose.reviews import ReviewState
from finediving_pose.validate.review_rules import CHANGED_PIXELS, moved


def clip_as_json(session: Session, key: ClipKey) -> dict[str, Any]:
    """All that the page needs of a clip but the pictures and the findings.

    Raises FrameError where the clip has no frames (any more), PoseError where its poses are damaged.
    """
    clip = session.clip(key)
    frames, auto = open_frames(session.workspace, key), session.machine(key)
    entries = session.entries(key)
    persons = {0, *(p.person for p in entries), *(auto.person.tolist() if auto is not None else [])}
    return {
        "clip": str(key),
        "title": title(clip),
        "frames": list(frames.numbers),
        "width": frames.width,
        "height": frames.height,
        "digest": frames.digest[:12],
        "stages": stages(clip, frames),
        "persons": 2 if clip.synchronised or len(persons) > 1 else 1,
        "machine": machine_as_json(auto),
        "entries": [entry_as_json(p, e, v) for p, (e, v) in sorted(entries.items())],
        "before": changed_since(auto, {p: e for p, (e, _) in entries.items()}),
    }


def title(clip: Clip) -> str:
    """``103b, 10 m``"""
    height = f"{clip.height_m:g} m" if clip.height_m else ""
    return ", ".join(word for word in (clip.action_type or "", height) if word)


def stages(clip: Clip, frames: FrameFolder) -> list[dict[str, Any]]:
    """Name and first frame (counted from 0) of every labelled stage."""
    starts = (0, *clip.stage_starts)
    named = zip(clip.sub_actions, starts, strict=False)
    return [
        {"name": SUB_ACTIONS.get(action, str(action)), "start": start}
        for action, start in named
        if start < len(frames.numbers)
    ]


def machine_as_json(poses: ClipPoses | None) -> list[dict[str, Any]]:
    """Every row: frame, person, and joints as ``[x, y, visibility, confidence]``, null where absent."""
    if poses is None:
        return []
    known = np.asarray(np.isfinite(poses.keypoints).all(-1))
    points = np.round(poses.keypoints.astype(float), 2).tolist()
    sure = np.round(poses.confidence.astype(float), 3).tolist()
    seen = poses.visibility.tolist()
    return [
        {
            "frame": frame,
            "person": person,
            "author": poses.author[i],
            "joints": [
                [*points[i][j], seen[i][j] or 2, sure[i][j]] if known[i, j] else None for j in range(known.shape[1])
            ],
        }
        for i, (frame, person) in enumerate(zip(poses.frame.tolist(), poses.person.tolist(), strict=True))
    ]


def entry_as_json(place: Place, entry: Entry, version: str) -> dict[str, Any]:
    """An entry with its place and version."""
    return {"clip": str(place.key), "frame": place.frame, "person": place.person, "version": version, **entry.as_json()}


def changed_since(auto: ClipPoses | None, entries: dict[Place, Entry]) -> list[dict[str, Any]]:
    """Poses that were accepted, and that a new estimator has placed elsewhere since: the joints as they were."""
    found = []
    for place, entry in sorted(entries.items()):
        row = None if auto is None else auto.row(place.frame, place.person)
        if entry.state is ReviewState.ACCEPTED and entry.machine is not None and auto is not None and row is not None:
            pixels = moved(entry.machine, auto.keypoints[row])
            if pixels > CHANGED_PIXELS:
                found.append(
                    {
                        "frame": place.frame,
                        "person": place.person,
                        "pixels": round(min(pixels, 9999.0), 2),
                        **entry.machine.as_json(),
                    }
                )
    return found
