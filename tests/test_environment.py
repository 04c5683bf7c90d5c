"""What the check says on computers that have everything, some of it, or nothing; it asks importlib.metadata alone."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rflib import environment
from rflib.environment import LESSONS, PYTHON, Package, check_environment
from rflib.errors import ReceptiveFieldError

ROOT = Path(__file__).resolve().parent.parent
FIRST_LESSON = ROOT / "lessons" / "00_start_here.ipynb"
LIST = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PINS = {
    canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
    for pin in (Requirement(line) for line in LIST.splitlines() if line.strip() and not line.startswith("#"))
}
GOOD = """\
You can start: everything that the lessons need is here.
Every package has the version that the course was made with."""
CURE = """\
Do this in a terminal, in the folder of the course: make lab
It installs what is missing into .venv there and opens this lesson again. Without make, with Python 3.11 or later:
    python -m pip install -c constraints.txt -e .
    python -m jupyterlab lessons/00_start_here.ipynb"""


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A computer with the pinned packages, to take from or to change; rflib runs uninstalled on it."""
    here = dict(PINS)

    def version(name: str) -> str:
        if name not in here:
            raise importlib.metadata.PackageNotFoundError(name)
        return here[name]

    def requires(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(environment.importlib.metadata, "version", version)
    monkeypatch.setattr(environment.importlib.metadata, "requires", requires)
    monkeypatch.setattr(environment.sys, "version_info", (3, 11, 9, "final", 0))
    monkeypatch.setattr(environment.sys, "executable", "a folder/python")
    return here


def test_every_pin_of_the_list_is_checked(computer: dict[str, str]) -> None:
    found = check_environment()
    assert {package.name: package.wanted for package in found.packages} == PINS
    assert {package.name: package.found for package in found.packages} == PINS


def test_with_everything_in_place_it_says_start(computer: dict[str, str]) -> None:
    found = check_environment()
    assert found
    assert found.is_ready
    assert repr(found) == GOOD


def test_a_local_build_is_the_same_version(computer: dict[str, str]) -> None:
    computer["torch"] += "+cpu"
    assert repr(check_environment()) == GOOD


def test_a_missing_package_is_named_with_the_way_out(computer: dict[str, str]) -> None:
    del computer["anywidget"], computer["scikit-learn"]
    found = check_environment()
    assert not found
    assert found.missing == ("scikit-learn", "anywidget")
    assert repr(found) == (
        "Not yet: something that the lessons need is missing.\n"
        "Not installed: scikit-learn, anywidget.\n"
        "This is the Python at a folder/python.\n" + CURE
    )


def test_what_only_the_tests_need_does_not_stop_a_learner(computer: dict[str, str]) -> None:
    del computer["nbval"]
    found = check_environment()
    assert found.is_ready
    assert found.missing == ()
    assert repr(found) == f"{GOOD.splitlines()[0]}\nNot here, and wanted by `make test` only: nbval."


@pytest.mark.parametrize("version", ["2.4.5", "2.4.60", "3.0", "2.4"])
def test_another_version_is_told_and_does_not_stop_a_learner(computer: dict[str, str], version: str) -> None:
    computer["numpy"] = version
    found = check_environment()
    assert found.is_ready
    assert repr(found) == (
        f"{GOOD.splitlines()[0]}\n"
        f"Another version than the course was made with: numpy {version} (made with {PINS['numpy']}). "
        "The last digits may differ."
    )


@pytest.mark.parametrize(("version", "ready"), [((3, 10, 14), False), ((3, 11, 0), True), ((3, 14, 1), True)])
def test_an_old_python_is_named(
    computer: dict[str, str], monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], ready: bool
) -> None:
    monkeypatch.setattr(environment.sys, "version_info", (*version, "final", 0))
    found = check_environment()
    assert found.is_ready is ready
    old = "Python 3.11 or later is needed; this is 3.10.14. Install a newer one first.\n"
    assert (old in repr(found)) is not ready
    assert "Not installed" not in repr(found)


def test_the_installed_list_comes_before_the_file(computer: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ["torch==2.13.0", 'nbgrader==0.9.6; extra == "grade"', "Scikit_Learn == 9.9 ; python_version > '3'"]
    monkeypatch.setattr(environment.importlib.metadata, "requires", lambda name: listed)
    found = check_environment()
    assert found.packages == (
        Package("torch", "2.13.0", PINS["torch"]),
        Package("scikit-learn", "9.9", PINS["scikit-learn"]),
    )


def test_without_any_list_one_sentence_says_what_to_do(
    computer: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "_FOLDER", tmp_path)
    with pytest.raises(ReceptiveFieldError) as raised:
        check_environment()
    assert str(raised.value) == (
        "The list of packages is not found: rflib is not installed, and no requirements.txt stands beside its folder. "
        "In the folder of the course run `make lab`, or `python -m pip install -c constraints.txt -e .`."
    )


def test_the_result_cannot_be_changed(computer: dict[str, str]) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        check_environment().packages = ()  # type: ignore[misc]


def test_on_this_computer_it_agrees_with_pip() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    installed = {canonicalize_name(entry["name"]): entry["version"] for entry in json.loads(listed.stdout)}
    packages = check_environment().packages
    assert {package.name: package.found for package in packages} == {name: installed.get(name) for name in PINS}


def test_the_constants_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={PYTHON[0]}.{PYTHON[1]}"
    assert set(LESSONS) <= set(PINS)


def test_what_rflib_and_the_lessons_import_counts_as_needed() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "rflib").rglob("*.py")]
    for path in sorted((ROOT / "lessons").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    modules = set(re.findall(r"^\s*(?:import|from) ([A-Za-z_]\w*)", "\n".join(sources), flags=re.MULTILINE))
    owners = importlib.metadata.packages_distributions()
    imported = {canonicalize_name(name) for module in modules for name in owners.get(module, [])}
    assert {"torch", "numpy"} <= imported
    assert imported & set(PINS) <= set(LESSONS)


def test_it_asks_nothing_but_the_standard_library() -> None:
    code = "import sys; from rflib.environment import check_environment; check_environment(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(PINS) & {name.split(".")[0] for name in done.stdout.split()}


def test_the_first_lesson_shows_the_good_answer() -> None:
    cells = json.loads(FIRST_LESSON.read_text(encoding="utf-8"))["cells"]
    (shown,) = (
        cell for cell in cells if "check_environment()" in "".join(cell["source"]) and cell["cell_type"] == "code"
    )
    assert "".join(shown["outputs"][0]["data"]["text/plain"]) == GOOD
