"""What the stack explorer holds: checked, and settled when a part of it changes. stack_state.js does the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rflib.arithmetic import Layer, layer_label, output_sizes, receptive_field, shown, whole_number
from rflib.errors import LayerError, ModelError, UnitError, UnknownNameError

KINDS = ("convolution", "pooling")
VIEWS = ("recursion", "closed form", "effective")

# What still can be drawn and answered within a frame; the browser has the same numbers.
MOST_LAYERS, LONGEST_INPUT, LARGEST_FIELD = 64, 4096, 1_000_000
LARGEST = {"kernel_size": 512, "stride": 64, "dilation": 1024, "padding": 4096}

Data = dict[str, Any]  # a layer as plain data: kind and the arguments of Layer


@dataclass(frozen=True)
class State:
    """A stack, an input and the unit that is looked at; always such that the unit exists."""

    layers: tuple[Layer, ...]
    kinds: tuple[str, ...]
    input_size: int
    level: int
    unit: int

    @property
    def lengths(self) -> tuple[int, ...]:
        """Number of units of every level that exists, the input's first."""
        return lengths(self.layers, self.input_size)

    @property
    def stack(self) -> list[Data]:
        """The stack as plain data."""
        return [as_data(layer, kind) for layer, kind in zip(self.layers, self.kinds, strict=True)]

    @property
    def place(self) -> float:
        """Where the unit stands, in input positions."""
        return stands_at(self.layers, self.level, self.unit)

    def at(self, level: object, unit: object = None) -> State:
        """The same stack looked at elsewhere; without a unit at the one nearest to what is looked at now."""
        known = self.lengths
        number = whole_number(level)
        if number is None or not 0 <= number < len(known):
            raise UnitError(
                f"There is no level {shown(level)}: the explorer shows levels 0 (the input) to {len(known) - 1}."
            )
        if unit is None:
            return replace(self, level=number, unit=_nearest(self.layers, number, self.place, known[number]))
        place = whole_number(unit)
        if place is None or not 0 <= place < known[number]:
            raise UnitError(
                f"There is no unit {shown(unit)} at level {number}: an input of {self.input_size} positions gives "
                f"units 0 to {known[number] - 1}."
            )
        return replace(self, level=number, unit=place)

    def having(
        self, layers: tuple[Layer, ...] | None = None, kinds: tuple[str, ...] = (), input_size: int | None = None
    ) -> State:
        """Another stack or input, looked at in the same place: at the top if that was the top, else the same level."""
        was_top = self.level == len(self.lengths) - 1
        new = self if layers is None else replace(self, layers=layers, kinds=kinds)
        new = new if input_size is None else replace(new, input_size=input_size)
        known = new.lengths
        level = len(known) - 1 if was_top else min(self.level, len(known) - 1)
        return replace(new, level=level, unit=_nearest(new.layers, level, self.place, known[level]))


def fresh(
    layers: tuple[Layer, ...], kinds: tuple[str, ...], input_size: int, level: object = None, unit: object = None
) -> State:
    """A state that looks where it is told, by default at the middle unit of the highest level."""
    bottom = State(layers, kinds, input_size, 0, 0)
    known = bottom.lengths
    there = bottom.at(len(known) - 1 if level is None else level)
    return there.at(there.level, known[there.level] // 2 if unit is None else unit)


def lengths(layers: tuple[Layer, ...], input_size: int) -> tuple[int, ...]:
    """Number of units of every level up to the first layer that its input is too short for, the input's first."""
    found = [input_size]
    for layer in layers:
        try:
            found += output_sizes([layer], found[-1])
        except LayerError:
            break
    return tuple(found)


def problem(layers: tuple[Layer, ...], input_size: int) -> str | None:
    """Why the stack does not fit on the input, in a sentence."""
    try:
        if layers:
            output_sizes(layers, input_size)
    except LayerError as error:
        return str(error)
    return None


def as_data(layer: Layer, kind: str) -> Data:
    """A layer as plain data."""
    numbers = {"kernel_size": layer.kernel_size, "stride": layer.stride, "padding": [layer.left, layer.right]}
    return {"kind": kind, **numbers, "dilation": layer.dilation, "name": layer.name}


def usual_kind(layer: Layer) -> str:
    """What a layer is by its name: pooling if it says so."""
    return KINDS[1] if "pool" in (layer.name or "").lower() else KINDS[0]


def from_data(given: object) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Layers and kinds from plain data, as the browser sends it.

    Raises:
        LayerError: If a layer cannot exist, or is larger than the explorer shows.
    """
    if not isinstance(given, list | tuple) or not all(isinstance(each, Mapping) for each in given):
        raise LayerError(f"`stack` must be a list of layers as dictionaries; got {shown(given)}. Or set `layers`.")
    layers, kinds = [], []
    for number, each in enumerate(given, start=1):
        known = {"kernel_size", "stride", "padding", "dilation", "name"}
        if strange := sorted(set(each) - known - {"kind"}, key=str):
            raise LayerError(f"Layer {number} of `stack` has an entry {strange[0]!r}; known are {sorted(known)}.")
        layer = Layer(**{"kernel_size": None, **{key: each[key] for key in known if key in each}})
        kind = each.get("kind", usual_kind(layer))
        if kind not in KINDS:
            raise LayerError(f"`kind` of layer {number} must be 'convolution' or 'pooling'; got {shown(kind)}.")
        layers.append(layer)
        kinds.append(kind)
    return within_limits(layers), tuple(kinds)


def within_limits(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers, if the explorer can show them.

    Raises:
        LayerError: If one of them, or the whole stack, is too large.
    """
    if len(layers) > MOST_LAYERS:
        raise LayerError(f"The explorer shows at most {MOST_LAYERS} layers; got {len(layers)}.")
    for number, layer in enumerate(layers, start=1):
        sizes = {name: getattr(layer, name) for name in ("kernel_size", "stride", "dilation")}
        for name, value in {**sizes, "padding": max(abs(layer.left), abs(layer.right))}.items():
            if value > LARGEST[name]:
                where = f"`{name}` of {layer_label(layer, number)[0].lower()}{layer_label(layer, number)[1:]}"
                raise LayerError(f"{where} must be at most {LARGEST[name]:,} in the explorer; got {value:,}.")
    if layers and max((field := receptive_field(layers)).size, field.stride) > LARGEST_FIELD:
        raise LayerError(
            f"The explorer shows fields and strides of at most {LARGEST_FIELD:,} positions; "
            f"this stack has a field of {field.size:,} and a stride of {field.stride:,}."
        )
    return tuple(layers)


def checked_length(given: object) -> int:
    """The input's length, if the explorer can show it."""
    length = whole_number(given)
    if length is None or not 1 <= length <= LONGEST_INPUT:
        raise ModelError(f"`input_size` must be an integer from 1 to {LONGEST_INPUT:,}; got {shown(given)}.")
    return length


def checked_views(given: object) -> list[str]:
    """The views that are open, in their usual order."""
    views = [given] if isinstance(given, str) else given
    if not isinstance(views, list | tuple | set | frozenset):
        raise ModelError(f"`show` must be a list of views, of {', '.join(map(repr, VIEWS))}; got {shown(given)}.")
    for view in views:
        if view not in VIEWS:
            raise UnknownNameError("view", view, VIEWS)
    return [view for view in VIEWS if view in views]


def is_causal(layers: Sequence[Layer]) -> bool:
    """Whether each layer reads only what lies at or before its unit."""
    some = any(layer.extent > 1 for layer in layers)
    return some and all((layer.left, layer.right) == (layer.extent - 1, 0) for layer in layers)


def stands_at(layers: tuple[Layer, ...], level: int, unit: int) -> float:
    """Where a unit of a level stands, in input positions: in the middle of its window; in a causal stack at its end."""
    if level == 0:
        return float(unit)
    field = receptive_field(layers[:level])
    return float(field.interval(unit)[1]) if is_causal(layers) else field.center(unit)


def _nearest(layers: tuple[Layer, ...], level: int, place: float, length: int) -> int:
    """The unit of a level that stands nearest to a place; of two the right one."""
    stride = receptive_field(layers[:level]).stride if level else 1
    unit = math.floor((place - stands_at(layers, level, 0)) / stride + 0.5)
    return min(max(unit, 0), length - 1)
