"""The check beside a task: it asks a learner's function about small inputs and shows the smallest that goes wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from rflib.checks import catalog, preparing
from rflib.checks.plain import answer
from rflib.checks.task import Fault, Property, Task, Verdict

UNWRITTEN = "NotImplementedError"  # what nbgrader leaves where the solution stood
REPORT = "application/vnd.rflib.report+json"


@dataclass(frozen=True)
class Report:
    """How a function stands: one verdict for each property, or why nothing was asked."""

    task: Task
    verdicts: tuple[Verdict, ...] = ()
    note: str = ""
    failing: list[Any] | None = None

    @property
    def arguments(self) -> list[Any] | None:
        """What the function was called with when it first went wrong, for `forward(*report.arguments)`; else None."""
        return None if self.failing is None else _prepared(self.task, self.failing)

    @property
    def passed(self) -> bool:
        """Whether every property holds on all inputs of the check."""
        return bool(self.verdicts) and not any(verdict.fault for verdict in self.verdicts)

    @property
    def summary(self) -> str:
        """One sentence."""
        if self.note:
            return self.note
        right = sum(not verdict.fault for verdict in self.verdicts)
        count = f"{right} of {len(self.verdicts)} properties hold"
        return f"{count}. The judge will ask about other inputs." if self.passed else f"{count}. Not yet."

    def __repr__(self) -> str:
        lines = [f"{self.task.id}: {self.summary}"]
        for verdict in self.verdicts:
            lines.append(f"  {'right' if not verdict.fault else 'wrong'}  {_head(verdict)}")
            lines += [f"         {line}" for line in _told(verdict.fault)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = []
        for verdict in self.verdicts:
            told = "".join(f"<br>{escape(line)}" for line in _told(verdict.fault))
            items.append(f"<li><b>{'right' if not verdict.fault else 'wrong'}</b>: {escape(_head(verdict))}{told}</li>")
        return f"<div><p><b>{escape(self.task.id)}</b>: {escape(self.summary)}</p><ul>{''.join(items)}</ul></div>"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, as `python -m rflib.checks` reads it."""
        right = sum(not verdict.fault for verdict in self.verdicts)
        return {"task": self.task.id, "passed": self.passed, "right": right, "text": repr(self)}


def _head(verdict: Verdict) -> str:
    counted = f"right for {verdict.tried - verdict.wrong} of {verdict.tried} inputs"
    return f"{verdict.of.sentence} ({counted})"


def _told(fault: Fault | None) -> list[str]:
    """A fault in lines: the input, yours, expected, and the name of the mistake."""
    if not fault:
        return []
    lines = [f"input:    {fault.inputs}", f"yours:    {fault.got}", f"expected: {fault.expected}"]
    return [*lines, f"It looks like this: {fault.rule}"] if fault.rule else lines


def check(name: str, function: Any) -> Report:
    """Ask a function about small inputs; what goes wrong is shown for each property, the smallest input first.

    Example:
        >>> from rflib import checks
        >>> print(checks.check("02-forward", lambda layers: (1, 1)).summary)
        0 of 4 properties hold. Not yet.

    Args:
        name: Id of the task, such as "02-forward".
        function: The function that the task asks for.

    Returns:
        A report that shows itself as text, or as HTML in a notebook.

    Raises:
        UnknownNameError: If there is no such task; the nearest ids are listed.
    """
    task = catalog.find(name)
    if function is None:
        return Report(task, note=f"There is no function `{task.name}`.")
    if not callable(function):
        return Report(task, note=f"`{task.name}` is no function but {type(function).__name__}.")
    verdicts: list[Verdict] = []
    failing: list[Any] | None = None
    for each in task.properties:
        verdict, stop, wrong = _asked(task, each, function)
        if stop:
            return Report(task, note=stop)
        verdicts.append(verdict)
        failing = wrong if failing is None else failing
    return Report(task, tuple(verdicts), failing=failing)


def _asked(task: Task, of: Property, function: Callable[..., Any]) -> tuple[Verdict, str, list[Any] | None]:
    """The verdict on one property, a sentence where asking on makes no sense, and the first input that goes wrong."""
    inputs, answers = list(of.small()), []
    for given in inputs:
        handed = asked(task, given, function)
        error = str(handed.get("error", ""))
        if error.startswith(UNWRITTEN):
            return (
                Verdict(of, 0, 0),
                f"`{task.name}` is not written yet: the cell above still raises {UNWRITTEN}.",
                None,
            )
        if error.startswith("KeyboardInterrupt"):
            return (
                Verdict(of, 0, 0),
                f"Interrupted at {task.fault_of(given, '').inputs}. Does a loop there never end?",
                None,
            )
        answers.append(handed)
    wrong = (given for given, each in zip(inputs, answers, strict=True) if task.judged(given, each))
    return task.verdict(of, inputs, answers), "", next(wrong, None)


def asked(task: Task, inputs: list[Any], function: Callable[..., Any]) -> dict[str, Any]:
    """What a function answers to one input of a task, as plain data; the input stays as it is, whatever is done to it.

    Args:
        task: The task; it knows how arguments are prepared.
        inputs: Plain inputs.
        function: The learner's.

    Returns:
        {"answer": plain value}, or {"error": one line}.
    """
    return answer(function, _prepared(task, inputs))


def _prepared(task: Task, inputs: list[Any]) -> list[Any]:
    given = copy.deepcopy(inputs)
    return list(getattr(preparing, task.prepare)(given)) if task.prepare else given
