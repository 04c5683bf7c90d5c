"""The search against all stacks one by one; costs against torch; the judge against rules written a second time."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rflib.arithmetic import Layer
from rflib.cost import Cost
from rflib.design import WAYS, Design, Requirements, assess, cheapest, growth, pareto
from rflib.errors import LayerError, ModelError, NoSingleAnswerError, UnknownNameError

COSTS = ("parameters", "multiply_adds")


# An oracle that shares no code with the search: a layer is (kernel, stride, dilation, kind), a stack a tuple of them.


def allowed_rows(wanted):
    rows = [
        (kernel, stride, dilation, kind)
        for kernel in wanted.kernels
        for stride in wanted.strides
        for dilation in wanted.dilations
        for kind in wanted.convolutions
    ]
    return rows + [(size, size, 1, "pool") for size in wanted.pools]


def numbers(rows, wanted):
    """(offsets read, stride, parameters, multiply-adds) of a stack, layer by layer; None if the input is too short."""
    reads, jump, length, parameters, products = {0}, 1, wanted.input_size, 0, 0
    width, axes = wanted.channels, wanted.axes
    for kernel, stride, dilation, kind in rows:
        reads = {first + jump * dilation * tap for first in reads for tap in range(kernel)}
        jump *= stride
        length = length // stride if kind == "pool" else math.ceil(Fraction(length, stride))
        if length < 1:
            return None
        weights = {"conv": kernel**axes * width**2, "separable": kernel**axes * width + width**2, "pool": 0}[kind]
        parameters += weights + {"conv": width, "separable": 2 * width, "pool": 0}[kind]
        products += weights * length**axes
    return reads, jump, parameters, products


def meets(numbers_of_stack, wanted, field=None):
    reads, jump, parameters, products = numbers_of_stack
    size = max(reads) + 1
    goal = wanted.field if field is None else field
    return (
        (size == wanted.field if wanted.exactly and field is None else size >= goal)
        and not (wanted.exactly and size > wanted.field)
        and (wanted.most_parameters is None or parameters <= wanted.most_parameters)
        and (wanted.most_multiply_adds is None or products <= wanted.most_multiply_adds)
        and (wanted.largest_stride is None or jump <= wanted.largest_stride)
        and (not wanted.no_holes or len(reads) == size)
    )


def every_stack(wanted, deepest=None):
    for depth in range(1, (deepest or wanted.most_layers) + 1):
        for rows in itertools.product(allowed_rows(wanted), repeat=depth):
            found = numbers(rows, wanted)
            if found is not None:
                yield rows, found


def front_of(pairs):
    """Pairs that no other pair equals or beats; both best when small."""
    pairs = set(pairs)
    return sorted(p for p in pairs if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in pairs))


def search_or_none(search, *arguments):
    try:
        return search(*arguments)
    except NoSingleAnswerError:
        return None


def some(values, most, least=1):
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True).map(tuple)


@st.composite
def requirements(draw):
    wanted = Requirements(
        field=draw(st.integers(1, 24)),
        exactly=draw(st.booleans()),
        by=draw(st.sampled_from(COSTS)),
        most_layers=draw(st.integers(1, 3)),
        largest_stride=draw(st.sampled_from([None, 1, 2, 4])),
        no_holes=draw(st.booleans()),
        channels=draw(st.integers(1, 5)),
        input_size=draw(st.integers(3, 30)),
        axes=draw(st.integers(1, 3)),
        kernels=draw(some([1, 2, 3, 4, 5], 2)),
        strides=draw(some([1, 2, 3], 2)),
        dilations=draw(some([1, 2, 3, 5], 2)),
        pools=draw(some([2, 3], 1, 0)),
        convolutions=draw(st.sampled_from([("conv",), ("separable",), ("conv", "separable")])),
    )
    # A budget that binds is one that some stack spends exactly.
    spent = draw(st.sampled_from([found for _, found in every_stack(wanted)] or [(0, 0, 0, 0)]))
    budget = draw(st.sampled_from(["none", "parameters", "multiply_adds", "both"]))
    return replace(
        wanted,
        most_parameters=spent[2] if budget in ("parameters", "both") else None,
        most_multiply_adds=spent[3] if budget in ("multiply_adds", "both") else None,
    )


# Only dilation 4 before dilation 1, read two apart, fits: the hole of a layer is closed by a later one.
HOLES = Requirements(15, True, no_holes=True, kernels=[3], dilations=[1, 4], largest_stride=2, most_layers=3)
# Two convolutions of 3 and one of 5 lead to the same field; the fewer parameters end up over the multiply-adds.
BUDGET = Requirements(
    9, True, largest_stride=2, input_size=64, most_multiply_adds=200 * 10**6, kernels=[3, 5], most_layers=3
)


@settings(max_examples=300, deadline=None)
@given(requirements())
@example(HOLES)
@example(BUDGET)
@example(Requirements(1, kernels=[1, 3], most_layers=2))
@example(Requirements(40, kernels=[3], pools=[2], input_size=7, most_layers=4, channels=1))
def test_the_searches_agree_with_all_stacks_one_by_one(wanted):
    stacks = list(every_stack(wanted))
    costs = {found[2:] for _, found in stacks if meets(found, wanted)}

    found = search_or_none(cheapest, wanted)
    ordered = costs if wanted.by == "parameters" else {cost[::-1] for cost in costs}
    best = min(ordered, default=None)
    assert (found is None) == (best is None)
    if found is None:
        with pytest.raises(NoSingleAnswerError):
            pareto(wanted)
        return
    cost = (found.best.cost.parameters, found.best.cost.multiply_adds)
    assert (cost if wanted.by == "parameters" else cost[::-1]) == best
    assert len(found) == 1
    assert_meets(found.best, wanted)

    front = pareto(wanted)
    assert [(d.cost.parameters, d.cost.multiply_adds) for d in front] == front_of(costs)
    for design in front:
        assert_meets(design, wanted)
    assert [d.cost for d in pareto(wanted, COSTS[::-1])] == [d.cost for d in front][::-1]

    for index, by in enumerate(COSTS, start=2):
        pairs = [
            (-min(max(found[0]) + 1, wanted.field), found[index])
            for _, found in stacks
            if meets(found, wanted, field=1)
        ]
        front = pareto(wanted, ("field", by))
        assert [(-min(d.field.size, wanted.field), getattr(d.cost, by)) for d in front] == front_of(pairs)[::-1]
        assert [str(d) for d in pareto(wanted, (by, "field"))] == [str(d) for d in front]


def assert_meets(design, wanted):
    """The design is what it says, made of what is allowed, and meets the requirements by the oracle's count."""
    rows = [
        (la.kernel_size, la.stride, la.dilation, kind) for la, kind in zip(design.layers, design.kinds, strict=True)
    ]
    assert set(rows) <= set(allowed_rows(wanted))
    assert len(rows) <= wanted.most_layers
    reads, jump, parameters, products = numbers(rows, wanted)
    assert design.field.size == max(reads) + 1
    assert design.field.stride == jump
    assert design.density == len(reads) / design.field.size
    assert design.cost == Cost(parameters, products)
    assert meets((reads, jump, parameters, products), wanted)
    verdict = assess(design, wanted)
    assert verdict.met
    assert 1 <= verdict.score <= 100


@settings(max_examples=100, deadline=None)
@given(requirements())
@example(Requirements(9, kernels=[3], dilations=[1, 2], strides=[1, 2], no_holes=True, most_layers=3))
@example(Requirements(12, kernels=[3, 5], strides=[1], pools=[2], by="multiply_adds", largest_stride=2, most_layers=4))
def test_where_a_search_says_proven_one_more_layer_does_no_better(wanted):
    found = search_or_none(cheapest, wanted)
    if found is None or not found.proven or len(allowed_rows(wanted)) > 6:
        return
    deeper = [
        getattr(Cost(*f[2:]), wanted.by) for _, f in every_stack(wanted, wanted.most_layers + 1) if meets(f, wanted)
    ]
    assert min(deeper) == getattr(found.best.cost, wanted.by)


def test_a_limit_on_depth_that_matters_is_said():
    limited = cheapest(Requirements(field=15, strides=[1], most_layers=4))
    assert not limited.proven
    assert repr(limited).endswith("Of all stacks of at most 4 layers. Deeper ones were not searched and may do better.")
    free = cheapest(Requirements(field=15, strides=[1]))
    assert free.proven
    assert free.best.cost.parameters < limited.best.cost.parameters
    assert len(free.best.layers) == 7


@settings(max_examples=100, deadline=None)
@given(requirements(), st.data())
def test_the_judge_agrees_with_the_rules_written_a_second_time(wanted, data):
    stacks = list(every_stack(wanted))
    good = [stack for stack in stacks if meets(stack[1], wanted)]
    assume(stacks)
    rows, found = data.draw(st.sampled_from(data.draw(st.sampled_from([stacks, good or stacks]))))
    longer = rows + rows[-1:]  # may be too deep
    if data.draw(st.booleans()) and numbers(longer, wanted) is not None:
        rows, found = longer, numbers(longer, wanted)
    verdict = assess(padded(rows, wanted), wanted)
    assert verdict.met == (len(rows) <= wanted.most_layers and meets(found, wanted))
    assert bool(verdict.missed) != verdict.met
    if not verdict.met:
        assert verdict.score == 0
        return
    own = found[2 + COSTS.index(wanted.by)]
    least = min(f[2 + COSTS.index(wanted.by)] for _, f in good)
    assert verdict.score == (100 if own == least else max(1, math.floor(Fraction(100 * least, own))))


def padded(rows, wanted):
    """The rows as a design, all of the padding on the left: the rule says how much, not where."""
    layers = [
        Layer(kernel, stride, (0 if kind == "pool" else dilation * (kernel - 1), 0), dilation)
        for kernel, stride, dilation, kind in rows
    ]
    return wanted.design(layers, [kind for *_, kind in rows])


class Separable(nn.Sequential):
    def __init__(self, channels, *where):
        super().__init__(nn.Conv2d(channels, channels, *where, groups=channels), nn.Conv2d(channels, channels, 1))


def test_a_design_costs_what_torch_counts():
    layers = [Layer(3, 2, 1), Layer(2, 2), Layer(3, 1, 2, 2), Layer(5, 1, 2), Layer(3, 2, 1)]
    design = Design(layers, ["conv", "pool", "separable", "conv", "separable"], channels=6, input_size=37)
    model = nn.Sequential(
        nn.Conv2d(6, 6, 3, 2, 1),
        nn.MaxPool2d(2),
        Separable(6, 3, 1, 2, 2),
        nn.Conv2d(6, 6, 5, 1, 2),
        Separable(6, 3, 2, 1),
    )
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = model(torch.zeros(1, 6, 37, 37))
    assert design.cost == Cost(sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2)
    assert output.shape[2:] == (design.output_size,) * 2


def test_the_judge_says_everything_that_is_wrong_with_numbers():
    wanted = Requirements(
        20,
        True,
        most_parameters=1000,
        most_multiply_adds=10**6,
        most_layers=2,
        largest_stride=2,
        no_holes=True,
        pools=[2],
    )
    stack = wanted.design(
        [Layer(9, 3, 4), Layer(3, 2, 0, 30), Layer(3, 3), Layer(3, padding=1)], ["conv", "conv", "pool", "separable"]
    )
    verdict = assess(stack, wanted)
    assert verdict.missed == (
        "The field is 237 input positions; exactly 20 is wanted.",
        "The window has a hole behind position 57 of 237; holes are not allowed.",
        "The product of all strides is 18; at most 2 are allowed: 16 too many.",
        "The depth is 4 layers; at most 2 are allowed: 2 too many.",
        f"The parameters are {stack.cost.parameters:,}; at most 1,000 are allowed: "
        f"{stack.cost.parameters - 1000:,} too many.",
        f"The multiply-adds are {stack.cost.multiply_adds:,}; at most 1,000,000 are allowed: "
        f"{stack.cost.multiply_adds - 10**6:,} too many.",
        "Layer 1 has kernel_size 9; allowed: 3, 5, 7.",
        "Layer 1 has stride 3; allowed: 1, 2.",
        "Layer 2 has dilation 30; allowed: 1.",
        "Layer 2 has padding 0 and 0; together they must be 60.",
        "Layer 3 is pool 3 stride 3; allowed pools, stride = size: 2.",
        "Layer 4 has kind separable; allowed: conv.",
    )
    assert verdict.fulfilled == ()
    assert verdict.score == 0
    assert str(verdict).splitlines()[-1] == "score   0"


def test_a_hole_that_a_later_layer_closes_is_no_hole():
    wanted = Requirements(9, no_holes=True, dilations=[1, 3])
    coarse_first = [Layer(3, padding=3, dilation=3), Layer(3, padding=1)]
    assert assess(coarse_first, wanted).met
    assert not assess(coarse_first[:1], replace(wanted, field=7)).met


def test_a_stack_far_too_large_is_judged_without_listing_its_positions():
    verdict = assess([Layer(1001, 2, 500 * 10**6, 10**6)] * 40, Requirements(9, no_holes=True, input_size=10**6))
    assert any(said.startswith("The window has a hole behind position 1 of ") for said in verdict.missed)


def test_pooling_alone_is_free_and_scores_full_and_never_divides_by_nothing():
    wanted = Requirements(8, pools=[2])
    assert cheapest(wanted).best.cost == Cost()
    assert assess(wanted.design([Layer(2, 2)] * 3, "pool"), wanted).score == 100
    assert assess([Layer(3, 2, 1)] * 3, wanted).score == 1


# Sizes after n steps. With pooling: a pair of layers doubles the jump and adds 2 + 1 of the jumps before it.
CLOSED_FORMS = {
    "depth": lambda n: 2 * n + 1,
    "large kernels": lambda n: 2 * n + 1,
    "pooling": lambda n: (5 if n % 2 else 3) * 2 ** (n // 2) - 2,
    "dilation": lambda n: 2 ** (n + 1) - 1,
    "depthwise": lambda n: 2 * n + 1,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_ways_grow_as_their_closed_forms(way):
    curve = growth(way, steps=12, channels=4)
    assert curve.steps == tuple(range(1, 13))
    assert curve.sizes == tuple(map(CLOSED_FORMS[way], curve.steps))
    assert curve.strides == tuple(2 ** (n // 2) if way == "pooling" else 1 for n in curve.steps)
    assert curve.depths == tuple(1 if way == "large kernels" else n for n in curve.steps)
    assert curve.densities == (1.0,) * 12
    for step, design in zip(curve.steps, curve, strict=True):
        rows = [(la.kernel_size, la.stride, la.dilation, k) for la, k in zip(design.layers, design.kinds, strict=True)]
        cost = numbers(rows, Requirements(1, channels=4))[2:]
        assert cost == (curve.parameters[step - 1], curve.multiply_adds[step - 1])
    assert len(curve) == 12
    assert repr(curve).splitlines()[-1] == f"{way}: {WAYS[way].says}."


def test_a_table_in_a_notebook_says_what_the_one_in_a_terminal_says():
    found = cheapest(Requirements(field=9))
    for cell in (str(found.best), str(found.best.cost.multiply_adds), "Deeper ones do no better."):
        assert cell in found._repr_html_()
        assert cell in repr(found)


def test_the_same_search_finds_the_same_stack_its_layers_in_rising_dilation():
    wanted = Requirements(63, largest_stride=1, no_holes=True, dilations=[16, 8, 4, 2, 1])
    assert [layer.dilation for layer in cheapest(wanted).best.layers] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (lambda: Requirements(0), ModelError, "`field` must be an integer >= 1; got 0."),
        (lambda: Requirements(9, most_layers=True), ModelError, "`most_layers` must be an integer >= 1; got True."),
        (lambda: Requirements(9, most_parameters=-1), ModelError, "`most_parameters` must be an integer >= 0; got -1."),
        (lambda: Requirements(9, kernels=3), ModelError, "`kernels` must be a list of integers >= 1; got 3."),
        (lambda: Requirements(9, pools=[2, 1]), ModelError, "`pools[1]` must be an integer >= 2; got 1."),
        (
            lambda: Requirements(9, kernels=[]),
            ModelError,
            "`Requirements` allow no layer at all: give `pools`, or `kernels`, `strides`, `dilations` and "
            "`convolutions`, at least one of each.",
        ),
        (
            lambda: Requirements(9, by="flops"),
            UnknownNameError,
            "There is no cost 'flops'. Nearest: 'parameters', 'multiply_adds'.",
        ),
        (
            lambda: Requirements(9, convolutions=["pool"]),
            UnknownNameError,
            "There is no kind of convolution 'pool'. Nearest: 'conv', 'separable'.",
        ),
        (
            lambda: Design([Layer(3)], ["conv", "pool"]),
            LayerError,
            "`kinds` must be one word, or one for each of 1 layers; got 2.",
        ),
        (
            lambda: Design([Layer(3)], "dense"),
            UnknownNameError,
            "There is no kind of layer 'dense'. Nearest: 'conv', 'separable', 'pool'.",
        ),
        (lambda: Design([Layer(3)], axes=0), ModelError, "`axes` must be an integer >= 1; got 0."),
        (
            lambda: assess([], Requirements(9)),
            LayerError,
            "The stack is empty: give at least one Layer, for instance [Layer(3)].",
        ),
        (
            lambda: pareto(Requirements(9), ("field", "field")),
            ModelError,
            "`between` must be two different names of field, parameters, multiply_adds; got ('field', 'field').",
        ),
        (
            lambda: pareto(Requirements(9), ("field", "depth")),
            UnknownNameError,
            "There is no number to compare stacks by 'depth'. Nearest: 'field', 'parameters', 'multiply_adds'.",
        ),
        (
            lambda: growth("pool"),
            UnknownNameError,
            "There is no way to grow 'pool'. Nearest: 'pooling'.",
        ),
        (
            lambda: growth("pooling", steps=9, input_size=8),
            LayerError,
            "Layer 8 needs 2 positions; its input has 1, and 1 with padding. "
            "Use a longer input, a smaller kernel or more padding.",
        ),
    ],
)
def test_errors_say_what_was_got_and_what_to_do(wrong, error, said):
    with pytest.raises(error) as caught:
        wrong()
    assert str(caught.value) == said


def test_a_target_out_of_reach_is_refused_with_the_requirements():
    wanted = Requirements(10, exactly=True, strides=[1], kernels=[3])
    with pytest.raises(NoSingleAnswerError) as caught:
        cheapest(wanted)
    assert str(caught.value) == (
        "No stack of at most 8 of the allowed layers has a field of exactly 10 input positions and meets the rest of "
        f"{wanted!r}. Allow more layers, a larger budget, stride or kernel, or dilation."
    )
