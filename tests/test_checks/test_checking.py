"""The check beside a task: the smallest counterexample for each property, names of mistakes, and no traceback."""

from __future__ import annotations

import sys
from subprocess import run
from typing import Any

import pytest

from rflib import checks
from rflib.checks import catalog
from rflib.checks.checking import Report, check
from rflib.errors import UnknownNameError


def forward(layers: list[dict[str, int]]) -> tuple[int, int]:
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size, jump


def undilated(layers: list[dict[str, int]]) -> tuple[int, int]:
    return forward([{**layer, "dilation": 1} for layer in layers])


def test_what_is_right_passes() -> None:
    report = checks.check("02-forward", forward)
    assert report.passed
    assert report.arguments is None
    assert repr(report).splitlines()[0] == (
        "02-forward: 4 of 4 properties hold. The judge will ask about other inputs."
    )


def test_each_property_that_fails_shows_its_smallest_counterexample_and_the_name_of_the_mistake() -> None:
    report = check("02-forward", undilated)
    assert not report.passed
    assert [bool(verdict.fault) for verdict in report.verdicts] == [False, False, True, True]
    text = repr(report)
    assert (
        "  wrong  dilations (right for 20 of 42 inputs)\n"
        "         input:    forward([layer(2, dilation=2)])\n"
        "         yours:    [2, 1]\n"
        "         expected: [3, 1]\n"
        "         It looks like this: The dilation is missing: a kernel of k taps spans d * (k - 1) + 1 positions. "
        "(M4: dilation left out of the size)\n"
    ) in text
    assert text.count("It looks like this") == 2


def test_the_input_that_failed_can_be_asked_again() -> None:
    report = check("02-forward", undilated)
    assert report.arguments == [[{"kernel_size": 2, "stride": 1, "padding": 0, "dilation": 2}]]
    network, length, unit = check("01-positions", lambda network, length, unit: []).arguments or []
    assert type(network).__name__ == "Sequential"
    assert length > unit >= 0


def test_several_mistakes_at_once_are_called_none() -> None:
    report = check("02-forward", lambda layers: (len(layers) + 17, 3))
    assert [verdict.fault.rule for verdict in report.verdicts if verdict.fault] == [None] * 4


def raising(error: BaseException) -> Any:
    def function(*arguments: Any) -> Any:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raising(NotImplementedError()), "`forward` is not written yet"),
        (raising(ZeroDivisionError("division by zero")), "yours:    ZeroDivisionError: division by zero"),
        (raising(SystemExit()), "yours:    SystemExit"),
        (raising(KeyboardInterrupt()), "Interrupted at forward([layer(1)])"),
        (raising(RecursionError("too deep")), "yours:    RecursionError: too deep"),
        (lambda layers: print, "a value of type builtin_function_or_method"),
        (lambda layers: None, "yours:    None"),
        (lambda layers, more: 1, "missing 1 required positional argument"),
        (lambda layers: float("inf"), "yours:    inf"),
        (lambda layers: {1: object()}, "a value of type object"),
        (lambda layers: "<script>", "yours:    '<script>'"),
        (None, "There is no function `forward`."),
        (7, "`forward` is no function but int."),
    ],
)
def test_whatever_a_learner_hands_over_is_answered_in_words(function: Any, said: str) -> None:
    report = check("02-forward", function)
    assert not report.passed
    assert said in repr(report)
    assert "Traceback" not in repr(report)


def test_html_is_escaped() -> None:
    html = check("02-forward", lambda layers: "<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<li>") == html.count("</li>") == 4


def test_a_function_that_destroys_its_input_harms_nobody() -> None:
    def greedy(layers: list[dict[str, int]]) -> tuple[int, int]:
        answer = forward(layers)
        for layer in layers:
            layer.clear()
        layers.clear()
        return answer

    assert check("02-forward", greedy).passed
    assert check("02-forward", forward).passed


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no task '02-foward'\. Nearest: '02-forward'"):
        check("02-foward", forward)
    with pytest.raises(UnknownNameError, match="There is no task '77-x'"):
        check("77-x", forward)
    with pytest.raises(UnknownNameError, match="There is no exercise '77'"):
        catalog.exercise("77")


def test_ids_are_unique_and_begin_with_their_exercise() -> None:
    tasks = [(number, task) for number in catalog.exercises() for task in catalog.exercise(number)]
    assert len({task.id for _, task in tasks}) == len(tasks)
    assert [task.id for number, task in tasks if not task.id.startswith(f"{number}-")] == []
    assert all(catalog.find(task.id) is task for _, task in tasks)


def test_a_report_is_plain_data_too() -> None:
    assert check("02-forward", undilated).to_dict() | {"text": ""} == {
        "task": "02-forward",
        "passed": False,
        "right": 2,
        "text": "",
    }
    assert Report(catalog.find("02-forward"), note="x").to_dict()["passed"] is False


def test_the_checks_cost_no_heavy_import_before_a_task_needs_one() -> None:
    code = (
        "import sys; from rflib import checks; checks.check('02-forward', lambda layers: (1, 1));"
        "print([name for name in ('torch', 'numpy', 'matplotlib', 'nbclient') if name in sys.modules])"
    )
    ran = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
