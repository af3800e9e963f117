"""What a training amounts to: the conditions that it was made under, and its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from torch import nn

from baselines.data.exemplars import PAIRING_NEEDS
from baselines.data.splits import Split
from baselines.method import Method, Needs
from baselines.runs.config import RunConfig
from baselines.runs.figures import measure
from baselines.runs.panels import Scored
from baselines.runs.results import SELECTIONS, Conditions, RunMetrics
from finediving_pose.labels.errata import count_errata
from finediving_pose.packed.reader import PackedFile

OF_A_TEST_DIVE = Needs.PICTURES | Needs.POSES | Needs.NUMBER | Needs.DIFFICULTY | Needs.SUB_ACTIONS
"""What can be read of a dive that is to be scored: stages and awards are known in training only."""

FROZEN = {"encoder of pictures": "frozen; its features are shared by all trainings with it"}
"""What is said of a run whose encoder is not trained."""


def needed(method: Method, config: RunConfig) -> tuple[str, ...]:
    """Names of what a clip must have: what the method reads, and what pairing and target read."""
    needs = method.needs_of(config)
    if method.comparative:
        needs |= PAIRING_NEEDS[config.data.pairing]
    if config.data.target == "score_over_difficulty":
        needs |= Needs.DIFFICULTY
    return tuple(need.name or "" for need in Needs if need in needs)


def selecting_split(config: RunConfig, split: Split) -> Literal["test", "validation"] | None:
    """The split that the best epoch is chosen on, None for the last epoch, or where there is none."""
    if not config.training.epochs:
        return None
    if config.validation.on_test:
        return "test"
    return "validation" if split.validation else None


def starting_weights(method: Method, config: RunConfig) -> dict[str, str]:
    """What each encoder that has published weights starts from: a file, or ``random``."""
    return {encoder: as_section(config.model.get(encoder)).get("weights") or "random" for encoder in method.weights}


def as_section(value: Any) -> Mapping[str, Any]:
    """A value of ``config.model`` as a section; an empty one where it is something else."""
    return value if isinstance(value, Mapping) else {}


def conditions(config: RunConfig, method: Method, split: Split, packed: PackedFile) -> Conditions:
    """What the figures of a run depend on, apart from the seed."""
    assert config.origin is not None
    applied, left = count_errata(packed.clips[i] for i in (*split.train, *split.validation, *split.test))
    return Conditions(
        method=method.name,
        title=method.title,
        preset=config.preset,
        without=config.without,
        n_train=len(split.train),
        n_test=len(split.test),
        batch_size=config.training.batch_size,
        epochs=config.training.epochs,
        selection=SELECTIONS[selecting_split(config, split)],
        target=config.data.target,
        pairing=config.data.pairing,
        votes=config.evaluation.votes,
        voters=config.evaluation.voters,
        packed=config.origin.packed,
        digest=config.origin.digest,
        weights=starting_weights(method, config),
        left_out=split.left_out,
        reads=tuple(name for name in needed(method, config) if Needs[name] in OF_A_TEST_DIVE),
        errata_applied=applied,
        errata_left=left,
    )


def run_metrics(
    config: RunConfig,
    made: Conditions,
    judged: Literal["test", "validation"] | None,
    network: nn.Module,
    scored: Scored,
    hub: Any,
    seconds: float,
) -> RunMetrics:
    """The metrics of a finished run; ``judged`` is the split that its epoch was chosen on."""
    scores = measure(scored.predictions)
    history, best = (hub.get_info("history", []), hub.get_info("best_of_each", {})) if hub else ([], {})
    figures, epoch_of_each, epoch = scores.figures, {}, config.training.epochs
    if judged == "test":
        figures = replace(figures, **{name: found["value"] for name, found in best.items()})
        epoch_of_each = {name: found["epoch"] for name, found in best.items()}
    describe = getattr(network, "describe", None)
    return RunMetrics(
        made=made,
        seed=config.seed,
        figures=figures,
        intervals=scores.intervals,
        exemplars_mean=scores.exemplars_mean,
        matched_by_difficulty=scores.matched_by_difficulty,
        parameters=sum(p.numel() for p in network.parameters()),
        seconds=round(seconds, 1),
        epoch=epoch if judged is None else best_epoch(history, judged),
        history=history,
        epoch_of_each=epoch_of_each,
        facts=(describe() if describe else {}) | (FROZEN if config.training.frozen else {}),
        panels=scored.panels,
        scoring_seconds=round(scored.seconds, 3),
    )


def best_epoch(history: Sequence[Mapping[str, Any]], split: str = "validation") -> int | None:
    """The first epoch with the best rho on the dives of a split."""
    scored = [h for h in history if h.get(f"{split}_rho") is not None]
    return max(scored, key=lambda h: h[f"{split}_rho"])["epoch"] if scored else None
