"""The cases on which the JavaScript of the growth explorer and of the design game must say what Python says.

Run as `python -m tests.test_widgets.cases_growth FILE`; the node tests find the file by RFLIB_DESIGN_CASES.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import rflib as rf
from rflib.design import WAYS, Design, growth
from rflib.design.designs import padded_layer
from rflib.widgets.growth import KERNELS, GrowthExplorer, way_rows

Case = dict[str, Any]


def numbers(design: Design) -> list[int]:
    cost = design.cost
    return [design.field.size, design.field.stride, design.output_size, cost.parameters, cost.multiply_adds]


def stack_cases(random: Random) -> Iterator[Case]:
    """Stacks of every kind of layer, some of them too deep for their input."""
    for _ in range(200):
        rows = []
        for _ in range(random.randint(1, 6)):
            kind = random.choice(("conv", "separable", "pool"))
            kernel = random.randint(2, 4) if kind == "pool" else random.randint(1, 9)
            rows.append(
                (kernel, kernel, 1, kind)
                if kind == "pool"
                else (kernel, random.choice((1, 1, 2, 3)), random.choice((1, 2, 3, 8)), kind)
            )
        channels, size, axes = random.randint(1, 64), random.randint(1, 64), random.randint(1, 3)
        design = Design([padded_layer(*row) for row in rows], [row[3] for row in rows], channels, size, axes)
        case: Case = {"kind": "stack", "rows": rows, "where": {"channels": channels, "inputSize": size, "axes": axes}}
        case["words"] = str(design)
        try:
            case |= {"numbers": numbers(design), "density": design.density}
            # the same from the functions that a lesson uses, where they can say it
            if all(kind != "separable" for *_, kind in rows):
                pooling = [f"{n}" for n, row in enumerate(rows) if row[3] == "pool"]
                layers = [replace(padded_layer(*row), name=f"{n}") for n, row in enumerate(rows)]
                cost = rf.stack_cost(layers, channels, size, axes=axes, pooling=pooling)
                assert [cost.parameters, cost.multiply_adds] == case["numbers"][3:]
        except rf.LayerError as error:
            case["problem"] = str(error)
        yield case


def curve_cases(random: Random) -> Iterator[Case]:
    """A way's steps, from the designs of rflib.design where the kernel is 3."""
    for way in WAYS:
        for kernel in KERNELS:
            channels, size = random.randint(1, 512), random.randint(8, 300)
            designs = []
            for step in range(1, 41):
                rows = way_rows(way, step, kernel)
                try:
                    design = Design([padded_layer(*row) for row in rows], [row[3] for row in rows], channels, size)
                    designs.append([step, *numbers(design)])
                except rf.LayerError:
                    break
                if design.field.size >= 2 * size - 1:
                    break
            if kernel == 3:
                grown = growth(way, len(designs), channels, size)
                assert [list(row) for row in zip(grown.sizes, grown.parameters, strict=True)] == [
                    [row[1], row[4]] for row in designs
                ]
            yield {"kind": "curve", "way": way, "kernel": kernel, "where": {"channels": channels, "inputSize": size},
                   "points": designs}  # fmt: skip


def cursor_cases(random: Random) -> Iterator[Case]:
    """What the explorer compares, for any setting of its controls."""
    for _ in range(120):
        explorer = GrowthExplorer(
            depth=random.randint(1, 16), channels=random.randint(1, 512), input_size=random.randint(8, 300),
            kernels={way: random.choice(KERNELS) for way in WAYS}, axis=random.choice(("steps", "parameters",
            "multiply_adds")), way=random.choice(tuple(WAYS)), step=random.randint(1, 30),
        )  # fmt: skip
        traits = {name: getattr(explorer, name) for name in explorer.trait_names(sync=True) if name[0] != "_"}
        traits = {name: value for name, value in traits.items() if isinstance(value, int | str | tuple)}
        compared = {way: found and numbers(found) for way, found in explorer.compared.items()}
        design = explorer.design
        yield {"kind": "cursor", "traits": traits, "compared": compared, "design": design and numbers(design),
               "sentence": explorer.sentence}  # fmt: skip


def all_cases(seed: int = 0) -> list[Case]:
    random = Random(seed)
    from . import cases_game

    makers = (stack_cases(random), curve_cases(random), cursor_cases(random), cases_game.game_cases(random))
    return [case for made in makers for case in made]


def write(path: Path) -> None:
    path.write_text(json.dumps(all_cases(), allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to write the cases: python -m tests.test_widgets.cases_growth FILE")
    write(Path(sys.argv[1]))
