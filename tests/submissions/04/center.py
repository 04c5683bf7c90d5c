"""Submissions for 04-center: the center of a unit's window."""

from fractions import Fraction

import numpy as np
import torch


def left(layer):
    return layer["padding"] if isinstance(layer["padding"], int) else layer["padding"][0]


def right(layer):
    return layer["padding"] if isinstance(layer["padding"], int) else layer["padding"][1]


def window(layers, unit, padding=left):
    first = last = unit
    for y in reversed(layers):
        first = first * y["stride"] - padding(y)
        last = last * y["stride"] - padding(y) + y["dilation"] * (y["kernel_size"] - 1)
    return first, last


def right_mean(layers, unit):
    first, last = window(layers, unit)
    return (first + last) / 2


def right_back(layers, unit):
    center = unit
    for y in reversed(layers):
        center = center * y["stride"] - left(y) + y["dilation"] * (y["kernel_size"] - 1) / 2
    return center


def right_on(layers, unit):
    start, jump = 0.0, 1
    for y in layers:
        start += (y["dilation"] * (y["kernel_size"] - 1) / 2 - left(y)) * jump
        jump *= y["stride"]
    return start + jump * unit


def right_fraction(layers, unit):
    return Fraction(sum(window(layers, unit)), 2)


def right_numpy_scalar(layers, unit):
    return np.mean(window(layers, unit))


def right_tensor(layers, unit):
    return torch.tensor(window(layers, unit)).double().mean()


def right_sets(layers, unit):
    read = {unit}
    for y in layers[::-1]:
        read = {u * y["stride"] - left(y) + t * y["dilation"] for u in read for t in range(y["kernel_size"])}
    center = (min(read) + max(read)) / 2
    return int(center) if center == int(center) else center


def wrong_half_a_size(layers, unit):
    """Half a position too far"""
    first, last = window(layers, unit)
    return first + (last - first + 1) / 2


def wrong_rounded_down(layers, unit):
    """You round down"""
    return sum(window(layers, unit)) // 2


def wrong_rounded_up(layers, unit):
    """You round up"""
    return (sum(window(layers, unit)) + 1) // 2


def wrong_no_dilation(layers, unit):
    """M5"""
    start, jump = 0.0, 1
    for y in layers:
        start += ((y["kernel_size"] - 1) / 2 - left(y)) * jump
        jump *= y["stride"]
    return start + jump * unit


def wrong_no_padding(layers, unit):
    """The padding is missing"""
    return sum(window(layers, unit, padding=lambda y: 0)) / 2


def wrong_paddings_summed(layers, unit):
    """You add the paddings as they are"""
    return sum(window(layers, unit, padding=lambda y: 0)) / 2 - sum(left(y) for y in layers)


def wrong_padding_of_the_right(layers, unit):
    """You take the padding on the right"""
    return sum(window(layers, unit, padding=right)) / 2


def wrong_no_strides(layers, unit):
    """The strides are missing"""
    return sum(window([{**y, "stride": 1} for y in layers], unit)) / 2


def wrong_other_end(layers, unit):
    """M6"""
    return sum(window(layers[::-1], unit)) / 2


def wrong_last_stride_alone(layers, unit):
    """You move a unit on by the last layer's stride"""
    return sum(window(layers, 0)) / 2 + unit * layers[-1]["stride"]


def wrong_jump_times_unit(layers, unit):
    """That is the jump times the unit"""
    return window(layers, unit)[0] - window(layers, 0)[0]


def wrong_first(layers, unit):
    """That is the first position of the window"""
    return window(layers, unit)[0]
