"""Plain graphs: what their units read, by brute force, and graphs drawn at random.

A plain graph is a list of nodes in the order in which they are computed. The first is the input. A node is a layer, or
"upsample": n, which repeats every unit n times, or, with neither, a meeting, where maps are added or put side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from rflib.checks.reading import Plain, left, lengths_of, taps

INPUT = "input"


def conv(name: str, before: str, kernel_size: int, stride: int = 1, padding: Any = 0, dilation: int = 1) -> Plain:
    """A layer of a graph.

    Example:
        >>> conv("conv1", "input", 3)
        {'name': 'conv1', 'from': ['input'], 'kernel_size': 3, 'stride': 1, 'padding': 0, 'dilation': 1}
    """
    node: Plain = {"name": name, "from": [before]}
    return node | {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}


def meet(name: str, *before: str) -> Plain:
    """A meeting of maps."""
    return {"name": name, "from": list(before)}


def upsample(name: str, before: str, factor: int = 2) -> Plain:
    """Every unit repeated."""
    return {"name": name, "from": [before], "upsample": factor}


def below(node: Plain, unit: int) -> set[int]:
    """The units of the node's own inputs that one of its units reads."""
    if "kernel_size" in node:
        return taps(node, unit)
    return {unit // node.get("upsample", 1)}


def reads(graph: Sequence[Plain], units: Iterable[int], node: str = "") -> set[int]:
    """The input positions that some units of a node read, as if every map went on without end.

    Example:
        >>> graph = [{"name": "input"}, conv("a", "input", 3, padding=1), meet("sum", "a", "input")]
        >>> sorted(reads(graph, [4]))
        [3, 4, 5]

    Args:
        graph: A plain graph.
        units: Units of the node.
        node: Its name; by default the last.
    """
    wanted: dict[str, set[int]] = {each["name"]: set() for each in graph}
    wanted[node or graph[-1]["name"]] = set(units)
    for each in reversed(graph[1:]):
        read = {position for unit in wanted[each["name"]] for position in below(each, unit)}
        for name in each["from"]:
            wanted[name] |= read
    return wanted[graph[0]["name"]]


def window(graph: Sequence[Plain], unit: int, node: str = "") -> list[int]:
    """First and last position that a unit reads."""
    found = reads(graph, [unit], node)
    return [min(found), max(found)]


def meetings(graph: Sequence[Plain]) -> list[Plain]:
    """The nodes where maps meet, in order."""
    return [node for node in graph if len(node.get("from", ())) > 1]


def misaligned(graph: Sequence[Plain]) -> str | None:
    """The first meeting whose maps look at different places: their windows have other centers for the same unit.

    Without upsampling; a center is the mean of the window's ends.
    """
    for node in meetings(graph):
        centers = [[sum(window(graph, unit, name)) for unit in (0, 1)] for name in node["from"]]
        if any(each != centers[0] for each in centers):
            return str(node["name"])
    return None


def lengths(graph: Sequence[Plain], length: int) -> dict[str, int] | None:
    """How long every map is; None where maps of different length meet or a map would be empty."""
    found = {graph[0]["name"]: length}
    for node in graph[1:]:
        given = {found[name] for name in node["from"]}
        if len(given) != 1:
            return None
        [before] = given
        own = lengths_of([node], before)[-1] if "kernel_size" in node else before * node.get("upsample", 1)
        if own < 1:
            return None
        found[node["name"]] = own
    return found


def same(kernel_size: int, dilation: int = 1) -> int | list[int]:
    """The padding that keeps the length: on both sides alike, the larger half on the right where it is odd."""
    around = dilation * (kernel_size - 1)
    return around // 2 if around % 2 == 0 else [around // 2, around - around // 2]


def residual(random: Random, blocks: int = 2) -> list[Plain]:
    """Blocks of two layers with a shortcut; a block with a stride has a strided 1x1 on the shortcut."""
    graph: list[Plain] = [{"name": INPUT}]
    start = INPUT
    for block in range(1, blocks + 1):
        stride = random.choice((1, 2))
        kernel, dilation = random.choice((3, 3, 5)), random.choice((1, 1, 2))
        graph += [
            conv(f"conv{block}a", start, kernel, stride, same(kernel, dilation), dilation),
            conv(f"conv{block}b", f"conv{block}a", 3, 1, 1),
        ]
        shortcut = start
        if stride > 1:
            shortcut = f"shortcut{block}"
            graph.append(conv(shortcut, start, 1, stride))
        start = f"sum{block}"
        graph.append(meet(start, f"conv{block}b", shortcut))
    return graph


def inception(random: Random) -> list[Plain]:
    """A first layer, then branches of their own kernels, pooling among them, some of them off center, then a layer."""
    graph = [{"name": INPUT}, conv("stem", INPUT, 3, random.choice((1, 2)), 1)]
    ends = []
    for branch in range(1, random.randint(3, 4) + 1):
        kernel, dilation = random.choice((1, 3, 5, 7)), random.choice((1, 2))
        shift = random.choice((0, 0, 1, 2)) if kernel > 1 else 0
        around = dilation * (kernel - 1)
        at_left = min(around, around // 2 + shift)
        graph.append(conv(f"reduce{branch}", "stem", 1))
        graph.append(conv(f"branch{branch}", f"reduce{branch}", kernel, 1, [at_left, around - at_left], dilation))
        ends.append(f"branch{branch}")
    return [*graph, meet("concat", *ends), conv("after", "concat", random.choice((1, 2, 3)), random.choice((1, 2)), 1)]


def unet(random: Random, depth: int = 2) -> list[Plain]:
    """Down by strides or pools, up by repeating, with a skip at every level."""
    graph: list[Plain] = [{"name": INPUT}]
    start, skips = INPUT, []
    for level in range(1, depth + 1):
        kernel = random.choice((1, 3))
        graph.append(conv(f"down{level}", start, kernel, 1, kernel // 2))
        skips.append(f"down{level}")
        graph.append(conv(f"pool{level}", f"down{level}", 2, 2))
        start = f"pool{level}"
    graph.append(conv("bottom", start, 3, 1, 1))
    start = "bottom"
    for level in range(depth, 0, -1):
        kernel = random.choice((1, 3))
        graph.append(upsample(f"up{level}", start))
        graph.append(meet(f"concat{level}", f"up{level}", skips[level - 1]))
        graph.append(conv(f"out{level}", f"concat{level}", kernel, 1, kernel // 2))
        start = f"out{level}"
    return graph


def spoiled(random: Random, graph: Sequence[Plain], move: int = 1) -> list[Plain]:
    """The graph with the window of one layer moved: padding from one side put to the other."""
    movable = [node["name"] for node in graph if node.get("kernel_size", 1) > 1]
    chosen = random.choice(movable)
    found = []
    for node in graph:
        if node["name"] == chosen:
            around = node["dilation"] * (node["kernel_size"] - 1)
            at_left = max(0, min(around, left(node) + random.choice((-move, move))))
            node = node | {"padding": [at_left, around - at_left]}
        found.append(node)
    return found


def described(graph: Sequence[Plain]) -> str:
    """A graph in one line, for feedback.

    Example:
        >>> described([{"name": "input"}, conv("a", "input", 3, 2, 1), meet("sum", "a", "input")])
        'input; a = conv(input, kernel_size=3, stride=2, padding=1); sum = meet(a, input)'
    """
    ordinary = {"stride": 1, "padding": 0, "dilation": 1}
    said = []
    for node in graph:
        if "from" not in node:
            said.append(str(node["name"]))
            continue
        numbers = [f"{k}={v}" for k, v in node.items() if k not in ("name", "from") and ordinary.get(k) != v]
        kind = "conv" if "kernel_size" in node else "repeat" if "upsample" in node else "meet"
        said.append(f"{node['name']} = {kind}({', '.join([*node['from'], *numbers])})")
    return "; ".join(said)
