"""Submissions for 04-window: first and last position of a unit's window."""

import numpy as np
import torch


def left(layer):
    return layer["padding"] if isinstance(layer["padding"], int) else layer["padding"][0]


def right(layer):
    return layer["padding"] if isinstance(layer["padding"], int) else layer["padding"][1]


def back(layers, unit, padding=left):
    first = last = unit
    for y in reversed(layers):
        first = first * y["stride"] - padding(y)
        last = last * y["stride"] - padding(y) + y["dilation"] * (y["kernel_size"] - 1)
    return first, last


def on(layers, padding=left):
    size, jump, start = 1, 1, 0
    for y in layers:
        size += y["dilation"] * (y["kernel_size"] - 1) * jump
        start -= padding(y) * jump
        jump *= y["stride"]
    return size, jump, start


def right_back(layers, unit):
    return back(layers, unit)


def right_on(layers, unit):
    size, jump, start = on(layers)
    return [start + jump * unit, start + jump * unit + size - 1]


def right_recursion(layers, unit, last=None):
    last = unit if last is None else last
    if not layers:
        return unit, last
    *before, y = layers
    far = last * y["stride"] - left(y) + y["dilation"] * (y["kernel_size"] - 1)
    return right_recursion(before, unit * y["stride"] - left(y), far)


def right_sets(layers, unit):
    read = {unit}
    for y in layers[::-1]:
        read = {u * y["stride"] - left(y) + t * y["dilation"] for u in read for t in range(y["kernel_size"])}
    return min(read), max(read)


def right_numpy(layers, unit):
    return np.array(back(layers, unit))


def right_numpy_scalars(layers, unit):
    return tuple(np.array(back(layers, unit)))


def right_tensor(layers, unit):
    return torch.tensor(right_on(layers, unit))


def right_whole_floats(layers, unit):
    return [float(end) for end in back(layers, unit)]


def wrong_no_padding(layers, unit):
    """The padding is missing"""
    return back(layers, unit, padding=lambda y: 0)


def wrong_paddings_summed(layers, unit):
    """You add the paddings as they are"""
    first, last = back(layers, unit, padding=lambda y: 0)
    total = sum(left(y) for y in layers)
    return first - total, last - total


def wrong_padding_of_the_right(layers, unit):
    """You take the padding on the right"""
    return back(layers, unit, padding=right)


def wrong_both_paddings(layers, unit):
    """You take the padding of both sides together"""
    return back(layers, unit, padding=lambda y: left(y) + right(y))


def wrong_no_dilation(layers, unit):
    """M4"""
    return back([{**y, "dilation": 1} for y in layers], unit)


def wrong_no_strides(layers, unit):
    """The strides are missing"""
    return back([{**y, "stride": 1} for y in layers], unit)


def wrong_other_end(layers, unit):
    """M6"""
    return back(layers[::-1], unit)


def wrong_last_stride_alone(layers, unit):
    """You move a unit on by the last layer's stride"""
    size, _, start = on(layers)
    return start + unit * layers[-1]["stride"], start + unit * layers[-1]["stride"] + size - 1


def wrong_end_one_too_far(layers, unit):
    """Your last position is one too far"""
    first, last = back(layers, unit)
    return first, last + 1


def wrong_first_and_size(layers, unit):
    """You return where the window begins and how long it is"""
    first, last = back(layers, unit)
    return first, last - first + 1


def wrong_cut_at_zero(layers, unit):
    """M12"""
    first, last = back(layers, unit)
    return max(first, 0), max(last, 0)


def wrong_direction(layers, unit):
    """The padding moves your window to the right"""
    return back(layers, unit, padding=lambda y: -left(y))
