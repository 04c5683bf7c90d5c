"""Operations that only move elements, followed by running them on index numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from rflib.graph import sets
from rflib.graph.relations import DimMap, Rows, Separable, same
from rflib.graph.roles import CHANNEL, NEUTRAL, Role, combine
from rflib.graph.sets import Box, Set


@dataclass(frozen=True, eq=False)
class Gather:
    """Element e of the result is element numbers[e] of the operand, or nothing where that is negative.

    The dense form, for moves that no rule by dimension or by digits describes.
    """

    numbers: torch.Tensor
    in_shape: tuple[int, ...]

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return tuple(self.numbers.shape)

    def pull(self, box: Box, bounded: bool) -> list[Box]:
        """The operand's elements that a box of the result reads; moves end at the border in every case."""
        chosen = self.numbers
        for d, s in enumerate(box):
            inside = sets.clip(s, self.out_shape[d])
            if not inside[1]:
                return []
            if inside != sets.interval(0, self.out_shape[d] - 1):
                chosen = chosen.index_select(d, torch.tensor(sets.members(inside)))
        flat = chosen.reshape(-1)
        return boxes_of(flat[flat >= 0], self.in_shape)

    def push(self, box: Box) -> list[Box]:
        """The result's elements that read a box of the operand."""
        inside = torch.zeros(self.in_shape, dtype=torch.bool)
        inside[torch.meshgrid(*(torch.tensor(sets.members(s)) for s in box), indexing="ij")] = True
        hit = inside.reshape(-1)[self.numbers.clamp(min=0)] & (self.numbers >= 0)
        return boxes_of(hit.reshape(-1).nonzero().reshape(-1), self.out_shape)

    def unwritten(self) -> Gather:
        """The operand's own elements, but for those that this view covers."""
        own = torch.arange(self.in_shape_size)
        own[self.numbers.reshape(-1)] = -1
        return Gather(own.reshape(self.in_shape), self.in_shape)

    @cached_property
    def in_shape_size(self) -> int:
        """Number of elements of the operand."""
        size = 1
        for n in self.in_shape:
            size *= n
        return size

    def through_roles(self, roles: tuple[Role, ...]) -> list[Role | None]:
        """What the result's dimensions stand for, by which operand dimensions change along them."""
        steps = [self._changes(o) for o in range(len(self.out_shape))]
        main = {j: max(range(len(steps)), key=lambda o: steps[o][j], default=0) for j in range(len(roles))}
        result: list[Role | None] = []
        for o, change in enumerate(steps):
            mine = sorted((j for j, c in enumerate(change) if c), key=lambda j: j)
            parts = [(change[j], roles[j], 0 if main[j] == o else 1) for j in mine]
            result.append(combine(parts) if parts else (NEUTRAL if self.out_shape[o] == 1 else CHANNEL))
        return result

    def _changes(self, dim: int) -> list[int]:
        """How far each operand dimension moves along one dimension of the result."""
        n = self.out_shape[dim]
        if not self.numbers.numel():  # a piece of length 0, as tensor_split makes them
            return [0] * len(self.in_shape)
        along = self.numbers.movedim(dim, 0).reshape(n, -1)
        found, rest = [], along
        for length in reversed(self.in_shape):
            at = rest % length
            valid = rest >= 0
            low = torch.where(valid, at, length).amin(0)
            high = torch.where(valid, at, -1).amax(0)
            found.append(int((high - low).clamp(min=0).amax()))
            rest = torch.where(valid, rest // length, rest)
        return found[::-1]


def boxes_of(flat: torch.Tensor, shape: tuple[int, ...]) -> list[Box]:
    """A set of elements, as row-major numbers, as a list of boxes."""
    if not flat.numel():
        return []
    return _boxes(torch.unique(flat).tolist(), list(shape))


def _boxes(numbers: list[int], shape: list[int]) -> list[Box]:
    if not shape:
        return [()] if numbers else []
    if len(shape) == 1:
        return [(sets.from_members(numbers),)]
    inner = 1
    for n in shape[1:]:
        inner *= n
    rows: dict[int, list[int]] = {}
    for n in numbers:
        rows.setdefault(n // inner, []).append(n % inner)
    by_content: dict[tuple[int, ...], list[int]] = {}
    for v, content in rows.items():
        by_content.setdefault(tuple(content), []).append(v)
    result: list[Box] = []
    for numbers_inside, values in by_content.items():
        for rest in _boxes(list(numbers_inside), shape[1:]):
            sets.add_box(result, (sets.from_members(values), *rest))
    return result


def strided_numbers(t: torch.Tensor, shape: tuple[int, ...], stride: tuple[int, ...], offset: int) -> torch.Tensor:
    """For each element of a view, the row-major number of the element of its base; -1 outside the base."""
    extent = 1 + sum((n - 1) * s for n, s in zip(shape, stride, strict=True) if n)
    size = 1
    for n in shape:
        size *= n
    place = torch.full((max(extent, 1),), -1, dtype=torch.int64)
    place.as_strided(shape, stride).copy_(torch.arange(size).reshape(shape))
    where = torch.full(tuple(t.shape), int(t.storage_offset()) - offset, dtype=torch.int64)
    for d, (n, s) in enumerate(zip(t.shape, t.stride(), strict=True)):
        where += (torch.arange(n) * s).reshape([n if i == d else 1 for i in range(t.dim())])
    inside = (where >= 0) & (where < extent)
    return torch.where(inside, place[where.clamp(0, extent - 1)], torch.tensor(-1))


def relation_of(numbers: torch.Tensor, in_shape: tuple[int, ...], ideal: dict[int, Any] | None = None) -> Any:
    """The simplest relation for a move given by index numbers: dimension by dimension where that is exact.

    Args:
        numbers: for each element of the result, the row-major number of the operand's element, -1 for none.
        in_shape: shape of the operand.
        ideal: for a dimension, how its windows go on beyond the border.
    """
    found = _by_dimension(numbers, in_shape, ideal or {})
    return Gather(numbers, in_shape) if found is None else found


def _by_dimension(numbers: torch.Tensor, in_shape: tuple[int, ...], ideal: dict[int, Any]) -> Separable | None:
    if numbers.dim() != len(in_shape) or not numbers.numel():
        return None
    rows, total, stride = [], torch.zeros((1,) * numbers.dim(), dtype=torch.int64), 1
    nothing = torch.zeros((1,) * numbers.dim(), dtype=torch.bool)
    for d in reversed(range(len(in_shape))):
        coordinate = numbers // stride % in_shape[d]
        line = torch.where(numbers >= 0, coordinate, -1).movedim(d, 0).reshape(numbers.shape[d], -1).amax(1)
        view = line.reshape([-1 if i == d else 1 for i in range(numbers.dim())])
        nothing = nothing | (view < 0)
        total = total + view.clamp(min=0) * stride
        rows.append(line.tolist())
        stride *= in_shape[d]
    if not torch.equal(torch.where(nothing, -1, total).expand(numbers.shape), numbers):
        return None
    dims: list[tuple[int, DimMap]] = []
    for d, line in enumerate(reversed(rows)):
        if d not in ideal and line == list(range(in_shape[d])):
            dims.append((d, same(in_shape[d])))  # which goes on beyond the border
            continue
        sets_of: list[Set] = [(n, 1) if n >= 0 else sets.EMPTY for n in line]
        dims.append((d, Rows(tuple(sets_of), in_shape[d], ideal.get(d))))
    return Separable(tuple(dims), tuple(numbers.shape), in_shape)
