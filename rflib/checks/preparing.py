"""Arguments out of plain inputs: the layers and networks that a learner's function is asked about.

The text of this file, like that of `plain.py`, is put into the asking cell as it is: it must not import rflib. Torch is
imported where it is needed, because most tasks are about plain numbers and would wait for it.
"""

from __future__ import annotations

from typing import Any


def network_first(inputs: list[Any]) -> list[Any]:
    """The first input, plain layers, as a real network; the others as they are.

    Example:
        >>> network_first([[{"kind": "relu"}], 3])
        [Sequential(
          (0): ReLU()
        ), 3]
    """
    return [network(inputs[0]), *inputs[1:]]


def network_and_signals(inputs: list[Any]) -> list[Any]:
    """The first input as a network, the second as a tensor of signals (B, C, N) in double precision.

    Example:
        >>> network_and_signals([[{"kind": "relu"}], [[[0.5, 1.0]]], 1])[1].shape
        torch.Size([1, 1, 2])
    """
    import torch

    return [network(inputs[0]), torch.tensor(inputs[1], dtype=torch.float64), *inputs[2:]]


def nothing(inputs: list[Any]) -> list[Any]:
    """No argument: the input is the judge's own.

    Example:
        >>> nothing([7])
        []
    """
    return []


def network(layers: list[dict[str, Any]]) -> Any:
    """A `torch.nn.Sequential` in evaluation mode, in double precision.

    Args:
        layers: Dictionaries with "kind" and that module's arguments, such as {"kind": "max", "axes": 2,
            "kernel_size": 2, "stride": 2}; "axes" is 1 where it is left out. A "conv" may have "channels" (in, out),
            and "weights" and "bias", numbers in nested lists.
    """
    from torch import nn

    return nn.Sequential(*[_module(layer) for layer in layers]).double().eval()


def _module(layer: dict[str, Any]) -> Any:
    import torch
    from torch import nn

    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in layer.items()}
    kind, axes = given.pop("kind"), given.pop("axes", 1)
    if kind == "relu":
        return nn.ReLU()
    if kind == "batch-norm":
        return (nn.BatchNorm1d, nn.BatchNorm2d)[axes - 1](given["features"])
    if kind == "pad":
        return (nn.ZeroPad1d, nn.ZeroPad2d)[axes - 1](given["padding"])
    if kind in ("max", "average"):
        pools: dict[str, tuple[Any, ...]] = {
            "max": (nn.MaxPool1d, nn.MaxPool2d),
            "average": (nn.AvgPool1d, nn.AvgPool2d),
        }
        return pools[kind][axes - 1](**given)
    weights, bias = given.pop("weights", None), given.pop("bias", None)
    channels = given.pop("channels", (1, 1))
    kinds: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d)
    conv = kinds[axes - 1](*channels, bias=bias is not None, **given)
    with torch.no_grad():
        if weights is not None:
            conv.weight.copy_(torch.tensor(weights))
        if bias is not None and conv.bias is not None:
            conv.bias.copy_(torch.tensor(bias))
    return conv
