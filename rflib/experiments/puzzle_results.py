"""What the puzzle of the two signs returns, and which explanations its runs rule out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rflib.experiments.results import Result, mean, spread

__all__ = ["PuzzleRun", "SignPuzzle", "Verdict"]

LEARNED = 0.95

# For each candidate: networks that are alike in it. Where one of them learns and another does not, it is not the cause.
ALIKE: dict[str, tuple[str, tuple[str, ...]]] = {
    "the receptive field is too small": (
        "the same field",
        ("plain, 12 layers", "batch norm, 12 layers", "He, 12 layers"),
    ),
    "the effective field is too narrow": (
        "the same effective field at the start",
        ("He, 12 layers", "He, weights made small"),
    ),
    "the gradient is too small": (
        "the same gradient at the start",
        ("He, 12 layers", "He, weights made small"),
    ),
    "the function at the start is a bad one": (
        "the same function at the start",
        ("He, 12 layers", "He, weights made small", "He, weights and steps made small"),
    ),
    "small weights cannot be trained": (
        "the same small weights",
        ("He, weights made small", "He, weights and steps made small"),
    ),
}
SURVIVOR = "the steps of the optimizer drown the small signal, so that the ReLUs stop switching"


@dataclass(frozen=True)
class PuzzleRun:
    """One trained network.

    Attributes:
        variant: Its name.
        seed: Of the initialization and of the data.
        field: Size of the receptive field, in input positions.
        share_at_marks: Before training, the two marks' share of the effective field.
        share_at_center: Before training, the share of the position itself.
        gradient: Before training, the sum of the mean absolute gradient over all positions.
        switching_at_start: Before training, the share of ReLUs that switch: on at some positions, off at others, at
            least 2 of 100 each way. Of the layers that read both marks, the one where most switch.
        switching_early: The same after 30 training steps.
        accuracy: On fresh signals; 0.5 is chance.
        steps: Training steps until 99 of 100 signs of a batch were right; where that never happened, all of them.
    """

    variant: str
    seed: int
    field: int
    share_at_marks: float
    share_at_center: float
    gradient: float
    switching_at_start: float
    switching_early: float
    accuracy: float
    steps: int

    @property
    def learned(self) -> bool:
        """Whether at least 95 of 100 signs are right."""
        return self.accuracy >= LEARNED


@dataclass(frozen=True)
class Verdict:
    """What the runs say about one explanation.

    Attributes:
        explanation: The candidate.
        evidence: What was compared, and what came out.
        survives: True or False; None where the runs do not test it.
    """

    explanation: str
    evidence: str
    survives: bool | None


@dataclass(frozen=True, repr=False)
class SignPuzzle(Result):
    """Which networks learn the product of two signs, and which explanations that leaves.

    Attributes:
        distance: Of the two marks from the position, in input positions.
        steps: The most training steps of a run.
        runs: One for each variant and seed.
    """

    title: ClassVar[str] = "The puzzle: predict the product of two signs, one on each side"

    distance: int
    steps: int
    runs: tuple[PuzzleRun, ...]

    def of(self, variant: str) -> tuple[PuzzleRun, ...]:
        """The runs of one variant."""
        return tuple(run for run in self.runs if run.variant == variant)

    def learned(self, variant: str) -> tuple[int, int]:
        """How many runs of a variant learned, of how many."""
        runs = self.of(variant)
        return sum(run.learned for run in runs), len(runs)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Each explanation held against the runs."""
        return (*(self._compare(name, *alike) for name, alike in ALIKE.items()), self._survivor())

    def _compare(self, explanation: str, what: str, variants: Sequence[str]) -> Verdict:
        present = [variant for variant in variants if self.of(variant)]
        shares = {variant: self.learned(variant) for variant in present}
        evidence = f"{what}: " + "; ".join(f"{name} {a} of {n} learned" for name, (a, n) in shares.items())
        if len(present) < 2:
            return Verdict(explanation, "not tested by these runs", None)
        rates = [learned / runs for learned, runs in shares.values()]
        return Verdict(explanation, evidence, not (min(rates) <= 0.2 and max(rates) >= 0.8))

    def _survivor(self) -> Verdict:
        """It says: with steps as small as the signal the failing network learns, and its ReLUs go on switching."""
        failing, cured = self.of("He, weights made small"), self.of("He, weights and steps made small")
        if not failing or not cured:
            return Verdict(SURVIVOR, "not tested by these runs", None)
        spared, won = (sum(run.learned for run in runs) / len(runs) for runs in (failing, cured))
        silent, lively = (mean(run.switching_early for run in runs) for runs in (failing, cured))
        told = [
            f"with {what} {sum(run.learned for run in runs)} of {len(runs)} learned, "
            f"{share:.2f} of the ReLUs switch after 30 of them"
            for what, runs, share in (("ordinary steps", failing, silent), ("small steps", cured, lively))
        ]
        holds = spared <= 0.2 and won >= 0.8 and silent < 0.5 * lively
        return Verdict(SURVIVOR, f"the same small weights: {'; '.join(told)}", holds)

    @property
    def finding(self) -> str:
        """Who learned, who did not, and what survives."""
        names = list(dict.fromkeys(run.variant for run in self.runs))
        always = [name for name in names if self.learned(name)[0] == self.learned(name)[1]]
        never = [name for name in names if not self.learned(name)[0]]
        sometimes = [n + " ({} of {})".format(*self.learned(n)) for n in names if n not in always and n not in never]
        parts = [("learned", always), ("sometimes learned", sometimes), ("stayed at chance", never)]
        said = [f"{what}: {'; '.join(who)}" for what, who in parts if who]
        left = [v.explanation for v in self.verdicts() if v.survives]
        gone = [v.explanation for v in self.verdicts() if v.survives is False]
        if gone:
            said.append(f"ruled out: {'; '.join(gone)}")
        if left:
            said.append(f"survives: {'; '.join(left)}")
        return ". ".join(part[0].upper() + part[1:] for part in said) + "."

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each variant: means over its seeds."""
        rows: list[Sequence[object]] = []
        for name in dict.fromkeys(run.variant for run in self.runs):
            runs = self.of(name)
            steps = sorted(run.steps for run in runs if run.learned)
            rows.append(
                [
                    name,
                    runs[0].field,
                    f"{mean(r.share_at_marks for r in runs):.4f}",
                    f"{mean(r.gradient for r in runs):.1e}",
                    f"{mean(r.switching_at_start for r in runs):.2f}",
                    f"{mean(r.switching_early for r in runs):.2f}",
                    spread(r.accuracy for r in runs),
                    "{} of {}".format(*self.learned(name)),
                    "-" if not steps else spread(map(float, steps), 0),
                ]
            )
        headings = (
            *("variant", "field", "share at marks", "gradient", "ReLUs that switch", "after 30 steps"),
            *("accuracy", "learned", "steps needed"),
        )
        return headings, rows

    def verdict_table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each explanation."""
        words = {True: "survives", False: "ruled out", None: "not tested"}
        return ("explanation", "verdict", "evidence"), [
            [v.explanation, words[v.survives], v.evidence] for v in self.verdicts()
        ]
