"""Submissions for 01-positions: the positions that a unit of a real network reads."""

import numpy as np
import torch
from torch import nn


def changes(network, length, unit, pokes, base=None):
    base = torch.zeros(1, 1, length).double() if base is None else base
    found = []
    with torch.no_grad():
        before = network(base)[..., unit]
        for position in range(length):
            for poke in pokes:
                poked = base.clone()
                poked[..., position] = poke
                after = network(poked)[..., unit]
                if not torch.equal(after, before) and position not in found:
                    found.append(position)
    return found


def right_two_signs(network, length, unit):
    return changes(network, length, unit, (1e6, -1e6))


def right_not_a_number(network, length, unit):
    return changes(network, length, unit, (float("nan"),))


def right_batch(network, length, unit):
    with torch.no_grad():
        pokes = torch.cat([torch.eye(length), -torch.eye(length)]).double()[:, None] * 1e5
        after = network(pokes)[..., unit].reshape(2, length, -1)
        before = network(torch.zeros(1, 1, length).double())[..., unit].reshape(1, 1, -1)
    return (after != before).any(dim=2).any(dim=0).nonzero()[:, 0]


def right_random_bases(network, length, unit):
    generator = torch.Generator().manual_seed(1)
    found = set()
    for _ in range(4):
        base = torch.randn(1, 1, length, generator=generator).double()
        found |= set(changes(network, length, unit, (1e5, -1e5), base))
    return found


def right_numpy_mask(network, length, unit):
    mask = np.zeros(length, dtype=bool)
    mask[changes(network, length, unit, (1e6, -1e6))] = True
    return np.flatnonzero(mask)


def right_numpy_scalars(network, length, unit):
    return list(right_numpy_mask(network, length, unit))


def right_whole_floats(network, length, unit):
    return [float(x) for x in right_two_signs(network, length, unit)]


def right_by_its_layers(network, length, unit):
    def number(module, name, usual):
        value = getattr(module, name, usual)
        return value[0] if isinstance(value, tuple) else value

    lengths = [length]
    value = torch.zeros(1, 1, length).double()
    for module in network:
        value = module(value)
        lengths.append(value.shape[-1])
    read = {unit}
    for module, many in zip(reversed(list(network)), lengths[-2::-1], strict=True):
        k, s = number(module, "kernel_size", 1), number(module, "stride", 1)
        p, d = number(module, "padding", 0), number(module, "dilation", 1)
        read = {x for u in read for x in range(u * s - p, u * s - p + d * k, d) if 0 <= x < many}
    return sorted(read)


def right_ones_in_the_place_of_weights(network, length, unit):
    x = torch.ones(1, 1, length).double().requires_grad_()
    y = x
    for module in network:
        if isinstance(module, nn.Conv1d):
            weight = torch.ones_like(module.weight)
            y = nn.functional.conv1d(y, weight, None, module.stride, module.padding, module.dilation)
        elif isinstance(module, nn.MaxPool1d):
            y = nn.functional.avg_pool1d(y, module.kernel_size, module.stride, module.padding)
        elif isinstance(module, nn.AvgPool1d):
            y = module(y)
    y[..., unit].sum().backward()
    return x.grad[0, 0].nonzero().flatten().tolist()


def gradient(network, base, unit):
    base = base.clone().requires_grad_()
    network(base)[..., unit].sum().backward()
    return base.grad[0, 0].nonzero()[:, 0].tolist()


def wrong_gradient_at_ones(network, length, unit):
    """M20"""
    return gradient(network, torch.ones(1, 1, length).double(), unit)


def wrong_gradient_at_zeros(network, length, unit):
    """M20"""
    return gradient(network, torch.zeros(1, 1, length).double(), unit)


def wrong_gradient_at_random(network, length, unit):
    """M20"""
    return gradient(network, torch.randn(1, 1, length, generator=torch.Generator().manual_seed(7)).double(), unit)


def wrong_small_poke(network, length, unit):
    """M20"""
    return changes(network, length, unit, (1.0,))


def wrong_small_poke_on_random(network, length, unit):
    """M20"""
    base = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(8)).double()
    return changes(network, length, unit, (0.01, -0.01), base)


def wrong_one_sign(network, length, unit):
    """You poke in one direction"""
    return changes(network, length, unit, (1e6,))


def wrong_other_sign(network, length, unit):
    """M20"""
    return changes(network, length, unit, (-1e6,))


def wrong_set_to_zero(network, length, unit):
    """M20"""
    return changes(network, length, unit, (0.0,), torch.ones(1, 1, length).double())


def wrong_holes_filled(network, length, unit):
    """M17"""
    found = right_two_signs(network, length, unit)
    return range(found[0], found[-1] + 1)


def wrong_ends(network, length, unit):
    """Those are the first and the last"""
    found = right_two_signs(network, length, unit)
    return found[0], found[-1]


def wrong_number(network, length, unit):
    """That is how many positions there are"""
    return len(right_two_signs(network, length, unit))


def wrong_mask(network, length, unit):
    """That is a mask"""
    found = right_two_signs(network, length, unit)
    return torch.tensor([x in found for x in range(length)])


def wrong_unit_zero(network, length, unit):
    """You look at unit 0"""
    return right_two_signs(network, length, 0)


def wrong_counted_from_one(network, length, unit):
    """Your positions are one too far to the right"""
    return [x + 1 for x in right_two_signs(network, length, unit)]


def wrong_any_unit(network, length, unit):
    """You list positions that the unit cannot read"""
    return changes(network, length, slice(None), (1e6, -1e6))
