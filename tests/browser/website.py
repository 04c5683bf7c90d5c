"""The website that `make book` has made, behind a web server of its own, and its pages in Chromium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Locator

from tools import preflight

from .watched_page import ROOT, WatchedPage

SITE = ROOT / "build" / "book" / "html"
PATIENCE = 60  # seconds for one step: not a measurement, only an end to waiting
SHARED = ("_static/", "scripts/", "explorers/")  # what a browser fetches once for all pages


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The address of the website, as long as it is served."""
    if not (SITE / "index.html").is_file():
        (pytest.fail if preflight.must_have_all() else pytest.skip)("There is no website; run: make book")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@dataclass
class SitePage(WatchedPage):
    """A page of the website; it counts the bytes of its own that it fetches, apart from what all pages share."""

    fetched: dict[str, int] = field(default_factory=dict)

    def open(self, name: str) -> None:
        self.page.on("response", self._count)
        self.page.goto(f"{self.address}/{name}")
        self.page.wait_for_load_state("networkidle")
        # html-manager leaves its scripts in the page; beside each stands what it shows.
        self.page.wait_for_function(
            """() => document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length
                     === document.querySelectorAll('.rflib-explorer').length"""
        )
        self.page.evaluate("() => window.MathJax?.startup?.promise.then(() => null)")

    def _count(self, response) -> None:
        path = response.url.removeprefix(f"{self.address}/")
        if response.url.startswith(self.address) and not path.startswith(SHARED):
            self.fetched[path] = int(response.headers.get("content-length", 0))

    def theme(self, name: str) -> None:
        """ "light" or "dark", as the button in the page's head sets it."""
        self.page.evaluate("name => { document.documentElement.dataset.theme = name; }", name)
        self.page.wait_for_timeout(400)  # colors of the theme change gradually

    def sticking_out(self) -> list[str]:
        """What makes the page wider than its window."""
        return self.page.evaluate(
            """() => {
                 const room = document.documentElement.clientWidth;
                 if (document.documentElement.scrollWidth <= room) return [];
                 const scrolls = e => e !== document.body && getComputedStyle(e).overflowX !== 'visible';
                 const held = e => e && (scrolls(e) || held(e.parentElement));
                 return [...document.querySelectorAll('body *')]
                   .filter(e => e.getBoundingClientRect().right > room + 1 && !held(e.parentElement))
                   .map(e => e.outerHTML.slice(0, 120));
               }"""
        )

    @property
    def explorers(self) -> list[Locator]:
        """The explorers of the page, without its questions."""
        return self.page.locator(".rflib-explorer:not(.rflib-question)").all()


@contextmanager
def site_page(browser: Browser, address: str, width: int = 1280, height: int = 900) -> Iterator[SitePage]:
    """A fresh page of a browser that reaches the website alone."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light")
    context.set_default_timeout(1000 * PATIENCE)
    shown = SitePage(context.new_page(), address)
    shown.watch()
    yield shown
    context.close()
