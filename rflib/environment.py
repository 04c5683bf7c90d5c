"""Whether this computer has what the course runs on, and what to do where something is missing.

Only the standard library is used: a check that needs what it checks would be no check.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rflib.errors import ReceptiveFieldError

PYTHON = (3, 11)  # the oldest that pyproject.toml allows

# Without these a lesson stops; everything else in the list is for `make test`.
LESSONS = ("torch", "numpy", "matplotlib", "scikit-learn", "tqdm", "jupyterlab", "ipywidgets", "anywidget")

_FOLDER = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([^\s;,#]+)\s*(?:;(.*))?")

_CURE = """\
Do this in a terminal, in the folder of the course: make lab
It installs what is missing into .venv there and opens this lesson again. Without make, with Python 3.11 or later:
    python -m pip install -c constraints.txt -e .
    python -m jupyterlab lessons/00_start_here.ipynb"""


@dataclass(frozen=True)
class Package:
    """One package of the course's list.

    Attributes:
        name: As pip knows it.
        wanted: The version that the course was made with.
        found: The version that is installed here; None where it is missing.
    """

    name: str
    wanted: str
    found: str | None

    @property
    def is_for_lessons(self) -> bool:
        """Whether lessons need it; if not, only `make test` does."""
        return self.name in LESSONS

    @property
    def is_as_wanted(self) -> bool:
        """Whether the installed version is the wanted one; 2.13.0+cpu is a build of 2.13.0."""
        return self.found is not None and self.found.partition("+")[0] == self.wanted


@dataclass(frozen=True, repr=False)
class Environment:
    """What is installed, beside what the course was made with; printed, it says what to do.

    Attributes:
        python: The version of Python that runs.
        packages: Every package of the course's list, in its order.
        executable: The Python that runs, as a path.
    """

    python: tuple[int, int, int]
    packages: tuple[Package, ...]
    executable: str = field(default="", compare=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that lessons need and that are not installed."""
        return tuple(package.name for package in self.packages if package.found is None and package.is_for_lessons)

    @property
    def missing_for_tests(self) -> tuple[str, ...]:
        """The packages that only `make test` needs and that are not installed."""
        return tuple(package.name for package in self.packages if package.found is None and not package.is_for_lessons)

    @property
    def different(self) -> tuple[Package, ...]:
        """The packages that are installed in another version than the course was made with."""
        return tuple(package for package in self.packages if package.found is not None and not package.is_as_wanted)

    @property
    def has_recent_python(self) -> bool:
        """Whether Python is recent enough."""
        return self.python >= PYTHON

    @property
    def is_ready(self) -> bool:
        """Whether every lesson can run: Python is recent enough, and what lessons need is installed."""
        return self.has_recent_python and not self.missing

    def __bool__(self) -> bool:
        return self.is_ready

    def __repr__(self) -> str:
        lines = ["You can start: everything that the lessons need is here."] if self.is_ready else self._obstacles()
        if self.different:
            shown = ", ".join(f"{p.name} {p.found} (made with {p.wanted})" for p in self.different)
            lines.append(f"Another version than the course was made with: {shown}. The last digits may differ.")
        if self.missing_for_tests:
            lines.append(f"Not here, and wanted by `make test` only: {', '.join(self.missing_for_tests)}.")
        if self.is_ready and len(lines) == 1:
            lines.append("Every package has the version that the course was made with.")
        return "\n".join(lines)

    def _obstacles(self) -> list[str]:
        """What stops the lessons, and the way out."""
        lines = ["Not yet: something that the lessons need is missing."]
        if not self.has_recent_python:
            wanted, got = (".".join(map(str, version)) for version in (PYTHON, self.python))
            lines.append(f"Python {wanted} or later is needed; this is {got}. Install a newer one first.")
        if self.missing:
            lines.append(f"Not installed: {', '.join(self.missing)}.")
        return [*lines, f"This is the Python at {self.executable}.", _CURE]


def check_environment() -> Environment:
    """Compares what is installed with the list that the course was made with.

    The list is the one that rflib was installed with; where rflib runs uninstalled, requirements.txt beside it.

    Example:
        >>> import rflib as rf
        >>> environment = rf.check_environment()
        >>> environment.has_recent_python
        True

    Returns:
        An `Environment`, which is true if the lessons can run; printed, it says what is missing and what to do.

    Raises:
        ReceptiveFieldError: If there is no list: rflib is neither installed nor in the folder of the course.
    """
    packages = tuple(Package(name, wanted, _installed(name)) for name, wanted in _pins(_required()).items())
    major, minor, micro = sys.version_info[:3]
    return Environment((major, minor, micro), packages, sys.executable)


def _required() -> list[str]:
    """The lines of the list: from the metadata of the installed rflib, or else from the file in the course's folder."""
    try:
        listed = importlib.metadata.requires("rflib")
    except importlib.metadata.PackageNotFoundError:
        listed = None
    if listed:
        return listed
    try:
        return (_FOLDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ReceptiveFieldError(
            "The list of packages is not found: rflib is not installed, and no requirements.txt stands beside its "
            "folder. In the folder of the course run `make lab`, or `python -m pip install -c constraints.txt -e .`."
        ) from None


def _pins(lines: Iterable[str]) -> dict[str, str]:
    """Name to version of every exact pin; what only an extra asks for is left out."""
    matches = filter(None, map(_PIN.match, lines))
    return {match[1].lower().replace("_", "-"): match[2] for match in matches if "extra" not in (match[3] or "")}


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
