"""Designs as plain data: whatever a learner hands in gets a sentence, and what meets the request gets none."""

from __future__ import annotations

import ast
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rflib.checks import catalog, designs, exercise_06
from rflib.checks.plain import plain
from rflib.design import Requirements, assess, cheapest

WANTED = {"field": 9, "exactly": True, "largest_stride": 1, "most_layers": 4, "kernels": [3, 5], "input_size": 32}

BAD = (
    (None, "no list of 1 to"),
    (7, "no list of 1 to"),
    ([], "no list of 1 to"),
    ([{"kernel_size": 3}] * 41, "no list of 1 to"),
    ({"kernel_size": 3}, "no list of 1 to"),
    (["conv"], "layer 1 is no dictionary"),
    ([{"kernel_size": 3}, 5], "layer 2 is no dictionary"),
    ([{}], "`kernel_size` of layer 1"),
    ([{"kernel_size": 0}], "`kernel_size` of layer 1"),
    ([{"kernel_size": 3.5}], "`kernel_size` of layer 1"),
    ([{"kernel_size": True}], "`kernel_size` of layer 1"),
    ([{"kernel_size": 3, "stride": -1}], "`stride` of layer 1"),
    ([{"kernel_size": 3, "dilation": 10**9}], "`dilation` of layer 1"),
    ([{"kernel_size": 3, "kind": "dense"}], "`kind` of layer 1"),
    ([{"kernel_size": 3, "kind": []}], "`kind` of layer 1"),
    ([{"kernel_size": 3, "padding": 1}], "layer 1 has 'padding'"),
    ([{"kernel_size": 64, "stride": 64, "kind": "pool"}], "positions"),
    ([{"kernel_size": 3}], "The field is 3"),
    ([{"kernel_size": 9}], "allowed: 3, 5"),
    ([{"kernel_size": 5, "stride": 2}, {"kernel_size": 3}], "product of all strides is 2"),
    ([{"kernel_size": 3, "dilation": 4}], "has dilation 4"),
    ([{"kernel_size": 3}] * 4 + [{"kernel_size": 1}], "depth is 5"),
)


@pytest.mark.parametrize(("answer", "words"), BAD)
def test_a_bad_answer_gets_a_sentence(answer: Any, words: str) -> None:
    assert words in designs.lacks([WANTED], answer)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["kernel_size", "stride", "dilation", "kind", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
LAYERS = st.lists(
    st.fixed_dictionaries(
        {"kernel_size": st.integers(-1, 40)},
        optional={
            "stride": st.integers(0, 40) | st.just(10_000),
            "dilation": st.integers(0, 40) | st.just(10_000),
            "kind": st.sampled_from(["conv", "pool", "separable", "no"]),
        },
    ),
    max_size=41,
)


@settings(max_examples=200, deadline=None)
@given(ANYTHING | LAYERS)
def test_nothing_that_is_handed_in_raises(answer: Any) -> None:
    for task in catalog.exercise("06"):
        inputs = next(iter(task.properties[-1].small()))
        assert isinstance(designs.lacks(inputs, plain(answer)), str)
        fault = task.fault(inputs, plain(answer))
        assert fault is None or str(fault)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(dict, kernel_size=st.integers(1, 6), stride=st.integers(1, 2)), min_size=1, max_size=6))
def test_what_is_lacking_is_what_the_library_says(answer: list[dict[str, Any]]) -> None:
    asked = designs.requirements(WANTED)
    assert designs.lacks([WANTED], answer) == " ".join(assess(designs.design_of(answer, asked), asked).missed)


def test_what_is_wanted_is_said_in_words() -> None:
    words = designs.wanted_words([{**WANTED, "no_holes": True, "most_parameters": 12345, "most_multiply_adds": 7}])
    assert words == (
        "a field of exactly 9, at most 4 layers, at most 12,345 parameters, at most 7 multiply-adds, "
        "a product of strides of at most 1, no holes"
    )
    given = {**WANTED, "dilations": list(range(1, 28)), "by": "parameters", "convolutions": ["conv"]}
    shown = designs.shown_wanted(given)
    assert "list(range(1, 28))" in shown
    assert ast.literal_eval(shown.replace("list(range(1, 28))", repr(list(range(1, 28))))) == {
        name: value for name, value in given.items() if name not in ("by", "convolutions")
    }


def test_requests_come_back_from_plain_data_as_they_were() -> None:
    asked = Requirements(field=9, most_layers=3, largest_stride=2, pools=(2,), by="multiply_adds", most_multiply_adds=9)
    assert designs.requirements(designs.as_wanted(asked)) == asked


def drawn(place: int, which: int, many: int) -> list[dict[str, Any]]:
    task, random = catalog.exercise("06")[place], Random(place * 10 + which)
    return [task.properties[which].draw(random)[0] for _ in range(many)]


@pytest.mark.parametrize(("place", "which"), [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)])
def test_every_request_can_be_met_and_its_budget_is_the_stated_slack(place: int, which: int) -> None:
    for wanted in drawn(place, which, 150):
        asked = designs.requirements(wanted)
        best = cheapest(asked).best
        answer = [
            {"kernel_size": y.kernel_size, "stride": y.stride, "dilation": y.dilation, "kind": kind}
            for y, kind in zip(best.layers, best.kinds, strict=True)
        ]
        assert designs.lacks([wanted], answer) == ""
        budget, cost = getattr(asked, f"most_{asked.by}"), getattr(best.cost, asked.by)
        slack = (None, 1.1) if place == 0 else (None, 1.25, 1.0)
        assert budget == (slack[which] and int(cost * slack[which]))
        if budget is not None:
            assert exercise_06._bites(asked)


def read(dilations: tuple[int, ...]) -> set[int]:
    found = {0}
    for dilation in dilations:
        found = {x + step for x in found for step in (-dilation, 0, dilation)}
    return found


@pytest.mark.parametrize("field", range(3, 82, 2))
def test_the_fewest_layers_without_holes_are_the_fewest(field: int) -> None:
    """With n layers a unit reads 3 ** n positions at most; and so many layers do, as the library's search finds."""
    fewest = exercise_06._fewest(field)
    assert 3 ** (fewest - 1) < field <= 3**fewest
    left, span, dilations = (field - 1) // 2, 1, []
    while left:
        dilations.append(min(span, left))
        left, span = left - dilations[-1], span + 2 * dilations[-1]
    assert len(dilations) == fewest
    assert len(read(tuple(dilations))) == field
    wanted = designs.as_wanted(exercise_06._covered(field, fewest, True))
    assert designs.lacks([wanted], [{"kernel_size": 3, "dilation": each} for each in dilations]) == ""


def test_schedules_are_asked_for_with_the_layers_that_the_property_says() -> None:
    for which, spare in ((0, 1), (1, 1), (2, 0)):
        for wanted in drawn(2, which, 200):
            assert wanted["most_layers"] == math.ceil(round(math.log(wanted["field"], 3), 9)) + spare
            assert wanted["no_holes"] is (which > 0)
            assert max(wanted["dilations"]) >= 27


@pytest.mark.parametrize("task", catalog.exercise("06"), ids=lambda task: task.id)
def test_no_design_meets_all_requests_of_a_property(task: Any) -> None:
    for seed in range(10):
        for inputs in task.draw(f"seed {seed}"):
            assert not designs.one_for_all(inputs)
