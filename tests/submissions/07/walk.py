"""Submissions for 07-walk: sigma of the map of an inner unit, all weights alike, from the layers alone."""

import math
from collections import Counter

import numpy as np
import torch
from torch import nn


def right_formula(layers):
    variance, jump = 0.0, 1
    for one in layers:
        variance += (jump * one["dilation"]) ** 2 * (one["kernel_size"] ** 2 - 1) / 12
        jump *= one["stride"]
    return variance**0.5


def right_recursion(layers):
    """Behind the first layer everything is its stride times as wide."""
    if not layers:
        return 0.0
    first, *rest = layers
    own = first["dilation"] ** 2 * (first["kernel_size"] ** 2 - 1) / 12
    return math.hypot(math.sqrt(own), first["stride"] * right_recursion(rest))


def right_paths(layers):
    paths = Counter({0: 1})
    for one in reversed(layers):
        below = Counter()
        for unit, many in paths.items():
            for tap in range(one["kernel_size"]):
                below[unit * one["stride"] + tap * one["dilation"]] += many
        paths = below
    places, many = np.array(list(paths)), np.array(list(paths.values()))
    mean = np.average(places, weights=many)
    return np.sqrt(np.average((places - mean) ** 2, weights=many))


def right_gradient(layers):
    """A real network with all weights 1, without padding, on an input as long as one unit needs."""
    length, convs = 1, []
    for one in reversed(layers):
        length = one["stride"] * (length - 1) + one["dilation"] * (one["kernel_size"] - 1) + 1
    for one in layers:
        conv = nn.Conv1d(1, 1, one["kernel_size"], one["stride"], dilation=one["dilation"], bias=False)
        nn.init.ones_(conv.weight)
        convs.append(conv)
    x = torch.zeros(1, 1, length, dtype=torch.float64, requires_grad=True)
    nn.Sequential(*convs).double()(x).sum().backward()
    shares = x.grad[0, 0] / x.grad.sum()
    places = torch.arange(length)
    return ((places - (shares * places).sum()) ** 2 * shares).sum().sqrt()


def right_convolved(layers):
    jump, shares = 1, np.ones(1)
    for one in layers:
        taps = np.zeros((one["kernel_size"] - 1) * one["dilation"] * jump + 1, dtype=np.float32)
        taps[:: one["dilation"] * jump] = 1 / one["kernel_size"]
        shares, jump = np.convolve(shares, taps), jump * one["stride"]
    places = np.arange(len(shares)) - (len(shares) - 1) / 2
    return math.sqrt((shares * places**2).sum())


def right_numpy(layers):
    k, s, d = (np.array([one[name] for one in layers]) for name in ("kernel_size", "stride", "dilation"))
    jumps = np.concatenate([[1], np.cumprod(s)[:-1]])
    return np.linalg.norm(jumps * d * np.sqrt((k**2 - 1) / 12))


def changed(layers, **numbers):
    return [{**one, **numbers} for one in layers]


def wrong_no_jumps(layers):
    """A6"""
    return right_formula(changed(layers, stride=1))


def wrong_own_stride(layers):
    """You took the jump behind the layer"""
    variance, jump = 0.0, 1
    for one in layers:
        jump *= one["stride"]
        variance += (jump * one["dilation"]) ** 2 * (one["kernel_size"] ** 2 - 1) / 12
    return variance**0.5


def wrong_no_dilation(layers):
    """M4"""
    return right_formula(changed(layers, dilation=1))


def wrong_k_squared(layers):
    """You used k² / 12"""
    variance, jump = 0.0, 1
    for one in layers:
        variance += (jump * one["dilation"]) ** 2 * one["kernel_size"] ** 2 / 12
        jump *= one["stride"]
    return math.sqrt(variance)


def wrong_sigmas_added(layers):
    """You added the sigmas"""
    total, jump = 0.0, 1
    for one in layers:
        total += jump * one["dilation"] * math.sqrt((one["kernel_size"] ** 2 - 1) / 12)
        jump *= one["stride"]
    return total


def wrong_variance(layers):
    """This is the variance"""
    return right_formula(layers) ** 2


def wrong_field(layers):
    """M18"""
    size, jump = 1, 1
    for one in layers:
        size += one["dilation"] * (one["kernel_size"] - 1) * jump
        jump *= one["stride"]
    return size


def wrong_uniform_over_the_field(layers):
    """You gave every position of the window the same share"""
    return math.sqrt((wrong_field(layers) ** 2 - 1) / 12)


def wrong_other_end(layers):
    """M6"""
    return right_formula(layers[::-1])


def wrong_jump_not_squared(layers):
    """You did not square the distance of the taps"""
    variance, jump = 0.0, 1
    for one in layers:
        variance += jump * one["dilation"] * (one["kernel_size"] ** 2 - 1) / 12
        jump *= one["stride"]
    return math.sqrt(variance)


def wrong_extent(layers):
    """You filled the holes"""
    variance, jump = 0.0, 1
    for one in layers:
        extent = one["dilation"] * (one["kernel_size"] - 1) + 1
        variance += jump**2 * (extent**2 - 1) / 12
        jump *= one["stride"]
    return math.sqrt(variance)


def wrong_three_taps(layers):
    """You gave every layer the variance of three taps"""
    return right_formula(changed(layers, kernel_size=3))


def wrong_k_less_one(layers):
    """You used (k - 1)² / 12"""
    variance, jump = 0.0, 1
    for one in layers:
        variance += (jump * one["dilation"]) ** 2 * (one["kernel_size"] - 1) ** 2 / 12
        jump *= one["stride"]
    return math.sqrt(variance)
