"""A class of five on one server: seconds to a ready JupyterLab, seconds and memory of lesson 00, memory of the hub.

The story of tests/test_hub is told once, on a machine of its own; what it took is printed and, where the whole class
got to its end, written into hub/measured.json, from which hub/sizing.py works out the size of machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Bar, Row
from hub import configuration, sizing
from hub.sizing import Measured

TITLE = "five users at once on JupyterHub: lesson 00 and exercise 01"
ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-hub" / "bin" / "python"
Story = Mapping[str, Any]


def steps() -> int:
    """How often the bar moves."""
    return 0 if _lacking() else 1


def _lacking() -> str | None:
    if not PYTHON.exists():
        return "JupyterHub is not installed here; `make hub HUB_OPTIONS=--version` installs it"
    if os.geteuid() != 0:
        return "it needs root, for accounts on a machine of its own"
    return next(configuration.lacking(), None)


def tell() -> Story:
    """The story, told once."""
    command = [str(PYTHON), str(ROOT / "tests" / "test_hub" / "world.py"), "story"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, stderr=subprocess.DEVNULL)
    found: Story = json.loads(told.stdout)
    if "trace" in found:
        raise RuntimeError(found["trace"])
    return found


def measure(bar: Bar | None = None, story: Callable[[], Story] = tell, path: Path = sizing.MEASURED) -> Iterator[Row]:
    """Print what a class took, and what machine 30 and 300 need by it."""
    if story is tell and (lacking := _lacking()):
        yield Row("left out", None, lacking)
        return
    told = story()
    if bar:
        bar.update()
    found = figures(told)
    path.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    waits = told["seconds"]
    yield Row("log-in to a ready JupyterLab, the slowest of five", found.seconds_ready, f"{found.start:.1f} s of CPU")
    yield Row("lesson 00, every cell, the slowest of five", found.seconds_lesson, f"{found.run:.1f} s of CPU")
    yield Row("five hand-ins graded", waits["graded"], "while one learner attacks")
    memory = f"{found.pss_idle:.0f} MB idle, {found.pss_lesson:.0f} MB in lesson 00"
    yield Row("memory of a user (PSS)", None, f"{memory}, of which {found.lesson:.0f} MB are the user's alone")
    yield Row("memory that users share", None, f"{found.shared:.0f} MB")
    yield Row("memory of hub and proxy (PSS)", None, f"{found.hub:.0f} MB and {found.proxy:.0f} MB")
    for users in (30, 300):
        needs = f"{found.memory(users):.0f} GB, {found.wanted(users):.1f} processors"
        yield Row(f"a machine for {users}", None, needs)


def figures(told: Story) -> Measured:
    """What the story tells, as figures of one user."""
    learners = sorted(told["seconds"]["ready"])

    def middle(when: str, kind: str) -> float:
        return statistics.median(told[when][name][kind] for name in learners)

    pss = sum(told["most"][name]["pss"] for name in learners)
    private = sum(told["most"][name]["private"] for name in learners)
    found = Measured(
        users=len(learners),
        hub=told["most"]["hub"]["pss"],
        proxy=told["most"]["proxy"]["pss"],
        idle=middle("idle", "private"),
        lesson=private / len(learners),
        shared=pss - private,
        start=middle("idle", "cpu"),
        run=middle("ran", "cpu") - middle("idle", "cpu"),
        processors=os.cpu_count() or 1,
        seconds_ready=max(told["seconds"]["ready"].values()),
        seconds_lesson=max(told["seconds"]["lesson"].values()),
        pss_idle=middle("idle", "pss"),
        pss_lesson=pss / len(learners),
    )
    return Measured(**{name: round(value, 1) for name, value in asdict(found).items()})
