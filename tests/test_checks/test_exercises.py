"""The anatomy of an exercise: for every task a target, minutes, lines, a check, three hints, and the judge's cell."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat.validator import iter_validate

from rflib.checks import catalog
from rflib.checks.task import Task

ROOT = Path(__file__).resolve().parents[2]
IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
DIFFICULT = re.compile(r"\b(simply|obviously|just|trivial(ly)?|of course|easy|easily see)\b", re.IGNORECASE)

Notebook = dict[str, Any]


def source(cell: Notebook) -> str:
    return "".join(cell["source"])


def read(folder: str, number: str) -> Notebook:
    name = catalog.FOLDERS[number]
    return json.loads((ROOT / folder / name / f"{name}.ipynb").read_text(encoding="utf-8"))


def judged(task: Task) -> str:
    """The whole source of the cell that the judge fills."""
    return (
        f"# {task.points} points. The judge asks `{task.name}` here, with inputs of its own.\n"
        'raise RuntimeError("Only the judge gives points for this cell. Your check above tells you how you stand.")'
    )


def problems(notebook: Notebook, tasks: tuple[Task, ...]) -> list[str]:
    """What an exercise lacks."""
    invalid = [f"not a valid notebook: {error.message}" for error in iter_validate(notebook)]
    if invalid:
        return invalid
    cells = notebook["cells"]
    found = [f"cell {cell['id']}: the id is not words" for cell in cells if not IDENTIFIER.fullmatch(cell["id"])]
    if len({cell["id"] for cell in cells}) < len(cells):
        found.append("two cells have the same id")
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append("the kernel is not python3")
    found += frame_problems(cells, tasks)
    places = [[i for i, cell in enumerate(cells) if grade_id(cell) == task.id] for task in tasks]
    for task, place in zip(tasks, places, strict=True):
        if len(place) != 1:
            found.append(f"{task.id}: {len(place)} cells of the judge")
    if any(len(place) != 1 for place in places):
        return found
    if places != sorted(places):
        found.append("the tasks are not in the order of the catalog")
    starts = [0, *(place[0] + 1 for place in places)]
    for task, start, place in zip(tasks, starts, places, strict=False):
        found += [f"{task.id}: {problem}" for problem in task_problems(cells[start : place[0] + 1], task)]
    return found


def grade_id(cell: Notebook) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def frame_problems(cells: list[Notebook], tasks: tuple[Task, ...]) -> list[str]:
    """The title with the list of tasks, and the end."""
    title = source(cells[0])
    found = [f"the title cell lacks {word!r}" for word in ("# Exercise ", "You need first:") if word not in title]
    for task in tasks:
        row = next((line for line in title.splitlines() if f"`{task.name}`" in line), "")
        if not row.rstrip("| ").endswith(f"| {task.points}"):
            found.append(f"{task.id}: the title's table does not give it {task.points} points")
    if "python -m rflib.checks exercises/" not in source(cells[-1]):
        found.append("the last cell does not say how to try the notebook before it is handed in")
    words = [(cell["id"], DIFFICULT.search(source(cell))) for cell in cells if cell["cell_type"] == "markdown"]
    return found + [f"cell {name}: the word {match[0]!r}" for name, match in words if match]


def task_problems(cells: list[Notebook], task: Task) -> list[str]:
    """What a task lacks, in the cells up to the judge's."""
    started = [i for i, cell in enumerate(cells) if "task" in cell["metadata"].get("tags", [])]
    if len(started) != 1:
        return [f"{len(started)} cells are tagged 'task'"]
    cells = cells[started[0] :]
    text = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    found = []
    if not re.search(r"\*\d+ minutes, about \d+ lines, \d+ points\*", text):
        found.append("no minutes, lines and points")
    elif f"{task.points} points*" not in text:
        found.append("the points in the text are not the task's")
    if not re.search(r"^\|(.*\|)+$|^```|!\[.+\]\(", text, flags=re.MULTILINE):
        found.append("no table or picture of the target")
    hints = [cell for cell in cells if "hints" in cell["metadata"].get("tags", [])]
    steps = re.findall(r"<details><summary>Hint (\d): .+?</summary>\n\n.+?\n</details>", text, flags=re.DOTALL)
    if len(hints) != 1 or steps != ["1", "2", "3"]:
        found.append("not three hints")
    return found + cell_problems(cells, task)


def cell_problems(cells: list[Notebook], task: Task) -> list[str]:
    """The learner's cell, the check and the judge's cell."""
    found = []
    named = {grade_id(cell): cell for cell in cells}
    yours, check, graded = (named.get(f"{task.id}{end}") for end in ("-yours", "-check", ""))
    if not yours or f"def {task.name}(" not in source(yours) or not yours["metadata"]["nbgrader"]["solution"]:
        found.append(f"no cell in which `{task.name}` is to be written")
    if not check or source(check) != f'checks.check("{task.id}", {task.name})':
        found.append("no check")
    elif not check["metadata"]["nbgrader"]["locked"]:
        found.append("the check is not locked")
    assert graded
    marks = graded["metadata"]["nbgrader"]
    if source(graded) != judged(task):
        found.append("the judge's cell has another source")
    if not (marks["grade"] and marks["locked"] and not marks["solution"]) or marks["points"] != task.points:
        found.append("the judge's cell has other marks")
    if "raises-exception" not in graded["metadata"].get("tags", []):
        found.append("the judge's cell is not tagged 'raises-exception'")
    return found


NUMBERS = catalog.exercises()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("folder", ["solutions", "exercises"])
def test_exercise_has_its_anatomy(folder: str, number: str) -> None:
    assert problems(read(folder, number), catalog.exercise(number)) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_solutions_were_run_and_nothing_failed_that_should_not(number: str) -> None:
    cells = [cell for cell in read("solutions", number)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        kinds = {output["output_type"] for output in cell["outputs"]}
        assert ("error" in kinds) == ("raises-exception" in cell["metadata"].get("tags", [])), cell["id"]
        assert not [output for output in cell["outputs"] if output.get("name") == "stderr"], cell["id"]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_saved_checks_are_all_right(number: str) -> None:
    for cell in read("solutions", number)["cells"]:
        if grade_id(cell).endswith("-check"):
            text = "".join(cell["outputs"][-1]["data"]["text/plain"])
            assert "Not yet" not in text
            assert "properties hold. The judge will ask" in text


@pytest.mark.parametrize("number", NUMBERS)
def test_links_between_files_lead_somewhere(number: str) -> None:
    name = catalog.FOLDERS[number]
    text = "\n".join(source(c) for c in read("solutions", number)["cells"] if c["cell_type"] == "markdown")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    for folder in ("solutions", "exercises"):
        here = ROOT / folder / name
        assert [link for link in links if not re.match(r"[a-z]+:", link) and not (here / link).exists()] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_where_rflib_computes_nothing_it_is_said(number: str) -> None:
    said = "without rflib" in source(read("solutions", number)["cells"][0])
    assert said == (number in catalog.WITHOUT_RFLIB)


# The checks see what they are for.

NUMBER = "02"
GOOD = read("solutions", NUMBER)


def edited(name: str, old: str, new: str) -> Callable[[Notebook], None]:
    def apply(notebook: Notebook) -> None:
        cell = next(cell for cell in notebook["cells"] if cell["id"] == name)
        assert old in source(cell)
        cell["source"] = source(cell).replace(old, new)

    return apply


def marked(name: str, **marks: Any) -> Callable[[Notebook], None]:
    def apply(notebook: Notebook) -> None:
        next(cell for cell in notebook["cells"] if cell["id"] == name)["metadata"]["nbgrader"] |= marks

    return apply


def without(name: str) -> Callable[[Notebook], None]:
    def apply(notebook: Notebook) -> None:
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != name]

    return apply


@pytest.mark.parametrize(
    ("worsen", "problem"),
    [
        (edited("forward-task", "10 minutes", "a while"), "no minutes, lines and points"),
        (edited("forward-task", "4 points*", "5 points*"), "the points in the text"),
        (edited("forward-task", "|", " "), "no table or picture"),
        (edited("forward-hints", "Hint 2", "Hint 4"), "not three hints"),
        (edited("forward-judged", "# 4 points", "# 5 points"), "another source"),
        (edited("forward-yours", "def forward(", "def onward("), "`forward` is to be written"),
        (edited("forward-check", "02-forward", "02-backward"), "no check"),
        (marked("forward-judged", points=9), "other marks"),
        (marked("forward-judged", locked=False), "other marks"),
        (marked("forward-check", locked=False), "not locked"),
        (without("forward-judged"), "0 cells of the judge"),
        (without("forward-hints"), "not three hints"),
        (without("hand-in"), "does not say how to try"),
        (edited("title", "| 10 | 6 | 4 |", "| 10 | 6 | 5 |"), "does not give it 4 points"),
        (edited("how-it-works", "Each task", "Obviously each task"), "the word 'Obviously'"),
        (lambda notebook: notebook["cells"].append(notebook["cells"][1]), "same id"),
    ],
)
def test_what_an_exercise_lacks_is_said(worsen: Callable[[Notebook], None], problem: str) -> None:
    notebook = copy.deepcopy(GOOD)
    assert problems(notebook, catalog.exercise(NUMBER)) == []
    worsen(notebook)
    assert any(problem in found for found in problems(notebook, catalog.exercise(NUMBER)))
