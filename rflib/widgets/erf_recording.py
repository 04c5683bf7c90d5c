"""What the effective-field explorer's Python answers, written down for a page without Python.

The browser's side is erf_recorded.js. A map is kept as the shades that the browser draws of it in its three scales of
color, one letter a cell; everything that is said about it is kept as Python says it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ReceptiveFieldError
from rflib.widgets import erf_network as nets
from rflib.widgets.erf_answer import ahead, lowered, module_answer, quarter_of, quarter_words, stack_answer
from rflib.widgets.erf_module import GivenModule
from rflib.widgets.erf_network import Settings
from rflib.widgets.shared_recording import one_thread

if TYPE_CHECKING:
    from rflib.widgets.erf import ErfExplorer

__all__ = ["LETTERS", "NAMES", "key_of", "record_erf", "shades"]

Floats = npt.NDArray[np.float64]
SHADES, DECADES = 32, 4  # of heat.js and erf.js
LETTERS = "".join(chr(c) for c in [*range(35, 92), *range(93, 127), *range(161, 173)])  # none that JSON must escape
NAMES = ("kernel_size", "weights", "nonlinearity", "skip", "pattern", "contribution", "draws")
MOST_BYTES, MOST_FIELDS = 1_300_000, 150  # of the fields of a module
ACROSS = 5  # recorded units along an axis of a layer
PLAIN = ("size", "sigma", "formula", "kurtosis", "percent", "share", "gaussian", "notes", "window", "sentence")


def record_erf(explorer: ErfExplorer) -> dict[str, Any]:
    """The recording: other settings of a stack, or other layers and some units of a module."""
    recording: dict[str, Any] = {"letters": LETTERS, "shares": shares()}
    with one_thread():
        if explorer._module is None:
            return recording | _stacks(explorer)
        return recording | _module(explorer, explorer._module)


# ---------------------------------------------------------------------------------------------------- maps and profiles


@lru_cache(maxsize=1)
def _edges() -> Floats:
    """Where one of the three color scales goes on to its next shade."""
    steps = (np.arange(SHADES) + 0.5) / SHADES
    return np.unique(np.concatenate([steps, steps**2, 10 ** (DECADES * (steps - 1))]))


def shares() -> list[float]:
    """For each letter a share of the largest value that looks the same in every scale."""
    edges = [0.0, *_edges().tolist(), 1.0]
    return [0.0, *((low + high) / 2 for low, high in itertools.pairwise(edges[1:-1])), 1.0]


def shades(heights: Floats) -> dict[str, Any]:
    """A map as letters: every row and column that is not all of the first one.

    Returns:
        For each axis first, step and number of the rows or columns kept, and the letters of these, row after row.
    """
    values = heights.astype("<f4").astype(float)
    levels = np.searchsorted(_edges(), values / (values.max() or 1.0), side="right")
    kept = []
    for axis in range(levels.ndim):
        found = np.flatnonzero(levels.any(axis=tuple(a for a in range(levels.ndim) if a != axis)))
        step = int(np.gcd.reduce(np.diff(found))) if len(found) > 1 else 1
        kept.append([int(found[0]), step, int(found[-1] - found[0]) // step + 1])
    cut = levels[np.ix_(*(first + step * np.arange(number) for first, step, number in kept))]
    return {"kept": kept, "letters": "".join(LETTERS[level] for level in cut.ravel())}


def _profile(profile: list[float], shown: float) -> tuple[list[int], float]:
    """A profile as whole numbers of a unit, fine enough that the browser gets the same sigma out of it."""
    numbers, top, at = np.array(profile), max(profile), np.arange(len(profile))
    for digits in range(4, 16):
        unit = top / 10**digits
        whole = np.round(numbers / unit)
        mean = (whole * at).sum() / whole.sum()
        sigma = math.sqrt((whole * (at - mean) ** 2).sum() / whole.sum())
        if f"{sigma:.3f}" == f"{shown:.3f}" and f"{sigma:.2f}" == f"{shown:.2f}":
            break
    return [int(n) for n in whole], unit


def _field(erf: EffectiveReceptiveField, answer: dict[str, Any]) -> dict[str, Any]:
    """What there is to say about one field."""
    profile, unit = _profile(answer["profile"], answer["sigma"])
    kept = {name: answer[name] for name in PLAIN if answer[name] not in (None, [])}
    return kept | shades(erf.map) | {"profile": profile, "unit": unit}


# --------------------------------------------------------------------------------------------------------------- stacks


def key_of(settings: Settings) -> str:
    """The settings of a stack without depth and seed; where nothing is random the number of draws says nothing."""
    values = {name: getattr(settings, name) for name in NAMES}
    return "|".join(str(value) for value in (values if settings.is_random else values | {"draws": 0}).values())


def _stacks(explorer: ErfExplorer) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    maps: dict[Settings, Tensor] = {}
    for settings in _wanted(explorer._settings.depth_is(1)):
        if key_of(settings) not in groups:
            groups[key_of(settings)] = _group(settings, maps)
    # As in Python, other draws are other measurements, even of the same field.
    visited = {f"{key_of(s)} {s.draws}": sorted(depths) for s, depths in explorer._visited.items()}
    return {"groups": groups, "visited": visited}


def _wanted(now: Settings) -> Iterator[Settings]:
    """The settings that are recorded: those that lessons compare, and every other one changed alone."""
    for weights, pattern, contribution in itertools.product(nets.WEIGHTS, nets.PATTERNS, nets.CONTRIBUTIONS):
        yield replace(now, weights=weights, pattern=pattern, contribution=contribution)
    for nonlinearity in nets.NONLINEARITIES:
        yield replace(now, nonlinearity=nonlinearity)
    for skip in nets.SKIPS:
        yield replace(now, skip=skip)
    for kernel_size in (3, 5, 7):
        yield replace(now, kernel_size=kernel_size)
    for weights, contribution, draws in itertools.product(nets.WEIGHTS, nets.CONTRIBUTIONS, (1, 8)):
        yield replace(now, weights=weights, contribution=contribution, draws=draws)


def _group(settings: Settings, maps: dict[Settings, Tensor]) -> dict[str, Any]:
    """All depths with these settings."""
    deepest = nets.deepest(settings)
    fields: list[dict[str, Any] | str] = []
    for depth in range(1, deepest + 1):
        one = settings.depth_is(depth)
        alike = replace(one, contribution="absolute")  # the same gradients serve both contributions
        if alike not in maps:
            with torch.enable_grad():
                maps[alike] = nets.gradients(one, nets.drawn(one))
        fields.append(_depth(one, maps[alike]))
        quarter = fields[quarter_of(depth) - 1] if quarter_of(depth) else ""
        if isinstance(quarter, dict) and isinstance(fields[-1], dict):
            fields[-1]["quarter"] = quarter_words(quarter["sigma"], fields[-1]["sigma"])
    plain = {"unknown": nets.unknown(settings), "law": nets.law(settings), "is_random": settings.is_random}
    return {"deepest": deepest, "lowered": lowered(deepest), "fields": fields, **plain}


def _depth(settings: Settings, each: Tensor) -> dict[str, Any] | str:
    """One field of a stack; why there is none."""
    try:
        erf = nets.averaged(each, settings.contribution)
    except ReceptiveFieldError as error:
        return str(error)
    answer = stack_answer(erf, settings, {}, "")
    answer["sentence"], answer["window"] = ahead(settings, answer["sigma"]), None
    return _field(erf, answer)


# --------------------------------------------------------------------------------------------------------------- module


def _module(explorer: ErfExplorer, module: GivenModule) -> dict[str, Any]:
    """As many fields as fit: first the layer that is shown and the middle of every layer, then more units of each."""
    fields: dict[str, dict[str, Any]] = {}
    size = number = 0
    for layer, unit, contribution in _in_turn(explorer, module):
        kept = fields.setdefault(layer, {})
        key = f"{','.join(map(str, unit))}|{contribution}"
        if key in kept:
            continue
        if size > MOST_BYTES or number >= MOST_FIELDS:
            break
        kept[key] = _unit(module, layer, unit, contribution)
        size += len(json.dumps(kept[key]).encode())
        number += 1
    shown = {name: found for name, found in fields.items() if found}
    return {"layers": {n: {"units": list(module.found[n].unit_shape), "fields": f} for n, f in shown.items()}}


def _in_turn(explorer: ErfExplorer, module: GivenModule) -> Iterator[tuple[str, tuple[int, ...], str]]:
    first, others = explorer.contribution, [c for c in nets.CONTRIBUTIONS if c != explorer.contribution]
    layers = [explorer.layer, *sorted((n for n in module.found if n != explorer.layer), key=_rank)]
    for contribution in (first, *others):
        yield explorer.layer, explorer.unit, contribution
        yield explorer.layer, module.middle(explorer.layer), contribution
    for layer in layers:
        yield layer, module.middle(layer), first
    for layer in layers[:1]:
        yield from ((layer, unit, first) for unit in _spread(module.found[layer].unit_shape))
    for layer in layers:
        yield from ((layer, module.middle(layer), contribution) for contribution in others)
    for layer in layers[1:]:
        yield from ((layer, unit, first) for unit in _spread(module.found[layer].unit_shape))


def _rank(layer: str) -> int:
    """Blocks before the layers in them."""
    return layer.count(".")


def _spread(shape: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """At most five units along each axis, the ends and the middle among them."""
    axes = []
    for n in shape:
        half = n // 2
        axes.append(sorted({0, half // 2, half, half + (n - 1 - half) // 2, n - 1}) if n > ACROSS else list(range(n)))
    return itertools.product(*axes)


def _unit(module: GivenModule, layer: str, unit: tuple[int, ...], contribution: str) -> dict[str, Any] | str:
    try:
        erf = module.measured(layer, unit, contribution)
    except ReceptiveFieldError as error:
        return str(error)
    return _field(erf, module_answer(erf, module, layer, unit))
