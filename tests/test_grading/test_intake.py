"""Which file is whose, with the tables and folders that learning-management systems export."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from rflib.grading import intake


def files(folder: Path, *names: str) -> Path:
    for place, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (1_700_000_000 + place, 1_700_000_000 + place))
    return folder


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def whose(found: list[intake.Handin]) -> dict[str, str]:
    return {handin.original: handin.learner.id for handin in found}


def test_without_a_table_a_learner_is_a_folder_or_a_whole_file_name(tmp_path: Path) -> None:
    folder = files(tmp_path, "hw1.ipynb", "hw1 (1).ipynb", "ann/first.ipynb", "ann/deep/second.ipynb")
    found, left_out = intake.scan(folder)
    assert whose(found) == {
        "hw1.ipynb": "hw1",
        "hw1 (1).ipynb": "hw1 (1)",
        "ann/first.ipynb": "ann",
        "ann/deep/second.ipynb": "ann",
    }
    assert left_out == []


def test_a_table_that_names_files(tmp_path: Path) -> None:
    folder = files(tmp_path / "in", "hw1 (1).ipynb", 'o\'k "q".ipynb', "stranger.ipynb")
    rows = table(
        tmp_path / "t.csv",
        "Student ID;Name;File;Submitted at",
        "s1;Lee, Ann;hw1 (1).ipynb;2026-01-31 22:00",
        's2;Bo;"o\'k ""q"".ipynb";2026-02-01T12:00',
    )
    found, left_out = intake.scan(folder, rows)
    assert whose(found) == {"hw1 (1).ipynb": "s1", 'o\'k "q".ipynb': "s2"}
    assert left_out == ["'stranger.ipynb' fits no row of the table; it was left out"]
    assert [handin.learner.name for handin in found] == ["Lee, Ann", "Bo"]
    due = datetime(2026, 1, 31, 23, 59)
    assert [handin.late(due) for handin in found] == [0, 1]
    assert [handin.source for handin in found] == ["table", "table"]


def test_a_moodle_folder_for_each_learner(tmp_path: Path) -> None:
    folder = files(
        tmp_path / "in",
        "Ann Lee_1234_assignsubmission_file/hw.ipynb",
        "Bo Ek_12345_assignsubmission_file/hw.ipynb",
    )
    rows = table(
        tmp_path / "t.csv",
        "Identifier,Full name,Email address,Last modified (submission)",
        'Participant 1234,Ann Lee,a@x.org,"Saturday, 31 January 2026, 11:58 PM"',
        'Participant 12345,Bo Ek,b@x.org,"Sunday, 1 February 2026, 12:01 AM"',
    )
    found, _ = intake.scan(folder, rows)
    assert [handin.learner.id for handin in found] == ["Participant 1234", "Participant 12345"]
    assert [handin.time for handin in found] == ["2026-01-31T23:58:00", "2026-02-01T00:01:00"]


def test_a_canvas_file_name_and_a_file_that_fits_two(tmp_path: Path) -> None:
    folder = files(tmp_path / "in", "leeann_LATE_777_4242_hw1-1.ipynb", "777_888.ipynb")
    rows = table(tmp_path / "t.csv", "SIS User ID,Student", "777,Lee Ann", "888,Ek Bo")
    found, left_out = intake.scan(folder, rows)
    assert whose(found) == {"leeann_LATE_777_4242_hw1-1.ipynb": "777"}
    assert left_out == ["'777_888.ipynb' fits several: 777, 888; it was left out"]


def test_what_is_no_notebook_is_told_and_what_systems_add_is_not(tmp_path: Path) -> None:
    folder = files(tmp_path, "ann.pdf", "__MACOSX/ann.ipynb", "._ann.ipynb", ".ipynb_checkpoints/a.ipynb", "ann.ipynb")
    (tmp_path / "link.ipynb").symlink_to("/etc/passwd")
    found, left_out = intake.scan(folder)
    assert whose(found) == {"ann.ipynb": "ann"}
    assert left_out == [
        "'ann.pdf' is no notebook (its name does not end in .ipynb) and was left out",
        "'link.ipynb' is a link and was left out",
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("color,file", "red,x.ipynb"),
            "No heading of '{path}' names a learner's id: color, file. Call one of them 'id'.",
        ),
        (
            ("id,time", "s1,soon"),
            "The time 'soon' in row 2 of 't.csv' is in no form that is known. Write it as 2026-01-31 23:59.",
        ),
    ],
)
def test_a_table_that_cannot_be_understood_says_what_to_do(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    path = table(tmp_path / "t.csv", *lines)
    with pytest.raises(intake.IntakeError) as found:
        intake.read_table(path)
    assert str(found.value) == message.format(path=path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(intake.IntakeError, match=r"There is no folder '.*nowhere' with hand-ins\."):
        intake.scan(tmp_path / "nowhere")


def test_every_hand_in_is_kept_once_and_the_last_counts(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for name in ("ann/a.ipynb", "ann/b.ipynb"):
        for handin in intake.scan(files(tmp_path / "in", "ann/a.ipynb", name))[0]:
            intake.keep(handin, kept)
    found = intake.kept(kept)
    assert [handin.original for handin in found] == ["ann/a.ipynb", "ann/b.ipynb"]
    assert [handin.path.read_text() for handin in found] == ["ann/a.ipynb", "ann/b.ipynb"]


def test_ids_become_folders_that_stay_apart() -> None:
    ids = ["a/b", "a_b", "a b", "../x", ".x", "", "x" * 99, "=1+1", "ünï"]
    folders = [intake.safe(id) for id in ids]
    assert len(set(folders)) == len(ids)
    assert all("/" not in folder and not folder.startswith(".") for folder in folders)
    assert intake.safe("s1234@uni.example") == "s1234@uni.example"


def test_late_days_are_days_begun() -> None:
    learner = intake.Learner("a", "", "a")
    due = datetime(2026, 1, 31, 23, 59)
    times = {"2026-01-31T23:59:00": 0, "2026-01-31T23:59:01": 1, "2026-02-01T23:59:00": 1, "2026-02-02T00:00:00": 2}
    for time, days in times.items():
        assert intake.Handin(learner, Path("x"), "x", time, "table", "").late(due) == days
    assert intake.Handin(learner, Path("x"), "x", "2030-01-01", "table", "").late(None) == 0
