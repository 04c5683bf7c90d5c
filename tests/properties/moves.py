"""Random steps that move elements: padding, slices, indices, reshapes, patches."""

from __future__ import annotations

from math import prod
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from properties.steps import Fn, axes, of, step


@step
def padding(rng: Random, x: Tensor) -> nn.Module:
    mode = rng.choice(("constant", "constant", "reflect", "replicate", "circular"))
    low = -1 if mode == "constant" else 0
    amounts = [rng.randint(low, 2) for _ in range(2 * axes(x))]
    if mode == "constant":  # not zeros: what multiplies a zero is read by nobody, whatever it is
        return Fn(f"pad {amounts} constant", lambda t: F.pad(t, amounts, value=0.5))
    return Fn(f"pad {amounts} {mode}", lambda t: F.pad(t, amounts, mode=mode))


@step
def sliced(rng: Random, x: Tensor) -> nn.Module:
    parts: list[slice] = []
    for n in x.shape[2:]:
        first = rng.randint(0, n // 3)
        parts.append(slice(first, rng.randint(first + 1, n), rng.choice((1, 1, 2, 3))))
    return Fn(f"slice {parts}", lambda t: t[(..., *parts)])


@step
def selected(rng: Random, x: Tensor) -> nn.Module:
    d = rng.randrange(2, x.dim())
    i = rng.randrange(x.shape[d])
    if rng.random() < 0.5:
        return Fn(f"own plus select({d}, {i})", lambda t: t + 0.7 * t.select(d, i).unsqueeze(d))
    return Fn(f"select({d}, {i}) kept", lambda t: t.select(d, i).unsqueeze(d))


@step
def rolled(rng: Random, x: Tensor) -> nn.Module:
    d, by = rng.randrange(1, x.dim()), rng.choice((-2, -1, 1, 2))
    return Fn(f"roll {by} along {d}", lambda t: torch.roll(t, by, d))


@step
def flipped(rng: Random, x: Tensor) -> nn.Module:
    d = rng.randrange(1, x.dim())
    return Fn(f"flip {d}", lambda t: t.flip(d))


@step
def transposed(rng: Random, x: Tensor) -> nn.Module | None:
    if axes(x) < 2:
        return None
    a, b = rng.sample(range(2, x.dim()), 2)
    return Fn(f"transpose {a} {b}", lambda t: t.transpose(a, b))


@step
def rotated(rng: Random, x: Tensor) -> nn.Module | None:
    if axes(x) < 2:
        return None
    times = rng.choice((1, 2, 3))
    return Fn(f"rot90 {times}", lambda t: torch.rot90(t, times, (-2, -1)))


@step
def indexed(rng: Random, x: Tensor) -> nn.Module:
    d = rng.randrange(1, x.dim())
    at = torch.tensor([rng.randrange(x.shape[d]) for _ in range(rng.randint(1, x.shape[d] + 1))])
    how = rng.choice(("index_select", "index", "take_along_dim", "one by one"))
    words = f"{how} {at.tolist()} along {d}"
    if how == "index_select":
        return Fn(words, lambda t: torch.index_select(t, d, at))
    if how == "index":
        before = (slice(None),) * d
        return Fn(words, lambda t: t[(*before, at)])
    if how == "one by one":
        return Fn(words, lambda t: torch.stack([t.select(d, int(i)) for i in at], d))
    shape = [1] * x.dim()
    shape[d] = len(at)
    return Fn(words, lambda t: torch.take_along_dim(t, at.reshape(shape), d))


@step
def split_and_joined(rng: Random, x: Tensor) -> nn.Module | None:
    d = rng.randrange(1, x.dim())
    if x.shape[d] < 2:
        return None
    pieces, how = rng.choice((2, 3)), rng.choice(("chunk", "split", "tensor_split", "unbind"))
    order = rng.sample(range(x.shape[d]), x.shape[d])

    def run(t: Tensor) -> Tensor:
        if how == "unbind":
            parts = list(t.unbind(d))
            return torch.stack([parts[i] for i in order], d)
        parts = list(t.split(pieces, d) if how == "split" else getattr(t, how)(pieces, d))
        parts[0] = parts[0] * 0.6
        return torch.cat(parts[::-1], d)

    return Fn(f"{how} {pieces} along {d}, joined {order if how == 'unbind' else 'in reverse'}", run)


@step
def gated_halves(rng: Random, x: Tensor) -> nn.Module | None:
    if x.shape[1] % 2:
        return None
    return Fn("glu", lambda t: F.glu(t, 1))


@step
def space_to_depth(rng: Random, x: Tensor) -> nn.Module:
    """Pixel unshuffle, or the same with view and permute in any number of axes."""
    r = 2
    crop = tuple(slice(0, n - n % r) for n in x.shape[2:])
    if axes(x) == 2 and rng.random() < 0.5:
        return Fn("pixel_unshuffle 2", lambda t: F.pixel_unshuffle(t[(..., *crop)], r))

    def run(t: Tensor) -> Tensor:
        t = t[(..., *crop)]
        space = [m for n in t.shape[2:] for m in (n // r, r)]
        t = t.reshape(*t.shape[:2], *space)
        n = len(space) // 2
        t = t.permute(0, 1, *(3 + 2 * a for a in range(n)), *(2 + 2 * a for a in range(n)))
        return t.flatten(1, 1 + n)

    return Fn("space to depth by view and permute", run)


@step
def depth_to_space(rng: Random, x: Tensor) -> nn.Module:
    n, r = axes(x), 2
    widen = of("Conv", x)(x.shape[1], r**n, 1)
    if n == 2 and rng.random() < 0.5:
        return nn.Sequential(widen, nn.PixelShuffle(r))

    def run(t: Tensor) -> Tensor:
        b, c, *space = t.shape
        t = t.view(b, c // r**n, *[r] * n, *space)
        t = t.permute(0, 1, *(d for a in range(n) for d in (2 + n + a, 2 + a)))
        return t.reshape(b, c // r**n, *(s * r for s in space))

    return nn.Sequential(widen, Fn("depth to space by view and permute", run))


@step
def channel_shuffle(rng: Random, x: Tensor) -> nn.Module | None:
    g = next((g for g in (2, 3) if x.shape[1] % g == 0), None)
    return None if g is None else nn.ChannelShuffle(g)


@step
def unfolded(rng: Random, x: Tensor) -> nn.Module:
    """Tensor.unfold: windows as one more dimension, then taken together or laid into the channels."""
    d = rng.randrange(2, x.dim())
    size, st = rng.randint(1, min(3, x.shape[d])), rng.choice((1, 2))
    how = rng.choice(("mean", "amax", "channels"))

    def run(t: Tensor) -> Tensor:
        t = t.unfold(d, size, st)
        return t.movedim(-1, 2).flatten(1, 2) if how == "channels" else getattr(t, how)(-1)

    return Fn(f"unfold {d} {size} {st}, {how}", run)


@step
def patches(rng: Random, x: Tensor) -> nn.Module | None:
    """F.unfold and then F.fold, or a reshape back to a map."""
    if axes(x) != 2:
        return None
    k, st = rng.choice((1, 2, 3)), rng.choice((1, 2))
    pad, dil = rng.choice((0, 1)), rng.choice((1, 1, 2))
    keywords = {"kernel_size": k, "stride": st, "padding": pad, "dilation": dil}
    size = tuple((n + 2 * pad - dil * (k - 1) - 1) // st + 1 for n in x.shape[2:])
    columns = F.unfold(x, **keywords)  # type: ignore[arg-type]
    if rng.random() < 0.5:
        mix = nn.Conv1d(columns.shape[1], rng.choice((2, 3)), 1)
        return Fn(f"unfold {keywords} to a map", lambda t, m: m(F.unfold(t, **keywords)).unflatten(-1, size), mix)
    mix = nn.Conv1d(columns.shape[1], columns.shape[1], 1, groups=rng.choice((1, x.shape[1])))
    shape = tuple(x.shape[2:])
    return Fn(f"unfold and fold {keywords}", lambda t, m: F.fold(m(F.unfold(t, **keywords)), shape, **keywords), mix)


@step
def patch_tokens(rng: Random, x: Tensor) -> nn.Module | None:
    """Patches as tokens, a linear layer on each, and back to a map of patches."""
    p = tuple(rng.choice([q for q in (1, 2, 3) if n % q == 0]) for n in x.shape[2:])
    space = [m for n, q in zip(x.shape[2:], p, strict=True) for m in (n // q, q)]
    n = axes(x)
    inside = x.shape[1] * prod(p)
    linear = nn.Linear(inside, 3)

    def run(t: Tensor, m: nn.Module) -> Tensor:
        t = t.reshape(*t.shape[:2], *space)
        t = t.permute(0, *(2 + 2 * a for a in range(n)), 1, *(3 + 2 * a for a in range(n)))
        return m(t.reshape(t.shape[0], -1, inside)).transpose(1, 2).unflatten(2, space[::2])

    return Fn(f"tokens of patches {p}", run, linear)


@step
def rows_as_sequence(rng: Random, x: Tensor) -> nn.Module | None:
    """All positions in one row, a convolution along it, and back."""
    if axes(x) == 1:
        return None
    space = tuple(x.shape[2:])
    far, mode = rng.choice((1, 2)), rng.choice(("zeros", "circular"))
    mix = nn.Conv1d(x.shape[1], 2, 3, padding=far, dilation=far, padding_mode=mode)
    return Fn("flatten(2), convolution, unflatten", lambda t, m: m(t.flatten(2)).unflatten(2, space), mix)


@step
def linear_along(rng: Random, x: Tensor) -> nn.Module:
    """A linear layer along one axis of space, or over the channels."""
    d = rng.randrange(1, x.dim())
    m = nn.Linear(x.shape[d], rng.choice((1, 2, 3)))
    return Fn(f"linear along {d}", lambda t, m: m(t.movedim(d, -1)).movedim(-1, d), m)


@step
def strided_view(rng: Random, x: Tensor) -> nn.Module:
    """as_strided and diagonal."""
    if axes(x) == 2 and rng.random() < 0.7:
        by = rng.choice((-1, 0, 1))
        return Fn(f"diagonal {by} as a column", lambda t: t.diagonal(by, 2, 3).unsqueeze(-1))
    n = x.shape[-1]
    if n < 3:
        raise ValueError("too short")

    def run(t: Tensor) -> Tensor:
        t = t.contiguous()
        size, stride = (*t.shape[:-1], n - 2, 3), (*t.stride()[:-1], 1, 1)
        return t.as_strided(size, stride).sum(-1)

    return Fn("windows of three by as_strided", run)
