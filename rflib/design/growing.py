"""How the field grows with each of the five ways to grow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rflib.arithmetic import output_sizes
from rflib.design.designs import Design, Listing, check_known, count, padded_layer


@dataclass(frozen=True, repr=False)
class Growth(Listing):
    """How the field and its price grow in one way; `growth` makes it.

    Each property is a curve, one number a step, for plotting.

    Attributes:
        way: Its name in `WAYS`.
        designs: The stack after 1, 2, 3, ... steps.
    """

    way: str
    designs: tuple[Design, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """The numbers of steps: 1, 2, 3, ..."""
        return tuple(range(1, len(self) + 1))

    @property
    def depths(self) -> tuple[int, ...]:
        """Layers, pooling layers counted."""
        return tuple(len(d.layers) for d in self)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Fields, in input positions."""
        return tuple(d.field.size for d in self)

    @property
    def strides(self) -> tuple[int, ...]:
        """Products of all strides, in input positions."""
        return tuple(d.field.stride for d in self)

    @property
    def densities(self) -> tuple[float, ...]:
        """Shares of the windows that are read, on one axis."""
        return tuple(d.density for d in self)

    @property
    def parameters(self) -> tuple[int, ...]:
        """Parameters of the whole stacks."""
        return tuple(d.cost.parameters for d in self)

    @property
    def multiply_adds(self) -> tuple[int, ...]:
        """Multiply-adds of the whole stacks, for one example."""
        return tuple(d.cost.multiply_adds for d in self)

    def _closing(self) -> str:
        return f"{self.way}: {WAYS[self.way].says}."


@dataclass(frozen=True)
class Way:
    """One way to grow a field.

    Attributes:
        says: What one step adds, in a few words.
        make: The layers after so many steps, a (kernel_size, stride, dilation, kind) each.
    """

    says: str
    make: Callable[[int], list[tuple[int, int, int, str]]]


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "depth": Way("one more convolution of 3", lambda n: [(3, 1, 1, "conv")] * n),
        "large kernels": Way("one convolution, its kernel 2 larger", lambda n: [(2 * n + 1, 1, 1, "conv")]),
        "pooling": Way(
            "a convolution of 3 and a pooling of 2 in turn",
            lambda n: [(2, 2, 1, "pool") if i % 2 else (3, 1, 1, "conv") for i in range(n)],
        ),
        "dilation": Way(
            "one more convolution of 3, its dilation doubled", lambda n: [(3, 1, 2**i, "conv") for i in range(n)]
        ),
        "depthwise": Way("one more depthwise separable convolution of 3", lambda n: [(3, 1, 1, "separable")] * n),
    }
)


def growth(way: str, steps: int = 8, channels: int = 64, input_size: int = 224, axes: int = 2) -> Growth:
    """The field and its price, step by step, in one of the five ways of `WAYS`.

    Example:
        >>> growth("dilation", steps=5).sizes, growth("depth", steps=5).sizes
        ((3, 7, 15, 31, 63), (3, 5, 7, 9, 11))
        >>> growth("pooling", steps=4, channels=8)
        field  stride  density  parameters  multiply-adds  stack
            3       1      1.0         584       28901376  conv 3
            4       2      1.0         584       28901376  conv 3, pool 2 stride 2
            8       2      1.0        1168       36126720  conv 3, pool 2 stride 2, conv 3
           10       4      1.0        1168       36126720  conv 3, pool 2 stride 2, conv 3, pool 2 stride 2
        pooling: a convolution of 3 and a pooling of 2 in turn.

    Args:
        way: "depth", "large kernels", "pooling", "dilation" or "depthwise".
        steps: How far.
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes.

    Returns:
        The stacks, and their numbers as curves.

    Raises:
        UnknownNameError: If there is no such way.
        ModelError: If a number is not whole or too small.
        LayerError: If pooling leaves nothing of the input before the last step.
    """
    check_known("way to grow", [way], WAYS)
    stacks = [WAYS[way].make(step) for step in range(1, count("steps", steps) + 1)]
    designs = [
        Design([padded_layer(*row) for row in rows], [kind for *_, kind in rows], channels, input_size, axes)
        for rows in stacks
    ]
    output_sizes(designs[-1].layers, designs[-1].input_size)  # refuses here, not in a plot, an input that is too short
    return Growth(way, tuple(designs))
