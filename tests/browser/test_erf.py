"""The effective-field explorer in JupyterLab: moved with the mouse and the keyboard, held against its Python side."""

from __future__ import annotations

import pytest

from .explorer_page import ExplorerPage

STACK = "from rflib.widgets.erf import ErfExplorer\ne = ErfExplorer(depth=5)\ne"
MODULE = """import torch
from torch import nn
torch.manual_seed(0)
net = nn.Sequential(nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv1d(8, 1, 5, padding=2))
e = ErfExplorer(net, input_size=(16, 1, 41))
e"""


def agree(page: ExplorerPage) -> None:
    """The profile as drawn, the sentence, the table and Python say one sigma."""
    state = page.state
    sigma, size = page.python("[e.erf.sigma[-1], e.window[-1][1] - e.window[-1][0] + 1]")
    assert state["sigma"] == f"{sigma:.3f}"
    assert state["size"] == str(size)
    assert f"sigma {sigma:.2f}" in page.result
    cells = page.explorer.locator("tbody td").all_inner_texts()
    assert cells[1] == f"{sigma:.2f}".rstrip("0").rstrip(".")
    assert page.python("e.answer['sentence']") in page.result


@pytest.mark.needs("chromium")
def test_erf_explorer(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    page.show(STACK)
    assert page.lab_page.page.locator(".jp-Notebook img").filter(visible=True).count() == 0
    page.wait_for(depth="5", size="11", visited="1")
    agree(page)

    # With the keyboard alone.
    assert page.unreached() == []
    page.explorer.locator("[role=application]").focus()
    page.press("ArrowRight")
    page.wait_for(depth="6", visited="2")
    page.press("PageUp")
    page.wait_for(depth="11")
    page.press("End")
    page.wait_for(depth="30", size="61")
    agree(page)
    page.press("Home")
    page.wait_for(depth="1", size="3", visited="5")
    depth = page.explorer.get_by_label("Depth (layers)")
    depth.focus()
    for number in range(2, 21):
        page.press("ArrowRight")
        page.wait_for(depth=str(number))
    assert page.python("e.depth") == 20
    assert "at a quarter of the depth it was 1.83" in page.result
    agree(page)
    assert page.explorer.locator("tbody td").all_inner_texts()[2] == "3.65"
    legends = page.explorer.locator(".rflib-erf-legend")
    assert "closed form" in legends.nth(1).inner_text()
    assert "closed form" in legends.nth(2).inner_text()
    assert "square root of depth" in legends.nth(2).inner_text()
    assert not page.explorer.locator(".rflib-erf-why").is_visible()
    page.screenshot("erf_light")

    # With the mouse, and from Python.
    page.explorer.get_by_label("Weights").select_option("random, mean zero")
    page.wait_for(weights="random, mean zero", depth="20", visited="1")
    assert "closed form" not in "".join(legends.all_inner_texts())
    assert "square root of depth" not in "".join(legends.all_inner_texts())
    assert page.explorer.locator(".rflib-erf-why").inner_text() == page.python("e.answer['unknown']") != ""
    agree(page)
    page.explorer.get_by_label("Nonlinearity").select_option("ReLU")
    page.wait_for(nonlinearity="ReLU")
    page.explorer.get_by_label("Skip connections").select_option("identity")
    page.wait_for(skip="identity")
    page.explorer.get_by_label("Color scale").select_option("logarithm")
    page.wait_for(scale="logarithm")
    agree(page)
    page.screenshot("erf_relu_light")
    page.explorer.get_by_label("Kernel size").select_option("7")
    state = page.wait_for(kernel="7")
    assert int(state["depth"]) == int(state["deepest"]) == page.python("e.depth") < 20
    assert depth.input_value() == state["depth"]
    box = depth.bounding_box()
    assert box is not None
    page.lab_page.page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    page.wait_for(depth="1")
    page.run("e.pattern = 'dilation doubling'; e.kernel_size = 3; e.weights = 'uniform'; e.nonlinearity = 'none'")
    page.run("e.skip = 'none'; e.scale = 'linear'; e.depth = 3; e.depth = 5")
    page.wait_for(pattern="dilation doubling", kernel="3", weights="uniform", depth="5", size="63")
    assert "closed form" in legends.nth(2).inner_text()
    assert "square root of depth" not in legends.nth(2).inner_text()
    assert page.explorer.locator(".rflib-erf-why").inner_text().startswith("No line for the square root of depth")
    agree(page)
    page.suits_everybody("erf")
    assert page.is_clean()


@pytest.mark.needs("chromium")
def test_a_module(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    page.show("from rflib.widgets.erf import ErfExplorer", MODULE)
    page.wait_for(layer="(model)", unit="20", size="9")
    agree(page)
    assert page.unreached() == []
    page.explorer.locator("[role=application]").focus()
    page.press("ArrowLeft")
    page.wait_for(unit="19")
    page.press("Home")
    page.wait_for(unit="0", size="5")
    agree(page)
    page.explorer.get_by_label("Layer").select_option("0")
    page.wait_for(layer="0", unit="20", size="5")
    agree(page)
    page.run("e.unit = 3")
    page.wait_for(unit="3")
    assert page.serious() == []
    page.screenshot("erf_module_light")
    assert page.is_clean()
