"""`python -m hub.exercise give|grade|return 01_definition`: an exercise out, hand-ins in and graded, feedback back.

The lecturer runs it, in the course's folder. `grade` may be run as often as wanted: it grades what is new.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hub import exchange, settings
from rflib.grading import batch, marks
from rflib.grading.settings import Places

COURSE = settings.COURSE


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m hub.exercise", description=__doc__)
    made.add_argument("step", choices=["give", "grade", "return"])
    made.add_argument("exercise", help="folder of the exercise, such as 01_definition")
    made.add_argument("--marking", type=Path, default=COURSE / "marking", help="where all is kept (%(default)s)")
    made.add_argument("options", nargs=argparse.REMAINDER, help="for grade: options of python -m rflib.grading")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one step; 0 where it went well."""
    options = parser().parse_args(arguments)
    class_settings = settings.load()
    os.umask(0o077)
    try:
        if options.step == "give":
            return give(options.exercise)
        if options.step == "grade":
            return grade(options.exercise, options.marking, class_settings, options.options)
        return give_back(options.exercise, Places(COURSE, options.marking), class_settings)
    except PermissionError as error:
        print(f"{error.filename}: {error.strerror}. Do this as the lecturer's account.", file=sys.stderr)
        return 2
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def give(exercise: str) -> int:
    """Give an exercise out, a second time in place of the first."""
    command = [sys.executable, "-m", "nbgrader", "release_assignment", "--force", exercise]
    return subprocess.run(command, cwd=COURSE, env=_environment()).returncode


def _environment() -> dict[str, str]:
    """The environment with nbgrader's settings for the hub, also outside of a server that the hub started."""
    return {**os.environ, "JUPYTER_CONFIG_PATH": str(COURSE / "hub" / "jupyter")}


def grade(exercise: str, marking: Path, class_settings: settings.Settings, options: Sequence[str]) -> int:
    """Collect what learners of the class handed in, and let the judge grade what is new."""
    folder = marking / "collected" / exercise
    for line in collect(exercise, folder, class_settings):
        print(line, flush=True)
    if not (folder / "table.csv").is_file():
        print(f"Nobody has handed in {exercise} yet.")
        return 0
    command = [sys.executable, "-m", "rflib.grading", exercise, str(folder), "--table", str(folder / "table.csv")]
    python = str(COURSE / ".venv" / "bin" / "python")
    command += ["--marking", str(marking), "--course", str(COURSE), "--python", python, *options]
    # As many hand-ins as processors run at one time; threads in each of them would only wait for one another.
    return subprocess.run(command, cwd=COURSE, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


def collect(exercise: str, folder: Path, class_settings: settings.Settings) -> Iterator[str]:
    """Take the last hand-in of each learner into a folder, with a table; a line for each that is left out.

    Args:
        exercise: Such as "01_definition".
        folder: Where to.
        class_settings: Of the class.
    """
    found, left_out = exchange.scan(class_settings.course_exchange / "inbound", exercise)
    yield from left_out
    names = {learner.id: learner.name for learner in class_settings.learners()}
    rows = []
    for each in {each.learner: each for each in found}.values():
        if each.learner not in names:
            yield f"{each.path.name}: left out, {each.learner} is not in the class list"
            continue
        try:
            notebook, secret = exchange.read(each, exercise)
        except (OSError, ValueError) as error:
            yield f"{each.path.name}: left out, {error}"
            continue
        _write(folder / each.learner / f"{exercise}.ipynb", notebook)
        _write(secret_of(each.learner, exercise, folder), secret)
        time = each.time.astimezone().replace(tzinfo=None, microsecond=0).isoformat(" ")
        rows.append([each.learner, names[each.learner], f"{each.learner}/{exercise}.ipynb", time])
    if rows:
        with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "name", "file", "time"], *rows])


def secret_of(learner: str, exercise: str, folder: Path) -> Path:
    """Where a hand-in's secret is kept: not among the notebooks, which the grader takes in as they lie."""
    return folder.parent / "secrets" / exercise / learner


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)


def give_back(exercise: str, places: Places, class_settings: settings.Settings) -> int:
    """Lay each page of feedback where its learner, who knows the hand-in's secret, finds it."""
    plan = batch.Plan(exercise, places)
    sent = 0
    for learner in plan.learners():
        collected = places.marking / "collected" / exercise
        notebook, noted = collected / learner / f"{exercise}.ipynb", secret_of(learner, exercise, collected)
        page = places.feedback(exercise, learner)
        record = batch.latest(places.records(exercise, learner))
        if record is None or not page.is_file() or not noted.is_file():
            print(f"{learner}: no page yet; run `grade` first")
        elif record.handin.get("digest") != hashlib.sha256(notebook.read_bytes()).hexdigest():
            print(f"{learner}: handed in anew since; run `grade` first")
        elif secret := noted.read_text(encoding="utf-8", errors="replace"):
            _lay(page, class_settings.course_exchange / "feedback", secret, exercise, learner)
            sent += 1
        else:
            print(f"{learner}: the hand-in has no secret, so that only you can give the page: {page}")
    print(f"{sent} pages of feedback sent.")
    return 0


def _lay(page: Path, folder: Path, secret: str, exercise: str, learner: str) -> None:
    """A page under the name that nbgrader's `fetch_feedback` looks for, readable to its learner alone."""
    from nbgrader.utils import notebook_hash

    path = folder / f"{notebook_hash(secret=secret, notebook_id=exercise)}.html"
    marks.write(path, page.read_text(encoding="utf-8"))
    exchange.open_to(path, learner)


if __name__ == "__main__":
    sys.exit(main())
