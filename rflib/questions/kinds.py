"""The kinds of questions: frozen, checked when they are made, and without their truth until somebody asks for it.

Texts may hold `code` between backquotes, *emphasis* between asterisks, and line breaks.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypeAlias

from rflib.arithmetic import shown, whole_number
from rflib.errors import ReceptiveFieldError

Text: TypeAlias = str | Callable[[], str]
Cell: TypeAlias = int | tuple[int, int]
MOST_CELLS = 400


class QuestionError(ReceptiveFieldError, ValueError):
    """A question that cannot be asked: no text, one option only, an unknown kind of truth."""


def resolved(value: Any) -> Any:
    """The value itself, or what it returns: wrong numbers and texts may be computed when they are needed."""
    return value() if callable(value) else value


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that is the result of a definite mistake.

    Example:
        >>> Mistake(3, "M2", "You took the last kernel alone.").id
        'M2'

    Args:
        value: The wrong answer, or a function that computes it.
        id: Number of the misconception, such as "M2"; None where it has none.
        sentence: What the learner reads: which mistake leads to this answer.
    """

    value: Any
    id: str | None
    sentence: Text

    def __post_init__(self) -> None:
        _check_text(self.sentence, "`sentence` of a mistake")
        _check_mistake(self.id, "a mistake")


@dataclass(frozen=True)
class Option:
    """One option of a multiple choice.

    Example:
        >>> Option(6, "You doubled the field.", "M1").value
        6

    Args:
        value: What the truth is compared with, or a function that computes it.
        feedback: What the learner reads after choosing it.
        mistake: Number of the misconception that leads to it, such as "M1".
        text: What is shown; by default the value and the question's unit.
    """

    value: Any
    feedback: Text = ""
    mistake: str | None = None
    text: Text = ""

    def __post_init__(self) -> None:
        for field in ("feedback", "text"):
            if getattr(self, field) != "":
                _check_text(getattr(self, field), f"`{field}` of an option")
        _check_mistake(self.mistake, "an option")


@dataclass(frozen=True)
class Question:
    """What all kinds share.

    Args:
        prompt: The question.
        truth: A function that computes the answer; called only after the learner has committed.
        reveal: A function that returns what is shown then: text, a table of rflib, a drawing, or a list of these.
        mistakes: Wrong answers and the mistakes behind them: `Mistake`, or (value, id, sentence).
        hints: At most three, given one after another to wrong answers that no mistake explains.
        prediction: True: one answer, and everything is revealed. False: tries until it is right.
        id: Under which answers are kept; by default made from the question itself.
    """

    kind: ClassVar[str] = ""

    prompt: str
    _: KW_ONLY
    truth: Callable[[], Any]
    reveal: Callable[[], Any] | None = None
    mistakes: Sequence[Mistake | tuple[Any, str | None, Text]] = ()
    hints: Sequence[Text] = ()
    prediction: bool = False
    id: str = ""

    def __post_init__(self) -> None:
        if not self.kind:
            raise QuestionError("`Question` is what the kinds share; ask a Choice, a Number, an Interval or a Region.")
        _check_text(self.prompt, "`prompt`", callable_too=False)
        where = f"of the question {_short(self.prompt)!r}"
        if not callable(self.truth):
            raise QuestionError(
                f"`truth` {where} must be a function without arguments that computes the answer; "
                f"got {shown(self.truth)}. Write truth=lambda: ..."
            )
        if self.reveal is not None and not callable(self.reveal):
            raise QuestionError(f"`reveal` {where} must be a function without arguments; got {shown(self.reveal)}.")
        if not isinstance(self.prediction, bool):
            raise QuestionError(f"`prediction` {where} must be True or False; got {shown(self.prediction)}.")
        if not isinstance(self.id, str):
            raise QuestionError(f"`id` {where} must be a string; got {shown(self.id)}.")
        self._put("mistakes", tuple(_mistake(given, where) for given in _several(self.mistakes, "mistakes", where)))
        self._put("hints", tuple(_several(self.hints, "hints", where)))
        for hint in self.hints:
            _check_text(hint, f"each of `hints` {where}")
        if len(self.hints) > 3:
            raise QuestionError(f"`hints` {where} must be at most three; got {len(self.hints)}.")
        self._check(where)
        if not self.id:
            self._put("id", f"own-{self.fingerprint()}")

    def _check(self, where: str) -> None:
        """What this kind demands beyond what all share."""

    def _put(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)  # frozen for everybody but the making

    @property
    def known_mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes, each as a `Mistake`, however they were given."""
        return tuple(mistake for mistake in self.mistakes if isinstance(mistake, Mistake))

    def form(self) -> dict[str, Any]:
        """What the learner sees before answering: plain data, and nothing of the truth."""
        return {"kind": self.kind, "prompt": self.prompt, "prediction": self.prediction}

    def fingerprint(self) -> str:
        """Twelve letters that change when what the learner sees of the question changes.

        Example:
            >>> Number("How far?", truth=lambda: 3).fingerprint() == Number("How wide?", truth=lambda: 3).fingerprint()
            False
        """
        text = json.dumps(self.form(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Choice(Question):
    """Multiple choice: one option is right, and every other says what is wrong with it.

    Example:
        >>> question = Choice("Dilation of an ordinary convolution?", options=[
        ...     Option(0, "You counted the holes.", "M3"), Option(1)], truth=lambda: 1)
        >>> question.form()["options"]
        ['0', '1']

    Args:
        options: At least two `Option`; the truth is the value of one of them. One at most is without feedback.
        unit: Written after a value that is shown as it is, such as "pixels".

    Raises:
        QuestionError: If something is missing or of the wrong kind.
    """

    kind: ClassVar[str] = "choice"

    options: Sequence[Option]
    unit: str = ""

    def _check(self, where: str) -> None:
        self._put("options", tuple(_several(self.options, "options", where)))
        if len(self.options) < 2 or not all(isinstance(option, Option) for option in self.options):
            raise QuestionError(f"`options` {where} must be at least two `Option`; got {shown(self.options)}.")
        if sum(option.feedback == "" for option in self.options) > 1:
            raise QuestionError(f"Only the right option {where} may be without feedback.")
        if self.mistakes:
            raise QuestionError(f"A Choice takes no `mistakes`: give each option {where} its own feedback and mistake.")
        _check_unit(self.unit, where)
        labels = [self.label(option) for option in self.options]
        if len(set(labels)) < len(labels):
            raise QuestionError(f"The options {where} must all differ; got {labels}.")

    def label(self, option: Option) -> str:
        """What the learner reads as that option."""
        return str(resolved(option.text)) or with_unit(resolved(option.value), self.unit)

    def form(self) -> dict[str, Any]:
        """What the learner sees before answering."""
        return {**super().form(), "options": [self.label(option) for option in self.options]}


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A number, whole or not.

    Example:
        >>> question = Number("Two layers of kernel 3: how wide is the window?", unit="pixels", truth=lambda: 5,
        ...                   mistakes=[(3, "M2", "You took the last kernel alone.")])
        >>> question.form()["unit"]
        'pixels'

    Args:
        unit: Shown beside the field, such as "input positions".
        tolerance: How far from the truth an answer may be.
        whole: Whether only whole numbers are taken.

    Raises:
        QuestionError: If something is missing or of the wrong kind.
    """

    kind: ClassVar[str] = "number"

    unit: str = ""
    tolerance: float = 0
    whole: bool = True

    def _check(self, where: str) -> None:
        _check_unit(self.unit, where)
        number = isinstance(self.tolerance, int | float) and not isinstance(self.tolerance, bool)
        if not number or not 0 <= self.tolerance < math.inf:
            raise QuestionError(f"`tolerance` {where} must be a number >= 0; got {shown(self.tolerance)}.")

    def form(self) -> dict[str, Any]:
        """What the learner sees before answering."""
        return {**super().form(), "unit": self.unit, "whole": self.whole}


@dataclass(frozen=True, kw_only=True)
class Interval(Question):
    """The first and the last position of something, both included.

    Example:
        >>> import rflib as rf
        >>> field = rf.receptive_field([rf.Layer(3, padding=1)])
        >>> Interval("Kernel 3, padding 1: the window of unit 0?", truth=lambda: field.interval(0)).truth()
        (-1, 1)

    Args:
        unit: Shown beside the fields, such as "input positions".

    Raises:
        QuestionError: If something is missing or of the wrong kind.
    """

    kind: ClassVar[str] = "interval"

    unit: str = "input positions"

    def _check(self, where: str) -> None:
        _check_unit(self.unit, where)

    def form(self) -> dict[str, Any]:
        """What the learner sees before answering."""
        return {**super().form(), "unit": self.unit}


@dataclass(frozen=True, kw_only=True)
class Region(Question):
    """Cells of a row or of a small grid, chosen on the picture.

    Example:
        >>> question = Region("Which pixels does unit 2 read?", cells=(5,), truth=lambda: [1, 2, 3])
        >>> question.form()["cells"]
        [5]

    Args:
        cells: How many: (positions,) for a row, (rows, columns) for a grid.
        noun: What a cell is: "pixel", "unit".
        first: Number of the first cell of a row.
        marks: Cells that bear a letter, as (cell, letter).

    Raises:
        QuestionError: If something is missing or of the wrong kind.
    """

    kind: ClassVar[str] = "region"

    cells: Sequence[int]
    noun: str = "pixel"
    first: int = 0
    marks: Sequence[tuple[Cell, str]] = ()

    def _check(self, where: str) -> None:
        given = self.cells if isinstance(self.cells, tuple | list) else (self.cells,)
        sizes = [whole_number(size) for size in given]
        whole = [size for size in sizes if size is not None and size >= 1]
        if len(whole) != len(sizes) or len(whole) not in (1, 2) or not 2 <= math.prod(whole) <= MOST_CELLS:
            raise QuestionError(
                f"`cells` {where} must be (positions,) or (rows, columns), 2 to {MOST_CELLS} cells in all; "
                f"got {shown(self.cells)}."
            )
        self._put("cells", tuple(whole))
        start = whole_number(self.first)
        if start is None or (start and len(whole) == 2):
            raise QuestionError(f"`first` {where} must be an integer, and 0 for a grid; got {shown(self.first)}.")
        self._put("first", start)
        _check_text(self.noun, f"`noun` {where}", callable_too=False)
        marks = []
        for mark in _several(self.marks, "marks", where):
            if not isinstance(mark, tuple | list) or len(mark) != 2 or self.cell(mark[0]) is None:
                raise QuestionError(f"Each of `marks` {where} must be (cell, letter); got {shown(mark)}.")
            marks.append((self.cell(mark[0]), str(mark[1])))
        self._put("marks", tuple(marks))

    def cell(self, given: Any) -> Cell | None:
        """A cell as an integer or a pair of them; None where there is no such cell."""
        if len(self.cells) == 1:
            given = given[0] if isinstance(given, tuple | list) and len(given) == 1 else given
            number = whole_number(given)
            return number if number is not None and 0 <= number - self.first < self.cells[0] else None
        if not isinstance(given, tuple | list) or len(given) != 2:
            return None
        row, column = (whole_number(part) for part in given)
        if row is None or column is None or not (0 <= row < self.cells[0] and 0 <= column < self.cells[1]):
            return None
        return row, column

    def form(self) -> dict[str, Any]:
        """What the learner sees before answering."""
        marks = [[list(cell) if isinstance(cell, tuple) else cell, letter] for cell, letter in self.marks]
        own = {"cells": list(self.cells), "noun": self.noun, "first": self.first, "marks": marks}
        return {**super().form(), **own}


def with_unit(value: Any, unit: str) -> str:
    """A value as people write it, with a real minus sign, and its unit: 2 pixels, 1 pixel."""
    if f"{value}" == "1":
        unit = unit.removesuffix("s")
    return f"{value}".replace("-", "\N{MINUS SIGN}", int(f"{value}".startswith("-"))) + (f" {unit}" if unit else "")


def _several(given: Any, argument: str, where: str) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise QuestionError(f"`{argument}` {where} must be a list or a tuple; got {shown(given)}.")
    return list(given)


def _mistake(given: Any, where: str) -> Mistake:
    if isinstance(given, Mistake):
        return given
    if not isinstance(given, tuple | list) or len(given) != 3:
        raise QuestionError(f"Each of `mistakes` {where} must be (value, id, sentence); got {shown(given)}.")
    return Mistake(*given)


def _check_text(given: Any, what: str, callable_too: bool = True) -> None:
    if not (isinstance(given, str) and given.strip()) and not (callable_too and callable(given)):
        raise QuestionError(f"{what} must be a text that is not empty; got {shown(given)}.")


def _check_mistake(number: Any, where: str) -> None:
    if number is not None and not (isinstance(number, str) and number):
        raise QuestionError(f"The id of {where} must be a string such as 'M6', or None; got {shown(number)}.")


def _check_unit(unit: Any, where: str) -> None:
    if not isinstance(unit, str):
        raise QuestionError(f"`unit` {where} must be a string; got {shown(unit)}.")


def _short(prompt: str) -> str:
    return prompt if len(prompt) <= 40 else prompt[:37] + "..."
