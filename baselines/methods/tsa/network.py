"""The network of TSA: temporal segmentation attention.

Source: Xu et al., "FineDiving: a fine-grained dataset for procedure-aware action quality assessment", CVPR 2022, and
the public code, github.com/xujinglin/FineDiving, commit a2b8057. Where that code does what it surely did not mean,
what it does is an option; the preset ``released`` switches them all on.
Symbols: N clips, B pairs, T frames (96), n snippets (9), C channels of I3D (1024), W = C / 16 (64), P places of the
map (16), S stages (3), K tokens a stage (5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.modules.regressor import StageRegressor, relative_score_loss
from baselines.modules.segmentation import transition_rule
from baselines.modules.stages import STAGES, equal_parts, pool_stages

HEAD = (256, 64)
"""Widths of the hidden layers that turn a token into a number."""


class Encoded(NamedTuple):
    """What the model knows of N clips, each on its own."""

    tokens: Tensor
    """(N, S, K, W), read where the clip is the query."""
    maps: Tensor
    """(N, S, K P, W), read where it is the exemplar; the place changes fastest."""
    logits: Tensor
    """(N, T, S - 1) transition logits."""
    transitions: Tensor
    """(N, S - 1) frames that the stages were cut at."""


class Parser(nn.Module):
    """Features of n snippets to features of T frames, and transition logits: (B, n, C) -> (B, T, C / 16), (B, T, 2).

    One-dimensional convolutions along the C features, the snippets being the channels; their last channels are taken
    as the frames.

    Raises
    ------
    ValueError
        T is not a multiple of 8, or C not of 16.
    """

    def __init__(self, snippets: int, channels: int, frames: int) -> None:
        super().__init__()
        if frames % 8 or channels % 16:
            raise ValueError(f"frames={frames} has to be a multiple of 8, and I3D's {channels} channels of 16")
        widths = (snippets, frames // 8, frames // 4, frames // 2, frames, frames)
        self.blocks = nn.ModuleList(_two_convolutions(a, b) for a, b in pairwise(widths))
        self.out_channels = channels // 16
        self.transitions = nn.Sequential(
            nn.Linear(self.out_channels, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, STAGES - 1)
        )

    def features(self, snippets: Tensor) -> Tensor:
        """(B, n, C) -> (B, T, C / 16)."""
        first, *rest = self.blocks
        x = first(snippets)  # (B, T / 8, C)
        for block in rest:
            x = block(F.max_pool1d(x, 2))
        return x

    def forward(self, snippets: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(snippets)
        return features, self.transitions(features)


def _two_convolutions(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, out, 3, padding=1), nn.BatchNorm1d(out), nn.ReLU(),
        nn.Conv1d(out, out, 3, padding=1), nn.BatchNorm1d(out), nn.ReLU(),
    )  # fmt: skip


class TSA(nn.Module):
    """Scores a dive by letting its tokens look, stage by stage, at the feature maps of exemplars.

    Parameters
    ----------
    frames : T, frames of a clip, a multiple of 8
    i3d : arguments of the encoder, :class:`~baselines.backbones.i3d.I3D`
    tokens, depth, heads : K, decoder blocks, attention heads
    maps : ``places``, the parser reads each place of the map on its own; ``released``, the public code's reshaping
        without moving axes, by which a place is a mixture of snippets, channels and places
    predict : ``ordered``, the likeliest transitions in rising order; ``halves``, the public code's: the first in the
        first half of the clip, the second in the last, wherever the true ones are
    true_stages_until : share of the training in which stages are cut at the true transitions, then at predicted ones
    score_unit : points that an output of 1 stands for. 1 as published; a larger unit lets a short training reach
        differences of tens of points
    start_equal : before training every dive equals its exemplar
    without : parts to leave out, of ``TSAMethod.parts``
    """

    def __init__(
        self,
        frames: int = 96,
        i3d: Mapping[str, Any] | None = None,
        tokens: int = 5,
        depth: int = 3,
        heads: int = 8,
        maps: Literal["places", "released"] = "places",
        predict: Literal["ordered", "halves"] = "ordered",
        true_stages_until: float = 0.25,
        score_unit: float = 1.0,
        start_equal: bool = False,
        without: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if maps not in ("places", "released"):
            raise ValueError(f"maps={maps!r}; it is places or released")
        self.tokens, self.maps, self.score_unit, self.true_stages_until = tokens, maps, score_unit, true_stages_until
        self.predict_transitions = transition_rule(predict)
        self.without = frozenset(without)
        self.progress = 0.0  # share of the training that is over
        self.i3d = I3D(**i3d or {})
        self.parser = Parser(self.i3d.snippets(frames), self.i3d.out_channels, frames)
        self.regressor = StageRegressor(self.parser.out_channels, depth, heads, start_equal, widths=HEAD)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Called before each epoch of the training, counted from 0."""
        self.progress = epoch / epochs

    def encode(self, batch: Batch, transitions: Tensor | None = None) -> Encoded:
        """Encode N clips. ``transitions`` (N, S - 1) cuts the stages; without it the predicted ones do."""
        snippets, maps = self.i3d.features_and_maps(batch)  # (N, n, C), (N, n, C, 4, 4)
        frames, logits = self.parser(snippets)  # (N, T, W), (N, T, S - 1)
        cut = self.predict_transitions(logits) if transitions is None else transitions
        if "segmentation" in self.without:
            cut = equal_parts(frames.shape[1], STAGES).to(frames.device).expand(len(frames), -1)
        places = self._parse_maps(maps.flatten(3))  # (N, T, P, W)
        by_stage = pool_stages(places.flatten(2), cut, self.tokens, half_open=True)  # (N, S, K, P W)
        return Encoded(
            tokens=pool_stages(frames, cut, self.tokens, half_open=True),
            maps=by_stage.unflatten(3, places.shape[2:]).flatten(2, 3),
            logits=logits,
            transitions=cut,
        )

    def _parse_maps(self, maps: Tensor) -> Tensor:
        """The parser's features of every place: (N, n, C, P) -> (N, T, P, W)."""
        clips, snippets, channels, places = maps.shape
        if self.maps == "released":
            mixed = self.parser.features(maps.reshape(-1, snippets, channels))  # (N P, T, W)
            return mixed.reshape(clips, *mixed.shape[1:], places).transpose(2, 3)
        parsed = self.parser.features(maps.permute(0, 3, 1, 2).flatten(0, 1))  # (N P, T, W)
        return parsed.unflatten(0, (clips, places)).transpose(1, 2)

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor | None = None) -> Tensor:
        """How many points each stage puts the query above its exemplar: B pairs -> (B, S). All stages weigh the same.

        The exemplar's score is not read. In full precision also where the encoder is not.
        """
        with torch.autocast(query.tokens.device.type, enabled=False):
            by_stage = self.regressor(query.tokens.float(), exemplar.maps.float())  # (B, S)
        return by_stage * self.score_unit / STAGES

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of B pairs among N clips, each clip encoded once."""
        query, exemplar, score = given(batch.query), given(batch.exemplar), given(batch.score)
        clips = self.encode(batch, batch.transitions if self.progress <= self.true_stages_until else None)
        q, e = pick(clips, query), pick(clips, exemplar)
        forth, back = self.compare(q, e).sum(1), self.compare(e, q).sum(1)
        losses = {"score_loss": relative_score_loss(forth, back, score[query] - score[exemplar], self.score_unit)}
        if "segmentation" not in self.without:
            losses["segmentation_loss"] = transition_loss(clips.logits, given(batch.transitions))
        return losses


def transition_loss(logits: Tensor, transitions: Tensor) -> Tensor:
    """Binary cross-entropy of "this frame is the transition", mean over clips, frames and transitions.

    Parameters
    ----------
    logits : (N, T, S - 1)
    transitions : (N, S - 1) integers, frames of the true transitions
    """
    here = F.one_hot(transitions, logits.shape[1]).transpose(1, 2)  # (N, T, S - 1)
    return F.binary_cross_entropy_with_logits(logits.float(), here.float())
