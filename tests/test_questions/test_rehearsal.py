"""Questions on pages without Python: what is recorded, what that gives away, and that the browser answers alike."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import rflib as rf
from rflib.figures.drawing import Drawing
from rflib.questions import Number, QuestionError, bank
from rflib.questions.record import Journal
from rflib.questions.rehearsal import NOTE, coded, rehearsed
from rflib.questions.session import Session
from rflib.widgets.question import QuestionWidget
from tests.test_widgets.test_javascript import node

from . import cases

SCRIPT = Path(__file__).resolve().parents[1] / "javascript" / "question.test.js"
ORDER = bank.find("03-order")


def seen(output: str) -> dict[str, int]:
    """What the script met in the file of cases."""
    [line] = [line for line in output.splitlines() if "seen {" in line]
    return dict(json.loads(line[line.index("{") :]))


def told(recording: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(recording["words"])))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("questions")
    return cases.write(folder / "cases.json", list(cases.own_cases(Random(5))))


@pytest.mark.needs("node")
def test_without_python_the_session_is_the_same(written: Path) -> None:
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_QUESTION_CASES=str(written))
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    met = seen(done.stdout)
    assert met["steps"] > 3000
    assert min(met.values()) >= 10


@pytest.mark.needs("node")
@pytest.mark.parametrize("field", ["answer", "problem", "sentence", "truth"])
def test_a_view_that_differs_is_found(written: Path, tmp_path: Path, field: str) -> None:
    broken = json.loads(written.read_text(encoding="utf-8"))
    view = next(view for case in broken for led in case["sequences"] for _, view in led if view[field])
    view[field] += "."
    path = cases.write(tmp_path / "broken.json", broken)
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_QUESTION_CASES=str(path))
    assert done.returncode != 0
    assert "not ok" in done.stdout


def test_a_recording_holds_all_that_a_session_says() -> None:
    found = told(coded(rehearsed(replace(ORDER, hints=["Draw it."]))))
    right, first, *_ = found["outcomes"]
    assert right == {"answer": "7", "right": True, "sentence": "", "mistake": ""}
    assert first["mistake"].startswith("M6: strides multiplied")
    assert first["sentence"].startswith("You walked the layers from the wrong end")
    assert (found["truth"], found["hints"], found["note"]) == ("7 input positions", ["Draw it."], NOTE)
    assert [block["kind"] for block in found["reveal"]] == ["html", "image"]
    assert len(found["reveal"][1]["alt"]) > 20


def test_nothing_is_read_at_a_glance_before_the_commit() -> None:
    found = rehearsed(ORDER)
    texts = [found["truth"], *(outcome["sentence"] for outcome in found["outcomes"]), "<table", "sentence", "M6: "]
    state = json.dumps(coded(found))
    assert not [text for text in texts if text and text in state]


def test_a_picture_is_the_same_in_fewer_bytes() -> None:
    drawing = rf.draw_stack(rf.receptive_field([rf.Layer(3), rf.Layer(3)]), unit=4, input_size=9)
    [recorded] = rehearsed(replace(ORDER, reveal=lambda: drawing))["images"]
    full = drawing._repr_mimebundle_()[0]["image/png"]
    assert len(recorded) < len(full) / 2
    one, other = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), int) for png in (full, recorded)
    )
    assert one.shape == other.shape
    assert np.abs(one - other).mean() < 0.5
    assert np.abs(one - other).max() <= 32  # of 255: an edge's half tone may be its neighbor


def test_the_shorter_of_two_pictures_is_taken() -> None:
    empty = Drawing(Figure(figsize=(0.01, 0.01)), "A sheet of one pixel.")
    [recorded] = rehearsed(replace(ORDER, reveal=lambda: empty))["images"]
    assert len(recorded) <= len(empty._repr_mimebundle_()[0]["image/png"])


def test_a_question_that_fails_is_not_recorded() -> None:
    with pytest.raises(ZeroDivisionError):
        rehearsed(replace(ORDER, reveal=lambda: 1 // 0))
    with pytest.raises(ZeroDivisionError):
        rehearsed(Number("How wide?", truth=lambda: 1 // 0))
    with pytest.raises(QuestionError, match="The truth of this number question cannot be None"):
        rehearsed(Number("How wide?", truth=lambda: None))


def test_nothing_of_the_learner_is_recorded_or_saved(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "answers.jsonl")
    Session(ORDER, journal).commit("5")
    kept = journal.path.read_bytes()
    met, fresh = (QuestionWidget(Session(ORDER, found)) for found in (journal, Journal(tmp_path / "none.jsonl")))
    assert met.view["answer"]  # the machine that builds the page has an answer
    recording = met.recording()
    assert recording == fresh.recording()
    for widget in (met, fresh):
        widget._recording = recording
    assert met.view == fresh.view
    assert {name for name, value in met.view.items() if value} == {"phase"}
    assert journal.path.read_bytes() == kept
    assert not (tmp_path / "none.jsonl").exists()


def test_a_recording_is_plain_data_and_the_browser_gets_it() -> None:
    widget = QuestionWidget(Session(ORDER, Journal(Path("nowhere"))))
    assert widget.get_state()["_recording"] == {}
    widget._recording = widget.recording()
    state = widget.get_state()["_recording"]
    assert json.loads(json.dumps(state)) == state == coded(rehearsed(ORDER))


def test_an_options_sentence_and_mistake_are_recorded() -> None:
    question = cases.OWN[-1]
    outcomes = rehearsed(question)["outcomes"]
    assert [(entry["answer"], entry["right"], entry["mistake"]) for entry in outcomes] == [
        ("0 units", False, "M3: ordinary convolution has dilation 0"),
        ("1 unit", True, ""),
        ("x units", False, "X9"),
    ]
