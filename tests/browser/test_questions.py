"""Questions in a real JupyterLab: answered with the mouse and with the keyboard alone, kept, and shown again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .explorer_page import NOTEBOOK, ExplorerPage

pytestmark = pytest.mark.needs("chromium")

OWN = """from rflib.questions import Choice, Interval, Number, Option, Region
import rflib as rf
field = rf.receptive_field([rf.Layer(3, padding=1), rf.Layer(3, padding=1)])
questions = {
    "choice": Choice("Dilation of `nn.Conv2d`, *by default*?", options=[
        Option(0, "You counted the holes.", "M3"), Option(1), Option(3, "You took the kernel.", "M2")],
        truth=lambda: 1, prediction=True, id="own-choice", reveal=lambda: rf.layer_table(field.layers)),
    "number": Number("Two layers of kernel 3: how wide?", unit="pixels", truth=lambda: field.size, id="own-number",
        mistakes=[(3, "M2", "You took the last kernel.")], hints=["First `hint`.", "Second hint.", "Third hint."],
        reveal=lambda: rf.draw_stack(field, unit=4, input_size=9)),
    "interval": Interval("The window of unit 0?", truth=lambda: field.interval(0), id="own-interval",
        mistakes=[((0, 4), "M8", "You left the padding out.")], prediction=True, reveal=lambda: "It hangs over."),
    "row": Region("Which pixels does unit 5 read?", cells=(11,), marks=[(5, "u")], id="own-row",
        truth=lambda: field.positions(5, input_size=11), prediction=True, reveal=lambda: "Five of them."),
    "grid": Region("Which pixels does unit (0, 0) read?", cells=(5, 6), id="own-grid", prediction=True,
        truth=lambda: [(r, c) for r in (0, 1) for c in (0, 1)], mistakes=[
            ([(r, c) for r in range(3) for c in range(3)], "M8", "You left the padding out.")]),
}"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


class Asked:
    """A question in JupyterLab."""

    def __init__(self, explorer_page: ExplorerPage, answers: Path) -> None:
        self.shown, self.answers = explorer_page, answers

    def ask(self, question: str) -> Locator:
        where = (
            f"import os\nos.environ['RFLIB_ANSWERS'] = {str(self.answers)!r}\nfrom rflib.questions.asking import ask"
        )
        explorer = self.shown.show(where, OWN, f"ask({question})")
        # nothing is chosen, nothing is written, nothing is said
        assert explorer.locator("input:checked").count() == 0 or self.answers.exists()
        return explorer

    @property
    def result(self) -> Locator:
        return self.shown.explorer.locator(".rflib-result")

    @property
    def focused(self) -> str:
        """The text, or the accessible name, of what has the focus."""
        return str(
            self.shown.lab_page.page.evaluate(
                "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
            )
        )

    def events(self) -> list[dict[str, Any]]:
        if not self.answers.exists():
            return []
        return [json.loads(line) for line in self.answers.read_text(encoding="utf-8").splitlines()]

    def verdicts(self) -> list[tuple[Any, str, Any]]:
        return [(event["answer"], event["verdict"], event["mistake"]) for event in self.events()]

    def press(self, *keys: str) -> None:
        self.shown.press(*keys)

    def write(self, text: str) -> None:
        self.shown.lab_page.page.keyboard.type(text)

    def theme(self, name: str) -> None:
        page = self.shown.lab_page.page
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)"
        page.evaluate(change, f"JupyterLab {name}")
        page.wait_for_function("name => document.body.dataset.jpThemeLight === String(name === 'Light')", arg=name)
        self.shown.lab_page.settle()

    def enter(self) -> None:
        """Put the focus on the first control of the form, as the tab key does from the cell above."""
        self.shown.explorer.locator("input, button").first.focus()


@pytest.fixture
def asked(explorer_page: ExplorerPage, answers: Path) -> Asked:
    return Asked(explorer_page, answers)


def test_a_choice_by_mouse_is_kept_and_shown_again(asked: Asked) -> None:
    explorer = asked.ask("questions['choice']")
    assert explorer.locator("legend code").inner_text() == "nn.Conv2d"
    assert explorer.locator("legend em").inner_text() == "by default"
    explorer.get_by_role("button", name="Commit").click()
    expect(explorer.locator(".rflib-problem")).to_have_text("Choose one of the options first.")
    assert asked.events() == []
    explorer.get_by_label("0", exact=True).click()
    explorer.get_by_role("button", name="Commit").click()
    expect(asked.result).to_contain_text("Not right. Your answer: 0. The answer: 1.")
    expect(explorer).to_contain_text("Known mistake M3")
    expect(explorer.locator("table").first).to_be_visible()
    assert asked.verdicts() == [("0", "wrong", "M3")]
    asked.shown.screenshot("question-choice-light")
    assert asked.shown.serious() == []

    explorer = asked.ask("questions['choice']")  # the notebook is opened anew
    expect(asked.result).to_contain_text("Not right (on ")
    expect(explorer.locator("table").first).to_be_visible()
    assert explorer.get_by_label("0", exact=True).is_checked()
    explorer.get_by_role("button", name="Answer again").click()
    expect(asked.result).to_have_text("")
    assert explorer.locator("input:checked").count() == 0
    assert explorer.locator("table").count() == 0
    explorer.get_by_label("1", exact=True).click()
    explorer.get_by_role("button", name="Commit").click()
    expect(asked.result).to_contain_text("Right")
    assert asked.verdicts() == [("0", "wrong", "M3"), ("1", "right", None)]
    assert asked.shown.is_clean()


def test_a_choice_by_keyboard(asked: Asked) -> None:
    asked.ask("questions['choice']")
    asked.enter()
    asked.press("ArrowDown", "Enter")
    expect(asked.result).to_contain_text("Right")
    assert asked.verdicts() == [("1", "right", None)]
    assert "Right" in asked.focused  # where the keyboard goes on from
    asked.press("Shift+Tab")
    assert asked.focused == "Answer again"
    asked.press("Space")
    expect(asked.result).to_have_text("")
    assert asked.shown.is_clean()


def test_a_number_by_keyboard_with_hints(asked: Asked) -> None:
    explorer = asked.ask("questions['number']")
    assert explorer.get_by_label("Your answer").input_value() == ""
    assert asked.shown.unreached() == []
    asked.enter()
    asked.write("four")
    asked.press("Enter")
    expect(explorer.locator(".rflib-problem")).to_contain_text('"four" is no number')
    assert explorer.get_by_label("Your answer").input_value() == "four"
    assert asked.events() == []
    for number, said in (("4", "Hint 1 of 3: First hint."), ("3", "You took the last kernel."), ("6", "Hint 2 of 3")):
        asked.press("ControlOrMeta+a")
        asked.write(number)
        asked.press("Enter")
        expect(explorer.locator(".rflib-more")).to_contain_text(said)
        expect(asked.result).not_to_contain_text("5")
    asked.press("ControlOrMeta+a")
    asked.write("5")
    asked.press("Enter")
    expect(asked.result).to_contain_text("Right")
    picture = explorer.locator("img")
    assert "Its ideal window" in str(picture.get_attribute("alt"))
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert asked.verdicts() == [(4, "wrong", None), (3, "wrong", "M2"), (6, "wrong", None), (5, "right", None)]
    asked.theme("Dark")
    asked.shown.screenshot("question-number-dark")
    assert asked.shown.serious() == []
    asked.theme("Light")
    assert asked.shown.is_clean()


def test_an_interval_by_keyboard(asked: Asked) -> None:
    explorer = asked.ask("questions['interval']")
    asked.enter()
    asked.write("4")
    asked.press("Tab")
    asked.write("0")
    asked.press("Enter")
    expect(explorer.locator(".rflib-problem")).to_have_text("The last position, 0, lies before the first, 4.")
    asked.press("ControlOrMeta+a")
    asked.write("-2")
    asked.press("Tab")
    asked.press("ControlOrMeta+a")
    asked.write("2")
    asked.press("Enter")
    expect(asked.result).to_contain_text("Right")
    assert asked.verdicts() == [([-2, 2], "right", None)]
    assert asked.shown.serious() == []
    assert asked.shown.is_clean()


def test_a_row_by_dragging(asked: Asked) -> None:
    explorer = asked.ask("questions['row']")
    explorer.get_by_label("pixel 3", exact=True).scroll_into_view_if_needed()
    drag(asked, "pixel 3", "pixel 7")
    expect(explorer.locator(".rflib-count")).to_have_text("5 pixels chosen")
    drag(asked, "pixel 7", "pixel 7")  # a click takes one back
    expect(explorer.locator(".rflib-count")).to_have_text("4 pixels chosen")
    explorer.get_by_role("button", name="Commit").click()
    expect(asked.result).to_contain_text("Your answer: pixels 3 to 6. The answer: pixels 3 to 7.")
    assert asked.verdicts() == [([3, 4, 5, 6], "wrong", None)]
    asked.theme("Dark")
    asked.shown.screenshot("question-row-dark")
    assert asked.shown.serious() == []
    asked.theme("Light")
    assert asked.shown.is_clean()


def test_a_row_by_keyboard(asked: Asked) -> None:
    explorer = asked.ask("questions['row']")
    asked.enter()
    asked.press(*["ArrowRight"] * 3)
    for _ in range(5):
        asked.press("Space", "ArrowRight")
    expect(explorer.locator(".rflib-count")).to_have_text("5 pixels chosen")
    asked.press("Tab")
    assert asked.focused == "Commit"
    asked.press("Enter")
    expect(asked.result).to_contain_text("Right")
    assert asked.verdicts() == [([3, 4, 5, 6, 7], "right", None)]
    assert asked.shown.is_clean()


def test_a_grid_by_dragging(asked: Asked) -> None:
    explorer = asked.ask("questions['grid']")
    drag(asked, "pixel row 0, column 0", "pixel row 2, column 2")
    asked.shown.screenshot("question-grid-light")
    explorer.get_by_role("button", name="Commit").click()
    expect(explorer).to_contain_text("Known mistake M8")
    assert [verdict for _, *verdict in asked.verdicts()] == [["wrong", "M8"]]
    asked.shown.screenshot("question-grid-done-light")
    assert asked.shown.serious() == []
    assert asked.shown.is_clean()


def test_show_me_reveals_and_is_no_answer(asked: Asked) -> None:
    explorer = asked.ask("'03-order'")
    explorer.get_by_role("button", name="Show me").click()
    expect(asked.result).to_contain_text("Shown, not answered. The answer: 7 input positions.")
    expect(explorer.locator("img")).to_be_visible()
    assert asked.verdicts() == [(None, "shown", None)]
    asked.shown.screenshot("question-shown-light")
    assert asked.shown.is_clean()


def test_nothing_of_the_answer_is_saved_in_the_notebook(asked: Asked, course: Path) -> None:
    explorer = asked.ask("questions['number']")
    explorer.get_by_label("Your answer").fill("3")
    explorer.get_by_role("button", name="Show me").click()
    expect(asked.result).to_contain_text("The answer: 5 pixels.")
    explorer = asked.ask("questions['number']")  # a run that begins with the answer on the screen
    expect(asked.result).to_contain_text("The answer: 5 pixels.")
    page = asked.shown.lab_page.page
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
    asked.shown.lab_page.settle()
    saved = json.loads((course / NOTEBOOK).read_text(encoding="utf-8"))
    outputs = saved["cells"][-1]["outputs"]
    assert len(outputs) == 2
    assert "image/png" in outputs[1]["data"]  # the picture for readers without widgets
    texts = [str(output["data"].get("text/plain")) for output in outputs]
    assert all("how wide?" in text for text in texts)
    assert not any("5" in text for text in texts)
    assert "widgets" not in saved["metadata"]
    assert explorer.is_visible()


def test_narrow_and_enlarged(asked: Asked) -> None:
    page = asked.shown.lab_page.page
    page.set_viewport_size({"width": 700, "height": 900})
    explorer = asked.ask("questions['row']")
    for zoom in ("1", "2"):
        explorer.evaluate("(root, zoom) => (root.style.zoom = zoom)", zoom)
        overflow = explorer.evaluate("root => root.scrollWidth - root.clientWidth")
        assert overflow <= 1, zoom
    asked.shown.screenshot("question-row-narrow")
    assert asked.shown.is_clean()


def drag(asked: Asked, first: str, last: str) -> None:
    """Press on one cell, move, let go on another."""
    mouse = asked.shown.lab_page.page.mouse
    for label, then in ((first, mouse.down), (last, mouse.up)):
        box = asked.shown.explorer.get_by_label(label, exact=True).bounding_box()
        assert box is not None
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        then()
