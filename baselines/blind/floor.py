"""The floor of a leaderboard: what the labels of its packed files let one predict without a look at their dives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from baselines.blind.table import blind_rows, blind_rows_by_event
from baselines.runs.leaderboard import Board, Leaderboard
from finediving_pose.errors import FdposeError
from finediving_pose.packed.reader import open_packed


def with_floors(leaderboard: Leaderboard) -> Leaderboard:
    """The leaderboard with the floor of every packed file that is still where the runs found it."""
    return replace(leaderboard, boards=tuple(_with_floor(board) for board in leaderboard.boards))


def _with_floor(board: Board) -> Board:
    try:
        with open_packed(Path(board.packed)) as packed:
            if packed.digest != board.digest:
                return board
            clips = list(packed.clips)
        own = tuple(blind_rows(clips))
    except FdposeError:
        return board
    try:
        by_event = tuple(blind_rows_by_event(clips))
    except FdposeError:  # one event alone can't be split
        by_event = ()
    return replace(board, floor=own, floor_by_event=by_event)
