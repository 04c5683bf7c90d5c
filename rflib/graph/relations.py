"""Which elements of its operands an operation reads to make which elements of its result.

A relation answers one question in both directions: `pull` takes a box of the result to the boxes of the operand
that it reads, `push` takes a box of the operand to the boxes of the result that read it. `bounded=True` is what
really happens; `bounded=False` lets every layer go on beyond its border, which gives the ideal windows.

Most operations treat each dimension by itself: `Separable`, one `DimMap` a dimension. Views that split or merge
dimensions are `Digits` (views.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from rflib.graph import sets
from rflib.graph.sets import EMPTY, Box, Set


class Pattern(NamedTuple):
    """A relation that repeats: unit o + period reads what unit o reads, moved by shift."""

    period: int
    shift: int
    rows: tuple[Set, ...]


class DimMap(Protocol):
    """How one dimension of an operand is read along one dimension of the result."""

    def pull(self, s: Set, bounded: bool) -> Set: ...

    def push(self, s: Set) -> Set: ...

    def pattern(self) -> Pattern | None: ...


@dataclass(frozen=True)
class Taps:
    """Unit o reads o * stride + offset + dilation * t for t = 0 .. count-1: convolution, pooling, slices, flips."""

    stride: int = 1
    offset: int = 0
    dilation: int = 1
    count: int = 1
    in_length: int | None = None
    out_length: int | None = None

    def pull(self, s: Set, bounded: bool) -> Set:
        s = sets.sweep(sets.scale(s, self.stride), self.dilation, self.count)
        s = sets.shift(s, self.offset)
        return sets.clip(s, self.in_length) if bounded and self.in_length is not None else s

    def push(self, s: Set) -> Set:
        back = -self.offset - self.dilation * (self.count - 1)
        s = sets.divide(sets.sweep(sets.shift(s, back), self.dilation, self.count), abs(self.stride))
        s = s if self.stride > 0 else sets.scale(s, -1)
        return s if self.out_length is None else sets.clip(s, self.out_length)

    def pattern(self) -> Pattern:
        return Pattern(1, self.stride, (sets.sweep((self.offset, 1), self.dilation, self.count),))


@dataclass(frozen=True)
class Inverse:
    """A relation read backwards: what transposed convolution and fold do."""

    of: Taps

    def pull(self, s: Set, bounded: bool) -> Set:
        taps = self.of
        s = Taps(taps.stride, taps.offset, taps.dilation, taps.count).push(s)
        return sets.clip(s, taps.out_length) if bounded and taps.out_length is not None else s

    def push(self, s: Set) -> Set:
        return self.of.pull(s, True)

    def pattern(self) -> Pattern:
        free = Taps(self.of.stride, self.of.offset, self.of.dilation, self.of.count)
        return Pattern(free.stride, 1, tuple(free.push((phase, 1)) for phase in range(free.stride)))


@dataclass(frozen=True)
class Repeating:
    """A pattern without borders, as interpolation and adaptive pooling follow by their formula."""

    of: Pattern

    def pull(self, s: Set, bounded: bool) -> Set:
        period, shift, rows = self.of
        result = EMPTY
        for o in sets.members(s):
            result = sets.union(result, sets.shift(rows[o % period], shift * (o // period)))
        return result

    def push(self, s: Set) -> Set:
        raise AssertionError("only relations with borders are asked which units read a position")

    def pattern(self) -> Pattern:
        return self.of


@dataclass(frozen=True)
class Rows:
    """An explicit list: unit o reads rows[o]. `ideal` says how it would go on beyond its border, if it would."""

    rows: tuple[Set, ...]
    in_length: int
    ideal: DimMap | None = None

    def pull(self, s: Set, bounded: bool) -> Set:
        if not bounded and self.ideal is not None:
            return self.ideal.pull(s, False)
        if s == self._all_units:
            return self._everything
        result = EMPTY
        for o in sets.members(sets.clip(s, len(self.rows))):
            result = sets.union(result, self.rows[o])
        return result

    def push(self, s: Set) -> Set:
        hit = (o for o, row in enumerate(self.rows) if sets.intersection(row, s)[1])
        return sets.from_members(hit)

    def pattern(self) -> Pattern | None:
        return None if self.ideal is None else self.ideal.pattern()

    @cached_property
    def _all_units(self) -> Set:
        return sets.interval(0, len(self.rows) - 1)

    @cached_property
    def _everything(self) -> Set:
        result = EMPTY
        for row in self.rows:
            result = sets.union(result, row)
        return result


@dataclass(frozen=True)
class Within:
    """A map that follows its rule without clamping, and reads nothing beyond the operand's border."""

    of: DimMap
    length: int

    def pull(self, s: Set, bounded: bool) -> Set:
        return sets.clip(self.of.pull(s, False), self.length)

    def push(self, s: Set) -> Set:
        return self.of.push(s)

    def pattern(self) -> Pattern | None:
        return None


@dataclass(frozen=True)
class Segment:
    """The result's positions start .. start+length-1 are the operand, as in a concatenation; never beyond it."""

    start: int
    length: int

    def pull(self, s: Set, bounded: bool) -> Set:
        return sets.clip(sets.shift(s, -self.start), self.length)

    def push(self, s: Set) -> Set:
        return sets.shift(s, self.start)

    def pattern(self) -> Pattern | None:
        return None


@dataclass(frozen=True)
class Blocks:
    """Groups of channels: a unit of group g reads every channel of group g."""

    groups: int
    out_size: int
    in_size: int

    def pull(self, s: Set, bounded: bool) -> Set:
        return self._move(s, self.out_size, self.in_size)

    def push(self, s: Set) -> Set:
        return self._move(s, self.in_size, self.out_size)

    def pattern(self) -> Pattern | None:
        return None

    def _move(self, s: Set, size: int, other: int) -> Set:
        if sets.size(s) == size * self.groups:
            return sets.interval(0, other * self.groups - 1)
        if size == other == 1:
            return s
        result = EMPTY
        for g in sorted({n // size for n in sets.members(s)}):
            result = sets.union(result, sets.interval(g * other, (g + 1) * other - 1))
        return result


@dataclass(frozen=True)
class Everything:
    """Every unit reads the whole dimension: global pooling, softmax, statistics."""

    in_length: int
    out_length: int = 1

    def pull(self, s: Set, bounded: bool) -> Set:
        return sets.interval(0, self.in_length - 1) if s[1] else EMPTY

    def push(self, s: Set) -> Set:
        return sets.interval(0, self.out_length - 1) if s[1] else EMPTY

    def pattern(self) -> Pattern:
        return Pattern(1, 0, (sets.interval(0, self.in_length - 1),))


@dataclass(frozen=True)
class Only:
    """Each unit of a set reads its own position, the others nothing: what an assignment to a slice leaves alone."""

    units: Set

    def pull(self, s: Set, bounded: bool) -> Set:
        return sets.intersection(s, self.units)

    def push(self, s: Set) -> Set:
        return sets.intersection(s, self.units)

    def pattern(self) -> Pattern | None:
        return None


def same(length: int) -> Taps:
    """Each unit reads its own position."""
    return Taps(in_length=length, out_length=length)


class Relation(Protocol):
    """What `Separable`, `Digits` and `Gather` have in common."""

    @property
    def out_shape(self) -> tuple[int, ...]: ...

    @property
    def in_shape(self) -> tuple[int, ...]: ...

    def pull(self, box: Box, bounded: bool) -> list[Box]: ...

    def push(self, box: Box) -> list[Box]: ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Separable:
    """One entry for each dimension of the operand: (dimension of the result, map), or (None, set read by all).

    `where` restricts the relation to some units of a dimension of the result, as stacking does.
    """

    dims: tuple[tuple[int, DimMap] | tuple[None, Set], ...]
    out_shape: tuple[int, ...]
    in_shape: tuple[int, ...]
    where: tuple[tuple[int, Set], ...] = ()

    def pull(self, box: Box, bounded: bool) -> list[Box]:
        result: list[Set] = []
        for d, units in self.where:
            if not sets.intersection(box[d], units)[1]:
                return []
        for out_dim, how in self.dims:
            s: Set = how if out_dim is None else how.pull(box[out_dim], bounded)  # type: ignore[assignment,union-attr]
            if not s[1]:
                return []
            result.append(s)
        return [tuple(result)]

    def push(self, box: Box) -> list[Box]:
        result = [sets.interval(0, n - 1) for n in self.out_shape]
        for d, units in self.where:
            result[d] = sets.intersection(result[d], units)
        for s, (out_dim, how) in zip(box, self.dims, strict=True):
            if out_dim is None:
                if not sets.intersection(s, how)[1]:  # type: ignore[arg-type]
                    return []
            else:
                result[out_dim] = sets.intersection(result[out_dim], how.push(s))  # type: ignore[union-attr]
        return [tuple(result)] if all(s[1] for s in result) else []


@lru_cache(maxsize=4096)
def ending(relation: Relation) -> Relation:
    """The ideal relation where borders stay real: a roll shifts and a reflection pads, but nothing goes on beyond."""
    if not isinstance(relation, Separable):
        return relation
    dims = tuple(
        (o, Within(how.ideal, how.in_length)) if isinstance(how, Rows) and how.ideal is not None else (o, how)
        for o, how in relation.dims
    )
    return replace(relation, dims=dims)  # type: ignore[arg-type]
