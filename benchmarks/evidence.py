"""The experiments over many seeds, longer than a lesson can wait: python benchmarks/evidence.py [names].

Prints tables and writes nothing. Everything takes about a quarter of an hour on one core; name what you want to see:
copy, puzzle, near, field, comb, mosaics, stereo, shift, capstone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from rflib import experiments as ex
from rflib.experiments.results import Result
from rflib.tables import text_table


def copy(seeds: int) -> None:
    """At most 0.6 for every reach below the distance, at least 0.95 from it on."""
    for distance in (6, 10):
        show(ex.run_copy_task(distance, kernel_sizes=(3, 5), seeds=range(min(seeds, 3)), progress=False))


def puzzle(seeds: int) -> None:
    """Every variant, and which explanation its runs leave."""
    result = ex.solve_sign_puzzle(seeds=range(seeds), steps=1000, progress=False)
    show(result)
    print(text_table(*result.verdict_table()), "\n")
    for name in dict.fromkeys(run.variant for run in result.runs):
        found = ", ".join(f"{run.accuracy:.2f} ({run.steps})" for run in result.of(name))
        print(f"{name}: accuracy (steps) by seed: {found}")


def near(seeds: int) -> None:
    """How far apart the marks may be for a plain stack of just enough reach, and for a stack with skip connections."""
    for distance in (2, 3, 4, 5, 6):
        variants = {
            f"plain, {distance} layers": ex.Variant((1,) * distance),
            f"plain, {2 * distance} layers": ex.Variant((1,) * 2 * distance),
            "skip connections, 12 layers": ex.VARIANTS["skip connections, 12 layers"],
        }
        print("distance", distance)
        show(ex.solve_sign_puzzle(distance, variants, seeds=range(min(seeds, 3)), steps=600, progress=False))


def field(seeds: int) -> None:
    """Shares, flips and sigma before, during and after training."""
    for task in ("copy", "product"):
        show(ex.watch_field(task, seeds=range(seeds), progress=False))


def comb(seeds: int) -> None:
    """Every schedule, every offset."""
    show(ex.read_comb(seeds=range(seeds), progress=False))


def mosaics(seeds: int) -> None:
    """Accuracy against the field at equal depth."""
    show(ex.label_mosaics(seeds=range(min(seeds, 3)), progress=False))


def stereo(seeds: int) -> None:
    """Accuracy by disparity, with and without flipped dots."""
    for noise in (0.0, 0.1):
        print("share of flipped dots:", noise)
        show(ex.match_stereo((5, 7, 9), noise=noise, seeds=range(min(seeds, 3)), progress=False))


def shift(seeds: int) -> None:
    """Changes for every shift, over more weights."""
    show(ex.shift_inputs(seeds=range(4 * seeds), progress=False))


def capstone(seeds: int) -> None:
    """Every design against the three requirements."""
    show(ex.train_capstone(seeds=range(min(seeds, 3)), progress=False))


def show(result: Result) -> None:
    print(result, "\n", flush=True)


SECTIONS: dict[str, Callable[[int], None]] = {
    f.__name__: f for f in (copy, puzzle, near, field, comb, mosaics, stereo, shift, capstone)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="names", help=f"by default all: {', '.join(SECTIONS)}")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of the cheap experiments; the dear ones take 3")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in SECTIONS:
            parser.error(f"there is no {name!r}; choose from {', '.join(SECTIONS)}")
    torch.set_num_threads(arguments.threads)
    for name in arguments.names or SECTIONS:
        began = time.process_time()
        print(f"== {name}: {SECTIONS[name].__doc__}\n")
        SECTIONS[name](arguments.seeds)
        print(f"({time.process_time() - began:.0f} s of processor time)\n", flush=True)


if __name__ == "__main__":
    main()
