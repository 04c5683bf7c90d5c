"""Tiled inference that equals whole-image inference: how far tiles overlap, and where they may begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm
from typing import TYPE_CHECKING

from rflib.errors import ModelError, NoSingleAnswerError
from rflib.lines import Course

if TYPE_CHECKING:
    from rflib.analysis import Found
    from rflib.graph import Graph


@dataclass(frozen=True)
class Tile:
    """One tile: what to cut from the image, what to keep of its output, and where that goes."""

    input: tuple[slice, ...]
    keep: tuple[slice, ...]
    output: tuple[slice, ...]


@dataclass(frozen=True)
class Tiling:
    """How to cut an image so that the tiles' outputs, put together, are the whole image's output.

    Attributes:
        tile: length of a tile, in input positions, an axis.
        overlap: input positions that neighboring tiles must share so that no unit's window is cut, an axis.
        grid: tile origins are multiples of this, an axis; elsewhere strides fall between other pixels.
    """

    tile: tuple[int, ...]
    overlap: tuple[int, ...]
    grid: tuple[int, ...]
    _courses: tuple[Course, ...]
    _units: tuple[int, ...]
    _input: tuple[int, ...]

    def tiles(self) -> list[Tile]:
        """The tiles that cover the analyzed input."""
        per_axis = [self._axis(a) for a in range(len(self.tile))]
        return [Tile(*(tuple(part) for part in zip(*chosen, strict=True))) for chosen in product(*per_axis)]

    def _axis(self, a: int) -> list[tuple[slice, slice, slice]]:
        """Tiles along one axis: each keeps the units whose windows it holds and no tile before it kept."""
        course, length = self._courses[a], self._input[a]
        spans = [course.at(u) for u in range(self._units[a])]
        result, done, origin = [], 0, 0
        while done < self._units[a]:
            last_tile = origin + self.tile[a] >= length
            end = length if last_tile else origin + self.tile[a]
            stop = done
            while stop < self._units[a] and (last_tile or spans[stop][0] + spans[stop][1].bit_length() <= end):
                stop += 1
            if stop > done:
                first = int(Fraction(origin) / course.slope)  # the unit of the whole image that is the tile's unit 0
                result.append((slice(origin, end), slice(done - first, stop - first), slice(done, stop)))
            if stop < self._units[a]:
                need = min((s[0] for s in spans[stop:] if s[1]), default=0)
                following = max(need, 0) // self.grid[a] * self.grid[a]
                if following <= origin:
                    raise ModelError(f"Tiles of {self.tile[a]} positions on axis {a} cannot move on; use larger ones.")
                origin = following
            done = stop
        return result


def plan(graph: Graph, found: Found, tile: int | Sequence[int], local: bool) -> Tiling:
    """The tiling of a found output."""
    from rflib.analysis import _per_axis

    axes = len(found.input_shape)
    tiles = _per_axis(tile, axes, "tile")
    courses, grid = [], []
    for a in range(axes):
        line = found.line(a)
        if found.whole_input[a] or line is None or found.stride[a] is None or found.stride[a] < 0:  # type: ignore[operator]
            raise NoSingleAnswerError(
                f"Axis {a} cannot be tiled: some operation reads the whole input or its windows follow no grid, so a "
                "tile's output differs from the image's. Tile before that operation."
            )
        courses.append(line.courses[0])
        grid.append(lcm(*graph.steps(found.index, (found._source, a))))
    overlap = []
    for a, course in enumerate(courses):
        longest = max(w[1].bit_length() for w in course.windows)
        step = Fraction(course.step, course.period)
        overlap.append(max(0, int(longest - step)) + (grid[a] - 1))
        if tiles[a] < min(longest + grid[a] - 1, found.input_shape[a]):
            raise ModelError(
                f"A tile of {tiles[a]} positions on axis {a} cannot hold a window of {longest} that begins anywhere on "
                f"a grid of {grid[a]}. Use at least {longest + grid[a] - 1}."
            )
    shapes = tuple(found.unit_shape), tuple(found.input_shape)
    return Tiling(tiles, tuple(overlap), tuple(grid), tuple(courses), *shapes)
