"""Layers of RICA2: an encoder of snippets, and a decoder in which sub-actions look for themselves in them.

Source: Majeedi et al., "RICA2: rubric-informed, calibrated assessment of actions", ECCV 2024, and its public code
(abrarmajeedi/rica2_aqa, 1d67c41). Sequences are (N, L, C); layer norms are over the channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DROPOUT = 0.1
FIRST_SCALE = 1e-4


class Convolution(nn.Module):
    """Convolution of three along a sequence: (N, L, C) -> (N, L, C'). ``depth_wise``: channel by channel, no bias."""

    def __init__(self, channels: int, out: int | None = None, depth_wise: bool = False) -> None:
        super().__init__()
        groups = channels if depth_wise else 1
        self.conv = nn.Conv1d(channels, out or channels, 3, padding=1, groups=groups, bias=not depth_wise)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.transpose(1, 2)).transpose(1, 2)


class Branch(nn.Module):
    """A residual branch, scaled by learned factors that start at nearly nothing, left out for one clip in ten."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), FIRST_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            kept = (torch.rand(len(x), 1, 1, device=x.device) >= DROPOUT).float() / (1 - DROPOUT)
            x = x * kept
        return x * self.scale


class Attention(nn.Module):
    """Multi-head attention (N, Q, C) to (N, L, C) -> (N, Q, out), and its weights (N, heads, Q, L)."""

    def __init__(self, channels: int, heads: int, out: int | None = None) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels can't be shared by {heads} heads")
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.out = nn.Linear(channels, out or channels)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (N, heads, ., C / heads)
            for layer, x in ((self.query, query), (self.key, key), (self.value, value))
        )
        weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)  # (N, heads, Q, L)
        seen = F.dropout(weights, DROPOUT, self.training) @ v
        return F.dropout(self.out(seen.transpose(1, 2).flatten(2)), DROPOUT, self.training), weights


def feed_forward(channels: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(channels, hidden), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(hidden, channels), nn.Dropout(DROPOUT)
    )


class EncoderBlock(nn.Module):
    """Self-attention along time, whose queries, keys and values have seen their neighbours: (N, n, C) -> (N, n, C)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.local = nn.ModuleList(
            nn.Sequential(Convolution(channels, depth_wise=True), nn.LayerNorm(channels)) for _ in range(3)
        )
        self.attention = Attention(channels, heads)
        self.mlp = feed_forward(channels, channels)
        self.attention_branch, self.mlp_branch = Branch(channels), Branch(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm_attention(x)
        x = x + self.attention_branch(self.attention(*(local(y) for local in self.local))[0])
        return x + self.mlp_branch(self.mlp(self.norm_mlp(x)))


class Encoder(nn.Module):
    """Snippets (N, n, features) to (N, n, C).

    ``test_dropout``: the dropout between the two convolutions works in testing, too, as in the public code, which makes
    it anew in every call; a prediction is then another one every time.
    """

    def __init__(self, features: int, channels: int, heads: int, test_dropout: bool = False) -> None:
        super().__init__()
        self.test_dropout = test_dropout
        self.first, self.second = Convolution(features, channels), Convolution(channels)
        self.blocks = nn.Sequential(*(EncoderBlock(channels, heads) for _ in range(2)))
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, snippets: Tensor) -> Tensor:
        x = F.relu(self.first(snippets))
        x = F.dropout(x, DROPOUT, self.training or self.test_dropout)
        return self.blocks(F.relu(self.second(x)))


class DecoderBlock(nn.Module):
    """Sub-actions (N, A, C) look at snippets (N, n, C), which scale and shift them; ``present`` (N, A, 1) is 1 or 0."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm_query, self.norm_snippets = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.local, self.norm_local = Convolution(channels, depth_wise=True), nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, 2 * channels)
        self.norm_mlp, self.mlp = nn.LayerNorm(channels), feed_forward(channels, 4 * channels)
        self.mlp_branch = Branch(channels)

    def forward(self, actions: Tensor, snippets: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        actions = present * actions
        query = self.norm_local(present * self.local(self.norm_query(actions)))
        seen = self.norm_snippets(snippets)
        modulation, weights = self.attention(query, seen, seen)
        scale, shift = modulation.chunk(2, dim=-1)
        actions = actions * scale + shift
        return actions + self.mlp_branch(present * self.mlp(self.norm_mlp(actions))), weights


class Decoder(nn.Module):
    """Sub-actions (A, C) of N clips, of which those present (N, A) look at snippets (N, n, C).

    Returns them (N, A, C), and the attention (N, 2, heads, A, n) of both layers, 0 for absent ones.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(DecoderBlock(channels, heads) for _ in range(2))
        self.norm = nn.LayerNorm(channels)
        xavier(self)

    def forward(self, actions: Tensor, snippets: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        mask = present[..., None].to(snippets.dtype)  # (N, A, 1)
        x, layers = actions.expand(len(snippets), -1, -1), []
        for block in self.blocks:
            x, weights = block(x, snippets, mask)
            layers.append(weights * mask[:, None])
        return self.norm(x), torch.stack(layers, dim=1)


def xavier(module: nn.Module) -> None:
    """Glorot's uniform first weights, biases zero."""
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
