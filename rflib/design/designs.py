"""A design: a stack of layers, each with its kind, and what it works on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from rflib.arithmetic import Layer, ReceptiveField, checked_stack, output_sizes, receptive_field, shown, whole_number
from rflib.cost import Cost, conv_cost, depthwise_separable_cost
from rflib.errors import LayerError, ModelError, UnknownNameError
from rflib.tables import html_table, text_table

KINDS = ("conv", "separable", "pool")
COSTS = ("parameters", "multiply_adds")


class Setting(Protocol):
    """What a layer's cost depends on besides the layer: a design has it, and requirements do."""

    @property
    def channels(self) -> int: ...

    @property
    def axes(self) -> int: ...


@dataclass(frozen=True)
class Design:
    """A stack of layers, each with its kind, and what it works on.

    Example:
        >>> design = Design([Layer(3, padding=1), Layer(2, 2), Layer(3, padding=1)], ["conv", "pool", "separable"])
        >>> print(design)
        conv 3, pool 2 stride 2, separable 3
        >>> design.field.size, design.field.stride, design.density, design.output_size
        (8, 2, 1.0, 112)
        >>> design.cost
        Cost(parameters=41728, multiply_adds=1908293632)

    Args:
        layers: The layers in the order in which data passes through them.
        kinds: "conv", "separable" (depthwise, then 1x1) or "pool": one for all layers, or one for each.
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes; the layers are the same on every axis.

    Raises:
        LayerError: If the stack is empty, or there are not as many kinds as layers.
        ModelError: If one of the numbers is not a whole number of at least 1.
        UnknownNameError: If a kind is not one of the three.
    """

    layers: Sequence[Layer]
    kinds: str | Sequence[str] = "conv"
    channels: int = 64
    input_size: int = 224
    axes: int = 2

    def __post_init__(self) -> None:
        layers = checked_stack(self.layers)
        kinds = (self.kinds,) * len(layers) if isinstance(self.kinds, str) else tuple(self.kinds)
        if len(kinds) != len(layers):
            raise LayerError(f"`kinds` must be one word, or one for each of {len(layers)} layers; got {len(kinds)}.")
        check_known("kind of layer", kinds, KINDS)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "kinds", kinds)
        for name in ("channels", "input_size", "axes"):
            object.__setattr__(self, name, count(name, getattr(self, name)))

    @cached_property
    def field(self) -> ReceptiveField:
        """The receptive field of the last layer's units."""
        return receptive_field(self.layers)

    @cached_property
    def density(self) -> float:
        """Share of its window that a unit reads, on one axis; 1.0 where there are no holes."""
        return self.field.density

    @cached_property
    def output_size(self) -> int:
        """Length of the last feature map on each axis."""
        return output_sizes(self.layers, self.input_size)[-1]

    @cached_property
    def cost(self) -> Cost:
        """Parameters, with biases, and multiply-adds for one example."""
        lengths = output_sizes(self.layers, self.input_size)
        parts = zip(self.layers, self.kinds, lengths, strict=True)
        return sum((layer_cost(layer, kind, length, self) for layer, kind, length in parts), Cost())

    def __str__(self) -> str:
        return ", ".join(layer_words(layer, kind) for layer, kind in zip(self.layers, self.kinds, strict=True))


class Listing(ABC):
    """What holds designs: iterate over them, count them, see them as a table."""

    designs: tuple[Design, ...]

    def __iter__(self) -> Iterator[Design]:
        return iter(self.designs)

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, index: int) -> Design:
        return self.designs[index]

    def __repr__(self) -> str:
        return text_table(_HEADINGS, self._cells()) + "\n" + self._closing()

    def _repr_html_(self) -> str:
        return html_table(_HEADINGS, self._cells()) + f"<p>{self._closing()}</p>"

    def _cells(self) -> list[list[object]]:
        return [
            [d.field.size, d.field.stride, round(d.density, 3), d.cost.parameters, d.cost.multiply_adds, str(d)]
            for d in self
        ]

    @abstractmethod
    def _closing(self) -> str:
        """The sentence below the table."""


_HEADINGS = ["field", "stride", "density", "parameters", "multiply-adds", "stack"]


def padded_layer(kernel_size: int, stride: int, dilation: int, kind: str) -> Layer:
    """A layer padded by the module's rule; where the padding is odd, the larger half is on the right."""
    around = 0 if kind == "pool" else dilation * (kernel_size - 1)
    return Layer(kernel_size, stride, (around // 2, around - around // 2), dilation)


def layer_cost(layer: Layer, kind: str, length: int, where: Setting) -> Cost:
    """The cost of one layer over an output of this length."""
    if kind == "pool":
        return Cost()
    price = conv_cost if kind == "conv" else depthwise_separable_cost
    return price(layer.kernel_size, where.channels, where.channels, (length,) * where.axes)


def layer_words(layer: Layer, kind: str) -> str:
    """A layer as tables and sentences name it."""
    stride = f" stride {layer.stride}" if layer.stride > 1 else ""
    dilation = f" dilation {layer.dilation}" if layer.dilation > 1 else ""
    return f"{kind} {layer.kernel_size}{stride}{dilation}"


def check_known(kind: str, given: Iterable[object], known: Iterable[str]) -> None:
    """Raise, listing the nearest, where a given name is none of the known ones."""
    known = tuple(known)
    for name in given:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def count(name: str, given: object, least: int = 1) -> int:
    """A whole number that is large enough, or an error that names the argument."""
    number = whole_number(given)
    if number is None or number < least:
        raise ModelError(f"`{name}` must be an integer >= {least}; got {shown(given)}.")
    return number


def counts(name: str, given: object, least: int) -> tuple[int, ...]:
    """Such numbers, each once, in rising order."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ModelError(f"`{name}` must be a list of integers >= {least}; got {shown(given)}.")
    return tuple(sorted({count(f"{name}[{index}]", number, least) for index, number in enumerate(given)}))
