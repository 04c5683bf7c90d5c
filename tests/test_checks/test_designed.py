"""The bank's designs: every right one gets full marks, every wrong one fewer and the name of what it lacks."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from rflib.checks import catalog
from rflib.checks.checking import asked, check
from rflib.checks.task import Designed, Inputs, Task

from . import bank

SEEDS = ("first", "second", "third")
TASKS = [
    task
    for number in catalog.exercises()
    if (bank.BANK / number).is_dir()
    for task in catalog.exercise(number)
    if isinstance(task, Designed) and not task.prepare
]


@cache
def drawn(task: Task, seed: str) -> list[list[Inputs]]:
    """What the judge asks; drawing it takes longer than answering it."""
    return task.draw(seed)


def marked(task: Task, function: bank.Function, seed: str) -> tuple[int, str]:
    """Points and words, by the judge's comparison; answers go through JSON, as they do on their way to the judge."""
    answers = [[asked(task, given, function) for given in inputs] for inputs in drawn(task, seed)]
    verdicts = task.judge(drawn(task, seed), json.loads(json.dumps(answers)))
    return sum(verdict.points for verdict in verdicts), "\n".join(map(str, verdicts))


def every(kind: str) -> list[Any]:
    return [
        pytest.param(task, function, id=f"{task.id}-{name}")
        for task in TASKS
        for name, function in bank.submissions(task, kind).items()
    ]


def cheats(task: Designed) -> dict[str, bank.Function]:
    """Functions that do not look at what is asked."""
    right = next(iter(bank.submissions(task, "right").values()))
    known = [right(*given) for each in task.properties for given in each.small()]
    wide = [{"kernel_size": size} for size in (3, 5, 7)]

    def raises(*arguments: Any) -> Any:
        raise ValueError("no idea")

    def leaves(*arguments: Any) -> Any:
        raise SystemExit

    found: dict[str, bank.Function] = {
        "zero": lambda *arguments: 0,
        "zeros": lambda *arguments: [0, 0],
        "none": lambda *arguments: None,
        "nothing": lambda *arguments: [],
        "a text": lambda *arguments: "conv 3",
        "true": lambda *arguments: True,
        "not a number": lambda *arguments: float("nan"),
        "itself": lambda *arguments: raises,
        "exception": raises,
        "exit": leaves,
        "no arguments": lambda: known[0],
        "what was asked": lambda *arguments: arguments[0],
        "empty layers": lambda *arguments: [{}, {}],
    }
    # As defaults, so that each lambda keeps its own.
    found |= {f"known {place}": lambda *arguments, answer=answer: answer for place, answer in enumerate(known[::7])}
    found |= {
        f"{many} x {layer}": lambda *arguments, stack=[layer] * many: stack for layer in wide for many in (1, 3, 40)
    }
    return found


@pytest.mark.parametrize(("task", "function"), every("right"))
def test_a_right_design_gets_every_point(task: Task, function: bank.Function) -> None:
    for seed in SEEDS:
        points, text = marked(task, function, seed)
        assert points == task.points, text
    report = check(task.id, function)
    assert report.passed, report


@pytest.mark.parametrize(("task", "function"), every("wrong"))
def test_a_wrong_design_loses_points_and_hears_why(task: Task, function: bank.Function) -> None:
    for seed in SEEDS:
        points, text = marked(task, function, seed)
        assert points < task.points
        assert (function.__doc__ or "no docstring") in text, text
    report = check(task.id, function)
    assert not report.passed
    assert (function.__doc__ or "no docstring") in repr(report), report


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_an_answer_that_does_not_look_at_the_question_gets_nothing(task: Designed, seed: str) -> None:
    for name, function in cheats(task).items():
        points, text = marked(task, function, seed)
        assert points == 0, f"{name} got {points}: {text}"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_draws_are_fresh_and_can_be_repeated(task: Task) -> None:
    for seed in SEEDS:
        assert task.draw(seed) == drawn(task, seed)
        assert task.draw(f"{seed}, another") != drawn(task, seed)
        for each, inputs in zip(task.properties, drawn(task, seed), strict=True):
            known = list(each.small())
            assert any(given not in known for given in inputs), each.sentence
