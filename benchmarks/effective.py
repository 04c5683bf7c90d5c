"""The effective field of one unit against one forward and one backward pass, and how it grows with batch and depth."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

import rflib as rf
from benchmarks.harness import Aim, Bar, Row, growth, interleaved, medians, ratio, threads
from rflib import zoo

TITLE = "Effective field of one unit, against one forward and backward pass with frozen parameters; one thread"
ROUNDS = 3
SIZE = 224
BATCHES = (1, 2, 4, 8)
DEPTHS = (10, 20, 40, 80, 160)
AIM = Aim(1.15)
LINEAR = Aim(1.1)


def steps(rounds: int = ROUNDS, batches: Sequence[int] = BATCHES, depths: Sequence[int] = DEPTHS, **_: Any) -> int:
    """How often the bar moves."""
    return rounds * (len(batches) + 1 + 2 * len(depths))


def measure(
    bar: Bar | None = None,
    rounds: int = ROUNDS,
    batches: Sequence[int] = BATCHES,
    depths: Sequence[int] = DEPTHS,
    size: int = SIZE,
    width: float = 1.0,
) -> Iterator[Row]:
    """A ResNet-50 for all batches in turn; then chains of convolutions of all depths."""
    with threads(1):  # both sides would have as many, and one is disturbed least by other programs
        yield from _with_batch(bar, rounds, batches, size, width)
        yield from _with_depth(bar, rounds, depths)


def _with_batch(bar: Bar | None, rounds: int, batches: Sequence[int], size: int, width: float) -> Iterator[Row]:
    most = max(batches)
    images = torch.randn(most, 3, size, size, generator=torch.Generator().manual_seed(0))
    model = zoo.resnet50(width=width, num_classes=0).eval()
    jobs: dict[Any, Callable[[], object]] = {n: field(model, images[:n]) for n in batches}
    jobs["pass"] = by_hand(model, images)
    jobs["pass"]()
    times = interleaved(jobs, rounds, bar)
    middle = medians(times)
    found = ratio(times[most], times["pass"])
    yield Row(f"ResNet-50 at {size}, batch {most}: the pass", middle["pass"])
    yield Row("  rf.effective_receptive_field", middle[most], f"{found} of it; {AIM.verdict(found.value)}")
    yield _grown("  its growth with the batch", {n: middle[n] for n in batches})


def _with_depth(bar: Bar | None, rounds: int, depths: Sequence[int]) -> Iterator[Row]:
    chains = {n: chain(n) for n in depths}
    x = torch.randn(8, 8, 64, 64, generator=torch.Generator().manual_seed(0))
    pairs = {(n, what): job(c, x) for n, c in chains.items() for what, job in (("map", field), ("pass", by_hand))}
    times = interleaved(pairs, rounds, bar)
    middle = medians(times)
    yield _grown("chain of Conv2d(8, 8, 3): growth with depth", {n: middle[n, "map"] for n in depths})
    each = ", ".join(f"{ratio(times[n, 'map'], times[n, 'pass']).value:.2f}" for n in depths)
    yield Row(f"  of its pass, at {', '.join(str(n) for n in depths)}", None, each)


def field(model: nn.Module, images: Tensor) -> Callable[[], object]:
    """What is measured."""
    return lambda: rf.effective_receptive_field(model, images, progress=False)


def by_hand(model: nn.Module, images: Tensor) -> Callable[[], object]:
    """What it is measured against: the gradient of the same unit, as a script would take it."""
    frozen = copy.deepcopy(model).requires_grad_(False)

    def run() -> Tensor:
        x = images.detach().requires_grad_()
        out = frozen(x)
        out[:, :, out.shape[2] // 2, out.shape[3] // 2].sum().backward()
        assert x.grad is not None
        return x.grad

    return run


def chain(depth: int) -> nn.Sequential:
    """Convolutions that keep the size of the gradient; with PyTorch's own initialization it underflows."""
    model = nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(depth)))
    for parameter in model.parameters():
        nn.init.kaiming_normal_(parameter, nonlinearity="linear")
    return model.eval()


def _grown(what: str, middle: dict[Any, float]) -> Row:
    return Row(what, middle[max(middle)], growth(middle, LINEAR))
