"""The bank of submissions: right and wrong functions for each task, and how the judge's comparison marks them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from rflib.checks.checking import asked
from rflib.checks.task import Task, Written

BANK = Path(__file__).resolve().parent.parent / "submissions"

Function = Callable[..., Any]


def module(task: Task) -> ModuleType:
    """The module of a task's submissions."""
    number, _, word = task.id.partition("-")
    spec = importlib.util.spec_from_file_location(f"submissions_{number}_{word}", BANK / number / f"{word}.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def submissions(task: Task, kind: str) -> dict[str, Function]:
    """The submissions whose names begin with "right_" or "wrong_"."""
    found = vars(module(task)).items()
    return {name: thing for name, thing in found if name.startswith(f"{kind}_") and callable(thing)}


def marked(task: Task, function: Function, seed: str) -> tuple[int, str]:
    """Points and words, by the judge's comparison; answers go through JSON, as they do on their way to the judge."""
    drawn = task.draw(seed)
    answers = [[asked(task, given, function) for given in inputs] for inputs in drawn]
    verdicts = task.judge(drawn, json.loads(json.dumps(answers)))
    return sum(verdict.points for verdict in verdicts), "\n".join(map(str, verdicts))


def cheats(task: Written) -> dict[str, Function]:
    """Functions that know nothing, and one that knows every answer of the check by heart."""
    known = {json.dumps(given): task.truth(*given) for each in task.properties for given in each.small()}

    def raises(*arguments: Any) -> Any:
        raise ValueError("no idea")

    def leaves(*arguments: Any) -> Any:
        raise SystemExit

    found: dict[str, Function] = {
        "zero": lambda *arguments: 0,
        "zeros": lambda *arguments: [0, 0],
        "many zeros": lambda *arguments: [[0, 0]] * 8,
        "none": lambda *arguments: None,
        "nothing": lambda *arguments: [],
        "a text": lambda *arguments: "7",
        "true": lambda *arguments: True,
        "not a number": lambda *arguments: float("nan"),
        "itself": lambda *arguments: raises,
        "exception": raises,
        "exit": leaves,
        "no arguments": lambda: 0,
        "constant": lambda *arguments: next(iter(known.values())),
    }
    if not task.prepare:
        found["by heart"] = lambda *arguments: known.get(json.dumps(arguments), 0)
    return found
