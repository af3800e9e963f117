"""The network of RICA2.

Source: Majeedi et al., ECCV 2024; its public code (abrarmajeedi/rica2_aqa, 1d67c41). What is done otherwise, and why:
``docs/peers.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch, given
from baselines.methods.rica2.layers import Decoder, Encoder, xavier
from finediving_pose.errors import SetupError
from finediving_pose.lexicon import ENTRY

ACTIONS = (*range(1, 8), 37, *range(12, 18), 19, *range(21, 26), 27, *range(29, 37))
"""Sub-action ids in the public code's order."""
RUBRIC = (slice(0, 7), slice(7, 28), slice(28, 29))
"""Places in :data:`ACTIONS` of the take-offs, the flights and the entry: the nodes of the rubric above them."""

RANK_MARGIN = 1.0
KL_FIRST, KL_LAST, KL_FACTOR, KL_EPOCHS, KL_FROM = 1e-5, 0.005, 3.0, 10, 30


class RICA2(nn.Module):
    """A dive's sub-actions, found in its snippets, assessed along the rubric.

    Parameters
    ----------
    i3d : arguments of :class:`~baselines.backbones.i3d.I3D`
    dim, heads : of encoder and decoder
    graph_dim : of the rubric's nodes
    text : ``width`` of vectors that describe the sub-actions, and ``weights``, a ``.npy`` file of them (29, width) in
        the order of :data:`ACTIONS`, as the public code has of a language model; None learns 29 vectors instead
    samples : drawn in testing for every sub-action, always the same ones, and averaged
    rank_weight, sparse_weight : of the losses of the attention
    start_at_mean : before training every dive has the mean score over difficulty of the training dives. A short
        training has not the time to get there
    test_dropout : see :class:`~baselines.methods.rica2.layers.Encoder`
    without : parts to leave out, of ``RICA2Method.parts``
    """

    noise: Tensor

    def __init__(
        self,
        i3d: Mapping[str, Any] | None = None,
        dim: int = 512,
        heads: int = 8,
        graph_dim: int = 256,
        text: Mapping[str, Any] | None = None,
        samples: int = 20,
        rank_weight: float = 0.05,
        sparse_weight: float = 0.05,
        start_at_mean: bool = False,
        test_dropout: bool = False,
        without: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if samples < 1:
            raise ValueError(f"samples={samples}; it is 1 or more")
        self.start_at_mean, self.rank_weight, self.sparse_weight = start_at_mean, rank_weight, sparse_weight
        self.ordered, self.kl_weight = "order" not in without, KL_FIRST
        self.i3d = I3D(**i3d or {})
        self.encoder = Encoder(self.i3d.out_channels, dim, heads, test_dropout)
        self.queries = TextQueries(dim, **text) if text else LearnedQueries(dim)
        self.decoder = Decoder(dim, heads)
        self.rubric = Rubric(dim, graph_dim, sampled="sampling" not in without)
        drawn = torch.Generator().manual_seed(0)
        noise = torch.randn(samples, 1, len(ACTIONS), graph_dim, generator=drawn, device="cpu")
        self.register_buffer("noise", noise, persistent=False)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        self.kl_weight = kl_weight(epoch)

    def prepare(self, labels: Batch) -> None:
        if self.start_at_mean:
            nn.init.constant_(self.rubric.last.bias, float(given(labels.score).mean()))

    def score(self, batch: Batch) -> Tensor:
        """Scores over difficulty of N clips: (N,)."""
        present = present_actions(given(batch.sub_actions))
        actions, _ = self._found(self.i3d.features(batch), present)
        return self.rubric(actions, present, self.noise).mean(0)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error in points, and what makes the attention follow the order of the sub-actions."""
        present, difficulty = present_actions(given(batch.sub_actions)), given(batch.difficulty)
        actions, attention = self._found(self.i3d.features(batch), present)
        noise = torch.randn_like(self.noise[:1].expand(-1, len(present), -1, -1))
        score = self.rubric(actions, present, noise)[0]
        losses = {"score_loss": F.mse_loss(score * difficulty, given(batch.score) * difficulty)}
        if self.ordered:
            losses["rank_loss"] = self.rank_weight * rank_loss(attention, present)
            losses["sparse_loss"] = self.sparse_weight * sparse_loss(attention)
        if self.rubric.sampled:
            losses["kl_loss"] = self.kl_weight * kl_loss(*self.rubric.distribution(actions), present)
        return losses

    def _found(self, snippets: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Sub-actions (N, A, C) as they are in snippets (N, n, C), and where: attention (N, layers, heads, A, n)."""
        return self.decoder(self.queries(), self.encoder(snippets), present)


class LearnedQueries(nn.Module):
    """A learned vector for each sub-action: (A, dim)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(len(ACTIONS), dim))

    def forward(self) -> Tensor:
        return self.vectors


class TextQueries(nn.Module):
    """A linear map of a fixed vector for each sub-action: (A, dim).

    Raises
    ------
    SetupError
        The file holds no such vectors.
    """

    text: Tensor

    def __init__(self, dim: int, width: int = 4096, weights: str | Path | None = None) -> None:
        super().__init__()
        text = torch.zeros(len(ACTIONS), width) if weights is None else _read_text(Path(weights), width)
        self.register_buffer("text", text)
        self.projection = nn.Linear(width, dim)

    def forward(self) -> Tensor:
        return self.projection(self.text)


def _read_text(path: Path, width: int) -> Tensor:
    wanted = (len(ACTIONS), width)
    try:
        found = np.load(path, allow_pickle=False)
        if found.shape != wanted or found.dtype.kind != "f" or not np.isfinite(found).all():
            raise ValueError(f"{found.dtype} {found.shape}")
    except (OSError, ValueError, EOFError) as e:
        raise SetupError(
            f"{path}: not the vectors of the sub-actions ({e}); expected a .npy file of floats {wanted}, a row a"
            " sub-action in the order of docs/peers.md"
        ) from e
    return torch.from_numpy(found.astype(np.float32))


class Rubric(nn.Module):
    """Sub-actions, the three parts of a dive above them, and the dive: (N, A, C) to scores over difficulty.

    ``sampled``: every sub-action is a Gaussian, from which samples are taken; otherwise it is a vector, and there is
    one score.
    """

    def __init__(self, dim: int, graph_dim: int, sampled: bool) -> None:
        super().__init__()
        self.sampled = sampled
        self.node = nn.Sequential(nn.Linear(dim, graph_dim), nn.ReLU())
        self.gaussian = _mlp(graph_dim, 2 * graph_dim) if sampled else None
        self.part = _mlp(graph_dim, graph_dim)
        self.dive = nn.Sequential(nn.Linear(graph_dim, graph_dim), nn.ReLU())
        self.last = nn.Linear(graph_dim, 1)
        xavier(self)

    def distribution(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of every sub-action: (N, A, G) each."""
        assert self.gaussian is not None
        mean, log_variance = self.gaussian(self.node(actions)).float().chunk(2, dim=-1)
        return mean, log_variance

    def forward(self, actions: Tensor, present: Tensor, noise: Tensor) -> Tensor:
        """Scores over difficulty (samples, N).

        ``noise`` (samples, N or 1, A, G), standard normal; not read where nothing is sampled.
        """
        if self.sampled:
            mean, log_variance = self.distribution(actions)
            nodes = mean + (0.5 * log_variance).exp() * noise  # (samples, N, A, G)
        else:
            nodes = self.node(actions)[None]
        mask = present[..., None].to(nodes.dtype)  # (N, A, 1)
        count = torch.stack([mask[:, part].sum(1) for part in RUBRIC])  # (3, N, 1)
        parts = torch.stack([(nodes * mask)[:, :, part].sum(2) for part in RUBRIC], dim=1)  # (samples, 3, N, G)
        there = (count > 0).to(nodes.dtype)
        # a dive of which the labels name no take-off, or no flight, is what it has; the public code divides by zero
        dive = (self.part(parts / count.clamp(min=1)) * there).sum(1) / there.sum(0)  # (samples, N, G)
        return self.last(self.dive(dive))[..., 0]


def _mlp(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, out))


_PLACE = {action: place for place, action in enumerate(ACTIONS)}


def present_actions(sub_actions: Tensor) -> Tensor:
    """Which of :data:`ACTIONS` the dives have: ids (N, M), -1 where none -> bool (N, A). All have the entry."""
    places = torch.full((max(ACTIONS) + 2,), -1, device=sub_actions.device)
    for action, place in _PLACE.items():
        places[action] = place
    found = places[sub_actions.clamp(-1, max(ACTIONS) + 1)]  # -1, and ids that are not known, are the last
    present = F.one_hot(found + 1, len(ACTIONS) + 1)[..., 1:].amax(1).bool()
    present[:, _PLACE[ENTRY]] = True
    return present


def _centres(attention: Tensor) -> Tensor:
    """Mean time of the attention (..., n), counted from 1: (...,)."""
    times = torch.arange(1, attention.shape[-1] + 1, device=attention.device, dtype=attention.dtype)
    return (attention * times).sum(-1)


def rank_loss(attention: Tensor, present: Tensor) -> Tensor:
    """Present sub-actions follow each other in time, :data:`RANK_MARGIN` snippets apart and from both ends.

    Attention (N, layers, heads, A, n), present (N, A). Mean over all neighbouring pairs, plus the means over clips,
    layers and heads of the two ends.
    """
    centres, n = _centres(attention), attention.shape[-1]
    gaps, first, last = [], [], []
    for clip, there in zip(centres, present, strict=True):
        row = clip[..., there]  # (layers, heads, present)
        gaps.append(F.relu(RANK_MARGIN - row.diff(dim=-1)).flatten())
        first.append(F.relu(RANK_MARGIN - (row[..., 0] - 1)))
        last.append(F.relu(RANK_MARGIN - (n - row[..., -1])))
    between = torch.cat(gaps)
    return between.sum() / max(len(between), 1) + torch.stack(first).mean() + torch.stack(last).mean()


def sparse_loss(attention: Tensor) -> Tensor:
    """Mean distance of the attention (N, layers, heads, A, n) from its centre, over all rows, absent ones too."""
    times = torch.arange(1, attention.shape[-1] + 1, device=attention.device, dtype=attention.dtype)
    return (attention * (times - _centres(attention)[..., None]).abs()).sum(-1).mean()


def kl_loss(mean: Tensor, log_variance: Tensor, present: Tensor) -> Tensor:
    """Divergence of the present sub-actions' Gaussians (N, A, G) from the standard one, a clip and a channel."""
    divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1)
    return (divergence * present[..., None]).sum() / (len(mean) * mean.shape[-1])


def kl_weight(epoch: int) -> float:
    """In the epoch, counted from 0: three times as much every tenth epoch after the thirtieth, up to a limit."""
    steps = min(max(epoch - KL_FROM, 0) // KL_EPOCHS, 100)
    return min(KL_FIRST * KL_FACTOR**steps, KL_LAST)
