"""The small skeleton encoder: two convolutions along time over all joints at once.

Not the paper's, which is :mod:`baselines.backbones.hdgcn`. A graph network shares its weights among the joints and
ends in their mean, so that it has to learn from many dives which joint is which; this one knows from the start.
"""

from __future__ import annotations

from torch import Tensor, nn

from finediving_pose.skeleton import N_JOINTS


class JointConv(nn.Module):
    """Poses of a clip to features of every time step: (B, C, T, 16, 1) -> (B, channels, T).

    Every feature sees all joints in seven neighbouring frames.
    """

    def __init__(self, in_channels: int = 2, channels: int = 64) -> None:
        super().__init__()
        inputs = in_channels * N_JOINTS
        self.out_channels = channels
        self.data_bn = nn.BatchNorm1d(inputs)
        self.layers = nn.Sequential(
            *(nn.Conv1d(inputs, channels, 3, padding=1), nn.BatchNorm1d(channels), nn.ReLU()),
            *(nn.Conv1d(channels, channels, 5, padding=2), nn.BatchNorm1d(channels), nn.ReLU()),
        )

    def forward(self, poses: Tensor) -> Tensor:
        joints = poses.squeeze(-1).permute(0, 3, 1, 2).flatten(1, 2)  # (B, V*C, T)
        return self.layers(self.data_bn(joints))
