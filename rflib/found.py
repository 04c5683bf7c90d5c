"""What the units of one layer see of one input: the answers of `analysis["layer4.2"]`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError, NoSingleAnswerError, UnitError, UnknownNameError
from rflib.graph import alignment, sets
from rflib.graph.alignment import Misalignment
from rflib.graph.graph import Graph, Node
from rflib.graph.lines import Line

Unit = int | Sequence[int] | None
Pair = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """What the units of one layer see of one input."""

    graph: Graph
    index: int
    path: str
    input_names: tuple[str, ...]
    is_local: bool = False
    source: int | None = None

    # -- the layer ------------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        """The operation's node in the graph."""
        return self.graph.nodes[self.index]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the layer's output, batch and channels included."""
        return self.node.shape

    @property
    def unit_dims(self) -> tuple[int, ...]:
        """The output's dimensions for which a unit has an index."""
        return self.node.unit_dims

    @property
    def unit_shape(self) -> tuple[int, ...]:
        """How many units there are on each axis of the feature map."""
        return tuple(self.node.shape[d] for d in self.unit_dims)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Spatial shape of the input."""
        node = self.graph.nodes[self._input]
        return tuple(node.shape[d] for d in self._input_dims)

    def of(self, name: str | int) -> Found:
        """The same layer's answer for one of several inputs.

        Args:
            name: the input's name in the model's signature, or its index.

        Returns:
            A `Found`.

        Raises:
            UnknownNameError: there is no such input.
        """
        if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(self.input_names):
            return Found(self.graph, self.index, self.path, self.input_names, self.is_local, name)
        if name not in self.input_names:
            raise UnknownNameError("input", name, self.input_names)
        at = self.input_names.index(str(name))
        return Found(self.graph, self.index, self.path, self.input_names, self.is_local, at)

    @cached_property
    def _source(self) -> int:
        if self.source is not None:
            return self.source
        read = sorted({k for k, _ in self.node.reads}) or [0]
        if len(read) > 1:
            names = ", ".join(repr(self.input_names[k]) for k in read)
            raise NoSingleAnswerError(
                f"{called(self.path, True)} reads several inputs ({names}). "
                f"Ask for one: found.of({self.input_names[read[0]]!r})."
            )
        return read[0]

    @property
    def _input(self) -> int:
        return self.graph.inputs[self._source]

    @cached_property
    def _input_dims(self) -> tuple[int, ...]:
        carried = {a[1]: d for d, role in enumerate(self.graph.nodes[self._input].roles) for a in role.coarse}
        return tuple(carried[a] for a in sorted(carried))

    @property
    def _axes(self) -> range:
        return range(len(self._input_dims))

    # -- ideal windows ----------------------------------------------------------------------------------------------

    def line(self, axis: int) -> Line | None:
        """The rule that all windows of an axis follow, if there is one."""
        windows = self.graph.windows(self.index, self.is_local)
        return None if windows is None else windows.lines.get((self._source, axis))

    def _ideal(self, unit: tuple[int, ...]) -> tuple[sets.Set, ...] | None:
        """The ideal set of a unit on each axis (its hull where there is no line); None if it reads nothing."""
        windows = self.graph.windows(self.index, self.is_local)
        if windows is None:
            spans = [self._spans.get((self._source, a)) for a in self._axes]
            if not spans or any(span is None for span in spans):
                return None
            ends = [(int(span.first[unit]), int(span.last[unit])) for span in spans]  # type: ignore[union-attr]
            return None if any(low > high for low, high in ends) else tuple(sets.interval(*pair) for pair in ends)
        at = dict(zip(self.unit_dims, unit, strict=True))
        lines = [windows.lines.get((self._source, a)) for a in self._axes]
        if not lines or any(line is None for line in lines):
            return None
        found = tuple(line.at(0 if line.dim is None else at.get(line.dim, 0)) for line in lines)  # type: ignore[union-attr]
        return found if all(s[1] for s in found) else None

    @cached_property
    def _spans(self) -> dict[Any, Any]:
        from rflib.graph import spans

        found = spans.of_node(self.graph, self.index, self.is_local)
        return {axis: spans.over_units(span, self.node) for axis, span in found.items()}

    def interval(self, unit: Unit = None) -> tuple[Pair, ...] | None:
        """First and last position of a unit's ideal window on each axis; it may hang over the border.

        Args:
            unit: one index an axis of the feature map; by default the middle unit.

        Returns:
            A (first, last) pair an axis, both included; None for a unit that reads nothing.

        Raises:
            UnitError: the feature map has no such unit.
        """
        ideal = self._ideal(self.unit(unit))
        return None if ideal is None else tuple((s[0], sets.last(s)) for s in ideal)

    def center(self, unit: Unit = None) -> tuple[float, ...] | None:
        """Middle of a unit's ideal window on each axis (half positions are exact); None if it reads nothing."""
        found = self.interval(unit)
        return None if found is None else tuple((first + last) / 2 for first, last in found)

    @cached_property
    def sizes(self) -> tuple[Pair, ...]:
        """The smallest and the largest ideal window of the layer's units, an axis."""
        windows = self.graph.windows(self.index, self.is_local)
        lines = [self.line(a) for a in self._axes]
        if windows is not None and not windows.has_gaps and all(line is not None for line in lines):
            return tuple(self._line_sizes(line) for line in lines)  # type: ignore[arg-type]
        if windows is not None or any((self._source, a) not in self._spans for a in self._axes):
            spans = [self.interval(unit) for unit in self._all_units()]
            per_axis = [[0 if s is None else s[a][1] - s[a][0] + 1 for s in spans] for a in self._axes]
            return tuple((min(axis, default=0), max(axis, default=0)) for axis in per_axis)
        result = []
        for a in self._axes:
            first, last = self._spans[self._source, a]
            lengths = (last - first + 1).clamp(min=0)
            result.append((int(lengths.min()), int(lengths.max())))
        return tuple(result)

    def _line_sizes(self, line: Line) -> Pair:
        count = self.node.shape[line.dim] if line.dim is not None else 1
        if len(line.courses) == 1:
            count = min(count, line.courses[0].period)
        spans = [line.at(u)[1].bit_length() for u in range(count)]
        return min(spans), max(spans)

    @property
    def size(self) -> tuple[int, ...]:
        """The largest ideal window, an axis, in input positions; it may exceed the input."""
        return tuple(largest for _, largest in self.sizes)

    @cached_property
    def stride(self) -> tuple[int | Fraction | None, ...]:
        """Input positions from one unit to the next, an axis; None where no single number exists."""
        return tuple(self._stride(a) for a in self._axes)

    def _stride(self, axis: int) -> int | Fraction | None:
        line = self.line(axis)
        if line is None or len(line.courses) != 1 or not line.courses[0].step:
            return None
        slope = line.courses[0].slope
        return slope.numerator if slope.denominator == 1 else slope

    @cached_property
    def padding(self) -> tuple[int | None, ...]:
        """Minus the first position of unit 0's ideal window, an axis; None where there is no stride."""
        result: list[int | None] = []
        for a in self._axes:
            line = self.line(a)
            first = None if line is None or self.stride[a] is None else line.at(0)
            result.append(-first[0] if first is not None and first[1] else None)
        return tuple(result)

    @cached_property
    def density(self) -> tuple[float, ...]:
        """The share of the largest ideal window that is read, an axis; 1.0 has no holes, 0.0 reads nothing."""
        result = []
        for a in self._axes:
            line = self.line(a)
            if line is None:
                boxes = self._boxes(self._widest(a), False)
                chosen = sets.project(boxes, self._input_dims[a])
            else:
                count = self.node.shape[line.dim] if line.dim is not None else 1
                count = min(count, line.courses[0].period) if len(line.courses) == 1 else count
                chosen = max((line.at(u) for u in range(count)), key=lambda s: s[1].bit_length())
            result.append(sets.size(chosen) / chosen[1].bit_length() if chosen[1] else 0.0)
        return tuple(result)

    def _widest(self, axis: int) -> tuple[int, ...]:
        if (self._source, axis) not in self._spans:
            return tuple(0 for _ in self.unit_shape)
        first, last = self._spans[self._source, axis]
        flat = int((last - first).argmax())
        return tuple(int(i) for i in np.unravel_index(flat, self.unit_shape)) if self.unit_shape else ()

    # -- what is really read ----------------------------------------------------------------------------------------

    def _boxes(self, unit: tuple[int, ...], bounded: bool) -> list[sets.Box]:
        pulled = self.graph.pull(self.index, self.graph.box(self.index, unit), bounded, self.is_local)
        return pulled.get(self._input, [])

    def slices(self, unit: Unit = None) -> tuple[slice, ...]:
        """The box of what a unit really reads: `image[..., *found.slices(unit)]`.

        Args:
            unit: one index an axis of the feature map; by default the middle unit.

        Returns:
            A slice an axis; empty ones for a unit that reads nothing.

        Raises:
            UnitError: the feature map has no such unit.
        """
        boxes = self._boxes(self.unit(unit), True)
        read = [sets.project(boxes, d) for d in self._input_dims]
        return tuple(slice(s[0], sets.last(s) + 1) if s[1] else slice(0, 0) for s in read)

    def positions(self, unit: Unit = None) -> tuple[tuple[int, ...], ...]:
        """What a unit really reads, projected on each axis.

        Args:
            unit: one index an axis of the feature map; by default the middle unit.

        Returns:
            The positions, in order, an axis.

        Raises:
            UnitError: the feature map has no such unit.
        """
        boxes = self._boxes(self.unit(unit), True)
        return tuple(tuple(sets.members(sets.project(boxes, d))) for d in self._input_dims)

    def mask(self, unit: Unit = None) -> npt.NDArray[np.bool_]:
        """What a unit really reads, position by position.

        Args:
            unit: one index an axis of the feature map; by default the middle unit.

        Returns:
            A boolean array over the input's spatial shape.

        Raises:
            UnitError: the feature map has no such unit.
        """
        result = np.zeros(self.input_shape, dtype=bool)
        for box in self._boxes(self.unit(unit), True):
            result[np.ix_(*(sets.members(box[d]) for d in self._input_dims))] = True
        return result

    def units(self, position: int | Sequence[int]) -> tuple[Any, ...]:
        """The other way: which units of this layer really read an input position.

        Args:
            position: one index an axis of the input.

        Returns:
            The units in order: tuples, or whole numbers where the feature map has one axis.

        Raises:
            UnitError: the input has no such position.
        """
        at = _checked(position, self.input_shape, "position", f"input {self.input_names[self._source]!r}")
        node = self.graph.nodes[self._input]
        where = dict(zip(self._input_dims, at, strict=True))
        box = tuple((where[d], 1) if d in where else sets.interval(0, n - 1) for d, n in enumerate(node.shape))
        boxes = self.graph.push(self._input, box, self.index, self.is_local)
        found = {u for b in boxes for u in itertools.product(*(sets.members(b[d]) for d in self.unit_dims))}
        return tuple(u[0] if len(u) == 1 else u for u in sorted(found))

    # -- the whole input, alignment -----------------------------------------------------------------------------------

    @property
    def whole_input(self) -> tuple[bool, ...]:
        """An axis: whether something on the way reads everything that reaches it."""
        whole = self.node.local_whole if self.is_local else self.node.whole
        return tuple((self._source, a) in whole for a in self._axes)

    @property
    def aligned(self) -> bool:
        """Whether all paths that meet on the way look at the same places."""
        return not self.misalignments

    @property
    def misalignments(self) -> tuple[Misalignment, ...]:
        """The points where paths meet that do not: both paths, their strides and centers."""
        source = self._source  # also without any: several inputs have no single answer
        return tuple(m for m in alignment.misalignments(self.graph, self.index) if m.source == source)

    # -- units ---------------------------------------------------------------------------------------------------

    def unit(self, unit: Unit = None) -> tuple[int, ...]:
        """A unit as a tuple of indices; by default the middle one.

        Args:
            unit: an index an axis, an int where there is one axis, or None.

        Returns:
            The checked tuple.

        Raises:
            UnitError: the feature map has no such unit.
        """
        if unit is None:
            return tuple(n // 2 for n in self.unit_shape)
        return _checked(unit, self.unit_shape, "unit", f"layer {self.path!r}" if self.path else "the model's output")

    def _all_units(self) -> list[tuple[int, ...]]:
        return list(itertools.product(*(range(n) for n in self.unit_shape)))

    def __repr__(self) -> str:
        def plain(values: Sequence[Any]) -> str:
            return "(" + ", ".join("None" if v is None else str(v) for v in values) + ")"

        try:
            whole = ", reads the whole input" if all(self.whole_input) else ""
            return (
                f"<{self.path or 'model'}: size {plain(self.size)}, stride {plain(self.stride)}, "
                f"padding {plain(self.padding)}, units {plain(self.unit_shape)}{whole}>"
            )
        except NoSingleAnswerError:
            return f"<{self.path or 'model'}: reads {', '.join(self.input_names)}; ask found.of(name)>"


def called(path: str, begins: bool = False) -> str:
    """How a message calls a module, at the beginning of a sentence or within."""
    words = f"layer {path!r}" if path else "the model"
    return words[0].upper() + words[1:] if begins else words


def _checked(unit: Any, shape: tuple[int, ...], what: str, where: str) -> tuple[int, ...]:
    """An index tuple that fits a shape, or one clear sentence."""
    many = isinstance(unit, Iterable) and not isinstance(unit, str | bytes) and getattr(unit, "ndim", 1) > 0
    given = tuple(whole_number(u) for u in (unit if many else (unit,)))
    if None in given:
        raise UnitError(f"A {what} is a tuple of whole numbers, one an axis; got {shown(unit)}.")
    if len(given) != len(shape):
        count = "1 index" if len(shape) == 1 else f"{len(shape)} indices"
        raise UnitError(f"A {what} of {where} has {count}, for shape {shape}; got {shown(unit)}.")
    checked = tuple(int(u) for u in given if u is not None)
    for axis, (u, n) in enumerate(zip(checked, shape, strict=True)):
        if not 0 <= u < n:
            raise UnitError(f"There is no {what} {shown(unit)} in {where}: axis {axis} runs from 0 to {n - 1}.")
    return checked


def lengths_of(value: Any, axes: int, name: str) -> tuple[int, ...]:
    """One whole number an axis, or one clear sentence."""
    many = isinstance(value, Iterable) and not isinstance(value, str | bytes) and getattr(value, "ndim", 1) > 0
    numbers = [whole_number(v) for v in value] if many else [whole_number(value)] * axes
    if len(numbers) != axes or any(n is None or n < 1 for n in numbers):
        several = f", or {axes} of them, one an axis" if axes > 1 else ""
        raise ModelError(f"`{name}` must be a whole number >= 1{several}; got {shown(value)}.")
    return tuple(n for n in numbers if n is not None)
