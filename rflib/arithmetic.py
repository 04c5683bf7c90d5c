"""The receptive field of a stack of layers: whole numbers, one axis, standard library only.

Positions are numbered 0, 1, 2, ... along the axis, in the input and in every feature map. A unit is one position of a
feature map. For two or three axes, do the same once for each axis: the axes never mix in a stack of convolutions.

Layers are counted from 1, and number 0 is the input, as in the reference.

Reference:
    A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019,
    doi 10.23915/distill.00021.
    V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv 1603.07285.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from rflib.errors import LayerError, ModelError, UnitError


@dataclass(frozen=True)
class Layer:
    """One convolution or pooling layer, as seen along one axis.

    Example:
        >>> conv = Layer(3, stride=2, padding=1, name="conv1")
        >>> list(conv.reads(0)), list(conv.reads(5))
        ([-1, 0, 1], [9, 10, 11])
        >>> Layer(3, dilation=4).extent
        9

    Args:
        kernel_size: Number of taps, at least 1.
        stride: Step between the windows of neighboring units, in positions of the layer's input, at least 1.
        padding: Positions added at each end of the layer's input: one number, or (left, right). A negative number cuts
            positions off, as `torch.nn.functional.pad` does.
        dilation: Distance between neighboring taps, in positions of the layer's input; 1 is the ordinary convolution.
        name: A name for tables and error messages.

    Raises:
        LayerError: If an argument is not a whole number, or is out of range.
    """

    kernel_size: int
    stride: int = 1
    padding: int | tuple[int, int] = 0
    dilation: int = 1
    name: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not isinstance(self.name, str):
            raise LayerError(f"`name` of a layer must be a string or None; got {shown(self.name)}.")
        where = "a layer" if self.name is None else f"layer {self.name!r}"
        for argument in ("kernel_size", "stride", "dilation"):
            given = getattr(self, argument)
            number = whole_number(given)
            if number is None or number < 1:
                raise LayerError(f"`{argument}` of {where} must be an integer >= 1; got {shown(given)}.")
            object.__setattr__(self, argument, number)  # the class is frozen: a NumPy integer becomes an int here, once
        object.__setattr__(self, "padding", _checked_padding(self.padding, where))

    @property
    def left(self) -> int:
        """Padding before the first position."""
        return self.padding if isinstance(self.padding, int) else self.padding[0]

    @property
    def right(self) -> int:
        """Padding after the last position."""
        return self.padding if isinstance(self.padding, int) else self.padding[1]

    @property
    def extent(self) -> int:
        """Positions from the first tap to the last, both included: the kernel with its holes."""
        return self.dilation * (self.kernel_size - 1) + 1

    def reads(self, unit: int) -> range:
        """The positions of the layer's input that one unit of its output reads.

        Example:
            >>> list(Layer(3, padding=2, dilation=2).reads(0))
            [-2, 0, 2]

        Args:
            unit: Number of the unit; any integer.

        Returns:
            One position a tap; those below 0, or beyond the end of the input, lie in the padding.
        """
        first = unit * self.stride - self.left
        return range(first, first + self.extent, self.dilation)

    def __repr__(self) -> str:
        ordinary = {"stride": 1, "padding": 0, "dilation": 1, "name": None}
        said = [f"{a}={getattr(self, a)!r}" for a, usual in ordinary.items() if getattr(self, a) != usual]
        return f"Layer({', '.join([str(self.kernel_size), *said])})"


def receptive_field(layers: Iterable[Layer]) -> ReceptiveField:
    """The receptive field of a stack, by the recursion from the input on.

    The jump is the distance, in input positions, between neighboring units of the feature map reached so far. Each
    layer widens the window by (extent - 1) steps of that jump, and multiplies the jump by its stride.

    Example:
        >>> receptive_field([Layer(3, stride=2, padding=1), Layer(3, padding=1)])
        ReceptiveField(size=7, stride=2, padding=3)

    Args:
        layers: The layers in the order in which data passes through them.

    Returns:
        The field of a unit of the last layer, in input positions.

    Raises:
        LayerError: If the stack is empty, or holds anything but `Layer`.

    Reference:
        Araujo, Norris, Sim, Distill, 2019, doi 10.23915/distill.00021: their closed form, summed up layer by layer.
    """
    layers = checked_stack(layers)
    size, jump, padding = 1, 1, 0
    for layer in layers:
        size += (layer.extent - 1) * jump
        padding += layer.left * jump
        jump *= layer.stride
    return ReceptiveField(layers, size=size, stride=jump, padding=padding)


def receptive_field_backward(layers: Iterable[Layer]) -> ReceptiveField:
    """The same receptive field, by the recursion from the output back.

    Start with one unit of the last layer. A window of `size` units spans stride * (size - 1) + extent positions one
    layer below: stride * size + (extent - stride).

    Example:
        >>> receptive_field_backward([Layer(3, stride=2, padding=1), Layer(3, padding=1)])
        ReceptiveField(size=7, stride=2, padding=3)

    Args:
        layers: The layers in the order in which data passes through them.

    Returns:
        The field of a unit of the last layer, in input positions.

    Raises:
        LayerError: If the stack is empty, or holds anything but `Layer`.

    Reference:
        Araujo, Norris, Sim, Distill, 2019, doi 10.23915/distill.00021, with extent in the place of the kernel size.
    """
    layers = checked_stack(layers)
    size, stride, padding = 1, 1, 0
    for layer in reversed(layers):
        size = layer.stride * size + (layer.extent - layer.stride)
        padding = layer.stride * padding + layer.left
        stride = layer.stride * stride
    return ReceptiveField(layers, size=size, stride=stride, padding=padding)


def receptive_field_closed_form(layers: Iterable[Layer]) -> ReceptiveField:
    """The same receptive field, by the sum: size = 1 + the sum of (extent - 1) times all strides before that layer.

    Example:
        >>> receptive_field_closed_form([Layer(3, stride=2, padding=1), Layer(3, padding=1)])
        ReceptiveField(size=7, stride=2, padding=3)

    Args:
        layers: The layers in the order in which data passes through them.

    Returns:
        The field of a unit of the last layer, in input positions.

    Raises:
        LayerError: If the stack is empty, or holds anything but `Layer`.

    Reference:
        Araujo, Norris, Sim, Distill, 2019, doi 10.23915/distill.00021, with extent in the place of the kernel size.
    """
    layers = checked_stack(layers)
    before = jumps(layers)
    return ReceptiveField(
        layers,
        size=1 + sum((layer.extent - 1) * jump for layer, jump in zip(layers, before, strict=True)),
        stride=math.prod(layer.stride for layer in layers),
        padding=sum(layer.left * jump for layer, jump in zip(layers, before, strict=True)),
    )


@dataclass(frozen=True)
class ReceptiveField:
    """What the units of a stack's last layer read of the input; `receptive_field` makes it.

    Two fields are equal if their stacks and their three numbers are.

    Example:
        >>> field = receptive_field([Layer(3, stride=2, padding=1), Layer(3, padding=1)])
        >>> field.interval(0), field.center(0)
        ((-3, 3), 0.0)
        >>> field.positions(0), field.positions(0, input_size=8)
        ((-3, -2, -1, 0, 1, 2, 3), (0, 1, 2, 3))

    Attributes:
        layers: The stack.
        size: Length of a unit's window, in input positions.
        stride: Distance between the windows of neighboring units, in input positions.
        padding: How far the window of unit 0 begins before position 0, in input positions.

    Reference:
        The three numbers are those of Araujo, Norris, Sim, Distill, 2019, doi 10.23915/distill.00021: size r, effective
        stride S, effective padding P.
    """

    layers: tuple[Layer, ...] = field(repr=False)
    size: int
    stride: int
    padding: int

    def interval(self, unit: int) -> tuple[int, int]:
        """The first and the last input position of a unit's window, both included.

        This is the ideal window, as if the input went on beyond its borders: it may hang over them, and any integer is
        a unit.

        Example:
            >>> receptive_field([Layer(5, stride=2, padding=2)]).interval(3)
            (4, 8)

        Args:
            unit: Number of the unit in the last feature map.

        Returns:
            (first, last), in input positions.

        Raises:
            UnitError: If `unit` is not a whole number.
        """
        first = self.stride * _checked_unit(unit) - self.padding
        return first, first + self.size - 1

    def center(self, unit: int) -> float:
        """The middle of a unit's window; it ends in .5 where the size is even.

        Example:
            >>> receptive_field([Layer(2, stride=2)]).center(0)
            0.5

        Args:
            unit: Number of the unit in the last feature map; any integer.

        Returns:
            The mean of the interval's ends, in input positions (exact below 2 ** 52).

        Raises:
            UnitError: If `unit` is not a whole number.
        """
        first, last = self.interval(unit)
        return (first + last) / 2

    def positions(self, unit: int, input_size: int | None = None) -> tuple[int, ...]:
        """The input positions that a unit reads: its window without the holes.

        With `input_size` these are the positions really read of an input of that length. That is not always the ideal
        set cut at the border: a unit of a layer in between that lies in the next layer's padding does not exist, and
        reads nothing.

        Example:
            >>> dilated = receptive_field([Layer(3, padding=2, dilation=2)])
            >>> dilated.positions(0), dilated.positions(0, input_size=8)
            ((-2, 0, 2), (0, 2))
            >>> stack = receptive_field([Layer(1), Layer(1, padding=1), Layer(3, dilation=2)])
            >>> stack.positions(0), stack.positions(0, input_size=4)
            ((-1, 1, 3), (1, 3))

        Args:
            unit: Number of the unit in the last feature map. Any integer without `input_size`; with it, a unit that the
                feature map has.
            input_size: Length of the input, in positions.

        Returns:
            Input positions in rising order; empty where the unit reads only padding.

        Raises:
            UnitError: If `unit` is not a whole number, or the feature map has no such unit.
            LayerError: If the input is too small for a layer.
            ModelError: If `input_size` is not a whole number of at least 1.
        """
        if input_size is None:
            first, _ = self.interval(unit)
            return tuple(first + offset for offset in self._offsets())
        lengths = [_checked_length(input_size), *output_sizes(self.layers, input_size)]
        unit = _checked_unit(unit, lengths)
        reached = {unit}
        for layer, length in zip(reversed(self.layers), reversed(lengths[:-1]), strict=True):
            reached = {position for u in reached for position in layer.reads(u) if 0 <= position < length}
        return tuple(sorted(reached))

    @property
    def density(self) -> float:
        """Share of the window that the unit reads; below 1.0 where dilation or stride leaves holes.

        Example:
            >>> receptive_field([Layer(3, dilation=2)] * 3).density == 7 / 13
            True
        """
        held = self._offsets()
        count = held.stop // held.step if isinstance(held, range) else len(held)  # len of a range ends at 2 ** 63
        return count / self.size

    def _offsets(self) -> Collection[int]:
        """The positions that a unit reads, counted from the first one of its window.

        A layer's neighboring taps lie dilation times jump apart in the input; the positions are all sums of one tap's
        offset per layer. With the finest steps first, a run without holes grows as long as no step is longer than it.
        """
        pairs = zip(self.layers, jumps(self.layers), strict=True)
        steps = sorted((layer.dilation * jump, layer.kernel_size) for layer, jump in pairs if layer.kernel_size > 1)
        grid = math.gcd(*(step for step, _ in steps)) or 1  # with dilations 2, 2, 2 everything lies on even offsets
        run, starts = 1, {0}
        for step, taps in steps:
            if step <= run * grid:
                run += (taps - 1) * step // grid
            else:
                starts = {start + tap * step for start in starts for tap in range(taps)}
        if len(starts) == 1:
            return range(0, run * grid, grid)
        return sorted({start + offset for start in starts for offset in range(0, run * grid, grid)})


def output_sizes(layers: Iterable[Layer], input_size: int) -> tuple[int, ...]:
    """The length of the feature map after each layer.

    Example:
        >>> output_sizes([Layer(3, stride=2, padding=1), Layer(3)], 224)
        (112, 110)

    Args:
        layers: The layers in the order in which data passes through them.
        input_size: Length of the input, in positions.

    Returns:
        One length a layer.

    Raises:
        LayerError: If the stack is empty, holds anything but `Layer`, or has a layer whose input is too small for it.
        ModelError: If `input_size` is not a whole number of at least 1.

    Reference:
        Dumoulin and Visin, arXiv 1603.07285, relationships 6 and 15; floor((n + left + right - extent) / stride) + 1.
    """
    length = _checked_length(input_size)
    lengths = []
    for index, layer in enumerate(checked_stack(layers), start=1):
        padded = length + layer.left + layer.right
        cut = min(layer.left, 0) + min(layer.right, 0)
        if length + cut < 0:
            raise LayerError(
                f"{layer_label(layer, index)} cuts {-cut} positions off its input, which has {length}. "
                "Use a longer input, or a padding that is less negative."
            )
        if padded < layer.extent:
            raise LayerError(
                f"{layer_label(layer, index)} needs {layer.extent} positions; its input has {length}, "
                f"and {padded} with padding. Use a longer input, a smaller kernel or more padding."
            )
        length = (padded - layer.extent) // layer.stride + 1
        lengths.append(length)
    return tuple(lengths)


def output_size(layers: Iterable[Layer], input_size: int) -> int:
    """The length of the last feature map: how many units a stack has for an input of this length.

    Example:
        >>> output_size([Layer(4, s, padding=1) for s in (2, 2, 2, 1, 1)], 256)
        30

    Args:
        layers: The layers in the order in which data passes through them.
        input_size: Length of the input, in positions.

    Returns:
        The number of units.

    Raises:
        LayerError: If the stack is empty, holds anything but `Layer`, or has a layer whose input is too small for it.
        ModelError: If `input_size` is not a whole number of at least 1.

    Reference:
        Dumoulin and Visin, arXiv 1603.07285.
    """
    return output_sizes(layers, input_size)[-1]


def checked_stack(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The stack as a tuple, or a `LayerError` that says which entry is not a layer."""
    if isinstance(layers, Layer):
        raise LayerError(f"`layers` must be a list of Layer, not one Layer; write [{layers!r}].")
    if not isinstance(layers, Iterable):
        raise LayerError(f"`layers` must be a list of Layer; got {shown(layers)}.")
    stack = tuple(layers)
    if not stack:
        raise LayerError("The stack is empty: give at least one Layer, for instance [Layer(3)].")
    for index, entry in enumerate(stack, start=1):
        if not isinstance(entry, Layer):
            raise LayerError(
                f"Layer {index} of {len(stack)} must be a Layer; got {shown(entry)}. Write {_as_layer(entry)}."
            )
    return stack


def whole_number(value: object) -> int | None:
    """`value` as an int if it is a whole number of Python, NumPy or PyTorch; None for a bool, a float, a string."""
    if isinstance(value, bool) or "bool" in str(getattr(value, "dtype", "")):  # True would count as 1
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def shown(value: object) -> str:
    """`value` as an error message quotes it: its repr, or its type where the repr is long."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"an object of type {type(value).__name__}"


def layer_label(layer: Layer, index: int) -> str:
    """How an error message begins that is about one layer of a stack."""
    return f"Layer {index}" if layer.name is None else f"Layer {layer.name!r}"


def jumps(layers: tuple[Layer, ...]) -> list[int]:
    """For each layer the product of all strides before it: the distance between the units that it reads."""
    return list(accumulate((layer.stride for layer in layers[:-1]), operator.mul, initial=1))


def _checked_padding(given: object, where: str) -> int | tuple[int, int]:
    sides = given if isinstance(given, tuple | list) else (given, given)
    numbers = [whole_number(side) for side in sides]
    if len(numbers) != 2 or None in numbers:
        raise LayerError(f"`padding` of {where} must be an integer or two of them, (left, right); got {shown(given)}.")
    left, right = (int(number) for number in numbers if number is not None)
    return left if left == right else (left, right)


def _checked_length(given: object) -> int:
    length = whole_number(given)
    if length is None or length < 1:
        raise ModelError(f"`input_size` must be an integer >= 1, the input's length on one axis; got {shown(given)}.")
    return length


def _checked_unit(given: object, lengths: list[int] | None = None) -> int:
    """The unit as an int; with `lengths`, of the input and of each feature map, it must be in the last one."""
    unit = whole_number(given)
    if unit is None:
        raise UnitError(f"`unit` must be an integer; got {shown(given)}.")
    if lengths is not None and not 0 <= unit < lengths[-1]:
        raise UnitError(
            f"There is no unit {unit}: an input of {lengths[0]} positions gives units 0 to {lengths[-1] - 1}."
        )
    return unit


def _as_layer(entry: object) -> str:
    """What to write instead of an entry that is no Layer."""
    if whole_number(entry) is not None:
        return f"Layer({entry})"
    if isinstance(entry, tuple | list) and 1 <= len(entry) <= 4 and all(whole_number(n) is not None for n in entry):
        named = (f"{a}={n}" for a, n in zip(("stride", "padding", "dilation"), entry[1:], strict=False))
        return f"Layer({', '.join([str(entry[0]), *named])})"
    return "Layer(kernel_size, stride=1, padding=0, dilation=1); for a PyTorch module use rflib.analyze"
