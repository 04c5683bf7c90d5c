"""How the cost of an analysis grows with depth: chains of convolutions of 3, and the arithmetic of such a stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import nn

import rflib as rf
from benchmarks.harness import Aim, Bar, Row, Times, growth, medians, timed

TITLE = "Chains of convolutions; processor time, for all of it runs in one thread"
ROUNDS = 3
DEPTHS = (250, 500, 1000, 2000, 4000)
SIZE = 64
KINDS = {"Conv1d": (nn.Conv1d, 1), "Conv2d": (nn.Conv2d, 2)}
AIM = Aim(1.1)  # linear, as far as times tell
STEPS = {
    "analyze": "rf.analyze",
    "sizes": "size of every layer",
    "rows": "all rows of the table, after that",
    "slices": "slices of one unit of the last layer",
}


def steps(rounds: int = ROUNDS, depths: Sequence[int] = DEPTHS) -> int:
    """How often the bar moves."""
    return rounds * sum(depths) * (len(KINDS) + 1)


def measure(bar: Bar | None = None, rounds: int = ROUNDS, depths: Sequence[int] = DEPTHS) -> Iterator[Row]:
    """All depths in turn, each round; the bar counts layers, so that it moves evenly."""
    for kind, (conv, axes) in KINDS.items():
        models = {n: nn.Sequential(*(conv(1, 1, 3, padding=1) for _ in range(n))) for n in depths}
        rf.analyze(models[depths[0]], input_size=(1, 1) + (SIZE,) * axes)  # torch loads what it needs
        times: dict[str, Times] = {step: {n: [] for n in depths} for step in STEPS}
        for _ in range(rounds):
            for n, model in models.items():
                for step, seconds in _stages(model, n, axes).items():
                    times[step][n].append(seconds)
                if bar is not None:
                    bar.update(n)
        for step, what in STEPS.items():
            yield _grown(f"{kind}: {what}", medians(times[step]))
    yield _grown("rf.receptive_field of as many rf.Layer", _arithmetic(bar, rounds, depths))


def _busy(job: Callable[[], object]) -> float:
    """Processor seconds: a power of n is fitted to them, and waiting for other programs would spoil it."""
    return timed(job, time.thread_time)


def _stages(model: nn.Module, depth: int, axes: int) -> dict[str, float]:
    """One analysis and three questions to it, each timed."""
    made: list[Any] = []
    times = {"analyze": _busy(lambda: made.append(rf.analyze(model, input_size=(1, 1) + (SIZE,) * axes)))}
    analysis: rf.Analysis = made[0]
    times["sizes"] = _busy(lambda: [analysis[path].size for path in analysis.paths])
    times["rows"] = _busy(analysis.rows)
    times["slices"] = _busy(analysis[str(depth - 1)].slices)
    assert analysis.output.size == (2 * depth + 1,) * axes  # a wrong answer would be no measurement
    return times


def _arithmetic(bar: Bar | None, rounds: int, depths: Sequence[int]) -> dict[Any, float]:
    stacks = {n: [rf.Layer(3, padding=1)] * n for n in depths}
    times: Times = {n: [] for n in depths}
    for _ in range(rounds):
        for n, layers in stacks.items():
            times[n].append(_busy(lambda layers=layers: [rf.receptive_field(layers) for _ in range(20)]) / 20)
            if bar is not None:
                bar.update(n)
    return medians(times)


def _grown(what: str, middle: dict[Any, float]) -> Row:
    return Row(what, middle[max(middle)], growth(middle, AIM))
