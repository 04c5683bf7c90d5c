"""What each account's processes hold and have computed, looked at while the story goes on."""

from __future__ import annotations

import os
import pwd
import threading
from pathlib import Path

KINDS = ("Pss", "Private_Clean", "Private_Dirty")
PARTS = {"hub": "jupyterhub\0--config", "proxy": "configurable-http-proxy", "culler": "jupyterhub_idle_culler"}
TICKS = os.sysconf("SC_CLK_TCK")

Held = dict[str, float]


def process(folder: Path) -> Held:
    """MB of a process: `pss`, with the pages that it shares counted in parts, and `private`; seconds of processor."""
    lines = (folder / "smaps_rollup").read_text().splitlines()
    sizes = dict.fromkeys(KINDS, 0.0)
    for line in lines:
        kind, _, rest = line.partition(":")
        if kind in sizes:
            sizes[kind] = int(rest.split()[0]) / 1024
    times = (folder / "stat").read_text().rpartition(") ")[2].split()
    cpu = sum(map(int, times[11:15])) / TICKS  # its own and those of its children that have ended
    return {"pss": sizes["Pss"], "private": sizes["Private_Clean"] + sizes["Private_Dirty"], "cpu": cpu}


def accounts() -> dict[str, Held]:
    """By account; the hub's own parts, which are root's, by their program."""
    found: dict[str, Held] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = pwd.getpwuid(folder.stat().st_uid).pw_name
            command = (folder / "cmdline").read_bytes().decode("latin-1")
            name = next((part for part in PARTS if PARTS[part] in command), "") if name == "root" else name
            seen = process(folder) if name else {}
        except (OSError, KeyError):
            continue
        for kind, value in seen.items():
            found.setdefault(name, dict.fromkeys(seen, 0.0))[kind] += value
    return found


class Watch(threading.Thread):
    """Looks every second, and remembers when the class held the most together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most: dict[str, Held] = {}
        self.stopped = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.stopped.wait(1.0):
            now = accounts()
            if total(now) > total(self.most):
                self.most = now

    def stop(self) -> None:
        """Look no more; `most` stays."""
        self.stopped.set()
        self.join()


def total(seen: dict[str, Held]) -> float:
    """MB of all accounts."""
    return sum(held["pss"] for held in seen.values())
