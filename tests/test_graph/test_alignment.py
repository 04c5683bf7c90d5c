"""Where paths meet and look at different places: random networks against centers computed unit by unit; messages."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from axis_programs import Program, programs
from hypothesis import given, settings
from torch import Tensor, nn

import rflib as rf
from rflib import Layer
from rflib.graph.alignment import Misalignment, Operand, misalignments
from rflib.graph.graph import Edge, Graph, Kind
from rflib.graph.relations import Separable, Taps

MANY = settings(max_examples=max(300, settings.default.max_examples))


def mean_line(program: Program, index: int) -> tuple[Fraction, Fraction] | None:
    """Stride and center by the centers of all units of one period; None where units read nothing, or strides differ."""
    if len(program.slopes(index)) > 1:
        return None
    period = program.period(index)
    windows = [program.seen(index, u, False) for u in range(period + 1)]
    if not all(windows):
        return None
    middles = [Fraction(min(w) + max(w), 2) for w in windows]
    stride = (middles[period] - middles[0]) / period
    return stride, sum((middles[u] - stride * u for u in range(period)), Fraction(0)) / period


def expected(program: Program, index: int, names: list[str]) -> dict[Misalignment, None]:
    """The meetings on the way to a map that are out of line, each once."""
    if index == 0:
        return {}
    kind, _, sources = program.steps[index - 1]
    found = {m: None for s in sources for m in expected(program, s, names)}
    if kind == "add":
        distinct = dict.fromkeys(sources)
        operands = [Operand(names[s], *line) for s in distinct if (line := mean_line(program, s)) is not None]
        other = next((o for o in operands if (o.stride, o.center) != (operands[0].stride, operands[0].center)), None)
        if other is not None:
            found[Misalignment(names[index], 0, (operands[0], other))] = None
    return found


@given(programs(with_length=False))
@MANY
def test_random_networks(program: Program) -> None:
    graph = program.graph()
    names = [n.name for n in graph.nodes]
    for index in range(len(names)):
        window, wanted = graph.window(index), expected(program, index, names)
        assert set(window.misalignments) == set(wanted), index
        assert len(window.misalignments) == len(wanted)
        assert window.aligned is not bool(wanted)


# --- by hand ---------------------------------------------------------------------------------------------------------


def meeting(left: list[Layer], right: list[Layer]) -> rf.Window:
    graph = rf.Graph()
    x = graph.input()
    sides = [graph.stack(side, x) for side in (left, right)]
    return graph.window(graph.add(*sides, name="add_3"))


def test_centers_that_differ() -> None:
    found = meeting([Layer(4, 2, 1, name="conv1")], [Layer(1, 2, name="skip")])
    assert [str(m) for m in found.misalignments] == [
        "Paths into 'add_3' are misaligned on axis 0: via 'conv1' stride 2, center 0.5; via 'skip' stride 2, center 0. "
        "Change a kernel size so that the centers agree."
    ]
    assert found.misalignments[0].operands[0] == Operand("conv1", Fraction(2), Fraction(1, 2))


def test_strides_that_differ() -> None:
    found = meeting([Layer(3, 2, 1, name="conv1")], [Layer(3, padding=1, name="conv2")])
    assert [str(m) for m in found.misalignments] == [
        "Paths into 'add_3' are misaligned on axis 0: via 'conv1' stride 2, center 0; via 'conv2' stride 1, center 0. "
        "Change a stride so that the strides agree."
    ]


def test_a_stride_that_is_no_whole_number() -> None:
    graph = rf.Graph()
    x = graph.input()
    total = graph.add(graph.upsample(2, x, "up"), graph.layer(Layer(1, name="same"), x))
    assert [str(m) for m in graph.window(total).misalignments] == [
        "Paths into 'add_3' are misaligned on axis 0: via 'up' stride 1/2, center -0.25; via 'same' stride 1, "
        "center 0. Change a stride so that the strides agree."
    ]


def test_windows_of_different_size_around_the_same_centers_are_aligned() -> None:
    assert meeting([Layer(3, 2, 1), Layer(5, 1, 2)], [Layer(1, 2)]).aligned


def test_later_maps_inherit_the_verdict_once() -> None:
    graph = rf.Graph()
    x = graph.input()
    wrong = graph.add(graph.layer(Layer(2), x), x, name="first")
    left, right = graph.layer(Layer(3, padding=1), wrong), graph.layer(Layer(1), wrong)
    after = graph.window(graph.add(left, right, name="second"))
    assert [m.meeting for m in after.misalignments] == ["first"]
    assert graph.window(left).misalignments == after.misalignments
    assert graph.window(x).aligned


def test_of_several_paths_the_first_that_differs_from_the_first_is_named() -> None:
    graph = rf.Graph()
    x = graph.input()
    paths = [graph.layer(Layer(k, name=f"by{k}"), x) for k in (3, 3, 2, 4)]
    (found,) = graph.window(graph.add(*paths)).misalignments
    assert [o.name for o in found.operands] == ["by3", "by2"]


def test_nearest_upsampling_in_a_u_net_is_aligned_by_its_mean() -> None:
    """Down by 2 with a window of 2, and up by 2: units look half a position too far left and right in turn."""
    graph = rf.Graph()
    x = graph.input()
    up = graph.upsample(2, graph.layer(Layer(2, 2), x))
    assert graph.window(graph.add(x, up)).aligned
    odd = graph.upsample(2, graph.layer(Layer(3, 2, 1), x))  # centers 0, 0, 2, 2: half a position left on average
    (found,) = graph.window(graph.add(x, odd)).misalignments
    assert [o.center for o in found.operands] == [0, Fraction(-1, 2)]


# --- torch modules ---------------------------------------------------------------------------------------------------


class Meeting(nn.Module):
    def __init__(self, left: nn.Module, right: nn.Module) -> None:
        super().__init__()
        self.left, self.right = left, right

    def forward(self, x: Tensor) -> Tensor:
        return self.left(x) + self.right(x)  # type: ignore[no-any-return]


def test_the_axis_and_the_modules_are_named() -> None:
    """Symmetric along H, out of line along W."""
    model = Meeting(nn.Conv2d(1, 1, (3, 2), stride=2, padding=(1, 0)), nn.Conv2d(1, 1, 1, stride=2))
    (found,) = rf.analyze(model, torch.zeros(1, 1, 8, 8)).output.misalignments
    assert str(found) == (
        f"Paths into {found.meeting!r} are misaligned on axis 1: via 'left' stride 2, center 0.5; via 'right' "
        "stride 2, center 0. Change a kernel size so that the centers agree."
    )
    assert found.meeting.startswith("add")


class Gate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True).sigmoid()


@pytest.mark.parametrize("part", ["gate", "constant"])
def test_gates_and_constants_take_no_part(part: str) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 2)
            self.constant = nn.Parameter(torch.zeros(7, 7))

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            return y * Gate()(x) if part == "gate" else y + self.constant  # type: ignore[no-any-return]

    found = rf.analyze(Model(), torch.zeros(1, 1, 8, 8)).output
    assert found.aligned
    assert found.misalignments == ()


def test_a_path_that_reads_everything_takes_no_part() -> None:
    """Positions plus their mean still move with the unit; what they are compared with lies half a position aside."""

    def run(x: Tensor, mean: bool) -> rf.analysis.Found:
        class Model(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv = nn.Conv1d(1, 1, 2)

            def forward(self, x: Tensor) -> Tensor:
                y = x + x.mean(2, keepdim=True) if mean else x
                return self.conv(x) + y[..., 1:]  # type: ignore[no-any-return]

        return rf.analyze(Model(), x).output

    assert not run(torch.zeros(1, 1, 9), mean=False).aligned
    assert run(torch.zeros(1, 1, 9), mean=True).aligned


@pytest.mark.parametrize(("kind", "aligned"), [("main", False), ("gate", True)])
def test_a_gate_that_moves_with_the_unit_takes_no_part(kind: Kind, aligned: bool) -> None:
    graph = Graph()
    x = graph.add_input((9,), (0,))
    sides = [Edge(x, Separable(((0, Taps(offset=offset)),), (9,), (9,)), k) for offset, k in ((0, "main"), (1, kind))]
    assert (misalignments(graph, graph.add_node("mul", (9,), sides, meeting=True)) == ()) is aligned


def test_each_input_has_its_own_verdict() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 2)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return (x + self.a(x))[..., :-1] + self.b(y) + y[..., :-1]  # type: ignore[no-any-return]

    analysis = rf.analyze(Two(), torch.zeros(1, 1, 9), torch.zeros(1, 1, 9))
    assert analysis.output.of("x").aligned
    (found,) = analysis.output.of("y").misalignments
    assert (found.source, found.axis) == (1, 0)
    everything = misalignments(analysis.graph, analysis.output.index)
    assert everything == (found,)
