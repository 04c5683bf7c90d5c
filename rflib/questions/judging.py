"""An answer against the truth: read it, compare it, name the mistake behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rflib.arithmetic import shown, whole_number
from rflib.errors import ReceptiveFieldError
from rflib.questions.kinds import (
    Cell,
    Choice,
    Interval,
    Mistake,
    Number,
    Question,
    QuestionError,
    Region,
    resolved,
    with_unit,
)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+|\d+/\d*[1-9]\d*)", re.ASCII)
_MINUS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"})
_LONGEST = 40  # characters: more is no number that somebody means


class AnswerError(ReceptiveFieldError, ValueError):
    """Something that is no answer to the question: letters in a number field, a last before a first. It is no try."""


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth.

    Attributes:
        right: Whether it is the truth.
        mistake: Number of the misconception that leads to it, None where none is known.
        sentence: What the learner reads about this answer; empty where nothing is known of it.
    """

    right: bool
    mistake: str | None = None
    sentence: str = ""


def read_answer(question: Question, given: Any) -> Any:
    """What the learner gave, as the value that is judged.

    Example:
        >>> read_answer(Number("How wide?", truth=lambda: 5), " 5 ")
        Fraction(5, 1)
        >>> read_answer(Number("How wide?", truth=lambda: 5), "five")
        Traceback (most recent call last):
        ...
        rflib.questions.judging.AnswerError: Write the answer in digits; "five" is no number.

    Args:
        question: Of any kind.
        given: A choice's label, a number or its text, (first, last), or a list of cells; as the browser sends it or as
            the record keeps it.

    Returns:
        A label, a Fraction, a pair of integers, or a frozenset of cells.

    Raises:
        AnswerError: If it is no answer; the message says to the learner what is missing.
    """
    if isinstance(question, Choice):
        return _read_choice(question, given)
    if isinstance(question, Number):
        number = _read_number(given, "answer")
        if question.whole and number.denominator != 1:
            raise AnswerError("The answer is a whole number.")
        return number
    if isinstance(question, Interval):
        return _read_interval(given)
    if isinstance(question, Region):
        return _read_cells(question, given)
    raise QuestionError(f"A question of type {type(question).__name__} cannot be judged.")


def judge(question: Question, answer: Any) -> Verdict:
    """Compare an answer, as `read_answer` gives it, with the truth, which is computed here.

    Example:
        >>> question = Number("Two layers of kernel 3?", truth=lambda: 5, mistakes=[(3, "M2", "The last kernel.")])
        >>> judge(question, Fraction(3))
        Verdict(right=False, mistake='M2', sentence='The last kernel.')

    Args:
        question: Of any kind.
        answer: What `read_answer` returns.

    Returns:
        A `Verdict`.

    Raises:
        QuestionError: If the truth is nothing that this kind of question can have.
    """
    truth = true_answer(question)
    if isinstance(question, Choice):
        option = next(option for option in question.options if question.label(option) == answer)
        return Verdict(answer == truth, None if answer == truth else option.mistake, str(resolved(option.feedback)))
    if _agrees(question, answer, truth):
        return Verdict(True)
    for mistake in question.known_mistakes:
        if _agrees(question, answer, mistaken_answer(question, mistake)):
            return Verdict(False, mistake.id, str(resolved(mistake.sentence)))
    return Verdict(False)


def true_answer(question: Question) -> Any:
    """The truth, as `read_answer` would give it.

    Raises:
        QuestionError: If it is nothing that this kind of question can have.
    """
    value = question.truth()
    if isinstance(question, Choice):
        fitting = [question.label(option) for option in question.options if _same(resolved(option.value), value)]
        if len(fitting) != 1:
            raise QuestionError(f"The truth {shown(value)} is the value of {len(fitting)} options instead of one.")
        return fitting[0]
    return _canonical(question, value, "truth")


def mistaken_answer(question: Question, mistake: Mistake) -> Any:
    """The wrong answer of a mistake, as `read_answer` would give it."""
    return _canonical(question, resolved(mistake.value), "value of a mistake")


def in_words(question: Question, answer: Any) -> str:
    """An answer as people write it.

    Example:
        >>> in_words(Region("Which?", cells=(9,), truth=lambda: [1]), frozenset({2, 3, 4, 7}))
        'pixels 2 to 4, 7'
    """
    if isinstance(question, Number):
        return with_unit(_plain(answer), question.unit)
    if isinstance(question, Interval):
        first, last = (with_unit(end, "") for end in answer)
        return with_unit(f"{first} to {last}", question.unit)
    if isinstance(question, Region):
        return _cells_in_words(question, answer)
    return str(answer)


def to_record(answer: Any) -> Any:
    """An answer as plain data that JSON can hold and `read_answer` reads back.

    Example:
        >>> to_record(Fraction(5)), to_record(Fraction(5, 2)), to_record((1, 3)), to_record(frozenset({2, 1}))
        (5, '2.5', [1, 3], [1, 2])
    """
    if isinstance(answer, Fraction):
        return int(answer) if answer.denominator == 1 else _plain(answer)
    if isinstance(answer, frozenset):
        return [list(cell) if isinstance(cell, tuple) else cell for cell in sorted(answer)]
    return list(answer) if isinstance(answer, tuple) else answer


def _read_choice(question: Choice, given: Any) -> str:
    labels = [question.label(option) for option in question.options]
    if not isinstance(given, str) or given not in labels:
        raise AnswerError("Choose one of the options first.")
    return given


def _read_number(given: Any, what: str) -> Fraction:
    if isinstance(given, Fraction):
        return given
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise AnswerError(f"Write the {what} in digits.")
    text = str(given).strip().translate(_MINUS)
    if not text:
        raise AnswerError(f"The field for the {what} is empty.")
    if len(text) > _LONGEST:
        raise AnswerError(f"The {what} is too long: at most {_LONGEST} characters.")
    if not _NUMBER.fullmatch(text):
        if "," in text:
            raise AnswerError(f"Write the {what} without commas: 1024, not 1,024; 2.5, not 2,5.")
        raise AnswerError(f'Write the {what} in digits; "{text}" is no number.')
    return Fraction(text)


def _read_interval(given: Any) -> tuple[int, int]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise AnswerError("Give the first and the last position.")
    first, last = (
        _read_number(end, what) for end, what in zip(given, ("first position", "last position"), strict=True)
    )
    if first.denominator != 1 or last.denominator != 1:
        raise AnswerError("Positions are whole numbers.")
    if last < first:
        raise AnswerError(f"The last position, {_plain(last)}, lies before the first, {_plain(first)}.")
    return int(first), int(last)


def _read_cells(question: Region, given: Any) -> frozenset[Cell]:
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise AnswerError(f"Choose at least one {question.noun}.")
    cells = [question.cell(cell) for cell in given]
    known = [cell for cell in cells if cell is not None]
    if len(known) < len(cells):
        raise AnswerError(f"There is no such {question.noun} in the picture.")
    if not known:
        raise AnswerError(f"Choose at least one {question.noun}.")
    return frozenset(known)


def _canonical(question: Question, value: Any, what: str) -> Any:
    """A computed value in the form of an answer; computed values may be NumPy's or PyTorch's."""
    try:
        if isinstance(question, Number):
            return _exact(value)
        if isinstance(question, Interval):
            first, last = (whole_number(end) for end in value)
            if first is None or last is None or last < first:
                raise QuestionError
            return first, last
        return _read_cells(question, value) if isinstance(question, Region) else value
    except (TypeError, ValueError, OverflowError):
        raise QuestionError(f"The {what} of this {question.kind} question cannot be {shown(value)}.") from None


def _exact(value: Any) -> Fraction:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        raise TypeError
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)  # 0.1 is meant as it is written


def _agrees(question: Question, answer: Any, value: Any) -> bool:
    if isinstance(question, Number):
        return bool(abs(answer - value) <= _exact(question.tolerance))
    return bool(answer == value)


def _same(one: Any, other: Any) -> bool:
    """Equal, and True is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _plain(number: Fraction) -> str:
    """Digits, with a point where that is exact, else numerator/denominator."""
    if number.denominator == 1:
        return str(number.numerator)
    as_float = repr(float(number))
    return as_float if "e" not in as_float and Fraction(as_float) == number else str(number)


def _cells_in_words(question: Region, cells: frozenset[Cell]) -> str:
    row = sorted(cell for cell in cells if isinstance(cell, int))
    if len(row) < len(cells):
        return f"{len(cells)} {question.noun}{'s' if len(cells) > 1 else ''}"
    runs: list[list[int]] = []
    for cell in row:
        if runs and runs[-1][-1] == cell - 1:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    ends = [(with_unit(run[0], ""), with_unit(run[-1], "")) for run in runs]
    said = [first if first == last else f"{first} to {last}" for first, last in ends]
    return f"{question.noun}{'s' if len(cells) > 1 else ''} {', '.join(said)}"
