"""Cells that were deleted, moved, copied or changed cost nothing and gain nothing."""

from __future__ import annotations

import random
from collections.abc import Callable

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode

from rflib.grading.restoring import restore
from tests.test_grading import hostile, making


def given_out() -> NotebookNode:
    """The exercise as nbgrader would give it out, with what restoring looks at."""
    notebook = making.source()
    for cell in notebook.cells:
        if cell.id.endswith("-write"):
            cell.source = f"def {cell.id.split('-')[1]}(layers):\n    raise NotImplementedError()"
    return notebook


RELEASE = given_out()
NAMES = [cell.id for cell in RELEASE.cells]


def test_an_untouched_exercise_comes_back_as_it_is() -> None:
    mended, remarks = restore(RELEASE, RELEASE)
    assert nbformat.writes(mended) == nbformat.writes(RELEASE)
    assert remarks == []


def test_what_a_learner_writes_and_adds_stays_in_its_place() -> None:
    notebook = making.written(RELEASE)
    notebook.cells.insert(2, making.own("helper = 1"))
    mended, remarks = restore(notebook, RELEASE)
    assert [cell.source for cell in mended.cells] == [cell.source for cell in notebook.cells]
    assert remarks == []


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (hostile.drop("91-size"), "the cell `91-size` was missing and was put back"),
        (hostile.drop("91-essay"), "the cell `91-essay` was missing and was put back"),
        (hostile.replace("91-check", "x"), "the locked cell `91-check` was changed and was put back"),
        (hostile.replace("91-jump", "2"), "the locked cell `91-jump` was changed and was put back"),
        (hostile.points(9), "the points of the cell `91-size` were changed and were put back"),
        (hostile.duplicate("91-size", "3"), "the cell `91-size` was there more than once"),
        (hostile.claim, "a cell that is not the exercise's claimed to earn points"),
        (lambda cells: cells.reverse(), "cells were in another order and were put back in theirs"),
    ],
)
def test_each_repair_is_told(change: Callable[[list[NotebookNode]], object], remark: str) -> None:
    notebook = making.written(RELEASE)
    change(notebook.cells)
    mended, remarks = restore(notebook, RELEASE)
    assert remark in remarks
    graded = [cell for cell in mended.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [(cell.id, cell.metadata.nbgrader.points) for cell in graded] == [
        ("91-size", 3),
        ("91-jump", 2),
        ("91-essay", 3),
    ]


def test_a_cell_that_lost_its_marks_is_known_by_its_own_id() -> None:
    notebook = making.written(RELEASE)
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
    mended, _ = restore(notebook, RELEASE)
    assert [cell.source for cell in mended.cells] == [cell.source for cell in notebook.cells]
    assert mended.cells[3].metadata.nbgrader.points == 3


def test_of_two_copies_the_last_that_was_worked_on_counts_and_both_stay() -> None:
    notebook = making.written(RELEASE, size=making.WITHOUT_STRIDE)
    hostile.duplicate("91-size-write", making.SIZE)(notebook.cells)
    mended, _ = restore(notebook, RELEASE)
    sources = [cell.source for cell in mended.cells]
    assert sources.index(making.WITHOUT_STRIDE) < sources.index(making.SIZE) < NAMES.index("91-size") + 1


@given(st.integers(0, 10**9))
def test_after_any_shuffle_loss_and_copying_the_exercise_is_whole(seed: int) -> None:
    chance = random.Random(seed)
    notebook = making.written(RELEASE)
    cells = [cell for cell in notebook.cells if chance.random() < 0.7]
    cells += [making.own(f"own{n}") for n in range(chance.randrange(3))]
    chance.shuffle(cells)
    notebook.cells = cells
    mended, _ = restore(notebook, RELEASE)
    nbformat.validate(mended)
    known = [cell.id for cell in mended.cells if cell.id in NAMES]
    assert known == [name for name in NAMES if name in known]
    locked = {cell.id: cell for cell in RELEASE.cells if cell.metadata.get("nbgrader", {}).get("locked")}
    assert {name: cell for name, cell in locked.items() if cell not in mended.cells} == {}
    kept = {cell.source for cell in mended.cells}
    assert {cell.source for cell in cells if cell.id not in locked} <= kept
