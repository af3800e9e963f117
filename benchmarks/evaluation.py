"""Scoring FineDiving's test split: each clip encoded once, against query and exemplar encoded anew for each vote.

The published way takes each of the 749 test dives with 10 train dives of its number, one after the other, and
encodes both clips each time: up to 14 980 encodings. Ours encodes every clip that takes part once and compares the
kept tokens. Both are given the same voters, a panel for each dive number, and the same predictions must come out, to
1e-5 points.

The split has FineDiving's shape: 2251 train and 749 test dives, dive numbers as frequent as there
(data_manifest/dives.csv). Clips are random pictures and poses, made outside the clock, so that encoding and comparing
alone are timed. On a CPU the demo's network is used, pictures and frames scaled down; the ratio is one of
counts, and so hardly depends on it. --preset full takes the paper's shape, for a GPU.

Run: python benchmarks/evaluation.py                             # all 749 dives with the demo's network
     python benchmarks/evaluation.py --frames 16 --size 32       # the same in a few minutes
     python benchmarks/evaluation.py --queries 60                # few dives share a panel, so the ratio is smaller
     python benchmarks/evaluation.py --preset full --device cuda --queries 100
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from baselines.data.batch import Batch
from baselines.data.exemplars import choose_voters
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs.config import make_config
from baselines.runs.scoring import compare_clips, encode_clips
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.synth.faults import dived

TRAIN, TEST, VOTES = 2251, 749, 10


@dataclass
class RandomDives:
    """Stands in for ``baselines.data.dives.Dives``: samples are cut out of a few random clips, by the clip's number."""

    clips: list[Clip]
    frames: int
    crop: int
    spent: float = 0.0
    """Seconds that making samples took; they don't count."""
    pool: dict[str, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.pool = {
            "video": torch.randn(3, self.frames + 64, self.crop + 8, self.crop + 8, generator=generator),
            "pose": torch.randn(2, self.frames + 64, 16, 1, generator=generator),
        }

    def sample(self, i: int) -> dict[str, Any]:
        started = time.perf_counter()
        t, x = i % 64, i // 64 % 8
        made = {
            "video": self.pool["video"][:, t : t + self.frames, x : x + self.crop, x : x + self.crop] * (1 + i / 3000),
            "pose": self.pool["pose"][:, t : t + self.frames] * (1 + i / 3000),
            "number": "",
        }
        self.spent += time.perf_counter() - started
        return made


def finediving(seed: int = 0) -> list[Clip]:
    """Train dives, then test dives, of FineDiving's dive numbers in its proportions."""
    rng = np.random.default_rng(seed)
    rows = dived()
    weight = np.array([int(r["count"]) for r in rows], float)
    drawn = rng.choice(len(rows), TRAIN + TEST, p=weight / weight.sum())
    numbers = [rows[r]["dive_number"] for r in drawn]
    known = set(numbers[:TRAIN])
    return [
        Clip(ClipKey("Bench", i), "train" if i < TRAIN else "test", n if n in known else numbers[0], 3.0, 60.0 + i % 30)
        for i, n in enumerate(numbers)
    ]


def published_way(
    model: HPMCR, dives: RandomDives, queries: Sequence[int], voters: Sequence[Sequence[int]], batch: int
) -> tuple[np.ndarray, int]:
    """Scores of the queries, vote after vote, both clips of every pair encoded for it; and how many encodings."""
    device = next(model.parameters()).device
    total, encodings = np.zeros(len(queries)), 0
    for vote in range(VOTES):
        chosen = [(n, i, v[vote]) for n, (i, v) in enumerate(zip(queries, voters, strict=True)) if vote < len(v)]
        for start in range(0, len(chosen), batch):
            part = chosen[start : start + batch]
            samples = [dives.sample(i) for _, i, j in part] + [dives.sample(j) for _, i, j in part]
            video, pose = (torch.stack([s[k] for s in samples]).to(device) for k in ("video", "pose"))
            known = torch.tensor([dives.clips[j].dive_score for _, _, j in part], device=device)
            places = torch.arange(len(part), device=device)
            clips = model.encode(Batch(video=video, pose=pose))
            scores = known + model.compare(clips.pick(places), clips.pick(places + len(part))).sum(1)
            for (n, _, _), score in zip(part, scores.double().cpu().numpy(), strict=True):
                total[n] += score / len(voters[n])
            encodings += 2 * len(part)
    return total, encodings


def our_way(
    model: HPMCR, dives: RandomDives, queries: Sequence[int], voters: Sequence[Sequence[int]], batch: int
) -> tuple[np.ndarray, int]:
    """The same scores from tokens that were encoded once."""
    everyone = sorted({*queries, *(j for v in voters for j in v)})
    place = {i: n for n, i in enumerate(everyone)}
    encoded = encode_clips(model, dives, everyone, 2 * batch)  # type: ignore[arg-type]
    pairs = [(i, j) for i, v in zip(queries, voters, strict=True) for j in v]
    known = torch.tensor([dives.clips[j].dive_score for _, j in pairs])
    relative = iter(compare_clips(model, encoded, [(place[i], place[j]) for i, j in pairs], known).sum(1))
    scores = [np.mean([(dives.clips[j].dive_score or 0) + next(relative) for j in v]) for v in voters]
    return np.array(scores), len(everyone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(HPMCRMethod.presets), default="demo")
    parser.add_argument("--queries", type=int, default=TEST, help="score only the first so many test dives")
    parser.add_argument("--batch", type=int, default=8, help="pairs at once; twice as many clips")
    parser.add_argument("--frames", type=int, help="frames of a clip, in place of the preset's")
    parser.add_argument("--size", type=int, help="side of a picture, in place of the preset's")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    method = HPMCRMethod()
    changes = {"data.frames": options.frames} if options.frames else {}
    config = make_config(method, options.preset, seed=0, changes=changes)
    frames, size = config.data.frames, options.size or config.data.crop
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # or batches of two sizes differ
    model = method.build(config).to(options.device).eval()
    for regressor in (model.compare_fused, model.compare_static):  # a fresh one may call all dives equal
        torch.nn.init.normal_(regressor.head[-1].weight, std=5)  # type: ignore[arg-type]
    clips = finediving()
    queries = range(TRAIN, TRAIN + options.queries)
    voters = choose_voters(clips, queries, range(TRAIN), VOTES, seed=0)
    each = choose_voters(clips, queries, range(TRAIN), VOTES, 0, "each")
    dives = RandomDives(clips, frames, size)
    ways: dict[str, Callable[..., tuple[np.ndarray, int]]] = {"each clip once": our_way, "published way": published_way}
    scores, seconds = {}, {}
    torch.set_grad_enabled(False)
    encode_clips(model, dives, range(2 * options.batch), 2 * options.batch)  # type: ignore[arg-type]  # warms up
    print(
        f"scoring {len(queries)} test dives with up to {VOTES} votes each, {options.preset} network:"
        f" {frames} frames of {size} x {size}, {options.device},"
        f" {torch.get_num_threads()} threads"
    )
    for name, way in ways.items():
        dives.spent, started = 0.0, time.perf_counter()
        scores[name], encodings = way(model, dives, queries, voters, options.batch)
        seconds[name] = time.perf_counter() - started - dives.spent
        ratio = seconds[name] / seconds["each clip once"]
        print(f"  {name:<16}{seconds[name]:9.1f} s{encodings:8,} encodings{ratio:8.2f} x", flush=True)
    ours, theirs = scores.values()
    alone = len({j for v in each for j in v}) + len(queries)
    known = np.array([np.mean([clips[j].dive_score or 0 for j in v]) for v in voters])
    moved, apart = np.abs(ours - known).mean(), np.abs(ours - theirs).max()
    print(f"  the model moves a prediction by {moved:.1f} points; the two ways differ by {apart:.1e} at most")
    print(f"  encodings if every dive drew voters of its own: {alone:,}")
    if not moved > 0.1 or apart > 1e-5 * max(moved, 1):
        raise SystemExit("the two ways do not give the same predictions")


if __name__ == "__main__":
    main()
