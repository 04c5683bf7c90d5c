"""A lost kernel costs the cell in which it was lost, and no other."""

from __future__ import annotations

from typing import ClassVar

import pytest

from rflib.grading.kernel import Kernel, KernelLost, Ran
from rflib.grading.limits import Limits
from rflib.grading.running import Cell, Outcome, Runner
from rflib.grading.sandbox import Sandbox

pytestmark = pytest.mark.needs("bubblewrap")


def ran(*cells: str | Cell, **limits: float) -> list[Outcome]:
    set_to = Limits(**{"cell": 20, "total": 90, **limits})  # type: ignore[arg-type]
    made = [cell if isinstance(cell, Cell) else Cell(cell) for cell in cells]
    return Runner(lambda: Kernel(Sandbox(set_to)), set_to).run(made)


def texts(outcomes: list[Outcome]) -> list[str]:
    return [
        each.lost or each.error or "".join(str(o.get("text", "")) for o in each.outputs).strip() for each in outcomes
    ]


def test_the_cells_after_a_lost_one_run_with_what_was_there_before() -> None:
    told = texts(ran("x = 1", "import os\nx = 2\nos._exit(1)", "print(x)"))
    assert told == ["", "the process of the notebook ended", "1"]


def test_an_error_loses_nothing() -> None:
    told = texts(ran("x = 1", "1 / 0", "print(x)"))
    assert told == ["", "ZeroDivisionError: division by zero", "1"]


def test_a_question_is_asked_once() -> None:
    outcomes = ran("asked = 0", Cell("asked += 1", question=True), "import os; os._exit(1)", "print(asked)")
    assert texts(outcomes)[-1] == "0"


class Scripted:
    """A kernel in which some runs, by their number, are lost; the numbers go on over all kernels."""

    runs: ClassVar[list[str]] = []
    lost: ClassVar[set[int]] = set()

    def run(self, source: str, seconds: float) -> Ran:
        self.runs.append(source)
        if len(self.runs) in self.lost:
            raise KernelLost("it was lost")
        return Ran([])

    def close(self) -> None:
        self.runs.append("closed")


def test_a_cell_that_is_lost_only_when_run_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "runs", [])
    monkeypatch.setattr(Scripted, "lost", {2, 4})  # b is lost, then a when it is run again for c
    runner = Runner(Scripted, Limits())  # type: ignore[arg-type]
    told = texts(runner.run([Cell("a"), Cell("b"), Cell("c")]))
    assert Scripted.runs == ["a", "b", "closed", "a", "closed", "c", "closed"]
    assert told == ["when it was run again, it was lost", "it was lost", ""]


def test_time_for_the_whole_notebook_is_limited() -> None:
    told = texts(ran(*["import time; time.sleep(2)"] * 4, total=3))
    assert told[-1] == "the notebook ran longer than 3 seconds"


def test_kernels_are_not_started_for_ever() -> None:
    told = texts(ran(*["import os; os._exit(1)"] * 5, restarts=2))
    assert told[0] == "the process of the notebook ended"
    assert told[-1] == "2 kernels have been lost already"
