"""A notebook with every explorer, saved and opened where widgets cannot run: a picture of each still stands there."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser

from tools.run_notebooks import VIEW, cleaned

from .explorers import EXPLORERS
from .jupyterlab_page import ROOT, LabPage

NAME = "saved.ipynb"


@pytest.fixture(scope="module")
def saved(course: Path) -> nbformat.NotebookNode:
    """The notebook as JupyterLab saves it: views of widgets, no state, and the pictures."""
    cells = [new_code_cell(source, id=f"show-{name}") for name, source in EXPLORERS.items()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "RFLIB_ANSWERS": str(course / "answers.jsonl")}
    client = NotebookClient(
        notebook, store_widget_state=False, extra_arguments=["--log-level=ERROR"], record_timing=False
    )
    client.execute(cwd=str(course), env=environment)
    nbformat.write(notebook, course / NAME)
    return notebook


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_picture_follows_the_view(saved: nbformat.NotebookNode, name: str) -> None:
    """What GitHub and other readers of the file show: the picture is an output of its own, a PNG with words."""
    (cell,) = [cell for cell in saved.cells if cell.id == f"show-{name}"]
    view, picture = cell.outputs
    assert VIEW in view["data"]
    assert picture["data"]["image/png"]
    alt = picture["metadata"]["image/png"]["alt"]
    assert len(alt.split()) >= 8
    assert "0x" not in view["data"]["text/plain"], "an address of one run"


def test_what_make_notebooks_saves_holds_pictures_and_no_views(saved: nbformat.NotebookNode) -> None:
    clean = cleaned(nbformat.from_dict(saved))
    assert [len(cell.outputs) for cell in clean.cells] == [1] * len(EXPLORERS)


@pytest.mark.needs("chromium")
def test_jupyterlab_without_the_explorers_kernel_shows_the_pictures(
    lab_page: LabPage, saved: nbformat.NotebookNode
) -> None:
    lab_page.open(NAME)
    lab_page.scroll_through()
    lab_page.settle()
    for index in range(len(EXPLORERS)):
        lab_page.page.evaluate(
            "i => window.jupyterapp.shell.currentWidget.content.scrollToItem(i).then(() => null)", index
        )
        image = lab_page.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .jp-RenderedImage img")
        image.wait_for()
        assert image.evaluate("image => image.complete && image.naturalWidth > 100")
    lab_page.screenshot("readers_lab")
    assert lab_page.foreign == []


@pytest.mark.needs("chromium")
def test_nbconvert_shows_the_pictures(chromium: Browser, saved: nbformat.NotebookNode, tmp_path: Path) -> None:
    page_file = tmp_path / "saved.html"
    page_file.write_text(HTMLExporter().from_notebook_node(saved)[0], encoding="utf-8")
    page = chromium.new_page()
    page.route("http*://**", lambda route: route.abort())  # nbconvert's template asks for scripts; there is no network
    page.goto(page_file.as_uri())
    images = page.locator(".jp-RenderedImage img")
    assert images.count() == len(EXPLORERS)
    assert all(images.nth(i).is_visible() for i in range(images.count()))
    page.close()
