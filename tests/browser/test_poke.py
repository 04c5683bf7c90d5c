"""The poke explorer in JupyterLab: moved with the mouse and with the keyboard, held against its Python side."""

from __future__ import annotations

import re

import pytest

from .explorer_page import ExplorerPage

START = "from rflib.widgets.poke import PokeExplorer\ne = PokeExplorer()\ne"


def shown(page: ExplorerPage) -> dict[str, str]:
    """What the picture says that it shows."""
    text = page.picture.get_attribute("data-shows") or ""
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', text)}


def wait_for(page: ExplorerPage, **wanted: str) -> dict[str, str]:
    """The picture's state, once it shows this."""
    for _ in range(200):
        state = shown(page)
        if all(state[name] == value for name, value in wanted.items()):
            return state
        page.lab_page.page.wait_for_timeout(25)
    raise AssertionError(f"{wanted} does not come; the picture shows {state}")


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


def overhanging(page: ExplorerPage) -> list[str]:
    """What of the explorer stands out at its right side."""
    return page.explorer.evaluate(
        """root => {
             const right = root.getBoundingClientRect().right;
             return [...root.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > right + 1)
               .map(e => e.outerHTML.slice(0, 120));
           }"""
    )


@pytest.mark.needs("chromium")
def test_poke_explorer(explorer_page: ExplorerPage) -> None:
    page, mouse = explorer_page, explorer_page.lab_page.page.mouse
    page.show(START)
    assert page.lab_page.page.locator(".jp-Notebook img").filter(visible=True).count() == 0
    wait_for(page, pixel="6,6", unit="5,5", reads="9")
    assert page.python("[list(e.pixel), list(e.unit), int(e.reads.sum())]") == [[6, 6], [5, 5], 9]
    page.screenshot("poke_light")

    # With the mouse: point at a pixel, change it, choose a unit outside.
    mouse.move(*cell(page, 0, 1, 2))
    state = wait_for(page, pixel="1,2", kind="would", marked="6")
    mouse.click(*cell(page, 0, 1, 2))
    state = wait_for(page, pixel="1,2", kind="changed", marked="6")
    assert page.python("len(e.changed)") == 6
    assert page.python("float(e.image[1, 2])") == float(state["gray"])
    assert "6 of 100 units changed" in page.result
    assert "bit-identical" in page.result
    mouse.click(*cell(page, 1, 3, 4))
    wait_for(page, unit="3,4", mode="unit")
    assert page.python("list(e.unit)") == [3, 4]
    mouse.move(*cell(page, 1, 8, 8))
    wait_for(page, unit="8,8")
    mouse.move(5, 5)
    wait_for(page, unit="3,4")  # what was clicked stays chosen
    assert "Unit (3, 4) reads 9 of 144 pixels" in page.result
    assert page.python("e.answer['sentence']") == page.result
    page.screenshot("poke_unit_light")

    # With the keyboard alone.
    assert page.unreached() == []
    image, features = page.explorer.locator("[role=application]").all()
    image.focus()
    wait_for(page, mode="pixel")
    page.press("Home")
    wait_for(page, pixel="1,0")
    page.press("PageDown")
    wait_for(page, pixel="11,0", kind="would", marked="1")
    page.press("ArrowUp")
    wait_for(page, pixel="10,0", marked="2")
    page.press("Enter")
    state = wait_for(page, pixel="10,0", kind="changed", marked="2")
    assert page.python("sorted(map(list, e.changed))") == [[8, 0], [9, 0]]
    first = state["gray"]
    page.press(" ")
    page.lab_page.page.wait_for_function(
        "([picture, gray]) => !picture.getAttribute('data-shows').includes(`gray=${gray} `)",
        arg=[page.picture.element_handle(), first],
    )
    assert page.python("float(e.image[10, 0])") == float(shown(page)["gray"]) != float(first)
    page.press("Shift+ArrowRight")
    wait_for(page, by="0,1", kind="moved", marked="90")
    assert "the map 1 unit right: exactly, in all 90 inner units" in page.result
    page.press("Tab")
    wait_for(page, mode="unit")
    page.press("ArrowDown", "ArrowDown", "End")
    wait_for(page, unit="5,9")
    assert page.python("[list(e.unit), e.mode]") == [[5, 9], "unit"]
    assert features.evaluate("e => e === document.activeElement")

    # From Python, and by the controls.
    page.run("e.reset(); e.pixel = (2, 3); e.unit = (0, 0)")
    wait_for(page, pixel="2,3", unit="0,0", mode="unit", by="0,0")
    page.explorer.get_by_label("Layers").select_option("dense layer")
    wait_for(page, layers="dense layer", reads="144", marked="100")
    assert page.python("[e.layers, int(e.reads.sum())]") == ["dense layer", 144]
    page.screenshot("poke_dense_light")
    page.explorer.get_by_label("Layers").select_option("squeeze-and-excitation")
    wait_for(page, layers="squeeze-and-excitation")
    page.explorer.get_by_label("Channel shown").select_option("2")
    wait_for(page, channel="2")
    page.explorer.get_by_label("Layers").select_option("strided convolution, stride 2")
    wait_for(page, layers="strided convolution, stride 2", channel="0")
    page.explorer.get_by_role("button", name="Shift the image left").click()
    wait_for(page, by="0,-1", marked="0")
    page.explorer.get_by_role("button", name="Shift the image left").click()
    wait_for(page, by="0,-2", marked="24")
    page.explorer.get_by_role("button", name="Reset the image").click()
    wait_for(page, by="0,0", kind="would")
    before = shown(page)
    page.run("import rflib as rf\ntry:\n    e.pixel = (0, 12)\nexcept rf.UnitError:\n    pass")
    assert shown(page) == before

    # For everybody: both themes, narrow and enlarged.
    assert page.serious() == []
    page.theme("Dark")
    assert page.serious() == []
    page.screenshot("poke_dark")
    page.theme("Light")
    for width in (700, 640):  # 640: what a zoom of 200% leaves of 1280
        page.lab_page.page.set_viewport_size({"width": width, "height": 900})
        page.lab_page.settle()
        assert overhanging(page) == []
        page.screenshot(f"poke_{width}")
    assert page.is_clean()


@pytest.mark.needs("chromium")
def test_a_restarted_kernel(explorer_page: ExplorerPage) -> None:
    """The explorer says that Python is gone, and takes no more moves that nobody would answer."""
    page, browser = explorer_page, explorer_page.lab_page.page
    page.show(START)
    wait_for(page, pixel="6,6", unit="5,5")
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
    assert shown(page)["pixel"] == "6,6"
    assert page.lab_page.complaints == []
