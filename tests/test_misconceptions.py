"""Every misconception of the course is taken apart in a lesson, and CONTRIBUTING.md says where."""

from __future__ import annotations

import pytest

from rflib.questions import misconceptions
from tools import misconceptions_table as made


def test_the_table_is_the_one_that_the_lessons_make() -> None:
    text = made.PAGE.read_text(encoding="utf-8")
    assert made.BEGIN in text
    assert made.END in text
    assert made.page(text) == text, "run: python tools/misconceptions_table.py"


def test_each_is_taken_apart_and_no_other() -> None:
    assert set(made.gathered(made.taken_apart())) == set(misconceptions.NAMES)


def test_questions_recognize_only_what_the_course_names() -> None:
    assert set(made.gathered(made.recognized())) <= set(misconceptions.NAMES)


def test_a_change_in_the_lessons_changes_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    text = made.PAGE.read_text(encoding="utf-8")
    places = list(made.taken_apart())
    monkeypatch.setattr(made, "taken_apart", lambda: places[:-1])
    assert made.page(text) != text
    monkeypatch.setattr(made, "taken_apart", lambda: [*places, ("A12", "[15](lessons/15_more.ipynb)")])
    assert "lessons/15_more.ipynb" in made.page(text)
