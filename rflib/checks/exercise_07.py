"""Exercise 07, the effective field: measure it, say how wide it is, and how its width grows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from rflib.checks.measured import (
    EXPONENT_RULES,
    MAP_RULES,
    SIGMA_RULES,
    WALK_RULES,
    WIDTH_RULES,
    effective_map,
    exponent,
    height_width,
    is_smooth,
    sigma,
    slopes,
    walk_sigma,
)
from rflib.checks.reading import Plain
from rflib.checks.stacks import drawn, layer, named
from rflib.checks.task import Inputs, Property, Written


def _round(value: float) -> float:
    return round(value, 3)


def _net(random: Random, relu: bool, depth: int) -> list[Plain]:
    """Convolutions of two channels that keep the length, with or without ReLU between them."""
    found: list[Plain] = []
    for place in range(depth):
        kernel = random.choice((3, 5))
        rows = [[[_round(random.gauss(0, 1)) for _ in range(kernel)] for _ in range(2)] for _ in range(2)]
        conv = {"kind": "conv", "kernel_size": kernel, "padding": kernel // 2, "channels": [2, 2], "weights": rows}
        found += [{"kind": "relu"}, conv] if relu and place else [conv]
    return found


def _signals(random: Random, examples: int, length: int) -> list[list[list[float]]]:
    return [[[_round(random.gauss(0, 1)) for _ in range(length)] for _ in range(2)] for _ in range(examples)]


def _wide(random: Random, relu: bool, examples: int, depth: int = 3) -> Inputs:
    """A network, signals, and a unit that reads something and has a slope at each of them."""
    while True:
        given: Inputs = [_net(random, relu, depth), _signals(random, examples, 11), random.randint(3, 7)]
        if slopes(*given).abs().sum() > 0 and is_smooth(*given):
            return given


def _small_maps(relu: bool) -> Iterator[Inputs]:
    for weights in ([1.0, 2.0, 1.0], [1.0, -2.0, 0.5]):
        conv = {"kind": "conv", "kernel_size": 3, "padding": 1, "weights": [[weights]]}
        layers = [conv, {"kind": "relu"}, conv] if relu else [conv]
        yield [layers, [[[0.5, -1.0, 2.0, 0.3, 1.0]], [[1.0, 1.0, -0.5, 0.4, -2.0]]], 2]
    yield from (_wide(Random(seed), relu, 3, depth=2) for seed in range(6))


def _bell(random: Random, length: int, scale: float = 1.0, noise: float = 0.0) -> list[float]:
    """Weights of about the shape of a bell, off the middle, with a floor of noise."""
    center, width = random.uniform(0.3, 0.7) * length, random.uniform(0.06, 0.15) * length
    bell = [math.exp(-((x - center) ** 2) / (2 * width**2)) + noise * random.random() for x in range(length)]
    return [round(scale * x / sum(bell), 6) for x in bell]


def _even_bell(random: Random) -> Inputs:
    half = [round(random.random(), 3) for _ in range(random.randint(2, 6))]
    return [_normal([*half, 1.0, *half[::-1]])]


def _normal(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def _small_even() -> Iterator[Inputs]:
    yield from ([[0.5, 0.0, 0.5]], [[0.25, 0.5, 0.25]], [_normal([1, 2, 3, 2, 1])], [_normal([1, 0, 2, 0, 1])])


def _small_off() -> Iterator[Inputs]:
    yield from ([[1, 1, 0]], [[0, 3, 1]], [[0, 1, 2, 5]], [[0, 0, 4, 4, 4, 1]])
    yield from ([_bell(Random(seed), 15, 3.0)] for seed in range(4))


def _draw_off(random: Random) -> Inputs:
    return [_bell(random, random.randint(9, 31), random.choice((1.0, 2.5, 40.0)), random.choice((0.0, 0.05)))]


def _valley(random: Random) -> list[float]:
    """Two bells with a valley between them."""
    one, two = _bell(random, 15), _bell(random, 15)
    return [round(x, 6) for x in [*one, 0.0, *two]]


def _off_the_bound(given: Inputs) -> bool:
    """Whether no weight lies so near the bound that rounding decides."""
    weights, share = given
    bound = share * max(weights)
    return all(abs(weight - bound) > 1e-3 * bound for weight in weights)


def _stairs(random: Random) -> Inputs:
    """Whole numbers that rise to 16 and fall again, and a share that some of them reach exactly."""
    share = random.choice((0.125, 0.25, 0.5))
    sides = [sorted([int(16 * share), *random.choices(range(1, 16), k=random.randint(2, 5))]) for _ in range(2)]
    return [[*sides[0], 16, *sides[1][::-1]], share]


def _draw_width(random: Random, valley: bool) -> Inputs:
    if not valley and random.random() < 0.3:
        return _stairs(random)
    while True:
        weights = _valley(random) if valley else _bell(random, random.randint(11, 31), random.choice((1.0, 20.0)))
        given: Inputs = [weights, random.choice((0.0455, 0.1, 0.5))]
        if _off_the_bound(given):
            return given


def _small_width(valley: bool) -> Iterator[Inputs]:
    if not valley:
        yield from (
            [[0, 1, 0], 0.5],
            [[1, 4, 1], 0.5],
            [[1, 4, 1], 0.25],
            [[1, 3, 4, 1, 0], 0.5],
            [[0.01, 0.3, 0.4, 0.25, 0.04], 0.2],
        )
    else:
        yield from ([[0, 4, 1, 4, 0], 0.5], [[2, 0, 0, 5, 1], 0.25])
    yield from (_draw_width(Random(seed), valley) for seed in range(4))


def _small_walks(jumps: bool) -> Iterator[Inputs]:
    yield from ([[layer(3)]], [[layer(2)]], [[layer(3), layer(3)]], [[layer(3), layer(5)]])
    if jumps:
        yield from ([[layer(3, 2), layer(3)]], [[layer(3), layer(3, 1, 0, 2)]], [[layer(2, 2), layer(2, 2), layer(3)]])
        yield [[layer(3, 3, 0, 2), layer(5, 2), layer(3, 1, 0, 3)]]


def _draw_walk(random: Random, jumps: bool) -> Inputs:
    more = {"stride": (1, 2, 3), "dilation": (1, 2, 3)} if jumps else {}
    return [drawn(random, (2, 5), kernel_size=(2, 3, 4, 5), **more)]


def _draw_law(random: Random, noise: float) -> Inputs:
    start, power = random.uniform(0.5, 3), random.choice((0.5, 1.0, 0.25, -0.5))
    depths = sorted(random.sample((2, 4, 8, 16, 24, 32, 48, 64), random.randint(4, 6)))
    return [depths, [round(start * depth**power * math.exp(random.gauss(0, noise)), 6) for depth in depths]]


def _small_law(noise: float) -> Iterator[Inputs]:
    if not noise:
        yield from ([[1, 4, 16], [1.0, 2.0, 4.0]], [[2, 4, 8], [3.0, 6.0, 12.0]], [[1, 10, 100], [5.0, 5.0, 5.0]])
    yield from (_draw_law(Random(seed), noise) for seed in range(4))


def _named_walk(layers: list[Plain]) -> str:
    return named(layers)


def _named_map(layers: list[Plain], signals: Any, unit: int) -> str:
    words = [f"conv {each['kernel_size']}" if each["kind"] == "conv" else each["kind"] for each in layers]
    shape = (len(signals), len(signals[0]), len(signals[0][0]))
    return f"network of {', '.join(words)}, signals of shape {shape}, unit={unit}"


TASKS = (
    Written(
        "07-map",
        "effective_map",
        (
            Property("linear layers", 2, lambda r: _wide(r, False, r.randint(2, 4)), lambda: _small_maps(False)),
            Property("ReLU between them", 2, lambda r: _wide(r, True, r.randint(2, 4)), lambda: _small_maps(True)),
        ),
        prepare="network_and_signals",
        show=_named_map,
        truth=effective_map,
        rules=MAP_RULES,
        within=1e-4,
        floor=0.01,
    ),
    Written(
        "07-sigma",
        "sigma",
        (
            Property("even maps of sum 1", 1, _even_bell, _small_even),
            Property("maps off the middle, of any sum", 1, _draw_off, _small_off),
        ),
        truth=sigma,
        rules=SIGMA_RULES,
        within=1e-3,
    ),
    Written(
        "07-width",
        "height_width",
        (
            Property("one bell", 1, lambda r: _draw_width(r, False), lambda: _small_width(False)),
            Property("valleys", 1, lambda r: _draw_width(r, True), lambda: _small_width(True)),
        ),
        truth=height_width,
        rules=WIDTH_RULES,
    ),
    Written(
        "07-walk",
        "walk_sigma",
        (
            Property("kernels", 1, lambda r: _draw_walk(r, False), lambda: _small_walks(False)),
            Property("strides and dilations", 2, lambda r: _draw_walk(r, True), lambda: _small_walks(True)),
        ),
        show=_named_walk,
        truth=walk_sigma,
        rules=WALK_RULES,
        within=1e-4,
    ),
    Written(
        "07-exponent",
        "exponent",
        (
            Property("a law without noise", 1, lambda r: _draw_law(r, 0), lambda: _small_law(0)),
            Property("measured widths", 1, lambda r: _draw_law(r, 0.1), lambda: _small_law(0.1)),
        ),
        truth=exponent,
        rules=EXPONENT_RULES,
        within=1e-4,
        floor=0.1,
    ),
)
