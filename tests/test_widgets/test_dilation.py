"""The dilation explorer without a browser: its numbers, its settings, its picture."""

from __future__ import annotations

import math
import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rflib as rf
from rflib.widgets.dilation import DilationExplorer

kernels = st.integers(1, 5)
schedules = st.lists(st.integers(1, 9), min_size=1, max_size=4).flatmap(
    lambda dilations: st.tuples(
        st.just(tuple(dilations)), st.lists(kernels, min_size=len(dilations), max_size=len(dilations)), st.booleans()
    )
)


def summed(dilations: tuple[int, ...], kernel_sizes: list[int], causal: bool) -> set[int]:
    """What the last unit reads, as all sums of one step a layer."""
    steps = []
    for dilation, kernel in zip(dilations, kernel_sizes, strict=True):
        reach = dilation * (kernel - 1)
        left = reach if causal else reach // 2
        steps.append([tap * dilation - left for tap in range(kernel)])
    return {sum(path) for path in product(*steps)}


@given(schedules)
def test_blind_spots_are_what_no_sum_of_steps_gives(schedule: tuple[tuple[int, ...], list[int], bool]) -> None:
    dilations, kernel_sizes, causal = schedule
    explorer = DilationExplorer(dilations, kernel_sizes, causal=causal)
    read = summed(dilations, kernel_sizes, causal)
    window = range(min(read), max(read) + 1)
    assert explorer.receptive_field.size == len(window)
    assert explorer.blind_offsets == tuple(offset for offset in window if offset not in read)
    plane = {(y, x) for y in read for x in read}
    assert explorer.blind_spots == (len(window) - len(read), len(window) ** 2 - len(plane))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(2, 4))
def test_the_rule_in_rising_order_is_exact(dilations: list[int], kernel: int) -> None:
    dilations.sort()
    span, keeps = 1, True
    for dilation in dilations:
        keeps &= dilation <= span
        span += dilation * (kernel - 1)
    assert (DilationExplorer(dilations, kernel).blind_spots[0] == 0) == keeps


@pytest.mark.parametrize(
    ("dilations", "kernel", "size", "blind"),
    [
        ((1, 2, 4), 3, 15, 0),  # M17
        ((2, 2, 2), 3, 13, 6),  # M17
        ((1, 2, 5), 3, 17, 0),
        ((1, 2, 9), 3, 25, 4),
        ((1, 1, 2, 2, 4, 4, 8, 8), 3, 61, 0),  # M14
        ([2**n for n in range(10)], 2, 1024, 0),  # M15
        ([1, *(2**n for n in range(10))], 2, 1025, 0),  # M15
    ],
)
def test_known_schedules(dilations: Any, kernel: int, size: int, blind: int) -> None:
    explorer = DilationExplorer(dilations, kernel)
    assert (explorer.receptive_field.size, explorer.blind_spots[0]) == (size, blind)
    assert explorer.receptive_field == rf.receptive_field(explorer.layers)


def test_a_layers_padding_keeps_the_length_and_lies_as_pytorch_has_it() -> None:
    assert DilationExplorer((1, 2), 2).layers == (rf.Layer(2, padding=(0, 1)), rf.Layer(2, padding=1, dilation=2))
    assert DilationExplorer((3,), 3, causal=True).layers == (rf.Layer(3, padding=(6, 0), dilation=3),)
    assert rf.output_size(DilationExplorer((1, 2, 7), (2, 4, 3)).layers, 50) == 50


LIST = "`dilations` must be a list of integers, one a layer, such as (1, 2, 4); got {}."
LAYER = "`layer` must be an integer from 1 to 3, the number of layers; got {}."
OFFSET = "`offset` must be an integer from -7 to 7, the window of a unit of layer 3; got {}."
CAUSAL = "`causal` must be True or False; got {}."
EXAMPLE = '{"size": 31, "kernel_size": 3, "layers": 4}'
TASK = f"`task` must be a dictionary that holds at least a size, such as {EXAMPLE}; got "
F64 = repr(np.float64(3))
LIMIT = "Give one number for all layers, or one for each."


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dilations", (), "`dilations` must be a list of integers, one a layer, such as (1, 2, 4); got ()."),
        ("dilations", 3, "`dilations` must be a list of integers, one a layer, such as (1, 2, 4); got 3."),
        ("dilations", (1, 0), "The dilation of layer 2 must be an integer from 1 to 1024; got 0."),
        ("dilations", (1.5,), "The dilation of layer 1 must be an integer from 1 to 1024; got 1.5."),
        ("dilations", (True,), "The dilation of layer 1 must be an integer from 1 to 1024; got True."),
        ("dilations", [1] * 25, "`dilations` has 25 entries; the explorer draws at most 24 layers."),
        (
            "dilations",
            [1024, 1024],
            "A unit of this stack spans 4097 positions; the explorer draws at most 4096. "
            "Use smaller dilations or fewer layers.",
        ),
        *[("dilations", each, LIST.format(repr(each))) for each in (None, math.nan, "1,2", np.int64(3), {1, 2})],
        ("dilations", np.array(3), LIST.format("3")),
        ("dilations", np.array([[1, 2]]), "The dilation of layer 1 must be an integer from 1 to 1024; got [1, 2]."),
        ("dilations", (1, None), "The dilation of layer 2 must be an integer from 1 to 1024; got None."),
        ("dilations", [np.nan], "The dilation of layer 1 must be an integer from 1 to 1024; got nan."),
        ("kernel_size", None, "The kernel size of layer 1 must be an integer from 1 to 32; got None."),
        ("kernel_size", math.nan, "The kernel size of layer 1 must be an integer from 1 to 32; got nan."),
        ("kernel_size", "3", "The kernel size of layer 1 must be an integer from 1 to 32; got '3'."),
        ("kernel_size", np.array([3.0]), f"`kernel_size` has 1 entries for 3 dilations. {LIMIT}"),
        ("kernel_size", np.float64(3), f"The kernel size of layer 1 must be an integer from 1 to 32; got {F64}."),
        *[("layer", each, LAYER.format(repr(each))) for each in (None, math.nan, "1", np.array([1, 2]))],
        *[("offset", each, OFFSET.format(repr(each))) for each in (None, math.nan, "0", np.array([0, 1]))],
        *[("causal", each, CAUSAL.format(repr(each))) for each in (None, math.nan, "yes", 1, np.array([True]))],
        *[("task", each, f"{TASK}{each!r}.") for each in (math.nan, "31", 31, np.int64(31), np.array([31, 4]))],
        ("kernel_size", 0, "The kernel size of layer 1 must be an integer from 1 to 32; got 0."),
        ("kernel_size", (3, 3, "3"), "The kernel size of layer 3 must be an integer from 1 to 32; got '3'."),
        ("kernel_size", (3, 3), f"`kernel_size` has 2 entries for 3 dilations. {LIMIT}"),
        ("layer", 4, "`layer` must be an integer from 1 to 3, the number of layers; got 4."),
        ("layer", 1.0, "`layer` must be an integer from 1 to 3, the number of layers; got 1.0."),
        ("offset", 8, "`offset` must be an integer from -7 to 7, the window of a unit of layer 3; got 8."),
    ],
)
def test_a_setting_that_cannot_be_changes_nothing(name: str, value: Any, message: str) -> None:
    for from_browser in (False, True):
        if from_browser and isinstance(value, np.generic | np.ndarray):
            continue  # the browser sends JSON
        explorer = DilationExplorer()
        before = explorer.get_state()
        with pytest.raises(rf.ReceptiveFieldError, match=f"^{re.escape(message)}$"):
            explorer.set_state({name: value}) if from_browser else setattr(explorer, name, value)
        assert explorer.get_state() == before


def test_numpys_numbers_are_taken_as_pythons() -> None:
    explorer = DilationExplorer()
    explorer.causal = np.True_
    explorer.kernel_size = np.array(2)
    explorer.layer, explorer.offset = np.int64(2), np.int32(-3)
    found = (explorer.causal, explorer.kernel_size, explorer.layer, explorer.offset)
    assert found == (True, 2, 2, -3)
    assert [type(each) for each in found] == [bool, int, int, int]
    explorer.task = {"size": np.int64(9)}
    assert type(explorer.task["size"]) is int
    explorer.task = None
    assert (explorer.task, explorer.is_solved) == ({}, None)


def test_of_one_message_from_the_browser_all_is_taken_or_nothing() -> None:
    explorer = DilationExplorer()
    with pytest.raises(rf.LayerError, match="has 2 entries for 1 dilation"):
        explorer.set_state({"dilations": [2], "kernel_size": [3, 5], "layer": 1, "offset": 0})
    assert (explorer.dilations, explorer.kernel_size, explorer.layer) == ((1, 2, 4), 3, 3)
    explorer.set_state({"dilations": [2, 5], "kernel_size": [3, 5], "layer": 1, "offset": -2})
    assert (explorer.dilations, explorer.kernel_size, explorer.layer, explorer.offset) == ((2, 5), (3, 5), 1, -2)


def test_the_cursor_stays_inside_and_at_the_last_layer() -> None:
    explorer = DilationExplorer((1, 2, 4))
    explorer.offset = -7
    explorer.dilations = (1, 2)
    assert (explorer.layer, explorer.offset) == (2, -3)
    explorer.dilations = (1, 2, 4, 8)
    assert (explorer.layer, explorer.offset) == (4, -3)
    explorer.layer = 1
    assert explorer.offset == -1
    explorer.dilations = (3, 3, 3)
    assert explorer.layer == 1


def test_arrays_are_taken_and_equal_kernel_sizes_become_one() -> None:
    explorer = DilationExplorer(np.array([1, 2]), np.array([3, 3]))
    assert (explorer.dilations, explorer.kernel_size) == ((1, 2), 3)
    assert type(explorer.dilations[0]) is int


def test_a_task_knows_when_it_is_solved() -> None:
    task = {"size": 31, "kernel_size": 3, "layers": 4}
    explorer = DilationExplorer((1, 2, 4, 8), task=task)
    assert explorer.is_solved is True
    for dilations, kernel in (((1, 2, 4, 7), 3), ((1, 2, 4, 16), 3), ((1, 2, 4, 8), 4), ((1, 2, 4, 8, 1), 3)):
        assert DilationExplorer(dilations, kernel, task=task).is_solved is False
    assert DilationExplorer().is_solved is None


@pytest.mark.parametrize(
    ("task", "error", "message"),
    [
        ({"layers": 3}, rf.LayerError, "`task` must be a dictionary that holds at least a size, such as"),
        ({"size": 0}, rf.LayerError, "`size` of the task must be an integer >= 1; got 0."),
        ({"size": 3, "layer": 2}, rf.UnknownNameError, "There is no entry of a task 'layer'. Nearest: 'layers'."),
    ],
)
def test_a_task_that_cannot_be_is_refused(task: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        DilationExplorer(task=task)


def test_the_picture_states_the_finding() -> None:
    assert DilationExplorer((2, 2, 2)).picture().alt == (
        "Dilations 2, 2, 2 with kernel size 3: 6 of 13 offsets are blind. "
        "In two dimensions 120 of 169 positions of the window are blind."
    )
    wide = DilationExplorer([2**n for n in range(10)], 2, causal=True).picture()
    assert "no blind spots" in wide.alt
    left, right = wide.figure.axes
    assert left.lines[-2].get_xdata().tolist() == list(range(-1023, 1))
    assert right.images[0].get_array().all()


def test_two_explorers_keep_apart_and_say_what_they_show() -> None:
    one, other = DilationExplorer((1,)), DilationExplorer((2, 2), (3, 5))
    assert repr(one) == "DilationExplorer: dilations 1 with kernel size 3 read 3 of 3 offsets, no blind spots"
    assert repr(other) == "DilationExplorer: dilations 2, 2 with kernel sizes 3, 5 read 7 of 13 offsets, 6 blind spots"
