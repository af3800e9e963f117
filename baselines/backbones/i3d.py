"""I3D: Inception-v1 inflated to three dimensions, the dynamic visual encoder.

Architecture: Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017.
Parameter names are those of hassony2/kinetics_i3d_pytorch, so that its Kinetics-400
file ``model_rgb.pth`` loads as it is. TensorFlow's SAME padding is kept: where the
padding is odd, the larger half goes to the end.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.encoder import Encoder
from baselines.backbones.frozen import keep_statistics
from baselines.data.batch import Batch
from finediving_pose.errors import SetupError

Triple = tuple[int, int, int]

SNIPPET = 16
"""Frames of a snippet."""

MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "mixed_3b": (64, 96, 128, 16, 32, 32),
    "mixed_3c": (128, 128, 192, 32, 96, 64),
    "mixed_4b": (192, 96, 208, 16, 48, 64),
    "mixed_4c": (160, 112, 224, 24, 64, 64),
    "mixed_4d": (128, 128, 256, 24, 64, 64),
    "mixed_4e": (112, 144, 288, 32, 64, 64),
    "mixed_4f": (256, 160, 320, 32, 128, 128),
    "mixed_5b": (256, 160, 320, 32, 128, 128),
    "mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Output channels: 1x1; 1x1 then 3x3; 1x1 then 3x3; pool then 1x1."""


def pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zero-pad (..., T, H, W) as TensorFlow's SAME does, the larger half at the end."""
    pads = []
    for k, s in zip(reversed(kernel), reversed(stride), strict=True):
        total = max(k - s, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads) if any(pads) else x


class Unit3d(nn.Module):
    """Convolution, batch norm, ReLU: (B, C, T, H, W) -> (B, C', T/st, H/sh, W/sw)."""

    def __init__(self, channels: int, out: int, kernel: int = 1, stride: int = 1, bn_eps: float = 1e-3) -> None:
        super().__init__()
        self.kernel: Triple = (kernel, kernel, kernel)
        self.stride: Triple = (stride, stride, stride)
        self.conv3d = nn.Conv3d(channels, out, kernel, stride, bias=False)
        self.batch3d = nn.BatchNorm3d(out, eps=bn_eps)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.batch3d(self.conv3d(pad_same(x, self.kernel, self.stride))))


class MaxPool3dSame(nn.Module):
    """Max pooling with SAME padding by zeros and ceil mode."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool3d(pad_same(x, self.kernel, self.stride), self.kernel, self.stride, ceil_mode=True)


class Mixed(nn.Module):
    """Inception block: four branches side by side. ``widths`` as in :data:`MIXED`."""

    def __init__(self, channels: int, widths: tuple[int, ...], bn_eps: float) -> None:
        super().__init__()
        w0, w1a, w1b, w2a, w2b, w3 = widths
        self.branch_0 = Unit3d(channels, w0, bn_eps=bn_eps)
        self.branch_1 = nn.Sequential(Unit3d(channels, w1a, bn_eps=bn_eps), Unit3d(w1a, w1b, 3, bn_eps=bn_eps))
        self.branch_2 = nn.Sequential(Unit3d(channels, w2a, bn_eps=bn_eps), Unit3d(w2a, w2b, 3, bn_eps=bn_eps))
        pool = MaxPool3dSame((3, 3, 3), (1, 1, 1))
        self.branch_3 = nn.Sequential(pool, Unit3d(channels, w3, bn_eps=bn_eps))
        self.out_channels = w0 + w1b + w2b + w3

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.branch_0(x), self.branch_1(x), self.branch_2(x), self.branch_3(x)), dim=1)


class I3D(Encoder):
    """A clip's snippets, each to one vector: (B, 3, T, H, W) -> (B, snippets, 1024 x width).

    Snippets are 16 frames long and start every ``stride`` frames: 0, 10, ..., 80 of 96,
    nine of them. Pictures are RGB, normalised; 112 pixels in the paper, any size works,
    since the last map (2 x 4 x 4 for 112 pixels) is averaged whole.

    Parameters
    ----------
    width : multiplies every channel count; 1 is the published network
    stride : frames between the starts of two snippets
    bn_eps : batch-norm epsilon; 1e-3 is what the published weights were trained with,
        1e-5 what the public action-quality code runs them with
    weights : path of ``model_rgb.pth``; None starts from random weights
    freeze_bn : keep the statistics of the batch norms in training, as most public action-quality code does; None does
        so exactly when ``weights`` is given, since statistics that were never estimated normalise nothing

    Raises
    ------
    SetupError
        The weights file is not an I3D state dict of this width.
    """

    def __init__(
        self,
        width: float = 1.0,
        stride: int = 10,
        bn_eps: float = 1e-3,
        weights: str | Path | None = None,
        freeze_bn: bool | None = False,
    ) -> None:
        super().__init__()

        def scaled(n: int) -> int:
            return max(round(n * width), 1)

        def mixed(channels: int, *names: str) -> int:
            for name in names:
                block = Mixed(channels, tuple(scaled(n) for n in MIXED[name]), bn_eps)
                self.add_module(name, block)
                channels = block.out_channels
            return channels

        self.stride = stride
        self.settings = {"width": float(width), "stride": stride, "bn_eps": float(bn_eps)}
        self.freeze_bn = weights is not None if freeze_bn is None else freeze_bn
        self.conv3d_1a_7x7 = Unit3d(3, scaled(64), 7, 2, bn_eps)
        self.maxPool3d_2a_3x3 = MaxPool3dSame((1, 3, 3), (1, 2, 2))
        self.conv3d_2b_1x1 = Unit3d(scaled(64), scaled(64), bn_eps=bn_eps)
        self.conv3d_2c_3x3 = Unit3d(scaled(64), scaled(192), 3, bn_eps=bn_eps)
        self.maxPool3d_3a_3x3 = MaxPool3dSame((1, 3, 3), (1, 2, 2))
        channels = mixed(scaled(192), "mixed_3b", "mixed_3c")
        self.maxPool3d_4a_3x3 = MaxPool3dSame((3, 3, 3), (2, 2, 2))
        channels = mixed(channels, "mixed_4b", "mixed_4c", "mixed_4d", "mixed_4e", "mixed_4f")
        self.maxPool3d_5a_2x2 = MaxPool3dSame((2, 2, 2), (2, 2, 2))
        self.out_channels = mixed(channels, "mixed_5b", "mixed_5c")
        if weights is not None:
            self.load_published(Path(weights))

    def feature_map(self, snippets: Tensor) -> Tensor:
        """(N, 3, 16, 112, 112) -> (N, 1024, 2, 4, 4)."""
        x = snippets
        for layer in self.children():  # in the order of their definition
            x = layer(x)
        return x

    def forward(self, video: Tensor) -> Tensor:
        return self.encode(video).mean((3, 4))

    def encode(self, video: Tensor) -> Tensor:
        """The maps of the snippets, averaged over time: (B, n, C, 4, 4) for 112 pixels."""
        return self._snippet_maps(video).mean(3)

    def features(self, batch: Batch) -> Tensor:
        """As :meth:`forward`, of a batch's clips: (N, n, C)."""
        return self.of(batch).mean((3, 4))

    def features_and_maps(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same, and the maps that they are the means of, see :meth:`encode`."""
        maps = self.of(batch)
        return maps.mean((3, 4)), maps

    def snippets(self, frames: int) -> int:
        """n, the number of snippets of a clip of so many frames."""
        return len(self._starts(frames))

    def _starts(self, frames: int) -> range:
        return range(0, frames - SNIPPET + 1, self.stride)

    def _snippet_maps(self, video: Tensor) -> Tensor:
        """(B, n, C, 2, 4, 4) for pictures of 112 pixels."""
        starts = self._starts(video.shape[2])
        snippets = torch.stack([video[:, :, s : s + SNIPPET] for s in starts], dim=1)  # (B, n, 3, 16, H, W)
        return self.feature_map(snippets.flatten(0, 1)).unflatten(0, snippets.shape[:2])

    def train(self, mode: bool = True) -> I3D:
        super().train(mode)
        if self.freeze_bn:
            keep_statistics(self)
        return self

    def load_published(self, path: Path) -> None:
        """Load ``model_rgb.pth``; its classifier is left out."""
        from baselines.backbones.weights import read_state

        state = {k: v for k, v in read_state(path).items() if not k.startswith("conv3d_0c_1x1")}
        try:
            self.load_state_dict(state)
        except RuntimeError as e:
            first = str(e).splitlines()[1].strip() if "\n" in str(e) else str(e)
            raise SetupError(
                f"{path}: not the I3D weights of this network ({first[:120]}); expected the layout of"
                " model_rgb.pth from hassony2/kinetics_i3d_pytorch"
            ) from e
