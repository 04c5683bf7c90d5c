"""The answers about one layer agree with each other, and with the arithmetic of one axis."""

from __future__ import annotations

import itertools
from random import Random

import pytest
import torch
from torch import nn

import rflib as rf
from properties.comparing import contradictions
from properties.networks import STEPS, draw, smallest

# torch says once that 'same' with an even kernel costs it a copy.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")

# These bring in what lies at the other end of an axis, or repeat what lies at its border: what is read then lies
# outside the ideal window, which goes on beyond the border instead.
WRAPPING = set("convolution padding reused rolled rows_as_sequence windowed_attention interpolation written".split())
# A learned mix along an axis makes features of it. Joined with space again, whether they go on beyond the border is a
# matter of words.
FEATURES = {"linear_along", "einsum"}


def contradictions_of_wrapping(plan):
    return contradictions(plan, wraps=True)


def contradictions_of_plain(plan):
    return contradictions(plan, wraps=False)


@pytest.mark.parametrize("chunk", range(6))
def test_masks_slices_positions_units_and_windows(chunk: int) -> None:
    """Slices, positions and units are the masks'; the rule for all units is what each unit says when asked alone."""
    names = tuple(n for n in STEPS if n not in FEATURES)
    for seed in range(30 * chunk, 30 * (chunk + 1)):
        plan = draw(500_000 + seed, only=names, longest=4)
        if contradictions_of_wrapping(plan):
            pytest.fail(smallest(plan, contradictions_of_wrapping))


@pytest.mark.parametrize("chunk", range(6))
def test_what_is_read_lies_in_the_ideal_window(chunk: int) -> None:
    """The same, and no unit reads outside its ideal window, where no step wraps round."""
    names = tuple(n for n in STEPS if n not in FEATURES | WRAPPING)
    for seed in range(30 * chunk, 30 * (chunk + 1)):
        plan = draw(600_000 + seed, only=names, longest=5)
        if contradictions_of_plain(plan):
            pytest.fail(smallest(plan, contradictions_of_plain))


def random_stack(rng: Random, axes: int) -> tuple[nn.Sequential, list[list[rf.Layer]], tuple[int, ...]]:
    """Convolutions and pools of numbers, as a module and as one list of layers an axis, and a size that fits."""
    modules, by_axis = [], [[] for _ in range(axes)]
    kinds = (("Conv", 1), ("MaxPool", 0), ("AvgPool", 0))
    for i in range(rng.randint(1, 4)):
        kind, learned = rng.choice(kinds)
        kernel = [rng.randint(1, 4) for _ in range(axes)]
        stride = [rng.randint(1, 3) for _ in range(axes)]
        padding = [rng.randint(0, 3 if learned else k // 2) for k in kernel]
        dilation = [1 if kind == "AvgPool" else rng.randint(1, 2) for _ in range(axes)]
        make = getattr(nn, f"{kind}{axes}d")
        more = {} if kind == "AvgPool" else {"dilation": tuple(dilation)}
        channels = (1, 1) if learned else ()
        modules.append(make(*channels, tuple(kernel), tuple(stride), tuple(padding), **more))
        for a in range(axes):
            by_axis[a].append(rf.Layer(kernel[a], stride[a], padding[a], dilation[a], name=f"layer {i}"))
    length = {1: 60, 2: 22, 3: 14}[axes]
    sizes = tuple(length + rng.randint(0, 5) for _ in range(axes))
    return nn.Sequential(*modules).double(), by_axis, sizes


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_plain_stacks_are_the_arithmetic_of_each_axis(axes: int) -> None:
    compared = 0
    for seed in range(120):
        rng = Random(1000 * axes + seed)
        model, by_axis, sizes = random_stack(rng, axes)
        fields = [rf.receptive_field(layers) for layers in by_axis]
        try:
            found = rf.analyze(model, torch.zeros(1, 1, *sizes, dtype=torch.float64)).output
        except rf.errors.ModelError:  # the stack eats up the input
            continue
        compared += 1
        assert found.size == tuple(f.size for f in fields), by_axis
        assert found.stride == tuple(f.stride for f in fields), by_axis
        assert found.padding == tuple(f.padding for f in fields), by_axis
        assert found.density == pytest.approx([float(f.density) for f in fields]), by_axis
        units = list(itertools.product(*(range(n) for n in found.unit_shape)))
        for unit in rng.sample(units, min(len(units), 40)):
            assert found.interval(unit) == tuple(f.interval(u) for f, u in zip(fields, unit, strict=True)), by_axis
            assert found.center(unit) == tuple(f.center(u) for f, u in zip(fields, unit, strict=True)), by_axis
            read = [f.positions(u, n) for f, u, n in zip(fields, unit, sizes, strict=True)]
            read = read if all(read) else [()] * axes  # nothing along one axis is nothing at all
            assert found.positions(unit) == tuple(read), by_axis
    assert compared > 60
