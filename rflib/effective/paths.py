"""How many paths lead from each input position to a unit, exactly: for stacks, for branches, for any graph.

A path picks one tap in every layer, so the counts below a layer are the counts above it convolved with its taps. One
channel a layer: channels multiply all counts of a stack by the same number. Python's integers throughout: those of a
deep network do not fit into 64 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rflib.arithmetic import Layer, output_size, shown, whole_number
from rflib.effective.random_walk import Parallel, Stack, checked_branches, checked_law
from rflib.errors import LayerError, ModelError, NoSingleAnswerError, UnitError, UnknownNameError

__all__ = ["PathCounts", "graph_path_counts", "path_counts", "pull_back"]

Reads: TypeAlias = Callable[[int], Iterable[int]]  # the positions below that a unit reads on one axis, one entry a path


def path_counts(
    layers: Stack, unit: int | Sequence[int] | None = None, input_size: int | Sequence[int] | None = None
) -> PathCounts:
    """How many paths lead from each input position to a unit, exactly.

    Example:
        >>> paths = path_counts([Layer(3), Layer(3), Layer(3)])
        >>> paths.counts.tolist(), paths.total
        ([1, 3, 6, 7, 6, 3, 1], 27)
        >>> path_counts([Layer(3)] * 2, unit=(0, 0)).counts.tolist()[0]  # two axes: the first row
        [1, 2, 3, 2, 1]

    Args:
        layers: The layers, first layer first, `Layer`s or `Parallel`s; on several axes each layer is the same on
            all of them.
        unit: The unit, one index an axis; its length is the number of axes. By default unit 0 of one axis or, where the
            input size is given, the middle one, n // 2.
        input_size: The input's length, one an axis. Without it the paths of an inner unit, as if every layer went on
            beyond its border. With it only the paths through positions that exist: none leads through padding.

    Returns:
        A `PathCounts`: Python integers, as large as they get, over the smallest box that holds them.

    Raises:
        LayerError: The stack is empty, its branches do not fit, or the input is too short for it.
        UnitError: The unit does not exist.

    Reference:
        W. Luo, Y. Li, R. Urtasun, R. Zemel, NeurIPS 2016, arXiv:1701.04128, section 2.
    """
    layers = checked_branches(layers)
    checked_law(layers)  # refuses branches of different strides
    sizes = None if input_size is None else _as_tuple(input_size, "input_size")
    outputs = None if sizes is None else tuple(_output_size(layers, size) for size in sizes)
    where = _unit(unit, outputs)
    start = PathCounts(where, np.full((1,) * len(where), 1, dtype=object))
    return _back(start, layers, sizes)


def graph_path_counts(
    edges: Mapping[str, Sequence[tuple[str, Sequence[Reads]]]], output: str, unit: int | Sequence[int]
) -> dict[str, PathCounts]:
    """How many paths lead from each position of every node of a graph to one unit of one node.

    Example:
        >>> near, same = (lambda j: range(j - 1, j + 2)), (lambda j: [j])
        >>> edges = {"conv": [("x", [near])], "sum": [("conv", [near]), ("x", [same])]}
        >>> graph_path_counts(edges, "sum", 10)["x"].counts.tolist()
        [1, 2, 4, 2, 1]

    Args:
        edges: For each node the maps it reads: the name of the map, and for each axis a function from the index of a
            unit to the positions it reads, repeated where several paths join the two. Names without an entry of their
            own are inputs.
        output: The node of the unit.
        unit: The unit's indices, one an axis.

    Returns:
        One `PathCounts` for each node that the unit reads, by name, `output` itself included.

    Raises:
        ModelError: The graph has a cycle, or an edge has another number of axes than the unit.
        UnknownNameError: No node has the name `output`.
    """
    parents = {node: [parent for parent, _ in reads] for node, reads in edges.items()}
    names = {*parents, *(parent for found in parents.values() for parent in found)}
    if output not in names:
        raise UnknownNameError("node", output, sorted(names))
    where = _as_tuple(unit, "unit")
    found = {output: PathCounts(where, np.full((1,) * len(where), 1, dtype=object))}
    try:
        order = reversed(list(TopologicalSorter(parents).static_order()))
    except CycleError as error:
        raise ModelError(
            f"The graph has a cycle: {' <- '.join(error.args[1])}. Paths need a graph without one."
        ) from None
    for node in order:
        for parent, reads in edges.get(node, ()) if node in found else ():
            if len(reads) != len(where):
                raise ModelError(
                    f"The edge from {parent!r} to {node!r} has {len(reads)} axes, the unit {len(where)}; give one "
                    "function for each axis."
                )
            below = reduce(lambda counts, item: pull_back(counts, *item), enumerate(reads), found[node])
            found[parent] = _add(found[parent], below) if parent in found else below
    return found


@dataclass(frozen=True, eq=False)
class PathCounts:
    """How many paths lead from each input position to a unit.

    Example:
        >>> paths = path_counts([Layer(3, padding=1), Layer(3, padding=1)], unit=10)
        >>> paths.first, paths[10], paths[0]
        ((8,), 3, 0)

    Attributes:
        first: The input position of the first entry of `counts`, one an axis; negative where an inner unit's field
            would hang over the border.
        counts: Python integers (an array of objects), the smallest box that holds every path.
    """

    first: tuple[int, ...]
    counts: npt.NDArray[Any]

    def __post_init__(self) -> None:
        self.counts.setflags(write=False)

    def __getitem__(self, position: int | tuple[int, ...]) -> int:
        """The count at an input position; 0 outside the box."""
        where = tuple(p - f for p, f in zip(_as_tuple(position, "position"), self.first, strict=True))
        inside = all(0 <= w < n for w, n in zip(where, self.counts.shape, strict=True))
        return int(self.counts[where]) if inside else 0

    @property
    def total(self) -> int:
        """The number of paths altogether."""
        return int(self.counts.sum())

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The counts divided by their sum: the gradient of a uniform linear stack, normalized."""
        if not self.total:
            raise NoSingleAnswerError("No path leads from the input to this unit: it reads padding only.")
        return np.asarray(self.counts / self.total, dtype=np.float64)  # integer true division: rounded once

    @property
    def center(self) -> tuple[float, ...]:
        """The mean position along each axis, in input positions."""
        return tuple(float(self._moment(axis, 1, Fraction(0))) for axis in range(self.counts.ndim))

    @property
    def sigma(self) -> tuple[float, ...]:
        """The standard deviation along each axis, in input positions."""
        return tuple(math.sqrt(self._central(axis, 2)) for axis in range(self.counts.ndim))

    @property
    def kurtosis(self) -> tuple[float, ...]:
        """Fourth central moment over squared variance along each axis: 3 for a Gaussian, NaN for a single position."""
        spreads = [(self._central(axis, 2), self._central(axis, 4)) for axis in range(self.counts.ndim)]
        return tuple(float(fourth / second**2) if second else math.nan for second, fourth in spreads)

    def _central(self, axis: int, order: int) -> Fraction:
        return self._moment(axis, order, self._moment(axis, 1, Fraction(0)))

    def _moment(self, axis: int, order: int, about: Fraction) -> Fraction:
        total = self.total
        if not total:
            raise NoSingleAnswerError("No path leads from the input to this unit: it reads padding only.")
        others = tuple(a for a in range(self.counts.ndim) if a != axis)
        line = self.counts.sum(axis=others) if others else self.counts
        return sum(((self.first[axis] + i - about) ** order * n for i, n in enumerate(line)), Fraction(0)) / total


def pull_back(counts: PathCounts, axis: int, reads: Reads) -> PathCounts:
    """Carries counts one operation down along one axis: every position read inherits the reader's paths.

    Args:
        counts: The paths from the map that the operation writes.
        axis: The axis along which the operation reads.
        reads: The positions that a unit reads, by its index; a position listed twice is two paths.

    Returns:
        The paths from the map that the operation reads.
    """
    lines = np.moveaxis(counts.counts, axis, 0)
    below: dict[int, Any] = {}
    for i in range(len(lines)):
        for position in reads(counts.first[axis] + i):
            below[position] = below[position] + lines[i] if position in below else lines[i]
    first, last = (min(below), max(below)) if below else (0, -1)
    gathered = np.zeros((last - first + 1, *lines.shape[1:]), dtype=object)  # object zeros are Python's integers
    for position, line in below.items():
        gathered[position - first] = line
    corner = (*counts.first[:axis], first, *counts.first[axis + 1 :])
    return PathCounts(corner, np.moveaxis(gathered, 0, axis))


def _add(one: PathCounts, other: PathCounts) -> PathCounts:
    """The sum over the union of both boxes."""
    if not one.counts.size or not other.counts.size:
        return one if one.counts.size else other
    boxes = (one, other)
    first = tuple(min(f) for f in zip(*(c.first for c in boxes), strict=True))
    ends = [tuple(f + n for f, n in zip(c.first, c.counts.shape, strict=True)) for c in boxes]
    summed = np.zeros([max(e) - f for e, f in zip(zip(*ends, strict=True), first, strict=True)], dtype=object)
    for c in boxes:
        start = [f - o for f, o in zip(c.first, first, strict=True)]
        summed[tuple(slice(s, s + n) for s, n in zip(start, c.counts.shape, strict=True))] += c.counts
    return PathCounts(first, summed)


def _back(counts: PathCounts, layers: Stack, sizes: tuple[int, ...] | None) -> PathCounts:
    """Carries counts from a stack's output to its input, whose lengths are `sizes` (None: endless)."""
    inputs = [sizes]
    for item in layers[:-1]:
        before = inputs[-1]
        inputs.append(None if before is None else tuple(_output_size([item], size) for size in before))
    for item, before in zip(reversed(layers), reversed(inputs[: len(layers)]), strict=True):
        if isinstance(item, Parallel):
            counts = reduce(_add, [_back(counts, branch, before) for branch in item.branches])
        else:
            for axis in range(counts.counts.ndim):
                counts = pull_back(counts, axis, _reads(item, None if before is None else before[axis]))
    return counts


def _reads(layer: Layer, size: int | None) -> Reads:
    return layer.reads if size is None else lambda unit: [tap for tap in layer.reads(unit) if 0 <= tap < size]


def _output_size(layers: Stack, size: int) -> int:
    for number, item in enumerate(layers, start=1):
        if isinstance(item, Parallel):
            branches = [_output_size(branch, size) for branch in item.branches]
            if len(set(branches)) > 1:
                raise LayerError(
                    f"The branches of `Parallel` (entry {number} of the stack) turn {size} positions into {branches}, "
                    "so their outputs cannot be added; change a padding so that they agree."
                )
            size = branches[0]
        else:
            size = output_size([item], size)
    return size


def _unit(unit: int | Sequence[int] | None, outputs: tuple[int, ...] | None) -> tuple[int, ...]:
    if unit is None:
        return (0,) if outputs is None else tuple(n // 2 for n in outputs)
    where = _as_tuple(unit, "unit")
    if outputs is not None and len(where) != len(outputs):
        raise UnitError(
            f"Unit {where} has {len(where)} indices, the input {len(outputs)} axes; give one for each axis."
        )
    for axis, (u, n) in enumerate(zip(where, outputs or (), strict=outputs is not None)):
        if not 0 <= u < n:
            raise UnitError(f"Unit {where} does not exist: axis {axis} has {n} units, numbered 0 to {n - 1}.")
    return where


def _as_tuple(value: int | Sequence[int], name: str) -> tuple[int, ...]:
    found = tuple(whole_number(v) for v in (value if isinstance(value, Sequence) else (value,)))
    if not found or None in found:
        raise UnitError(f"`{name}` must be an integer, or a tuple with one for each axis; got {shown(value)}.")
    return tuple(v for v in found if v is not None)
