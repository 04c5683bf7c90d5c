"""The effective field by poking and counting, and the slips that people make in measuring it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rflib.checks.preparing import network_and_signals
from rflib.checks.reading import Plain, taps
from rflib.checks.task import Rule

Weights = Sequence[float]

STEP = 1e-4  # of a poke; what is measured is piecewise linear

# The truth, by poking and counting


def slopes(layers: list[Plain], signals: Any, unit: int) -> Tensor:
    """How much a unit, summed over its channels, changes with each input value: pokes up and down, (B, C, N)."""
    return _all_slopes(layers, signals)[..., unit]


def is_smooth(layers: list[Plain], signals: Any, unit: int) -> bool:
    """Whether no ReLU opens or closes within ten pokes: only then have all a slope that all agree upon."""
    up, down = (_poked(layers, signals, step)[..., unit] for step in (10 * STEP, -10 * STEP))
    return bool(torch.allclose(up, down, rtol=1e-6, atol=1e-8))


def _all_slopes(layers: list[Plain], signals: Any) -> Tensor:
    """The same for all units, the last axis, (B, C, N, U)."""
    return (_poked(layers, signals, STEP) + _poked(layers, signals, -STEP)) / 2


def _poked(layers: list[Plain], signals: Any, step: float) -> Tensor:
    """How much each unit changes in one direction with each input value, for each unit of change, (B, C, N, U)."""
    model, given = network_and_signals([layers, signals])
    _, channels, length = given.shape
    many = given.repeat(channels * length, 1, 1, 1)  # one poke each
    for place in range(channels * length):
        many[place, :, place // length, place % length] += step
    with torch.no_grad():
        change = model(many.flatten(0, 1)).sum(1).unflatten(0, many.shape[:2]) - model(given).sum(1)
    found: Tensor = change.unflatten(0, (channels, length)).permute(2, 0, 1, 3) / step
    return found


def effective_map(layers: list[Plain], signals: Any, unit: int) -> list[float]:
    """Mean absolute slope at each position, over examples and channels, of sum 1."""
    return _shares(slopes(layers, signals, unit).abs().mean((0, 1)))


def path_shares(layers: Sequence[Plain]) -> dict[int, float]:
    """The share of all paths from one unit that end at each input position, counted tap by tap."""
    counts = {0: 1}
    for each in reversed(layers):
        below: dict[int, int] = {}
        for unit, paths in counts.items():
            for position in taps(each, unit):
                below[position] = below.get(position, 0) + paths
        counts = below
    whole = sum(counts.values())
    return {position: paths / whole for position, paths in counts.items()}


def sigma(weights: Weights) -> float:
    """Root of the mean squared distance from the mean position."""
    return _spread(dict(enumerate(weights)))


def walk_sigma(layers: Sequence[Plain]) -> float:
    """The same for the shares of paths."""
    return _spread(path_shares(layers))


def height_width(weights: Weights, share: float) -> int:
    """How many positions there are from the first to the last that is at least this share of the highest."""
    high = [place for place, weight in enumerate(weights) if weight >= share * max(weights)]
    return high[-1] - high[0] + 1


def exponent(depths: Weights, widths: Weights) -> float:
    """The slope of the straight line of least squares through the logarithms."""
    return _slope([math.log(x) for x in depths], [math.log(y) for y in widths])


def _shares(values: Tensor) -> list[float]:
    whole = float(values.sum())
    return [float(value) / whole if whole else 0.0 for value in values]


def _spread(weights: dict[int, float], center: float | None = None) -> float:
    whole = sum(weights.values())
    mean = sum(x * w for x, w in weights.items()) / whole if center is None else center
    return math.sqrt(sum(w * (x - mean) ** 2 for x, w in weights.items()) / whole)


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    x0, y0 = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x0) * (y - y0) for x, y in zip(xs, ys, strict=True)) / sum((x - x0) ** 2 for x in xs)


# Slips


def _mapped(change: Callable[[Tensor], Tensor]) -> Callable[..., list[float]]:
    """A map made of the slopes in another way, (B, C, N) to (N,), of sum 1."""
    return lambda layers, signals, unit: _shares(change(slopes(layers, signals, unit)))


def _whole_output(layers: list[Plain], signals: Any, unit: int) -> list[float]:
    """The gradient of the sum of all units."""
    return _shares(_all_slopes(layers, signals).sum(-1).abs().mean((0, 1)))


def _first_channel(layers: list[Plain]) -> list[Plain]:
    """The network with the first channel of its output alone."""
    *before, last = layers
    return [*before, last | {"channels": [last.get("channels", (1, 1))[0], 1], "weights": last["weights"][:1]}]


def _without_relu(layers: list[Plain], signals: Any, unit: int) -> list[float]:
    return effective_map([each for each in layers if each["kind"] != "relu"], signals, unit)


def _from(weights: Weights, center: float) -> float:
    return _spread(dict(enumerate(weights)), center)


def _to_sum(weights: Weights) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def _intercept(depths: Weights, widths: Weights) -> float:
    xs, ys = [math.log(x) for x in depths], [math.log(y) for y in widths]
    return sum(ys) / len(ys) - _slope(xs, ys) * sum(xs) / len(xs)


def _correlation(depths: Weights, widths: Weights) -> float:
    there, back = exponent(depths, widths), exponent(widths, depths)
    return math.copysign(math.sqrt(there * back), there)


MAP_RULES = (
    Rule(
        None,
        "You took the mean before the absolute value, so that slopes of opposite sign cancel.",
        _mapped(lambda found: found.mean((0, 1)).abs()),
    ),
    Rule(None, "You left out the absolute value.", _mapped(lambda found: found.mean((0, 1)))),
    Rule(None, "You squared the slopes.", _mapped(lambda found: found.square().mean((0, 1)))),
    Rule(None, "You looked at the first example alone.", _mapped(lambda found: found[0].abs().mean(0))),
    Rule(None, "You looked at the first channel of the signals alone.", _mapped(lambda f: f[:, 0].abs().mean(0))),
    Rule(
        None,
        "You took the first channel of the output alone; the unit's value is the sum over its channels.",
        lambda layers, signals, unit: effective_map(_first_channel(layers), signals, unit),
    ),
    Rule(
        "M18", "You marked what is read, the theoretical field.", _mapped(lambda f: (f.abs().sum((0, 1)) > 0).double())
    ),
    Rule(
        None,
        "You did not make the sum 1.",
        lambda layers, signals, unit: [float(x) for x in slopes(layers, signals, unit).abs().mean((0, 1))],
    ),
    Rule(
        None,
        "You made the highest value 1 instead of the sum.",
        lambda layers, signals, unit: [x / max(m) for m in [effective_map(layers, signals, unit)] for x in m],
    ),
    Rule(None, "You followed the sum of all units; only this unit's gradient counts.", _whole_output),
    Rule(
        "M19",
        "You took the mean of the signals first; which ReLU are open depends on each of them.",
        lambda layers, signals, unit: effective_map(layers, torch.tensor(signals).mean(0, keepdim=True).tolist(), unit),
    ),
    Rule("M19", "You left the ReLU out; which of them are open depends on the input.", _without_relu),
)
SIGMA_RULES = (
    Rule(None, "This is the variance; sigma is its root.", lambda w: sigma(w) ** 2),
    Rule(
        None,
        "You measured from the middle of the list; measure from the mean position.",
        lambda w: _from(w, (len(w) - 1) / 2),
    ),
    Rule(
        None,
        "You measured from the highest position; measure from the mean position.",
        lambda w: _from(w, list(w).index(max(w))),
    ),
    Rule(None, "You did not divide by the sum of the weights.", lambda w: sigma(w) * math.sqrt(sum(w))),
    Rule(
        None,
        "This is the mean distance; sigma is the root of the mean square.",
        lambda w: sum(p * abs(x - sum(y * q for y, q in enumerate(_to_sum(w)))) for x, p in enumerate(_to_sum(w))),
    ),
    Rule(
        None,
        "This is the spread of the weights' values; you want the spread of their positions.",
        lambda w: math.sqrt(sum((x - sum(w) / len(w)) ** 2 for x in w) / len(w)),
    ),
    Rule("A14", "This is the number of positions that are not zero.", lambda w: sum(x > 0 for x in w)),
    Rule("M24", "You measured from half the length; the mean position is asked for.", lambda w: _from(w, len(w) / 2)),
    Rule(None, "You measured from the first position; measure from the mean position.", lambda w: _from(w, 0)),
    Rule(
        None,
        "You counted every position alike; each counts by its weight.",
        lambda w: _spread({place: 1.0 for place, weight in enumerate(w) if weight > 0}),
    ),
    Rule(
        None,
        "You divided by the number of positions; divide by the sum of the weights.",
        lambda w: sigma(w) * math.sqrt(sum(w) / len(w)),
    ),
)
WIDTH_RULES = (
    Rule("M15", "You left out one of the ends: both count.", lambda w, share: height_width(w, share) - 1),
    Rule(
        "A14",
        "You took the share of the sum; the rule is a share of the highest weight.",
        lambda w, share: _above(w, share * sum(w)),
    ),
    Rule(
        None,
        "You counted the positions above; a valley between them belongs to the width.",
        lambda w, share: sum(x >= share * max(w) for x in w),
    ),
    Rule(
        None,
        "You left out what reaches the bound exactly; at least the bound is enough.",
        lambda w, share: _above(w, math.nextafter(share * max(w), math.inf)),
    ),
    Rule("M18", "You measured all that is not zero, the theoretical field.", lambda w, share: _above(w, 1e-300)),
    Rule(
        "A14",
        "You took the share of the mean; the rule is a share of the highest weight.",
        lambda w, share: _above(w, share * sum(w) / len(w)),
    ),
    Rule(None, "You took half of the highest weight, whatever the share is.", lambda w, share: _above(w, 0.5 * max(w))),
    Rule(
        None,
        "You took the share of Luo and others, whatever the share is.",
        lambda w, share: _above(w, 0.0455 * max(w)),
    ),
    Rule(None, "You used the share as if it were a weight.", lambda w, share: _above(w, share)),
    Rule(
        None,
        "You went out from the highest position and stopped at the first low one; higher ones may follow.",
        lambda w, share: _around_the_peak(w, share * max(w)),
    ),
)
WALK_RULES = (
    Rule(
        "A6",
        "You left the jumps out: a step of a layer is as long as the jump before it.",
        lambda ls: _formula(ls, jump=False),
    ),
    Rule(
        "M7",
        "You took the jump behind the layer; its own stride widens only what comes later.",
        lambda ls: _formula(ls, own=True),
    ),
    Rule("M4", "You left the dilation out.", lambda ls: _formula(ls, dilation=False)),
    Rule(
        None,
        "You used k² / 12; a kernel of k taps has (k² - 1) / 12.",
        lambda ls: _formula(ls, steps=lambda k: k**2 / 12),
    ),
    Rule(None, "You added the sigmas; variances add.", lambda ls: _formula(ls, power=1)),
    Rule(None, "This is the variance; sigma is its root.", lambda ls: walk_sigma(ls) ** 2),
    Rule(
        "M18",
        "This is the size of the theoretical field.",
        lambda ls: _size(ls),
    ),
    Rule(
        None, "You counted every position that is read alike.", lambda ls: _spread(dict.fromkeys(path_shares(ls), 1.0))
    ),
    Rule("M6", "You multiplied the strides from the wrong end.", lambda ls: walk_sigma(ls[::-1])),
    Rule(
        "A5",
        "You gave every position of the window the same share; more paths lead to the middle.",
        lambda ls: math.sqrt((_size(ls) ** 2 - 1) / 12),
    ),
    Rule(
        None,
        "You did not square the distance of the taps; a step that is a times as long has a² times the variance.",
        lambda ls: _formula(ls, distance=1),
    ),
    Rule(
        "M17",
        "You filled the holes; a dilated layer steps to one of its k taps.",
        lambda ls: walk_sigma([y | {"kernel_size": _size([y]), "dilation": 1} for y in ls]),
    ),
    Rule(
        None,
        "You gave every layer the variance of three taps.",
        lambda ls: walk_sigma([y | {"kernel_size": 3} for y in ls]),
    ),
    Rule(
        None,
        "You used (k - 1)² / 12; a kernel of k taps has (k² - 1) / 12.",
        lambda ls: _formula(ls, steps=lambda k: (k - 1) ** 2 / 12),
    ),
)
EXPONENT_RULES = (
    Rule(None, "You fitted the numbers themselves; take the logarithms of both.", lambda x, y: _slope(x, y)),
    Rule(None, "You took the logarithm of the widths alone.", lambda x, y: _slope(x, [math.log(v) for v in y])),
    Rule(None, "You took the logarithm of the depths alone.", lambda x, y: _slope([math.log(v) for v in x], y)),
    Rule(
        None,
        "You drew the line through the first and the last point.",
        lambda x, y: exponent([x[0], x[-1]], [y[0], y[-1]]),
    ),
    Rule(None, "You drew the line through the first two points.", lambda x, y: exponent(x[:2], y[:2])),
    Rule(None, "You exchanged the axes.", lambda x, y: exponent(y, x)),
    Rule(
        None,
        "You forced the line through the origin; it has an intercept.",
        lambda x, y: (
            sum(math.log(a) * math.log(b) for a, b in zip(x, y, strict=True)) / sum(math.log(a) ** 2 for a in x)
        ),
    ),
    Rule(None, "This is the intercept; the slope is asked for.", _intercept),
    Rule(
        None,
        "You took logarithms of two bases; any will do, if it is the same.",
        lambda x, y: _slope([math.log2(v) for v in x], [math.log(v) for v in y]),
    ),
    Rule(None, "This is the correlation; the slope is asked for.", _correlation),
    Rule(
        None,
        "You took the mean of the slopes from point to point; the line of least squares weighs the points together.",
        lambda x, y: sum(exponent(x[i : i + 2], y[i : i + 2]) for i in range(len(x) - 1)) / (len(x) - 1),
    ),
    Rule("A11", "This is the exponent of the share of the field, not of the width.", lambda x, y: exponent(x, y) - 1),
)


def _above(weights: Weights, bound: float) -> int:
    high = [place for place, weight in enumerate(weights) if weight >= bound]
    return high[-1] - high[0] + 1 if high else 0


def _around_the_peak(weights: Weights, bound: float) -> int:
    first = last = list(weights).index(max(weights))
    while first > 0 and weights[first - 1] >= bound:
        first -= 1
    while last < len(weights) - 1 and weights[last + 1] >= bound:
        last += 1
    return last - first + 1


def _size(layers: Sequence[Plain]) -> int:
    """Positions from the first to the last that some path ends at."""
    found = path_shares(layers)
    return len(range(min(found), max(found) + 1))


def _formula(
    layers: Sequence[Plain],
    jump: bool = True,
    own: bool = False,
    dilation: bool = True,
    power: int = 2,
    distance: int = 2,
    steps: Callable[[int], float] = lambda k: (k**2 - 1) / 12,
) -> float:
    """The closed form with one slip."""
    total, before = 0.0, 1
    for each in layers:
        after = before * each["stride"]
        apart = (after if own else before if jump else 1) * (each["dilation"] if dilation else 1)
        total += (apart**distance * steps(each["kernel_size"])) ** (power / 2)
        before = after
    return math.sqrt(total) if power == 2 else total
