"""Networks that answer at every pixel: U-Net and the head of DeepLab v3."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._parts import choice, scaled


def _double_conv(inputs: int, outputs: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU()),
        *(nn.Conv2d(outputs, outputs, 3, padding=padding), nn.ReLU()),
    )


def _up(inputs: int, outputs: int, kind: str) -> nn.Module:
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
    resize = nn.Upsample(scale_factor=2, mode=kind, align_corners=False if kind == "bilinear" else None)
    return nn.Sequential(resize, nn.Conv2d(inputs, outputs, 3, padding=1))


def _crop_to(x: Tensor, like: Tensor) -> Tensor:
    """The middle of `x`, as large as `like`."""
    top, left = ((have - want) // 2 for have, want in zip(x.shape[2:], like.shape[2:], strict=True))
    return x[:, :, top : top + like.shape[2], left : left + like.shape[3]]


class UNet(nn.Module):
    """Contracting path `encoder`, expanding path `up` and `decoder`, skip connections, 1x1 `head`."""

    def __init__(self, base: int, depth: int, num_classes: int, up: str, padding: int) -> None:
        super().__init__()
        widths = [base * 2**level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(
            _double_conv(inputs, outputs, padding) for inputs, outputs in zip([1, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_up(deep, shallow, up) for deep, shallow in pairs)
        self.decoder = nn.ModuleList(_double_conv(2 * shallow, shallow, padding) for _, shallow in pairs)
        self.head = nn.Conv2d(base, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, num_classes, h, w)."""
        skips: list[Tensor] = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else self.pool(x))
            skips.append(x)
        skips.pop()  # the deepest map goes on by itself
        for up, decode in zip(self.up, self.decoder, strict=True):
            x = up(x)
            x = decode(torch.cat([_crop_to(skips.pop(), x), x], dim=1))
        out: Tensor = self.head(x)
        return out


def unet(
    width: float = 1.0, depth: int = 4, num_classes: int = 2, up: str = "transposed", padding: int = 1
) -> nn.Module:
    """U-Net: `encoder.4` has a field of 140, stride 16; at the output windows differ from pixel to pixel.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.unet(width=0.125)(torch.zeros(1, 1, 64, 64)).shape
        torch.Size([1, 2, 64, 64])
        >>> zoo.unet(width=0.125, padding=0)(torch.zeros(1, 1, 572, 572)).shape
        torch.Size([1, 2, 388, 388])

    Args:
        width: Factor on the number of channels of every layer.
        depth: How many times the map is halved.
        num_classes: Channels of the output.
        up: How a map is doubled: "transposed" (2x2 convolution, as in the paper), "nearest" or "bilinear" (each
            followed by a 3x3 convolution).
        padding: Padding of the 3x3 convolutions in input positions of each layer: 1 keeps the size, 0 is the paper's.

    Returns:
        A module (B, 1, H, W) -> (B, num_classes, H, W) with random weights; H and W are multiples of 2**depth, else the
        skip connections are cropped and the output is smaller.

    Raises:
        ModelError: If `width` is not above 0 or `up` is unknown.

    Reference:
        O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI
        2015, arXiv 1505.04597.
    """
    kind = choice("up", up, ("transposed", "nearest", "bilinear"))
    return UNet(scaled(64, width), depth, num_classes, kind, padding)


class ImagePooling(nn.Module):
    """One vector for the whole map, spread over it again."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, H, W)."""
        y = self.conv(self.pool(x))  # (B, C, 1, 1)
        return F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: the same map through several dilations, joined by `project`."""

    def __init__(self, inputs: int, outputs: int, rates: tuple[int, ...], image_pooling: bool) -> None:
        super().__init__()
        branches: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
        ]
        for rate in rates:
            conv = nn.Conv2d(inputs, outputs, 3, padding=rate, dilation=rate, bias=False)
            branches.append(nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU()))
        if image_pooling:
            branches.append(ImagePooling(inputs, outputs))
        self.convs = nn.ModuleList(branches)
        joined = nn.Conv2d(len(branches) * outputs, outputs, 1, bias=False)
        self.project = nn.Sequential(joined, nn.BatchNorm2d(outputs), nn.ReLU(), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, H, W)."""
        out: Tensor = self.project(torch.cat([branch(x) for branch in self.convs], dim=1))
        return out


def deeplab_aspp(
    width: float = 1.0, rates: tuple[int, ...] = (6, 12, 18), image_pooling: bool = True, num_classes: int = 21
) -> nn.Module:
    """The head of DeepLab v3 over a backbone's feature map: whole input; 39 with the image pooling left out.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.deeplab_aspp(width=0.125).eval()(torch.zeros(1, 256, 33, 33)).shape
        torch.Size([1, 21, 33, 33])

    Args:
        width: Factor on the number of channels of every layer, the 2048 of the input included.
        rates: Dilations of the 3x3 branches, in positions of the feature map.
        image_pooling: Whether the branch that reads the whole map is there.
        num_classes: Channels of the output; 0 returns what the pyramid computes, a field of 37 full of holes.

    Returns:
        A module (B, 2048, H, W) -> (B, num_classes, H, W) with random weights.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking atrous convolution for semantic image segmentation",
        2017, arXiv 1706.05587.
    """
    inputs, outputs = scaled(2048, width), scaled(256, width)
    pyramid = ASPP(inputs, outputs, rates, image_pooling)
    if num_classes == 0:
        return nn.Sequential(pyramid)
    conv = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(pyramid, conv, nn.BatchNorm2d(outputs), nn.ReLU(), nn.Conv2d(outputs, num_classes, 1))
