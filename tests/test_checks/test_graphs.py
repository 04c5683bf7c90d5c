"""The windows that graphs are judged by, held against the library's exact graphs; and answers of every kind."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from rflib import Layer
from rflib.checks import catalog, exercise_05, graphs
from rflib.checks.graphs import conv, meet, upsample
from rflib.checks.plain import plain
from rflib.checks.reading import Plain, left, right
from rflib.graph.axis_graph import Graph

DRAWS = 150
FAMILIES: dict[str, Callable[[Random], list[Plain]]] = {
    "residual": graphs.residual,
    "inception": graphs.inception,
    "unet": graphs.unet,
    "sparse": exercise_05._sparse,
    "branches": exercise_05._alike_and_unlike,
}


def built(plain_graph: list[Plain]) -> tuple[Graph, dict[str, int]]:
    """The same graph, as the library knows it, and its nodes by name."""
    graph, nodes = Graph(), {}
    for node in plain_graph:
        before = [nodes[name] for name in node.get("from", ())]
        if not before:
            nodes[node["name"]] = graph.input()
        elif "kernel_size" in node:
            layer = Layer(node["kernel_size"], node["stride"], (left(node), right(node)), node["dilation"])
            nodes[node["name"]] = graph.layer(layer, before[0], name=node["name"])
        elif "upsample" in node:
            nodes[node["name"]] = graph.upsample(node["upsample"], before[0])
        else:
            nodes[node["name"]] = graph.add(*before, name=node["name"])
    return graph, nodes


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_are_those_of_the_library(family: str) -> None:
    random = Random(1)
    for _ in range(DRAWS):
        plain_graph = FAMILIES[family](random)
        graph, nodes = built(plain_graph)
        for unit in (0, 1, random.randint(2, 9)):
            found = graph.window(nodes[plain_graph[-1]["name"]])
            assert tuple(graphs.window(plain_graph, unit)) == found.interval(unit), graphs.described(plain_graph)


@pytest.mark.parametrize("family", ["residual", "inception", "branches"])
@pytest.mark.parametrize("spoil", [False, True])
def test_a_misaligned_meeting_is_the_one_that_the_library_names(family: str, spoil: bool) -> None:
    random = Random(2)
    named = 0
    for _ in range(DRAWS):
        plain_graph = FAMILIES[family](random)
        if spoil:
            plain_graph = graphs.spoiled(random, plain_graph)
        graph, nodes = built(plain_graph)
        found = graphs.misaligned(plain_graph)
        named += found is not None
        meetings = [node["name"] for node in graphs.meetings(plain_graph)]
        first = next((name for name in meetings if not graph.window(nodes[name]).aligned), None)
        assert found == first, graphs.described(plain_graph)
    assert (named == 0) is (family in ("residual", "branches") and not spoil)


def forward(plain_graph: list[Plain], x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every map of the graph, all weights 1, so that nothing cancels."""
    maps = {plain_graph[0]["name"]: x}
    for node in plain_graph[1:]:
        y = torch.stack([maps[name] for name in node["from"]]).sum(0)
        if "kernel_size" in node:
            weight = torch.ones(1, 1, node["kernel_size"], dtype=torch.float64)
            padded = functional.pad(y, (left(node), right(node)))
            y = functional.conv1d(padded, weight, stride=node["stride"], dilation=node["dilation"])
        maps[node["name"]] = y.repeat_interleave(node.get("upsample", 1), dim=-1)
    return maps


@pytest.mark.parametrize("family", FAMILIES)
def test_positions_are_those_that_real_layers_read(family: str) -> None:
    random = Random(3)
    for _ in range(40):
        plain_graph = FAMILIES[family](random)
        x = torch.zeros(1, 1, 128, dtype=torch.float64, requires_grad=True)
        output = forward(plain_graph, x)[plain_graph[-1]["name"]][0, 0]
        unit = len(output) // 2
        [slope] = torch.autograd.grad(output[unit], x)
        assert sorted(graphs.reads(plain_graph, [unit])) == slope[0, 0].nonzero().flatten().tolist()


def test_lengths_are_those_of_real_layers_or_none() -> None:
    random, none = Random(4), 0
    for _ in range(150):
        plain_graph = random.choice((graphs.residual, graphs.unet))(random)
        chosen = random.choice([each for each in plain_graph if "kernel_size" in each])
        uneven = {"padding": [random.randint(0, 2), random.randint(0, 2)]}
        plain_graph = [each | uneven if each is chosen else each for each in plain_graph]
        try:
            maps = forward(plain_graph, torch.zeros(1, 1, 32, dtype=torch.float64))
        except RuntimeError:
            maps, none = {}, none + 1
        assert graphs.lengths(plain_graph, 32) == ({name: y.shape[-1] for name, y in maps.items()} or None)
    assert 0 < none < 150


def test_small_pieces() -> None:
    assert graphs.same(3) == 1
    assert graphs.same(4) == [1, 2]
    assert graphs.same(3, 4) == 4
    diamond = [
        {"name": "input"},
        conv("a", "input", 3, padding=[2, 0]),
        meet("sum", "a", "input"),
        upsample("up", "sum"),
    ]
    assert graphs.window(diamond, 3) == [-1, 1]
    assert graphs.misaligned(diamond[:3]) == "sum"
    assert graphs.described(diamond).endswith("sum = meet(a, input); up = repeat(sum, upsample=2)")


@pytest.mark.parametrize("place", [0, 1])
def test_every_graph_to_mend_is_misaligned_and_can_be_mended_in_one_way_at_least(place: int) -> None:
    task, random = catalog.find("05-mend"), Random(place)
    for _ in range(100):
        graph, length, free = task.properties[place].draw(random)
        assert task.fault([graph, length, free], copy.deepcopy(graph)) is not None
        good = [each for each in exercise_05._candidates(graph, free) if not task.fault([graph, length, free], each)]
        assert len(good) == 1
        if place:
            even = [n | {"padding": 1} if n["name"] == free else n for n in graph]
            assert task.fault([graph, length, free], even) is not None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(ANYTHING, ANYTHING, st.integers(0, 30), st.integers(0, 7))
def test_nothing_that_is_handed_in_for_a_mended_graph_raises(answer: Any, value: Any, seed: int, place: int) -> None:
    task = catalog.find("05-mend")
    inputs = task.properties[seed % 2].draw(Random(seed))
    assert task.fault(inputs, plain(answer)) is not None
    node = inputs[0][place % len(inputs[0])]
    for name in (*node, "padding", "more"):
        spoiled = [each | {name: plain(value)} if each is node else each for each in inputs[0]]
        fault = task.fault(inputs, spoiled)
        assert fault is None or str(fault)
