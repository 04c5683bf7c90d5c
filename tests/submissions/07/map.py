"""Submissions for 07-map: the share of each input position in the mean absolute gradient of a unit."""

import numpy as np
import torch
from torch import nn


def right_backward(network, signals, unit):
    signals = signals.clone().requires_grad_()
    network(signals)[..., unit].sum().backward()
    size = signals.grad.abs().mean(dim=(0, 1))
    return size / size.sum()


def gradients(network, signals, unit):
    """(B, C, N)."""
    signals = signals.clone().requires_grad_()
    return torch.autograd.grad(network(signals)[:, :, unit].sum(), signals)[0]


def right_autograd(network, signals, unit):
    size = gradients(network, signals, unit).abs().sum((0, 1)).numpy()
    return (size / size.sum()).tolist()


def right_example_by_example(network, signals, unit):
    total = 0
    for one in signals:
        one = one.detach()[None].requires_grad_()
        network(one)[0, :, unit].sum().backward()
        total = total + one.grad[0].abs().numpy().mean(0)
    return total / np.sum(total)


def right_poking(network, signals, unit):
    """Pokes instead of gradients."""
    step, size = 1e-6, []
    with torch.no_grad():
        for position in range(signals.shape[-1]):
            slopes = 0
            for channel in range(signals.shape[1]):
                up, down = signals.clone(), signals.clone()
                up[:, channel, position] += step
                down[:, channel, position] -= step
                change = network(up)[..., unit].sum(1) - network(down)[..., unit].sum(1)
                slopes += float(change.abs().sum()) / (2 * step)
            size.append(slopes)
    return [each / sum(size) for each in size]


def right_jacobian(network, signals, unit):
    def value(one):
        return network(one[None])[0, :, unit].sum()

    found = torch.stack([torch.autograd.functional.jacobian(value, one) for one in signals])
    size = found.abs().mean((0, 1))
    return tuple(float(x) for x in size / size.sum())


def right_in_single_precision(network, signals, unit):
    return right_backward(network.float(), signals.float(), unit)


def shares(size):
    return size / size.sum()


def wrong_mean_before_absolute(network, signals, unit):
    """You took the mean before the absolute value"""
    return shares(gradients(network, signals, unit).mean((0, 1)).abs())


def wrong_signed(network, signals, unit):
    """You left out the absolute value"""
    return shares(gradients(network, signals, unit).mean((0, 1)))


def wrong_squared(network, signals, unit):
    """You squared the slopes"""
    return shares(gradients(network, signals, unit).square().mean((0, 1)))


def wrong_first_example(network, signals, unit):
    """You looked at the first example alone"""
    return shares(gradients(network, signals, unit)[0].abs().mean(0))


def wrong_first_input_channel(network, signals, unit):
    """first channel of the signals alone"""
    return shares(gradients(network, signals, unit)[:, 0].abs().mean(0))


def wrong_first_output_channel(network, signals, unit):
    """first channel of the output alone"""
    signals = signals.clone().requires_grad_()
    network(signals)[:, 0, unit].sum().backward()
    return shares(signals.grad.abs().mean((0, 1)))


def wrong_what_is_read(network, signals, unit):
    """M18"""
    return shares((gradients(network, signals, unit).abs().sum((0, 1)) > 0).double())


def wrong_no_division(network, signals, unit):
    """You did not make the sum 1"""
    return gradients(network, signals, unit).abs().mean((0, 1))


def wrong_highest_is_1(network, signals, unit):
    """You made the highest value 1"""
    size = gradients(network, signals, unit).abs().mean((0, 1))
    return size / size.max()


def wrong_all_units(network, signals, unit):
    """You followed the sum of all units"""
    signals = signals.clone().requires_grad_()
    network(signals).sum().backward()
    return shares(signals.grad.abs().mean((0, 1)))


def wrong_no_relu(network, signals, unit):
    """M19"""
    linear = nn.Sequential(*[module for module in network if not isinstance(module, nn.ReLU)])
    return right_backward(linear, signals, unit)


def wrong_mean_signal(network, signals, unit):
    """You took the mean of the signals"""
    return right_backward(network, signals.mean(0, keepdim=True), unit)
