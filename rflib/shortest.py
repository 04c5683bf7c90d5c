"""The smallest input in which some unit of a model's output sees no padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rflib.errors import NoSingleAnswerError, ReceptiveFieldError
from rflib.graph.lines import Course, Line
from rflib.tiling import grid_of, untouched

if TYPE_CHECKING:
    from rflib.analysis import Analysis

LONGEST_SEARCH = 64
"""How many lengths above the expected one are tried: a U-Net of depth 6 takes every 64th."""


def smallest(analysis: Analysis, a: int) -> int:
    """The smallest length of one axis, the others left as they are.

    Raises:
        NoSingleAnswerError: output units follow no stride, or no length was found that the model can take.
    """
    course = _course(analysis, a)
    expected = min(_moved_inside(course, phase) for phase in range(course.period))
    before = _resized(analysis, a, expected - 1)
    if before is not None and before.output.line(a) != analysis.output.line(a):
        # Padding that depends on the length: what holds for the analyzed length says nothing about shorter ones.
        shortest = min(w[1].bit_length() for w in course.windows if w[1])
        tried = range(shortest, expected + LONGEST_SEARCH + 1)
    else:
        tried = range(expected, expected + LONGEST_SEARCH + 1)
    for length in tried:
        if _free(analysis, a, length):
            return length
    raise NoSingleAnswerError(
        f"On axis {a} an input of {expected} positions should have a unit that sees no padding, but the model gives "
        f"none for lengths up to {tried[-1]}: it cannot take them, or cuts that unit off."
    )


def _course(analysis: Analysis, a: int) -> Course:
    found = analysis.output
    line = found.line(a)
    if line is None or line.dim is None or found.stride[a] is None or not any(w[1] for w in line.courses[0].windows):
        raise NoSingleAnswerError(
            f"On axis {a} output units follow no single stride (whole_input: {found.whole_input[a]}), so no input size "
            "frees them of padding. Analyze the part of the model before the operation that reads everything, or ask "
            "analysis.local."
        )
    return line.courses[0]


def _moved_inside(course: Course, phase: int) -> int:
    """Length of the smallest input that holds a window of this phase, moved by whole periods until it begins inside."""
    window, step = course.windows[phase], abs(course.step)
    if not window[1]:
        return 1 << 60  # reads nothing: free of padding, and of the image
    first = window[0] % step if window[0] < 0 or course.step < 0 else window[0]
    return first + window[1].bit_length()


def _resized(analysis: Analysis, a: int, length: int) -> Analysis | None:
    """The analysis for another length; None if the model cannot take it."""
    lengths = list(analysis.output.input_shape)
    lengths[a] = length
    try:
        return analysis._resized(lengths) if length > 0 else None
    except ReceptiveFieldError:
        return None


def _free(analysis: Analysis, a: int, length: int) -> bool:
    """Whether, on an input of this length, some unit stands on nothing but units that exist."""
    small = _resized(analysis, a, length)
    if small is None or 0 in small.output.shape:
        return False
    # A map of length 1 has no stride, so ask for a longer input, and move its end back by as many whole periods.
    longer = 0 if _line(small, a) is not None else 8 * grid_of(analysis, a)
    there = _resized(analysis, a, length + longer) if longer else small
    line = None if there is None else _line(there, a)
    if there is None or line is None:
        return False
    found, course = there.output, line.courses[0]
    first, last = untouched(found.graph, found.index, (found._source, a), found.is_local)
    return any(line.at(unit)[1] for unit in range(first, last + 1 - longer * course.period // abs(course.step)))


def _line(analysis: Analysis, a: int) -> Line | None:
    line = analysis.output.line(a)
    return line if line is not None and line.dim is not None and line.courses[0].step else None
