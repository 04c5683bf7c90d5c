"""Questions are checked when they are made."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from rflib.errors import ReceptiveFieldError
from rflib.questions import Choice, Interval, Mistake, Number, Option, Question, QuestionError, Region


def never() -> Any:
    pytest.fail("The truth was computed before the commit.")


FLAWS: dict[str, tuple[Any, str]] = {
    "no prompt": (lambda: Number(" ", truth=never), "`prompt` must be a text that is not empty; got ' '."),
    "a value for a truth": (
        lambda: Number("How wide?", truth=5),  # type: ignore[arg-type]
        "`truth` of the question 'How wide?' must be a function without arguments that computes the answer; got 5. "
        "Write truth=lambda: ...",
    ),
    "a text for a reveal": (
        lambda: Number("How wide?", truth=never, reveal="five"),  # type: ignore[arg-type]
        "`reveal` of the question 'How wide?' must be a function without arguments; got 'five'.",
    ),
    "prediction": (
        lambda: Number("How wide?", truth=never, prediction=1),  # type: ignore[arg-type]
        "`prediction` of the question 'How wide?' must be True or False; got 1.",
    ),
    "a mistake in two parts": (
        lambda: Number("How wide?", truth=never, mistakes=[(3, "M2")]),  # type: ignore[list-item]
        "Each of `mistakes` of the question 'How wide?' must be (value, id, sentence); got (3, 'M2').",
    ),
    "a mistake without a sentence": (
        lambda: Mistake(3, "M2", ""),
        "`sentence` of a mistake must be a text that is not empty; got ''.",
    ),
    "an id that is none": (
        lambda: Mistake(3, 2, "You counted."),  # type: ignore[arg-type]
        "The id of a mistake must be a string such as 'M6', or None; got 2.",
    ),
    "four hints": (
        lambda: Number("How wide?", truth=never, hints=["a", "b", "c", "d"]),
        "`hints` of the question 'How wide?' must be at most three; got 4.",
    ),
    "one text for the hints": (
        lambda: Number("How wide?", truth=never, hints="think"),
        "`hints` of the question 'How wide?' must be a list or a tuple; got 'think'.",
    ),
    "options that are none": (
        lambda: Choice("Which?", options=[1, 2], truth=never),  # type: ignore[list-item]
        "`options` of the question 'Which?' must be at least two `Option`; got (1, 2).",
    ),
    "no option": (
        lambda: Choice("Which?", options=[], truth=never),
        "`options` of the question 'Which?' must be at least two `Option`; got ().",
    ),
    "two options without feedback": (
        lambda: Choice("Which?", options=[Option(1), Option(2)], truth=never),
        "Only the right option of the question 'Which?' may be without feedback.",
    ),
    "two equal options": (
        lambda: Choice("Which?", options=[Option(1), Option(1, "No.")], truth=never),
        "The options of the question 'Which?' must all differ; got ['1', '1'].",
    ),
    "mistakes beside options": (
        lambda: Choice("Which?", options=[Option(1), Option(2, "No.")], truth=never, mistakes=[(2, "M2", "No.")]),
        "A Choice takes no `mistakes`: give each option of the question 'Which?' its own feedback and mistake.",
    ),
    "tolerance": (
        lambda: Number("How wide?", truth=never, tolerance=-1),
        "`tolerance` of the question 'How wide?' must be a number >= 0; got -1.",
    ),
    "unit": (
        lambda: Interval("Where?", truth=never, unit=None),  # type: ignore[arg-type]
        "`unit` of the question 'Where?' must be a string; got None.",
    ),
    "three axes of cells": (
        lambda: Region("Which?", cells=(2, 2, 2), truth=never),
        "`cells` of the question 'Which?' must be (positions,) or (rows, columns), 2 to 400 cells in all; "
        "got (2, 2, 2).",
    ),
    "too many cells": (
        lambda: Region("Which?", cells=(30, 30), truth=never),
        "`cells` of the question 'Which?' must be (positions,) or (rows, columns), 2 to 400 cells in all; "
        "got (30, 30).",
    ),
    "a mark outside": (
        lambda: Region("Which?", cells=(5,), marks=[(5, "u")], truth=never),
        "Each of `marks` of the question 'Which?' must be (cell, letter); got (5, 'u').",
    ),
    "a grid that begins elsewhere": (
        lambda: Region("Which?", cells=(5, 5), first=1, truth=never),
        "`first` of the question 'Which?' must be an integer, and 0 for a grid; got 1.",
    ),
    "no kind": (
        lambda: Question("How?", truth=never),
        "`Question` is what the kinds share; ask a Choice, a Number, an Interval or a Region.",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_refused_with_a_reason(flaw: str) -> None:
    make, message = FLAWS[flaw]
    with pytest.raises(QuestionError, match=re.escape(message)) as caught:
        make()
    assert isinstance(caught.value, ReceptiveFieldError)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == message


def test_questions_are_frozen() -> None:
    question = Number("How wide?", truth=never)
    with pytest.raises(dataclasses.FrozenInstanceError):
        question.prompt = "How high?"  # type: ignore[misc]


def test_the_form_needs_no_truth_and_says_nothing_of_mistakes_or_hints() -> None:
    question = Number("How wide?", truth=never, hints=["a secret"], mistakes=[(never, "M2", never)], unit="pixels")
    assert question.form() == {
        "kind": "number", "prompt": "How wide?", "prediction": False, "unit": "pixels", "whole": True
    }  # fmt: skip


def test_a_fingerprint_changes_with_what_is_seen_and_with_nothing_else() -> None:
    plain = Number("How wide?", truth=lambda: 5)
    same = [Number("How wide?", truth=lambda: 6), Number("How wide?", truth=never, hints=["a"], id="x")]
    other = [
        Number("How wide ?", truth=lambda: 5),
        Number("How wide?", truth=lambda: 5, unit="pixels"),
        Number("How wide?", truth=lambda: 5, prediction=True),
        Interval("How wide?", truth=lambda: (1, 5)),
    ]
    assert {question.fingerprint() for question in same} == {plain.fingerprint()}
    assert len({question.fingerprint() for question in [plain, *other]}) == 5


def test_a_question_without_an_id_gets_one_of_its_own() -> None:
    question = Number("How wide?", truth=never)
    assert question.id == f"own-{question.fingerprint()}"


def test_cells_are_numbers_in_a_row_and_pairs_in_a_grid() -> None:
    row = Region("Which?", cells=[5], first=-2, truth=never)
    grid = Region("Which?", cells=(2, 3), truth=never)
    assert [row.cell(n) for n in (-3, -2, 2, 3, True, "1", None)] == [None, -2, 2, None, None, None, None]
    assert [grid.cell(c) for c in ((0, 0), [1, 2], (2, 0), (0, -1), 1, (1,))] == [
        (0, 0),
        (1, 2),
        None,
        None,
        None,
        None,
    ]
