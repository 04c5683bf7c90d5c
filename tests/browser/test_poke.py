"""The poke explorer in JupyterLab: moved with the mouse and with the keyboard, held against its Python side."""

from __future__ import annotations

import pytest

from .explorer_page import ExplorerPage

START = "from rflib.widgets.poke import PokeExplorer\ne = PokeExplorer()\ne"


def cell(page: ExplorerPage, panel: int, row: int, column: int) -> tuple[float, float]:
    """The middle of a pixel (panel 0) or of a unit (panel 1) on the screen."""
    at = (
        page.explorer.locator(".rflib-picture")
        .nth(panel)
        .evaluate(
            """(picture, [row, column]) => {
             const point = new DOMPoint(column + 0.5, row + 0.5).matrixTransform(picture.getScreenCTM());
             return [point.x, point.y];
           }""",
            [row, column],
        )
    )
    return at[0], at[1]


@pytest.mark.needs("chromium")
def test_poke_explorer(explorer_page: ExplorerPage) -> None:
    page, mouse = explorer_page, explorer_page.lab_page.page.mouse
    page.show(START)
    assert page.lab_page.page.locator(".jp-Notebook img").filter(visible=True).count() == 0
    page.wait_for(pixel="6,6", unit="5,5", reads="9")
    assert page.python("[list(e.pixel), list(e.unit), int(e.reads.sum())]") == [[6, 6], [5, 5], 9]
    page.screenshot("poke_light")

    # With the mouse: point at a pixel, change it, choose a unit outside.
    mouse.move(*cell(page, 0, 1, 2))
    state = page.wait_for(pixel="1,2", kind="would", marked="6")
    mouse.click(*cell(page, 0, 1, 2))
    state = page.wait_for(pixel="1,2", kind="changed", marked="6")
    assert page.python("len(e.changed)") == 6
    assert page.python("float(e.image[1, 2])") == float(state["gray"])
    assert "6 of 100 units changed" in page.result
    assert "bit-identical" in page.result
    mouse.click(*cell(page, 1, 3, 4))
    page.wait_for(unit="3,4", mode="unit")
    assert page.python("list(e.unit)") == [3, 4]
    mouse.move(*cell(page, 1, 8, 8))
    page.wait_for(unit="8,8")
    mouse.move(5, 5)
    page.wait_for(unit="3,4")  # what was clicked stays chosen
    assert "Unit (3, 4) reads 9 of 144 pixels" in page.result
    assert page.python("e.answer['sentence']") == page.result
    page.screenshot("poke_unit_light")

    # A press that is answered before the button is let go is a click all the same.
    mouse.move(*cell(page, 0, 4, 4))
    mouse.down()
    page.wait_for(pixel="4,4", mode="pixel")
    page.lab_page.settle()
    mouse.up()
    page.wait_for(pixel="4,4", kind="changed")
    mouse.move(5, 5)
    page.run("e.reset(); e.poke((1, 2))")
    page.wait_for(pixel="1,2", kind="changed")

    # With the keyboard alone.
    assert page.unreached() == []
    image, features = page.explorer.locator("[role=application]").all()
    image.focus()
    page.wait_for(mode="pixel")
    page.press("Home")
    page.wait_for(pixel="1,0")
    page.press("PageDown")
    page.wait_for(pixel="11,0", kind="would", marked="1")
    page.press("ArrowUp")
    page.wait_for(pixel="10,0", marked="2")
    page.press("Enter")
    state = page.wait_for(pixel="10,0", kind="changed", marked="2")
    assert page.python("sorted(map(list, e.changed))") == [[8, 0], [9, 0]]
    first = state["gray"]
    page.press(" ")
    page.lab_page.page.wait_for_function(
        "([picture, gray]) => !picture.getAttribute('data-shows').includes(`gray=${gray} `)",
        arg=[page.picture.element_handle(), first],
    )
    assert page.python("float(e.image[10, 0])") == float(page.state["gray"]) != float(first)
    page.press("Shift+ArrowRight")
    page.wait_for(by="0,1", kind="moved", marked="90")
    assert "the map 1 unit right: exactly, in all 90 inner units" in page.result
    page.press("Tab")
    page.wait_for(mode="unit")
    page.press("ArrowDown", "ArrowDown", "End")
    page.wait_for(unit="5,9")
    assert page.python("[list(e.unit), e.mode]") == [[5, 9], "unit"]
    assert features.evaluate("e => e === document.activeElement")

    # From Python, and by the controls.
    page.run("e.reset(); e.pixel = (2, 3); e.unit = (0, 0)")
    page.wait_for(pixel="2,3", unit="0,0", mode="unit", by="0,0")
    page.explorer.get_by_label("Layers").select_option("dense layer")
    page.wait_for(layers="dense layer", reads="144", marked="100")
    assert page.python("[e.layers, int(e.reads.sum())]") == ["dense layer", 144]
    page.screenshot("poke_dense_light")
    page.explorer.get_by_label("Layers").select_option("squeeze-and-excitation")
    page.wait_for(layers="squeeze-and-excitation")
    page.explorer.get_by_label("Channel shown").select_option("2")
    page.wait_for(channel="2")
    page.explorer.get_by_label("Layers").select_option("strided convolution, stride 2")
    page.wait_for(layers="strided convolution, stride 2", channel="0")
    page.explorer.get_by_role("button", name="Shift the image left").click()
    page.wait_for(by="0,-1", marked="0")
    page.explorer.get_by_role("button", name="Shift the image left").click()
    page.wait_for(by="0,-2", marked="24")
    page.explorer.get_by_role("button", name="Reset the image").click()
    page.wait_for(by="0,0", kind="would")
    before = page.state
    page.run("import rflib as rf\ntry:\n    e.pixel = (0, 12)\nexcept rf.UnitError:\n    pass")
    assert page.state == before

    # For everybody: both themes, narrow and enlarged.
    page.suits_everybody("poke")
    assert page.is_clean()


@pytest.mark.needs("chromium")
def test_a_restarted_kernel(explorer_page: ExplorerPage) -> None:
    """The explorer says that Python is gone, and takes no more moves that nobody would answer."""
    page, browser = explorer_page, explorer_page.lab_page.page
    page.show(START)
    page.wait_for(pixel="6,6", unit="5,5")
    notice = page.explorer.locator("xpath=..").locator(".rflib-cut-off")
    assert notice.inner_text() == ""
    assert page.explorer.evaluate("root => root.inert") is False
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    browser.evaluate(f"() => {kernel}.restart()")
    browser.wait_for_function(f"() => {kernel}.status === 'idle'", timeout=30_000)
    browser.wait_for_function(
        "() => document.querySelector('.jp-Notebook .rflib-cut-off')?.textContent.includes('Run this cell again')",
        timeout=10_000,
    )
    assert page.explorer.evaluate("root => root.inert") is True
    browser.mouse.click(*cell(page, 0, 1, 2))
    page.lab_page.settle()
    assert page.state["pixel"] == "6,6"
    assert page.lab_page.complaints == []
