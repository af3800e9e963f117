"""The network of HPMCR: hierarchical pose-guided multi-stage contrastive regression.

Source: arXiv 2501.03674 and the public code of HP-MCoRe and MCoRe. Where that code does what it surely did not mean,
or the paper says otherwise, what it does is an option; ``configs/released.py`` switches them all on.
Symbols: N clips, B pairs, T frames (96), S stages (3), K tokens a stage (10), D width (256).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.gsm_regnet import GSMRegNet
from baselines.backbones.hdgcn import HDGCN
from baselines.backbones.i3d import I3D
from baselines.backbones.splash_finder import SplashFinder
from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.methods.hpmcr.beside import PriorBeside
from baselines.methods.hpmcr.prior import FAULT_UNITS, faults_in_units, start_from_prior, with_splash
from baselines.modules.contrast import stage_contrast
from baselines.modules.facts import FactsHead
from baselines.modules.fusion import PoseBiasedFusion, PoseGuidedFusion
from baselines.modules.regressor import SplashHead, StageRegressor, StageWeights, relative_score_loss
from baselines.modules.segmentation import (
    ProcedureSegmentation,
    predict_transitions,
    predict_transitions_by_halves,
    segmentation_loss,
)
from baselines.modules.splash import SplashJudge
from baselines.modules.stages import (
    STAGE_NAMES,
    Stages,
    equal_parts,
    number_of_slots,
    pool_stages,
    present_stages,
    stage_reducer,
)


class Encoded(NamedTuple):
    """What the model knows of N clips, each on its own."""

    fused: Tensor
    """(N, S, K, D) visual tokens that have seen the skeleton."""
    static: Tensor
    """(N, S, K, D) tokens of the single frames."""
    logits: Tensor
    """(N, T, S - 1) transition logits."""
    splash: Tensor
    """(N, 3) what the splash says, see :class:`~baselines.modules.splash.SplashJudge`; nothing without a finder."""
    beside: Tensor
    """(N, S, K', D') what the prior beside the model reads of poses; nothing without it."""
    transitions: Tensor
    """(N, S - 1) the transitions that the stages were cut at, frames of the T; -1 for a stage that a dive has not."""

    @property
    def present(self) -> Tensor:
        """(N, S) which stages the dives have."""
        return present_stages(self.transitions)

    def pick(self, clips: Tensor) -> Encoded:
        """The clips of these indices, in this order, with repetition."""
        return pick(self, clips)


_MODULES = {
    "skeleton": ("skeleton", "fusion"),
    "fusion": ("fusion",),
    "static": ("reduce_static", "compare_static"),
}
"""What goes where a part is left out. It is built first, so that the rest starts from the same random weights."""


def _check_options(
    fusion: str, reducer: str, predict: str, stages: Stages, visual_dropout: float, prior: bool, prior_beside: bool
) -> None:
    """Raises ValueError for values that mean nothing, alone or together."""
    for name, value, known in (
        ("fusion", fusion, ("cross", "residual", "bias")),
        ("reducer", reducer, ("norm", "wide")),
        ("predict", predict, ("ordered", "halves")),
    ):
        if value not in known:
            raise ValueError(f"{name}={value!r}; it is {' or '.join(known)}")
    if prior_beside and prior:
        raise ValueError("prior_beside=true adds nothing where prior=true: the pose branch is the prior's already")
    if prior_beside and stages != 3:
        raise ValueError("prior_beside=true: the prior knows three stages; use data.stages=3")
    if predict == "halves" and stages != 3:
        raise ValueError("transitions are predicted by halves for three stages only; use predict='ordered'")
    if not 0 <= visual_dropout <= 1:
        raise ValueError(f"visual_dropout={visual_dropout}; it is a share, from 0 to 1")


class HPMCR(nn.Module):
    """Scores a dive by comparing it, stage by stage, with exemplars whose score is known.

    Parameters
    ----------
    frames : T, frames of a clip
    i3d, static, skeleton : arguments of the three encoders
    dim, tokens, depth, heads : D, K, decoder blocks, attention heads
    stages : 3, take-off, flight and entry, as published; or ``native``, the three to five of every dive, each flight
        (somersaults, twists) for itself. Dives of a pair are compared in the stages that both have
    fusion : ``cross``, visual tokens attend to skeleton tokens, whose width has to be ``dim``; ``residual``, the same,
        and each moment's skeleton token is added as it is: attention knows no places, so that a short training does
        not find out which moment a pose belongs to; ``bias``, the public code's, visual tokens attend to each other,
        the more the more alike their poses
    visual_dropout : share of the training clips whose visual tokens are blanked before the fusion, so that it learns
        from poses what pictures would let it learn by heart
    reducer : ``norm``, linear, layer norm, ReLU; ``wide``, the public code's two linear layers
    predict : ``ordered``, the likeliest transitions in rising order; ``halves``, the public code's: the first in the
        first half of the clip, the second in the last, wherever the true ones are
    second_transition_weight : in the segmentation loss; the public code has 2, surely a slip
    score_unit : points that an output of 1 stands for. 1 as published; a larger unit
        lets a short training reach differences of tens of points
    start_equal : before training every dive equals its exemplar. A short training has not the time to unlearn the
        differences that random weights see
    antisymmetric : comparing A with B gives exactly the opposite of comparing B with A. As published both are only
        learned to; where dives are few this is knowledge that need not be learned
    contrast_weight : weight of both contrastive losses
    prior : the pose branch (skeleton encoder, fusion, comparison of fused tokens, stage weights) starts from what comes
        with the project, learned from dives that nobody filmed (:mod:`baselines.prior`); its transitions are added to
        those of the static encoder; visual tokens start at nothing, by a learned factor. The branch's shape has to be
        the prior's; one of which a part is left out starts from random weights, since the rest learned with it.
        A network that learned from synthetic dives finds the splash in the pictures, and what it says is added to the
        comparison of the last stage; it expects pictures 64 high
    prior_beside : the prior's own pose scorer compares the dives, too, and what it says is added, whatever shape the
        model has (:mod:`baselines.methods.hpmcr.beside`). Scores are over difficulty, poses normalised, stages three
    coarse : pictures are averaged over so many pixels either way before the visual encoders read them; a splash is
        small and is looked for in all of them
    splash_weight : weight of the splash loss (the paper's second version); 0 builds no splash head, as the public code
    without : parts to leave out, of ``HPMCRMethod.parts``. skeleton: fused tokens are the visual ones. static: only
        fused tokens are compared (the encoder remains, since the segmentation reads it). fusion: visual and
        skeleton tokens are added. contrast: neither contrastive loss. splash: none is looked for. segmentation: no
        transitions are learned, stages are equal parts of the clip
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
        stages: Stages = 3,
        fusion: Literal["cross", "residual", "bias"] = "cross",
        visual_dropout: float = 0.0,
        reducer: Literal["norm", "wide"] = "norm",
        predict: Literal["ordered", "halves"] = "ordered",
        second_transition_weight: float = 1.0,
        score_unit: float = 1.0,
        start_equal: bool = False,
        antisymmetric: bool = False,
        contrast_weight: float = 1.0,
        prior: bool = False,
        prior_beside: bool = False,
        coarse: int = 1,
        splash_weight: float = 0.0,
        without: Sequence[str] = (),
    ) -> None:
        super().__init__()
        _check_options(fusion, reducer, predict, stages, visual_dropout, prior, prior_beside)
        self.without = frozenset(without)
        self.tokens, self.score_unit, self.contrast_weight = tokens, score_unit, contrast_weight
        self.visual_dropout, self.coarse = visual_dropout, coarse
        self.splash_weight, self.second_transition_weight = splash_weight, second_transition_weight
        self.slots = slots = number_of_slots(stages)  # S
        self.predict_transitions = predict_transitions if predict == "ordered" else predict_transitions_by_halves
        self.dynamic = I3D(**i3d or {})
        self.static = GSMRegNet(frames, **static or {})
        self.skeleton = HDGCN(**skeleton or {})
        pose_dim = self.skeleton.out_channels
        if pose_dim != dim and fusion != "bias":
            raise ValueError(f"the skeleton encoder ends in {pose_dim} channels, dim is {dim}")
        self.segmentation = ProcedureSegmentation(self.static.out_channels, stages=slots)
        self.reduce_dynamic = stage_reducer(self.dynamic.out_channels, dim, slots, wide=reducer == "wide")
        self.reduce_static = stage_reducer(self.static.out_channels, dim, slots, wide=reducer == "wide")
        if fusion == "bias":
            self.fusion = PoseBiasedFusion(dim, pose_dim, heads, slots)
        else:
            self.fusion = PoseGuidedFusion(dim, heads, slots, residual=fusion == "residual")
        self.compare_fused = StageRegressor(dim, depth, heads, start_equal, antisymmetric)
        self.compare_static = StageRegressor(dim, depth, heads, start_equal, antisymmetric)
        self.stage_weights = StageWeights(slots)  # shared by both branches
        self.splash = SplashHead(dim) if splash_weight else None
        self._add_what_starts_from_priors(prior, dim)
        self.beside = PriorBeside() if prior_beside and "skeleton" not in self.without else None
        if self.beside is not None:
            self.prior["beside the model, pose scorer learned from"] = self.beside.learned_from
        for name in {n for part in self.without for n in _MODULES.get(part, ())}:
            setattr(self, name, nn.Identity())

    def _add_what_starts_from_priors(self, prior: bool, dim: int) -> None:
        """Build what only a prior makes useful, and fill that and the pose branch; ``None`` where there is no prior."""
        sees_splash = prior and "splash" not in self.without
        self.finder = SplashFinder() if sees_splash else None
        self.judge = SplashJudge() if sees_splash else None
        knows_poses = prior and not self.without & {"skeleton", "fusion"}
        self.visual_share = nn.Parameter(torch.zeros(())) if knows_poses else None
        self.pose_segmentation = ProcedureSegmentation(dim, dropout=0.1, stages=self.slots) if knows_poses else None
        self.facts = FactsHead(dim, 1 + len(FAULT_UNITS), self.slots) if knows_poses else None
        self.prior, self.told = start_from_prior(self)

    def train(self, mode: bool = True) -> HPMCR:
        """As torch has it; but a skeleton encoder that starts from the prior keeps the statistics of its batch norms.

        They are of thousands of dives; those of a batch of two dive numbers are not.
        """
        super().train(mode)
        if self.facts is not None:
            self.skeleton.eval()
        if self.finder is not None:
            self.finder.eval()
        return self

    def encode(self, batch: Batch, transitions: Tensor | None = None) -> Encoded:
        """Encode N clips. ``transitions`` (N, S - 1) cuts the stages; without it the predicted ones do."""
        video = small = given(batch.video)
        if self.coarse > 1:
            small = F.avg_pool3d(video, (1, self.coarse, self.coarse))
        static = self.static(small)  # (N, T, 368)
        skeleton = None if "skeleton" in self.without else self.skeleton(given(batch.pose)).transpose(1, 2)  # (N, T, D)
        logits = self.segmentation(static)  # (N, T, S - 1)
        if self.pose_segmentation is not None and skeleton is not None:
            logits = logits + self.pose_segmentation(skeleton)
        cut = self.predict_transitions(logits) if transitions is None else transitions
        if "segmentation" in self.without:
            cut = equal_parts(video.shape[2], self.slots).to(video.device).expand(len(video), -1)
        dynamic = pool_stages(self.dynamic(small), cut // self.dynamic.stride, self.tokens)  # (N, S, K, 1024)
        return Encoded(
            fused=self._fuse(self.reduce_dynamic(dynamic), skeleton, cut),
            static=self.reduce_static(pool_stages(static, cut, self.tokens)),
            logits=logits,
            splash=self._judge_splash(video, batch.scale, cut),
            beside=self._look_beside(batch, cut),
            transitions=cut,
        )

    def _look_beside(self, batch: Batch, cut: Tensor) -> Tensor:
        """What the prior beside the model reads of N clips; it finds stages itself where no transitions are learned."""
        if self.beside is None:
            return given(batch.video).new_zeros(len(cut), 0)
        return self.beside(given(batch.pose), None if "segmentation" in self.without else cut)

    def _judge_splash(self, video: Tensor, scale: Tensor | None, cut: Tensor) -> Tensor:
        """What the splash says of N clips (N, 3). There is none before the last stage, whatever looks like one."""
        if self.finder is None or self.judge is None:
            return video.new_zeros(len(video), 3)
        half = video.shape[2] // 2  # nobody enters the water in the first half of a clip
        with torch.no_grad():
            found = F.pad(self.finder(video[:, :, half:]), (half, 0))
        over = torch.arange(video.shape[2], device=video.device) >= cut[:, -1:]
        return self.judge(found * over, found.new_full((len(video),), torch.nan) if scale is None else scale)

    def _fuse(self, visual: Tensor, skeleton: Tensor | None, cut: Tensor) -> Tensor:
        """Visual tokens (N, S, K, D) that have seen the skeleton's features (N, T, D)."""
        if skeleton is None:
            return visual
        if self.visual_share is not None:
            visual = visual * self.visual_share
        if self.training and self.visual_dropout:
            seen = torch.rand(len(visual), 1, 1, 1, device=visual.device) >= self.visual_dropout
            visual = visual * seen
        tokens = pool_stages(skeleton, cut, self.tokens)  # (N, S, K, D)
        return visual + tokens if "fusion" in self.without else self.fusion(visual, tokens)

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor | None = None) -> Tensor:
        """How many points each stage puts the query above its exemplar: B pairs -> (B, S), stage weights applied.

        The exemplar's score is not read.

        A stage that one of the two does not have adds 0. In full precision also where the encoders are not: to a
        number of 8 bits, 20.0 and 20.1 points are the same.
        """
        with torch.autocast(query.fused.device.type, enabled=False):
            relative = self.compare_fused(query.fused.float(), exemplar.fused.float())  # (B, S)
            if "static" not in self.without:
                relative = (relative + self.compare_static(query.static.float(), exemplar.static.float())) / 2
            relative = self.stage_weights(relative, query.present & exemplar.present)
            alone = int("skeleton" in self.without)  # what a splash is worth where poses say nothing
            by_splash = F.pad((query.splash - exemplar.splash)[:, alone, None], (relative.shape[1] - 1, 0))
            said = (relative + by_splash) * self.score_unit
            if self.beside is not None:
                said = said + self.beside.compare(query.beside.float(), exemplar.beside.float())
            return said

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of B pairs among N clips, each clip encoded once; stages cut at the true transitions."""
        query, exemplar, score = given(batch.query), given(batch.exemplar), given(batch.score)
        clips = self.encode(batch, batch.transitions)
        q, e = clips.pick(query), clips.pick(exemplar)
        difference = score[query] - score[exemplar]
        forth, back = self.compare(q, e).sum(1), self.compare(e, q).sum(1)
        losses = {"score_loss": relative_score_loss(forth, back, difference, self.score_unit)}
        if "segmentation" not in self.without:
            true = given(batch.transitions)
            losses["segmentation_loss"] = segmentation_loss(clips.logits, true, self.second_transition_weight)
        if "contrast" not in self.without:
            both = q.present & e.present
            losses["fused_contrast_loss"] = self.contrast_weight * stage_contrast(q.fused, e.fused, both=both)
            if "static" not in self.without:
                losses["static_contrast_loss"] = self.contrast_weight * stage_contrast(q.static, e.static, both=both)
        if self.splash is not None and batch.splash is not None:
            losses["splash_loss"] = self.splash_weight * self.splash.loss(clips.fused, batch.splash)
        return losses

    def faults(self, clips: Encoded) -> dict[str, Tensor]:
        """Sizes of the faults of N encoded clips, see :func:`~baselines.methods.hpmcr.prior.faults_in_units`.

        Nothing without the prior: no competition has labels of faults.
        """
        if self.facts is None:
            return {}
        facts = self.facts(clips.fused)
        if self.judge is not None:
            facts = with_splash(facts, clips.splash[:, 2])
        return faults_in_units(facts, self.told)

    def describe(self) -> dict[str, str]:
        """The learned weights of the stages."""
        names = STAGE_NAMES[self.slots]
        shares = self.stage_weights.shares.tolist()
        facts = {"stage weights": ", ".join(f"{n} {share:.2f}" for n, share in zip(names, shares, strict=True))}
        return facts | self.prior
