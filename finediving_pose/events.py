"""Which event and competition a video shows, in which season, and who dives in it.

An *event* is one contest with all its rounds (London 2012, men, 10 m: preliminary, semifinal and final), a
*competition* all events of one championship, in one hall with one set of cameras. The videos of FineDiving and MTL-AQA
are listed with what tells their event (``data_manifest/videos.csv``); their divers are numbered within the event where
the start order tells them (``data_manifest/start_orders.csv``). Of other videos the name is all that is known.
"""

from __future__ import annotations

import re
from functools import cache

from data_manifest import table
from finediving_pose.clip import Clip

_ROUND = re.compile(
    r"_(?:r?\d+|(?:semi|pre)?finals?(?:_r\d+)?|prelims?(?:_r\d+)?|preliminary(?:_r\d+)?)$", re.IGNORECASE
)
_CONTEST = re.compile(r"_(?:men|women|mixed)\d+(?:\.\d+)?m(?:synchro\w*)?$", re.IGNORECASE)


def event(clip: Clip) -> str:
    """The event that a clip is from: as listed, else its video's name without the round or part.

    ``FINADivingWorldCup2021_Men10m_semifinal_r3`` and ``..._final_r1`` are both ``FINADivingWorldCup2021_Men10m``:
    the same divers dive in both.
    """
    video = clip.key.video
    listed = _listed(clip)
    return listed["event"] if listed else _ROUND.sub("", video) or video


def competition(clip: Clip) -> str:
    """The competition that a clip is from: as listed, else its event's name without sex, height and kind."""
    listed = _listed(clip)
    return listed["competition"] if listed else _CONTEST.sub("", event(clip)) or event(clip)


def season(clip: Clip) -> str | None:
    """The season whose table of difficulties held (``difficulty_listed.csv``); None where it is not known."""
    listed = _listed(clip)
    return listed["season"] if listed else None


def diver(clip: Clip) -> str | None:
    """Event and number of the diver or pair, ``OlympicGames2012_Men10m/25``; None where the start order does not tell.

    One diver has one number in all rounds of an event. In two events one diver has two numbers.
    """
    number = _divers().get((clip.key.video, clip.key.index)) if _listed(clip) else None
    return f"{event(clip)}/{number}" if number else None


def round_of(clip: Clip) -> tuple[int, int] | None:
    """First and last index of the clip's round in its video; None where the start order does not tell."""
    return _rounds().get((clip.key.video, clip.key.index)) if _listed(clip) else None


def _listed(clip: Clip) -> dict[str, str] | None:
    """The row of a clip's video; only for clips of the data sets that the list is about."""
    return _videos().get(clip.key.video) if clip.source in ("finediving", "mtl_aqa") else None


@cache
def _videos() -> dict[str, dict[str, str]]:
    return {row["video"]: row for row in table("videos.csv")}


@cache
def _divers() -> dict[tuple[str, int], str]:
    """Number of the diver by (video, index)."""
    return {
        (row["video"], index): number
        for row in table("start_orders.csv")
        for index, number in zip(range(int(row["first"]), int(row["last"]) + 1), row["divers"].split(), strict=True)
    }


@cache
def _rounds() -> dict[tuple[str, int], tuple[int, int]]:
    """First and last index of the round by (video, index)."""
    spans = [(row["video"], int(row["first"]), int(row["last"])) for row in table("start_orders.csv")]
    return {(video, index): (first, last) for video, first, last in spans for index in range(first, last + 1)}
