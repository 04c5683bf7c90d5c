"""Tests that lie about real networks, and networks on which they do: a zero of a ReLU or a max-pool proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from random import Random
from typing import Any

import torch

from rflib.checks import preparing
from rflib.checks.reading import Plain, lengths_of
from rflib.checks.stacks import reading_layers
from rflib.checks.task import Inputs, Rule, Written

RELU: Plain = {"kind": "relu"}


@dataclass(frozen=True)
class Lie(Rule):
    """A test that lies in a way that depends on random numbers: its answers are recognized by what they have in common.

    Args:
        alike: From a wrong answer and the truth to whether the answer is of this kind.
    """

    _: KW_ONLY
    alike: Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Poked(Written):
    """A function that finds by trial what a real network reads."""

    def explains(self, rule: Rule, inputs: Inputs, answer: Any) -> bool:
        if isinstance(rule, Lie):
            try:
                return rule.alike(answer, self.true(inputs))
            except TypeError:
                return False
        return super().explains(rule, inputs, answer)


def fewer(answer: Any, truth: Any) -> bool:
    """Whether some of the positions are missing, and no other is there."""
    return isinstance(answer, list) and set(answer) < set(truth)


def more(answer: Any, truth: Any) -> bool:
    """Whether all positions are there, and others too."""
    return isinstance(answer, list) and set(answer) > set(truth)


def graded(network: Sequence[Plain], length: int, unit: int, fill: str) -> list[int]:
    """Where the gradient of a unit is not zero, for an input of zeros, of ones, or of random numbers."""
    given = _input(length, fill).requires_grad_()
    preparing.network(list(network))(given)[..., unit].sum().backward()
    return sorted((given.grad if given.grad is not None else given * 0)[0, 0].nonzero()[:, 0].tolist())


def answering(network: Sequence[Plain], length: int, unit: int, fill: str, poke: float | None) -> list[int]:
    """The positions whose poke changes a unit; None sets the position to zero."""
    return [x for x in range(length) if unit in changed(network, length, x, fill, poke)]


def changed(network: Sequence[Plain], length: int, position: int, fill: str, poke: float | None) -> list[int]:
    """The units that change when a position is poked; None sets it to zero."""
    model, base = preparing.network(list(network)), _input(length, fill)
    poked = base.clone()
    poked[..., position] = 0 if poke is None else poked[..., position] + poke
    with torch.no_grad():
        return sorted((model(poked) != model(base)).any(dim=1)[0].nonzero()[:, 0].tolist())


def _input(length: int, fill: str) -> torch.Tensor:
    if fill == "random":
        return torch.randn(1, 1, length, dtype=torch.float64, generator=torch.Generator().manual_seed(length))
    return torch.full((1, 1, length), float(fill == "ones"), dtype=torch.float64)


def drawn_network(random: Random, kinds: Sequence[str], depth: tuple[int, int], padded: bool) -> list[Plain]:
    """A network of one axis. Large pokes of both signs find all that it reads, and so does NaN; small ones, one sign
    alone and the gradient need not.

    Only the first convolution has weights of both signs, one sign a tap, and a ReLU follows: a poke of the right sign
    then grows through weights above zero, ReLUs and max-pools, and nothing can cancel it.
    """
    channels = random.choice((1, 2))
    found: list[Plain] = []
    for place in range(random.randint(*depth)):
        kind = "conv" if place == 0 else random.choice(list(kinds))
        module = _pool(random, kind, padded) if kind != "conv" else _conv(random, channels, place == 0, padded)
        if place == 0:
            signs = [random.choice((-1, 1)) if "relu" in kinds else 1 for _ in range(module["kernel_size"])]
            module["weights"] = [[[w * s for w, s in zip(row[0], signs, strict=True)]] for row in module["weights"]]
        found.append(module)
        if "relu" in kinds and (place == 0 or random.random() < 0.5):
            found.append(RELU)
    return found


def _conv(random: Random, channels: int, first: bool, padded: bool) -> Plain:
    before = 1 if first else channels
    taps = random.choice((2, 3) if first else (1, 2, 3))
    dilation = random.choice((1, 1, 2, 3))
    return {
        "kind": "conv",
        "channels": [before, channels],
        "kernel_size": taps,
        "stride": random.choice((1, 1, 2)),
        "padding": random.choice((0, 1, 2)) if padded else 0,
        "dilation": dilation,
        "weights": [[[random.randint(1, 3) for _ in range(taps)] for _ in range(before)] for _ in range(channels)],
        "bias": [random.randint(-3, 3) for _ in range(channels)],
    }


def _pool(random: Random, kind: str, padded: bool) -> Plain:
    if kind == "relu":
        return RELU
    found = {"kind": kind, "kernel_size": random.choice((2, 3)), "stride": random.choice((1, 2))}
    return {**found, "padding": random.choice((0, 1)) if padded else 0}


def units_of(network: Sequence[Plain], length: int) -> int:
    """How many units a network puts out."""
    return lengths_of(reading_layers(network), length)[-1]


def some_networks(
    seed: str, many: int, kinds: Sequence[str], depth: tuple[int, int], padded: bool
) -> Iterator[list[Plain]]:
    """Networks drawn once and for all, those with fewer modules first."""
    random = Random(seed)
    yield from sorted((drawn_network(random, kinds, depth, padded) for _ in range(many)), key=len)
