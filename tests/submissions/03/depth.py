"""Submissions for 03-depth: the fewest layers that reach a size."""

from math import ceil

import numpy as np
import torch


def right_while(layer, size, growth):
    reached, jump, dilation, count = 1, 1, layer["dilation"], 0
    while reached < size:
        reached += dilation * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
        dilation *= growth
        count += 1
    return count


def right_recursion(layer, size, growth, reached=1, step=None):
    step = layer["dilation"] if step is None else step
    if reached >= size:
        return 0
    reached += step * (layer["kernel_size"] - 1)
    return 1 + right_recursion(layer, size, growth, reached, step * growth * layer["stride"])


def right_closed_form(layer, size, growth):
    first, ratio = layer["dilation"] * (layer["kernel_size"] - 1), layer["stride"] * growth
    if ratio == 1:
        return ceil((size - 1) / first)
    count = 0
    while first * (ratio**count - 1) // (ratio - 1) < size - 1:
        count += 1
    return count


def right_numpy_scalar(layer, size, growth):
    terms = layer["dilation"] * (layer["kernel_size"] - 1) * (growth * layer["stride"]) ** np.arange(60.0)
    if growth * layer["stride"] == 1:
        terms = np.full(size, layer["dilation"] * (layer["kernel_size"] - 1))
    return np.searchsorted(np.cumsum([1, *terms]), size)


def right_tensor(layer, size, growth):
    return torch.tensor(right_while(layer, size, growth))


def right_whole_float(layer, size, growth):
    return float(right_closed_form(layer, size, growth))


def right_by_sets(layer, size, growth):
    dilations = []
    while True:
        read = {0}
        for d in reversed(dilations):
            read = {u * layer["stride"] + t * d for u in read for t in range(layer["kernel_size"])}
        if max(read) - min(read) + 1 >= size:
            return len(dilations)
        dilations.append(layer["dilation"] * growth ** len(dilations))


def wrong_one_more(layer, size, growth):
    """One layer too many"""
    return right_while(layer, size, growth) + 1


def wrong_one_less(layer, size, growth):
    """One layer too few"""
    return right_while(layer, size, growth) - 1


def wrong_same_dilation(layer, size, growth):
    """The dilation stays the same"""
    return right_while(layer, size, 1)


def wrong_no_strides(layer, size, growth):
    """The strides are missing"""
    return right_while({**layer, "stride": 1}, size, growth)


def wrong_no_dilation(layer, size, growth):
    """M4"""
    return right_while({**layer, "dilation": 1}, size, 1)


def wrong_k_steps(layer, size, growth):
    """A7"""
    return right_while({**layer, "kernel_size": layer["kernel_size"] + 1}, size, growth)


def wrong_jump_too_early(layer, size, growth):
    """M7"""
    reached, jump, dilation, count = 1, 1, layer["dilation"], 0
    while reached < size:
        jump *= layer["stride"]
        reached += dilation * (layer["kernel_size"] - 1) * jump
        dilation *= growth
        count += 1
    return count


def wrong_dilation_counts_holes(layer, size, growth):
    """M3"""
    reached, jump, dilation, count = 1, 1, layer["dilation"], 0
    while reached < size:
        reached += (dilation + 1) * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
        dilation *= growth
        count += 1
    return count


def wrong_padding(layer, size, growth):
    """M8"""
    reached, jump, dilation, count = 1, 1, layer["dilation"], 0
    while reached < size:
        reached += (dilation * (layer["kernel_size"] - 1) + 2 * layer["padding"]) * jump
        jump *= layer["stride"]
        dilation *= growth
        count += 1
    return count


def wrong_first_grows_too(layer, size, growth):
    """Your first layer has its dilation multiplied already"""
    return right_while({**layer, "dilation": layer["dilation"] * growth}, size, growth)


def wrong_without_the_one(layer, size, growth):
    """The 1 of the input is missing"""
    return right_while(layer, size + 1, growth)


def wrong_doubling(layer, size, growth):
    """You double the size with every layer"""
    count = 0
    while 2**count < size:
        count += 1
    return count
