"""The course's own questions, one module a lesson: `lesson_03.py` holds those of lesson 03.

A module gives `LESSON`, a `Lesson`; a new module is found by its name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from rflib.errors import UnknownNameError
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Question, QuestionError

__all__ = ["Lesson", "find", "lessons"]


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons that have questions, in the order of the course.

    Example:
        >>> [lesson.number for lesson in lessons()][:2]
        ['00', '01']
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("lesson_"))
    return checked(importlib.import_module(f"{__name__}.{name}").LESSON for name in names)


def checked(given: Iterable[Lesson]) -> tuple[Lesson, ...]:
    """The lessons, once it is certain that no two questions share an id and each id begins with its lesson's number.

    Raises:
        QuestionError: If not; the id is named.
    """
    found = tuple(given)
    seen: set[str] = set()
    for lesson in found:
        for question in lesson.questions:
            if not question.id.startswith(f"{lesson.number}-"):
                raise QuestionError(f"The id {question.id!r} in lesson {lesson.number} must begin '{lesson.number}-'.")
            if question.id in seen:
                raise QuestionError(f"Two questions have the id {question.id!r}; change one of them.")
            seen.add(question.id)
    return found


def find(name: str) -> Question:
    """The question of an id.

    Example:
        >>> find("03-order").kind
        'number'

    Args:
        name: The id: the lesson's number and a word.

    Raises:
        UnknownNameError: If there is none; the nearest ids are listed.
    """
    known = {question.id: question for lesson in lessons() for question in lesson.questions}
    if name not in known:
        raise UnknownNameError("question", name, known)
    return known[name]
