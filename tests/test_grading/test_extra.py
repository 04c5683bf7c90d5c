"""What a lecturer installs is one extra with exact versions; a learner gets none of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def names(path: Path) -> set[str]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9.]+", line) for line in lines)
    return {line.partition("==")[0].lower() for line in lines}


def test_the_extra_reads_its_list_and_pins_nbgrader(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    dynamic = settings["tool"]["setuptools"]["dynamic"]
    assert dynamic["optional-dependencies"] == {"grade": {"file": ["requirements-grade.txt"]}}
    assert "optional-dependencies" in settings["project"]["dynamic"]
    assert "nbgrader" in names(root / "requirements-grade.txt")


def test_the_learner_s_environment_has_none_of_it(root: Path) -> None:
    graders = names(root / "requirements-grade.txt")
    assert not graders & names(root / "requirements.txt")
    assert not graders & names(root / "constraints.txt")


def test_only_grading_knows_nbgrader_and_nothing_else_knows_grading(root: Path) -> None:
    for path in (root / "rflib").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        inside = path.is_relative_to(root / "rflib" / "grading")
        assert inside or not re.search(r"^\s*(from|import) (nbgrader|rflib\.grading)", text, re.MULTILINE), path
        assert not re.search(r"^(from|import) nbgrader", text, re.MULTILINE), f"{path}: nbgrader is imported at the top"
