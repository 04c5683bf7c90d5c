"""Every right submission of the bank gets full marks, every wrong one fewer and the name of its mistake."""

from __future__ import annotations

from typing import Any

import pytest

from rflib.checks import catalog
from rflib.checks.checking import check
from rflib.checks.task import Task, Written

from . import bank

SEEDS = ("first", "second", "third")
RIGHT, WRONG = 5, 10  # the fewest for each task
NUMBERS = sorted(folder.name for folder in bank.BANK.iterdir() if folder.is_dir() and folder.name.isdigit())
EVERY = [task for number in NUMBERS for task in catalog.exercise(number)]
TASKS = [task for task in EVERY if isinstance(task, Written)]  # the others: test_designed.py


def every(kind: str) -> list[Any]:
    return [
        pytest.param(task, function, id=f"{task.id}-{name}")
        for task in TASKS
        for name, function in bank.submissions(task, kind).items()
    ]


@pytest.mark.parametrize("task", EVERY, ids=lambda task: task.id)
def test_the_bank_is_large_enough(task: Task) -> None:
    right, wrong = bank.submissions(task, "right"), bank.submissions(task, "wrong")
    print(f"{task.id}: {len(right)} right, {len(wrong)} wrong submissions")
    assert len(right) >= RIGHT
    assert len(wrong) >= WRONG


@pytest.mark.parametrize(("task", "function"), every("right"))
def test_a_right_submission_gets_every_point(task: Task, function: bank.Function) -> None:
    for seed in SEEDS:
        points, text = bank.marked(task, function, seed)
        assert points == task.points, text
    assert check(task.id, function).passed


@pytest.mark.parametrize(("task", "function"), every("wrong"))
def test_a_wrong_submission_loses_points_and_hears_why(task: Task, function: bank.Function) -> None:
    for seed in SEEDS:
        points, text = bank.marked(task, function, seed)
        assert points < task.points
        assert (function.__doc__ or "no docstring") in text, text
    report = check(task.id, function)
    assert not report.passed
    assert (function.__doc__ or "no docstring") in repr(report)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_a_submission_that_knows_nothing_gets_nothing(task: Written) -> None:
    for name, function in bank.cheats(task).items():
        points, text = bank.marked(task, function, "fourth")
        assert points == 0, f"{name} got {points}: {text}"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_no_answer_of_the_check_is_worth_a_point_to_the_judge_by_itself(task: Task) -> None:
    for seed in SEEDS:
        drawn = task.draw(seed)
        assert task.draw(seed) == drawn
        assert task.draw(f"{seed}, another") != drawn
        for each, inputs in zip(task.properties, drawn, strict=True):
            known = list(each.small())
            assert any(given not in known for given in inputs), each.sentence


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
@pytest.mark.parametrize("seed", SEEDS)
def test_each_known_mistake_is_told_from_the_truth_by_what_the_judge_asks(task: Written, seed: str) -> None:
    drawn = [given for inputs in task.draw(seed) for given in inputs]
    silent = [rule.sentence for rule in task.rules if not any(task.tells(rule, given) for given in drawn)]
    assert silent == []
