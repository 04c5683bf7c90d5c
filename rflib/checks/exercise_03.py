"""Exercise 03, closed form: the terms of the sum, solving for a number, for a depth, and a published slip explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from rflib.checks.properties import ALL, DILATIONS, STACKS, STRIDES
from rflib.checks.reading import Plain, read, span
from rflib.checks.slips import (
    HOLES,
    NO_DILATION,
    NO_STRIDES,
    ONE_MORE,
    PADDED,
    REVERSED,
    TOO_EARLY,
    TOO_WIDE,
    backwards,
    extent,
    holes,
    on,
    one_tap_more,
    strides_first,
    widened,
)
from rflib.checks.stacks import changed, counted, drawn, named, some
from rflib.checks.task import Inputs, Property, Rule, Written

Sees = Callable[[Sequence[Plain]], int]

# The truth, by brute force


def seen(layers: Sequence[Plain]) -> int:
    """The size, counted on sets of positions."""
    return span(read(layers, [0]))


def added(layers: Sequence[Plain], sees: Sees = seen) -> list[int]:
    """The 1 of the input, and what each layer adds to the size."""
    sizes = [sees(layers[:place]) if place else 1 for place in range(len(layers) + 1)]
    return [1, *(after - before for before, after in pairwise(sizes))]


def tried(layers: Sequence[Plain], size: int, sees: Sees = seen) -> list[int]:
    """The sizes for 1, 2, 3, ... in the place of the None, until the size is reached."""
    found: list[int] = []
    for value in range(1, size + 2):
        found.append(sees([{name: value if number is None else number for name, number in y.items()} for y in layers]))
        if found[-1] >= size:
            break
    return found


def solved(layers: Sequence[Plain], size: int, sees: Sees = seen) -> int | None:
    """The number in the place of the None that makes the size, by trying; None where there is none."""
    sizes = tried(layers, size, sees)
    return len(sizes) if sizes[-1] == size else None


def depth_reached(one: Plain, size: int, growth: int = 1, sees: Sees = seen) -> int:
    """How many layers it takes to see so far, by adding one after the other."""
    stack: list[Plain] = []
    while stack == [] or sees(stack) < size:
        if size <= 1:
            return 0
        stack.append({**one, "dilation": one["dilation"] * growth ** len(stack)})
        if len(stack) > size:
            break
    return len(stack)


def examined(layers: Sequence[Plain], published: int, sees: Sees = seen) -> dict[str, Any]:
    """The true size, and every single slip that gives the published one."""
    places = range(len(layers))
    return {
        "size": sees(layers),
        "twice": [p for p in places if sees([*layers[: p + 1], *layers[p:]]) == published],
        "missing": [p for p in places if sees([*layers[:p], *layers[p + 1 :]]) == published],
        "reversed": sees(layers[::-1]) == published,
    }


# Slips


def with_slip(transformed: Callable[[Any], Any]) -> Sees:
    """How far a stack seems to see to somebody who makes a slip."""
    return lambda layers: seen(transformed(layers))


def undilated(layers: Sequence[Plain]) -> list[Plain]:
    """Dilation left out."""
    return changed(layers, dilation=1)


def unstrided(layers: Sequence[Plain]) -> list[Plain]:
    """Strides left out."""
    return changed(layers, stride=1)


def strides_behind(layers: Sequence[Plain]) -> list[int]:
    """The terms with the product of the strides after each layer in place of those before it."""
    return [1, *added(layers[::-1])[:0:-1]]


TERM_RULES = (
    Rule("M4", NO_DILATION, on(undilated, added)),
    Rule("A6", NO_STRIDES, on(unstrided, added)),
    Rule("M6", "You multiply the strides of the layers after each layer: it is those before it.", strides_behind),
    Rule("M6", REVERSED, on(backwards, added)),
    Rule("M7", TOO_EARLY, lambda layers: added(layers, lambda stack: seen(strides_first(stack)))),
    Rule(
        "M7",
        "You multiply each layer's steps by its own stride: it is the product of all strides before it.",
        lambda layers: [1, *((extent(one) - 1) * one["stride"] for one in layers)],
    ),
    Rule("A7", ONE_MORE, on(one_tap_more, added)),
    Rule("M8", PADDED, on(widened("padding"), added)),
    Rule("M3", HOLES, on(holes, added)),
    Rule("A10", TOO_WIDE, on(widened("dilation less one"), added)),
    Rule("M15", "The 1 in front is missing: a position of the input sees itself.", lambda layers: added(layers)[1:]),
    Rule(
        None,
        "These are the sizes up to each layer: a term is what one layer adds.",
        lambda layers: [seen(layers[:place]) if place else 1 for place in range(len(layers) + 1)],
    ),
    Rule(None, "This is the sum: return its terms.", seen),
)

SOLVE_RULES = (
    Rule(None, "You always answer None: here a whole number fits.", lambda layers, size: None),
    Rule("M4", NO_DILATION, lambda layers, size: solved(layers, size, with_slip(undilated))),
    Rule("A6", NO_STRIDES, lambda layers, size: solved(layers, size, with_slip(unstrided))),
    Rule("M6", REVERSED, lambda layers, size: solved(layers, size, with_slip(backwards))),
    Rule("M7", TOO_EARLY, lambda layers, size: solved(layers, size, with_slip(strides_first))),
    Rule("A7", ONE_MORE, lambda layers, size: solved(layers, size, with_slip(one_tap_more))),
    Rule("M8", PADDED, lambda layers, size: solved(layers, size, with_slip(widened("padding")))),
    Rule("M3", HOLES, lambda layers, size: solved(layers, size, with_slip(holes))),
    Rule("A10", TOO_WIDE, lambda layers, size: solved(layers, size, with_slip(widened("dilation less one")))),
    Rule("M15", "The 1 of the input is missing in your sum.", lambda layers, size: solved(layers, size + 1)),
    Rule(
        "M15",
        "One less than the kernel has taps: these are its steps.",
        lambda layers, size: value - 1 if (value := solved(layers, size)) else None,
    ),
    Rule(
        None,
        "You round up: where no whole number makes the size exactly, the answer is None.",
        lambda layers, size: len(tried(layers, size)),
    ),
    Rule(
        None,
        "You round down: where no whole number makes the size exactly, the answer is None.",
        lambda layers, size: value if (value := solved(layers, size)) else len(tried(layers, size)) - 1,
    ),
)

DEPTH_RULES = (
    Rule("M15", "One layer too many.", lambda one, size, growth: depth_reached(one, size, growth) + 1),
    Rule(
        "M15",
        "One layer too few: the size is not reached yet.",
        lambda one, size, growth: depth_reached(one, size, growth) - 1,
    ),
    Rule(
        "A9",
        "The dilation stays the same in your stack: it is multiplied by `growth` from each layer to the next.",
        lambda one, size, growth: depth_reached(one, size),
    ),
    Rule("A4", NO_STRIDES, lambda one, size, growth: depth_reached({**one, "stride": 1}, size, growth)),
    Rule("M4", NO_DILATION, lambda one, size, growth: depth_reached(one, size, growth, with_slip(undilated))),
    Rule("A7", ONE_MORE, lambda one, size, growth: depth_reached(one, size, growth, with_slip(one_tap_more))),
    Rule("M7", TOO_EARLY, lambda one, size, growth: depth_reached(one, size, growth, with_slip(strides_first))),
    Rule("M3", HOLES, lambda one, size, growth: depth_reached(one, size, growth, with_slip(holes))),
    Rule("M8", PADDED, lambda one, size, growth: depth_reached(one, size, growth, with_slip(widened("padding")))),
    Rule(
        "A9",
        "Your first layer has its dilation multiplied already: the first has the one that was given.",
        lambda one, size, growth: depth_reached({**one, "dilation": one["dilation"] * growth}, size, growth),
    ),
    Rule(
        "M15",
        "The 1 of the input is missing in your sum.",
        lambda one, size, growth: depth_reached(one, size + 1, growth),
    ),
    Rule(
        "A4",
        "You double the size with every layer: only jumps or dilations that double make it grow like this.",
        lambda one, size, growth: (size - 1).bit_length(),
    ),
)


def slipped(sees: Sees) -> Callable[[Sequence[Plain], int], Any]:
    """The examination by somebody whose sizes are wrong."""
    return lambda layers, published: examined(layers, published, sees)


def told(**changes: Callable[[dict[str, Any]], Any]) -> Callable[[Sequence[Plain], int], Any]:
    """The right examination, told wrongly."""

    def rule(layers: Sequence[Plain], published: int) -> dict[str, Any]:
        right = examined(layers, published)
        return {**right, **{name: change(right) for name, change in changes.items()}}

    return rule


EXAMINE_RULES = (
    Rule("M4", NO_DILATION, slipped(with_slip(undilated))),
    Rule("A6", NO_STRIDES, slipped(with_slip(unstrided))),
    Rule("M6", REVERSED, slipped(with_slip(backwards))),
    Rule("M7", TOO_EARLY, slipped(with_slip(strides_first))),
    Rule("A7", ONE_MORE, slipped(with_slip(one_tap_more))),
    Rule("M8", PADDED, slipped(with_slip(widened("padding")))),
    Rule(
        None,
        "You count the places from 1: the layer next to the input has place 0.",
        told(
            twice=lambda right: [place + 1 for place in right["twice"]],
            missing=lambda right: [place + 1 for place in right["missing"]],
        ),
    ),
    Rule(
        None,
        "You stop at the first place that fits: all of them are suspects.",
        told(twice=lambda right: right["twice"][:1], missing=lambda right: right["missing"][:1]),
    ),
    Rule(
        "M15",
        "Twice and missing are exchanged: a layer counted twice makes the published size of a longer stack.",
        told(twice=lambda right: right["missing"], missing=lambda right: right["twice"]),
    ),
    Rule("M6", "You do not try the layers from the wrong end.", told(reversed=lambda right: False)),
    Rule("M15", "You try no layer twice.", told(twice=lambda right: [])),
    Rule("M15", "You leave out no layer.", told(missing=lambda right: [])),
    Rule(
        "M11",
        "You repeat the published size: `size` is the true one.",
        lambda layers, published: {**examined(layers, published), "size": published},
    ),
)

# What is asked


def asked_for(stack: list[Plain], place: int, name: str, more: int = 0) -> Inputs:
    """A stack with one number hidden, and its size, or another one by a few."""
    hidden = [{**one, **({name: None} if at == place else {})} for at, one in enumerate(stack)]
    return [hidden, seen(stack) + more]


def can_hide(stack: Sequence[Plain], place: int, name: str) -> bool:
    """Whether the size tells this number: a dilation needs two taps, a stride a later layer with two."""
    tells: list[bool] = [one["kernel_size"] > 1 for one in stack]
    return {"kernel_size": True, "dilation": tells[place], "stride": any(tells[place + 1 :])}[name]


def hidden(random: Random, names: Sequence[str], more: Sequence[int] = (0,)) -> Inputs:
    """A stack drawn at random, one number of it hidden."""
    while True:
        stack = drawn(random, (2, 4), **ALL)
        place, name = random.randrange(len(stack)), random.choice(names)
        if can_hide(stack, place, name) and seen(stack) < 150:
            return asked_for(stack, place, name, random.choice(more))


def all_hidden(name: str, more: int = 0, **choices: Any) -> Iterator[Inputs]:
    """Small stacks with this number hidden."""
    for stack in [*counted(1, **choices), *some(24, depth=(2, 3), **choices)]:
        for place in range(len(stack)):
            if can_hide(stack, place, name):
                yield asked_for(stack, place, name, more)


def of_unknown(sentence: str, name: str) -> Property:
    """A property of `solve`, worth a point."""
    return Property(sentence, 1, lambda random: hidden(random, [name]), lambda: all_hidden(name, **ALL))


def of_depths(sentence: str, points: int, largest: int, growths: Sequence[int], **choices: Sequence[int]) -> Property:
    """A property of `depth`: layers with at least two taps."""
    taps = {"kernel_size": (2, 3, 5), "padding": (0, 1)} | choices

    def draw(random: Random) -> Inputs:
        one = drawn(random, (1, 1), **taps)[0]
        return [one, random.randint(2, largest), random.choice(growths)]

    def small() -> Iterator[Inputs]:
        for size in (1, 2, 3, 4, 7, 8, 15, 31):
            yield from ([stack[0], size, growth] for stack in counted(1, **taps) for growth in growths)

    return Property(sentence, points, draw, small)


def published(stack: list[Plain], kind: str, place: int) -> Inputs:
    """A stack, and the size that one slip gives for it."""
    wrong = {
        "twice": [*stack[: place + 1], *stack[place:]],
        "missing": [*stack[:place], *stack[place + 1 :]],
        "reversed": stack[::-1],
        "none": stack,
    }
    return [stack, seen(wrong[kind])]


def of_slips(sentence: str, kinds: Sequence[str]) -> Property:
    """A property of `examine`, worth a point: the published size comes from one of these slips."""

    def draw(random: Random) -> Inputs:
        stack = drawn(random, (3, 5), stride=(1, 2), dilation=(1, 2), padding=(0, 1))
        return published(stack, random.choice(kinds), random.randrange(len(stack)))

    def small() -> Iterator[Inputs]:
        for stack in [*counted(2, kernel_size=(2, 3), stride=(1, 2)), *some(20, depth=(3, 4), **STRIDES | DILATIONS)]:
            for kind in kinds:
                if len(stack) > 1:
                    yield published(stack, kind, len(stack) // 2)

    return Property(sentence, 1, draw, small)


TASKS = (
    Written("03-terms", "terms", STACKS, truth=added, rules=TERM_RULES, show=named),
    Written(
        "03-solve",
        "solve",
        (
            of_unknown("an unknown kernel size", "kernel_size"),
            of_unknown("an unknown dilation", "dilation"),
            of_unknown("an unknown stride", "stride"),
            Property(
                "whether a whole number fits at all",
                1,
                lambda random: hidden(random, ("kernel_size", "stride", "dilation"), more=(0, 1, 2)),
                lambda: (
                    given
                    for more in (1, 0, 2)
                    for name in ("kernel_size", "stride", "dilation")
                    for given in all_hidden(name, more, **ALL)
                ),
            ),
        ),
        truth=solved,
        rules=SOLVE_RULES,
        fewest=24,  # None is a frequent wrong answer: only many inputs tell by which rule
        show=lambda layers, size: f"{named(layers)}, {size}",
    ),
    Written(
        "03-depth",
        "depth",
        (
            of_depths("ordinary layers: linear growth", 1, 50, (1,), dilation=(1, 2)),
            of_depths("strides: exponential growth", 1, 100, (1,), stride=(2, 3)),
            of_depths("dilations that grow", 2, 100, (2, 3), dilation=(1, 2)),
        ),
        truth=depth_reached,
        rules=DEPTH_RULES,
        show=lambda one, size, growth: f"{named([one])[1:-1]}, {size}, {growth}",
    ),
    Written(
        "03-examine",
        "examine",
        (
            of_slips("a layer counted twice", ("twice",)),
            of_slips("a layer left out", ("missing",)),
            of_slips("the layers from the wrong end", ("reversed",)),
            of_slips("any of these, or no slip at all", ("none", "twice", "missing", "reversed")),
        ),
        truth=examined,
        rules=EXAMINE_RULES,
        show=lambda layers, size: f"{named(layers)}, {size}",
    ),
)
