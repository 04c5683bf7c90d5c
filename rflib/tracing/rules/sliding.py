"""Convolution, transposed convolution, pooling: windows that slide."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from rflib.graph.relations import Blocks, Inverse, Taps
from rflib.tracing.calls import Call, Entry, all_of, edge, everything, own


def _each(value: Any, axes: int) -> list[int]:
    """One number for each axis: torch lets one stand for all, and none for the default."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return values * axes if len(values) == 1 else values


def _convolution(call: Call) -> int:
    weight, shape = call.arg("weight"), call.shape
    axes = weight.dim() - 2
    stride, padding = _each(call.arg("stride"), axes), _each(call.arg("padding"), axes)
    dilation, groups = _each(call.arg("dilation"), axes), call.arg("groups")
    x, w = call.traced("input"), call.traced("weight")
    edges = []
    if x:
        channels: Entry = all_of(x.shape[1])
        if groups > 1:
            channels = (1, Blocks(groups, shape[1] // groups, x.shape[1] // groups))
        entries: list[Entry] = [own(0, x.shape[0]), channels]
        for a in range(axes):
            kernel, near, far = weight.shape[2 + a], x.shape[2 + a], shape[2 + a]
            if call.arg("transposed"):
                back = Taps(stride[a], -padding[a], dilation[a], kernel, far, near)
                entries.append((2 + a, Inverse(back)))
            else:
                entries.append((2 + a, Taps(stride[a], -padding[a], dilation[a], kernel, near, far)))
        edges.append(edge(x, entries, shape))
    if w:
        edges.append(everything(w, shape, "gate" if x else "main"))  # weights that are computed: a gate
    for name in ("bias",):
        bias = call.traced(name)
        if bias:
            edges.append(edge(bias, [own(1, bias.shape[0])], shape))
    if not w and weight.device.type != "meta" and not call.recorder.is_owned(weight) and bool((weight == 0).any()):
        where = call.recorder.where() or "the model"
        call.recorder.notes[f"weights of {where!r} contain fixed zeros (a mask?): they count as read"] = None
    node = call.add(edges)
    places = prod(call.arg("input").shape[2:]) if call.arg("transposed") else prod(shape[2:])
    call.cost(shape[0] * places * prod(weight.shape))
    return node


def _pooling(call: Call) -> list[int]:
    x, shape = call.operands[0], call.shape
    kernel = call.arg("kernel_size")
    axes = 1 if call.name.startswith(("max_pool1d", "avg_pool1d")) else 3 if "3d" in call.name else 2
    kernel, padding = _each(kernel, axes), _each(call.arg("padding"), axes)
    stride = _each(call.arg("stride"), axes) if call.arg("stride") else kernel
    dilation = _each(call.arguments.get("dilation", 1), axes)
    lead = len(x.shape) - axes
    entries: list[Entry] = [own(i, n) for i, n in enumerate(x.shape[:lead])]
    for a in range(axes):
        taps = Taps(stride[a], -padding[a], dilation[a], kernel[a], x.shape[lead + a], shape[lead + a])
        entries.append((lead + a, taps))
    return [call.add([edge(x, entries, shape)])] * len(call.outputs)


POOLS = "avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d".split()
RULES: dict[str, Callable[[Call], int | list[int]]] = {
    "convolution": _convolution,
    "convolution_overrideable": _convolution,
    "_convolution": _convolution,  # of a module that torch.jit.trace made
    **dict.fromkeys([*POOLS, *(f"max_pool{n}d_with_indices" for n in (1, 2, 3))], _pooling),
}
