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
from math import gcd, lcm

from rflib import sets
from rflib.relations import Blocks, Digits, Everything, Pattern, Relation, Segment, Separable, Taps
from rflib.roles import Axis, Role
from rflib.sets import Set

LONGEST_PERIOD = 4096


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
class Windows:
    """All lines of one feature map, by input axis, and the dimensions along which channels differ in theirs."""

    lines: dict[Axis, Line]
    varies: frozenset[int] = frozenset()

    @property
    def has_gaps(self) -> bool:
        """Whether some unit reads nothing."""
        return any(line.has_gaps for line in self.lines.values())


def input_windows(dims: dict[Axis, int]) -> Windows:
    """The input itself: each unit sees its own position."""
    return Windows({axis: Line(dim, (Course(1, 1, ((0, 1),)),)) for axis, dim in dims.items()})


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
        return _minkowski(starts, course.windows[0])
    result = sets.EMPTY
    for u in sets.members(units):
        result = sets.union(result, course.at(u))
    return result


def _minkowski(a: Set, b: Set) -> Set:
    if not a[1] or not b[1]:
        return sets.EMPTY
    if sets.size(a) > sets.size(b):
        a, b = b, a
    if a[1] == 1:
        return sets.shift(b, a[0])
    result = 0
    for n in sets.members(a):
        result |= b[1] << (n - a[0])
    return a[0] + b[0], result


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
        return _through_separable(windows, relation)
    if isinstance(relation, Digits):
        return _through_digits(windows, relation, roles)
    return None


def _through_separable(windows: Windows, relation: Separable) -> Windows | None:
    lines: dict[Axis, Line] = {}
    carrying = {line.dim for line in windows.lines.values()}
    for axis, line in windows.lines.items():
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
    varies = set()
    for j, (out_dim, how) in enumerate(relation.dims):
        if j not in windows.varies:
            continue
        if j in carrying or not _reads_all(out_dim, how, relation, j):
            return None
        if out_dim is not None and not isinstance(how, Everything):
            varies.add(out_dim)
    return Windows(lines, frozenset(varies))


def _reads_all(out_dim: int | None, how: object, relation: Separable, j: int) -> bool:
    """Whether all units together read the whole dimension j of the operand."""
    if isinstance(how, Segment | Blocks | Everything) or how == Taps(in_length=relation.in_shape[j]):
        return True
    full = sets.interval(0, relation.in_shape[j] - 1)
    if out_dim is None:
        return how == full
    return how.pull(sets.interval(0, relation.out_shape[out_dim] - 1), True) == full  # type: ignore[attr-defined, no-any-return]


def _through_digits(windows: Windows, view: Digits, roles: tuple[Role, ...]) -> Windows | None:
    lines: dict[Axis, Line] = {}
    varies: set[int] = set()
    for axis, line in windows.lines.items():
        if line.dim is None:
            lines[axis] = line
            continue
        found = _digit_line(line, view, roles, set(_carriers(windows)))
        if found is None:
            return None
        lines[axis], fine = found
        varies |= fine
    for j in windows.varies:
        mine = [d for d in view.digits if d.in_dim == j]
        covered = 1 + sum(d.in_step * (d.size - 1) for d in mine)
        if j in _carriers(windows) or covered != view.in_shape[j] or any(roles[d.out_dim].spatial for d in mine):
            return None
        varies |= {d.out_dim for d in mine}
    return Windows(lines, frozenset(varies))


def _carriers(windows: Windows) -> list[int]:
    return [line.dim for line in windows.lines.values() if line.dim is not None]


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
        row = _minkowski(row, sets.scale(sets.interval(0, d.size - 1), d.in_step))
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
    if any(p.has_gaps for p in parts):  # a unit that reads nothing of one operand ties the axes together
        return None
    lines: dict[Axis, Line] = {}
    for axis in sorted({a for p in parts for a in p.lines}):
        mine = [p.lines[axis] for p in parts if axis in p.lines]
        dims = {line.dim for line in mine if line.dim is not None}
        courses = merge(c for line in mine for c in line.courses)
        if len(dims) > 1 or courses is None:
            return None
        lines[axis] = Line(dims.pop() if dims else None, courses)
    return Windows(lines, frozenset().union(*(p.varies for p in parts)))


def smallest(parts: list[Windows]) -> Windows:
    """Of several paths, the one with the smallest window, axis by axis."""
    axes = sorted({a for p in parts for a in p.lines})
    best = {a: min((p.lines[a] for p in parts if a in p.lines), key=lambda line: line.span) for a in axes}
    return Windows(best, frozenset().union(*(p.varies for p in parts)))
