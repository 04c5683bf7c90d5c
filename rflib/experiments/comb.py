"""The comb: which offsets can a dilated stack read? It is asked for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from rflib.arithmetic import receptive_field
from rflib.errors import ModelError
from rflib.experiments.results import Result
from rflib.experiments.signals import SignalNetwork, SignTask
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from, train

__all__ = ["Comb", "CombRun", "read_comb"]

LEARNED = 0.95


@dataclass(frozen=True)
class CombRun:
    """One trained network.

    Attributes:
        dilations: One for each layer.
        seed: Of the initialization and of the data.
        accuracy: For each offset, the share of signs predicted right; 0.5 is chance.
        reads: The offsets that the arithmetic says the network reads.
    """

    dilations: tuple[int, ...]
    seed: int
    accuracy: tuple[float, ...]
    reads: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class Comb(Result):
    """Accuracy at every offset, for schedules of dilations.

    Attributes:
        offsets: The offsets asked for, in input positions.
        steps: Training steps of every run.
        runs: One for each schedule and seed.
    """

    title: ClassVar[str] = "The comb: predict the sign at every offset at once"

    offsets: tuple[int, ...]
    steps: int
    runs: tuple[CombRun, ...]

    def learned(self, run: CombRun) -> tuple[int, ...]:
        """The offsets that the run predicts right, at least 95 times of 100."""
        return tuple(o for o, a in zip(self.offsets, run.accuracy, strict=True) if a >= LEARNED)

    def blind(self, run: CombRun) -> tuple[int, ...]:
        """The offsets between the first and the last one read that the run has not learned: the holes."""
        known = self.learned(run)
        return tuple(o for o in self.offsets if min(run.reads) < o < max(run.reads) and o not in known)

    @property
    def as_computed(self) -> bool:
        """Whether every run has learned exactly the offsets that the arithmetic says it reads."""
        return all(self.learned(run) == tuple(o for o in run.reads if o in self.offsets) for run in self.runs)

    @property
    def finding(self) -> str:
        """Which schedules have holes."""
        holes = {run.dilations: self.blind(run) for run in self.runs}
        parts = [
            f"{','.join(map(str, dilations))} is blind at {len(blind)} offsets inside its window"
            for dilations, blind in holes.items()
        ]
        agreement = "are exactly" if self.as_computed else "are NOT exactly"
        return f"The offsets learned {agreement} those that the arithmetic says are read: {'; '.join(parts)}."

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each run."""
        rows: list[Sequence[object]] = []
        for run in self.runs:
            read = [a for o, a in zip(self.offsets, run.accuracy, strict=True) if o in run.reads]
            other = [a for o, a in zip(self.offsets, run.accuracy, strict=True) if o not in run.reads]
            lowest, highest = (f"{min(read):.2f}" if read else "-"), (f"{max(other):.2f}" if other else "-")
            blind = " ".join(map(str, self.blind(run))) or "none"
            rows.append([" ".join(map(str, run.dilations)), run.seed, len(run.reads), blind, lowest, highest])
        headings = ("dilations", "seed", "positions read", "holes", "lowest accuracy where read", "highest elsewhere")
        return headings, rows


def read_comb(
    schedules: Sequence[Sequence[int]] = ((2, 2, 2), (1, 2, 4), (1, 2, 5)),
    *,
    largest: int = 9,
    kernel_size: int = 3,
    seeds: Iterable[int] = (0,),
    steps: int = 300,
    channels: int = 32,
    progress: bool = True,
) -> Comb:
    """Train dilated stacks to predict the sign at every offset from -largest to largest at once.

    Example:
        >>> result = read_comb([(2,)], largest=3, steps=150, progress=False)
        >>> result.learned(result.runs[0]), result.blind(result.runs[0])
        ((-2, 0, 2), (-1, 1))

    Args:
        schedules: Dilations of each stack, one for each layer.
        largest: The largest offset asked for, in input positions.
        kernel_size: Odd, of every layer.
        seeds: Each initializes a network and draws its data.
        steps: Training steps (Adam, rate 0.005, 16 signals of 256 positions each).
        channels: Of every hidden layer; fewer than the offsets to be passed on will not do.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `Comb`.

    Raises:
        ModelError: An argument out of range.
    """
    steps, largest, channels = (
        at_least("steps", steps, 1),
        at_least("largest", largest, 1),
        at_least("channels", channels, 1),
    )
    kernel_size, seeds = at_least("kernel_size", kernel_size, 1), seeds_from(seeds)
    if kernel_size % 2 == 0:
        raise ModelError(f"`kernel_size` must be odd, so that the window is centered; got {kernel_size}.")
    offsets = tuple(range(-largest, largest + 1))
    task = SignTask(tuple((offset,) for offset in offsets))
    runs = []
    with bar_over(len(schedules) * len(seeds) * steps, "comb", progress) as bar:
        for schedule in schedules:
            dilations = tuple(at_least("schedules", dilation, 1) for dilation in schedule)
            for seed in seeds:
                with on_its_own(seed):
                    model = SignalNetwork(dilations, kernel_size, channels, outputs=len(offsets))
                    he_initialize(model)
                    data = data_generator(seed)
                    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
                    train(model, partial(task.batch, data, 16), task.loss, optimizer, steps, bar)
                    accuracy = task.accuracy(model, data)
                runs.append(CombRun(dilations, seed, accuracy, receptive_field(model.layers).positions(0)))
    return Comb(offsets, steps, tuple(runs))
