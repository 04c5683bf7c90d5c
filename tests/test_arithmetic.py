"""One axis: the recursions and the sum against index sets, real torch layers and published numbers."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rflib.arithmetic import (
    Layer,
    ReceptiveField,
    output_size,
    output_sizes,
    receptive_field,
    receptive_field_backward,
    receptive_field_closed_form,
)
from rflib.errors import LayerError, ModelError, ReceptiveFieldError, UnitError

# A stack is drawn with everything that changes a window: even kernels, one-sided and negative padding, dilation.
sides = st.integers(-2, 4)
any_layer = st.builds(
    Layer, st.integers(1, 5), st.integers(1, 4), st.one_of(sides, st.tuples(sides, sides)), st.integers(1, 4)
)
any_stack = st.lists(any_layer, min_size=1, max_size=5)


def brute_force(layers: list[Layer], unit: int) -> set[int]:
    """What the unit reads, pushed tap by tap through the layers; no formula for the window."""
    reached = {unit}
    for layer in reversed(layers):
        left = layer.padding[0] if isinstance(layer.padding, tuple) else layer.padding
        taps = range(layer.kernel_size)
        reached = {u * layer.stride - left + tap * layer.dilation for u in reached for tap in taps}
    return reached


def poke(layers: list[Layer], input_size: int) -> torch.Tensor:
    """Which unit (row) of the real torch layers becomes NaN when an input position (column) does."""
    x = torch.ones(input_size, 1, input_size, dtype=torch.float64)  # one example for each poked position
    x[range(input_size), 0, range(input_size)] = torch.nan
    for layer in layers:
        pad = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
        weight = torch.ones(1, 1, layer.kernel_size, dtype=torch.float64)
        x = torch.nn.functional.conv1d(
            torch.nn.functional.pad(x, pad), weight, stride=layer.stride, dilation=layer.dilation
        )
    return x[:, 0].isnan().T  # (units, positions)


# ------------------------------------------------------------------------------------------------ against brute force


@settings(max_examples=3000, deadline=None)
@given(any_stack, st.integers(-3, 3))
def test_three_ways_and_brute_force_agree(layers, unit):
    field = receptive_field(layers)
    assert field == receptive_field_backward(layers) == receptive_field_closed_form(layers)
    read = brute_force(layers, unit)
    assert field.positions(unit) == tuple(sorted(read))
    assert field.interval(unit) == (min(read), max(read))
    assert field.size == max(read) - min(read) + 1
    assert field.center(unit) == (min(read) + max(read)) / 2
    assert field.density == len(read) / field.size
    assert field.stride == min(brute_force(layers, unit + 1)) - min(read)
    assert field.padding == -min(brute_force(layers, 0))


@settings(max_examples=400, deadline=None)
@given(any_stack, st.integers(1, 40))
def test_every_unit_reads_what_poking_real_layers_shows(layers, input_size):
    field = receptive_field(layers)
    try:
        poked = poke(layers, input_size)
    except RuntimeError:  # torch refuses: the input is too small, or the padding cuts off more than there is
        with pytest.raises(LayerError):
            output_size(layers, input_size)
        with pytest.raises(LayerError):
            field.positions(0, input_size)
        return
    assert output_size(layers, input_size) == len(poked)
    for unit, row in enumerate(poked):
        assert field.positions(unit, input_size) == tuple(row.nonzero()[:, 0].tolist())


def test_every_small_stack_of_two_layers_against_poking():
    kinds = [Layer(k, s, p, d) for k, s, p, d in itertools.product((1, 2, 3), (1, 2), (0, 1, (0, 2), (2, -1)), (1, 2))]
    for layers in itertools.product(kinds, repeat=2):
        poked = poke(list(layers), 17)
        field = receptive_field(layers)
        read = [field.positions(unit, 17) for unit in range(len(poked))]
        assert read == [tuple(row.nonzero()[:, 0].tolist()) for row in poked], layers


def test_the_real_set_is_not_the_ideal_set_cut_at_the_border():
    layers = [Layer(3), Layer(3, padding=2)]
    field = receptive_field(layers)
    assert [p for p in field.positions(0) if 0 <= p < 10] == [0, 1, 2]
    assert receptive_field([Layer(3, padding=1), Layer(1, padding=1)]).positions(0, 10) == ()  # reads only padding
    assert [p for p in receptive_field([Layer(3, padding=1), Layer(1, padding=1)]).positions(0) if 0 <= p < 10] == [0]


def test_layers_wider_than_the_input_still_read_all_of_it():
    field = receptive_field([Layer(3, padding=1)] * 10)
    assert field.interval(0) == (-10, 10)
    assert field.positions(2, input_size=4) == (0, 1, 2, 3)


# ------------------------------------------------------------------------------------------------- published numbers


def vgg_16() -> list[Layer]:
    conv, pool = Layer(3, padding=1), Layer(2, 2)
    return [*[conv] * 2, pool, *[conv] * 2, pool, *[conv] * 3, pool, *[conv] * 3, pool, *[conv] * 3, pool]


def alexnet(first_padding: int) -> list[Layer]:
    conv, pool = Layer(3, padding=1), Layer(3, 2)
    return [Layer(11, 4, first_padding), pool, Layer(5, padding=2), pool, conv, conv, conv, pool]


def mobilenet_v1() -> list[Layer]:
    # SAME padding at an even length puts the one padded position of a layer with stride 2 behind the end.
    strides = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    return [Layer(3, s, (0, 1) if s == 2 else 1) for s in strides]


def patch_gan() -> list[Layer]:
    return [Layer(4, s, padding=1) for s in (2, 2, 2, 1, 1)]


@pytest.mark.parametrize(
    ("layers", "size", "stride", "padding"),
    [
        pytest.param(vgg_16(), 212, 32, 90, id="VGG-16, Distill and torchvision"),
        pytest.param(alexnet(0), 195, 32, 64, id="alexnet_v2, Distill"),
        pytest.param(alexnet(2), 195, 32, 66, id="AlexNet, torchvision"),
        pytest.param(mobilenet_v1(), 315, 32, 126, id="MobileNet v1, Distill"),
    ],
)
def test_published_size_stride_and_padding(layers, size, stride, padding):
    for way in (receptive_field, receptive_field_backward, receptive_field_closed_form):
        field = way(layers)
        assert (field.size, field.stride, field.padding) == (size, stride, padding)


@pytest.mark.parametrize(
    ("layers", "size"),
    [
        pytest.param(patch_gan(), 70, id="PatchGAN"),
        pytest.param([dataclasses.replace(layer, padding=0) for layer in patch_gan()], 70, id="PatchGAN, no padding"),
        pytest.param([Layer(4, 2)] * 4 + [Layer(4)] * 2, 142, id="one more stride-2 layer than 70"),
        pytest.param([Layer(4, 2)] * 5 + [Layer(4)] * 2, 286, id="pix2pix 286"),
        pytest.param([Layer(4, 2)] * 6 + [Layer(4)] * 2, 574, id="printed for the 286 network"),
        pytest.param([Layer(8, 4), Layer(4, 2), Layer(3)], 36, id="deep-Q network"),
        pytest.param([Layer(3, dilation=d) for d in (1, 2, 4, 8) for _ in "ab"], 61, id="TCN, two a block"),
        pytest.param([Layer(2, dilation=2**i) for i in range(10)], 1024, id="WaveNet"),
        pytest.param([Layer(2)] + [Layer(2, dilation=2**i) for i in range(10)], 1025, id="WaveNet, initial layer"),
        pytest.param(vgg_16()[::-1], 308, id="VGG-16 reversed"),
        pytest.param([Layer(3, 2), Layer(3)], 7, id="conv3/2, conv3"),
        pytest.param([Layer(3), Layer(3, 2)], 5, id="conv3, conv3/2"),
        pytest.param([Layer(3), Layer(2, 2)], 4, id="pooling does not double"),
        pytest.param([Layer(3)] * 2, 5, id="two 3x3"),
        pytest.param([Layer(3)] * 3, 7, id="three 3x3"),
        pytest.param([Layer(7)], 7, id="one 7x7"),
    ],
)
def test_sizes_that_people_publish_or_mistake(layers, size):
    assert receptive_field(layers).size == size
    assert receptive_field_closed_form(layers).size == size
    assert len(range(min(brute_force(layers, 0)), max(brute_force(layers, 0)) + 1)) == size


@pytest.mark.parametrize(
    ("layers", "read", "size"),
    [
        ([Layer(1, 2), Layer(3)], 3, 5),
        ([Layer(3, dilation=d) for d in (1, 2, 4)], 15, 15),
        ([Layer(3, dilation=2)] * 3, 7, 13),
        ([Layer(2, 3), Layer(2, 3)], 4, 5),  # 0, 1, 3, 4
        ([Layer(1)], 1, 1),
        ([Layer(1, 5), Layer(1, 7)], 1, 1),
    ],
)
def test_density_counts_the_positions_between_the_holes(layers, read, size):
    field = receptive_field(layers)
    assert (len(field.positions(0)), field.size) == (read, size)
    assert field.density == read / size


def test_patch_gan_has_30_outputs_at_256_and_padding_does_not_change_the_size():
    assert output_size(patch_gan(), 256) == 30
    assert output_sizes(patch_gan(), 256) == (128, 64, 32, 31, 30)


def test_centers_at_half_positions_and_with_dilation():
    assert receptive_field([Layer(2, 2)]).center(0) == 0.5
    assert receptive_field([Layer(3, dilation=2, padding=2)]).center(0) == 0
    assert receptive_field([Layer(4, 2, padding=1)]).center(3) == 6.5
    assert isinstance(receptive_field([Layer(3)]).center(0), float)


def test_causal_padding_puts_the_whole_window_before_its_unit():
    causal = receptive_field([Layer(3, padding=(2 * d, 0), dilation=d) for d in (1, 2, 4)])
    assert causal.interval(20) == (6, 20)
    assert output_size(causal.layers, 21) == 21


# -------------------------------------------------------------------------------------------------------- large stacks


def test_deep_and_wide_stacks_have_exact_answers():
    deep = receptive_field([Layer(3, padding=1)] * 4000)
    assert (deep.size, deep.padding, deep.density) == (8001, 4000, 1.0)
    assert receptive_field([Layer(3, dilation=2)] * 4000).density == 8001 / 16001
    doubling = receptive_field([Layer(3, 2)] * 100)
    assert (doubling.size, doubling.stride, doubling.density) == (2**101 - 1, 2**100, 1.0)
    far = receptive_field([Layer(2, dilation=10**15)])
    assert far.positions(5) == (5, 5 + 10**15)


# -------------------------------------------------------------------------------------------------------- plain objects


def test_numbers_of_numpy_and_torch_become_python_integers():
    layer = Layer(np.int64(3), np.uint8(2), (np.int32(1), 2), torch.tensor(4))  # type: ignore[arg-type]
    assert layer == Layer(3, 2, (1, 2), 4)
    assert [type(n) for n in (layer.kernel_size, layer.stride, layer.left, layer.right, layer.dilation)] == [int] * 5
    field = receptive_field([layer])
    assert field.positions(np.int64(1), np.int16(20)) == field.positions(1, 20)  # type: ignore[arg-type]


def test_equal_sides_are_one_number_and_a_list_is_a_pair():
    assert Layer(3, padding=(1, 1)) == Layer(3, padding=1)
    assert Layer(3, padding=[1, 2]).padding == (1, 2)  # type: ignore[arg-type]


def test_layers_and_fields_are_frozen_hashable_and_say_what_they_are():
    layer = Layer(3, 2, (1, 0), 4, "conv1")
    field = receptive_field(iter([layer]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.stride = 1  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        field.size = 1  # type: ignore[misc]
    assert repr(layer) == "Layer(3, stride=2, padding=(1, 0), dilation=4, name='conv1')"
    assert eval(repr(layer)) == layer
    assert repr(Layer(5)) == "Layer(5)"
    assert repr(field) == "ReceptiveField(size=9, stride=2, padding=1)"
    assert isinstance(field, ReceptiveField)
    assert len({field, receptive_field([layer])}) == 1
    assert field != receptive_field([Layer(9, 2, (1, 0))])  # the same three numbers, other positions


def test_the_standard_library_is_enough():
    code = (
        "import sys; import rflib.arithmetic, rflib.cost, rflib.tables;"
        "print([m for m in ('numpy', 'torch', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# --------------------------------------------------------------------------------------------------------------- errors

WHOLE = "`{}` of {} must be an integer >= 1; got {}."
PADDING = "`padding` of a layer must be an integer or two of them, (left, right); got {}."


@pytest.mark.parametrize("argument", ["kernel_size", "stride", "dilation"])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-2, "-2"),
        ("3", "'3'"),
        (3.0, "3.0"),
        (True, "True"),
        (None, "None"),
        ((3, 3), "(3, 3)"),
        (np.True_, "np.True_"),
        (np.float64(3), "np.float64(3.0)"),
        (torch.tensor(True), "tensor(True)"),
        (np.zeros((9, 9)), "an object of type ndarray"),
    ],
)
def test_a_layer_refuses_what_is_not_a_positive_whole_number(argument, value, text):
    arguments = {"kernel_size": 3, argument: value}
    with pytest.raises(LayerError) as error:
        Layer(**arguments)
    assert str(error.value) == WHOLE.format(argument, "a layer", text)
    with pytest.raises(LayerError) as error:
        Layer(**arguments, name="conv2")
    assert str(error.value) == WHOLE.format(argument, "layer 'conv2'", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("same", "'same'"),
        (0.5, "0.5"),
        (False, "False"),
        ((1,), "(1,)"),
        ((1, 2, 3), "(1, 2, 3)"),
        ((1, 2.0), "(1, 2.0)"),
        (("1", 2), "('1', 2)"),
        (None, "None"),
    ],
)
def test_a_layer_refuses_padding_that_is_neither_a_number_nor_a_pair(value, text):
    with pytest.raises(LayerError) as error:
        Layer(3, padding=value)
    assert str(error.value) == PADDING.format(text)


def test_a_name_is_a_string():
    with pytest.raises(LayerError) as error:
        Layer(3, name=3)  # type: ignore[arg-type]
    assert str(error.value) == "`name` of a layer must be a string or None; got 3."


FULL = "Layer(kernel_size, stride=1, padding=0, dilation=1); for a PyTorch module use rflib.analyze"


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ([], "The stack is empty: give at least one Layer, for instance [Layer(3)]."),
        (
            [Layer(3), (3, 2, 1)],
            "Layer 2 of 2 must be a Layer; got (3, 2, 1). Write Layer(3, stride=2, padding=1).",
        ),
        (
            [(3, 2, 1, 4)],
            "Layer 1 of 1 must be a Layer; got (3, 2, 1, 4). Write Layer(3, stride=2, padding=1, dilation=4).",
        ),
        ([3], "Layer 1 of 1 must be a Layer; got 3. Write Layer(3)."),
        ([(3, 2.5)], f"Layer 1 of 1 must be a Layer; got (3, 2.5). Write {FULL}."),
        ("33", f"Layer 1 of 2 must be a Layer; got '3'. Write {FULL}."),
        (
            torch.nn.Sequential(torch.nn.Conv1d(1, 1, 3)),
            f"Layer 1 of 1 must be a Layer; got Conv1d(1, 1, kernel_size=(3,), stride=(1,)). Write {FULL}.",
        ),
        (Layer(3, 2), "`layers` must be a list of Layer, not one Layer; write [Layer(3, stride=2)]."),
        (5, "`layers` must be a list of Layer; got 5."),
        (None, "`layers` must be a list of Layer; got None."),
    ],
)
def test_a_stack_refuses_what_is_not_a_list_of_layers(stack, message):
    for ask in (
        receptive_field,
        receptive_field_backward,
        receptive_field_closed_form,
        lambda layers: output_size(layers, 8),
    ):
        with pytest.raises(LayerError) as error:
            ask(stack)
        assert str(error.value) == message


def test_an_input_too_small_names_the_layer():
    layers = [Layer(3, 2), Layer(3, padding=1, dilation=3, name="conv2")]
    with pytest.raises(LayerError) as error:
        receptive_field(layers).positions(0, input_size=8)
    assert str(error.value) == (
        "Layer 'conv2' needs 7 positions; its input has 3, and 5 with padding. "
        "Use a longer input, a smaller kernel or more padding."
    )
    with pytest.raises(LayerError) as error:
        output_sizes([Layer(3), Layer(4)], 5)
    assert str(error.value) == (
        "Layer 2 needs 4 positions; its input has 3, and 3 with padding. "
        "Use a longer input, a smaller kernel or more padding."
    )


def test_a_padding_that_cuts_off_more_than_there_is_names_the_layer():
    with pytest.raises(LayerError) as error:
        output_size([Layer(3, padding=(5, -4), name="crop")], 3)
    assert str(error.value) == (
        "Layer 'crop' cuts 4 positions off its input, which has 3. "
        "Use a longer input, or a padding that is less negative."
    )


@pytest.mark.parametrize("unit", [-1, 4])
def test_a_unit_that_the_map_does_not_have_is_refused(unit):
    field = receptive_field([Layer(3, 2, padding=1)])
    assert field.interval(unit) == (2 * unit - 1, 2 * unit + 1)  # the ideal grid goes on
    with pytest.raises(UnitError) as error:
        field.positions(unit, input_size=8)
    assert str(error.value) == f"There is no unit {unit}: an input of 8 positions gives units 0 to 3."


@pytest.mark.parametrize(("unit", "text"), [(1.0, "1.0"), ("a", "'a'"), (True, "True"), ((1,), "(1,)"), (None, "None")])
def test_a_unit_is_a_whole_number(unit, text):
    field = receptive_field([Layer(3)])
    for ask in (field.interval, field.center, field.positions, lambda unit: field.positions(unit, 8)):
        with pytest.raises(UnitError) as error:
            ask(unit)
        assert str(error.value) == f"`unit` must be an integer; got {text}."


@pytest.mark.parametrize(("length", "text"), [(0, "0"), (-4, "-4"), ("8", "'8'"), (8.0, "8.0"), (True, "True")])
def test_an_input_size_is_a_positive_whole_number(length, text):
    for ask in (lambda n: receptive_field([Layer(3)]).positions(0, n), lambda n: output_size([Layer(3)], n)):
        with pytest.raises(ModelError) as error:
            ask(length)
        assert str(error.value) == (
            f"`input_size` must be an integer >= 1, the input's length on one axis; got {text}."
        )


def test_every_error_is_one_that_a_user_can_catch():
    for error in (LayerError, ModelError, UnitError):
        assert issubclass(error, ReceptiveFieldError)
    assert issubclass(LayerError, ValueError)
    assert issubclass(UnitError, IndexError)
