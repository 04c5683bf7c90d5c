"""Exercise 02, recursion: both walks through a stack, a table of a real network, and the input that a tile needs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from random import Random
from typing import Any

from rflib.checks.properties import ALL, DILATIONS, STACKS
from rflib.checks.reading import Plain, levels, read, span
from rflib.checks.slips import (
    FULL_KERNEL,
    HOLES,
    NO_DILATION,
    NO_STRIDES,
    ONE_MORE,
    OWN_STRIDE,
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
from rflib.checks.stacks import changed, counted, drawn, layer, named, pasted, reading_layers, some
from rflib.checks.task import Property, Rule, Written

# The truth, by brute force


def size_and_jump(layers: Sequence[Plain]) -> list[int]:
    """How far unit 0 sees, and where unit 1 begins, counted on sets of positions."""
    first, second = read(layers, [0]), read(layers, [1])
    return [span(first), min(second) - min(first)]


def walked_back(layers: Sequence[Plain]) -> list[int]:
    """How many units of each map one unit of the last layer spans, the input first."""
    return [span(level) for level in levels(layers, [0])]


def rows(network: Sequence[Plain]) -> list[list[int]]:
    """Size and jump behind each module."""
    layers = reading_layers(network)
    return [size_and_jump(layers[: place + 1]) for place in range(len(layers))]


def together(layers: Sequence[Plain], units: int) -> int:
    """How many positions neighboring units span together."""
    return span(read(layers, range(units)))


# Slips that have a sum of their own


def own_stride(layers: Sequence[Plain]) -> list[int]:
    """Each layer's steps times its own stride."""
    return [1 + sum((extent(one) - 1) * one["stride"] for one in layers), size_and_jump(layers)[1]]


def kernels_added(layers: Sequence[Plain]) -> list[int]:
    """The kernel sizes added up."""
    return [sum(one["kernel_size"] for one in layers), size_and_jump(layers)[1]]


FORWARD_RULES = (
    Rule("M4", NO_DILATION, on(lambda layers: changed(layers, dilation=1), size_and_jump)),
    Rule("M6", REVERSED, on(backwards, size_and_jump)),
    Rule("A6", NO_STRIDES, on(lambda layers: changed(layers, stride=1), size_and_jump)),
    Rule(
        "A6",
        "The strides are missing in the size: each step of a layer is as long as the jump before it.",
        lambda layers: [size_and_jump(changed(layers, stride=1))[0], size_and_jump(layers)[1]],
    ),
    Rule(
        "M7",
        TOO_EARLY,
        lambda layers: [size_and_jump(strides_first(layers))[0], size_and_jump(layers)[1]],
    ),
    Rule("M7", OWN_STRIDE, own_stride),
    Rule("A7", "You add the kernel sizes: a layer adds its steps, k - 1, times the jump before it.", kernels_added),
    Rule("A7", ONE_MORE, on(one_tap_more, size_and_jump)),
    Rule("M8", PADDED, on(widened("padding"), size_and_jump)),
    Rule("M3", HOLES, on(holes, size_and_jump)),
    Rule("A10", TOO_WIDE, on(widened("dilation less one"), size_and_jump)),
    Rule(
        None,
        "Your jump is the one before the last layer; that layer's stride is missing.",
        lambda layers: [size_and_jump(layers)[0], size_and_jump([*layers[:-1], {**layers[-1], "stride": 1}])[1]],
    ),
    Rule(
        None,
        "You add the strides: a step of one layer is s steps of the layer before, so they multiply.",
        lambda layers: [size_and_jump(layers)[0], sum(one["stride"] for one in layers)],
    ),
    Rule(
        "M15",
        "Your size is one less: it counts steps. The first position counts too, so begin with 1.",
        lambda layers: [size_and_jump(layers)[0] - 1, size_and_jump(layers)[1]],
    ),
)

BACKWARD_RULES = (
    Rule("M4", NO_DILATION, on(lambda layers: changed(layers, dilation=1), walked_back)),
    Rule(None, "Your list is the wrong way round: the input stands first.", lambda layers: walked_back(layers)[::-1]),
    Rule(
        "M7",
        "These are the sizes of the walk from the input on. This walk begins with one unit of the last layer.",
        lambda layers: [1, *(size_and_jump(layers[: place + 1])[0] for place in range(len(layers)))],
    ),
    Rule("M6", REVERSED, on(backwards, walked_back)),
    Rule("A6", NO_STRIDES, on(lambda layers: changed(layers, stride=1), walked_back)),
    Rule(
        "A6",
        FULL_KERNEL,
        on(widened("stride"), walked_back),
    ),
    Rule(
        "A6",
        "You add k - 1 and not k - s: that is right for a stride of 1 alone.",
        on(widened("stride less one"), walked_back),
    ),
    Rule(
        "A7",
        ONE_MORE,
        on(one_tap_more, walked_back),
    ),
    Rule("M8", PADDED, on(widened("padding"), walked_back)),
    Rule("M3", HOLES, on(holes, walked_back)),
    Rule("A10", TOO_WIDE, on(widened("dilation less one"), walked_back)),
    Rule(None, "The unit itself is missing: the last entry is 1.", lambda layers: walked_back(layers)[:-1]),
    Rule(None, "The input is missing: take the step through the first layer too.", lambda x: walked_back(x)[1:]),
    Rule(None, "Only the size in the input: every map has an entry.", lambda layers: walked_back(layers)[0]),
)


def without(network: Sequence[Plain], *kinds: str) -> list[Plain]:
    """The network, the named kinds reading nothing but their own place."""
    return [{"kind": "relu"} if module["kind"] in kinds else module for module in network]


def doubled(network: Sequence[Plain]) -> list[list[int]]:
    """Each pool with a stride doubles the size: the mistake M1."""
    found: list[list[int]] = []
    behind = [[1, 1], *rows(network)]
    for module, before, after in zip(network, behind, behind[1:], strict=False):
        size = found[-1][0] if found else 1
        pooled = module["kind"] in ("max", "average")
        found.append([size * module["stride"] if pooled else size + after[0] - before[0], after[1]])
    return found


def replaced(network: Sequence[Plain], **numbers: Any) -> list[Plain]:
    """The network, some numbers replaced in the modules that have them."""
    return [{**module, **{name: value for name, value in numbers.items() if name in module}} for module in network]


TABLE_RULES = (
    Rule("M4", NO_DILATION, on(lambda network: replaced(network, dilation=1), rows)),
    Rule(
        "M4",
        "The dilation of the max-pools is missing: a pool has a dilation too.",
        on(lambda network: [{**one, **({"dilation": 1} if one["kind"] == "max" else {})} for one in network], rows),
    ),
    Rule(
        None,
        "The pools are missing: they read windows and have strides, as convolutions do.",
        on(lambda network: without(network, "max", "average"), rows),
    ),
    Rule("M1", "You double the size at a pool: it doubles the jump, and adds one step.", doubled),
    Rule("A6", NO_STRIDES, on(lambda network: replaced(network, stride=1), rows)),
    Rule(
        None,
        "Rows are missing: ReLU and batch norm have one too, equal to the row before.",
        lambda network: [
            row for row, one in zip(rows(network), network, strict=True) if one["kind"] not in ("relu", "batch-norm")
        ],
    ),
    Rule(
        None,
        "Your jump is the one before the layer; the row wants the one behind it.",
        lambda network: [
            [row[0], before[1]] for row, before in zip(rows(network), [[1, 1], *rows(network)], strict=False)
        ],
    ),
    Rule(
        "M7",
        TOO_EARLY,
        lambda network: [
            [size_and_jump(strides_first([layer(1), *full(network)[: place + 1]]))[0], row[1]]
            for place, row in enumerate(rows(network))
        ],
    ),
    Rule("M6", REVERSED, on(backwards, rows)),
    Rule(None, "You return the last row alone: every module has one.", lambda network: rows(network)[-1]),
    Rule(
        "M2",
        "Your rows are the layers' own kernels and strides: each row is to hold what the stack up to there sees.",
        lambda network: [[extent(one), one["stride"]] for one in full(network)],
    ),
    Rule(
        "A7",
        ONE_MORE,
        on(
            lambda network: [
                {**one, "kernel_size": one["kernel_size"] + 1} if "kernel_size" in one else one for one in network
            ],
            rows,
        ),
    ),
)


def full(network: Sequence[Plain]) -> list[Plain]:
    """The layers of a network, all four numbers said."""
    return [{**layer(1), **one} for one in reading_layers(network)]


NEEDED_RULES = (
    Rule("M4", NO_DILATION, on(lambda layers: changed(layers, dilation=1), together)),
    Rule(
        None,
        "You multiply the size by the number of units: windows of neighbors overlap.",
        lambda layers, units: units * together(layers, 1),
    ),
    Rule(
        None,
        "You move one position from unit to unit: it is one jump.",
        lambda layers, units: together(layers, 1) + units - 1,
    ),
    Rule(
        "M15",
        "You make one jump too many: from the first of n units to the last it is n - 1.",
        lambda layers, units: together(layers, units + 1),
    ),
    Rule(None, "That is the size of one unit's window.", lambda layers, units: together(layers, 1)),
    Rule("M6", REVERSED, on(backwards, together)),
    Rule("A6", NO_STRIDES, on(lambda layers: changed(layers, stride=1), together)),
    Rule(
        "M9",
        "That is the number of units times the jump: the last unit's window reaches beyond it.",
        lambda layers, units: units * size_and_jump(layers)[1],
    ),
    Rule("M8", PADDED, on(widened("padding"), together)),
    Rule(
        "A6",
        FULL_KERNEL,
        on(widened("stride"), together),
    ),
    Rule("M3", HOLES, on(holes, together)),
)

# What is asked


def module(random: Random, kinds: Sequence[str], dilations: Sequence[int]) -> Plain:
    """One module of a network in two axes, drawn at random."""
    kind = random.choice(kinds)
    if kind == "relu":
        return {"kind": "relu"}
    if kind == "batch-norm":
        return {"kind": "batch-norm", "axes": 2, "features": 1}
    size = random.randint(2, 3) if kind != "conv" else random.choice((1, 3, 5))
    given = {"kind": kind, "axes": 2, "kernel_size": size, "stride": random.choice((1, 2, size))}
    return given if kind == "average" else {**given, "dilation": random.choice(dilations)}


def network(random: Random, kinds: Sequence[str], dilations: Sequence[int] = (1,), times: int = 1) -> list[Plain]:
    """A network of four to eight modules, several times as many, whose units stay within 64 positions of each other."""
    while True:
        found = [module(random, kinds, dilations) for _ in range(times * random.randint(4, 8))]
        if prod(one.get("stride", 1) for one in found) <= 64:
            return found


def conv(kernel_size: int, stride: int = 1, dilation: int = 1) -> Plain:
    """A convolution in two axes."""
    return {"kind": "conv", "axes": 2, "kernel_size": kernel_size, "stride": stride, "dilation": dilation}


def pool(kernel_size: int, stride: int, kind: str = "max", **more: int) -> Plain:
    """A pool in two axes."""
    return {"kind": kind, "axes": 2, "kernel_size": kernel_size, "stride": stride, **more}


RELU: Plain = {"kind": "relu"}
NORM: Plain = {"kind": "batch-norm", "axes": 2, "features": 1}


def of_networks(
    sentence: str, small: Sequence[list[Plain]], kinds: Sequence[str], dilations: Sequence[int] = (1,)
) -> Property:
    """A property of the table, worth a point."""
    return Property(
        sentence, 1, lambda random: [network(random, kinds, dilations)], lambda: [[given] for given in small]
    )


CONVS = [[conv(3)], [conv(3, 2)], [conv(3), RELU], [conv(3, 2), RELU, conv(3)], [conv(5, 3), NORM, RELU, conv(3, 2)]]
POOLS = [
    [pool(2, 2)],
    [conv(3), pool(2, 2)],
    [conv(3), pool(2, 2, "average")],
    [conv(3), RELU, pool(3, 2), conv(3)],
    [conv(5, 2), pool(3, 3, "average"), NORM, RELU, conv(3, 2), pool(2, 1)],
]
DILATED = [
    [conv(3, dilation=2)],
    [conv(3), conv(3, dilation=4)],
    [conv(3, 2), RELU, pool(3, 1, dilation=2)],
    [pool(2, 2, dilation=3), NORM, conv(3, 2, 2), RELU, conv(3, dilation=2)],
]
VGG_16 = [
    one for block in (2, 2, 3, 3, 3) for one in [*(part for _ in range(block) for part in (conv(3), RELU)), pool(2, 2)]
]

TASKS = (
    Written("02-forward", "forward", STACKS, truth=size_and_jump, rules=FORWARD_RULES, show=named),
    Written("02-backward", "backward", STACKS, truth=walked_back, rules=BACKWARD_RULES, show=named),
    Written(
        "02-table",
        "table",
        (
            of_networks("convolutions, and a row for every module", CONVS, ("conv", "conv", "relu", "batch-norm")),
            of_networks("max-pools and average-pools", POOLS, ("conv", "max", "average", "relu")),
            of_networks("dilation, in convolutions and max-pools", DILATED, ("conv", "max", "relu"), (1, 2, 3)),
            Property(
                "a whole network: VGG-16, and others as deep",
                1,
                lambda random: [network(random, ("conv", "conv", "max", "relu"), (1, 2), times=2)],
                lambda: [[[conv(3), RELU, pool(2, 2)]], [VGG_16]],
            ),
        ),
        truth=rows,
        rules=TABLE_RULES,
        prepare="network_first",
        show=pasted,
    ),
    Written(
        "02-needed",
        "needed",
        (
            Property(
                "units one position apart: no strides",
                1,
                lambda random: [drawn(random, **DILATIONS), random.randint(1, 30)],
                lambda: [[stack, units] for stack in counted(1, dilation=(1, 2)) for units in (1, 2, 5)],
            ),
            Property(
                "units further apart",
                2,
                lambda random: [drawn(random, **ALL), random.randint(2, 30)],
                lambda: [[stack, units] for stack in some(30, depth=(1, 3), **ALL) for units in (2, 3)],
            ),
        ),
        truth=together,
        rules=NEEDED_RULES,
        show=lambda layers, units: f"{named(layers)}, {units}",
    ),
)
