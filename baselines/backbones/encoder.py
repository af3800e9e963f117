"""What an encoder of pictures is, so that its features can be kept while it is frozen."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from baselines.data.batch import Batch, given


class Encoder(nn.Module):
    """Reads the pictures of a clip and nothing else, each clip on its own.

    Attributes
    ----------
    settings : plain arguments that make the same network again, apart from its weights and how it is trained
    """

    settings: dict[str, Any]

    def encode(self, video: Tensor) -> Tensor:
        """All that a network reads of it: pictures (N, 3, T, H, W) -> (N, ...)."""
        raise NotImplementedError

    def of(self, batch: Batch) -> Tensor:
        """The same of a batch's clips: the kept features where the batch has them, else from its pictures."""
        return self.encode(given(batch.video)) if batch.features is None else batch.features
