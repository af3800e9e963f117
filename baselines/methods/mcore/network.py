"""The network of MCoRe: multi-stage contrastive regression.

Source: An et al., "Multi-stage contrastive regression for action quality assessment", ICASSP 2024 (arXiv 2401.02841),
and the public code, github.com/Angel-1999/MCoRe, commit 0a3e4b3. Where that code does what it surely did not mean,
what it does is an option; the preset ``released`` switches them all on.
Symbols: N clips, B pairs, T frames (96), S stages (3), K tokens a stage (5), C channels (368).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from baselines.backbones.gsm_regnet import GSMRegNet
from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.modules.contrast import stage_contrast
from baselines.modules.regressor import StageRegressor, relative_score_loss
from baselines.modules.segmentation import ProcedureSegmentation, segmentation_loss, transition_rule
from baselines.modules.stages import STAGES, equal_parts, pool_stages

HEAD = (256, 64)
"""Widths of the hidden layers that turn a token into a number."""


class Encoded(NamedTuple):
    """What the model knows of N clips, each on its own."""

    tokens: Tensor
    """(N, S, K, C)"""
    logits: Tensor
    """(N, T, S - 1) transition logits."""
    transitions: Tensor
    """(N, S - 1) frames that the stages were cut at."""


class MCoRe(nn.Module):
    """Scores a dive by comparing the features of its frames, stage by stage, with those of exemplars.

    Parameters
    ----------
    frames : T, frames of a clip
    static : arguments of the encoder, :class:`~baselines.backbones.gsm_regnet.GSMRegNet`
    tokens, depth, heads : K, decoder blocks, attention heads
    temperature, contrast_weight : of the contrastive loss between the tokens of a stage
    predict : ``ordered``, the likeliest transitions in rising order; ``halves``, the public code's: the first in the
        first half of the clip, the second in the last, wherever the true ones are
    second_transition_weight : in the segmentation loss; the public code has 2, surely a slip
    score_unit : points that an output of 1 stands for. 1 as published; a larger unit lets a short training reach
        differences of tens of points
    start_equal : before training every dive equals its exemplar
    without : parts to leave out, of ``MCoReMethod.parts``
    """

    def __init__(
        self,
        frames: int = 96,
        static: Mapping[str, Any] | None = None,
        tokens: int = 5,
        depth: int = 3,
        heads: int = 8,
        temperature: float = 0.5,
        contrast_weight: float = 1.0,
        predict: Literal["ordered", "halves"] = "ordered",
        second_transition_weight: float = 1.0,
        score_unit: float = 1.0,
        start_equal: bool = False,
        without: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.tokens, self.score_unit = tokens, score_unit
        self.temperature, self.contrast_weight = temperature, contrast_weight
        self.second_transition_weight = second_transition_weight
        self.predict_transitions = transition_rule(predict)
        self.without = frozenset(without)
        self.static = GSMRegNet(frames, **static or {})
        channels = self.static.out_channels
        self.segmentation = ProcedureSegmentation(channels)
        self.regressor = StageRegressor(channels, depth, heads, start_equal, widths=HEAD)

    def encode(self, batch: Batch, transitions: Tensor | None = None) -> Encoded:
        """Encode N clips. ``transitions`` (N, S - 1) cuts the stages; without it the predicted ones do."""
        frames = self.static.of(batch)  # (N, T, C)
        logits = self.segmentation(frames)  # (N, T, S - 1)
        cut = self.predict_transitions(logits) if transitions is None else transitions
        if "segmentation" in self.without:
            cut = equal_parts(frames.shape[1], STAGES).to(frames.device).expand(len(frames), -1)
        return Encoded(pool_stages(frames, cut, self.tokens, half_open=True), logits, cut)

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor | None = None) -> Tensor:
        """How many points each stage puts the query above its exemplar: B pairs -> (B, S). All stages weigh the same.

        The exemplar's score is not read. In full precision also where the encoder is not.
        """
        with torch.autocast(query.tokens.device.type, enabled=False):
            by_stage = self.regressor(query.tokens.float(), exemplar.tokens.float())  # (B, S)
        return by_stage * self.score_unit / STAGES

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of B pairs among N clips, each clip encoded once; stages cut at the true transitions."""
        query, exemplar, score = given(batch.query), given(batch.exemplar), given(batch.score)
        clips = self.encode(batch, batch.transitions)
        q, e = pick(clips, query), pick(clips, exemplar)
        forth, back = self.compare(q, e).sum(1), self.compare(e, q).sum(1)
        losses = {"score_loss": relative_score_loss(forth, back, score[query] - score[exemplar], self.score_unit)}
        if "segmentation" not in self.without:
            true = given(batch.transitions)
            losses["segmentation_loss"] = segmentation_loss(clips.logits, true, self.second_transition_weight)
        if "contrast" not in self.without:
            losses["contrast_loss"] = self.contrast_weight * token_contrast(q.tokens, e.tokens, self.temperature)
        return losses


def token_contrast(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Contrast of the tokens within each stage, (B, S, K, C) twice, both ways, mean, times 10: a scalar.

    For token i of a stage of one clip the positive is token i of that stage of the other; the negatives are the other
    tokens of the stage in both.
    """
    return stage_contrast(a.flatten(0, 1).unsqueeze(2), b.flatten(0, 1).unsqueeze(2), temperature)
