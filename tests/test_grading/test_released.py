"""What learners get is what nbgrader makes of the solutions, byte for byte, and no solution is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import build_exercises

pytest.importorskip("nbgrader", reason="the extra `grade` is not installed")

NAMES = build_exercises.sources()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("released")
    build_exercises.build(NAMES, into)
    return into


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path; what Jupyter leaves beside notebooks is no part of it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }


def test_exercises_equal_what_the_solutions_generate(made: Path) -> None:
    assert NAMES
    released, generated = files(build_exercises.RELEASED), files(made)
    assert sorted(released) == sorted(generated)
    assert [name for name in generated if released[name] != generated[name]] == []


def test_a_changed_solution_changes_the_exercise_unless_it_lies_between_the_marks(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = NAMES[0]
    source = tmp_path / "solutions" / name / f"{name}.ipynb"
    source.parent.mkdir(parents=True)
    text = (build_exercises.SOURCES / name / f"{name}.ipynb").read_text(encoding="utf-8")
    monkeypatch.setattr(build_exercises, "SOURCES", tmp_path / "solutions")
    before = files(made)[f"{name}/{name}.ipynb"]
    for old, new, same in (("### END SOLUTION", "0\\n    ### END SOLUTION", True), ("# Exercise ", "# Task ", False)):
        assert old in text
        source.write_text(text.replace(old, new, 1), encoding="utf-8")
        build_exercises.build([name], tmp_path / "made")
        assert (files(tmp_path / "made")[f"{name}/{name}.ipynb"] == before) is same


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_and_no_output_is_released(made: Path, name: str) -> None:
    notebook = json.loads((made / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"]]
    text = "".join("".join(cell["source"]) for cell in notebook["cells"])
    assert "SOLUTION" not in text
    assert "NotImplementedError" in text


def test_a_source_that_nbgrader_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "solutions" / "01_broken"
    folder.mkdir(parents=True)
    (folder / "01_broken.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(build_exercises, "SOURCES", tmp_path / "solutions")
    with pytest.raises(RuntimeError, match="nbgrader did not make 01_broken"):
        build_exercises.build(["01_broken"], tmp_path / "made")


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert build_exercises.main(["99_nothing"]) == 2
    assert NAMES[0] in capsys.readouterr().err
