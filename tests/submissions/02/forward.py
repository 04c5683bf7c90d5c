"""Submissions for 02-forward: size and jump, from the input on."""

from functools import reduce
from itertools import accumulate
from math import prod

import numpy as np
import torch


def right_loop(layers):
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size, jump


def right_recursion(layers):
    if not layers:
        return [1, 1]
    *before, last = layers
    size, jump = right_recursion(before)
    return [size + (last["kernel_size"] - 1) * last["dilation"] * jump, jump * last["stride"]]


def right_numpy_scalars(layers):
    strides = np.array([layer["stride"] for layer in layers])
    extents = np.array([(layer["kernel_size"] - 1) * layer["dilation"] for layer in layers])
    jumps = np.concatenate([[1], np.cumprod(strides)])
    return 1 + (extents * jumps[:-1]).sum(), jumps[-1]


def right_tensor(layers):
    return torch.tensor(right_loop(layers))


def right_whole_floats(layers):
    jumps = list(accumulate((layer["stride"] / 1 for layer in layers), lambda a, b: a * b, initial=1.0))
    return sum(j * y["dilation"] * (y["kernel_size"] - 1) for j, y in zip(jumps, layers, strict=False)) + 1.0, jumps[-1]


def right_reduce(layers):
    def step(state, layer):
        return state[0] + state[1] * layer["dilation"] * (layer["kernel_size"] - 1), state[1] * layer["stride"]

    return reduce(step, layers, (1, 1))


def right_sets(layers):
    def read(units):
        for y in reversed(layers):
            units = {u * y["stride"] + t * y["dilation"] for u in units for t in range(y["kernel_size"])}
        return units

    first, second = read({0}), read({1})
    return max(first) - min(first) + 1, min(second) - min(first)


def right_that_empties_its_list(layers):
    size, jump = 1, 1
    while layers:
        layer = layers.pop(0)
        size, jump = size + layer["dilation"] * (layer["kernel_size"] - 1) * jump, jump * layer["stride"]
    return np.array([size, jump])


def wrong_no_dilation(layers):
    """M4"""
    return right_loop([{**layer, "dilation": 1} for layer in layers])


def wrong_other_end(layers):
    """M6"""
    return right_loop(layers[::-1])


def wrong_back_rule_walked_on(layers):
    """M6"""
    size = 1
    for layer in layers:
        size = layer["stride"] * (size - 1) + layer["dilation"] * (layer["kernel_size"] - 1) + 1
    return size, prod(layer["stride"] for layer in layers)


def wrong_no_strides(layers):
    """The strides are missing: they set"""
    return 1 + sum(layer["dilation"] * (layer["kernel_size"] - 1) for layer in layers), 1


def wrong_no_strides_in_size(layers):
    """The strides are missing in the size"""
    steps = sum(layer["dilation"] * (layer["kernel_size"] - 1) for layer in layers)
    return 1 + steps, prod(layer["stride"] for layer in layers)


def wrong_jump_too_early(layers):
    """M7: a layer's own stride"""
    size, jump = 1, 1
    for layer in layers:
        jump *= layer["stride"]
        size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
    return size, jump


def wrong_own_stride(layers):
    """You take the layer's own stride"""
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * (layer["kernel_size"] - 1) * layer["stride"]
        jump *= layer["stride"]
    return size, jump


def wrong_kernels_added(layers):
    """You add the kernel sizes"""
    return sum(layer["kernel_size"] for layer in layers), prod(layer["stride"] for layer in layers)


def wrong_k_steps(layers):
    """You let a kernel of k taps make k steps"""
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * layer["kernel_size"] * jump
        jump *= layer["stride"]
    return size, jump


def wrong_padding(layers):
    """M8"""
    size, jump = 1, 1
    for layer in layers:
        size += (layer["dilation"] * (layer["kernel_size"] - 1) + 2 * layer["padding"]) * jump
        jump *= layer["stride"]
    return size, jump


def wrong_dilation_counts_holes(layers):
    """M3"""
    size, jump = 1, 1
    for layer in layers:
        size += (layer["dilation"] + 1) * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size, jump


def wrong_extent(layers):
    """A10"""
    size, jump = 1, 1
    for layer in layers:
        size += (layer["dilation"] * layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size, jump


def wrong_last_jump(layers):
    """Your jump is the one before the last layer"""
    return right_loop(layers)[0], prod(layer["stride"] for layer in layers[:-1])


def wrong_strides_added(layers):
    """You add the strides"""
    return right_loop(layers)[0], sum(layer["stride"] for layer in layers)


def wrong_begins_with_zero(layers):
    """M15"""
    size, jump = right_loop(layers)
    return size - 1, jump
