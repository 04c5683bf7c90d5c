"""Signs, marks and what is measured on them, against brute force and networks built by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rflib.experiments.puzzle import VARIANTS, switching
from rflib.experiments.signals import LENGTH, SignalNetwork, SignTask, effective_field, flipped
from rflib.experiments.training import on_its_own


@pytest.mark.parametrize("marks", [((-6,),), ((-2, 3),), ((4,), (0,), (-1, 1))])
def test_targets_are_the_products_of_the_marked_signs(marks: tuple[tuple[int, ...], ...]) -> None:
    task = SignTask(marks)
    signs, targets = task.batch(torch.Generator().manual_seed(0), 3, 40)
    left, right = task.margins
    for one in range(3):
        for channel, offsets in enumerate(marks):
            for position in range(left, 40 - right):
                product = 1.0
                for offset in offsets:
                    product *= float(signs[one, 0, position + offset])
                assert float(targets[one, channel, position - left]) == (product > 0)


def test_signs_are_balanced_and_the_right_answer_scores_one() -> None:
    task = SignTask(((-6,),))
    signs, targets = task.batch(torch.Generator().manual_seed(0), 64)
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(signs.mean())) < 0.05
    copied = torch.roll(signs, 6, -1)
    assert task.correct(copied, targets).tolist() == [1.0]
    assert task.correct(-copied, targets).tolist() == [0.0]
    assert float(task.loss(50 * copied, targets)) < 1e-6


def copier(distance: int) -> SignalNetwork:
    """A network that hands the sign on by hand: relu(x) and relu(-x) travel to the right one step a layer."""
    model = SignalNetwork([1] * distance, channels=2)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        model.convolutions[0].weight[0, 0, 0], model.convolutions[0].weight[1, 0, 0] = 1, -1
        for layer in model.convolutions[1:]:
            layer.weight[0, 0, 0] = layer.weight[1, 1, 0] = 1
        model.head.weight[0, 0, 0], model.head.weight[0, 1, 0] = 1, -1
    return model


def test_a_copier_built_by_hand_is_right_everywhere_and_seen_through() -> None:
    task, model = SignTask(((-4,),)), copier(4)
    assert task.accuracy(model, torch.Generator().manual_seed(0)) == (1.0,)
    signs, _ = task.batch(torch.Generator().manual_seed(1), 16)
    measured = effective_field(model, signs)
    assert measured.map[LENGTH // 2 - 4] == pytest.approx(1)
    offsets = range(-5, 6)
    assert flipped(model, signs, offsets) == tuple(1.0 if o == -4 else 0.0 for o in offsets)
    assert model.reaches == (1, 2, 3, 4)
    assert switching(model, signs, distance=4) == 1.0


def test_a_relu_that_never_turns_off_does_not_switch() -> None:
    model = copier(3)
    signs, _ = SignTask(((-2,),)).batch(torch.Generator().manual_seed(0), 8)
    with torch.no_grad():
        model.convolutions[-1].bias[0] = 5.0
    assert switching(model, signs, distance=3) == 0.5
    # The layer before it reads two positions to the left; there both still switch.
    assert switching(model, signs, distance=2) == 1.0
    with torch.no_grad():
        model.convolutions[-1].bias[1] = -5.0
    assert switching(model, signs, distance=3) == 0.0


@pytest.mark.parametrize(
    ("dilations", "size"), [((1, 1, 1), 3), ((1, 2, 4), 3), ((2, 2, 2), 3), ((1,), 13), ((3, 1), 5)]
)
@pytest.mark.parametrize("skip", [False, True])
def test_the_network_reads_what_its_arithmetic_says(dilations: tuple[int, ...], size: int, skip: bool) -> None:
    with on_its_own(0):
        model = SignalNetwork(dilations, size, skip=skip).double()
    x = torch.zeros(1, 1, 61, dtype=torch.float64, requires_grad=True)
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    model(x)[0, 0, 30].backward()
    read = x.grad[0, 0].nonzero()[:, 0]
    assert (int(read[0]), int(read[-1])) == (30 - model.reach, 30 + model.reach)
    assert model.field == 2 * model.reach + 1


def test_batch_norm_statistics_are_those_of_the_signals() -> None:
    with on_its_own(0):
        model = SignalNetwork([1], norm=True)
    signs, _ = SignTask(((0,),)).batch(torch.Generator().manual_seed(0), 32)
    model.set_statistics(signs)
    before = model.convolutions[0](signs)
    assert torch.allclose(model.norms[0].running_mean, before.mean((0, 2)), atol=1e-5)
    assert torch.allclose(model.norms[0].running_var, before.var((0, 2)), atol=1e-4)
    assert model.norms[0].momentum == 0.1


def outputs(variant: str, steps: int = 0) -> torch.Tensor:
    with on_its_own(0):
        model = VARIANTS[variant].build()
        optimizer = VARIANTS[variant].optimizer(model)
        task = SignTask(((-6, 6),))
        data = torch.Generator().manual_seed(0)
        for _ in range(steps):
            signs, targets = task.batch(data, 4)
            optimizer.zero_grad()
            task.loss(model(signs), targets).backward()
            optimizer.step()
        with torch.no_grad():
            return model(task.batch(data, 4)[0])


def test_small_weights_change_nothing_at_the_start() -> None:
    he = outputs("He, 12 layers")
    assert float(he.std()) > 0.01
    for variant in ("He, weights made small", "He, weights and steps made small"):
        assert torch.allclose(outputs(variant), he, rtol=1e-3, atol=1e-4)


def test_steps_as_small_as_the_signal_train_alike_and_others_do_not() -> None:
    he = outputs("He, 12 layers", steps=2)

    def apart(variant: str) -> float:
        return float((outputs(variant, steps=2) - he).abs().max() / he.std())

    assert apart("He, weights and steps made small") < 0.2
    assert apart("He, weights made small") > 10


def test_a_small_output_is_the_same_function_made_small() -> None:
    small = outputs("He, output made small") * 6 ** (13 / 2)
    assert torch.allclose(small, outputs("He, 12 layers"), rtol=1e-4, atol=1e-6)


def test_he_has_weights_as_much_larger_as_the_variants_say() -> None:
    with on_its_own(0):
        default, he = (VARIANTS[f"{name}, 12 layers"].build() for name in ("plain", "He"))
    spread = [torch.cat([c.weight.detach().flatten() for c in m.convolutions]).std() for m in (default, he)]
    assert float(spread[1] / spread[0]) == pytest.approx(6**0.5, rel=0.05)
