"""Submissions for 02-table: size and jump behind each module of a real network."""

import numpy as np
import torch
from torch import nn


def one(module, name):
    value = getattr(module, name, 1)
    return value[0] if isinstance(value, tuple) else value


def right_getattr(network):
    rows, size, jump = [], 1, 1
    for module in network:
        size += one(module, "dilation") * (one(module, "kernel_size") - 1) * jump
        jump *= one(module, "stride")
        rows.append((size, jump))
    return rows


def right_by_type(network):
    rows = [[1, 1]]
    for module in network.children():
        size, jump = rows[-1]
        if isinstance(module, nn.Conv2d):
            size += module.dilation[0] * (module.kernel_size[0] - 1) * jump
            jump *= module.stride[0]
        elif isinstance(module, nn.MaxPool2d):
            size += module.dilation * (module.kernel_size - 1) * jump
            jump *= module.stride
        elif isinstance(module, nn.AvgPool2d):
            size += (module.kernel_size - 1) * jump
            jump *= module.stride
        rows.append([size, jump])
    return rows[1:]


def right_numpy(network):
    return np.array(right_getattr(network))


def right_numpy_scalars(network):
    return [tuple(row) for row in np.array(right_getattr(network))]


def right_tensors(network):
    return [torch.tensor(row) for row in right_by_type(network)]


def right_whole_floats(network):
    return tuple((float(size), float(jump)) for size, jump in right_getattr(network))


def right_from_the_end(network):
    def spanned(modules):
        size, jump = 1, 1
        for module in reversed(modules):
            size = one(module, "stride") * (size - 1) + one(module, "dilation") * (one(module, "kernel_size") - 1) + 1
            jump *= one(module, "stride")
        return size, jump

    return [spanned(list(network)[: place + 1]) for place in range(len(network))]


def walked(network, early=False, k=1, number=one):
    rows, size, jump = [], 1, 1
    for module in network:
        before, jump = jump, jump * number(module, "stride")
        if number(module, "kernel_size") > 1 or k == 1 or hasattr(module, "kernel_size"):
            steps = number(module, "kernel_size") - k
            size += number(module, "dilation") * steps * (jump if early else before)
        rows.append((size, jump))
    return rows


def wrong_no_dilation(network):
    """M4"""
    return walked(network, number=lambda module, name: 1 if name == "dilation" else one(module, name))


def wrong_no_dilation_in_pools(network):
    """The dilation of the max-pools is missing"""

    def number(module, name):
        return 1 if name == "dilation" and not isinstance(module, nn.Conv2d) else one(module, name)

    return walked(network, number=number)


def wrong_convolutions_alone(network):
    """The pools are missing"""
    return walked(network, number=lambda module, name: one(module, name) if isinstance(module, nn.Conv2d) else 1)


def wrong_pool_doubles(network):
    """M1"""
    rows, size, jump = [], 1, 1
    for module in network:
        if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            size *= one(module, "stride")
        else:
            size += one(module, "dilation") * (one(module, "kernel_size") - 1) * jump
        jump *= one(module, "stride")
        rows.append((size, jump))
    return rows


def wrong_no_strides(network):
    """The strides are missing"""
    return walked(network, number=lambda module, name: 1 if name == "stride" else one(module, name))


def wrong_rows_missing(network):
    """Rows are missing"""
    rows = zip(right_getattr(network), network, strict=True)
    return [row for row, module in rows if hasattr(module, "kernel_size")]


def wrong_jump_before(network):
    """Your jump is the one before the layer"""
    rows, size, jump = [], 1, 1
    for module in network:
        size += one(module, "dilation") * (one(module, "kernel_size") - 1) * jump
        rows.append((size, jump))
        jump *= one(module, "stride")
    return rows


def wrong_jump_too_early(network):
    """M7"""
    return walked(network, early=True)


def wrong_other_end(network):
    """M6"""
    return right_getattr(list(network)[::-1])


def wrong_last_row_alone(network):
    """You return the last row alone"""
    return right_getattr(network)[-1]


def wrong_own_numbers(network):
    """M2"""
    return [(one(m, "dilation") * (one(m, "kernel_size") - 1) + 1, one(m, "stride")) for m in network]


def wrong_k_steps(network):
    """A7"""
    return walked(network, k=0)
