"""The tests of grading: some need nbgrader, which the learner's environment does not have. `make test` runs all."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from rflib.grading import batch
from rflib.grading.records import Record
from rflib.grading.settings import Places
from tests.test_grading import making

NBGRADER = importlib.util.find_spec("nbgrader") is not None
collect_ignore = [] if NBGRADER else ["test_batch.py", "test_command.py", "test_hostile.py", "test_pipeline.py"]
SETTINGS = {"catalog": "tests.test_grading.tasks", "limits": {"cell": 20, "total": 120}}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A course of the tiny exercise, in a gradebook of its own."""
    from rflib.grading import pipeline

    places = making.course(tmp_path_factory.mktemp("course"))
    pipeline.register(making.EXERCISE, places)
    return places


@pytest.fixture(scope="module")
def release(course: Places) -> NotebookNode:
    """The tiny exercise as it is given out."""
    return nbformat.read(course.release(making.EXERCISE), as_version=4)


@pytest.fixture(scope="module")
def graded(course: Places) -> Callable[..., dict[str, Record]]:
    """Grades a folder of hand-ins; records by the learner's folder."""

    def grade(folder: Path, settings: dict[str, Any] | None = None, **how: Any) -> dict[str, Record]:
        plan = batch.Plan(making.EXERCISE, course, judge={**SETTINGS, **(settings or {})}, **how)
        batch.bring(plan, folder, None, lambda line: None)
        done = list(batch.grade(plan, plan.missing()))
        assert not [each for each in done if each.failed]
        return {each.learner: each.record for each in done if each.record}

    return grade
