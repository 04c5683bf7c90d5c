"""Submissions for 03-solve: the number in the place of the None that makes the size."""

import numpy as np
import torch


def size_of(layers):
    size, jump = 1, 1
    for layer in layers:
        size += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        jump *= layer["stride"]
    return size


def filled(layers, value):
    return [{name: value if number is None else number for name, number in y.items()} for y in layers]


def unknown(layers):
    return next((p, name) for p, y in enumerate(layers) for name, number in y.items() if number is None)


def tries(layers, size, see=size_of):
    value = 1
    while value <= size + 1 and see(filled(layers, value)) < size:
        value += 1
    return value


def right_by_trying(layers, size):
    return next((v for v in range(1, size + 2) if size_of(filled(layers, v)) == size), None)


def right_while(layers, size):
    value = tries(layers, size)
    return value if size_of(filled(layers, value)) == size else None


def right_by_two_points(layers, size):
    first, second = size_of(filled(layers, 1)), size_of(filled(layers, 2))
    steps, rest = divmod(size - first, second - first)
    return None if rest or steps < 0 else steps + 1


def right_by_terms(layers, size):
    place, name = unknown(layers)
    before = size_of(layers[:place])
    jump = int(np.prod([layer["stride"] for layer in layers[:place]]))
    layer = layers[place]
    if name == "stride":
        before += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        wanted, each = size - before, (size_of(layers[place + 1 :]) - 1) * jump
    else:
        stride = layer["stride"]
        wanted = size - before - (size_of(layers[place + 1 :]) - 1) * jump * stride
        each = jump * (layer["dilation"] if name == "kernel_size" else layer["kernel_size"] - 1)
    if wanted % each or wanted < 0 or (name != "kernel_size" and wanted == 0):
        return None
    return wanted // each + (name == "kernel_size")


def right_numpy_scalar(layers, size):
    values = np.arange(1, size + 2)
    fits = values[[size_of(filled(layers, int(v))) == size for v in values]]
    return fits[0] if len(fits) else None


def right_tensor(layers, size):
    value = right_while(layers, size)
    return value if value is None else torch.tensor(value)


def right_whole_float(layers, size):
    value = right_by_two_points(layers, size)
    return value if value is None else float(value)


def right_recursion(layers, size, value=1):
    reached = size_of(filled(layers, value))
    if reached >= size:
        return value if reached == size else None
    return right_recursion(layers, size, value + 1)


def exact(layers, size, see):
    value = tries(layers, size, see)
    return value if see(filled(layers, value)) == size else None


def wrong_no_dilation(layers, size):
    """M4"""
    return exact(layers, size, lambda stack: size_of([{**layer, "dilation": 1} for layer in stack]))


def wrong_no_strides(layers, size):
    """The strides are missing"""
    return exact(layers, size, lambda stack: size_of([{**layer, "stride": 1} for layer in stack]))


def wrong_other_end(layers, size):
    """M6"""
    return exact(layers, size, lambda stack: size_of(stack[::-1]))


def wrong_jump_too_early(layers, size):
    """M7"""

    def see(stack):
        total, jump = 1, 1
        for layer in stack:
            jump *= layer["stride"]
            total += layer["dilation"] * (layer["kernel_size"] - 1) * jump
        return total

    return exact(layers, size, see)


def wrong_k_steps(layers, size):
    """A7"""
    return exact(layers, size, lambda stack: size_of([{**y, "kernel_size": y["kernel_size"] + 1} for y in stack]))


def wrong_padding(layers, size):
    """M8"""

    def see(stack):
        total, jump = 1, 1
        for layer in stack:
            total += (layer["dilation"] * (layer["kernel_size"] - 1) + 2 * layer["padding"]) * jump
            jump *= layer["stride"]
        return total

    return exact(layers, size, see)


def wrong_dilation_counts_holes(layers, size):
    """M3"""
    return exact(layers, size, lambda stack: size_of([{**y, "dilation": y["dilation"] + 1} for y in stack]))


def wrong_extent(layers, size):
    """A10"""

    def see(stack):
        total, jump = 1, 1
        for layer in stack:
            total += (layer["dilation"] * layer["kernel_size"] - 1) * jump
            jump *= layer["stride"]
        return total

    return exact(layers, size, see)


def wrong_without_the_one(layers, size):
    """The 1 of the input is missing"""
    return exact(layers, size, lambda stack: size_of(stack) - 1)


def wrong_steps(layers, size):
    """One less than the kernel has taps"""
    value = right_by_trying(layers, size)
    return None if value is None else value - 1


def wrong_rounded_up(layers, size):
    """You round up"""
    return tries(layers, size)


def wrong_rounded_down(layers, size):
    """You round down"""
    value = tries(layers, size)
    return value if size_of(filled(layers, value)) == size else value - 1


def wrong_always_none(layers, size):
    """You always answer None"""
