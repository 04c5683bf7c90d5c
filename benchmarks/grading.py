"""A class of honest hand-ins through the whole pipeline: how many a minute, and whether memory stays flat."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import Aim, Bar, Row

TITLE = "exercise 02 graded: honest hand-ins, two at one time"
ROOT = Path(__file__).resolve().parent.parent
EXERCISE = "02_recursion"
CLASS = 100
JOBS = 2
# Twelve a minute, as the rate that two at one time make together.
AIM = Aim(60 / 12, unit=" s a hand-in")


def steps(learners: int = CLASS) -> int:
    """How often the bar moves."""
    return learners if _lacking() is None else 0


def _lacking() -> str | None:
    if importlib.util.find_spec("nbgrader") is None:
        return "nbgrader is not installed here; `make bench` has it"
    return None if shutil.which("bwrap") else "bubblewrap is not installed here"


def measure(bar: Bar | None = None, learners: int = CLASS) -> Iterator[Row]:
    """Grade a class that handed in the solution."""
    if lacking := _lacking():
        yield Row("left out", None, lacking)
        return
    from rflib.grading import batch, pipeline
    from rflib.grading.settings import Places

    with tempfile.TemporaryDirectory(prefix="rflib-bench-") as folder:
        places = Places(ROOT, Path(folder, "marking"))
        _hand_in(Path(folder, "in"), places, learners)
        pipeline.register(EXERCISE, places)
        plan = batch.Plan(EXERCISE, places, jobs=JOBS)
        batch.bring(plan, Path(folder, "in"), None, print)
        memory = Memory()
        start = time.perf_counter()
        points, held = [], []
        for done in batch.grade(plan, plan.missing()):
            if done.record is None:
                raise RuntimeError(done.failed)
            points.append(done.record.points == done.record.of)
            held.append(memory.lasting())
            if bar:
                bar.update()
        seconds = time.perf_counter() - start
        peak = memory.stop()
    each = seconds / learners
    rate = f"{60 / each:.1f} a minute; {AIM.verdict(each)}"
    yield Row(f"{learners} hand-ins, {sum(points)} with full marks", seconds, f"{each:.2f} s each, {rate}")
    flat = f"{held[0]:.0f} MB after the first, {held[-1]:.0f} MB after the last"
    yield Row("memory of the processes that stay", None, f"{flat}; all processes together at most {peak:.0f} MB")


def _hand_in(folder: Path, places: Any, learners: int) -> None:
    folder.mkdir()
    text = places.source(EXERCISE).read_text(encoding="utf-8")
    for number in range(learners):
        (folder / f"learner{number:03}.ipynb").write_text(text, encoding="utf-8")


class Memory(threading.Thread):
    """Looks twice a second at what this process and all below it hold."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.stopped = threading.Event()
        self.start()

    def run(self) -> None:
        """Keep the largest sum."""
        from rflib.grading.watching import descendants, proportional

        while not self.stopped.wait(0.5):
            self.peak = max(self.peak, sum(map(proportional, list(descendants(os.getpid())))) / (1 << 20))

    def lasting(self) -> float:
        """MB of this process and its children, without the children's: what outlives a hand-in."""
        import psutil

        from rflib.grading.watching import resident

        mine = psutil.Process()
        return sum(map(resident, [mine.pid, *(child.pid for child in mine.children())])) / (1 << 20)

    def stop(self) -> float:
        """MB at the most."""
        self.stopped.set()
        self.join()
        return self.peak
