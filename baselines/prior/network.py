"""A scorer that reads poses alone: what is pre-trained on dives that nobody filmed.

Its parts are those of a comparative scorer of stages, so that such a method starts from them: an encoder of skeletons,
fusion with visual tokens (here there are none), a regressor that compares two dives stage by stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.hdgcn import HDGCN
from baselines.modules.facts import FactsHead
from baselines.modules.fusion import PoseGuidedFusion
from baselines.modules.regressor import StageRegressor, StageWeights
from baselines.modules.segmentation import ProcedureSegmentation, predict_transitions, segmentation_loss
from baselines.modules.stages import STAGES, pool_stages

SCORE_UNIT = 10.0
"""Points of execution, the sum of three awards, that an output of 1 stands for."""


class PoseScorer(nn.Module):
    """Compares dives, and tells their quality, faults and stages, from poses alone.

    Parameters
    ----------
    skeleton : arguments of the skeleton encoder, HD-GCN
    faults : how many faults it learns to tell
    tokens : of each stage
    depth, heads : decoder blocks and attention heads of the regressor
    """

    def __init__(
        self,
        skeleton: Mapping[str, Any] | None = None,
        faults: int = 9,
        tokens: int = 12,
        depth: int = 1,
        heads: int = 2,
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.skeleton = HDGCN(**skeleton or {})
        dim = self.skeleton.out_channels
        self.segmentation = ProcedureSegmentation(dim, dropout=0.1)
        self.fusion = PoseGuidedFusion(dim, heads, STAGES, residual=True)
        self.compare_stages = StageRegressor(dim, depth, heads, start_equal=True, antisymmetric=True)
        self.stage_weights = StageWeights(STAGES)
        self.facts = FactsHead(dim, 1 + faults)

    def encode(self, pose: Tensor, transitions: Tensor | None) -> tuple[Tensor, Tensor]:
        """Tokens (N, S, K, D) of poses (N, 2, T, 16, 1), and logits of the transitions (N, T, S - 1).

        ``transitions`` (N, S - 1) cuts the stages; without it the predicted ones do.
        """
        features = self.skeleton(pose).transpose(1, 2)  # (N, T, D)
        logits = self.segmentation(features)
        cut = predict_transitions(logits) if transitions is None else transitions
        tokens = pool_stages(features, cut, self.tokens)
        return self.fusion(torch.zeros_like(tokens), tokens), logits

    def compare(self, query: Tensor, exemplar: Tensor) -> Tensor:
        """How far B queries are above their exemplars by stage, in :data:`SCORE_UNIT`: (B, S).

        Halved, as the mean of two branches of which the other, that of pictures, sees no difference.
        """
        return self.stage_weights(self.compare_stages(query, exemplar) / 2)


def wrong_facts(told: Tensor, facts: Tensor) -> Tensor:
    """How far what is told is from the facts, both (N, facts); 0 where a fact is NaN, not known."""
    return torch.where(facts.isfinite(), told - facts.nan_to_num(), 0.0)


COMPARE, FACTS, TRANSITIONS = 1.0, 0.2, 0.1
"""Weights of the losses of :func:`prior_losses`."""


def prior_losses(network: PoseScorer, batch: Mapping[str, Tensor], pairs: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """Named losses of N unfilmed dives and B pairs of them.

    ``compare``: squared error of the points between two dives; ``quality`` and ``faults``: squared error; of the
    ``transitions`` the cross-entropy.
    """
    tokens, logits = network.encode(batch["pose"], batch["transitions"])
    query, exemplar = pairs
    above = network.compare(tokens[query], tokens[exemplar]).sum(1)
    difference = (batch["execution"][query] - batch["execution"][exemplar]) / SCORE_UNIT
    wrong = wrong_facts(network.facts(tokens), batch["facts"])
    return {
        "compare": COMPARE * F.mse_loss(above, difference),
        "quality": FACTS * wrong[:, 0].square().mean(),
        "faults": FACTS * wrong[:, 1:].square().mean(),
        "transitions": TRANSITIONS * segmentation_loss(logits, batch["transitions"]),
    }
