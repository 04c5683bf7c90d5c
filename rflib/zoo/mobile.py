"""Networks of depthwise convolutions: MobileNet v1 and an EfficientNet with squeeze-and-excitation."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from ._parts import conv_norm_act, pooled_classifier, scaled

# Channels and stride of the thirteen depthwise separable layers.
_MOBILENET_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


def mobilenet_v1(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """MobileNet v1 as TF-Slim has it: `Conv2d_13_pointwise` has a field of 315, stride 32, padding 126 at 224x224.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.mobilenet_v1(width=0.25, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 256, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named by TF-Slim's end points.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications", 2017,
        arXiv 1704.04861.
        A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019,
        doi 10.23915/distill.00021.
    """
    inputs = scaled(32, width)
    layers: OrderedDict[str, nn.Module] = OrderedDict(Conv2d_0=conv_norm_act(3, inputs, 3, 2, activation=nn.ReLU6))
    for index, (channels, stride) in enumerate(_MOBILENET_V1, start=1):
        outputs = scaled(channels, width)
        layers[f"Conv2d_{index}_depthwise"] = conv_norm_act(
            inputs, inputs, 3, stride, groups=inputs, activation=nn.ReLU6
        )
        layers[f"Conv2d_{index}_pointwise"] = conv_norm_act(inputs, outputs, 1, activation=nn.ReLU6)
        inputs = outputs
    layers["classifier"] = pooled_classifier(inputs, num_classes)
    return nn.Sequential(layers)


class SqueezeExcitation(nn.Module):
    """A gate for each channel, from the mean over all positions: it reads the whole feature map."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.activation = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return x * torch.sigmoid(self.fc2(self.activation(self.fc1(self.avgpool(x)))))


class MBConv(nn.Module):
    """Inverted bottleneck: expand, depthwise convolution, gate, project, shortcut where shapes allow it."""

    def __init__(
        self, inputs: int, outputs: int, expansion: int, kernel_size: int, stride: int, squeeze_excite: bool
    ) -> None:
        super().__init__()
        inner = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.SiLU()]
        depthwise = nn.Conv2d(inner, inner, kernel_size, stride, kernel_size // 2, groups=inner, bias=False)
        layers += [depthwise, nn.BatchNorm2d(inner), nn.SiLU()]
        if squeeze_excite:
            layers.append(SqueezeExcitation(inner, max(1, inputs // 4)))
        layers += [nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.block = nn.Sequential(*layers)
        self.use_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, h, w)."""
        y: Tensor = self.block(x)
        return x + y if self.use_shortcut else y


# Expansion, kernel size, stride, channels, repeats of each stage of EfficientNet-B0.
_B0 = (
    *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
    *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
)


def efficientnet_like(width: float = 1.0, num_classes: int = 1000, squeeze_excite: bool = True) -> nn.Module:
    """A network with the stages of EfficientNet-B0: every unit reads the whole input; 851 with the gates left out.

    Padding is half a kernel on both sides, as in torchvision. Without squeeze-and-excitation `features` has a field of
    851, stride 32, padding 425. With it, every unit after the first gate reads the whole input.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.efficientnet_like(width=0.25, num_classes=0).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 320, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.
        squeeze_excite: Whether the blocks have their gates.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; stages are `features.1` to `features.7`.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        M. Tan, Q. Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019,
        arXiv 1905.11946.
    """
    inputs = scaled(32, width)
    stem = nn.Conv2d(3, inputs, 3, 2, padding=1, bias=False)
    layers: list[nn.Module] = [nn.Sequential(stem, nn.BatchNorm2d(inputs), nn.SiLU())]
    for expansion, kernel_size, stride, channels, repeats in _B0:
        outputs = scaled(channels, width)
        blocks: list[nn.Module] = []
        for index in range(repeats):
            step = stride if index == 0 else 1
            blocks.append(MBConv(inputs, outputs, expansion, kernel_size, step, squeeze_excite))
            inputs = outputs
        layers.append(nn.Sequential(*blocks))
    last = scaled(1280, width)
    layers.append(nn.Sequential(nn.Conv2d(inputs, last, 1, bias=False), nn.BatchNorm2d(last), nn.SiLU()))
    return nn.Sequential(OrderedDict(features=nn.Sequential(*layers), classifier=pooled_classifier(last, num_classes)))
