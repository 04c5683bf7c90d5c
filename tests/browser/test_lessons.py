"""Each lesson in a real JupyterLab in Chromium: it opens, every cell runs, and nothing is fetched from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .jupyterlab_page import LabPage, Server

LESSONS = Path(__file__).resolve().parent.parent.parent / "lessons"
FIRST = "lessons/00_start_here.ipynb"
EXPLORER = re.compile(
    r"rf\.(StackExplorer|Overlay|PokeExplorer|GrowthExplorer|DesignGame|DilationExplorer|BranchExplorer|ErfExplorer)\("
)

in_chromium = pytest.mark.needs("chromium")


def errors(cells: list[dict]) -> list[str]:
    return [
        f"{cell['id']}: {output['ename']}: {output['evalue']}"
        for cell in cells
        if cell["cell_type"] == "code"
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]


def explorers_of(cells: list[dict]) -> list[tuple[int, str]]:
    """The cells that show an explorer: their places and ids."""
    code = [(place, cell) for place, cell in enumerate(cells) if cell["cell_type"] == "code"]
    return [(place, cell["id"]) for place, cell in code if EXPLORER.search("".join(cell["source"]))]


def move(lab_page: LabPage, place: int, name: str, lesson: str) -> None:
    """Move an explorer of a lesson once, by keys: its picture changes."""
    lab_page.page.evaluate("i => window.jupyterapp.shell.currentWidget.content.scrollToItem(i).then(() => null)", place)
    explorer = lab_page.page.locator(f".jp-Cell[data-windowed-list-index='{place}'] .rflib-explorer").first
    lab_page.move(explorer)
    lab_page.screenshot(f"{lesson}_{name}")


def test_there_is_a_first_lesson() -> None:
    assert (LESSONS.parent / FIRST).is_file()


@in_chromium
@pytest.mark.parametrize("name", [path.name for path in sorted(LESSONS.glob("*.ipynb"))])
def test_lesson_runs(lab_page: LabPage, name: str) -> None:
    lab_page.open(f"lessons/{name}")
    cells = lab_page.run_all()
    assert errors(cells) == []
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    lab_page.scroll_through()
    lab_page.settle()
    lab_page.screenshot(Path(name).stem)
    for cell, number in explorers_of(cells):
        move(lab_page, cell, number, Path(name).stem)
    assert lab_page.notifications() == 0
    saved = json.loads((LESSONS / name).read_text(encoding="utf-8"))
    assert [cell["id"] for cell in cells] == [cell["id"] for cell in saved["cells"]]
    assert lab_page.complaints == []
    assert lab_page.foreign == []


@pytest.mark.needs("make")
def test_make_lab_ends_with_the_first_lesson(make_lab: Server) -> None:
    assert make_lab.get(f"/api/contents/{FIRST}?content=0")["path"] == FIRST
    assert FIRST in make_lab.log.read_text(encoding="utf-8")  # the address that it opens


# The watch sees what it is for.

SOURCES = {
    "reach-out": """from IPython.display import HTML, Javascript, display
display(HTML('<img src="https://pictures.example/a.png">'))
display(Javascript('console.error("it broke"); new WebSocket("wss://socket.example/")'))""",
    "fail": "1 / 0",
}
BROKEN = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for name, source in SOURCES.items()
    ],
}


@in_chromium
def test_errors_complaints_and_foreign_requests_are_seen(lab_page: LabPage, course: Path) -> None:
    (course / "broken.ipynb").write_text(json.dumps(BROKEN), encoding="utf-8")
    lab_page.open("broken.ipynb")
    cells = lab_page.run_all()
    assert errors(cells) == ["fail: ZeroDivisionError: division by zero"]
    lab_page.page.evaluate(
        """() => window.jupyterapp.commands
             .execute('apputils:notify', {message: 'news', options: {autoClose: false}}).then(() => null)"""
    )
    lab_page.page.wait_for_selector(".Toastify__toast")
    assert lab_page.notifications() == 1
    lab_page.settle()
    assert any("it broke" in said for said in lab_page.complaints)
    assert set(lab_page.foreign) == {"https://pictures.example/a.png", "wss://socket.example/"}
