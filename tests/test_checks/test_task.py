"""Tasks: points by property, inputs that tell wrong rules apart, faults that name mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from rflib.checks.plain import answer
from rflib.checks.task import FEWEST, Designed, Inputs, Property, Rule, Written, alike, said


def brute(kernels: list[int], stride: int) -> int:
    """Positions that one output reads: pull the set back, layer by layer."""
    read = {0}
    for kernel in reversed(kernels):
        read = {stride * unit + tap for unit in read for tap in range(kernel)}
    return max(read) - min(read) + 1


def stacks(stride: int) -> Iterator[Inputs]:
    for first in (1, 2, 3):
        for second in (1, 2, 3):
            yield [[first, second], stride]


def one(random: Random, stride: int) -> Inputs:
    return [[random.randint(1, 3) for _ in range(random.randint(1, 3))], stride]


ADDED = Rule("A7", "You added the kernel sizes.", lambda kernels, stride: sum(kernels))
NO_STRIDE = Rule(None, "You left out the stride.", lambda kernels, stride: 1 + sum(k - 1 for k in kernels))
TASK = Written(
    "99-size",
    "size",
    (
        Property("layers without stride", 1, lambda r: one(r, 1), lambda: stacks(1)),
        Property("strides", 2, lambda r: one(r, 2), lambda: stacks(2)),
    ),
    truth=brute,
    rules=(ADDED, NO_STRIDE),
)


def graded(function: Any, seed: str = "a") -> tuple[int, str]:
    drawn = TASK.draw(seed)
    verdicts = TASK.judge(drawn, [[answer(function, given) for given in inputs] for inputs in drawn])
    return sum(verdict.points for verdict in verdicts), "\n".join(map(str, verdicts))


def test_the_truth_earns_every_point() -> None:
    points, text = graded(brute)
    assert points == TASK.points == 3
    assert "right on" in text


@pytest.mark.parametrize("seed", list("abcdefgh"))
def test_wrong_rules_are_named_and_lose_what_they_get_wrong(seed: str) -> None:
    points, text = graded(NO_STRIDE.answer, seed)
    assert points == 1  # right where there is no stride
    assert "You left out the stride." in text
    points, text = graded(ADDED.answer, seed)
    assert points == 0
    assert "You added the kernel sizes. (A7: each layer adds its kernel size)" in text


@pytest.mark.parametrize("value", [0, None, True, [], {}, "3", -1, float("nan"), 10**4000])
def test_constants_earn_nothing(value: Any) -> None:
    assert graded(lambda *given: value)[0] == 0


def test_one_wrong_answer_costs_the_property_and_no_other() -> None:
    drawn = TASK.draw("a")
    answers = [[answer(brute, given) for given in inputs] for inputs in drawn]
    answers[1][2] = {"answer": answers[1][2]["answer"] + 1}
    first, second = TASK.judge(drawn, answers)
    assert (first.points, second.points) == (1, 0)
    assert second.wrong == 1


@pytest.mark.parametrize(
    "handed",
    [None, [], {}, "x", [[]], [[{}], [{}]], [None, None], [["7"], ["7"]], [[{"answer": {}}], 3], 7],
)
def test_nothing_handed_out_breaks_the_judge(handed: Any) -> None:
    verdicts = TASK.judge(TASK.draw("a"), handed)
    assert [verdict.points for verdict in verdicts] == [0, 0]
    assert all("expected" in str(verdict) for verdict in verdicts)


def test_an_error_of_the_learner_is_what_it_gave() -> None:
    def falls(*given: Any) -> int:
        raise ValueError("not yet")

    assert "gave ValueError: not yet; expected an answer." in graded(falls)[1]


def test_inputs_are_drawn_anew_and_again_the_same() -> None:
    assert TASK.draw("a") == TASK.draw("a") != TASK.draw("b")
    assert all(len(inputs) >= FEWEST for inputs in TASK.draw("a"))


def test_each_rule_is_told_from_the_truth_where_it_can_be() -> None:
    for seed in range(30):
        without, strides = TASK.draw(str(seed))
        assert any(TASK.tells(ADDED, given) for given in without)
        assert not any(TASK.tells(NO_STRIDE, given) for given in without)
        assert any(TASK.tells(NO_STRIDE, given) for given in strides)


def test_a_learner_cannot_change_the_inputs_of_the_judge() -> None:
    seen: list[Any] = []

    def truth(kernels: list[int], stride: int) -> int:
        seen.append(list(kernels))
        return brute(kernels, stride)

    def spoils(kernels: list[int], stride: int) -> int:
        kernels.clear()
        return 1

    task = Written("99-x", "size", TASK.properties, truth=truth, rules=(Rule(None, "Spoiled.", spoils),))
    drawn = task.draw("a")
    assert all(given[0] for inputs in drawn for given in inputs)


def test_designs_are_judged_by_what_they_lack() -> None:
    def lacks(inputs: Inputs, design: Any) -> str:
        if not (isinstance(design, list) and all(type(k) is int and 1 <= k <= 9 for k in design)):
            return "it is no list of kernel sizes from 1 to 9"
        return "" if 1 + sum(k - 1 for k in design) == inputs[0] else f"its field is {1 + sum(k - 1 for k in design)}"

    task = Designed(
        "99-design",
        "design",
        (Property("the field is reached", 2, lambda r: [r.randint(2, 30)], lambda: [[2], [3]]),),
        lacks=lacks,
        wanted=lambda inputs: f"a field of {inputs[0]}",
    )
    drawn = task.draw("a")
    for right in (lambda n: [2] * (n - 1), lambda n: [3] * ((n - 1) // 2) + [2] * ((n - 1) % 2)):
        [verdict] = task.judge(drawn, [[answer(right, given) for given in drawn[0]]])
        assert verdict.points == 2
    [verdict] = task.judge(drawn, [[answer(lambda n: [n, n], given) for given in drawn[0]]])
    assert verdict.points == 0
    assert "expected a field of" in str(verdict)


def test_alike() -> None:
    assert alike([1, {"a": 2.0}], [1, {"a": 2}])
    assert not alike([1, 2], [1, 2, 3])
    assert not alike(1, True)
    assert not alike(1, "1")
    assert not alike([], {})
    assert alike(100.4, 100, within=0.005)
    assert not alike(101, 100, within=0.005)
    assert not alike(float("nan"), float("nan"), within=0.1)
    assert not alike(10**400, 1.5, within=0.1)


def test_long_values_are_cut() -> None:
    assert len(said(list(range(1000)))) == 160
    assert said({"a": 1}) == '{"a": 1}'
