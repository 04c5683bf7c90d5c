"""What the capstone returns, and the requirements that its runs are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rflib.experiments.results import Picture, Result, spread

__all__ = ["BUDGET", "INK_ACCURACY", "MASK_IOU", "Capstone", "CapstoneRun", "Score"]

INK_ACCURACY = 0.78
MASK_IOU = 0.85
BUDGET = 6500  # multiply-adds per pixel


@dataclass(frozen=True)
class Score:
    """How well scenes are labeled.

    Attributes:
        ink_accuracy: Of the pixels that are ink, the share that is given its digit's class.
        mask_iou: Ink against background, whatever the class: intersection over union.
    """

    ink_accuracy: float
    mask_iou: float


@dataclass(frozen=True)
class CapstoneRun:
    """One trained network.

    Attributes:
        design: Its name.
        seed: Of the initialization and of the data.
        field: Size of the receptive field along each axis, in pixels.
        multiply_adds: For each pixel.
        score: On scenes of digits held out.
        prediction: The labels it gives to the result's example.
    """

    design: str
    seed: int
    field: int
    multiply_adds: float
    score: Score
    prediction: Picture

    @property
    def passes(self) -> bool:
        """Whether all three requirements are met."""
        good = self.score.ink_accuracy >= INK_ACCURACY and self.score.mask_iou >= MASK_IOU
        return good and self.multiply_adds <= BUDGET


@dataclass(frozen=True, repr=False)
class Capstone(Result):
    """Candidates for the capstone task, trained and scored.

    Attributes:
        size: Pixels of a scene along each axis.
        steps: Training steps of every run.
        image: An example that no network was trained on.
        labels: Its truth: 0 is background, 1 + class is ink.
        runs: One for each design and seed.
    """

    title: ClassVar[str] = "The capstone: label the ink of noisy digits within a budget"

    size: int
    steps: int
    image: Picture
    labels: Picture
    runs: tuple[CapstoneRun, ...]

    def of(self, design: str) -> tuple[CapstoneRun, ...]:
        """The runs of one design."""
        return tuple(run for run in self.runs if run.design == design)

    @property
    def finding(self) -> str:
        """Which designs meet the requirements, and what the others miss."""
        parts = []
        for name in dict.fromkeys(run.design for run in self.runs):
            runs = self.of(name)
            misses = {
                "ink accuracy": any(run.score.ink_accuracy < INK_ACCURACY for run in runs),
                "mask IoU": any(run.score.mask_iou < MASK_IOU for run in runs),
                "the budget": any(run.multiply_adds > BUDGET for run in runs),
            }
            missed = [what for what, does in misses.items() if does]
            parts.append(f"{name} " + (f"misses {' and '.join(missed)}" if missed else "meets all"))
        return (
            f"Required: ink accuracy >= {INK_ACCURACY}, mask IoU >= {MASK_IOU}, at most {BUDGET:,} multiply-adds per "
            f"pixel. {'; '.join(parts)}."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each design."""
        rows: list[Sequence[object]] = []
        for name in dict.fromkeys(run.design for run in self.runs):
            runs = self.of(name)
            ink, mask = ([getattr(r.score, what) for r in runs] for what in ("ink_accuracy", "mask_iou"))
            passed = f"{sum(r.passes for r in runs)} of {len(runs)}"
            rows.append([name, runs[0].field, f"{runs[0].multiply_adds:,.0f}", spread(ink), spread(mask), passed])
        return ("design", "field", "multiply-adds per pixel", "ink accuracy", "mask IoU", "passes"), rows
