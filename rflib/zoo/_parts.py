"""Pieces that several networks of the zoo share: width, TensorFlow's "SAME" padding, convolution with norm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ModelError


def scaled(channels: int, width: float) -> int:
    """Channels of a network made narrower or wider, at least one."""
    if not width > 0:
        raise ModelError(f"`width` must be a number above 0; got {width!r}.")
    return max(1, round(channels * width))


def choice(argument: str, value: str, allowed: Sequence[str]) -> str:
    """`value`, if it is one of `allowed`."""
    if value not in allowed:
        listed = ", ".join(repr(a) for a in allowed)
        raise ModelError(f"`{argument}` must be one of {listed}; got {value!r}.")
    return value


def same_padding(size: int, kernel_size: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """TensorFlow's "SAME" padding (left, right) of one axis; an odd total puts the extra position on the right."""
    outputs = -(-size // stride)
    total = max(0, (outputs - 1) * stride + dilation * (kernel_size - 1) + 1 - size)
    return total // 2, total - total // 2


def _pad_same(x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], value: float) -> Tensor:
    pads: list[int] = []
    for axis in (1, 0):  # F.pad wants the last axis first
        pads += same_padding(x.shape[2 + axis], kernel[axis], stride[axis], dilation[axis])
    return F.pad(x, pads, value=value) if any(pads) else x


class Conv2dSame(nn.Conv2d):
    """A convolution that pads as TensorFlow's "SAME" does, by the size of its input."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))."""
        return super().forward(_pad_same(input, self.kernel_size, self.stride, self.dilation, 0.0))


class MaxPool2dSame(nn.Module):
    """Max pooling that pads as TensorFlow's "SAME" does; the padding never wins."""

    def __init__(self, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.kernel_size, self.stride = (kernel_size,) * 2, (stride,) * 2

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, ceil(H / stride), ceil(W / stride))."""
        x = _pad_same(x, self.kernel_size, self.stride, (1, 1), -torch.inf)
        return F.max_pool2d(x, self.kernel_size, self.stride)


def conv_norm_act(
    inputs: int,
    outputs: int,
    kernel_size: int | tuple[int, int],
    stride: int = 1,
    *,
    groups: int = 1,
    padding: str = "SAME",
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Convolution without bias, batch norm, activation; padding is TensorFlow's "SAME" or "VALID"."""
    conv = Conv2dSame if padding == "SAME" else nn.Conv2d
    return nn.Sequential(
        conv(inputs, outputs, kernel_size, stride, groups=groups, bias=False), nn.BatchNorm2d(outputs), activation()
    )


def pooled_classifier(channels: int, num_classes: int, norm: nn.Module | None = None) -> nn.Module:
    """Global average pooling, a norm where one is given, one linear layer; nothing at all for `num_classes=0`."""
    if num_classes == 0:
        return nn.Identity()
    norms = [] if norm is None else [norm]
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), *norms, nn.Flatten(1), nn.Linear(channels, num_classes))


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W), each position by itself."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
