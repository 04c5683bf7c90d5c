"""Submissions for 06-covered: exactly a field by dilations, without holes."""

from itertools import combinations_with_replacement

import numpy as np
import torch


def layers_of(dilations):
    return [{"kernel_size": 3, "dilation": d} for d in dilations]


def greedy(wanted):
    left, span, dilations = (wanted["field"] - 1) // 2, 1, []
    while left:
        dilations.append(min(span, left))
        left -= dilations[-1]
        span += 2 * dilations[-1]
    return dilations


def right_greedy(wanted):
    return layers_of(greedy(wanted))


def right_backwards(wanted):
    """The largest first; the order plays no part."""
    return [{"kernel_size": 3, "stride": 1, "dilation": d, "kind": "conv"} for d in reversed(greedy(wanted))]


def read(dilations):
    found = {0}
    for d in dilations:
        found = {x + step for x in found for step in (-d, 0, d)}
    return found


def right_search(wanted):
    """All dilations that add up, the fewest layers first, until every position is read."""
    half = (wanted["field"] - 1) // 2
    for depth in range(1, wanted["most_layers"] + 1):
        for dilations in combinations_with_replacement(range(1, min(half, 27) + 1), depth):
            if sum(dilations) == half and len(read(dilations)) == wanted["field"]:
                return layers_of(dilations)
    return None


def right_powers_of_three(wanted):
    """1, 3, 9, ... as long as they fit, then what is left; it fits in somewhere."""
    left, dilations = (wanted["field"] - 1) // 2, []
    while left >= 3 ** len(dilations):
        dilations.append(3 ** len(dilations))
        left -= dilations[-1]
    return tuple(layers_of(sorted([*dilations, left] if left else dilations)))


def right_numpy(wanted):
    return [{"kernel_size": np.int64(3), "dilation": d} for d in np.array(greedy(wanted))]


def right_tensors(wanted):
    return [{"kernel_size": 3.0, "dilation": d} for d in torch.tensor(greedy(wanted)).unbind()]


def wrong_one_layer(wanted):
    """M17"""
    return layers_of([(wanted["field"] - 1) // 2])


def wrong_ones(wanted):
    """The depth is"""
    return layers_of([1] * ((wanted["field"] - 1) // 2))


def wrong_doubling(wanted):
    """The field is"""
    dilations = [1]
    while 1 + 2 * sum(dilations) < wanted["field"]:
        dilations.append(2 * dilations[-1])
    return layers_of(dilations)


def wrong_doubling_then_the_rest(wanted):
    """The depth is"""
    left, dilations, step = (wanted["field"] - 1) // 2, [], 1
    while left:
        dilations.append(min(step, left))
        left, step = left - dilations[-1], 2 * step
    return layers_of(dilations)


def wrong_equal_shares(wanted):
    """M17"""
    half, depth = (wanted["field"] - 1) // 2, min(wanted["most_layers"], (wanted["field"] - 1) // 2)
    return layers_of(half // depth + (place < half % depth) for place in range(depth))


def wrong_twice_the_span(wanted):
    """has a hole"""
    left, span, dilations = (wanted["field"] - 1) // 2, 1, []
    while left:
        dilations.append(min(span + 1, left) if dilations else 1)
        left -= dilations[-1]
        span += 2 * dilations[-1]
    return layers_of(dilations)


def wrong_dilation_left_out(wanted):
    """M4"""
    return layers_of([2] * ((wanted["field"] - 1) // 2))


def wrong_kernels_added(wanted):
    """The field is"""
    return layers_of([max(1, wanted["field"] // 3)])


def wrong_holes_counted(wanted):
    """The field is"""
    return layers_of([max(1, d - 1) for d in greedy(wanted)])


def wrong_one_too_few(wanted):
    """The field is"""
    return layers_of(greedy(wanted)[:-1] or [2])


def wrong_a_wide_kernel(wanted):
    """has kernel_size"""
    return [{"kernel_size": wanted["field"]}]


def wrong_strides(wanted):
    """product of all strides"""
    return [{"kernel_size": 3, "stride": 2} for _ in greedy(wanted)]


def wrong_dilations_alone(wanted):
    """layer 1 is no dictionary"""
    return greedy(wanted)


def wrong_powers_of_two_plus_one(wanted):
    """The field is"""
    return layers_of([1] + [2**place for place in range(wanted["most_layers"] - 1)])


def wrong_at_least(wanted):
    """The field is"""
    return layers_of(3**place for place in range(wanted["most_layers"] - 1)) + layers_of([1])
