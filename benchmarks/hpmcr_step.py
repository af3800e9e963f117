"""A training step of HPMCR in the paper's shape: forward, backward, optimiser. Time, memory, and waiting for data.

The full configuration with random weights; 96 frames of 112 x 112 a clip, two clips a pair. Each precision is
measured in a process of its own, after one step to warm up. Without ``--clips`` the batch is made up once and stays
on the device: the time of the step alone. With it, batches are read from a made-up packed file with a cache by worker
processes, as in training, and the share of the time that the device waits for them is told.

Run: python benchmarks/hpmcr_step.py                        # one pair, on a processor
     python benchmarks/hpmcr_step.py --pairs 8 --steps 20 --precision fp32 bf16 --clips 64 --workers 8   # on a GPU
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import torch
from loading import make_clips
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import Tensor

from baselines.data.dives import Dives
from baselines.data.pairs import TrainingPairs
from baselines.methods.hpmcr import HPMCRMethod
from baselines.runs.config import RunConfig, make_config
from baselines.training.settings import Training
from baselines.training.trainer import Trainable, make_loader
from finediving_pose.memory import keep_memory
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace


def made_up(pairs: int, frames: int, side: int, device: str) -> dict[str, Tensor]:
    """A batch of so many pairs, no clip in two of them."""
    n = 2 * pairs
    batch = {
        "video": torch.randn(n, 3, frames, side, side),
        "pose": torch.randn(n, 2, frames, 16, 1),
        "transitions": torch.tensor([[frames // 10, frames // 2]] * n),
        "score": torch.linspace(40, 90, n),
        "query": torch.arange(0, n, 2),
        "exemplar": torch.arange(1, n, 2),
    }
    return {name: value.to(device) for name, value in batch.items()}


def read(args: argparse.Namespace, config: RunConfig, folder: Path, device: str) -> Iterator[dict[str, Tensor]]:
    """Batches as in training, epoch after epoch, from a packed file of made-up clips."""
    workspace = Workspace(folder)
    make_clips(workspace, args.clips, None)
    write_packed(workspace, cache=True)
    with open_packed(workspace.packed) as packed:
        dives = Dives(packed, config.data)
        pairs = TrainingPairs(dives, [*range(args.clips)] * 50)  # epochs as long as FineDiving's
        how = Training(1, args.pairs, workers=args.workers)
        for _ in cycle([0]):
            for batch in make_loader(pairs, how, seed=0):
                tensors = {name: value for name, value in batch.items() if isinstance(value, Tensor)}
                yield {name: value.to(device, non_blocking=True) for name, value in tensors.items()}


def measure(args: argparse.Namespace, precision: str, results: Any) -> None:
    """Put into ``results`` what a step takes."""
    MMLogger.get_instance("mmengine", log_level="WARNING")
    keep_memory()
    device = args.device
    on_gpu = device == "cuda"
    method = HPMCRMethod()
    config = make_config(method, "full", seed=0)
    torch.manual_seed(0)
    network = method.build(config)
    model = Trainable(network)
    model.to(device)
    if config.training.channels_last:
        network.dynamic.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    if args.compile:
        for name in method.compiles:
            network.get_submodule(name).compile()
    wrapper = build_optim_wrapper(model, config.optimiser.wrapper(Training(1, args.pairs, precision=precision)))  # type: ignore[arg-type]
    model.train()

    def finish() -> float:
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        if args.clips:
            batches = read(args, config, Path(folder), device)
        else:
            batches = cycle([made_up(args.pairs, config.data.frames, config.data.crop, device)])
        waited, loss = 0.0, 0.0
        for step in range(args.steps + 1):
            if step == 1:
                started, waited = finish(), 0.0
            before = finish()
            batch = next(batches)
            waited += time.perf_counter() - before
            loss = model.train_step(batch, cast(OptimWrapper, wrapper))["loss"].item()
        seconds = (finish() - started) / args.steps
    peak = torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    results.put((seconds, waited / args.steps / seconds, peak / 2**30, loss))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1, help="pairs a step; the paper has 8")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32"])
    parser.add_argument("--clips", type=int, default=0, help="of the made-up packed file; 0 leaves reading out")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    where = torch.cuda.get_device_name() if args.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"HPMCR, full configuration, {args.pairs} pairs a step, {where}, mean of {args.steps} steps")
    print(f"{'precision':>9} {'s/step':>8} {'steps/s':>8} {'peak GiB':>9} {'waiting':>8} {'loss':>9}")
    spawn = multiprocessing.get_context("spawn")
    for precision in args.precision:
        results = spawn.Queue()
        process = spawn.Process(target=measure, args=(args, precision, results))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{precision}: failed with exit code {process.exitcode}")
        seconds, waiting, peak, loss = results.get()
        shown = f"{100 * waiting:.1f} %" if args.clips else "-"
        print(f"{precision:>9} {seconds:8.2f} {1 / seconds:8.3f} {peak:9.2f} {shown:>8} {loss:9.1f}")


if __name__ == "__main__":
    main()
