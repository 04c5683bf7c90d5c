"""The overlay in JupyterLab: by mouse, by keyboard alone, from Python; a photograph, a grid, a signal."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.needs("chromium")

PHOTO = """
import numpy as np, rflib as rf
from rflib import zoo
from rflib.widgets.overlay import Overlay
from sklearn.datasets import load_sample_image
photo = load_sample_image("china.jpg")[100:324, 200:424]
model = zoo.resnet18(width=0.25)
e = Overlay(model, photo, layer="layer2")
"""


def shows(page: ExplorerPage, text: str) -> None:
    """Wait until the picture says this of itself, each part of it."""
    page.lab_page.page.wait_for_function(
        """parts => {
             const all = document.querySelectorAll('.jp-Notebook .rflib-explorer .rflib-picture');
             const said = ' ' + all[all.length - 1]?.getAttribute('data-shows') + ' ';
             return parts.every(part => said.includes(' ' + part + ' '));
           }""",
        arg=text.split(),
        timeout=20_000,
    )


def agrees(page: ExplorerPage) -> dict[str, Any]:
    """Picture, text and Python say the same; what they say."""
    asked = """{"layer": e.layer, "unit": list(e.unit), "read": int(e.found.mask(e.unit).sum()),
      "window": e.found.interval(e.unit), "center": e.found.center(e.unit), "words": e._answer["sentence"],
      "over": sum(w is not None and any(f < 0 or l >= n for (f, l), n in zip(w, e.found.input_shape))
                  for w in map(e.found.interval, np.ndindex(*e.found.unit_shape)))}"""
    known: dict[str, Any] = page.python(" ".join(asked.split()))
    said = dict(re.findall(r"(\w+)=(\S*)", page.picture.get_attribute("data-shows") or ""))
    assert said["layer"] == known["layer"]
    assert said["unit"] == ",".join(map(str, known["unit"]))
    assert said["read"] == f"{known['read']:,}"
    assert said["window"] == ",".join(f"{first}..{last}" for first, last in known["window"])
    assert said["center"].replace("\N{MINUS SIGN}", "-") == ",".join(f"{c:g}" for c in known["center"])
    assert int(said["border"]) == known["over"]
    assert page.result == known["words"]
    assert f"{known['read']:,} of " in page.explorer.locator(".rflib-overlay-facts").inner_text()
    return known


def hover(page: ExplorerPage, selector: str, x: float, y: float) -> None:
    """Bring the mouse to a place of an element, as shares of its width and height."""
    box = page.explorer.locator(selector).bounding_box()
    assert box is not None
    page.lab_page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_the_overlay_on_a_photograph(explorer_page: ExplorerPage) -> None:
    page, browser = explorer_page, explorer_page.lab_page.page
    page.show(PHOTO, "e")
    shows(page, "layer=layer2 unit=14,14 read=9,801 effective=off")
    page.screenshot("overlay_light")

    # by mouse over the feature map, over the image, and a click that holds
    hover(page, ".rflib-overlay-map", 0.5 / 28, 27.5 / 28)
    shows(page, "unit=27,0 read=2,850")
    assert agrees(page)["unit"] == [27, 0]
    hover(page, ".rflib-overlay-image", 0.5, 0.5)
    shows(page, "unit=14,14 read=9,801")
    browser.mouse.down()
    browser.mouse.up()
    hover(page, ".rflib-overlay-image", 0.3, 0.3)
    page.lab_page.settle()
    shows(page, "unit=14,14")
    assert "Held" in page.explorer.inner_text()
    browser.mouse.down()
    browser.mouse.up()  # on another place: that unit is held now
    assert agrees(page)["unit"] != [14, 14]
    browser.mouse.down()
    browser.mouse.up()
    assert "Held" not in page.explorer.inner_text()
    browser.mouse.move(2, 2)

    # by keyboard alone, from the list of layers on
    page.run("e.unit = (14, 14)")
    page.explorer.locator("select").focus()
    page.press("Tab", "Space")  # the centers
    page.lab_page.settle()
    assert page.python("[e.centers, e.neighbors, e.effective]") == [False, True, False]
    page.press("Space", "Tab", "Tab", "Tab")
    assert browser.evaluate("() => document.activeElement.classList.contains('rflib-picture')")
    page.press("ArrowDown", "ArrowRight", "ArrowRight")
    shows(page, "unit=15,16 read=9,801")
    assert agrees(page)["unit"] == [15, 16]
    page.press("Tab", "End", "PageUp")
    shows(page, "unit=0,27 read=2,850")
    assert "2,850 of" in page.explorer.inner_text()
    page.press("ArrowUp", "ArrowLeft")
    shows(page, "unit=0,26")
    assert agrees(page)["over"] == 28 * 28 - 15 * 15

    # the layer: chosen in the list, the place kept; set in Python, and Python's refusals
    page.explorer.locator("select").select_option("layer4")
    shows(page, "layer=layer4 unit=0,6")
    assert agrees(page)["over"] == 49
    page.screenshot("overlay_deep")
    page.explorer.locator("select").select_option("fc")
    shows(page, "layer=fc unit= read=50,176")
    assert "reads everything" in page.result
    agrees(page)
    page.run("e.layer = 'layer1.0.conv1'; e.unit = (20, 30)")
    shows(page, "layer=layer1.0.conv1 unit=20,30 read=361")
    agrees(page)
    refused = page.python("e.set_state({'unit': [99, 0]}) or [list(e.unit), e._problem]")
    assert refused[0] == [20, 30]
    page.lab_page.settle()
    assert page.result == refused[1]
    assert page.result.startswith("There is no unit [99, 0]")
    hover(page, ".rflib-overlay-map", 0.51, 0.51)
    shows(page, "unit=28,28")
    assert agrees(page)["unit"] == [28, 28]

    # the effective field comes after a rest, and never for a unit that was left
    browser.mouse.move(2, 2)
    page.run("e.layer = 'layer3'; e.unit = (7, 7)")
    page.explorer.get_by_label("effective field").check()
    shows(page, "unit=7,7 effective=shown")
    known = page.python("[e.effective, list(e.effective_field.sigma), e.effective_field.size()]")
    words = page.explorer.locator(".rflib-overlay-facts").inner_text()
    assert known[0] is True
    assert "sigma " + " \N{MULTIPLICATION SIGN} ".join(f"{s:.1f}" for s in known[1]) in words
    assert f"size {known[2]:.1f}" in words
    page.screenshot("overlay_effective")
    page.explorer.locator(".rflib-picture").focus()
    page.press("ArrowLeft", "ArrowLeft")
    shows(page, "unit=7,5 effective=shown")
    agrees(page)
    assert page.python("len(e._maps)") == 2  # (7, 6) was left before the rest was over

    # looks: both themes, narrow, zoomed
    assert page.serious() == []
    assert page.unreached() == []
    page.theme("Dark")
    page.screenshot("overlay_dark")
    assert page.serious() == []
    page.theme("Light")
    browser.set_viewport_size({"width": 700, "height": 900})
    assert page.sticking_out(inside_pictures=False) == []
    page.screenshot("overlay_narrow")
    browser.set_viewport_size({"width": 1280, "height": 900})
    browser.evaluate("() => { document.body.style.zoom = 2; }")
    assert page.sticking_out(inside_pictures=False) == []
    page.screenshot("overlay_zoomed")
    assert page.is_clean()


CORNER = """
import torch
from rflib import zoo
from rflib.widgets.overlay import Overlay
e = Overlay(zoo.resnet18(width=0.25).eval(), torch.rand(1, 3, 96, 96), layer="layer2", unit=(0, 0))
"""


def test_a_window_that_goes_on_beyond_the_picture(explorer_page: ExplorerPage) -> None:
    page, browser = explorer_page, explorer_page.lab_page.page
    page.show(CORNER, "e")
    shows(page, "unit=0,0 window=-49..49,-49..49 cut=-49,-49")
    words = "the window goes on beyond the picture: rows from \N{MINUS SIGN}49, columns from \N{MINUS SIGN}49"
    assert words in page.explorer.inner_text()
    arrows = page.explorer.locator(".rflib-overlay-image .rflib-overlay-arrow")
    assert (arrows.get_attribute("d") or "").count("M") == 2
    page.screenshot("overlay_cut")
    page.run("e.unit = (6, 6)")
    shows(page, "unit=6,6 cut=none")
    assert "goes on beyond" not in page.explorer.inner_text()
    assert arrows.get_attribute("d") == ""

    # the room that JupyterLab leaves at 1024 x 768 beside its list of files
    page.run("e.unit = (0, 0)")
    browser.set_viewport_size({"width": 1024, "height": 768})
    page.explorer.evaluate("root => { root.style.width = '592px'; }")
    assert page.sticking_out(inside_pictures=False) == []
    picture, inside = page.picture.bounding_box(), page.explorer.bounding_box()
    assert picture is not None
    assert inside is not None
    assert inside["width"] == 592
    assert picture["width"] >= 0.9 * 592  # the panel is used
    assert inside["x"] <= picture["x"]
    assert picture["x"] + picture["width"] <= inside["x"] + 592
    page.screenshot("overlay_592")
    assert page.serious() == []
    assert page.is_clean()


SIGNAL = """
import numpy as np, rflib as rf
from rflib import zoo
from rflib.widgets.overlay import Overlay
t = np.arange(200)
e = Overlay(zoo.tcn(), np.sin(t / 9) + 0.3 * np.sin(t / 2.1))
"""

GRID = """
import numpy as np
from torch import nn
from rflib.widgets.overlay import Overlay
holes = nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=2, padding=2) for _ in range(3)))
e = Overlay(holes, input_size=(1, 1, 32, 48))
"""


def test_a_signal_and_an_input_without_an_image(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    page.show(SIGNAL, "e")
    shows(page, "unit=100 window=40..100 read=61")
    hover(page, ".rflib-overlay-map", 0.5 / 200, 0.5)
    shows(page, "unit=0 read=1")
    agrees(page)
    page.explorer.locator(".rflib-picture").focus()
    page.press("End", "ArrowLeft")
    shows(page, "unit=198 window=138..198")
    assert agrees(page)["over"] == 60
    page.explorer.get_by_label("effective field").check()
    shows(page, "unit=198 effective=shown")
    page.screenshot("overlay_signal")
    assert page.serious() == []

    page.show(GRID, "e")
    shows(page, "unit=16,24 read=49")
    assert "49 of the 169 pixels" in page.result
    agrees(page)
    page.screenshot("overlay_grid")
    assert page.serious() == []
    assert page.is_clean()
