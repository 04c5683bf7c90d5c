"""The lessons in a learner's home folder: what is copied, renewed, and left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub import lessons, start


class Home:
    """A course with two lessons, and a learner's folder for them."""

    def __init__(self, folder: Path) -> None:
        self.course, self.own, self.noted = folder / "course", folder / "home" / "lessons", folder / "home" / "n" / "x"
        self.course.mkdir()
        self.write("00_a.ipynb", "first")
        self.write("notation.md", "words")
        (self.course / "private.py").write_text("no lesson")

    def write(self, name: str, text: str) -> None:
        (self.course / name).write_text(text)

    def bring(self) -> list[str]:
        return lessons.bring(self.course, self.own, self.noted)

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.own.iterdir())}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_lessons_are_copied_where_they_are_missing(home: Home) -> None:
    assert home.bring() == ["00_a.ipynb: copied", "notation.md: copied"]
    assert home.files() == {"00_a.ipynb": "first", "notation.md": "words"}
    assert home.bring() == []


def test_a_lesson_that_nobody_touched_is_renewed(home: Home) -> None:
    home.bring()
    home.write("00_a.ipynb", "second")
    assert home.bring() == ["00_a.ipynb: renewed"]
    assert home.files()["00_a.ipynb"] == "second"


def test_a_changed_lesson_stays_and_the_new_one_lies_beside_it_once(home: Home) -> None:
    home.bring()
    (home.own / "00_a.ipynb").write_text("mine")
    assert home.bring() == []
    home.write("00_a.ipynb", "second")
    assert home.bring() == ["00_a.ipynb: changed by you and by the course; the new version is 00_a-new-version.ipynb"]
    expected = {"00_a-new-version.ipynb": "second", "00_a.ipynb": "mine", "notation.md": "words"}
    assert home.files() == expected
    (home.own / "00_a-new-version.ipynb").unlink()
    assert home.bring() == [], "what the learner threw away does not come back until the course changes again"
    home.write("00_a.ipynb", "third")
    home.bring()
    assert home.files() == {**expected, "00_a-new-version.ipynb": "third"}


def test_work_in_the_new_version_is_not_overwritten_either(home: Home) -> None:
    home.bring()
    (home.own / "00_a.ipynb").write_text("mine")
    home.write("00_a.ipynb", "second")
    home.bring()
    (home.own / "00_a-new-version.ipynb").write_text("mine, too")
    home.write("00_a.ipynb", "third")
    assert home.bring() == []
    assert home.files()["00_a-new-version.ipynb"] == "mine, too"


def test_a_lesson_that_was_renamed_away_is_copied_anew(home: Home) -> None:
    home.bring()
    (home.own / "00_a.ipynb").rename(home.own / "old.ipynb")
    assert home.bring() == ["00_a.ipynb: copied"]


def test_without_notes_a_differing_file_counts_as_the_learners(home: Home) -> None:
    home.bring()
    home.noted.write_text("{")
    home.write("00_a.ipynb", "second")
    home.bring()
    assert home.files()["00_a.ipynb"] == "first"
    assert home.files()["00_a-new-version.ipynb"] == "second"


def test_a_folder_in_a_lessons_place_is_left_alone(home: Home) -> None:
    (home.own / "00_a.ipynb").mkdir(parents=True)
    home.bring()
    assert (home.own / "00_a.ipynb").is_dir()


def test_a_start_makes_private_folders_and_says_where_they_are(tmp_path: Path) -> None:
    before, found = os.umask(0o022), {"PATH": "/bin"}
    try:
        start.prepare(tmp_path, found)
    finally:
        os.umask(before)
    assert found["JUPYTER_RUNTIME_DIR"] == str(tmp_path / ".jupyter-run")
    assert (tmp_path / "lessons" / "00_start_here.ipynb").is_file()
    for path in (tmp_path / "exercises", tmp_path / ".jupyter-run", tmp_path / ".cache" / "tmp", tmp_path / "lessons"):
        assert path.stat().st_mode & 0o777 == 0o700, path


def test_the_longest_name_leaves_room_for_a_kernels_socket() -> None:
    socket = "kernel-00000000-0000-0000-0000-000000000000-ipc-5"
    assert len(f"/home/{'x' * 31}/.jupyter-run/{socket}") <= 107


def test_a_full_disk_does_not_keep_a_learner_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(start.lessons, "bring_home", full)
    before = os.umask(0o022)
    try:
        start.prepare(tmp_path, {})
    finally:
        os.umask(before)
    assert "could not be brought" in capsys.readouterr().err


def test_the_command_brings_them_too(tmp_path: Path) -> None:
    command = [sys.executable, lessons.__file__, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "00_start_here.ipynb: copied" in said
    assert (tmp_path / "lessons" / "notation.md").is_file()
