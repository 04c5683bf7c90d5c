"""What operations read, in both directions, against all pairs of elements of small shapes written out.

The oracle of each relation is a function of one element, in plain Python or torch; `pull` and `push` are asked with
boxes of several elements. A relation's two directions must describe the same pairs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from rflib.graph import sets
from rflib.graph.relations import (
    Blocks,
    DimMap,
    Everything,
    Inverse,
    Only,
    Pattern,
    Relation,
    Repeating,
    Rows,
    Segment,
    Separable,
    Taps,
    same,
)
from rflib.graph.sets import Box, Set
from rflib.graph.views import Digit, Digits, Turned, factor
from rflib.tracing.gather import Gather

MANY = settings(max_examples=max(200, settings.default.max_examples))

Point = tuple[int, ...]
Reads = Callable[[int], Iterable[int]]


def points(boxes: Iterable[Box]) -> set[Point]:
    return {p for box in boxes for p in itertools.product(*map(sets.members, box))}


# --- one dimension ---------------------------------------------------------------------------------------------------


def check_map(how: DimMap, reads: Reads, units: int, length: int, rng: Random) -> None:
    """Both directions of a map with borders, asked with random sets."""
    truth = {o: {i for i in reads(o) if 0 <= i < length} for o in range(units)}
    for _ in range(3):
        chosen = [o for o in range(units) if rng.random() < 0.4]
        read = set().union(*(truth[o] for o in chosen))
        assert set(sets.members(how.pull(sets.from_members(chosen), True))) == read, (how, chosen)
        asked = [i for i in range(length) if rng.random() < 0.4]
        readers = {o for o in range(units) if truth[o] & set(asked)}
        assert set(sets.members(how.push(sets.from_members(asked)))) == readers, (how, asked)
    everyone = how.pull(sets.interval(0, units - 1), True)
    assert set(sets.members(everyone)) == set().union(*truth.values())


def check_ideal(how: DimMap, reads: Reads, rng: Random) -> None:
    """Without borders, for units that do not exist too; and the pattern says the same."""
    chosen = rng.sample(range(-9, 12), rng.randrange(4))
    expected = {i for o in chosen for i in reads(o)}
    assert set(sets.members(how.pull(sets.from_members(chosen), False))) == expected, (how, chosen)
    pattern = how.pattern()
    assert pattern is not None
    for o in range(-7, 9):
        turns, phase = divmod(o, pattern.period)
        assert set(sets.members(sets.shift(pattern.rows[phase], pattern.shift * turns))) == set(reads(o)), (how, o)


SEEDS = st.integers(0, 1 << 30).map(Random)
SIDE = st.integers(1, 12)


@given(SEEDS, SIDE, SIDE, st.integers(-4, 4).filter(bool), st.integers(-6, 14), st.integers(1, 4), st.integers(1, 4))
def test_taps(rng: Random, units: int, length: int, stride: int, offset: int, dilation: int, count: int) -> None:
    def reads(o: int) -> list[int]:
        return [o * stride + offset + dilation * t for t in range(count)]

    how = Taps(stride, offset, dilation, count, length, units)
    check_map(how, reads, units, length, rng)
    check_ideal(how, reads, rng)


@given(SEEDS, SIDE, SIDE, st.integers(1, 4), st.integers(-6, 6), st.integers(1, 4), st.integers(1, 4))
def test_inverse(rng: Random, units: int, length: int, stride: int, offset: int, dilation: int, count: int) -> None:
    def reads(u: int) -> list[int]:
        """The units o of a convolution for which u is one of their taps."""
        taps = [o for o in range(-60, 60) if (u - o * stride - offset) in range(0, dilation * count, dilation)]
        assert not taps or -60 < taps[0] <= taps[-1] < 59
        return taps

    how = Inverse(Taps(stride, offset, dilation, count, in_length=units, out_length=length))
    check_map(how, reads, units, length, rng)
    check_ideal(how, reads, rng)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("dilation", [1, 2])
def test_inverse_is_what_a_transposed_convolution_reads(stride: int, kernel: int, padding: int, dilation: int) -> None:
    length = 5
    eye = torch.eye(length, dtype=torch.float64)[:, None]  # one input position in each element of the batch
    if (length - 1) * stride - 2 * padding + dilation * (kernel - 1) < 0:
        return
    ones = torch.ones(1, 1, kernel, dtype=torch.float64)
    seen = functional.conv_transpose1d(eye, ones, stride=stride, padding=padding, dilation=dilation)[:, 0] > 0.5
    units = seen.shape[1]
    how = Inverse(Taps(stride, -padding, dilation, kernel, units, length))
    for u in range(units):
        assert sets.members(how.pull((u, 1), True)) == seen[:, u].nonzero().flatten().tolist()


@given(SEEDS, SIDE, SIDE)
def test_rows(rng: Random, units: int, length: int) -> None:
    table = [frozenset(i for i in range(length) if rng.random() < 0.3) for _ in range(units)]
    how = Rows(tuple(map(sets.from_members, table)), length)
    check_map(how, lambda o: table[o], units, length, rng)
    assert how.pattern() is None
    assert how.pull(sets.interval(-3, units + 3), True) == how.pull(sets.interval(0, units - 1), True)


def test_rows_go_on_beyond_their_border_as_they_are_told() -> None:
    """Circular padding by one: unit 0 really reads the last position, ideally the one before the first."""
    how = Rows(tuple(((o - 1) % 4, 1) for o in range(6)), 4, Taps(offset=-1))
    assert sets.members(how.pull((0, 1), True)) == [3]
    assert sets.members(how.pull((0, 1), False)) == [-1]
    assert how.pattern() == Pattern(1, 1, ((-1, 1),))
    without = Rows(how.rows, 4)
    assert sets.members(without.pull((0, 1), False)) == [3]


@given(SEEDS, st.integers(0, 5), st.integers(1, 6), st.integers(0, 5))
def test_segment(rng: Random, start: int, length: int, after: int) -> None:
    check_map(Segment(start, length), lambda o: [o - start], start + length + after, length, rng)
    assert sets.members(Segment(start, length).pull((start - 1, 1), False)) == []  # never beyond the operand
    assert Segment(start, length).pattern() is None


@given(SEEDS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_blocks(rng: Random, groups: int, out_size: int, in_size: int) -> None:
    how = Blocks(groups, out_size, in_size)

    def reads(o: int) -> range:
        return range(o // out_size * in_size, (o // out_size + 1) * in_size)

    check_map(how, reads, groups * out_size, groups * in_size, rng)
    assert how.pattern() is None


@given(SEEDS, SIDE, SIDE)
def test_everything(rng: Random, units: int, length: int) -> None:
    how = Everything(length, units)
    check_map(how, lambda o: range(length), units, length, rng)
    check_ideal(how, lambda o: range(length), rng)


@given(SEEDS, SIDE)
def test_only(rng: Random, length: int) -> None:
    kept = frozenset(i for i in range(length) if rng.random() < 0.5)
    how = Only(sets.from_members(kept))
    check_map(how, lambda o: kept & {o}, length, length, rng)
    assert how.pattern() is None


@given(SEEDS, st.integers(1, 4), st.integers(-5, 5))
def test_repeating(rng: Random, period: int, shift: int) -> None:
    rows = [frozenset(rng.sample(range(-5, 6), rng.randrange(4))) for _ in range(period)]
    how = Repeating(Pattern(period, shift, tuple(map(sets.from_members, rows))))
    check_ideal(how, lambda o: {i + shift * (o // period) for i in rows[o % period]}, rng)
    with pytest.raises(AssertionError, match="only relations with borders"):
        how.push((0, 1))


# --- whole shapes ----------------------------------------------------------------------------------------------------


def random_box(shape: Point, rng: Random) -> Box:
    """A box inside a shape, not empty."""
    return tuple(sets.from_members(rng.sample(range(n), rng.randint(1, n))) for n in shape)


def check(relation: Relation, truth: dict[Point, set[Point]], rng: Random) -> None:
    """Both directions against all pairs: for each element of the result the elements that it reads."""
    assert set(truth) == set(itertools.product(*map(range, relation.out_shape)))
    everything = tuple(sets.interval(0, n - 1) for n in relation.out_shape)
    for box in [everything, *(random_box(relation.out_shape, rng) for _ in range(3))]:
        expected = set().union(*(truth[o] for o in points([box])))
        assert points(relation.pull(box, True)) == expected, (relation, box)
    all_read = tuple(sets.interval(0, n - 1) for n in relation.in_shape)
    for box in [all_read, *(random_box(relation.in_shape, rng) for _ in range(3))]:
        asked = points([box])
        assert points(relation.push(box)) == {o for o, read in truth.items() if read & asked}, (relation, box)


def random_map(rng: Random, units: int, length: int) -> tuple[DimMap, Reads]:
    kind = rng.randrange(4)
    if kind == 0:
        stride, offset = rng.choice((-2, -1, 1, 2, 3)), rng.randrange(-2, length)
        dilation, count = rng.choice((1, 2)), rng.choice((1, 2, 3))
        taps = Taps(stride, offset, dilation, count, length, units)
        return taps, lambda o: [o * stride + offset + dilation * t for t in range(count)]
    if kind == 1:
        return Everything(length, units), lambda o: range(length)
    if kind == 2:
        return Blocks(1, units, length), lambda o: range(length)
    table = [frozenset(i for i in range(length) if rng.random() < 0.4) for _ in range(units)]
    return Rows(tuple(map(sets.from_members, table)), length), lambda o: table[o]


@given(SEEDS)
@MANY
def test_separable(rng: Random) -> None:
    """Dimensions in any order, some of the result that read nothing in particular, some of the operand read by all."""
    out_shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    in_shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    free = rng.sample(range(len(out_shape)), len(out_shape))
    dims: list[tuple[int, DimMap] | tuple[None, Set]] = []
    reads: list[tuple[int | None, Reads]] = []
    for length in in_shape:
        if free and rng.random() < 0.7:
            o = free.pop()
            how, how_reads = random_map(rng, out_shape[o], length)
            dims.append((o, how))
            reads.append((o, how_reads))
        else:
            some = frozenset(rng.sample(range(length), rng.randint(1, length)))
            dims.append((None, sets.from_members(some)))
            reads.append((None, lambda o, some=some: some))  # type: ignore[misc]
    where: dict[int, frozenset[int]] = {}
    if free and rng.random() < 0.5:
        where[free[0]] = frozenset(rng.sample(range(out_shape[free[0]]), 1))
    truth = {}
    for element in itertools.product(*map(range, out_shape)):
        rows = [set(f(0 if o is None else element[o])) for o, f in reads]
        read = {p for p in itertools.product(*rows) if all(0 <= i < n for i, n in zip(p, in_shape, strict=True))}
        truth[element] = read if all(element[d] in some for d, some in where.items()) else set()
    kept = tuple((d, sets.from_members(some)) for d, some in where.items())
    check(Separable(tuple(dims), out_shape, in_shape, kept), truth, rng)


def of_numbers(numbers: Tensor, shape: Point) -> dict[Point, set[Point]]:
    """All pairs of a move that is given by row-major numbers, -1 for nothing."""
    strides = [math.prod(shape[j + 1 :]) for j in range(len(shape))]
    truth = {}
    for element in itertools.product(*map(range, numbers.shape)):
        n = int(numbers[element])
        truth[element] = {tuple(n // s % m for s, m in zip(strides, shape, strict=True))} if n >= 0 else set()
    return truth


@given(SEEDS)
def test_gather_and_its_turn(rng: Random) -> None:
    out_shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    in_shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    numbers = torch.tensor([rng.randrange(-1, math.prod(in_shape)) for _ in range(math.prod(out_shape))])
    relation = Gather(numbers.reshape(out_shape), in_shape)
    truth = of_numbers(relation.numbers, in_shape)
    check(relation, truth, rng)
    check(Turned(relation), turned(truth, in_shape), rng)


def turned(truth: dict[Point, set[Point]], in_shape: Point) -> dict[Point, set[Point]]:
    return {i: {o for o, read in truth.items() if i in read} for i in itertools.product(*map(range, in_shape))}


# --- views -----------------------------------------------------------------------------------------------------------


def random_base(rng: Random) -> Tensor:
    """A dense tensor of numbers 0, 1, ..., its dimensions in any order of memory."""
    shape = [rng.choice((1, 2, 2, 3, 4, 6)) for _ in range(rng.randint(1, 4))]
    order = rng.sample(range(len(shape)), len(shape)) if rng.random() < 0.4 else list(range(len(shape)))
    return torch.arange(math.prod(shape)).reshape(shape).permute(order)


def split(t: Tensor, rng: Random) -> Tensor:
    d = rng.randrange(t.dim())
    parts = [m for m in (1, 2, 3) if t.shape[d] % m == 0]
    return t.unflatten(d, (-1, rng.choice(parts))) if t.shape[d] else t


def merged(t: Tensor, rng: Random) -> Tensor:
    if t.dim() < 2:
        return t
    d = rng.randrange(t.dim() - 1)
    try:
        return t.view(*t.shape[:d], -1, *t.shape[d + 2 :])
    except RuntimeError:  # these strides cannot be one
        return t


def sliced(t: Tensor, rng: Random) -> Tensor:
    d = rng.randrange(t.dim())
    first = rng.randrange(t.shape[d])
    return t[(*[slice(None)] * d, slice(first, rng.randint(first + 1, t.shape[d]), rng.choice((1, 1, 2, 3))))]


def unfolded(t: Tensor, rng: Random) -> Tensor:
    d = rng.randrange(t.dim())
    return t.unfold(d, rng.randint(1, t.shape[d]), rng.choice((1, 2)))


def expanded(t: Tensor, rng: Random) -> Tensor:
    return t.unsqueeze(0).expand(rng.choice((1, 2, 3)), *t.shape)


def selected(t: Tensor, rng: Random) -> Tensor:
    d = rng.randrange(t.dim())
    return t.select(d, rng.randrange(t.shape[d])) if t.dim() > 1 else t


def permuted(t: Tensor, rng: Random) -> Tensor:
    return t.permute(rng.sample(range(t.dim()), t.dim()))


VIEWS = (split, merged, sliced, unfolded, expanded, selected, permuted)


def digits_of(view: Tensor, base: Tensor) -> Digits | None:
    found = factor(view.shape, view.stride(), view.storage_offset(), base.shape, base.stride())
    return None if found is None else Digits(*found, tuple(view.shape), tuple(base.shape))


def pairs_of(view: Tensor, base: Tensor) -> dict[Point, set[Point]]:
    place = {int(base[p]): p for p in itertools.product(*map(range, base.shape))}
    return {p: {place[int(view[p])]} for p in itertools.product(*map(range, view.shape))}


def test_digits_of_views_read_what_torch_reads_or_there_are_none() -> None:
    """2,000 chains of views. How many have no digits is counted, so that giving up always could not pass."""
    refused, tried = 0, 0
    for seed in range(2000):
        rng = Random(seed)
        base = view = random_base(rng)
        for _ in range(rng.randint(1, 4)):
            view = rng.choice(VIEWS)(view, rng)
        if view.numel() > 150:
            continue
        tried += 1
        relation = digits_of(view, base)
        if relation is None:
            refused += 1
            continue
        truth = pairs_of(view, base)
        check(relation, truth, rng)
        if seed % 4 == 0:
            check(Turned(relation), turned(truth, tuple(base.shape)), rng)
    assert tried > 1800
    assert refused < 0.1 * tried


def test_views_that_only_split_dimensions_always_have_digits() -> None:
    """Merging may not: 12 elements made of 3 rows of 4 and read as 4 rows of 3 have no digits in common."""
    for seed in range(500):
        rng = Random(seed)
        base = view = random_base(rng)
        for _ in range(rng.randint(1, 6)):
            view = rng.choice((split, permuted, selected, expanded))(view, rng)
        assert digits_of(view, base) is not None, (base.shape, view.shape, view.stride(), view.storage_offset())


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((4,), (5,), 0),  # the diagonal: two dimensions at once
        ((6,), (1,), 3),  # a run that begins inside a row and crosses into the next
        ((3, 3), (1, 4), 3),  # a row that begins at the end of a row
        ((2,), (16,), 0),  # beyond the end
        ((1,), (1,), 16),
    ],
)
def test_strides_that_follow_no_digits(size: Point, stride: Point, offset: int) -> None:
    assert factor(size, stride, offset, (4, 4), (4, 1)) is None


def test_a_dimension_of_several_rows_is_two_digits() -> None:
    base = torch.arange(24).reshape(4, 6)
    flat, cut = base.view(24), base[1::2, ::2]
    assert digits_of(flat, base) == Digits((Digit(6, 0, 1, 1, 1), Digit(4, 0, 6, 0, 1)), (0, 0), (24,), (4, 6))
    assert digits_of(cut, base) == Digits((Digit(2, 0, 1, 0, 2), Digit(3, 1, 1, 1, 2)), (1, 0), (2, 3), (4, 6))
    crossed = base.view(2, 12)[:, 3:9]  # the second half of a row and the first half of the next
    assert digits_of(crossed, base) is None


@given(SEEDS)
def test_overlapping_windows_with_padding(rng: Random) -> None:
    """F.unfold along one axis: two digits of one dimension that overlap, from a negative offset; fold is its turn."""
    length, kernel, stride = rng.randint(2, 8), rng.randint(1, 3), rng.randint(1, 3)
    dilation, padding = rng.randint(1, 2), rng.randint(0, 2)
    if length + 2 * padding < dilation * (kernel - 1) + 1:
        return
    rows = torch.arange(1.0, length + 1).reshape(1, 1, 1, length)
    told = functional.unfold(rows, (1, kernel), (1, dilation), (0, padding), (1, stride))[0].long() - 1
    units = told.shape[1]
    digits = (Digit(kernel, 0, 1, 0, dilation), Digit(units, 1, 1, 0, stride))
    relation = Digits(digits, (-padding,), (kernel, units), (length,))
    truth = of_numbers(told, (length,))
    check(relation, truth, rng)
    check(Turned(relation), turned(truth, (length,)), rng)
    flat = Digits(
        (Digit(kernel, 0, units, 0, dilation), Digit(units, 0, 1, 0, stride)), (-padding,), (kernel * units,), (length,)
    )
    check(flat, of_numbers(told.reshape(-1), (length,)), rng)


@given(st.integers(-9, 12), st.integers(1, 3))
def test_a_digit_that_extends_goes_on_beyond_the_border(unit: int, size: int) -> None:
    """Space to depth: unit u of the slow digit reads size * u + fine, also where no such unit exists."""
    view = Digits((Digit(4, 0, 1, 0, size), Digit(size, 1, 1, 0, 1)), (0,), (4, size), (4 * size,), frozenset({0}))
    box = ((unit, 1), sets.interval(0, size - 1))
    read = {(size * unit + fine,) for fine in range(size)}
    assert points(view.pull(box, False)) == read
    assert points(view.pull(box, True)) == (read if 0 <= unit < 4 else set())


def test_same_reads_its_own_position_only() -> None:
    assert same(5) == Taps(in_length=5, out_length=5)
    assert sets.members(same(5).pull(sets.interval(-1, 7), True)) == [0, 1, 2, 3, 4]
