"""What becomes of a lesson on its way to a deck, and what is said where a deck cannot be made."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.publishing import slides

LESSONS = sorted(slides.LESSONS.glob("*.ipynb"))


def lesson(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return new_notebook(cells=[new_markdown_cell("# The `title`\n\n25 minutes"), *cells])


def note(text: str) -> nbformat.NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": "notes"}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lesson 02](02_why_it_matters.ipynb)", "[lesson 02](02_why_it_matters.html)"),
        ("[its end](03_layer_by_layer.ipynb#summary)", "[its end](03_layer_by_layer.html)"),
        ("the [notation](notation.md) and [this](../exercises/01/01.ipynb).", "the notation and this."),
        ("[arXiv](https://arxiv.org/abs/1)", "[arXiv](https://arxiv.org/abs/1)"),
        ("![a flower](flower.png)", "![a flower](flower.png)"),
    ],
)
def test_links_lead_to_decks_or_nowhere(text: str, said: str) -> None:
    notebook = lesson(new_markdown_cell(text))
    slides.prepare(notebook)
    assert notebook.cells[1].source == said


def shown(source: str, kind: str) -> nbformat.NotebookNode:
    return new_code_cell(source, outputs=[new_output("display_data", {kind: "x"})])


@pytest.mark.parametrize(
    ("cell", "folds"),
    [
        (shown("one\n" * 6, "image/png"), "6 lines"),
        (shown("one\n" * 5, "image/png"), None),
        (shown("rf.StackExplorer()", slides.VIEW), "1 line"),
        (shown("one\n" * 9, "text/plain"), None),
        (shown('rf.ask("03-order")', slides.VIEW), None),
    ],
)
def test_long_code_is_folded_where_a_picture_is_what_the_room_looks_at(
    cell: nbformat.NotebookNode, folds: str | None
) -> None:
    notebook = lesson(cell)
    slides.prepare(notebook)
    assert notebook.cells[1].metadata.get("folds") == folds
    assert notebook.cells[1].metadata.get("asks") == ("03-order" if "ask" in cell.source else None)


def test_minutes_are_those_of_the_lecture_and_else_of_the_lesson() -> None:
    assert slides.lecture_minutes(lesson(note("> **For the lecturer.** In 40 minutes: question 3, rest 37."))) == 40
    assert slides.lecture_minutes(lesson(note("> In a lecture of 35 minutes: all."))) == 35
    assert slides.lecture_minutes(lesson()) == 25
    assert slides.heading(lesson()) == "The title"


def test_a_script_cannot_end_its_element() -> None:
    assert slides.safe('x = "</script><!--"') == 'x = "<\\/script><\\!--"'


def test_a_lesson_that_was_not_run_is_refused() -> None:
    with pytest.raises(slides.SlidesError, match=r"03\.ipynb has no outputs: its 1 code cells.*make notebooks"):
        slides.check(lesson(new_code_cell("1 + 1")), Path("03.ipynb"))


def test_what_is_missing_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(slides, "ROOT", tmp_path)
    monkeypatch.setattr(slides, "PACKAGES", tmp_path / "node_modules")
    assert slides.main([str(LESSONS[0]), "--to", str(tmp_path / "slides")]) == 1
    said = capsys.readouterr().err
    assert "node_modules/reveal.js/dist/reveal.js is missing" in said
    assert "apt-get install npm" in said


def test_a_lesson_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert slides.main([str(tmp_path / "99_none.ipynb"), "--to", str(tmp_path)]) == 1
    assert re.search(r"No slides: .*99_none\.ipynb", capsys.readouterr().err)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_has_what_the_index_says(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert 30 <= slides.lecture_minutes(notebook) <= 60
    assert slides.questions()[path.stem].endswith("?")
    assert notebook.metadata["rise"]["scroll"] is True
