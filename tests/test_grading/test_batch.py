"""A class: resumed, graded again, late, handed in twice, and one that breaks its own process."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from rflib.grading import batch, feedback, intake, marks, records, reporting
from rflib.grading.records import Record
from rflib.grading.settings import Places
from tests.test_grading import breaking, hostile, making
from tests.test_grading.conftest import SETTINGS

pytestmark = pytest.mark.needs("bubblewrap")


@pytest.fixture
def places(course: Places, tmp_path: Path) -> Places:
    """A course that nobody has handed in to yet."""
    shutil.copytree(course.marking.parent, tmp_path, dirs_exist_ok=True)
    return Places(tmp_path / "course", tmp_path / "marking")


@pytest.fixture
def given(places: Places) -> NotebookNode:
    return nbformat.read(places.release(making.EXERCISE), as_version=4)


def plan(places: Places, **how: Any) -> batch.Plan:
    return batch.Plan(making.EXERCISE, places, judge=SETTINGS, **how)


def hand_in(folder: Path, name: str, notebook: NotebookNode, time: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    os.utime(folder / f"{name}.ipynb", (1_700_000_000 + time, 1_700_000_000 + time))


def run(made: batch.Plan, folder: Path) -> dict[str, Record]:
    batch.bring(made, folder, None, print)
    done = list(batch.grade(made, made.missing()))
    assert not [each.failed for each in done if each.failed]
    return {each.learner: each.record for each in done if each.record}


def test_the_second_run_does_only_what_is_missing(places: Places, given: NotebookNode, tmp_path: Path) -> None:
    hand_in(tmp_path / "in", "ann", making.written(given))
    hand_in(tmp_path / "in", "bo", given)
    assert set(run(plan(places), tmp_path / "in")) == {"ann", "bo"}
    assert run(plan(places), tmp_path / "in") == {}
    hand_in(tmp_path / "in", "cy", making.written(given, making.WITHOUT_STRIDE))
    assert {name: record.points for name, record in run(plan(places), tmp_path / "in").items()} == {"cy": 3}


def test_a_batch_that_was_stopped_goes_on_where_it_was(places: Places, given: NotebookNode, tmp_path: Path) -> None:
    for name in ("ann", "bo", "cy"):
        hand_in(tmp_path / "in", name, given)
    made = plan(places, jobs=1)
    batch.bring(made, tmp_path / "in", None, print)
    going: Iterator[batch.Done] = batch.grade(made, made.missing())
    first = next(going)
    going.close()  # type: ignore[attr-defined]
    assert first.learner not in made.missing()
    assert len(made.missing()) == 2
    assert set(run(made, tmp_path / "in")) == {"ann", "bo", "cy"} - {first.learner}


def test_a_second_hand_in_replaces_the_first_and_both_are_kept(
    places: Places, given: NotebookNode, tmp_path: Path
) -> None:
    hand_in(tmp_path / "in" / "ann", "first", making.written(given, making.WITHOUT_STRIDE), 0)
    assert run(plan(places), tmp_path / "in")["ann"].points == 3
    hand_in(tmp_path / "in" / "ann", "second", making.written(given), 100_000)
    record = run(plan(places), tmp_path / "in")["ann"]
    assert (record.points, record.handin["number"], record.handin["file"]) == (5, 2, "ann/second.ipynb")
    kept = intake.kept(places.handins(making.EXERCISE, "ann"))
    assert [making.WITHOUT_STRIDE.strip() in nbformat.read(each.path, 4).cells[1].source for each in kept] == [
        True,
        False,
    ]
    assert [path.name for path in batch.paths(places.records(making.EXERCISE, "ann"))] == ["001.json", "002.json"]


def test_late_days_are_in_the_record_the_table_and_the_page(
    places: Places, given: NotebookNode, tmp_path: Path
) -> None:
    hand_in(tmp_path / "in", "ann", making.written(given), 200_000)
    due = datetime.fromtimestamp(1_700_000_000)
    made = plan(places, due=due)
    assert run(made, tmp_path / "in")["ann"].handin["days_late"] == 3
    standings = marks.standings(made)
    assert ",3,2023-" in marks.table(standings)
    assert "3 days late" in feedback.page(standings["ann"])


def test_regrading_tells_what_changed_for_whom(
    places: Places, given: NotebookNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(tmp_path / "in", "ann", making.written(given, making.WITHOUT_STRIDE))
    hand_in(tmp_path / "in", "bo", making.written(given))
    first = run(plan(places), tmp_path / "in")
    path = batch.paths(places.records(making.EXERCISE, "ann"))[0]
    changed = records.read(path)
    changed.tasks[0].points = 3  # as if an earlier judge had been mistaken
    changed.write(path)
    same = plan(places, same=True)
    again = run(same, tmp_path / "in")
    assert [again[name].inputs() for name in again] == [first[name].inputs() for name in again]
    assert reporting.report(same, again, []) == 0
    told = capsys.readouterr().out
    assert re.search(r"What changed:\nann: 91-size: 3 -> 1 of 3: strides multiply the jump: 0 of 2\. ", told)
    assert "bo: " not in told
    fresh = plan(places, anew=True, only=frozenset({"bo"}))
    anew = run(fresh, tmp_path / "in")
    assert set(anew) == {"bo"}
    assert anew["bo"].inputs() != first["bo"].inputs()
    reporting.report(fresh, anew, [])
    assert "Nothing changed." in capsys.readouterr().out


def test_a_hand_in_that_breaks_its_own_process_stops_nobody(
    places: Places, given: NotebookNode, tmp_path: Path
) -> None:
    hand_in(tmp_path / "in", "ann", making.written(given, hostile.body(f"return {breaking.BREAKS!r}")))
    hand_in(tmp_path / "in", "bo", making.written(given))
    made = batch.Plan(making.EXERCISE, places, judge={**SETTINGS, "catalog": breaking.__name__})
    found = run(made, tmp_path / "in")
    why = "PLEASE LOOK AT IT: grading it ended its process (exit code -9), so it was not run"
    assert found["ann"].line() == f"ann: 0 of 5. {why}."
    assert found["bo"].points == 5


def test_a_process_that_is_out_of_time_twice_leaves_no_mark(
    places: Places, given: NotebookNode, tmp_path: Path
) -> None:
    hand_in(tmp_path / "in", "ann", making.written(given))
    made = plan(places)
    batch.bring(made, tmp_path / "in", None, print)
    before = set(Path(tempfile.gettempdir()).glob("rfk-*"))
    (done,) = batch.grade(made, made.missing(), patience=-SETTINGS["limits"]["total"])  # type: ignore[index]
    assert (done.record, done.failed) == (None, "grading it took longer than it may, twice")
    assert set(Path(tempfile.gettempdir()).glob("rfk-*")) <= before
    assert made.missing() == ["ann"]


def test_when_grading_itself_fails_nobody_gets_a_zero_for_it(
    places: Places, given: NotebookNode, tmp_path: Path
) -> None:
    hand_in(tmp_path / "in", "ann", making.written(given))
    broken = batch.Plan(making.EXERCISE, places, judge={"catalog": "rflib.checks.catalog"})
    batch.bring(broken, tmp_path / "in", None, print)
    (done,) = batch.grade(broken, broken.missing())
    assert done.record is None
    assert "There is no task '91-size'" in done.failed
    assert broken.missing() == ["ann"]
    assert run(plan(places), tmp_path / "in")["ann"].points == 5


def test_what_a_person_marks_is_added_and_shown(places: Places, given: NotebookNode, tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    hand_in(tmp_path / "in", "ann", making.written(given, **{"91_essay": "Because each step jumps over pixels."}))
    hand_in(tmp_path / "in", "bo", making.written(given))
    made = plan(places)
    run(made, tmp_path / "in")
    before = marks.standings(made)
    assert (before["ann"].points, before["ann"].of, before["ann"].open) == (5, 8, ["91-essay"])
    assert (before["bo"].points, before["bo"].open) == (5, [])  # nothing was written, so there is nothing to read
    with Gradebook(f"sqlite:///{places.gradebook}") as gradebook:
        grade = gradebook.find_grade("91-essay", making.EXERCISE, making.EXERCISE, "ann")
        grade.manual_score, grade.needs_manual_grade = 2, False
        gradebook.find_comment("91-essay", making.EXERCISE, making.EXERCISE, "ann").manual_comment = "<b>Good</b>"
        gradebook.find_grade("91-size", making.EXERCISE, making.EXERCISE, "ann").manual_score = 1
        gradebook.db.commit()
    after = marks.standings(made)["ann"]
    assert (after.points, after.open) == (5, [])
    page = feedback.page(after)
    assert "91-essay: 2 of 3" in page
    assert "&lt;b&gt;Good&lt;/b&gt;" in page
    assert "The judge gave 3; a person changed it." in page
    assert ",5,8,1,2,2," in marks.table({"ann": after})
