"""HPMCR: action quality assessment by hierarchical pose-guided multi-stage contrastive regression.

Source: arXiv 2501.03674 and the public code of HP-MCoRe and MCoRe, whose model
files are partly missing; what had to be inferred says so where it stands.
Symbols: N clips, B pairs, T frames (96), S stages (3), K tokens a stage (10), D width (256).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from baselines.backbones.gsm_regnet import GSMRegNet
from baselines.backbones.hdgcn import HDGCN
from baselines.backbones.i3d import I3D
from baselines.losses import stage_contrast
from baselines.modules.fusion import PoseGuidedFusion
from baselines.modules.regressor import StageRegressor, StageWeights
from baselines.modules.segmentation import ProcedureSegmentation, predict_transitions, segmentation_loss
from baselines.modules.stages import pool_stages, stage_reducer, thirds

PARTS = ("skeleton", "static", "fusion", "contrast", "segmentation")
"""What can be left out of the model, to see what it is worth."""


class Encoded(NamedTuple):
    """What the model knows of N clips, each on its own."""

    fused: Tensor
    """(N, S, K, D) visual tokens that have seen the skeleton."""
    static: Tensor
    """(N, S, K, D) tokens of the single frames."""
    logits: Tensor
    """(N, T, 2) transition logits."""
    transitions: Tensor
    """(N, 2) the transitions that the stages were cut at, frames of the T."""

    def pick(self, clips: Tensor) -> Encoded:
        """The clips of these indices, in this order, with repetition."""
        return Encoded(*(field[clips] for field in self))


class HPMCR(BaseModel):
    """Scores a dive by comparing it, stage by stage, with exemplars whose score is known.

    Parameters
    ----------
    frames : T, frames of a clip
    i3d, static, skeleton : arguments of the three encoders; the skeleton encoder's last width must be ``dim``
    dim, tokens, depth, heads : D, K, decoder blocks, attention heads
    score_unit : points that an output of 1 stands for. 1 as published; a larger unit
        lets a short training reach differences of tens of points
    contrast_weight : weight of both contrastive losses
    without : parts to leave out, of :data:`PARTS`. skeleton: fused tokens are the visual ones. static: only
        fused tokens are compared (the encoder remains, since the segmentation reads it). fusion: visual and
        skeleton tokens are added. contrast: neither contrastive loss. segmentation: no transitions are
        learned, stages are equal thirds
    """

    def __init__(
        self,
        frames: int = 96,
        i3d: Mapping[str, Any] | None = None,
        static: Mapping[str, Any] | None = None,
        skeleton: Mapping[str, Any] | None = None,
        dim: int = 256,
        tokens: int = 10,
        depth: int = 4,
        heads: int = 2,
        score_unit: float = 1.0,
        contrast_weight: float = 1.0,
        without: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if unknown := set(without) - set(PARTS):
            raise ValueError(f"the model has no parts {sorted(unknown)}; it can do without {', '.join(PARTS)}")
        self.without = frozenset(without)
        self.tokens, self.score_unit, self.contrast_weight = tokens, score_unit, contrast_weight
        self.dynamic = I3D(**i3d or {})
        self.static = GSMRegNet(frames, **static or {})
        self.skeleton = HDGCN(**skeleton or {})
        if self.skeleton.out_channels != dim:
            raise ValueError(f"the skeleton encoder ends in {self.skeleton.out_channels} channels, dim is {dim}")
        self.segmentation = ProcedureSegmentation(self.static.out_channels)
        self.reduce_dynamic = stage_reducer(self.dynamic.out_channels, dim)
        self.reduce_static = stage_reducer(self.static.out_channels, dim)
        self.fusion = PoseGuidedFusion(dim, heads)
        self.compare_fused = StageRegressor(dim, depth, heads)
        self.compare_static = StageRegressor(dim, depth, heads)
        self.stage_weights = StageWeights()  # shared by both branches
        # what is left out is built first, so that the rest starts from the same random weights
        dropped = {
            "skeleton": ("skeleton", "fusion"),
            "fusion": ("fusion",),
            "static": ("reduce_static", "compare_static"),
        }
        for name in {n for part in self.without for n in dropped.get(part, ())}:
            setattr(self, name, nn.Identity())

    def forward(self, mode: str = "tensor", **batch: Tensor) -> Any:
        """Entry point of the training loop: ``mode`` is ``tensor`` (encode), ``loss`` or ``predict``."""
        return {"tensor": self.encode, "loss": self.loss, "predict": self.predict}[mode](**batch)

    def encode(self, video: Tensor, pose: Tensor, transitions: Tensor | None = None) -> Encoded:
        """Encode clips: video (N, 3, T, H, W) normalised RGB, pose (N, C, T, 16, 1).

        ``transitions`` (N, 2) cuts the stages; without it the predicted ones do.
        """
        static = self.static(video)  # (N, T, 368)
        logits = self.segmentation(static)  # (N, T, 2)
        cut = predict_transitions(logits) if transitions is None else transitions
        if "segmentation" in self.without:
            cut = thirds(cut, video.shape[2])
        dynamic = pool_stages(self.dynamic(video), cut // self.dynamic.stride, self.tokens)  # (N, S, K, 1024)
        return Encoded(
            fused=self._fuse(self.reduce_dynamic(dynamic), pose, cut),
            static=self.reduce_static(pool_stages(static, cut, self.tokens)),
            logits=logits,
            transitions=cut,
        )

    def _fuse(self, visual: Tensor, pose: Tensor, cut: Tensor) -> Tensor:
        """Visual tokens (N, S, K, D) that have seen the skeleton's."""
        if "skeleton" in self.without:
            return visual
        skeleton = pool_stages(self.skeleton(pose).transpose(1, 2), cut, self.tokens)  # (N, S, K, D)
        return visual + skeleton if "fusion" in self.without else self.fusion(visual, skeleton)

    def compare(self, query: Encoded, exemplar: Encoded) -> Tensor:
        """How many points the query is above its exemplar: B pairs -> (B,)."""
        return self.compare_stages(query, exemplar).sum(1)

    def compare_stages(self, query: Encoded, exemplar: Encoded) -> Tensor:
        """The same by stage, weights applied: B pairs -> (B, S), points that add up to :meth:`compare`."""
        relative = self.compare_fused(query.fused, exemplar.fused)  # (B, S)
        if "static" not in self.without:
            relative = (relative + self.compare_static(query.static, exemplar.static)) / 2
        return relative * self.stage_weights.shares * self.score_unit

    def loss(
        self, video: Tensor, pose: Tensor, transitions: Tensor, score: Tensor, query: Tensor, exemplar: Tensor
    ) -> dict[str, Tensor]:
        """Losses of B pairs among N clips, each clip encoded once; stages cut at the true transitions.

        Parameters
        ----------
        score : (N,) points
        query, exemplar : (B,) indices among the N clips
        """
        clips = self.encode(video, pose, transitions)
        q, e = clips.pick(query), clips.pick(exemplar)
        difference = score[query] - score[exemplar]
        both_ways = F.mse_loss(self.compare(q, e), difference) + F.mse_loss(self.compare(e, q), -difference)
        losses = {"score_loss": both_ways / self.score_unit**2}
        if "segmentation" not in self.without:
            losses["segmentation_loss"] = segmentation_loss(clips.logits, transitions)
        if "contrast" not in self.without:
            losses["fused_contrast_loss"] = self.contrast_weight * stage_contrast(q.fused, e.fused)
            if "static" not in self.without:
                losses["static_contrast_loss"] = self.contrast_weight * stage_contrast(q.static, e.static)
        return losses

    @torch.no_grad()
    def predict(self, video: Tensor, pose: Tensor, query: Tensor, exemplar: Tensor, exemplar_score: Tensor) -> Tensor:
        """Scores in points of B queries, one vote each: the exemplar's score plus the relative score. (B,)."""
        clips = self.encode(video, pose)
        return exemplar_score + self.compare(clips.pick(query), clips.pick(exemplar))
