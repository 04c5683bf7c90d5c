"""Path counts against an enumeration of every path, against autograd with weights of one, and against combinatorics."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rflib.arithmetic import Layer, output_size, receptive_field
from rflib.effective.paths import PathCounts, graph_path_counts, path_counts
from rflib.effective.random_walk import Parallel
from rflib.errors import LayerError, ModelError, NoSingleAnswerError, UnitError, UnknownNameError

layers = st.builds(
    Layer,
    st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 3),
)


def ones(stack: list[Layer]) -> nn.Module:
    parts: list[nn.Module] = []
    for layer in stack:
        conv = nn.Conv1d(1, 1, layer.kernel_size, layer.stride, 0, layer.dilation, bias=False).double()
        nn.init.ones_(conv.weight)
        parts += [nn.ConstantPad1d((layer.left, layer.right), 0.0), conv]
    return nn.Sequential(*parts)


def gradient(model: nn.Module, x: torch.Tensor, unit: tuple[int, ...]) -> np.ndarray:
    x.requires_grad_()
    return torch.autograd.grad(model(x)[(0, 0, *unit)], x)[0][0, 0].numpy()


def on_input(paths: PathCounts, size: int) -> list[int]:
    return [paths[position] for position in range(size)]


def every_path(stack: list[Layer | Parallel], unit: int) -> Counter[int]:
    """One by one, the slow way: where does each path end?"""
    if not stack:
        return Counter([unit])
    *below, last = stack
    ends: Counter[int] = Counter()
    if isinstance(last, Parallel):
        for branch in last.branches:
            ends += every_path([*below, *branch], unit)
        return ends
    for tap in range(last.kernel_size):
        ends += every_path(below, unit * last.stride - last.left + tap * last.dilation)
    return ends


@given(st.lists(layers, min_size=1, max_size=4), st.integers(-3, 5))
def test_counts_are_those_of_an_enumeration(stack: list[Layer], unit: int) -> None:
    paths = path_counts(stack, unit=unit)
    assert {p: n for p, n in enumerate(paths.counts.tolist(), paths.first[0]) if n} == dict(every_path(stack, unit))
    assert paths.total == math.prod(layer.kernel_size for layer in stack)
    assert (paths.first[0], paths.first[0] + len(paths.counts) - 1) == receptive_field(stack).interval(unit)


@given(st.lists(layers, min_size=1, max_size=4), st.integers(1, 40), st.data())
def test_at_the_border_counts_are_autograds_gradient_with_weights_of_one(
    stack: list[Layer], size: int, data: st.DataObject
) -> None:
    try:
        units = output_size(stack, size)
    except LayerError:
        with pytest.raises(LayerError):
            path_counts(stack, input_size=size)
        return
    unit = data.draw(st.integers(0, units - 1))
    paths = path_counts(stack, unit=unit, input_size=size)
    expected = gradient(ones(stack), torch.zeros(1, 1, size, dtype=torch.float64), (unit,))
    assert on_input(paths, size) == expected.tolist()
    assert paths.total == expected.sum()


def test_binomials_and_trinomials_of_deep_stacks_to_the_last_digit() -> None:
    n = 300
    assert path_counts([Layer(2)] * n).counts.tolist() == [math.comb(n, i) for i in range(n + 1)]
    threes = path_counts([Layer(3)] * n)
    assert threes.total == 3**n
    assert threes[n] == sum(math.comb(n, 2 * i) * math.comb(2 * i, i) for i in range(n // 2 + 1))
    assert threes.sigma[0] == pytest.approx(math.sqrt(2 * n / 3), rel=1e-15)
    assert threes.shares.sum() == pytest.approx(1, rel=1e-12)


def test_residual_blocks_at_the_border_of_two_axes() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1, bias=False).double()
            nn.init.ones_(self.conv.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.conv(x)

    block = Parallel([[], [Layer(3, padding=1)]])
    paths = path_counts([block] * 3, unit=(1, 4), input_size=(6, 9))
    found = np.zeros((6, 9))
    rows, columns = (slice(f, f + n) for f, n in zip(paths.first, paths.counts.shape, strict=True))
    found[rows, columns] = paths.counts
    model = nn.Sequential(Block(), Block(), Block())
    expected = gradient(model, torch.zeros(1, 1, 6, 9, dtype=torch.float64), (1, 4))
    np.testing.assert_array_equal(found, expected)
    # With a skip the law is no product over the axes, so this could not be done axis by axis.
    assert np.linalg.matrix_rank(expected) > 1


def test_nested_branches_against_the_enumeration() -> None:
    inner = Parallel([[], [Layer(3, padding=1), Layer(2, padding=(0, 1))]])
    stack = [Layer(3, stride=2, padding=1), Parallel([[inner], [Layer(5, padding=2)], [Layer(1)]]), Layer(2, stride=2)]
    paths = path_counts(stack, unit=7)
    assert {p: n for p, n in enumerate(paths.counts.tolist(), paths.first[0]) if n} == dict(every_path(stack, 7))


def test_two_axes_of_a_stack_are_the_product_of_one() -> None:
    stack = [Layer(3), Layer(2, stride=2, padding=1), Layer(3, dilation=2)]
    line, square = path_counts(stack, unit=4), path_counts(stack, unit=(4, 4))
    assert (square.counts == np.outer(line.counts, line.counts)).all()
    assert square.sigma == line.sigma * 2


def test_default_units() -> None:
    assert path_counts([Layer(3)]).first == (0,)
    assert path_counts([Layer(3)], input_size=10).first == (4,)  # 8 units, the middle one is 4
    assert path_counts([Layer(3)], input_size=(10, 7)).first == (4, 2)


def test_a_unit_that_reads_padding_only() -> None:
    nothing = path_counts([Layer(1, padding=2)], unit=0, input_size=5)
    assert (nothing.total, nothing[0], nothing[3]) == (0, 0, 0)
    with pytest.raises(NoSingleAnswerError, match="it reads padding only"):
        _ = nothing.sigma
    with pytest.raises(NoSingleAnswerError, match="it reads padding only"):
        _ = nothing.shares
    both = path_counts([Parallel([[Layer(1, padding=(1, 0))], [Layer(2, padding=(0, 2))]])], unit=0, input_size=3)
    assert on_input(both, 3) == [1, 1, 0]


def test_counts_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        path_counts([Layer(3)]).counts[0] = 5


# -------------------- graphs


def test_a_graph_with_upsampling_against_autograd() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 4, 2, 1)
            self.up = nn.ConvTranspose1d(1, 1, 4, 2, 1)
            self.double()
            for p in self.parameters():
                nn.init.ones_(p)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a = self.a(x)
            return a + self.up(self.b(a)) + nn.functional.interpolate(self.b(a), scale_factor=2.0, mode="nearest")

    n = 20

    def within(reads: object, length: int) -> object:
        return lambda j: [p for p in reads(j) if 0 <= p < length]

    transposed = within(lambda j: [i for i in range(n // 2) if 0 <= j + 1 - 2 * i < 4], n // 2)
    edges = {
        "a": [("x", [within(lambda j: range(j - 1, j + 2), n)])],
        "b": [("a", [within(lambda j: range(2 * j - 1, 2 * j + 3), n)])],
        "sum": [("a", [lambda j: [j]]), ("b", [transposed]), ("b", [lambda j: [j // 2]])],
    }
    for unit in (0, 9, 19):
        counts = graph_path_counts(edges, "sum", unit)
        expected = gradient(Net(), torch.zeros(1, 1, n, dtype=torch.float64), (unit,))
        assert on_input(counts["x"], n) == expected.tolist()
        assert counts["sum"].total == 1


def test_a_chain_of_nodes_is_a_stack_also_on_two_axes() -> None:
    stack = [Layer(3, stride=2, padding=1), Layer(2), Layer(3, dilation=2)]
    edges = {f"n{i + 1}": [(f"n{i}", [layer.reads] * 2)] for i, layer in enumerate(stack)}
    found, expected = graph_path_counts(edges, "n3", (5, 2))["n0"], path_counts(stack, unit=(5, 2))
    assert found.first == expected.first
    assert (found.counts == expected.counts).all()


def test_nodes_that_are_not_read_are_left_out() -> None:
    edges = {"y": [("x", [lambda j: [j]])], "z": [("y", [lambda j: [j]]), ("w", [lambda j: [j]])]}
    assert set(graph_path_counts(edges, "y", 3)) == {"x", "y"}


# -------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: path_counts([]), LayerError, "The stack is empty. Give at least one layer: [Layer(3)]."),
        (
            lambda: path_counts([Layer(3)], unit=8, input_size=10),
            UnitError,
            "Unit (8,) does not exist: axis 0 has 8 units, numbered 0 to 7.",
        ),
        (
            lambda: path_counts([Layer(3)], unit=-1, input_size=10),
            UnitError,
            "Unit (-1,) does not exist: axis 0 has 8 units, numbered 0 to 7.",
        ),
        (
            lambda: path_counts([Layer(3)], unit=(1, 1), input_size=10),
            UnitError,
            "Unit (1, 1) has 2 indices, the input 1 axes; give one for each axis.",
        ),
        (
            lambda: path_counts([Layer(3)], unit=1.5),
            UnitError,
            "`unit` must be an integer, or a tuple with one for each axis; got 1.5.",
        ),
        (
            lambda: path_counts([Parallel([[], [Layer(3)]])], input_size=10),
            LayerError,
            "The branches of `Parallel` (entry 1 of the stack) turn 10 positions into [10, 8], so their outputs cannot "
            "be added; change a padding so that they agree.",
        ),
        (
            lambda: path_counts([Parallel([[], [Layer(3, stride=2)]])]),
            LayerError,
            "The branches of `Parallel` have strides [1, 2], so their outputs cannot be added; "
            "give all branches the same product of strides.",
        ),
        (
            lambda: graph_path_counts({"b": [("a", [])], "a": [("b", [])]}, "a", 0),
            ModelError,
            None,
        ),
        (
            lambda: graph_path_counts({"b": [("a", [])]}, "b", 0),
            ModelError,
            "The edge from 'a' to 'b' has 0 axes, the unit 1; give one function for each axis.",
        ),
        (
            lambda: graph_path_counts({"conv1": [("x", [])]}, "conv2", 0),
            UnknownNameError,
            "There is no node 'conv2'. Nearest: 'conv1'.",
        ),
    ],
)
def test_bad_input(call: object, error: type[Exception], message: str | None) -> None:
    with pytest.raises(error) as caught:
        call()
    if message is None:
        assert "has a cycle" in str(caught.value)
        assert "Paths need a graph without one." in str(caught.value)
    else:
        assert str(caught.value) == message
