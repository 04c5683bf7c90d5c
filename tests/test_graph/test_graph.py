"""The graph of operations: what is read in both directions on every element, roles, whole axes, the local field."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest
import torch
from axis_programs import Program, programs
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn import functional

import rflib as rf
from rflib import Layer
from rflib.graph import sets
from rflib.graph.graph import Edge, Graph
from rflib.graph.relations import Blocks, Everything, Separable, Taps, same
from rflib.graph.roles import CHANNEL, NEUTRAL
from rflib.graph.sets import Box

MANY = settings(max_examples=max(150, settings.default.max_examples))
Point = tuple[int, ...]
H, W = (0, 0), (0, 1)


def points(boxes: Iterable[Box]) -> set[Point]:
    return {p for box in boxes for p in itertools.product(*map(sets.members, box))}


class Fn(nn.Module):
    """Parts, and a function of the input and the parts."""

    def __init__(self, run: object, *parts: nn.Module) -> None:
        super().__init__()
        self.run, self.parts = run, nn.ModuleList(parts)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(*inputs, *self.parts)  # type: ignore[operator, no-any-return]


# --- both directions -------------------------------------------------------------------------------------------------


def partition(x: Tensor) -> Tensor:
    """Windows of 2 by 2, a mean inside, and back."""
    windows = x.view(1, 2, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(4, 4, 2)
    mixed = windows + windows.mean(1, keepdim=True)
    return mixed.view(1, 2, 2, 2, 2, 2).permute(0, 5, 1, 3, 2, 4).reshape(1, 2, 4, 4)


def written(x: Tensor) -> Tensor:
    y = x.clone()
    y[:, 0, ::2] = x[:, 1, 1::2].flip(-1)
    y[:, 1, 1] += x[:, 0, :, 2]
    return y


def folded(x: Tensor) -> Tensor:
    return functional.fold(functional.unfold(x, 3, padding=1, stride=2), (4, 4), 3, padding=1, stride=2)


NETWORKS: dict[str, nn.Module] = {
    "convolutions": nn.Sequential(nn.Conv2d(2, 2, 3, 2, 1), nn.Conv2d(2, 3, 2, groups=1), nn.Upsample(scale_factor=2)),
    "windows": Fn(partition),
    "writing": Fn(written),
    "fold": Fn(folded),
    "cat along space": Fn(lambda x, c: torch.cat([x, c(x)], 2)[:, :, 1:6], nn.Conv2d(2, 2, 3, padding=1)),
    "gate": Fn(lambda x, c: c(x) * x.mean((2, 3), keepdim=True).sigmoid(), nn.Conv2d(2, 2, 3, padding=1)),
    "softmax over rows": Fn(lambda x: x.softmax(2) + x.cumsum(3)),
    "tokens": Fn(lambda x, c: c(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (4, 4)), nn.Linear(2, 1)),
    "index": Fn(lambda x: x[:, :, torch.tensor([3, 0, 0]), torch.tensor([1, 2, 0])]),
    "transposed": nn.Sequential(nn.ConvTranspose2d(2, 1, 2, 3, 1), nn.MaxPool2d(2)),
}


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_pushing_is_the_transpose_of_pulling(name: str, local: bool) -> None:
    """Every element of every feature map, with every element of the input."""
    graph = rf.analyze(NETWORKS[name], torch.zeros(1, 2, 4, 4)).graph
    (source,) = graph.inputs
    for node in graph.nodes[1:]:
        pulled = {
            (i, o)
            for o in itertools.product(*map(range, node.shape))
            for i in points(graph.pull(node.index, tuple((n, 1) for n in o), True, local).get(source, []))
        }
        pushed = {
            (i, o)
            for i in itertools.product(*map(range, graph.nodes[source].shape))
            for o in points(graph.push(source, tuple((n, 1) for n in i), node.index, local))
        }
        assert pulled == pushed, node.operation


@pytest.mark.parametrize("name", NETWORKS)
def test_a_box_reads_what_its_elements_read(name: str) -> None:
    """Whole maps take a way of their own, which is kept."""
    graph = rf.analyze(NETWORKS[name], torch.zeros(1, 2, 4, 4)).graph
    (source,) = graph.inputs
    for node in graph.nodes:
        one_by_one = set().union(
            *(
                points(graph.pull(node.index, tuple((n, 1) for n in o)).get(source, []))
                for o in itertools.product(*map(range, node.shape))
            )
        )
        whole = tuple(sets.interval(0, n - 1) for n in node.shape)
        assert points(graph.pull(node.index, whole).get(source, [])) == one_by_one


def test_axes_are_not_taken_apart() -> None:
    """Each axis of its own would say that unit (3, 0) also reads row 4; it reads (2, 2) alone."""

    def run(x: Tensor) -> Tensor:
        n = functional.pad(x, (1, 2, 1, 2))
        return n[:, :, 2:8, 0:6] + n[:, :, 0:6, 3:9]

    found = rf.analyze(Fn(run), torch.zeros(1, 1, 6, 6)).output
    assert torch.tensor(found.mask((3, 0))).nonzero().tolist() == [[2, 2]]


def test_two_inputs_are_told_apart() -> None:
    model = Fn(lambda x, y, c: c(x) + y[..., 2:], nn.Conv1d(1, 1, 3))
    analysis = rf.analyze(model, torch.zeros(1, 1, 8), torch.zeros(1, 1, 8))
    graph, index = analysis.graph, analysis.output.index
    found = graph.pull(index, graph.box(index, (2,)))
    assert {k: points(boxes) for k, boxes in found.items()} == {
        graph.inputs[0]: {(0, 0, n) for n in (2, 3, 4)},
        graph.inputs[1]: {(0, 0, 4)},
    }


def test_what_depends_on_nothing_reads_nothing() -> None:
    graph = Graph()
    graph.add_input((1, 5), (1,))
    alone = graph.add_node("constant", (5,), [])
    assert graph.pull(alone, ((2, 1),)) == {}
    assert graph.push(0, ((0, 1), (2, 1)), alone) == []
    windows = graph.windows(alone)
    assert windows is not None
    assert windows.lines == {}


# --- building --------------------------------------------------------------------------------------------------------


def by_dimension(*maps: Taps | Blocks | Everything, shape: Point, of: Point) -> Separable:
    return Separable(tuple(enumerate(maps)), shape, of)


def channels_and_rows(length: int, out: int, taps: Taps) -> Separable:
    return by_dimension(Blocks(1, 3, 2), taps, shape=(3, out), of=(2, length))


def test_the_input_has_a_batch_channels_and_space() -> None:
    graph = Graph()
    x = graph.add_input((1, 3, 6, 8), (2, 3), name="image", neutral=0)
    node = graph.nodes[x]
    assert [r.coarse for r in node.roles] == [frozenset(), frozenset(), {H}, {W}]
    assert node.roles[:2] == (NEUTRAL, CHANNEL)
    assert node.unit_dims == (2, 3)
    assert node.reads == {H, W}
    assert graph.box(x, (4, 7)) == ((0, 1), (0, 0b111), (4, 1), (7, 1))
    y = graph.add_input((5,), (0,))
    assert graph.inputs == [x, y]
    assert graph.nodes[y].reads == {(1, 0)}


def test_a_unit_has_as_many_indices_as_its_map_has_space() -> None:
    graph = Graph()
    x = graph.add_input((3, 6, 8), (1, 2))
    with pytest.raises(ValueError, match="shorter"):
        graph.box(x, (4,))


def test_a_box_of_a_unit_holds_all_of_its_channels() -> None:
    graph = Graph()
    x = graph.add_input((2, 9), (1,))
    conv = graph.add_node("convolution", (3, 7), [Edge(x, channels_and_rows(9, 7, Taps(1, 0, 1, 3, 9, 7)))])
    assert graph.box(conv, (6,)) == ((0, 0b111), (6, 1))
    assert points(graph.pull(conv, graph.box(conv, (6,)))[x]) == set(itertools.product(range(2), (6, 7, 8)))


def test_convolutions_are_listed_by_their_module() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Sequential(nn.Conv2d(1, 1, 3)))
    graph = rf.analyze(model, torch.zeros(1, 1, 8, 8)).graph
    assert [name for name, _ in graph.convolutions] == ["0", "2.0"]
    assert all(graph.nodes[n].operation == "convolution" for _, n in graph.convolutions)


# --- the local field, whole axes -------------------------------------------------------------------------------------


def gated(kind: str, meeting: bool = True) -> tuple[Graph, int]:
    """Rows of 9 positions times something made of their mean."""
    graph = Graph()
    x = graph.add_input((9,), (0,))
    mean = graph.add_node("mean", (1,), [Edge(x, Separable(((0, Everything(9)),), (1,), (9,)))])
    near = Edge(x, Separable(((0, same(9)),), (9,), (9,)), via="x")
    wide = Edge(mean, Separable(((None, (0, 1)),), (9,), (1,)), kind, via="mean")  # type: ignore[arg-type]
    return graph, graph.add_node("mul", (9,), [near, wide], "mul", meeting)


@pytest.mark.parametrize("kind", ["main", "gate"])
def test_a_gate_is_left_out_of_the_local_field(kind: str) -> None:
    """By its kind, or because a path that reads everything meets one that does not."""
    graph, index = gated(kind)
    assert points(graph.pull(index, ((4, 1),))[0]) == {(n,) for n in range(9)}
    assert points(graph.pull(index, ((4, 1),), local=True)[0]) == {(4,)}
    node = graph.nodes[index]
    assert (node.whole, node.local_whole) == ({H}, frozenset())
    assert [e.via for e in node.local] == ["x"]


def test_where_nothing_meets_what_reads_everything_stays() -> None:
    graph, index = gated("main", meeting=False)
    assert len(graph.nodes[index].local) == 2
    assert graph.nodes[index].local_whole == {H}


def test_an_operand_of_its_own_is_read_in_the_local_field_only() -> None:
    graph = Graph()
    x = graph.add_input((9,), (0,))
    everything = Edge(x, Separable(((0, Everything(9, 9)),), (9,), (9,)), "gate")
    own = Edge(x, Separable(((0, same(9)),), (9,), (9,)), "own")
    norm = graph.add_node("softmax", (9,), [everything, own])
    node = graph.nodes[norm]
    assert node.full == (everything,)
    assert node.local == (own,)
    assert points(graph.pull(norm, ((4, 1),), local=True)[x]) == {(4,)}


def test_an_operation_with_nothing_but_gates_keeps_them() -> None:
    graph = Graph()
    x = graph.add_input((9,), (0,))
    gate = Edge(x, Separable(((0, Everything(9, 9)),), (9,), (9,)), "gate")
    node = graph.nodes[graph.add_node("rank", (9,), [gate])]
    assert node.local == node.full == (gate,)


def test_whole_axes_are_handed_on() -> None:
    """A pooling over all rows: what comes after reads the whole of H and its own part of W."""
    graph = Graph()
    x = graph.add_input((6, 8), (0, 1))
    pooled = graph.add_node("mean", (1, 8), [Edge(x, by_dimension(Everything(6), same(8), shape=(1, 8), of=(6, 8)))])
    conv = by_dimension(Taps(1, 0, 1, 1, 1, 1), Taps(1, -1, 1, 3, 8, 8), shape=(1, 8), of=(1, 8))
    after = graph.add_node("convolution", (1, 8), [Edge(pooled, conv)])
    assert graph.nodes[after].whole == {H}
    assert graph.whole(replace(graph.nodes[after].full[0]), False) == {H}


def test_steps_of_a_loop_laid_out_make_their_axis_again() -> None:
    """A recurrent network by hand: single positions stacked; the new dimension is space, not channels."""
    graph = Graph()
    x = graph.add_input((2, 3), (1,))
    steps = []
    for t in range(3):
        at = Separable(((0, same(2)), (None, (t, 1))), (2,), (2, 3))
        steps.append(graph.add_node("select", (2,), [Edge(x, at)]))
    stacked = [Edge(s, Separable(((0, same(2)),), (2, 3), (2,), ((1, (t, 1)),))) for t, s in enumerate(steps)]
    assert graph.nodes[graph.add_node("stack", (2, 3), stacked, laid_along=1)].unit_dims == (1,)
    assert graph.nodes[graph.add_node("stack", (2, 3), stacked)].unit_dims == ()


def test_a_dimension_that_an_operation_makes_channels_is_no_space() -> None:
    graph = Graph()
    x = graph.add_input((2, 6), (1,))
    relation = Separable(((0, Blocks(1, 4, 2)), (1, same(6))), (4, 6), (2, 6))
    plain, made = (graph.add_node("patches", (4, 6), [Edge(x, relation)], features=f) for f in (None, 1))
    assert graph.nodes[plain].unit_dims == (1,)
    assert graph.nodes[made].unit_dims == ()


# --- smallest paths --------------------------------------------------------------------------------------------------


@given(programs(with_length=False, upsampling=False))
@MANY
def test_the_smallest_size_is_that_of_the_smallest_path(program: Program) -> None:
    """Against all paths one by one, where all that meets has the same stride (at equal lengths it has)."""
    graph = program.graph()
    for index in range(len(graph.nodes)):
        if all(len(program.slopes(k)) == 1 for k in range(index + 1)):
            sizes = [rf.receptive_field(p).size if p else 1 for p in program.paths(index)]
            assert graph.smallest_sizes(index) == {H: min(sizes)}


def test_the_smallest_path_is_chosen_axis_by_axis() -> None:
    tall, wide = nn.Conv2d(1, 1, (5, 1), padding=(2, 0)), nn.Conv2d(1, 1, (1, 3), padding=(0, 1))
    found = rf.analyze(Fn(lambda x, a, b: a(x) + b(x), tall, wide), torch.zeros(1, 1, 8, 8))
    assert found.graph.smallest_sizes(found.output.index) == {H: 1, W: 1}
    squared = rf.analyze(Fn(lambda x, a, b: b(a(x)) + a(x), tall, wide), torch.zeros(1, 1, 8, 8))
    assert squared.graph.smallest_sizes(squared.output.index) == {H: 5, W: 1}


# --- order -----------------------------------------------------------------------------------------------------------


def test_what_a_node_stands_on_comes_first_and_what_is_known_is_left_out() -> None:
    graph = rf.Graph()
    x = graph.input()
    a = graph.layer(Layer(3, padding=1), x)
    aside = graph.layer(Layer(5), x)
    b = graph.layer(Layer(1), a)
    total = graph.add(a, b)
    assert graph.standing_on(total, lambda n: False, False) == [x, a, b, total]
    assert graph.standing_on(total, lambda n: n == a, False) == [b, total]
    assert aside not in graph.standing_on(total, lambda n: False, False)


def test_deep_networks_need_no_recursion() -> None:
    graph = rf.Graph()
    end = graph.stack([Layer(3, padding=1)] * 3000, graph.input(50))
    assert graph.window(end).size == 6001
    assert points(graph.pull(end, ((25, 1),))[0]) == {(n,) for n in range(50)}
    assert len(graph.push(0, ((0, 1),), end)) == 1
