"""Networks of two axes for exercise 04: the plain layers of one axis, a window cut at an image, and draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from rflib.checks.reading import Plain, lengths_of
from rflib.checks.stacks import layer
from rflib.checks.task import Inputs, Property

RELU: Plain = {"kind": "relu"}


def along(network: Sequence[Plain], axis: int) -> list[Plain]:
    """The plain layers of a network along one axis, rows first, one for each module.

    Example:
        >>> along([{"kind": "conv", "kernel_size": [3, 5], "stride": 2}, {"kind": "pad", "padding": [1, 0, 4, 3]}], 1)
        [{'kernel_size': 5, 'stride': 2, 'padding': 0, 'dilation': 1},
         {'kernel_size': 1, 'stride': 1, 'padding': [1, 0], 'dilation': 1}]
    """
    return [_along(module, axis) for module in network]


def _along(module: Plain, axis: int) -> Plain:
    if module["kind"] == "pad":  # torch begins with the last axis: left, right, top, bottom
        start = 0 if axis else 2
        return layer(1, padding=module["padding"][start : start + 2])
    names = ("kernel_size", "stride", "padding", "dilation")
    given = {name: module[name] for name in names if name in module}
    return layer(1) | {name: value[axis] if isinstance(value, list) else value for name, value in given.items()}


def cut(first: int, last: int, length: int) -> list[int]:
    """A window cut at an input, as the two ends of a slice; [0, 0] where nothing is left.

    Example:
        >>> cut(-2, 3, 8), cut(-5, -2, 8)
        ([0, 4], [0, 0])
    """
    start, stop = max(first, 0), min(last + 1, length)
    return [start, stop] if start < stop else [0, 0]


def drawn_module(random: Random, style: str) -> Plain:
    """A module of two axes: "square", "pairs", "padded" or "pads"."""
    kind = random.choice(("conv", "conv", "max", "average"))

    def number(*choices: int) -> Any:
        pair = [random.choice(choices), random.choice(choices)]
        return pair[0] if style == "square" or random.random() < 0.3 else pair

    kernel_size = number(2, 3) if kind != "conv" else number(1, 2, 3, 5)
    found = {"kind": kind, "axes": 2, "kernel_size": kernel_size, "stride": number(1, 2)}
    if style in ("padded", "pads") and kind != "average":
        found["padding"] = number(0, 1, 2) if kind == "conv" else number(0, 1)
    return found if kind == "average" else {**found, "dilation": number(1, 2)}


def drawn_network(random: Random, style: str) -> Inputs:
    """A network, a unit of its output and the image's shape; units at the border are as frequent as others."""
    while True:
        network = [drawn_module(random, style) for _ in range(random.randint(2, 4))]
        if style == "pads":
            pad = {"kind": "pad", "axes": 2, "padding": [random.randint(0, 3) for _ in range(4)]}
            network.insert(random.randrange(len(network)), pad)
        network.insert(random.randrange(len(network) + 1), RELU)
        shape = [random.randint(18, 40), random.randint(18, 40)]
        units = [lengths_of(along(network, axis), shape[axis])[-1] for axis in (0, 1)]
        if min(units) > 0:
            return [network, [random.choice((0, many - 1, random.randrange(many))) for many in units], shape]


def of_networks(draw: Callable[[Random, str], Inputs]) -> tuple[Property, ...]:
    """The properties of `box`."""
    asked = (
        ("square kernels, strides and dilations", 1, "square"),
        ("each axis with its own numbers", 1, "pairs"),
        ("padding, and windows that hang over the border", 2, "padded"),
        ("ZeroPad2d with another number on each side", 1, "pads"),
    )

    def small(style: str) -> Callable[[], Iterator[Inputs]]:
        def inputs() -> Iterator[Inputs]:
            random = Random(style)
            found = [draw(random, style) for _ in range(40)]
            yield from sorted(found, key=lambda given: (len(given[0]), sum(given[1])))

        return inputs

    return tuple(
        Property(sentence, points, lambda random, style=style: draw(random, style), small(style))  # type: ignore[misc]
        for sentence, points, style in asked
    )
