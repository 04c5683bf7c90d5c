"""Finite sets of whole numbers as bits, and boxes (products of such sets).

A set is a pair `(first, bits)`: bit i of the Python integer `bits` stands for the number `first + i`. Bits are
odd (the first number is a member), and the empty set is `(0, 0)`, so equal sets are equal pairs. Windows of a
network are a few hundred positions wide: one machine-word operation answers for 30 of them at a time, and no
array library is loaded.

A box is a tuple of sets, one for each dimension of a tensor; a list of boxes is the union of its members.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

Set = tuple[int, int]
Box = tuple[Set, ...]

EMPTY: Set = (0, 0)


def make(first: int, bits: int) -> Set:
    """The set with these bits, in its one normal form."""
    if bits & 1:
        return first, bits
    if not bits:
        return EMPTY
    zeros = (bits & -bits).bit_length() - 1
    return first + zeros, bits >> zeros


def interval(first: int, last: int) -> Set:
    """All numbers from first to last, both included."""
    return (first, (1 << (last - first + 1)) - 1) if last >= first else EMPTY


def from_members(members: Iterable[int]) -> Set:
    """The set of these numbers."""
    numbers = list(members)
    if not numbers:
        return EMPTY
    first, bits = min(numbers), 0
    for n in numbers:
        bits |= 1 << (n - first)
    return first, bits


def members(s: Set) -> list[int]:
    """The numbers of a set, in order."""
    first, bits = s
    return [first + i for i, bit in enumerate(reversed(f"{bits:b}")) if bit == "1"] if bits else []


def last(s: Set) -> int:
    """The largest number of a set that is not empty."""
    return s[0] + s[1].bit_length() - 1


def size(s: Set) -> int:
    """How many numbers a set holds."""
    return s[1].bit_count()


def shift(s: Set, by: int) -> Set:
    """Every number moved by the same amount."""
    return (s[0] + by, s[1]) if s[1] else EMPTY


def union(a: Set, b: Set) -> Set:
    """The numbers of either."""
    if not a[1]:
        return b
    if not b[1]:
        return a
    if a[0] <= b[0]:
        return a[0], a[1] | b[1] << (b[0] - a[0])
    return b[0], b[1] | a[1] << (a[0] - b[0])


def intersection(a: Set, b: Set) -> Set:
    """The numbers of both."""
    if a[0] <= b[0]:
        return make(b[0], a[1] >> (b[0] - a[0]) & b[1])
    return make(a[0], b[1] >> (a[0] - b[0]) & a[1])


def contains(a: Set, b: Set) -> bool:
    """Whether b is a subset of a."""
    if not b[1]:
        return True
    by = b[0] - a[0]
    return by >= 0 and not (b[1] << by) & ~a[1]


def clip(s: Set, length: int) -> Set:
    """The numbers of 0 .. length-1."""
    first, bits = s
    if first < 0:
        first, bits = make(0, bits >> -first)
    if first + bits.bit_length() <= length:  # asked first: a length may be too large for a mask
        return first, bits
    keep = length - first
    return (first, bits & ((1 << keep) - 1)) if keep > 0 else EMPTY


@lru_cache(maxsize=65536)
def _spread(bits: int, step: int) -> int:
    """Bit i moved to i * step."""
    width = bits.bit_length()
    if bits == (1 << width) - 1:  # a run of ones: a geometric series
        return ((1 << step * width) - 1) // ((1 << step) - 1)
    return int(("0" * (step - 1)).join(f"{bits:b}"), 2)


def scale(s: Set, step: int) -> Set:
    """Every number multiplied by step (not 0; a negative one turns the order round)."""
    first, bits = s
    if step == 1 or not bits:
        return s
    if step > 0:
        return first * step, _spread(bits, step)
    turned = int(f"{bits:b}"[::-1], 2)
    return last(s) * step, turned if step == -1 else _spread(turned, -step)


@lru_cache(maxsize=65536)
def _comb(bits: int, dilation: int, count: int) -> int:
    """The union of `count` copies of bits, each `dilation` further, by doubling."""
    done, result = 1, bits
    while done < count:
        more = min(done, count - done)
        result |= result << dilation * more
        done += more
    return result


def sweep(s: Set, dilation: int, count: int) -> Set:
    """Every number n replaced by n, n + dilation, ..., count of them (none if count is 0)."""
    if count <= 0 or not s[1]:
        return EMPTY
    return s[0], _comb(s[1], dilation, count)


def sums(a: Set, b: Set) -> Set:
    """Every number of a plus every number of b."""
    if not a[1] or not b[1]:
        return EMPTY
    if size(a) < size(b):
        a, b = b, a
    result = 0
    for n in members(b):
        result |= a[1] << (n - b[0])
    return a[0] + b[0], result


@lru_cache(maxsize=65536)
def _every(bits: int, step: int) -> int:
    """Bits 0, step, 2 step, ... moved together."""
    picked = f"{bits:b}"[::-1][::step]
    return int(picked[::-1], 2)


def divide(s: Set, step: int) -> Set:
    """The multiples of step (positive) in a set, divided by it."""
    first, bits = s
    if step == 1 or not bits:
        return s
    skip = -first % step
    bits >>= skip
    return make((first + skip) // step, _every(bits, step)) if bits else EMPTY


def box_contains(a: Box, b: Box) -> bool:
    """Whether box b lies inside box a."""
    return all(contains(x, y) for x, y in zip(a, b, strict=True))


def add_box(boxes: list[Box], box: Box) -> None:
    """Unite a list of boxes with one more, in place: no box empty, none inside another, neighbors joined.

    Two boxes that differ in one dimension only are joined along it, which keeps the lists of real networks at
    one to four boxes.
    """
    if not all(s[1] for s in box):
        return
    while True:
        for i, other in enumerate(boxes):
            differ = [d for d, (x, y) in enumerate(zip(other, box, strict=True)) if x != y]
            if not differ or box_contains(other, box):
                return
            if len(differ) == 1:
                d = differ[0]
                box = (*box[:d], union(box[d], other[d]), *box[d + 1 :])
                del boxes[i]
                break
            if box_contains(box, other):
                del boxes[i]
                break
        else:
            boxes.append(box)
            return


def project(boxes: Sequence[Box], dim: int) -> Set:
    """The numbers that a union of boxes takes in one dimension."""
    result = EMPTY
    for box in boxes:
        result = union(result, box[dim])
    return result
