"""Explorers in a notebook in JupyterLab: shown, moved, asked, looked over for accessibility."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator

from .jupyterlab_page import LabPage

NOTEBOOK = "explorer.ipynb"
SIZES = ((700, 900), (640, 450))  # a zoom of 200 % leaves 640 by 450 of 1280 by 900
STICKING_OUT = """(root, insidePictures) => {
  const right = element => element.getBoundingClientRect().right;
  const looked = [...root.querySelectorAll('*')]
    .filter(e => insidePictures || e.tagName === 'svg' || !e.closest('svg'))
    .filter(e => !e.closest('.rflib-scroll table, .rflib-scroll .rflib-row') && e.checkVisibility());
  const found = looked.filter(e => right(e) > right(root) + 1).map(e => e.outerHTML.slice(0, 120));
  const wide = root.scrollWidth > root.clientWidth + 1 || right(root) > right(root.closest('.jp-OutputArea')) + 1;
  return found.concat(wide ? ['the explorer itself'] : []);
}"""
CELL = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass
class ExplorerPage:
    """A notebook of a few cells in JupyterLab; the last one shows an explorer."""

    lab_page: LabPage
    course: Path

    @property
    def explorer(self) -> Locator:
        return self.lab_page.page.locator(".jp-Notebook .rflib-explorer").last

    @property
    def picture(self) -> Locator:
        return self.explorer.locator(".rflib-picture").first

    @property
    def result(self) -> str:
        """The sentence of result."""
        return self.explorer.locator(".rflib-result").first.inner_text()

    def show(self, *sources: str) -> Locator:
        """Run these cells in a fresh notebook; the explorer of the last one."""
        cells = [{**CELL, "id": f"cell-{index}", "source": source} for index, source in enumerate(sources)]
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": KERNEL}, "cells": cells}
        (self.course / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
        self.lab_page.open(NOTEBOOK)
        cells = self.lab_page.run_all()
        outputs = [output for cell in cells for output in cell["outputs"]]
        assert [output["evalue"] for output in outputs if output["output_type"] == "error"] == []
        self.explorer.wait_for()
        self.explorer.scroll_into_view_if_needed()
        return self.explorer

    def python(self, expression: str) -> Any:
        """The value of an expression in the notebook's kernel, by way of JSON, after all messages sent so far."""
        self.lab_page.settle()
        reply = self.lab_page.page.evaluate(
            """async code => {
                 const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                 const reply = await kernel.requestExecute(
                   {code: '', silent: true, store_history: false, user_expressions: {value: code}}).done;
                 return reply.content.user_expressions.value;
               }""",
            f"__import__('json').dumps({expression})",
        )
        assert reply["status"] == "ok", f"{expression}: {reply.get('ename')}: {reply.get('evalue')}"
        return json.loads(ast.literal_eval(reply["data"]["text/plain"]))  # a string's repr

    def run(self, code: str) -> None:
        """Run code in the notebook's kernel."""
        self.python(f"exec({code!r})")
        self.lab_page.settle()

    @property
    def state(self) -> dict[str, str]:
        """What the picture says that it shows."""
        text = self.picture.get_attribute("data-shows") or ""
        return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S*)', text)}

    def wait_for(self, **wanted: str) -> dict[str, str]:
        """The picture's state, once it shows this."""
        for _ in range(200):
            state = self.state
            if all(state[name] == value for name, value in wanted.items()):
                return state
            self.lab_page.page.wait_for_timeout(25)
        raise AssertionError(f"{wanted} does not come; the picture shows {state}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.lab_page.page.keyboard.press(key)

    def serious(self) -> list[str]:
        """What axe-core finds in the explorer that is serious or worse."""
        return self.lab_page.serious(".rflib-explorer")

    def theme(self, name: str) -> None:
        """ "Light" or "Dark"."""
        self.lab_page.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
            f"JupyterLab {name}",
        )
        is_light = "true" if name == "Light" else "false"  # the body itself counts as hidden in JupyterLab
        self.lab_page.page.wait_for_selector(f'body[data-jp-theme-light="{is_light}"]', state="attached")
        self.lab_page.settle()

    def unreached(self) -> list[str]:
        """Controls of the explorer that the tab key does not come to."""
        return self.explorer.evaluate(
            """root => [...root.querySelectorAll('input, select, button, [role=application]')]
                 .filter(e => e.tabIndex < 0 && !e.disabled && e.type !== 'radio' && !e.closest('[role=grid]'))
                 .map(e => e.outerHTML)"""
        )

    def beside_the_files(self, width: int, height: int) -> None:
        """A small window, with JupyterLab's file browser open beside the notebook."""
        self.lab_page.page.set_viewport_size({"width": width, "height": height})
        self.lab_page.page.evaluate("() => window.jupyterapp.shell.expandLeft()")
        self.lab_page.settle()

    def sticking_out(self, inside_pictures: bool = True) -> list[str]:
        """What reaches beyond the right edge of the explorer or its place; tables may scroll in a frame of theirs."""
        return self.explorer.evaluate(STICKING_OUT, inside_pictures)

    def suits_everybody(
        self,
        name: str,
        sizes: Sequence[tuple[int, int]] = SIZES,
        inside_pictures: bool = True,
        at_each: Callable[[], object] = lambda: None,
    ) -> None:
        """Every control is reached, axe-core finds nothing in either theme, nothing sticks out of a narrow window."""
        assert self.unreached() == []
        assert self.serious() == []
        self.theme("Dark")
        assert self.serious() == []
        self.screenshot(f"{name}_dark")
        self.theme("Light")
        for width, height in sizes:
            self.lab_page.page.set_viewport_size({"width": width, "height": height})
            self.lab_page.settle()
            assert self.sticking_out(inside_pictures) == [], width
            at_each()
            self.screenshot(f"{name}_{width}")

    def screenshot(self, name: str) -> None:
        self.explorer.scroll_into_view_if_needed()
        self.lab_page.screenshot(name)

    def is_clean(self) -> bool:
        assert self.lab_page.complaints == []
        assert self.lab_page.foreign == []
        return True
