"""Training moves the effective field: measured before, during and after, and checked by flipping signs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor

from rflib.errors import ModelError
from rflib.experiments.results import Result, spread
from rflib.experiments.signals import LENGTH, SignalNetwork, SignTask, effective_field, flipped
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from, train

__all__ = ["FieldInTraining", "Snapshot", "watch_field"]

MEASURED = 128  # signals for each measurement


@dataclass(frozen=True)
class Snapshot:
    """The effective field of the middle output at one moment of one training.

    Attributes:
        seed: Of the initialization and of the data.
        step: Training steps so far.
        accuracy: On the signals of the measurement; 0.5 is chance.
        shares: Share of the absolute gradient, one for each of the result's offsets.
        flips: Share of the signals whose output changes sign when the sign at that offset is flipped.
        sigma: Standard deviation of the shares about their mean, in input positions.
    """

    seed: int
    step: int
    accuracy: float
    shares: tuple[float, ...]
    flips: tuple[float, ...]
    sigma: float


@dataclass(frozen=True, repr=False)
class FieldInTraining(Result):
    """Effective fields before, during and after training.

    Attributes:
        task: "copy" or "product".
        distance: Of the marks, in input positions.
        marks: The offsets that the answer depends on.
        offsets: The offsets measured: all that the network reads.
        snapshots: For each seed, in the order of the steps.
    """

    title: ClassVar[str] = "The effective field before, during and after training"

    task: str
    distance: int
    marks: tuple[int, ...]
    offsets: tuple[int, ...]
    snapshots: tuple[Snapshot, ...]

    def at(self, offset: int, values: Sequence[float]) -> float:
        """The entry of `shares` or `flips` that belongs to an offset."""
        return values[self.offsets.index(offset)]

    @property
    def before(self) -> tuple[Snapshot, ...]:
        """The first snapshot of every seed."""
        return tuple(s for s in self.snapshots if s.step == min(t.step for t in self.snapshots))

    @property
    def after(self) -> tuple[Snapshot, ...]:
        """The last snapshot of every seed."""
        return tuple(s for s in self.snapshots if s.step == max(t.step for t in self.snapshots))

    def on_marks(self, values: Sequence[float]) -> tuple[float, ...]:
        """The entries at the marks."""
        return tuple(self.at(mark, values) for mark in self.marks)

    def off_marks(self, values: Sequence[float]) -> tuple[float, ...]:
        """The entries everywhere else."""
        return tuple(v for offset, v in zip(self.offsets, values, strict=True) if offset not in self.marks)

    @property
    def finding(self) -> str:
        """What happened to the shares, the flips and sigma."""
        share = [spread(sum(self.on_marks(s.shares)) for s in group) for group in (self.before, self.after)]
        sigma = [spread((s.sigma for s in group), 1) for group in (self.before, self.after)]
        on = spread(v for s in self.after for v in self.on_marks(s.flips))
        off = spread(v for s in self.after for v in self.off_marks(s.flips))
        seeds = f"{len(self.after)} seed" + ("s" if len(self.after) > 1 else "")
        return (
            f"Training moves the marks' share of the gradient from {share[0]} to {share[1]} ({seeds}), and sigma from "
            f"{sigma[0]} to {sigma[1]}. After it, flipping a marked sign changes {on} of the outputs, "
            f"flipping any other {off}."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each snapshot."""
        rows: list[Sequence[object]] = []
        shown = sorted({*self.marks, 0})
        for s in self.snapshots:
            shares = [f"{self.at(offset, s.shares):.3f}" for offset in shown]
            on = spread(self.on_marks(s.flips))
            worst = f"{max(self.off_marks(s.flips)):.2f}"
            rows.append([s.seed, s.step, f"{s.accuracy:.2f}", *shares, f"{s.sigma:.2f}", on, worst])
        headings = [f"share at {offset:+d}" if offset else "share at 0" for offset in shown]
        return ("seed", "step", "accuracy", *headings, "sigma", "flips at marks", "most flips elsewhere"), rows


def watch_field(
    task: Literal["copy", "product"] = "copy",
    distance: int = 6,
    *,
    seeds: Iterable[int] = (0, 1, 2),
    steps: Sequence[int] = (0, 30, 60, 100, 200),
    progress: bool = True,
) -> FieldInTraining:
    """Measure the effective field of a network while it learns.

    For "copy" (the sign `distance` to the left) the network is a plain stack of kernel 3 with two layers more than
    needed and He initialization; for "product" (of the signs `distance` to the left and to the right) a stack with
    dilations 1, 2, 4, ... and PyTorch's initialization.

    Example:
        >>> result = watch_field("copy", distance=2, seeds=(0,), steps=(0, 100), progress=False)
        >>> before, after = result.snapshots
        >>> result.at(-2, after.shares) > 2 * result.at(-2, before.shares), result.at(-2, after.flips) > 0.9
        (True, True)

    Args:
        task: "copy" or "product".
        distance: Of the marks, in input positions.
        seeds: Each initializes a network and draws its data.
        steps: When to measure; the largest is the length of the training (Adam, rate 0.003, 16 signals of 256
            positions a step).
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `FieldInTraining`.

    Raises:
        ModelError: An argument out of range.
    """
    distance, seeds = at_least("distance", distance, 1), seeds_from(seeds)
    moments = sorted({at_least("steps", step, 0) for step in steps})
    if len(moments) < 2:
        raise ModelError(f"`steps` needs at least two moments, for example (0, 200); got {tuple(steps)}.")
    if task not in ("copy", "product"):
        raise ModelError(f"`task` must be 'copy' or 'product'; got {task!r}.")
    marks = (-distance,) if task == "copy" else (-distance, distance)
    signs = SignTask((marks,))
    snapshots: list[Snapshot] = []
    with bar_over(len(seeds) * moments[-1], "effective field", progress) as bar:
        for seed in seeds:
            with on_its_own(seed):
                model = _network(task, distance)
                data = data_generator(seed)
                watch = _Watch(model, signs, seed, moments, signs.batch(data, MEASURED))
                watch.look(0)
                optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
                train(model, partial(signs.batch, data, 16), signs.loss, optimizer, moments[-1], bar, watch=watch)
            snapshots += watch.seen
    return FieldInTraining(task, distance, marks, watch.offsets, tuple(snapshots))


def _network(task: str, distance: int) -> SignalNetwork:
    if task == "copy":
        model = SignalNetwork([1] * (distance + 2))
        he_initialize(model)
        return model
    dilations = [1]
    while sum(dilations) < distance:
        dilations.append(2 * dilations[-1])
    return SignalNetwork(dilations)


@dataclass
class _Watch:
    """Takes the snapshots."""

    model: SignalNetwork
    task: SignTask
    seed: int
    moments: Sequence[int]
    sample: tuple[Tensor, Tensor]
    seen: list[Snapshot] = field(default_factory=list)

    @property
    def offsets(self) -> tuple[int, ...]:
        return tuple(range(-self.model.reach, self.model.reach + 1))

    def __call__(self, step: int, outputs: Tensor, targets: Tensor) -> None:
        self.look(step)

    def look(self, step: int) -> None:
        if step not in self.moments:
            return
        signs, targets = self.sample
        measured = effective_field(self.model, signs)
        self.model.eval()
        with torch.no_grad():
            accuracy = float(self.task.correct(self.model(signs), targets)[0])
        self.model.train()
        shares = tuple(float(measured.map[LENGTH // 2 + offset]) for offset in self.offsets)
        flips = flipped(self.model, signs, self.offsets)
        self.seen.append(Snapshot(self.seed, step, accuracy, shares, flips, measured.sigma[0]))
