"""The table of marks, and what a second grading changed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rflib.grading import records
from rflib.grading.batch import Plan, latest, paths

# A spreadsheet may split at semicolons or tabs, whatever the file says, so a formula may begin behind one too.
FORMULA = re.compile(r"((?:^|[;\t\r\n])[\s\"']*)([=+\-@\t\r])")


@dataclass
class Manual:
    """One part that a person marks: the points given, None where nobody has yet."""

    points: float | None
    of: float
    comment: str = ""


@dataclass
class Standing:
    """Where a learner stands in an exercise.

    Args:
        record: The last one.
        manual: The parts that people mark, by their names.
        changed: Points that a person gave in place of the judge's, by task.
        handins: How many files the learner handed in.
    """

    record: records.Record
    manual: dict[str, Manual] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    handins: int = 1

    @property
    def points(self) -> float:
        by_judge = sum(self.changed.get(task.id, task.points) for task in self.record.tasks)
        return by_judge + sum(part.points or 0 for part in self.manual.values())

    @property
    def of(self) -> float:
        return self.record.of + sum(part.of for part in self.manual.values())

    @property
    def open(self) -> list[str]:
        """Parts that nobody has marked yet."""
        return [name for name, part in self.manual.items() if part.points is None]


def standings(plan: Plan) -> dict[str, Standing]:
    """Every learner's standing, by folder; people's marks come from nbgrader's gradebook."""
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{plan.places.gradebook}") as gradebook:
        for learner in plan.learners():
            record = latest(plan.places.records(plan.exercise, learner))
            if record is not None:
                found[learner] = _standing(record, plan, learner, gradebook)
    return found


def _standing(record: records.Record, plan: Plan, learner: str, gradebook: Any) -> Standing:
    from nbgrader.api import MissingEntry

    standing = Standing(record, handins=int(record.handin.get("number", 1)))
    judged = {task.id for task in record.tasks}
    try:
        notebook = gradebook.find_submission_notebook(plan.exercise, plan.exercise, learner)
    except MissingEntry:
        return standing
    comments = {comment.name: comment.comment or "" for comment in notebook.comments}
    for grade in notebook.grades:
        if grade.name in judged:
            if grade.manual_score is not None:
                standing.changed[grade.name] = grade.manual_score
        else:
            given = grade.manual_score if grade.manual_score is not None else grade.auto_score
            standing.manual[grade.name] = Manual(given, grade.max_score, comments.get(grade.name, ""))
    return standing


def table(found: Mapping[str, Standing]) -> str:
    """The marks as CSV, a row a learner."""
    tasks = list(dict.fromkeys(task.id for each in found.values() for task in each.record.tasks))
    parts = list(dict.fromkeys(name for each in found.values() for name in each.manual))
    head = ["id", "name", "exercise", "points", "of", *tasks, *parts, "to mark by hand", "days late", "handed in"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*head, "file", "hand-ins", "note", "seed"])
    for learner, each in found.items():
        record, came = each.record, each.record.handin
        points = {task.id: _short(each.changed.get(task.id, task.points)) for task in record.tasks}
        by_hand = [part.points for part in (each.manual.get(name, Manual(None, 0)) for name in parts)]
        row = [came.get("id", learner), came.get("name", ""), record.exercise, _short(each.points), _short(each.of)]
        row += [
            *(points.get(task, "") for task in tasks),
            *("" if given is None else _short(given) for given in by_hand),
        ]
        row += [" ".join(each.open), came.get("days_late", ""), came.get("time", ""), came.get("file", "")]
        writer.writerow(list(map(harmless, [*row, each.handins, record.note(), record.seed])))
    return text.getvalue()


def harmless(value: object) -> object:
    """A value that a spreadsheet takes as text, not as a formula.

    Example:
        >>> harmless("=1+1"), harmless(-1), harmless("wrong;=1+1")
        ("'=1+1", -1, "wrong;'=1+1")
    """
    return FORMULA.sub(r"\1'\2", value) if isinstance(value, str) else value


def _short(number: float) -> float:
    return int(number) if number == int(number) else number


def changes(plan: Plan, learners: Mapping[str, records.Record]) -> Iterator[str]:
    """What a second grading changed, a line for each learner and task.

    Args:
        plan: What was graded.
        learners: The new records, by folder.
    """
    for learner, record in learners.items():
        found = paths(plan.places.records(plan.exercise, learner))
        if len(found) < 2:
            continue
        before = {task.id: task for task in records.read(found[-2]).tasks}
        for task in record.tasks:
            old = before.get(task.id)
            if old is None or old.points != task.points:
                was = "new" if old is None else f"{old.points}"
                name = record.handin.get("id", learner)
                yield f"{name}: {task.id}: {was} -> {task.points} of {task.of}: {task.reason}"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
