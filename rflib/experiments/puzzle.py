"""The puzzle of the two signs: reach is there, and still nothing is learned. Why?

Every candidate for the cause is put to the test by networks that are alike in it and differ elsewhere. What survives
for plain stacks: PyTorch's initialization makes the signal smaller in every layer, while each step of Adam moves biases
by the same amount everywhere. After a few steps the biases are larger than the signal and the ReLUs hardly switch.
`hold_biases` isolates the cause for the plain 12-layer stack: with PyTorch's own weights and optimizer, 0 of 10 seeds
learn with trained biases that start at zero, 10 of 10 with biases kept at zero.

Skip connections keep the signal, and their stack fails too. Its effective field is narrow, which may be why (no control
isolates it): the same stack learns marks that are closer (`benchmarks/evidence.py near`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.puzzle_results import PuzzleRun, SignPuzzle
from rflib.experiments.signals import LENGTH, SignalNetwork, SignTask, effective_field
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from, train

__all__ = ["VARIANTS", "Variant", "solve_sign_puzzle"]

EARLY = 30  # steps after which the ReLUs are looked at again
MORE = 60  # steps after a run has learned, so that batch norm's running statistics catch up
RATE = 3e-3

# PyTorch draws the weights of a convolution with variance 1 / (3 fan_in), He initialization with 2 / fan_in: each
# layer passes on a signal smaller by this factor.
SHRINK = 1 / math.sqrt(6)


@dataclass(frozen=True)
class Variant:
    """A network for the puzzle, and how it starts.

    Attributes:
        dilations: One for each layer.
        kernel_size: Odd, of every layer.
        norm: Whether batch norm stands before each ReLU.
        skip: Whether each layer but the first adds its input to its output.
        initialization: "default" is PyTorch's, "he" has larger weights and biases of zero.
        weight_scale: After He initialization, all weights are multiplied by this.
        restore: Multiply the output so that, at the start, `weight_scale` changes nothing in what the network computes.
        output_scale: The output is multiplied by this as well.
        matched_steps: Scale the learning rates layer by layer by what `weight_scale` does to the signal there.
    """

    dilations: tuple[int, ...]
    kernel_size: int = 3
    norm: bool = False
    skip: bool = False
    initialization: Literal["default", "he"] = "default"
    weight_scale: float = 1.0
    restore: bool = False
    output_scale: float = 1.0
    matched_steps: bool = False

    def build(self) -> SignalNetwork:
        """The network at its start."""
        scale = self.output_scale
        if self.restore:
            scale /= self.weight_scale ** (len(self.dilations) + 1)
        model = SignalNetwork(self.dilations, self.kernel_size, norm=self.norm, skip=self.skip, output_scale=scale)
        if self.initialization == "he":
            he_initialize(model, self.weight_scale)
        return model

    def optimizer(self, model: SignalNetwork) -> torch.optim.Adam:
        """Adam. Its steps have the size of the rate, however small gradient, weight or signal are."""
        if not self.matched_steps:
            return torch.optim.Adam(model.parameters(), lr=RATE)
        groups: list[dict[str, Any]] = []
        for number, convolution in enumerate([*model.convolutions, model.head], start=1):
            groups.append({"params": [convolution.weight], "lr": RATE * self.weight_scale})
            groups.append({"params": [convolution.bias], "lr": RATE * self.weight_scale**number})
        return torch.optim.Adam(groups)


def _he12(**changes: Any) -> Variant:
    return Variant((1,) * 12, initialization="he", **changes)


VARIANTS: Mapping[str, Variant] = {
    "plain, 6 layers": Variant((1,) * 6),
    "plain, 8 layers": Variant((1,) * 8),
    "plain, 12 layers": Variant((1,) * 12),
    "skip connections, 12 layers": Variant((1,) * 12, skip=True),
    "dilations 1, 2, 4": Variant((1, 2, 4)),
    "skip connections, dilations 1, 2, 4": Variant((1, 2, 4), skip=True),
    "one kernel of 13": Variant((1,), kernel_size=13),
    "batch norm, 12 layers": Variant((1,) * 12, norm=True),
    "He, 6 layers": Variant((1,) * 6, initialization="he"),
    "He, 12 layers": _he12(),
    "He, output made small": _he12(output_scale=SHRINK**13),
    "He, weights made small": _he12(weight_scale=SHRINK, restore=True),
    "He, weights and steps made small": _he12(weight_scale=SHRINK, restore=True, matched_steps=True),
}


def solve_sign_puzzle(
    distance: int = 6,
    variants: Iterable[str] | Mapping[str, Variant] | None = None,
    *,
    seeds: Iterable[int] = (0,),
    steps: int = 600,
    progress: bool = True,
) -> SignPuzzle:
    """Train networks to predict, at every position, the sign of x[i - distance] x[i + distance].

    Example:
        >>> result = solve_sign_puzzle(variants=["dilations 1, 2, 4"], steps=150, progress=False)
        >>> run = result.runs[0]
        >>> run.field, run.learned
        (15, True)

    Args:
        distance: Of the two marks from the position, in input positions.
        variants: Names from `VARIANTS`, or variants of your own by name; by default all of `VARIANTS`.
        seeds: Each initializes a network and draws its data.
        steps: The most training steps (Adam, rate 0.003, 16 signals of 256 positions each); a run ends 60 steps after
            it had 99 of 100 signs of a batch right.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `SignPuzzle`.

    Raises:
        ModelError: An argument out of range.
        UnknownNameError: No variant has that name.
    """
    distance, steps, seeds = at_least("distance", distance, 1), at_least("steps", steps, 1), seeds_from(seeds)
    chosen = _chosen(variants)
    task = SignTask(((-distance, distance),))
    runs = []
    with bar_over(len(chosen) * len(seeds) * steps, "sign puzzle", progress) as bar:
        for name, variant in chosen.items():
            for seed in seeds:
                with on_its_own(seed):
                    runs.append(_run(name, variant, task, distance, seed, steps, bar))
    return SignPuzzle(distance, steps, tuple(runs))


def _chosen(variants: Iterable[str] | Mapping[str, Variant] | None) -> Mapping[str, Variant]:
    if variants is None:
        return VARIANTS
    if isinstance(variants, Mapping):
        return dict(variants)
    names = [variants] if isinstance(variants, str) else list(variants)
    for name in names:
        if name not in VARIANTS:
            raise UnknownNameError("variant", name, VARIANTS)
    if not names:
        raise ModelError("`variants` is empty; leave it out for all of them.")
    return {name: VARIANTS[name] for name in names}


@dataclass
class _Watch:
    """Looks at the ReLUs after a few steps, and ends a run some steps after it has learned."""

    model: SignalNetwork
    task: SignTask
    signs: Tensor
    distance: int
    early: float = math.nan
    learned: int | None = None

    def __call__(self, step: int, outputs: Tensor, targets: Tensor) -> bool:
        if step == EARLY:
            self.early = switching(self.model, self.signs, self.distance)
        if self.learned is None and bool(self.task.correct(outputs, targets).min() >= 0.99):
            self.learned = step
        return self.learned is not None and step >= self.learned + MORE


def _run(name: str, variant: Variant, task: SignTask, distance: int, seed: int, steps: int, bar: Any) -> PuzzleRun:
    model = variant.build()
    data = data_generator(seed)
    signs, _ = task.batch(data, 64)
    model.set_statistics(signs)
    start = effective_field(model, signs)
    shares = [float(start.map[LENGTH // 2 + offset]) for offset in (-distance, 0, distance)]
    before = switching(model, signs, distance)
    watch = _Watch(model, task, signs, distance)
    taken = train(model, partial(task.batch, data, 16), task.loss, variant.optimizer(model), steps, bar, watch=watch)
    early = switching(model, signs, distance) if math.isnan(watch.early) else watch.early
    (accuracy,) = task.accuracy(model, data)
    return PuzzleRun(
        variant=name,
        seed=seed,
        field=model.field,
        share_at_marks=shares[0] + shares[2],
        share_at_center=shares[1],
        gradient=start.total,
        switching_at_start=before,
        switching_early=early,
        accuracy=accuracy,
        steps=watch.learned or taken,
    )


def switching(model: SignalNetwork, signs: Tensor, distance: int) -> float:
    """Share of ReLUs that switch: on at some positions, off at others, at least 2 of 100 each way.

    Only layers that read both marks count, since only there a product of the two can arise; of these, the one where
    most switch. A ReLU that is always on or always off is linear in what reaches it, and no linear function tells a
    product of signs.
    """
    was_training = model.training
    model.eval()
    with torch.no_grad():
        found, _ = model.activations(signs)
    model.train(was_training)
    inner = slice(model.reach, signs.shape[-1] - model.reach)  # without the units that read padding
    shares = [0.0]
    for reach, active in zip(model.reaches, found, strict=True):
        on = (active[..., inner] > 0).float().mean((0, 2))  # (channels,)
        if reach >= distance:
            shares.append(float(((on > 0.02) & (on < 0.98)).float().mean()))
    return max(shares)
