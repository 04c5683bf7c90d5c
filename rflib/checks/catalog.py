"""The exercises, each with its tasks, found by number or by a task's id."""

from __future__ import annotations

import importlib
from functools import cache
from types import MappingProxyType

from rflib.checks.task import Task
from rflib.errors import UnknownNameError

FOLDERS = MappingProxyType(
    {
        "01": "01_definition",
        "02": "02_recursion",
        "03": "03_closed_form",
        "04": "04_regions",
        "05": "05_graphs",
        "06": "06_growing",
        "07": "07_effective",
        "08": "08_capstone",
    }
)

# In these the learner writes what rflib computes, so it computes nothing while they are graded.
WITHOUT_RFLIB = frozenset({"01", "02", "03", "04", "05", "06", "07"})


def exercises() -> tuple[str, ...]:
    """The numbers of all exercises, in the order of the course.

    Example:
        >>> exercises()[:2]
        ('01', '02')
    """
    return tuple(FOLDERS)


@cache
def exercise(number: str) -> tuple[Task, ...]:
    """The tasks of an exercise, in the order of its notebook.

    Example:
        >>> [task.name for task in exercise("02")][:2]
        ['forward', 'backward']

    Args:
        number: Such as "02".

    Raises:
        UnknownNameError: If there is no such exercise; the nearest numbers are listed.
    """
    if number not in FOLDERS:
        raise UnknownNameError("exercise", number, FOLDERS)
    tasks: tuple[Task, ...] = importlib.import_module(f"rflib.checks.exercise_{number}").TASKS
    return tasks


def find(name: str) -> Task:
    """The task of an id.

    Example:
        >>> find("02-forward").points
        4

    Args:
        name: The exercise's number and a word.

    Raises:
        UnknownNameError: If there is none; the nearest ids are listed.
    """
    number = str(name).partition("-")[0]
    known = {task.id: task for task in exercise(number)} if number in FOLDERS else {}
    if name not in known:
        raise UnknownNameError("task", name, known or (f"{each}-..." for each in FOLDERS))
    return known[name]
