"""``fdpose score``: score new dives with a trained scorer."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from finediving_pose.cli.extract import dive_number_option, facts_of_own_videos, height_option
from finediving_pose.cli.options import complain, data_option, json_option, say, split_option, with_data
from finediving_pose.errors import FdposeError, NoExemplarError, UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from baselines.data.splits import Fallback
    from baselines.scorer.against_truth import FaultFigures
    from baselines.scorer.predict import Judge
    from baselines.scorer.run import ScoredDive
    from finediving_pose.cli.one_dive import DiveVideo, OneDive
    from finediving_pose.clip import Clip

MOST_ON_A_PAGE = 20
NAMED = 10
"""Dives without a score that are named at the end, at most; ``--json`` has them all."""
_EPILOG = """\b
Examples:
  fdpose score IMG_1234.MOV --dive-number 107b --height 3
  fdpose score fdpose-data/runs/hpmcr-20261128-101500 Men10m_final_r1/4
  fdpose score scorer.pth --split test --json
  fdpose score --split test --faults synthetic/truth/dives.json
"""


@click.command(epilog=_EPILOG)
@click.argument("words", nargs=-1, metavar="[SCORER] [CLIP_OR_VIDEO]...")
@data_option
@split_option
@dive_number_option
@height_option
@click.option("--exemplar-fallback", type=click.Choice(["difficulty"]), default=None,
              help="Compare dives whose dive number the scorer does not know with those nearest in degree of "
                   "difficulty.")  # fmt: skip
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the page, and for everything that is made of a video.  [default: reports of --data; <video>-dive]",
)
@click.option(
    "--faults",
    "truth",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare the faults with the truth of synthetic dives, truth/dives.json of fdpose synth.",
)
@json_option
@click.pass_context
def score(
    ctx: click.Context,
    words: tuple[str, ...],
    data: Workspace,
    split: str | None,
    dive_number: str | None,
    height: str | None,
    exemplar_fallback: Literal["difficulty"] | None,
    out: Path | None,
    truth: Path | None,
    as_json: bool,
) -> None:
    """Score new dives with a trained scorer.

    SCORER is a scorer.pth, or the run that made it; without one, the bundled scorer of synthetic dives is used. A clip
    (VIDEO/INDEX, or VIDEO for all its clips) needs frames and poses; a video of one dive is extracted and annotated
    first. Writes score.html; docs/score.md says what the numbers mean.
    """
    facts = facts_of_own_videos(dive_number, height)
    path, names = scorer_of(words, data)
    videos = [Path(name) for name in names if Path(name).is_file()]
    clips = _clips(data, [name for name in names if not Path(name).is_file()], split, facts)
    if out and videos and len(videos) + bool(clips) > 1:
        raise UsageError("--out is for one video, or for clips; leave it out, and each video has a folder of its own")
    if not clips and not videos:
        raise UsageError("nothing to score; name a video, or clips as VIDEO/INDEX, or give --split (see --help)")
    scores = load_scores(path, exemplar_fallback)
    if truth:
        scores.know(truth, clips)
    if clips:
        scores.add(data, clips, (out or data.reports) / "score.html")
    for video in videos:
        scores.add_video(video, out, facts)
    for why in scores.why_failed().values():
        complain(why)
    if as_json:
        say(scores.as_dict(), as_json=True)
    elif scores.dives:
        for line in scores.in_lines():
            click.echo(line)
    if scores.failed:
        tell_failed(list(scores.failed), len(clips) + len(videos))
        (first, *_) = scores.failed.values()
        ctx.exit(first.exit_code if len(clips) + len(videos) == 1 else 1)


def scorer_of(words: Sequence[str], data: Workspace) -> tuple[Path, Sequence[str]]:
    """The scorer that the first word names, else the bundled one; and the other words."""
    from baselines.scorer.find import bundled_scorer, find_scorer

    named = find_scorer(words[0], data.runs) if words else None
    return (named, words[1:]) if named else (bundled_scorer(), words)


def tell_failed(failed: Sequence[str], asked: int) -> None:
    """Say at the end which of several dives have no score: what was said of each may be far above."""
    if asked < 2:
        return
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    have = "has" if len(failed) == 1 else "have"
    complain(f"{len(failed)} of {asked} dives {have} no score: {', '.join(failed[:NAMED])}{more}")


def load_scores(path: Path, fallback: Fallback | None = None) -> Scores:
    """A scorer with its network, ready for dives. Raises CheckpointError or UsageError, which name the file."""
    from baselines.report.scores import about_scorer
    from baselines.scorer.file import read_scorer
    from baselines.scorer.predict import Judge

    scorer = read_scorer(path)
    try:
        return Scores(Judge(scorer), about_scorer(path, scorer), fallback)
    except FdposeError as e:
        raise type(e)(f"{path}: {e}") from e


def _clips(data: Workspace, names: Sequence[str], split: str | None, facts: dict[str, Any]) -> list[Clip]:
    """The clips of the table that are named, or those of a split, with what is told of them."""
    from finediving_pose.cli.one_dive import of_a_folder
    from finediving_pose.clip import composed
    from finediving_pose.labels.table import read_clips

    if not names and not split:
        return []
    for name in names:
        if Path(name).is_dir():
            raise UsageError(f"{name}: a folder; {of_a_folder(Path(name))}")
    if not data.clips_table.is_file():
        missing = f"{names[0]}: no such video, and " if names else ""
        raise UsageError(f"{missing}no clips in {data.root}; make some with: fdpose extract --videos PATH")
    table, chosen = read_clips(data), []
    for name in map(composed, names):
        found = [c for c in table if name in (str(c.key), c.key.video)]
        if not found:
            raise UsageError(f"{name}: no such video, and no clip of {data.root}; list the clips with: fdpose info")
        chosen += [c for c in found if c not in chosen]
    chosen = [c for c in (chosen or table) if split is None or c.split == split]
    if not chosen:
        raise UsageError(f"no clip is in the split {split}; list the clips with: fdpose info")
    return [_told(clip, facts) for clip in chosen]


def _told(clip: Clip, facts: dict[str, Any]) -> Clip:
    """The clip with the facts that its labels lack. Raises UsageError where they say otherwise."""
    for name, value in facts.items():
        known = getattr(clip, name)
        if known not in (None, value):
            option = "--dive-number" if name == "action_type" else "--height"
            raise UsageError(f"{option} {value}: the labels of {clip.key} say {known}; leave it out, or mend them")
    return replace(clip, **facts)


@dataclass(slots=True)
class Scores:
    """What was scored: dives, pages, and what was not."""

    judge: Judge
    about: dict[str, Any]
    fallback: Fallback | None
    dives: list[ScoredDive] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    failed: dict[str, FdposeError] = field(default_factory=dict)
    true_faults: dict[str, dict[str, float]] | None = None

    def know(self, truth: Path, clips: Sequence[Clip]) -> None:
        """Read the truth that faults of these clips are compared with. Raises LabelError, UsageError."""
        from baselines.scorer.against_truth import read_true_faults

        self.true_faults = read_true_faults(truth)
        if not any(str(clip.key) in self.true_faults for clip in clips):
            raise UsageError(f"--faults {truth}: has none of these dives; name the truth of their own competition")

    def add(self, data: Workspace, clips: Sequence[Clip], page: Path) -> None:
        """Score clips that have frames and poses, and write their page where they are few."""
        from baselines.report.score_page import write_score_page
        from baselines.scorer.run import score_clips

        few = len(clips) <= MOST_ON_A_PAGE
        found = score_clips(data, clips, self.judge, fallback=self.fallback, pictures=few)
        self.dives += found.dives
        for name, error in found.failed.items():
            self._fail(name, error, data)
        if few and found.dives:
            self.pages.append(write_score_page(page, found.dives, self.about))

    def as_dict(self) -> dict[str, Any]:
        """For printing as JSON."""
        from baselines.report.scores import values_of

        dives = [values_of(dive) for dive in self.dives]
        told = {
            "scorer": self.about,
            "dives": dives,
            "failed": self.why_failed(),
            "pages": [str(page) for page in self.pages],
        }
        if self.true_faults is None:
            return told
        return told | {"faults": [figures.as_dict() for figures in self._faults()]}

    def _faults(self) -> list[FaultFigures]:
        from baselines.scorer.against_truth import compare_faults

        return compare_faults(self.dives, self.true_faults or {}) if self.dives else []

    def in_short(self) -> tuple[str, Path]:
        """The score of the one dive in words, and its page."""
        from baselines.report.scores import score_in_short

        return score_in_short(self.dives[0].score), self.pages[0]

    def in_lines(self) -> Iterator[str]:
        """For printing on a terminal."""
        from baselines.report.scores import scorer_in_words, scores_in_lines
        from baselines.scorer.against_truth import figures_in_lines

        yield from scores_in_lines(self.dives)
        if self.true_faults is not None:
            yield ""
            yield from figures_in_lines(self._faults())
        yield f"\nscorer {self.about['file']}  ({scorer_in_words(self.about)})"
        yield from (f"page   {page}" for page in self.pages)
        if not self.pages:
            yield f"no page: it shows {MOST_ON_A_PAGE} dives at most"

    def add_video(self, video: Path, out: Path | None, facts: dict[str, Any]) -> None:
        """Extract, annotate and score a video. One that the scorer can't score is refused before any work."""
        from finediving_pose.cli.one_dive import find_dive

        dive = None
        try:
            dive = find_dive(video, out, facts)
            self._take(dive)
        except FdposeError as e:
            self._fail(str(video), e, dive.data if dive else None)

    def _take(self, dive: DiveVideo) -> None:
        from baselines.scorer.find import BUNDLED
        from finediving_pose.cli.one_dive import take_dive

        for said in dive.recalled:
            complain(f"{dive.video}: {said}")
        self.judge.check(dive.clip, self.fallback)
        scorer = [] if Path(self.about["file"]) == BUNDLED else [self.about["file"]]
        taken = take_dive(dive, shlex.join(["score", *scorer, dive.clip.key.video]))
        self.add_taken(taken)
        for note in taken.notes:
            complain(f"note: {note}")

    def _fail(self, name: str, error: FdposeError, data: Workspace | None = None) -> None:
        """Keep why a dive has no score; the commands that it names are about ``data``."""
        self.failed[name] = type(error)(with_data(str(error), data))

    def why_failed(self) -> dict[str, str]:
        """Why dives have no score, with the option of ``fdpose score`` that finds other exemplars."""
        fallback = ". To compare with dives of about the same difficulty: --exemplar-fallback difficulty"
        return {n: f"{e}{fallback if isinstance(e, NoExemplarError) else ''}" for n, e in self.failed.items()}

    def add_taken(self, taken: OneDive) -> None:
        """Score a video that was taken in. Raises PoseError where it holds several dives."""
        from finediving_pose.errors import PoseError

        if taken.appearances > 1:
            each = " && ".join(taken.parting)
            raise PoseError(f"{taken.clip.key}: nothing is scored: {taken.notes[-1]} To take each on its own: {each}")
        self.add(taken.data, [taken.clip], taken.data.root / "score.html")
