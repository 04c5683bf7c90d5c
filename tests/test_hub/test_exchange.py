"""nbgrader's exchange, closed: what is collected, what is left out and why, who can read what."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from traitlets.config import Config, PyFileConfigLoader

from hub import exchange, exercise, settings
from hub.settings import Settings
from rflib.grading import records
from rflib.grading.settings import Places

ME = pwd.getpwuid(os.getuid()).pw_name
EXERCISE = "01_definition"
NOTEBOOK = f"{EXERCISE}.ipynb"
HUB = Path(exchange.__file__).parent


@pytest.fixture
def inbound(tmp_path: Path) -> Path:
    for name in ("inbound", "outbound", "feedback"):
        (tmp_path / "exchange" / settings.COURSE_ID / name).mkdir(parents=True)
    return tmp_path / "exchange" / settings.COURSE_ID / "inbound"


def hand_in(inbound: Path, owner: str = ME, mark: str = "x", text: str = "{}", secret: str = "s") -> Path:
    folder = inbound / f"{owner}+{EXERCISE}+2026-01-01 00:00:00.000000 UTC+{mark}"
    folder.mkdir()
    (folder / NOTEBOOK).write_text(text)
    (folder / "submission_secret.txt").write_text(secret)
    return folder


def configuration(inbound: Path, home: Path) -> Config:
    """The settings that JupyterLab and nbgrader's commands read, on folders of the test."""
    found = PyFileConfigLoader("nbgrader_config.py", path=str(HUB / "jupyter")).load_config()
    found.Exchange.root = str(inbound.parent.parent)
    found.Exchange.assignment_dir, found.Exchange.cache = str(home), str(home / "cache")
    found.CourseDirectory.db_url = f"sqlite:///{home}/gradebook.db"
    return found


def act(action: str, course: CourseDirectory, found: Config) -> None:
    """Do what a command of nbgrader does."""
    made = getattr(ExchangeFactory(config=found), action)
    made(coursedir=course, config=found, authenticator=Authenticator(config=found)).start()


# What is collected


def test_the_time_is_the_systems_and_the_last_comes_last(inbound: Path) -> None:
    begin = datetime.now(UTC).timestamp()
    hand_in(inbound, mark="b")
    time.sleep(0.02)
    hand_in(inbound, mark="a")
    found, left_out = exchange.scan(inbound, EXERCISE)
    assert [each.path.name[-1] for each in found] == ["b", "a"]
    assert all(abs(each.time.timestamp() - begin) < 60 for each in found)
    assert not left_out


def test_another_exercise_is_not_looked_at(inbound: Path) -> None:
    (inbound / f"{ME}+01_definition_b+x").mkdir()
    (inbound / f"{ME}+02_recursion+x").mkdir()
    assert exchange.scan(inbound, EXERCISE) == ([], [])


def test_a_name_that_is_not_the_owners_is_left_out(inbound: Path) -> None:
    hand_in(inbound, owner="nobody")
    found, (line,) = exchange.scan(inbound, EXERCISE)
    assert not found
    assert line.endswith(f"left out, it claims to be nobody's and belongs to {ME}")


def test_what_is_no_plain_notebook_is_left_out(inbound: Path, tmp_path: Path) -> None:
    secret = tmp_path / "solution.ipynb"
    secret.write_text("the solution")
    folders = {mark: hand_in(inbound, mark=mark) for mark in "abcde"}
    for mark in "abcde":
        (folders[mark] / NOTEBOOK).unlink()
    (folders["a"] / NOTEBOOK).symlink_to(secret)
    os.link(secret, folders["b"] / NOTEBOOK)
    os.mkfifo(folders["c"] / NOTEBOOK)
    (folders["d"] / NOTEBOOK).mkdir()
    found, left_out = exchange.scan(inbound, EXERCISE)
    assert not found
    reasons = [line.partition("left out, ")[2] for line in left_out]
    assert reasons == [
        f"{NOTEBOOK}: Too many levels of symbolic links",
        f"{NOTEBOOK} is a second name of another file",
        f"{NOTEBOOK} is no plain file",
        f"{NOTEBOOK} is no plain file",
        f"{NOTEBOOK}: No such file or directory",
    ]


def test_a_link_to_a_folder_is_left_out(inbound: Path, tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / NOTEBOOK).write_text("the solution")
    (inbound / f"{ME}+{EXERCISE}+x").symlink_to(tmp_path / "solutions")
    found, (line,) = exchange.scan(inbound, EXERCISE)
    assert not found
    assert "it is no folder" in line


def test_a_notebook_that_is_too_large_is_left_out(inbound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST", 1 << 20)
    with (hand_in(inbound) / NOTEBOOK).open("wb") as file:
        file.truncate((1 << 20) + 1)
    assert "has more than 1 MB" in exchange.scan(inbound, EXERCISE)[1][0]


def test_a_name_cannot_command_a_terminal(inbound: Path) -> None:
    hand_in(inbound, owner="\x1b[2J")
    assert "\x1b" not in exchange.scan(inbound, EXERCISE)[1][0]


def test_a_link_in_the_secrets_place_is_no_secret(inbound: Path, tmp_path: Path) -> None:
    folder = hand_in(inbound)
    (folder / "submission_secret.txt").unlink()
    (tmp_path / "other").write_text("another's")
    (folder / "submission_secret.txt").symlink_to(tmp_path / "other")
    (found,), _ = exchange.scan(inbound, EXERCISE)
    assert exchange.read(found, EXERCISE) == (b"{}", b"")


# nbgrader's own commands, with these settings


def test_a_hand_in_is_open_to_its_learner_and_the_lecturers_group_alone(inbound: Path, tmp_path: Path) -> None:
    (inbound.parent / "outbound" / EXERCISE).mkdir()
    (inbound.parent / "outbound" / EXERCISE / NOTEBOOK).write_text("{}")
    home = tmp_path / "home"
    (home / EXERCISE).mkdir(parents=True)
    (home / EXERCISE / NOTEBOOK).write_text("{}")
    found = configuration(inbound, home)
    course = CourseDirectory(config=found)
    course.assignment_id = EXERCISE
    ExchangeFactory(config=found).Submit(
        coursedir=course, config=found, authenticator=Authenticator(config=found)
    ).start()
    (folder,) = inbound.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) & 0o777 == 0o770
    assert (folder / "submission_secret.txt").read_text()


def test_nbgraders_collect_takes_the_real_hand_in_and_no_false_one(inbound: Path, tmp_path: Path) -> None:
    hand_in(inbound, text='{"cells": 1}', secret="mine")
    hand_in(inbound, owner="nobody")
    found = configuration(inbound, tmp_path)
    found.CourseDirectory.root = str(tmp_path)
    course = CourseDirectory(config=found)
    course.assignment_id = EXERCISE
    ExchangeFactory(config=found).Collect(
        coursedir=course, config=found, authenticator=Authenticator(config=found)
    ).start()
    assert [path.name for path in (tmp_path / "submitted").iterdir()] == [ME]
    folder = tmp_path / "submitted" / ME / EXERCISE
    assert (folder / NOTEBOOK).read_text() == '{"cells": 1}'
    assert (folder / "submission_secret.txt").read_text() == "mine"
    assert (folder / "timestamp.txt").read_text()[:4] == f"{datetime.now(UTC):%Y}"


def test_a_missing_exchange_is_said(tmp_path: Path) -> None:
    found = configuration(tmp_path / "none" / "rflib" / "inbound", tmp_path)
    course = CourseDirectory(config=found)
    with pytest.raises(ExchangeError, match=r"There is no exchange at .*tell your lecturer"):
        ExchangeFactory(config=found).List(
            coursedir=course, config=found, authenticator=Authenticator(config=found)
        ).start()


def test_every_command_of_the_exchange_is_a_closed_one(inbound: Path, tmp_path: Path) -> None:
    factory = ExchangeFactory(config=configuration(inbound, tmp_path))
    for name in ("list", "fetch_assignment", "fetch_feedback", "submit", "release_assignment", "collect"):
        assert issubclass(getattr(factory, name), exchange.Closed), name


# The lecturer's command


@pytest.fixture
def class_of_me(inbound: Path, tmp_path: Path) -> Settings:
    """A class of one, whose account is the one that runs the test."""
    (tmp_path / "class.csv").write_text(f"id,name\n{ME},My Name\n")
    return Settings(exchange=inbound.parent.parent, class_list=tmp_path / "class.csv")


def test_the_last_hand_in_is_collected_with_a_table(class_of_me: Settings, inbound: Path, tmp_path: Path) -> None:
    hand_in(inbound, mark="b", text="first")
    time.sleep(0.02)
    hand_in(inbound, mark="a", text="last", secret="two")
    folder = tmp_path / "collected" / EXERCISE
    assert list(exercise.collect(EXERCISE, folder, class_of_me)) == []
    assert (folder / ME / NOTEBOOK).read_text() == "last"
    assert exercise.secret_of(ME, EXERCISE, folder).read_text() == "two"
    head, row = (folder / "table.csv").read_text().splitlines()
    assert head == "id,name,file,time"
    assert row.startswith(f"{ME},My Name,{ME}/{NOTEBOOK},{datetime.now():%Y-}")


def test_who_is_not_in_the_class_list_is_left_out(class_of_me: Settings, inbound: Path, tmp_path: Path) -> None:
    class_of_me.class_list.write_text("id,name\nzoe,Zoe\n")
    hand_in(inbound)
    (line,) = exercise.collect(EXERCISE, tmp_path / "collected", class_of_me)
    assert line.endswith(f"left out, {ME} is not in the class list")
    assert not (tmp_path / "collected" / "table.csv").exists()


def graded(marking: Path, text: str, digest: str, secret: str = "s") -> Places:
    """A marking folder in which one hand-in has been collected and graded."""
    places = Places(marking.parent, marking)
    collected = marking / "collected" / EXERCISE
    exercise._write(collected / ME / NOTEBOOK, text.encode())
    exercise._write(exercise.secret_of(ME, EXERCISE, collected), secret.encode())
    exercise._write(places.feedback(EXERCISE, ME), b"<p>page</p>")
    exercise._write(places.handins(EXERCISE, ME) / "handins.jsonl", b"")
    records.Record(EXERCISE, ME, "seed", handin={"digest": digest}).write(places.records(EXERCISE, ME) / "001.json")
    return places


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_page_goes_where_nbgrader_looks_and_only_its_learner_may_read_it(
    class_of_me: Settings, inbound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = graded(tmp_path / "marking", "mine", digest("mine"))
    assert exercise.give_back(EXERCISE, places, class_of_me) == 0
    (page,) = (inbound.parent / "feedback").iterdir()
    assert page.name == hashlib.md5(f"s{EXERCISE}".encode()).hexdigest() + ".html"
    assert page.read_text() == "<p>page</p>"
    assert stat.S_IMODE(page.stat().st_mode) & 0o007 == 0
    assert capsys.readouterr().out == "1 pages of feedback sent.\n"


@pytest.mark.parametrize(
    ("text", "secret", "said"),
    [("newer", "s", "handed in anew since; run `grade` first"), ("mine", "", "has no secret")],
)
def test_a_page_that_cannot_go_out_is_said(
    class_of_me: Settings,
    inbound: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    secret: str,
    said: str,
) -> None:
    places = graded(tmp_path / "marking", text, digest("mine"), secret)
    exercise.give_back(EXERCISE, places, class_of_me)
    assert not list((inbound.parent / "feedback").iterdir())
    assert said in capsys.readouterr().out


def test_a_file_system_without_access_lists_leaves_the_page_to_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(exchange.os, "setxattr", without)
    (tmp_path / "page").write_text("page")
    exchange.open_to(tmp_path / "page", ME)
    assert stat.S_IMODE((tmp_path / "page").stat().st_mode) == 0o644
