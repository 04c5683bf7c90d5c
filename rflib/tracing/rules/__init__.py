"""The reading rules, by kind of operation. An operation that is in none of them is refused, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from rflib.tracing.rules import combining, moving, normalizing, resampling, sliding
from rflib.tracing.rules.combining import pointwise

Rule = Callable[[Any], int | list[int]]

RULES: dict[str, Rule] = {
    **sliding.RULES,
    **resampling.RULES,
    **moving.RULES,
    **normalizing.RULES,
    **combining.RULES,
}


def rule_for(func: Any) -> Rule | None:
    """The rule for an operation of torch; its in-place form and its forms with `out=` share it."""
    name = func._schema.name.split("::")[1]
    if name in RULES:
        return RULES[name]
    plain = name.rstrip("_")
    if plain in RULES:
        return RULES[plain]
    if torch.Tag.pointwise in func.tags:
        return pointwise
    functional = getattr(torch.ops.aten, plain, None)
    if plain != name and functional is not None:
        overloads = [getattr(functional, o) for o in functional.overloads()]
        if any(torch.Tag.pointwise in o.tags for o in overloads):
            return pointwise
    return None
