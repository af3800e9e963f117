"""Label pickles with the names, structure and types of upstream's FineDiving release."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.workspace import atomic_write, remove_part_files


def write_labels(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write the five files; a row has the coarse file's fields, ``stages`` as (sub-action, first frame), ``split``.

    What the released files have wrong in places, a row may have, too (:mod:`finediving_pose.synth.spoiling`): other
    ``transits``, ``flicker`` (a frame with the first stage's label), a ``fine_difficulty``.
    """
    keys = [(str(r["video"]), int(r["index"])) for r in rows]
    coarse = {
        key: {
            "action_type": r["action_type"], "start_frame": r["start_frame"], "end_frame": r["end_frame"],
            "dive_score": r["dive_score"], "difficulty": r["difficulty"], "judge_scores": list(r["judge_scores"]),
        }
        for key, r in zip(keys, rows, strict=True)
    }  # fmt: skip
    fine = {key: _stages(r) for key, r in zip(keys, rows, strict=True)}
    short = ("action_type", "dive_score", "difficulty", "steps_transit_frames", "frames_labels")
    _write(folder / "FineDiving_coarse_annotation.pkl", coarse)
    _write(folder / "FineDiving_fine-grained_annotation.pkl", fine)
    _write(folder / "fine-grained_annotation_aqa.pkl", {key: [v[name] for name in short] for key, v in fine.items()})
    for split in ("train", "test"):
        _write(folder / f"{split}_split.pkl", [key for key, r in zip(keys, rows, strict=True) if r["split"] == split])


def _stages(row: dict[str, Any]) -> dict[str, Any]:
    """The fine-grained entry of a dive; ``steps_transit_frames`` counts one less than where the label changes."""
    length = row["end_frame"] - row["start_frame"] + 1
    frames = np.empty(length, np.int64)
    for action, first in row["stages"]:
        frames[first:] = action
    if "flicker" in row:
        frames[row["flicker"]] = row["stages"][0][0]
    transits = row.get("transits", [first - 1 for _, first in row["stages"][1:]])
    return {
        "action_type": row["action_type"],
        "dive_score": row["dive_score"],
        "difficulty": row.get("fine_difficulty", row["difficulty"]),
        "steps_transit_frames": np.array(transits, np.int64),
        "frames_labels": frames,
        "sub-action_types": {np.int64(action): SUB_ACTIONS[action] for action, _ in row["stages"]},
    }


def _write(path: Path, data: Any) -> None:
    # Upstream's code runs on numpy 1, which knows its core only by the older name; protocol 3 spells names out.
    raw = pickle.dumps(data, protocol=3).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    remove_part_files(path)
    with atomic_write(path) as part:
        part.write_bytes(raw)
