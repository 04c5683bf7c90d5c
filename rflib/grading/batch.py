"""A folder of hand-ins, graded: each in processes of its own, what is graded already left alone."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from rflib.grading import intake, records
from rflib.grading.limits import Limits
from rflib.grading.settings import Places
from rflib.grading.worker import Job, work

SLACK = 300.0  # seconds for reading and judging, beyond the limit for running
CONTEXT = multiprocessing.get_context("forkserver")
# What every worker needs is loaded once, in the process that they are forked from.
LOADED = ["rflib.grading.worker", "rflib.grading.preprocessors", "nbgrader.converters", "nbgrader.coursedir"]


@dataclass(frozen=True)
class Plan:
    """What to grade, and how.

    Args:
        exercise: Such as "02_recursion".
        places: The folders.
        due: When it was due; None where lateness is not counted.
        jobs: Hand-ins graded at one time.
        judge: Settings of `Judge`.
        anew: Grade everything again, with fresh inputs.
        same: Grade everything again, with the inputs of the record before.
        only: Folders of the learners to grade; empty for all.
    """

    exercise: str
    places: Places
    due: datetime | None = None
    jobs: int = 2
    judge: dict[str, Any] = field(default_factory=dict)
    anew: bool = False
    same: bool = False
    only: frozenset[str] = frozenset()

    def learners(self) -> list[str]:
        """Folders of all learners who handed in."""
        folder = self.places.marking / "handins" / self.exercise
        return sorted(path.name for path in folder.glob("*") if path.is_dir())

    def counting(self, learner: str) -> intake.Handin:
        """The hand-in that counts: the last."""
        return intake.kept(self.places.handins(self.exercise, learner))[-1]

    def missing(self) -> list[str]:
        """Learners whose last hand-in has no record, or all of them where everything is graded again."""
        wanted = [learner for learner in self.learners() if not self.only or learner in self.only]
        if self.anew or self.same:
            return wanted
        return [learner for learner in wanted if not self._graded(learner)]

    def _graded(self, learner: str) -> bool:
        record = latest(self.places.records(self.exercise, learner))
        return record is not None and record.handin.get("digest") == self.counting(learner).digest

    def job(self, learner: str) -> Job:
        """The next grading of a learner."""
        handin = self.counting(learner)
        folder = self.places.records(self.exercise, learner)
        before = paths(folder)
        judge = dict(self.judge)
        if self.same and before:
            judge["again"] = str(before[-1])
        judge["handin"] = {
            "id": handin.learner.id,
            "name": handin.learner.name,
            "file": handin.original,
            "time": handin.time,
            "time_from": handin.source,
            "days_late": handin.late(self.due),
            "digest": handin.digest,
            "number": len(intake.kept(self.places.handins(self.exercise, learner))),
        }
        record = folder / f"{len(before) + 1:03}.json"
        timestamp = handin.time.replace("T", " ") + " UTC"
        return Job(self.exercise, learner, handin.path, record, self.places, timestamp, judge)


def paths(folder: Path) -> list[Path]:
    """A learner's records, the first first."""
    return sorted(folder.glob("[0-9]*.json"))


def latest(folder: Path) -> records.Record | None:
    """A learner's last record; None where there is none."""
    found = paths(folder)
    return records.read(found[-1]) if found else None


@dataclass
class Running:
    """A process at work."""

    job: Job
    process: BaseProcess
    answer: Connection
    until: float
    scratch: Path


@dataclass(frozen=True)
class Done:
    """A hand-in that was graded, or the reason why grading itself failed."""

    learner: str
    record: records.Record | None
    failed: str = ""


def grade(plan: Plan, learners: Sequence[str], patience: float = SLACK) -> Iterator[Done]:
    """Grade these learners' last hand-ins, each as it is done.

    Args:
        plan: What to grade, and how.
        learners: Their folders.
        patience: Seconds that a process gets beyond its limit for running.
    """
    catalog = plan.judge.get("catalog") or "rflib.checks.catalog"
    CONTEXT.set_forkserver_preload([*LOADED, catalog, f"rflib.checks.exercise_{plan.exercise[:2]}"])
    waiting = [plan.job(learner) for learner in reversed(learners)]
    running: list[Running] = []
    seconds = Limits(**plan.judge.get("limits", {})).total + patience
    try:
        while waiting or running:
            while waiting and len(running) < plan.jobs:
                running.append(started(waiting.pop(), seconds))
            left = min(each.until for each in running) - time.monotonic()
            wait([each.process.sentinel for each in running], timeout=max(0.0, min(1.0, left)))
            for each in [each for each in running if not each.process.is_alive() or time.monotonic() > each.until]:
                running.remove(each)
                done = ended(each)
                if isinstance(done, Job):
                    waiting.append(done)
                else:
                    yield done
    finally:
        for each in running:
            end(each)


def started(job: Job, seconds: float) -> Running:
    """A process for a job."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    scratch = Path(tempfile.mkdtemp(prefix="rfk-"))  # removed here, since a process that is killed removes nothing
    process = CONTEXT.Process(target=work, args=(job, theirs, scratch), daemon=False)
    process.start()
    theirs.close()
    return Running(job, process, ours, time.monotonic() + seconds, scratch)


def end(running: Running) -> None:
    """End a process; its sandbox ends with it."""
    running.process.kill()
    running.process.join()
    running.answer.close()
    shutil.rmtree(running.scratch, ignore_errors=True)


def ended(running: Running) -> Done | Job:
    """What came of a process; a hand-in that broke its own process is tried once more, without being run."""
    job = running.job
    late = running.process.is_alive()
    said = None
    with contextlib.suppress(EOFError, OSError):
        said = running.answer.recv() if running.answer.poll() else None
    end(running)
    if said == "":
        try:
            return Done(job.learner, records.read(job.record))
        except records.RecordError as error:
            return Done(job.learner, None, str(error))
    if said is not None:
        return Done(job.learner, None, str(said))
    why = "took longer than it may" if late else f"ended its process (exit code {running.process.exitcode})"
    if job.refused:
        return Done(job.learner, None, f"grading it {why}, twice")
    return replace(job, refused=f"PLEASE LOOK AT IT: grading it {why}, so it was not run")


def bring(plan: Plan, folder: Path, table: Path | None, say: Callable[[str], object]) -> None:
    """Take in a folder of hand-ins; earlier ones are kept.

    Args:
        plan: What will be graded.
        folder: With the hand-ins.
        table: Of the learners, or None.
        say: Takes a line for each file that was left out.
    """
    found, left_out = intake.scan(folder, table)
    for line in left_out:
        say(records.printable(line))
    for handin in found:
        intake.keep(handin, plan.places.handins(plan.exercise, handin.learner.folder))
