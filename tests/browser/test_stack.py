"""The stack explorer in JupyterLab: picture, text and Python agree, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.needs("chromium")

IMPORTS = """import rflib as rf
from rflib.widgets.stack import StackExplorer
from rflib.widgets.stack_task import StackTask

def facts():
    below = e.layers[:e.level]
    said = {"level": e.level, "unit": e.unit, "input": e.input_size, "status": e.task.status(e.layers)}
    said["stack"] = ",".join(f"{l.kernel_size}.{l.stride}.{l.left}|{l.right}.{l.dilation}" for l in e.layers)
    if below:
        field = rf.receptive_field(below)
        read = len(field.positions(e.unit, e.input_size))
        said |= {"size": field.size, "ends": field.interval(e.unit), "read": read}
        said["sigma"] = float(rf.path_counts(below, e.unit, e.input_size).sigma[0]) if read else None
    return said"""
EXPLORER = """e = StackExplorer(
    [rf.Layer(3, padding=1), rf.Layer(2, 2, name="pool1"), rf.Layer(3, padding=2, dilation=2)],
    input_size=32, task=StackTask(31, at_most_layers=4))
e"""
CUT = """root => [...root.querySelectorAll('.rflib-row-numbers, .rflib-layer-name, .rflib-row')]
    .filter(e => e.checkVisibility() && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2)
      && getComputedStyle(e).display !== 'inline').map(e => e.outerHTML.slice(0, 120)).concat(
  [...root.querySelectorAll('.rflib-controls input[type=number]')].filter(e => e.clientWidth < 66).map(e => e.id),
  [...root.querySelectorAll('.rflib-axis text')].filter(e => {
    const [text, picture] = [e.getBoundingClientRect(), e.ownerSVGElement.getBoundingClientRect()];
    return text.left < picture.left - 1 || text.right > picture.right + 1;
  }).map(e => e.textContent))"""
PROBLEM = (
    "Layer 3 needs 39 positions; its input has 16, and 20 with padding. Use a longer input, a smaller kernel or more "
    "padding."
)


class Watched:
    """The explorer, and whether its three faces say the same."""

    def __init__(self, page: ExplorerPage) -> None:
        self.page = page
        self.root = page.explorer
        self.picture = page.picture

    def named(self, role: str, name: str) -> Locator:
        return self.root.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]

    def enter(self, name: str, number: int) -> None:
        """Type a number and press Enter."""
        field = self.named("spinbutton", name)
        field.fill(str(number))
        field.press("Enter")

    def shown(self) -> dict[str, str]:
        said = self.picture.get_attribute("data-shows") or ""
        return dict(part.split("=", 1) for part in said.split(" "))

    def agree(self) -> dict[str, str]:
        """Compare what the picture shows, what the sentence says and what Python computes; what is shown."""
        facts, shown = self.page.python("facts()"), self.shown()
        stack = shown["stack"].replace("c.", "").replace("p.", "")
        parts = (shown["level"], shown["unit"], shown["input"], stack)
        assert parts == (str(facts["level"]), str(facts["unit"]), str(facts["input"]), facts["stack"])
        if facts["level"]:
            size, (first, last) = facts["size"], facts["ends"]
            drawn = [int(shown[part]) for part in ("size", "first", "last", "read")]
            assert drawn == [size, first, last, facts["read"]]
            sentence = self.page.result.replace("\N{MINUS SIGN}", "-")
            assert sentence.startswith(f"Unit {facts['unit']} of ")
            assert f"a window of {size:,} input positions, {first:,} to {last:,}, centered on " in sentence
            line = self.root.get_by_role("region", name="Closed form").locator(".rflib-line")
            if line.is_visible():
                assert line.inner_text().endswith(f" = {size}")
            if facts["sigma"] is not None:
                assert float(shown["sigma"]) == pytest.approx(facts["sigma"], abs=1e-4)
        else:
            assert self.page.result.startswith(f"Input position {facts['unit']} feeds ")
        task = self.root.locator(".rflib-task strong").inner_text().replace("\N{CHECK MARK} ", "")
        assert task == facts["status"]
        return shown

    def point(self, level: int, unit: float, layers: int = 3) -> tuple[float, float]:
        """Where in the window a row stands, and a share of its width."""
        row = self.root.locator(".rflib-row").nth(layers - level).bounding_box()
        box = self.picture.bounding_box()
        assert row is not None
        assert box is not None
        return box["x"] + unit * box["width"], row["y"] + row["height"] / 2


def test_picture_text_and_python_agree(explorer_page: ExplorerPage) -> None:
    explorer_page.show(IMPORTS, EXPLORER)
    seen = Watched(explorer_page)
    assert seen.agree()["level"] == "3"
    pictures = explorer_page.lab_page.page.locator(".jp-RenderedImage")
    assert pictures.count() == 1  # the picture for readers without widgets is there,
    expect(pictures).to_be_hidden()  # and not seen beside the explorer
    _by_mouse(seen)
    _by_keys(seen)
    _controls_by_keys(seen)
    _what_cannot_be(seen)
    _from_python(seen)
    _can_be_read_by_all(seen)
    assert explorer_page.is_clean()


def _by_mouse(seen: Watched) -> None:
    mouse = seen.page.lab_page.page.mouse
    chosen = seen.shown()
    mouse.move(*seen.point(1, 0.4))
    assert seen.agree()["level"] == "1"
    mouse.move(*seen.point(2, 0.6))
    hovered = seen.agree()
    assert hovered["level"] == "2"
    seen.page.lab_page.page.mouse.move(5, 5)
    assert seen.agree() == chosen  # it only looked
    mouse.click(*seen.point(2, 0.6))
    mouse.move(5, 5)
    assert seen.agree() == hovered  # it stays
    mouse.move(*seen.point(0, 0.5))
    assert seen.agree()["level"] == "0"
    mouse.move(5, 5)


def _by_keys(seen: Watched) -> None:
    press = seen.page.press
    seen.picture.focus()
    press("PageUp")
    assert seen.agree()["level"] == "3"
    press("Home")
    assert seen.agree()["unit"] == "0"
    press("ArrowLeft")
    assert seen.agree()["unit"] == "0"
    press("ArrowRight", "ArrowRight")
    assert seen.agree()["unit"] == "2"
    press("ArrowDown")
    assert (seen.agree()["level"], seen.shown()["unit"]) == ("2", "2")
    press("End")
    assert seen.agree()["unit"] == "15"
    press("PageDown")
    assert seen.agree()["level"] == "0"
    for level in ("1", "2", "3", "3"):
        press("ArrowUp")
        assert seen.agree()["level"] == level
    assert seen.shown()["unit"] == "15"  # up and down keep to their place


def _controls_by_keys(seen: Watched) -> None:
    press, root = seen.page.press, seen.root
    seen.named("spinbutton", "kernel size of layer 3").focus()
    press("ArrowUp", "ArrowUp")
    assert seen.agree()["stack"] == "c.3.1.1|1.1,p.2.2.0|0.1,c.5.1.2|2.2"
    seen.named("button", "same: padding of layer 3 that keeps the length").press("Enter")
    assert seen.agree()["stack"].endswith("c.5.1.4|4.2")
    for name, number in (("stride", 2), ("padding left", 3), ("padding right", 5), ("dilation", 1)):
        seen.enter(f"{name} of layer 3", number)
    assert seen.agree()["stack"].endswith("c.5.2.3|5.1")
    kind = seen.named("combobox", "kind of layer 3")
    kind.focus()
    press("ArrowDown")
    assert seen.agree()["stack"].endswith("p.5.2.3|5.1")
    assert seen.page.python("e.stack[2]['kind']") == "pooling"
    down = seen.named("button", "move layer 3 down")
    down.focus()
    press("Enter")
    assert seen.agree()["stack"] == "c.3.1.1|1.1,p.5.2.3|5.1,p.2.2.0|0.1"
    assert seen.page.python("[layer.name for layer in e.layers]") == [None, None, "pool1"]
    expect(seen.named("button", "move layer 2 down")).to_be_focused()  # the focus goes with the layer
    press("Enter")
    expect(seen.named("button", "move layer 1 up")).to_be_focused()
    press("Tab", "Tab")  # past the button that can do no more
    expect(seen.named("button", "Add convolution")).to_be_focused()
    press("Enter", "Tab", "Enter")
    assert seen.agree()["stack"].endswith("c.3.1.1|1.1,p.2.2.0|0.1")
    for remaining in (4, 3, 2):
        seen.named("button", "remove layer 1").press("Enter")
        assert seen.page.python("len(e.layers)") == remaining
        expect(seen.named("button", "remove layer 1")).to_be_focused()
    press("Enter", "Enter")
    assert seen.shown()["stack"] == ""
    expect(seen.named("button", "Add convolution")).to_be_focused()
    press("Enter")
    seen.enter("kernel size of layer 1", 31)
    assert seen.agree()["size"] == "31"
    assert root.locator(".rflib-task").get_attribute("data-solved") == "true"
    assert seen.page.python("e.solved") is True
    seen.enter("input positions", 40)
    assert seen.agree()["input"] == "40"
    seen.named("checkbox", "recursion").press("Space")
    assert seen.page.python("e.show") == ["closed form", "effective"]
    expect(root.get_by_role("region", name="Recursion")).to_be_hidden()
    seen.named("checkbox", "recursion").press("Space")
    expect(root.get_by_role("region", name="Recursion")).to_be_visible()
    chooser = seen.named("combobox", "stack")
    chooser.focus()
    press("Home", "ArrowDown", "ArrowDown")
    assert seen.page.python("e.preset") == "vgg_block"
    assert seen.agree()["size"] == "16"


def _what_cannot_be(seen: Watched) -> None:
    seen.page.run(
        "e.layers = [rf.Layer(3, padding=1), rf.Layer(2, 2, name='pool1'), rf.Layer(3, padding=2, dilation=2)]"
    )
    seen.page.run("e.input_size = 32")
    trouble = seen.root.locator(".rflib-trouble")
    expect(trouble).to_be_hidden()
    kernel = seen.named("spinbutton", "kernel size of layer 3")
    seen.enter("kernel size of layer 3", 20)  # a window of 39 over 16 positions: the rest stays drawn
    expect(trouble).to_have_text(PROBLEM)
    assert seen.agree()["level"] == "2"
    seen.enter("kernel size of layer 3", 3)
    expect(trouble).to_be_hidden()
    assert seen.agree()["level"] == "3"
    before, keyboard = seen.shown(), seen.page.lab_page.page.keyboard
    entries = (("600", "Enter"), ("1e9", "Tab"), ("2.5", "Enter"), ("0", "Tab"), ("-3", "Enter"), ("513", "Tab"))
    for typed, key in entries:
        kernel.select_text()
        keyboard.type(typed)  # letter by letter: no beginning of it counts
        assert seen.agree() == before
        seen.page.press(key)
        note = seen.root.get_by_role("alert").filter(has_text="kernel size of layer 3")
        expect(note).to_contain_text("from 1 to 512")
        expect(note).to_contain_text(typed)
        expect(kernel).to_have_value("3")
        assert seen.agree() == before
    length = seen.named("spinbutton", "input positions")
    length.select_text()
    keyboard.type("5000")
    seen.page.press("Enter")
    expect(length).to_have_value("32")
    expect(seen.root.get_by_role("alert").filter(has_text="input positions")).to_contain_text("4,096")
    assert seen.agree() == before
    _a_number_that_is_typed_keeps_the_unit(seen)
    seen.page.run("e.layers = [rf.Layer(1, 64)] * 3 + [rf.Layer(3, padding=1)]")
    seen.enter("stride of layer 4", 4)
    expect(trouble).to_contain_text("The explorer shows fields and strides of at most 1,000,000 positions")
    expect(seen.named("spinbutton", "stride of layer 4")).to_have_value("1")
    seen.page.press("Tab")
    expect(trouble).to_contain_text("The explorer shows")  # the sentence stays to be read
    assert seen.agree()["stack"].endswith("c.3.1.1|1.1")
    seen.enter("padding left of layer 4", 2)
    expect(trouble).to_be_hidden()
    assert seen.agree()["stack"].endswith("c.3.1.2|1.1")


def _a_number_that_is_typed_keeps_the_unit(seen: Watched) -> None:
    seen.page.run("e.level = 2; e.unit = 12")
    length = seen.named("spinbutton", "input positions")
    length.select_text()
    seen.page.lab_page.page.keyboard.type("50")  # on 5 positions there is no unit 12
    seen.page.press("Enter")
    shown = seen.agree()
    assert (shown["input"], shown["level"], shown["unit"]) == ("50", "2", "12")
    seen.enter("input positions", 32)
    seen.page.run("e.level = 3")


def _from_python(seen: Watched) -> None:
    seen.page.run("e.preset = 'M6_stride_first'")
    assert seen.agree()["size"] == "7"
    seen.page.run("e.level = 1; e.unit = 3")
    assert (seen.agree()["level"], seen.shown()["unit"]) == ("1", "3")
    seen.page.run("e.set_state({'level': 2, 'unit': 0})")
    seen.page.run("e.task = StackTask(7)")
    assert seen.root.locator(".rflib-task").inner_text().startswith("Task: Reach a field of exactly 7.")
    assert seen.agree()["level"] == "2"
    seen.page.run("e.show = ['closed form']")
    seen.page.run("e.layers = [rf.Layer(3, padding=1, name='<b>one</b>')] * 30; e.input_size = 300")
    assert seen.agree()["size"] == "61"
    assert seen.root.locator(".rflib-picture *").count() < 80  # a few paths, not an element a unit
    assert seen.root.locator("b", has_text="<b>one</b>").count() == 30  # a name is text
    seen.page.run("e.show = ['recursion', 'closed form', 'effective']; e.preset = 'vgg_block'; e.unit = 0; e.level = 4")


def _can_be_read_by_all(seen: Watched) -> None:
    page = seen.page.lab_page.page
    for theme in ("Dark", "Light"):
        seen.page.theme(theme)
        assert seen.page.serious() == []
        seen.page.screenshot(f"stack-{theme.lower()}")
    assert seen.page.unreached() == []
    seen.page.run("e.layers = [rf.Layer(3, padding=2, dilation=2)] * 8; e.input_size = 1200")
    for width, height in ((1024, 768), (700, 900), (640, 450)):  # 200 % zoom leaves 640 by 450 of 1280 by 900
        page.set_viewport_size({"width": width, "height": height})
        seen.page.lab_page.settle()
        assert seen.root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
        outside = """root => { const right = root.getBoundingClientRect().right;
            return [...root.querySelectorAll('*')].filter(e => !e.closest('.rflib-scroll, svg') && e.checkVisibility()
              && e.getBoundingClientRect().right > right + 1).map(e => e.outerHTML.slice(0, 90)); }"""
        assert seen.root.evaluate(outside) == []
        assert seen.root.evaluate(CUT) == []
        assert seen.page.serious() == []
        seen.page.screenshot(f"stack-{width}")
