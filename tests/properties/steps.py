"""Random steps of a random network: each takes a feature map (batch, channels, space...) and makes a module for it.

A step that does not fit what it is given says so by raising, or returns None; the network is then made without it.
Arithmetic can hide what is read, whatever the weights: a statistic taken away from equal values, a gate on a zero of
the padding. Steps that could do so first give each element a weight and a summand of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Make = Callable[[Random, Tensor], nn.Module | None]
ONE: dict[str, Make] = {}
"""Steps on one feature map, by name."""


def step(make: Make) -> Make:
    """Enter a step under its function's name."""
    ONE[make.__name__] = make
    return make


class Fn(nn.Module):
    """A function as a module, with the words that reproduce it."""

    def __init__(self, words: str, function: Callable[..., object], *parts: nn.Module):
        super().__init__()
        self.words, self.function, self.parts = words, function, nn.ModuleList(parts)

    def forward(self, *inputs: Tensor) -> object:
        return self.function(*inputs, *self.parts)

    def extra_repr(self) -> str:
        return self.words


class Weighted(nn.Module):
    """A learned factor and summand for each element."""

    def __init__(self, x: Tensor):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, *x.shape[1:], dtype=torch.float64))
        self.bias = nn.Parameter(torch.ones(1, *x.shape[1:], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


def weighted(x: Tensor, module: nn.Module) -> nn.Module:
    return nn.Sequential(Weighted(x), module)


def axes(x: Tensor) -> int:
    return x.dim() - 2


def each(rng: Random, x: Tensor, *choices: int) -> tuple[int, ...]:
    """One of the choices for every axis."""
    return tuple(rng.choice(choices) for _ in range(axes(x)))


def of(kind: str, x: Tensor) -> Callable[..., nn.Module]:
    return getattr(nn, f"{kind}{axes(x)}d")


def groups_of(rng: Random, *channels: int) -> int:
    return rng.choice([g for g in (1, 1, 2, 3, 4) if all(c % g == 0 for c in channels)])


# --- windows that slide ---------------------------------------------------------------------------------------------


@step
def convolution(rng: Random, x: Tensor) -> nn.Module:
    k, d = each(rng, x, 1, 2, 3, 3, 4), each(rng, x, 1, 1, 2)
    out = rng.choice((1, 2, 3, 4))
    keywords: dict[str, object] = {"dilation": d, "groups": groups_of(rng, x.shape[1], out)}
    padding: object = rng.choice(("numbers", "numbers", "same", "valid"))
    if padding == "numbers":
        padding = each(rng, x, 0, 1, 1, 2)
    if padding != "same":
        keywords["stride"] = each(rng, x, 1, 1, 2, 3)
    mode = rng.choice(("zeros", "zeros", "reflect", "replicate", "circular"))
    return of("Conv", x)(x.shape[1], out, k, padding=padding, padding_mode=mode, **keywords)


@step
def transposed_convolution(rng: Random, x: Tensor) -> nn.Module:
    stride, dilation = each(rng, x, 1, 2, 2, 3), each(rng, x, 1, 1, 2)
    extra = tuple(rng.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True))
    out = rng.choice((1, 2, 3))
    return of("ConvTranspose", x)(
        x.shape[1], out, each(rng, x, 1, 2, 3, 4), stride=stride, padding=each(rng, x, 0, 1, 2), output_padding=extra,
        dilation=dilation, groups=groups_of(rng, x.shape[1], out),
    )  # fmt: skip


@step
def max_pool(rng: Random, x: Tensor) -> nn.Module:
    k = each(rng, x, 1, 2, 2, 3)
    padding = tuple(rng.randint(0, n // 2) for n in k)
    stride = rng.choice((None, each(rng, x, 1, 2, 3)))
    return of("MaxPool", x)(k, stride, padding, dilation=each(rng, x, 1, 1, 2), ceil_mode=rng.random() < 0.5)


@step
def average_pool(rng: Random, x: Tensor) -> nn.Module:
    k = each(rng, x, 1, 2, 2, 3)
    padding = tuple(rng.randint(0, n // 2) for n in k)
    stride = rng.choice((None, each(rng, x, 1, 2, 3)))
    return of("AvgPool", x)(k, stride, padding, ceil_mode=rng.random() < 0.5, count_include_pad=rng.random() < 0.5)


@step
def power_pool(rng: Random, x: Tensor) -> nn.Module | None:
    if axes(x) == 3:
        return None
    k = rng.choice((1, 2, 3))
    return of("LPPool", x)(2, k, stride=rng.choice((None, 1, 2)), ceil_mode=rng.random() < 0.5)


@step
def functional_convolution(rng: Random, x: Tensor) -> nn.Module:
    """Every channel with a kernel of its own, called as a function."""
    run, n = getattr(F, f"conv{axes(x)}d"), axes(x)
    kernel = nn.Module()
    kernel.weight = nn.Parameter(torch.ones(x.shape[1], 1, *each(rng, x, 1, 2, 3), dtype=torch.float64))
    stride, padding = each(rng, x, 1, 2), each(rng, x, 0, 1)
    words = f"conv{n}d stride={stride} padding={padding} kernel={tuple(kernel.weight.shape[2:])}"
    return Fn(words, lambda t, m: run(t, m.weight, None, stride, padding, 1, t.shape[1]), kernel)


# --- resampling -----------------------------------------------------------------------------------------------------


@step
def adaptive_pool(rng: Random, x: Tensor) -> nn.Module:
    kind = rng.choice(("AdaptiveAvgPool", "AdaptiveMaxPool"))
    sizes = [rng.choice((None, 1, 2, 3, n + 1, max(n - 1, 1))) for n in x.shape[2:]]
    return of(kind, x)(sizes if axes(x) > 1 else sizes[0] or 2)


@step
def interpolation(rng: Random, x: Tensor) -> nn.Module | None:
    smooth = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}[axes(x)]
    mode = rng.choice(["nearest", "nearest-exact", *smooth, *smooth])
    keywords: dict[str, object] = {"mode": mode}
    if rng.random() < 0.6:
        keywords["size"] = tuple(rng.choice((1, n, 2 * n, max(1, n // 2), n + 1, n + 2, 3)) for n in x.shape[2:])
    else:
        keywords["scale_factor"] = tuple(rng.choice((0.5, 1.5, 2.0, 0.7, 1.0, 1.3)) for _ in x.shape[2:])
        if rng.random() < 0.3:
            keywords["recompute_scale_factor"] = True
    if mode in smooth:
        keywords["align_corners"] = rng.random() < 0.5
        if mode.startswith("bi") and rng.random() < 0.4:
            keywords["antialias"] = True
            if F.interpolate(x, **keywords).shape[-1] == 1:
                return None  # there torch's kernel answers by the memory layout: with a batch of one, all rows alike
    return Fn(f"interpolate {keywords}", lambda t: F.interpolate(t, **keywords))  # type: ignore[arg-type]


@step
def repeated(rng: Random, x: Tensor) -> nn.Module:
    d, times = rng.randrange(1, x.dim()), rng.choice((2, 3))
    counts = [times if i == d else 1 for i in range(x.dim())]
    if rng.random() < 0.5:
        return Fn(f"repeat {counts}", lambda t: t.repeat(*counts))
    return Fn(f"repeat_interleave {times} along {d}", lambda t: t.repeat_interleave(times, d))
