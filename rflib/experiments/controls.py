"""A control for the puzzle of the two signs: a failing network itself, with nothing changed but its biases.

The variants of `puzzle` compare different weights and different steps. Here weights, data and optimizer stay as they
are, and only the biases differ: as drawn, or starting at zero, or kept at zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from rflib.arithmetic import shown
from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.puzzle import EARLY, RATE, VARIANTS, Variant, switching
from rflib.experiments.results import Result, mean, spread
from rflib.experiments.signals import SignalNetwork, SignTask
from rflib.experiments.training import at_least, bar_over, data_generator, on_its_own, seeds_from, train

__all__ = ["BiasControl", "BiasRun", "Biases", "hold_biases"]

Biases: TypeAlias = Literal["as drawn", "from zero", "kept at zero"]
WORDS: tuple[Biases, ...] = get_args(Biases)
RIGHT = 0.99  # of a batch


@dataclass(frozen=True)
class BiasRun:
    """One trained network.

    Attributes:
        biases: "as drawn" (then trained), "from zero" (then trained) or "kept at zero".
        seed: Of the weights and of the data.
        switching_at_start: Share of ReLUs that switch; see `PuzzleRun`.
        switching_early: The same after 30 training steps.
        accuracy: On fresh signals, at the end of the run; 0.5 is chance.
        steps: Training steps until 99 of 100 signs of a batch were right; where that never happened, all of them.
        learned: Whether that happened. A run ends there, so a later relapse is not seen.
    """

    biases: Biases
    seed: int
    switching_at_start: float
    switching_early: float
    accuracy: float
    steps: int
    learned: bool


@dataclass(frozen=True, repr=False)
class BiasControl(Result):
    """What the same weights learn with different biases.

    Attributes:
        distance: Of the two marks from the position, in input positions.
        variant: Which network: a name from `VARIANTS`, or "own".
        steps: The most training steps of a run.
        runs: One for each kind of biases and seed.
    """

    title: ClassVar[str] = "One network, its biases as drawn, from zero, or kept at zero"

    distance: int
    variant: str
    steps: int
    runs: tuple[BiasRun, ...]

    def of(self, biases: Biases) -> tuple[BiasRun, ...]:
        """The runs with these biases."""
        return tuple(run for run in self.runs if run.biases == biases)

    def learned(self, biases: Biases) -> tuple[int, int]:
        """How many runs with these biases learned, of how many."""
        return sum(run.learned for run in self.of(biases)), len(self.of(biases))

    @property
    def finding(self) -> str:
        """How many runs learned with each kind of biases."""
        said = [f"{word} {a} of {n}" for word in WORDS for a, n in [self.learned(word)] if n]
        return f"{self.variant}. Learned, by biases: {', '.join(said)}."

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each kind of biases: means over its seeds."""
        rows: list[Sequence[object]] = []
        for word in dict.fromkeys(run.biases for run in self.runs):
            runs = self.of(word)
            switching = [mean(getattr(r, f"switching_{when}") for r in runs) for when in ("at_start", "early")]
            accuracy, learned = spread(run.accuracy for run in runs), "{} of {}".format(*self.learned(word))
            rows.append([word, *(f"{share:.2f}" for share in switching), accuracy, learned])
        return ("biases", "ReLUs that switch", f"after {EARLY} steps", "accuracy", "learned"), rows


def hold_biases(
    biases: Iterable[Biases] = WORDS,
    variant: str | Variant = "plain, 12 layers",
    *,
    distance: int = 6,
    seeds: Iterable[int] = (1,),
    steps: int = 400,
    progress: bool = True,
) -> BiasControl:
    """Train one network for the sign puzzle with its biases as drawn, starting at zero, and kept at zero.

    "As drawn" is the run that `solve_sign_puzzle` makes. He initialization draws biases of zero, so that there "from
    zero" is the same.

    Example:
        >>> result = hold_biases(["kept at zero"], Variant((1, 1, 1)), distance=2, seeds=(0,), steps=5, progress=False)
        >>> [(run.biases, run.steps) for run in result.runs]
        [('kept at zero', 5)]

    Args:
        biases: What to do with the biases of all layers, the last one included.
        variant: The network: a name from `VARIANTS`, or a `Variant` of your own. All its steps are ordinary ones,
            whatever its `matched_steps` says.
        distance: Of the two marks from the position, in input positions.
        seeds: Each draws weights and data.
        steps: The most training steps (Adam, rate 0.003, 16 signals of 256 positions each); a run ends when it
            has 99 of 100 signs of a batch right.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `BiasControl`.

    Raises:
        ModelError: An argument out of range.
        UnknownNameError: No variant has that name.
    """
    distance, steps, seeds = at_least("distance", distance, 1), at_least("steps", steps, 1), seeds_from(seeds)
    chosen, network = _chosen(biases), _network(variant)
    task = SignTask(((-distance, distance),))
    runs = []
    with bar_over(len(chosen) * len(seeds) * steps, "biases", progress) as bar:
        for word in chosen:
            for seed in seeds:
                with on_its_own(seed):
                    runs.append(_run(word, network, task, seed, steps, bar))
    return BiasControl(distance, variant if isinstance(variant, str) else "own", steps, tuple(runs))


def _network(variant: str | Variant) -> Variant:
    if isinstance(variant, Variant):
        return variant
    if variant not in VARIANTS:
        raise UnknownNameError("variant", variant, VARIANTS)
    return VARIANTS[variant]


def _chosen(biases: Iterable[Biases]) -> list[Biases]:
    given = {biases} if isinstance(biases, str) else set(biases)
    chosen = [word for word in WORDS if word in given]
    if not chosen or not given <= set(WORDS):
        raise ModelError(f"`biases` must be some of {list(WORDS)}; got {shown(biases)}.")
    return chosen


@dataclass
class _Watch:
    """Looks at the ReLUs after a few steps, and ends a run when it has learned."""

    model: SignalNetwork
    task: SignTask
    signs: Tensor
    early: float = math.nan
    learned: bool = False

    def __call__(self, step: int, outputs: Tensor, targets: Tensor) -> bool:
        if step == EARLY:
            self.early = switching(self.model, self.signs, self.task.margins[0])
        self.learned = bool(self.task.correct(outputs, targets).min() >= RIGHT)
        return self.learned


def _run(word: Biases, variant: Variant, task: SignTask, seed: int, steps: int, bar: Any) -> BiasRun:
    model = variant.build()
    data = data_generator(seed)
    signs, _ = task.batch(data, 64)
    model.set_statistics(signs)
    for name, parameter in model.named_parameters():
        if name.endswith("bias") and word != "as drawn":
            nn.init.zeros_(parameter)
            parameter.requires_grad_(word == "from zero")
    start = switching(model, signs, task.margins[0])
    watch = _Watch(model, task, signs)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=RATE)
    taken = train(model, partial(task.batch, data, 16), task.loss, optimizer, steps, bar, watch=watch)
    early = switching(model, signs, task.margins[0]) if math.isnan(watch.early) else watch.early
    (accuracy,) = task.accuracy(model, data)
    return BiasRun(word, seed, start, early, accuracy, taken, watch.learned)
