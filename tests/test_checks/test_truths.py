"""The truth of exercises 01 to 04, reached by brute force, against rflib and real layers on hundreds of draws."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch

import rflib as rf
from rflib.checks import axes, catalog, exercise_01, exercise_03, poking, preparing, reading, stacks
from rflib.checks.task import Inputs, Task, Written
from rflib.networks import MISPRINTS

DRAWS = 60


def inputs(name: str) -> list[Inputs]:
    """Draws of every property of a task."""
    random = Random(name)
    return [of.draw(random) for of in catalog.find(name).properties for _ in range(DRAWS)]


def truth(name: str) -> Any:
    task = catalog.find(name)
    assert isinstance(task, Written)
    return task.truth


def layers(plain: list[dict[str, Any]]) -> list[rf.Layer]:
    return [rf.Layer(**{k: tuple(v) if isinstance(v, list) else v for k, v in one.items()}) for one in plain]


def test_forward_and_backward() -> None:
    for (stack,) in inputs("02-forward"):
        field = rf.receptive_field(layers(stack))
        assert truth("02-forward")(stack) == [field.size, field.stride]
        spanned = truth("02-backward")(stack)
        tails = [rf.receptive_field(layers(stack[place:])).size for place in range(len(stack))]
        assert spanned == [*tails, 1]


def test_table() -> None:
    for (network,) in inputs("02-table"):
        plain = layers(stacks.reading_layers(network))
        expected = [[row.size, row.jump] for row in rf.layer_table(plain)]
        assert truth("02-table")(network) == expected[-len(network) :]


def test_table_of_a_network_that_everybody_knows() -> None:
    vgg = rf.network("vgg16").layers
    plain = [{"kind": "conv", "kernel_size": one.kernel_size, "stride": one.stride} for one in vgg]
    assert truth("02-table")(plain)[-1] == [212, 32]


def test_needed() -> None:
    for stack, units in inputs("02-needed"):
        field = rf.receptive_field(layers(stack))
        assert truth("02-needed")(stack, units) == field.interval(units - 1)[1] - field.interval(0)[0] + 1


def test_terms_add_up_to_the_size() -> None:
    for (stack,) in inputs("03-terms"):
        terms = truth("03-terms")(stack)
        assert terms[0] == 1
        assert sum(terms) == rf.receptive_field_closed_form(layers(stack)).size


def filled(stack: list[dict[str, Any]], value: int) -> list[rf.Layer]:
    return layers([{k: value if v is None else v for k, v in one.items()} for one in stack])


def test_solve() -> None:
    answers = set()
    for stack, size in inputs("03-solve"):
        value = truth("03-solve")(stack, size)
        fits = [v for v in range(1, 200) if rf.receptive_field(filled(stack, v)).size == size]
        assert fits == ([] if value is None else [value])
        answers.add(value)
    assert None in answers
    assert len(answers) > 5


def test_depth() -> None:
    for one, size, growth in inputs("03-depth"):
        many = truth("03-depth")(one, size, growth)
        stack = [{**one, "dilation": one["dilation"] * growth**place} for place in range(many)]
        assert rf.receptive_field(layers(stack)).size >= size
        assert many == 1 or rf.receptive_field(layers(stack[:-1])).size < size


def test_examine_explains_the_published_574() -> None:
    (misprint,) = [each for each in MISPRINTS if each.of == "patchgan_286"]
    patchgan = [stacks.layer(one.kernel_size, one.stride) for one in rf.network("patchgan_286").layers]
    found = exercise_03.examined(patchgan, misprint.printed)
    assert found == {"size": 286, "twice": [0, 1, 2, 3, 4], "missing": [], "reversed": False}
    assert misprint.printed == 574
    longer = [stacks.layer(one.kernel_size, one.stride) for one in misprint.layers]
    assert [*patchgan[:1], *patchgan] == longer


def test_examine() -> None:
    for stack, published in inputs("03-examine"):
        found = truth("03-examine")(stack, published)
        size = rf.receptive_field(layers(stack)).size
        assert found["size"] == size
        for place in found["twice"]:
            assert rf.receptive_field(layers([*stack[:place], stack[place], *stack[place:]])).size == published
        for place in found["missing"]:
            assert rf.receptive_field(layers(stack[:place] + stack[place + 1 :])).size == published
        assert found["reversed"] == (rf.receptive_field(layers(stack[::-1])).size == published)


def test_window_and_center() -> None:
    for stack, unit in inputs("04-window") + inputs("04-center"):
        field = rf.receptive_field(layers(stack))
        assert tuple(truth("04-window")(stack, unit)) == field.interval(unit)
        assert truth("04-center")(stack, unit) == field.center(unit)


def test_box() -> None:
    for network, unit, shape in inputs("04-box"):
        for axis in (0, 1):
            first, last = rf.receptive_field(layers(axes.along(network, axis))).interval(unit[axis])
            inside = [x for x in range(shape[axis]) if first <= x <= last]
            expected = [inside[0], inside[-1] + 1] if inside else [0, 0]
            assert truth("04-box")(network, unit, shape)[axis] == expected


def test_box_of_real_modules_holds_what_is_really_read() -> None:
    for network, unit, shape in inputs("04-box")[::12]:
        (model,) = preparing.network_first([network])
        real = rf.analyze(model.float(), input_size=(1, 1, *shape)).output.slices(tuple(unit))
        for axis, (start, stop) in enumerate(truth("04-box")(network, unit, shape)):
            assert start <= real[axis].start or real[axis].start == real[axis].stop
            assert real[axis].stop <= max(stop, real[axis].start)


def test_pixels() -> None:
    for stack, unit, length in inputs("04-pixels"):
        field = rf.receptive_field(layers(stack))
        assert truth("04-pixels")(stack, unit, length) == list(field.positions(unit, length))


def test_positions_and_readers_against_analysis() -> None:
    for network, length, unit in inputs("01-positions")[::4]:
        (model,) = preparing.network_first([network])
        found = rf.analyze(model.float(), input_size=(1, 1, length)).output
        assert tuple(truth("01-positions")(network, length, unit)) == tuple(found.positions(unit)[0])
    for network, length, position in inputs("01-readers")[::4]:
        many = poking.units_of(network, length)
        expected = [unit for unit in range(many) if position in exercise_01.really_read(network, length, unit)]
        assert truth("01-readers")(network, length, position) == expected
        (model,) = preparing.network_first([network])
        assert model(torch.zeros(1, 1, length).double()).shape[-1] == many


def test_field() -> None:
    for (network,) in inputs("01-field"):
        field = rf.receptive_field(layers([stacks.layer(1) | one for one in stacks.reading_layers(network)]))
        assert truth("01-field")(network) == [field.size, field.stride]
        assert field.size <= 60  # as the exercise promises


def test_a_patient_poke_finds_everything_on_every_network_that_is_drawn() -> None:
    for network, length, unit in inputs("01-positions") + inputs("01-readers"):
        if unit >= poking.units_of(network, length):
            continue
        (model,) = preparing.network_first([network])
        expected = exercise_01.really_read(network, length, unit)
        for pokes in ((1e6, -1e6), (1e5, -1e5), (float("nan"),)):
            base = torch.zeros(1, 1, length).double()
            found = set()
            with torch.no_grad():
                before = model(base)[..., unit]
                for poke in pokes:
                    poked = torch.where(torch.eye(length)[:, None] == 1, poke, base)
                    found |= set((model(poked)[..., unit] != before).any(dim=1).nonzero()[:, 0].tolist())
            assert sorted(found) == expected, (network, length, unit, pokes)


def test_lies_are_lies_often_enough_to_be_met() -> None:
    given = inputs("01-positions")
    behind = given[DRAWS : 3 * DRAWS]  # ReLU and max-pool
    lied = [exercise_01.really_read(*each) != poking.graded(*each, fill="ones") for each in behind]
    assert sum(lied) > len(lied) / 2


@pytest.mark.parametrize(
    ("unit", "expected"), [(0, [0, 1, 3, 4, 5]), (3, [1, 2, 3, 5, 6, 7, 9, 10, 11]), (5, [5, 6, 7, 9, 10, 11])]
)
def test_sets_by_hand(unit: int, expected: list[int]) -> None:
    example = [stacks.layer(3, 2, 1), stacks.layer(3, 1, 2, 2)]
    assert sorted(reading.read(example, [unit], 12)) == expected


def test_tasks_are_shown_as_a_learner_types_them() -> None:
    task: Task = catalog.find("04-box")
    network = [{"kind": "conv", "axes": 2, "kernel_size": [3, 5], "stride": 2, "padding": [1, 0], "dilation": 1}]
    told = task.fault_of([network, [0, 1], [8, 9]], "x").inputs
    assert told == "box(nn.Sequential(nn.Conv2d(1, 1, (3, 5), stride=2, padding=(1, 0))), (0, 1), (8, 9))"
