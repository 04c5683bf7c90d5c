"""The dilation explorer in JupyterLab: its picture, its sentences and its Python side say the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from .explorer_page import SIZES, ExplorerPage

pytestmark = pytest.mark.needs("chromium")

CELLS = (
    "from rflib.widgets.dilation import DilationExplorer",
    'e = DilationExplorer((2, 2, 2), task={"size": 15, "kernel_size": 3, "layers": 3})\ne',
)


def agree(page: ExplorerPage) -> dict[str, Any]:
    """Picture, sentence, table and Python side are compared; what Python says."""
    python = page.python(
        "{'dilations': e.dilations, 'layer': e.layer, 'offset': e.offset, 'kernel': e.kernel_size,"
        " 'size': rf.receptive_field(e.layers[:e.layer]).size,"
        " 'read': rf.receptive_field(e.layers[:e.layer]).positions(0), 'blind': e.blind_spots}"
    )
    picture, line = page.state, page.explorer.locator(".rflib-cursor-line").inner_text()
    assert picture["dilations"] == ",".join(map(str, python["dilations"]))
    assert picture["kernel"] == str(python["kernel"])
    assert (int(picture["layer"]), int(picture["offset"])) == (python["layer"], python["offset"])
    assert (int(picture["size"]), int(picture["read"])) == (python["size"], len(python["read"]))
    is_read = python["offset"] in python["read"]
    assert (int(picture["paths"]) > 0) == is_read
    said = f"Offset {python['offset']:+d} after layer {python['layer']} is".replace("-", "\N{MINUS SIGN}")
    assert line.replace("Offset 0", "Offset +0").startswith(said)
    assert ("is blind" in line) != is_read
    verdict = page.result
    if python["blind"][0]:
        assert verdict.startswith(f"{python['blind'][0]:,} of")
        assert f"{python['blind'][1]:,} of" in verdict
    else:
        assert verdict.startswith("No blind spots")
    cells = page.explorer.locator("tbody tr td").all_inner_texts()
    assert cells[0] == f"{python['size']:,}"
    assert cells[2:4] == [f"{len(python['read']):,}", f"{len(python['read']) ** 2:,}"]
    return python


def enter(page: ExplorerPage, name: str, text: str) -> None:
    """Type into a field of numbers, letter by letter, and press Enter."""
    page.explorer.get_by_label(name, exact=True).select_text()
    page.lab_page.page.keyboard.type(text)
    page.press("Enter")


def refused_in_words(page: ExplorerPage, name: str, text: str, limits: str, good: str) -> None:
    """What does not fit is refused as it ends, not as it begins; the last good number comes back."""
    before = page.state
    enter(page, name, text)
    note = page.explorer.get_by_role("alert").filter(has_text=limits)
    expect(note).to_contain_text(text)
    expect(page.explorer.get_by_label(name, exact=True)).to_have_value(good)
    agree(page)
    assert page.state == before


def cut(page: ExplorerPage) -> list[str]:
    """The words that do not fit where they stand."""
    return page.explorer.evaluate(
        """root => [...root.querySelectorAll('.rflib-rule')]
             .filter(e => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)
             .concat([...root.querySelectorAll('.rflib-axis text')].filter(e => {
               const [text, picture] = [e.getBoundingClientRect(), e.ownerSVGElement.getBoundingClientRect()];
               return text.left < picture.left - 1 || text.right > picture.right + 1;
             })).map(e => e.textContent)"""
    )


def test_schedules_are_edited_and_looked_at_with_mouse_and_keyboard(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    explorer = page.show("import rflib as rf", *CELLS)
    expect(explorer.locator(".rflib-task")).to_contain_text("Not yet: it spans 13; 6 of its offsets are blind.")
    agree(page)

    # the keyboard alone: the offsets, the layers, the blind spots
    page.picture.focus()
    page.press("ArrowRight")
    assert page.state["offset"] == "1"
    assert agree(page)["offset"] == 1
    page.press("Home", "PageDown")
    assert agree(page)["offset"] == -5
    page.press("End", "ArrowUp")
    found = agree(page)
    assert (found["layer"], found["offset"]) == (2, 4)
    assert "steps" not in explorer.locator(".rflib-cursor-line").inner_text()

    # the mouse: the middle of the lowest strip is the unit's own place
    box = page.picture.bounding_box()
    assert box is not None
    strip = explorer.locator(".rflib-own-place").bounding_box()
    assert strip is not None
    page.lab_page.page.mouse.move(strip["x"], box["y"] + 2 * 60 + 26)
    found = agree(page)
    assert (found["layer"], found["offset"]) == (3, 0)

    # a schedule typed as a list, good and bad
    field = explorer.get_by_label("dilations", exact=True)
    field.focus()
    page.press("Control+a")
    page.lab_page.page.keyboard.type("1, 2, 4")
    assert agree(page)["dilations"] == [2, 2, 2]  # not before Enter
    page.press("Enter")
    assert agree(page)["dilations"] == [1, 2, 4]
    expect(explorer.locator(".rflib-task")).to_contain_text("Solved")
    assert page.python("e.is_solved") is True
    page.lab_page.page.keyboard.type(", x")
    page.press("Enter")
    expect(explorer.locator(".rflib-problem")).to_contain_text("such as 1, 2, 5; got \u201cx\u201d.")
    expect(field).to_have_value("1, 2, 4")
    assert agree(page)["dilations"] == [1, 2, 4]
    field.select_text()
    page.lab_page.page.keyboard.type("1, 2, 99999")
    page.press("Tab")
    said = "The dilation of layer 3 must be an integer from 1 to 1024; got 99999."
    expect(explorer.locator(".rflib-problem")).to_have_text(said)
    expect(field).to_have_value("1, 2, 4")
    assert agree(page)["dilations"] == [1, 2, 4]
    refused_in_words(page, "dilation of layer 3", "2000", "from 1 to 1,024", "4")
    refused_in_words(page, "kernel size", "64", "from 1 to 32", "3")
    enter(page, "dilation of layer 3", "1024")
    enter(page, "dilation of layer 2", "1024")  # each is allowed, and both are too long together
    expect(explorer.locator(".rflib-problem")).to_contain_text("A unit of this stack spans 4099 positions")
    expect(explorer.get_by_label("dilation of layer 2")).to_have_value("2")
    assert agree(page)["dilations"] == [1, 2, 1024]

    # one layer's dilation, a layer more, a layer less; the focus stays
    enter(page, "dilation of layer 3", "9")
    assert agree(page)["blind"] == [4, 184]
    assert "layer 3 has dilation 9, 2 more than the span of 7 so far" in page.result
    explorer.get_by_role("button", name="add a layer").click()
    assert agree(page)["dilations"] == [1, 2, 9, 18]
    explorer.get_by_role("button", name="remove layer 4").focus()
    page.press("Enter")
    assert agree(page)["dilations"] == [1, 2, 9]
    expect(explorer.get_by_role("button", name="remove layer 3")).to_be_focused()

    # a kernel size for each layer, presets, causal
    explorer.get_by_label("one for each layer").check()
    enter(page, "kernel size of layer 2", "5")
    assert page.python("e.kernel_size") == [3, 5, 3]
    explorer.get_by_label("one for each layer").uncheck()
    assert agree(page)["kernel"] == 3
    explorer.get_by_label("schedule").select_option(label="WaveNet: 1 to 512, k = 2")
    found = agree(page)
    assert (found["size"], found["kernel"], page.python("e.causal")) == (1024, 2, True)
    page.screenshot("dilation_wavenet")

    # Python moves the picture
    page.run("e.kernel_size = 3; e.causal = False")
    page.run("e.dilations = (4, 2, 1)")
    agree(page)
    assert "other layers fill what it leaves out" in page.result
    page.run("e.layer = 1; e.offset = -4")
    assert agree(page)["layer"] == 1
    page.run("e.dilations = (2, 2, 2)")
    agree(page)
    page.screenshot("dilation_light")

    def widest() -> None:
        assert agree(page)["layer"] == 1
        page.run("e.dilations = [2**n for n in range(10)]")
        assert cut(page) == []
        page.run("e.dilations = (2, 2, 2); e.layer = 1")
        assert cut(page) == []

    page.suits_everybody("dilation", ((1024, 768), *SIZES), inside_pictures=False, at_each=widest)
    assert re.fullmatch(r"DilationExplorer: .* 6 blind spots", page.python("repr(e)"))
    assert page.is_clean()
