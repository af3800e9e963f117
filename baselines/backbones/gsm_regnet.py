"""RegNetY with gate-shift modules: the static visual encoder, one vector a frame.

Sources: timm's ``regnety_002`` (Radosavovic et al., "Designing Network Design Spaces",
CVPR 2020); Sudhakaran et al., "Gate-Shift Networks for Video Action Recognition", CVPR 2020.
Parameter names are timm's; a gate-shift module adds ``sN.bM.conv1.gsm.*`` and puts the
convolution that it wraps under ``conv1.net.*``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.encoder import Encoder
from baselines.backbones.frozen import keep_statistics
from finediving_pose.errors import SetupError


class GateShift(nn.Module):
    """Gated shift along time of all given channels: (B*T, C, H, W) -> the same shape.

    Half of the channels take their gated part from the next frame, the other half
    from the previous one; what the gate leaves stays where it is. Each half's
    channels are then interleaved in two groups. The gate starts at zero: no shift.
    C must be a multiple of 4.
    """

    def __init__(self, channels: int, segments: int) -> None:
        super().__init__()
        self.segments = segments
        self.bn = nn.BatchNorm3d(channels)
        self.conv3D = nn.Conv3d(channels, 2, 3, padding=1, groups=2)
        nn.init.zeros_(self.conv3D.weight)
        if self.conv3D.bias is not None:
            nn.init.zeros_(self.conv3D.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(0, (-1, self.segments)).transpose(1, 2)  # (B, C, T, H, W)
        gate = torch.tanh(self.conv3D(F.relu(self.bn(x))))  # (B, 2, T, H, W)
        neighbours = (slice(2, None), slice(None, -2))  # of the padded clip: the next frame, the previous one
        halves = []
        for half, g, source in zip(x.chunk(2, 1), gate.split(1, 1), neighbours, strict=True):
            moved = half * g
            shifted = F.pad(moved, (0, 0, 0, 0, 1, 1))[:, :, source]
            halves.append((half - moved + shifted).unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2))
        return torch.cat(halves, 1).transpose(1, 2).flatten(0, 1)


class GateShifted(nn.Module):
    """A layer whose first ``shifted`` input channels pass through a gate-shift module."""

    def __init__(self, net: nn.Module, shifted: int, segments: int) -> None:
        super().__init__()
        self.shifted = shifted
        self.gsm = GateShift(shifted, segments)
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.cat((self.gsm(x[:, : self.shifted]), x[:, self.shifted :]), dim=1))


_REGNET = re.compile(r"regnet[vxyz]_\w{1,24}")


def shifted_channels(channels: int) -> int:
    """How many of a layer's input channels are shifted: a quarter, rounded up to a multiple of 4."""
    return math.ceil(channels // 4 / 4) * 4


class GSMRegNet(Encoder):
    """Frames of a clip, each to one vector that knows its neighbours: (B, 3, T, H, W) -> (B, T, C).

    C is 368 for ``regnety_002``. Every bottleneck's first 1 x 1 convolution is preceded
    by a :class:`GateShift` over the clip's T frames.

    Parameters
    ----------
    frames : T, the clip length that the shift runs over
    arch : name of a timm RegNet, or numbers for the fields of ``timm.models.regnet.RegNetCfg``
    weights : file with the published weights; None starts from random weights
    freeze_bn : keep the batch norms in evaluation mode in training. As published this
        goes with ImageNet weights, and so it is the default exactly when ``weights`` is
        given: statistics that were never estimated normalise nothing.

    Raises
    ------
    ValueError
        ``arch`` names anything else: timm follows some names to files and addresses.
    SetupError
        The weights file does not fit the architecture.
    """

    def __init__(
        self,
        frames: int = 96,
        arch: str | Mapping[str, Any] = "regnety_002",
        weights: str | Path | None = None,
        freeze_bn: bool | None = None,
    ) -> None:
        super().__init__()
        import timm
        from timm.models.regnet import RegNet, RegNetCfg

        if isinstance(arch, str):
            if not _REGNET.fullmatch(arch):
                raise ValueError(f"arch={arch[:60]!r} is no RegNet of timm, such as regnety_002")
            net: Any = timm.create_model(arch, num_classes=0)
        else:
            if not all(isinstance(value, (int, float)) for value in arch.values()):
                raise ValueError("arch has values that are no numbers")
            net = RegNet(RegNetCfg(**arch), num_classes=0)
        self.settings = {"frames": frames, "arch": arch if isinstance(arch, str) else dict(arch)}
        self.freeze_bn = weights is not None if freeze_bn is None else freeze_bn
        self.out_channels: int = net.num_features
        if weights is not None:
            _load(net, Path(weights))
        for stage in (net.s1, net.s2, net.s3, net.s4):
            for block in stage.children():
                channels = block.conv1.conv.in_channels
                block.conv1 = GateShifted(block.conv1, shifted_channels(channels), frames)
        self.net = net

    def forward(self, video: Tensor) -> Tensor:
        batch = video.shape[0]
        frames = video.transpose(1, 2).flatten(0, 1)  # (B*T, 3, H, W)
        return self.net(frames).unflatten(0, (batch, -1))

    def encode(self, video: Tensor) -> Tensor:
        """As :meth:`forward`."""
        return self(video)

    def train(self, mode: bool = True) -> GSMRegNet:
        super().train(mode)
        if self.freeze_bn:
            keep_statistics(self)
        return self


def _load(net: nn.Module, path: Path) -> None:
    """Load a timm state dict; the classifier is left out."""
    from baselines.backbones.weights import read_state

    state = {re.sub(r"^_features\.", "", k): v for k, v in read_state(path).items() if not k.startswith("head.fc")}
    try:
        net.load_state_dict(state)
    except RuntimeError as e:
        first = str(e).splitlines()[1].strip() if "\n" in str(e) else str(e)
        raise SetupError(f"{path}: not the weights of this RegNet ({first[:120]}); expected timm's regnety_002") from e
