"""``fdpose dive``: one video from pixels to its page."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finediving_pose.cli.extract import dive_number_option, facts_of_own_videos, height_option
from finediving_pose.cli.options import complain, json_option, say, speak_of, with_data
from finediving_pose.errors import FdposeError, NoExemplarError

if TYPE_CHECKING:
    from baselines.scorer.predict import Score
    from finediving_pose.cli.one_dive import DiveVideo, OneDive
    from finediving_pose.cli.score import Scores
    from finediving_pose.report.dive_page import Measured, Told


@click.command(epilog="Example: fdpose dive IMG_1234.MOV --dive-number 107b --height 3")
@click.argument("video", type=click.Path(path_type=Path))
@dive_number_option
@height_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for everything that is made of the video.  [default: <video>-dive]",
)
@click.option(
    "--scorer",
    type=click.Path(path_type=Path),
    help="Score the dive with this scorer.pth, or that of a run.  [default: the bundled one, if the number is given]",
)
@json_option
def dive(
    video: Path, dive_number: str | None, height: str | None, out: Path | None, scorer: Path | None, as_json: bool
) -> None:
    """Measure the dive in one video: poses, overlay video, kinematics, one page.

    Everything goes to one folder, which is a data directory: other commands go on from it with --data. Run again,
    what is finished is kept, and what was corrected since (fdpose review) is merged and measured. Where the dive
    number is known the dive is scored, too (fdpose score).
    """
    from finediving_pose.cli.one_dive import find_dive, take_dive

    found = find_dive(video, out, facts_of_own_videos(dive_number, height))
    for said in found.recalled:
        complain(said)
    asked = _asked(found, scorer) if scorer else None
    speak_of(found.data)
    taken = take_dive(found)
    scores, told = _scored(found, taken, asked)
    result = _written(taken, told)
    if as_json:
        why = "" if scores else ": ".join([told.text, *told.commands])
        say({**result, "score": scores.as_dict() if scores else None, "score_why": why}, as_json=True)
        return
    from finediving_pose.kinematics.words import summary_lines

    for note in notes_without_score(result["notes"], [dive.score for dive in scores.dives] if scores else ()):
        click.echo(f"note: {note}\n")
    if result["dives"]:
        click.echo("\n".join(summary_lines(result["dives"])) + "\n")
    for line in scores.in_lines() if scores else told.in_lines():
        click.echo(line)
    by_hand = f": {result['joints_by_hand']:,} joints were placed by hand" if result["joints_by_hand"] else ""
    click.echo(f"\nposes  {result['layer']}{by_hand}")
    for name in ("page", "video", "tables"):
        if result[name]:
            click.echo(f"{name:<6} {result[name]}")
    if taken.parting:
        click.echo("\nto take each dive on its own:\n" + "\n".join(f"  {command}" for command in taken.parting))


def notes_without_score(notes: Sequence[str], scores: Sequence[Score]) -> list[str]:
    """The notes that are not printed with the score anyway."""
    said = {doubt for score in scores for doubt in score.doubts}
    return [note for note in notes if note not in said]


def _asked(dive: DiveVideo, scorer: Path) -> Scores:
    """The scorer that is asked for. Raises FdposeError, before any work, where it can't score such a dive."""
    from baselines.scorer.find import find_scorer
    from finediving_pose.cli.score import load_scores

    scores = load_scores(find_scorer(str(scorer), Path()) or scorer)
    try:
        scores.judge.check(dive.clip)
    except NoExemplarError as e:
        raise NoExemplarError(f"{e}. {': '.join(_by_difficulty(dive, [str(scorer)]))}") from e
    return scores


def _by_difficulty(dive: DiveVideo, scorer: Sequence[str] = ()) -> tuple[str, str]:
    """What to type where no exemplar has the dive number: what it is for, and the command."""
    clip = dive.clip
    height = f"{clip.height_m:g}" if clip.height_m else "10"
    facts = ["--dive-number", clip.action_type or "", "--height", height, "--out", str(dive.data.root)]
    command = shlex.join(["fdpose", "score", *scorer, str(dive.video), *facts, "--exemplar-fallback", "difficulty"])
    unknown = "" if clip.height_m else ", with the height of the board in place of 10"
    return f"To compare with dives of about the same difficulty{unknown}", command


def _scored(dive: DiveVideo, taken: OneDive, asked: Scores | None) -> tuple[Scores | None, Told]:
    """The dive's score, and what is told of it; None where the scorer was not asked for and gives none, and why."""
    from baselines.scorer.find import bundled_scorer
    from finediving_pose.cli.score import load_scores
    from finediving_pose.report.dive_page import Told

    if not asked and not taken.clip.action_type:
        return None, Told("not scored: the dive number is not known; give it, for example with --dive-number 107b")
    if not asked and taken.appearances > 1:
        return None, Told("not scored: the video holds several dives")
    try:
        scores = asked or load_scores(bundled_scorer())
        scores.add_taken(taken)
        for error in scores.failed.values():
            raise error
    except NoExemplarError as e:
        way, command = _by_difficulty(dive)
        return None, Told(f"not scored: {e}. {way}", (command,))
    except FdposeError as e:
        if asked:
            raise
        return None, Told(f"not scored: {with_data(str(e))}")
    text, page = scores.in_short()
    return scores, Told(text, page=page)


def _written(taken: OneDive, scored: Told) -> dict[str, Any]:
    """Everything of the dive but its score, written and said."""
    from finediving_pose.report.dive_page import write_dive_page
    from finediving_pose.report.video import write_videos

    data, clip, frames = taken.data, taken.clip, taken.frames
    videos, failed = write_videos(data, [clip], data.root, layer=taken.layer)
    for error in failed.values():
        raise error
    if taken.parting:
        shutil.rmtree(data.root / "kinematics", ignore_errors=True)  # measured before, as one dive
    tables, rows, measured = (None, [], None) if taken.parting else measure_for_page(taken)
    notes = [*taken.notes, *(measured.doubts if measured else ())]
    target = data.root / "dive.html"
    page = write_dive_page(target, clip, frames, taken.poses, videos[0], measured, notes, taken.parting, scored)
    return {
        "page": str(page),
        "video": str(videos[0]),
        "tables": tables and str(tables),
        "clip": str(clip.key),
        "notes": notes,
        "commands": list(taken.parting),
        "layer": taken.layer,
        "joints_by_hand": taken.joints_by_hand,
        "frames": len(frames.numbers),
        "dives": rows,
    }


def measure_for_page(taken: OneDive) -> tuple[Path, list[dict[str, Any]], Measured]:
    """The folder of the tables, the rows of the one of dives, and what the page shows of them."""
    from finediving_pose.kinematics.measure import measure_clip
    from finediving_pose.kinematics.plot import NARROW, draw_dive
    from finediving_pose.kinematics.run import ClipFiles, measure_clips
    from finediving_pose.kinematics.words import doubts_of_picture, readings_in_words
    from finediving_pose.report.dive_page import Measured

    data, clip = taken.data, taken.clip
    done = measure_clips(data, [clip], data.root / "kinematics", layer=taken.layer)
    for error in done.failed.values():
        raise error
    own = ClipFiles.of(done.folder, clip.key)
    narrow = own.plot.with_name(f"{own.plot.stem}-narrow.png")
    divers = measure_clip(data, clip, taken.layer)
    draw_dive(narrow, clip, divers, NARROW)
    doubts = list(doubts_of_picture(clip.action_type, divers[0])) if len(divers) == 1 else []
    first, words = done.rows[0], [reading for row in done.rows for reading in readings_in_words(row)]
    flight = first["take_off_frame"], first["touch_frame"]
    return done.folder, done.rows, Measured(words, doubts, flight, own.plot, narrow, done.folder / "dives.csv", own.csv)
