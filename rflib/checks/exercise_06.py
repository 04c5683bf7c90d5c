"""Exercise 06, growing: designs under budgets, judged by what they reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

from rflib.arithmetic import Layer, jumps
from rflib.checks.designs import (
    as_wanted,
    believing,
    design_of,
    lacks,
    one_for_all,
    requirements,
    shown_wanted,
    wanted_words,
)
from rflib.checks.task import Designed, Inputs, Property, Rule
from rflib.design.designs import Design, padded_layer
from rflib.design.requirements import Requirements
from rflib.design.searching import cheapest
from rflib.errors import NoSingleAnswerError
from rflib.questions.bank import _wrong

FEWEST = 12  # requests for a property: a wrong rule often designs well by luck


def _pools_doubling(design: Design) -> int:
    """A8: every pooling layer doubles the field, and everything else counts with jump 1."""
    size = 1
    for layer, kind in zip(design.layers, design.kinds, strict=True):
        size = size * layer.stride if kind == "pool" else size + layer.extent - 1
    return size


def _jump_too_early(layers: Sequence[Layer]) -> int:
    """M7: the jump behind a layer in the place of the one before it."""
    behind = jumps((*layers, layers[-1]))[1:]
    return 1 + sum((each.extent - 1) * int(jump) for each, jump in zip(layers, behind, strict=True))


def _on_layers(rule: Callable[[Any], int]) -> Callable[[Design], int]:
    return lambda design: rule(design.layers)


def _has_holes(inputs: Inputs, answer: Any) -> bool:
    asked = requirements(inputs[0])
    if not asked.no_holes or "has a hole" not in lacks(inputs, answer):
        return False
    return design_of(answer, asked).field.size == asked.field


KERNELS = "You added the kernel sizes; a layer adds its kernel size less one, times the jump before it."
ADDED = (
    believing("A7", KERNELS, _on_layers(_wrong.kernels_added)),
    believing("A7", KERNELS, _on_layers(lambda layers: 1 + _wrong.kernels_added(layers))),
)
NO_STRIDES = believing(
    "A6", "You left the strides out; behind a stride every layer adds more.", _on_layers(_wrong.without_strides)
)
OWN_STRIDE = believing(
    "M7", "You multiplied a layer by its own stride; the jump before it counts.", _on_layers(_wrong.own_stride)
)
TOO_EARLY = believing(
    "M7", "You multiplied the jump too early; a stride counts for the layers behind it.", _on_layers(_jump_too_early)
)
REVERSED = believing(
    "M6",
    "You multiplied the strides from the wrong end; a stride widens what comes behind it.",
    _on_layers(_wrong.from_the_wrong_end),
)
NO_DILATION = believing(
    "M4",
    "You left the dilation out of the size; a kernel reaches over d (k - 1) + 1.",
    _on_layers(_wrong.without_dilation),
)
DOUBLED = believing(
    "A8", "You let a pool double the field; it adds one jump, and doubles what later layers add.", _pools_doubling
)
HOLES = Rule(
    "M17",
    "The size is right, and positions between the taps are never read: "
    "no dilation may be larger than the span of the layers with smaller ones.",
    _has_holes,
)

DEPTH = Requirements(field=3, exactly=True, largest_stride=1, strides=(1,), most_layers=4, channels=32, input_size=64)
FAR = Requirements(
    field=3, by="multiply_adds", kernels=(3, 5), pools=(2,), most_layers=5, largest_stride=2, channels=16, input_size=96
)
COVERED = Requirements(
    field=3, exactly=True, largest_stride=1, strides=(1,), kernels=(3,), dilations=tuple(range(1, 28)), most_layers=3
)


def _budget(asked: Requirements, slack: float) -> Requirements:
    """The same with a budget that leaves this much over the cheapest design there is."""
    best = getattr(cheapest(asked).best.cost, asked.by)
    if asked.by == "parameters":
        return replace(asked, most_parameters=int(best * slack))
    return replace(asked, most_multiply_adds=int(best * slack))


def _bites(asked: Requirements) -> bool:
    """Whether some stack reaches the field and breaks the budget; where none does, the budget asks for nothing."""
    dearest_first = [("conv", k, s) for s in asked.strides for k in sorted(asked.kernels, reverse=True)]
    choices = [*dearest_first, *(("pool", size, size) for size in asked.pools)]
    for depth in range(asked.most_layers, 0, -1):
        for stack in product(choices, repeat=depth):
            layers = [padded_layer(kernel, stride, 1, kind) for kind, kernel, stride in stack]
            design = asked.design(layers, [kind for kind, _, _ in stack])
            size, most = design.field.size, asked.largest_stride
            reaches = size == asked.field if asked.exactly else size >= asked.field
            if reaches and (most is None or design.field.stride <= most) and _breaks(design, asked):
                return True
    return False


def _breaks(design: Design, asked: Requirements) -> bool:
    limits = (asked.most_parameters, asked.most_multiply_adds)
    costs = (design.cost.parameters, design.cost.multiply_adds)
    return any(most is not None and cost > most for cost, most in zip(costs, limits, strict=True))


def _inputs(asked: Requirements) -> Inputs:
    return [as_wanted(asked)]


def _depth(field: int, layers: int, channels: int = 32) -> Requirements:
    return replace(DEPTH, field=field, most_layers=layers, channels=channels)


def _draw_depth(random: Random) -> Requirements:
    layers = random.randint(2, 4)
    return _depth(2 * random.randint(1, 3 * layers) + 1, layers, random.choice((8, 16, 48, 64)))


def _small_depth() -> Iterator[Requirements]:
    for field in (3, 5, 7, 9, 13, 15, 19, 25):
        yield from (_depth(field, layers) for layers in (2, 4) if field <= 6 * layers + 1)


CLOSE = ((7, 4, 3), (15, 2, 3), (15, 2, 4), (19, 2, 4), (22, 4, 4), (23, 2, 5))  # field, stride, layers


def _far(field: int, stride: int, layers: int = 4, length: int = 96, pools: Sequence[int] = (2,)) -> Requirements:
    return replace(FAR, field=field, largest_stride=stride, most_layers=layers, input_size=length, pools=pools)


def _draw_far(random: Random) -> Requirements:
    stride, layers = random.choice((1, 2, 4)), random.randint(3, 5)
    widest = {1: 4 * layers, 2: 5 * layers, 4: 7 * layers}[stride]
    return _far(random.randint(6, widest), stride, layers, 16 * random.randint(4, 8), random.choice(((), (2,))))


def _draw_close(random: Random) -> Requirements:
    """Every third time a request where it matters at which length a layer with a stride is paid for."""
    if random.randrange(3):
        return _draw_far(random)
    return _far(*random.choice(CLOSE), 16 * random.randint(4, 8), random.choice(((), (2,))))


def _small_far() -> Iterator[Requirements]:
    for field, stride in ((3, 1), (4, 2), (6, 2), (9, 1), (10, 4), (13, 2), (17, 4), (24, 4)):
        yield _far(field, stride)
        yield _far(field, stride, pools=())
    yield from (_far(7, 4, 3, pools=()), _far(19, 2, 4))


def _covered(field: int, layers: int, no_holes: bool) -> Requirements:
    return replace(COVERED, field=field, most_layers=layers, no_holes=no_holes, dilations=tuple(range(1, 28)))


def _fewest(field: int) -> int:
    """The fewest layers of kernel size 3 that reach a field without a hole: each can at most triple the span."""
    layers = 1
    while 3**layers < field:
        layers += 1
    return layers


def _draw_covered(random: Random, no_holes: bool, spare: int) -> Requirements:
    field = 2 * random.randint(1, 40) + 1
    return _covered(field, _fewest(field) + spare, no_holes)


def _small_covered(no_holes: bool, spare: int) -> Iterator[Requirements]:
    for field in (3, 5, 7, 9, 11, 13, 15, 17, 21, 27, 29, 53, 81):
        yield _covered(field, _fewest(field) + spare, no_holes)


def _drawing(draw: Callable[[Random], Requirements], slack: float = 0) -> Callable[[Random], Inputs]:
    """Draws until some design of the allowed layers meets the requirements, and some other one breaks the budget."""

    def drawn(random: Random) -> Inputs:
        while True:
            asked = draw(random)
            try:
                cheapest(asked)
            except NoSingleAnswerError:
                continue
            if not slack:
                return _inputs(asked)
            if _bites(limited := _budget(asked, slack)):
                return _inputs(limited)

    return drawn


def _smalls(small: Callable[[], Iterator[Requirements]], slack: float = 0) -> Callable[[], Iterator[Inputs]]:
    return lambda: (_inputs(_budget(asked, slack) if slack else asked) for asked in small())


TASKS = (
    Designed(
        "06-depth",
        "deepen",
        (
            Property(
                "the field, exactly, with no more layers than allowed", 2, _drawing(_draw_depth), _smalls(_small_depth)
            ),
            Property(
                "within one tenth of the fewest parameters", 2, _drawing(_draw_depth, 1.1), _smalls(_small_depth, 1.1)
            ),
        ),
        fewest=FEWEST,
        lacks=lacks,
        one_for_all=one_for_all,
        wanted=wanted_words,
        show=shown_wanted,
        rules=ADDED,
    ),
    Designed(
        "06-far",
        "see_far",
        (
            Property("the field at the resolution that is wanted", 2, _drawing(_draw_far), _smalls(_small_far)),
            Property(
                "within a quarter of the fewest multiply-adds", 2, _drawing(_draw_far, 1.25), _smalls(_small_far, 1.25)
            ),
            Property("no multiply-add more than needed", 1, _drawing(_draw_close, 1.0), _smalls(_small_far, 1.0)),
        ),
        fewest=FEWEST,
        lacks=lacks,
        one_for_all=one_for_all,
        wanted=wanted_words,
        show=shown_wanted,
        rules=(DOUBLED, *ADDED, OWN_STRIDE, TOO_EARLY, REVERSED, NO_STRIDES),
    ),
    Designed(
        "06-covered",
        "schedule",
        (
            Property(
                "the field, exactly",
                1,
                lambda r: _inputs(_draw_covered(r, False, 1)),
                _smalls(lambda: _small_covered(False, 1)),
            ),
            Property(
                "no holes, with one layer to spare",
                2,
                lambda r: _inputs(_draw_covered(r, True, 1)),
                _smalls(lambda: _small_covered(True, 1)),
            ),
            Property(
                "no holes, with as few layers as there can be",
                1,
                lambda r: _inputs(_draw_covered(r, True, 0)),
                _smalls(lambda: _small_covered(True, 0)),
            ),
        ),
        fewest=FEWEST,
        lacks=lacks,
        one_for_all=one_for_all,
        wanted=wanted_words,
        show=shown_wanted,
        rules=(HOLES, NO_DILATION, *ADDED),
    ),
)
