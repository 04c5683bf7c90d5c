"""What a lecturer installs is an extra for each purpose, with exact versions; a learner gets none of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def names(path: Path) -> set[str]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9.]+", line) for line in lines)
    return {line.partition("==")[0].lower() for line in lines}


EXTRAS = {"book": "sphinx", "grade": "nbgrader", "hub": "jupyterhub"}


def test_each_extra_reads_its_list_and_pins_what_it_is_for(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    dynamic = settings["tool"]["setuptools"]["dynamic"]
    assert dynamic["optional-dependencies"] == {name: {"file": [f"requirements-{name}.txt"]} for name in EXTRAS}
    assert "optional-dependencies" in settings["project"]["dynamic"]
    for name, package in EXTRAS.items():
        assert package in names(root / f"requirements-{name}.txt")


def test_the_learner_s_environment_has_none_of_it(root: Path) -> None:
    for name in EXTRAS:
        extra = names(root / f"requirements-{name}.txt")
        assert not extra & names(root / "requirements.txt")
        assert not extra & names(root / "constraints.txt")


def test_only_grading_knows_nbgrader_and_nothing_else_knows_grading(root: Path) -> None:
    for path in (root / "rflib").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        inside = path.is_relative_to(root / "rflib" / "grading")
        assert inside or not re.search(r"^\s*(from|import) (nbgrader|rflib\.grading)", text, re.MULTILINE), path
        assert not re.search(r"^(from|import) nbgrader", text, re.MULTILINE), f"{path}: nbgrader is imported at the top"
