"""Pairs of a query dive and its exemplars, for training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from baselines.data.batch import Batch
from baselines.data.dives import Dives, Sample, stack
from baselines.data.exemplars import group, groups_of
from baselines.method import Needs


class TrainingPairs(Dataset):
    """Each training dive as a query, with random exemplars of its group, all augmented.

    The exemplar is never the query itself unless the query is alone in its group.
    Item: the query's sample, then ``exemplars`` samples. What is drawn for it follows from the seed, the epoch and
    its number, whatever process draws it, and after whatever others.
    """

    def __init__(self, dives: Dives, train: Sequence[int], exemplars: int = 1, seed: int = 0) -> None:
        self.dives, self.train, self.exemplars, self.seed = dives, list(train), exemplars, seed
        self.epoch = 0
        self.peers = groups_of(dives.packed.clips, train, dives.settings.pairing)

    def __len__(self) -> int:
        return len(self.train)

    def numbers_by_group(self) -> list[list[int]]:
        """Numbers of the items, each list those whose queries may be compared with each other."""
        number = {i: n for n, i in enumerate(self.train)}
        return [[number[i] for i in group] for group in self.peers.values()]

    def __getitem__(self, n: int) -> list[Sample]:
        query, rng = self.train[n], np.random.default_rng((self.seed, self.epoch, n))
        peers = self.peers[group(self.dives.packed.clips[query], self.dives.settings.pairing)]
        others = [i for i in peers if i != query] or [query]
        chosen = rng.permutation(others)[: self.exemplars].tolist()
        return [self.dives.sample(i, rng) for i in (query, *chosen)]


def labels_and_pairs(dives: Dives, train: Sequence[int]) -> Batch:
    """Labels of the training dives, and all pairs of two of a group, each once: with poses, without pictures."""
    bare = replace(dives, needs=dives.needs & ~Needs.PICTURES)
    samples = [bare.sample(i) for i in train]
    members: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        members[sample["group"]].append(place)
    pairs = torch.cat([torch.combinations(torch.tensor(group)) for group in members.values()])
    return Batch(**stack(samples), query=pairs[:, 0], exemplar=pairs[:, 1])


def collate_pairs(
    items: Sequence[Sequence[Sample]], every_pair: bool = False, share_clips: bool = True
) -> dict[str, Any]:
    """Pairs to one batch in which every clip stands once, however many pairs it is in.

    With ``every_pair`` all clips of the batch that share a group are compared,
    not only the drawn ones: encoding is what costs, a comparison is nearly free. Items
    may then come without exemplars; a batch of which no two share a group compares its first clip with itself.

    Without ``share_clips`` a clip stands as often as it was drawn, each time as it was cropped and mirrored for that
    pair, as in the public code.

    Returns the stacked samples of the N clips, and ``query`` and
    ``exemplar``, int64 (B,), indices among them.
    """
    places: dict[int, int] = {}
    samples: list[Sample] = []

    def place(sample: Sample) -> int:
        if not share_clips or sample["clip"] not in places:
            places[sample["clip"]] = len(samples)
            samples.append(sample)
        return places[sample["clip"]]

    pairs: list[tuple[int, int]] = []
    for item in items:
        query_at, *exemplars_at = [place(sample) for sample in item]
        pairs += [(query_at, at) for at in exemplars_at]
    if every_pair:
        groups = [s["group"] for s in samples]
        same = [(q, e) for q, e in combinations(range(len(samples)), 2) if groups[q] == groups[e]]
        pairs = same or pairs or [(0, 0)]
    query, exemplar = torch.tensor(pairs).unbind(1)
    return {**stack(samples), "query": query, "exemplar": exemplar}


def collate_clips(items: Sequence[Sequence[Sample]]) -> dict[str, Any]:
    """The queries alone, for methods that compare nothing."""
    return stack([item[0] for item in items])
