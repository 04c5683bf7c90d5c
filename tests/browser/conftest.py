"""JupyterLab on a copy of the lessons, and Chromium to look at it."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools import preflight

from .explorer_page import ExplorerPage
from .jupyterlab_page import PATIENCE, LabPage, Server, clear_outputs, free_port, start

ROOT = Path(__file__).resolve().parent.parent.parent
FLAGS = "--disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[Server]:
    """The server that `make lab` starts, by that very command."""
    port, token = free_port(), secrets.token_hex(16)
    options = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token}"
    command = ["make", "lab", f"RUN={sys.executable}", f"LAB_OPTIONS={options}"]
    server = start(command, ROOT, tmp_path, port, token)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the lessons, without their outputs, so that what is seen was made here."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "lessons", folder / "lessons", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for path in folder.rglob("*.ipynb"):
        clear_outputs(path)
    return folder


@pytest.fixture(scope="session")
def lab(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab on the copy of the lessons."""
    port, token = free_port(), secrets.token_hex(16)
    options = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token} --allow-root"
    options += " --expose-app-in-browser --ServerApp.root_dir=."
    command = [sys.executable, "-m", "jupyterlab", *options.split()]
    server = start(command, course, tmp_path_factory.mktemp("home"), port, token)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=preflight.find("chromium"), args=[*FLAGS.split(), *root])
        yield browser
        browser.close()


@pytest.fixture
def lab_page(lab: Server, chromium: Browser) -> Iterator[LabPage]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    shown = LabPage(context.new_page(), lab)
    shown.watch()
    yield shown
    context.close()


@pytest.fixture
def explorer_page(lab_page: LabPage, course: Path) -> ExplorerPage:
    return ExplorerPage(lab_page, course)
