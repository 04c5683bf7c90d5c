"""From a task and what a kernel handed out to a mark with its reason; nothing the answers hold can stop it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rflib.checks.task import Task, Verdict
from rflib.grading.records import PropertyMark, TaskMark

SECONDS = 120  # for the judge to compare the answers of one task
FAILED = "PLEASE LOOK AT IT: the judge failed to compare the answers"


class TooSlowError(Exception):
    """Judging took too long."""


def mark(task: Task, drawn: list[list[Any]], answers: Any, why_none: str = "") -> TaskMark:
    """The mark of a task.

    Args:
        task: The task.
        drawn: What was asked.
        answers: What was handed out.
        why_none: Why nothing was, in a few words.
    """
    made = TaskMark(task.id, 0, task.points, "", inputs=drawn, answers=answers)
    if answers is None:
        made.reason = f"`{task.name}`: {why_none or 'no answer'}"
        return made
    try:
        # Judged from a copy, so that a task that changes its inputs does not change the record.
        with within(SECONDS):
            verdicts = task.judge(json.loads(json.dumps(drawn)), answers)
            made.properties = [_property(verdict) for verdict in verdicts]
    except TooSlowError:
        made.reason = f"comparing the answers took longer than {SECONDS} seconds"
        return made
    except Exception as error:
        made.reason = f"{FAILED} ({type(error).__name__}: {error})"[:400]
        return made
    made.points = sum(each.points for each in made.properties)
    wrong = [each for each in made.properties if each.points < each.of]
    made.reason = " | ".join(each.said for each in wrong) or "all answers are right"
    return made


def _property(verdict: Verdict) -> PropertyMark:
    fault = verdict.fault
    made = PropertyMark(
        sentence=verdict.of.sentence,
        points=verdict.points,
        of=verdict.of.points,
        tried=verdict.tried,
        wrong=verdict.wrong,
        said=str(verdict),
    )
    if fault:
        made.got, made.expected, made.inputs = fault.got, fault.expected, fault.inputs
        made.mistake = str(fault.rule) if fault.rule else ""
    return made


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise TooSlowError in this process's main thread after so many seconds."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
