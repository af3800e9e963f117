"""The table of the floor: on the official split, and by event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from baselines.blind.table import as_markdown, blind_rows, blind_rows_by_event
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.labels.read import read_labels

DOCS = Path(__file__).parents[3] / "docs"


def made_up() -> list[Clip]:
    """Scores of eight events in two numbers; the events differ, the numbers differ more."""
    rng = np.random.default_rng(0)
    return [
        Clip(
            ClipKey(f"Cup{e}_Men10m_final_r1", i),
            split="test" if i % 3 == 0 else "train",
            action_type=("107b", "407c")[i % 2],
            difficulty=3.0,
            dive_score=float(50 + 5 * e + 20 * (i % 2) + rng.normal()),
        )
        for e in range(8)
        for i in range(12)
    ]


def test_what_the_video_tells_is_lost_where_no_event_is_on_both_sides() -> None:
    own = {r.title: r for r in blind_rows(made_up())}
    by_event = {r.title: r for r in blind_rows_by_event(made_up())}
    assert (own["ridge"].rho or 0) > (by_event["ridge"].rho or 0)
    assert own["video mean"].rho is not None
    assert by_event["video mean"].rho is None
    assert own["exemplars' mean"].synchronised is None, "there are no pairs"


def test_an_interval_holds_its_figure() -> None:
    for row in blind_rows(made_up()):
        assert row.rho is not None
        assert row.rho_interval is not None
        assert row.r_l2_x100 is not None
        assert row.r_l2_interval is not None
        assert row.rho_interval[0] <= row.rho <= row.rho_interval[1]
        assert row.r_l2_interval[0] <= row.r_l2_x100 <= row.r_l2_interval[1]


def test_clips_without_a_split_are_refused() -> None:
    with pytest.raises(LabelError, match="0 training and 0 test dives"):
        blind_rows([Clip(ClipKey("v", 1), action_type="107b", difficulty=3.0, dive_score=70.0)])


@pytest.mark.slow
def test_the_tables_of_the_docs_are_those_of_the_real_labels(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    docs = (DOCS / "leakage.md").read_text(encoding="utf-8")
    assert as_markdown(blind_rows(clips)) in docs
    assert as_markdown(blind_rows_by_event(clips)) in docs
