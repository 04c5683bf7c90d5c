"""Slips in counting a stack: each answers by brute force for the stack that somebody who makes it has in mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from rflib.checks.reading import Plain, span, taps
from rflib.checks.stacks import layer

Stack: TypeAlias = Sequence[Plain]

NO_DILATION = "The dilation is missing: a kernel of k taps spans d * (k - 1) + 1 positions."
NO_STRIDES = "The strides are missing: they set the units apart that later layers read."
REVERSED = "These are the layers from the wrong end: the first in the list is the one next to the input."
HOLES = "You count d holes between two taps: d is the distance between them, and 1 is the ordinary convolution."
ONE_MORE = "You let a kernel of k taps make k steps: from the first tap to the last it is k - 1."
PADDED = "Padding is in your size: it moves a window, and does not widen it."
TOO_WIDE = "You take d * k for the extent: between k taps there are k - 1 gaps of d steps."
TOO_EARLY = "You multiply the jump too early: a stride counts for the layers after it."
OWN_STRIDE = "You take the layer's own stride: its taps are one jump apart, the jump before it."
FULL_KERNEL = "You add k and not k - s: r windows are r - 1 strides apart, so s * (r - 1) + k."

WIDER: dict[str, Callable[[Plain], int]] = {
    "stride": lambda one: int(one["stride"]),
    "stride less one": lambda one: int(one["stride"]) - 1,
    "dilation less one": lambda one: int(one["dilation"]) - 1,
    "padding": lambda one: 2 * int(one["padding"]),
}


def on(transformed: Callable[[Any], Any], truth: Callable[..., Any]) -> Callable[..., Any]:
    """The rule that answers for a transformed stack; further arguments stay as they are."""
    return lambda layers, *others: truth(transformed(layers), *others)


def backwards(layers: Stack) -> list[Plain]:
    """From the wrong end."""
    return list(layers[::-1])


def extent(one: Plain) -> int:
    """Positions from the first tap of a layer to its last."""
    return span(taps(one, 0))


def widened(by: str) -> Callable[[Stack], list[Plain]]:
    """Each extent wider: by the stride, the stride less 1, the dilation less 1, or the padding on both sides."""
    return lambda layers: [{**one, "kernel_size": extent(one) + WIDER[by](one), "dilation": 1} for one in layers]


def one_tap_more(layers: Stack) -> list[Plain]:
    """Each kernel wider by one tap."""
    return [{**one, "kernel_size": one["kernel_size"] + 1} for one in layers]


def strides_first(layers: Stack) -> list[Plain]:
    """Each stride at work before its own layer reads."""
    return [half for one in layers for half in (layer(1, one["stride"]), {**one, "stride": 1})]


def holes(layers: Stack) -> list[Plain]:
    """The dilation taken for the number of holes between two taps."""
    return [{**one, "dilation": one["dilation"] + 1} for one in layers]
