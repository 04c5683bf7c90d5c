"""Submissions for 01-readers: the units that a broken pixel can change."""

import numpy as np
import torch


def changed(network, length, position, pokes, base=None):
    base = torch.zeros(1, 1, length).double() if base is None else base
    found = set()
    with torch.no_grad():
        before = network(base)
        for poke in pokes:
            poked = base.clone()
            poked[..., position] = poke
            found |= set((network(poked) != before).any(dim=1)[0].nonzero()[:, 0].tolist())
    return sorted(found)


def many(network, length):
    return network(torch.zeros(1, 1, length).double()).shape[-1]


def right_two_signs(network, length, position):
    return changed(network, length, position, (1e6, -1e6))


def right_not_a_number(network, length, position):
    return changed(network, length, position, (float("nan"),))


def right_set(network, length, position):
    return set(changed(network, length, position, (1e5, -1e5)))


def right_numpy(network, length, position):
    mask = np.zeros(many(network, length), dtype=bool)
    mask[right_two_signs(network, length, position)] = True
    return np.flatnonzero(mask)


def right_numpy_scalars(network, length, position):
    return list(right_numpy(network, length, position))


def right_tensor(network, length, position):
    return torch.tensor(right_two_signs(network, length, position))


def right_whole_floats(network, length, position):
    return [unit / 1 for unit in right_two_signs(network, length, position)]


def right_from_the_units(network, length, position):
    def read(unit):
        units = {unit}
        lengths = [length]
        value = torch.zeros(1, 1, length).double()
        for module in network:
            value = module(value)
            lengths.append(value.shape[-1])
        for module, below in zip(list(network)[::-1], lengths[-2::-1], strict=True):
            numbers = [getattr(module, name, usual) for name, usual in USUAL.items()]
            k, s, p, d = (number[0] if isinstance(number, tuple) else number for number in numbers)
            units = {u * s - p + t * d for u in units for t in range(k)} & set(range(below))
        return units

    return [unit for unit in range(many(network, length)) if position in read(unit)]


USUAL = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}


def wrong_gradient(network, length, position):
    """M20"""
    found = []
    for unit in range(many(network, length)):
        base = torch.ones(1, 1, length).double().requires_grad_()
        network(base)[..., unit].sum().backward()
        if base.grad[0, 0, position] != 0:
            found.append(unit)
    return found


def wrong_gradient_at_random(network, length, position):
    """M20"""
    found = []
    for unit in range(many(network, length)):
        base = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(6)).double().requires_grad_()
        network(base)[..., unit].sum().backward()
        if base.grad[0, 0, position] != 0:
            found.append(unit)
    return found


def wrong_small_poke(network, length, position):
    """M20"""
    return changed(network, length, position, (1.0,))


def wrong_one_sign(network, length, position):
    """You poke in one direction"""
    return changed(network, length, position, (1e6,))


def wrong_other_sign(network, length, position):
    """M20"""
    return changed(network, length, position, (-1e6,))


def wrong_set_to_zero(network, length, position):
    """M20"""
    return changed(network, length, position, (0.0,), torch.ones(1, 1, length).double())


def wrong_other_way(network, length, position):
    """the question goes the other way"""
    if position >= many(network, length):
        return []
    return [x for x in range(length) if position in right_two_signs(network, length, x)]


def wrong_holes_filled(network, length, position):
    """M17"""
    found = right_two_signs(network, length, position)
    return range(found[0], found[-1] + 1)


def wrong_ends(network, length, position):
    """Those are the first and the last unit"""
    found = right_two_signs(network, length, position)
    return found[0], found[-1]


def wrong_number(network, length, position):
    """That is how many units there are"""
    return len(right_two_signs(network, length, position))


def wrong_same_place(network, length, position):
    """A1"""
    return [position]


def wrong_mask(network, length, position):
    """That is a mask"""
    found = right_two_signs(network, length, position)
    return [unit in found for unit in range(many(network, length))]


def wrong_trusted(network, length, position):
    """These are the units that you can still trust"""
    found = right_two_signs(network, length, position)
    return [unit for unit in range(many(network, length)) if unit not in found]


def wrong_counted_from_one(network, length, position):
    """Your units are one too many to the right"""
    return [unit + 1 for unit in right_two_signs(network, length, position)]


def wrong_all_units(network, length, position):
    """You list positions that the unit cannot read"""
    return range(many(network, length))
