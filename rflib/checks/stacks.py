"""Plain stacks: drawn at random for the judge, counted up from the smallest for the checks, and changed by a slip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any

from rflib.checks.reading import ORDINARY, Plain


def layer(kernel_size: int, stride: int = 1, padding: int | list[int] = 0, dilation: int = 1) -> Plain:
    """A plain layer with all four numbers.

    Example:
        >>> layer(3, 2)
        {'kernel_size': 3, 'stride': 2, 'padding': 0, 'dilation': 1}
    """
    return {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}


def drawn(random: Random, depth: tuple[int, int] = (3, 5), **choices: Any) -> list[Plain]:
    """A stack drawn at random.

    Args:
        random: Where the draws come from.
        depth: Fewest and most layers.
        choices: For "kernel_size", "stride", "padding" and "dilation" the values to draw from; by default ordinary
            layers of kernel 1 to 5.
    """
    from_what = {"kernel_size": (1, 2, 3, 4, 5), **{name: (usual,) for name, usual in ORDINARY.items()}, **choices}
    return [
        {name: random.choice(list(values)) for name, values in from_what.items()} for _ in range(random.randint(*depth))
    ]


def counted(depth: int = 2, **choices: Any) -> Iterator[list[Plain]]:
    """All stacks of such layers, those with fewer layers first.

    Example:
        >>> [len(stack) for stack in counted(kernel_size=(1, 3))]
        [1, 1, 2, 2, 2, 2]
    """
    from_what = {"kernel_size": (1, 2, 3), **{name: (usual,) for name, usual in ORDINARY.items()}, **choices}
    every = [dict(zip(from_what, values, strict=True)) for values in product(*from_what.values())]
    for many in range(1, depth + 1):
        yield from ([dict(one) for one in stack] for stack in product(every, repeat=many))


def changed(stack: Sequence[Plain], **numbers: Any) -> list[Plain]:
    """The stack with some numbers of every layer replaced, as somebody counts who forgets them.

    Example:
        >>> changed([layer(3, dilation=2)], dilation=1)[0]["dilation"]
        1
    """
    return [{**one, **numbers} for one in stack]


def named(stack: Sequence[Plain]) -> str:
    """A stack as a learner would type it, with the `layer` of the exercises; what is ordinary is left out.

    Example:
        >>> named([layer(3, 2), layer(3)])
        '[layer(3, stride=2), layer(3)]'
    """
    return f"[{', '.join(_named(one) for one in stack)}]"


def _named(one: Plain) -> str:
    told = [f"{name}={one[name]!r}" for name, usual in ORDINARY.items() if one.get(name, usual) != usual]
    return f"layer({', '.join([repr(one['kernel_size']), *told])})"


def some(many: int, **choices: Any) -> list[list[Plain]]:
    """Stacks drawn once and for all, those with fewer layers and smaller numbers first.

    Example:
        >>> some(3) == some(3)
        True

    Args:
        many: How many.
        choices: As for `drawn`.
    """
    random = Random(many)
    stacks = [drawn(random, **choices) for _ in range(many)]
    return sorted(stacks, key=lambda stack: (len(stack), sum(one["kernel_size"] * one["stride"] for one in stack)))


MODULES = {"conv": "Conv", "max": "MaxPool", "average": "AvgPool"}


def pasted(network: Sequence[Plain]) -> str:
    """A network of plain modules as a learner would type it; weights are left out.

    Example:
        >>> pasted([{"kind": "conv", "kernel_size": 3, "stride": 2}, {"kind": "relu"}])
        'nn.Sequential(nn.Conv1d(1, 1, 3, stride=2), nn.ReLU())'
    """
    return f"nn.Sequential({', '.join(_pasted(module) for module in network)})"


def _pasted(module: Plain) -> str:
    axes = module.get("axes", 1)
    if module["kind"] == "relu":
        return "nn.ReLU()"
    if module["kind"] == "batch-norm":
        return f"nn.BatchNorm{axes}d({module['features']})"
    if module["kind"] == "pad":
        return f"nn.ZeroPad{axes}d({tuple(module['padding'])})"
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in module.items()}
    channels = [str(count) for count in given.get("channels", (1, 1))] if module["kind"] == "conv" else []
    usual = ORDINARY if module["kind"] == "conv" else {"padding": 0, "dilation": 1}
    told = [f"{name}={given[name]}" for name in ORDINARY if name in given and given[name] != usual.get(name)]
    return f"nn.{MODULES[module['kind']]}{axes}d({', '.join([*channels, str(given['kernel_size']), *told])})"


def reading_layers(network: Sequence[Plain]) -> list[Plain]:
    """The plain layers of a network, one for each module: what reads its own place alone has kernel 1.

    Example:
        >>> reading_layers([{"kind": "relu"}, {"kind": "max", "kernel_size": 2, "stride": 2}])
        [{'kernel_size': 1}, {'kernel_size': 2, 'stride': 2}]
    """
    numbers = ("kernel_size", "stride", "padding", "dilation")
    return [
        {"kernel_size": 1, **{name: module[name] for name in numbers if name in module}}
        if module["kind"] != "pad"
        else {"kernel_size": 1, "padding": module["padding"]}
        for module in network
    ]
