"""A JupyterLab that runs, and a page of Chromium that shows it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools import preflight

from .watched_page import WatchedPage

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE, LESSON = 60, 600  # seconds for one step and for a lesson: not measurements, only ends to waiting

FLAGS = "--disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A JupyterLab that runs, and the folder it shows."""

    process: subprocess.Popen[bytes]
    port: int
    token: str
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """The server's answer to a path of its interface, as JSON."""
        request = urllib.request.Request(self.address + path, headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                self.get("/api/status")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
        pytest.fail(f"JupyterLab did not start:\n{self.log.read_text(encoding='utf-8')}")

    def stop(self) -> None:
        """End the server, which ends its kernels; also where make stands between."""
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if hasattr(os, "killpg"):
            os.killpg(self.process.pid, number)
        else:
            self.process.terminate()


def start(command: list[str], folder: Path, home: Path, port: int, token: str) -> Server:
    """Start JupyterLab by a command, with none of the user's own settings."""
    own = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    own["JUPYTER_CONFIG_PATH"] = str(ROOT / "tools" / "jupyter")
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    outer = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environment = {**outer, **own, "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": paths}
    log = home / "log.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Server(process, port, token, log)
    try:
        server.wait()
    except BaseException:
        server.stop()
        raise
    return server


@contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[Server]:
    """JupyterLab on a folder, with the notebook's commands open to the page."""
    port, token = free_port(), secrets.token_hex(16)
    options = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token} --allow-root"
    options += " --expose-app-in-browser --ServerApp.root_dir=."
    server = start([sys.executable, "-m", "jupyterlab", *options.split()], folder, home, port, token)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=preflight.find("chromium"), args=[*FLAGS.split(), *root])
        yield browser
        browser.close()


@contextmanager
def lab_page(browser: Browser, server: Server, **options: Any) -> Iterator[LabPage]:
    """A fresh page of a browser on a server; options are those of a playwright context."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(1000 * PATIENCE)
    shown = LabPage(context.new_page(), server.address, server=server)
    shown.watch()
    yield shown
    context.close()


def clear_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    path.write_text(json.dumps(notebook), encoding="utf-8")


@dataclass
class LabPage(WatchedPage):
    """A browser page that shows JupyterLab."""

    server: Server = field(kw_only=True)

    def open(self, notebook: str) -> None:
        """Open a notebook, by its path in the course, with a kernel that is ready."""
        self.page.goto(f"{self.server.address}/lab/tree/{notebook}?reset&token={self.server.token}")
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        self.page.wait_for_function(
            """path => {
                 const panel = window.jupyterapp.shell.currentWidget;
                 return panel?.context?.path === path && panel.context.isReady
                   && panel.sessionContext.isReady && panel.sessionContext.session?.kernel?.status === 'idle';
               }""",
            arg=notebook,
        )

    def run_all(self) -> list[dict[str, Any]]:
        """Run every cell; the cells as JupyterLab then has them."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
        self.page.wait_for_function(
            """() => {
                 const panel = window.jupyterapp.shell.currentWidget;
                 const cells = [...panel.content.model.cells].filter(cell => cell.type === 'code');
                 const isError = output => output.output_type === 'error';
                 const failed = cells.some(cell => cell.outputs.toJSON().some(isError));
                 const idle = panel.sessionContext.session.kernel.status === 'idle';
                 return idle && (failed || cells.every(cell => cell.executionCount || !cell.sharedModel.source.trim()));
               }""",
            timeout=1000 * LESSON,
        )
        return self.page.evaluate(
            "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(cell => cell.toJSON())"
        )

    def settle(self) -> None:
        """Wait until what the cells have set going, such as loading a picture, has begun and ended."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 500)))")

    def notifications(self) -> int:
        """How many messages JupyterLab shows in its corner."""
        return self.page.locator(".Toastify__toast").count()

    def scroll_through(self) -> None:
        """Show every cell once: JupyterLab draws only what is in view."""
        number = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
        for index in range(number):
            self.page.evaluate(
                "index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index).then(() => null)", index
            )
