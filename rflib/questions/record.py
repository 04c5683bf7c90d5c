"""The learner's answers on the learner's disk: one readable file, one JSON object a line, one line an event.

A line is appended by one write, so two notebooks can write at once, and a crash costs at most the line being written.
Nothing in the file is ever changed or deleted: a line that cannot be read is left where it is and skipped.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

VARIABLE = "RFLIB_ANSWERS"
IN_COURSE, IN_HOME = "my_answers.jsonl", "receptive_field_answers.jsonl"
VERDICTS = ("right", "wrong", "shown")


@dataclass(frozen=True)
class Event:
    """One thing that a learner did with a question.

    Attributes:
        time: When, with its zone.
        question: The question's id.
        fingerprint: Of the question as it was then.
        kind: Of the question: "choice", "number", "interval", "region".
        answer: What was answered, as plain data; None where the answer was shown.
        verdict: "right", "wrong", or "shown".
        mistake: Number of the misconception that was recognized, or None.
        tries: How many answers the learner had given to the question by then, this one included.
    """

    time: datetime
    question: str
    fingerprint: str
    kind: str
    answer: Any
    verdict: str
    mistake: str | None
    tries: int

    def to_line(self) -> bytes:
        """The event as one line of the file, in ASCII."""
        fields = {**vars(self), "time": self.time.isoformat(timespec="seconds")}
        return json.dumps(fields).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Event:
        """The event of a line.

        Raises:
            ValueError: If the line is none; the message says in a few words why.
        """
        try:
            fields = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8 text") from None
        except (ValueError, RecursionError):
            raise ValueError("it is not a whole JSON object") from None
        if not isinstance(fields, dict):
            raise ValueError("it is not a JSON object")
        return cls(**_checked(fields))


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an event; a later version's further fields are passed over."""
    for name in ("time", "question", "fingerprint", "kind", "verdict"):
        text = fields.get(name)
        if not isinstance(text, str) or not text.isprintable():
            raise ValueError(f'its "{name}" is missing or no text')
    if fields["verdict"] not in VERDICTS:
        raise ValueError('its "verdict" is not known')
    mistake, tries = fields.get("mistake"), fields.get("tries")
    if not (mistake is None or (isinstance(mistake, str) and mistake.isprintable())):
        raise ValueError('its "mistake" is no text')
    if isinstance(tries, bool) or not isinstance(tries, int) or tries < 0:
        raise ValueError('its "tries" is no number')
    try:
        time = datetime.fromisoformat(fields["time"])
        time.astimezone()  # raises at the ends of the calendar
    except (ValueError, OverflowError, OSError):
        raise ValueError('its "time" cannot be read') from None
    if time.tzinfo is None:
        raise ValueError('its "time" has no zone')
    names = ("question", "fingerprint", "kind", "verdict")
    own = {"time": time, "answer": fields.get("answer"), "mistake": mistake, "tries": tries}
    return {name: fields[name] for name in names} | own


@dataclass(frozen=True)
class Damage:
    """A line that was skipped.

    Attributes:
        line: Its number, counted from 1.
        reason: What is wrong with it, in a few words.
    """

    line: int
    reason: str


@dataclass(frozen=True)
class Reading:
    """What was found in the file.

    Attributes:
        events: In the order of the file.
        damaged: The lines that were skipped.
        problem: Why the file could not be read; empty where it could, and where there is none yet.
    """

    events: tuple[Event, ...] = ()
    damaged: tuple[Damage, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Journal:
    """The file of a learner's answers.

    Example:
        >>> Journal(Path("nowhere", "answers.jsonl")).read()
        Reading(events=(), damaged=(), problem='')

    Attributes:
        path: Where it is; it need not exist.
    """

    path: Path

    def read(self) -> Reading:
        """Everything that can be read; what cannot be is named, and nothing is raised."""
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):  # opening a pipe would wait for ever
                return Reading(problem=_no_file(self.path))
            lines = self.path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
        except FileNotFoundError:
            return Reading()
        except (OSError, ValueError) as error:
            return Reading(problem=f"{self.path} cannot be read: {_reason(error)}.")
        events, damaged = [], []
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    events.append(Event.from_line(line))
                except ValueError as error:
                    damaged.append(Damage(number, str(error)))
        return Reading(tuple(events), tuple(damaged))

    def append(self, event: Event) -> str:
        """Keep an event.

        Args:
            event: What happened.

        Returns:
            Why it could not be kept; empty where it is on the disk.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and not self.path.is_file():
                return _no_file(self.path)
            self._write(event.to_line())
        except (OSError, ValueError) as error:
            return f"{self.path} cannot be written: {_reason(error)}."
        return ""

    def _write(self, line: bytes) -> None:
        """One write to the end of the file, and wait until it is on the disk."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.path, flags, 0o644)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            if end:
                os.lseek(descriptor, end - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":
                    line = b"\n" + line  # after a torn line: it stays as it is, and this one begins anew
            if os.write(descriptor, line) < len(line):
                raise OSError("the disk took only a part of the line")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def find_journal() -> Journal:
    """The file of the environment variable RFLIB_ANSWERS, else of the course, else of the home folder."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Journal(Path(os.path.expanduser(named)))
    course = find_course()
    if course is not None:
        return Journal(course / IN_COURSE)
    return Journal(Path(os.path.expanduser("~")) / IN_HOME)


def find_course() -> Path | None:
    """The nearest folder, from the working directory upward, that holds lessons/ and rflib/."""
    return next(
        (folder for folder in _upward() if all((folder / name).is_dir() for name in ("lessons", "rflib"))), None
    )


def _upward() -> Iterator[Path]:
    try:
        here = Path.cwd()
    except OSError:  # the working directory was deleted
        return
    yield here
    yield from here.parents


def _no_file(path: Path) -> str:
    return (
        f"{path} is {'a folder' if path.is_dir() else 'not an ordinary file'}; move it, or name a file in {VARIABLE}."
    )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
