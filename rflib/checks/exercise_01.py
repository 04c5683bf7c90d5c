"""Exercise 01, definition: what a unit of a real network reads, found by poking; the field; who reads a position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from rflib.checks.poking import (
    Lie,
    Poked,
    answering,
    changed,
    drawn_network,
    fewer,
    graded,
    more,
    some_networks,
    units_of,
)
from rflib.checks.reading import Plain, read, span
from rflib.checks.stacks import pasted, reading_layers
from rflib.checks.task import Inputs, Property, Rule

Network = Sequence[Plain]
LARGE = 1e6

# The truth, by brute force


def really_read(network: Network, length: int, unit: int) -> list[int]:
    """The positions that a unit reads of an input of this length."""
    return sorted(read(reading_layers(network), [unit], length))


def size_and_jump(network: Network) -> list[int]:
    """The size of a window that no border cuts, and how far neighbors are apart."""
    first, second = (read(reading_layers(network), [unit]) for unit in (0, 1))
    return [span(first), min(second) - min(first)]


def readers(network: Network, length: int, position: int) -> list[int]:
    """The units that read a position."""
    return [unit for unit in range(units_of(network, length)) if position in really_read(network, length, unit)]


# Slips

GRADIENT = (
    "A gradient of zero is no proof: a max-pool passes it to the winner alone, a ReLU that is off passes none. Poke, "
    "with large values of both signs."
)
SMALL_POKE = "A small poke is lost where a max-pool has a larger value, or a ReLU is off. Poke with a large value."
ONE_SIGN = "You poke in one direction: behind a negative weight a ReLU swallows it. Poke upward and downward."
ZEROED = "You set positions to zero: a value that is no winner of its max-pool, or is zero already, changes nothing."
MISSED = (
    "Every position in your list is read, and others are missing: where nothing changed, nothing is proven. Poke with "
    "large values of both signs."
)
TOO_MUCH = "You list positions that the unit cannot read: look at this unit alone, and compare with ==."

POSITION_RULES = (
    Rule("M20", ONE_SIGN, lambda network, length, unit: answering(network, length, unit, "zeros", LARGE)),
    Rule("M20", ONE_SIGN, lambda network, length, unit: answering(network, length, unit, "zeros", -LARGE)),
    Rule("M20", GRADIENT, lambda network, length, unit: graded(network, length, unit, "ones")),
    Rule("M20", GRADIENT, lambda network, length, unit: graded(network, length, unit, "zeros")),
    Rule("M20", SMALL_POKE, lambda network, length, unit: answering(network, length, unit, "zeros", 1.0)),
    Rule("M20", SMALL_POKE, lambda network, length, unit: answering(network, length, unit, "ones", 1.0)),
    Rule("M20", ZEROED, lambda network, length, unit: answering(network, length, unit, "ones", None)),
    Rule(
        "M17",
        "You fill the holes: list the positions that are read, not the window.",
        lambda network, length, unit: _filled(really_read(network, length, unit)),
    ),
    Rule(None, "Those are the first and the last: list every position.", lambda *given: _ends(really_read(*given))),
    Rule(None, "That is how many positions there are: which ones?", lambda *given: len(really_read(*given))),
    Rule(
        None,
        "That is a mask: list the numbers of the positions where it holds.",
        lambda network, length, unit: [x in really_read(network, length, unit) for x in range(length)],
    ),
    Rule(
        None,
        "You look at unit 0 whatever the unit.",
        lambda network, length, unit: really_read(network, length, 0),
    ),
    Rule(
        None,
        "Your positions are one too far to the right: the first one is 0.",
        lambda *given: [x + 1 for x in really_read(*given)],
    ),
    Lie("M20", MISSED, lambda network, length, unit: graded(network, length, unit, "random"), alike=fewer),
    Lie("M20", TOO_MUCH, lambda network, length, unit: list(range(length)), alike=more),
)


def _filled(positions: Sequence[int]) -> list[int]:
    return list(range(min(positions), max(positions) + 1)) if positions else []


def _ends(positions: Sequence[int]) -> list[int]:
    return [min(positions), max(positions)]


def sized(found: Callable[[Network], int]) -> Callable[[Network], list[int]]:
    """The rule whose size is wrong and whose jump is right."""
    return lambda network: [found(network), size_and_jump(network)[1]]


def jumping(found: Callable[[Network], int]) -> Callable[[Network], list[int]]:
    """The rule whose jump is wrong and whose size is right."""
    return lambda network: [size_and_jump(network)[0], found(network)]


def at_the_border(network: Network) -> int:
    """The span of unit 0 in an input so long that the other end does not matter."""
    return span(really_read(network, 120, 0) or [0])


def strides(network: Network) -> list[int]:
    """The strides of the modules that have one."""
    return [module["stride"] for module in network if "stride" in module]


LONG = 120  # an input that cuts no inner unit's window
INNER_GRADIENT = (
    "Your window is too small: where nothing changed, nothing is proven. Poke with large values of both signs."
)

FIELD_RULES = (
    Rule(
        "M20",
        "Your window is cut by the border: take a long input, and a unit in its middle.",
        sized(at_the_border),
    ),
    Rule(
        "M17",
        "You count the positions that are read: the size goes from the first to the last, holes included.",
        sized(lambda network: len(read(reading_layers(network), [0]))),
    ),
    Rule("M15", "From the first to the last, both count: one more.", sized(lambda x: size_and_jump(x)[0] - 1)),
    Rule("M15", "Your size is one too large: last - first + 1.", sized(lambda x: size_and_jump(x)[0] + 1)),
    Rule("M2", "That is the first layer's kernel size.", sized(lambda network: int(network[0]["kernel_size"]))),
    Rule(
        "A7",
        "You add the kernel sizes.",
        sized(lambda network: sum(one["kernel_size"] for one in network if "kernel_size" in one)),
    ),
    Rule("M8", "Padding is in your size: it moves a window.", sized(lambda x: size_and_jump(x)[0] + _padding(x))),
    Rule(None, "The jump is how far the next unit's window has moved; yours is always 1.", jumping(lambda network: 1)),
    Rule("M7", "That is the last layer's stride, not the jump.", jumping(lambda network: strides(network)[-1])),
    Rule(None, "You add the strides: they multiply.", jumping(lambda network: sum(strides(network)))),
    Rule(None, "Size and jump are exchanged.", lambda network: size_and_jump(network)[::-1]),
    Rule(None, "The jump is missing: return both numbers.", lambda network: size_and_jump(network)[0]),
    Lie(
        "M20",
        INNER_GRADIENT,
        sized(lambda network: span(graded(network, LONG, units_of(network, LONG) // 2, "random") or [0])),
        alike=lambda answer, truth: isinstance(answer, list) and len(answer) == 2 and answer[0] < truth[0],
    ),
)


def _padding(network: Network) -> int:
    return sum(2 * one.get("padding", 0) for one in network)


def told_by(test: Callable[[Network, int, int], Sequence[int]]) -> Callable[[Network, int, int], list[int]]:
    """The units that read a position, by a test of units that lies."""

    def rule(network: Network, length: int, position: int) -> list[int]:
        return [unit for unit in range(units_of(network, length)) if position in test(network, length, unit)]

    return rule


READER_RULES = (
    Rule("M20", ONE_SIGN, lambda network, length, position: changed(network, length, position, "zeros", LARGE)),
    Rule("M20", ONE_SIGN, lambda network, length, position: changed(network, length, position, "zeros", -LARGE)),
    Rule("M20", SMALL_POKE, lambda network, length, position: changed(network, length, position, "zeros", 1.0)),
    Rule("M20", SMALL_POKE, lambda network, length, position: changed(network, length, position, "ones", 1.0)),
    Rule("M20", ZEROED, lambda network, length, position: changed(network, length, position, "ones", None)),
    Rule("M20", GRADIENT, told_by(lambda network, length, unit: graded(network, length, unit, "ones"))),
    Rule(
        None,
        "Those are the positions that a unit of this number reads: the question goes the other way.",
        lambda network, length, position: (
            really_read(network, length, position) if position < units_of(network, length) else []
        ),
    ),
    Rule(
        "M17",
        "You fill the holes: units between the first and the last may read over this position.",
        lambda *given: _filled(readers(*given)),
    ),
    Rule(None, "Those are the first and the last unit: list every one.", lambda *given: _ends(readers(*given))),
    Rule(None, "That is how many units there are: which ones?", lambda *given: len(readers(*given))),
    Rule(
        "A1",
        "Only the unit at the same place: every unit whose window holds the position may change.",
        lambda network, length, position: [position],
    ),
    Rule(
        None,
        "That is a mask: list the numbers of the units where it holds.",
        lambda network, length, position: [
            unit in readers(network, length, position) for unit in range(units_of(network, length))
        ],
    ),
    Rule(
        None,
        "These are the units that you can still trust: the others are wanted.",
        lambda network, length, position: [
            unit for unit in range(units_of(network, length)) if unit not in readers(network, length, position)
        ],
    ),
    Rule(None, "Your units are one too many to the right: the first is 0.", lambda *x: [u + 1 for u in readers(*x)]),
    Lie("M20", MISSED, told_by(lambda network, length, unit: graded(network, length, unit, "random")), alike=fewer),
    Lie("M20", TOO_MUCH, lambda network, length, position: list(range(units_of(network, length))), alike=more),
)

# What is asked

DEPTH = (2, 3)
KINDS = {
    "conv": ("conv", "average"),
    "relu": ("conv", "relu"),
    "max": ("max", "conv"),
    "all": ("conv", "max", "relu", "average"),
}


def placed(random: Random, network: list[Plain], what: str) -> Inputs | None:
    """A network, a length, and a unit ("inner" or "border") or a position; None where nothing is read."""
    length = random.randint(14, 24)
    units = units_of(network, length)
    if units < 3:
        return None
    place = {
        "inner": units // 2,
        "border": random.choice((0, units - 1)),
        "position": random.randrange(length),
    }[what]
    asked = readers if what == "position" else really_read
    return [network, length, place] if asked(network, length, place) else None


def of_places(sentence: str, points: int, style: str, what: str, padded: bool = False) -> Property:
    """A property of functions of a network, a length and a place."""

    def draw(random: Random) -> Inputs:
        while True:
            found = placed(random, drawn_network(random, KINDS[style], DEPTH, padded), what)
            if found:
                return found

    def small() -> Iterator[Inputs]:
        random = Random(sentence)
        for network in some_networks(sentence, 16, KINDS[style], (1, 3), padded):
            found = placed(random, network, what)
            if found:
                yield found

    return Property(sentence, points, draw, small)


def of_fields(sentence: str, style: str, padded: bool) -> Property:
    """A property of `field`, worth a point."""

    def draw(random: Random) -> Inputs:
        return [drawn_network(random, KINDS[style], DEPTH, padded)]

    def small() -> Iterator[Inputs]:
        yield from ([network] for network in some_networks(sentence, 16, KINDS[style], (1, 3), padded))

    return Property(sentence, 1, draw, small)


def shown(network: Network, length: int, place: int) -> str:
    """The call of a function of a network, a length and a place."""
    return f"{pasted(network)}, {length}, {place}"


TASKS = (
    Poked(
        "01-positions",
        "positions",
        (
            of_places("convolutions and average-pools, with strides and holes", 1, "conv", "inner"),
            of_places("behind a ReLU", 1, "relu", "inner"),
            of_places("behind a max-pool", 2, "max", "inner"),
            of_places("units at the border, with padding", 1, "all", "border", padded=True),
        ),
        truth=really_read,
        rules=POSITION_RULES,
        prepare="network_first",
        show=shown,
    ),
    Poked(
        "01-field",
        "field",
        (
            of_fields("convolutions and average-pools", "conv", padded=False),
            of_fields("padding: the border cuts windows", "conv", padded=True),
            of_fields("ReLUs and max-pools", "all", padded=True),
        ),
        truth=size_and_jump,
        rules=FIELD_RULES,
        prepare="network_first",
        show=pasted,
    ),
    Poked(
        "01-readers",
        "readers",
        (
            of_places("convolutions and average-pools", 1, "conv", "position"),
            of_places("ReLUs and max-pools", 2, "all", "position", padded=True),
        ),
        truth=readers,
        rules=READER_RULES,
        prepare="network_first",
        show=shown,
    ),
)
