"""What memory each account's processes hold, looked at while the story goes on."""

from __future__ import annotations

import pwd
import threading
from collections import defaultdict
from pathlib import Path

KB = 1024


def proportional(process: Path) -> int:
    """Bytes of a process, pages that it shares counted in parts (PSS); 0 where it has ended."""
    try:
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * KB
    except OSError:
        pass
    return 0


def accounts() -> dict[str, int]:
    """Bytes by account; the hub's own parts, which are root's, by their program."""
    found: dict[str, int] = defaultdict(int)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = pwd.getpwuid(process.stat().st_uid).pw_name
            command = (process / "cmdline").read_bytes().decode("latin-1")
        except (OSError, KeyError):
            continue
        if name == "root":
            name = next((part for part in PARTS if PARTS[part] in command), "")
        if name:
            found[name] += proportional(process)
    return dict(found)


PARTS = {"hub": "jupyterhub\0--config", "proxy": "configurable-http-proxy", "culler": "jupyterhub_idle_culler"}


class Watch(threading.Thread):
    """Looks every second, and remembers the most that each account had."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most: dict[str, int] = {}
        self.most_together = 0
        self.stopped = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.stopped.wait(1.0):
            now = accounts()
            self.most = {name: max(self.most.get(name, 0), size) for name, size in now.items()} | {
                name: size for name, size in self.most.items() if name not in now
            }
            self.most_together = max(self.most_together, sum(now.values()))

    def stop(self) -> None:
        self.stopped.set()
        self.join()
