"""`python -m rflib.checks`: a notebook is run from top to bottom, and what stands in the way of a mark is said."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from rflib.checks import __main__ as command
from rflib.checks.notebook import look
from rflib.errors import ModelError

ROOT = Path(__file__).resolve().parents[2]
NAME = "02_recursion"


@pytest.fixture
def exercise(tmp_path: Path) -> Callable[..., Path]:
    """A copy of a notebook, changed by a function of its cells by id."""

    def copy(folder: str, change: Callable[[dict[str, nbformat.NotebookNode]], object] = lambda cells: None) -> Path:
        source = ROOT / folder / NAME / f"{NAME}.ipynb"
        target = tmp_path / NAME / f"{NAME}.ipynb"
        target.parent.mkdir()
        notebook = nbformat.read(source, as_version=4)
        cells = {cell["id"]: cell for cell in notebook.cells}
        change(cells)
        notebook.cells = list(cells.values())
        nbformat.write(notebook, target)
        return target

    return copy


def test_a_solution_is_found_good_and_stays_as_it_is(
    exercise: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = exercise("solutions")
    before = path.read_bytes()
    assert command.main([str(path.parent)]) == 0
    told = capsys.readouterr().out
    assert "It runs from top to bottom, and no cell is missing." in told
    assert "4 of 4 checks pass." in told
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_untouched_exercise_runs_and_says_what_is_not_written(
    exercise: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(exercise("exercises"))]) == 1
    told = capsys.readouterr().out
    assert "It runs from top to bottom" in told
    assert told.count("is not written yet") == 4
    assert "0 of 4 checks pass." in told


def test_missing_duplicated_and_failing_cells_are_named(exercise: Callable[..., Path]) -> None:
    def change(cells: dict[str, nbformat.NotebookNode]) -> None:
        del cells["backward-judged"]
        again = nbformat.from_dict({**cells["table-judged"], "id": "again"})
        cells["again"] = again
        cells["needed-yours"].source = "import nothing_of_this_name"
        cells["forward-yours"].source = "def forward(layers):\n    return 1, 1"

    found = look(exercise("solutions", change))
    assert "the judge's cell 02-backward is missing: copy it from a fresh exercise" in found.problems
    assert "the judge's cell 02-table is there 2 times" in found.problems
    assert any(
        re.fullmatch(r"cell \d+ \('import nothing_of_this_name'\) fails: ModuleNotFoundError: .*", problem)
        for problem in found.problems
    )
    assert [report["passed"] for report in found.reports] == [False, True, True, False]
    assert "There is no function `needed`." in str(found)
    assert "\x1b" not in str(found)
    assert not found.good


@pytest.mark.parametrize(
    ("code", "longest", "problem"),
    [
        ("while True:\n    pass", 5, "a cell ran for more than 5 s and was given up; what stands below it was not run"),
        ("import os; os._exit(1)", 300, "the kernel died; what stands below that cell was not run"),
    ],
)
def test_a_cell_that_never_ends_and_a_kernel_that_dies_are_said(
    exercise: Callable[..., Path], code: str, longest: int, problem: str
) -> None:
    found = look(exercise("solutions", lambda cells: cells["forward-yours"].update(source=code)), longest)
    assert problem in found.problems
    assert all("the check was not reached" in report["text"] for report in found.reports)


def test_what_is_no_exercise_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path / "nothing")]) == 2
    assert "There is no file or folder" in capsys.readouterr().err
    empty = tmp_path / NAME
    empty.mkdir()
    with pytest.raises(ModelError, match=f"There is no {NAME}.ipynb in"):
        look(empty)
    broken = empty / f"{NAME}.ipynb"
    broken.write_text("{")
    with pytest.raises(ModelError, match="cannot be read as a notebook"):
        look(broken)
    shutil.copy(ROOT / "solutions" / NAME / f"{NAME}.ipynb", tmp_path / "other.ipynb")
    with pytest.raises(ModelError, match="none of the exercises by its name"):
        look(tmp_path / "other.ipynb")
