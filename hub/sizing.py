"""The size of machine for a class, worked out from what five users took: `python -m hub.sizing 30 300`.

`measured.json` holds the figures, written by `python benchmarks/run.py hub`. Memory is counted as the kernel shares it:
what each user has alone (private pages), and once what all of them share (libraries, most of it PyTorch's).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEASURED = Path(__file__).with_name("measured.json")
SYSTEM = 1024  # MB for the system itself and its file cache
SPARE = 1.6  # lesson 10 takes 59 % more than lesson 00, and memory must not run out
PATIENCE = 300  # seconds within which everybody is logged in and has run lesson 00, if all begin at once
SOLD = (2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)  # processors, and GB, that machines have


@dataclass(frozen=True)
class Measured:
    """What was measured with a class of users at once, in MB and in seconds of one processor.

    Args:
        users: How many.
        hub, proxy: MB of the two.
        idle: Private MB of a user with JupyterLab open and no notebook's kernel.
        lesson: Private MB of a user at the moment when the class, running lesson 00, held the most.
        shared: MB that users share, counted once.
        start: Processor seconds from log-in to a ready JupyterLab.
        run: Processor seconds of lesson 00, every cell.
        processors: Of the machine that was measured.
        seconds_ready, seconds_lesson: From log-in to a ready JupyterLab, and for lesson 00, with all of them at once.
        pss_idle, pss_lesson: MB of a user, with the pages that are shared counted in parts.
    """

    users: int
    hub: float
    proxy: float
    idle: float
    lesson: float
    shared: float
    start: float
    run: float
    processors: int = 0
    seconds_ready: float = 0.0
    seconds_lesson: float = 0.0
    pss_idle: float = 0.0
    pss_lesson: float = 0.0

    def memory(self, users: int) -> float:
        """GB for so many users who all have lesson 00 open."""
        held = SYSTEM + self.hub + self.proxy + self.shared + users * self.lesson
        return held * SPARE / 1024

    def wanted(self, users: int) -> float:
        """Processors with which so many users, all beginning at once, are done within PATIENCE."""
        return users * (self.start + self.run) / PATIENCE


def read(path: Path = MEASURED) -> Measured:
    """The figures as they were measured."""
    return Measured(**json.loads(path.read_text(encoding="utf-8")))


def sold(wanted: float) -> int:
    """The smallest size that machines have and that is enough.

    Example:
        >>> sold(17.2)
        32
    """
    return next((size for size in SOLD if size >= wanted), math.ceil(wanted))


def table(measured: Measured, sizes: Sequence[int]) -> list[str]:
    """A Markdown table, a row for each size of class."""
    rows = ["| users | memory needed | processors needed | a machine with |", "|---|---|---|---|"]
    for users in sizes:
        memory, processors = measured.memory(users), measured.wanted(users)
        machine = f"{sold(max(2, processors))} processors, {sold(memory)} GB"
        rows.append(f"| {users} | {memory:.0f} GB | {processors:.1f} | {machine} |")
    return rows


def figures(measured: Measured) -> list[str]:
    """A Markdown table of what was measured."""
    ready, lesson, cores = measured.seconds_ready, measured.seconds_lesson, measured.processors
    return [
        f"| what, with {measured.users} users at once on {cores} processors | figure |",
        "|---|---|",
        f"| from the log-in to a ready JupyterLab | {ready:.0f} s, {measured.start:.0f} s of a processor each |",
        f"| lesson 00, every cell | {lesson:.0f} s, {measured.run:.0f} s of a processor each |",
        f"| a user, JupyterLab open (PSS) | {measured.pss_idle:.0f} MB |",
        f"| a user at the largest while lesson 00 runs (PSS) | {measured.pss_lesson:.0f} MB |",
        f"| of that, the user's alone | {measured.lesson:.0f} MB |",
        f"| what all users share, once | {measured.shared:.0f} MB |",
        f"| hub, and proxy (PSS) | {measured.hub:.0f} MB, and {measured.proxy:.0f} MB |",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    made = argparse.ArgumentParser(prog="python -m hub.sizing", description=__doc__)
    made.add_argument("users", type=int, nargs="*", default=[30, 300], help="how many (%(default)s)")
    print("\n".join(table(read(), made.parse_args(arguments).users)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
