"""Published networks as data, the published numbers beside them; one axis, standard library only.

A network is a `Path`: layers one after the other, and `Branches` where paths part and meet again. The numbers beside it
are those that somebody printed; the numbers of the graph are computed from the layers, so that one can check the other.
TensorFlow's "SAME" padding depends on the length of the input: here it is that of the network's `input_size`.

Example:
    >>> from rflib import networks
    >>> vgg = networks.network("vgg16")
    >>> vgg.published, vgg.field
    ((212, 32, 90), (212, 32, 90))
    >>> networks.network("inception_v2").window("Mixed_4a").size
    123

Reference:
    A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019,
    doi 10.23915/distill.00021: the numbers of TF-Slim's networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias, cast

from rflib.arithmetic import Layer
from rflib.errors import ModelError, NoSingleAnswerError, UnknownNameError
from rflib.graph.axis_graph import Graph, Window

__all__ = ["MISPRINTS", "NETWORKS", "Branches", "Misprint", "Path", "PublishedNetwork", "network"]


@dataclass(frozen=True)
class Branches:
    """Paths that start at one feature map and meet again, in a sum or a concatenation of channels.

    Attributes:
        paths: One path a branch; an empty one passes the feature map on, as an identity shortcut does.
        name: What the point is called at which they meet.
    """

    paths: tuple[Path, ...]
    name: str


Path: TypeAlias = tuple[Layer | Branches, ...]


@dataclass(frozen=True)
class PublishedNetwork:
    """A network of the literature along one axis, and what was printed about its field.

    Attributes:
        name: Its name in `NETWORKS`.
        title: Its name as people write it, with the variant and the point at which the field is asked for.
        reference: The network's own paper, as a DOI or an arXiv identifier.
        input_size: Length of the input for which it is described, in positions.
        path: The layers along axis 0.
        published: Size, stride and padding in input positions, as printed; None for what the source does not say.
        source: Where the numbers come from; "" where there is no number.
        across: The layers along axis 1, where kernels are not square; else the same path.
    """

    name: str
    title: str
    reference: str
    input_size: int
    path: Path = field(repr=False)
    published: tuple[int | None, int | None, int | None] | None = None
    source: str = ""
    across: Path | None = field(default=None, repr=False)

    def graph(self, length: int | None = None, axis: int = 0) -> Graph:
        """The network as a graph; its last node is the output.

        Example:
            >>> graph = network("vgg16").graph(224)
            >>> graph.nodes[-1].name, graph.nodes[-1].shape
            ('pool5', (7,))

        Args:
            length: Length of the input, in positions; without one, only ideal windows can be asked for.
            axis: 0 or 1.

        Returns:
            A new graph with one input.

        Raises:
            LayerError: If the input is too small for a layer.
            ModelError: If `axis` is neither 0 nor 1.
        """
        if axis not in (0, 1):
            raise ModelError(f"`axis` must be 0 or 1: published networks are described along two; got {axis!r}.")
        graph = Graph()
        _grow(graph, self.across if axis == 1 and self.across is not None else self.path, graph.input(length))
        return graph

    def window(self, at: str | None = None, axis: int = 0) -> Window:
        """The ideal windows at one point of the network, by default its output.

        Example:
            >>> network("resnet_v1_50").window("layer1").size
            35

        Args:
            at: Name of a layer, of a block, or of a stage (then its last unit).
            axis: 0 or 1.

        Returns:
            A `Window`: size, stride, padding, density, aligned.

        Raises:
            UnknownNameError: If there is no such point.
            ModelError: If `axis` is neither 0 nor 1.
        """
        graph = self.graph(axis=axis)
        found = [n.index for n in graph.nodes if at is None or n.name == at or n.name.startswith(f"{at}.")]
        if not found:
            known = [n.name for n in graph.nodes if n.name]
            raise UnknownNameError("layer", at, known, f"It was looked for in network {self.name!r}.")
        return graph.window(found[-1])

    @property
    def field(self) -> tuple[int, int, int]:
        """Size, stride and padding of the output in input positions, computed from the layers."""
        window = self.window()
        return window.size, cast(int, window.stride), cast(int, window.padding)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of a plain stack.

        Raises:
            NoSingleAnswerError: If the network has branches.
        """
        layers = tuple(part for part in self.path if isinstance(part, Layer))
        if len(layers) < len(self.path):
            raise NoSingleAnswerError(
                f"Network {self.name!r} has branches, so it is no stack of layers. Ask its .window() or its .graph()."
            )
        return layers


@dataclass(frozen=True)
class Misprint:
    """A wrong number that was published, and the layers for which it would be right.

    Attributes:
        of: Name of the network in `NETWORKS` that it was printed for.
        printed: The size that was printed, in input positions.
        layers: A stack that has this size.
        mistake: What went wrong, in a few words.
        source: Where it was seen.
    """

    of: str
    printed: int
    layers: tuple[Layer, ...] = field(repr=False)
    mistake: str
    source: str


def _grow(graph: Graph, path: Path, at: int) -> int:
    for part in path:
        if isinstance(part, Layer):
            at = graph.layer(part, at)
        else:
            at = graph.add(*(_grow(graph, branch, at) for branch in part.paths), name=part.name)
    return at


# --- shorthand --------------------------------------------------------------------------------------------------------

ONE, THREE = Layer(1), Layer(3, padding=1)
HALVE = Layer(3, 2, (0, 1))
"""Kernel size 3, stride 2 with "SAME" padding on a feature map of even length: nothing on the left."""


def _named(names: str, *layers: Layer) -> tuple[Layer, ...]:
    return tuple(replace(layer, name=name) for name, layer in zip(names.split(), layers, strict=True))


Chains: TypeAlias = list[list[Layer | tuple[Layer, ...]]]


def _block(name: str, *branches: Sequence[Layer | tuple[Layer, ...]]) -> Branches:
    """Branches whose layers are named after the block; a tuple is layers side by side at the end of a branch."""
    paths: list[Path] = []
    for b, branch in enumerate(branches):
        path: list[Layer | Branches] = []
        for i, part in enumerate(branch):
            at = f"{name}.Branch_{b}.{i}"
            path.append(replace(part, name=at) if isinstance(part, Layer) else _block(at, *([side] for side in part)))
        paths.append(tuple(path))
    return Branches(tuple(paths), name)


# --- plain stacks -----------------------------------------------------------------------------------------------------


def _alexnet(padding: int) -> Path:
    names = "conv1 pool1 conv2 pool2 conv3 conv4 conv5 pool5"
    pool = Layer(3, 2)
    return _named(names, Layer(11, 4, padding), pool, Layer(5, 1, 2), pool, THREE, THREE, THREE, pool)


def _vgg16() -> tuple[Layer, ...]:
    layers = []
    for stage, convolutions in enumerate((2, 2, 3, 3, 3), start=1):
        layers += [replace(THREE, name=f"conv{stage}_{i}") for i in range(1, convolutions + 1)]
        layers.append(Layer(2, 2, name=f"pool{stage}"))
    return tuple(layers)


def _mobilenet_v1() -> Path:
    layers = [replace(HALVE, name="Conv2d_0")]
    for i, stride in enumerate((1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1), start=1):
        layers.append(replace(HALVE if stride == 2 else THREE, name=f"Conv2d_{i}_depthwise"))
        layers.append(replace(ONE, name=f"Conv2d_{i}_pointwise"))
    return tuple(layers)


def _patchgan(halvings: int) -> tuple[Layer, ...]:
    strides = (*(2,) * halvings, 1, 1)
    return tuple(Layer(4, stride, 1, name=f"conv{i}") for i, stride in enumerate(strides, start=1))


def _unet_bottom() -> Path:
    layers = []
    for level in range(5):
        layers += [Layer(2, 2, name=f"pool{level}")] if level else []
        layers += [replace(THREE, name=f"encoder.{level}.conv{i}") for i in (1, 2)]
    return tuple(layers)


# --- residual networks ------------------------------------------------------------------------------------------------


def _resnet(depths: Sequence[int], kind: str) -> Path:
    """Where the stride sits is what tells the variants apart.

    "basic": in the block's first 3x3; "v1.5": in the 3x3 of a stage's first block; "v1", the paper's: in the first 1x1
    of that block; "slim": in the 3x3 of a stage's LAST block.
    """
    pool = HALVE if kind == "slim" else Layer(3, 2, 1)
    path: list[Layer | Branches] = [Layer(7, 2, 3, name="conv1"), replace(pool, name="maxpool")]
    for stage, depth in enumerate(depths):
        for unit in range(depth):
            halves = unit == depth - 1 and stage < 3 if kind == "slim" else unit == 0 and stage > 0
            path.append(_residual(f"layer{stage + 1}.{unit}", 2 if halves else 1, kind, unit == 0, stage))
    return tuple(path)


def _residual(name: str, stride: int, kind: str, first: bool, stage: int) -> Branches:
    three = Layer(3, stride, 1)
    if kind == "basic":
        main = _named("conv1 conv2", three, THREE)
    elif kind == "v1":
        main = _named("conv1 conv2 conv3", Layer(1, stride), THREE, ONE)
    else:
        main = _named("conv1 conv2 conv3", ONE, three, ONE)
    main = tuple(replace(layer, name=f"{name}.{layer.name}") for layer in main)
    # A 1x1 convolution where channels or length change; in TF-Slim's last unit a max pooling 1/2, of the same geometry.
    projects = stride > 1 or (first and (kind != "basic" or stage > 0))
    shortcut: Path = (Layer(1, stride, name=f"{name}.downsample"),) if projects else ()
    return Branches((main, shortcut), name)


def _efficientnet_b0() -> Path:
    """Without the gates of squeeze-and-excitation, which read everything."""
    path: list[Layer | Branches] = [Layer(3, 2, 1, name="features.0")]
    stages = ((3, 1, 1), (3, 2, 2), (5, 2, 2), (3, 2, 3), (5, 1, 3), (5, 2, 4), (3, 1, 1))
    for stage, (kernel_size, stride, repeats) in enumerate(stages, start=1):
        for unit in range(repeats):
            name = f"features.{stage}.{unit}"
            depthwise = Layer(kernel_size, 1 if unit else stride, kernel_size // 2)
            main = _named(f"{name}.expand {name}.depthwise {name}.project", ONE, depthwise, ONE)
            path += [Branches((main, ()), name)] if unit else main  # no shortcut in a stage's first block
    return (*path, replace(ONE, name="features.8"))


def _convnext_tiny() -> Path:
    path: list[Layer | Branches] = [Layer(4, 4, name="features.0")]
    for stage, depth in enumerate((3, 3, 9, 3)):
        if stage:
            path.append(Layer(2, 2, name=f"features.{2 * stage}"))
        for unit in range(depth):
            name = f"features.{2 * stage + 1}.{unit}"
            main = _named(f"{name}.depthwise {name}.expand {name}.project", Layer(7, 1, 3), ONE, ONE)
            path.append(Branches((main, ()), name))
    return tuple(path)


# --- inception --------------------------------------------------------------------------------------------------------


def _inception_v2() -> Path:
    stem = _named(
        "Conv2d_1a_7x7 MaxPool_2a_3x3 Conv2d_2b_1x1 Conv2d_2c_3x3 MaxPool_3a_3x3",
        *(Layer(7, 2, (2, 3)), HALVE, ONE, THREE, HALVE),
    )
    wide: Chains = [[ONE], [ONE, THREE], [ONE, THREE, THREE], [THREE, ONE]]
    halving: Chains = [[ONE, HALVE], [ONE, THREE, HALVE], [HALVE]]
    names = "3b 3c 4a 4b 4c 4d 4e 5a 5b 5c".split()
    return (*stem, *(_block(f"Mixed_{name}", *(halving if name.endswith("a") else wide)) for name in names))


def _inception_v3(axis: int) -> Path:
    """A 1x7 kernel is 1 long on axis 0 and 7 on axis 1."""
    seven = Layer(7, padding=3)
    row, column = (ONE, seven) if axis == 0 else (seven, ONE)  # 1x7 and 7x1
    sides = (ONE, THREE) if axis == 0 else (THREE, ONE)  # 1x3 and 3x1, side by side
    halve = Layer(3, 2)
    five: Chains = [[ONE], [ONE, Layer(5, padding=2)], [ONE, THREE, THREE], [THREE, ONE]]
    six_a: Chains = [[halve], [ONE, THREE, halve], [halve]]
    six: Chains = [[ONE], [ONE, row, column], [ONE, column, row, column, row], [THREE, ONE]]
    seven_a: Chains = [[ONE, halve], [ONE, row, column, halve], [halve]]
    last: Chains = [[ONE], [ONE, sides], [ONE, THREE, sides], [THREE, ONE]]
    stem = _named(
        "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 MaxPool_3a_3x3 Conv2d_3b_1x1 Conv2d_4a_3x3 MaxPool_5a_3x3",
        *(halve, Layer(3), THREE, halve, ONE, Layer(3), halve),  # only the third is padded
    )
    names = "5b 5c 5d 6a 6b 6c 6d 6e 7a 7b 7c".split()
    chains = [*[five] * 3, six_a, *[six] * 4, seven_a, *[last] * 2]
    return (*stem, *(_block(f"Mixed_{name}", *each) for name, each in zip(names, chains, strict=True)))


def _aspp() -> Path:
    """Without the branch that pools the whole map."""
    dilated = [[Layer(3, padding=rate, dilation=rate)] for rate in (6, 12, 18)]
    return _block("convs", [ONE], *dilated), replace(ONE, name="project")


# --- causal networks --------------------------------------------------------------------------------------------------


def _causal(kernel_size: int, dilation: int) -> Layer:
    return Layer(kernel_size, padding=((kernel_size - 1) * dilation, 0), dilation=dilation)


def _tcn() -> Path:
    path: list[Branches] = []
    for i, dilation in enumerate((1, 2, 4, 8)):
        name = f"network.{i}"
        main = _named(f"{name}.conv1 {name}.conv2", *[_causal(3, dilation)] * 2)
        shortcut = () if i else _named(f"{name}.downsample", ONE)
        path.append(Branches((main, shortcut), name))
    return tuple(path)


def _wavenet() -> Path:
    """The residual path. The output sums the skip connections of all layers, of which the last sees the most."""
    path: list[Layer | Branches] = [replace(ONE, name="causal")]
    for i in range(10):
        name = f"layers.{i}"
        main = _named(f"{name}.dilated {name}.pointwise", _causal(2, 2**i), ONE)
        path.append(Branches((main, ()), name))
    return tuple(path)


# --- the list ---------------------------------------------------------------------------------------------------------

DISTILL = "Araujo, Norris, Sim, Distill, 2019, doi 10.23915/distill.00021"
POKED = "poking torchvision's implementation with random weights"
PIX2PIX, RESNET, INCEPTION_V3 = "arXiv 1611.07004", "arXiv 1512.03385", "arXiv 1512.00567"
_D50, _D101 = (3, 4, 6, 3), (3, 4, 23, 3)

_ALL = (
    PublishedNetwork("alexnet", "AlexNet in one column", "arXiv 1404.5997", 224, _alexnet(2), (195, 32, 66), POKED),
    PublishedNetwork("alexnet_v2", "AlexNet of TF-Slim", "arXiv 1404.5997", 224, _alexnet(0), (195, 32, 64), DISTILL),
    PublishedNetwork("vgg16", "VGG-16", "arXiv 1409.1556", 224, _vgg16(), (212, 32, 90), DISTILL),
    PublishedNetwork("resnet18", "ResNet-18", RESNET, 224, _resnet((2, 2, 2, 2), "basic"), (435, 32, 217), POKED),
    PublishedNetwork("resnet34", "ResNet-34", RESNET, 224, _resnet(_D50, "basic")),
    PublishedNetwork(
        "resnet50", "ResNet-50, stride in the 3x3 (v1.5)", RESNET, 224, _resnet(_D50, "v1.5"), (427, 32, 213), POKED
    ),
    PublishedNetwork("resnet101", "ResNet-101, stride in the 3x3 (v1.5)", RESNET, 224, _resnet(_D101, "v1.5")),
    PublishedNetwork(
        "resnet50_original", "ResNet-50 of the paper, stride in the first 1x1", RESNET, 224, _resnet(_D50, "v1")
    ),
    PublishedNetwork(
        "resnet101_original", "ResNet-101 of the paper, stride in the first 1x1", RESNET, 224, _resnet(_D101, "v1")
    ),
    *(
        PublishedNetwork(
            f"resnet_v1_{n}",
            f"ResNet-{n} of TF-Slim, stride in a stage's last block",
            *(RESNET, 224, _resnet(depths, "slim"), published, DISTILL),
        )
        for n, depths, published in (
            (50, _D50, (483, 32, 239)),
            (101, _D101, (1027, 32, 511)),
            (152, (3, 8, 36, 3), (1507, 32, 751)),
            (200, (3, 24, 36, 3), (1763, 32, 879)),
        )
    ),
    PublishedNetwork(
        "mobilenet_v1", "MobileNet v1 of TF-Slim", "arXiv 1704.04861", 224, _mobilenet_v1(), (315, 32, 126), DISTILL
    ),
    PublishedNetwork(
        "inception_v2", "Inception v2 of TF-Slim", "arXiv 1502.03167", 224, _inception_v2(), (699, 32, 318), DISTILL
    ),
    PublishedNetwork(
        "inception_v3",
        "Inception v3 of TF-Slim",
        *(INCEPTION_V3, 299, _inception_v3(0), (1311, 32, 618), DISTILL),
        across=_inception_v3(1),
    ),
    PublishedNetwork(
        "efficientnet_b0", "EfficientNet-B0 without its gates", "arXiv 1905.11946", 224, _efficientnet_b0()
    ),
    PublishedNetwork("convnext_tiny", "ConvNeXt-T", "arXiv 2201.03545", 224, _convnext_tiny()),
    PublishedNetwork(
        "patchgan_70", "PatchGAN of pix2pix, 70", PIX2PIX, 256, _patchgan(3), (70, None, None), "the paper"
    ),
    PublishedNetwork(
        "patchgan_286", "PatchGAN of pix2pix, 286", PIX2PIX, 256, _patchgan(5), (286, None, None), "the paper"
    ),
    PublishedNetwork(
        "dqn",
        "Deep-Q network for Atari games",
        *("doi 10.1038/nature14236", 84, _named("conv1 conv2 conv3", Layer(8, 4), Layer(4, 2), Layer(3))),
        *((36, None, None), "by hand from the paper's layers: 1 + 7 + 3 * 4 + 2 * 8"),
    ),
    PublishedNetwork(
        "tcn",
        "Temporal convolutional network, kernel size 3, dilations 1, 2, 4, 8",
        *("arXiv 1803.01271", 200, _tcn(), (61, None, None)),
        "by hand, two convolutions a block: 1 + 2 * 2 * (1 + 2 + 4 + 8)",
    ),
    PublishedNetwork(
        "wavenet",
        "WaveNet, one block, kernel size 2, dilations 1, 2, 4, ..., 512",
        *("arXiv 1609.03499", 4000, _wavenet(), (1024, None, None), "the paper"),
    ),
    PublishedNetwork("unet_bottom", "U-Net, its deepest map", "arXiv 1505.04597", 256, _unet_bottom()),
    PublishedNetwork(
        "aspp", "Atrous pyramid of DeepLab v3 without image pooling, over its input", "arXiv 1706.05587", 33, _aspp()
    ),
    PublishedNetwork(
        "shape_encoder",
        "Discriminator of 3D-GAN for 64x64x64 voxels",
        *("arXiv 1610.07584", 64, _named("conv1 conv2 conv3 conv4 conv5", *[Layer(4, 2, 1)] * 4, Layer(4))),
    ),
)

NETWORKS: Mapping[str, PublishedNetwork] = MappingProxyType({each.name: each for each in _ALL})
"""All networks by name."""

MISPRINTS = (
    Misprint(
        *("vgg16", 308, tuple(reversed(_vgg16())), "the layers walked from the wrong end"),
        "frgfm/torch-scan, pull request 33",
    ),
    Misprint("patchgan_286", 574, _patchgan(6), "one layer of stride 2 too many", "phillipi/pix2pix, issue 25"),
)
"""Wrong numbers that were printed, each with layers for which it would be right."""


def network(name: str) -> PublishedNetwork:
    """One published network by its name.

    Example:
        >>> network("resnet_v1_50").field
        (483, 32, 239)

    Args:
        name: A name in `NETWORKS`.

    Returns:
        The network, its published numbers beside it.

    Raises:
        UnknownNameError: If there is no such network; the nearest names are listed.
    """
    if name not in NETWORKS:
        raise UnknownNameError("published network", name, NETWORKS)
    return NETWORKS[name]
