"""Tiled inference that equals whole-image inference: how far tiles overlap, and where they may begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import lcm
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten

from rflib.errors import ModelError, NoSingleAnswerError, ReceptiveFieldError
from rflib.found import Found, lengths_of
from rflib.graph import lines, sets
from rflib.graph.lines import Course, Line
from rflib.graph.relations import Rows, Separable
from rflib.graph.roles import Axis

if TYPE_CHECKING:
    from rflib.analysis import Analysis
    from rflib.graph.graph import Edge, Graph, Node

Part = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Tile:
    """One tile: what to cut from the image, what to keep of its output, and where that goes.

    Attributes:
        input: a slice for each spatial axis of the input.
        keep: a slice for each spatial axis of the tile's output.
        output: a slice for each spatial axis of the whole output.
    """

    input: tuple[slice, ...]
    keep: tuple[slice, ...]
    output: tuple[slice, ...]


@dataclass(frozen=True)
class Tiling:
    """How to cut an image so that the tiles' outputs, put together, are the whole image's output.

    Example:
        >>> import torch
        >>> import rflib as rf
        >>> model = torch.nn.Conv2d(1, 1, 5, stride=2, padding=2)
        >>> image = torch.rand(1, 1, 40, 40)
        >>> tiling = rf.analyze(model, image).tiling(16)
        >>> tiling.overlap, tiling.grid, len(tiling.tiles())
        ((4, 4), (2, 2), 9)
        >>> torch.allclose(tiling.run(model, image), model(image), atol=1e-6)
        True

    Attributes:
        tile: length of a tile, in input positions, an axis; no tile is longer.
        overlap: input positions that neighboring tiles share, an axis; the last two may share more.
        grid: tiles begin at multiples of this, an axis: elsewhere strides would fall between other positions.
    """

    tile: tuple[int, ...]
    overlap: tuple[int, ...]
    grid: tuple[int, ...]
    _parts: tuple[tuple[Part, ...], ...] = field(repr=False)
    _input_dims: tuple[int, ...] = field(repr=False)
    _input_shape: tuple[int, ...] = field(repr=False)
    _unit_dims: tuple[int, ...] = field(repr=False)
    _unit_shape: tuple[int, ...] = field(repr=False)
    _carried: tuple[int | None, ...] = field(repr=False)

    def tiles(self) -> list[Tile]:
        """The tiles that cover the analyzed input."""
        return [self._tile(chosen) for chosen in product(*self._parts)]

    def _tile(self, chosen: Sequence[Part]) -> Tile:
        """Axes of the input choose among dimensions of the output, which may stand in another order."""
        whole = {d: slice(0, n) for d, n in zip(self._unit_dims, self._unit_shape, strict=True)}
        kept = {d: part[1] for d, part in zip(self._carried, chosen, strict=True) if d is not None}
        goes = {d: part[2] for d, part in zip(self._carried, chosen, strict=True) if d is not None}
        return Tile(
            tuple(part[0] for part in chosen),
            tuple(kept.get(d, whole[d]) for d in self._unit_dims),
            tuple(goes.get(d, whole[d]) for d in self._unit_dims),
        )

    def run(self, model: nn.Module, image: Tensor) -> Tensor:
        """The model's output, computed tile by tile, without gradients.

        Args:
            model: the analyzed module, or one with other weights.
            image: an input of the analyzed spatial shape; its batch may differ.

        Returns:
            What `model(image)` returns.

        Raises:
            ModelError: the image has another shape, or a tile's output is not of the size that was planned.
        """
        shape = tuple(image.shape[d] for d in self._input_dims)
        if shape != self._input_shape:
            raise ModelError(f"This tiling was planned for a spatial shape of {self._input_shape}; got {shape}.")
        result: Tensor | None = None
        for tile in self.tiles():
            with torch.no_grad():
                piece = model(image[self._index(image, self._input_dims, tile.input)])
            kept = piece[self._index(piece, self._unit_dims, tile.keep)]
            wanted = tuple(s.stop - s.start for s in tile.keep)
            if tuple(kept.shape[d] for d in self._unit_dims) != wanted:
                raise ModelError(
                    f"The tile {tile.input} gives an output of shape {tuple(piece.shape)}, which is too small."
                )
            if result is None:
                lengths = dict(zip(self._unit_dims, self._unit_shape, strict=True))
                result = piece.new_empty([lengths.get(d, n) for d, n in enumerate(piece.shape)])
            result[self._index(result, self._unit_dims, tile.output)] = kept
        assert result is not None  # there is always one tile
        return result

    @staticmethod
    def _index(t: Tensor, dims: tuple[int, ...], slices: tuple[slice, ...]) -> tuple[slice, ...]:
        at = dict(zip(dims, slices, strict=True))
        return tuple(at.get(d, slice(None)) for d in range(t.dim()))


def plan(analysis: Analysis, tile: int | Sequence[int]) -> Tiling:
    """The tiling of a model's output.

    The model is recorded once more on an input as small as a tile. Where that gives other windows than the image did
    (a layer whose size is fixed, or padding that depends on the input's length), tiles cannot replace the image.
    """
    found = analysis.output
    tiles = lengths_of(tile, len(found.input_shape), "tile")
    cut = [a for a, n in enumerate(found.input_shape) if tiles[a] < n]
    for a in cut:
        _refuse_whole(found, a)
    grid = [grid_of(analysis, a) if a in cut else 1 for a in range(len(tiles))]
    lengths = [min(t, n) for t, n in zip(tiles, found.input_shape, strict=True)]
    small = _recorded(analysis, lengths, grid, cut)
    parts, overlap = [], []
    for a, n in enumerate(found.input_shape):
        if a in cut:
            advance, until = _reach(small, a, lengths[a], grid[a])
            parts.append(_cut(found, a, lengths[a], grid[a], advance, until))
            overlap.append(lengths[a] - advance)
            _refuse_wrapped(found, a, parts[-1])
        else:
            units = slice(0, _units(found, a))
            parts.append(((slice(0, n), units, units),))
            overlap.append(0)
    last = [part[-1][0].stop - part[-1][0].start for part in parts]
    if last != lengths:
        _recorded(analysis, last, grid, cut, may_shrink=True)
    if cut:
        _refuse_places(analysis, lengths)
    carried = tuple(None if (line := found.line(a)) is None else line.dim for a in range(len(tiles)))
    geometry = found._input_dims, found.input_shape, found.unit_dims, found.unit_shape, carried
    return Tiling(tiles, tuple(overlap), tuple(grid), tuple(parts), *geometry)


# --- what cannot be tiled ---------------------------------------------------------------------------------------------


def _refuse_whole(found: Found, a: int) -> None:
    line, stride = found.line(a), found.stride[a]
    if found.whole_input[a]:
        raise NoSingleAnswerError(
            f"Axis {a} cannot be tiled: some operation reads the whole input, so a tile's output differs from the "
            "image's. Tile the part of the model before that operation."
        )
    if line is None or line.dim is None or stride is None or stride < 0:
        raise NoSingleAnswerError(
            f"Axis {a} cannot be tiled: the windows of the output's units do not move by one stride from unit to unit. "
            "Tile a part of the model for which found.stride is a number."
        )


def _recorded(
    analysis: Analysis, lengths: list[int], grid: list[int], cut: list[int], may_shrink: bool = False
) -> Found:
    """The model on an input as small as a tile, if it is there the same model as on the image."""
    found = analysis.output
    try:
        small = analysis._resized(lengths).output
    except ReceptiveFieldError as error:
        raise ModelError(
            f"The model cannot run on a tile of {tuple(lengths)} positions; larger ones, or multiples of "
            f"{tuple(grid)}, may fit. {error}"
        ) from error
    whole, part = found.graph, small.graph
    if found.index != small.index or any(x.operation != y.operation for x, y in _pairs(found, small)):
        raise NoSingleAnswerError(
            f"The model takes another way through its operations on a tile of {tuple(lengths)} positions than on the "
            f"image of {found.input_shape}. Tiles whose lengths are multiples of {tuple(grid)} may fit."
        )
    for node, twin in _pairs(found, small):
        for a in cut:
            axis = (found._source, a)
            line, there = (_line(g, n.index, axis, found.is_local) for g, n in ((whole, node), (part, twin)))
            if line != there and not (may_shrink and _is_one_unit(line, twin)):
                raise _differs(node, _is_one_unit(line, twin), a, lengths[a], found.input_shape[a], grid[a])
            _refuse_rounding(node, a)
    return small


def _is_one_unit(line: Line | None, twin: Node) -> bool:
    """Whether a tile leaves a map of length 1, which has no stride."""
    return line is not None and line.dim is not None and twin.shape[line.dim : line.dim + 1] == (1,)


def _differs(node: Node, one_unit: bool, a: int, length: int, whole: int, grid: int) -> ReceptiveFieldError:
    name = f"{(node.name or node.operation)!r} ({node.operation})"
    if one_unit:
        return ModelError(f"A tile of {length} positions on axis {a} is too small: it leaves {name} a single unit.")
    return NoSingleAnswerError(
        f"{name} has other windows on a tile of {length} positions than on the image of {whole} (axis {a}): its output "
        f"size or its padding depends on the input's size. Tiles that differ from the image by a multiple of {grid} "
        "may fit; a layer of fixed output size cannot be tiled."
    )


class _Constants(TorchFunctionMode):
    """Notes the constants that meet traced values: positions, coordinates, masks."""

    def __init__(self) -> None:
        super().__init__()
        self.met: list[tuple[str, Tensor]] = []

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
        if any(t.device.type == "meta" for t in tensors):
            self.met += [(getattr(func, "__name__", str(func)), t) for t in tensors if t.device.type != "meta"]
        return func(*args, **(kwargs or {}))


def _refuse_places(analysis: Analysis, lengths: Sequence[int]) -> None:
    """A constant that grows with the image and is not the same everywhere tells the places apart."""
    with _Constants() as whole:
        analysis._resized(analysis.output.input_shape)
    with _Constants() as part:
        analysis._resized(lengths)
    for (name, constant), (_, twin) in zip(whole.met, part.met, strict=False):
        if constant.shape != twin.shape and bool((constant != constant.flatten()[0]).any()):
            raise NoSingleAnswerError(
                f"The model cannot be tiled: a constant of shape {tuple(constant.shape)}, which grows with the image "
                f"and differs from place to place, takes part in {name!r}, so a tile would get other values than the "
                "image does. Tile the parts of the model before and after it."
            )


def _pairs(found: Found, small: Found) -> Iterator[tuple[Node, Node]]:
    for at in found.graph.standing_on(found.index, lambda n: False, found.is_local):
        yield found.graph.nodes[at], small.graph.nodes[at]


def _refuse_rounding(node: Node, a: int) -> None:
    """Interpolation computes its places in floating point, and far from the origin may take a neighbor instead."""
    for e in node.full:
        for _, how in e.relation.dims if isinstance(e.relation, Separable) else ():
            if not isinstance(how, Rows) or how.ideal is None:
                continue
            for unit, row in enumerate(how.rows):
                ideal = how.ideal.pull((unit, 1), False)
                inside = sets.clip(ideal, how.in_length) == ideal
                if inside and sets.intersection(row, ideal) != ideal:
                    raise NoSingleAnswerError(
                        f"Axis {a} cannot be tiled: {(node.name or node.operation)!r} ({node.operation}) rounds its "
                        "places, so a tile's output may differ from the image's. Use a whole-number scale."
                    )


def _refuse_wrapped(found: Found, a: int, parts: tuple[Part, ...]) -> None:
    """Units at the image's border must really read within their tile: circular padding does not."""
    line = found.line(a)
    assert line is not None
    middle = [n // 2 for n in found.unit_shape]
    at = found.unit_dims.index(line.dim)
    for cut, _, kept in (parts[0], parts[-1]):
        for unit in range(kept.start, kept.stop):
            window = line.at(unit)
            if not window[1] or (window[0] >= 0 and sets.last(window) < found.input_shape[a]):
                continue
            read = found.slices([*middle[:at], unit, *middle[at + 1 :]])[a]
            if read.start < read.stop and not cut.start <= read.start < read.stop <= cut.stop:
                raise NoSingleAnswerError(
                    f"Axis {a} cannot be tiled: at the border unit {unit} reads positions {read.start} to "
                    f"{read.stop - 1}, across the tile's border. Circular padding and rolling cannot be tiled."
                )


# --- where tiles begin and what they give -----------------------------------------------------------------------------


def _line(graph: Graph, index: int, axis: Axis, local: bool) -> Line | None:
    windows = graph.windows(index, local)
    return None if windows is None else windows.lines.get(axis)


def _units(found: Found, a: int) -> int:
    line = found.line(a)
    return 1 if line is None or line.dim is None else found.node.shape[line.dim]


def grid_of(analysis: Analysis, a: int) -> int:
    """Where every layer on the way begins a new period."""
    found, steps = analysis.output, {1}
    axis = found._source, a
    for at in found.graph.standing_on(found.index, lambda n: False, found.is_local):
        line = _line(found.graph, at, axis, found.is_local)
        steps |= {abs(c.step) for c in line.courses if c.step} if line is not None else set()
    return lcm(*steps)


def _reach(small: Found, a: int, length: int, grid: int) -> tuple[int, int]:
    """How far apart tiles begin, and the last unit of a tile, not at the image's end, that is worth keeping."""
    first, last = untouched(small.graph, small.index, (small._source, a), small.is_local)
    line = small.line(a)
    assert line is not None
    course = line.courses[0]
    covered = (
        (last - first + 1) * course.step // course.period
    )  # input positions from the first unit to the next tile's
    advance = min(covered, length) // grid * grid
    if advance < grid:
        enough = max(length + -(-max(grid - covered, 0) // grid) * grid, grid)
        raise ModelError(
            f"A tile of {length} positions on axis {a} is too small: too few of its units see nothing beyond its "
            f"border, and tiles begin at multiples of {grid}. A tile of {enough} is enough."
        )
    return advance, last


def untouched(graph: Graph, index: int, axis: Axis, local: bool) -> tuple[int, int]:
    """The first and the last unit that no border of the input reaches: everything that they stand on exists."""
    kept: dict[int, tuple[int, int]] = {}
    for at in graph.standing_on(index, lambda n: False, local):
        node, line = graph.nodes[at], _line(graph, at, axis, local)
        if line is None or line.dim is None:
            continue
        first, last = 0, node.shape[line.dim] - 1
        for e in node.local if local else node.full:
            if e.source in kept:
                course = _one_step(graph, e, node, axis, local)
                low, high = kept[e.source]
                first, last = max(first, _from(course, low)), min(last, _until(course, high))
        kept[at] = first, last
    return kept[index]


def _one_step(graph: Graph, edge: Edge, node: Node, axis: Axis, local: bool) -> Course:
    """What a node's units read of the node before, along one axis."""
    windows = graph.windows(edge.source, local)
    own = {} if windows is None else {a: line.dim for a, line in windows.lines.items() if line.dim is not None}
    seen = lines.through(lines.input_windows(own), edge.relation, node.roles)
    line = None if seen is None else seen.lines.get(axis)
    if line is None or len(line.courses) != 1 or line.courses[0].step <= 0:
        raise NoSingleAnswerError(
            f"Along axis {axis[1]}, {(node.name or node.operation)!r} ({node.operation}) does not read its operand "
            "with one stride. Ask the part of the model before it."
        )
    return line.courses[0]


def _from(course: Course, low: int) -> int:
    """The first unit from which on no unit reads a position below `low`."""
    bad = [-(-(low - w[0]) // course.step) * course.period + p for p, w in enumerate(course.windows) if w[1]]
    return max(bad, default=0) - course.period + 1


def _until(course: Course, high: int) -> int:
    """The last unit up to which no unit reads a position above `high`."""
    windows = [(p, w) for p, w in enumerate(course.windows) if w[1]]
    bad = [((high - sets.last(w)) // course.step + 1) * course.period + p for p, w in windows]
    return min(bad, default=1 << 60) - 1


def _cut(found: Found, a: int, length: int, grid: int, advance: int, reach: int) -> tuple[Part, ...]:
    """The tiles along one axis: each keeps the units that no tile before it kept."""
    line = found.line(a)
    assert line is not None
    course, size, units = line.courses[0], found.input_shape[a], _units(found, a)
    final = -(-(size - length) // grid) * grid
    result: list[Part] = []
    done = 0
    for origin in [*range(0, final, advance), final]:
        before = origin * course.period // course.step  # the unit of the whole image that is this tile's unit 0
        stop = units if origin == final else min(units, before + reach + 1)
        if stop > done:
            end = size if origin == final else origin + length
            result.append((slice(origin, end), slice(done - before, stop - before), slice(done, stop)))
            done = stop
    return tuple(result)
