"""Windows that repeat, against the same windows written out unit by unit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from math import lcm

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

import rflib as rf
from rflib.graph import lines, sets
from rflib.graph.graph import Edge, Graph
from rflib.graph.lines import LONGEST_PERIOD, Course, Line, Piece, Windows, compose, merge, smallest, unite
from rflib.graph.relations import Blocks, Pattern, Relation, Repeating, Rows, Separable, Taps
from rflib.graph.sets import Set

MANY = settings(max_examples=max(200, settings.default.max_examples))
UNITS = range(-14, 15)

SETS = st.frozensets(st.integers(-6, 6), max_size=4).map(sets.from_members)
FULL = SETS.filter(lambda s: s[1] > 0)


@st.composite
def courses(draw: st.DrawFn, windows: st.SearchStrategy[Set] = SETS) -> Course:
    period = draw(st.integers(1, 4))
    return Course(period, draw(st.integers(-6, 6)), tuple(draw(windows) for _ in range(period)))


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    period = draw(st.integers(1, 4))
    return Pattern(period, draw(st.integers(-5, 5)), tuple(draw(SETS) for _ in range(period)))


def seen(course: Course, unit: int) -> set[int]:
    """The window of a unit, by the definition of a course."""
    first, bits = course.windows[unit % course.period]
    return {first + course.step * (unit // course.period) + i for i in range(bits.bit_length()) if bits >> i & 1}


def read(pattern: Pattern, unit: int) -> set[int]:
    row = pattern.rows[unit % pattern.period]
    return {n + pattern.shift * (unit // pattern.period) for n in sets.members(row)}


# --- one course, several courses -------------------------------------------------------------------------------------


@given(courses(), st.integers(1, 5))
def test_a_course_holds_the_window_of_every_unit(course: Course, times: int) -> None:
    longer = course.stretched(course.period * times)
    assert longer.period == course.period * times
    assert longer.slope == course.slope
    for u in UNITS:
        assert set(sets.members(course.at(u))) == set(sets.members(longer.at(u))) == seen(course, u)


@given(courses(FULL), st.integers(1, 4))
def test_the_center_is_that_of_the_mean_line(course: Course, times: int) -> None:
    """Over whole periods, wherever they begin, the units' centers lie on the mean line on average."""
    for start in (-course.period * times, 0, course.period):
        units = range(start, start + course.period * times)
        middles = [Fraction(min(seen(course, u)) + max(seen(course, u)), 2) for u in units]
        away = [m - course.center - course.slope * u for m, u in zip(middles, units, strict=True)]
        assert sum(away) == 0


def test_nearest_upsampling_alternates_around_its_mean_line() -> None:
    """Behind a 2 to 1 pooling, units look half a position to the right and to the left, and on average straight."""
    pooled = compose([Course(1, 1, ((0, 1),))], Taps(2, 0, 1, 2).pattern())
    assert pooled is not None
    up = compose(pooled, Pattern(2, 1, ((0, 1), (0, 1))))
    assert up is not None
    (course,) = up
    assert (course.slope, course.center) == (1, 0)
    away = [Fraction(w[0] + sets.last(w), 2) - u for u, w in ((u, course.at(u)) for u in range(6))]
    assert away == [Fraction(1, 2), Fraction(-1, 2)] * 3


@given(st.lists(courses(), min_size=1, max_size=3), patterns())
@MANY
def test_one_more_operation(before: list[Course], pattern: Pattern) -> None:
    after = compose(before, pattern)
    assert after is not None
    assert len({c.slope for c in after}) == len(after)
    for o in UNITS:
        truth = {n for u in read(pattern, o) for c in before for n in seen(c, u)}
        assert set(sets.members(Line(0, after).at(o))) == truth, o


@given(st.lists(courses(), min_size=1, max_size=4))
@MANY
def test_courses_of_equal_slope_are_united(several: list[Course]) -> None:
    merged = merge(several)
    assert merged is not None
    assert [c.slope for c in merged] == sorted({c.slope for c in several})
    for u in UNITS:
        assert set(sets.members(Line(0, merged).at(u))) == {n for c in several for n in seen(c, u)}


@given(st.lists(courses(), min_size=1, max_size=3))
def test_what_a_line_says_of_its_windows(several: list[Course]) -> None:
    line = Line(0, tuple(several))
    windows = [seen(c, u) for c in several for u in range(c.period)]
    assert line.has_gaps == any(not w for w in windows)
    assert line.span == max(max(w) - min(w) + 1 if w else 0 for w in windows)
    assert line.moving == tuple(c for c in several if c.slope)


def test_going_down_again_takes_the_period_back() -> None:
    """Up by six: six phases. Every fourth of those: three. Every second: three again, then one."""
    found, periods = (Course(1, 1, ((0, 1),)),), []
    for pattern in (Pattern(6, 1, ((0, 1),) * 6), Taps(4).pattern(), Taps(2).pattern(), Taps(3).pattern()):
        made = compose(found, pattern)
        assert made is not None
        found = made
        periods.append((found[0].period, found[0].step))
    assert periods == [(6, 1), (3, 2), (3, 4), (1, 4)]


def test_a_period_beyond_reason_is_given_up() -> None:
    one = ((0, 1),)
    primes = [Course(p, p, one * p) for p in (61, 67)]
    assert LONGEST_PERIOD > 61 * 67
    assert merge(primes) is not None
    more = Course(71, 71, one * 71)
    assert LONGEST_PERIOD < 61 * 67 * 71
    assert merge([*primes, more]) is None
    assert compose([more], Pattern(61, 1, one * 61)) is None


# --- feature maps ----------------------------------------------------------------------------------------------------


def test_the_union_of_parts_and_the_smallest_of_paths() -> None:
    axis = (0, 0)
    narrow = Windows((Piece({axis: Line(0, (Course(1, 1, ((-1, 7),)),))}),))
    wide = Windows((Piece({axis: Line(0, (Course(1, 1, ((-3, 0b1000001),)),))}),))
    both = unite([narrow, wide])
    assert both is not None
    assert sets.members(both.lines[axis].at(10)) == [7, 9, 10, 11, 13]
    assert smallest([wide, narrow]).lines == narrow.lines
    assert unite([narrow]) is narrow


def test_units_that_read_nothing_tie_two_axes_but_not_one() -> None:
    """Every second unit of `gaps` reads nothing: on one axis the union with the other operand is still a line."""
    other, gaps = Course(1, 1, ((5, 1),)), Course(2, 1, ((0, 1), sets.EMPTY))
    one = [Windows((Piece({(0, 0): Line(0, (c,))}),)) for c in (other, Course(2, 2, gaps.windows))]
    united = unite(one)
    assert united is not None
    assert [sets.members(united.lines[0, 0].at(u)) for u in range(4)] == [[0, 5], [6], [2, 7], [8]]
    two = [Windows((Piece({(0, 0): Line(0, (c,)), (0, 1): Line(1, (other,))}),)) for c in (other, gaps)]
    assert unite(two) is None


def elements(graph: Graph, index: int) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, graph.nodes[index].shape))


def check_windows(graph: Graph, local: bool = False) -> int:
    """Every element of every node with lines: what pulls back from it without borders, on each axis of the inputs.

    Returns how many nodes had lines.
    """
    checked = 0
    for node in graph.nodes:
        windows = graph.windows(node.index, local)
        if windows is None:
            continue
        checked += 1
        told: dict[tuple[object, ...], set[int]] = {}
        truth: dict[tuple[object, ...], set[int]] = {}
        for e in elements(graph, node.index):
            kept = tuple(n for d, n in enumerate(e) if d not in windows.blurred)  # elements that differ but by these
            box = tuple((n, 1) for n in e)
            for source, boxes in graph.pull(node.index, box, bounded=False, local=local).items():
                for d, role in enumerate(graph.nodes[source].roles):
                    for axis in role.coarse:
                        truth.setdefault((kept, axis), set()).update(sets.members(sets.project(boxes, d)))
            for piece in windows.pieces:
                if all(e[d] in sets.members(s) for d, s in piece.where):
                    for axis, line in piece.lines.items():
                        found = sets.members(line.at(0 if line.dim is None else e[line.dim]))
                        told.setdefault((kept, axis), set()).update(found)
        told = {key: some for key, some in told.items() if some}
        if not windows.has_gaps:
            assert told == truth, (node.operation, node.name, node.index)
    return checked


def traced(run: object, *shape: int) -> Graph:
    return rf.analyze(run, torch.zeros(shape)).graph  # type: ignore[arg-type]


class Fn(nn.Module):
    """Parts, and a function of the input and the parts."""

    def __init__(self, run: object, *parts: nn.Module) -> None:
        super().__init__()
        self.run, self.parts = run, nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, *self.parts)  # type: ignore[operator, no-any-return]


def conv(channels: int, kernel: int, **options: object) -> nn.Conv1d:
    return nn.Conv1d(channels, 2, kernel, **options)  # type: ignore[arg-type]


NETWORKS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "stack": (nn.Sequential(conv(1, 3, stride=2, padding=1), conv(2, 2, dilation=3), nn.MaxPool1d(2)), (1, 1, 20)),
    "flip": (Fn(lambda x, c: c(x).flip(2)[..., ::2] + 1, conv(1, 4, stride=3, padding=2)), (1, 1, 14)),
    "upsampling": (
        nn.Sequential(nn.AvgPool1d(2), nn.Upsample(scale_factor=3), conv(1, 2, stride=2), nn.Upsample(scale_factor=2)),
        (1, 1, 12),
    ),
    "linear upsampling": (nn.Sequential(nn.Upsample(scale_factor=2, mode="linear"), conv(1, 3)), (1, 1, 9)),
    "transposed": (nn.Sequential(nn.ConvTranspose1d(1, 2, 4, 3, 1), conv(2, 3, stride=2)), (1, 1, 6)),
    "pixel shuffle": (nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.PixelShuffle(2), nn.Conv2d(1, 1, 2)), (1, 1, 6, 4)),
    "space to depth": (nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 1, 3, padding=1)), (1, 1, 6, 4)),
    "cat then chunk": (
        Fn(lambda x, a, b: torch.cat([a(x), b(x)], 1).chunk(2, 1)[0], conv(1, 3, padding=1), conv(1, 5, padding=2)),
        (1, 1, 9),
    ),
    "branches": (
        Fn(lambda x, a, b: a(x) + b(x) + x, conv(1, 3, padding=1), conv(1, 3, padding=3, dilation=3)),
        (1, 1, 12),
    ),
    "inner strides": (
        Fn(lambda x, a: x[..., :6] + a(x), nn.Conv1d(1, 1, 2, 2)),
        (1, 1, 12),
    ),
    "tokens": (Fn(lambda x, a: a(x.transpose(1, 2)).transpose(1, 2), nn.Linear(2, 2)), (1, 2, 8)),
    "gate": (Fn(lambda x, a: a(x) * x.mean(2, keepdim=True).sigmoid(), conv(2, 3, padding=1)), (1, 2, 8)),
    "roll and reflection": (
        Fn(lambda x, a: a(functional.pad(x, (2, 1), "reflect").roll(1, 2)), conv(1, 3)),
        (1, 1, 9),
    ),
    "channel shuffle": (
        Fn(
            lambda x, a, b: nn.ChannelShuffle(2)(torch.cat([a(x), b(x)], 1)).chunk(2, 1)[1],
            nn.Conv2d(1, 2, 3, padding=1),
            nn.Conv2d(1, 2, 1),
        ),
        (1, 1, 5, 4),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_are_what_pulling_back_without_borders_shows(name: str) -> None:
    model, shape = NETWORKS[name]
    graph = traced(model, *shape)
    assert check_windows(graph) == len(graph.nodes)
    check_windows(graph, local=True)


def test_chunk_after_cat_gives_back_its_own_part() -> None:
    x = torch.zeros(1, 1, 9)

    def run(x: Tensor, a: nn.Module, b: nn.Module) -> tuple[Tensor, ...]:
        joined = torch.cat([a(x), b(x)], 1)
        return (*joined.chunk(2, 1), joined, joined[:, 1:3])

    model = Fn(run, conv(1, 3, padding=1), conv(1, 7, padding=3))
    outputs = rf.analyze(model, x).outputs
    assert [found.size for found in outputs.values()] == [(3,), (7,), (7,), (7,)]


def test_a_channel_shuffle_deals_out_both_parts() -> None:
    """ShuffleNet: of channels a0 a1 b0 b1 in two groups come a0 b0 a1 b1, so each half sees both windows."""

    def run(x: Tensor, a: nn.Module, b: nn.Module) -> tuple[Tensor, ...]:
        mixed = torch.cat([a(x), b(x)], 1).view(1, 2, 2, 9).transpose(1, 2).reshape(1, 4, 9)
        return (mixed[:, :1], mixed[:, 1:2], mixed[:, 2:3], mixed[:, 3:], mixed[:, :2])

    model = Fn(run, conv(1, 3, padding=1), conv(1, 7, padding=3))
    outputs = rf.analyze(model, torch.zeros(1, 1, 9)).outputs
    assert [found.size for found in outputs.values()] == [(3,), (7,), (3,), (7,), (7,)]


def test_groups_of_a_convolution_see_their_own_part() -> None:
    def run(x: Tensor, a: nn.Module, b: nn.Module, c: nn.Module) -> tuple[Tensor, ...]:
        y = c(torch.cat([a(x), b(x)], 1))
        return (y[:, :3], y[:, 3:], y[:, 2:4])

    groups = nn.Conv1d(4, 6, 3, padding=1, groups=2)
    outputs = rf.analyze(Fn(run, conv(1, 3, padding=1), conv(1, 7, padding=3), groups), torch.zeros(1, 1, 9)).outputs
    assert [found.size for found in outputs.values()] == [(5,), (9,), (9,)]


def by_hand(*relations: Relation, shape: tuple[int, ...]) -> Graph:
    graph = Graph()
    at = graph.add_input(shape, (len(shape) - 1,))
    for relation in relations:
        at = graph.add_node("operation", relation.out_shape, [Edge(at, relation)])
    return graph


def test_groups_of_channels_keep_apart_what_they_see() -> None:
    """Two groups; the second alone is widened and shifted; a later layer that mixes channels sees both."""
    graph = Graph()
    x = graph.add_input((4, 10), (1,))

    halves = [sets.interval(0, 1), sets.interval(2, 3)]
    near = Separable(((0, Blocks(2, 2, 2)), (1, Taps(1, 0, 1, 1, 10, 10))), (4, 10), (4, 10), ((0, halves[0]),))
    far = Separable(((0, Blocks(2, 2, 2)), (1, Taps(1, 2, 1, 3, 10, 10))), (4, 10), (4, 10), ((0, halves[1]),))
    split = graph.add_node("split", (4, 10), [Edge(x, near), Edge(x, far)])
    mixed = Separable(((0, Blocks(1, 3, 4)), (1, Taps(1, 0, 1, 2, 10, 10))), (3, 10), (4, 10))
    after = graph.add_node("mix", (3, 10), [Edge(split, mixed)])
    found = graph.windows(split)
    assert found is not None
    assert {p.where: sets.members(p.lines[0, 0].at(0)) for p in found.pieces} == {
        ((0, halves[0]),): [0],
        ((0, halves[1]),): [2, 3, 4],
    }
    whole = graph.windows(after)
    assert whole is not None
    assert sets.members(whole.lines[0, 0].at(0)) == [0, 1, 2, 3, 4, 5]
    assert check_windows(graph) == 3


def test_windows_that_follow_no_line() -> None:
    """A list of rows without a rule; a period that grows beyond reason."""
    rows = Separable(((0, Rows(((0, 1), (5, 1), (1, 1)), 6)),), (3,), (6,))
    graph = by_hand(rows, shape=(6,))
    assert graph.windows(1) is None
    primes = (61, 67, 71)
    ups = [Repeating(Pattern(p, p, tuple((u, 1) for u in range(p)))) for p in primes]
    views = [Separable(((0, Taps(1)),), (9,), (9,))] + [Separable(((0, up),), (9,), (9,)) for up in ups]
    graph = by_hand(*views, shape=(9,))
    periods = [w.lines[0, 0].courses[0].period if (w := graph.windows(n.index)) else None for n in graph.nodes]
    assert periods == [1, 1, 61, lcm(61, 67), None]
    assert lines.input_windows({(0, 0): 1}).lines == {(0, 0): Line(1, (Course(1, 1, ((0, 1),)),))}
