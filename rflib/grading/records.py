"""The record of one grading: for every mark the inputs, the answers, the expectation, the verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rflib.errors import ReceptiveFieldError


class RecordError(ReceptiveFieldError, ValueError):
    """A record that cannot be read."""


def printable(text: str) -> str:
    r"""A text that cannot command a terminal or turn the direction of writing.

    Example:
        >>> printable("a\x1b[2Kb")
        'a?[2Kb'
    """
    return "".join(each if each.isprintable() else "?" for each in text)


@dataclass
class PropertyMark:
    """How one property of a task went.

    Args:
        sentence: What is right where it holds.
        points: Points given.
        of: Points that it is worth.
        tried: Inputs asked.
        wrong: Inputs answered wrongly.
        got: The first wrong answer, or what came in its place; "" where all were right.
        expected: What was expected there.
        inputs: The call that was answered wrongly.
        mistake: The known mistake that gives this answer; "" where it is none.
        said: All of it in one line.
    """

    sentence: str
    points: int
    of: int
    tried: int
    wrong: int
    said: str
    got: str = ""
    expected: str = ""
    inputs: str = ""
    mistake: str = ""

    def gave(self) -> str:
        """The first wrong answer in a few words."""
        return f"gave {self.got[:40]}, expected {self.expected[:40]}"


@dataclass
class TaskMark:
    """How one task went.

    Args:
        id: The task's id.
        points: Points given.
        of: Points that it is worth.
        reason: Why, in a few words or a line for each property.
        properties: How each of its properties went.
        inputs: What was asked, a list for each property.
        answers: What the learner's process handed out.
        code: The learner's cells of this task, as handed in.
    """

    id: str
    points: int
    of: int
    reason: str
    properties: list[PropertyMark] = field(default_factory=list)
    inputs: Any = None
    answers: Any = None
    code: str = ""

    def brief(self) -> str:
        """Why points were lost, in a few words."""
        wrong = [each for each in self.properties if each.points < each.of]
        if not wrong:
            return self.reason[:200]
        if len({each.got for each in wrong}) == 1 and not any(each.mistake for each in wrong):
            return f"gave {wrong[0].got}"[:200]
        return "; ".join(f"{each.sentence}: {each.mistake or each.gave()}"[:120] for each in wrong)[:300]


@dataclass
class Record:
    """How one hand-in was graded.

    Args:
        exercise: Folder of the exercise, such as "02_recursion".
        learner: Id of the learner.
        seed: What the inputs were drawn from.
        tasks: A mark for every task that the judge gives points for.
        remarks: What the lecturer should know, a line each.
        handin: Where it came from: file, time, lateness, digest.
        versions: Of what graded it.
    """

    exercise: str
    learner: str
    seed: str
    tasks: list[TaskMark] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    handin: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> int:
        return sum(task.points for task in self.tasks)

    @property
    def of(self) -> int:
        return sum(task.of for task in self.tasks)

    def inputs(self) -> dict[str, Any]:
        """What was asked, by the task's id."""
        return {task.id: task.inputs for task in self.tasks if task.inputs is not None}

    def line(self) -> str:
        """What the lecturer reads of it, in one line."""
        learner = str(self.handin.get("id") or self.learner)
        return printable(" ".join(f"{learner}: {self.points} of {self.of}. {self.note()}".split()).rstrip())

    def note(self) -> str:
        """What was mended and why points were lost; equal reasons are said once."""
        lost: dict[str, list[str]] = {}
        for task in self.tasks:
            told_already = any(task.brief().endswith(remark) for remark in self.remarks)
            if task.points < task.of and not told_already:
                lost.setdefault(task.brief(), []).append(task.id)
        told = [*self.remarks, *(f"{', '.join(ids)}: {reason}" for reason, ids in lost.items())]
        text = printable(" ".join("; ".join(told).split())).rstrip(" .")
        return f"{text[:1].upper()}{text[1:]}." if text else ""

    def write(self, path: Path) -> None:
        """Write it as JSON; a file is there whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(unfinished, path)


def read(path: Path) -> Record:
    """A record as it was written.

    Raises:
        RecordError: If the file holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        tasks = [_task(task) for task in found.pop("tasks")]
        return Record(tasks=tasks, **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"'{path}' holds no record of a grading: {type(error).__name__}: {error}.") from error


def _task(found: Mapping[str, Any]) -> TaskMark:
    properties = [PropertyMark(**each) for each in found["properties"]]
    return TaskMark(**{**found, "properties": properties})
