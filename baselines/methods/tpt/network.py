"""The network of TPT: temporal parsing transformer.

Source: Bai et al., "Action quality assessment with temporal parsing transformer", ECCV 2022, and the public code,
github.com/baiyang4/aqa_tpt, commit cf6d163. Where that code does what it surely did not mean, or what fits another
number of snippets, what it does is an option; the preset ``released`` switches them all on.
Symbols: N clips, B pairs, n snippets (9), C channels of I3D (1024), K parts (5), D width (512), L groups (16).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.modules.groups import Decoding, OutOfRange, ScoreGroups

FIRST_TEMPERATURE = 0.07
MARGIN_OF_THE_CLIP = 3.2 / 19
"""The public code's margin between two parts, as a share of the time from the first of its twenty snippets to the
last."""


class Encoded(NamedTuple):
    """What the model knows of N clips, each on its own."""

    parts: Tensor
    """(N, K, D)"""


class ParsingLayer(nn.Module):
    """Parts look at snippets, (B, K, D), (B, n, C) -> (B, K, D), and how much at each, (B, n, K).

    Every residual is followed by a layer norm. ``together`` adds self-attention of the parts at the end.
    """

    def __init__(self, channels: int, width: int, heads: int, dropout: float, together: bool) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.tensor(FIRST_TEMPERATURE))
        self.key = nn.Linear(channels, width)
        self.value = nn.Linear(channels, width)
        self.query = nn.Linear(width, width)
        self.norm_seen = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width))
        self.norm_mlp = nn.LayerNorm(width)
        self.together = nn.MultiheadAttention(width, heads, dropout, batch_first=True) if together else None
        self.norm_together = nn.LayerNorm(width) if together else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, parts: Tensor, position: Tensor, snippets: Tensor) -> tuple[Tensor, Tensor]:
        """``position`` (K, D) tells the parts apart: it is added to queries and keys, not to what they carry."""
        query = self.query(parts + position)  # (B, K, D)
        attention = self.key(snippets) @ query.transpose(1, 2) / query.shape[-1] / self.temperature  # (B, n, K)
        attention = attention.softmax(1)
        parts = self.norm_seen(parts + self.dropout(attention.transpose(1, 2) @ self.value(snippets)))
        parts = self.norm_mlp(parts + self.dropout(self.mlp(parts)))
        if self.together is not None and self.norm_together is not None:
            placed = parts + position
            heard = self.together(placed, placed, parts, need_weights=False)[0]
            parts = self.norm_together(parts + self.dropout(heard))
        return parts, attention


class PartParser(nn.Module):
    """Snippets to parts, which learned queries find: (B, n, C) -> (B, K, D), and attention (layers, B, n, K)."""

    def __init__(self, channels: int, parts: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.empty(parts, width))
        self.layers = nn.ModuleList(
            ParsingLayer(channels, width, heads, dropout, together) for together in (True, False)
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, snippets: Tensor) -> tuple[Tensor, Tensor]:
        parts = torch.zeros_like(self.position).expand(len(snippets), -1, -1)
        seen = []
        for layer in self.layers:
            parts, attention = layer(parts, self.position, snippets)
            seen.append(attention)
        return parts, torch.stack(seen)


class TPT(nn.Module):
    """Scores a dive by comparing its parts, found without labels, with those of exemplars.

    Parameters
    ----------
    i3d : arguments of the encoder, :class:`~baselines.backbones.i3d.I3D`
    parts, width, heads : K, D, heads of the self-attention
    hidden : width of the hidden layer by which a pair becomes a group, and a place in it
    groups : L, of score differences, :class:`~baselines.modules.groups.ScoreGroups`
    rank_margin : how far apart the parts are to be, and from the ends, in snippets; None takes
        :data:`MARGIN_OF_THE_CLIP` of the clip, 1.35 for nine snippets. The public code has 3.2, for twenty
    sparse_weight : of the loss that keeps a part's attention together
    score_range, out_of_range, decoding : see :class:`~baselines.modules.groups.ScoreGroups`
    """

    def __init__(
        self,
        i3d: Mapping[str, Any] | None = None,
        parts: int = 5,
        width: int = 512,
        heads: int = 8,
        hidden: int = 128,
        groups: int = 16,
        dropout: float = 0.1,
        rank_margin: float | None = None,
        sparse_weight: float = 0.05,
        score_range: float = 30.0,
        out_of_range: OutOfRange = "nearest",
        decoding: Decoding = "likeliest",
    ) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"width={width} can't be split in {heads} attention heads")
        self.rank_margin, self.sparse_weight = rank_margin, sparse_weight
        self.i3d = I3D(**i3d or {})
        self.parser = PartParser(self.i3d.out_channels, parts, width, heads, dropout)
        self.pair = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width))
        self.classify = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, groups))
        self.place = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, groups), nn.Sigmoid())
        self.groups = ScoreGroups(groups, score_range, out_of_range, decoding)

    def prepare(self, labels: Batch) -> None:
        """Bounds of the groups from all pairs of training dives."""
        self.groups.fit(labels)

    def encode(self, batch: Batch) -> Encoded:
        """Parts of N clips."""
        return Encoded(self.parser(self.i3d.features(batch))[0])

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor | None = None) -> Tensor:
        """How far B queries are above their exemplars, in units of the target: (B,).

        The exemplar's score is not read.
        """
        return self.groups.decode(*self.classified(query, exemplar))

    def classified(self, query: Encoded, exemplar: Encoded) -> tuple[Tensor, Tensor]:
        """Log-probability and place of the groups for B pairs, (B, L) twice.

        In full precision also where the encoder is not.
        """
        with torch.autocast(query.parts.device.type, enabled=False):
            both = torch.cat([exemplar.parts.float(), query.parts.float()], dim=2)  # (B, K, 2 D)
            pair = self.pair(both).mean(1)  # (B, D)
            return self.classify(pair).log_softmax(1), self.place(pair)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of B pairs among N clips, each clip encoded once, both ways."""
        query, exemplar, score = given(batch.query), given(batch.exemplar), given(batch.score)
        parts, attention = self.parser(self.i3d.features(batch))
        clips = Encoded(parts)
        q, e = pick(clips, query), pick(clips, exemplar)
        above = score[query] - score[exemplar]
        group_loss, place_loss = self.groups.loss(*self.classified(q, e), above)
        group_back, place_back = self.groups.loss(*self.classified(e, q), -above)
        return {
            "group_loss": group_loss + group_back,
            "place_loss": place_loss + place_back,
            "rank_loss": rank_loss(attention, self.rank_margin),
            "sparse_loss": self.sparse_weight * sparse_loss(attention),
        }


def centres(attention: Tensor) -> Tensor:
    """Where the parts look on average, in snippets counted from 1: (..., n, K) -> (..., K)."""
    times = torch.arange(1, attention.shape[-2] + 1, device=attention.device, dtype=attention.dtype)
    return (times[:, None] * attention).sum(-2)


def rank_loss(attention: Tensor, margin: float | None = None) -> Tensor:
    """How much the parts lack of the order that they are numbered in, ``margin`` apart: (layers, N, n, K) -> a scalar.

    The first and the last are to be as far from the ends of the clip, too. Summed over parts and layers, mean over
    clips. ``margin`` is in snippets; None takes :data:`MARGIN_OF_THE_CLIP`.
    """
    last = attention.shape[-2]
    margin = MARGIN_OF_THE_CLIP * (last - 1) if margin is None else margin
    gaps = F.pad(F.pad(centres(attention), (1, 0), value=1.0), (0, 1), value=float(last)).diff(dim=-1)
    return (margin - gaps).relu().sum(-1).mean(1).sum()


def sparse_loss(attention: Tensor) -> Tensor:
    """How far from its centre each part looks, in snippets: (layers, N, n, K) -> a scalar, summed over the layers."""
    times = torch.arange(1, attention.shape[-2] + 1, device=attention.device, dtype=attention.dtype)
    away = (times[:, None] - centres(attention)[..., None, :]).abs()  # (layers, N, n, K)
    return (away * attention).sum(-2).mean((1, 2)).sum()
