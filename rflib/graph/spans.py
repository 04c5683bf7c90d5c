"""First and last position that every unit of a feature map reads, where windows follow no line.

Behind a window partition, a flattened map or a concatenation along space, units must be asked one by one; asking
each separately walks the graph once a unit. Here all units of a node are carried forward together: two arrays, the
first and the last position, which an operation turns into those of its result by minimum and maximum. A dimension
along which nothing varies has length 1 in the arrays.

Only units that exist are carried, so behind the point where lines end a layer reads nothing beyond its border; the
windows of what lies before that point are ideal, as `Graph.pull` without bounds has them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple

import torch

from rflib.graph import sets
from rflib.graph.graph import Graph, Node
from rflib.graph.lines import Piece, Windows
from rflib.graph.relations import Blocks, DimMap, Everything, Relation, Segment, Separable, Taps, ending
from rflib.graph.roles import Axis
from rflib.graph.sets import Set
from rflib.graph.views import Digits, Turned

NONE = 1 << 30
"""First position of a unit that reads nothing; the last one is -NONE, so minimum and maximum need no special case."""


class Span(NamedTuple):
    """First and last positions, broadcastable to the node's shape."""

    first: torch.Tensor
    last: torch.Tensor

    def moved(self, how: Callable[[torch.Tensor, int], torch.Tensor]) -> Span:
        """The same for both, with the value that stands for nothing."""
        return Span(how(self.first, NONE), -how(-self.last, NONE))


def of_node(graph: Graph, index: int, local: bool) -> dict[Axis, Span]:
    """The spans of a node's units; those of every node on the way are kept.

    Args:
        graph: the graph.
        index: the node.
        local: without gates and statistics.

    Returns:
        For each axis of an input that is read, the spans.
    """
    memo = graph.kept("spans", local)
    for at in graph.standing_on(index, lambda n: n in memo or graph.windows(n, local) is not None, local):
        node = graph.nodes[at]
        parts = []
        for e in node.local if local else node.full:
            windows = graph.windows(e.source, local)
            shape = graph.nodes[e.source].shape
            before = memo[e.source] if windows is None else from_windows(windows, shape)
            parts.append(through(before, ending(e.relation)))
        memo[at] = unite(parts)
    windows = graph.windows(index, local)
    found: dict[Axis, Span] = memo[index] if windows is None else from_windows(windows, graph.nodes[index].shape)
    return found


def over_units(span: Span, node: Node) -> Span:
    """One value a unit: the union over the dimensions that are not space."""
    rest = [d for d in range(len(node.shape)) if d not in node.unit_dims]
    shape = [node.shape[d] for d in node.unit_dims]

    def reduce(t: torch.Tensor, _: int) -> torch.Tensor:
        t = t.amin(rest) if rest else t
        return t.reshape([t.shape[i] for i in range(len(shape))]).expand(shape)

    return span.moved(reduce)


def from_windows(windows: Windows, shape: tuple[int, ...]) -> dict[Axis, Span]:
    """The spans of units that follow lines."""
    return unite([_piece(piece, shape) for piece in windows.pieces])


def _piece(piece: Piece, shape: tuple[int, ...]) -> dict[Axis, Span]:
    result = {}
    for axis, line in piece.lines.items():
        count = 1 if line.dim is None else shape[line.dim]
        found = [line.at(u) for u in range(count)]
        first = [s[0] if s[1] else NONE for s in found]
        last = [sets.last(s) if s[1] else -NONE for s in found]
        view = [count if d == line.dim else 1 for d in range(len(shape))]
        span = Span(torch.tensor(first).reshape(view), torch.tensor(last).reshape(view))
        for d, units in piece.where:
            inside = _within(units, shape, d)
            span = span.moved(lambda t, nothing, inside=inside: torch.where(inside, t, nothing))  # type: ignore[misc]
        result[axis] = span
    return _together(result)


def _within(units: Set, shape: tuple[int, ...], dim: int) -> torch.Tensor:
    """Whether an index of a dimension is in a set, broadcastable to the shape."""
    inside = torch.zeros(shape[dim], dtype=torch.bool)
    inside[torch.tensor(sets.members(units))] = True
    return inside.reshape([-1 if d == dim else 1 for d in range(len(shape))])


def through(spans: dict[Axis, Span], relation: Relation) -> dict[Axis, Span]:
    """The spans of an operation's result, as far as one operand gives them."""
    return {axis: span.moved(lambda t, nothing: _move(t, relation, nothing)) for axis, span in spans.items()}


def unite(parts: list[dict[Axis, Span]]) -> dict[Axis, Span]:
    """The spans of a result that several operands come together in."""
    result: dict[Axis, Span] = {}
    for part in parts:
        for axis, span in part.items():
            old = result.get(axis)
            result[axis] = (
                span if old is None else Span(torch.minimum(old.first, span.first), torch.maximum(old.last, span.last))
            )
    return result


def _together(spans: dict[Axis, Span]) -> dict[Axis, Span]:
    """A unit that reads nothing along one axis of an input reads nothing of that input."""
    result = {}
    for (k, a), span in spans.items():
        first, last = span
        for (other, _), (low, high) in spans.items():
            if other == k:
                empty = low > high
                first, last = torch.where(empty, NONE, first), torch.where(empty, -NONE, last)
        result[k, a] = Span(first, last)
    return result


def _move(t: torch.Tensor, relation: Relation, nothing: int) -> torch.Tensor:
    """Minimum over what each unit reads, for an array of first positions."""
    if isinstance(relation, Separable):
        return _separable(t, relation, nothing)
    if isinstance(relation, Digits):
        return _digits(t, relation, nothing)
    if isinstance(relation, Turned):
        return _turned(t, relation.of, nothing)
    numbers = _numbers(relation)
    flat = t.expand(relation.in_shape).reshape(-1)
    return torch.where(numbers >= 0, flat[numbers.clamp(min=0)], nothing)


def _separable(t: torch.Tensor, relation: Separable, nothing: int) -> torch.Tensor:
    kept: list[tuple[int, int]] = []  # dimension of the result, dimension of t
    for j, (out_dim, how) in enumerate(relation.dims):
        if out_dim is None:
            chosen = torch.tensor(sets.members(how))  # type: ignore[arg-type]
            t = t if t.shape[j] == 1 else t.index_select(j, chosen).amin(j, keepdim=True)
        else:
            t = _along(t, j, how, relation.in_shape[j], relation.out_shape[out_dim], nothing)  # type: ignore[arg-type]
            kept.append((out_dim, j))
    dropped = [j for j in range(t.dim()) if j not in {j for _, j in kept}]
    if len({o for o, _ in kept}) < len(kept):
        raise AssertionError("two dimensions of an operand on one of the result are a gather, not separable")
    order = [j for _, j in sorted(kept)]
    t = t.permute(order + dropped).reshape([t.shape[j] for j in order])
    shape = [1] * len(relation.out_shape)
    for o, j in sorted(kept):
        shape[o] = t.shape[order.index(j)]
    t = t.reshape(shape)
    for d, units in relation.where:
        t = torch.where(_within(units, relation.out_shape, d), t, nothing)
    return t


def _along(t: torch.Tensor, j: int, how: DimMap, length: int, units: int, nothing: int) -> torch.Tensor:
    """One dimension: the minimum over the positions that each unit reads."""
    if how == Taps(in_length=length, out_length=length):
        return t
    if t.shape[j] == 1 and isinstance(how, Everything | Blocks):
        return t
    if isinstance(how, Everything):
        return t.amin(j, keepdim=True)
    t = t.expand([length if d == j else n for d, n in enumerate(t.shape)])
    if isinstance(how, Segment):
        left, right = how.start, units - how.start - length
        pads = [t.new_full([k if d == j else n for d, n in enumerate(t.shape)], nothing) for k in (left, right)]
        return torch.cat([pads[0], t, pads[1]], j)
    read: list[Set] = [how.pull((u, 1), True) for u in range(units)]
    widest = max((sets.size(s) for s in read), default=0)
    table = torch.tensor([(m + [length] * widest)[:widest] for m in map(sets.members, read)], dtype=torch.int64)
    t = torch.cat([t, t.new_full([1 if d == j else n for d, n in enumerate(t.shape)], nothing)], j)
    if not widest:
        return t.narrow(j, length, 1)
    result = t.index_select(j, table[:, 0])
    for column in table.T[1:]:
        result = torch.minimum(result, t.index_select(j, column))
    return result


def _coordinates(view: Digits, varying: list[bool]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """For each element of the result, the operand's coordinates (0 where nothing varies), and whether it exists."""
    grid = [torch.zeros([1] * len(view.out_shape), dtype=torch.int64) for _ in view.in_shape]
    inside = torch.ones([1] * len(view.out_shape), dtype=torch.bool)
    for j, length in enumerate(view.in_shape):
        at = grid[j] + view.offsets[j]
        for d in view.digits:
            if d.in_dim == j:
                out = torch.arange(view.out_shape[d.out_dim])
                value = out // d.out_step % d.size * d.in_step
                at = at + value.reshape([-1 if o == d.out_dim else 1 for o in range(len(view.out_shape))])
        if bool(((at < 0) | (at >= length)).any()):
            inside = inside & (at >= 0) & (at < length)
        grid[j] = at.clamp(0, length - 1) if varying[j] else torch.zeros_like(grid[j])
    return grid, inside


def _digits(t: torch.Tensor, view: Digits, nothing: int) -> torch.Tensor:
    grid, inside = _coordinates(view, [n > 1 for n in t.shape])
    found = t[tuple(grid)]
    return found if bool(inside.all()) else torch.where(inside, found, nothing)


def _turned(t: torch.Tensor, view: Relation, nothing: int) -> torch.Tensor:
    """A relation read backwards: what each element of the operand is read by becomes what it reads."""
    numbers = _numbers(view)
    values = torch.where(numbers >= 0, t, nothing).expand(view.out_shape).reshape(-1)
    result = t.new_full((prod(view.in_shape),), nothing)
    return result.scatter_reduce(0, numbers.clamp(min=0).reshape(-1), values, "amin").reshape(view.in_shape)


def _numbers(relation: Relation) -> torch.Tensor:
    """For each element of the result the row-major number of the operand's element, -1 for none."""
    if isinstance(relation, Digits):
        grid, inside = _coordinates(relation, [True] * len(relation.in_shape))
        number = torch.zeros([1] * len(relation.out_shape), dtype=torch.int64)
        for at, length in zip(grid, relation.in_shape, strict=True):
            number = number * length + at
        return torch.where(inside, number, -1).expand(relation.out_shape)
    numbers: torch.Tensor = relation.numbers  # type: ignore[attr-defined]
    return numbers
