"""Sets of whole numbers as bits, against Python's own sets; boxes against enumerated points."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflib.graph import sets
from rflib.graph.sets import EMPTY, Box, Set

NUMBERS = st.frozensets(st.integers(-40, 40), max_size=14)
RUNS = st.builds(lambda first, n: frozenset(range(first, first + n)), st.integers(-30, 30), st.integers(0, 20))
PLAIN = st.one_of(NUMBERS, RUNS)
STEPS = st.integers(-5, 5).filter(bool)


def made(numbers: frozenset[int]) -> Set:
    return sets.from_members(numbers)


def plain(s: Set) -> frozenset[int]:
    """The members, and the check that every function keeps the one normal form."""
    first, bits = s
    assert bits & 1 or s == EMPTY, f"{s} is not in normal form"
    return frozenset(first + i for i in range(bits.bit_length()) if bits >> i & 1)


@given(PLAIN)
def test_a_set_holds_its_members(numbers: frozenset[int]) -> None:
    s = made(numbers)
    assert plain(s) == numbers
    assert sets.members(s) == sorted(numbers)
    assert sets.size(s) == len(numbers)
    if numbers:
        assert sets.last(s) == max(numbers)


def test_order_and_repetition_of_the_given_numbers_do_not_matter() -> None:
    assert sets.from_members([7, -2, 7, 3]) == sets.from_members(iter((-2, 3, 7)))


@given(st.integers(-40, 40), st.integers(0, 1 << 12))
def test_make_brings_any_bits_into_the_normal_form(first: int, bits: int) -> None:
    assert plain(sets.make(first, bits)) == {first + i for i in range(13) if bits >> i & 1}


@given(st.integers(-40, 40), st.integers(-50, 50))
def test_an_interval_holds_both_ends(first: int, last: int) -> None:
    assert plain(sets.interval(first, last)) == set(range(first, last + 1))


@given(PLAIN, PLAIN)
def test_two_sets(a: frozenset[int], b: frozenset[int]) -> None:
    s, t = made(a), made(b)
    assert plain(sets.union(s, t)) == a | b
    assert plain(sets.intersection(s, t)) == a & b
    assert sets.contains(s, t) == (b <= a)
    assert plain(sets.sums(s, t)) == {m + n for m in a for n in b}
    assert (s == t) == (a == b)


@given(PLAIN, st.data())
def test_a_subset_is_contained(a: frozenset[int], data: st.DataObject) -> None:
    part = frozenset(data.draw(st.sets(st.sampled_from(sorted(a))))) if a else frozenset()
    assert sets.contains(made(a), made(part))


@given(PLAIN, st.integers(-50, 50))
def test_shift(a: frozenset[int], by: int) -> None:
    assert plain(sets.shift(made(a), by)) == {n + by for n in a}


@given(PLAIN, st.one_of(st.integers(0, 45), st.just(1 << 62)))
def test_clip(a: frozenset[int], length: int) -> None:
    """Also to a length for which no mask of bits could be made."""
    assert plain(sets.clip(made(a), length)) == {n for n in a if 0 <= n < length}


@given(PLAIN, STEPS)
def test_scale(a: frozenset[int], step: int) -> None:
    assert plain(sets.scale(made(a), step)) == {n * step for n in a}


@given(PLAIN, st.integers(1, 6))
def test_divide_keeps_the_multiples(a: frozenset[int], step: int) -> None:
    assert plain(sets.divide(made(a), step)) == {n // step for n in a if n % step == 0}


@given(PLAIN, st.integers(1, 6), st.integers(-1, 9))
def test_sweep(a: frozenset[int], dilation: int, count: int) -> None:
    assert plain(sets.sweep(made(a), dilation, count)) == {n + dilation * t for n in a for t in range(count)}


# --- boxes -----------------------------------------------------------------------------------------------------------

SMALL = st.frozensets(st.integers(-2, 3), max_size=4)
BOXES = st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[SMALL] * n), max_size=6))


def points(boxes: list[Box]) -> set[tuple[int, ...]]:
    return {p for box in boxes for p in itertools.product(*map(sets.members, box))}


@given(BOXES)
def test_uniting_boxes_keeps_every_point_and_no_other(given_boxes: list[tuple[frozenset[int], ...]]) -> None:
    boxes: list[Box] = []
    for box in given_boxes:
        sets.add_box(boxes, tuple(map(made, box)))
    assert points(boxes) == {p for box in given_boxes for p in itertools.product(*box)}
    assert all(all(s[1] for s in box) for box in boxes)
    assert not any(sets.box_contains(a, b) for a, b in itertools.permutations(boxes, 2))
    differing = [sum(x != y for x, y in zip(a, b, strict=True)) for a, b in itertools.combinations(boxes, 2)]
    assert 1 not in differing  # neighbors are joined
    for d in range(len(given_boxes[0]) if given_boxes else 0):
        assert plain(sets.project(boxes, d)) == {p[d] for p in points(boxes)}


@given(st.integers(1, 3).flatmap(lambda n: st.tuples(*[st.tuples(*[SMALL.filter(bool)] * n)] * 2)))
def test_a_box_contains_another_if_it_has_its_points(two: tuple[tuple[frozenset[int], ...], ...]) -> None:
    a, b = (tuple(map(made, box)) for box in two)
    assert sets.box_contains(a, b) == (points([b]) <= points([a]))


def test_a_grid_of_points_becomes_one_box() -> None:
    boxes: list[Box] = []
    for p in itertools.product(range(5), range(4), range(3)):
        sets.add_box(boxes, tuple((n, 1) for n in p))
    assert boxes == [tuple(sets.interval(0, n - 1) for n in (5, 4, 3))]


def test_a_box_without_dimensions_is_one_point() -> None:
    boxes: list[Box] = []
    sets.add_box(boxes, ())
    sets.add_box(boxes, ())
    assert boxes == [()]


def test_boxes_of_different_dimensions_are_an_error() -> None:
    with pytest.raises(ValueError, match="longer"):
        sets.box_contains(((0, 1),), ((0, 1), (0, 1)))
