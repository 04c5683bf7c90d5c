"""Ideal windows of all units at once: as if every layer went on beyond its border.

Along one axis the windows of a feature map repeat: `period` units further, the window has moved by `step` input
positions. A plain convolution has period 1, a network that upsamples by two has period 2. Such a `Course` holds
one set of positions for each phase of the period, and an operation makes the next course from it without asking
any single unit. Where no such rule exists (windows of attention, concatenation along space) there is no line, and
units are asked one by one.

Reference: the case of period 1 is Araujo, Norris, Sim, Distill 2019, doi 10.23915/distill.00021.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

from rflib.graph import sets
from rflib.graph.relations import Blocks, Everything, Pattern, Relation, Segment, Separable, same
from rflib.graph.roles import Axis, Role
from rflib.graph.sets import Set
from rflib.graph.views import Digits

LONGEST_PERIOD = 4096
MOST_PIECES = 256


@dataclass(frozen=True)
class Course:
    """Windows that repeat: unit u + period sees what unit u sees, step positions further."""

    period: int
    step: int
    windows: tuple[Set, ...]

    @property
    def slope(self) -> Fraction:
        """Input positions from one unit to the next, on average."""
        return Fraction(self.step, self.period)

    @property
    def center(self) -> Fraction:
        """Center of unit 0 on the mean line: the centers of one period, brought back by the slope, averaged."""
        middles = [
            Fraction(w[0] + sets.last(w), 2) - self.slope * phase for phase, w in enumerate(self.windows) if w[1]
        ]
        return sum(middles, Fraction(0)) / len(middles)

    def at(self, unit: int) -> Set:
        """The positions that one unit reads."""
        times, phase = divmod(unit, self.period)
        return sets.shift(self.windows[phase], self.step * times)

    def stretched(self, period: int) -> Course:
        """The same windows with a multiple of the period."""
        times = period // self.period
        return Course(period, self.step * times, tuple(self.at(u) for u in range(period)))


@dataclass(frozen=True)
class Line:
    """The windows along one input axis: the dimension whose index chooses among them, one course for each slope."""

    dim: int | None
    courses: tuple[Course, ...]

    def at(self, unit: int) -> Set:
        """The positions that the unit reads along this axis."""
        result = sets.EMPTY
        for course in self.courses:
            result = sets.union(result, course.at(unit))
        return result

    @property
    def moving(self) -> tuple[Course, ...]:
        """The courses that move with the unit; what is left over is read by every unit alike."""
        return tuple(c for c in self.courses if c.step)

    @property
    def span(self) -> int:
        """The largest window of any phase."""
        return max(w[1].bit_length() for c in self.courses for w in c.windows)

    @property
    def has_gaps(self) -> bool:
        """Whether some unit reads nothing along this axis."""
        return any(not w[1] for c in self.courses for w in c.windows)


@dataclass(frozen=True)
class Piece:
    """Lines by input axis, and the elements that have them: `where` restricts dimensions such as channels."""

    lines: dict[Axis, Line]
    where: tuple[tuple[int, Set], ...] = ()


@dataclass(frozen=True)
class Windows:
    """The ideal windows of a feature map: one piece, or several where channels differ in what they see.

    Along the dimensions in `blurred` elements differ in a way that is not kept; who selects among them is asked
    unit by unit.
    """

    pieces: tuple[Piece, ...]
    blurred: frozenset[int] = frozenset()

    @cached_property
    def lines(self) -> dict[Axis, Line]:
        """The union over all channels, by input axis."""
        return self.pieces[0].lines if len(self.pieces) == 1 else _joined(self.pieces) or {}

    @property
    def has_gaps(self) -> bool:
        """Whether some unit reads nothing."""
        return any(line.has_gaps for piece in self.pieces for line in piece.lines.values())

    @property
    def carriers(self) -> set[int]:
        """The dimensions whose index chooses among windows."""
        return {line.dim for p in self.pieces for line in p.lines.values() if line.dim is not None}


def input_windows(dims: dict[Axis, int]) -> Windows:
    """The input itself: each unit sees its own position."""
    return Windows((Piece({axis: Line(dim, (Course(1, 1, ((0, 1),)),)) for axis, dim in dims.items()}),))


def compose(courses: Iterable[Course], pattern: Pattern) -> tuple[Course, ...] | None:
    """Courses seen through one more operation; None where the period grows beyond reason."""
    result = []
    for c in courses:
        times = c.period // gcd(c.period, abs(pattern.shift)) if pattern.shift else 1
        period = pattern.period * times
        if period > LONGEST_PERIOD:
            return None
        windows = []
        for o in range(period):
            turns, phase = divmod(o, pattern.period)
            windows.append(_seen(c, sets.shift(pattern.rows[phase], pattern.shift * turns)))
        result.append(Course(period, c.step * (pattern.shift * times) // c.period, tuple(windows)))
    return merge(result)


def _seen(course: Course, units: Set) -> Set:
    """The union of the windows of a set of units."""
    if course.period == 1:  # equal windows at equal distances: no loop over units
        if not course.step:
            return course.windows[0] if units[1] else sets.EMPTY
        starts = sets.scale(units, course.step)
        return sets.sums(starts, course.windows[0])
    result = sets.EMPTY
    for u in sets.members(units):
        result = sets.union(result, course.at(u))
    return result


def merge(courses: Iterable[Course]) -> tuple[Course, ...] | None:
    """Courses of equal slope united; None where the common period grows beyond reason."""
    by_slope: dict[Fraction, Course] = {}
    for c in courses:
        other = by_slope.get(c.slope)
        if other is None:
            by_slope[c.slope] = c
            continue
        if other == c:
            continue
        period = lcm(c.period, other.period)
        if period > LONGEST_PERIOD:
            return None
        a, b = c.stretched(period), other.stretched(period)
        both = tuple(sets.union(x, y) for x, y in zip(a.windows, b.windows, strict=True))
        by_slope[c.slope] = Course(period, a.step, both)
    return tuple(by_slope[s] for s in sorted(by_slope))


def through(windows: Windows, relation: Relation, roles: tuple[Role, ...]) -> Windows | None:
    """Windows of the result of one operation on one operand; None where they follow no rule.

    Args:
        windows: of the operand.
        relation: what the operation reads.
        roles: of the result's dimensions, which say what is space.
    """
    if isinstance(relation, Separable):
        return _through_separable(windows, relation, roles)
    if isinstance(relation, Digits):
        return _through_digits(windows, relation, roles)
    return None


def _through_separable(windows: Windows, relation: Separable, roles: tuple[Role, ...]) -> Windows | None:
    pieces = []
    for piece in windows.pieces:
        lines = _separable_lines(piece.lines, relation)
        if lines is None:
            return None
        where = _separable_where(piece, relation, windows.carriers)
        if where is not None:
            if any(roles[o].spatial for o, _ in where):  # which piece it is depends on the unit: slices stacked again
                return None
            pieces.append(Piece(lines, where))
    blurred = set()
    for j in windows.blurred:
        out_dim, how = relation.dims[j]
        if not _reads_all(out_dim, how, relation, j):
            return None
        if out_dim is not None and not isinstance(how, Everything):
            blurred.add(out_dim)
    return _collected(pieces, blurred)


def _separable_lines(before: dict[Axis, Line], relation: Separable) -> dict[Axis, Line] | None:
    lines: dict[Axis, Line] = {}
    for axis, line in before.items():
        if line.dim is None:
            lines[axis] = line
            continue
        out_dim, how = relation.dims[line.dim]
        if out_dim is None:
            pattern: Pattern | None = Pattern(1, 0, (how,))  # type: ignore[arg-type]
        else:
            pattern = how.pattern()  # type: ignore[union-attr]
        courses = compose(line.courses, pattern) if pattern is not None else None
        if courses is None:
            return None
        lines[axis] = Line(out_dim, courses)
    return lines


def _separable_where(piece: Piece, relation: Separable, carriers: set[int]) -> tuple[tuple[int, Set], ...] | None:
    """Which elements of the result read a piece's elements; None if none does."""
    before, after = dict(piece.where), dict(relation.where)
    for j, (out_dim, how) in enumerate(relation.dims):
        if j in carriers:
            continue
        mine = before.get(j, sets.interval(0, relation.in_shape[j] - 1))
        if out_dim is None:
            if not sets.intersection(mine, how)[1]:  # type: ignore[arg-type]
                return None
            continue
        if j not in before and how == same(relation.in_shape[j]):
            continue
        reached = how.push(mine)  # type: ignore[union-attr]
        if not reached[1]:
            return None
        whole = sets.interval(0, relation.out_shape[out_dim] - 1)
        reached = sets.intersection(reached, after.get(out_dim, whole))
        if reached != whole:
            after[out_dim] = reached
    return tuple(sorted(after.items()))


def _reads_all(out_dim: int | None, how: object, relation: Separable, j: int) -> bool:
    """Whether all units together read the whole dimension j of the operand."""
    if isinstance(how, Segment | Blocks | Everything) or how == same(relation.in_shape[j]):
        return True
    full = sets.interval(0, relation.in_shape[j] - 1)
    if out_dim is None:
        return how == full
    return how.pull(sets.interval(0, relation.out_shape[out_dim] - 1), True) == full  # type: ignore[attr-defined, no-any-return]


def _through_digits(windows: Windows, view: Digits, roles: tuple[Role, ...]) -> Windows | None:
    pieces: list[Piece] = []
    blurred: set[int] = set()
    carriers = windows.carriers
    for piece in windows.pieces:
        lines: dict[Axis, Line] = {}
        for axis, line in piece.lines.items():
            found = (line, set[int]()) if line.dim is None else _digit_line(line, view, roles, carriers)
            if found is None:
                return None
            lines[axis], fine = found
            blurred |= fine
        wheres = _digit_where(piece, view, roles)
        if wheres is None:
            return None
        pieces += [Piece(lines, where) for where in wheres]
    for j in windows.blurred:
        mine = [d for d in view.digits if d.in_dim == j]
        covered = 1 + sum(d.in_step * (d.size - 1) for d in mine)
        if j in carriers or covered != view.in_shape[j] or any(roles[d.out_dim].spatial for d in mine):
            return None
        blurred |= {d.out_dim for d in mine}
    return _collected(pieces, blurred)


def _digit_where(piece: Piece, view: Digits, roles: tuple[Role, ...]) -> list[tuple[tuple[int, Set], ...]] | None:
    """Which elements of a view are a piece's elements; None if that depends on the position in space."""
    if not piece.where:
        return [()]
    before = dict(piece.where)
    box = tuple(before.get(j, sets.interval(0, n - 1)) for j, n in enumerate(view.in_shape))
    result = []
    for reached in view.push(box):
        where = [(o, s) for o, s in enumerate(reached) if s != sets.interval(0, view.out_shape[o] - 1)]
        if any(roles[o].spatial for o, _ in where):
            return None
        result.append(tuple(where))
    return result


def _digit_line(line: Line, view: Digits, roles: tuple[Role, ...], carriers: set[int]) -> tuple[Line, set[int]] | None:
    """A line through a view: the slowest factor of its dimension goes on as the line's dimension."""
    mine = sorted((d for d in view.digits if d.in_dim == line.dim), key=lambda d: -d.in_step)
    row: Set = (view.offsets[line.dim or 0], 1)
    if not mine:
        courses = compose(line.courses, Pattern(1, 0, (row,)))
        return None if courses is None else (Line(None, courses), set())
    main, inner = mine[0], mine[1:]
    if any(roles[d.out_dim].spatial for d in inner):
        return None
    for d in inner:
        row = sets.sums(row, sets.scale(sets.interval(0, d.size - 1), d.in_step))
    beside = [d for d in view.digits if d.out_dim == main.out_dim and d is not main]
    if not roles[main.out_dim].spatial or any(d.in_dim in carriers or d.out_step > main.out_step for d in beside):
        return None
    pattern = Pattern(main.out_step, main.in_step, (row,) * main.out_step)
    courses = compose(line.courses, pattern)
    return None if courses is None else (Line(main.out_dim, courses), {d.out_dim for d in inner})


def unite(parts: list[Windows]) -> Windows | None:
    """Windows of a result that several operands, or several readings of one operand, come together in."""
    if len(parts) == 1:
        return parts[0]
    pieces = [piece for part in parts for piece in part.pieces]
    return _collected(pieces, set().union(*(p.blurred for p in parts)))


def _collected(pieces: list[Piece], blurred: Iterable[int]) -> Windows | None:
    """Pieces of the same elements made one; None where no rule is left."""
    by_where: dict[tuple[tuple[int, Set], ...], list[Piece]] = {}
    for piece in pieces:
        by_where.setdefault(piece.where, []).append(piece)
    result = []
    for where, same_elements in by_where.items():
        if len(same_elements) > 1:
            lines = _joined(same_elements)
            if lines is None:
                return None
            result.append(Piece(lines, where))
        else:
            result.append(same_elements[0])
    joined = _joined(result) if len(result) > 1 else {}
    if joined is None or len(result) > MOST_PIECES:
        return None
    if result and all(p.lines == result[0].lines for p in result) and len(result) > 1:
        covers = any(not p.where for p in result)
        result = [Piece(result[0].lines)] if covers else result
    return Windows(tuple(result) or (Piece({}),), frozenset(blurred))


def _joined(pieces: Iterable[Piece]) -> dict[Axis, Line] | None:
    """The union of what several pieces see; None where it follows no line."""
    pieces = list(pieces)
    if all(p.lines == pieces[0].lines for p in pieces):
        return pieces[0].lines
    axes = sorted({a for p in pieces for a in p.lines})
    tied = {k for k, a in axes if a > 0}  # inputs of several axes: a unit without one axis is without the others
    if any(line.has_gaps for p in pieces for (k, _), line in p.lines.items() if k in tied):
        return None
    lines: dict[Axis, Line] = {}
    for axis in axes:
        mine = [p.lines[axis] for p in pieces if axis in p.lines]
        dims = {line.dim for line in mine if line.dim is not None}
        courses = merge(c for line in mine for c in line.courses)
        if len(dims) > 1 or courses is None:
            return None
        lines[axis] = Line(dims.pop() if dims else None, courses)
    return lines


def smallest(parts: list[Windows]) -> Windows:
    """Of several paths, the one with the smallest window, axis by axis."""
    pieces = [piece for p in parts for piece in p.pieces]
    axes = sorted({a for p in pieces for a in p.lines})
    best = {a: min((p.lines[a] for p in pieces if a in p.lines), key=lambda line: line.span) for a in axes}
    return Windows((Piece(best),))
