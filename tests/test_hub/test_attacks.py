"""The attacks of `attacks.py` find what is open: here each has something to find."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from . import attacks


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_kernel_on_the_loopback_tells_everybody_what_it_prints() -> None:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute("import time\nfor _ in range(100): print('a secret', flush=True); time.sleep(0.1)")
        said = attacks.attempt(lambda: attacks.listen(manager.iopub_port))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert said.startswith("GOT 'a message: ")


def test_what_is_readable_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a secret")
    assert attacks.attempt(lambda: attacks.read(str(tmp_path / "a"))) == "GOT 'a secret'"
    assert attacks.attempt(lambda: attacks.read(str(tmp_path))) == "GOT 'a'"
    assert attacks.attempt(lambda: attacks.read(str(tmp_path / "b"))).startswith("FileNotFoundError")


def test_what_is_writable_is_written_and_removed(tmp_path: Path) -> None:
    assert attacks.attempt(lambda: attacks.write(str(tmp_path))).startswith("GOT 'written to")
    assert attacks.attempt(lambda: attacks.remove(str(tmp_path / "planted"))).startswith("GOT")
    assert not list(tmp_path.iterdir())


def test_a_secret_on_a_command_line_is_found() -> None:
    here = Path(f"/proc/{os.getpid()}/cmdline").read_text().split("\0")[0]
    assert attacks.attempt(lambda: attacks.commands([here])) == "GOT '1 secrets'"
    assert attacks.attempt(lambda: attacks.commands(["no such secret " * 3])).startswith("PermissionError")
