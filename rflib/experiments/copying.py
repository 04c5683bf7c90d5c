"""The copy task: is the answer within reach, or not?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch

from rflib.errors import ModelError
from rflib.experiments.results import Result, spread
from rflib.experiments.signals import SignalNetwork, SignTask
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from, train

__all__ = ["CopyRun", "CopyTask", "run_copy_task"]


@dataclass(frozen=True)
class CopyRun:
    """One trained network.

    Attributes:
        kernel_size: Of every layer.
        depth: Number of convolutions with that kernel.
        reach: How far to the left an output reads, in input positions.
        seed: Of the initialization and of the data.
        accuracy: Share of signs predicted right on fresh signals; 0.5 is chance.
    """

    kernel_size: int
    depth: int
    reach: int
    seed: int
    accuracy: float


@dataclass(frozen=True, repr=False)
class CopyTask(Result):
    """Accuracy against reach, when the answer lies `distance` positions to the left.

    Attributes:
        distance: Where the answer lies, in input positions.
        steps: Training steps of every run.
        runs: One for each kernel size, depth and seed.
    """

    title: ClassVar[str] = "The copy task: predict the sign some positions to the left"

    distance: int
    steps: int
    runs: tuple[CopyRun, ...]

    def accuracies(self, reach: int) -> tuple[float, ...]:
        """Of all runs with that reach."""
        return tuple(run.accuracy for run in self.runs if run.reach == reach)

    @property
    def best_below(self) -> float:
        """The best accuracy of all runs whose reach is too short; nan if there is none."""
        return max((run.accuracy for run in self.runs if run.reach < self.distance), default=float("nan"))

    @property
    def worst_from(self) -> float:
        """The worst accuracy of all runs whose reach is long enough; nan if there is none."""
        return min((run.accuracy for run in self.runs if run.reach >= self.distance), default=float("nan"))

    @property
    def finding(self) -> str:
        """The best that a short reach got and the worst that a sufficient one got."""
        return (
            f"The answer is {self.distance} positions away: with a shorter reach accuracy is at most "
            f"{self.best_below:.2f} (chance is 0.50), with that reach or more at least {self.worst_from:.2f}."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each kernel size and depth."""
        rows: list[Sequence[object]] = []
        for key in dict.fromkeys((run.kernel_size, run.depth, run.reach) for run in self.runs):
            found = [run.accuracy for run in self.runs if (run.kernel_size, run.depth, run.reach) == key]
            rows.append([*key, "yes" if key[2] >= self.distance else "no", spread(found), len(found)])
        return ("kernel", "layers", "reach", "reaches the answer", "accuracy", "seeds"), rows


def run_copy_task(
    distance: int = 6,
    kernel_sizes: Sequence[int] = (3,),
    *,
    depths: Sequence[int] | None = None,
    seeds: Iterable[int] = (0,),
    steps: int = 200,
    channels: int = 16,
    initialization: Literal["he", "default"] = "he",
    progress: bool = True,
) -> CopyTask:
    """Train stacks of different reach to predict the sign of the sample `distance` positions to the left.

    Example:
        >>> result = run_copy_task(distance=2, depths=(1, 2), steps=60, progress=False)
        >>> [run.reach for run in result.runs], result.best_below < 0.6, result.worst_from > 0.9
        ([1, 2], True, True)

    Args:
        distance: Where the answer lies, in input positions to the left.
        kernel_sizes: Odd; each is tried at every depth.
        depths: Numbers of layers; by default every depth up to the one that is sufficient, and two more.
        seeds: Each initializes a network and draws its data.
        steps: Training steps (Adam, rate 0.003, 16 signals of 256 positions each).
        channels: Of every hidden layer.
        initialization: "he", or "default" for PyTorch's.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `CopyTask`.

    Raises:
        ModelError: An argument out of range.
    """
    distance, steps = at_least("distance", distance, 1), at_least("steps", steps, 1)
    seeds, channels = seeds_from(seeds), at_least("channels", channels, 1)
    if initialization not in ("he", "default"):
        raise ModelError(f"`initialization` must be 'he' or 'default'; got {initialization!r}.")
    plan = [(size, depth) for size in kernel_sizes for depth in _depths(distance, size, depths)]
    task = SignTask(((-distance,),))
    runs = []
    with bar_over(len(plan) * len(seeds) * steps, "copy task", progress) as bar:
        for kernel_size, depth in plan:
            for seed in seeds:
                with on_its_own(seed):
                    model = SignalNetwork([1] * depth, kernel_size, channels)
                    if initialization == "he":
                        he_initialize(model)
                    data = data_generator(seed)
                    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
                    train(model, partial(task.batch, data, 16), task.loss, optimizer, steps, bar)
                    (accuracy,) = task.accuracy(model, data)
                runs.append(CopyRun(kernel_size, depth, model.reach, seed, accuracy))
    return CopyTask(distance, steps, tuple(runs))


def _depths(distance: int, kernel_size: int, depths: Sequence[int] | None) -> Sequence[int]:
    kernel_size = at_least("kernel_sizes", kernel_size, 3)
    if kernel_size % 2 == 0:
        raise ModelError(f"`kernel_sizes` must be odd, so that each side gains as much; got {kernel_size}.")
    if depths is not None:
        return [at_least("depths", depth, 1) for depth in depths]
    sufficient = -(-distance // (kernel_size // 2))
    return range(1, sufficient + 3)
