"""Properties that functions of a plain stack share: kernel sizes, strides, dilations, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rflib.checks.reading import Plain
from rflib.checks.stacks import counted, drawn, some
from rflib.checks.task import Property

PADDINGS: dict[str, Any] = {"padding": (0, 1, 2)}
STRIDES: dict[str, Any] = {"stride": (1, 2, 3), **PADDINGS}
DILATIONS: dict[str, Any] = {"dilation": (1, 2, 3, 4), **PADDINGS}
ALL = STRIDES | DILATIONS


def of_stacks(sentence: str, points: int, small: Iterable[list[Plain]], **choices: Any) -> Property:
    """A property of functions that take a stack alone."""
    given = list(small)
    return Property(sentence, points, lambda random: [drawn(random, **choices)], lambda: [[stack] for stack in given])


STACKS = (
    of_stacks("kernel sizes, where strides and dilations are 1", 1, counted(padding=(0, 1)), **PADDINGS),
    of_stacks("strides", 1, counted(stride=(1, 2)), **STRIDES),
    of_stacks("dilations", 1, counted(dilation=(1, 2)), **DILATIONS),
    of_stacks("strides and dilations in one stack, with padding", 1, some(40, depth=(1, 3), **ALL), **ALL),
)
