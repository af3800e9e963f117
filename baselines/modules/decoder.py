"""Cross-attention decoder: tokens of one clip look at tokens of another, or of another modality."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def mlp(dim: int, ratio: int = 4) -> nn.Sequential:
    """Two linear layers with GELU between: (..., dim) -> (..., dim)."""
    return nn.Sequential(nn.Linear(dim, ratio * dim), nn.GELU(), nn.Linear(ratio * dim, dim))


class CrossAttention(nn.Module):
    """Multi-head attention without bias in q, k, v: (B, K, D), (B, L, D) -> (B, K, D).

    Raises ValueError where D is not a multiple of ``heads``.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ValueError(f"{dim} channels can't be split in {heads} attention heads")
        self.heads = heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        def heads(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, K, D/H)

        y = F.scaled_dot_product_attention(heads(self.query(q)), heads(self.key(v)), heads(self.value(v)))
        return self.out(y.transpose(1, 2).flatten(2))


class DecoderBlock(nn.Module):
    """Pre-norm cross-attention and MLP, each with a residual: q (B, K, D), v (B, L, D) -> (B, K, D)."""

    def __init__(self, dim: int, heads: int = 2, mlp_ratio: int = 4) -> None:
        super().__init__()
        self.norm_query = nn.LayerNorm(dim)
        self.norm_value = nn.LayerNorm(dim)
        self.attention = CrossAttention(dim, heads)
        self.norm_mlp = nn.LayerNorm(dim)
        self.mlp = mlp(dim, mlp_ratio)

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        q = q + self.attention(self.norm_query(q), self.norm_value(v))
        return q + self.mlp(self.norm_mlp(q))


class Decoder(nn.Module):
    """A stack of blocks; the values stay what they are. Source: arXiv 2501.03674 and the public TSA and MCoRe code."""

    def __init__(self, dim: int, depth: int = 4, heads: int = 2) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(DecoderBlock(dim, heads) for _ in range(depth))

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        for block in self.blocks:
            q = block(q, v)
        return q
