"""What a design is asked to reach, and what it may be made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rflib.arithmetic import Layer, checked_stack
from rflib.design.designs import COSTS, KINDS, Design, check_known, count, counts
from rflib.errors import ModelError


@dataclass(frozen=True)
class Requirements:
    """What a stack has to reach, what it may cost, and which layers it may be made of.

    Example:
        >>> Requirements(field=31, largest_stride=1, no_holes=True, dilations=(1, 2, 4, 8)).kernels
        (3, 5, 7)

    Args:
        field: The field wanted, in input positions on each axis: at least so much.
        exactly: Whether the field must have this size and no other.
        by: What is to be small: "parameters" or "multiply_adds".
        most_parameters: Budget; None for no limit.
        most_multiply_adds: Budget for one example; None for no limit.
        most_layers: Largest depth, pooling layers counted.
        largest_stride: Largest product of all strides, so that resolution is kept; None for no limit.
        no_holes: Whether a unit must read every position of its window (density 1).
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes.
        kernels: Allowed kernel sizes of convolutions.
        strides: Allowed strides of convolutions.
        dilations: Allowed dilations of convolutions.
        pools: Allowed sizes of pooling windows, at least 2, their stride their size; () for no pooling.
        convolutions: Allowed kinds of convolutions: "conv", "separable" or both.

    Raises:
        ModelError: If a number is not whole or too small, or nothing at all is allowed.
        UnknownNameError: If `by` or `convolutions` names something else.
    """

    field: int
    exactly: bool = False
    by: str = "parameters"
    most_parameters: int | None = None
    most_multiply_adds: int | None = None
    most_layers: int = 8
    largest_stride: int | None = None
    no_holes: bool = False
    channels: int = 64
    input_size: int = 224
    axes: int = 2
    kernels: Sequence[int] = (3, 5, 7)
    strides: Sequence[int] = (1, 2)
    dilations: Sequence[int] = (1,)
    pools: Sequence[int] = ()
    convolutions: Sequence[str] = ("conv",)

    def __post_init__(self) -> None:
        for name in ("field", "most_layers", "channels", "input_size", "axes"):
            object.__setattr__(self, name, count(name, getattr(self, name)))
        for name, least in (("most_parameters", 0), ("most_multiply_adds", 0), ("largest_stride", 1)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, count(name, getattr(self, name), least))
        for name, least in (("kernels", 1), ("strides", 1), ("dilations", 1), ("pools", 2)):
            object.__setattr__(self, name, counts(name, getattr(self, name), least))
        kinds = (self.convolutions,) if isinstance(self.convolutions, str) else tuple(self.convolutions)
        object.__setattr__(self, "convolutions", kinds)
        check_known("kind of convolution", kinds, KINDS[:2])
        check_known("cost", [self.by], COSTS)
        if not self.pools and not (self.kernels and self.strides and self.dilations and kinds):
            raise ModelError(
                "`Requirements` allow no layer at all: give `pools`, or `kernels`, `strides`, `dilations` and "
                "`convolutions`, at least one of each."
            )

    def design(self, layers: Iterable[Layer], kinds: str | Sequence[str] = "conv") -> Design:
        """The layers as a `Design` with the width, the input and the axes that are required here."""
        return Design(tuple(checked_stack(layers)), kinds, self.channels, self.input_size, self.axes)


def listed(allowed: Sequence[object]) -> str:
    """What is allowed, for a sentence."""
    return ", ".join(map(str, allowed)) or "none"
