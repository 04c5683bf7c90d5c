"""Stacks of the design game, and what `assess` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from random import Random
from typing import Any

import rflib as rf
from rflib.design import Requirements, assess, cheapest
from rflib.design.designs import padded_layer

Case = dict[str, Any]


def some_requirements(random: Random) -> Requirements:
    return Requirements(
        random.randint(2, 40), exactly=random.random() < 0.3, by=random.choice(("parameters", "multiply_adds")),
        most_parameters=random.choice((None, 40_000)), most_multiply_adds=random.choice((None, 90_000_000)),
        most_layers=random.randint(3, 6), largest_stride=random.choice((None, 1, 2, 4)), no_holes=random.random() < 0.5,
        channels=random.choice((16, 32)), input_size=random.choice((48, 64)), kernels=(2, 3, 5), strides=(1, 2),
        dilations=(1, 2, 4), pools=(2, 3), convolutions=("conv", "separable"),
    )  # fmt: skip


def some_rows(random: Random, wanted: Requirements) -> list[tuple[int, int, int, str]]:
    rows = []
    for _ in range(random.randint(1, wanted.most_layers)):
        kind = random.choice(("conv", "separable", "separable", "pool"))
        if kind == "pool":
            size = random.choice(wanted.pools)
            rows.append((size, size, 1, kind))
        else:
            rows.append((*(random.choice(part) for part in (wanted.kernels, (1, 1, 2), wanted.dilations)), kind))
    return rows


def dearer(rows: list[tuple[int, int, int, str]]) -> Iterator[list[tuple[int, int, int, str]]]:
    """The same with one layer that costs more, or with one layer more."""
    for index, (kernel, stride, dilation, kind) in enumerate(rows):
        if kind != "pool":
            yield [*rows[:index], (5, stride, dilation, kind), *rows[index + 1 :]]
            yield [*rows[:index], (kernel, stride, dilation, "conv"), *rows[index + 1 :]]
    yield [(3, 1, 1, "separable"), *rows]


def game_cases(random: Random) -> Iterator[Case]:
    """At least 60 stacks that meet everything, most of the others missing something."""
    solved = made = 0
    while solved < 60 or made < 240:
        wanted = some_requirements(random)
        try:
            best = cheapest(wanted).best
        except rf.NoSingleAnswerError:
            continue
        least = getattr(best.cost, wanted.by)
        stacks = [some_rows(random, wanted) for _ in range(8)]
        cheap = [(k.kernel_size, k.stride, k.dilation, kind) for k, kind in zip(best.layers, best.kinds, strict=True)]
        stacks += [cheap, *dearer(cheap)]
        for rows in stacks:
            design = wanted.design([padded_layer(*row) for row in rows], [row[3] for row in rows])
            try:
                found = assess(design, wanted)
            except rf.LayerError:
                continue
            made, solved = made + 1, solved + found.met
            yield {"kind": "game", "rows": rows, "wanted": {**asdict(wanted), "least": least}, "met": found.fulfilled,
                   "missed": found.missed, "score": found.score, "size": design.field.size}  # fmt: skip
