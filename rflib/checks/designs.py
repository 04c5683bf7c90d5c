"""Designs as learners hand them in: a list of layers as plain data, held against requirements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from rflib.checks.plain import plain
from rflib.checks.task import Inputs, Rule
from rflib.design.assessing import judged
from rflib.design.designs import KINDS, Design, padded_layer
from rflib.design.requirements import Requirements
from rflib.design.searching import cheapest
from rflib.errors import NoSingleAnswerError, ReceptiveFieldError

LARGEST = 10_000
DEEPEST = 40
DEFAULTS = {"kernel_size": None, "stride": 1, "dilation": 1, "kind": "conv"}


class DesignError(ValueError):
    """An answer that is no list of layers; the message begins in the middle of a sentence."""


def requirements(wanted: dict[str, Any]) -> Requirements:
    """What the plain requirements of a task ask for.

    Example:
        >>> requirements({"field": 9, "kernels": [3]}).field
        9
    """
    return Requirements(**wanted)


def as_wanted(asked: Requirements) -> dict[str, Any]:
    """Requirements as the plain data that a learner's function is given; budgets that are not set are left out."""
    return {name: plain(value) for name, value in asdict(asked).items() if value is not None and name != "axes"}


def design_of(answer: Any, asked: Requirements) -> Design:
    """The design that a learner's list of layers describes, padded so that the size is kept.

    Example:
        >>> print(design_of([{"kernel_size": 3}, {"kind": "pool", "kernel_size": 2, "stride": 2}], Requirements(5)))
        conv 3, pool 2 stride 2

    Args:
        answer: Plain data: a list of dictionaries with "kernel_size" and, where they are not 1, 1 and "conv", "stride",
            "dilation" and "kind".
        asked: Gives the width and the input size.

    Raises:
        DesignError: If it is something else; the message says what.
    """
    if not isinstance(answer, list) or not 1 <= len(answer) <= DEEPEST:
        raise DesignError(f"it is no list of 1 to {DEEPEST} layers")
    rows = [_row(index, entry) for index, entry in enumerate(answer, start=1)]
    layers = [padded_layer(row["kernel_size"], row["stride"], row["dilation"], row["kind"]) for row in rows]
    try:
        return asked.design(layers, [row["kind"] for row in rows])
    except ReceptiveFieldError as error:
        raise DesignError(str(error)) from None


def _row(index: int, entry: Any) -> dict[str, Any]:
    """One layer with what was left out filled in."""
    if not isinstance(entry, dict):
        raise DesignError(f"layer {index} is no dictionary")
    strange = sorted(set(entry) - set(DEFAULTS))
    if strange:
        raise DesignError(f"layer {index} has {strange[0]!r}; a layer has {', '.join(DEFAULTS)}")
    row = {**DEFAULTS, **entry}
    for name in ("kernel_size", "stride", "dilation"):
        if type(row[name]) is not int or not 1 <= row[name] <= LARGEST:
            raise DesignError(f"`{name}` of layer {index} is no whole number from 1 to {LARGEST:,}")
    if row["kind"] not in KINDS:
        raise DesignError(f"`kind` of layer {index} is none of {', '.join(KINDS)}")
    return row


def lacks(inputs: Inputs, answer: Any) -> str:
    """What a design misses, in sentences; "" where it meets everything.

    Unlike `assess` it gives no score, which would need a search for the cheapest design.
    """
    asked = requirements(inputs[0])
    try:
        return " ".join(said for met, said in judged(design_of(answer, asked), asked) if not met)
    except (DesignError, ReceptiveFieldError) as error:
        return str(error)


def one_for_all(drawn: Sequence[Inputs]) -> bool:
    """Whether one design might meet all these requests; budgets, which are close, are left out of account.

    Example:
        >>> one_for_all([[{"field": 5, "largest_stride": 1}], [{"field": 9, "largest_stride": 2}]])
        True
        >>> one_for_all([[{"field": 5, "exactly": True}], [{"field": 9, "exactly": True}]])
        False
    """
    asked = [requirements(inputs[0]) for inputs in drawn]
    if len({each.field for each in asked if each.exactly}) > 1:
        return False
    together = replace(
        asked[0],
        field=max(each.field for each in asked),
        most_layers=min(each.most_layers for each in asked),
        largest_stride=min((each.largest_stride for each in asked if each.largest_stride), default=None),
        pools=tuple(set.intersection(*(set(each.pools) for each in asked))),
        most_parameters=None,
        most_multiply_adds=None,
    )
    try:
        cheapest(together)
    except NoSingleAnswerError:
        return False
    return True


def wanted_words(inputs: Inputs) -> str:
    """What was asked for, in words."""
    asked = requirements(inputs[0])
    parts = [f"a field of {'exactly' if asked.exactly else 'at least'} {asked.field}"]
    limits = (
        (asked.most_layers, "layers"),
        (asked.most_parameters, "parameters"),
        (asked.most_multiply_adds, "multiply-adds"),
    )
    parts += [f"at most {number:,} {name}" for number, name in limits if number is not None]
    parts += [f"a product of strides of at most {asked.largest_stride}"] if asked.largest_stride else []
    return ", ".join([*parts, *(["no holes"] if asked.no_holes else [])])


def believing(id: str, sentence: str, field: Callable[[Design], int]) -> Rule:
    """The slip of somebody whose design would reach the field if a wrong rule for its size were right."""

    def explains(inputs: Inputs, answer: Any) -> bool:
        asked = requirements(inputs[0])
        try:
            design = design_of(answer, asked)
        except DesignError:
            return False
        believed = field(design)
        if asked.exactly:
            return believed == asked.field != design.field.size
        return believed >= asked.field > design.field.size

    return Rule(id, sentence, explains)


def shown_wanted(wanted: dict[str, Any]) -> str:
    """The requirements as a learner types them: all that a task varies, long rows of numbers as a range.

    Example:
        >>> print(shown_wanted({"field": 9, "dilations": [1, 2, 3, 4], "by": "parameters"}))
        {'field': 9, 'dilations': list(range(1, 5))}
    """
    left_out = ("by", "convolutions")
    return "{" + ", ".join(f"{k!r}: {_short(v)}" for k, v in wanted.items() if k not in left_out) + "}"


def _short(value: Any) -> str:
    is_row = isinstance(value, list) and len(value) > 3 and value == list(range(value[0], value[-1] + 1))
    return f"list(range({value[0]}, {value[-1] + 1}))" if is_row else repr(value)
