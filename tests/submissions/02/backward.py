"""Submissions for 02-backward: how many units of each map one unit spans, from the output back."""

import numpy as np
import torch


def right_insert(layers):
    spanned = [1]
    for layer in reversed(layers):
        extent = layer["dilation"] * (layer["kernel_size"] - 1) + 1
        spanned.insert(0, layer["stride"] * (spanned[0] - 1) + extent)
    return spanned


def right_article(layers):
    r = [1]
    for layer in layers[::-1]:
        k = layer["dilation"] * (layer["kernel_size"] - 1) + 1
        r.append(layer["stride"] * r[-1] + (k - layer["stride"]))
    return tuple(reversed(r))


def right_recursion(layers):
    if not layers:
        return [1]
    rest = right_recursion(layers[1:])
    first = layers[0]
    return [(rest[0] - 1) * first["stride"] + (first["kernel_size"] - 1) * first["dilation"] + 1, *rest]


def right_numpy(layers):
    spanned = np.ones(len(layers) + 1, dtype=np.int64)
    for place in range(len(layers) - 1, -1, -1):
        layer = layers[place]
        spanned[place] = (spanned[place + 1] - 1) * layer["stride"] + layer["dilation"] * (layer["kernel_size"] - 1) + 1
    return spanned


def right_numpy_scalars(layers):
    return list(right_numpy(layers))


def right_float_tensor(layers):
    return torch.tensor(right_insert(layers), dtype=torch.float64)


def right_windows(layers):
    first, last, spanned = 0, 0, [1]
    for y in layers[::-1]:
        first = first * y["stride"] - y["padding"]
        last = last * y["stride"] - y["padding"] + y["dilation"] * (y["kernel_size"] - 1)
        spanned = [float(last - first + 1), *spanned]
    return spanned


def right_sets(layers):
    units = {0}
    spanned = [1]
    for y in layers[::-1]:
        units = {u * y["stride"] + t * y["dilation"] for u in units for t in range(y["kernel_size"])}
        spanned = [max(units) - min(units) + 1, *spanned]
    return spanned


def wrong_no_dilation(layers):
    """M4"""
    return right_insert([{**layer, "dilation": 1} for layer in layers])


def wrong_way_round(layers):
    """Your list is the wrong way round"""
    return right_insert(layers)[::-1]


def wrong_from_the_input(layers):
    """These are the sizes of the walk from the input on"""
    sizes, jump = [1], 1
    for layer in layers:
        sizes.append(sizes[-1] + layer["dilation"] * (layer["kernel_size"] - 1) * jump)
        jump *= layer["stride"]
    return sizes


def wrong_order_of_layers(layers):
    """M6"""
    spanned = [1]
    for layer in layers:
        extent = layer["dilation"] * (layer["kernel_size"] - 1) + 1
        spanned.insert(0, layer["stride"] * (spanned[0] - 1) + extent)
    return spanned


def wrong_no_strides(layers):
    """The strides are missing"""
    return right_insert([{**layer, "stride": 1} for layer in layers])


def wrong_full_kernel(layers):
    """You add k and not k - s"""
    spanned = [1]
    for layer in reversed(layers):
        spanned.insert(0, layer["stride"] * spanned[0] + layer["dilation"] * (layer["kernel_size"] - 1) + 1)
    return spanned


def wrong_kernel_less_one(layers):
    """You add k - 1 and not k - s"""
    spanned = [1]
    for layer in reversed(layers):
        spanned.insert(0, layer["stride"] * spanned[0] + layer["dilation"] * (layer["kernel_size"] - 1))
    return spanned


def wrong_k_steps(layers):
    """A7"""
    spanned = [1]
    for layer in reversed(layers):
        spanned.insert(0, layer["stride"] * (spanned[0] - 1) + layer["dilation"] * layer["kernel_size"] + 1)
    return spanned


def wrong_padding(layers):
    """M8"""
    spanned = [1]
    for layer in reversed(layers):
        extent = layer["dilation"] * (layer["kernel_size"] - 1) + 1 + 2 * layer["padding"]
        spanned.insert(0, layer["stride"] * (spanned[0] - 1) + extent)
    return spanned


def wrong_dilation_counts_holes(layers):
    """M3"""
    return right_insert([{**layer, "dilation": layer["dilation"] + 1} for layer in layers])


def wrong_extent(layers):
    """A10"""
    spanned = [1]
    for layer in reversed(layers):
        spanned.insert(0, layer["stride"] * (spanned[0] - 1) + layer["dilation"] * layer["kernel_size"])
    return spanned


def wrong_without_the_unit(layers):
    """The unit itself is missing"""
    return right_insert(layers)[:-1]


def wrong_without_the_input(layers):
    """The input is missing"""
    return right_insert(layers)[1:]


def wrong_input_alone(layers):
    """Only the size in the input"""
    return right_insert(layers)[0]
