"""Slips in reading a graph: each answers by brute force for the graph that somebody who makes it has in mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from rflib.checks import graphs
from rflib.checks.reading import Plain, left, right
from rflib.checks.task import Rule

Graph: TypeAlias = list[Plain]
Below: TypeAlias = Callable[[Plain, int], set[int]]


def in_line(graph: Sequence[Plain]) -> Graph:
    """All layers in line, in the order of the list, meetings left out."""
    found: Graph = [{"name": graph[0]["name"]}]
    for node in graph[1:]:
        if len(node["from"]) == 1:
            found.append(node | {"from": [found[-1]["name"]]})
    return found


def one_path(graph: Sequence[Plain], which: int) -> Graph:
    """Only the first or the last of the maps that meet."""
    return [node | {"from": [node["from"][which]]} if "from" in node else node for node in graph]


def changed(graph: Sequence[Plain], **numbers: Any) -> Graph:
    """Every layer with some numbers replaced."""
    return [node | numbers if "kernel_size" in node else node for node in graph]


def one_tap_more(graph: Sequence[Plain]) -> Graph:
    """Every kernel wider by one tap."""
    return [node | {"kernel_size": node["kernel_size"] + 1} if "kernel_size" in node else node for node in graph]


def right_for_left(graph: Sequence[Plain]) -> Graph:
    """The padding on the right taken for that on the left."""
    return [node | {"padding": right(node)} if "padding" in node else node for node in graph]


def shared(graph: Sequence[Plain], unit: int) -> list[int]:
    """The part of the window that lies in the windows of all paths, node by node."""
    wanted = {graph[-1]["name"]: (unit, unit)}
    for node in reversed(graph[1:]):
        first, last = wanted[node["name"]]
        found = min(graphs.below(node, first)), max(graphs.below(node, last))
        for name in node["from"]:
            old = wanted.get(name, found)
            wanted[name] = max(found[0], old[0]), min(found[1], old[1])
    return list(wanted[graph[0]["name"]])


def largest_at_the_first(graph: Sequence[Plain], unit: int) -> list[int]:
    """The largest window that some path has, its first position that of the first path."""
    first = graphs.window(one_path(graph, 0), unit)
    whole = graphs.window(one_path(graph, -1), unit)
    return [first[0], first[0] + max(first[1] - first[0], whole[1] - whole[0])]


CHAIN = "You walked through all layers in line, as if there were no branches; a unit reads the union over its paths."
FIRST = (
    "You followed the first map of every meeting, or let it replace the others; they read too, and may reach further."
)
LAST = "You followed the last map of every meeting; the others read too, and may reach further."
PADDING = "You left the padding out: it does not change the size, and it moves the window."
DILATION = "You left the dilation out."
STRIDE = "You left the strides out; behind a stride neighbors lie further apart."
UNIT_0 = "This is what unit 0 reads; each unit further lies a stride further."
EXCLUSIVE = "The last position is one too far: both ends are read."
ONE_MORE = "You let a kernel of k taps make k steps: from the first tap to the last it is k - 1."
RIGHT = "You took the padding on the right; the padding on the left moves the window."
SHARED = "You kept what all paths read; a unit reads what any of its paths reads."
SIZE = "You gave the size in the place of the last position."
LARGEST = "You gave the largest window of a path the start of the first one."
FILLED = "You filled the holes: what lies between the taps is not read."
ENDS = "You gave the ends of the window; every position that is read is asked for."
SPACING = "You let an upsampled map keep its spacing: unit u of a repeat is a copy of unit u // n."
MULTIPLIED = "You multiplied by the factor of a repeat: unit u is a copy of unit u // n."
ROUNDED_UP = "You rounded up behind a repeat: unit u is a copy of unit u // n."
INSIDE = "You left out the negative positions; here maps go on without end."

Answer: TypeAlias = Callable[[Graph, int], Any]


def positions(graph: Graph, unit: int) -> list[int]:
    """All positions that a unit reads, in rising order."""
    return sorted(graphs.reads(graph, [unit]))


def _reading_rules(answer: Answer) -> tuple[Rule, ...]:
    """The slips of somebody who otherwise answers right."""
    return (
        Rule("M13", CHAIN, lambda graph, unit: answer(in_line(graph), unit)),
        Rule("M13", FIRST, lambda graph, unit: answer(one_path(graph, 0), unit)),
        Rule("M13", LAST, lambda graph, unit: answer(one_path(graph, -1), unit)),
        Rule("M8", PADDING, lambda graph, unit: answer(changed(graph, padding=0), unit)),
        Rule("M4", DILATION, lambda graph, unit: answer(changed(graph, dilation=1), unit)),
        Rule("A6", STRIDE, lambda graph, unit: answer(changed(graph, stride=1), unit)),
        Rule("M15", ONE_MORE, lambda graph, unit: answer(one_tap_more(graph), unit)),
        Rule(None, UNIT_0, lambda graph, unit: answer(graph, 0)),
    )


WINDOW_RULES = (
    *_reading_rules(graphs.window),
    Rule(None, RIGHT, lambda graph, unit: graphs.window(right_for_left(graph), unit)),
    Rule("M13", SHARED, shared),
    Rule("M13", LARGEST, largest_at_the_first),
    Rule("M15", EXCLUSIVE, lambda graph, unit: [graphs.window(graph, unit)[0], graphs.window(graph, unit)[1] + 1]),
    Rule(
        None,
        SIZE,
        lambda graph, unit: [graphs.window(graph, unit)[0], len(range(*graphs.window(graph, unit))) + 1],
    ),
)


def _filled(graph: Graph, unit: int) -> list[int]:
    first, last = graphs.window(graph, unit)
    return list(range(first, last + 1))


def _repeating(graph: Graph, unit: int, copied: Callable[[int, int], int]) -> list[int]:
    """All positions, if a unit of a repeat were a copy of another unit."""

    def found(name: str, units: set[int]) -> set[int]:
        node = next(each for each in graph if each["name"] == name)
        if "from" not in node:
            return units
        if "upsample" in node:
            units = {copied(each, node["upsample"]) for each in units}
        else:
            units = {position for each in units for position in graphs.below(node, each)}
        return set().union(*(found(each, units) for each in node["from"]))

    return sorted(found(graph[-1]["name"], {unit}))


POSITIONS_RULES = (
    *_reading_rules(positions),
    Rule("M17", FILLED, _filled),
    Rule(None, ENDS, graphs.window),
    Rule(None, SPACING, lambda graph, unit: _repeating(graph, unit, lambda u, n: u)),
    Rule(None, MULTIPLIED, lambda graph, unit: _repeating(graph, unit, lambda u, n: u * n)),
    Rule(None, ROUNDED_UP, lambda graph, unit: _repeating(graph, unit, lambda u, n: -(-u // n))),
    Rule("M12", INSIDE, lambda graph, unit: [x for x in positions(graph, unit) if x >= 0]),
)


def _first_where(graph: Graph, of: Callable[[list[int]], Any]) -> str | None:
    """The first meeting of maps whose windows for unit 0 differ in something."""
    for node in graphs.meetings(graph):
        if len({of(graphs.window(graph, 0, name)) for name in node["from"]}) > 1:
            return str(node["name"])
    return None


def _uneven_beside(graph: Graph) -> str | None:
    """The first meeting with a map that is padded unevenly."""
    uneven = {node["name"] for node in graph if "kernel_size" in node and left(node) != right(node)}
    return next((str(node["name"]) for node in graphs.meetings(graph) if uneven & set(node["from"])), None)


def _last_misaligned(graph: Graph) -> str | None:
    """The last of the misaligned meetings."""
    places = [str(node["name"]) for node in graphs.meetings(graph)]
    cut = [graph[: 1 + next(i for i, node in enumerate(graph) if node["name"] == place)] for place in places]
    found = [place for place, part in zip(places, cut, strict=True) if _off_at_the_end(part)]
    return found[-1] if found else None


def _off_at_the_end(graph: Graph) -> bool:
    centers = {sum(graphs.window(graph, 0, name)) for name in graph[-1]["from"]}
    return len(centers) > 1


def _map_before(graph: Graph) -> str | None:
    """The first of the maps that meet there."""
    place = graphs.misaligned(graph)
    return next((str(node["from"][0]) for node in graph if node["name"] == place), None)


ONE_END = "You compared one end of the windows alone; windows of different size around one center begin and end apart."

MEETING_RULES = (
    Rule(
        "M24",
        "You lost half a position: a center may lie between two positions, so do not round it.",
        lambda graph: _first_where(graph, lambda window: sum(window) // 2),
    ),
    Rule(
        None,
        "You compared strides alone; equal strides can still start at different places.",
        lambda graph: None,
    ),
    Rule(
        None,
        ONE_END,
        lambda graph: _first_where(graph, lambda window: window[0]),
    ),
    Rule(
        None,
        ONE_END,
        lambda graph: _first_where(graph, lambda window: window[1]),
    ),
    Rule(
        "M8",
        "You left the padding out, so that only sizes are compared; it is the padding that moves a window.",
        lambda graph: _first_where(graph, lambda window: window[1] - window[0]),
    ),
    Rule("M5", DILATION, lambda graph: graphs.misaligned(changed(graph, dilation=1))),
    Rule(
        "M8",
        "You looked at the paddings next to the meeting; what came before them moves the window too.",
        _uneven_beside,
    ),
    Rule(None, "You named the last misaligned meeting; the first is asked for.", _last_misaligned),
    Rule(None, "You named a map that meets there; the meeting is asked for.", _map_before),
    Rule(
        None,
        "You said whether there is one; which one is asked for.",
        lambda graph: graphs.misaligned(graph) is not None,
    ),
    Rule(
        None,
        "You named the first meeting, whatever happens there.",
        lambda graph: str(graphs.meetings(graph)[0]["name"]),
    ),
    Rule(
        None,
        "You named the last meeting, whatever happens there.",
        lambda graph: str(graphs.meetings(graph)[-1]["name"]),
    ),
)
