"""The settings file and the class list: what they say, and what is refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import settings
from hub.settings import Learner, Settings, SettingsError


def class_list(folder: Path, text: str) -> Settings:
    path = folder / "class.csv"
    path.write_text(text, encoding="utf-8")
    return Settings(class_list=path)


def test_the_example_is_what_holds_without_a_file() -> None:
    assert settings.load(Path(settings.__file__).with_name("hub.example.toml")) == Settings()


def test_the_environment_may_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hub.toml"
    path.write_text('lecturer = "ada"\ncpu = 2\nstate = "/var/hub"\n')
    monkeypatch.setenv(settings.VARIABLE, str(path))
    found = settings.load()
    assert (found.lecturer, found.cpu, found.state, found.port) == ("ada", 2.0, Path("/var/hub"), 8000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lecturers = 'ada'", "sets 'lecturers', which is none of lecturer, class_list,"),
        ("port = '8000'", "'port' in '.*' must be a number; got '8000'"),
        ("lecturer = 3", "'lecturer' in '.*' must be text; got 3"),
        ("memory = -1", "'memory' in '.*' must be more than 0; got -1"),
        ("idle_minutes = true", "must be a number; got True"),
        ("tls_key = '/etc/key.pem'", "names one of tls_key and tls_certificate; TLS needs both"),
        ("port", "cannot be read"),
    ],
)
def test_a_line_that_is_not_understood_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        settings.load(path)


def test_a_class_list_as_spreadsheets_write_it(tmp_path: Path) -> None:
    found = class_list(tmp_path, "\ufeffid,name,group\r\nann,Ann Lee,1\r\no-neil_2,Óscar O'Neil,2\r\n")
    assert found.learners() == [Learner("ann", "Ann Lee"), Learner("o-neil_2", "Óscar O'Neil")]
    assert found.allowed() == {"ann", "o-neil_2", "lecturer"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,name\nann,A\nAnn,B\n", "row 3 of '.*' must be an account's name.*got 'Ann'"),
        ("name\nAnn\n", "row 2 of '.*' must be .*got ''.*first line of the file must be: id,name"),
        ("id,name\nann+bob,A\n", r"got 'ann\+bob'"),
        ("id,name\n../x,A\n", "got '../x'"),
        ("id,name\nann,A\nann,B\n", "names somebody twice"),
        ("id,name\nlecturer,L\n", "is the lecturer's, 'lecturer'"),
    ],
)
def test_a_class_list_that_cannot_be_one_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        class_list(tmp_path, text).learners()


def test_a_missing_class_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"The class list '.*none\.csv' cannot be read: No such file"):
        Settings(class_list=tmp_path / "none.csv").learners()
