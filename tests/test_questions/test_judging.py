"""Answers against the truth: right, known mistakes, other wrong ones, and what is no answer."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflib.questions import Choice, Interval, Number, Option, Question, QuestionError, Region
from rflib.questions.judging import AnswerError, in_words, judge, read_answer, to_record, true_answer

from .test_kinds import never

CHOICE = Choice(
    "Which?", options=[Option(0, "You counted the holes.", "M3"), Option(1), Option(2, "No.")], truth=lambda: 1
)
NUMBER = Number("How wide?", truth=lambda: 5, unit="pixels", mistakes=[(lambda: 3, "M2", lambda: "The last kernel.")])
INTERVAL = Interval("From where?", truth=lambda: (-2, 2), mistakes=[((0, 4), "M8", "Without padding.")])
ROW = Region("Which?", cells=(9,), truth=lambda: range(2, 5), mistakes=[([3], "M2", "One.")])
GRID = Region("Which?", cells=(3, 3), truth=lambda: [(0, 0), (0, 1)], mistakes=[([(1, 1)], None, "The unit.")])


def verdict(question: Question, given: Any) -> tuple[bool, str | None, str]:
    found = judge(question, read_answer(question, given))
    return found.right, found.mistake, found.sentence


@pytest.mark.parametrize(
    ("question", "right"),
    [(CHOICE, "1"), (NUMBER, "5"), (INTERVAL, ["-2", "2"]), (ROW, [4, 2, 3]), (GRID, [[0, 1], [0, 0]])],
)
def test_right(question: Question, right: Any) -> None:
    assert verdict(question, right)[:2] == (True, None)


@pytest.mark.parametrize(
    ("question", "wrong", "number", "sentence"),
    [
        (CHOICE, "0", "M3", "You counted the holes."),
        (NUMBER, "3", "M2", "The last kernel."),
        (INTERVAL, ["0", "4"], "M8", "Without padding."),
        (ROW, [3], "M2", "One."),
        (GRID, [[1, 1]], None, "The unit."),
    ],
)
def test_a_known_mistake_is_named(question: Question, wrong: Any, number: str | None, sentence: str) -> None:
    assert verdict(question, wrong) == (False, number, sentence)


@pytest.mark.parametrize(
    ("question", "wrong"), [(NUMBER, "6"), (INTERVAL, ["-2", "3"]), (ROW, [2, 3]), (GRID, [[0, 0]])]
)
def test_other_wrong_answers_are_wrong_and_nothing_more(question: Question, wrong: Any) -> None:
    assert verdict(question, wrong) == (False, None, "")


@pytest.mark.parametrize(
    ("question", "given", "sentence"),
    [
        (CHOICE, None, "Choose one of the options first."),
        (CHOICE, "4", "Choose one of the options first."),
        (NUMBER, "", "The field for the answer is empty."),
        (NUMBER, "   ", "The field for the answer is empty."),
        (NUMBER, "five", 'Write the answer in digits; "five" is no number.'),
        (NUMBER, "1e3", 'Write the answer in digits; "1e3" is no number.'),
        (NUMBER, "nan", 'Write the answer in digits; "nan" is no number.'),
        (NUMBER, "1/0", 'Write the answer in digits; "1/0" is no number.'),
        (NUMBER, "1,024", "Write the answer without commas: 1024, not 1,024; 2.5, not 2,5."),
        (NUMBER, "2.5", "The answer is a whole number."),
        (NUMBER, "9" * 41, "The answer is too long: at most 40 characters."),
        (NUMBER, None, "Write the answer in digits."),
        (NUMBER, True, "Write the answer in digits."),
        (INTERVAL, ["4", "0"], "The last position, 0, lies before the first, 4."),
        (INTERVAL, ["", "4"], "The field for the first position is empty."),
        (INTERVAL, ["0", ""], "The field for the last position is empty."),
        (INTERVAL, ["0", "1.5"], "Positions are whole numbers."),
        (INTERVAL, "04", "Give the first and the last position."),
        (INTERVAL, None, "Give the first and the last position."),
        (ROW, [], "Choose at least one pixel."),
        (ROW, None, "Choose at least one pixel."),
        (ROW, [9], "There is no such pixel in the picture."),
        (GRID, [[0, 3]], "There is no such pixel in the picture."),
        (GRID, [0], "There is no such pixel in the picture."),
    ],
)
def test_what_is_no_answer_gets_a_sentence_before_the_truth_is_computed(
    question: Question, given: Any, sentence: str
) -> None:
    with pytest.raises(AnswerError) as caught:
        read_answer(question, given)
    assert str(caught.value) == sentence


def test_numbers_are_read_as_people_write_them() -> None:
    half = Number("Where is the center?", truth=lambda: -0.5, whole=False)
    for text in ("-0.5", "\N{MINUS SIGN}.5", " -1/2 ", -0.5):
        assert verdict(half, text)[0], text
    assert not verdict(half, "0.5")[0]
    assert verdict(NUMBER, "+5.0")[0]
    assert verdict(Number("?", truth=lambda: 0.1, whole=False), "0.1")[0]  # as written, not as stored


def test_a_tolerance_holds_at_both_ends_and_no_further() -> None:
    share = Number("Which share?", truth=lambda: 0.3, whole=False, tolerance=0.05)
    assert [verdict(share, text)[0] for text in ("0.24", "0.25", "0.3", "0.35", "0.351")] == [
        False, True, True, True, False
    ]  # fmt: skip


def test_computed_values_may_be_numpys() -> None:
    assert verdict(Number("?", truth=lambda: np.int64(5)), "5")[0]
    assert verdict(Number("?", truth=lambda: np.float64(2.5), whole=False), "2.5")[0]
    assert verdict(Interval("?", truth=lambda: np.array([-2, 2])), ["-2", "2"])[0]
    assert verdict(Region("?", cells=(3, 3), truth=lambda: np.argwhere(np.eye(3)).tolist()), [[0, 0], [1, 1], [2, 2]])[
        0
    ]


@pytest.mark.parametrize(
    "question",
    [
        Number("?", truth=lambda: None),
        Number("?", truth=lambda: float("nan")),
        Number("?", truth=lambda: True),
        Interval("?", truth=lambda: (2, 1)),
        Interval("?", truth=lambda: (1, 2, 3)),
        Interval("?", truth=lambda: None),
        Region("?", cells=(3,), truth=lambda: [3]),
        Region("?", cells=(3,), truth=lambda: []),
        Choice("?", options=[Option(0, "No."), Option(1)], truth=lambda: 2),
        Choice("?", options=[Option(0, "No."), Option(1)], truth=lambda: True),
    ],
)
def test_a_truth_that_cannot_be_one_is_an_error_of_the_question(question: Question) -> None:
    with pytest.raises(QuestionError):
        true_answer(question)


def test_answers_in_words() -> None:
    assert in_words(NUMBER, Fraction(1)) == "1 pixel"
    assert in_words(NUMBER, Fraction(5)) == "5 pixels"
    assert in_words(NUMBER, Fraction(-5, 2)) == "\N{MINUS SIGN}2.5 pixels"
    assert in_words(NUMBER, Fraction(1, 3)) == "1/3 pixels"
    assert in_words(INTERVAL, (-2, 2)) == "\N{MINUS SIGN}2 to 2 input positions"
    assert in_words(ROW, frozenset({2, 3, 4, 7})) == "pixels 2 to 4, 7"
    assert in_words(ROW, frozenset({2})) == "pixel 2"
    assert in_words(GRID, frozenset({(0, 1), (2, 2)})) == "2 pixels"


ANSWERS = st.one_of(
    st.tuples(st.just(Number("?", truth=never, whole=False)), st.fractions(max_denominator=10**6)),
    st.tuples(st.just(INTERVAL), st.tuples(st.integers(-99, 0), st.integers(0, 99))),
    st.tuples(st.just(ROW), st.frozensets(st.integers(0, 8), min_size=1)),
    st.tuples(st.just(GRID), st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1)),
    st.tuples(st.just(CHOICE), st.sampled_from(["0", "1", "2"])),
)


@given(ANSWERS)
def test_what_is_recorded_is_read_back(pair: tuple[Question, Any]) -> None:
    question, answer = pair
    recorded = to_record(answer)
    if isinstance(recorded, str) and len(recorded) > 40:
        return
    assert read_answer(question, recorded) == answer


@given(
    st.one_of(
        st.text(), st.integers(), st.floats(), st.lists(st.text()), st.none(), st.dictionaries(st.text(), st.none())
    )
)
def test_whatever_comes_is_an_answer_or_gets_a_sentence(given_: Any) -> None:
    for question in (CHOICE, NUMBER, INTERVAL, ROW, GRID):
        said = "A sentence."
        try:
            read_answer(question, given_)
        except AnswerError as error:
            said = str(error)
        assert said.endswith(".")
