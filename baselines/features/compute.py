"""Freeze a network's encoder, and compute its features of a packed file unless they are there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from baselines.backbones.encoder import Encoder
from baselines.data.dives import Dives
from baselines.features.recipe import RANDOM, SEED, Recipe, recipe_of
from baselines.features.store import (
    Features,
    FeaturesError,
    Note,
    missing_shards,
    open_features,
    read_encoder,
    read_note,
    shard_file,
    write_encoder,
    write_note,
    write_shard,
)
from baselines.method import Method, Needs
from baselines.runs.config import RunConfig
from baselines.training import processes
from baselines.training.stopping import leave_to_parent
from finediving_pose.errors import UsageError, first_line
from finediving_pose.packed.reader import PackedFile
from finediving_pose.progress import tell, track
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

CLIPS_AT_ONCE = 4
ESTIMATED_ON = 32
"""Training dives that the batch norms of a random encoder take their statistics from."""
PATIENCE = 24 * 3600.0
"""Seconds to wait for another training that computes the same features."""


def freeze(network: nn.Module, method: Method, packed: PackedFile, config: RunConfig) -> Features:
    """Freeze the network's encoder of pictures; its features of all clips, computed where they are not there.

    The encoder is the one that gave the features, whatever it was before.

    Raises
    ------
    FeaturesError
        What is kept is damaged, or of another packed file, encoder or pictures.
    SetupError
        Published weights are to be read, and can't be.
    UsageError
        The network has no such encoder.
    """
    encoder = getattr(network, method.encoder, None)
    if not isinstance(encoder, Encoder):
        raise UsageError(f"the network of {method.name} has no Encoder {method.encoder!r}; see docs/own-model.md")
    recipe = recipe_of(encoder, method.encoder, config)
    folder = Workspace(packed.path.parent).features / recipe.name
    note = processes.on_first(_complete)(folder, packed, encoder, recipe, config, method.encoder)
    try:
        encoder.load_state_dict(read_encoder(folder))
    except RuntimeError as e:
        raise FeaturesError(
            f"{folder}: its encoder is another than the network's ({first_line(e)}); remove the folder"
        ) from e
    encoder.requires_grad_(False)
    return open_features(folder, note)


def _complete(folder: Path, packed: PackedFile, encoder: Encoder, recipe: Recipe, config: RunConfig, name: str) -> Note:
    """Compute what is missing of the features; what is said of them."""
    note = read_note(folder, packed, recipe)
    if note is not None and not missing_shards(folder, note.clips):
        return note
    with writing("fdpose benchmark", [folder], patience=PATIENCE):
        for part in folder.glob(".*.part"):  # of a computation that was killed
            part.unlink(missing_ok=True)
        pictures = Pictures(Dives(packed, replace(config.data, in_memory=False), Needs.PICTURES))
        note = read_note(folder, packed, recipe)
        made = type(encoder)(**recipe.settings) if note else _first(encoder, recipe, config, name, pictures)
        if note is None:
            write_encoder(folder, made.state_dict())
            shape = tuple(_encoded(made, pictures[0][None]).shape[2:])
            note = Note(packed.digest, len(pictures), shape, recipe)
            write_note(folder, note)
        else:
            made.load_state_dict(read_encoder(folder))
        _compute(folder, note, made.eval(), pictures, config.training.workers)
    return note


class Pictures(Dataset):
    """Pictures (3, T, H, W) of the clips of a packed file, cropped in the centre."""

    def __init__(self, dives: Dives) -> None:
        self.dives = dives

    def __len__(self) -> int:
        return len(self.dives.packed.clips)

    def __getitem__(self, i: int) -> Tensor:
        return self.dives.sample(i)["video"]


def _first(encoder: Encoder, recipe: Recipe, config: RunConfig, name: str, pictures: Pictures) -> Encoder:
    """The encoder as it is to be frozen: published weights, or random ones with statistics of training dives."""
    if recipe.weights != RANDOM:
        return type(encoder)(**recipe.settings, weights=config.model[name]["weights"]).eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        made = type(encoder)(**recipe.settings)
    _estimate_statistics(made, pictures)
    return made.eval()


def _estimate_statistics(encoder: Encoder, pictures: Pictures) -> None:
    """Let the batch norms take their statistics from training dives: random ones would let all signal fade away."""
    for module in encoder.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # the mean of all batches
    train = [i for i, clip in enumerate(pictures.dives.packed.clips) if clip.split == "train"]
    some = [train[k] for k in np.unique(np.linspace(0, len(train) - 1, ESTIMATED_ON).astype(int))]
    encoder.train()
    with torch.no_grad():
        for at in range(0, len(some), CLIPS_AT_ONCE):
            encoder.encode(torch.stack([pictures[i] for i in some[at : at + CLIPS_AT_ONCE]]))


def _compute(folder: Path, note: Note, encoder: Encoder, pictures: Pictures, workers: int) -> None:
    """Write the files of features that are missing."""
    todo = missing_shards(folder, note.clips)
    clips = [i for first in todo for i in range(first, first + note.shard_shape(first)[0])]
    tell(f"{folder}: computing features of {len(clips):,} clips, once for all trainings with this encoder")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    readers = min(workers, os.cpu_count() or 1)
    loader = DataLoader(Subset(pictures, clips), CLIPS_AT_ONCE, num_workers=readers, worker_init_fn=leave_to_parent)
    encoder.to(device)
    batches: Iterable[Tensor] = track(loader, "features", total=len(clips), count=len)
    rows = chain.from_iterable(_encoded(encoder, batch.to(device)) for batch in batches)
    for first in todo:
        values = np.stack([*islice(rows, note.shard_shape(first)[0])])
        if not np.isfinite(values).all():
            path = shard_file(folder, first)
            raise FeaturesError(
                f"{path}: the encoder gives numbers that are not finite; train with training.frozen=false"
            )
        write_shard(folder, first, values)


def _encoded(encoder: Encoder, video: Tensor) -> NDArray[np.float16]:
    """Features of pictures (N, 3, T, H, W) and of their mirror images: (N, 2, ...)."""
    with torch.inference_mode():
        both = torch.stack([encoder.encode(video), encoder.encode(video.flip(-1))], dim=1)
    return both.half().cpu().numpy()
