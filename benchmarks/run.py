"""Measure, and print ratios: `python benchmarks/run.py [group ...]`, or `make bench` for all groups.

Nothing is judged but said: an aim that is missed is printed as missed, and the exit code stays 0. Only a benchmark that
breaks makes it 1.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {  # in this order: what is printed first takes the least time
    "import": "importing",
    "resnet": "resnet",
    "chains": "chains",
    "effective": "effective",
    "explorers": "explorers",
    "grading": "grading",
    "hub": "hub",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named groups, all of them by default."""
    parser = argparse.ArgumentParser(description="Measure rflib, and print ratios.")
    parser.add_argument("groups", nargs="*", metavar="group", help=f"one of {', '.join(GROUPS)}; by default all")
    chosen = list(dict.fromkeys(parser.parse_args(arguments).groups)) or list(GROUPS)
    if unknown := [name for name in chosen if name not in GROUPS]:
        parser.error(f"there is no group {unknown[0]!r}; the groups are {', '.join(GROUPS)}")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # this folder's rflib is measured, installed or not
    from benchmarks.harness import duration, machine

    start = time.perf_counter()
    print(machine())
    print("Medians of interleaved runs; behind a ratio, the smallest and the largest of one round.")
    broken = [name for name in chosen if not show(importlib.import_module(f"benchmarks.{GROUPS[name]}"))]
    print(f"\nThis took {duration(time.perf_counter() - start)}.")
    return 1 if broken else 0


def show(group: ModuleType, **sizes: Any) -> bool:
    """Print a group's rows as they come, behind a progress bar; whether it got to its end."""
    from tqdm import tqdm

    print(f"\n{group.TITLE}")
    # disable=None: no bar where the output is no terminal
    with tqdm(total=group.steps(**sizes), leave=False, disable=None, bar_format="  {l_bar}{bar}| {elapsed}") as bar:
        try:
            for row in group.measure(bar, **sizes):
                bar.write(str(row))
                sys.stdout.flush()
        except Exception as error:  # the other groups still have something to say
            bar.write(f"  broken: {type(error).__name__}: {error}")
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
