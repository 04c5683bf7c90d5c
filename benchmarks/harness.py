"""How the benchmarks measure and how they print: interleaved runs, medians, ratios, growth.

Times on a shared machine drift. So the jobs that are compared run in turn, A B A B, in one process; what is reported is
the ratio of their medians, with the smallest and the largest ratio that one round gave.
"""

from __future__ import annotations

import gc
import importlib.metadata
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

Times = dict[Any, list[float]]


class Bar(Protocol):
    """What a benchmark needs of a progress bar."""

    def update(self, n: int = 1) -> object: ...


@dataclass(frozen=True)
class Aim:
    """What a number is hoped to be: below a limit, or at most that limit."""

    limit: float
    strictly: bool = False
    unit: str = ""

    def verdict(self, value: float) -> str:
        met = value < self.limit if self.strictly else value <= self.limit
        said = "below" if self.strictly else "at most"
        return f"aim: {said} {self.limit:g}{self.unit}: {'met' if met else 'missed'}"


@dataclass(frozen=True)
class Row:
    """One printed line: what was measured, how long it took, and what to make of that."""

    what: str
    seconds: float | None
    comment: str = ""

    def __str__(self) -> str:
        shown = "" if self.seconds is None else duration(self.seconds)
        return f"  {self.what:<44} {shown:>9}  {self.comment}".rstrip()


@dataclass(frozen=True)
class Ratio:
    """The ratio of two medians, and the range of the ratios of single rounds. It always lies within that range."""

    value: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        spread = "" if self.lowest == self.highest else f" ({self.lowest:.3g} to {self.highest:.3g})"
        return f"{self.value:.3g}{spread}"


def timed(job: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that one call takes; garbage of earlier calls is collected before."""
    gc.collect()
    start = clock()
    job()
    return clock() - start


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for torch's operators, then as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def interleaved(jobs: Mapping[Any, Callable[[], object]], rounds: int, bar: Bar | None = None) -> Times:
    """The times of jobs that run in turn: every job once a round."""
    times: Times = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            times[name].append(timed(job))
            if bar is not None:
                bar.update()
    return times


def ratio(of: Sequence[float], to: Sequence[float]) -> Ratio:
    """The ratio of the medians of two jobs that ran in the same rounds."""
    each = [a / b for a, b in zip(of, to, strict=True)]
    return Ratio(statistics.median(of) / statistics.median(to), min(each), max(each))


def exponent(times: Mapping[int, float]) -> float:
    """The power of n with which a cost grows: the slope of a least-squares line through (log n, log seconds)."""
    if len(times) < 2:
        raise ValueError(f"A growth needs at least two sizes; got {list(times)}.")
    return statistics.linear_regression([math.log(n) for n in times], [math.log(t) for t in times.values()]).slope


def growth(times: Mapping[int, float], aim: Aim) -> str:
    """A growth in words: its power over all sizes, and the last step alone, where a hidden square shows first."""
    *_, before, last = sorted(times)
    power = exponent(times)
    return (
        f"at {last:,}; grows like n^{power:.2f} ({aim.verdict(power)}); "
        f"from {before:,} on {times[last] / times[before]:.2f} times as much"
    )


def medians(times: Times) -> dict[Any, float]:
    """The median of each job."""
    return {name: statistics.median(values) for name, values in times.items()}


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 999.5 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def version(distribution: str) -> str:
    """The installed version of a distribution, '-' if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "-"


def machine() -> str:
    """One line about what the numbers were measured on."""
    import torch

    import rflib

    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}; {torch.get_num_threads()} torch "
        f"threads; Python {platform.python_version()}, torch {torch.__version__}, numpy {version('numpy')}, "
        f"rflib {rflib.__version__}"
    )
