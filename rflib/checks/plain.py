"""Answers as plain data: what the asking cell runs beside the learner's code, and the checks too.

The text of this file is put into the asking cell as it is, so it imports nothing but the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

DEEPEST = 8
MOST = 200_000  # values in one answer
LONGEST = 10_000  # bits of a whole number; Python writes none of more than 4,300 digits


class NotPlainError(TypeError):
    """An answer that is no number, text, list or dictionary of these."""


def plain(value: Any) -> Any:
    """A value as JSON can hold it: arrays, tensors and tuples are lists, whole floats are integers, sets are sorted.

    Example:
        >>> plain({"size": 7.0, "ends": (0, 6)})
        {'size': 7, 'ends': [0, 6]}

    Args:
        value: Numbers, texts, None, and sequences, sets, mappings, arrays or tensors of these.

    Returns:
        The same as int, float, str, bool, None, list and dict.

    Raises:
        NotPlainError: If it is something else, or nested or long beyond reason.
    """
    return _plain(value, DEEPEST, [MOST])


def _plain(value: Any, deep: int, left: list[int]) -> Any:
    left[0] -= 1
    if deep < 0 or left[0] < 0:
        raise NotPlainError(f"an answer nested deeper than {DEEPEST} or with more than {MOST} values")
    kind = type(value)
    if kind is int and value.bit_length() > LONGEST:
        raise NotPlainError("a whole number of thousands of digits")
    if kind in (bool, str, int) or value is None:
        return value
    if kind is float:
        return int(value) if math.isfinite(value) and value == int(value) else value
    if isinstance(value, range | Set):
        return [_plain(entry, deep - 1, left) for entry in sorted(value)]
    if isinstance(value, Mapping):
        return {str(name): _plain(entry, deep - 1, left) for name, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_plain(entry, deep - 1, left) for entry in value]
    if hasattr(value, "numerator") and hasattr(value, "denominator") and not hasattr(value, "shape"):
        return _plain(float(value) if value.denominator != 1 else int(value), deep, left)
    if callable(getattr(value, "tolist", None)):  # an array, a tensor or a scalar of numpy
        return _plain(value.tolist(), deep - 1, left)
    raise NotPlainError(f"a value of type {kind.__name__}, which is no number, text, list or dictionary")


def said(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def answer(function: Callable[..., Any], arguments: Iterable[Any]) -> dict[str, Any]:
    """What a function answers, as plain data: {"answer": value}, or {"error": one line}.

    Example:
        >>> answer(max, [1, 3]), answer(max, [1])
        ({'answer': 3}, {'error': "TypeError: 'int' object is not iterable"})

    Args:
        function: The learner's.
        arguments: What it is called with, by position.
    """
    try:
        return {"answer": plain(function(*arguments))}
    except NotPlainError as error:
        return {"error": str(error)}
    except (KeyboardInterrupt, SystemExit) as error:
        return {"error": said(error)}
    except Exception as error:
        return {"error": said(error)}
