"""Maps by gradient: against Jacobians, against each other, and everything that can go wrong."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import rflib.effective.effective as module
from rflib.arithmetic import Layer
from rflib.effective.effective import effective_receptive_field
from rflib.effective.paths import path_counts
from rflib.errors import ModelError, NoSingleAnswerError, UnitError, UnknownNameError

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def small(axes: int = 2) -> nn.Sequential:
    conv = CONVS[axes - 1]
    return nn.Sequential(
        conv(3, 4, 3, padding=1), nn.ReLU(), conv(4, 5, 3, stride=2), nn.Tanh(), conv(5, 2, 2)
    ).double()


def images(n: int = 6, axes: int = 2, size: int = 11) -> Tensor:
    return torch.randn(n, 3, *[size] * axes, dtype=torch.float64)


def by_jacobian(model: nn.Module, x: Tensor, unit: tuple[int, ...]) -> Tensor:
    """d(output channel) / d(input), one input at a time, all of it: (inputs, output channels, C, *space)."""
    rows = [torch.autograd.functional.jacobian(lambda one: model(one)[(0, slice(None), *unit)], one[None]) for one in x]
    return torch.stack([row[:, 0] for row in rows])


# -------------------- the map


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_map_is_the_mean_absolute_row_of_the_jacobian(axes: int) -> None:
    model, x, unit = small(axes), images(4, axes), (1,) * axes
    jacobian = by_jacobian(model, x, unit)
    cases = {
        ("absolute", "ones"): jacobian.sum(1).abs(),
        ("squared", "ones"): jacobian.sum(1).square(),
        ("positive", "ones"): jacobian.sum(1).clamp(min=0),
        ("absolute", 1): jacobian[:, 1].abs(),
    }
    for (contribution, output), expected in cases.items():
        erf = effective_receptive_field(model, x, unit=unit, contribution=contribution, output=output)
        expected = expected.sum(1).mean(0).numpy()
        np.testing.assert_allclose(erf.map * erf.total, expected, rtol=1e-9, atol=1e-15)
        assert erf.map.sum() == pytest.approx(1, rel=1e-12)
        assert erf.map.shape == x.shape[2:]
        assert (erf.inputs, erf.unit, erf.notes) == (4, unit, ())
    one_channel = effective_receptive_field(model, x, unit=unit, channels=[2])
    expected = jacobian.sum(1).abs()[:, 2].mean(0).numpy()
    np.testing.assert_allclose(one_channel.map, expected / expected.sum(), rtol=1e-9, atol=1e-15)


def test_random_mixtures_of_channels_are_seeded_and_cannot_cancel_for_good() -> None:
    class Opposites(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, -x], 1)

    x = images(8)[:, :1]
    with pytest.raises(ModelError, match="is zero at every input position"):
        effective_receptive_field(Opposites(), x)
    one, again, other = (effective_receptive_field(Opposites(), x, output="random", seed=s) for s in (0, 0, 1))
    assert one.map[5, 5] == 1
    assert one.total == again.total != other.total


def test_batches_in_any_form_give_one_map() -> None:
    model, x = small(), images(7)
    expected = effective_receptive_field(model, x)
    labels = torch.arange(7)
    forms = [
        effective_receptive_field(model, x, batch_size=1),
        effective_receptive_field(model, x, batch_size=3),
        effective_receptive_field(model, [x[:4], x[4:]]),
        effective_receptive_field(model, (one[None] for one in x)),
        effective_receptive_field(model, DataLoader(TensorDataset(x, labels), batch_size=2, shuffle=True)),
        effective_receptive_field(model, DataLoader(TensorDataset(x), batch_size=4)),
    ]
    for erf in forms:
        np.testing.assert_allclose(erf.map, expected.map, rtol=1e-10, atol=1e-18)
        assert erf.inputs == 7
        assert erf.total == pytest.approx(expected.total, rel=1e-10)


def test_a_larger_gradient_weighs_more() -> None:
    class Gate(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.detach()

    x = torch.zeros(2, 1, 3)
    x[0, 0, 1], x[1, 0, 1] = 1, 3
    assert effective_receptive_field(Gate(), x).total == 2


def test_a_square_of_uniform_weights_is_the_path_count() -> None:
    stack = [Layer(3, padding=1), Layer(4, stride=2, padding=1), Layer(3, padding=1)]
    model = nn.Sequential(*[nn.Conv2d(1, 1, s.kernel_size, s.stride, s.left, bias=False) for s in stack]).double()
    for conv in model:
        nn.init.ones_(conv.weight)
    for unit in ((3, 3), (0, 6), (6, 1)):
        erf = effective_receptive_field(model, torch.zeros(1, 1, 14, 14, dtype=torch.float64), unit=unit)
        paths = path_counts(stack, unit=unit, input_size=(14, 14))
        box = tuple(slice(f, f + n) for f, n in zip(paths.first, paths.counts.shape, strict=True))
        np.testing.assert_allclose(erf.map[box], paths.shares, rtol=1e-12)
        assert erf.total == paths.total


def test_no_measure_depends_on_the_scale_of_the_gradient() -> None:
    model, x = small(), images(3)
    first = effective_receptive_field(model, x)
    for power in range(-6, 7):
        scaled = copy.deepcopy(model)
        with torch.no_grad():
            scaled[-1].weight.mul_(10.0**power)
        erf = effective_receptive_field(scaled, x)
        assert erf.total == pytest.approx(first.total * 10.0**power, rel=1e-9)
        assert erf.sigma == pytest.approx(first.sigma, rel=1e-9)
        assert erf.gaussian().sigma == pytest.approx(first.gaussian().sigma, rel=1e-6)
        assert (erf.size(), erf.area_ratio(0.5)) == (first.size(), first.area_ratio(0.5))


# -------------------- units and layers


def test_the_middle_unit_is_the_default() -> None:
    model = nn.Conv2d(1, 1, 1, bias=False)
    erf = effective_receptive_field(model, torch.ones(1, 1, 6, 9))
    assert erf.unit == (3, 4)
    assert erf.map[3, 4] == 1
    assert effective_receptive_field(nn.Conv1d(1, 1, 1), torch.ones(1, 1, 6), unit=2).unit == (2,)
    assert effective_receptive_field(nn.Conv1d(1, 1, 1), torch.ones(1, 1, 6), unit=np.int64(2)).unit == (2,)


def test_any_layer_by_its_path_is_the_model_cut_there() -> None:
    model, x = small(), images()
    for name in ("0", "1", "2", "3", "4"):
        cut = model[: int(name) + 1]
        expected = effective_receptive_field(cut, x)
        erf = effective_receptive_field(model, x, layer=name)
        np.testing.assert_array_equal(erf.map, expected.map)
        assert (erf.layer, erf.unit) == (name, expected.unit)
    whole = effective_receptive_field(model, x, layer="")
    assert whole.layer is None
    np.testing.assert_array_equal(whole.map, effective_receptive_field(model, x).map)


def test_a_layer_whose_output_is_overwritten_is_measured_as_it_was() -> None:
    kept = nn.Sequential(nn.Conv1d(1, 4, 5), nn.ReLU(), nn.Conv1d(4, 1, 3)).double()
    overwritten = copy.deepcopy(kept)
    overwritten[1].inplace = True
    x = torch.randn(2, 1, 20, dtype=torch.float64)
    for name in ("0", "1", None):
        expected = effective_receptive_field(kept, x, layer=name)
        np.testing.assert_array_equal(effective_receptive_field(overwritten, x, layer=name).map, expected.map)


def test_a_model_that_overwrites_its_input_may_not_touch_ours() -> None:
    x = torch.randn(2, 1, 20)
    before = x.clone()
    erf = effective_receptive_field(nn.Sequential(nn.ReLU(inplace=True), nn.Conv1d(1, 1, 3)), x)
    assert erf.total > 0
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert x.grad is None


def test_of_a_module_called_twice_the_last_call_counts() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(1, 1, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.conv(x))

    erf = effective_receptive_field(Twice(), torch.randn(1, 1, 15), layer="conv")
    assert np.flatnonzero(erf.map).tolist() == [5, 6, 7, 8, 9]


def test_no_hook_is_left_from_batch_to_batch() -> None:
    class Counting(nn.Conv1d):
        def forward(self, x: Tensor) -> Tensor:
            hooks.append(len(self._forward_hooks))
            return super().forward(x)

    hooks: list[int] = []
    model = nn.Sequential(Counting(1, 1, 3))
    effective_receptive_field(model, torch.randn(6, 1, 9), layer="0", batch_size=2)
    assert hooks == [1, 1, 1]
    assert not model[0]._forward_hooks


def test_outputs_without_space_and_outputs_in_boxes() -> None:
    class Boxed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> dict[str, list[Tensor]]:
            return {"features": [self.conv(x)]}

    pooled = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    erf = effective_receptive_field(pooled, images().float(), output=7)
    assert erf.unit == ()
    assert (erf.map > 0).all()
    boxed = Boxed()
    assert (effective_receptive_field(boxed, images().float(), unit=(0, 0)).map[:3, :3] > 0).all()


def test_tokens_and_channels_last_say_where_space_is() -> None:
    class Tokens(nn.Module):
        """Patches of 4 x 4 as tokens, each mixed with its left neighbor."""

        def __init__(self) -> None:
            super().__init__()
            self.patch = nn.Conv2d(3, 8, 4, 4)

        def forward(self, x: Tensor) -> Tensor:
            tokens = self.patch(x.movedim(3, 1)).flatten(2).transpose(1, 2)  # (B, N, C)
            return tokens + tokens.roll(1, dims=1)

    model, x = Tokens(), torch.randn(2, 16, 16, 3)
    erf = effective_receptive_field(model, x, unit=6, spatial=(1, 2), layer_spatial=(1,))
    assert (erf.map.shape, erf.unit) == ((16, 16), (6,))
    read = np.zeros((16, 16), dtype=bool)
    read[4:8, 4:12] = True  # tokens 5 and 6
    assert ((erf.map > 0) == read).all()
    same = effective_receptive_field(model, x, unit=6, spatial=(-3, -2), layer_spatial=(-2,))
    np.testing.assert_array_equal(same.map, erf.map)
    red = effective_receptive_field(model, x, unit=6, spatial=(1, 2), layer_spatial=(1,), channels=[0])
    assert red.total < erf.total


# -------------------- types, devices, costs


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
def test_other_precisions_give_nearly_the_same_map(dtype: torch.dtype, tolerance: float) -> None:
    model, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 3)).double(), images()
    expected = effective_receptive_field(model, x)
    erf = effective_receptive_field(copy.deepcopy(model).to(dtype), x)  # the inputs follow the weights
    assert erf.map.dtype == np.float64
    assert np.abs(erf.map - expected.map).max() < tolerance * expected.map.max()


def test_squares_of_small_numbers_do_not_vanish_in_single_precision() -> None:
    conv = nn.Conv1d(1, 1, 3, bias=False)
    nn.init.constant_(conv.weight, 1e-30)
    assert effective_receptive_field(conv, torch.zeros(1, 1, 9), contribution="squared").map[3:6] == pytest.approx(
        1 / 3
    )


def test_one_backward_pass_a_batch_and_none_for_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls, real = small(), [], torch.autograd.grad

    def counting(outputs: Tensor, inputs: Tensor, **options: object) -> object:
        calls.append(tuple(inputs.shape))
        seen, todo = set(), [outputs.grad_fn]
        while todo:
            node = todo.pop()
            if node is not None and node not in seen:
                seen.add(node)
                todo += [parent for parent, _ in node.next_functions]
        leaves = [node.variable for node in seen if node.name().endswith("AccumulateGrad")]
        assert len(leaves) == 1  # the input alone can receive a gradient
        assert leaves[0] is inputs
        return real(outputs, inputs, **options)

    monkeypatch.setattr(torch.autograd, "grad", counting)
    effective_receptive_field(model, images(7), batch_size=3)
    assert calls == [(3, 3, 11, 11), (3, 3, 11, 11), (1, 3, 11, 11)]
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())


def test_the_bar_counts_the_batches_and_waits_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    bars, options, real = [], [], module.tqdm

    def spying(batches: object, **given: object) -> object:
        options.append(given)
        bars.append(real(batches, **given))
        return bars[-1]

    monkeypatch.setattr(module, "tqdm", spying)
    x = images(7)
    effective_receptive_field(small(), x, batch_size=2)
    effective_receptive_field(small(), (one[None] for one in x))
    effective_receptive_field(small(), x, progress=False)
    assert [given["total"] for given in options] == [4, None, 1]
    assert [given["disable"] for given in options] == [False, False, True]
    assert [given["delay"] for given in options] == [1, 1, 1]
    assert [bar.n for bar in bars[:2]] == [4, 7]


def test_without_gradients_around_it() -> None:
    model, x = small(), images()
    expected = effective_receptive_field(model, x).map
    with torch.no_grad():
        np.testing.assert_array_equal(effective_receptive_field(model, x).map, expected)
    with torch.inference_mode():
        np.testing.assert_array_equal(effective_receptive_field(model, x.clone()).map, expected)


# -------------------- left as found


def noisy() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, 1, 3))


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was(fails: bool) -> None:
    model = noisy()
    model[0].bias.requires_grad_(False)
    model[3].weight.grad = torch.ones_like(model[3].weight)
    model[2].eval()
    before, x = copy.deepcopy(model), images().float()
    state = torch.get_rng_state()
    if fails:
        with pytest.raises(UnitError):
            effective_receptive_field(model, x, unit=(99, 0), layer="3")
    else:
        effective_receptive_field(model, x, layer="3", output="random")
    assert torch.equal(torch.get_rng_state(), state)
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), before.state_dict().values(), strict=True)
    )
    assert [p.requires_grad for p in model.parameters()] == [p.requires_grad for p in before.parameters()]
    assert [p.grad is None for p in model.parameters()] == [True, True, True, True, False, True]
    assert torch.equal(model[3].weight.grad, torch.ones_like(model[3].weight))
    assert [m.training for m in model.modules()] == [m.training for m in before.modules()]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


# -------------------- what the result says about itself


def test_the_convention_in_words() -> None:
    erf = effective_receptive_field(small(), images())
    assert erf.convention == (
        "the absolute value of the gradient of the sum of the unit's channels, averaged over inputs (6), "
        "summed over all input channels"
    )
    erf = effective_receptive_field(small(), images(), contribution="squared", output=1, channels=[0, 2])
    assert erf.convention == (
        "the square of the gradient of channel 1 of the unit, averaged over inputs (6), "
        "summed over input channels [0, 2]"
    )


def test_training_mode_is_said() -> None:
    x = torch.randn(4, 3, 21, 21)
    model = noisy()
    notes = effective_receptive_field(model, x).notes
    assert [note.split(" (")[0] for note in notes if "training mode" in note] == [
        "Batch norm uses the statistics of the batch",
        "Dropout is active",
    ]
    assert (effective_receptive_field(model, x).map > 0).all()  # what the note says: it reads everything
    assert effective_receptive_field(model.eval(), x).notes == ()
    without_memory = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)).eval()
    assert "Batch norm" in effective_receptive_field(without_memory, x).notes[0]


def test_inputs_without_a_gradient_are_counted() -> None:
    model = nn.Sequential(nn.Conv1d(1, 1, 1, bias=False), nn.ReLU())
    nn.init.ones_(model[0].weight)
    x = torch.ones(5, 1, 7)
    x[:2] = -1
    erf = effective_receptive_field(model, x)
    assert erf.notes == ("For 2 of 5 inputs the gradient is zero everywhere (dead ReLU?); they add nothing.",)
    assert erf.total == pytest.approx(3 / 5)


def test_a_map_cut_by_the_border_is_said() -> None:
    model = nn.Sequential(*[nn.Conv2d(1, 1, (3, 1), padding=(1, 0)) for _ in range(6)])
    erf = effective_receptive_field(model, torch.randn(1, 1, 7, 40))
    assert erf.notes == ("The map reaches the input's border on axis 0 and may be cut there; try a larger input.",)
    assert effective_receptive_field(model, torch.randn(1, 1, 70, 40)).notes == ()


def test_what_passes_through_a_flat_operation_is_said_to_be_missing() -> None:
    class Rounded(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + x.roll(1, -1).round() + x.roll(2, -1).floor()

    erf = effective_receptive_field(Rounded(), torch.randn(1, 1, 9))
    assert erf.map[4] == 1
    assert erf.notes == ("On the way lies `floor`, `round`, with derivative zero: what passes through is not counted.",)


def test_a_straight_through_sign_is_not_taken_for_a_flat_one() -> None:
    class Sign(torch.autograd.Function):
        @staticmethod
        def forward(context: object, x: Tensor) -> Tensor:
            return x.sign()

        @staticmethod
        def backward(context: object, gradient: Tensor) -> Tensor:
            return gradient

    class Binary(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Sign.apply(x)

    assert effective_receptive_field(Binary(), torch.randn(1, 1, 9)).notes == ()


# -------------------- what cannot be measured


class Then(nn.Module):
    """A convolution, and then any function."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.conv, self.function = nn.Conv1d(1, 2, 3), function

    def forward(self, x: Tensor) -> object:
        return self.function(self.conv(x))


def fails(error: type[Exception], model: nn.Module, inputs: object, **options: object) -> str:
    with pytest.raises(error) as caught:
        effective_receptive_field(model, inputs, **options)
    return str(caught.value)


LINE = torch.ones(2, 1, 9)


def test_dead_relu() -> None:
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Conv1d(2, 1, 3))
    nn.init.constant_(model[0].bias, -100.0)
    assert fails(ModelError, model, LINE) == (
        "The gradient of unit (2,) of the model's output is zero at every input position, for all inputs (2), so there "
        "is no map. A ReLU on the way may be dead for these inputs, the unit may read padding only, or numbers "
        "underflow. Try other inputs, another unit, double precision, or poke with rflib.measure."
    )


def test_a_gradient_that_is_negative_everywhere_has_no_positive_part() -> None:
    conv = nn.Conv1d(1, 1, 3)
    nn.init.constant_(conv.weight, -1.0)
    message = fails(ModelError, conv, LINE, contribution="positive")
    assert "With contribution='positive' negative gradients count as zero." in message


def test_derivatives_that_are_zero_everywhere_are_named() -> None:
    assert fails(ModelError, Then(torch.sign), LINE) == (
        "The gradient of unit (3,) of the model's output is zero at every input position, for all inputs (2), so there "
        "is no map. On the way lies `sign`, whose derivative is zero everywhere. Try other inputs, another unit, "
        "double precision, or poke with rflib.measure."
    )


def test_an_operation_without_a_derivative_is_found() -> None:
    class Hard(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0).float()

    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ModuleDict({"hard": Hard()})["hard"], nn.Conv1d(2, 1, 3))
    assert fails(ModelError, model, LINE) == (
        "No gradient leads from unit (2,) of the model's output to the input: it is cut in module '1' by an operation "
        "without a derivative (argmax, a comparison, an integer index, detach, no_grad), or the unit does not depend "
        "on the input. Measure a layer before the cut, or poke with rflib.measure."
    )
    assert effective_receptive_field(model, LINE, layer="0").total > 0
    inside = fails(ModelError, Then(lambda y: y.detach() * 2), LINE)
    assert "it is cut in the forward of the model itself by" in inside
    constant = fails(ModelError, Then(lambda y: torch.ones(2, 1, 9)), LINE)
    assert "cut in the forward of the model itself" in constant
    assert not any(m._forward_hooks for m in model.modules())


def test_an_output_of_integers() -> None:
    assert fails(ModelError, Then(lambda y: y.argmax(1, keepdim=True)), LINE) == (
        "The model's output holds torch.int64, which has no gradient (an argmax, a comparison?). Give `layer`, the "
        "path of a module before it, or poke with rflib.measure."
    )


def test_several_outputs_or_none() -> None:
    assert fails(NoSingleAnswerError, Then(lambda y: (y, y[:, :1])), LINE) == (
        "The model's output is not one tensor but 2: (2, 2, 7), (2, 1, 7). Give `layer`, the path of a module that "
        "returns one."
    )
    assert "is not one tensor but 0: none." in fails(NoSingleAnswerError, Then(lambda y: 3.0), LINE)


def test_outputs_that_are_no_feature_map() -> None:
    assert fails(ModelError, Then(lambda y: y.mean((1, 2))), LINE) == (
        "The model's output has shape (2,) for a batch of 2; it must be (inputs, channels, *space). Give inputs with a "
        "batch dimension, or another `layer`."
    )
    assert "has shape (1, 2, 7) for a batch of 2" in fails(ModelError, Then(lambda y: y[:1]), LINE)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ((7,), "There is no unit (7,): axis 0 of the model's output has 7 units, numbered 0 to 6."),
        (-1, "There is no unit (-1,): axis 0 of the model's output has 7 units, numbered 0 to 6."),
        ((1, 1), "`unit` must have one integer for each of the 1 spatial axes of the model's output; got (1, 1)."),
        (1.0, "`unit` must have one integer for each of the 1 spatial axes of the model's output; got 1.0."),
        (True, "`unit` must have one integer for each of the 1 spatial axes of the model's output; got True."),
    ],
)
def test_units_that_do_not_exist(unit: object, message: str) -> None:
    assert fails(UnitError, nn.Conv1d(1, 1, 3), LINE, unit=unit) == message


def test_channels_that_do_not_exist() -> None:
    model = nn.Conv1d(1, 4, 3)
    expected = "There is no channel 4: the model's output has 4, numbered 0 to 3."
    assert fails(UnitError, model, LINE, output=4) == expected
    expected = "`channels` must be input channels, numbered 0 to 0; got [1]."
    assert fails(ModelError, model, LINE, channels=[1]) == expected


def test_layers_that_do_not_exist_or_are_not_called() -> None:
    class Spare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    assert fails(UnknownNameError, Spare(), LINE, layer="use") == "There is no layer 'use'. Nearest: 'used', 'spare'."
    assert fails(ModelError, Spare(), LINE, layer="spare") == (
        "Layer 'spare' is never called for this input; name a layer that is."
    )


def test_nan_in_weights_and_inputs() -> None:
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU(), nn.BatchNorm1d(2), nn.Conv1d(2, 1, 3)).eval()
    broken = copy.deepcopy(model)
    broken[3].weight.data[0, 1, 2] = math.nan
    assert fails(ModelError, broken, LINE) == (
        "Weight '3.weight' holds NaN, so no gradient can be trusted. Load or train it again."
    )
    broken = copy.deepcopy(model)
    broken[2].running_var[0] = math.nan
    assert "Weight '2.running_var' holds NaN" in fails(ModelError, broken, LINE)
    x = LINE.clone()
    x[1, 0, 0] = math.nan
    assert fails(ModelError, model, x) == (
        "An input holds NaN, so its gradient means nothing. Leave it out or repair it."
    )


def test_infinities_that_fake_a_nan_are_not_called_one() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mask", torch.tensor([0.0, -math.inf, math.inf]))
            self.conv = nn.Conv1d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x)

    assert effective_receptive_field(Masked(), LINE).total > 0


def test_a_gradient_that_overflows() -> None:
    model = nn.Sequential(nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 3))
    for conv in model:
        nn.init.constant_(conv.weight, 1e30)
    assert fails(ModelError, model, LINE) == (
        "The gradient of unit (2,) of the model's output is not finite, though no weight and no input is NaN. "
        "Something overflows or divides by zero on the way: try double precision, or smaller inputs."
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            torch.zeros(1, 1, 9, dtype=torch.uint8),
            "The inputs hold torch.uint8, and only real floating-point numbers have a gradient. Convert images with "
            ".float(); for token ids, run what follows the embedding on its output, or poke with rflib.measure.",
        ),
        (
            torch.zeros(1, 9),
            "A batch must have shape (inputs, channels, *space), with nothing empty; got (1, 9). "
            "For a single input add the first dimension: x.unsqueeze(0).",
        ),
        (
            torch.tensor(1.0),
            "A batch must have shape (inputs, channels, *space), with nothing empty; got (). "
            "For a single input add the first dimension: x.unsqueeze(0).",
        ),
        (
            torch.zeros(1, 0, 9),
            "A batch must have shape (inputs, channels, *space), with nothing empty; got (1, 0, 9). "
            "For a single input add the first dimension: x.unsqueeze(0).",
        ),
        (torch.zeros(0, 1, 9), "`inputs` holds no batch, so there is nothing to average; give at least one input."),
        ([], "`inputs` holds no batch, so there is nothing to average; give at least one input."),
        ([LINE, torch.ones(1, 1, 12)], "All inputs must have one spatial shape; got (9,), then (12,)."),
        (["x"], "A batch must be a tensor, or a tuple or list that begins with one; got 'x'."),
        (5, "`inputs` must be a tensor or an iterable of batches; got 5."),
    ],
)
def test_inputs_that_cannot_be_used(inputs: object, message: str) -> None:
    assert fails(ModelError, nn.Conv1d(1, 1, 3), inputs) == message


def test_an_image_without_a_batch_dimension_is_not_taken_for_a_batch() -> None:
    # Convolutions run on it, and three channels would pass for three inputs.
    assert "got (3, 16, 16). For a single input add the first dimension" in fails(
        ModelError, nn.Conv2d(3, 3, 3), torch.randn(3, 16, 16)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"contribution": "signed"},
            "`contribution` must be one of ['absolute', 'squared', 'positive']; got 'signed'.",
        ),
        ({"output": "max"}, "`output` must be 'ones', 'random' or the number of a channel; got 'max'."),
        ({"output": True}, "`output` must be 'ones', 'random' or the number of a channel; got True."),
        ({"batch_size": 0}, "`batch_size` must be an integer >= 1; got 0."),
        (
            {"spatial": (0, 2)},
            "`spatial` must name dimensions of a tensor with 3 of them, in rising order and without dimension 0, the "
            "batch; got (0, 2).",
        ),
        (
            {"layer_spatial": (2, 1)},
            "`layer_spatial` must name dimensions of a tensor with 3 of them, in rising order and without dimension 0, "
            "the batch; got (2, 1).",
        ),
    ],
)
def test_options_that_do_not_exist(options: dict[str, object], message: str) -> None:
    assert fails(ModelError, nn.Conv1d(1, 1, 3), LINE, **options) == message


def test_things_that_are_no_model_or_not_yet() -> None:
    assert fails(ModelError, torch.relu, LINE).startswith("`model` must be a torch.nn.Module; got ")
    assert fails(ModelError, nn.LazyConv1d(1, 3), LINE) == (
        "Weight 'weight' is not initialized yet (a lazy module). Run the model once before."
    )
