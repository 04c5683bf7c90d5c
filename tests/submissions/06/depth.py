"""Submissions for 06-depth: exactly a field, from few parameters, by depth and kernel size."""

from functools import lru_cache
from itertools import combinations_with_replacement, product

import numpy as np
import torch


def layers_of(kernels):
    return [{"kernel_size": k} for k in kernels]


def right_search(wanted):
    best, lowest = None, float("inf")
    for depth in range(1, wanted["most_layers"] + 1):
        for kernels in product(wanted["kernels"], repeat=depth):
            price = sum(k * k for k in kernels)
            if 1 + sum(k - 1 for k in kernels) == wanted["field"] and price < lowest:
                best, lowest = kernels, price
    return [{"kernel_size": k, "stride": 1, "dilation": 1, "kind": "conv"} for k in best]


def right_parameters(wanted):
    channels = wanted["channels"]
    found = [
        kernels
        for depth in range(1, wanted["most_layers"] + 1)
        for kernels in combinations_with_replacement(wanted["kernels"], depth)
        if sum(kernels) - depth + 1 == wanted["field"]
    ]
    return layers_of(min(found, key=lambda kernels: sum(k**2 * channels**2 + channels for k in kernels)))


def right_recursion(wanted):
    @lru_cache
    def best(steps, depth):
        if steps == 0:
            return 0, ()
        if steps < 0 or depth == 0:
            return float("inf"), ()
        parts = [(k, best(steps - k + 1, depth - 1)) for k in wanted["kernels"]]
        return min((price + k * k, (k, *rest)) for k, (price, rest) in parts)

    return tuple(layers_of(best(wanted["field"] - 1, wanted["most_layers"])[1]))


def right_even_shares(wanted):
    """As deep as can be, the steps shared out evenly, in whole pairs."""
    pairs = (wanted["field"] - 1) // 2
    depth = min(wanted["most_layers"], pairs)
    return layers_of(1 + 2 * (pairs // depth + (place < pairs % depth)) for place in range(depth))


def right_numpy(wanted):
    kernels = np.sort([one["kernel_size"] for one in right_search(wanted)])[::-1]
    return [{"kernel_size": k, "stride": np.int64(1)} for k in kernels]


def right_whole_floats_and_tensors(wanted):
    kernels = [one["kernel_size"] for one in right_even_shares(wanted)]
    return [{"kernel_size": torch.tensor(float(k)), "dilation": 1.0} for k in kernels]


def wrong_kernels_added(wanted):
    """A7"""
    for depth in range(wanted["most_layers"], 0, -1):
        for kernels in product(wanted["kernels"], repeat=depth):
            if sum(kernels) == wanted["field"] or 1 + sum(kernels) == wanted["field"]:
                return layers_of(kernels)
    return layers_of([3])


def wrong_threes_alone(wanted):
    """at most"""
    return layers_of([3] * ((wanted["field"] - 1) // 2))


def wrong_one_layer(wanted):
    """Layer 1 has kernel_size"""
    return layers_of([wanted["field"]])


def wrong_largest_first(wanted):
    """too many"""
    left, kernels = wanted["field"] - 1, []
    while left:
        kernel = max(k for k in wanted["kernels"] if k - 1 <= left)
        kernels.append(kernel)
        left -= kernel - 1
    return layers_of(kernels)


def wrong_at_least(wanted):
    """exactly"""
    return layers_of([7] * wanted["most_layers"])


def wrong_strides(wanted):
    """product of all strides"""
    return [{"kernel_size": 3, "stride": 2}] * wanted["most_layers"]


def wrong_dilations(wanted):
    """has dilation"""
    return [{"kernel_size": 3, "dilation": (wanted["field"] - 1) // 2}]


def wrong_numbers_alone(wanted):
    """layer 1 is no dictionary"""
    return [one["kernel_size"] for one in right_search(wanted)]


def wrong_other_name(wanted):
    """a layer has kernel_size"""
    return [{"kernel": one["kernel_size"]} for one in right_search(wanted)]


def wrong_pools(wanted):
    """allowed pools"""
    return [{"kernel_size": 2, "stride": 2, "kind": "pool"}, *right_search(wanted)]


def wrong_even_kernels(wanted):
    """has kernel_size 2"""
    return layers_of([2] * wanted["most_layers"])


def wrong_one_layer_short(wanted):
    """exactly"""
    return right_search(wanted)[1:] or layers_of([5])


def wrong_most_parameters(wanted):
    """too many"""
    found = [
        kernels
        for depth in range(1, wanted["most_layers"] + 1)
        for kernels in combinations_with_replacement(wanted["kernels"], depth)
        if sum(kernels) - depth + 1 == wanted["field"]
    ]
    return layers_of(max(found, key=lambda kernels: sum(k**2 for k in kernels)))


def wrong_nothing(wanted):
    """it is no list of 1 to"""
