"""What code in the sandbox sees, may write and may take; every limit is tried, after it was seen to be there."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rflib.grading import filtering, sandbox, watching
from rflib.grading.kernel import Kernel, KernelLost
from rflib.grading.limits import MB, Limits
from rflib.grading.sandbox import Sandbox, SandboxError

pytestmark = pytest.mark.needs("bubblewrap")
LIMITS = Limits(cell=20, memory=600 * MB)


def said(kernel: Kernel, source: str, seconds: float = 30) -> str:
    """What a cell prints, or its error."""
    ran = kernel.run(source, seconds)
    return ran.error or "".join(str(output.get("text", "")) for output in ran.outputs).strip()


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(Sandbox(LIMITS)) as started:
        yield started


@pytest.mark.parametrize(
    "path",
    ["/run/kernel/x", "/run/x", "/etc/x", "/x", "/course/x", "/course/rflib/x", "/dev/x", "/usr/x", sys.prefix + "/x"],
)
def test_nothing_outside_its_folder_can_be_written(kernel: Kernel, path: str) -> None:
    assert said(kernel, f"open({path!r}, 'w')").split(":")[0] in ("OSError", "PermissionError", "FileNotFoundError")


def test_its_own_folder_can_be_written(kernel: Kernel) -> None:
    assert said(kernel, "open('x', 'w').write('y'); print(open('x').read())") == "y"


def test_neither_the_project_nor_anything_of_this_side_is_seen(kernel: Kernel, root: Path, tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("marks")
    for path in (
        root / "solutions",
        root / "tests",
        root / "README.md",
        root / ".git",
        tmp_path,
        Path.home() / ".bashrc",
    ):
        assert said(kernel, f"import os; print(os.path.exists({str(path)!r}))") == "False"
    assert said(kernel, "print(sorted(os.listdir('/home/learner')))") in ("[]", "['x']")


def test_the_environment_of_this_process_is_not_passed_on(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFLIB_SECRET", "x")
    with Kernel(Sandbox(LIMITS)) as fresh:
        assert said(fresh, "import os; print('RFLIB_SECRET' in os.environ)") == "False"


def test_there_is_no_network(kernel: Kernel) -> None:
    for address in (("127.0.0.1", 22), ("192.0.2.1", 80)):
        assert said(kernel, f"import socket; socket.create_connection({address}, 2)").startswith(
            ("Connection", "OSError")
        )
    assert "gaierror" in said(kernel, "socket.getaddrinfo('example.org', 80)")
    assert said(kernel, "print([name for _, name in socket.if_nameindex()])") == "['lo']"


def test_no_other_process_is_seen_and_none_can_be_ended(kernel: Kernel) -> None:
    assert int(said(kernel, "print(max(int(p) for p in os.listdir('/proc') if p.isdigit()))")) < 50
    ended = said(
        kernel, f"import signal\nfor p in (1, {os.getpid()}, -1):\n try: os.kill(p, 9)\n except OSError: print('no')"
    )
    assert "no" in ended
    assert said(kernel, "print(1)") == "1"


def test_it_has_no_rights(kernel: Kernel) -> None:
    status = said(kernel, "print(open('/proc/self/status').read())")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert said(kernel, "print(os.getuid() != 0)") == "True"


def test_processes_are_limited_before_a_fork_bomb_is_tried(kernel: Kernel) -> None:
    bounded = (
        "import time\nchildren = []\ntry:\n    for _ in range(150):\n        child = os.fork()\n"
        "        if child == 0: time.sleep(30); os._exit(0)\n        children.append(child)\n"
        "except BlockingIOError: print(len(children) < 96)\n"
        "for child in children: os.kill(child, 9); os.waitpid(child, 0)"
    )
    assert said(kernel, bounded) == "True"
    with Kernel(Sandbox(LIMITS)) as bombed:
        # Which limit it meets first, time or memory, depends on how fast the machine forks.
        with pytest.raises(KernelLost, match=r"longer than 2 seconds|held more than"):
            bombed.run("import os\nwhile True: os.fork()", 2)
        family = list(watching.descendants(bombed.process.pid))  # type: ignore[union-attr]
    assert len(family) == 1
    assert said(kernel, "print(1)") == "1"


def test_fifty_gigabytes_are_refused(kernel: Kernel) -> None:
    assert (
        int(said(kernel, "import resource; print(resource.getrlimit(resource.RLIMIT_AS)[1])")) == LIMITS.address_space
    )
    assert said(kernel, "x = bytearray(50 * 10**9)").startswith("MemoryError")


@pytest.mark.parametrize(
    "source",
    [
        "x = []\nwhile True: x.append(bytearray(10**7))",
        "import mmap\nx = []\nwhile True:\n    x.append(mmap.mmap(-1, 10**7)); x[-1].write(b'x' * 10**7)",
        "import os, time\nx = b''\nfor _ in range(3): os.fork()\nx = os.urandom(10**6) * 120; time.sleep(15)",
    ],
    ids=["own", "shared", "in eight processes"],
)
def test_memory_that_grows_ends_the_kernel(source: str) -> None:
    with Kernel(Sandbox(LIMITS)) as fresh, pytest.raises(KernelLost, match="more than 600 MB of memory"):
        fresh.run(source, 60)


def test_memory_that_no_limit_would_count_is_refused(kernel: Kernel) -> None:
    assert said(kernel, "os.memfd_create('x')").startswith("PermissionError")
    assert said(kernel, "import ctypes; print(ctypes.CDLL(None).shmget(0, 1000, 0o1666))") == "-1"
    assert said(kernel, "print(ctypes.CDLL(None).unshare(0x10000000))") == "-1"


def test_files_are_limited_in_size_and_number(kernel: Kernel) -> None:
    filled = "import os\nfor i in range(9):\n    with open(f'/tmp/{i}', 'wb') as f: f.write(b'x' * 2**24)"
    assert said(kernel, filled).startswith("OSError")
    with Kernel(Sandbox(LIMITS)) as fresh, pytest.raises(KernelLost, match="more than 20,000 files"):
        fresh.run("for i in range(10**6): open(f'{i}', 'w').close()", 60)


@pytest.mark.parametrize(
    "source",
    [
        "print('x' * 10**8)",
        "for _ in range(100): print('x' * 10**6)",
        "import os\nwhile True: os.write(1, b'x' * 10**6)",
        "from IPython.display import display\nwhile True: display({'text/plain': 'x' * 10**6}, raw=True)",
    ],
    ids=["one text", "many texts", "past print", "displays"],
)
def test_a_flood_ends_the_kernel_and_not_the_reader(source: str) -> None:
    with Kernel(Sandbox(LIMITS)) as fresh, pytest.raises(KernelLost, match="put out more than 8 MB"):
        fresh.run(source, 60)


@pytest.mark.parametrize(
    ("source", "seconds", "why"),
    [
        ("import os; os._exit(0)", 60, "process of the notebook ended"),
        ("import os; os.kill(os.getpid(), 9)", 60, "process of the notebook ended"),
        ("import ctypes; ctypes.string_at(0)", 60, "process of the notebook ended"),
        ("while True: pass", 2, "longer than 2 seconds"),
        ("import time; time.sleep(1000)", 2, "longer than 2 seconds"),
        ("get_ipython().kernel.iopub_socket.close()", 60, "cut its connection"),
    ],
)
def test_a_kernel_that_ends_or_hangs_is_lost_with_a_reason(source: str, seconds: float, why: str) -> None:
    with Kernel(Sandbox(LIMITS)) as fresh, pytest.raises(KernelLost, match=why):
        fresh.run(source, seconds)


def test_nothing_is_left_of_a_kernel() -> None:
    with Kernel(Sandbox(LIMITS)) as fresh:
        folder, process = fresh.folder, fresh.process
        assert not (folder / "k").exists()
    assert not folder.exists()
    assert process is not None
    assert process.poll() is not None


@pytest.mark.parametrize("library", [True, False])
def test_checks_do_nothing_and_no_truth_can_be_called(library: bool) -> None:
    with Kernel(Sandbox(LIMITS, library=library)) as fresh:
        assert said(fresh, "from rflib import checks; print(checks.check('02-forward', print))") == "None"
        for name in ("rflib.grading", "rflib.checks.task", "rflib.checks.exercise_02", "rflib.checks.catalog"):
            assert "Error" in said(fresh, f"import {name}, {name}.records")
        works = said(fresh, "import rflib; print(rflib.receptive_field([rflib.Layer(3)]).size)")
        assert works == "3" if library else "graded without rflib" in works


def test_a_project_inside_pythons_own_folder_is_not_seen(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    secret = environment / "project" / "solutions"
    secret.mkdir(parents=True)
    (secret / "answers.txt").write_text("42")
    (environment / "bin").mkdir()
    packages = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    found = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "there.pth").write_text("\n".join(found))
    (environment / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
    python = environment / "bin" / "python"
    python.symlink_to(Path(sys.executable).resolve())
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder.is_relative_to(Path("/tmp")) and folder != Path("/tmp"):
            folder.chmod(0o755)
    path = str(secret / "answers.txt")
    with Kernel(Sandbox(LIMITS, python=python)) as fresh:
        assert said(fresh, f"print(open({path!r}).read())") == "42"  # the folder is seen, so this test can fail
    with Kernel(Sandbox(LIMITS, python=python, hidden=(environment / "project",))) as fresh:
        assert said(fresh, f"print(open({path!r}).read())").startswith("FileNotFoundError")
        assert "OSError" in said(fresh, f"open({str(environment / 'project' / 'x')!r}, 'w')")


def test_a_missing_bubblewrap_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError) as found:
        sandbox.bubblewrap()
    assert str(found.value) == sandbox.MISSING
    assert "apt-get install bubblewrap" in sandbox.MISSING


def test_a_bubblewrap_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    started = time.monotonic()
    with pytest.raises(SandboxError, match="did not start: bwrap: No permissions to create new namespace"):
        Kernel(Sandbox(LIMITS))
    assert time.monotonic() - started < 30


def test_the_filter_is_whole_on_both_machines_and_empty_elsewhere() -> None:
    for name, machine in filtering.MACHINES.items():
        assert len(filtering.program(name)) == 8 * (13 + 2 * len(machine.denied))
        assert len(set(machine.denied)) == 17
    assert filtering.program("z80") == b""


def test_descendants_are_found_and_their_memory_is_counted() -> None:
    import subprocess

    with subprocess.Popen([sys.executable, "-c", "x = b'x' * 50_000_000; input()"], stdin=subprocess.PIPE) as process:
        until = time.monotonic() + 20
        while watching.resident(process.pid) < 50_000_000 and time.monotonic() < until:
            time.sleep(0.05)
        assert process.pid in list(watching.descendants(os.getpid()))
        assert 50_000_000 <= watching.proportional(process.pid) < 200_000_000
        process.communicate(b"\n")
    assert watching.resident(process.pid) == 0
