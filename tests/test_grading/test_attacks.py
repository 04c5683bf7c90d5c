"""Attacks that were found by trying: what an answer, a message, a file's name or a page could do before."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from rflib.checks import catalog
from rflib.checks.task import Designed, alike
from rflib.grading import asking, batch, cleaning, intake, judging, marks, reading, records, sandbox, watching
from rflib.grading.kernel import Kernel, KernelLost, Ran
from rflib.grading.limits import MB, Limits
from rflib.grading.running import Cell, Runner
from rflib.grading.settings import Places
from tests.test_grading import tasks

# Writes a message without an end into the connection itself, past the kernel and its limits.
ENDLESS = """
import os, socket, stat, struct, time
def connected(fd):
    if not stat.S_ISSOCK(os.fstat(fd).st_mode): return False
    found = socket.socket(fileno=fd)
    try: return found.getpeername() is not None and "s-2" in str(found.getsockname())
    except OSError: return False
    finally: found.detach()
frame = bytes([3]) + struct.pack(">Q", 4 << 20) + bytes(4 << 20)  # a long frame, and more to come
fds = [int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)]
fd = [fd for fd in fds if connected(fd)][-1]
time.sleep(0.5)
left = memoryview(frame)
end = time.time() + 8
while time.time() < end:
    try: left = left[os.write(fd, left):] or memoryview(frame)
    except BlockingIOError: time.sleep(0.01)
"""
SURROGATE = "\ud800"
INFINITE = [float("inf"), float("-inf")]


@pytest.mark.parametrize("answer", INFINITE)
def test_an_infinite_number_is_near_to_nothing(answer: float) -> None:
    assert not alike(answer, 5.0, within=0.01)
    assert not alike(5.0, answer, within=0.01, floor=1.0)
    assert not alike([[answer]], [[5]], within=0.5)
    assert alike(4.99, 5.0, within=0.01)


@pytest.mark.parametrize("number", ["03", "07"])
def test_no_task_gives_points_for_one_answer_that_knows_nothing(number: str) -> None:
    for task in catalog.exercise(number):
        drawn = task.draw("attack")
        for answer in (*INFINITE, float("nan"), 0, 1, 1e308, 10**3000, True, None, "", [], {}):
            said = [[{"answer": answer} for _ in inputs] for inputs in drawn]
            given = sum(verdict.points for verdict in task.judge(drawn, said))
            assert isinstance(task, Designed) or given == 0, (task.id, answer)


def handed(payload: str) -> list[dict[str, Any]]:
    return [{"output_type": "display_data", "data": {asking.MIMETYPE: payload}}]


@pytest.mark.parametrize(
    "entry", [{"answer": SURROGATE}, {"error": SURROGATE}, {"answer": {SURROGATE: 1}}, {"answer": [[SURROGATE]]}]
)
def test_an_answer_that_is_no_text_is_judged_and_recorded(tmp_path: Path, entry: Any) -> None:
    task = tasks.find("91-size")
    drawn = task.draw("seed")
    answers, why = asking.answers(handed(json.dumps([[entry] * 9] * 2)))
    record = records.Record("91_tiny", "x", "seed", [judging.mark(task, drawn, answers, why)])
    record.write(tmp_path / "001.json")
    assert records.read(tmp_path / "001.json").points == 0
    assert "no answer" not in record.tasks[0].reason


@pytest.mark.parametrize("deep", [40, 400, 700, 850, 10**5])
def test_answers_nested_deeply_are_recorded_too(tmp_path: Path, deep: int) -> None:
    task = tasks.find("91-size")
    answers, why = asking.answers(handed("[" * deep + "]" * deep))
    record = records.Record("91_tiny", "x", "seed", [judging.mark(task, task.draw("seed"), answers, why)])
    record.write(tmp_path / "001.json")
    assert "could not be read" in record.line()


def test_marks_of_cells_and_a_kernel_that_are_no_text_are_read(tmp_path: Path) -> None:
    said = {"grade_id": SURROGATE, "points": 1, SURROGATE: SURROGATE}
    cell = {"cell_type": "code", "source": SURROGATE, "metadata": {"nbgrader": said}, "outputs": []}
    found = {"nbformat": 4, "metadata": {"kernelspec": {"name": SURROGATE}}, "cells": [cell]}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(found))
    notebook, remarks = reading.notebook(path)
    (nbformat.writes(notebook) + "".join(remarks)).encode("utf-8")
    assert notebook.cells[0].metadata.nbgrader.grade_id == "?"


def test_an_error_cannot_command_the_lecturers_terminal(tmp_path: Path) -> None:
    forged = "ValueError: \x1b[2K\x1b[1Gx: 5 of 5. \u202edewob \x07"
    record = records.Record("91_tiny", "\x1b[2Jx", "seed", [records.TaskMark("91-size", 0, 3, forged)], [forged])
    assert record.line().isprintable()
    assert record.note().isprintable()
    assert "0 of 3" in record.line()


def test_a_files_name_that_is_left_out_cannot_either(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "\x1b[2Ka\n5 of 5.txt").write_text("")
    said: list[str] = []
    batch.bring(batch.Plan("91_tiny", Places(tmp_path, tmp_path / "marking")), tmp_path / "in", None, said.append)
    assert len(said) == 1
    assert said[0].isprintable()


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has names of any bytes")
def test_a_files_name_of_other_bytes_stops_nobodys_grading(tmp_path: Path) -> None:
    inside = os.fsencode(tmp_path / "in")
    os.mkdir(inside)
    names = [b"M\xfcller.ipynb", b"M\xe4ller.ipynb", b"ann.ipynb"]
    for name in names:
        try:
            Path(os.fsdecode(os.path.join(inside, name))).write_text("{}")
        except OSError:
            pytest.skip("this file system has no such names")
    places = Places(tmp_path, tmp_path / "marking")
    batch.bring(batch.Plan("91_tiny", places), tmp_path / "in", None, lambda line: None)
    plan = batch.Plan("91_tiny", places)
    assert len(plan.learners()) == len(names)
    assert all(plan.counting(learner).path.is_file() for learner in plan.learners())


def test_nobody_hands_in_for_another_by_a_files_name(tmp_path: Path) -> None:
    for name in ("ann_1/ann.ipynb", "bob_2/work.ipynb", "bob_2/ann.ipynb"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    table = tmp_path / "table.csv"
    table.write_text("id,name,file\n1,Ann,ann.ipynb\n2,Bob,work.ipynb\n")
    found, left_out = intake.scan(tmp_path / "in", table)
    assert {each.original: each.learner.id for each in found} == {"ann_1/ann.ipynb": "1", "bob_2/work.ipynb": "2"}
    assert len(left_out) == 1
    assert "bob_2/ann.ipynb" in left_out[0]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A", "a;=1", "a; =1", 'a;"=1', "a\t=1", "a\n@A", "\n=1", ";;=1"])
def test_no_formula_begins_where_a_spreadsheet_may_split(text: str) -> None:
    made = str(marks.harmless(text))
    cells = made.replace("\t", ";").replace("\n", ";").replace('"', "").split(";")
    assert not [cell for cell in cells if cell.strip()[:1] in ("=", "+", "-", "@")], made
    assert marks.harmless("91-size: gave 3; wrong") == "91-size: gave 3; wrong"


class Addresses(HTMLParser):
    """The addresses and the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("scheme", ["javascript", "vbscript", "data", "JavaScript"])
@pytest.mark.parametrize("colon", [":", "\\:", "&colon;", "&#58;", "&#x3a;", "&amp;colon;", "&colon\\;", "\\&colon;"])
@pytest.mark.parametrize("first", ["plain", "entity", "twice", "often", "escaped"])
@pytest.mark.parametrize("form", ["[x]({})", "![x]({})", "[x]( <{}>)", "[x][1]\n\n[1]: {}", "<{}>"])
def test_no_address_in_markdown_runs_anything(scheme: str, colon: str, first: str, form: str) -> None:
    number = f"#{ord(scheme[0])};"
    forms = {"plain": "", "entity": "&", "twice": "&amp;", "often": f"&{'amp;' * 9}", "escaped": "&\\"}
    letter = scheme[0] if first == "plain" else forms[first] + number
    page = Addresses()
    page.feed(markdown2html_mistune(cleaning.markdown(form.format(f"{letter}{scheme[1:]}{colon}alert(1)"))))
    assert not [each for each in page.found if each.lower().strip().startswith(f"{scheme.lower()}:")], page.found


def test_an_honest_address_stays() -> None:
    page = Addresses()
    page.feed(markdown2html_mistune(cleaning.markdown("[x](https://arxiv.org/?a=1&b=2)")))
    assert page.found == ["https://arxiv.org/?a=1&b=2"]


def test_an_rflib_in_the_learners_python_is_not_seen(tmp_path: Path) -> None:
    inside = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "rflib"
    inside.mkdir(parents=True)
    assert inside in list(sandbox.Sandbox().covers([tmp_path / "env"]))


@pytest.mark.needs("bubblewrap")
def test_a_message_without_an_end_does_not_fill_the_memory_of_the_grader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SENT", 150 * MB)
    with (
        Kernel(sandbox.Sandbox(Limits(cell=20, memory=600 * MB))) as kernel,
        pytest.raises(KernelLost, match="150 MB in one message"),
    ):
        kernel.run(ENDLESS, 20)


class Talkative:
    """In the place of a kernel: every cell puts out as much as it may."""

    def run(self, source: str, seconds: float) -> Ran:
        return Ran([{"output_type": "stream", "text": source}], taken=Limits().output)

    def close(self) -> None:
        pass


def test_the_outputs_of_many_cells_do_not_add_up_and_answers_are_kept() -> None:
    cells = [*[Cell("print()")] * 50, Cell("ask", question=True)]
    outcomes = Runner(Talkative, Limits()).run(cells)  # type: ignore[arg-type]
    assert sum(bool(outcome.outputs) for outcome in outcomes[:-1]) == 8
    assert outcomes[-1].outputs[0]["text"] == "ask"
