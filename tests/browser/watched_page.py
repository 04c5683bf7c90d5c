"""A page of Chromium that reaches one address and nothing else, and writes down what it tried and what went wrong."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, Route, WebSocketRoute

from tools import preflight

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

# What the console may say: each with the reason why it is no fault of a page.
HARMLESS: dict[str, str] = {}


@dataclass
class WatchedPage:
    """A browser page; `address` is where everything that it may ask for begins."""

    page: Page
    address: str
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def is_local(self, url: str) -> bool:
        # A web socket of the same server differs in its scheme alone.
        same = re.sub("^ws", "http", url)
        return url.startswith(("data:", "blob:", "about:")) or same.startswith(f"{self.address}/")

    def watch(self) -> None:
        self.page.context.route("**/*", self._request)
        self.page.context.route_web_socket(lambda url: not self.is_local(url), self._socket)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _request(self, route: Route) -> None:
        if self.is_local(route.request.url):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def _socket(self, socket: WebSocketRoute) -> None:
        self.foreign.append(socket.url)
        socket.close()

    def _console(self, message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not any(re.search(pattern, said) for pattern in HARMLESS):
            self.complaints.append(said)

    def move(self, explorer: Locator) -> None:
        """Move an explorer once, by keys: its picture changes."""
        picture = explorer.locator(".rflib-picture").first
        picture.wait_for()
        before = picture.get_attribute("data-shows")
        explorer.locator("[role=application]").first.focus()
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowDown", "1"):
            self.page.keyboard.press(key)
            for _ in range(40):  # Python answers, or a recording is fetched
                if picture.get_attribute("data-shows") != before:
                    return
                self.page.wait_for_timeout(25)
        raise AssertionError(f"no key moves the explorer that shows {before}")

    def serious(self, within: str = "html") -> list[str]:
        """What axe-core finds within a part of the page that is serious or worse."""
        if not AXE.is_file():
            (pytest.fail if preflight.must_have_all() else pytest.skip)(
                f"{AXE.relative_to(ROOT)} is missing; run: npm install --no-package-lock"
            )
        self.page.evaluate(AXE.read_text(encoding="utf-8") + "; null")
        found = self.page.evaluate("part => window.axe.run(part, {resultTypes: ['violations']})", within)
        return [
            f"{rule['id']}: {node['html']} {node['failureSummary']}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    def screenshot(self, name: str) -> None:
        folder = os.environ.get("RF_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png")
