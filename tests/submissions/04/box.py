"""Submissions for 04-box: the slices of an image that a unit of a real network looks at."""

import numpy as np
import torch
from torch import nn


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def number(module, name, axis):
    if isinstance(module, nn.ZeroPad2d) and name == "padding":
        return module.padding[2] if axis == 0 else module.padding[0]
    return pair(getattr(module, name, 0 if name == "padding" else 1))[axis]


def window(network, unit, axis, get=number):
    first = last = unit
    for module in reversed(list(network)):
        first = first * get(module, "stride", axis) - get(module, "padding", axis)
        last = last * get(module, "stride", axis) - get(module, "padding", axis)
        last += get(module, "dilation", axis) * (get(module, "kernel_size", axis) - 1)
    return first, last


def cut(first, last, length):
    start, stop = max(first, 0), min(last + 1, length)
    return (start, stop) if start < stop else (0, 0)


def boxes(network, unit, shape, get=number):
    return [cut(*window(network, unit[axis], axis, get), shape[axis]) for axis in (0, 1)]


def right_pairs(network, unit, shape):
    return boxes(network, unit, shape)


def right_on(network, unit, shape):
    found = []
    for axis in range(2):
        size, jump, start = 1, 1, 0
        for module in network:
            size += number(module, "dilation", axis) * (number(module, "kernel_size", axis) - 1) * jump
            start -= number(module, "padding", axis) * jump
            jump *= number(module, "stride", axis)
        start += jump * unit[axis]
        found.append(cut(start, start + size - 1, shape[axis]))
    return tuple(found)


def right_numpy(network, unit, shape):
    return np.array(boxes(network, unit, shape))


def right_numpy_scalars(network, unit, shape):
    return [tuple(row) for row in np.array(boxes(network, unit, shape))]


def right_tensor(network, unit, shape):
    return torch.tensor(boxes(network, unit, shape))


def right_whole_floats(network, unit, shape):
    return [[float(end) for end in axis] for axis in boxes(network, unit, shape)]


def right_sets(network, unit, shape):
    found = []
    for axis in (0, 1):
        read = {unit[axis]}
        for m in list(network)[::-1]:
            s, p, d = (number(m, name, axis) for name in ("stride", "padding", "dilation"))
            read = {u * s - p + t * d for u in read for t in range(number(m, "kernel_size", axis))}
        found.append(cut(min(read), max(read), shape[axis]))
    return found


def right_by_type(network, unit, shape):
    rows, columns = unit, unit
    rows, columns = (unit[0], unit[0]), (unit[1], unit[1])
    for module in list(network)[::-1]:
        if isinstance(module, nn.ReLU):
            continue
        if isinstance(module, nn.ZeroPad2d):
            beside, _, above, _ = module.padding
            rows = tuple(row - above for row in rows)
            columns = tuple(column - beside for column in columns)
            continue
        (k, m), (s, t), (p, q) = pair(module.kernel_size), pair(module.stride), pair(module.padding)
        d, e = pair(getattr(module, "dilation", 1))
        rows = rows[0] * s - p, rows[1] * s - p + d * (k - 1)
        columns = columns[0] * t - q, columns[1] * t - q + e * (m - 1)
    return cut(*rows, shape[0]), cut(*columns, shape[1])


def replaced(**numbers):
    return lambda module, name, axis: numbers.get(name, number(module, name, axis))


def wrong_uncut(network, unit, shape):
    """This is the window uncut"""
    return [(first, last + 1) for first, last in (window(network, unit[axis], axis) for axis in (0, 1))]


def wrong_cut_below_alone(network, unit, shape):
    """You cut at the lower end alone"""
    return [(max(first, 0), last + 1) for first, last in (window(network, unit[axis], axis) for axis in (0, 1))]


def wrong_cut_above_alone(network, unit, shape):
    """You cut at the upper end alone"""
    ends = [window(network, unit[axis], axis) for axis in (0, 1)]
    return [(first, min(last + 1, length)) for (first, last), length in zip(ends, shape, strict=True)]


def wrong_last_included(network, unit, shape):
    """A slice ends before its second number"""
    return [(start, stop - 1) for start, stop in boxes(network, unit, shape)]


def wrong_columns_first(network, unit, shape):
    """Rows and columns are exchanged"""
    return boxes(network, unit, shape)[::-1]


def wrong_first_of_each_pair(network, unit, shape):
    """You take the first number of each pair"""
    return boxes(network, unit, shape, lambda module, name, axis: number(module, name, 0))


def wrong_second_of_each_pair(network, unit, shape):
    """You take the second number of each pair"""
    return boxes(network, unit, shape, lambda module, name, axis: number(module, name, 1))


def wrong_no_padding(network, unit, shape):
    """The padding is missing"""
    return boxes(network, unit, shape, replaced(padding=0))


def wrong_no_dilation(network, unit, shape):
    """M4"""
    return boxes(network, unit, shape, replaced(dilation=1))


def wrong_no_strides(network, unit, shape):
    """The strides are missing"""
    return boxes(network, unit, shape, replaced(stride=1))


def wrong_other_end(network, unit, shape):
    """M6"""
    return boxes(list(network)[::-1], unit, shape)


def wrong_no_zero_pad(network, unit, shape):
    """The ZeroPad2d is missing"""
    return boxes([module for module in network if not isinstance(module, nn.ZeroPad2d)], unit, shape)


def wrong_order_of_zero_pad(network, unit, shape):
    """You read the four numbers of ZeroPad2d"""

    def get(module, name, axis):
        if isinstance(module, nn.ZeroPad2d) and name == "padding":
            return module.padding[0] if axis == 0 else module.padding[2]
        return number(module, name, axis)

    return boxes(network, unit, shape, get)
