"""What all processes of a sandbox hold together: the system limits each process, nobody limits their sum."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

SENT = 800 << 20  # bytes by which the process that reads may grow; ZeroMQ holds a message until its last part is there
PERIOD = 0.1  # seconds between two looks


class Watch(threading.Thread):
    """Ends a sandbox that holds more memory than it may.

    Args:
        root: Process whose descendants are the sandbox.
        memory: Bytes that they may hold together.
        entries: Files that they may make.
        folders: Where they can make them, as they see it.
        end: What ends them.
    """

    def __init__(self, root: int, memory: int, entries: int, folders: Sequence[str], end: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.memory = memory
        self.entries = entries
        self.folders = folders
        self.end = end
        self.reason = ""
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        before = resident(os.getpid())
        while not self._stopped.wait(PERIOD):
            family = list(descendants(self.root))
            # What is shared after a fork counts once for each process, so a sum that is too large is looked at anew.
            if sum(map(resident, family)) > self.memory and sum(map(proportional, family)) > self.memory:
                self.reason = f"it held more than {self.memory >> 20} MB of memory"
            elif any(made(process, self.folders) > self.entries for process in family[1:3]):
                self.reason = f"it made more than {self.entries:,} files"
            elif resident(os.getpid()) - before > SENT:
                self.reason = f"it sent more than {SENT >> 20} MB in one message"
            if self.reason:
                self.end()
                return

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()


def descendants(root: int) -> Iterator[int]:
    """The processes that stem from one, itself included; an orphan belongs to the first process of its sandbox."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            # "pid (name) state parent ...", and a name may hold spaces and brackets
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    left = [root]
    while left:
        process = left.pop()
        yield process
        left += children.get(process, [])


def made(process: int, folders: Sequence[str]) -> int:
    """How many files lie in folders in memory, as a process sees them; an empty one takes memory too."""
    count = 0
    with suppress(OSError):
        for folder in folders:
            found = os.statvfs(f"/proc/{process}/root{folder}")
            count += found.f_files - found.f_ffree
    return count


def resident(process: int) -> int:
    """Bytes of its own and shared memory (files it reads are left out) that a process holds."""
    return _kilobytes(Path(f"/proc/{process}/status"), ("RssAnon:", "RssShmem:")) << 10


def proportional(process: int) -> int:
    """Bytes that a process holds, each page divided by those who share it; files are left out."""
    rollup = Path(f"/proc/{process}/smaps_rollup")
    return _kilobytes(rollup, ("Pss_Anon:", "Pss_Shmem:")) << 10 if rollup.exists() else resident(process)


def _kilobytes(path: Path, names: tuple[str, ...]) -> int:
    with suppress(OSError, ValueError):
        lines = path.read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(names))
    return 0
