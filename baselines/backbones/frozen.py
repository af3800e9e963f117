"""Batch norms whose statistics stay those of the published weights."""

from __future__ import annotations

from torch import nn


def keep_statistics(module: nn.Module) -> None:
    """Put all batch norms of a module into evaluation mode; their scales and offsets are still learned."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()
