"""Residual networks: ResNet-18, 34, 50 and 101, with the stride where each published variant puts it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ._parts import MaxPool2dSame, choice, scaled

VARIANTS = ("v1.5", "v1", "slim")


def _conv_bn(inputs: int, outputs: int, kernel_size: int, stride: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    conv = nn.Conv2d(inputs, outputs, kernel_size, stride, padding=kernel_size // 2, bias=False)
    return conv, nn.BatchNorm2d(outputs)


def _shortcut(inputs: int, outputs: int, stride: int, project: bool) -> nn.Module | None:
    if project:
        return nn.Sequential(*_conv_bn(inputs, outputs, 1, stride))
    return nn.MaxPool2d(1, stride) if stride > 1 else None  # TF-Slim's subsampling: every second position


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; the stride is in the first."""

    def __init__(self, inputs: int, outputs: int, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv_bn(inputs, outputs, 3, stride)
        self.relu = nn.ReLU()
        self.conv2, self.bn2 = _conv_bn(outputs, outputs, 3)
        self.downsample = _shortcut(inputs, outputs, stride, project)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, h, w)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions and a shortcut; the stride is in the first 1x1 or in the 3x3."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int, project: bool, stride_in_1x1: bool) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        self.conv1, self.bn1 = _conv_bn(inputs, inner, 1, first)
        self.conv2, self.bn2 = _conv_bn(inner, inner, 3, second)
        self.conv3, self.bn3 = _conv_bn(inner, outputs, 1)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(inputs, outputs, stride, project)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, h, w)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        out: Tensor = self.relu(y + (x if self.downsample is None else self.downsample(x)))
        return out


class ResNet(nn.Module):
    """Stem, four stages `layer1` to `layer4`, classifier `fc`."""

    def __init__(self, depths: Sequence[int], bottleneck: bool, width: float, variant: str, num_classes: int) -> None:
        super().__init__()
        channels = scaled(64, width)
        self.conv1, self.bn1 = nn.Conv2d(3, channels, 7, 2, padding=3, bias=False), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        # At even sizes "SAME" pads (0, 1): one position less on the left than PyTorch's padding=1.
        self.maxpool = MaxPool2dSame(3, 2) if variant == "slim" else nn.MaxPool2d(3, 2, padding=1)
        for stage, depth in enumerate(depths):
            blocks: list[nn.Module] = []
            inner = scaled(64 * 2**stage, width)
            outputs = scaled(256 * 2**stage, width) if bottleneck else inner
            for unit, stride in enumerate(_strides(stage, depth, variant)):
                project = unit == 0 and (bottleneck or stage > 0)
                if bottleneck:
                    blocks.append(Bottleneck(channels, inner, outputs, stride, project, variant == "v1"))
                else:
                    blocks.append(BasicBlock(channels, outputs, stride, project))
                channels = outputs
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1) if num_classes else None
        self.fc = nn.Linear(channels, num_classes) if num_classes else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, num_classes), or the feature map."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)  # (B, C, H, W)
        if self.avgpool is not None and self.fc is not None:
            x = self.fc(self.avgpool(x).flatten(1))  # (B, num_classes)
        return x


def _strides(stage: int, depth: int, variant: str) -> list[int]:
    if variant == "slim":  # TF-Slim subsamples in the last unit of the first three stages
        return [1] * (depth - 1) + [1 if stage == 3 else 2]
    return [1 if stage == 0 else 2] + [1] * (depth - 1)


def resnet18(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """ResNet-18: `layer4` has a field of 435, stride 32, padding 217.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.resnet18(width=0.125)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 1000])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named as in torchvision.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv 1512.03385.
    """
    return ResNet((2, 2, 2, 2), False, width, "v1.5", num_classes)


def resnet34(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """ResNet-34: `layer4` has a field of 899, stride 32, padding 449.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.resnet34(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 64, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named as in torchvision.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv 1512.03385.
    """
    return ResNet((3, 4, 6, 3), False, width, "v1.5", num_classes)


def resnet50(width: float = 1.0, num_classes: int = 1000, variant: str = "v1.5") -> nn.Module:
    """ResNet-50: `layer4` has a field of 427, stride 32, padding 213 ("v1.5"), or of 483 (the other variants).

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.resnet50(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 256, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.
        variant: Where the stride is. "v1.5": in the 3x3 of a stage's first block, as in torchvision. "v1": in the first
            1x1 of a stage's first block, as in the paper (483, padding 241). "slim": in the 3x3 of a stage's last
            block, as TF-Slim's `resnet_v1_50` has it, with "SAME" pooling (483, padding 239 at even sizes).

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named as in torchvision.

    Raises:
        ModelError: If `width` is not above 0 or `variant` is unknown.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv 1512.03385.
    """
    return ResNet((3, 4, 6, 3), True, width, choice("variant", variant, VARIANTS), num_classes)


def resnet101(width: float = 1.0, num_classes: int = 1000, variant: str = "v1.5") -> nn.Module:
    """ResNet-101: `layer4` has a field of 971, stride 32, padding 485 ("v1.5"), or of 1027 (the other variants).

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.resnet101(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 256, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.
        variant: Where the stride is: "v1.5", "v1" (1027, padding 513) or "slim" (1027, padding 511 at even sizes), as
            for `resnet50`.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named as in torchvision.

    Raises:
        ModelError: If `width` is not above 0 or `variant` is unknown.

    Reference:
        K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv 1512.03385.
    """
    return ResNet((3, 4, 23, 3), True, width, choice("variant", variant, VARIANTS), num_classes)


def resnet_v1_50(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """ResNet-50 as TF-Slim has it: `layer4` has a field of 483, stride 32, padding 239 at 224x224.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.resnet_v1_50(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 256, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named as in torchvision.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019,
        doi 10.23915/distill.00021.
    """
    return resnet50(width, num_classes, "slim")


def resnet_v1_101(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """ResNet-101 as TF-Slim has it: `layer4` has a field of 1027, stride 32, padding 511 at 224x224.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.resnet_v1_101(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 256, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named as in torchvision.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019,
        doi 10.23915/distill.00021.
    """
    return resnet101(width, num_classes, "slim")
