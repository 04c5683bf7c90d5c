"""All attacks on the real pipeline, in one batch with an honest hand-in: nobody gains, nobody is harmed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode

from rflib.grading import batch, feedback, intake, marks
from rflib.grading.kernel import Kernel
from rflib.grading.limits import Limits
from rflib.grading.records import Record
from rflib.grading.sandbox import Sandbox
from rflib.grading.settings import Places
from tests.test_grading import hostile, making

pytestmark = pytest.mark.needs("bubblewrap")
SETTINGS = {"limits": {"cell": 12, "total": 100, "memory": 1000 << 20}}
HONEST = "honest"


@pytest.fixture(scope="module")
def walls() -> None:
    """The limits are there and hold, or nothing hostile is run: a fork bomb without them would stop the machine."""
    limits = Limits(**SETTINGS["limits"])  # type: ignore[arg-type]
    bounded = "import os, time\ntry:\n    for _ in range(150):\n        if os.fork() == 0: time.sleep(9); os._exit(0)\n"
    with Kernel(Sandbox(limits)) as kernel:
        ran = kernel.run(f"{bounded}except BlockingIOError: print('limited')", 30)
    if "limited" not in str(ran.outputs):
        pytest.fail("the sandbox does not limit processes on this machine; no fork bomb is tried")


@pytest.fixture(scope="module")
def handins(course: Places, release: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handins")
    nbformat.write(making.written(release), folder / f"{HONEST}.ipynb")
    for name, submission in hostile.SUBMISSIONS.items():
        made = submission.make(release, course.marking.parent)
        content = made if isinstance(made, bytes) else nbformat.writes(made).encode()
        (folder / f"{name}.ipynb").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def found(walls: None, course: Places, handins: Path, graded: Callable[..., dict[str, Record]]) -> dict[str, Record]:
    """What became of each, by the learner's id."""
    records = graded(handins, SETTINGS)
    return {record.handin["id"]: record for record in records.values()}


@pytest.mark.parametrize("name", list(hostile.SUBMISSIONS))
def test_no_mark_is_gained_and_the_lecturer_reads_one_clear_line(found: dict[str, Record], name: str) -> None:
    expected, record = hostile.SUBMISSIONS[name], found[name]
    line = record.line()
    print(line)
    assert (record.points, record.of) == (expected.points, 5), line
    assert re.search(expected.line, line), line
    assert "\n" not in line
    assert len(line) < 600
    assert line.startswith(f"{' '.join(name.split())}: {expected.points} of 5")
    assert "PLEASE LOOK" not in line


def test_every_task_ends_in_a_number_with_a_reason_and_its_inputs(found: dict[str, Record]) -> None:
    for record in found.values():
        assert [task.id for task in record.tasks] == ["91-size", "91-jump"]
        assert all(0 <= task.points <= task.of and task.reason and task.inputs for task in record.tasks)


def test_the_honest_one_among_them_has_full_marks(found: dict[str, Record]) -> None:
    assert found[HONEST].line() == "honest: 5 of 5."


def test_the_gradebook_has_the_points_of_the_records_and_nothing_else(course: Places, found: dict[str, Record]) -> None:
    plan = batch.Plan(making.EXERCISE, course)
    standings = marks.standings(plan)
    assert set(standings) == {intake.safe(name) for name in found}
    with sqlite3.connect(course.gradebook) as gradebook:
        rows = gradebook.execute(
            "SELECT student.id, sum(coalesce(grade.auto_score, 0)) FROM grade JOIN submitted_notebook AS n"
            " ON grade.notebook_id = n.id JOIN submitted_assignment AS a ON n.assignment_id = a.id"
            " JOIN student ON a.student_id = student.id GROUP BY student.id"
        ).fetchall()
    assert dict(rows) == {intake.safe(name): record.points for name, record in found.items()}


def test_nothing_was_written_outside(course: Places, found: dict[str, Record], handins: Path) -> None:
    assert not list(course.marking.parent.rglob("harm*"))
    assert "harm" not in course.source(making.EXERCISE).read_text()
    with sqlite3.connect(course.gradebook) as gradebook:
        assert gradebook.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_no_process_is_left(found: dict[str, Record]) -> None:
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if child.name() == "bwrap"]


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_no_page_holds_anything_that_runs(course: Places, found: dict[str, Record]) -> None:
    for standing in marks.standings(batch.Plan(making.EXERCISE, course)).values():
        tags = Tags()
        tags.feed(feedback.page(standing))
        assert not tags.found & {"script", "iframe", "img", "a", "svg", "object", "form", "link"}
        assert not [name for name in tags.attributes if name.startswith("on")]
        assert "alert(1)" not in feedback.page(standing) or "&lt;script&gt;" in feedback.page(standing)


def test_what_the_formgrader_shows_holds_nothing_that_runs(course: Places, found: dict[str, Record]) -> None:
    path = course.marking / "autograded" / "script" / making.EXERCISE / f"{making.EXERCISE}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    essay = next(cell for cell in notebook.cells if cell.id == "91-essay").source
    assert essay == "&lt;script&gt;alert(1)&lt;/script&gt; [x](#alert(1))"
    kinds = {kind for cell in notebook.cells for output in cell.get("outputs", []) for kind in output.get("data", {})}
    assert kinds <= {"text/plain", "image/png", "image/jpeg"}


def test_the_table_holds_no_formula_and_a_row_for_each(course: Places, found: dict[str, Record]) -> None:
    text = marks.table(marks.standings(batch.Plan(making.EXERCISE, course)))
    assert len(text.splitlines()) == len(found) + 1
    assert not re.search(r'(^|,)"?[=+@]', text, re.MULTILINE)


def test_the_list_is_as_long_as_the_promise(found: dict[str, Record]) -> None:
    gained = [name for name, record in found.items() if name in hostile.SUBMISSIONS and record.points > 5]
    print(f"{len(hostile.SUBMISSIONS)} hostile submissions, {len(gained)} gained a mark")
    assert len(hostile.SUBMISSIONS) >= 60
    assert not gained
