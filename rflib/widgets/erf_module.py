"""The effective field of a module that the reader brings, for the effective-field explorer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor, nn

from rflib.analysis import Found, analyze
from rflib.arithmetic import shown, whole_number
from rflib.effective.effective import effective_receptive_field
from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError, NoSingleAnswerError, UnitError, UnknownNameError

__all__ = ["WHOLE_MODEL", "GivenModule"]

LARGEST = 50_000_000  # numbers of drawn noise: 200 MB, and the gradient takes as much again

WHOLE_MODEL = "(model)"  # the name of the model's output among its layers, as in rflib's tables


class GivenModule:
    """A module with the inputs to measure on: its layers, their units, their theoretical and effective fields."""

    def __init__(self, model: nn.Module, input_size: Sequence[int] | None, inputs: Tensor | None, seed: int) -> None:
        if (input_size is None) == (inputs is None):
            raise ModelError("Give a module either `input_size`, as (1, 3, 64, 64), or `inputs`, a tensor; not both.")
        generator = torch.Generator().manual_seed(seed)
        size = _shape_of(input_size) if inputs is None else _shape_of_tensor(inputs)
        self.model, self.axes = model, len(size) - 2
        self.inputs = inputs if inputs is not None else torch.randn(size, generator=generator)
        self.analysis = analyze(model, input_size=(1, *size[1:]), training=model.training)
        self.found: dict[str, Found] = {}
        for path in ("", *filter(None, self.analysis.paths)):
            with suppress(NoSingleAnswerError):  # several tensors: its parts are offered
                self.found[path or WHOLE_MODEL] = self.analysis[path] if path else self.analysis.output
        if not self.found:
            raise ModelError("No layer of the module returns a single tensor, so there is nothing to choose from.")

    def checked_layer(self, name: object) -> str:
        """The name of a layer."""
        if not isinstance(name, str) or name not in self.found:
            raise UnknownNameError("layer", name, self.found)
        return str(name)

    def middle(self, layer: str) -> tuple[int, ...]:
        """The middle unit of a layer."""
        return tuple(n // 2 for n in self.found[layer].unit_shape)

    def checked_unit(self, layer: str, unit: object) -> tuple[int, ...]:
        """A unit of the layer."""
        shape = self.found[layer].unit_shape
        plain = unit.tolist() if isinstance(unit, np.generic | np.ndarray | Tensor) else unit
        given = list(plain) if isinstance(plain, Sequence) and not isinstance(plain, str) else [plain]
        indices = [whole_number(number) for number in given]
        good = tuple(i for i, n in zip(indices, shape, strict=False) if i is not None and 0 <= i < n)
        if not len(good) == len(shape) == len(indices):
            raise UnitError(f"`unit` must be a unit of layer {layer!r}, whose shape is {shape}; got {shown(unit)}.")
        return good

    def measured(self, layer: str, unit: tuple[int, ...], contribution: str) -> EffectiveReceptiveField:
        """The effective field of a unit over all inputs."""
        return effective_receptive_field(
            self.model,
            self.inputs,
            unit,
            None if layer == WHOLE_MODEL else layer,
            contribution="squared" if contribution == "squared" else "absolute",
            layer_spatial=self.found[layer].unit_dims,
            progress=False,
        )

    def window(self, layer: str, unit: tuple[int, ...]) -> list[list[int]]:
        """First and last position that the unit reads on each axis; empty lists if it reads nothing."""
        slices = self.found[layer].slices(unit)
        return [[each.start, each.stop - 1] if each.stop > each.start else [] for each in slices]


def _shape_of(input_size: object) -> tuple[int, ...]:
    """The shape of the noise to draw, as integers."""
    listed = isinstance(input_size, Sequence | np.ndarray) and not isinstance(input_size, str)
    given = tuple(input_size) if listed else ()  # type: ignore[arg-type]
    size = _checked_shape("`input_size`", given, input_size)
    if math.prod(size) > LARGEST:
        raise ModelError(
            f"`input_size` {shown(size)} would draw {math.prod(size):,} numbers, and the explorer takes at most "
            f"{LARGEST:,}. Give fewer inputs or smaller ones."
        )
    return size


def _shape_of_tensor(inputs: object) -> tuple[int, ...]:
    if not isinstance(inputs, Tensor):
        raise ModelError(
            "`inputs` must be a tensor, (inputs, channels, length) or (inputs, channels, rows, columns); got "
            f"{shown(inputs)}. Write torch.as_tensor(...)."
        )
    return _checked_shape("the shape of `inputs`", tuple(inputs.shape), tuple(inputs.shape))


def _checked_shape(name: str, given: tuple[object, ...], quoted: object) -> tuple[int, ...]:
    numbers = [whole_number(number) for number in given]
    size = tuple(number for number in numbers if number is not None and number >= 1)
    if len(given) not in (3, 4) or len(size) != len(given):
        raise ModelError(
            f"The explorer draws fields of one or two axes: {name} must be (inputs, channels, length) or (inputs, "
            f"channels, rows, columns), whole numbers >= 1, such as (1, 3, 64, 64); got {shown(quoted)}."
        )
    return size
