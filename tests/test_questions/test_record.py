"""The file of answers: nothing is lost, and nothing breaks."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflib.questions import record
from rflib.questions.record import Damage, Event, Journal, Reading, find_journal

ZONE = timezone(timedelta(hours=2))
EVENT = Event(datetime(2026, 3, 1, 12, 30, 5, tzinfo=ZONE), "03-order", "abcdef012345", "number", 7, "right", None, 1)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "answers.jsonl")


def test_events_come_back_in_order(journal: Journal) -> None:
    events = [replace(EVENT, answer=answer) for answer in (7, "2.5", [1, 3], [[0, 1]], "a b \N{MINUS SIGN}", None)]
    assert [journal.append(event) for event in events] == [""] * 6
    assert journal.read() == Reading(tuple(events))


def test_a_line_is_readable(journal: Journal) -> None:
    journal.append(replace(EVENT, verdict="wrong", mistake="M6", tries=2))
    assert journal.path.read_text(encoding="ascii") == (
        '{"time": "2026-03-01T12:30:05+02:00", "question": "03-order", "fingerprint": "abcdef012345", '
        '"kind": "number", "answer": 7, "verdict": "wrong", "mistake": "M6", "tries": 2}\n'
    )


def test_a_torn_line_is_left_and_the_next_one_begins_anew(journal: Journal) -> None:
    journal.append(EVENT)
    whole = journal.path.read_bytes()
    for cut in range(1, len(whole) - 1):
        journal.path.write_bytes(whole + whole[:cut])
        assert journal.append(replace(EVENT, tries=2)) == ""
        assert journal.path.read_bytes().startswith(whole + whole[:cut] + b"\n")
        reading = journal.read()
        assert reading.events == (EVENT, replace(EVENT, tries=2))
        assert reading.damaged == (Damage(2, "it is not a whole JSON object"),)


def test_a_line_that_only_lacks_its_end_counts(journal: Journal) -> None:
    journal.path.write_bytes(EVENT.to_line().rstrip(b"\n"))
    journal.append(EVENT)
    assert journal.read() == Reading((EVENT, EVENT))


LINE = json.loads(EVENT.to_line())
DAMAGED = {
    b"dear diary": "it is not a whole JSON object",
    b"\xff\xfe\x00": "it is not UTF-8 text",
    b"[" * 100_000: "it is not a whole JSON object",
    b"9" * 10_000: "it is not a whole JSON object",
    b"7": "it is not a JSON object",
    b"{}": 'its "time" is missing or no text',
    json.dumps({**LINE, "verdict": "splendid"}).encode(): 'its "verdict" is not known',
    json.dumps({**LINE, "tries": "two"}).encode(): 'its "tries" is no number',
    json.dumps({**LINE, "tries": True}).encode(): 'its "tries" is no number',
    json.dumps({**LINE, "mistake": 6}).encode(): 'its "mistake" is no text',
    json.dumps({**LINE, "question": "\ud800"}).encode(): 'its "question" is missing or no text',
    json.dumps({**LINE, "time": "yesterday"}).encode(): 'its "time" cannot be read',
    json.dumps({**LINE, "time": "2026-03-01T12:30:05"}).encode(): 'its "time" has no zone',
    json.dumps({**LINE, "time": "0001-01-01T00:00:00+14:00"}).encode(): 'its "time" cannot be read',
}


@pytest.mark.parametrize(("line", "reason"), DAMAGED.items(), ids=DAMAGED.values())
def test_a_damaged_line_is_skipped_named_and_kept(journal: Journal, line: bytes, reason: str) -> None:
    before = EVENT.to_line() + line + b"\n" + EVENT.to_line()
    journal.path.write_bytes(before)
    assert journal.read() == Reading((EVENT, EVENT), (Damage(2, reason),))
    journal.append(EVENT)
    assert journal.path.read_bytes() == before + EVENT.to_line()


@given(st.lists(st.one_of(st.binary(max_size=80), st.just(EVENT.to_line()), st.just(b"\n")), max_size=8))
def test_no_file_is_too_strange_to_read(parts: list[bytes]) -> None:
    reading = read_bytes(b"".join(parts))
    assert all(event == EVENT for event in reading.events)


def read_bytes(content: bytes) -> Reading:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.jsonl")
        path.write_bytes(content)
        reading = Journal(path).read()
        assert path.read_bytes() == content
        return reading


def test_windows_line_ends_a_byte_order_mark_and_later_fields_are_no_damage(journal: Journal) -> None:
    later = json.dumps({**LINE, "mood": "good"}).encode()
    journal.path.write_bytes(b"\xef\xbb\xbf" + later + b"\r\n\r\n" + later + b"\r\n")
    assert journal.read() == Reading((EVENT, EVENT))


def write_many(path: Path, who: str, number: int, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    for index in range(number):
        problem = Journal(path).append(replace(EVENT, question=f"{who}-{index}", answer="x" * 300))
        assert problem == ""


def test_two_notebooks_at_once_lose_nothing(journal: Journal) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [context.Process(target=write_many, args=(journal.path, who, 60, start)) for who in "abc"]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    reading = journal.read()
    assert reading.damaged == ()
    for who in "abc":  # each one's own in order, between each other as they came
        assert [e.question for e in reading.events if e.question[0] == who] == [f"{who}-{n}" for n in range(60)]


def test_what_another_notebook_writes_in_between_stays(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one writes after this one has opened the file and looked at its end."""
    journal.append(EVENT)
    write, other = os.write, replace(EVENT, question="other", answer="x" * 300)

    def write_later(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(record.os, "write", write)
        assert journal.append(other) == ""
        return write(descriptor, data)

    monkeypatch.setattr(record.os, "write", write_later)
    assert journal.append(replace(EVENT, question="this")) == ""
    assert [event.question for event in journal.read().events] == ["03-order", "other", "this"]
    assert journal.read().damaged == ()


def test_a_folder_in_the_place_of_the_file(journal: Journal) -> None:
    journal.path.mkdir()
    said = f"{journal.path} is a folder; move it, or name a file in RFLIB_ANSWERS."
    assert journal.append(EVENT) == said
    assert journal.read() == Reading(problem=said)
    assert list(journal.path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(journal: Journal) -> None:
    os.mkfifo(journal.path)
    said = f"{journal.path} is not an ordinary file; move it, or name a file in RFLIB_ANSWERS."
    assert journal.append(EVENT) == said
    assert journal.read().problem == said


def test_a_disk_that_cannot_be_written(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(record.os, "open", refuse)
    assert journal.append(EVENT) == f"{journal.path} cannot be written: Read-only file system."


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no permissions of that kind")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    who = os.geteuid()
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if who == 0:
        os.seteuid(65534)  # permissions do not bind root
    try:
        assert "cannot be written" in Journal(tmp_path / "answers.jsonl").append(EVENT)
    finally:
        os.seteuid(who)
        tmp_path.chmod(stat.S_IRWXU)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_place_where_nobody_may_write() -> None:
    """For root too."""
    assert "cannot be written" in Journal(Path("/proc/no/answers.jsonl")).append(EVENT)


def test_a_full_disk_leaves_a_torn_line_that_costs_nothing_else(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(EVENT)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(record.os, "write", lambda descriptor, data: write(descriptor, data[:20]))
        assert journal.append(EVENT) == f"{journal.path} cannot be written: the disk took only a part of the line."
    journal.append(EVENT)
    assert journal.read() == Reading((EVENT, EVENT), (Damage(2, "it is not a whole JSON object"),))


def test_an_event_is_one_write_and_then_the_disk_is_waited_for(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    write, fsync = os.write, os.fsync
    monkeypatch.setattr(record.os, "write", lambda d, data: calls.append("write") or write(d, data))
    monkeypatch.setattr(record.os, "fsync", lambda d: calls.append("fsync") or fsync(d))
    journal.append(EVENT)
    assert calls == ["write", "fsync"]


# ------------------------------------------------------------------------------------------------------ where it lies


def test_the_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RFLIB_ANSWERS", str(tmp_path / "else" / "mine.jsonl"))
    journal = find_journal()
    assert journal.path == tmp_path / "else" / "mine.jsonl"
    assert journal.append(EVENT) == ""  # the folder is made


def test_the_course_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course(tmp_path)
    deep = tmp_path / "lessons" / "drafts"
    deep.mkdir()
    monkeypatch.setenv("RFLIB_ANSWERS", " ")
    for folder in (tmp_path, tmp_path / "lessons", deep):
        monkeypatch.chdir(folder)
        assert find_journal().path == tmp_path / "my_answers.jsonl"


def test_the_home_folder_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lessons").mkdir()  # without rflib beside it this is not the course
    monkeypatch.chdir(tmp_path / "lessons")
    monkeypatch.delenv("RFLIB_ANSWERS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert find_journal().path == tmp_path / "home" / "receptive_field_answers.jsonl"


def course(folder: Path) -> None:
    for name in ("lessons", "rflib"):
        (folder / name).mkdir()
