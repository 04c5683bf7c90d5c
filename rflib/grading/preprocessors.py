"""What is put into nbgrader's autograding: `Restore` before it, `Judge` in the place of its execution."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import platform
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import nbformat
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets import Bool, Dict, Unicode

from rflib.checks.task import Task
from rflib.errors import ReceptiveFieldError
from rflib.grading import asking, cleaning, judging, records
from rflib.grading.kernel import Kernel
from rflib.grading.limits import Limits
from rflib.grading.restoring import restore
from rflib.grading.running import Cell, Outcome, Runner
from rflib.grading.sandbox import Sandbox

REMARKS = "rflib_remarks"  # in the notebook's metadata, from Restore to Judge


class JudgeError(ReceptiveFieldError, RuntimeError):
    """The exercise itself cannot be judged; no learner is to blame."""


class Catalog(Protocol):
    """Where tasks are found: `rflib.checks.catalog`, or a module with the same two names."""

    WITHOUT_RFLIB: frozenset[str]

    def find(self, name: str) -> Task: ...


class Restore(Preprocessor):
    """Puts the exercise's own cells back where they were; the first of `Autograde.sanitize_preprocessors`."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """The notebook put in order; what was mended is noted in its metadata."""
        course = _course(self)
        assignment, notebook = resources["nbgrader"]["assignment"], resources["nbgrader"]["notebook"]
        folder = course.format_path(course.release_directory, ".", assignment)
        release = nbformat.read(Path(folder, f"{notebook}.ipynb"), as_version=4)
        mended, remarks = restore(nb, release)
        mended.metadata[REMARKS] = remarks
        return mended, resources


class Judge(Preprocessor):
    """Runs a notebook in the sandbox, asks in its graded cells, and puts the points where nbgrader looks for them."""

    enabled = Bool(True).tag(config=True)
    seed = Unicode("", help="what the inputs are drawn from; by default a new secret each time").tag(config=True)
    again = Unicode("", help="a record, whose inputs are asked again").tag(config=True)
    record = Unicode("", help="where the record is written; by default beside the autograded notebook").tag(config=True)
    catalog = Unicode("rflib.checks.catalog", help="module whose `find` gives a task by its id").tag(config=True)
    python = Unicode("", help="the learner's Python; by default the one that grades").tag(config=True)
    limits = Dict({}, help="limits other than those of rflib.grading.limits.Limits").tag(config=True)
    hidden = Unicode("", help="folders that must stay unseen, with : between").tag(config=True)
    handin = Dict({}, help="where the hand-in came from; goes into the record").tag(config=True)
    unreadable = Unicode("", help="why there is no notebook to run; it is then not run").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """The notebook run and judged; the record is written."""
        said = resources["nbgrader"]
        remarks = list(nb.metadata.pop(REMARKS, []))
        record = records.Record(said["assignment"], said["student"], self.seed or secrets.token_hex(16))
        record.remarks = [self.unreadable] if self.unreadable else remarks
        record.handin = dict(self.handin)
        record.versions = dict(versions())
        asked = self._questions(nb, record.seed)
        outcomes = self._run(nb, asked)
        for place, cell in enumerate(nb.cells):
            if cell.cell_type == "markdown":
                cell.source = cleaning.markdown(cell.source) if _may_write(cell) else cell.source
            elif cell.cell_type == "code" and place in asked:
                task, drawn = asked[place]
                record.tasks.append(self._mark(task, drawn, outcomes[place]))
                record.tasks[-1].code = _code(nb, place, task)
                _show(cell, record.tasks[-1])
            elif cell.cell_type == "code":
                record.remarks += [] if self.unreadable else _told(place, outcomes[place])
                cell.outputs = cleaning.outputs(outcomes[place].outputs)
        self._write(record, said)
        return nb, resources

    def _questions(self, nb: NotebookNode, seed: str) -> dict[int, tuple[Task, Any]]:
        """The graded cells by their places, each with its task and what it is asked."""
        catalog: Catalog = importlib.import_module(self.catalog)
        before = records.read(Path(self.again)).inputs() if self.again else {}
        asked = {}
        for place, cell in enumerate(nb.cells):
            said = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and said.get("grade") and not said.get("solution"):
                task = catalog.find(said["grade_id"])
                if task.points != said["points"]:
                    told = f"is worth {said['points']} in the notebook and {task.points} in the catalog"
                    raise JudgeError(f"The task {task.id} {told}; make the two the same.")
                asked[place] = (task, before[task.id] if task.id in before else task.draw(seed))
        return asked

    def _run(self, nb: NotebookNode, asked: Mapping[int, tuple[Task, Any]]) -> dict[int, Outcome]:
        code = [place for place, cell in enumerate(nb.cells) if cell.cell_type == "code"]
        if self.unreadable:
            return {place: Outcome(lost=self.unreadable) for place in code}
        limits = Limits(**self.limits)
        catalog = importlib.import_module(self.catalog)
        numbers = {task.id.partition("-")[0] for task, _ in asked.values()}
        sandbox = Sandbox(
            limits,
            library=not numbers & catalog.WITHOUT_RFLIB,
            hidden=tuple(Path(path) for path in self.hidden.split(":") if path),
            **({"python": Path(self.python)} if self.python else {}),
        )
        cells = [
            Cell(asking.cell(*asked[place]), question=True) if place in asked else Cell(nb.cells[place].source)
            for place in code
        ]
        outcomes = Runner(lambda: Kernel(sandbox), limits).run(cells)
        return dict(zip(code, outcomes, strict=True))

    def _mark(self, task: Task, drawn: Any, outcome: Outcome) -> records.TaskMark:
        if outcome.lost:
            return judging.mark(task, drawn, None, outcome.lost)
        return judging.mark(task, drawn, *asking.answers(outcome.outputs))

    def _write(self, record: records.Record, said: Mapping[str, str]) -> None:
        course = _course(self)
        folder = course.format_path(course.autograded_directory, said["student"], said["assignment"])
        record.write(Path(self.record) if self.record else Path(folder, f"{said['notebook']}.record.json"))


def _course(preprocessor: Preprocessor) -> Any:
    """The folders of nbgrader; a preprocessor belongs to an exporter, and that to a converter."""
    exporter: Any = preprocessor.parent
    return exporter.parent.coursedir


def _may_write(cell: NotebookNode) -> bool:
    said = cell.metadata.get("nbgrader", {})
    return not said or bool(said.get("solution"))


def _told(place: int, outcome: Outcome) -> list[str]:
    """What the lecturer reads of a cell in which the kernel was lost."""
    return [f"cell {place + 1} was left out: {outcome.lost}"] if outcome.lost else []


def _code(nb: NotebookNode, place: int, task: Task) -> str:
    """The learner's cells that name the task's function, up to the cell that asks for it."""
    cells = [cell.source for cell in nb.cells[:place] if cell.cell_type == "code" and _may_write(cell)]
    naming = [source for source in cells if f"def {task.name}" in source or f"{task.name} =" in source]
    return "\n\n".join(naming)[:20_000]


def _show(cell: NotebookNode, mark: records.TaskMark) -> None:
    """The points as the one result that nbgrader takes, and the reasons as text."""
    lines = [each.said for each in mark.properties] or [f"0 of {mark.of}: {mark.reason}"]
    points = new_output("execute_result", data={"text/plain": str(mark.points)}, execution_count=None)
    cell.outputs = [points, new_output("stream", name="stdout", text="\n".join(lines) + "\n")]
    cell.execution_count = None


@functools.cache
def versions() -> dict[str, str]:
    """What graded: to make the same again."""
    names = ("rflib", "nbgrader", "torch", "numpy")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return {**found, "commit": _commit()}


def _commit() -> str:
    folder = Path(__file__).parent
    try:
        said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
