"""Views: dimensions split, merged, turned and sliced, as digits.

A storage knows what it holds, and strides say the rest: `factor` reads the digits of a view off its strides, `composed`
makes one view of two. `Digits` and `Turned` are relations, as relations.py defines them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from rflib.graph import sets
from rflib.graph.relations import Relation
from rflib.graph.sets import Box, Set


class Digit(NamedTuple):
    """A factor of a view: `size` values, worth out_step in the result's dimension and in_step in the operand's.

    An operand's dimension of -1 means that the factor is not there: the result repeats its values.
    """

    size: int
    out_dim: int
    out_step: int
    in_dim: int
    in_step: int


@dataclass(frozen=True)
class Digits:
    """A view: dimensions split and merged, as mixed-radix digits. `extends` names the digits that go on beyond."""

    digits: tuple[Digit, ...]
    offsets: tuple[int, ...]
    out_shape: tuple[int, ...]
    in_shape: tuple[int, ...]
    extends: frozenset[int] = frozenset()

    def pull(self, box: Box, bounded: bool) -> list[Box]:
        steps = [(d.out_dim, d.out_step) for d in self.digits]
        parts = [self._split(s, steps, o, bounded) for o, s in enumerate(box) if self._of(steps, o)]
        result: list[Box] = []
        for choice in itertools.product(*parts):
            values = dict(itertools.chain.from_iterable(c.items() for c in choice))
            joined = (self._join(values, j, bounded) for j in range(len(self.in_shape)))
            sets.add_box(result, tuple(joined))
        return result

    def push(self, box: Box) -> list[Box]:
        steps = [(d.in_dim, d.in_step) for d in self.digits]
        parts = []
        for j, s in enumerate(box):
            moved = sets.shift(s, -self.offsets[j])
            if self._of(steps, j):
                parts.append(self._split(moved, steps, j, True))
            elif not sets.intersection(moved, (0, 1))[1]:
                return []
        free = {f: sets.interval(0, d.size - 1) for f, d in enumerate(self.digits) if d.in_dim < 0}
        result: list[Box] = []
        for choice in itertools.product(*parts):
            values = free | dict(itertools.chain.from_iterable(c.items() for c in choice))
            joined = []
            for o in range(len(self.out_shape)):
                total: Set = (0, 1)
                for f, d in enumerate(self.digits):
                    if d.out_dim == o:
                        total = sets.sums(total, sets.scale(values[f], d.out_step))
                joined.append(total)
            sets.add_box(result, tuple(joined))
        return result

    @staticmethod
    def _of(steps: Sequence[tuple[int, int]], dim: int) -> list[int]:
        """The digits of a dimension, the slowest first."""
        mine = [f for f, (d, _) in enumerate(steps) if d == dim]
        return sorted(mine, key=lambda f: -abs(steps[f][1]))

    def _split(self, s: Set, steps: list[tuple[int, int]], dim: int, bounded: bool) -> list[dict[int, Set]]:
        """A set of one dimension as products over that dimension's digits."""
        return self._split_digits(s, self._of(steps, dim), steps, bounded)

    def _split_digits(
        self, s: Set, order: list[int], steps: list[tuple[int, int]], bounded: bool
    ) -> list[dict[int, Set]]:
        f, rest = order[0], order[1:]
        step, size = steps[f][1], self.digits[f].size
        free = not bounded and f in self.extends
        if not rest:
            values = sets.divide(s, step)
            values = values if free else sets.clip(values, size)
            return [{f: values}] if values[1] else []
        reach = sum(steps[r][1] * (self.digits[r].size - 1) for r in rest)  # of the faster digits together
        if not free and s == sets.interval(0, step * (size - 1) + reach):
            return [{g: sets.interval(0, self.digits[g].size - 1) for g in order}]
        values_of: dict[Set, list[int]] = {}
        for v in range((s[0] - reach) // step, sets.last(s) // step + 1) if free else range(size):
            window = sets.intersection(sets.shift(s, -v * step), sets.interval(0, reach))
            if window[1]:
                values_of.setdefault(window, []).append(v)
        return [
            {f: sets.from_members(vs), **inner}
            for window, vs in values_of.items()
            for inner in self._split_digits(window, rest, steps, bounded)
        ]

    def _join(self, values: dict[int, Set], in_dim: int, bounded: bool) -> Set:
        result: Set = (self.offsets[in_dim], 1)
        for f, d in enumerate(self.digits):
            if d.in_dim == in_dim:
                result = sets.sums(result, sets.scale(values[f], d.in_step))
        return sets.clip(result, self.in_shape[in_dim]) if bounded else result


@dataclass(frozen=True)
class Turned:
    """Another relation with its two sides exchanged: writing through a view, fold as the inverse of unfold."""

    of: Relation

    @property
    def out_shape(self) -> tuple[int, ...]:
        return self.of.in_shape

    @property
    def in_shape(self) -> tuple[int, ...]:
        return self.of.out_shape

    def pull(self, box: Box, bounded: bool) -> list[Box]:
        inside = tuple(sets.clip(s, n) for s, n in zip(box, self.of.in_shape, strict=True))
        return self.of.push(inside) if all(s[1] for s in inside) else []

    def push(self, box: Box) -> list[Box]:
        return self.of.pull(box, True)


def composed(outer: Digits, inner: Digits) -> Digits | None:
    """A view of a view as one view, or None where the digits of the two do not fit into each other."""
    digits = [d for d in outer.digits if d.in_dim < 0]
    offsets = list(inner.offsets)
    for j, length in enumerate(outer.in_shape):
        below = [b for b in inner.digits if b.out_dim == j]
        above = [d for d in outer.digits if d.in_dim == j]
        if outer.offsets[j] < 0 or outer.offsets[j] + sum(d.in_step * (d.size - 1) for d in above) >= length:
            return None  # patches that hang over the border are cut there, which one view cannot say
        if len(below) == 1 and below[0].in_dim >= 0:  # one axis as it was: any slice of it fits
            b = below[0]
            offsets[b.in_dim] += outer.offsets[j] * b.in_step
            digits += [d._replace(in_dim=b.in_dim, in_step=b.in_step * d.in_step) for d in above]
            continue
        if outer.offsets[j]:
            return None
        for d in above:
            parts = _refined(d, below)
            if parts is None:
                return None
            digits += parts
    return Digits(tuple(digits), tuple(offsets), outer.out_shape, inner.in_shape)


def _refined(digit: Digit, below: list[Digit]) -> list[Digit] | None:
    """A digit of a dimension that was itself merged from digits, as parts of those."""
    parts = []
    for b in below:
        low, high = max(b.out_step, digit.in_step), min(b.out_step * b.size, digit.in_step * digit.size)
        if low >= high:
            continue
        if high % low or low % b.out_step or low % digit.in_step:
            return None
        step = digit.out_step * (low // digit.in_step)
        parts.append(Digit(high // low, digit.out_dim, step, b.in_dim, b.in_step * (low // b.out_step)))
    return parts if prod(p.size for p in parts) == digit.size else None


def factor(
    size: Sequence[int], stride: Sequence[int], offset: int, in_shape: Sequence[int], in_stride: Sequence[int]
) -> tuple[tuple[Digit, ...], tuple[int, ...]] | None:
    """The digits of a strided view of a dense tensor, or None where the strides follow no digits.

    Each dimension of the view is walked from its fastest factor to its slowest: a run inside one dimension of the
    operand is one digit; a run that crosses into the next slower one must fill the first completely.
    """
    order = sorted((j for j, n in enumerate(in_shape) if n > 1), key=lambda j: in_stride[j])
    offsets, rest = [0] * len(in_shape), offset
    for j in reversed(order):
        offsets[j], rest = divmod(rest, in_stride[j])
    if rest:
        return None
    digits: list[Digit] = []
    for o, (n, st) in enumerate(zip(size, stride, strict=True)):
        found = _factor_dim(o, n, st, in_shape, in_stride, order)
        if found is None:
            return None
        digits += found
    digits += _lone_digits(size, stride, in_shape, in_stride)
    for j, length in enumerate(in_shape):  # no carry: what meets in one dimension must stay inside it
        mine = [d for d in digits if d.in_dim == j]
        if offsets[j] + sum(d.in_step * (d.size - 1) for d in mine) >= length:
            return None
    return tuple(digits), tuple(offsets)


def _lone_digits(
    size: Sequence[int], stride: Sequence[int], in_shape: Sequence[int], in_stride: Sequence[int]
) -> list[Digit]:
    """Dimensions of length one move no element, but they may be space: their strides tell where they went."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for j, (n, st) in enumerate(zip(in_shape, in_stride, strict=True)):
        if n == 1:
            before.setdefault(st, []).append(j)
    for o, (n, st) in enumerate(zip(size, stride, strict=True)):
        if n == 1:
            after.setdefault(st, []).append(o)
    pairs = [(after.get(st, []), ins) for st, ins in before.items()]
    return [
        Digit(1, o, 1, j, 1) for outs, ins in pairs if len(outs) == len(ins) for o, j in zip(outs, ins, strict=True)
    ]


def _factor_dim(
    o: int, n: int, st: int, in_shape: Sequence[int], in_stride: Sequence[int], order: list[int]
) -> list[Digit] | None:
    if n == 1:
        return []
    if st == 0:
        return [Digit(n, o, 1, -1, 0)]
    digits: list[Digit] = []
    out_step = 1
    while n > 1:
        fits = [j for j in order if st % in_stride[j] == 0 and st // in_stride[j] < in_shape[j]]
        if not fits:
            return None
        j = fits[-1]
        m = st // in_stride[j]
        if m * (n - 1) < in_shape[j]:
            return [*digits, Digit(n, o, out_step, j, m)]
        if in_shape[j] % m or n % (in_shape[j] // m):
            return None
        fill = in_shape[j] // m
        digits.append(Digit(fill, o, out_step, j, m))
        out_step, n, st = out_step * fill, n // fill, st * fill
    return digits
