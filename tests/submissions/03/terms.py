"""Submissions for 03-terms: the terms of the closed form."""

from itertools import accumulate, pairwise
from math import prod

import numpy as np
import torch


def right_products(layers):
    def term(place):
        before = prod(layer["stride"] for layer in layers[:place])
        return layers[place]["dilation"] * (layers[place]["kernel_size"] - 1) * before

    return [1, *(term(place) for place in range(len(layers)))]


def right_running_product(layers):
    found, jump = [1], 1
    for layer in layers:
        found.append((layer["kernel_size"] - 1) * layer["dilation"] * jump)
        jump *= layer["stride"]
    return tuple(found)


def right_numpy(layers):
    jumps = np.cumprod([1, *(layer["stride"] for layer in layers)])[:-1]
    steps = np.array([layer["dilation"] * (layer["kernel_size"] - 1) for layer in layers])
    return np.concatenate([[1], steps * jumps])


def right_numpy_scalars(layers):
    return list(right_numpy(layers))


def right_tensor(layers):
    return torch.tensor(right_products(layers))


def right_whole_floats(layers):
    jumps = accumulate((float(layer["stride"]) for layer in layers), lambda a, b: a * b, initial=1.0)
    return [1.0, *(j * y["dilation"] * (y["kernel_size"] - 1) for j, y in zip(jumps, layers, strict=False))]


def right_recursion(layers):
    if not layers:
        return [1]
    first, *rest = layers
    behind = right_recursion(rest)[1:]
    return [1, first["dilation"] * (first["kernel_size"] - 1), *(first["stride"] * term for term in behind)]


def right_differences(layers):
    def size(stack):
        read = {0}
        for y in reversed(stack):
            read = {u * y["stride"] + t * y["dilation"] for u in read for t in range(y["kernel_size"])}
        return max(read) - min(read) + 1

    sizes = [1] + [size(layers[: place + 1]) for place in range(len(layers))]
    return [1] + [after - before for before, after in pairwise(sizes)]


def wrong_no_dilation(layers):
    """M4"""
    return right_products([{**layer, "dilation": 1} for layer in layers])


def wrong_no_strides(layers):
    """The strides are missing"""
    return right_products([{**layer, "stride": 1} for layer in layers])


def wrong_strides_behind(layers):
    """You multiply the strides of the layers after each layer"""

    def term(place):
        behind = prod(layer["stride"] for layer in layers[place + 1 :])
        return layers[place]["dilation"] * (layers[place]["kernel_size"] - 1) * behind

    return [1, *(term(place) for place in range(len(layers)))]


def wrong_other_end(layers):
    """These are the layers from the wrong end"""
    return right_products(layers[::-1])


def wrong_own_stride_too(layers):
    """You multiply the jump too early"""
    found, jump = [1], 1
    for layer in layers:
        jump *= layer["stride"]
        found.append((layer["kernel_size"] - 1) * layer["dilation"] * jump)
    return found


def wrong_own_stride(layers):
    """You multiply each layer's steps by its own stride"""
    return [1] + [(layer["kernel_size"] - 1) * layer["dilation"] * layer["stride"] for layer in layers]


def wrong_k_steps(layers):
    """A7"""
    return right_products([{**layer, "kernel_size": layer["kernel_size"] + 1} for layer in layers])


def wrong_padding(layers):
    """M8"""
    found, jump = [1], 1
    for layer in layers:
        found.append((layer["dilation"] * (layer["kernel_size"] - 1) + 2 * layer["padding"]) * jump)
        jump *= layer["stride"]
    return found


def wrong_dilation_counts_holes(layers):
    """M3"""
    return right_products([{**layer, "dilation": layer["dilation"] + 1} for layer in layers])


def wrong_extent(layers):
    """A10"""
    found, jump = [1], 1
    for layer in layers:
        found.append((layer["dilation"] * layer["kernel_size"] - 1) * jump)
        jump *= layer["stride"]
    return found


def wrong_without_the_one(layers):
    """The 1 in front is missing"""
    return right_products(layers)[1:]


def wrong_sizes(layers):
    """These are the sizes up to each layer"""
    return list(accumulate(right_products(layers)))


def wrong_sum(layers):
    """This is the sum"""
    return sum(right_products(layers))
