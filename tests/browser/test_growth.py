"""The growth explorer in JupyterLab: moved by mouse and by keyboard; picture, text and Python agree."""

from __future__ import annotations

import pytest

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.needs("chromium")

CODE = "from rflib.widgets.growth import GrowthExplorer\ne = GrowthExplorer(depth=8)\ne"


def agrees(page: ExplorerPage) -> bool:
    """The picture, the sentence, the table and Python say the same."""
    shown = page.state
    assert page.result == page.python("e.sentence")
    said = page.python("[e.way.replace(' ', '-'), e.axis, e.design and e.design.field.size, str(e.log)]")
    assert said == [shown["way"], shown["axis"], int(shown["size"]), shown["log"].capitalize()]
    cells = page.explorer.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [3, 6, 7].map(at => Number(row.cells[at].textContent.replaceAll(',', ''))))"
    )
    compared = "[[f.field.size, f.cost.parameters, f.cost.multiply_adds] if f else None for f in e.compared.values()]"
    wanted = page.python(compared)
    assert [None if row[0] is None or row[0] != row[0] else row for row in cells] == wanted
    return True


def cut_texts(page: ExplorerPage) -> list[str]:
    """What reaches over the right edge of the explorer, of its picture or of its table."""
    return page.explorer.evaluate(
        """root => {
             const right = element => element.getBoundingClientRect().right;
             const over = (element, place) => right(element) > right(place) + 0.5;
             const all = (place, names) => [...place.querySelectorAll(names)].filter(each => over(each, place));
             const found = [...all(root, 'td, th, select, button, input'), ...all(root.querySelector('svg'), 'text')];
             const table = root.querySelector('.rflib-scroll');
             if (table && table.scrollWidth > table.clientWidth) found.push(table);
             return found.map(element => element.textContent);
           }"""
    )


def last_point(page: ExplorerPage, way: int) -> list[float]:
    """Where the last point of a curve is on the screen."""
    page.explorer.scroll_into_view_if_needed()
    return page.picture.evaluate(
        """(picture, way) => {
             const route = picture.querySelector(`.rflib-way.rflib-way-${way}`).getAttribute('d').split('M')[1];
             const [x, y] = route.split('L').at(-1).split(' ').map(Number);
             const point = new DOMPoint(x, y).matrixTransform(picture.getScreenCTM());
             return [point.x, point.y];
           }""",
        way,
    )


def test_the_growth_explorer(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    root = page.show(CODE)
    assert agrees(page)
    assert page.state["step"] == "3"
    # by the keyboard alone
    page.picture.focus()
    page.press("ArrowRight", "ArrowRight")
    assert page.state["step"] == "5"
    page.press("ArrowDown", "ArrowDown", "ArrowDown")
    assert (page.state["way"], page.state["size"]) == ("dilation", "63")
    assert agrees(page)
    page.press("End")
    assert page.state["size"] == "511"
    page.press("Home", "ArrowUp")
    assert (page.state["way"], page.state["step"], page.state["size"]) == ("pooling", "1", "3")
    assert agrees(page)
    page.screenshot("growth_steps")
    # another price, by the keyboard
    axis = root.get_by_label("horizontal axis")
    axis.focus()
    page.press("p", "Enter")
    axis.select_option("parameters")
    page.picture.focus()
    page.press("ArrowUp", "ArrowUp", "End")
    assert (page.state["axis"], page.state["way"], page.state["size"]) == ("parameters", "depth", "17")
    assert agrees(page)
    page.screenshot("growth_parameters")
    # by the mouse: the point nearest to the last one of dilation
    x, y = last_point(page, 3)
    page.lab_page.page.mouse.move(x, y)
    page.lab_page.settle()
    assert page.python("e.axis") == "parameters"
    assert agrees(page)
    assert (page.state["way"], page.state["size"]) == ("dilation", "511")
    root.get_by_role("button", name="depthwise: put the cursor here").click()
    assert page.state["way"] == "depthwise"
    root.get_by_label("kernel size of depthwise").select_option("7")
    assert page.state["kernels"] == "3,3,3,3,7"
    root.get_by_label("logarithmic").check()
    channels = root.get_by_label("channels")
    channels.focus()
    page.press("ArrowRight")
    assert page.state["channels"] == "65"
    assert agrees(page)
    page.screenshot("growth_log")
    # from Python
    page.run("e.axis, e.log, e.kernels, e.channels, e.way, e.step = 'multiply_adds', False, 3, 32, 'depth', 8")
    assert (page.state["axis"], page.state["kernels"], page.state["channels"]) == (
        "multiply_adds",
        "3,3,3,3,3",
        "32",
    )
    assert agrees(page)
    page.screenshot("growth_multiply_adds")
    # where a way is not on the chart
    page.run("e.axis, e.depth, e.kernels, e.way = 'parameters', 2, {'large kernels': 11}, 'large kernels'")
    assert page.state["step"] == "0"
    assert page.result == page.python("e.sentence")
    page.run("e.axis, e.depth, e.kernels, e.way, e.step = 'steps', 8, 3, 'dilation', 5")
    page.suits_everybody("growth")
    assert page.is_clean()


def test_the_growth_explorer_in_a_narrow_place(explorer_page: ExplorerPage) -> None:
    page = explorer_page
    page.show(CODE)
    for width, height in ((1280, 900), (1024, 768), (800, 700), (640, 450)):
        page.beside_the_files(width, height)
        for setting in (
            "e.depth, e.channels, e.input_size, e.axis, e.step = 1, 1, 8, 'parameters', 1",
            "e.depth, e.channels, e.input_size, e.axis, e.step = 16, 512, 1024, 'multiply_adds', 16",
        ):
            page.run(setting)
            assert page.sticking_out() == []
            assert cut_texts(page) == []
        page.screenshot(f"growth_beside_{width}")
    assert page.serious() == []
    page.run("e.depth, e.channels, e.input_size, e.axis, e.step, e.way = 6, 64, 224, 'parameters', 6, 'dilation'")
    assert agrees(page)
    assert page.is_clean()
