"""The design game in JupyterLab: played by mouse and by keyboard; picture, text and Python agree."""

from __future__ import annotations

import pytest

from .explorer_page import ExplorerPage
from .test_growth import cut_texts

pytestmark = pytest.mark.needs("chromium")

CODE = "from rflib.widgets.game import DesignGame\ng = DesignGame(keep=False)\ng"


def agrees(page: ExplorerPage) -> bool:
    """The picture, the meters, the sentence and Python say the same."""
    page.lab_page.settle()
    shown = page.state
    said = page.python(
        "[g.level, len(g.layers), g.assessment.design.field.size if g.layers else 1, g.score, "
        "g.best.score if g.best else 0, '|'.join('.'.join(map(str, row)) for row in g.stacks[g.level])]"
    )
    numbers = [int(shown[name]) for name in ("round", "layers", "field", "score", "best")]
    assert said == [*numbers, shown["stack"]]
    text = page.explorer.inner_text()
    assert f"Score {shown['score']} of 100" in text
    assert f"field {shown['field']} of" in text
    if numbers[1]:
        missed, parameters = page.python("[list(g.assessment.missed), g.design.cost.parameters]")
        assert all(sentence in page.result for sentence in missed)
        assert ("Solved" in page.result) == (not missed)
        assert f"parameters {parameters:,}" in text
    return True


def focused(page: ExplorerPage) -> str:
    """The text of what has the focus."""
    return page.lab_page.page.evaluate("() => document.activeElement.textContent")


def test_the_design_game(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    root = page.show(CODE)
    assert agrees(page)
    page.screenshot("game_start")
    # by the keyboard alone: seven convolutions of 3
    page.picture.focus()
    page.press("1", "1", "1", "1", "2")
    assert page.state["stack"].split("|")[-1] == "5.1.1.conv"
    page.press("ArrowLeft")
    assert page.state["layers"] == "6"
    assert agrees(page)
    page.press("1")
    assert (page.state["field"], page.state["score"]) == ("15", "100")
    assert agrees(page)
    assert page.state["best"] == "100"
    page.screenshot("game_solved")
    page.press("ArrowDown", "ArrowRight", "1", "1")
    assert "The round allows 8 layers: remove one first." in root.inner_text()
    page.press("Delete", "Backspace")
    assert page.state["layers"] == "6"
    assert agrees(page)
    # another round, by the mouse
    root.get_by_label("Round").select_option("2")
    assert (page.state["round"], page.state["layers"]) == ("2", "1")
    for name in ("+ conv 3", "+ conv 3", "+ conv 3 dilation 2", "+ conv 5"):
        root.get_by_role("button", name=name, exact=True).click()
    root.get_by_label("dilation of layer 5").select_option("8")
    assert page.state["stack"].endswith("5.1.8.conv")
    assert agrees(page)
    page.screenshot("game_holes")
    box = page.picture.bounding_box()
    assert box is not None
    page.lab_page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * (290 - 18) / 330)
    assert page.state["selected"] == "1"
    root.get_by_role("button", name="remove layer 1").click()
    assert page.state["layers"] == "4"
    root.get_by_role("button", name="up: move layer 1 up").click()
    assert page.state["selected"] == "2"
    page.picture.focus()
    page.press("d", "Shift+ArrowDown")
    assert page.state["selected"] == "1"
    assert agrees(page)
    # from Python, and the other way round
    page.run("import rflib as rf; g.layers = [rf.Layer(3, padding=d, dilation=d) for d in (1, 1, 4, 8, 8)]")
    assert (page.state["field"], page.state["score"], page.state["best"]) == ("45", "100", "100")
    assert agrees(page)
    page.run("g.level = 4")
    assert page.state["round"] == "4"
    page.screenshot("game_last_round")
    root.get_by_role("button", name="Show me (gives up this round)").focus()
    page.press("Enter")
    page.lab_page.settle()
    assert page.python("[g.given_up, g.solved]") == [True, False]
    assert focused(page) == "Load the cheapest"  # the button that had the focus is gone
    cheapest = page.python("str(g.show_solution())")
    assert f"The cheapest: {cheapest}." in root.inner_text()
    root.get_by_role("button", name="Load the cheapest").click()
    assert (page.state["score"], page.state["best"]) == ("100", "0")
    assert agrees(page)
    assert not page.python("g.solved")
    page.screenshot("game_shown")
    root.get_by_role("button", name="Start over").click()
    assert page.result == "An empty stack sees 1 input position: add a layer."
    assert agrees(page)
    page.run("g.level = 3")
    page.picture.focus()
    page.press("7", "6", "d", "d")
    assert agrees(page)
    page.suits_everybody("game")
    assert page.is_clean()


def test_the_game_in_a_narrow_place_and_without_a_kernel(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    root = page.show(CODE)
    for width, height in ((1024, 768), (640, 450)):
        page.beside_the_files(width, height)
        for level, keys in ((2, "dd1"), (4, "sd5d1")):
            page.run(f"g.level = {level}")
            page.picture.focus()
            page.press(*keys)
            page.lab_page.settle()
            assert page.sticking_out() == []
            assert cut_texts(page) == []
        page.screenshot(f"game_beside_{width}")
    # a button that is switched off hands the focus on
    root.get_by_role("button", name="Start over").click()
    page.press("Escape")
    page.picture.focus()
    page.press("1")
    root.get_by_role("button", name="remove layer 1").focus()
    page.press("Enter")
    assert page.state["layers"] == "0"
    assert page.picture.evaluate("picture => document.activeElement === picture")
    page.lab_page.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => null)"""
    )
    page.explorer.page.get_by_text("The kernel was restarted or has ended").wait_for()
    root.get_by_role("button", name="Show me (gives up this round)").click()
    page.lab_page.settle()
    assert page.is_clean()
