"""The command line, from a folder of files to marks, pages and a table."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from rflib.grading import __main__ as command
from rflib.grading import sandbox
from rflib.grading.settings import Places
from tests.test_grading import making

pytestmark = pytest.mark.needs("bubblewrap")


def main(course: Places, *arguments: str) -> int:
    fixed = ["--course", str(course.project), "--marking", str(course.marking), "--catalog", "tests.test_grading.tasks"]
    return command.main([making.EXERCISE, *arguments, *fixed])


def test_a_folder_becomes_marks_pages_and_a_table(
    course: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = nbformat.read(course.release(making.EXERCISE), as_version=4)
    handins = tmp_path / "in"
    handins.mkdir()
    nbformat.write(making.written(release), handins / "hw1 (1).ipynb")
    nbformat.write(making.written(release, making.WITHOUT_STRIDE), handins / 'o\'k "q".ipynb')
    (handins / "notes.txt").write_text("x")
    table = tmp_path / "learners.csv"
    table.write_text(
        'id,name,file,time\n"=s1",Lee,hw1 (1).ipynb,2026-02-01 10:00\ns2,Bo,"o\'k ""q"".ipynb",2026-01-31\n'
    )
    assert main(course, str(handins), "--table", str(table), "--due", "2026-01-31 23:59", "--jobs", "1") == 0
    told = capsys.readouterr().out
    assert "'notes.txt' is no notebook" in told
    assert "=s1: 5 of 5." in told
    assert "s2: 3 of 5. 91-size: strides multiply the jump: You leave the strides out." in told
    assert "2 graded now, 2 in all, 0 not graded." in told
    with course.marks(making.EXERCISE).open(encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows["Lee"]["id"] == "'=s1"
    assert (rows["Lee"]["points"], rows["Lee"]["days late"], rows["Lee"]["file"]) == ("5", "1", "hw1 (1).ipynb")
    assert (rows["Bo"]["91-size"], rows["Bo"]["91-jump"], rows["Bo"]["days late"]) == ("1", "2", "0")
    pages = sorted(path.name for path in course.feedback(making.EXERCISE, "x").parent.iterdir())
    assert len(pages) == 2
    assert "Right on" in course.feedback(making.EXERCISE, "s2").read_text()
    assert main(course, str(handins), "--table", str(table)) == 0
    assert "0 graded now, 2 in all, 0 not graded." in capsys.readouterr().out


def test_what_failed_is_said_and_the_exit_code_tells(
    course: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = Places(course.project, tmp_path / "marking")
    shutil.copytree(course.marking / "release", places.marking / "release")
    shutil.copy(course.gradebook, places.gradebook)
    (tmp_path / "in").mkdir()
    shutil.copy(course.release(making.EXERCISE), tmp_path / "in" / "ann.ipynb")
    arguments = [
        making.EXERCISE,
        str(tmp_path / "in"),
        "--course",
        str(places.project),
        "--marking",
        str(places.marking),
    ]
    assert command.main(arguments) == 1
    assert "ann: NOT GRADED, run the command again: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "There is no folder 'nowhere' with hand-ins."),
        (["--due", "soon"], "The time 'soon' in --due is in no form that is known. Write it as 2026-01-31 23:59."),
    ],
)
def test_what_was_typed_wrongly_is_named(
    course: Places, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(course, *arguments) == 2
    assert capsys.readouterr().err.strip() == message


def test_missing_programs_are_named(
    course: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert main(course) == 2
    assert capsys.readouterr().err.strip() == sandbox.MISSING
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(course) == 2
    assert capsys.readouterr().err.strip() == command.NO_NBGRADER


def test_nbgraders_own_commands_find_the_judge_and_the_same_gradebook(root: Path, tmp_path: Path) -> None:
    asked = (
        "from traitlets.config import Config; from traitlets.config.loader import PyFileConfigLoader as L; "
        "c = L('nbgrader_config.py', path='.').load_config(); "
        "print(c.Autograde.autograde_preprocessors[0], c.CourseDirectory.db_url, c.CourseDirectory.release_directory)"
    )
    environment = {**os.environ, "RFLIB_MARKING": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [
        "rflib.grading.preprocessors.Judge",
        f"sqlite:///{tmp_path / 'gradebook.db'}",
        "exercises",
    ]
