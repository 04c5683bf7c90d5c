"""What the effective-field explorer says about a field: numbers for the browser, and the sentence of result."""

from __future__ import annotations

import math
from typing import Any

from rflib.effective.spread import EffectiveReceptiveField
from rflib.figures import drawing as d
from rflib.widgets import erf_network as nets
from rflib.widgets.erf_module import WHOLE_MODEL, GivenModule
from rflib.widgets.erf_network import Settings
from rflib.widgets.overlay_layer import whole_percent

__all__ = ["Visited", "ahead", "lowered", "module_answer", "quarter_of", "quarter_words", "stack_answer"]

TIMES = "\N{MULTIPLICATION SIGN}"
Visited = dict[int, tuple[int, float]]  # by depth: field and sigma


def lowered(depth: int) -> str:
    """Why the depth is another one than before."""
    return f"The depth is lowered to {depth}: deeper would take too long."


def stack_answer(erf: EffectiveReceptiveField, settings: Settings, visited: Visited, note: str) -> dict[str, Any]:
    """What the browser shows of a stack; `visited` are the depths measured with these settings, this one included."""
    size, sigma = settings.field, erf.sigma[-1]
    quarter = visited.get(quarter_of(settings.depth))
    return {
        **_numbers(erf, [[0, size - 1]] * 2),
        "formula": settings.expected_sigma(),
        "unknown": nets.unknown(settings),
        "depth": settings.depth,
        "deepest": nets.deepest(settings.depth_is(1)),
        "visited": [[n, *pair] for n, pair in sorted(visited.items())],
        "law": nets.law(settings.depth_is(1)),
        "is_random": settings.is_random,
        "units": [],
        "notes": [*erf.notes, *filter(None, [note])],
        "sentence": ahead(settings, sigma) + (quarter_words(quarter[1], sigma) if quarter is not None else "."),
    }


def module_answer(
    erf: EffectiveReceptiveField, module: GivenModule, layer: str, unit: tuple[int, ...]
) -> dict[str, Any]:
    """What the browser shows of a unit of a module."""
    window = module.window(layer, unit)
    numbers = _numbers(erf, window)
    size, sigma = numbers["size"], numbers["sigma"]
    share = f"{whole_percent(sigma / size)} of the field" if size else "nothing is read"
    who = f"Unit {d.pair(unit)}" if unit else "The unit"
    name = "the model's output" if layer == WHOLE_MODEL else f"layer {layer}"
    fields = d.times(w[1] - w[0] + 1 if w else 0 for w in window)
    return {
        **numbers,
        **{"formula": None, "unknown": "", "depth": None, "deepest": 0, "visited": [], "law": [], "is_random": False},
        "units": list(module.found[layer].unit_shape),
        "notes": list(erf.notes),
        "sentence": f"{who} of {name}: field {fields}, sigma {sigma:.2f}, {share}.",
    }


def _numbers(erf: EffectiveReceptiveField, window: list[list[int]]) -> dict[str, Any]:
    profile = erf.profile(erf.map.ndim - 1)
    bell = EffectiveReceptiveField(profile).gaussian()
    sigma, kurtosis = erf.sigma[-1], erf.kurtosis[-1]
    size = window[-1][1] - window[-1][0] + 1 if window[-1] else 0
    return {
        "shape": list(erf.map.shape),
        "window": window,
        "size": size,
        "sigma": sigma,
        "kurtosis": None if math.isnan(kurtosis) else kurtosis,
        "share": sigma / size if size else 0.0,
        "percent": whole_percent(sigma / size) if size else "none",
        "profile": profile.tolist(),
        "gaussian": {
            "center": bell.center[0],
            "sigma": bell.sigma[0],
            "height": bell.height,
            "r_squared": None if math.isnan(bell.r_squared) else bell.r_squared,
        },
    }


def ahead(settings: Settings, sigma: float) -> str:
    """The sentence about a stack, without its end."""
    size, expected = settings.field, settings.expected_sigma()
    formula = f" (closed form {expected:.2f})" if expected is not None else ""
    stack = f"{d.count(settings.depth, 'layer')}: field {d.times((size, size))}"
    return f"{stack}, sigma {sigma:.2f}{formula}, {whole_percent(sigma / size)} of the field"


def quarter_of(depth: int) -> int:
    """The quarter of a depth; 0 where that is no depth."""
    return depth // 4 if depth % 4 == 0 else 0


def quarter_words(before: float, sigma: float) -> str:
    """The end of the sentence where a quarter of the depth was measured, too."""
    return f"; at a quarter of the depth it was {before:.2f}: sigma {TIMES} {sigma / before:.2f}."
