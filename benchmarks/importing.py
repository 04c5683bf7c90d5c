"""What `import rflib` costs: fresh processes, against `python -c pass`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Aim, Bar, Row, interleaved, medians, ratio

TITLE = "import rflib, in fresh processes"
ROUNDS = 15
ROOT = Path(__file__).resolve().parent.parent
AIM = Aim(50, unit=" ms more")
HEAVY = ("torch", "numpy", "matplotlib", "ipywidgets", "sklearn", "tqdm")


def steps(rounds: int = ROUNDS) -> int:
    """How often the bar moves."""
    return 2 * rounds


def measure(bar: Bar | None = None, rounds: int = ROUNDS) -> Iterator[Row]:
    """Run both in turn. The first import, which may compile files, is not counted."""
    loaded = run(f"import rflib, sys; print(*[n for n in {HEAVY!r} if n in sys.modules])").split()
    times = interleaved({"pass": lambda: run("pass"), "rflib": lambda: run("import rflib")}, rounds, bar)
    middle = medians(times)
    extra = 1000 * statistics.median(b - a for a, b in zip(times["pass"], times["rflib"], strict=True))
    yield Row("python -c pass", middle["pass"])
    yield Row(
        "python -c 'import rflib'",
        middle["rflib"],
        f"{ratio(times['rflib'], times['pass'])} of it, {extra:.1f} ms more; {AIM.verdict(extra)}",
    )
    yield Row("what it loads of " + ", ".join(HEAVY), None, ", ".join(loaded) or "nothing")


def run(code: str) -> str:
    """The output of a fresh Python that finds this folder's rflib."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout
