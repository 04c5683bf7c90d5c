"""The public face of `rf.analyze`, held against poking real modules pixel by pixel."""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import rflib as rf
from rflib import zoo
from rflib.errors import NoSingleAnswerError, UnitError, UnknownNameError


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)


def output_of(*modules: nn.Module, shape: tuple[int, ...], **how: Any) -> rf.Found:
    return rf.analyze(nn.Sequential(*modules), input_size=shape, **how).output


def read_by(model: nn.Module, shape: tuple[int, ...], unit: tuple[int, ...]) -> np.ndarray:
    """Which pixels turn a unit NaN, one after the other: (B, C, ...) in, units of the dimensions 2 and up out."""
    model = model.double().eval()
    image = torch.rand(shape, dtype=torch.float64)
    space = shape[2:]
    result = np.zeros(space, dtype=bool)
    with torch.no_grad():
        for pixel in itertools.product(*(range(n) for n in space)):
            poked = image.clone()
            poked[(slice(None), slice(None), *pixel)] = torch.nan
            result[pixel] = bool(model(poked)[(slice(None), slice(None), *unit)].isnan().any())
    return result


# --- ideal windows --------------------------------------------------------------------------------------------------


def test_the_three_numbers_of_a_stack_an_axis() -> None:
    found = output_of(nn.Conv2d(3, 8, (3, 5), (2, 1), (1, 0)), nn.MaxPool2d(2), shape=(1, 3, 32, 40))
    assert found.size == (5, 6)
    assert found.sizes == ((5, 5), (6, 6))
    assert found.stride == (4, 2)
    assert found.padding == (1, 0)
    assert found.density == (1.0, 1.0)
    assert found.whole_input == (False, False)
    assert found.aligned
    assert found.misalignments == ()
    assert (found.shape, found.unit_shape, found.input_shape) == ((1, 8, 8, 18), (8, 18), (32, 40))
    assert all(isinstance(n, int) for n in (*found.size, *found.stride, *found.padding))


def test_the_window_is_ideal_and_the_slice_is_real() -> None:
    found = output_of(nn.Conv2d(1, 1, 5, padding=2), shape=(1, 1, 8, 9))
    assert found.interval((0, 8)) == ((-2, 2), (6, 10))
    assert found.center((0, 8)) == (0.0, 8.0)
    assert found.slices((0, 8)) == (slice(0, 3), slice(6, 9))
    assert found.positions((0, 8)) == ((0, 1, 2), (6, 7, 8))
    assert np.zeros((8, 9))[..., *found.slices((0, 8))].shape == (3, 3)


def test_a_window_may_be_larger_than_the_image() -> None:
    found = output_of(*(nn.Conv1d(1, 1, 7, padding=3) for _ in range(3)), shape=(1, 1, 8))
    assert found.size == (19,)
    assert found.interval(0) == ((-9, 9),)
    assert found.slices(0) == (slice(0, 8),)
    assert found.whole_input == (False,)  # nothing on the way reads everything: it is only large


def test_centers_fall_between_pixels_where_windows_are_even() -> None:
    found = output_of(nn.Conv1d(1, 1, 2, 2), nn.MaxPool1d(2), shape=(1, 1, 16))
    assert [found.center(u) for u in range(4)] == [(1.5,), (5.5,), (9.5,), (13.5,)]
    assert output_of(nn.MaxPool1d(2), shape=(1, 1, 16)).center(0) == (0.5,)


def test_the_middle_unit_is_the_default() -> None:
    found = output_of(nn.Conv2d(1, 1, 3), shape=(1, 1, 8, 9))
    assert found.unit() == (3, 3)
    assert found.interval() == found.interval((3, 3)) == ((3, 5), (3, 5))
    assert found.slices() == found.slices((3, 3))
    assert found.positions() == found.positions((3, 3))
    assert (found.mask() == found.mask((3, 3))).all()


@pytest.mark.parametrize("unit", [[2, 3], np.array([2, 3]), torch.tensor([2, 3]), (np.int64(2), 3)])
def test_a_unit_may_be_any_sequence_of_whole_numbers(unit: Any) -> None:
    found = output_of(nn.Conv2d(1, 1, 3), shape=(1, 1, 8, 9))
    assert found.interval(unit) == ((2, 4), (3, 5))


def test_on_one_axis_a_unit_is_an_int() -> None:
    found = output_of(nn.Conv1d(1, 1, 3, 2), shape=(1, 1, 9))
    assert found.interval(1) == found.interval((1,)) == found.interval(np.int64(1)) == ((2, 4),)
    assert found.units(3) == found.units((3,)) == (1,)


def test_holes_count_in_size_and_not_in_density() -> None:
    dilated = output_of(nn.Conv1d(1, 1, 3, dilation=4), shape=(1, 1, 20))
    assert (dilated.size, dilated.density) == ((9,), (3 / 9,))
    assert dilated.positions(2) == ((2, 6, 10),)
    strided = output_of(nn.Conv1d(1, 1, 1, 2), nn.Conv1d(1, 1, 3), shape=(1, 1, 16))
    assert (strided.size, strided.density, strided.units(3)) == ((5,), (3 / 5,), ())


def test_a_flip_has_a_negative_stride() -> None:
    found = output_of(Apply(lambda x: x.flip(2)), nn.Conv1d(1, 1, 3, 2), shape=(1, 1, 9))
    assert found.stride == (-2,)
    assert found.interval(0) == ((6, 8),)
    assert found.padding == (-6,)


def test_upsampling_has_a_fraction_for_a_stride() -> None:
    found = output_of(nn.Upsample(scale_factor=2), nn.Conv1d(1, 1, 3, padding=1), shape=(1, 1, 8))
    assert found.stride == (Fraction(1, 2),)
    assert found.sizes == ((2, 2),)
    assert [found.interval(u) for u in (0, 1, 2, 3)] == [((-1, 0),), ((0, 1),), ((0, 1),), ((1, 2),)]
    assert output_of(nn.Upsample(scale_factor=2), nn.MaxPool1d(2), shape=(1, 1, 8)).stride == (1,)


def test_windows_of_different_size_give_the_smallest_and_the_largest() -> None:
    found = output_of(nn.Upsample(scale_factor=2), nn.Conv1d(1, 1, 2), shape=(1, 1, 8))
    assert (found.sizes, found.size) == (((1, 2),), (2,))


def test_a_unit_between_the_strides_of_a_transposed_convolution_reads_nothing() -> None:
    found = output_of(nn.ConvTranspose2d(1, 1, 2, 3), shape=(1, 1, 4, 4))
    assert found.sizes == ((0, 1), (0, 1))
    assert found.interval((2, 0)) is None
    assert found.center((2, 0)) is None
    assert found.slices((2, 0)) == (slice(0, 0), slice(0, 0))
    assert found.positions((2, 0)) == ((), ())
    assert not found.mask((2, 0)).any()
    assert found.units((1, 1)) == ((3, 3), (3, 4), (4, 3), (4, 4))


def test_where_there_is_no_single_number_it_is_none() -> None:
    flat = output_of(nn.Conv2d(1, 1, 3), nn.Flatten(), shape=(1, 1, 8, 8))
    assert (flat.unit_shape, flat.stride, flat.padding) == ((36,), (None, None), (None, None))
    assert flat.interval(7) == ((1, 3), (1, 3))
    joined = output_of(Apply(lambda x: torch.cat([x, F.max_pool1d(x, 2)], 2)), shape=(1, 1, 8))
    assert (joined.stride, joined.padding, joined.sizes) == ((None,), (None,), ((1, 2),))
    assert [joined.interval(u) for u in (7, 8)] == [((7, 7),), ((0, 1),)]


def test_after_a_linear_layer_one_unit_without_an_index_is_left() -> None:
    found = output_of(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(36, 5), shape=(1, 1, 8, 8))
    assert found.unit_shape == ()
    assert found.interval() == found.interval(()) == ((0, 7), (0, 7))
    assert found.slices(()) == (slice(0, 8), slice(0, 8))
    assert found.whole_input == (True, True)
    assert found.stride == (None, None)
    assert found.units((0, 0)) == ((),)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ((6, 0), "There is no unit (6, 0) in layer '0': axis 0 runs from 0 to 5."),
        ((0, -1), "There is no unit (0, -1) in layer '0': axis 1 runs from 0 to 6."),
        (3, "A unit of layer '0' has 2 indices, for shape (6, 7); got 3."),
        ((1, 2, 3), "A unit of layer '0' has 2 indices, for shape (6, 7); got (1, 2, 3)."),
        ((1.0, 2), "A unit is a tuple of whole numbers, one an axis; got (1.0, 2)."),
        ((True, 2), "A unit is a tuple of whole numbers, one an axis; got (True, 2)."),
        ("12", "A unit is a tuple of whole numbers, one an axis; got '12'."),
    ],
)
@pytest.mark.parametrize("ask", ["interval", "center", "slices", "positions", "mask"])
def test_a_unit_that_does_not_exist_is_refused(ask: str, unit: Any, message: str) -> None:
    found = rf.analyze(nn.Sequential(nn.Conv2d(1, 1, 3)), input_size=(1, 1, 8, 9))["0"]
    with pytest.raises(UnitError) as caught:
        getattr(found, ask)(unit)
    assert str(caught.value) == message


def test_a_position_or_unit_on_one_axis_is_refused_in_its_own_words() -> None:
    found = output_of(nn.Conv1d(1, 1, 3), shape=(1, 1, 8))
    with pytest.raises(UnitError) as caught:
        found.interval((1, 2))
    assert str(caught.value) == "A unit of the model's output has 1 index, for shape (6,); got (1, 2)."
    with pytest.raises(UnitError) as caught:
        found.units(8)
    assert str(caught.value) == "There is no position 8 in input 'input': axis 0 runs from 0 to 7."


# --- what is really read --------------------------------------------------------------------------------------------

SMALL = {
    "strided": lambda: nn.Sequential(nn.Conv2d(1, 2, 3, 2, 1), nn.MaxPool2d(2, ceil_mode=True)),
    "dilated": lambda: nn.Sequential(
        nn.Conv2d(1, 1, 3, padding=2, dilation=2), nn.Conv2d(1, 1, (1, 3), padding=(0, 1))
    ),
    "transposed": lambda: nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.ConvTranspose2d(1, 1, 3, 2, 1)),
    "upsampled": lambda: nn.Sequential(nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)),
    "reflected": lambda: nn.Conv2d(1, 1, 5, padding=2, padding_mode="reflect"),
    "gated": lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), Apply(lambda x: x * x.mean(3, keepdim=True))),
}


@pytest.mark.parametrize("name", SMALL)
def test_masks_of_all_units_are_what_poking_finds(name: str) -> None:
    torch.manual_seed(0)
    model, shape = SMALL[name](), (1, 1, 7, 8)
    found = rf.analyze(model, input_size=shape).output
    readers: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for unit in itertools.product(*(range(n) for n in found.unit_shape)):
        mask = read_by(model, shape, unit)
        assert (found.mask(unit) == mask).all(), unit
        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
        assert found.positions(unit) == (tuple(rows), tuple(columns))
        assert found.slices(unit) == (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        for pixel in zip(*mask.nonzero(), strict=True):
            readers.setdefault(tuple(int(n) for n in pixel), set()).add(unit)
    for pixel in itertools.product(range(7), range(8)):
        assert set(found.units(pixel)) == readers.get(pixel, set())


def test_units_is_the_other_way_round_in_order() -> None:
    found = output_of(nn.Conv2d(1, 1, 3, 2, 1), shape=(1, 1, 9, 9))
    assert found.units((3, 4)) == ((1, 2), (2, 2))
    assert found.units([3, 4]) == found.units(np.array([3, 4])) == found.units((3, 4))


# --- several inputs, outputs, calls ---------------------------------------------------------------------------------


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.alone = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 5)

    def forward(self, image: Tensor, guide: Tensor) -> Tensor:
        return self.conv(image) + self.alone(guide)


SHAPES = [(1, 3, 8, 8), (1, 3, 10, 10)]


def test_several_inputs_are_asked_one_by_one() -> None:
    analysis = rf.analyze(TwoInputs(), input_size=SHAPES)
    assert analysis.input_names == ("image", "guide")
    found = analysis.output
    assert found.of("image").size == found.of(0).size == (3, 3)
    assert found.of("guide").size == found.of(1).size == (5, 5)
    assert found.of("guide").interval((0, 5)) == ((0, 4), (5, 9))
    assert found.of("guide").input_shape == (10, 10)
    assert found.of("guide").units((9, 9)) == ((5, 5),)
    assert repr(found) == "<model: reads image, guide; ask found.of(name)>"


@pytest.mark.parametrize(
    "ask",
    ["size", "sizes", "stride", "padding", "density", "whole_input", "aligned", "interval", "center", "slices", "mask"],
)
def test_several_inputs_have_no_single_answer(ask: str) -> None:
    found = rf.analyze(TwoInputs(), input_size=SHAPES).output
    call = operator.methodcaller("__call__") if ask in ("interval", "center", "slices", "mask") else id
    with pytest.raises(NoSingleAnswerError) as caught:
        call(getattr(found, ask))
    assert str(caught.value) == "The model reads several inputs ('image', 'guide'). Ask for one: found.of('image')."


def test_a_layer_that_reads_one_of_several_inputs_answers_for_it() -> None:
    analysis = rf.analyze(TwoInputs(), torch.zeros(SHAPES[0]), kwargs={"guide": torch.zeros(SHAPES[1])})
    assert analysis["alone"].size == (5, 5)
    assert analysis["alone"].input_shape == (10, 10)
    assert analysis["alone"].of("image").size == (0, 0)
    assert analysis["alone"].of("image").interval() is None


@pytest.mark.parametrize("name", ["imag", 2, -1, True, None])
def test_an_input_that_does_not_exist_is_refused(name: Any) -> None:
    found = rf.analyze(TwoInputs(), input_size=SHAPES).output
    with pytest.raises(UnknownNameError, match=f"There is no input {name!r}. Nearest: '(image|guide)'"):
        found.of(name)


class Pair(NamedTuple):
    fine: Tensor
    coarse: Tensor


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (lambda a, b: (a, b), ["0", "1"]),
        (lambda a, b: [a, [b]], ["0", "1.0"]),
        (lambda a, b: {"fine": a, "deep": {"coarse": b}}, ["fine", "deep.coarse"]),
        (Pair, ["fine", "coarse"]),
        (lambda a, b: (a, None, 3, b), ["0", "3"]),
    ],
)
def test_several_outputs_have_names(answer: Callable[[Tensor, Tensor], Any], names: list[str]) -> None:
    analysis = rf.analyze(Apply(lambda x: answer(x, F.max_pool1d(x, 3))), input_size=(1, 1, 9))
    assert list(analysis.outputs) == names
    assert [found.size for found in analysis.outputs.values()] == [(1,), (3,)]
    assert analysis["", names[1]].stride == (3,)
    with pytest.raises(NoSingleAnswerError) as caught:
        _ = analysis.output
    listed = ", ".join(repr(name) for name in names)
    assert str(caught.value) == f"The output of the model is 2 tensors ({listed}). Ask analysis.outputs[name]."


def test_a_layer_with_several_outputs_is_asked_with_a_name() -> None:
    analysis = rf.analyze(nn.Sequential(Apply(lambda x: (x, x[:, :, :4])), Apply(lambda p: p[0])), input_size=(1, 1, 8))
    assert analysis["0", "1"].unit_shape == (4,)
    assert analysis.output.unit_shape == (8,)
    with pytest.raises(NoSingleAnswerError) as caught:
        _ = analysis["0"]
    assert str(caught.value) == "The output of layer '0' is 2 tensors ('0', '1'). Ask analysis['0', name]."
    with pytest.raises(UnknownNameError) as unknown:
        _ = analysis["0", "2"]
    assert (
        str(unknown.value) == "There is no output '2'. It was looked for in what layer '0' returns. Nearest: '0', '1'."
    )


def test_one_output_has_the_empty_name() -> None:
    analysis = rf.analyze(nn.Conv1d(1, 1, 3), input_size=(1, 1, 8))
    assert list(analysis.outputs) == [""]
    assert analysis.outputs[""].size == analysis.output.size == analysis[""].size == (3,)


@pytest.mark.parametrize("answer", [lambda x: "text", lambda x: None, lambda x: torch.zeros(1, 3), lambda x: {"n": 3}])
def test_a_model_that_returns_nothing_of_its_input_says_so(answer: Callable[[Tensor], Any]) -> None:
    analysis = rf.analyze(Apply(answer), input_size=(1, 3, 8, 8))
    assert analysis.outputs == {}
    with pytest.raises(NoSingleAnswerError) as caught:
        _ = analysis.output
    assert str(caught.value) == (
        "The output of the model holds no tensor that depends on an input, so it has no receptive field."
    )


class Reused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.never = nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 9)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.conv(x))


def test_a_module_called_twice_answers_for_its_last_call() -> None:
    analysis = rf.analyze(Reused(), input_size=(1, 1, 12))
    assert [found.size for found in analysis.calls("conv")] == [(3,), (5,)]
    assert analysis["conv"].size == (5,)
    assert analysis.paths == ("", "conv")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("cnv", "There is no layer 'cnv'. Nearest: 'conv', 'never'."),
        ("layer4.2", "There is no layer 'layer4.2'. Nearest: 'conv', 'never'."),
        (
            "never",
            "There is no called layer 'never'. Module 'never' exists but was never called in this run, so it has no "
            "field. Nearest: 'conv'.",
        ),
    ],
)
def test_a_layer_that_is_not_there_is_refused(path: str, message: str) -> None:
    analysis = rf.analyze(Reused(), input_size=(1, 1, 12))
    for ask in (analysis.__getitem__, analysis.calls, lambda p: analysis.between("conv", p)):
        with pytest.raises(UnknownNameError) as caught:
            ask(path)
        assert str(caught.value) == message


# --- one layer in another's units -----------------------------------------------------------------------------------


def test_between_counts_in_the_units_of_the_earlier_layer() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 7, 2, 3), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 1, 5))
    analysis = rf.analyze(model, input_size=(1, 1, 40, 40))
    found = analysis.between("1", "3")
    alone = rf.analyze(model[2:], input_size=(1, 2, 10, 10)).output
    assert (
        (found.size, found.stride, found.padding)
        == (alone.size, alone.stride, alone.padding)
        == (*((7, 7), (1, 1), (1, 1)),)
    )
    assert found.input_names == ("1",)
    for unit in itertools.product(range(6), repeat=2):
        assert (found.mask(unit) == alone.mask(unit)).all()
    assert analysis.between("0", "0").size == (1, 1)
    assert analysis.between("0", "").size == analysis.between("0", "3").size == (14, 14)


def test_between_takes_all_paths_from_one_layer_to_the_other() -> None:
    analysis = rf.analyze(zoo.resnet18(1 / 64, 0), input_size=(1, 3, 64, 64))
    assert analysis.between("layer2", "layer4").size == analysis.between("layer2", "").size
    assert analysis.between("layer3", "layer4").size == (
        15,
        15,
    )  # 3, 5 by the strided block: +2, +4, then +4, +4 at jump 2
    assert analysis.between("layer3", "layer4").stride == (2, 2)


@pytest.mark.parametrize(
    ("earlier", "later", "message"),
    [
        ("1", "0", "Layer '0' does not read layer '1', so it has no field in its units."),
        ("", "0", "Layer '0' does not read the model, so it has no field in its units."),
    ],
)
def test_between_refuses_what_does_not_follow(earlier: str, later: str, message: str) -> None:
    analysis = rf.analyze(nn.Sequential(nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 3)), input_size=(1, 1, 9))
    with pytest.raises(NoSingleAnswerError) as caught:
        analysis.between(earlier, later)
    assert str(caught.value) == message


# --- whole input, local ---------------------------------------------------------------------------------------------


def test_a_gate_reads_everything_and_locally_nothing() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), zoo.mobile.SqueezeExcitation(2, 1), nn.Conv2d(2, 1, 3))
    analysis = rf.analyze(model, input_size=(1, 1, 8, 8))
    assert analysis["0"].whole_input == (False, False)
    assert analysis["1"].whole_input == analysis.output.whole_input == (True, True)
    assert analysis.output.mask((0, 0)).all()
    local = analysis.local
    assert local.output.whole_input == (False, False)
    assert (local.output.size, local.output.stride, local.output.padding) == ((5, 5), (1, 1), (1, 1))
    assert local.output.slices((0, 0)) == (slice(0, 4), slice(0, 4))
    assert analysis.output.whole_input == (True, True), "the analysis itself is as it was"
    assert local["1"].interval((4, 4)) == ((3, 5), (3, 5))


@pytest.mark.parametrize(
    ("norm", "training", "whole"),
    [
        (lambda: nn.GroupNorm(2, 4), False, True),
        (lambda: nn.InstanceNorm2d(4), False, True),
        (lambda: nn.LayerNorm([4, 8, 8]), False, True),
        (lambda: nn.BatchNorm2d(4), True, True),
        (lambda: nn.BatchNorm2d(4), False, False),
        (lambda: nn.LayerNorm(8), False, False),  # of one axis: the last
    ],
)
def test_statistics_read_everything_and_locally_nothing(
    norm: Callable[[], nn.Module], training: bool, whole: bool
) -> None:
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), norm(), nn.Conv2d(4, 4, 3, padding=1))
    analysis = rf.analyze(model, input_size=(2, 2, 8, 8), training=training)
    assert analysis.output.whole_input[0] is whole
    assert (analysis.local.output.size, analysis.local.output.padding) == ((5, 5), (2, 2))
    assert analysis.local.output.whole_input == (False, False)


def test_attention_reads_everything_and_locally_its_own_position() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    analysis = rf.analyze(model, input_size=(1, 7, 8), spatial=1)
    assert analysis.output.whole_input == (True,)
    assert analysis.output.positions(2) == (tuple(range(7)),)
    assert analysis.local.output.positions(2) == ((2,),)
    assert analysis.local.output.stride == (1,)


def test_an_axis_is_whole_by_itself() -> None:
    found = output_of(nn.Conv2d(1, 1, 3, padding=1), Apply(lambda x: x.mean(3, keepdim=True)), shape=(1, 1, 8, 9))
    assert found.whole_input == (False, True)
    assert found.size[0] == 3
    assert found.stride[0] == 1


# --- alignment ------------------------------------------------------------------------------------------------------


class Misaligned(nn.Module):
    def __init__(self, padding: int = 0) -> None:
        super().__init__()
        self.conv1, self.skip = nn.Conv2d(1, 1, 2 + padding, 2, padding), nn.Conv2d(1, 1, 1, 2)
        self.after = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.conv1(x) + self.skip(x))


def test_a_shortcut_that_looks_elsewhere_is_named_with_both_paths() -> None:
    analysis = rf.analyze(Misaligned(), input_size=(1, 1, 8, 8))
    assert [analysis[path].aligned for path in ("conv1", "skip", "after", "")] == [True, True, False, False]
    assert [str(m) for m in analysis.output.misalignments] == [
        f"Paths into 'add' are misaligned on axis {axis}: via 'conv1' stride 2, center 0.5; via 'skip' stride 2, "
        "center 0. Change a kernel size so that the centers agree."
        for axis in (0, 1)
    ]
    (first, _) = analysis.output.misalignments
    assert (first.meeting, first.axis, [o.name for o in first.operands]) == ("add", 0, ["conv1", "skip"])
    assert [o.center for o in first.operands] == [Fraction(1, 2), 0]


def test_the_padding_that_the_message_asks_for_aligns_it() -> None:
    assert rf.analyze(Misaligned(padding=1), input_size=(1, 1, 8, 8)).output.aligned


def test_paths_of_different_stride_are_misaligned() -> None:
    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.coarse, self.fine = nn.Conv1d(1, 1, 2, 2), nn.Conv1d(1, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.coarse(x), self.fine(x)[..., :4]], 1)

    found = rf.analyze(Joined(), input_size=(1, 1, 8)).output
    assert (found.stride, found.sizes, found.aligned) == ((None,), ((2, 5),), False)
    assert [str(m) for m in found.misalignments] == [
        "Paths into 'cat' are misaligned on axis 0: via 'coarse' stride 2, center 0.5; via 'fine' stride 1, center 0. "
        "Change a stride so that the strides agree."
    ]


@pytest.mark.parametrize("up", ["nearest", "transposed", "bilinear"])
def test_a_unet_is_aligned(up: str) -> None:
    found = rf.analyze(zoo.unet(1 / 32, 2, up=up), input_size=(1, 1, 32, 32)).output
    assert found.aligned
    assert found.stride == (1, 1)


def test_constants_gates_and_whole_paths_take_no_part() -> None:
    shift = nn.Parameter(torch.zeros(1, 1, 4))
    model = Apply(lambda x: F.max_pool1d(x, 2) + shift + x.mean(2, keepdim=True))
    assert rf.analyze(model, input_size=(1, 1, 8)).output.aligned


@pytest.mark.parametrize("name", ["resnet50", "resnet_v1_50", "inception_v3", "mobilenet_v1"])
def test_published_networks_are_aligned(name: str) -> None:
    member = zoo.networks()[name]
    assert rf.analyze(member.make(width=1 / 64), input_size=member.input_shape)[member.layer or ""].aligned


# --- what people decide from it -------------------------------------------------------------------------------------


def test_unproductive_layers_of_a_stack() -> None:
    model = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(6)))
    analysis = rf.analyze(model, input_size=(1, 1, 32, 32))
    # The inputs of the six see 1, 3, 5, 7, 9, 11.
    assert analysis.unproductive(7) == ("3", "4", "5")
    assert analysis.unproductive(8) == ("4", "5")
    assert analysis.unproductive((3, 9)) == ("4", "5"), "on every axis"
    assert analysis.unproductive(12) == ()
    assert analysis.unproductive(1) == ("0", "1", "2", "3", "4", "5")


def test_at_branches_the_smallest_path_counts() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 9, padding=4)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.conv(x)

    plain = nn.Sequential(*(nn.Conv2d(1, 1, 9, padding=4) for _ in range(3)))
    assert rf.analyze(plain, input_size=(1, 1, 32, 32)).unproductive(9) == ("1", "2")
    blocks = nn.Sequential(Block(), Block(), Block())
    assert rf.analyze(blocks, input_size=(1, 1, 32, 32)).unproductive(9) == (), "a pixel itself still arrives"


def test_unproductive_layers_of_vgg16_at_32() -> None:
    """The reference's own example of a network too deep for small images: its last stages see 32 and more."""
    analysis = rf.analyze(zoo.vgg16(1 / 64, 0), input_size=(1, 3, 64, 64))
    fields = [rf.receptive_field(rf.network("vgg16").layers[:n]).size for n in range(1, 18)]
    kernels = [layer.kernel_size for layer in rf.network("vgg16").layers]
    expected = sum(k == 3 and before >= 32 for k, before in zip(kernels[1:], fields, strict=True))
    assert len(analysis.unproductive(32)) == expected == 7


def test_unproductive_asks_each_input_for_its_own() -> None:
    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = (nn.Sequential(*(nn.Conv1d(1, 1, 3, padding=1) for _ in range(n))) for n in (2, 4))

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.a(left) + self.b(right)

    analysis = rf.analyze(Towers(), input_size=[(1, 1, 16), (1, 1, 16)])
    assert analysis.unproductive(5) == ("b.2", "b.3")


class Padded(nn.Module):
    """A layer whose padding holds a value that a test can choose."""

    def __init__(self, layer: nn.Module, padding: int) -> None:
        super().__init__()
        self.layer, self.padding, self.value = layer, padding, 0.0

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(F.pad(x, (self.padding, self.padding), value=self.value))


class Crop(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return x[..., self.size : x.shape[-1] - self.size]


@st.composite
def padded_stacks(draw: st.DrawFn) -> nn.Module:
    layers: list[nn.Module] = []
    for kind in draw(st.lists(st.sampled_from(["conv", "conv", "conv", "up", "crop"]), min_size=1, max_size=4)):
        if kind == "conv":
            k, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
            layers.append(Padded(nn.Conv1d(1, 1, k, stride, dilation=dilation), draw(st.integers(0, 3))))
        else:
            layers.append(nn.Upsample(scale_factor=2) if kind == "up" else Crop(draw(st.integers(0, 2))))
    return nn.Sequential(*layers)


def shortest_by_running(model: nn.Module) -> int:
    """The first length of input at which some output is not NaN, although all padding is."""
    model = model.double()
    padded = [m for m in model.modules() if isinstance(m, Padded)]
    for m in padded:
        m.value = torch.nan
        nn.init.ones_(m.layer.weight)
    for length in range(1, 200):
        try:
            free = bool((~model(torch.ones(1, 1, length, dtype=torch.float64)).isnan()).any())
        except RuntimeError:
            free = False
        if free:
            break
    for m in padded:
        m.value = 0.0
    return length


@settings(max_examples=60)
@given(padded_stacks())
def test_the_smallest_input_is_the_first_that_shows_a_unit_no_padding(model: nn.Module) -> None:
    expected = shortest_by_running(model)
    assert rf.analyze(model, input_size=(1, 1, 150)).smallest_input == (expected,)


def test_the_smallest_input_of_known_networks() -> None:
    def smallest(model: nn.Module, *shape: int) -> tuple[int, ...]:
        return rf.analyze(model, input_size=shape).smallest_input

    assert smallest(nn.Conv2d(1, 1, (3, 5), padding=1), 1, 1, 9, 9) == (3, 5)
    assert smallest(zoo.dqn(1 / 32, 0), 1, 4, 84, 84) == (36, 36)
    assert smallest(zoo.patchgan(1 / 64), 1, 3, 96, 96) == (71, 71)  # the first unit begins at -23, the fourth at 1
    assert smallest(zoo.unet(1 / 64, 2), 1, 1, 32, 32) == (46, 46)  # of size 44; in steps of 4 it begins at 2


def test_padding_that_depends_on_the_length_is_recorded_for_each_length() -> None:
    """TF's "SAME": of 3 positions at stride 2 an odd input is padded (1, 1), an even one (0, 1)."""
    model = zoo.mobilenet_v1(1 / 32, 0)[:1]
    assert rf.analyze(model, input_size=(1, 3, 32, 32)).smallest_input == (4, 4)
    assert rf.analyze(model, input_size=(1, 3, 33, 33)).smallest_input == (4, 4)


def test_no_input_frees_a_unit_that_reads_everything() -> None:
    model = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.AdaptiveAvgPool1d(1))
    with pytest.raises(NoSingleAnswerError) as caught:
        _ = rf.analyze(model, input_size=(1, 1, 9)).smallest_input
    assert str(caught.value) == (
        "On axis 0 output units follow no single stride (whole_input: True), so no input size frees them of padding. "
        "Analyze the part of the model before the operation that reads everything, or ask analysis.local."
    )


# --- for people -----------------------------------------------------------------------------------------------------


def test_the_repr_of_an_answer_is_one_line() -> None:
    analysis = rf.analyze(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)), input_size=(1, 1, 8, 9))
    assert repr(analysis["0"]) == "<0: size (1, 1), stride (1/2, 1/2), padding (0, 0), units (16, 18)>"
    assert repr(analysis.output) == "<model: size (2, 2), stride (1/2, 1/2), padding (0, 0), units (14, 16)>"
    whole = rf.analyze(nn.AdaptiveAvgPool2d(1), input_size=(1, 1, 8, 9)).output
    assert repr(whole).endswith(", reads the whole input>")


def test_the_answers_are_frozen() -> None:
    found = output_of(nn.Conv1d(1, 1, 3), shape=(1, 1, 8))
    with pytest.raises(AttributeError):
        found.path = "other"  # type: ignore[misc]


def test_every_architecture_answers_every_question() -> None:
    """No question ends in anything but an answer or a sentence of this library."""
    from architectures import ARCHITECTURES, build

    for name in ARCHITECTURES:
        model, inputs = build(name)
        analysis = rf.analyze(model, *inputs)
        json.dumps(analysis.to_dict())
        for path in analysis.paths:
            for call in range(len(analysis.calls(path)) if len(analysis._calls(path)[-1].outputs) == 1 else 0):
                found = analysis.calls(path)[call]
                for k in sorted({k for k, _ in found.node.reads}):
                    one = found.of(k)
                    if 0 in one.unit_shape:
                        continue
                    assert len(one.size) == len(one.stride) == len(one.density) == len(one.input_shape), (name, path)
                    if any(one.line(a) is None for a in one._axes):
                        continue  # what was rolled past the border of a map without lines has no ideal window
                    window, read = one.interval(), one.slices()
                    if window is None:
                        assert not one.mask().any(), (name, path)
                    elif one.mask().any():
                        assert all(s.start < s.stop for s in read), (name, path)
