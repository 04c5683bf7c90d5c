"""Networks after 2020: a ConvNeXt, a Swin transformer with shifted windows, a vision transformer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._parts import LayerNorm2d, pooled_classifier, scaled


def _mlp(channels: int, factor: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, factor * channels), nn.GELU(), nn.Linear(factor * channels, channels))


class ConvNeXtBlock(nn.Module):
    """Depthwise 7x7, layer norm and two linear layers over the channels, layer scale, shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.mlp = _mlp(channels)
        self.scale = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        y = self.dwconv(x).permute(0, 2, 3, 1)  # (B, H, W, C)
        y = self.scale * self.mlp(self.norm(y))
        out: Tensor = x + y.permute(0, 3, 1, 2)  # (B, C, H, W)
        return out


def convnext_like(width: float = 1.0, depths: Sequence[int] = (3, 3, 9, 3), num_classes: int = 1000) -> nn.Module:
    """A network with the stages of ConvNeXt-T: `features` has a field of 1688, stride 32, padding 828.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.convnext_like(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 96, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        depths: Blocks in each stage; between stages the map is halved and the channels doubled.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; submodules are `features` and `classifier`.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        Z. Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv 2201.03545.
    """
    features = nn.Sequential()
    channels = scaled(96, width)
    features.append(nn.Sequential(nn.Conv2d(3, channels, 4, stride=4), LayerNorm2d(channels)))
    for stage, depth in enumerate(depths):
        if stage:
            features.append(nn.Sequential(LayerNorm2d(channels), nn.Conv2d(channels, 2 * channels, 2, stride=2)))
            channels *= 2
        features.append(nn.Sequential(*(ConvNeXtBlock(channels) for _ in range(depth))))
    norm = LayerNorm2d(channels) if num_classes else nn.Identity()
    return _named(features, pooled_classifier(channels, num_classes, norm))


def _named(features: nn.Module, classifier: nn.Module) -> nn.Module:
    whole = nn.Sequential()
    whole.add_module("features", features)
    whole.add_module("classifier", classifier)
    return whole


def _windows(x: Tensor, size: int) -> Tensor:
    """(B, H, W, C) -> (B * windows, size * size, C)."""
    b, h, w, c = x.shape
    x = x.view(b, h // size, size, w // size, size, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, c)  # rows and columns of a window side by side


def _unwindows(x: Tensor, size: int, h: int, w: int) -> Tensor:
    """(B * windows, size * size, C) -> (B, H, W, C)."""
    x = x.view(-1, h // size, w // size, size, size, x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, h, w, x.shape[-1])


class WindowAttention(nn.Module):
    """Attention within shifted windows: a learned bias for each offset, a mask where windows wrap round."""

    def __init__(self, channels: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.normal_(self.bias, std=0.02)
        steps = torch.arange(window)
        grid = torch.stack(torch.meshgrid(steps, steps, indexing="ij")).flatten(1)  # (2, window * window)
        offsets = grid[:, :, None] - grid[:, None, :] + window - 1
        self.index: Tensor
        self.register_buffer("index", offsets[0] * (2 * window - 1) + offsets[1], persistent=False)

    def _mask(self, h: int, w: int, shift: int, like: Tensor) -> Tensor:
        """0 within a region of the unshifted map, -inf across regions: (windows, 1, window**2, window**2)."""
        region = torch.zeros(1, h, w, 1, dtype=like.dtype)
        cuts = (slice(0, -self.window), slice(-self.window, -shift), slice(-shift, None))
        for label, (rows, columns) in enumerate((r, c) for r in cuts for c in cuts):
            region[:, rows, columns, :] = label
        labels = _windows(region, self.window).squeeze(-1)  # (windows, window * window)
        apart = labels[:, None, :] != labels[:, :, None]
        mask = torch.zeros(apart.shape, dtype=like.dtype).masked_fill(apart, -torch.inf)
        return mask[:, None].to(like.device)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> the same shape."""
        b, height, width, c = x.shape
        size = self.window
        x = F.pad(x, (0, 0, 0, -width % size, 0, -height % size))
        h, w = x.shape[1:3]
        shift = 0 if size >= min(h, w) else self.shift  # one window sees everything: nothing to shift
        if shift:
            x = torch.roll(x, (-shift, -shift), (1, 2))
        tokens = _windows(x, size)
        qkv = self.qkv(tokens).view(tokens.shape[0], size * size, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (B * windows, heads, tokens, channels a head)
        scores = q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5
        scores = scores + self.bias[self.index].permute(2, 0, 1)
        if shift:
            scores = scores + self._mask(h, w, shift, x).repeat(b, 1, 1, 1)
        tokens = (scores.softmax(-1) @ v).transpose(1, 2).reshape(tokens.shape)
        x = _unwindows(self.proj(tokens), size, h, w)
        if shift:
            x = torch.roll(x, (shift, shift), (1, 2))
        return x[:, :height, :width]


class SwinBlock(nn.Module):
    """Window attention and two linear layers, each behind a layer norm and with a shortcut; (B, H, W, C)."""

    def __init__(self, channels: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attn, self.mlp = WindowAttention(channels, heads, window, shift), _mlp(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> the same shape."""
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class PatchMerging(nn.Module):
    """Four neighbors become one, with twice the channels; (B, H, W, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm, self.reduction = nn.LayerNorm(4 * channels), nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H/2, W/2, 2C)."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        parts = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(parts, dim=-1)))
        return out


class ToChannelsLast(nn.Module):
    """(B, C, H, W) -> (B, H, W, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, H, W, C)."""
        return x.permute(0, 2, 3, 1)


class ToChannelsFirst(nn.Module):
    """(B, H, W, C) -> (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, C, H, W)."""
        return x.permute(0, 3, 1, 2)


def swin_like(
    width: float = 1.0, depths: Sequence[int] = (2, 2), window: int = 4, num_classes: int = 1000
) -> nn.Module:
    """A small Swin transformer, windows shifted in every second block: the field grows window by window.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.swin_like(width=0.25, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 48, 8, 8])

    Args:
        width: Factor on the number of channels of every layer. Swin-T is `depths=(2, 2, 6, 2)`, `window=7`.
        depths: Blocks in each stage; between stages the map is halved and the channels doubled.
        window: Side of a window, in positions of the feature map.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; `features.2`, `features.4`, ... are the stages,
        whose maps have the channels last.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        Z. Liu et al., "Swin transformer: hierarchical vision transformer using shifted windows", ICCV 2021,
        arXiv 2103.14030.
    """
    per_head = scaled(32, width)
    heads = 3
    embed = nn.Sequential(nn.Conv2d(3, heads * per_head, 4, stride=4), ToChannelsLast(), nn.LayerNorm(heads * per_head))
    features = nn.Sequential(embed)
    for stage, depth in enumerate(depths):
        features.append(PatchMerging(heads // 2 * per_head) if stage else nn.Identity())
        blocks = [SwinBlock(heads * per_head, heads, window, window // 2 * (i % 2)) for i in range(depth)]
        features.append(nn.Sequential(*blocks))
        heads *= 2
    channels = heads // 2 * per_head
    features.append(nn.Sequential(nn.LayerNorm(channels), ToChannelsFirst()))
    return _named(features, pooled_classifier(channels, num_classes))


class EncoderBlock(nn.Module):
    """Self-attention over all tokens and two linear layers; (B, N, C)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.proj, self.mlp = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels), _mlp(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> the same shape."""
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)
        x = x + self.proj(y)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class VisionTransformer(nn.Module):
    """Patches by a strided convolution, a class token, learned positions, encoder blocks `layers.0`, `layers.1`, ..."""

    def __init__(self, channels: int, heads: int, depth: int, image: int, patch: int, num_classes: int) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, channels, patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, channels))
        self.positions = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, channels) * 0.02)
        self.layers = nn.Sequential(*(EncoderBlock(channels, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(channels), nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, num_classes)."""
        tokens = self.conv_proj(x).flatten(2).transpose(1, 2)  # (B, N, C)
        tokens = torch.cat([self.class_token.expand(x.shape[0], -1, -1), tokens], dim=1) + self.positions
        out: Tensor = self.head(self.norm(self.layers(tokens))[:, 0])
        return out


def vit_like(
    width: float = 1.0, depth: int = 4, heads: int = 3, image: int = 64, patch: int = 8, num_classes: int = 1000
) -> nn.Module:
    """A small vision transformer: a field of one patch before the first attention, of the whole image after it.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.vit_like(width=0.25)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 1000])

    Args:
        width: Factor on the number of channels of every layer. ViT-B/16 is `depth=12`, `heads=12`, `image=224`,
            `patch=16`.
        depth: Number of encoder blocks.
        heads: Heads of each attention; each has 64 channels at `width=1`.
        image: Side of the image, in input positions.
        patch: Side of a patch, in input positions.
        num_classes: Outputs of the classifier.

    Returns:
        A module (B, 3, image, image) -> (B, num_classes) with random weights.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. Dosovitskiy et al., "An image is worth 16x16 words: transformers for image recognition at scale", ICLR 2021,
        arXiv 2010.11929.
    """
    return VisionTransformer(heads * scaled(64, width), heads, depth, image, patch, num_classes)
