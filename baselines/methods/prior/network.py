"""The network of the prior as a method: execution from poses alone, moved to the level of each dive number.

Ours; no published method. What the weights learned, and how: ``docs/experiments/prior.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.data.batch import Batch, given
from baselines.modules.segmentation import predict_transitions
from baselines.modules.stages import pool_stages
from baselines.prior.weights import read_prior

JUDGES = 3
"""Awards that count: execution is their sum, the prior tells their mean."""
POSES_AT_ONCE = 64


class LevelledPoseScorer(nn.Module):
    """Scores over difficulty from poses: the level of the dive number, and how far the dive is above it.

    The level is the mean score over difficulty of the training dives of the number. How far a dive is above it is what
    the prior says of its execution, less what it says of those training dives in the mean. A number without training
    dives has the level of all of them.
    """

    def __init__(self) -> None:
        super().__init__()
        prior = read_prior()
        scorer = prior.network()
        self.skeleton, self.segmentation = scorer.skeleton, scorer.segmentation
        self.fusion, self.facts, self.tokens = scorer.fusion, scorer.facts, scorer.tokens
        self.levels = Levels()
        self.learned_from = prior.title

    def train(self, mode: bool = True) -> LevelledPoseScorer:
        """As torch has it; but the batch norms keep the statistics of thousands of dives."""
        super().train(mode)
        self.skeleton.eval()
        return self

    def prepare(self, labels: Batch) -> None:
        """Levels of the training dives, and what the prior says of them."""
        mode = self.training
        self.eval()
        with torch.no_grad():
            said = torch.cat([self.execution(poses) for poses in given(labels.pose).split(POSES_AT_ONCE)])
        self.train(mode)
        self.levels.fit(labels.number or (), given(labels.score), said)

    def execution(self, pose: Tensor) -> Tensor:
        """Points of execution of N clips from poses (N, 2, T, 16, 1), but for a constant: (N,)."""
        features = self.skeleton(pose).transpose(1, 2)  # (N, T, D)
        cut = predict_transitions(self.segmentation(features))
        tokens = pool_stages(features, cut, self.tokens)  # (N, S, K, D)
        return JUDGES * self.facts(self.fusion(torch.zeros_like(tokens), tokens))[:, 0]

    def score(self, batch: Batch) -> Tensor:
        """Scores over difficulty of N clips: (N,)."""
        level, usual = self.levels(batch.number or ())
        return level + self.execution(given(batch.pose)) - usual

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error of the score over difficulty."""
        return {"score_loss": F.mse_loss(self.score(batch), given(batch.score))}

    def describe(self) -> dict[str, str]:
        return {"learned from": self.learned_from, "levels": f"of {self.levels.count} dive numbers"}


class Levels(nn.Module):
    """Mean true and mean predicted execution of the training dives, by dive number.

    Numbers are kept as text, since which there are is not known before the training. The first row is of all dives.
    """

    ROWS, LETTERS = 512, 8

    names: Tensor
    level: Tensor
    usual: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("names", torch.zeros(self.ROWS, self.LETTERS, dtype=torch.uint8))
        self.register_buffer("level", torch.zeros(self.ROWS))
        self.register_buffer("usual", torch.zeros(self.ROWS))

    @property
    def count(self) -> int:
        """How many numbers are known."""
        return int(self.names.any(1).sum())

    def fit(self, numbers: Sequence[str], scores: Tensor, said: Tensor) -> None:
        """Take the means over the dives of each of ``numbers``: ``scores`` and ``said`` (N,), over difficulty."""
        rows = ["", *sorted(set(numbers))]
        for row, name in enumerate(rows):
            of_it = torch.tensor([not row or number == name for number in numbers])
            self.names[row] = self._letters(name)
            self.level[row], self.usual[row] = scores[of_it].mean(), said[of_it].mean()

    def forward(self, numbers: Sequence[str]) -> tuple[Tensor, Tensor]:
        """True and predicted level of the numbers of N dives: (N,) twice."""
        asked = torch.stack([self._letters(number) for number in numbers])  # (N, letters)
        same = (self.names[None] == asked[:, None]).all(2) & self.names.any(1)  # (N, rows)
        row = same.int().argmax(1)  # 0, the row of all dives, where none is the same
        return self.level[row], self.usual[row]

    def _letters(self, number: str) -> Tensor:
        text = number.encode()[: self.LETTERS].ljust(self.LETTERS, b"\0")
        return torch.tensor(list(text), dtype=torch.uint8, device=self.names.device)
