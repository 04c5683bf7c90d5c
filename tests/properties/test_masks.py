"""What `analyze` says each unit reads, against poking, for thousands of random networks: every unit, borders too.

The networks are drawn from seeds, so that every run draws the same. A failing one is made smaller before it is shown.
"""

from __future__ import annotations

import itertools
from functools import partial
from random import Random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import rflib as rf
from properties.comparing import analysis_of, differences, differences_of, layers, masks_of
from properties.joining import TWO
from properties.networks import STEPS, Network, Plan, draw, smallest

# torch says once that 'same' with an even kernel costs it a copy.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")

CHUNKS, EACH = 24, 80
OF_EACH_STEP = 12


def check(plans: list[Plan], every: bool = False) -> None:
    wrong = partial(differences, every=every)
    for plan in plans:
        if wrong(plan):
            pytest.fail(smallest(plan, wrong))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_branching_networks(chunk: int) -> None:
    """Any steps, in any order, with branches; the outputs, and in one of four networks every layer on the way."""
    for seed in range(EACH * chunk, EACH * (chunk + 1)):
        check([draw(seed, longest=7)], every=seed % 4 == 0)


@pytest.mark.parametrize("chunk", range(6))
def test_plain_stacks(chunk: int) -> None:
    """Windows that slide, and nothing else, in one to three dimensions."""
    sliding = ("convolution", "transposed_convolution", "max_pool", "average_pool", "pointwise", "padding", "sliced")
    check([draw(100_000 + seed, only=sliding, longest=5) for seed in range(80 * chunk, 80 * (chunk + 1))])


@pytest.mark.parametrize("name", STEPS)
def test_each_step_alone(name: str) -> None:
    """Every kind of step takes part, with a convolution before or behind it."""
    made = 0
    for seed in range(OF_EACH_STEP):
        rng = Random(seed)
        plan = draw(seed, axes=rng.choice((1, 2, 2, 3)), only=("convolution",), longest=2)
        step = (name, rng.getrandbits(32), (0, 1))
        plan = Plan(plan.shapes, (step, *plan.steps) if rng.random() < 0.5 else (*plan.steps, step))
        without = Plan(plan.shapes, tuple(s for s in plan.steps if s is not step))
        made += len(Network(plan).sources) > len(Network(without).sources)
        check([plan])
    assert made >= 2, f"{name} did not fit into any network"


@pytest.mark.parametrize("name", sorted(TWO))
def test_two_inputs(name: str) -> None:
    """Two inputs of one shape, a step on each, and then the step that joins them."""
    for seed in range(OF_EACH_STEP):
        plan = draw(200_000 + seed, only=("convolution", "sliced", "pointwise", "interpolation"), longest=2)
        one, two = (1, *plan.shapes[0][1:]), (1, *plan.shapes[0][1:])
        rest = [(step, number, (1, 1)) for step, number, _ in plan.steps]
        check([Plan((one, two), (*rest, (name, seed, (0, 1))), plan.outputs)])


def test_values_asked_for_in_python() -> None:
    """A model that needs a number is followed on real tensors; the answers are the same as without."""

    class Asks(nn.Module):
        def __init__(self, network: Network):
            super().__init__()
            self.network = network

        def forward(self, *inputs: Tensor) -> object:
            return self.network(*inputs) if float(inputs[0].sum()) < 1e9 else inputs[0]

    for seed in range(300_000, 300_080):
        plan = draw(seed, longest=6)
        network = Network(plan)
        if not network.sources:
            continue
        free, asked = analysis_of(network, plan.shapes), analysis_of(Asks(network), plan.shapes)
        # take_along_dim wants its operands on one device, and its indices are worth something on one only
        assert "take_along_dim" in network.describe() or not any("values in Python" in n for n in free.notes)
        assert any("values in Python" in note for note in asked.notes)
        for key, layer in layers(free, False).items():
            for k in range(len(plan.shapes)):
                other = asked.outputs[key[1]].of(k)
                assert np.array_equal(masks_of(layer.of(k)), masks_of(other)), f"{plan}\n{network.describe()}"


def test_other_layouts() -> None:
    """Channels last, several images at once, no batch: the same network, the same masks."""

    class Last(nn.Module):
        def __init__(self, network: Network):
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            return self.network(x.movedim(-1, 1).contiguous()).movedim(1, -1)

    class NoBatch(nn.Module):
        def __init__(self, network: Network):
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            return self.network(x[None])[0]

    compared = 0
    for seed in range(400_000, 400_120):
        plan = draw(seed, longest=4)
        plan = Plan(plan.shapes[:1], plan.steps)
        network, shape = Network(plan), plan.shapes[0]
        n = len(shape) - 2
        plain = analysis_of(network, plan.shapes).output if network.sources else None
        if plain is None or plain.unit_dims != tuple(range(2, 2 + n)):
            continue
        expected = masks_of(plain)
        last = rf.analyze(
            Last(network), torch.zeros(1, *shape[2:], shape[1], dtype=torch.float64), spatial=tuple(range(1, 1 + n))
        )
        several = analysis_of(network, ((3, *shape[1:]),))
        alone = rf.analyze(
            NoBatch(network), torch.zeros(shape[1:], dtype=torch.float64), spatial=tuple(range(1, 1 + n))
        )
        others = {"several": several}
        if min(plain.unit_shape) > 1:  # of several dimensions of length one a view does not say which one it took out
            others["alone"] = alone
        if min(plain.unit_shape) > 1 or plain.shape[1] > 1:
            others["last"] = last
        for name, other in others.items():
            assert np.array_equal(masks_of(other.output), expected), f"{name}: {plan}\n{network.describe()}"
        compared += 1
    assert compared > 30


def test_training_mode_reads_the_whole_batch() -> None:
    model = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.Conv1d(3, 1, 2)).double()
    found = rf.analyze(model, torch.zeros(2, 2, 8, dtype=torch.float64), training=True)
    assert masks_of(found.output).all()
    assert found.local.output.size == (4,)
    model.train()
    x = torch.randn(2, 2, 8, dtype=torch.float64)
    with torch.no_grad():
        before = model(x)
        for image, position in itertools.product(range(2), range(8)):
            other = x.clone()
            other[image, :, position] += 3.0
            assert ((model(other) - before).abs() > 1e-9).any(0).all()


def test_a_wrong_answer_is_seen() -> None:
    """The oracle can say no: the analysis of one network is not that of another."""
    wide, narrow = nn.Conv2d(1, 1, 3, padding=1).double(), nn.Conv2d(1, 1, (3, 1), padding=(1, 0)).double()
    shapes = ((1, 1, 4, 5),)
    assert differences_of(wide, shapes, analysis_of(wide, shapes)) == []
    missing = differences_of(wide, shapes, analysis_of(narrow, shapes))
    extra = differences_of(narrow, shapes, analysis_of(wide, shapes))
    assert len(missing) == len(extra) == 20
    assert "unit (0, 0): missing [[0, 1], [1, 1]], extra []" in missing[0]
    assert "unit (0, 0): missing [], extra [[0, 1], [1, 1]]" in extra[0]
