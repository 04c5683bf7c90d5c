"""What a process of its own does for one hand-in: read the file, lay it before nbgrader, grade it."""

from __future__ import annotations

import resource
import tempfile
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nbformat

from rflib.errors import ReceptiveFieldError
from rflib.grading import pipeline, reading, records
from rflib.grading.limits import GB
from rflib.grading.settings import Places

MOST = 12 * GB  # bytes of address space of the process that judges


@dataclass(frozen=True)
class Job:
    """One hand-in to grade.

    Args:
        exercise: Such as "02_recursion".
        learner: Folder of the learner.
        path: The file.
        record: Where the record is to be written.
        places: The folders.
        timestamp: When it was handed in.
        judge: Settings of `Judge`.
        refused: Why the file is not to be read at all; "" where it is.
    """

    exercise: str
    learner: str
    path: Path
    record: Path
    places: Places
    timestamp: str = ""
    judge: dict[str, Any] = field(default_factory=dict)
    refused: str = ""


def work(job: Job, answer: Connection, scratch: Path) -> None:
    """Grade a hand-in and send "" when its record is written, else why grading itself failed.

    Args:
        job: The hand-in.
        answer: Where to send it.
        scratch: Folder for temporary files; who started the process removes it.
    """
    tempfile.tempdir = str(scratch)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most if soft == resource.RLIM_INFINITY else min(most, soft), hard))
    try:
        grade(job)
        answer.send("")
    except ReceptiveFieldError as error:
        answer.send(str(error))
    except Exception:
        answer.send(traceback.format_exc().strip().splitlines()[-1])


def grade(job: Job) -> None:
    """Grade a hand-in; what cannot be read is graded as the untouched exercise, with the reason."""
    refused = job.refused
    remarks: list[str] = []
    notebook = nbformat.read(job.places.release(job.exercise), as_version=4)
    if not refused:
        try:
            notebook, remarks = reading.notebook(job.path)
        except reading.UnreadableError as error:
            refused = str(error)
    submitted = job.places.submitted(job.exercise, job.learner)
    pipeline.submit(nbformat.writes(notebook), job.timestamp, submitted)
    pending = job.record.with_suffix(".pending")
    settings = {**job.judge, "record": str(pending), "unreadable": refused}
    pipeline.grade(job.exercise, job.learner, job.places, settings)
    # Only now is the gradebook written too; a record is there when all of it is done.
    record = records.read(pending)
    record.remarks = [*remarks, *record.remarks]
    record.write(job.record)
    pending.unlink()
