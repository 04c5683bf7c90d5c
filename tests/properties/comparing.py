"""What `analyze` says of a network, compared with what poking it shows."""

from __future__ import annotations

import itertools

import numpy as np
import torch

import rflib as rf
from properties.networks import Network, Plan
from properties.truth import Truth
from rflib.analysis import Analysis, Found
from rflib.graph import sets

FIRST, MOST = 3, 400


def analysis_of(model: torch.nn.Module, shapes: tuple[tuple[int, ...], ...]) -> Analysis:
    return rf.analyze(model, *(torch.zeros(s, dtype=torch.float64) for s in shapes))


def masks_of(found: Found) -> np.ndarray:
    """All masks of a layer: shape (units..., positions...)."""
    result = np.zeros((*found.unit_shape, *found.input_shape), dtype=bool)
    for unit in itertools.product(*(range(n) for n in found.unit_shape)):
        result[unit] = found.mask(unit)
    return result


def layers(analysis: Analysis, every: bool) -> dict[tuple[str, str], Found]:
    """The outputs, and the layers on the way that return one tensor."""
    result = {("", name): found for name, found in analysis.outputs.items()}
    for call in analysis._trace.calls if every else ():
        if call.path and len(call.outputs) == 1 and "" in call.outputs:
            result[call.path, ""] = analysis[call.path]
    return result


def differences(plan: Plan, every: bool = False) -> list[str]:
    """Every unit whose mask is not what poking shows, as sentences; [] where all agree."""
    model = Network(plan)
    try:
        analysis = analysis_of(model, plan.shapes)
    except rf.errors.NoSingleAnswerError:
        return []
    return differences_of(model, plan.shapes, analysis, every)


def differences_of(
    model: torch.nn.Module, shapes: tuple[tuple[int, ...], ...], analysis: Analysis, every: bool = False
) -> list[str]:
    found: list[str] = []
    for k in range(len(shapes)):
        truth = Truth(model, shapes, k)
        truth.look(FIRST)
        for key, layer in layers(analysis, every).items():
            found += _differences(key, layer.of(k), truth)
    return found


def _differences(key: tuple[str, str], layer: Found, truth: Truth) -> list[str]:
    if key not in truth.changed or truth.changed[key].shape[0] != len(truth.positions) or 0 in layer.unit_dims:
        return []  # windows laid into the batch: their batch is not the pokes' batch
    said = masks_of(layer)
    while truth.rounds < MOST:
        seen = truth.masks(*key, layer.unit_dims)
        if not (said & ~seen).any() or (seen & ~said).any():
            break
        truth.look(FIRST)
    seen = truth.masks(*key, layer.unit_dims)
    result = []
    for unit in itertools.product(*(range(n) for n in layer.unit_shape)):
        missing, extra = seen[unit] & ~said[unit], said[unit] & ~seen[unit]
        if missing.any() or extra.any():
            where = f"layer {key[0]!r} output {key[1]!r} input {layer._source} unit {unit}"
            result.append(f"{where}: missing {np.argwhere(missing).tolist()}, extra {np.argwhere(extra).tolist()}")
    return result


def contradictions(plan: Plan, wraps: bool = True) -> list[str]:
    """Where the answers about one layer contradict each other, as sentences; [] where all agree.

    Args:
        plan: of the network.
        wraps: whether some step brings in what lies at the other end (circular padding, roll, reflection); without
            one, what is really read lies in the ideal window.
    """
    model = Network(plan)
    try:
        analysis = analysis_of(model, plan.shapes)
    except rf.errors.NoSingleAnswerError:
        return []
    found: list[str] = []
    for k in range(len(plan.shapes)):
        for key, layer in layers(analysis, True).items():
            said = [*real_answers(layer.of(k)), *ideal_answers(layer.of(k), wraps)]
            found += [f"layer {key[0]!r} output {key[1]!r} input {k}: {s}" for s in said]
    return found


def real_answers(layer: Found) -> list[str]:
    """Whether slices, positions and units say what the masks say."""
    result, masks = [], masks_of(layer)
    for unit in itertools.product(*(range(n) for n in layer.unit_shape)):
        mask = masks[unit]
        positions = tuple(tuple(int(i) for i in np.unique(read)) for read in np.nonzero(mask))
        if layer.positions(unit) != positions:
            result.append(f"unit {unit}: positions {layer.positions(unit)}, but the mask's are {positions}")
        box = tuple(slice(p[0], p[-1] + 1) if p else slice(0, 0) for p in positions)
        if layer.slices(unit) != box:
            result.append(f"unit {unit}: slices {layer.slices(unit)}, but the mask's box is {box}")
    for position in itertools.product(*(range(n) for n in layer.input_shape)):
        units = np.argwhere(masks[(..., *position)])
        expected = tuple(int(u[0]) if len(u) == 1 else tuple(int(i) for i in u) for u in units)
        if layer.units(position) != expected:
            result.append(f"units({position}) is {layer.units(position)}, but the masks say {expected}")
    return result


def ideal_answers(layer: Found, wraps: bool) -> list[str]:
    """Whether the rule for all units at once says what each unit says when asked alone."""
    result = []
    source, dims = layer._input, layer._input_dims
    windows = layer.graph.windows(layer.index, layer.is_local)
    largest = [0] * len(dims)
    for unit in itertools.product(*(range(n) for n in layer.unit_shape)):
        box = layer.graph.box(layer.index, unit)
        boxes = layer.graph.pull(layer.index, box, False, layer.is_local).get(source, [])
        alone = tuple(sets.project(boxes, d) for d in dims) if boxes else None
        ends = None if alone is None else tuple((s[0], sets.last(s)) for s in alone)
        said = layer.interval(unit)
        if windows is not None and said != ends:
            result.append(f"unit {unit}: interval {said}, asked alone {ends}")
        elif windows is not None and alone != layer._ideal(unit):
            result.append(f"unit {unit}: ideal set {layer._ideal(unit)}, asked alone {alone}")
        if ends is not None:
            largest = [max(n, last - first + 1) for n, (first, last) in zip(largest, ends, strict=True)]
        if not wraps:
            outside = [p.tolist() for p in np.argwhere(layer.mask(unit)) if not inside(p, said)]
            result += [f"unit {unit}: reads {p}, outside its ideal window {said}" for p in outside]
    if windows is not None and tuple(largest) != layer.size:
        result.append(f"size {layer.size}, but the largest intervals are {largest}")
    return result


def inside(position: np.ndarray, ends: tuple[tuple[int, int], ...] | None) -> bool:
    return ends is not None and all(first <= p <= last for p, (first, last) in zip(position, ends, strict=True))
