"""JupyterLab on a copy of the lessons, and Chromium to look at it."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from . import jupyterlab_page
from .explorer_page import ExplorerPage
from .jupyterlab_page import ROOT, LabPage, Server, clear_outputs, free_port, start


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
    with jupyterlab_page.jupyterlab(course, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with jupyterlab_page.chromium() as browser:
        yield browser


@pytest.fixture
def lab_page(lab: Server, chromium: Browser) -> Iterator[LabPage]:
    with jupyterlab_page.lab_page(chromium, lab) as shown:
        yield shown


@pytest.fixture
def explorer_page(lab_page: LabPage, course: Path) -> ExplorerPage:
    return ExplorerPage(lab_page, course)
