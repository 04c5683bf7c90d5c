"""What units read, by brute force: sets of positions pushed through plain layers, one tap at a time; no formula.

A plain layer is a dictionary: {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1}; what is left out is
ordinary. Padding is one number, or a list of left and right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Plain: TypeAlias = dict[str, Any]

ORDINARY = {"stride": 1, "padding": 0, "dilation": 1}


def taps(layer: Plain, unit: int) -> set[int]:
    """The positions below one unit.

    Example:
        >>> sorted(taps({"kernel_size": 3, "stride": 2, "padding": 1}, 4))
        [7, 8, 9]

    Args:
        layer: A plain layer.
        unit: Number of the unit; any integer.

    Returns:
        Positions of the layer's input, those in the padding too.
    """
    first, step = unit * layer.get("stride", 1) - left(layer), layer.get("dilation", 1)
    return {first + tap * step for tap in range(layer["kernel_size"])}


def left(layer: Plain) -> int:
    """Padding before the first position."""
    padding = layer.get("padding", 0)
    return int(padding[0] if isinstance(padding, list) else padding)


def right(layer: Plain) -> int:
    """Padding after the last position."""
    padding = layer.get("padding", 0)
    return int(padding[1] if isinstance(padding, list) else padding)


def levels(layers: Sequence[Plain], units: Iterable[int], lengths: Sequence[int] | None = None) -> list[set[int]]:
    """What units of the last layer read of each feature map, the input first, their own map last.

    Example:
        >>> [sorted(level) for level in levels([{"kernel_size": 2, "stride": 2}, {"kernel_size": 2}], [0])]
        [[0, 1, 2, 3], [0, 1], [0]]

    Args:
        layers: Plain layers, in the order in which data passes through them.
        units: Units of the last layer.
        lengths: How long each map is, as `lengths_of` gives it: what lies outside a map does not exist and is
            left out. Without it every map goes on without end.
    """
    found = [set(units)]
    for place in range(len(layers) - 1, -1, -1):
        below = {position for unit in found[0] for position in taps(layers[place], unit)}
        found.insert(0, {x for x in below if 0 <= x < lengths[place]} if lengths else below)
    return found


def read(layers: Sequence[Plain], units: Iterable[int], length: int | None = None) -> set[int]:
    """The input positions that units of the last layer read: with a length, those that exist and are really read."""
    return levels(layers, units, None if length is None else lengths_of(layers, length))[0]


def lengths_of(layers: Sequence[Plain], length: int) -> list[int]:
    """How long the input and each feature map are: units are counted as long as their last tap fits.

    Example:
        >>> lengths_of([{"kernel_size": 3, "stride": 2, "padding": 1}], 8)
        [8, 4]
    """
    found = [length]
    for layer in layers:
        units = 0
        while max(taps(layer, units)) < found[-1] + right(layer):
            units += 1
        found.append(units)
    return found


def span(positions: Iterable[int]) -> int:
    """How many positions there are from the first to the last, holes included."""
    found = set(positions)
    return len(range(min(found), max(found) + 1))
