"""A lesson's questions, with the notebook in which they stand."""

from __future__ import annotations

from dataclasses import dataclass

from rflib.questions.kinds import Question


@dataclass(frozen=True)
class Lesson:
    """The questions of one lesson.

    Attributes:
        number: Such as "03".
        title: Of the lesson.
        notebook: Its path in the course.
        questions: In the order of the lesson.
    """

    number: str
    title: str
    notebook: str
    questions: tuple[Question, ...]
