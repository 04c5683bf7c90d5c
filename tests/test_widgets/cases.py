"""The cases on which the explorers' JavaScript must say what Python says.

Run as `python -m tests.test_widgets.cases FILE`. The expected values come from rflib's functions; cones and feeds come
from sets of positions, grown by `Layer.reads` alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import rflib as rf
from rflib.arithmetic import jumps

Case = dict[str, Any]
Stack = tuple[rf.Layer, ...]

STACKS, TOO_SHORT, COSTS, BAD_COSTS = 640, 120, 160, 60
NAMES = (None, "conv1", "it's", 'say "hi"', 'it\'s "both"', "back\\slash", "tab\there", "größer", "")


def as_data(layer: rf.Layer) -> Case:
    """A layer as the explorers hold it."""
    padding = [layer.left, layer.right]
    return {
        "kernel_size": layer.kernel_size,
        "stride": layer.stride,
        "padding": padding,
        "dilation": layer.dilation,
        "name": layer.name,
    }


def a_layer(random: Random, strides: Sequence[int] = (1, 1, 2, 3, 4), named: bool = False) -> rf.Layer:
    """Kernels 1 to 7, dilations 1 to 5, padding of every kind: none, the usual one, uneven, negative, far too much."""
    kernel, dilation = random.randint(1, 7), random.choice((1, 1, 1, 2, 3, 4, 5))
    same = dilation * (kernel - 1) // 2
    kinds = ((0, 0), (same, same), (same, same), (2 * same, 0), (random.randint(-2, 9), random.randint(-2, 9)))
    return rf.Layer(
        kernel, random.choice(strides), random.choice(kinds), dilation, random.choice(NAMES) if named else None
    )


def sizes_and_problem(layers: Stack, input_size: int) -> tuple[list[int], Case | None]:
    """The lengths up to the first layer that does not fit, and what Python says about that one."""
    for number in range(1, len(layers) + 1):
        try:
            sizes = rf.output_sizes(layers[:number], input_size)
        except rf.LayerError as error:
            before = rf.output_sizes(layers[: number - 1], input_size) if number > 1 else ()
            return list(before), {"layer": number, "message": str(error)}
    return list(sizes), None


def cone(layers: Stack, lengths: Sequence[int], level: int, unit: int) -> list[list[int]]:
    """For each level down to the input the positions that a unit reads, by brute force."""
    reached = [{unit}]
    for layer, length in reversed(list(zip(layers[:level], lengths[:level], strict=True))):
        reached.append({p for u in reached[-1] for p in layer.reads(u) if 0 <= p < length})
    return [sorted(positions) for positions in reversed(reached)]


def feeds(layers: Stack, lengths: Sequence[int], level: int, unit: int) -> list[list[int]]:
    """For each level from the unit's own on the units that read it, by asking every unit what it reads."""
    fed = [{unit}]
    for layer, length in zip(layers[level:], lengths[level + 1 :], strict=False):
        fed.append({u for u in range(length) if not fed[-1].isdisjoint(layer.reads(u))})
    return [sorted(units) for units in fed]


def path_counts(layers: Stack, lengths: Sequence[int], level: int, unit: int, at: int) -> list[int]:
    """The number of paths from each position of level `at`."""
    whole = [0] * lengths[at]
    if at == level:
        whole[unit] = 1
        return whole
    paths = rf.path_counts(layers[at:level], unit, lengths[at])
    whole[paths.first[0] : paths.first[0] + len(paths.counts)] = [int(count) for count in paths.counts]
    return whole


def field_of(layers: Stack) -> Case:
    """Everything that does not depend on the input's length."""
    parts = [rf.receptive_field(layers[: n + 1]) for n in range(len(layers))]
    above = [1, *(rf.receptive_field(layers[n:]).size for n in reversed(range(len(layers))))]
    field = parts[-1]
    return {
        "extents": [layer.extent for layer in layers],
        "reads": [[unit, list(layer.reads(unit))] for unit in (-1, 0, 3) for layer in layers[:1]],
        "jumps": jumps(layers),
        "field": {"size": field.size, "stride": field.stride, "padding": field.padding},
        "after": [[part.size, part.stride, part.padding] for part in parts],
        "below": above[1:],  # the last layer first
        "intervals": [[unit, *field.interval(unit), field.center(unit)] for unit in (-2, 0, 5)],
        "sigma": rf.effective_sigma(layers),
        "density": field.density,
        "ideal": list(field.positions(2)) if field.size <= 20_000 else None,
    }


def unit_of(layers: Stack, input_size: int, level: int, unit: int, every_level: bool) -> Case:
    """What one unit reads and feeds."""
    lengths = [input_size, *sizes_and_problem(layers, input_size)[0]]
    read = range(level + 1) if every_level else (0, level)
    result: Case = {
        "level": level,
        "unit": unit,
        "cone": cone(layers, lengths, level, unit),
        "intervals": [
            *(list(rf.receptive_field(layers[at:level]).interval(unit)) for at in range(level)),
            [unit, unit],
        ],
        "feeds": feeds(layers, lengths, level, unit),
        "counts": [[at, path_counts(layers, lengths, level, unit, at)] for at in read],
        "shares": None,
    }
    if level and any(result["counts"][0][1]):
        paths = rf.path_counts(layers[:level], unit, input_size)
        shares = [0.0] * paths.first[0] + paths.shares.tolist()
        result["shares"] = {
            "values": shares + [0.0] * (input_size - len(shares)),
            "mean": paths.center[0],
            "spread": paths.sigma[0],
        }
    return result


def a_stack_case(random: Random, layers: Stack, input_size: int, every_level: bool = True) -> Case:
    sizes, problem = sizes_and_problem(layers, input_size)
    lengths = [input_size, *sizes]
    units = []
    for level in {len(sizes), random.randint(0, len(sizes))}:
        inner = random.randrange(lengths[level])
        units += [
            unit_of(layers, input_size, level, unit, every_level) for unit in {0, inner, lengths[level] - 1}
        ]  # both borders too
    return {
        "kind": "stack",
        "layers": [as_data(layer) for layer in layers],
        "input_size": input_size,
        **field_of(layers),
        "sizes": sizes,
        "problem": problem,
        "units": units,
    }


def stack_cases(random: Random) -> Iterator[Case]:
    for _ in range(STACKS):
        layers = tuple(a_layer(random) for _ in range(random.randint(1, 5)))
        yield a_stack_case(random, layers, random.randint(1, 90))
    for layer in (rf.Layer(3, padding=1), rf.Layer(2), rf.Layer(2, padding=(1, 0)), rf.Layer(5, padding=(4, 0))):
        yield a_stack_case(random, (layer,) * 30, 300, every_level=False)  # as deep as the explorers promise
    for _ in range(16):
        deep = tuple(a_layer(random, strides=(1,) * 15 + (2,)) for _ in range(30))
        yield a_stack_case(random, deep, 300, every_level=False)
    yield a_stack_case(random, (rf.Layer(7, padding=3),) * 400, 40, every_level=False)  # counts beyond 1.8e308
    for rates in ((1, 2, 4), (2, 2, 2), (1, 2, 5), (1, 2, 9), (5, 3, 5), (6, 10, 15), (4, 6)):
        yield a_stack_case(random, tuple(rf.Layer(3, dilation=rate, padding=rate) for rate in rates), 64)


def too_short_cases(random: Random) -> Iterator[Case]:
    """Inputs that end inside the stack, at a layer with or without a name, by its extent or by what it cuts off."""
    made = 0
    while made < TOO_SHORT:
        layers = [a_layer(random, named=True) for _ in range(random.randint(1, 5))]
        if random.random() < 0.3:
            cut = (random.randint(-9, 2), random.randint(-9, 12))
            layers.insert(random.randint(0, len(layers)), rf.Layer(1, padding=cut, name=random.choice(NAMES)))
        size = random.randint(1, 30)
        sizes, problem = sizes_and_problem(tuple(layers), size)
        if problem is not None:
            made += 1
            data = [as_data(layer) for layer in layers]
            yield {"kind": "problem", "layers": data, "input_size": size, "sizes": sizes, "problem": problem}


def bad_number_cases() -> Iterator[Case]:
    """Numbers that no layer and no input can have, as an emptied or half-typed field gives them."""
    wrong = {"kernel_size": (0, -3, 1.5, None, "3", True), "stride": (0, 0.25, None), "dilation": (0, -1, "")}
    padding = ([0.5, 1], [1, None], [1], [1, 2, 3], None, 1.5, "same")
    for name in NAMES[:3]:
        for argument, value in [(a, v) for a, values in wrong.items() for v in values] + [
            ("padding", value) for value in padding
        ]:
            good = {"kernel_size": 3, "stride": 1, "padding": [1, 1], "dilation": 1, "name": name}
            layer = {**good, argument: value}
            try:
                rf.Layer(**layer)
            except rf.LayerError as error:
                problem = {"layer": 2, "message": str(error)}
                yield {"kind": "problem", "layers": [good, layer], "input_size": 9, "sizes": [9], "problem": problem}
            else:
                raise AssertionError(f"Layer(**{layer}) was accepted.")
    for size in (0, -4, 2.5, None):
        try:
            rf.output_sizes([rf.Layer(3)], size)
        except rf.ModelError as error:
            problem = {"layer": 0, "message": str(error)}
            layers = [as_data(rf.Layer(3))]
            yield {"kind": "problem", "layers": layers, "input_size": size, "sizes": [], "problem": problem}


def cost_of(arguments: Case) -> Case:
    """The cost, or Python's sentence."""
    layers = [rf.Layer(**layer) for layer in arguments["layers"]]
    options = arguments["options"]
    try:
        costs = rf.layer_costs(layers, arguments["channels"], arguments["input_size"], **options)
    except rf.LayerError as error:
        return {"kind": "cost", **arguments, "message": str(error)}
    listed = [[cost.parameters, cost.multiply_adds] for cost in costs]
    total = rf.stack_cost(layers, arguments["channels"], arguments["input_size"], **options)
    return {"kind": "cost", **arguments, "costs": listed, "total": [total.parameters, total.multiply_adds]}


def cost_arguments(random: Random) -> Case:
    count = random.randint(1, 4)
    layers = []
    for number in range(count):
        kernel = random.randint(1, 7)
        layers.append(as_data(rf.Layer(kernel, random.choice((1, 1, 2)), kernel // 2, name=f"layer{number}")))
    parts = random.choice((1, 1, 2, 4))
    channels = [parts * random.randint(1, 24) for _ in range(count + 1)]
    options: Case = {"bias": random.random() < 0.5}
    pools = random.randrange(count) if random.random() < 0.4 else None
    if pools is not None:
        channels[pools + 1] = channels[pools]
        options["pooling"] = [f"layer{pools}"]
    if random.random() < 0.3:
        options["separable"] = True
    elif parts > 1:
        options["groups"] = random.choice((parts, [parts if random.random() < 0.5 else 1 for _ in range(count)]))
    axes = random.randint(1, 3)
    sizes: int | list[int] = random.randint(8, 64) if random.random() < 0.5 else [random.randint(8, 64)] * axes
    if isinstance(sizes, int):
        options["axes"] = axes
    else:
        sizes[-1] = random.randint(8, 64)
    widths: int | list[int] = channels if random.random() < 0.7 or pools is not None else channels[0]
    return {"layers": layers, "channels": widths, "input_size": sizes, "options": options}


def cost_cases(random: Random) -> Iterator[Case]:
    for _ in range(COSTS):
        yield cost_of(cost_arguments(random))
    made = 0
    while made < BAD_COSTS:  # one thing wrong in each
        arguments = cost_arguments(random)
        count, options = len(arguments["layers"]), arguments["options"]
        match random.randrange(6):
            case 0:
                arguments["channels"] = [8] * (count + 2)
            case 1:
                options["groups"], options["separable"] = 2, True
            case 2:
                arguments["channels"], options["groups"], options["separable"] = [6, *[9] * count], 2, False
            case 3:
                arguments["channels"], options["pooling"] = [*[4] * count, 5], [f"layer{count - 1}"]
            case 4:
                arguments["layers"][-1]["padding"] = [-40, -30]
            case 5:
                arguments["channels"] = 0
        case = cost_of(arguments)
        if "message" in case:
            made += 1
            yield case


def conv_cases(random: Random) -> Iterator[Case]:
    for _ in range(60):
        shape = [random.randint(0, 40) for _ in range(random.randint(1, 3))]
        kernel: int | list[int] = random.randint(1, 9)
        if random.random() < 0.5:
            kernel = [random.randint(1, 9) for _ in range(len(shape) + (random.random() < 0.1))]
        into, out, groups = random.randint(1, 12), random.randint(1, 12), random.randint(1, 3)
        case: Case = {"kind": "conv", "arguments": [kernel, into, out, shape, groups, random.random() < 0.5]}
        try:
            cost = rf.conv_cost(*case["arguments"])
        except rf.LayerError as error:
            yield {**case, "message": str(error)}
        else:
            yield {**case, "cost": [cost.parameters, cost.multiply_adds]}


def all_cases(seed: int = 0) -> list[Case]:
    """The same cases every time."""
    random = Random(seed)
    makers = (stack_cases(random), too_short_cases(random), bad_number_cases(), cost_cases(random), conv_cases(random))
    return [case for made in makers for case in made]


def write(path: Path) -> None:
    path.write_text(json.dumps(all_cases(), allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to write the cases: python -m tests.test_widgets.cases FILE")
    write(Path(sys.argv[1]))
