"""`python -m rflib.grading 02_recursion handins/`: marks, a page for each learner, and a table."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from rflib.errors import ReceptiveFieldError
from rflib.grading.intake import when
from rflib.grading.sandbox import bubblewrap
from rflib.grading.settings import Places

NO_NBGRADER = (
    "Grading needs nbgrader, which is not installed here. From the course's folder: `make grade` makes an environment "
    "with it, or install it into one of your own: pip install -e '.[grade]'"
)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m rflib.grading",
        description="Grade a folder of notebooks: marks, a page of feedback for each learner, and a table (CSV). "
        "Run it again and it does what is missing.",
        epilog="Parts that a person marks: `make formgrader` opens nbgrader's Formgrader (elsewhere: JupyterLab with "
        "nbgrader, from the course's folder, RFLIB_MARKING=folder where --marking is used); then run this again.",
    )
    made.add_argument("exercise", help="folder of the exercise, such as 02_recursion")
    made.add_argument(
        "handins", type=Path, nargs="?", help="folder with the hand-ins; without it, what is kept already"
    )
    made.add_argument("--table", type=Path, help="CSV of the learners: columns id, and name, file, time if known")
    made.add_argument("--due", help="when it was due, such as '2026-01-31 23:59'; later days are counted")
    made.add_argument("--marking", type=Path, help="where everything is kept (default: marking in the course's folder)")
    made.add_argument("--course", type=Path, default=Path.cwd(), help="the course's folder (default: this one)")
    made.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="hand-ins at one time (default: %(default)s)"
    )
    made.add_argument("--only", nargs="+", default=[], metavar="LEARNER", help="these learners, by id")
    again = made.add_mutually_exclusive_group()
    again.add_argument("--regrade", action="store_true", help="grade all again with fresh inputs; print what changed")
    again.add_argument(
        "--same-inputs", action="store_true", help="grade all again with the inputs of their last records"
    )
    made.add_argument("--python", default="", help="the learner's Python (default: the one that grades)")
    made.add_argument("--catalog", default="rflib.checks.catalog", help="module that knows the tasks (%(default)s)")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade; 0 where every hand-in has its mark."""
    options = parser().parse_args(arguments)
    try:
        if importlib.util.find_spec("nbgrader") is None:
            raise ReceptiveFieldError(NO_NBGRADER)
        bubblewrap()
        return run(options)
    except ReceptiveFieldError as error:
        print(error, file=sys.stderr)
        return 2


def run(options: argparse.Namespace) -> int:
    """Take in, grade what is missing, write what is known."""
    from rflib.grading import batch, intake, pipeline, reporting

    course = options.course.resolve()
    places = Places(course, (options.marking or course / "marking").resolve())
    plan = batch.Plan(
        exercise=options.exercise.strip("/").rpartition("/")[2],
        places=places,
        due=datetime.fromisoformat(when(options.due, "--due")) if options.due else None,
        jobs=max(1, options.jobs),
        judge={"python": options.python, "catalog": options.catalog},
        anew=options.regrade,
        same=options.same_inputs,
        only=frozenset(map(intake.safe, options.only)),
    )
    pipeline.register(plan.exercise, places)
    if options.handins:
        batch.bring(plan, options.handins, options.table, print)
    missing = plan.missing()
    graded, failed = {}, []
    # disable=None: no bar where the output is no terminal
    with tqdm(total=len(missing), unit="hand-in", disable=None) as bar:
        for done in batch.grade(plan, missing):
            bar.update()
            if done.record is None:
                failed.append(done)
                bar.write(f"{done.learner}: NOT GRADED, run the command again: {done.failed}")
            else:
                graded[done.learner] = done.record
                bar.write(done.record.line())
    return reporting.report(plan, graded, failed)


if __name__ == "__main__":
    sys.exit(main())
