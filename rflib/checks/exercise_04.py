"""Exercise 04, regions: window and center of any unit, the box of a real network's unit, and what it really reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from rflib.checks.axes import along, cut, drawn_network, of_networks
from rflib.checks.reading import Plain, left, lengths_of, read, right
from rflib.checks.slips import NO_DILATION, NO_STRIDES, REVERSED, backwards, on
from rflib.checks.stacks import changed, counted, drawn, named, pasted, some
from rflib.checks.task import Inputs, Property, Rule, Written

# The truth, by brute force


def ends(layers: Sequence[Plain], unit: int) -> list[int]:
    """The first and the last position of a unit's window, as if no map had a border."""
    found = read(layers, [unit])
    return [min(found), max(found)]


def middle(layers: Sequence[Plain], unit: int) -> float:
    """The center of the window: the mean of its ends."""
    return sum(ends(layers, unit)) / 2


def box(network: Sequence[Plain], unit: Sequence[int], shape: Sequence[int]) -> list[list[int]]:
    """For each axis the window cut at the image, as the two ends of a slice."""
    return [cut_window(along(network, axis), unit[axis], shape[axis]) for axis in range(len(shape))]


def cut_window(layers: Sequence[Plain], unit: int, length: int) -> list[int]:
    """One axis of the box."""
    first, last = ends(layers, unit)
    return cut(first, last, length)


def really_read(layers: Sequence[Plain], unit: int, length: int) -> list[int]:
    """The positions that a unit reads of an input of this length, in order."""
    return sorted(read(layers, [unit], length))


# Slips


def padded(how: Callable[[Plain], Any]) -> Callable[[Sequence[Plain]], list[Plain]]:
    """The stack with each layer's padding taken in another way."""
    return lambda layers: [{**one, "padding": how(one)} for one in layers]


def shifted(layers: Sequence[Plain], unit: int) -> list[int]:
    """The paddings summed as they are, not each at its jump."""
    first, last = ends(changed(layers, padding=0), unit)
    return [first - sum(map(left, layers)), last - sum(map(left, layers))]


def last_stride(layers: Sequence[Plain], unit: int) -> list[int]:
    """The unit moved by the last layer's stride alone."""
    first, last = ends(layers, 0)
    return [first + unit * layers[-1]["stride"], last + unit * layers[-1]["stride"]]


NO_PADDING = "The padding is missing: it moves the window to the left, at each layer by the jump before it."
SUMMED = "You add the paddings as they are: each is counted in units of its own layer's input, one jump apart."
RIGHT_PADDING = "You take the padding on the right: only what is put in front of the first position moves the window."
BOTH_PADDINGS = "You take the padding of both sides together: only the left one moves the window."
UNIT_STRIDE = "You move a unit on by the last layer's stride: it is the jump, the product of all strides."
UNCUT = "This is the window uncut: an image has no negative positions, and none beyond its last."

WINDOW_RULES = (
    Rule("M8", NO_PADDING, on(padded(lambda one: 0), ends)),
    Rule("M8", SUMMED, shifted),
    Rule("M8", RIGHT_PADDING, on(padded(right), ends)),
    Rule("M8", BOTH_PADDINGS, on(padded(lambda one: left(one) + right(one)), ends)),
    Rule("M4", NO_DILATION, on(lambda layers: changed(layers, dilation=1), ends)),
    Rule("A6", NO_STRIDES, on(lambda layers: changed(layers, stride=1), ends)),
    Rule("M6", REVERSED, on(backwards, ends)),
    Rule("M7", UNIT_STRIDE, last_stride),
    Rule(
        "M15",
        "Your last position is one too far: it belongs to the window, as the first does.",
        lambda layers, unit: [ends(layers, unit)[0], ends(layers, unit)[1] + 1],
    ),
    Rule(
        None,
        "You return where the window begins and how long it is: the last position is wanted.",
        lambda layers, unit: [ends(layers, unit)[0], ends(layers, unit)[1] - ends(layers, unit)[0] + 1],
    ),
    Rule(
        "M12",
        "You cut the window at 0: here it may hang over the border.",
        lambda layers, unit: [max(0, end) for end in ends(layers, unit)],
    ),
    Rule(
        "M8",
        "The padding moves your window to the right: it is put in front, so the window begins earlier.",
        on(padded(lambda one: -left(one)), ends),
    ),
)

CENTER_RULES = (
    Rule("M24", "Half a position too far: first + (size - 1) / 2, not size / 2.", lambda x, u: middle(x, u) + 0.5),
    Rule("M24", "You round down: a window of even size has its center at a half.", lambda x, u: sum(ends(x, u)) // 2),
    Rule("M24", "You round up: a window of even size has its center at a half.", lambda x, u: -(-sum(ends(x, u)) // 2)),
    Rule("M5", "The dilation is missing in the center.", on(lambda layers: changed(layers, dilation=1), middle)),
    Rule("M8", NO_PADDING, on(padded(lambda one: 0), middle)),
    Rule("M8", SUMMED, lambda layers, unit: sum(shifted(layers, unit)) / 2),
    Rule("M8", RIGHT_PADDING, on(padded(right), middle)),
    Rule("A6", NO_STRIDES, on(lambda layers: changed(layers, stride=1), middle)),
    Rule("M6", REVERSED, on(backwards, middle)),
    Rule("M7", UNIT_STRIDE, lambda layers, unit: sum(last_stride(layers, unit)) / 2),
    Rule(
        "M24",
        "That is the jump times the unit: the center of unit 0 is at 0 only if padding and kernels make it so.",
        lambda layers, unit: middle(layers, unit) - middle(layers, 0),
    ),
    Rule("M24", "That is the first position of the window.", lambda layers, unit: ends(layers, unit)[0]),
)


def boxed(
    network: Sequence[Plain],
    unit: Sequence[int],
    shape: Sequence[int],
    axes: Sequence[int] = (0, 1),
    transformed: Callable[[Sequence[Plain]], Sequence[Plain]] = lambda layers: layers,
) -> list[list[int]]:
    """The boxes of somebody who takes other axes, or other layers."""
    layers = [transformed(along(network, axes[axis])) for axis in (0, 1)]
    return [cut_window(layers[axis], unit[axis], shape[axis]) for axis in (0, 1)]


def without(kind: str, **numbers: Any) -> Callable[..., Any]:
    """The rule that leaves out some numbers of one kind of module."""
    return lambda network, *others: box(
        [{**one, **numbers} if one["kind"] == kind else one for one in network], *others
    )


BOX_RULES = (
    Rule("M12", UNCUT, lambda x, u, n: [[a, b + 1] for a, b in (ends(along(x, i), u[i]) for i in (0, 1))]),
    Rule(
        "M12",
        "You cut at the lower end alone: the window may hang over the other border too.",
        lambda x, u, n: [[max(0, a), b + 1] for a, b in (ends(along(x, i), u[i]) for i in (0, 1))],
    ),
    Rule(
        "M12",
        "You cut at the upper end alone: a slice that begins at -1 begins at the last pixel.",
        lambda x, u, n: [[a, min(n[i], b + 1)] for i in (0, 1) for a, b in [ends(along(x, i), u[i])]],
    ),
    Rule(
        "M15",
        "A slice ends before its second number: one more than the last position.",
        lambda x, u, n: [[a, b - 1] for a, b in box(x, u, n)],
    ),
    Rule(None, "Rows and columns are exchanged: rows first.", lambda x, u, n: box(x, u, n)[::-1]),
    Rule(
        None,
        "You take the first number of each pair for both axes: the second is that of the columns.",
        lambda x, u, n: boxed(x, u, n, axes=(0, 0)),
    ),
    Rule(
        None,
        "You take the second number of each pair for both axes: the first is that of the rows.",
        lambda x, u, n: boxed(x, u, n, axes=(1, 1)),
    ),
    Rule("M8", NO_PADDING, lambda x, u, n: boxed(x, u, n, transformed=padded(lambda one: 0))),
    Rule("M4", NO_DILATION, lambda x, u, n: boxed(x, u, n, transformed=lambda y: changed(y, dilation=1))),
    Rule("A6", NO_STRIDES, lambda x, u, n: boxed(x, u, n, transformed=lambda y: changed(y, stride=1))),
    Rule("M6", REVERSED, lambda x, u, n: boxed(x, u, n, transformed=backwards)),
    Rule("M8", "The ZeroPad2d is missing: it moves the window, as any padding does.", without("pad", padding=[0] * 4)),
    Rule(
        "M8",
        "You read the four numbers of ZeroPad2d as top, bottom, left, right: they are left, right, top, bottom.",
        lambda x, u, n: box(
            [{**y, "padding": y["padding"][2:] + y["padding"][:2]} if y["kind"] == "pad" else y for y in x], u, n
        ),
    ),
    Rule("M8", RIGHT_PADDING, lambda x, u, n: boxed(x, u, n, transformed=padded(right))),
)


def ideal_cut(layers: Sequence[Plain], unit: int, length: int) -> list[int]:
    """The ideal set cut at the input alone."""
    return sorted(x for x in read(layers, [unit]) if 0 <= x < length)


def below_alone(layers: Sequence[Plain], unit: int, length: int) -> list[int]:
    """Maps that begin at 0 and never end, and an input that ends."""
    found = {unit}
    for one in reversed(layers):
        found = {x for x in read([one], found) if x >= 0}
    return sorted(x for x in found if x < length)


def in_reach(positions: Sequence[int]) -> list[int]:
    """All positions from the first to the last."""
    return list(range(min(positions), max(positions) + 1)) if positions else []


PIXEL_RULES = (
    Rule(
        "M17",
        "You fill the holes: dilation and strides leave out positions inside the window.",
        lambda layers, unit, length: [x for x in in_reach(sorted(read(layers, [unit]))) if 0 <= x < length],
    ),
    Rule(
        "M17",
        "You fill the holes between the first and the last position that is read.",
        lambda layers, unit, length: in_reach(really_read(layers, unit, length)),
    ),
    Rule(
        "M8",
        "You cut at the input alone: a unit in the padding of a map in between does not exist and reads nothing.",
        ideal_cut,
    ),
    Rule("M8", "Your maps in between have no end: a unit beyond their last one does not exist.", below_alone),
    Rule("M12", UNCUT, lambda layers, unit, length: sorted(read(layers, [unit]))),
    Rule(
        "M8",
        NO_PADDING,
        lambda layers, unit, length: sorted(x for x in read(changed(layers, padding=0), [unit]) if 0 <= x < length),
    ),
    Rule("M4", NO_DILATION, on(lambda layers: changed(layers, dilation=1), really_read)),
    Rule("A6", NO_STRIDES, on(lambda layers: changed(layers, stride=1), really_read)),
    Rule("M6", REVERSED, on(backwards, really_read)),
    Rule("M8", RIGHT_PADDING, on(padded(lambda one: [right(one), left(one)]), really_read)),
    Rule("M9", "That is how many positions there are: which ones?", lambda x, u, n: len(really_read(x, u, n))),
    Rule(
        None,
        "Those are the ends of what is read: list every position.",
        lambda x, u, n: [min(really_read(x, u, n)), max(really_read(x, u, n))],
    ),
)

# What is asked

ONE_SIDED = {"padding": (0, 1, 2)}
TWO_SIDED = {"padding": ([0, 1], [2, 0], [1, 3], [0, 0], 1)}
WILD: dict[str, Any] = {"stride": (1, 2, 3), "dilation": (1, 2, 3)}


def of_units(sentence: str, **choices: Any) -> Property:
    """A property of functions of a stack and a unit, worth a point."""

    def small() -> Iterator[Inputs]:
        for stack in [*counted(1, **choices), *some(24, depth=(2, 3), **choices)]:
            yield from ([stack, unit] for unit in (0, 1, 4))

    return Property(sentence, 1, lambda random: [drawn(random, (2, 4), **choices), random.randint(0, 40)], small)


def of_lengths(sentence: str, points: int, where: str, depth: tuple[int, int], **choices: Any) -> Property:
    """A property of `pixels`: units at the ends or in the middle of the last map."""

    def placed(random: Random, stack: list[Plain], length: int) -> Inputs:
        units = lengths_of(stack, length)[-1]
        unit = {"middle": units // 2, "first": 0, "last": units - 1}
        return [stack, random.randrange(units) if where == "any" else unit[where or "middle"], length]

    def fits(inputs: Inputs) -> bool:
        return bool(really_read(*inputs))

    def draw(random: Random) -> Inputs:
        while True:
            stack, length = drawn(random, depth, **choices), random.randint(16, 40)
            if lengths_of(stack, length)[-1] > 0 and fits(found := placed(random, stack, length)):
                return found

    def small() -> Iterator[Inputs]:
        random = Random(sentence)
        for stack in [*(counted(1, **choices) if depth[0] == 1 else []), *some(60, depth=depth, **choices)]:
            for length in (8, 12):
                if lengths_of(stack, length)[-1] > 0 and fits(found := placed(random, stack, length)):
                    yield found

    return Property(sentence, points, draw, small)


TASKS = (
    Written(
        "04-window",
        "window",
        (
            of_units("kernels, strides and dilations without padding", **WILD),
            of_units("padding where the stride is 1", **ONE_SIDED),
            of_units("padding behind strides", stride=(1, 2, 3), **ONE_SIDED),
            of_units("other padding on the left than on the right", **WILD | TWO_SIDED),
        ),
        truth=ends,
        rules=WINDOW_RULES,
        show=lambda layers, unit: f"{named(layers)}, {unit}",
    ),
    Written(
        "04-center",
        "center",
        (
            of_units("whole positions: kernels of 1, 3 and 5", kernel_size=(1, 3, 5), stride=(1, 2), **ONE_SIDED),
            of_units("half positions", kernel_size=(2, 3, 4), stride=(1, 2), **ONE_SIDED),
            of_units("dilations, and padding of two kinds", **WILD | TWO_SIDED),
        ),
        truth=middle,
        rules=CENTER_RULES,
        show=lambda layers, unit: f"{named(layers)}, {unit}",
    ),
    Written(
        "04-box",
        "box",
        of_networks(drawn_network),
        truth=box,
        rules=BOX_RULES,
        prepare="network_first",
        show=lambda network, unit, shape: f"{pasted(network)}, {tuple(unit)}, {tuple(shape)}",
    ),
    Written(
        "04-pixels",
        "pixels",
        (
            of_lengths("holes, in the middle of a long input", 1, "middle", (2, 3), stride=(1, 2), dilation=(1, 2, 3)),
            of_lengths("the border of the input: one layer", 1, "any", (1, 1), **WILD | TWO_SIDED),
            of_lengths("units in the padding of a map in between", 1, "first", (2, 4), **WILD | ONE_SIDED),
            of_lengths("any unit of any stack", 1, "any", (2, 4), **WILD | TWO_SIDED),
        ),
        truth=really_read,
        rules=PIXEL_RULES,
        show=lambda layers, unit, length: f"{named(layers)}, {unit}, {length}",
    ),
)
