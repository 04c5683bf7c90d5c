"""A learner at the real browser: logs in, runs lesson 00, hands in and fetches feedback by JupyterLab's buttons."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser import jupyterlab_page
from tests.browser.jupyterlab_page import LabPage

PORT = 8000
PATIENCE = 120  # seconds: no measurement, only an end to waiting
OPENED = """path => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return panel?.context?.path === path && panel.context.isReady && panel.sessionContext?.isReady
    && panel.sessionContext.session?.kernel?.status === 'idle';
}"""


class Address:
    """Where the hub is, as `LabPage` asks for it."""

    address = f"http://127.0.0.1:{PORT}"


class Browsing:
    """One learner's Chromium, in a thread of its own, as Playwright wants it."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        self.opened = ExitStack()
        self.shown = self.thread.submit(self._open).result(PATIENCE)

    def _open(self) -> LabPage:
        browser = self.opened.enter_context(jupyterlab_page.chromium())
        shown = self.opened.enter_context(jupyterlab_page.lab_page(browser, Address()))  # type: ignore[arg-type]
        shown.page.set_default_timeout(1000 * PATIENCE)
        return shown

    def do(self, order: Callable[[LabPage], Any]) -> Any:
        """Let the browser's thread do something, and wait for it."""
        return self.thread.submit(order, self.shown).result(3 * PATIENCE)

    def close(self) -> None:
        self.thread.submit(self.opened.close).result(PATIENCE)
        self.thread.shutdown()


def log_in(shown: LabPage, name: str, password: str) -> float:
    """From the hub's first page to JupyterLab with lesson 00 open; the seconds that it took from the button on."""
    page = shown.page
    page.goto(f"http://127.0.0.1:{PORT}/")
    page.fill("#username_input", name)
    page.fill("#password_input", password)
    begin = time.monotonic()
    page.click("#login_submit")
    page.wait_for_url("**/lab/tree/lessons/00_start_here.ipynb*")
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    return time.monotonic() - begin


def run_lesson(shown: LabPage) -> list[str]:
    """Run lesson 00; the errors of its cells."""
    shown.page.wait_for_function(OPENED, arg="lessons/00_start_here.ipynb")
    cells = shown.run_all()
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown.screenshot("hub-lesson")
    return [f"{output['ename']}: {output['evalue']}" for output in outputs if output["output_type"] == "error"]


def press(page: Page, button: str) -> None:
    """Press a button of the Assignment List, and wait until it has done its work."""
    page.get_by_role("button", name=button, exact=True).first.click()
    page.wait_for_function(
        "name => ![...document.querySelectorAll('.item_status button')].some(each => each.disabled)", arg=button
    )


def hand_in(shown: LabPage, exercise: str, answers: dict[str, str]) -> None:
    """Fetch an exercise, write the answers into their cells, save, submit."""
    page = shown.page
    command = "name => window.jupyterapp.commands.execute(name).then(() => null)"
    page.evaluate(command, "nbgrader:open-assignment-list")
    press(page, "Fetch")
    path = f"exercises/{exercise}/{exercise}.ipynb"
    page.evaluate("path => window.jupyterapp.commands.execute('docmanager:open', { path }).then(() => null)", path)
    page.wait_for_function(OPENED, arg=path)
    page.evaluate(
        """answers => {
             for (const cell of window.jupyterapp.shell.currentWidget.content.model.cells)
               if (answers[cell.id]) cell.sharedModel.setSource(answers[cell.id]);
             return window.jupyterapp.commands.execute('docmanager:save').then(() => null);
           }""",
        answers,
    )
    page.evaluate(command, "nbgrader:open-assignment-list")
    press(page, "Submit")
    shown.screenshot("hub-submitted")


def feedback(shown: LabPage, home: Path) -> str:
    """Fetch the feedback; the page as it then lies in the learner's folder."""
    shown.page.evaluate("() => window.jupyterapp.commands.execute('nbgrader:open-assignment-list').then(() => null)")
    press(shown.page, "Fetch Feedback")
    shown.screenshot("hub-feedback")
    return next(home.glob("exercises/*/feedback/*/*.html")).read_text(encoding="utf-8")
