"""Parameters against torch modules; multiply-adds against torch's counter and against products counted one by one."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rflib.arithmetic import Layer, output_sizes
from rflib.cost import (
    Cost,
    conv_cost,
    depthwise_separable_cost,
    layer_costs,
    linear_cost,
    matmul_cost,
    stack_cost,
    transposed_conv_cost,
)
from rflib.errors import LayerError, ModelError, UnknownNameError

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def torch_cost(module: nn.Module, *inputs: torch.Tensor) -> tuple[Cost, torch.Size]:
    """What torch says of a module: its parameters, and half of its floating-point operations."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shape = module(*inputs).shape
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return Cost(sum(p.numel() for p in module.parameters()), flops // 2), shape


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))
    kernel = tuple(draw(st.lists(st.integers(1, 4), min_size=axes, max_size=axes)))
    arguments = {
        "in_channels": groups * draw(st.integers(1, 3)),
        "out_channels": groups * draw(st.integers(1, 3)),
        "kernel_size": kernel,
        "groups": groups,
        "bias": draw(st.booleans()),
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.integers(0, 2)),
        "dilation": draw(st.integers(1, 2)),
    }
    shape = tuple(draw(st.integers(7, 9)) for _ in range(axes))
    return axes, arguments, shape


def priced(arguments):
    names = ("kernel_size", "in_channels", "out_channels", "groups", "bias")
    return {name: arguments[name] for name in names}


# --------------------------------------------------------------------------------------------------------- one layer


@settings(max_examples=150, deadline=None)
@given(convolutions())
def test_a_convolution_costs_what_torch_counts(drawn):
    axes, arguments, shape = drawn
    counted, output = torch_cost(CONV[axes](**arguments), torch.zeros(1, arguments["in_channels"], *shape))
    assert conv_cost(**priced(arguments), output_shape=output[2:]) == counted


@settings(max_examples=150, deadline=None)
@given(convolutions())
def test_a_transposed_convolution_costs_what_torch_counts(drawn):
    axes, arguments, shape = drawn
    counted, _ = torch_cost(TRANSPOSED[axes](**arguments), torch.zeros(1, arguments["in_channels"], *shape))
    assert transposed_conv_cost(**priced(arguments), input_shape=shape) == counted


def products(in_channels, out_channels, kernel, stride, padding, groups, size, transposed=False):
    """Run through the loops of a 2-D convolution, and count each product of a weight and a (perhaps padded) value."""
    count, weights = 0, set()
    steps = [(n + 2 * padding - k) // stride + 1 for n, k in zip(size, kernel, strict=True)]
    for _ in itertools.product(*(range(n) for n in (size if transposed else steps))):
        for out, inp in itertools.product(range(out_channels), range(in_channels)):
            if out * groups // out_channels != inp * groups // in_channels:
                continue  # another group
            for taps in itertools.product(*(range(k) for k in kernel)):
                weights.add((out, inp, taps))
                count += 1
    return Cost(len(weights), count), tuple(steps)


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel", "stride", "padding", "groups", "size"),
    [(2, 3, (3, 3), 1, 1, 1, (5, 5)), (4, 6, (1, 3), 2, 1, 2, (6, 7)), (3, 3, (2, 2), 2, 0, 3, (4, 6))],
)
def test_products_counted_one_by_one(in_channels, out_channels, kernel, stride, padding, groups, size):
    counted, output = products(in_channels, out_channels, kernel, stride, padding, groups, size)
    assert conv_cost(kernel, in_channels, out_channels, output, groups, bias=False) == counted
    counted, _ = products(in_channels, out_channels, kernel, stride, padding, groups, size, transposed=True)
    assert transposed_conv_cost(kernel, in_channels, out_channels, size, groups, bias=False) == counted


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("positions", [1, 7])
def test_a_linear_layer_costs_what_torch_counts(positions, bias):
    counted, _ = torch_cost(nn.Linear(12, 5, bias=bias), torch.zeros(1, positions, 12))
    assert linear_cost(12, 5, positions, bias) == counted


def test_a_product_of_matrices_costs_what_torch_counts():
    with FlopCounterMode(display=False) as counter:
        torch.bmm(torch.zeros(4, 3, 5), torch.zeros(4, 5, 7))
    assert matmul_cost(3, 5, 7, batch=4) == Cost(0, counter.get_total_flops() // 2)
    assert matmul_cost(3, 0, 7) == Cost()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_depthwise_separable_convolution_costs_what_torch_counts(axes, bias):
    pair = nn.Sequential(CONV[axes](6, 6, 3, stride=2, padding=1, groups=6, bias=bias), CONV[axes](6, 10, 1, bias=bias))
    counted, output = torch_cost(pair, torch.zeros(1, 6, *(9, 8, 7)[:axes]))
    assert depthwise_separable_cost(3, 6, 10, output[2:], bias) == counted


def test_separable_saves_what_the_mobilenet_paper_says():
    whole, separable = conv_cost(3, 512, 512, (14, 14)), depthwise_separable_cost(3, 512, 512, (14, 14))
    assert separable.multiply_adds * 512 * 9 == whole.multiply_adds * (9 + 512)  # 1/N + 1/k^2, arXiv 1704.04861


# ------------------------------------------------------------------------------------------------------------ a stack

stack_layers = st.lists(
    st.builds(Layer, st.integers(1, 4), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=4
)


@settings(max_examples=100, deadline=None)
@given(stack_layers, st.integers(1, 3), st.lists(st.integers(1, 4), min_size=5, max_size=5), st.booleans())
def test_a_stack_costs_what_torch_counts(layers, axes, widths, bias):
    widths, size = widths[: len(layers) + 1], 30 if axes < 3 else 16
    try:
        output_sizes(layers, size)
    except LayerError:
        with pytest.raises(LayerError, match="needs"):
            stack_cost(layers, widths, size, axes)
        return
    modules = [
        CONV[axes](before, after, x.kernel_size, x.stride, x.padding, x.dilation, bias=bias)
        for x, (before, after) in zip(layers, itertools.pairwise(widths), strict=True)
    ]
    counted, _ = torch_cost(nn.Sequential(*modules), torch.zeros(1, widths[0], *[size] * axes))
    assert stack_cost(layers, widths, size, axes, bias=bias) == counted


def test_vgg_16_has_its_published_parameters():
    widths = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]
    layers, channels = [], [3]
    for index, width in enumerate(widths):
        layers.append(Layer(2, 2, name=f"pool{index}") if width == "M" else Layer(3, padding=1, name=f"conv{index}"))
        channels.append(channels[-1] if width == "M" else width)
    pools = [layer.name for layer in layers if layer.kernel_size == 2]
    features = stack_cost(layers, channels, 224, pooling=pools)
    # torchvision's vgg16 has 138,357,544 parameters; Simonyan and Zisserman, arXiv 1409.1556, table 2: 138 million.
    classifier = linear_cost(512 * 7 * 7, 4096) + linear_cost(4096, 4096) + linear_cost(4096, 1000)
    assert (features + classifier).parameters == 138_357_544
    each = layer_costs(layers, channels, 224, pooling=pools)
    assert sum(each, Cost()) == features
    assert [cost == Cost() for cost in each] == [width == "M" for width in widths]


def test_three_small_kernels_cost_less_than_one_large_one():
    three = stack_cost([Layer(3, padding=1)] * 3, 64, 56, bias=False)
    one = stack_cost([Layer(7, padding=3)], 64, 56, bias=False)
    assert three.parameters * 49 == one.parameters * 27
    assert three.multiply_adds * 49 == one.multiply_adds * 27


def test_an_input_that_is_not_square():
    module = nn.Conv2d(3, 8, 3, stride=2)
    counted, _ = torch_cost(module, torch.zeros(1, 3, 20, 31))
    assert stack_cost([Layer(3, 2)], [3, 8], (20, 31)) == counted
    assert stack_cost([Layer(3, 2)], [3, 8], torch.Size([20, 31])) == counted


def test_groups_for_each_layer_and_separable_layers():
    layers = [Layer(3, padding=1), Layer(3, 2, padding=1)]
    module = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 6, 3, 2, padding=1, groups=2))
    counted, _ = torch_cost(module, torch.zeros(1, 4, 9, 9))
    assert stack_cost(layers, [4, 4, 6], 9, groups=[4, 2]) == counted
    separable = stack_cost(layers, [4, 4, 6], 9, separable=True)
    assert separable == depthwise_separable_cost(3, 4, 4, (9, 9)) + depthwise_separable_cost(3, 4, 6, (5, 5))


def test_costs_add_up_and_are_frozen():
    assert Cost(1, 2) + Cost(3, 4) == Cost(4, 6)
    assert repr(Cost(1, 2)) == "Cost(parameters=1, multiply_adds=2)"
    with pytest.raises(TypeError):
        Cost() + 1  # type: ignore[operator]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Cost().parameters = 1  # type: ignore[misc]


# ------------------------------------------------------------------------------------------------------------- errors

LAYERS = [Layer(3, name="a"), Layer(2, 2, name="b")]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: conv_cost(0, 1, 1, (4,)), "`kernel_size` must be an integer >= 1; got 0."),
        (lambda: conv_cost("3", 1, 1, (4,)), "`kernel_size` must be an integer >= 1; got '3'."),
        (
            lambda: conv_cost((3, 0), 1, 1, (4, 4)),
            "`kernel_size` must be a tuple of integers >= 1, one for each axis; got (3, 0).",
        ),
        (
            lambda: conv_cost((3, 3), 1, 1, (4,)),
            "`kernel_size` must have one number for each axis; got (3, 3) for positions (4,).",
        ),
        (lambda: conv_cost(3, 1.5, 1, (4,)), "`in_channels` must be an integer >= 1; got 1.5."),
        (lambda: conv_cost(3, 1, True, (4,)), "`out_channels` must be an integer >= 1; got True."),
        (
            lambda: conv_cost(3, 1, 1, 28),
            "`output_shape` must be a tuple of integers >= 0, one for each axis; got 28.",
        ),
        (
            lambda: conv_cost(3, 1, 1, ()),
            "`output_shape` must be a tuple of integers >= 0, one for each axis; got ().",
        ),
        (
            lambda: transposed_conv_cost(3, 1, 1, (4, -1)),
            "`input_shape` must be a tuple of integers >= 0, one for each axis; got (4, -1).",
        ),
        (
            lambda: conv_cost(3, 8, 6, (4,), groups=4),
            "`groups` must divide `in_channels` and `out_channels`; got groups 4, in_channels 8, out_channels 6.",
        ),
        (lambda: conv_cost(3, 8, 6, (4,), groups=0), "`groups` must be an integer >= 1; got 0."),
        (lambda: linear_cost(0, 1), "`in_features` must be an integer >= 1; got 0."),
        (lambda: linear_cost(1, "1"), "`out_features` must be an integer >= 1; got '1'."),
        (lambda: linear_cost(1, 1, -1), "`positions` must be an integer >= 0; got -1."),
        (lambda: matmul_cost(1, 2, 3.0), "`columns` must be an integer >= 0; got 3.0."),
        (lambda: stack_cost([], 4, 8), "The stack is empty: give at least one Layer, for instance [Layer(3)]."),
        (
            lambda: stack_cost(LAYERS, [3, 4], 8),
            "`channels` must be one integer or 3 of them, one before the stack and one after each layer; got 2.",
        ),
        (lambda: stack_cost(LAYERS, [3, 0, 4], 8), "`channels` must be an integer >= 1; got 0."),
        (lambda: stack_cost(LAYERS, "344", 8), "`channels` must be an integer >= 1; got '344'."),
        (
            lambda: stack_cost(LAYERS, 4, 8, groups=[1]),
            "`groups` must be one integer or 2 of them, one for each layer; got 1.",
        ),
        (
            lambda: stack_cost(LAYERS, [4, 4, 6], 8, groups=4),
            "Layer 'b' goes from 4 to 6 channels; 4 groups do not divide both.",
        ),
        (
            lambda: stack_cost(LAYERS, 4, 8, groups=2, separable=True),
            "A separable convolution sets its own groups; give `groups` or `separable`, not both.",
        ),
        (
            lambda: stack_cost(LAYERS, [3, 4, 6], 8, pooling=["b"]),
            "Layer 'b' pools, so it keeps its 4 channels; got 6 after it.",
        ),
        (
            lambda: stack_cost(LAYERS, 4, (8, 3)),
            "Layer 'b' needs 2 positions; its input has 1, and 1 with padding. "
            "Use a longer input, a smaller kernel or more padding.",
        ),
    ],
)
def test_a_cost_that_cannot_be_is_refused_in_one_sentence(ask, message):
    with pytest.raises(LayerError) as error:
        ask()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: stack_cost(LAYERS, 4, 0),
            "`input_size` must be an integer >= 1, the input's length on one axis; got 0.",
        ),
        (
            lambda: stack_cost(LAYERS, 4, (8, "8")),
            "`input_size` must be an integer >= 1, the input's length on one axis; got '8'.",
        ),
        (lambda: stack_cost(LAYERS, 4, 8, axes=0), "`axes` must be an integer >= 1; got 0."),
    ],
)
def test_an_input_that_cannot_be_is_refused_in_one_sentence(ask, message):
    with pytest.raises(ModelError) as error:
        ask()
    assert str(error.value) == message


def test_pooling_names_a_layer_of_the_stack():
    with pytest.raises(UnknownNameError) as error:
        stack_cost([Layer(3, name="conv1"), Layer(2, 2, name="pool1")], 4, 8, pooling=["pool2"])
    assert str(error.value) == "There is no layer 'pool2'. `pooling` lists layers by name. Nearest: 'pool1'."
