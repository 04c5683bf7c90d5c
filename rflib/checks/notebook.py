"""A look at an exercise before it is handed in: whether it runs, whether a cell is missing, what the checks say."""

from __future__ import annotations

import copy
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from rflib.checks import catalog
from rflib.checks.checking import REPORT, Report, check
from rflib.checks.task import Task
from rflib.errors import ModelError

LONGEST = 300  # seconds for one cell
COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Look:
    """What was found: what stands in the way of a mark, and each task's report as plain data."""

    name: str
    problems: tuple[str, ...]
    reports: tuple[dict[str, Any], ...]

    @property
    def good(self) -> bool:
        """Whether it runs, nothing is missing, and every check is content."""
        return not self.problems and all(report["passed"] for report in self.reports)

    def __str__(self) -> str:
        lines = [self.name, *(f"problem: {problem}" for problem in self.problems)]
        if not self.problems:
            lines.append("It runs from top to bottom, and no cell is missing.")
        lines += [report["text"] for report in self.reports]
        passed = sum(report["passed"] for report in self.reports)
        return "\n".join([*lines, f"{passed} of {len(self.reports)} checks pass."])


def look(path: Path, longest: int = LONGEST) -> Look:
    """Run a learner's notebook from top to bottom in a fresh kernel, and let the checks ask its functions.

    Args:
        path: The notebook, or a folder such as exercises/02_recursion that holds it. It stays as it is.
        longest: Seconds after which a cell is given up.

    Raises:
        ModelError: If there is no such notebook, it cannot be read, or it is none of the course's exercises.
    """
    path = _found(path)
    tasks = _tasks(path)
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise ModelError(f"{path.name} cannot be read as a notebook: {' '.join(str(error).split())[:200]}") from error
    problems = missing(notebook, tasks)
    ran, stopped = _run(notebook, tasks, path.parent, longest)
    cells = ran.cells[: len(notebook.cells)]
    failed = [problem for place, cell in enumerate(cells, 1) for problem in failures(place, cell)]
    reports = tuple(_report(cell, task) for cell, task in zip(ran.cells[len(cells) :], tasks, strict=True))
    return Look(path.name, (*problems, *failed, *stopped), reports)


def _found(path: Path) -> Path:
    if path.is_dir():
        named = path / f"{path.resolve().name}.ipynb"
        if not named.is_file():
            raise ModelError(f"There is no {named.name} in {path}.")
        return named
    if not path.is_file():
        raise ModelError(f"There is no file or folder {path}.")
    return path


def _tasks(path: Path) -> tuple[Task, ...]:
    numbers = [number for number in catalog.exercises() if path.name.startswith(f"{number}_")]
    if not numbers:
        known = ", ".join(catalog.FOLDERS.values())
        raise ModelError(f"{path.name} is none of the exercises by its name. There are: {known}.")
    return catalog.exercise(numbers[0])


def missing(notebook: Any, tasks: tuple[Task, ...]) -> list[str]:
    """Cells of the judge that are not there, or there more than once, each in a sentence."""
    ids = Counter(cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells)
    found = [
        f"the judge's cell {task.id} is missing: copy it from a fresh exercise" for task in tasks if not ids[task.id]
    ]
    return found + [f"the judge's cell {task.id} is there {ids[task.id]} times" for task in tasks if ids[task.id] > 1]


def failures(place: int, cell: Any) -> list[str]:
    """The error of a cell that was run, in a sentence; a cell that is meant to fail has none."""
    if "raises-exception" in cell.metadata.get("tags", []):
        return []
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    first = cell.source.strip().partition("\n")[0][:60]
    return [f"cell {place} ({first!r}) fails: {COLORS.sub('', f'{e.ename}: {e.evalue}')[:200]}" for e in errors]


def _run(notebook: Any, tasks: tuple[Task, ...], folder: Path, longest: int) -> tuple[Any, list[str]]:
    """The notebook run, one cell that asks for a report added for each task; and what stopped it, if anything did."""
    ran = copy.deepcopy(notebook)
    for cell in ran.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    ran.cells += [nbformat.v4.new_code_cell(_asking(task)) for task in tasks]
    client = NotebookClient(
        ran,
        timeout=longest,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    )
    # The rflib that looks is the one that the learner's cells import, from whatever folder this is called.
    home = str(Path(__file__).resolve().parents[2])
    found = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    try:
        client.execute(env={**os.environ, "PYTHONPATH": found})
    except CellTimeoutError:
        return ran, [f"a cell ran for more than {longest} s and was given up; what stands below it was not run"]
    except DeadKernelError:
        return ran, ["the kernel died; what stands below that cell was not run"]
    return ran, []


def _asking(task: Task) -> str:
    return f"from rflib.checks import notebook as _look\n_look.hand_out({task.id!r}, globals().get({task.name!r}))"


def hand_out(name: str, function: Any) -> None:
    """Display the report on a function as plain data; runs in the learner's kernel."""
    from IPython.display import display

    display({REPORT: check(name, function).to_dict()}, raw=True)  # type: ignore[no-untyped-call]  # it publishes none


def _report(cell: Any, task: Task) -> dict[str, Any]:
    for output in cell.get("outputs", []):
        if REPORT in output.get("data", {}):
            return dict(output["data"][REPORT])
    return Report(task, note="the check was not reached.").to_dict()
