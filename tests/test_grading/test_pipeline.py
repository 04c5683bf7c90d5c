"""One submission of each class through nbgrader itself, with the judge and without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from rflib.grading import pipeline, records
from rflib.grading.records import Record
from rflib.grading.settings import Places
from tests.test_grading import making, tasks

pytestmark = pytest.mark.needs("bubblewrap")
RECURSIVE = """\
def size(layers):
    if not layers:
        return 1
    first, *rest = layers
    return (size(rest) - 1) * first["stride"] + (first["kernel_size"] - 1) * first["dilation"] + 1
"""
NUMPY = """\
import numpy as np
def size(layers):
    k, s, d = (np.array([layer[key] for layer in layers]) for key in ("kernel_size", "stride", "dilation"))
    return 1 + np.sum((k - 1) * d * np.concatenate([[1], np.cumprod(s)[:-1]]))
"""
TENSOR = """\
import torch
def size(layers):
    field, jump = torch.tensor(1.0), 1
    for layer in layers:
        field += (layer["kernel_size"] - 1) * layer["dilation"] * jump
        jump *= layer["stride"]
    return field
"""
DESTROYS = (
    making.SIZE.replace("        jump *=", "        layer['kernel_size'] = 0\n        jump *=") + "    layers.clear()\n"
)
RIGHT = {"loop": making.SIZE, "recursive": RECURSIVE, "numpy": NUMPY, "tensor": TENSOR, "destroys its input": DESTROYS}


@pytest.fixture(scope="module")
def found(
    release: NotebookNode, tmp_path_factory: pytest.TempPathFactory, graded: Callable[..., dict[str, Record]]
) -> dict[str, Record]:
    folder = tmp_path_factory.mktemp("handins")
    notebooks = {name: making.written(release, size) for name, size in RIGHT.items()}
    notebooks["wrong"] = making.written(release, making.WITHOUT_STRIDE)
    notebooks["untouched"] = release
    notebooks["solution"] = making.source()
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return {record.handin["id"]: record for record in graded(folder).values()}


@pytest.mark.parametrize("name", [*RIGHT, "solution"])
def test_right_functions_get_full_marks_however_they_are_written(found: dict[str, Record], name: str) -> None:
    assert found[name].line() == f"{name}: 5 of 5."


def test_a_wrong_function_is_told_its_mistake(found: dict[str, Record]) -> None:
    assert found["wrong"].points == 3
    assert "strides multiply the jump: You leave the strides out. (M4: " in found["wrong"].line()


def test_the_untouched_exercise_gets_nothing(found: dict[str, Record]) -> None:
    assert found["untouched"].line() == "untouched: 0 of 5. 91-size, 91-jump: gave NotImplementedError."


def test_each_mark_is_traced_to_inputs_answers_and_expectation(found: dict[str, Record]) -> None:
    task = found["wrong"].tasks[0]
    asked = [inputs for each in task.inputs for inputs in each]
    answers = [entry["answer"] for each in task.answers for entry in each]
    assert answers == [tasks.no_stride(*inputs) for inputs in asked]
    wrong = task.properties[1]
    first = next(inputs for inputs in task.inputs[1] if tasks.no_stride(*inputs) != tasks.size(*inputs))
    assert wrong.got == str(tasks.no_stride(*first))
    assert wrong.expected == str(tasks.size(*first))
    assert wrong.inputs == f"size({first[0]})"
    assert task.code.strip() == making.WITHOUT_STRIDE.strip()
    assert found["wrong"].versions["nbgrader"] == "0.9.6"


def test_every_learner_is_asked_with_inputs_of_their_own(found: dict[str, Record]) -> None:
    assert len({record.seed for record in found.values()}) == len(found)
    assert len({json.dumps(record.tasks[0].inputs) for record in found.values()}) == len(found)
    for record in found.values():
        assert record.inputs() == {task.id: task.draw(record.seed) for task in tasks.TASKS}


def test_the_graded_cells_show_points_and_reasons_and_their_own_text(course: Places, found: dict[str, Record]) -> None:
    path = course.marking / "autograded" / "wrong" / making.EXERCISE / f"{making.EXERCISE}.ipynb"
    cells = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    first, second = cells["91-size"].outputs
    assert (first.output_type, first.data) == ("execute_result", {"text/plain": "1"})
    assert "You leave the strides out." in second.text
    assert making.JUDGED in cells["91-size"].source
    assert cells["91-check"].outputs == []  # with no rflib there, the check is there and does nothing


def plain(course: Places, learner: str, notebook: NotebookNode) -> float:
    """What nbgrader gives by itself, with its own execution and without the judge."""
    from nbgrader.api import Gradebook
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from rflib.grading.settings import configure

    pipeline.submit(nbformat.writes(notebook), "", course.submitted(making.EXERCISE, learner))
    config = Config()
    configure(config, course)
    config.CourseDirectory.assignment_id, config.CourseDirectory.student_id = making.EXERCISE, learner
    del config["Autograde"]
    converter = Autograde(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    converter.start()
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        return float(gradebook.find_submission(making.EXERCISE, learner).score)


@pytest.mark.filterwarnings("ignore")
def test_without_the_judge_everybody_gets_nothing(course: Places, release: NotebookNode) -> None:
    assert plain(course, "plain-right", making.written(release)) == 0
    assert plain(course, "plain-untouched", release) == 0


def test_an_exercise_and_a_catalog_that_disagree_are_nobodys_fault(
    course: Places, release: NotebookNode, tmp_path: Path
) -> None:
    notebook = making.written(release)
    pipeline.submit(nbformat.writes(notebook), "", course.submitted(making.EXERCISE, "ann"))
    with pytest.raises(pipeline.PipelineError, match="There is no task '91-size'"):
        pipeline.grade(making.EXERCISE, "ann", course, {"record": str(tmp_path / "x.json")})
    assert not (tmp_path / "x.json").exists()


def test_an_exercise_that_is_not_there_is_named_with_those_that_are(course: Places) -> None:
    with pytest.raises(
        pipeline.PipelineError, match=r"There is no exercise '02_recursoin' in .*; there are: 91_tiny\."
    ):
        pipeline.register("02_recursoin", course)


def test_a_record_can_be_asked_again_with_the_same_inputs(
    course: Places, found: dict[str, Record], tmp_path: Path
) -> None:
    before = found["wrong"]
    path = course.records(making.EXERCISE, "wrong") / "001.json"
    settings = {"record": str(tmp_path / "again.json"), "again": str(path), "catalog": "tests.test_grading.tasks"}
    pipeline.grade(making.EXERCISE, "wrong", course, settings)
    again = records.read(tmp_path / "again.json")
    assert again.inputs() == before.inputs()
    assert [task.answers for task in again.tasks] == [task.answers for task in before.tasks]
    assert again.points == before.points
