"""The administrator's command: what it complains of. That it makes all of it is told in `test_class.py`."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest

from hub import prepare, settings
from hub.settings import Settings

ME = pwd.getpwuid(os.getuid()).pw_name
MINE = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def empty_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "class.csv").write_text("id,name\n")
    monkeypatch.setattr(prepare, "GROUPS", (MINE,))  # those of a class exist on a machine that was prepared
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


def test_what_is_missing_is_named(empty_class: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "plan", lambda found: iter([(tmp_path / "marking", ME, MINE, 0o700)]))
    assert list(prepare.complaints(empty_class)) == [f"{tmp_path}/marking is missing."]
    monkeypatch.setattr(prepare, "GROUPS", ("rflib-no-such-group",))
    (tmp_path / "class.csv").write_text("id,name\nrflib-no-such-name,Ann\n")
    assert list(prepare.complaints(empty_class)) == [
        "There is no group 'rflib-no-such-group'.",
        "There is no account 'rflib-no-such-name'.",
    ]


def test_settings_that_a_learners_server_cannot_read_are_named(
    empty_class: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "plan", lambda found: iter(()))
    monkeypatch.setenv(settings.VARIABLE, str(tmp_path / "hub.toml"))
    (tmp_path / "hub.toml").touch()
    (tmp_path / "hub.toml").chmod(0o600)
    (said,) = prepare.complaints(empty_class)
    assert said == f"{tmp_path}/hub.toml must have the mode 644, each server reads it; it has 600."
    (tmp_path / "hub.toml").chmod(0o644)
    assert not list(prepare.complaints(empty_class))


def test_accounts_of_a_directory_are_asked_for_by_name_and_kept(
    empty_class: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSSD leaves its names out of the list of all, and a home folder may come with the first log-in."""
    (tmp_path / "class.csv").write_text("id,name\nann,Ann\nbob,Bob\n")
    (tmp_path / "ann").mkdir(mode=0o755)
    ran: list[tuple[str, ...]] = []

    def account(name: str) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", 200001, 200001, "", str(tmp_path / name), "/bin/bash"))

    monkeypatch.setattr(prepare.pwd, "getpwall", list)
    monkeypatch.setattr(prepare.pwd, "getpwnam", account)
    monkeypatch.setattr(prepare, "_run", lambda *command, given="": ran.append(command))
    assert not list(prepare.accounts(empty_class, tmp_path / "passwords.csv"))
    assert {command[0] for command in ran} == {"gpasswd"}
    assert ("gpasswd", "--add", "bob", settings.LEARNERS) in ran
    assert (tmp_path / "ann").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "bob").exists()
