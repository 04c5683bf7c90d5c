"""Random steps that use a module twice, write in place, or join two feature maps."""

from __future__ import annotations

from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from properties.steps import Fn, Make, Weighted, axes, each, of, step

TWO: dict[str, Make] = {}
"""Steps on two feature maps of equal shape, by name."""


def pair(make: Make) -> Make:
    """Enter a step on two maps under its function's name."""
    TWO[make.__name__] = make
    return make


@step
def reused(rng: Random, x: Tensor) -> nn.Module:
    m = of("Conv", x)(x.shape[1], x.shape[1], each(rng, x, 2, 3), padding=each(rng, x, 0, 1))
    return Fn("one convolution twice", lambda t, m: m(torch.tanh(m(t))), m)


@step
def written(rng: Random, x: Tensor) -> nn.Module:
    """Writing through slices and views, into the map itself or into zeros."""
    d = rng.randrange(1, x.dim())
    n = x.shape[d]
    first, st = rng.randrange(n), rng.choice((1, 2))
    at = (*[slice(None)] * d, slice(first, None, st))
    kind = rng.choice(
        ("into zeros", "over itself", "scaled", "added", "filled", "through a view", "by index", "copied")
    )

    def run(t: Tensor) -> Tensor:
        y = t.clone()
        if kind == "into zeros":
            y = t.new_zeros(t.shape) + 0.3
            y[at] = t[at] * 2
            return y
        if kind == "over itself":
            y[at] = t.flip(d)[at]
        elif kind == "scaled":
            y[at].mul_(0.5)
            y[at] += 1.0
        elif kind == "added":
            y[at] += t.roll(1, d)[at]
        elif kind == "filled":
            y[at] = 0.5
        elif kind == "through a view":
            y.view(t.shape[0], -1)[:, 1::2] += t.flip(1).reshape(t.shape[0], -1)[:, 1::2]
        elif kind == "by index":
            where = torch.arange(first, n, st)
            y.index_copy_(d, where, t.flip(d).index_select(d, where))
            y.index_add_(d, where, t.index_select(d, where.flip(0)))
        else:
            torch.cumsum(t, d, out=y) if n < 3 else y.narrow(d, 0, 2).copy_(t.narrow(d, n - 2, 2))
        return y

    return Fn(f"written {kind} along {d} from {first} by {st}", run)


@step
def spread_out(rng: Random, x: Tensor) -> nn.Module:
    """A constant with the map at every second place, as unpooling by hand does."""
    d, st = rng.randrange(2, x.dim()), 2
    first = rng.choice((0, 1))

    def run(t: Tensor) -> Tensor:
        shape = [*t.shape]
        shape[d] = shape[d] * st + 1
        y = torch.full(shape, 0.1, dtype=t.dtype)
        y[(*[slice(None)] * d, slice(first, first + (t.shape[d] - 1) * st + 1, st))] = t
        return y

    return Fn(f"spread out along {d} from {first}", run)


# --- two maps -------------------------------------------------------------------------------------------------------


@pair
def added(rng: Random, x: Tensor) -> nn.Module:
    how = rng.choice(("add", "mul", "max", "in place", "where", "alpha"))

    def run(a: Tensor, b: Tensor) -> Tensor:
        if how == "in place":
            a = a.clone()
            a += 0.8 * b
            return a
        if how == "where":
            return torch.where(a > b, a, b)
        if how == "alpha":
            return torch.add(a, b, alpha=0.7)
        if how == "mul":
            return (a + 0.37) * (b + 0.41)
        return torch.maximum(a, b) if how == "max" else a + 1.1 * b

    return Fn(f"two maps: {how}", run)


@pair
def concatenated(rng: Random, x: Tensor) -> nn.Module:
    d = rng.choice((1, 1, *range(2, x.dim())))
    return Fn(f"cat along {d}", lambda a, b: torch.cat([a, b], d))


@pair
def stacked(rng: Random, x: Tensor) -> nn.Module:
    how = rng.choice(("sum", "mean", "amax", "first", "interleaved", "channels"))
    d = rng.randrange(2, x.dim())

    def run(a: Tensor, b: Tensor) -> Tensor:
        if how == "interleaved":
            return torch.stack([a, b], d + 1).flatten(d, d + 1)
        if how == "channels":
            return torch.stack([a, b], 2).flatten(1, 2)
        s = torch.stack([a, b, 0.5 * a], d)
        return s.select(d, 0) if how == "first" else getattr(s, how)(d)

    return Fn(f"stack at {d}: {how}", run)


@pair
def one_group(rng: Random, x: Tensor) -> nn.Module | None:
    """Two maps as two groups of channels, a layer that keeps groups apart, and then only one of the groups."""
    c, kind, kept = x.shape[1], rng.choice(("convolution", "transposed", "norm")), rng.choice((0, 1))
    if kind == "norm" and x[0].numel() < 3:
        return None
    if kind == "norm":
        norm = nn.Sequential(Weighted(x.repeat(1, 2, *[1] * axes(x))), nn.GroupNorm(2, 2 * c))
        return Fn(f"group {kept} of a group norm", lambda a, b, m: m(torch.cat([a, b], 1)).chunk(2, 1)[kept], norm)
    make = of("Conv" if kind == "convolution" else "ConvTranspose", x)
    inner = make(2 * c, 4, each(rng, x, 1, 2, 3), padding=each(rng, x, 0, 1), groups=2)
    return Fn(f"group {kept} of a {kind}", lambda a, b, m: m(torch.cat([a, b], 1)).chunk(2, 1)[kept], inner)


@pair
def cross_attention(rng: Random, x: Tensor) -> nn.Module | None:
    c = x.shape[1]
    if x[0, 0].numel() < 2:
        return None  # the softmax over one key is 1, whatever the query

    def run(a: Tensor, b: Tensor, q: nn.Module, kv: nn.Module) -> Tensor:
        ta, tb = a.flatten(2).transpose(1, 2), b.flatten(2).transpose(1, 2)
        k, v = kv(tb).chunk(2, -1)
        return a + F.scaled_dot_product_attention(q(ta), k, v).transpose(1, 2).reshape(a.shape)

    return Fn("cross attention", run, nn.Linear(c, c), nn.Linear(c, 2 * c))


@pair
def outer(rng: Random, x: Tensor) -> nn.Module | None:
    """A matrix product of two maps over the last axis."""
    if axes(x) != 2:
        return None
    return Fn("matmul over the last axis", lambda a, b: (a + 0.37) @ (b + 0.41).transpose(-1, -2))
