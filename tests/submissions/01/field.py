"""Submissions for 01-field: size and jump of a real network, found by trial."""

import numpy as np
import torch

LONG = 200


def reads(network, length, unit, pokes=(1e6, -1e6)):
    found = set()
    with torch.no_grad():
        base = torch.zeros(1, 1, length).double()
        for poke in pokes:
            poked = base + torch.where(torch.eye(length)[:, None] == 1, poke, 0.0).double()
            changed = (network(poked)[..., unit] != network(base)[..., unit]).any(dim=1)
            found |= set(changed.nonzero()[:, 0].tolist())
    return sorted(found)


def middle(network, length):
    return network(torch.zeros(1, 1, length).double()).shape[-1] // 2


def right_by_poking(network):
    unit = middle(network, LONG)
    first, second = reads(network, LONG, unit), reads(network, LONG, unit + 1)
    return first[-1] - first[0] + 1, second[0] - first[0]


def right_not_a_number(network):
    unit = middle(network, LONG)
    first = reads(network, LONG, unit, (float("nan"),))
    second = reads(network, LONG, unit + 1, (float("nan"),))
    return [max(first) - min(first) + 1, min(second) - min(first)]


def number(module, name, usual):
    value = getattr(module, name, usual)
    return value[0] if isinstance(value, tuple) else value


def right_by_its_layers(network):
    size, jump = 1, 1
    for module in network:
        size += number(module, "dilation", 1) * (number(module, "kernel_size", 1) - 1) * jump
        jump *= number(module, "stride", 1)
    return size, jump


def right_numpy(network):
    return np.array(right_by_poking(network))


def right_tensor(network):
    return torch.tensor(right_by_its_layers(network))


def right_whole_floats(network):
    size, jump = right_by_its_layers(network)
    return float(size), np.float64(jump)


def right_recursion(network):
    def back(modules, units):
        if not modules:
            return units
        last = modules[-1]
        extent = number(last, "dilation", 1) * (number(last, "kernel_size", 1) - 1) + 1
        return back(modules[:-1], number(last, "stride", 1) * (units - 1) + extent)

    modules = list(network)
    return back(modules, 1), back(modules, 2) - back(modules, 1)


def wrong_border(network):
    """Your window is cut by the border"""
    found = reads(network, LONG, 0)
    return found[-1] - found[0] + 1 if found else 1, right_by_its_layers(network)[1]


def wrong_count(network):
    """You count the positions that are read"""
    return len(reads(network, LONG, middle(network, LONG))), right_by_its_layers(network)[1]


def wrong_one_less(network):
    """From the first to the last, both count"""
    size, jump = right_by_poking(network)
    return size - 1, jump


def wrong_one_more(network):
    """Your size is one too large"""
    size, jump = right_by_poking(network)
    return size + 1, jump


def wrong_first_kernel(network):
    """M2"""
    return network[0].kernel_size[0], right_by_its_layers(network)[1]


def wrong_kernels_added(network):
    """A7"""
    sizes = [number(module, "kernel_size", 0) for module in network]
    return sum(sizes), right_by_its_layers(network)[1]


def wrong_padding_added(network):
    """M8"""
    size, jump = right_by_its_layers(network)
    return size + 2 * sum(number(module, "padding", 0) for module in network), jump


def wrong_jump_of_one(network):
    """yours is always 1"""
    return right_by_poking(network)[0], 1


def wrong_last_stride(network):
    """M7"""
    strides = [number(module, "stride", None) for module in network]
    return right_by_poking(network)[0], [stride for stride in strides if stride][-1]


def wrong_strides_added(network):
    """You add the strides"""
    return right_by_poking(network)[0], sum(number(module, "stride", 0) for module in network)


def wrong_exchanged(network):
    """Size and jump are exchanged"""
    return right_by_poking(network)[::-1]


def wrong_size_alone(network):
    """The jump is missing"""
    return right_by_poking(network)[0]


def wrong_gradient(network):
    """M20"""
    base = torch.randn(1, 1, LONG, generator=torch.Generator().manual_seed(9)).double().requires_grad_()
    network(base)[..., middle(network, LONG)].sum().backward()
    found = base.grad[0, 0].nonzero()[:, 0].tolist() or [0]
    return found[-1] - found[0] + 1, right_by_its_layers(network)[1]
