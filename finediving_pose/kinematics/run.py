"""Many clips measured, their tables and plots written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.kinematics.measure import measure_clip
from finediving_pose.kinematics.readings import Reason
from finediving_pose.kinematics.table import DIVE_COLUMNS, FRAME_COLUMNS, dive_rows, frame_rows, write_tables
from finediving_pose.parallel import in_order, map_clips
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

_WORTH_A_PROCESS = 16
"""Clips for which it pays to start one more process."""


@dataclass(slots=True)
class Measurement:
    """What was measured.

    Attributes
    ----------
    folder : where the tables and plots are
    rows : of the table of dives, one a diver
    clips : how many have rows
    failed : why a clip was not measured
    """

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    clips: int = 0
    failed: dict[Clip, FdposeError] = field(default_factory=dict)

    @property
    def without_diver(self) -> int:
        """Clips in which nobody is seen."""
        clips: dict[tuple[str, int], bool] = {}
        for row in self.rows:
            key = row["video"], row["index"]
            clips[key] = clips.get(key, True) and row["take_off_s_why"] == Reason.NO_DIVER.label
        return sum(clips.values())

    def as_dict(self) -> dict[str, Any]:
        """For printing as JSON."""
        failed = {str(clip.key): str(error) for clip, error in self.failed.items()}
        counts = {"clips_measured": self.clips - self.without_diver, "clips_without_a_diver": self.without_diver}
        return {"folder": str(self.folder), **counts, "failed": failed, "dives": self.rows}


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """What is written of one clip: a row a frame and diver as Parquet and CSV, and the plot."""

    parquet: Path
    csv: Path
    plot: Path

    @classmethod
    def of(cls, folder: Path, key: ClipKey) -> ClipFiles:
        """The files of a clip in a folder of measures."""
        name = f"{key.video}/{key.index}"
        return cls(folder / f"frames/{name}.parquet", folder / f"frames_csv/{name}.csv", folder / f"plots/{name}.png")


def measure_clips(
    workspace: Workspace,
    clips: Sequence[Clip],
    out: Path,
    *,
    layer: str | None = None,
    plots: bool = True,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Measurement:
    """Measure clips and write their tables and plots.

    ``dives.parquet`` and ``frames/<video>/<index>.parquet``, the same as CSV in ``dives.csv`` and ``frames_csv/``, and
    ``plots/<video>/<index>.png``. A clip that can't be measured is in ``failed``; the others go on. Every file is
    written whole or not at all.

    Parameters
    ----------
    layer : of the poses; the most trusted one of every clip where not given
    jobs, scheduler : see :func:`finediving_pose.parallel.map_clips`

    Raises
    ------
    SetupError
        There is no scheduler at the address.
    BusyError
        Another command is writing the tables, or poses or frames that they come from.
    FdposeError
        The folder can't be written.
    """
    done = Measurement(out)
    catch_up(workspace, "fdpose kinematics")
    layers = [layer] if layer else ["auto", "merged"]
    reads = [workspace.frames, *(workspace.poses / name for name in layers)]
    with writing("fdpose kinematics", [out / "dives.parquet"], reads):
        measure = partial(_measure, workspace, out, layer, plots)
        how = {"scheduler": scheduler, "worth": _WORTH_A_PROCESS}
        for clip, outcome in in_order(clips, map_clips(measure, clips, jobs, "measuring", **how)):
            if isinstance(outcome, FdposeError):
                done.failed[clip] = outcome
            else:
                done.clips += 1
                done.rows += outcome
        write_tables(out / "dives.parquet", out / "dives.csv", DIVE_COLUMNS, done.rows)
    return done


def _measure(workspace: Workspace, out: Path, layer: str | None, plots: bool, clip: Clip) -> list[dict[str, Any]]:
    """Measure one clip and write its files; its rows of the table of dives."""
    divers = measure_clip(workspace, clip, layer)
    files = ClipFiles.of(out, clip.key)
    write_tables(files.parquet, files.csv, FRAME_COLUMNS, frame_rows(clip, divers))
    if plots:
        from finediving_pose.kinematics.plot import draw_dive

        draw_dive(files.plot, clip, divers)
    return dive_rows(clip, divers)
