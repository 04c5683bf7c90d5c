"""Graphs along one axis: every unit and every answer of random networks against sets written out in Python."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from axis_programs import Program, programs
from hypothesis import given, settings

import rflib as rf
from rflib import Layer
from rflib.errors import LayerError, ModelError, NoSingleAnswerError
from rflib.graph import sets
from rflib.graph.sets import Box, Set

MANY = settings(max_examples=max(300, settings.default.max_examples))

# --- random networks -------------------------------------------------------------------------------------------------


def at(found: dict[int, list[Box]]) -> set[int]:
    """The positions of the one input, which is node 0."""
    assert set(found) <= {0}
    return {n for (s,) in found.get(0, []) for n in sets.members(s)}


@given(programs(with_length=True))
@MANY
def test_what_every_unit_reads_and_every_position_reaches(program: Program) -> None:
    graph = program.graph()
    assert [n.shape for n in graph.nodes] == [(n,) for n in program.lengths]
    for index, units in enumerate(program.lengths):
        readers: dict[int, set[int]] = {}
        for u in range(units):
            real, ideal = program.seen(index, u, True), program.seen(index, u, False)
            assert at(graph.pull(index, ((u, 1),))) == real, (index, u)
            assert at(graph.pull(index, ((u, 1),), bounded=False)) == ideal, (index, u)
            for n in real:
                readers.setdefault(n, set()).add(u)
        every = set().union(*(program.seen(index, u, True) for u in range(units)))
        assert at(graph.pull(index, (sets.interval(0, units - 1),))) == every
        for n in range(program.lengths[0]):
            found = {u for (s,) in graph.push(0, ((n, 1),), index) for u in sets.members(s)}
            assert found == readers.get(n, set()), (index, n)


@given(programs(with_length=True))
@MANY
def test_the_windows_of_a_graph_with_a_length(program: Program) -> None:
    graph = program.graph()
    for index, units in enumerate(program.lengths):
        window = graph.window(index)
        for u in range(-5, units + 5):
            assert set(sets.members(window.line.at(u))) == program.seen(index, u, False), (index, u)
        check_numbers(window, program, index, units)


@given(programs(with_length=False))
@MANY
def test_the_windows_of_a_graph_without_a_length(program: Program) -> None:
    graph = program.graph()
    for index in range(len(program.lengths)):
        window = graph.window(index)
        for u in (*range(-9, 9), 1000):
            truth = program.seen(index, u, False)
            assert set(sets.members(window.line.at(u))) == truth, (index, u)
            assert window.interval(u) == ((min(truth), max(truth)) if truth else None)
            assert at(graph.pull(index, ((u, 1),), bounded=False)) == truth
        if len(program.slopes(index)) == 1:
            check_numbers(window, program, index, program.period(index))
        else:
            with pytest.raises(NoSingleAnswerError):
                _ = window.sizes


def check_numbers(window: rf.Window, program: Program, index: int, units: int) -> None:
    """Size, stride, padding, density: of the units that exist, or of one period of them."""
    windows = [program.seen(index, u, False) for u in range(units)]
    spans = [max(w) - min(w) + 1 if w else 0 for w in windows]
    assert window.sizes == (min(spans), max(spans))
    assert window.size == max(spans)
    widest = windows[spans.index(max(spans))]
    assert window.density == (len(widest) / max(spans) if widest else 0.0)
    slopes = program.slopes(index)
    assert window.stride == (slopes.pop() if len(slopes) == 1 else None)
    first = min(windows[0]) if windows[0] else None
    assert window.padding == (None if first is None or window.stride is None else -first)


# --- windows by hand -------------------------------------------------------------------------------------------------


def test_a_stack_has_the_numbers_of_the_closed_form() -> None:
    layers = [Layer(7, 2, 3), Layer(3, 2, 1), Layer(3, 1, 2, 2), Layer(1, 2)]
    graph = rf.Graph()
    found = graph.window(graph.stack(layers, graph.input()))
    field = rf.receptive_field(layers)
    assert (found.size, found.stride, found.padding) == (field.size, field.stride, field.padding)
    assert found.density == field.density
    assert found.interval(-4) == field.interval(-4)
    assert found.sizes == (field.size, field.size)


def test_the_input_sees_itself() -> None:
    graph = rf.Graph()
    found = graph.window(graph.input())
    assert (found.size, found.stride, found.padding, found.density, found.aligned) == (1, 1, 0, 1.0, True)


def test_whole_strides_are_integers_and_others_fractions() -> None:
    graph = rf.Graph()
    x = graph.input()
    up = graph.upsample(3, x)
    strides = [graph.window(n).stride for n in (up, graph.layer(Layer(1, 2), up), graph.layer(Layer(1, 6), up))]
    assert strides == [Fraction(1, 3), Fraction(2, 3), 2]
    assert [type(s) for s in strides] == [Fraction, Fraction, int]


def test_windows_of_two_strides_have_a_size_only_where_the_units_end() -> None:
    """Unit u sees u and 2 u: the window of the last of eight units holds 7 to 14."""
    graph = rf.Graph()
    x = graph.input(15)
    cut = graph.layer(Layer(1, padding=(0, -7)), x)
    both = graph.window(graph.add(cut, graph.layer(Layer(1, 2), x)))
    assert (both.sizes, both.size, both.density, both.stride, both.padding) == ((1, 8), 8, 2 / 8, None, None)
    assert both.interval(7) == (7, 14)
    assert not both.aligned


def test_units_that_read_nothing() -> None:
    """A transposed convolution of one tap and stride 2 leaves every second unit empty, and padding unit 0."""
    graph = rf.Graph()
    spread = graph.transposed(Layer(1, 2), graph.input(4), name="spread")
    found = graph.window(spread)
    assert (found.sizes, found.interval(1), found.padding) == ((0, 1), None, 0)
    shifted = graph.window(graph.transposed(Layer(1, 2, (1, 0)), 0))
    assert (shifted.interval(0), shifted.padding) == (None, None)
    lone = graph.window(graph.transposed(Layer(1, 3, (1, 8)), 0))
    assert (lone.units, lone.sizes, lone.density) == (1, (0, 0), 0.0)


def test_maps_are_named_by_the_caller_by_the_layer_or_by_their_number() -> None:
    graph = rf.Graph()
    x = graph.input(9, name="image")
    named = Layer(3, padding=1, name="conv1")
    made = [
        graph.layer(named, x),
        graph.layer(named, x, name="other"),
        graph.layer(Layer(1), x),
        graph.transposed(named, x),
        graph.transposed(Layer(1), x),
        graph.upsample(1, x),
        graph.upsample(1, x, "twice"),
        graph.add(x, x),
        graph.add(x, x, name="sum"),
    ]
    names = ["conv1", "other", "layer_3", "conv1", "transposed_5", "upsample_6", "twice", "add_8", "sum"]
    assert [graph.nodes[n].name for n in made] == names


# --- errors, word for word -------------------------------------------------------------------------------------------


def graph_of(length: int | None = None) -> rf.Graph:
    graph = rf.Graph()
    graph.input(length)
    return graph


def two_strides() -> rf.Window:
    graph = graph_of()
    fine, coarse = graph.layer(Layer(3), 0), graph.layer(Layer(3, 2), 0)
    return graph.window(graph.add(fine, coarse, name="sum"))


def two_inputs() -> rf.Graph:
    graph = graph_of(8)
    graph.input(8)
    graph.add(0, 1, name="sum")
    return graph


def no_rule() -> rf.Window:
    """Two factors without a common divisor: only 67 * 71 = 4757 units further do windows look alike again."""
    graph = graph_of()
    return graph.window(graph.upsample(71, graph.upsample(67, 0), "fine"))


ERRORS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "length": (
        lambda: rf.Graph().input(0, name="image"),
        ModelError,
        "`length` of input 'image' must be an integer >= 1, or None; got 0.",
    ),
    "short": (
        lambda: graph_of(4).layer(Layer(3, padding=(1, 0), dilation=3, name="conv1"), 0),
        LayerError,
        "Layer 'conv1' spans 7 positions, but only 4 + 1 + 0 (input and padding) reach it. Use a longer input or more "
        "padding.",
    ),
    "cut away": (
        lambda: graph_of(2).transposed(Layer(3, 2, padding=(3, 2), name="up1"), 0),
        LayerError,
        "Transposed layer 'up1' makes 5 positions, and its padding cuts off 3 + 2: nothing is left. Use a longer input "
        "or less padding.",
    ),
    "factor": (
        lambda: graph_of(4).upsample(0, 0),
        LayerError,
        "`factor` of layer 'upsample_1' must be an integer >= 1; got 0.",
    ),
    "lengths": (
        lambda: (graph := graph_of(8)).add(0, graph.layer(Layer(3), 0), name="sum"),
        LayerError,
        "Paths into 'sum' must be two or more of equal length; got lengths (8, 6).",
    ),
    "one path": (
        lambda: graph_of(8).add(0),
        LayerError,
        "Paths into 'add_1' must be two or more of equal length; got lengths (8).",
    ),
    "no path": (
        lambda: graph_of(8).add(),
        LayerError,
        "Paths into 'add_1' must be two or more of equal length; got lengths ().",
    ),
    "a length and none": (
        lambda: (graph := graph_of(8)).add(0, graph.input()),
        LayerError,
        "Paths into 'add_2' must be two or more of equal length; got lengths (8, none).",
    ),
    "no node": (
        lambda: graph_of(8).layer(Layer(3), 1),
        ModelError,
        "There is no node 1: the graph has 1, counted from 0.",
    ),
    "no node to ask": (
        lambda: graph_of(8).window(-1),
        ModelError,
        "There is no node -1: the graph has 1, counted from 0.",
    ),
    "two inputs": (
        lambda: two_inputs().window(2),
        ModelError,
        "Node 'sum' has no single window: the graph has 2 inputs, not one.",
    ),
    "no rule": (
        no_rule,
        ModelError,
        "The windows of node 'fine' repeat only after more than 4096 units. Ask pull() for one.",
    ),
    "two strides": (
        lambda: two_strides().size,
        NoSingleAnswerError,
        "Paths of strides 1 and 2 meet on the way to 'sum', so its windows grow from unit to unit and have no single "
        "size. Give the input a length, or ask interval(unit).",
    ),
    "two strides, density": (
        lambda: two_strides().density,
        NoSingleAnswerError,
        "Paths of strides 1 and 2 meet on the way to 'sum', so its windows grow from unit to unit and have no single "
        "size. Give the input a length, or ask interval(unit).",
    ),
    "pull without a length": (
        lambda: graph_of().pull(0, ((3, 1),)),
        ModelError,
        "What node 'input' really reads depends on where the input ends. Give the input a length: graph.input(length).",
    ),
    "push without a length": (
        lambda: graph_of().push(0, ((3, 1),), 0),
        ModelError,
        "What node 'input' really reads depends on where the input ends. Give the input a length: graph.input(length).",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_where_and_what_to_do(name: str) -> None:
    run, kind, sentence = ERRORS[name]
    with pytest.raises(kind) as caught:
        run()
    assert type(caught.value) is kind
    assert str(caught.value) == sentence


def test_a_refused_layer_leaves_the_graph_as_it_was() -> None:
    graph = graph_of(4)
    refused: list[Callable[[], object]] = [
        lambda: graph.layer(Layer(9), 0),
        lambda: graph.transposed(Layer(1, padding=9), 0),
        lambda: graph.upsample(0, 0),
        lambda: graph.add(0),
    ]
    for run in refused:
        with pytest.raises(LayerError):
            run()
    assert len(graph.nodes) == 1


def test_an_edge_that_is_given_twice_is_read_once() -> None:
    graph = graph_of(5)
    assert len(graph.nodes[graph.add(0, 0)].full) == 1


def test_both_inputs_are_read() -> None:
    """What each reads can be asked by pulling, though there is no single window."""
    found = two_inputs().pull(2, ((5, 1),))
    one: Set = (5, 1)
    assert found == {0: [(one,)], 1: [(one,)]}
