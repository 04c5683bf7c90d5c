"""The administrator's command: what it complains of. That it makes all of it is told in `test_class.py`."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest

from hub import prepare
from hub.settings import Settings

ME = pwd.getpwuid(os.getuid()).pw_name
MINE = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def empty_class(tmp_path: Path) -> Settings:
    (tmp_path / "class.csv").write_text("id,name\n")
    return Settings(class_list=tmp_path / "class.csv", exchange=tmp_path / "exchange", lecturer=ME)


def test_a_wrong_mode_and_a_wrong_owner_are_named(
    empty_class: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "solutions").mkdir(mode=0o755)
    other = next(account.pw_name for account in pwd.getpwall() if account.pw_uid != os.getuid())
    wanted = [(tmp_path / "solutions", ME, MINE, 0o700), (tmp_path / "solutions", other, MINE, 0o755)]
    monkeypatch.setattr(prepare, "plan", lambda found: iter(wanted))
    assert list(prepare.complaints(empty_class)) == [
        f"{tmp_path}/solutions must have the mode 700; it has 755.",
        f"{tmp_path}/solutions must belong to {other}:{MINE}.",
    ]


def test_what_is_right_is_not_complained_of(
    empty_class: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "solutions").mkdir(mode=0o700)
    monkeypatch.setattr(prepare, "plan", lambda found: iter([(tmp_path / "solutions", ME, MINE, 0o700)]))
    assert not list(prepare.complaints(empty_class))


def test_solutions_and_marks_are_the_lecturers_alone(empty_class: Settings) -> None:
    found = {path.name: (owner, mode) for path, owner, _, mode in prepare.plan(empty_class)}
    assert found["solutions"] == found["marking"] == (ME, 0o700)
    assert found["tests"] == ("root", 0o700)
    assert found["inbound"] == (ME, 0o3733)
    assert found["feedback"] == (ME, 0o711)


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 1000)
    assert prepare.main([]) == 2
    assert "run it as root, with sudo" in capsys.readouterr().err


def test_passwords_are_added_to_a_file_that_its_owner_alone_reads(tmp_path: Path) -> None:
    path = tmp_path / "new" / "passwords.csv"
    prepare._note(path, [("ann", "a-b")])
    prepare._note(path, [("bob", "c-d")])
    assert path.read_text() == "ann,a-b\nbob,c-d\n"
    assert path.stat().st_mode & 0o777 == 0o600
