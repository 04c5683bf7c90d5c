"""What a dimension of a tensor stands for: space, channels, or neither, followed through every operation.

A convolution leaves no doubt, but a reshape does: the dimension that a window partition makes of H is partly
"which window" (coarse) and partly "where in the window" (fine). A dimension is space if its slowest factor is a
whole axis of the input; fine factors merged with channels are channels (space-to-depth), and alone they are space
(the tokens of a window).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

from rflib.graph.relations import Everything, Relation, Separable
from rflib.graph.views import Digits, Turned

Axis = tuple[int, int]
"""An axis of an input: (which input, which of its spatial axes)."""


@dataclass(frozen=True)
class Role:
    """Which input axes a dimension carries: their coarse position, a fine part of it; and what is mixed in."""

    coarse: frozenset[Axis] = frozenset()
    fine: frozenset[Axis] = frozenset()
    channel: bool = False
    leads: bool = False  # the slowest factor is the coarse part of an axis
    parts: tuple[tuple[int, Role], ...] = ()  # what it was merged from, the slowest first: (extent, role)

    @property
    def spatial(self) -> bool:
        """Whether a unit has an index for this dimension (otherwise it is the union over the dimension)."""
        return self.leads if self.channel else bool(self.coarse or self.fine)

    def joined(self, other: Role) -> Role:
        """The role of a dimension that two operands share."""
        if self == other or other == NEUTRAL:
            return self
        if self == NEUTRAL:
            return other
        return Role(
            self.coarse | other.coarse,
            self.fine | other.fine,
            self.channel and other.channel,
            self.leads or other.leads,
            self.parts if self.parts == other.parts or not other.parts else () if self.parts else other.parts,
        )


NEUTRAL = Role()
CHANNEL = Role(channel=True)


def through(relation: Relation, roles: tuple[Role, ...]) -> list[Role | None]:
    """The roles that an operand with these roles gives to the result's dimensions; None where it gives none."""
    if isinstance(relation, Separable):
        result: list[Role | None] = [None] * len(relation.out_shape)
        for role, (out_dim, _) in zip(roles, relation.dims, strict=True):
            if out_dim is not None:
                before = result[out_dim]
                result[out_dim] = role if before is None else before.joined(role)
        return result
    if isinstance(relation, Digits):
        return _through_digits(relation, roles)
    if isinstance(relation, Turned) and isinstance(relation.of, Digits):
        return _through_turned(relation.of, roles)
    if isinstance(relation, Turned) and len(relation.out_shape) == len(relation.in_shape):
        return list(roles)  # values put at places: dimension by dimension
    move = getattr(relation, "through_roles", None)
    return move(roles) if move else [None] * len(relation.out_shape)  # a Gather knows its own index numbers


def combine(parts: Iterable[tuple[int, Role, int]]) -> Role:
    """The role of a dimension made of factors: (extent, role of the whole factor's source, rank); slowest first.

    Rank 0 marks the slowest factor of its source dimension, which keeps the coarse part.
    """
    coarse: frozenset[Axis] = frozenset()
    fine: frozenset[Axis] = frozenset()
    channel, leads, first = False, False, True
    for _, role, rank in parts:
        if role == NEUTRAL:
            continue
        if role.spatial:
            coarse = coarse | role.coarse if rank == 0 else coarse
            fine = fine | role.fine if rank == 0 else fine | role.fine | role.coarse
            leads = leads or (first and rank == 0 and bool(role.coarse))
        else:
            channel, fine = True, fine | role.fine | role.coarse
        first = False
    return Role(coarse, fine, channel, leads)


def _through_digits(view: Digits, roles: tuple[Role, ...]) -> list[Role | None]:
    rank = {}
    for j in range(len(roles)):
        mine = sorted((f for f, d in enumerate(view.digits) if d.in_dim == j), key=lambda f: -view.digits[f].in_step)
        rank.update({f: r for r, f in enumerate(mine)})
    result: list[Role | None] = []
    for o, n in enumerate(view.out_shape):
        mine = [f for f, d in enumerate(view.digits) if d.out_dim == o and d.in_dim >= 0]
        mine.sort(key=lambda f: -view.digits[f].out_step)
        parts = [part for f in mine for part in _parts_of(view, f, roles[view.digits[f].in_dim], rank[f])]
        result.append(_merged(parts) if parts else (NEUTRAL if n == 1 else None))
    kept = _lone_ones(view, roles, result)
    return [kept.get(o, role) for o, role in enumerate(result)]


def _parts_of(view: Digits, f: int, role: Role, rank: int) -> list[tuple[int, Role, int]]:
    """A factor of a dimension that was merged before: the parts that it takes out again."""
    d, at, found = view.digits[f], 1, []
    low, high = d.in_step, d.in_step * d.size
    if not role.parts or prod(n for n, _ in role.parts) != view.in_shape[d.in_dim]:
        return [(d.size, role, rank)]
    for extent, part in reversed(role.parts):
        top = at * extent
        if low <= at and top <= high:
            found.append((extent, part, 0))
        elif at <= low and high <= top:
            found.append((d.size, part, 0 if high == top else 1))
        elif low < top and at < high:  # across the border of two parts
            return [(d.size, role, rank)]
        at = top
    return found[::-1]


def _merged(parts: list[tuple[int, Role, int]]) -> Role:
    """The role of a dimension made of factors, which remembers them for whoever takes it apart again."""
    whole = combine(parts)
    several = [(extent, combine([(extent, role, rank)])) for extent, role, rank in parts if extent > 1]
    return replace(whole, parts=tuple(several)) if len(several) > 1 else whole


def _lone_ones(view: Digits, roles: tuple[Role, ...], found: list[Role | None]) -> dict[int, Role]:
    """Dimensions of size one have no digits: where shapes agree round them, they keep their place and role."""
    if len(view.in_shape) != len(view.out_shape):
        return {}
    return {
        o: role
        for o, (n, m, role) in enumerate(zip(view.out_shape, view.in_shape, roles, strict=True))
        if n == 1 and m == 1 and found[o] == NEUTRAL
    }


def _through_turned(view: Digits, roles: tuple[Role, ...]) -> list[Role | None]:
    result: list[Role | None] = []
    for j in range(len(view.in_shape)):
        mine = sorted((d for d in view.digits if d.in_dim == j), key=lambda d: -d.in_step)
        parts = [(d.size, roles[d.out_dim], 0 if i == 0 else 1) for i, d in enumerate(mine)]
        result.append(combine(parts) if parts else NEUTRAL)
    return result


def reads_whole(relation: Relation, roles: tuple[Role, ...]) -> frozenset[Axis]:
    """The axes along which the result reads everything that reaches the operation."""
    if not isinstance(relation, Separable):
        return frozenset()
    whole: frozenset[Axis] = frozenset()
    for role, length, (out_dim, how) in zip(roles, relation.in_shape, relation.dims, strict=True):
        everything = isinstance(how, Everything) or (out_dim is None and how == (0, (1 << length) - 1) and length > 1)
        if everything and role.coarse:
            whole |= role.coarse
    return whole
