"""Name the system programs that pip cannot install and this machine lacks, and say how to get them.

Run as `python tools/preflight.py`. With CI set to anything but "", "0" or "false", a missing program is an error:
there the whole suite must run. `--counts FOLDER` adds up pytest's XML reports afterwards and prints one line.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import NamedTuple


class Program(NamedTuple):
    names: tuple[str, ...]  # the first that is found is taken
    package: str  # Debian's and Ubuntu's name
    purpose: str


PROGRAMS = {
    "chromium": Program(
        ("chromium", "chromium-browser", "google-chrome"), "chromium", "the tests in a real browser (tests/browser)"
    ),
    "bubblewrap": Program(("bwrap",), "bubblewrap", "the sandbox in which exercises are graded"),
    "make": Program(("make", "gmake"), "make", "the tests of the Makefile"),
    "node": Program(("node", "nodejs"), "nodejs", "the tests of the explorers' JavaScript"),
    "npm": Program(("npm",), "npm", "axe-core, which checks that the explorers are accessible"),
}


def find(program: str) -> str | None:
    """The path of a program of PROGRAMS, None where it is missing."""
    return next((path for name in PROGRAMS[program].names if (path := shutil.which(name))), None)


def missing() -> list[str]:
    return [program for program in PROGRAMS if find(program) is None]


def must_have_all() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def advice(programs: list[str]) -> str:
    """One line for each missing program, and the command that installs them."""
    lines = [f"  {program}: wanted for {PROGRAMS[program].purpose}" for program in programs]
    packages = " ".join(PROGRAMS[program].package for program in programs)
    return "\n".join(["Not found on this machine:", *lines, f"Get them with: apt-get install {packages}"])


def counts(folder: Path) -> Counter[str]:
    """Pytest's counts, added up over the XML reports in a folder."""
    total: Counter[str] = Counter()
    for report in sorted(folder.glob("*.xml")):
        for suite in ET.parse(report).getroot().iter("testsuite"):
            number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
            total["failed"] += number["failures"] + number["errors"]
            total["skipped"] += number["skipped"]
            total["passed"] += number["tests"] - number["failures"] - number["errors"] - number["skipped"]
    return total


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Name the system programs that this machine lacks.")
    parser.add_argument("--counts", type=Path, metavar="FOLDER", help="add up pytest's XML reports in this folder")
    options = parser.parse_args(arguments)
    lacking = missing()
    status = 0
    if lacking:
        print(advice(lacking))
        if must_have_all():
            print("CI is set, so the whole suite must run: this is a failure.")
            status = 1
    if options.counts:
        total = counts(options.counts)
        print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
        if total["failed"] or not total["passed"]:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
