"""What layers cost: their parameters and their multiply-adds; standard library only.

The convention, here and everywhere in rflib: one multiply-add is one product of a weight and a value, together with the
addition that takes it into the sum. Counted for one example (a batch of one).

- Adding the bias, normalization, activation functions and pooling count no multiply-adds; a bias does count as
  parameters.
- Products with the zeros of the padding count: a network is charged for every tap of every unit. For a transposed
  convolution this means every tap of every input position, also where the result is cropped away.
- Many papers write "FLOPs" for this number; where a multiplication and an addition count as two operations, FLOPs are
  twice the multiply-adds.

Reference:
    A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
    arXiv 1704.04861 (section 3.1 counts in the same way).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

from rflib.arithmetic import Layer, checked_stack, layer_label, output_sizes, shown, whole_number
from rflib.errors import LayerError, ModelError, UnknownNameError


@dataclass(frozen=True)
class Cost:
    """Parameters and multiply-adds; costs add up.

    Example:
        >>> conv_cost((3, 3), 64, 64, (56, 56)) + linear_cost(512, 10)
        Cost(parameters=42058, multiply_adds=115610624)
        >>> sum([Cost(1, 10), Cost(2, 20)], Cost())
        Cost(parameters=3, multiply_adds=30)

    Attributes:
        parameters: Learned numbers, weights and biases.
        multiply_adds: Products of a weight and a value (or of two values, in attention) for one example.
    """

    parameters: int = 0
    multiply_adds: int = 0

    def __add__(self, other: Cost) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.parameters + other.parameters, self.multiply_adds + other.multiply_adds)


def conv_cost(
    kernel_size: int | Sequence[int],
    in_channels: int,
    out_channels: int,
    output_shape: Sequence[int],
    groups: int = 1,
    bias: bool = True,
) -> Cost:
    """The cost of one convolution over any number of axes.

    Each of the weights meets each output position once. Stride, padding and dilation matter only through the shape of
    the output.

    Example:
        >>> conv_cost(3, 64, 128, (28, 28))
        Cost(parameters=73856, multiply_adds=57802752)
        >>> conv_cost((1, 7), 64, 64, (17, 17), groups=64, bias=False)
        Cost(parameters=448, multiply_adds=129472)

    Args:
        kernel_size: Taps on each axis, or one number for all axes.
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        output_shape: Positions of the output on each axis; its length is the number of axes.
        groups: Groups of channels that do not mix; `in_channels` for a depthwise convolution.
        bias: Whether there is one bias for each output channel.

    Returns:
        The cost for one example.

    Raises:
        LayerError: If a number is not whole or is too small, the numbers of axes differ, or `groups` divides either
            number of channels with a rest.

    Reference:
        Howard et al., "MobileNets", 2017, arXiv 1704.04861, equation 2.
    """
    return _conv_cost(kernel_size, in_channels, out_channels, _shape("output_shape", output_shape), groups, bias)


def transposed_conv_cost(
    kernel_size: int | Sequence[int],
    in_channels: int,
    out_channels: int,
    input_shape: Sequence[int],
    groups: int = 1,
    bias: bool = True,
) -> Cost:
    """The cost of one transposed convolution over any number of axes.

    It runs a convolution backward, so the roles change: each of the weights meets each INPUT position once. Stride and
    output padding spread the products over more positions, and make no more of them.

    Example:
        >>> transposed_conv_cost(2, 128, 64, (28, 28))
        Cost(parameters=32832, multiply_adds=25690112)

    Args:
        kernel_size: Taps on each axis, or one number for all axes.
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        input_shape: Positions of the input on each axis; its length is the number of axes.
        groups: Groups of channels that do not mix.
        bias: Whether there is one bias for each output channel.

    Returns:
        The cost for one example.

    Raises:
        LayerError: As `conv_cost`.

    Reference:
        V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv 1603.07285, section 4.
    """
    return _conv_cost(kernel_size, in_channels, out_channels, _shape("input_shape", input_shape), groups, bias)


def depthwise_separable_cost(
    kernel_size: int | Sequence[int],
    in_channels: int,
    out_channels: int,
    output_shape: Sequence[int],
    bias: bool = True,
) -> Cost:
    """The cost of a depthwise convolution followed by a 1x1 convolution that mixes the channels.

    A stride belongs to the depthwise convolution, so that both have the same output shape.

    Example:
        >>> depthwise_separable_cost(3, 64, 128, (28, 28), bias=False)
        Cost(parameters=8768, multiply_adds=6874112)

    Args:
        kernel_size: Taps of the depthwise convolution on each axis, or one number for all axes.
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        output_shape: Positions of the output on each axis; its length is the number of axes.
        bias: Whether each of the two convolutions has a bias.

    Returns:
        The cost for one example.

    Raises:
        LayerError: As `conv_cost`.

    Reference:
        Howard et al., "MobileNets", 2017, arXiv 1704.04861, equation 5.
    """
    depthwise = conv_cost(kernel_size, in_channels, in_channels, output_shape, groups=in_channels, bias=bias)
    return depthwise + conv_cost(1, in_channels, out_channels, output_shape, bias=bias)


def linear_cost(in_features: int, out_features: int, positions: int = 1, bias: bool = True) -> Cost:
    """The cost of a linear layer, applied at one position or at many (the tokens of a transformer).

    Example:
        >>> linear_cost(2048, 1000)
        Cost(parameters=2049000, multiply_adds=2048000)

    Args:
        in_features: Features that go in at one position.
        out_features: Features that come out at one position.
        positions: How many positions share the layer.
        bias: Whether there is one bias for each output feature.

    Returns:
        The cost for one example.

    Raises:
        LayerError: If a number is not whole or is too small.
    """
    out_features = _count("out_features", out_features)
    weights = _count("in_features", in_features) * out_features
    return Cost(weights + (out_features if bias else 0), weights * _count("positions", positions, 0))


def matmul_cost(rows: int, inner: int, columns: int, batch: int = 1) -> Cost:
    """The cost of a product of two computed matrices, (rows, inner) by (inner, columns): no parameters.

    Example:
        >>> matmul_cost(196, 64, 196, batch=12)
        Cost(parameters=0, multiply_adds=29503488)

    Args:
        rows: Rows of the left matrix.
        inner: Columns of the left matrix and rows of the right one.
        columns: Columns of the right matrix.
        batch: How many such products, for instance one for each head of attention.

    Returns:
        The cost.

    Raises:
        LayerError: If a number is not whole or is negative.
    """
    factors = {"rows": rows, "inner": inner, "columns": columns, "batch": batch}
    return Cost(0, math.prod(_count(name, number, 0) for name, number in factors.items()))


def stack_cost(
    layers: Iterable[Layer],
    channels: int | Sequence[int],
    input_size: int | Sequence[int],
    axes: int = 2,
    groups: int | Sequence[int] = 1,
    bias: bool = True,
    separable: bool = False,
    pooling: Collection[str] = (),
) -> Cost:
    """The cost of a stack of convolutions whose layers are the same on every axis.

    Example:
        >>> stack_cost([Layer(3, padding=1)] * 3, channels=64, input_size=56)
        Cost(parameters=110784, multiply_adds=346816512)
        >>> stack_cost([Layer(7, padding=3)], channels=64, input_size=56)
        Cost(parameters=200768, multiply_adds=629407744)

    Args:
        layers: The layers in the order in which data passes through them.
        channels: One width everywhere, or the widths before the stack and after each layer.
        input_size: Length of the input, in positions: one number for all axes, or one for each.
        axes: Number of axes, where `input_size` is one number.
        groups: Groups of channels that do not mix: one number for all layers, or one for each.
        bias: Whether the convolutions have biases.
        separable: Take each layer as a depthwise separable convolution: depthwise, then 1x1.
        pooling: Names of layers that pool: no parameters, no multiply-adds, the number of channels stays.

    Returns:
        The sum over the layers, for one example.

    Raises:
        LayerError: If the stack is empty, the input is too small for a layer, or channels and groups do not fit.
        ModelError: If `input_size` or `axes` is not made of whole numbers of at least 1.
        UnknownNameError: If `pooling` names a layer that the stack does not have.
    """
    return sum(layer_costs(layers, channels, input_size, axes, groups, bias, separable, pooling), Cost())


def layer_costs(
    layers: Iterable[Layer],
    channels: int | Sequence[int],
    input_size: int | Sequence[int],
    axes: int = 2,
    groups: int | Sequence[int] = 1,
    bias: bool = True,
    separable: bool = False,
    pooling: Collection[str] = (),
) -> tuple[Cost, ...]:
    """The cost of each layer of a stack; `stack_cost` is their sum.

    Example:
        >>> layer_costs([Layer(3, name="conv"), Layer(2, 2, name="pool")], [3, 8, 8], input_size=8, pooling=["pool"])
        (Cost(parameters=224, multiply_adds=7776), Cost(parameters=0, multiply_adds=0))

    Args:
        layers: As for `stack_cost`, and so are all the others.
        channels: One width, or one more than there are layers.
        input_size: Length of the input, in positions.
        axes: Number of axes, where `input_size` is one number.
        groups: One number, or one for each layer.
        bias: Whether the convolutions have biases.
        separable: Take each layer as a depthwise separable convolution.
        pooling: Names of layers that pool.

    Returns:
        One cost a layer.

    Raises:
        LayerError: As `stack_cost`.
        ModelError: As `stack_cost`.
        UnknownNameError: As `stack_cost`.
    """
    layers = checked_stack(layers)
    pooling = _known_names(pooling, layers)
    widths = _spread("channels", channels, len(layers) + 1, "one before the stack and one after each layer")
    grouped = _spread("groups", groups, len(layers), "one for each layer")
    if separable and set(grouped) != {1}:
        raise LayerError("A separable convolution sets its own groups; give `groups` or `separable`, not both.")
    lengths = [output_sizes(layers, length) for length in _input_shape(input_size, axes)]
    costs = []
    for index, (layer, shape) in enumerate(zip(layers, zip(*lengths, strict=True), strict=True)):
        before, after = widths[index : index + 2]
        if layer.name in pooling:
            if before != after:
                raise LayerError(
                    f"{layer_label(layer, index + 1)} pools, so it keeps its {before} channels; got {after} after it."
                )
            costs.append(Cost())
        elif separable:
            costs.append(depthwise_separable_cost(layer.kernel_size, before, after, shape, bias))
        elif before % grouped[index] or after % grouped[index]:
            raise LayerError(
                f"{layer_label(layer, index + 1)} goes from {before} to {after} channels; "
                f"{grouped[index]} groups do not divide both."
            )
        else:
            costs.append(conv_cost(layer.kernel_size, before, after, shape, grouped[index], bias))
    return tuple(costs)


def _conv_cost(
    kernel_size: int | Sequence[int], in_channels: int, out_channels: int, shape: Sequence[int], groups: int, bias: bool
) -> Cost:
    """Weights and biases, and each weight once at every position of `shape`."""
    in_channels, out_channels = _count("in_channels", in_channels), _count("out_channels", out_channels)
    groups = _count("groups", groups)
    if in_channels % groups or out_channels % groups:
        raise LayerError(
            "`groups` must divide `in_channels` and `out_channels`; "
            f"got groups {groups}, in_channels {in_channels}, out_channels {out_channels}."
        )
    if _is_several(kernel_size):
        taps = _shape("kernel_size", kernel_size, 1)
    else:
        taps = (_count("kernel_size", kernel_size),) * len(shape)
    if len(taps) != len(shape):
        raise LayerError(
            f"`kernel_size` must have one number for each axis; got {shown(kernel_size)} for positions {shown(shape)}."
        )
    weights = math.prod(taps) * in_channels * out_channels // groups
    return Cost(weights + (out_channels if bias else 0), weights * math.prod(shape))


def _count(name: str, given: object, least: int = 1) -> int:
    number = whole_number(given)
    if number is None or number < least:
        raise LayerError(f"`{name}` must be an integer >= {least}; got {shown(given)}.")
    return number


def _shape(name: str, given: object, least: int = 0) -> tuple[int, ...]:
    numbers = [whole_number(n) for n in given] if isinstance(given, Sequence) else []
    known = tuple(number for number in numbers if number is not None and number >= least)
    if not known or len(known) != len(numbers):
        raise LayerError(f"`{name}` must be a tuple of integers >= {least}, one for each axis; got {shown(given)}.")
    return known


def _spread(name: str, given: int | Sequence[int], wanted: int, meaning: str) -> tuple[int, ...]:
    """One number for each of several places, given as one for all of them or as one for each."""
    if not _is_several(given):
        return (_count(name, given),) * wanted
    if len(given) != wanted:
        raise LayerError(f"`{name}` must be one integer or {wanted} of them, {meaning}; got {len(given)}.")
    return tuple(_count(name, number) for number in given)


def _is_several(given: object) -> TypeGuard[Sequence[int]]:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _input_shape(input_size: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """The input's length on each axis; `output_sizes` checks the lengths."""
    if _is_several(input_size) and len(input_size):
        return tuple(input_size)
    number = whole_number(axes)
    if number is None or number < 1:
        raise ModelError(f"`axes` must be an integer >= 1; got {shown(axes)}.")
    return (cast(int, input_size),) * number


def _known_names(pooling: Collection[str], layers: Sequence[Layer]) -> frozenset[str]:
    names = [layer.name for layer in layers if layer.name is not None]
    wanted = frozenset([pooling] if isinstance(pooling, str) else pooling)
    for name in sorted(wanted.difference(names), key=str):
        raise UnknownNameError("layer", name, names, note="`pooling` lists layers by name.")
    return wanted
