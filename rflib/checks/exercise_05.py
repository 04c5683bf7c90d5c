"""Exercise 05, graphs: windows over paths that part and meet, and a misalignment to find and to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from rflib.checks import graphs
from rflib.checks.graph_slips import MEETING_RULES, POSITIONS_RULES, WINDOW_RULES, Graph, positions
from rflib.checks.graphs import INPUT, conv, described, meet, upsample
from rflib.checks.reading import left, right
from rflib.checks.task import Designed, Inputs, Property, Rule, Written


def _drawn(graph: Callable[[Random], Graph]) -> Callable[[Random], Inputs]:
    return lambda random: [graph(random), random.randint(1, 6)]


EVEN = 0.15  # how often a block has an even kernel


def _block(kernel: int, stride: int = 1, dilation: int = 1, padding: Any = None) -> Graph:
    """A residual block of one layer."""
    around = graphs.same(kernel, dilation) if padding is None else padding
    shortcut = [conv("shortcut", INPUT, 1, stride)] if stride > 1 else []
    end = "shortcut" if shortcut else INPUT
    return [{"name": INPUT}, conv("conv", INPUT, kernel, stride, around, dilation), *shortcut, meet("sum", "conv", end)]


def _small_residual() -> Iterator[Inputs]:
    for unit in (0, 1, 2):
        for kernel, stride, dilation in ((3, 1, 1), (3, 2, 1), (5, 1, 1), (3, 1, 2), (3, 2, 2)):
            yield [_block(kernel, stride, dilation), unit]
    yield from ([graphs.residual(Random(seed)), 2] for seed in range(6))


def _two_branches(kernels: tuple[int, int], paddings: tuple[Any, Any], dilation: int = 1) -> Graph:
    names = ("left", "right")
    ends = [conv(n, INPUT, k, 1, p, dilation) for n, k, p in zip(names, kernels, paddings, strict=True)]
    return [{"name": INPUT}, *ends, meet("concat", *names)]


def _small_inception() -> Iterator[Inputs]:
    for unit in (0, 1, 2):
        yield [_two_branches((1, 3), (0, 1)), unit]
        yield [_two_branches((3, 1), (1, 0)), unit]
        yield [_two_branches((3, 3), ([2, 0], [0, 2])), unit]
        yield [_two_branches((3, 5), ([4, 0], 4), 2), unit]
        yield [[*_two_branches((1, 3), (0, 1)), conv("after", "concat", 3, 2, 1)], unit]
    yield from ([graphs.inception(Random(seed)), 2] for seed in range(6))


def _small_unet() -> Iterator[Inputs]:
    down = conv("pool", INPUT, 2, 2)
    for unit in (0, 1, 2, 3):
        yield [[{"name": INPUT}, down, upsample("up", "pool")], unit]
        yield [[{"name": INPUT}, down, upsample("up", "pool"), meet("concat", "up", INPUT)], unit]
    for seed in range(6):
        yield [graphs.unet(Random(seed), 1), seed]
    yield from ([graphs.unet(Random(seed)), 5 + seed] for seed in range(4))


def _sparse(random: Random) -> Graph:
    """A U-Net whose skip has a dilated layer, so that the union has holes."""
    graph: Graph = [{"name": INPUT}, conv("down", INPUT, 2, 2), upsample("up", "down")]
    dilation = random.choice((3, 4, 5))
    graph.append(conv("skip", INPUT, 3, 1, dilation, dilation))
    return [*graph, meet("concat", "up", "skip"), conv("out", "concat", random.choice((1, 2)), 1)]


def _small_sparse() -> Iterator[Inputs]:
    yield from ([_sparse(Random(seed)), unit] for seed in range(4) for unit in (0, 1, 2))


def _either(graph: Callable[[Random], Graph]) -> Callable[[Random], Inputs]:
    """A graph that is right, or spoiled in one layer or in two; or an even kernel, half a position off its shortcut."""

    def drawn(random: Random) -> Inputs:
        if random.random() < EVEN:
            return [_block(random.choice((2, 4)))]
        found = graph(random)
        for _ in range(random.choice((0, 1, 1, 2, 2))):
            found = graphs.spoiled(random, found)
        return [found]

    return drawn


def _alike_and_unlike(random: Random) -> Graph:
    """Branches whose windows are of one size, then branches of several sizes; all look at one place."""
    graph = [{"name": INPUT}, conv("stem", INPUT, 3, random.choice((1, 2)), 1)]
    start = "stem"
    for block, numbers in ((1, [(5, 1), (3, 2), (5, 1), (5, 1)]), (2, [(1, 1), (3, 1), (7, 1), (3, 3)])):
        chosen = random.sample(numbers, random.randint(2, 3))
        names = [f"branch{block}{letter}" for letter in "abc"[: len(chosen)]]
        for name, (kernel, dilation) in zip(names, chosen, strict=True):
            first, second = random.choice((((1, 1), (kernel, dilation)), ((kernel, dilation), (1, 1))))
            graph += [conv(f"{name}-1", start, first[0], 1, 0, first[1])]
            graph += [conv(name, f"{name}-1", second[0], 1, 0, second[1])]
        start = f"concat{block}"
        graph.append(meet(start, *names))
    return [n | {"padding": graphs.same(n["kernel_size"], n["dilation"])} if "kernel_size" in n else n for n in graph]


def _small_meetings(graph: Callable[[Random], Graph]) -> Callable[[], Iterator[Inputs]]:
    def small() -> Iterator[Inputs]:
        yield from (
            [_block(3)],
            [_block(2)],
            [_block(3, padding=[2, 0])],
            [_block(3, 2)],
            [_block(3, 2, padding=[0, 2])],
        )
        yield from ([_two_branches((3, 3), paddings)] for paddings in ((1, 1), ([0, 2], [0, 2]), ([0, 2], [2, 0])))
        yield from (_either(graph)(Random(seed)) for seed in range(20))

    return small


def _plain_residual(random: Random) -> Graph:
    """Two blocks of two layers without strides."""
    while True:
        graph = graphs.residual(random)
        if all(node.get("stride", 1) == 1 for node in graph):
            return graph


def _to_mend(graph: Callable[[Random], Graph], elsewhere: bool) -> Callable[[Random], Inputs]:
    """A spoiled graph, its length, and the layer whose padding may be changed: the spoiled one, or its neighbor."""

    def drawn(random: Random) -> Inputs:
        while True:
            clean = graph(random)
            broken = graphs.spoiled(random, clean)
            changed = [a["name"] for a, b in zip(broken, clean, strict=True) if a != b]
            if not graphs.misaligned(broken):
                continue
            free = changed[0][:-1] + ("b" if changed[0].endswith("a") else "a") if elsewhere else changed[0]
            given: Inputs = [broken, 32, free]
            if any(not _lacks(given, candidate) for candidate in _candidates(broken, free)):
                return given

    return drawn


def _candidates(graph: Graph, free: str) -> Iterator[Graph]:
    """The graph with each padding of a layer that keeps its length."""
    node = next(each for each in graph if each["name"] == free)
    around = left(node) + right(node)
    for at_left in range(around + 1):
        mended = node | {"padding": [at_left, around - at_left]}
        yield [mended if each["name"] == free else each for each in graph]


def _small_mend(graph: Callable[[Random], Graph], elsewhere: bool) -> Callable[[], Iterator[Inputs]]:
    return lambda: (_to_mend(graph, elsewhere)(Random(seed)) for seed in range(12))


def _valid_padding(padding: Any) -> bool:
    both = padding if isinstance(padding, list) else [padding, padding]
    return len(both) == 2 and all(type(side) is int and 0 <= side <= 1000 for side in both)


def _lacks(inputs: Inputs, answer: Any) -> str:
    """What a mended graph lacks."""
    graph, length, free = inputs
    if not isinstance(answer, list) or len(answer) != len(graph):
        return f"it is no list of {len(graph)} nodes"
    for before, after in zip(graph, answer, strict=True):
        if not isinstance(after, dict) or {**before, "padding": 0} != {**after, "padding": 0}:
            return f"the node {before['name']!r} differs in more than its padding"
        if ("padding" in before) != ("padding" in after):
            return f"the node {before['name']!r} differs in more than the value of its padding"
        if "padding" in after and not _valid_padding(after["padding"]):
            return f"the padding of {after['name']!r} is no whole number and no pair of them"
        if before["name"] != free and (left(before), right(before)) != (left(after), right(after)):
            return f"the padding of {before['name']!r} was changed; only that of {free!r} may be"
    return _still_wrong(graph, answer, length)


def _still_wrong(graph: Graph, answer: Graph, length: int) -> str:
    wanted, got = graphs.lengths(graph, length), graphs.lengths(answer, length)
    if got is None or wanted is None:
        return f"with an input of {length} maps of different length meet"
    other = [name for name in wanted if got[name] != wanted[name]]
    if other:
        return f"{other[0]!r} has {got[other[0]]} units, and had {wanted[other[0]]}"
    place = graphs.misaligned(answer)
    return f"the paths into {place!r} still look at different places" if place else ""


def _evened(inputs: Inputs, answer: Any) -> bool:
    """The free layer padded evenly although another one is off."""
    graph, _, free = inputs
    even = [n | {"padding": graphs.same(n["kernel_size"], n["dilation"])} if n["name"] == free else n for n in graph]
    return isinstance(answer, list) and _still_wrong_safe(inputs, answer) and _paddings(answer) == _paddings(even)


def _still_wrong_safe(inputs: Inputs, answer: Any) -> bool:
    return "look at different places" in _lacks(inputs, answer)


def _paddings(graph: Any) -> list[tuple[int, int]]:
    return [(left(n), right(n)) for n in graph if isinstance(n, dict) and "kernel_size" in n]


def _wanted_mend(inputs: Inputs) -> str:
    return f"the graph with another padding of {inputs[2]!r}, of the same lengths, whose paths look at one place"


def _shown(graph: Graph, *rest: Any) -> str:
    return ", ".join([described(graph), *map(repr, rest)])


TASKS = (
    Written(
        "05-window",
        "window",
        (
            Property("residual blocks", 2, _drawn(graphs.residual), _small_residual),
            Property("branches side by side", 2, _drawn(graphs.inception), _small_inception),
        ),
        show=_shown,
        truth=graphs.window,
        rules=WINDOW_RULES,
    ),
    Written(
        "05-positions",
        "positions",
        (
            Property("U-Nets", 2, _drawn(graphs.unet), _small_unet),
            Property("holes stay holes", 1, _drawn(_sparse), _small_sparse),
        ),
        show=_shown,
        truth=positions,
        rules=POSITIONS_RULES,
    ),
    Written(
        "05-meeting",
        "misaligned",
        (
            Property("blocks with shortcuts", 2, _either(graphs.residual), _small_meetings(graphs.residual)),
            Property("branches side by side", 1, _either(_alike_and_unlike), _small_meetings(_alike_and_unlike)),
        ),
        show=_shown,
        fewest=8,
        truth=graphs.misaligned,
        rules=MEETING_RULES,
    ),
    Designed(
        "05-mend",
        "mend",
        (
            Property(
                "the padding that was wrong", 1, _to_mend(graphs.residual, False), _small_mend(graphs.residual, False)
            ),
            Property(
                "another layer of the same path", 2, _to_mend(_plain_residual, True), _small_mend(_plain_residual, True)
            ),
        ),
        show=_shown,
        lacks=_lacks,
        wanted=_wanted_mend,
        rules=(
            Rule("M8", "You padded evenly; here another layer is off, and this one has to make up for it.", _evened),
        ),
    ),
)
