"""One-dimensional causal networks: a temporal convolutional network and one block of WaveNet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._parts import scaled

DOUBLING = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Chomp1d(nn.Module):
    """Cuts off the last positions, those that a convolution padded on both sides computes from the future."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, C, T - size)."""
        return x[:, :, : x.shape[2] - self.size]


class TemporalBlock(nn.Module):
    """Two causal dilated convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        padding = (kernel_size - 1) * dilation
        self.conv1 = nn.Conv1d(inputs, outputs, kernel_size, padding=padding, dilation=dilation)
        self.chomp1, self.relu1, self.dropout1 = Chomp1d(padding), nn.ReLU(), nn.Dropout(0.2)
        self.conv2 = nn.Conv1d(outputs, outputs, kernel_size, padding=padding, dilation=dilation)
        self.chomp2, self.relu2, self.dropout2 = Chomp1d(padding), nn.ReLU(), nn.Dropout(0.2)
        self.downsample = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, outputs, T)."""
        y = self.dropout1(self.relu1(self.chomp1(self.conv1(x))))
        y = self.dropout2(self.relu2(self.chomp2(self.conv2(y))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class TemporalConvNet(nn.Module):
    """Temporal blocks one after the other."""

    def __init__(self, inputs: int, channels: int, kernel_size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        blocks = [
            TemporalBlock(inputs if index == 0 else channels, channels, kernel_size, dilation)
            for index, dilation in enumerate(dilations)
        ]
        self.network = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, channels, T)."""
        out: Tensor = self.network(x)
        return out


def tcn(width: float = 1.0, kernel_size: int = 3, dilations: Sequence[int] = (1, 2, 4, 8)) -> nn.Module:
    """A temporal convolutional network, two convolutions a block: field of 61, stride 1, padding 60, all of it past.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.tcn()(torch.zeros(1, 1, 100)).shape
        torch.Size([1, 25, 100])

    Args:
        width: Factor on the number of channels of every layer.
        kernel_size: Kernel size of every convolution.
        dilations: Dilation of each block.

    Returns:
        A module (B, 1, T) -> (B, C, T) with random weights; blocks are `network.0`, `network.1`, ... The paper's weight
        normalization, which leaves the field as it is, is left out.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        S. Bai, J. Kolter, V. Koltun, "An empirical evaluation of generic convolutional and recurrent networks for
        sequence modeling", 2018, arXiv 1803.01271.
    """
    return TemporalConvNet(1, scaled(25, width), kernel_size, dilations)


class GatedLayer(nn.Module):
    """A causal convolution of two taps, gated; one half goes on, the other is a skip output."""

    def __init__(self, channels: int, skipped: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.filter = nn.Conv1d(channels, channels, 2, dilation=dilation)
        self.gate = nn.Conv1d(channels, channels, 2, dilation=dilation)
        self.residual, self.skip = nn.Conv1d(channels, channels, 1), nn.Conv1d(channels, skipped, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T) -> the next (B, C, T) and the skip output (B, skipped, T)."""
        past = F.pad(x, (self.dilation, 0))  # (B, C, dilation + T)
        y = torch.tanh(self.filter(past)) * torch.sigmoid(self.gate(past))  # (B, C, T)
        return x + self.residual(y), self.skip(y)


class WaveNetBlock(nn.Module):
    """Gated layers of growing dilation; the sum of their skip outputs goes through two 1x1 convolutions."""

    def __init__(self, channels: int, skipped: int, classes: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.embed = nn.Conv1d(1, channels, 1)
        self.layers = nn.ModuleList(GatedLayer(channels, skipped, dilation) for dilation in dilations)
        self.end1, self.end2 = nn.Conv1d(skipped, skipped, 1), nn.Conv1d(skipped, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, T) -> (B, classes, T)."""
        x = self.embed(x)
        skips: list[Tensor] = []
        for layer in self.layers:
            x, skip = layer(x)
            skips.append(skip)
        total = torch.stack(skips).sum(0)  # (B, skipped, T)
        out: Tensor = self.end2(F.relu(self.end1(F.relu(total))))
        return out


def wavenet_block(width: float = 1.0, dilations: Sequence[int] = DOUBLING) -> nn.Module:
    """One block of WaveNet, kernel size 2, dilations 1 to 512: field of 1024, stride 1, padding 1023, all of it past.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.wavenet_block()(torch.zeros(1, 1, 2000)).shape
        torch.Size([1, 256, 2000])

    Args:
        width: Factor on the number of channels of every layer but the output.
        dilations: Dilation of each layer.

    Returns:
        A module (B, 1, T) -> (B, 256, T) with random weights; layers are `layers.0`, `layers.1`, ...

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. van den Oord et al., "WaveNet: a generative model for raw audio", 2016, arXiv 1609.03499.
    """
    return WaveNetBlock(scaled(32, width), scaled(64, width), 256, dilations)
