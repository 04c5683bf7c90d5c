"""Submissions for 02-needed: the input that a block of neighboring units spans."""

import numpy as np
import torch


def walked(layers):
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size, jump


def right_back(layers, units):
    for layer in reversed(layers):
        units = layer["stride"] * (units - 1) + layer["dilation"] * (layer["kernel_size"] - 1) + 1
    return units


def right_jumps(layers, units):
    size, jump = walked(layers)
    return size + (units - 1) * jump


def right_recursion(layers, units):
    if not layers:
        return units
    *before, last = layers
    below = last["stride"] * (units - 1) + last["dilation"] * (last["kernel_size"] - 1) + 1
    return right_recursion(before, below)


def right_sets(layers, units):
    read = set(range(units))
    for y in reversed(layers):
        read = {u * y["stride"] - y["padding"] + t * y["dilation"] for u in read for t in range(y["kernel_size"])}
    return max(read) - min(read) + 1


def right_numpy_scalar(layers, units):
    return np.int64(right_jumps(layers, units))


def right_tensor(layers, units):
    return torch.tensor(right_back(layers, units))


def right_whole_float(layers, units):
    return right_jumps(layers, units) / 1


def wrong_no_dilation(layers, units):
    """M4"""
    return right_back([{**layer, "dilation": 1} for layer in layers], units)


def wrong_no_overlap(layers, units):
    """You multiply the size by the number of units"""
    return units * walked(layers)[0]


def wrong_one_position_a_unit(layers, units):
    """You move one position from unit to unit"""
    return walked(layers)[0] + units - 1


def wrong_one_jump_more(layers, units):
    """M15"""
    size, jump = walked(layers)
    return size + units * jump


def wrong_one_unit(layers, units):
    """That is the size of one unit's window"""
    return walked(layers)[0]


def wrong_other_end(layers, units):
    """M6"""
    return right_back(layers[::-1], units)


def wrong_no_strides(layers, units):
    """The strides are missing"""
    return right_back([{**layer, "stride": 1} for layer in layers], units)


def wrong_jumps_alone(layers, units):
    """M9"""
    return units * walked(layers)[1]


def wrong_padding(layers, units):
    """M8"""
    for y in reversed(layers):
        units = y["stride"] * (units - 1) + y["dilation"] * (y["kernel_size"] - 1) + 1 + 2 * y["padding"]
    return units


def wrong_full_kernel(layers, units):
    """You add k and not k - s"""
    for layer in reversed(layers):
        units = layer["stride"] * units + layer["dilation"] * (layer["kernel_size"] - 1) + 1
    return units


def wrong_dilation_counts_holes(layers, units):
    """M3"""
    return right_back([{**layer, "dilation": layer["dilation"] + 1} for layer in layers], units)
