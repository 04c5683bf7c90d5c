"""The tiny exercise as a course, and notebooks that learners might hand in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rflib.grading.settings import Places

EXERCISE = "91_tiny"
JUDGED = 'raise RuntimeError("Only the judge gives points for this cell. Your check above tells you how you stand.")'
SIZE = """\
def size(layers):
    field, jump = 1, 1
    for layer in layers:
        field += (layer["kernel_size"] - 1) * layer["dilation"] * jump
        jump *= layer["stride"]
    return field
"""
JUMP = """\
def jump(layers):
    jump = 1
    for layer in layers:
        jump *= layer["stride"]
    return jump
"""
WITHOUT_STRIDE = """\
def size(layers):
    return 1 + sum((layer["kernel_size"] - 1) * layer["dilation"] for layer in layers)
"""


def metadata(name: str, **said: Any) -> dict[str, Any]:
    return {"nbgrader": {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, **said}}


def solution(name: str, source: str) -> NotebookNode:
    head, body = source.split("\n", 1)
    text = f"{head}\n    ### BEGIN SOLUTION\n{body.rstrip()}\n    ### END SOLUTION"
    return new_code_cell(text, id=name, metadata=metadata(name, solution=True, locked=False, task=False))


def judged(name: str, points: int, function: str) -> NotebookNode:
    said = metadata(name, grade=True, locked=True, points=points, task=False)
    text = f"# {points} points. The judge asks `{function}` here, with inputs of its own.\n{JUDGED}"
    return new_code_cell(text, id=name, metadata={**said, "tags": ["raises-exception"]})


def source() -> NotebookNode:
    """The source notebook: two functions to write, and a question for a person."""
    check = metadata("91-check", locked=True, task=False)
    essay = metadata("91-essay", grade=True, solution=True, locked=False, points=3, task=False)
    cells = [
        new_markdown_cell("# A tiny exercise", id="title"),
        solution("91-size-write", SIZE),
        new_code_cell('from rflib import checks\nchecks.check("91-size", size)', id="91-check", metadata=check),
        judged("91-size", 3, "size"),
        solution("91-jump-write", JUMP),
        judged("91-jump", 2, "jump"),
        new_markdown_cell("Why do strides multiply? Write here.", id="91-essay", metadata=essay),
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": spec, "language_info": {"name": "python"}})


def course(folder: Path) -> Places:
    """A course of this one exercise."""
    places = Places(folder / "course", folder / "marking")
    path = places.source(EXERCISE)
    path.parent.mkdir(parents=True)
    nbformat.write(source(), path)
    return places


def written(release: NotebookNode, size: str = SIZE, jump: str = JUMP, **more: str) -> NotebookNode:
    """The exercise with a learner's functions in it; the text of other cells by their ids, with _ for -."""
    notebook = nbformat.from_dict(json.loads(json.dumps(release)))
    texts = {
        "91-size-write": size,
        "91-jump-write": jump,
        **{name.replace("_", "-"): text for name, text in more.items()},
    }
    for cell in notebook.cells:
        cell.source = texts.get(cell.id, cell.source)
    return notebook


def own(source: str) -> NotebookNode:
    """A cell that a learner adds."""
    return new_code_cell(source)


def emptied(folder: Path) -> Path:
    """A folder that is there and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
