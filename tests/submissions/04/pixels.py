"""Submissions for 04-pixels: the positions that a unit really reads."""

import numpy as np
import torch
from torch import nn


def sides(layer):
    padding = layer["padding"]
    return (padding, padding) if isinstance(padding, int) else tuple(padding)


def lengths(layers, length):
    found = [length]
    for y in layers:
        around = found[-1] + sum(sides(y))
        found.append((around - y["dilation"] * (y["kernel_size"] - 1) - 1) // y["stride"] + 1)
    return found


def taps(layer, unit):
    return [unit * layer["stride"] - sides(layer)[0] + t * layer["dilation"] for t in range(layer["kernel_size"])]


def right_sets(layers, unit, length):
    read = {unit}
    for y, many in zip(reversed(layers), reversed(lengths(layers, length)[:-1]), strict=True):
        read = {x for u in read for x in taps(y, u) if 0 <= x < many}
    return sorted(read)


def right_set(layers, unit, length):
    return set(right_sets(layers, unit, length))


def right_recursion(layers, unit, length):
    if not layers:
        return [unit]
    *before, last = layers
    many = lengths(before, length)[-1]
    below = [x for x in taps(last, unit) if 0 <= x < many]
    return sorted({x for u in below for x in right_recursion(before, u, length)})


def right_masks(layers, unit, length):
    masks = [np.zeros(many, dtype=bool) for many in lengths(layers, length)]
    masks[-1][unit] = True
    for place in range(len(layers) - 1, -1, -1):
        for u in np.flatnonzero(masks[place + 1]):
            for x in taps(layers[place], u):
                if 0 <= x < len(masks[place]):
                    masks[place][x] = True
    return np.flatnonzero(masks[0])


def right_numpy_scalars(layers, unit, length):
    return list(right_masks(layers, unit, length))


def right_tensor(layers, unit, length):
    return torch.tensor(right_sets(layers, unit, length))


def right_whole_floats(layers, unit, length):
    return [float(x) for x in right_sets(layers, unit, length)]


def right_by_gradient_of_ones(layers, unit, length):
    x = torch.ones(1, 1, length, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in layers:
        y = nn.functional.pad(y, sides(layer))
        weight = torch.ones(1, 1, layer["kernel_size"], dtype=torch.float64)
        y = nn.functional.conv1d(y, weight, stride=layer["stride"], dilation=layer["dilation"])
    y[0, 0, unit].backward()
    return x.grad[0, 0].nonzero()[:, 0]


def ideal(layers, unit):
    read = {unit}
    for y in layers[::-1]:
        read = {x for u in read for x in taps(y, u)}
    return sorted(read)


def wrong_window_filled(layers, unit, length):
    """You fill the holes: dilation and strides"""
    read = ideal(layers, unit)
    return list(range(max(read[0], 0), min(read[-1] + 1, length)))


def wrong_filled_between_the_ends(layers, unit, length):
    """You fill the holes between the first and the last"""
    read = right_sets(layers, unit, length)
    return range(read[0], read[-1] + 1)


def wrong_cut_at_the_input_alone(layers, unit, length):
    """You cut at the input alone"""
    return [x for x in ideal(layers, unit) if 0 <= x < length]


def wrong_maps_without_end(layers, unit, length):
    """Your maps in between have no end"""
    read = {unit}
    for y in layers[::-1]:
        read = {x for u in read for x in taps(y, u) if x >= 0}
    return sorted(x for x in read if x < length)


def wrong_uncut(layers, unit, length):
    """This is the window uncut"""
    return ideal(layers, unit)


def wrong_no_padding(layers, unit, length):
    """The padding is missing"""
    return [x for x in ideal([{**y, "padding": 0} for y in layers], unit) if 0 <= x < length]


def wrong_no_dilation(layers, unit, length):
    """M4"""
    return right_sets([{**y, "dilation": 1} for y in layers], unit, length)


def wrong_no_strides(layers, unit, length):
    """The strides are missing"""
    return right_sets([{**y, "stride": 1} for y in layers], unit, length)


def wrong_other_end(layers, unit, length):
    """M6"""
    return right_sets(layers[::-1], unit, length)


def wrong_padding_sides_exchanged(layers, unit, length):
    """You take the padding on the right"""
    return right_sets([{**y, "padding": list(sides(y))[::-1]} for y in layers], unit, length)


def wrong_number(layers, unit, length):
    """M9"""
    return len(right_sets(layers, unit, length))


def wrong_ends(layers, unit, length):
    """Those are the ends of what is read"""
    read = right_sets(layers, unit, length)
    return read[0], read[-1]
