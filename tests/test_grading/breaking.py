"""The tiny exercise with a judge that one answer breaks: it ends the process that grades."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rflib.checks.task import Task, Verdict, Written
from tests.test_grading import tasks
from tests.test_grading.tasks import WITHOUT_RFLIB

__all__ = ["BREAKS", "WITHOUT_RFLIB", "find"]
BREAKS = "break it"


class Breaking(Written):
    def judge(self, drawn: Sequence[Sequence[Any]], answers: Any) -> tuple[Verdict, ...]:
        if BREAKS in str(answers):
            os.kill(os.getpid(), 9)
        return super().judge(drawn, answers)


def find(name: str) -> Task:
    found = tasks.find(name)
    assert isinstance(found, Written)
    return Breaking(found.id, found.name, found.properties, truth=found.truth, rules=found.rules)
