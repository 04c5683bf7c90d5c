"""Real networks of designs: their parameters, work, windows, memory and behavior under a move."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import rflib as rf
from rflib.arithmetic import Layer
from rflib.design import WAYS, Design, growth
from rflib.design.designs import padded_layer
from rflib.errors import ModelError
from rflib.experiments.comparing import compare_designs, network_of

MIXED = Design(
    [padded_layer(*row) for row in ((3, 2, 1, "conv"), (2, 1, 1, "conv"), (2, 2, 1, "pool"), (5, 1, 2, "separable"))],
    ["conv", "conv", "pool", "separable"],
    channels=4,
    input_size=32,
)
DESIGNS = {way: growth(way, 3, channels=4, input_size=32)[-1] for way in WAYS} | {"mixed": MIXED}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_network_is_the_design(name: str) -> None:
    design = DESIGNS[name]
    for circular in (False, True):
        model = network_of(design, circular=circular)
        with FlopCounterMode(display=False) as counter:
            output = model(torch.zeros(1, 4, 32, 32))
        assert output.shape == (1, 4, design.output_size, design.output_size)
        assert sum(parameter.numel() for parameter in model.parameters()) == design.cost.parameters
        assert counter.get_total_flops() == 2 * design.cost.multiply_adds
    found = rf.analyze(network_of(design), input_size=(1, 4, 32, 32)).output
    assert found.size == (design.field.size,) * 2
    assert found.stride == (design.field.stride,) * 2
    assert found.padding == (design.field.padding,) * 2


def test_a_circular_network_follows_a_move_by_its_stride() -> None:
    model = network_of(MIXED, circular=True).double()
    image = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(0)).double()
    stride = MIXED.field.stride
    with torch.no_grad():
        assert torch.allclose(model(torch.roll(image, stride, -1)), torch.roll(model(image), 1, -1))
        assert not torch.allclose(model(torch.roll(image, 1, -1)), torch.roll(model(image), 1, -1))


def test_what_is_measured_is_so() -> None:
    grid = Design([Layer(3, padding=2, dilation=2)] * 3, channels=4)
    result = compare_designs({**DESIGNS, "grid": grid}, input_size=32, progress=False)
    assert [run.name for run in result.runs] == [*DESIGNS, "grid"]
    for run in result.runs:
        design = {**DESIGNS, "grid": grid}[run.name]
        assert (run.field, run.stride, run.depth) == (design.field.size, design.field.stride, len(design.layers))
        assert run.parameters == design.cost.parameters
        assert run.multiply_adds == design.cost.multiply_adds
        assert run.read == pytest.approx(design.density)
        assert (run.change < 1e-5) == (run.stride == 1)
    assert result["grid"].read == pytest.approx(7 / 13)
    full = 4 * 4  # bytes of a map of 4 channels, for each pixel
    assert result["depth"].kept == 3 * full  # each ReLU's output; the input is no part of it
    assert result["depthwise"].kept == 6 * full  # and between depthwise and 1x1 one more
    assert result["dilation"].kept == result["depth"].kept
    assert result["large kernels"].kept == full
    assert result["pooling"].kept < result["depth"].kept


def test_the_finding_names_who_loses_what() -> None:
    grid = Design([Layer(3, padding=2, dilation=2)] * 3, channels=4)
    result = compare_designs({**DESIGNS, "grid": grid}, input_size=32, progress=False)
    assert MIXED.density < 1
    assert "Resolution is lost by pooling and mixed, coverage by mixed and grid." in result.finding
    assert "does not follow a move by one pixel with pooling and mixed." in result.finding
    one = compare_designs({"grid": grid}, input_size=16, progress=False)
    assert "Resolution is lost by no design, coverage by grid." in one.finding
    headings, rows = result.table()
    assert all(len(row) == len(headings) for row in rows)
    with pytest.raises(KeyError):
        result["nobody"]


def test_same_seed_same_numbers_and_torch_is_left_alone() -> None:
    before = torch.get_rng_state()
    first, again = (compare_designs({"mixed": MIXED}, input_size=32, seed=3, progress=False) for _ in range(2))
    assert first == again
    assert torch.equal(before, torch.get_rng_state())
    assert compare_designs({"mixed": MIXED}, input_size=32, seed=4, progress=False) != first


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ModelError, match="`designs` is empty"):
        compare_designs({})
    with pytest.raises(ModelError, match=r"Design 'line' has to have two axes, as an image has; got 1\."):
        compare_designs({"line": Design([Layer(3, padding=1)], axes=1)})
    with pytest.raises(ModelError, match=r"got 20, and 'mixed' has stride 4\."):
        compare_designs({"mixed": MIXED}, input_size=20)
    with pytest.raises(ModelError, match=r"one or two axes to be built; got 3\."):
        network_of(Design([Layer(3, padding=1)], axes=3))


def test_convolutions_stand_before_relus_and_nothing_else_is_there() -> None:
    kinds = [type(part) for part in network_of(MIXED)]
    assert kinds.count(nn.ReLU) == 3
    assert kinds.count(nn.MaxPool2d) == 1
    assert kinds.count(nn.Conv2d) == 4
    assert kinds.count(nn.ZeroPad2d) == 1  # the kernel of 2 needs more on one side
