"""Pre-training of what sees a splash: first where it is, then what it costs, beside poses and alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.backbones.splash_finder import NEIGHBOUR, SplashFinder, area
from baselines.modules.splash import SplashJudge
from baselines.prior.errors import PoseErrors
from baselines.prior.filmed import DIVES, LAST, FilmedEntries, film_entries
from baselines.prior.kept import kept
from baselines.prior.network import SCORE_UNIT, PoseScorer
from baselines.prior.performed import FAULTS, FRAMES
from baselines.prior.pretrain import rate
from baselines.prior.samples import Samples
from baselines.prior.weights import SplashPrior, write_splash_prior
from finediving_pose.packed.snippets import normalised
from finediving_pose.progress import console

FINDING, JUDGING = 0.55, 0.3
"""Shares of the dives that the finder and the judge learn from; what is left is measured on. No venue is in two: what
the finder sees of dives that it has learned from is better than what it will see."""
VENUES_OF_FILE = 25
VIEWS = 4
"""How often each dive is seen by the judge: with other errors of poses each time."""
SPLASH = FAULTS.index("splash")


@dataclass(frozen=True, slots=True)
class SplashPlan:
    """Everything that decides the weights, apart from the errors of poses and the weights that read poses.

    Attributes
    ----------
    seed : of the stream, the first weights and the samples
    venues : filmed ones, four dives in each
    steps, batch, lr : of the finder, AdamW, frames a batch
    judge_steps, judge_lr : of the judge, every step over all pairs
    """

    seed: int = 0
    venues: int = 700
    steps: int = 4000
    batch: int = 16
    lr: float = 3e-3
    judge_steps: int = 300
    judge_lr: float = 5e-3


def pretrain_splash(
    plan: SplashPlan, errors: PoseErrors, poses: PoseScorer, work: Path, target: Path, command: str
) -> None:
    """Film dives, train finder and judge on them, and write both to ``target``; ``work`` keeps what was filmed."""
    dives = kept(FilmedEntries, film_entries, plan.seed, range(plan.venues), VENUES_OF_FILE, work)
    first, last = (round(share * plan.venues) * DIVES for share in (FINDING, FINDING + JUDGING))
    finder = train_finder(plan, dives.only(slice(first)))
    seen, unseen = (
        Pairs.of(Samples(dives.only(part), errors), finder, poses, plan.seed)
        for part in (slice(first, last), slice(last, None))
    )
    judge, share = train_judge(plan, seen)
    figures = measure_judge(judge, share, unseen)
    made = {**asdict(plan), "dives": last, "command": command, "held_out": figures}
    write_splash_prior(target, SplashPrior(finder.state_dict(), judge.state_dict(), share, made))
    console.print(", ".join(f"{name} {value}" for name, value in figures.items()))


def train_finder(plan: SplashPlan, dives: FilmedEntries) -> SplashFinder:
    """The finder, from frames around the entry: cross-entropy of every pixel and squared error of the log area."""
    torch.manual_seed(plan.seed)
    finder, rng = SplashFinder(), np.random.default_rng((plan.seed, 3))
    optimiser = torch.optim.AdamW(finder.parameters(), plan.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, plan.steps))
    filmed = [np.flatnonzero(frames.any((1, 2, 3))) for frames in dives.pictures]
    started = time.monotonic()
    for step in range(1, plan.steps + 1):
        triples, foam = (torch.stack(part) for part in zip(*_frames(dives, filmed, plan.batch, rng), strict=True))
        logits = finder.logits(triples)
        pixels = F.binary_cross_entropy_with_logits(logits, foam)
        size = foam.sum((1, 2)) / foam.shape[1] ** 2
        loss = 30 * pixels + 0.3 * F.mse_loss(torch.log1p(4096 * area(logits)), torch.log1p(4096 * size))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(finder.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        if step % 250 == 0:
            left = (plan.steps - step) * (time.monotonic() - started) / step / 60
            console.print(f"finding splashes: step {step}/{plan.steps}, loss {loss:.3f}, {left:.0f} min left")
    return finder.eval()


def _frames(
    dives: FilmedEntries, filmed: list[NDArray[np.int64]], batch: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Three frames (9, H, W) and the foam (H, W) of the middle one: mirrored, brighter, of other colours by chance."""
    for i in rng.integers(len(dives), size=batch).tolist():
        k = int(rng.choice(filmed[i][NEIGHBOUR:]))
        near = dives.pictures[i][[k - NEIGHBOUR, k, min(k + NEIGHBOUR, LAST - 1)]]
        foam = dives.foam[i, k]
        if rng.random() < 0.5:
            near, foam = near[:, :, ::-1], foam[:, ::-1]
        frames = normalised(np.ascontiguousarray(near))  # (3, 3, H, W), colour first
        tint = rng.uniform(-0.1, 0.1, (3, 1, 1, 1)) + rng.uniform(-0.3, 0.3)
        frames = (frames * rng.uniform(0.75, 1.25) + tint).astype(np.float32)
        triple = torch.from_numpy(frames).transpose(0, 1).flatten(0, 1)
        yield triple, torch.from_numpy(foam.astype(np.float32) / 255)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Dives as the judge sees them, and all pairs of a number.

    Attributes
    ----------
    splash : (N, T), of the finder; scale : (VIEWS, N), of the poses
    cost : (N,), points that the splash costs in truth
    single : bool (N,), whether one diver dives
    query, exemplar : (B,), indices
    above : (B,), points of execution of the query above the exemplar, in truth, in SCORE_UNIT
    by_pose : (VIEWS, B), the same as poses have it
    """

    splash: Tensor
    scale: Tensor
    cost: Tensor
    single: Tensor
    query: Tensor
    exemplar: Tensor
    above: Tensor
    by_pose: Tensor

    @classmethod
    def of(cls, samples: Samples, finder: SplashFinder, poses: PoseScorer, seed: int) -> Pairs:
        """Every dive is seen :data:`VIEWS` times with an estimator's errors."""
        dives = samples.dives
        assert isinstance(dives, FilmedEntries)
        query, exemplar = (torch.from_numpy(part) for part in same_number(dives.number, dives.synchronised))
        scale, by_pose, batch = [], [], {}
        with torch.no_grad():
            for view in range(VIEWS):
                batch = samples.batch(np.arange(len(dives)), np.random.default_rng((seed, 4, view)), 0.0)
                scale.append(batch["scale"])
                tokens = torch.cat(
                    [
                        poses.encode(p, t)[0]
                        for p, t in zip(batch["pose"].split(100), batch["transitions"].split(100), strict=True)
                    ]
                )
                pairs = zip(query.split(1000), exemplar.split(1000), strict=True)
                by_pose.append(torch.cat([poses.compare(tokens[q], tokens[e]).sum(1) for q, e in pairs]))
            splash = torch.stack([_splash_of(finder, dives, i) for i in range(len(dives))])
        execution = batch["execution"] / SCORE_UNIT
        cost = batch["facts"][:, 1 + SPLASH]
        above = execution[query] - execution[exemplar]
        single = torch.from_numpy(~dives.synchronised)
        return cls(
            splash, torch.stack(scale).float(), cost, single, query, exemplar, above.float(), torch.stack(by_pose)
        )


def same_number(number: NDArray[np.int64], synchronised: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    """All pairs of dives of one number, each once: (B,), (B,). Two divers' splashes are one: those dives have none."""
    a, b = np.triu_indices(len(number), 1)
    chosen = (number[a] == number[b]) & ~synchronised[a] & ~synchronised[b]
    return a[chosen], b[chosen]


def _splash_of(finder: SplashFinder, dives: FilmedEntries, i: int) -> Tensor:
    """Splash (T,) of dive i from the last stage on, in the middle square of the pictures, as a network reads them."""
    height, width = dives.pictures.shape[2:4]
    left = (width - height) // 2
    pictures = np.ascontiguousarray(dives.pictures[i, :, :, left : left + height])
    found = finder(torch.from_numpy(normalised(pictures))[None])[0]
    splash = torch.zeros(FRAMES)
    first = int(np.flatnonzero(pictures.any((1, 2, 3)))[NEIGHBOUR])
    splash[FRAMES - LAST + first :] = found[first:]
    return splash


def train_judge(plan: SplashPlan, pairs: Pairs) -> tuple[SplashJudge, float]:
    """The judge, and the share of what poses say that is left where the splash is seen as well."""
    torch.manual_seed(plan.seed)
    judge, share = SplashJudge(), nn.Parameter(torch.ones(()))
    optimiser = torch.optim.AdamW([*judge.parameters(), share], plan.judge_lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, plan.judge_steps))
    for step in range(plan.judge_steps):
        view = step % VIEWS
        scale = pairs.scale[view]
        unknown = torch.rand(len(scale)) < 0.2
        said = judge(pairs.splash, torch.where(unknown, torch.nan, scale))
        beside, alone = ((said[pairs.query, k] - said[pairs.exemplar, k]) for k in range(2))
        loss = (
            F.mse_loss(share * pairs.by_pose[view] + beside, pairs.above)
            + F.mse_loss(alone, pairs.above)
            + F.mse_loss(said[pairs.single, 2], pairs.cost[pairs.single])
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return judge.eval(), float(share.detach())


def measure_judge(judge: SplashJudge, share: float, pairs: Pairs) -> dict[str, float]:
    """Figures on dives of venues that nothing was learned from; errors are shares of the exemplars' mean's.

    ``correlation`` of the splash's size with the truth; squared errors of the difference of two dives by ``poses``,
    by the ``splash`` and by ``both``.
    """
    with torch.no_grad():
        said = judge(pairs.splash, pairs.scale[0])
    beside, alone = ((said[pairs.query, k] - said[pairs.exemplar, k]) for k in range(2))
    total = pairs.above.square().mean()

    def error(found: Tensor) -> float:
        return round(float((found - pairs.above).square().mean() / total), 3)

    figures: dict[str, Any] = {
        "correlation": round(float(torch.corrcoef(torch.stack((said[:, 2], pairs.cost))[:, pairs.single])[0, 1]), 3),
        "poses": error(pairs.by_pose[0]), "splash": error(alone), "both": error(share * pairs.by_pose[0] + beside),
        "share": round(share, 3),
    }  # fmt: skip
    return figures
