"""What a reader sees in each notebook without running it; nbval, in `make test`, runs them and compares the outputs.

nbval passes a notebook that was never run and sees no pictures, so both are looked at here.
"""

from __future__ import annotations

import copy
import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat.validator import iter_validate

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
NOTEBOOKS = sorted(LESSONS.glob("*.ipynb"))
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
LONGEST_CELL, MEDIAN_CELL = 12, 3
IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
DRAWN_AT_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")

Notebook = dict[str, Any]


def source(cell: Notebook) -> str:
    return "".join(cell["source"])


def problems(notebook: Notebook) -> list[str]:
    """Everything that is wrong with a notebook, as read by json."""
    if (notebook["nbformat"], notebook["nbformat_minor"]) < (4, 5):
        return ["format older than 4.5: cells have no fixed ids"]
    invalid = [f"not a valid notebook: {error.message}" for error in iter_validate(notebook)]
    if invalid:
        return invalid
    found = []
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append("the kernel is not python3")
    if "widgets" in notebook["metadata"]:
        found.append("widget state is saved")
    cells = notebook["cells"]
    if len({cell["id"] for cell in cells}) < len(cells):
        found.append("two cells have the same id")
    if not cells or cells[0]["cell_type"] != "markdown" or not source(cells[0]).startswith("# "):
        found.append("the first cell is not a title")
    for cell in cells:
        found += [f"cell {cell['id']}: {problem}" for problem in cell_problems(cell)]
    return found + code_problems([cell for cell in cells if cell["cell_type"] == "code"])


def cell_problems(cell: Notebook) -> list[str]:
    found = []
    if not IDENTIFIER.fullmatch(cell["id"]) or DRAWN_AT_RANDOM.fullmatch(cell["id"]):
        found.append("the id is not words with hyphens")
    if cell["metadata"].get("slideshow", {}).get("slide_type") not in SLIDE_TYPES:
        found.append("no slide type")
    for output in cell.get("outputs", []):
        found += output_problems(output)
    if cell["cell_type"] == "markdown":
        found += [f"picture {name!r} without alt text" for name in re.findall(r"!\[\s*\]\(([^)]*)\)", source(cell))]
        found += ["<img> without alt text" for tag in re.findall(r"<img\b[^>]*>", source(cell)) if "alt=" not in tag]
    return found


def output_problems(output: Notebook) -> list[str]:
    if output["output_type"] == "error":
        return [f"the output is an error: {output['ename']}"]
    if output["output_type"] == "stream" and output["name"] == "stderr":
        return ["something was written to stderr"]
    found = []
    for kind in PICTURES:
        if kind in output.get("data", {}) and not output["metadata"].get(kind, {}).get("alt", "").strip():
            found.append(f"an output {kind} has no alt text")
    return found


def code_problems(cells: list[Notebook]) -> list[str]:
    if not cells:
        return ["no code cell"]
    found = []
    counts = [cell["execution_count"] for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        found.append(f"not run from top to bottom in a fresh kernel: execution counts {counts}")
    lengths = [len(source(cell).strip("\n").splitlines()) for cell in cells]
    for cell, length in zip(cells, lengths, strict=True):
        if length > LONGEST_CELL:
            found.append(f"cell {cell['id']}: {length} lines of code, at most {LONGEST_CELL} are read")
    if statistics.median(lengths) > MEDIAN_CELL:
        found.append(f"half of the code cells are longer than {MEDIAN_CELL} lines")
    return found


def test_there_are_lessons_and_they_are_numbered() -> None:
    names = [path.name for path in NOTEBOOKS]
    assert "00_start_here.ipynb" in names
    assert [name for name in names if not re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", name)] == []
    assert [int(name[:2]) for name in names] == list(range(len(names)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_lesson_is_complete(path: Path) -> None:
    assert problems(json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_between_files_lead_somewhere(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    files = [link for link in links if link and not re.match(r"[a-z]+:", link)]
    assert [name for name in files if not (path.parent / name).exists()] == []


# The checks see what they are for: a good notebook passes, and each change for the worse is reported.


def cell(kind: str, name: str, text: str, **more: Any) -> Notebook:
    return {"cell_type": kind, "id": name, "metadata": {"slideshow": {"slide_type": "-"}}, "source": text, **more}


PICTURE = {
    "output_type": "display_data",
    "data": {"image/png": "iVBORw0=", "text/plain": "<Figure>"},
    "metadata": {"image/png": {"alt": "One unit reads 7 of 16 positions."}},
}
GOOD = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        cell("markdown", "title", "# A lesson"),
        cell("code", "import-rflib", "import rflib as rf", execution_count=1, outputs=[]),
        cell("code", "draw", "rf.draw()", execution_count=2, outputs=[PICTURE]),
    ],
}


def test_a_good_notebook_has_no_problems() -> None:
    assert problems(copy.deepcopy(GOOD)) == []


def change(*path: str | int, to: object) -> Callable[[Notebook], None]:
    def apply(notebook: Notebook) -> None:
        place: Any = notebook
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return apply


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
STDERR = {"output_type": "stream", "name": "stderr", "text": "a warning"}


@pytest.mark.parametrize(
    ("worsen", "problem"),
    [
        (change("cells", 1, "execution_count", to=None), "not run from top to bottom"),
        (change("cells", 2, "execution_count", to=7), "not run from top to bottom"),
        (change("cells", 1, "outputs", to=[ERROR]), "the output is an error: ValueError"),
        (change("cells", 1, "outputs", to=[STDERR]), "stderr"),
        (change("cells", 1, "id", to="draw"), "same id"),
        (change("cells", 1, "id", to="8ecae12e"), "id is not words"),
        (change("cells", 1, "id", to="3c3a2c3a-7c9c-4f6b-9d33-0d9c1a2b3c4d"), "id is not words"),
        (change("cells", 1, "metadata", to={}), "no slide type"),
        (change("cells", 1, "execution_count", to="2"), "not a valid notebook"),
        (change("cells", 1, "source", to="x = 1\n" * 13), "13 lines"),
        (change("cells", 1, "source", to="x = 1\n" * 6), "half of the code cells"),
        (change("cells", 2, "outputs", 0, "metadata", to={}), "image/png has no alt text"),
        (change("cells", 2, "outputs", 0, "metadata", "image/png", "alt", to=" "), "image/png has no alt text"),
        (change("cells", 0, "source", to="no title"), "not a title"),
        (change("cells", 0, "source", to="# A lesson\n![](a.png)"), "'a.png' without alt text"),
        (change("cells", 0, "source", to="# A lesson\n<img src='a.png'>"), "<img> without alt text"),
        (change("metadata", "kernelspec", "name", to="dev"), "not python3"),
        (change("metadata", "widgets", to={}), "widget state"),
        (change("nbformat_minor", to=4), "older than 4.5"),
        (change("cells", to=[]), "no code cell"),
    ],
)
def test_a_worse_notebook_is_reported(worsen: Callable[[Notebook], None], problem: str) -> None:
    notebook = copy.deepcopy(GOOD)
    worsen(notebook)
    assert any(re.search(problem, found) for found in problems(notebook)), problems(notebook)
