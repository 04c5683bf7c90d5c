"""The closed form against autograd, against sums over every draw of random signs, and against its own laws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rflib.arithmetic import Layer, receptive_field
from rflib.effective.effective import effective_receptive_field
from rflib.effective.paths import path_counts
from rflib.effective.random_walk import Parallel, effective_sigma
from rflib.errors import LayerError

layers = st.builds(Layer, st.integers(1, 6), stride=st.integers(1, 3), dilation=st.integers(1, 3))
stacks = st.lists(layers, min_size=1, max_size=4)


def uniform(layer: Layer, axes: int = 1) -> nn.Module:
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    conv = kind(1, 1, layer.kernel_size, layer.stride, layer.left, layer.dilation, bias=False).double()
    nn.init.constant_(conv.weight, 1 / layer.kernel_size**axes)
    return conv


def length_for(stack: list[Layer], units: int) -> int:
    field = receptive_field(stack)
    return field.stride * (units - 1) + field.size


def spread(weights: np.ndarray) -> float:
    x = np.arange(len(weights))
    share = weights / weights.sum()
    return math.sqrt(((x - x @ share) ** 2) @ share)


@given(stacks)
def test_the_closed_form_is_the_width_of_autograds_map(stack: list[Layer]) -> None:
    model = nn.Sequential(*map(uniform, stack))
    x = torch.zeros(1, 1, length_for(stack, 3), dtype=torch.float64)
    erf = effective_receptive_field(model, x, unit=1)
    assert erf.sigma[0] == pytest.approx(effective_sigma(stack), rel=1e-10, abs=1e-10)
    field = receptive_field(stack)
    assert erf.center[0] == pytest.approx(field.center(1), abs=1e-9)


@settings(max_examples=10)
@given(st.lists(layers, min_size=2, max_size=2), st.lists(layers, min_size=2, max_size=2))
def test_on_two_axes_each_axis_has_its_own_sum(rows: list[Layer], columns: list[Layer]) -> None:
    convs = []
    for row, column in zip(rows, columns, strict=True):
        size = (row.kernel_size, column.kernel_size)
        conv = nn.Conv2d(1, 1, size, (row.stride, column.stride), 0, (row.dilation, column.dilation), bias=False)
        nn.init.constant_(conv.weight, 1.0)
        convs.append(conv.double())
    x = torch.zeros(1, 1, length_for(rows, 1), length_for(columns, 1), dtype=torch.float64)
    erf = effective_receptive_field(nn.Sequential(*convs), x)
    assert erf.sigma == pytest.approx((effective_sigma(rows), effective_sigma(columns)), rel=1e-10, abs=1e-10)


def test_on_three_axes() -> None:
    stack = [Layer(2, stride=2), Layer(3, dilation=2)]
    x = torch.zeros(1, 1, *[length_for(stack, 1)] * 3, dtype=torch.float64)
    erf = effective_receptive_field(nn.Sequential(*[uniform(layer, 3) for layer in stack]), x)
    assert erf.sigma == pytest.approx([effective_sigma(stack)] * 3, rel=1e-10)


def test_average_pooling_spreads_like_a_uniform_convolution() -> None:
    stack = [Layer(3), Layer(2, stride=2), Layer(5), Layer(3, stride=2, padding=1)]
    model = nn.Sequential(uniform(stack[0]), nn.AvgPool1d(2, 2), uniform(stack[2]), nn.AvgPool1d(3, 2, 1))
    erf = effective_receptive_field(model, torch.zeros(1, 1, 64, dtype=torch.float64))
    assert erf.sigma[0] == pytest.approx(effective_sigma(stack), rel=1e-10)


def test_padding_moves_an_inner_unit_and_widens_nothing() -> None:
    stack = [Layer(5, padding=2, dilation=2), Layer(4, stride=2, padding=1), Layer(3, padding=1)]
    erf = effective_receptive_field(nn.Sequential(*map(uniform, stack)), torch.zeros(1, 1, 101, dtype=torch.float64))
    assert erf.sigma[0] == pytest.approx(effective_sigma(stack), rel=1e-10)
    assert effective_sigma(stack) == effective_sigma([Layer(5, dilation=2), Layer(4, stride=2), Layer(3)])


# -------------------- random weights


@pytest.mark.parametrize(
    "stack",
    [
        [Layer(3), Layer(3), Layer(2)],
        [Layer(2, stride=2), Layer(3, dilation=2), Layer(4)],
        [Layer(3, stride=3), Layer(2, stride=2), Layer(3)],
    ],
)
def test_mean_squared_gradient_over_every_draw_of_signs_is_the_path_law(stack: list[Layer]) -> None:
    # Weights of +1 and -1: the mean over all 2^n draws is the expectation itself, with no scatter to allow for.
    taps = sum(layer.kernel_size for layer in stack)
    mean = np.zeros(receptive_field(stack).size)
    for signs in itertools.product((-1.0, 1.0), repeat=taps):
        row, start = np.ones(1), taps
        for layer in reversed(stack):
            start -= layer.kernel_size
            kernel = np.zeros(layer.extent)
            kernel[:: layer.dilation] = signs[start : start + layer.kernel_size]
            spaced = np.zeros((len(row) - 1) * layer.stride + 1)
            spaced[:: layer.stride] = row
            row = np.convolve(spaced, kernel)
        mean += row**2 / 2**taps
    np.testing.assert_allclose(mean, path_counts(stack).counts.astype(float), rtol=1e-12, atol=1e-12)
    assert spread(mean) == pytest.approx(effective_sigma(stack), rel=1e-12)


def test_draws_of_random_weights_scatter_about_the_law() -> None:
    stack = [Layer(3), Layer(4, stride=2), Layer(3, dilation=2), Layer(5)]
    moments, n = [], 300
    x = torch.zeros(1, 4, length_for(stack, 1), dtype=torch.float64)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(n):
            convs = [nn.Conv1d(4, 4, s.kernel_size, s.stride, 0, s.dilation, bias=False).double() for s in stack]
            erf = effective_receptive_field(nn.Sequential(*convs), x, contribution="squared", output=0)
            raw = erf.map * erf.total
            distance = np.arange(len(raw)) - (len(raw) - 1) / 2
            moments.append((raw.sum(), (distance**2 * raw).sum()))
    mass, second = np.array(moments).T
    variance = second.mean() / mass.mean()
    # The scatter of a ratio of means, by its first-order expansion.
    error = np.std(second - variance * mass, ddof=1) / math.sqrt(n) / mass.mean()
    assert abs(variance - effective_sigma(stack) ** 2) < 4 * error
    assert error < 0.1 * variance  # else the line above would accept anything


# -------------------- residual blocks: the lazy walk


class Residual(nn.Module):
    def __init__(self, body: nn.Module, weight: float) -> None:
        super().__init__()
        self.body, self.weight = body, weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.weight * self.body(x)


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from((1, 3, 5)), st.integers(1, 3), st.floats(0.1, 4)), min_size=1, max_size=4),
    st.integers(1, 2),
)
def test_lazy_walk_of_residual_blocks(blocks: list[tuple[int, int, float]], stride: int) -> None:
    stack: list[Layer | Parallel] = [Layer(4, stride=stride)]
    model: list[nn.Module] = [uniform(stack[0])]
    variance = effective_sigma(stack) ** 2
    for kernel_size, dilation, weight in blocks:
        layer = Layer(kernel_size, padding=dilation * (kernel_size - 1) // 2, dilation=dilation)
        stack.append(Parallel([[], [layer]], weights=[1, weight]))
        model.append(Residual(uniform(layer), weight))
        variance += stride**2 * weight / (1 + weight) * effective_sigma([layer]) ** 2
    erf = effective_receptive_field(nn.Sequential(*model), torch.zeros(1, 1, 160, dtype=torch.float64))
    assert erf.sigma[0] == pytest.approx(effective_sigma(stack), rel=1e-10, abs=1e-10)
    assert effective_sigma(stack) == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_branches_that_look_to_different_sides_widen_by_their_distance() -> None:
    # One branch reads 3 to the left, one 3 to the right, with equal weight: two points 6 apart.
    apart = Parallel([[Layer(1, padding=3)], [Layer(1, padding=-3)]])
    assert effective_sigma([apart]) == 3


def test_strided_branches_inside_one_another() -> None:
    inner = Parallel([[Layer(3, padding=1)], []])
    outer = Parallel([[Layer(2, stride=2), inner], [Layer(4, stride=2, padding=1)]])
    paths = path_counts([Layer(3, padding=1), outer], unit=30)
    # The counts weigh a branch by its number of paths; give the walk the same weights.
    weighed = Parallel(
        [[Layer(2, stride=2), Parallel(inner.branches, [3, 1])], [Layer(4, stride=2, padding=1)]], [2, 4]
    )
    assert paths.sigma[0] == pytest.approx(effective_sigma([Layer(3, padding=1), weighed]), rel=1e-12)


# -------------------- the laws of depth


def exponent(depths: list[int], values: list[float]) -> float:
    return float(np.polyfit(np.log(depths), np.log(values), 1)[0])


@pytest.mark.parametrize("kernel_size", [2, 3, 5])
def test_width_grows_like_the_square_root_of_depth_and_its_share_shrinks(kernel_size: int) -> None:
    depths, sigmas, fitted, sizes, shares = [8, 16, 32, 64], [], [], [], []
    for depth in depths:
        stack = [Layer(kernel_size)] * depth
        x = torch.zeros(1, 1, length_for(stack, 1), dtype=torch.float64)
        erf = effective_receptive_field(nn.Sequential(*map(uniform, stack)), x)
        sigmas.append(erf.sigma[0])
        fitted.append(erf.gaussian().sigma[0])
        sizes.append(erf.size())
        shares.append(erf.sigma[0] / receptive_field(stack).size)
    assert exponent(depths, sigmas) == pytest.approx(0.5, abs=1e-9)
    assert exponent(depths, fitted) == pytest.approx(0.5, abs=0.02)
    assert exponent(depths, sizes) == pytest.approx(0.5, abs=0.05)  # whole positions: coarse on shallow stacks
    assert exponent(depths, shares) == pytest.approx(-0.5, abs=0.05)  # the field is depth * (k - 1) plus 1
    assert exponent([2**10, 2**13], [effective_sigma([Layer(3)] * n) / (2 * n + 1) for n in (2**10, 2**13)]) == (
        pytest.approx(-0.5, abs=1e-3)
    )


def test_with_doubling_dilation_the_share_and_the_shape_stay() -> None:
    shares, kurtoses = [], []
    for depth in range(4, 11):
        stack = [Layer(3, dilation=2**i) for i in range(depth)]
        shares.append(effective_sigma(stack) / receptive_field(stack).size)
        kurtoses.append(path_counts(stack).kurtosis[0])
    # sigma^2 -> 2/9 * 4^n, the field -> 2^(n+1); excess kurtosis -> -(2/45) * (81/4) = -0.9
    assert shares == pytest.approx([math.sqrt(2 / 9) / 2] * 7, rel=0.05)
    assert shares[-1] == pytest.approx(0.236, abs=5e-4)
    assert kurtoses[-1] == pytest.approx(2.1, abs=1e-5)
    assert abs(exponent(list(range(4, 11)), shares)) < 0.05
    assert path_counts([Layer(3)] * 64).kurtosis[0] == pytest.approx(3, abs=0.05)  # without it: a bell


# -------------------- bad input


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: effective_sigma([]), "The stack is empty. Give at least one layer: [Layer(3)]."),
        (lambda: effective_sigma([3]), "Entry 1 of the stack must be a `Layer` or a `Parallel`; got 3."),
        (lambda: Parallel([[Layer(3), 5]]), "Entry 2 of the stack must be a `Layer` or a `Parallel`; got 5."),
        (lambda: Parallel([]), "`Parallel` needs at least one branch; got none. An empty branch, [], is the identity."),
        (lambda: Parallel([[], []], [1]), "`Parallel` got 2 branches but 1 weights; give one each."),
        (lambda: Parallel([[]], [0]), "The weights of `Parallel` must be positive and finite; got (0,)."),
        (lambda: Parallel([[]], [math.nan]), "The weights of `Parallel` must be positive and finite; got (nan,)."),
        (
            lambda: effective_sigma([Parallel([[], [Layer(3, stride=2)]])]),
            "The branches of `Parallel` have strides [1, 2], so their outputs cannot be added; "
            "give all branches the same product of strides.",
        ),
    ],
)
def test_bad_stacks(build: object, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        build()
    assert str(caught.value) == message
