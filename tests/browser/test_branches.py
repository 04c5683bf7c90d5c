"""The branch explorer in JupyterLab: its picture, its sentences and its Python side say the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.needs("chromium")

CELLS = ("import rflib as rf", "from rflib.widgets.branches import BranchExplorer", "e = BranchExplorer()\ne")


def agree(page: ExplorerPage) -> dict[str, Any]:
    """Picture, sentences and table are compared with what Python says."""
    python = page.python(
        "{'unit': e.unit, 'aligned': e.aligned, 'verdict': e.verdict, 'windows': e.windows(e.unit),"
        " 'union': e.window(e.unit), 'reads': len(e.positions(e.unit)), 'meeting': e.meeting,"
        " 'paddings': [[s['padding'] for s in b] for b in e.branches],"
        " 'centers': [None if l is None else f'{l[1].numerator}/{l[1].denominator}' for l in e.lines]}"
    )
    picture = page.state
    assert int(picture["unit"]) == python["unit"]
    assert picture["aligned"] == str(python["aligned"]).lower()
    spans = ["none" if window is None else f"{window[0]}..{window[1]}" for window in python["windows"]]
    assert picture["windows"] == "|".join(spans)
    assert picture["union"] == f"{python['union'][0]}..{python['union'][1]}"
    assert int(picture["reads"]) == python["reads"]
    assert picture["centers"] == "|".join(center or "none" for center in python["centers"])
    assert page.result == python["verdict"]
    cells = page.explorer.locator("table").first.locator("tbody tr").all()
    for row, window in zip(cells, [*python["windows"], python["union"]], strict=True):
        first, last = window
        text = str(first) if first == last else f"{first} to {last}"
        assert row.locator("td").first.inner_text() == text.replace("-", "\N{MINUS SIGN}")
    line = page.explorer.locator(".rflib-unit-line").inner_text()
    assert line.startswith(f"Unit {python['unit']}: branch 1 reads ")
    fields = page.explorer.locator('[aria-label^="pad left"]').all()
    assert [int(field.input_value()) for field in fields] == [p[0] for branch in python["paddings"] for p in branch]
    return python


def test_branches_are_looked_at_and_mended_with_mouse_and_keyboard(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    explorer = page.show(*CELLS)
    presets = explorer.locator("select").first
    assert agree(page)["windows"] == [[0, 4], [2, 2]]
    expect(explorer.get_by_role("button", name="mend the alignment")).to_be_disabled()
    page.screenshot("branches_light")

    # the keyboard alone: the unit
    page.picture.focus()
    page.press("ArrowRight", "ArrowRight")
    assert agree(page)["unit"] == 4
    page.press("Home", "ArrowLeft")
    assert agree(page)["unit"] == 0
    page.press("End", "PageUp")
    assert agree(page)["unit"] == 26
    page.press("Home")

    # the mouse: over a tick of the ruler
    tick = explorer.locator(".rflib-axis text", has_text=re.compile(r"^6$")).first.bounding_box()
    assert tick is not None
    page.lab_page.page.mouse.move(tick["x"] + tick["width"] / 2, tick["y"] - 60)
    assert agree(page)["unit"] == 6

    # misaligned on purpose, and mended
    presets.select_option(label="valid convolutions, no crop")
    found = agree(page)
    assert (found["aligned"], found["centers"]) == (False, ["2/1", "0/1"])
    page.screenshot("branches_misaligned")
    explorer.get_by_role("button", name="mend the alignment").focus()
    page.press("Enter")
    found = agree(page)
    assert (found["aligned"], found["paddings"]) == (True, [[[2, 2], [0, 0]], []])
    said = "Mended: the padding of layer 1 of branch 1 changed from 0 to 2. Now the centers agree."
    expect(explorer.locator(".rflib-mend-line")).to_have_text(said)

    # what no padding mends
    presets.select_option(label="down by a strided 3\u00d73, up by nearest")
    assert "half a position too far" in agree(page)["verdict"]
    explorer.get_by_role("button", name="mend the alignment").click()
    expect(explorer.locator(".rflib-mend-line")).to_contain_text("No padding mends it")
    page.screenshot("branches_hopeless")

    # layers and branches edited; the focus stays near
    explorer.get_by_label("kind of layer 3 of branch 1").select_option("transposed")
    explorer.get_by_label("kernel size of layer 3 of branch 1").fill("3")
    explorer_page.press("Enter")
    explorer.get_by_label("pad left of layer 3 of branch 1").fill("1")
    explorer_page.press("Enter")
    found = agree(page)
    assert found["aligned"] is True
    explorer.get_by_label("kernel size of layer 3 of branch 1").fill("99")
    explorer_page.press("Enter")
    expect(explorer.get_by_label("kernel size of layer 3 of branch 1")).to_have_attribute("aria-invalid", "true")
    assert page.python("e.branches[0][2]['kernel_size']") == 3
    explorer.get_by_role("button", name="add a layer to branch 2").focus()
    page.press("Enter")
    expect(explorer.get_by_role("button", name="add a layer to branch 2")).to_be_focused()
    explorer.get_by_role("button", name="remove layer 1 of branch 2").focus()
    page.press("Enter")
    expect(explorer.get_by_role("button", name="add a layer to branch 2")).to_be_focused()
    explorer.get_by_role("button", name="add a branch").click()
    assert len(agree(page)["windows"]) == 3
    explorer.get_by_label("that meet in").select_option("add")
    assert agree(page)["meeting"] == "add"

    # Python moves the picture
    page.run("e.branches = [[rf.Layer(3, 2, 1)], [rf.Layer(1)]]")
    assert "drift apart" in agree(page)["verdict"]
    page.run("e.unit = 9")
    agree(page)
    presets.select_option(label="ASPP, dilations 6, 12, 18")
    page.run("e.unit = 2; e.meeting = 'concatenate'")
    assert agree(page)["reads"] == 7
    page.screenshot("branches_aspp")

    page.suits_everybody("branches", inside_pictures=False, at_each=lambda: agree(page))
    assert page.is_clean()
