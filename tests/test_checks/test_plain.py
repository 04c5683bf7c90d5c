"""Answers become plain data, whatever a learner returns; what is none says so."""

from __future__ import annotations

import math
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rflib.checks.plain import DEEPEST, LONGEST, MOST, NotPlainError, answer, plain


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (7, 7),
        (7.0, 7),
        (0.5, 0.5),
        (np.int64(7), 7),
        (np.float32(7.0), 7),
        (np.float64(0.25), 0.25),
        (torch.tensor(7), 7),
        (torch.tensor(7.0), 7),
        (torch.ones(2, requires_grad=True), [1, 1]),
        (torch.nn.Parameter(torch.zeros(1, 2)), [[0, 0]]),
        (np.arange(3), [0, 1, 2]),
        (Fraction(6, 2), 3),
        (Fraction(1, 2), 0.5),
        ((1, (2.0, "a")), [1, [2, "a"]]),
        ({3, 1, 2}, [1, 2, 3]),
        (range(3), [0, 1, 2]),
        (torch.Size([1, 2]), [1, 2]),
        (OrderedDict(size=np.int32(3)), {"size": 3}),
        ({1: 2}, {"1": 2}),
        (None, None),
        ("seven", "seven"),
    ],
)
def test_the_same_value_in_another_form(given: Any, expected: Any) -> None:
    made = plain(given)
    assert made == expected
    assert repr(made) == repr(expected)  # 7 and not 7.0, a list and not a tuple


def test_true_stays_true_and_is_not_one() -> None:
    assert plain(True) is True
    assert plain(np.bool_(True)) is True


def test_what_no_number_is_stays_what_it_is() -> None:
    assert math.isnan(plain(float("nan")))
    assert plain(-math.inf) == -math.inf


class Endless(list[Any]):
    """A list that holds itself."""

    def __init__(self) -> None:
        super().__init__([0])
        self[0] = self


@pytest.mark.parametrize(
    "given", [object(), len, b"7", 1j, iter([1]), Endless(), [0] * (MOST + 1), type, [1 << LONGEST]]
)
def test_what_is_no_plain_data_is_refused(given: Any) -> None:
    with pytest.raises(NotPlainError):
        plain(given)


def test_depth_is_limited() -> None:
    deep: Any = 1
    for _ in range(DEEPEST):
        deep = [deep]
    assert plain(deep) == deep
    with pytest.raises(NotPlainError):
        plain([deep])


def test_errors_are_answers_in_one_line() -> None:
    def falls() -> int:
        raise KeyError("a\nb")

    def leaves() -> int:
        raise SystemExit

    assert answer(falls, []) == {"error": "KeyError: 'a\\nb'"}
    assert answer(leaves, []) == {"error": "SystemExit"}
    assert answer(object, []) == {"error": "a value of type object, which is no number, text, list or dictionary"}


def test_the_file_stands_alone() -> None:
    """Its text is put into a cell where rflib is a stub."""
    import rflib.checks.plain as module

    text = Path(module.__file__).read_text(encoding="utf-8")
    assert "rflib" not in text.replace("from rflib.checks", "")
