"""The network, if one calls it that, of difficulty x mean execution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.data.batch import Batch, given


class MeanExecution(nn.Module):
    """Every dive has the mean score over difficulty of the training dives; 0 before they are known."""

    execution: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("execution", torch.zeros(()))

    def prepare(self, labels: Batch) -> None:
        self.execution.copy_(given(labels.score).mean())

    def score(self, batch: Batch) -> Tensor:
        """Scores over difficulty of N clips: (N,)."""
        return self.execution.expand(len(given(batch.difficulty)))

    def describe(self) -> dict[str, str]:
        return {"mean execution": f"{float(self.execution):.2f} of 30"}
