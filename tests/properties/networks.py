"""Random branching networks from a seed, small enough to ask every unit, and smaller ones when one of them fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor, nn

from properties import mixing, moves
from properties.joining import TWO
from properties.steps import ONE

STEPS = sorted({**ONE, **TWO})
"""The names of all steps: those of the modules imported above, which enter themselves."""
assert mixing
assert moves
LARGEST = {1: 24, 2: 64, 3: 80}
CHANNELS = 8


@dataclass(frozen=True)
class Plan:
    """What a network is made of: shapes of inputs, and (step, seed, sources counted back from the newest map)."""

    shapes: tuple[tuple[int, ...], ...]
    steps: tuple[tuple[str, int, tuple[int, ...]], ...]
    outputs: int = 1

    def smaller(self) -> Iterator[Plan]:
        """Plans with one step or one output less."""
        for i in reversed(range(len(self.steps))):
            yield replace(self, steps=self.steps[:i] + self.steps[i + 1 :])
        for i, (name, seed, back) in enumerate(self.steps):
            for b in range(back[0]):
                kept = (name, seed, (b, *back[1:]))
                yield replace(self, steps=(*self.steps[:i], kept, *self.steps[i + 1 :]))
        if self.outputs > 1:
            yield replace(self, outputs=self.outputs - 1)


def draw(seed: int, axes: int | None = None, only: tuple[str, ...] | None = None, longest: int = 6) -> Plan:
    """A random plan.

    Args:
        seed: which one.
        axes: of space, by default 1, 2 or 3.
        only: the steps to choose from, by default all.
        longest: number of steps.
    """
    rng = Random(seed)
    axes = axes or rng.choice((1, 1, 2, 2, 2, 3))
    shortest, longest_axis = {1: (5, 14), 2: (3, 7), 3: (2, 4)}[axes]
    space = tuple(rng.randint(shortest, longest_axis) for _ in range(axes))
    channels = rng.choice((1, 2, 2, 3, 4))
    shapes = [(1, channels, *space)]
    if rng.random() < 0.15:
        shapes.append((1, rng.choice((1, channels)), *(max(2, n - rng.choice((0, 0, 1))) for n in space)))
    names = sorted(only or STEPS)
    pairs = [n for n in names if n in TWO]
    steps = []
    for _ in range(rng.randint(1, longest)):
        name = rng.choice(pairs) if pairs and rng.random() < 0.2 else rng.choice(names)
        back = (0 if rng.random() < 0.8 else rng.randint(0, 3), rng.randint(1, 4))
        steps.append((name, rng.getrandbits(32), back))
    return Plan(tuple(shapes), tuple(steps), rng.choice((1, 1, 1, 2)))


class Joined(nn.Module):
    """Two maps brought to one shape, by resizing, cropping and repeating channels, and then a step on both."""

    def __init__(self, rng: Random, a: Tensor, b: Tensor, inner: nn.Module):
        super().__init__()
        self.inner = inner
        self.space, self.channels = tuple(a.shape[2:]), a.shape[1]
        larger = all(n >= m for n, m in zip(b.shape[2:], self.space, strict=True))
        self.crop = larger and rng.random() < 0.7
        self.fits = tuple(b.shape[1:]) == tuple(a.shape[1:])

    def forward(self, a: Tensor, b: Tensor) -> object:
        if b.shape[2:] != self.space:
            if self.crop:
                margins = [(n - m) // 2 for n, m in zip(b.shape[2:], self.space, strict=True)]
                b = b[(..., *(slice(at, at + m) for at, m in zip(margins, self.space, strict=True)))]
            else:
                b = nn.functional.interpolate(b, self.space, mode="nearest")
        if b.shape[1] != self.channels:
            b = b.mean(1, keepdim=True).expand(-1, self.channels, *[-1] * len(self.space))
        return self.inner(a, b)

    def extra_repr(self) -> str:
        return "" if self.fits else f"second map {'cropped' if self.crop else 'resized'} to {self.space}"


class Network(nn.Module):
    """The network of a plan: each step is a child module, named by its number."""

    def __init__(self, plan: Plan):
        super().__init__()
        self.sources: list[tuple[int, ...]] = []
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            maps = [torch.randn(s, dtype=torch.float64) for s in plan.shapes]
            for name, seed, back in plan.steps:
                self._append(name, Random(seed), back, maps)
        self.outputs = min(plan.outputs, len(self.sources) or 1)
        self.as_dict = plan.outputs > 1 and len(self.sources) % 2 == 0
        self.eval()

    def _append(self, name: str, rng: Random, back: tuple[int, ...], maps: list[Tensor]) -> None:
        """One more step, if it fits."""
        first = max(0, len(maps) - 1 - back[0])
        other = max(0, len(maps) - 1 - back[1])
        try:
            if name in TWO:
                inner = TWO[name](rng, maps[first])
                if inner is None:
                    return
                sources: tuple[int, ...] = (first, other)
                made: nn.Module | None = Joined(rng, maps[first], maps[other], inner)
            else:
                sources, made = (first,), ONE[name](rng, maps[first])
            if made is None:
                return
            made = made.double().eval()
            result = made(*(maps[s].clone() for s in sources))
        except (RuntimeError, ValueError, IndexError, AssertionError):
            return
        if not _fits(result, maps[0]):
            return
        self.add_module(str(len(self.sources)), made)
        self.sources.append(sources)
        maps.append(result)

    def forward(self, *inputs: Tensor) -> object:
        maps = list(inputs)
        for i, sources in enumerate(self.sources):
            maps.append(self.get_submodule(str(i))(*(maps[s] for s in sources)))
        if self.outputs == 1:
            return maps[-1]
        found = maps[-self.outputs :]
        return {f"map{i}": m for i, m in enumerate(found)} if self.as_dict else tuple(found)

    def describe(self) -> str:
        lines = [f"{s} -> {i}: {self.get_submodule(str(i))!r}" for i, s in enumerate(self.sources)]
        return "\n".join(lines)


def smallest(plan: Plan, wrong: Callable[[Plan], list[str]]) -> str:
    """The smallest network found of which something is still wrong, and what: what a failing test prints."""
    found = wrong(plan)
    again = True
    while again:
        again = False
        for candidate in plan.smaller():
            still = wrong(candidate)
            if still:
                plan, found, again = candidate, still, True
                break
    return "\n".join([repr(plan), Network(plan).describe(), *found[:8], f"{len(found)} in all"])


def _fits(result: object, like: Tensor) -> bool:
    if not isinstance(result, Tensor) or result.dim() != like.dim() or result.shape[0] != 1:
        return False
    if not result.isfinite().all():  # a maximum over padding alone
        return False
    space = result[0, 0].numel() if result.shape[1] else 0
    return 0 < space <= LARGEST[like.dim() - 2] and result.shape[1] <= CHANNELS
