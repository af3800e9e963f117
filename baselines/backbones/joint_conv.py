"""The small skeleton encoder: convolutions along time over all joints at once.

Not the paper's, which is :mod:`baselines.backbones.hdgcn`. A graph network shares its weights among the joints and
ends in their mean, so that it has to learn from many dives which joint is which; this one knows from the start.
"""

from __future__ import annotations

from torch import Tensor, nn

from finediving_pose.skeleton import N_JOINTS


class JointConv(nn.Module):
    """Poses of a clip to features of every time step: (B, C, T, 16, 1) -> (B, channels, T).

    Every feature sees all joints in seven neighbouring frames, and four more with each block of ``depth``, which adds
    to what is there.
    """

    def __init__(self, in_channels: int = 2, channels: int = 64, width: int | None = None, depth: int = 0) -> None:
        super().__init__()
        inputs, width = in_channels * N_JOINTS, width or channels
        self.out_channels = channels
        self.data_bn = nn.BatchNorm1d(inputs)
        self.layers = nn.Sequential(*_layer(inputs, width, 3), *_layer(width, width if depth else channels, 5))
        self.blocks = nn.ModuleList(nn.Sequential(*_layer(width, width, 5)) for _ in range(depth))
        self.last = nn.Conv1d(width, channels, 1) if depth else nn.Identity()

    def forward(self, poses: Tensor) -> Tensor:
        joints = poses.squeeze(-1).permute(0, 3, 1, 2).flatten(1, 2)  # (B, V*C, T)
        x = self.layers(self.data_bn(joints))
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


def _layer(inputs: int, outputs: int, kernel: int) -> tuple[nn.Module, ...]:
    return nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm1d(outputs), nn.ReLU()
