"""One hand-in through nbgrader, and an exercise into its gradebook. Runs in a process of its own."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rflib.errors import ReceptiveFieldError
from rflib.grading.settings import Places, fresh

TRIES = 5  # two processes may want the gradebook at the same moment


class PipelineError(ReceptiveFieldError, RuntimeError):
    """Grading itself failed; no learner is to blame."""


class Listening(logging.Handler):
    """Keeps what nbgrader complains about, to say it in one line."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def reason(self) -> str:
        """The last line of the first traceback."""
        traces = [text.strip() for text in self.said if "Traceback" in text]
        return (traces or self.said or ["nbgrader did not say why"])[0].splitlines()[-1][:500]


def grade(exercise: str, learner: str, places: Places, judge: Mapping[str, Any]) -> None:
    """Grade what lies in the submitted folder; the record is written where `judge["record"]` says.

    Args:
        exercise: Such as "02_recursion".
        learner: Id of the learner.
        places: The folders.
        judge: Settings of `Judge`.

    Raises:
        PipelineError: If grading itself fails.
    """
    _convert("Autograde", exercise, learner, places, judge)


def register(exercise: str, places: Places) -> None:
    """Put an exercise into the gradebook, if it is not there as it is now.

    Args:
        exercise: Such as "02_recursion".
        places: The folders.

    Raises:
        PipelineError: If there is no such exercise, or nbgrader refuses it.
    """
    source = places.source(exercise)
    if not source.is_file():
        known = ", ".join(sorted(path.name for path in places.solutions.glob("*") if path.is_dir())) or "none"
        raise PipelineError(f"There is no exercise '{exercise}' in {places.solutions}; there are: {known}.")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    noted = places.release(exercise).with_suffix(".sha256")
    if noted.is_file() and noted.read_text() == digest and places.release(exercise).is_file():
        return
    places.marking.mkdir(parents=True, exist_ok=True)
    # A new gradebook is made by the program `alembic`, which lies beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    _convert("GenerateAssignment", exercise, ".", places, {})
    noted.write_text(digest)


def _convert(kind: str, exercise: str, learner: str, places: Places, judge: Mapping[str, Any]) -> None:
    from nbgrader import converters, coursedir

    config = fresh(places, judge)
    config.CourseDirectory.assignment_id = exercise
    config.CourseDirectory.student_id = learner
    for attempt in range(TRIES):
        listening = Listening()
        log = logging.Logger("rflib.grading")
        log.addHandler(listening)
        course = coursedir.CourseDirectory(config=config)
        converter = getattr(converters, kind)(coursedir=course, config=config, log=log)
        converter.force = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
                converter.start()
            return
        except (converters.base.NbGraderException, OSError) as error:
            if "database is locked" not in " ".join(listening.said) or attempt == TRIES - 1:
                raise PipelineError(f"{exercise}, {learner}: {listening.reason()}") from error
            time.sleep(1 + attempt)


def submit(notebook: str, timestamp: str, path: Path) -> None:
    """Lay a notebook where nbgrader looks for it.

    Args:
        notebook: Its text.
        timestamp: When it was handed in, "" where nobody knows.
        path: Where.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(notebook, encoding="utf-8")
    os.replace(unfinished, path)
    stamp = path.parent / "timestamp.txt"
    if timestamp:
        stamp.write_text(timestamp)
    else:
        stamp.unlink(missing_ok=True)
