"""Random steps that mix more than a window: reductions, normalization, attention, recurrence."""

from __future__ import annotations

from math import prod
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from properties.steps import Fn, Weighted, axes, of, step, weighted


@step
def pointwise(rng: Random, x: Tensor) -> nn.Module:
    kinds = (
        nn.ReLU(), nn.LeakyReLU(0.2), nn.SiLU(), nn.GELU(), nn.Tanh(), nn.PReLU(x.shape[1]),
        nn.Dropout(), nn.Identity(), nn.LogSigmoid(),
        nn.ReLU(inplace=True), nn.ELU(inplace=True), nn.Hardswish(), nn.Softplus(),
        Fn("where(x > 0, x, 0.3 x)", lambda t: torch.where(t > 0, t, 0.3 * t)),
        Fn("clamp(-2, 2) + x", lambda t: t.clamp(-2, 2) + t),
        Fn("lerp", lambda t: torch.lerp(t, t * t, 0.4)),
        Fn("addcmul", lambda t: torch.addcmul(t, t, t, value=0.2)),
    )  # fmt: skip
    return rng.choice(kinds)


@step
def pooled_statistic(rng: Random, x: Tensor) -> nn.Module | None:
    """A reduction over some dimensions, kept, alone or joined with the map itself."""
    dims = tuple(sorted(rng.sample(range(1, x.dim()), rng.randint(1, x.dim() - 1))))
    how = rng.choice(("mean", "amax", "sum", "logsumexp", "var", "norm", "amin"))
    join = rng.choice(("alone", "plus", "times"))
    if how == "var" and all(x.shape[d] == 1 for d in dims):
        return None  # the variance of one number is 0

    def run(t: Tensor) -> Tensor:
        if how == "var":
            s = torch.var(t, dim=dims, keepdim=True, correction=0)
        elif how == "norm":
            s = torch.linalg.vector_norm(t, dim=dims, keepdim=True)
        else:
            s = getattr(torch, how)(t, dim=dims, keepdim=True)
        return s if join == "alone" else t + 0.7 * s if join == "plus" else t * torch.sigmoid(s)

    return weighted(x, Fn(f"{how} {dims} {join}", run))


@step
def squeeze_excite(rng: Random, x: Tensor) -> nn.Module:
    gate = nn.Sequential(nn.Linear(x.shape[1], 2), nn.SiLU(), nn.Linear(2, x.shape[1]), nn.Sigmoid())
    dims = tuple(range(2, x.dim()))
    return weighted(
        x, Fn("squeeze-excite", lambda t, m: t * m(t.mean(dims)).reshape(*t.shape[:2], *[1] * axes(t)), gate)
    )


@step
def softmax(rng: Random, x: Tensor) -> nn.Module | None:
    d = rng.randrange(1, x.dim() + 1)
    after = Weighted(x)
    if d == x.dim():
        soft: nn.Module = Fn("softmax over space", lambda t: t.flatten(2).softmax(-1).view(t.shape))
    else:
        soft = Fn(f"softmax {d}", lambda t: t.softmax(d))
    size = x[0, 0].numel() if d == x.dim() else x.shape[d]
    return None if size < 2 else nn.Sequential(Weighted(x), soft, after)


@step
def normalization(rng: Random, x: Tensor) -> nn.Module | None:
    c, inside = x.shape[1], x[0, 0].numel()
    kind = rng.choice(("batch", "instance", "group", "layer", "channels last", "local response", "rms", "unit length"))
    if kind == "batch":
        return of("BatchNorm", x)(c)
    if kind == "local response":
        return nn.LocalResponseNorm(rng.choice((2, 3)), alpha=1.0)
    if kind == "instance" and inside > 2:
        return nn.Sequential(Weighted(x), of("InstanceNorm", x)(c, affine=True), Weighted(x))
    if kind == "group":
        g = rng.choice([g for g in (1, 2, 3) if c % g == 0])
        return None if inside * c // g < 3 else nn.Sequential(Weighted(x), nn.GroupNorm(g, c), Weighted(x))
    if kind == "layer" and inside * c > 2:
        return nn.Sequential(Weighted(x), nn.LayerNorm(tuple(x.shape[1:])), Weighted(x))
    if kind == "channels last" and c > 2:
        m = nn.LayerNorm(c)
        norm = Fn("layer norm, channels last", lambda t, m: m(t.movedim(1, -1)).movedim(-1, 1), m)
        return nn.Sequential(Weighted(x), norm, Weighted(x))
    if kind == "rms" and c > 1:
        m = nn.RMSNorm(c)
        norm = Fn("rms norm, channels last", lambda t, m: m(t.movedim(1, -1)).movedim(-1, 1), m)
        return nn.Sequential(Weighted(x), norm, Weighted(x))
    if kind == "unit length" and c > 1:
        return nn.Sequential(Weighted(x), Fn("normalize over channels", lambda t: F.normalize(t, dim=1)), Weighted(x))
    return None


@step
def self_attention(rng: Random, x: Tensor) -> nn.Module | None:
    """Over all positions, or along one axis, by hand, fused, or as torch's module; causal or not."""
    c = x.shape[1]
    along = rng.choice((None, *range(2, x.dim())))
    kind, causal = rng.choice(("by hand", "fused", "fused", "module", "einsum")), rng.random() < 0.5
    if kind == "module":
        heads = rng.choice([h for h in (1, 2) if c % h == 0])
        inner: nn.Module = nn.MultiheadAttention(c, heads, batch_first=True)
        causal = False
    else:
        inner = nn.Linear(c, 3 * c)
    causal = causal and kind == "fused"

    def attend(t: Tensor, m: nn.Module) -> Tensor:
        """Tokens (.., N, C) to tokens."""
        if kind == "module":
            flat = t.reshape(-1, *t.shape[-2:])
            return m(flat, flat, flat, need_weights=False)[0].reshape(t.shape)
        q, k, v = m(t).chunk(3, -1)
        if kind == "fused":
            return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        if kind == "einsum":
            w = torch.einsum("...qc,...kc->...qk", q, k).softmax(-1)
            return torch.einsum("...qk,...kc->...qc", w, v)
        return (q @ k.transpose(-2, -1) / c**0.5).softmax(-1) @ v

    def run(t: Tensor, m: nn.Module) -> Tensor:
        if along is None:
            return t + attend(t.flatten(2).transpose(1, 2), m).transpose(1, 2).reshape(t.shape)
        tokens = t.movedim((along, 1), (-2, -1))
        return t + attend(tokens, m).movedim((-2, -1), (along, 1))

    return weighted(x, Fn(f"attention {kind} along {along} causal={causal}", run, inner))


@step
def windowed_attention(rng: Random, x: Tensor) -> nn.Module | None:
    """Swin's partition into windows, rolled or not, attention or a mean inside, and back."""
    n = axes(x)
    w = tuple(rng.choice([q for q in (1, 2, 3) if s % q == 0]) for s in x.shape[2:])
    by = tuple(rng.choice((0, 1)) for _ in w)
    c, kind = x.shape[1], rng.choice(("attention", "mean"))
    space = [m for s, q in zip(x.shape[2:], w, strict=True) for m in (s // q, q)]
    inside = prod(w)

    def run(t: Tensor, m: nn.Module) -> Tensor:
        t = torch.roll(t, tuple(-b for b in by), tuple(range(2, 2 + n)))
        b = t.shape[0]
        t = t.movedim(1, -1).reshape(b, *space, c)
        t = t.permute(0, *(1 + 2 * a for a in range(n)), *(2 + 2 * a for a in range(n)), 2 * n + 1)
        fine = t.shape
        t = t.reshape(-1, inside, c)
        if kind == "mean":
            t = t + 0.7 * m(t.mean(1, keepdim=True))
        else:
            k = m(t)
            t = t + (t @ k.transpose(1, 2)).softmax(-1) @ k
        t = t.view(b, *fine[1:])
        t = t.permute(0, *(d for a in range(n) for d in (1 + a, 1 + n + a)), 2 * n + 1)
        t = t.reshape(b, *x.shape[2:], c).movedim(-1, 1)
        return torch.roll(t, by, tuple(range(2, 2 + n)))

    return weighted(x, Fn(f"{kind} in windows {w}, rolled {by}", run, nn.Linear(c, c)))


@step
def cumulative(rng: Random, x: Tensor) -> nn.Module:
    d, how = rng.randrange(1, x.dim()), rng.choice(("cumsum", "cumprod", "logcumsumexp", "cummax"))
    turn = rng.random() < 0.4

    def run(t: Tensor) -> Tensor:
        t = t.flip(d) if turn else t
        found = getattr(torch, how)(t, d)
        return found[0] if how == "cummax" else found

    return weighted(x, Fn(f"{how} {d} turned={turn}", run))


@step
def recurrent(rng: Random, x: Tensor) -> nn.Module:
    d, both = rng.randrange(2, x.dim()), rng.random() < 0.4
    kind = rng.choice((nn.GRU, nn.LSTM, nn.RNN))
    m = kind(x.shape[1], 2, batch_first=True, bidirectional=both, num_layers=rng.choice((1, 1, 2)))

    def run(t: Tensor, m: nn.Module) -> Tensor:
        t = t.movedim((d, 1), (-2, -1))
        found = m(t.reshape(-1, *t.shape[-2:]))[0]
        return found.reshape(*t.shape[:-1], -1).movedim((-2, -1), (d, 1))

    return Fn(f"{kind.__name__} along {d} both={both}", run, m)


@step
def ordered(rng: Random, x: Tensor) -> nn.Module | None:
    d = rng.randrange(1, x.dim())
    if x.shape[d] < 2:
        return None
    if rng.random() < 0.5:
        return weighted(x, Fn(f"sort {d}", lambda t: t.sort(d)[0]))
    return weighted(x, Fn(f"topk 2 along {d}", lambda t: t.topk(2, d)[0]))


@step
def spectrum(rng: Random, x: Tensor) -> nn.Module:
    d = rng.randrange(2, x.dim())
    return weighted(x, Fn(f"abs of fft along {d}", lambda t: torch.fft.fft(t, dim=d).abs()))


@step
def einsum(rng: Random, x: Tensor) -> nn.Module:
    """A learned mix of the channels, or along the last axis, by einsum."""
    d = rng.choice((1, x.dim() - 1))
    letters = "bcdef"[: x.dim()]
    new = letters.replace(letters[d], "z")
    m = nn.Linear(x.shape[d], rng.choice((1, 2, 3)), bias=False)
    return Fn(f"einsum {letters}->{new}", lambda t, m: torch.einsum(f"{letters},z{letters[d]}->{new}", t, m.weight), m)


@step
def data_made_kernel(rng: Random, x: Tensor) -> nn.Module | None:
    """A depthwise kernel computed from the map's own mean."""
    make = nn.Linear(x.shape[1], 3)
    dims = tuple(range(2, x.dim()))

    def run(t: Tensor, m: nn.Module) -> Tensor:
        kernel = m(t.mean(dims))
        t = F.pad(t, (1, 1), value=0.5)
        parts = [t[..., i : t.shape[-1] - 2 + i] * kernel[:, i].reshape(-1, *[1] * (t.dim() - 1)) for i in range(3)]
        return parts[0] + parts[1] + parts[2]

    return weighted(x, Fn("kernel from the mean", run, make))
