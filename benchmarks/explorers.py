"""From a key press to the changed picture, for each explorer, in JupyterLab in Chromium."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from benchmarks.harness import Aim, Bar, Row
from tests.browser import jupyterlab_page
from tests.browser.explorer_page import ExplorerPage
from tests.browser.explorers import EXPLORERS

TITLE = "Explorers, from a key press to the changed picture with its layout done; in JupyterLab in Chromium"
PRESSES = 41
BROWSER = Aim(16, unit=" ms where JavaScript answers")
PYTHON = Aim(50, unit=" ms where Python answers")
LARGE = Aim(50, unit=" ms for 30 layers over 300 positions")

WATCH = """
picture => {
  const times = [];
  let start = 0;
  document.addEventListener("keydown", event => { start = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (picture.dataset.shows.includes("=?")) return;  // a part of the picture still waits for Python
    picture.getBoundingClientRect();  // the layout is done when this answers
    times.push(performance.now() - start);
  }).observe(picture, { attributes: true, attributeFilter: ["data-shows"] });
  window.rflibTimes = times;
}
"""


class Case(NamedTuple):
    """What is shown, which keys move it in turn, and how long that may take."""

    name: str
    source: str
    keys: tuple[str, ...]
    aim: Aim


DEEP = """import rflib as rf
rf.StackExplorer([rf.Layer(3, padding=1)] * 30, input_size=300)"""
RESNET = """import rflib as rf, torch
from rflib import zoo
rf.Overlay(zoo.resnet18(width=0.25).eval(), torch.rand(1, 3, 224, 224), layer="layer2")"""
SIDEWAYS = ("ArrowRight", "ArrowLeft")
CASES = (
    Case("stack", EXPLORERS["stack"], SIDEWAYS, BROWSER),
    Case("stack, 30 layers over 300 positions", DEEP, SIDEWAYS, LARGE),
    Case("dilation", EXPLORERS["dilation"], SIDEWAYS, BROWSER),
    Case("branches", EXPLORERS["branches"], SIDEWAYS, BROWSER),
    Case("growth", EXPLORERS["growth"], SIDEWAYS, BROWSER),
    Case("design game", EXPLORERS["game"], ("1", "Delete"), BROWSER),
    Case("poke", EXPLORERS["poke"], SIDEWAYS, PYTHON),
    Case("overlay, ResNet-18 at 224", RESNET, SIDEWAYS, PYTHON),
    Case("effective field", EXPLORERS["erf"], SIDEWAYS, PYTHON),
)


def steps(presses: int = PRESSES, cases: Sequence[Case] = CASES, **_: Any) -> int:
    """How often the bar moves."""
    return len(cases)


def measure(
    bar: Bar | None = None, presses: int = PRESSES, cases: Sequence[Case] = CASES, browser: Browser | None = None
) -> Iterator[Row]:
    """Each explorer in a notebook of its own, moved by real key presses; in an open browser, if one is given."""
    with tempfile.TemporaryDirectory() as folder:
        course, home = Path(folder, "course"), Path(folder, "home")
        course.mkdir()
        home.mkdir()
        with jupyterlab_page.jupyterlab(course, home) as server, opened(browser) as shown:
            for case in cases:
                with jupyterlab_page.lab_page(shown, server) as page:
                    times = pressed(ExplorerPage(page, course), case, presses)
                if bar is not None:
                    bar.update()
                middle = statistics.median(times)
                slow = sorted(times)[int(0.95 * len(times))]
                yield Row(case.name, middle, f"95 % within {1000 * slow:.1f} ms; {case.aim.verdict(1000 * middle)}")


def opened(browser: Browser | None) -> AbstractContextManager[Browser]:
    """The browser that is given, left open at the end, or a new one."""
    return jupyterlab_page.chromium() if browser is None else nullcontext(browser)


def pressed(shown: ExplorerPage, case: Case, presses: int) -> list[float]:
    """Seconds from each press to the picture that shows its effect; the first presses, which warm up, left out."""
    shown.show(*case.source.split("\n# ---\n"))
    shown.lab_page.settle()
    picture = shown.picture.element_handle()
    assert picture is not None
    picture.evaluate(WATCH)
    focused = shown.explorer.locator("[role=application]").first
    focused.focus()
    page = shown.lab_page.page
    warm = 4
    for index in range(presses + warm):
        page.keyboard.press(case.keys[index % len(case.keys)])
        page.wait_for_function("number => window.rflibTimes.length > number", arg=index)
    times = json.loads(page.evaluate("() => JSON.stringify(window.rflibTimes)"))
    return [milliseconds / 1000 for milliseconds in times[warm:]]
