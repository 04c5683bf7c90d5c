"""A capstone design stage by stage: how the field grows, and what each stage costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rflib.analysis import analyze
from rflib.experiments.capstone_networks import CapstoneNetwork, Stage, design_from
from rflib.experiments.capstone_results import BUDGET
from rflib.experiments.results import Result
from rflib.reporting import rows

__all__ = ["StageRow", "StageTable", "tabulate_stages"]

_SIDE = 256  # pixels of the input that the table is worked out on, a power of 2: every pooling divides it


@dataclass(frozen=True)
class StageRow:
    """One stage.

    Attributes:
        stage: What it is, in words.
        channels: Behind it.
        jump: From one of its units to the next, in pixels.
        field: Of its units along each axis, in pixels.
        multiply_adds: For each pixel of the input.
    """

    stage: str
    channels: int
    jump: int
    field: int
    multiply_adds: float


@dataclass(frozen=True, repr=False)
class StageTable(Result):
    """The stages of a design, from the input on; the last row is the 1 x 1 convolution that scores the classes.

    Attributes:
        rows: One for each stage that computes something; a map that is kept and joined stands in the row that reads it.
    """

    title: ClassVar[str] = "Stage by stage: channels, grid, field and price"

    rows: tuple[StageRow, ...]

    @property
    def field(self) -> int:
        """Of an output unit, along each axis, in pixels."""
        return self.rows[-1].field

    @property
    def largest_jump(self) -> int:
        """The coarsest grid that the data passes, in pixels."""
        return max(row.jump for row in self.rows)

    @property
    def multiply_adds(self) -> float:
        """Of all stages, for each pixel."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def finding(self) -> str:
        """Field, grid and price."""
        over = self.multiply_adds - BUDGET
        kept = f"{over:,.0f} too many" if over > 0 else "within the budget"
        return (
            f"The field is {self.field} pixels wide, the coarsest grid has a jump of {self.largest_jump}; "
            f"{self.multiply_adds:,.0f} multiply-adds per pixel, of {BUDGET:,} allowed: {kept}."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each stage."""
        cells = [[r.stage, r.channels, r.jump, r.field, f"{r.multiply_adds:,.0f}"] for r in self.rows]
        return ("stage", "channels", "jump", "field", "multiply-adds per pixel"), [*cells]


def tabulate_stages(design: Iterable[Stage | Mapping[str, Any]]) -> StageTable:
    """How the field of a design grows stage by stage, and what each stage costs; nothing is trained.

    Example:
        >>> from rflib.experiments import Stage, conv
        >>> table = tabulate_stages([conv(8), Stage("pool"), conv(16, dilation=2), Stage("up")])
        >>> [(row.stage, row.jump, row.field) for row in table.rows[:3]]
        [('conv 3', 1, 3), ('pool', 2, 4), ('conv 3, dilation 2', 2, 12)]
        >>> table.field, table.largest_jump, table.multiply_adds
        (14, 2, 536.0)

    Args:
        design: Stages, or plain data as `design_from` takes it.

    Returns:
        A `StageTable`.

    Raises:
        LayerError: A design that cannot exist.
    """
    stages = design_from(design)
    model = CapstoneNetwork(stages).eval()
    analysis = analyze(model, input_size=(1, 1, _SIDE, _SIDE))
    cost = {row["layer"]: row["multiply_adds"] / _SIDE**2 for row in rows(analysis)}
    made, joined = [], ""
    for index, stage in enumerate(stages):
        if stage.kind == "save":
            continue
        if stage.kind == "join":
            joined = ", reads the kept map too"
            continue
        found = analysis[f"stages.{index}"]
        made.append(_row(_words(stage) + joined, found, cost[f"stages.{index}"]))
        joined = ""
    made.append(_row("scores, conv 1" + joined, analysis["head"], cost["head"]))
    return StageTable(tuple(made))


def _row(words: str, found: Any, cost: float) -> StageRow:
    jump = _SIDE // found.unit_shape[0]
    return StageRow(words, found.shape[1], jump, max(found.size), float(cost))


def _words(stage: Stage) -> str:
    if stage.kind != "conv":
        return {"pool": "pool", "up": "enlarge"}[stage.kind]
    return f"conv {stage.kernel_size}" + (f", dilation {stage.dilation}" if stage.dilation > 1 else "")
