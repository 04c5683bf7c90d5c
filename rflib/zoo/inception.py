"""Inception v2 and v3, layer by layer as TF-Slim has them: branches of different fields, joined along the channels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._parts import Conv2dSame, MaxPool2dSame, conv_norm_act, pooled_classifier, scaled

# One convolution: channels, kernel size, stride.
Conv = tuple[int, int | tuple[int, int], int]


def _chain(inputs: int, convs: Sequence[Conv], width: float, last_padding: str = "SAME") -> tuple[list[nn.Module], int]:
    """Convolutions one after the other, and their number of channels; the last may be unpadded."""
    layers: list[nn.Module] = []
    for index, (channels, kernel_size, stride) in enumerate(convs):
        outputs = scaled(channels, width)
        padding = last_padding if index == len(convs) - 1 else "SAME"
        layers.append(conv_norm_act(inputs, outputs, kernel_size, stride, padding=padding))
        inputs = outputs
    return layers, inputs


class Mixed(nn.Module):
    """Branches `Branch_0`, `Branch_1`, ... over one input, joined along the channels; `channels` is their sum."""

    def __init__(self, branches: Sequence[tuple[nn.Module, int]]) -> None:
        super().__init__()
        self.count, self.channels = len(branches), sum(channels for _, channels in branches)
        for index, (branch, _) in enumerate(branches):
            self.add_module(f"Branch_{index}", branch)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, channels, h, w)."""
        return torch.cat([self.get_submodule(f"Branch_{i}")(x) for i in range(self.count)], dim=1)


def _mixed(inputs: int, convs: Sequence[Sequence[Conv]], pool: tuple[str, int], width: float) -> Mixed:
    """Branches of stride 1: chains of convolutions, and pooling ("avg" or "max", channels of its 1x1) as the last."""
    branches: list[tuple[nn.Module, int]] = []
    for chain in convs:
        layers, outputs = _chain(inputs, chain, width)
        branches.append((nn.Sequential(*layers), outputs))
    kind, channels = pool
    # TensorFlow's average leaves the padding out of the count.
    pooling = nn.MaxPool2d(3, 1, 1) if kind == "max" else nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    layers, outputs = _chain(inputs, [(channels, 1, 1)], width)
    branches.append((nn.Sequential(pooling, *layers), outputs))
    return Mixed(branches)


def _reduction(inputs: int, convs: Sequence[Sequence[Conv]], padding: str, width: float) -> Mixed:
    """Branches of stride 2: chains of convolutions, and max pooling as the last."""
    branches: list[tuple[nn.Module, int]] = []
    for chain in convs:
        layers, outputs = _chain(inputs, chain, width, last_padding=padding)
        branches.append((nn.Sequential(*layers), outputs))
    branches.append((MaxPool2dSame(3, 2) if padding == "SAME" else nn.MaxPool2d(3, 2), inputs))
    return Mixed(branches)


def _split_block(inputs: int, width: float) -> Mixed:
    """The widest block of Inception v3: two branches end in a 1x3 and a 3x1 side by side."""
    one = scaled(320, width)
    fork = scaled(384, width)
    deep = scaled(448, width)
    pool = scaled(192, width)

    def ends() -> Mixed:
        return Mixed([(conv_norm_act(fork, fork, (1, 3)), fork), (conv_norm_act(fork, fork, (3, 1)), fork)])

    return Mixed(
        [
            (nn.Sequential(conv_norm_act(inputs, one, 1)), one),
            (nn.Sequential(conv_norm_act(inputs, fork, 1), ends()), 2 * fork),
            (nn.Sequential(conv_norm_act(inputs, deep, 1), conv_norm_act(deep, fork, 3), ends()), 2 * fork),
            (nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), conv_norm_act(inputs, pool, 1)), pool),
        ]
    )


# Blocks of stride 1: the 1x1; the 3x3's two widths; the double 3x3's two widths; the pooling's kind and width.
_V2_BLOCKS: dict[str, tuple[int, tuple[int, int], tuple[int, int], tuple[str, int]]] = {
    "Mixed_3b": (64, (64, 64), (64, 96), ("avg", 32)),
    "Mixed_3c": (64, (64, 96), (64, 96), ("avg", 64)),
    "Mixed_4b": (224, (64, 96), (96, 128), ("avg", 128)),
    "Mixed_4c": (192, (96, 128), (96, 128), ("avg", 128)),
    "Mixed_4d": (160, (128, 160), (128, 160), ("avg", 96)),
    "Mixed_4e": (96, (128, 192), (160, 192), ("avg", 96)),
    "Mixed_5b": (352, (192, 320), (160, 224), ("avg", 128)),
    "Mixed_5c": (352, (192, 320), (192, 224), ("max", 128)),
}
# Blocks of stride 2: the 3x3's two widths; the double 3x3's two widths.
_V2_REDUCTIONS = {"Mixed_4a": ((128, 160), (64, 96)), "Mixed_5a": ((128, 192), (192, 256))}


def inception_v2(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """Inception v2 as TF-Slim has it: `Mixed_5c` has a field of 699, stride 32, padding 318 at 224x224.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.inception_v2(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 128, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; modules named by TF-Slim's end points.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
        shift", ICML 2015, arXiv 1502.03167.
        A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019,
        doi 10.23915/distill.00021.
    """
    stem, inputs = scaled(64, width), scaled(192, width)
    # The one separable convolution has no batch norm in TF-Slim: its scope covers plain convolutions only.
    separable = nn.Sequential(Conv2dSame(3, 24, 7, 2, groups=3, bias=False), nn.Conv2d(24, stem, 1), nn.ReLU())
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        Conv2d_1a_7x7=separable,
        MaxPool_2a_3x3=MaxPool2dSame(3, 2),
        Conv2d_2b_1x1=conv_norm_act(stem, stem, 1),
        Conv2d_2c_3x3=conv_norm_act(stem, inputs, 3),
        MaxPool_3a_3x3=MaxPool2dSame(3, 2),
    )
    for name in sorted([*_V2_BLOCKS, *_V2_REDUCTIONS]):
        if name in _V2_REDUCTIONS:
            (a, b), (c, d) = _V2_REDUCTIONS[name]
            block = _reduction(inputs, [[(a, 1, 1), (b, 3, 2)], [(c, 1, 1), (d, 3, 1), (d, 3, 2)]], "SAME", width)
        else:
            one, (a, b), (c, d), pool = _V2_BLOCKS[name]
            chains: list[list[Conv]] = [[(one, 1, 1)], [(a, 1, 1), (b, 3, 1)], [(c, 1, 1), (d, 3, 1), (d, 3, 1)]]
            block = _mixed(inputs, chains, pool, width)
        layers[name], inputs = block, block.channels
    layers["classifier"] = pooled_classifier(inputs, num_classes)
    return nn.Sequential(layers)


def _v3_blocks(inputs: int, width: float) -> tuple[OrderedDict[str, nn.Module], int]:
    """The mixed blocks of Inception v3 by name, and the channels of the last."""
    blocks: OrderedDict[str, nn.Module] = OrderedDict()

    def add(name: str, block: Mixed) -> int:
        blocks[name] = block
        return block.channels

    five: list[list[Conv]] = [[(64, 1, 1)], [(48, 1, 1), (64, 5, 1)], [(64, 1, 1), (96, 3, 1), (96, 3, 1)]]
    for name, pool in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        inputs = add(name, _mixed(inputs, five, ("avg", pool), width))
    down: list[list[Conv]] = [[(384, 3, 2)], [(64, 1, 1), (96, 3, 1), (96, 3, 2)]]
    inputs = add("Mixed_6a", _reduction(inputs, down, "VALID", width))
    for name, n in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        single: list[Conv] = [(n, 1, 1), (n, (1, 7), 1), (192, (7, 1), 1)]
        double: list[Conv] = [(n, 1, 1), (n, (7, 1), 1), (n, (1, 7), 1), (n, (7, 1), 1), (192, (1, 7), 1)]
        inputs = add(name, _mixed(inputs, [[(192, 1, 1)], single, double], ("avg", 192), width))
    down = [[(192, 1, 1), (320, 3, 2)], [(192, 1, 1), (192, (1, 7), 1), (192, (7, 1), 1), (192, 3, 2)]]
    inputs = add("Mixed_7a", _reduction(inputs, down, "VALID", width))
    for name in ("Mixed_7b", "Mixed_7c"):
        inputs = add(name, _split_block(inputs, width))
    return blocks, inputs


def inception_v3(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """Inception v3 as TF-Slim has it: `Mixed_7c` has a field of 1311, stride 32, padding 618.

    The stem and the blocks of stride 2 are unpadded, so the padding is less than half the size.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.inception_v3(width=0.125, num_classes=0)(torch.zeros(1, 3, 107, 107)).shape
        torch.Size([1, 256, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights, at least 75x75 inputs; modules named by TF-Slim's
        end points. The auxiliary classifier is left out.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception architecture for computer
        vision", CVPR 2016, arXiv 1512.00567.
        A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019,
        doi 10.23915/distill.00021.
    """
    a, b, c, d = (scaled(n, width) for n in (32, 64, 80, 192))
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        Conv2d_1a_3x3=conv_norm_act(3, a, 3, 2, padding="VALID"),
        Conv2d_2a_3x3=conv_norm_act(a, a, 3, padding="VALID"),
        Conv2d_2b_3x3=conv_norm_act(a, b, 3),
        MaxPool_3a_3x3=nn.MaxPool2d(3, 2),
        Conv2d_3b_1x1=conv_norm_act(b, c, 1, padding="VALID"),
        Conv2d_4a_3x3=conv_norm_act(c, d, 3, padding="VALID"),
        MaxPool_5a_3x3=nn.MaxPool2d(3, 2),
    )
    blocks, outputs = _v3_blocks(d, width)
    layers.update(blocks)
    layers["classifier"] = pooled_classifier(outputs, num_classes)
    return nn.Sequential(layers)
