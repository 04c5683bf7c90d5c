"""The cases on which the branch explorer's JavaScript must say what rflib's graph says.

Run as `python -m tests.test_widgets.cases_branches FILE`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import rflib as rf
from rflib.graph import sets
from rflib.graph.axis_graph import Graph
from rflib.widgets.branches import BranchExplorer, built, checked_branches

Case = dict[str, Any]
COUNT, UNITS, LENGTHS = 330, (-3, 0, 1, 2, 5, 14), (64, 7, 3)


def a_spec(random: Random, stride: int, kind: str | None = None) -> Case:
    kind = kind or random.choice(("conv", "conv", "conv", "pool"))
    kernel, dilation = random.randint(1, 5), random.choice((1, 1, 1, 2, 3))
    same = dilation * (kernel - 1) // 2
    padding = random.choice(((0, 0), (same, same), (same, same), (2 * same, 0), (random.randint(-3, 5), 1)))
    return {"kind": kind, "kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}


def a_branch(random: Random, down: int, up: int) -> list[Case]:
    """Layers that go down and up by these factors, among others that do neither."""
    steps = [("conv", f) for f in (2, 3, 4) if down == f] + [(random.choice(("transposed", "nearest")), up)] * (up > 1)
    result = [a_spec(random, stride, kind if kind != "conv" else None) for kind, stride in steps]
    for _ in range(random.randint(0 if result else 1, 2)):
        result.insert(random.randint(0, len(result)), a_spec(random, 1))
    return [] if not steps and random.random() < 0.25 else result


def drawn(random: Random) -> list[list[Case]]:
    """Two or three branches, usually of one stride."""
    shape = random.choice(((1, 1), (1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (4, 2), (2, 3)))
    result = []
    tidy = random.random() < 0.35
    for _ in range(random.choice((2, 2, 3))):
        result.append(a_branch(random, *(shape if random.random() < 0.85 else (2, 1))))
        if shape[0] == shape[1] and random.random() < 0.3:
            result[-1] = a_branch(random, 1, 1)
        for spec in result[-1] if tidy else []:  # such branches are aligned more often than not
            odd = spec["kernel_size"] // 2 * 2 + (spec["stride"] % 2 or spec["kind"] == "conv")
            spec |= {"kernel_size": max(odd, spec["stride"]), "dilation": 1}
            spec["padding"] = ((spec["kernel_size"] - 1) // 2,) * 2
    return result


def text(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def lengths(branches: Any, length: int) -> list[int | None]:
    """How many units each branch makes of an input of that many positions, by rflib's graph."""
    found: list[int | None] = []
    for branch in branches:
        graph = Graph()
        node: int | None = graph.input(length)
        for spec in branch:
            layer = rf.Layer(spec["kernel_size"], spec["stride"], tuple(spec["padding"]), spec["dilation"])
            try:
                if spec["kind"] == "nearest":
                    node = graph.upsample(spec["stride"], node)
                else:
                    node = (graph.transposed if spec["kind"] == "transposed" else graph.layer)(layer, node)
            except rf.LayerError:
                node = None
                break
        found.append(None if node is None else graph.nodes[node].shape[0])
    return found


def pulled(graph: Graph, node: int, unit: int) -> list[int]:
    """What a unit of a node reads, pulled back through the graph unit by unit: no rule of windows takes part."""
    boxes = [box for found in graph.pull(node, ((unit, 1),), bounded=False).values() for box in found]
    return sorted({position for (positions,) in boxes for position in sets.members(positions)})


def case_of(given: list[list[Case]]) -> Case:
    branches = checked_branches(given)
    explorer = BranchExplorer(branches)
    graph, ends = built(branches, "add")
    return {
        "kind": "branches",
        "branches": branches,
        "aligned": graph.window(len(graph.nodes) - 1).aligned,
        "verdict": explorer.verdict,
        "lines": [None if line is None else [text(line[0]), text(line[1])] for line in explorer.lines],
        "units": [[unit, [pulled(graph, end, unit) for end in ends], explorer.positions(unit)] for unit in UNITS],
        "windows": [[unit, explorer.windows(unit)] for unit in UNITS],
        "lengths": [[length, lengths(branches, length)] for length in LENGTHS],
    }


def all_cases(number: int = COUNT) -> list[Case]:
    """The same cases every time."""
    random = Random(0)
    return [case_of(drawn(random)) for _ in range(number)]


def refusals() -> Iterator[Case]:
    """Branches that cannot be drawn, and Python's sentence."""
    layer = {"kind": "conv", "kernel_size": 3, "stride": 1, "padding": [1, 1], "dilation": 1}
    changes = [{"kernel_size": 0}, {"kernel_size": 16}, {"stride": 5}, {"dilation": 0}, {"padding": [400, 0]}]
    wrong = [[[layer], [layer, {**layer, **change}]] for change in changes]
    wrong += [[[layer] * 7, []], [[], [{**layer, "stride": 4}] * 5]]
    wrong += [[[{**layer, "kind": kind, "stride": 3}] * 3, []] for kind in ("nearest", "transposed")]
    wrong += [[[], [{**layer, "kernel_size": 15, "dilation": 15}, {**layer, "kernel_size": 15, "dilation": 14}]]]
    for branches in wrong:
        try:
            checked_branches(branches)
        except rf.LayerError as error:
            yield {"kind": "refused branches", "branches": branches, "message": str(error)}
        else:
            raise AssertionError(f"{branches} was accepted.")


def write(path: Path) -> None:
    path.write_text(json.dumps([*all_cases(), *refusals()], allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to write the cases: python -m tests.test_widgets.cases_branches FILE")
    write(Path(sys.argv[1]))
