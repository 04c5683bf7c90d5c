"""Runs a notebook from top to bottom; where the kernel is lost, that cell is lost and a new kernel takes over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rflib.grading.kernel import Kernel, KernelLost
from rflib.grading.limits import Limits

SHOWN = 8  # times the limit of one cell: what is kept of all cells' outputs; later ones are not shown


@dataclass(frozen=True)
class Cell:
    """A code cell to run.

    Args:
        source: Its text.
        question: Whether it asks; a question is asked once, and not again when a kernel is started anew.
    """

    source: str
    question: bool = False


@dataclass
class Outcome:
    """What became of a cell.

    Args:
        outputs: As the kernel sent them.
        error: The exception that ended it, in one line; "" where there was none.
        lost: Why the kernel was lost here, or why the cell was not run; "" where it ran.
    """

    outputs: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    lost: str = ""


class Runner:
    """Runs cells in kernels of a sandbox.

    Args:
        start: Starts a kernel.
        limits: Time for a cell and for all.
    """

    def __init__(self, start: Callable[[], Kernel], limits: Limits) -> None:
        self.start = start
        self.limits = limits
        self.kernel: Kernel | None = None
        self.restarts = 0
        self.taken = 0  # bytes that the cells have put out together

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """An outcome for each cell."""
        self.until = time.monotonic() + self.limits.total
        outcomes: list[Outcome] = []
        try:
            for place, cell in enumerate(cells):
                outcomes.append(
                    self._outcome(cell, [] if self.kernel else list(zip(cells[:place], outcomes, strict=True)))
                )
        finally:
            self._close()
        return outcomes

    def _outcome(self, cell: Cell, earlier: list[tuple[Cell, Outcome]]) -> Outcome:
        if not cell.source.strip():
            return Outcome()
        if self.until <= time.monotonic():
            return Outcome(lost=f"the notebook ran longer than {self.limits.total:.0f} seconds")
        try:
            if self.kernel is None:
                self._again(earlier)
            assert self.kernel
            ran = self.kernel.run(cell.source, self._seconds())
            self.taken += ran.taken
            keep = cell.question or self.taken <= SHOWN * self.limits.output
            return Outcome(ran.outputs if keep else [], ran.error)
        except KernelLost as lost:
            self._close()
            return Outcome(lost=str(lost))

    def _again(self, earlier: list[tuple[Cell, Outcome]]) -> None:
        """A new kernel that has run what ran before; a cell that is lost now is not run a third time."""
        rerun = [(cell, outcome) for cell, outcome in earlier if not cell.question and not outcome.lost]
        while self.restarts <= self.limits.restarts:
            self.restarts += 1
            self.kernel = self.start()
            if all(self._reran(cell, outcome) for cell, outcome in rerun if not outcome.lost):
                return
            self._close()
        raise KernelLost(f"{self.limits.restarts} kernels have been lost already")

    def _reran(self, cell: Cell, outcome: Outcome) -> bool:
        assert self.kernel
        try:
            if cell.source.strip():
                self.kernel.run(cell.source, self._seconds())
        except KernelLost as lost:
            outcome.lost = f"when it was run again, {lost}"
            return False
        return True

    def _seconds(self) -> float:
        return max(0.1, min(self.limits.cell, self.until - time.monotonic()))

    def _close(self) -> None:
        if self.kernel:
            self.kernel.close()
        self.kernel = None
