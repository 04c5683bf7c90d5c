"""Make the learner's copies in exercises/ out of solutions/, by nbgrader: solutions and outputs are left out.

Run as `python tools/build_exercises.py` in an environment that has the extra `grade`; one exercise alone:
`python tools/build_exercises.py 02_recursion`. The same sources give the same bytes, so a test can compare.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "solutions"
RELEASED = ROOT / "exercises"
MISSING = "nbgrader is not installed here. The extra brings it: python -m pip install -e '.[grade]'"


def sources() -> list[str]:
    """The names of all exercises that have a source."""
    return sorted(path.parent.name for path in SOURCES.glob("*/*.ipynb") if path.stem == path.parent.name)


def build(names: Sequence[str], into: Path) -> list[Path]:
    """Write the learner's copies of some exercises into a folder, each in a folder of its own.

    Raises:
        RuntimeError: If nbgrader makes none of a source; what it said is in the message.
    """
    with tempfile.TemporaryDirectory() as made:
        for name in names:
            _generated(name, Path(made))
        written = []
        for name in names:
            shutil.rmtree(into / name, ignore_errors=True)
            shutil.copytree(Path(made) / name, into / name)
            written += sorted((into / name).rglob("*.ipynb"))
    return written


def _generated(name: str, into: Path) -> None:
    options = {
        "CourseDirectory.source_directory": SOURCES,
        "CourseDirectory.release_directory": into,
        "NbGrader.logfile": "",
    }
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", name, "--force", "--no-db"]
    command += [f"--{option}={value}" for option, value in options.items()]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if ran.returncode or not (into / name / f"{name}.ipynb").is_file():
        raise RuntimeError(f"nbgrader did not make {name}:\n{ran.stderr or ran.stdout}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named exercises, all by default."""
    parser = argparse.ArgumentParser(description="Make the learner's copies of the exercises.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 02_recursion; by default all")
    names = parser.parse_args(arguments).names or sources()
    unknown = sorted(set(names) - set(sources()))
    if unknown:
        print(
            f"There is no solutions/{unknown[0]}/{unknown[0]}.ipynb. There is: {', '.join(sources())}.", file=sys.stderr
        )
        return 2
    if find_spec("nbgrader") is None:
        print(MISSING, file=sys.stderr)
        return 2
    for path in build(names, RELEASED):
        print(f"{path.relative_to(ROOT)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
