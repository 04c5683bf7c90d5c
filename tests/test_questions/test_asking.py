"""A question from the asking to the reveal: the session, the widget, and `ask`."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from rflib import tables
from rflib.arithmetic import Layer
from rflib.errors import UnknownNameError
from rflib.figures.drawing import Drawing
from rflib.questions import Choice, Interval, Number, Option, Question, QuestionError, Region, asking, session
from rflib.questions.record import Journal
from rflib.questions.session import Session
from rflib.widgets.question import QuestionWidget
from tools import preflight

from .test_kinds import never

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
CHECK = Number(
    "How wide?",
    id="x-1",
    truth=lambda: 5,
    unit="pixels",
    mistakes=[(3, "M2", "You took the last kernel.")],
    hints=["First.", lambda: "Second.", "Third."],
    reveal=lambda: "Three, and two more.",
)
PREDICTION = dataclasses.replace(CHECK, prediction=True, id="x-2")
ROW = Region("Which?", cells=(9,), truth=lambda: [3, 4], prediction=True, id="x-3")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "answers.jsonl")


def start(question: Question, journal: Journal) -> Session:
    return Session(question, journal, lambda: NOW)


def verdicts(journal: Journal) -> list[tuple[Any, str, str | None, int]]:
    return [(event.answer, event.verdict, event.mistake, event.tries) for event in journal.read().events]


def test_before_the_commit_there_is_nothing(journal: Journal) -> None:
    begun = start(dataclasses.replace(CHECK, truth=never, reveal=never), journal)
    assert begun.view == session.View()
    assert not journal.path.exists()


def test_a_prediction_reveals_at_once_and_names_the_mistake(journal: Journal) -> None:
    begun = start(PREDICTION, journal)
    begun.commit("3")
    view = begun.view
    assert (view.phase, view.verdict, view.answer, view.truth) == ("done", "wrong", "3 pixels", "5 pixels")
    assert (view.mistake, view.sentence) == ("M2: the receptive field is the kernel size", "You took the last kernel.")
    assert view.reveal == ({"kind": "text", "text": "Three, and two more."},)
    assert verdicts(journal) == [(3, "wrong", "M2", 1)]
    begun.commit("5")  # committed once
    assert begun.view == view
    assert verdicts(journal) == [(3, "wrong", "M2", 1)]


def test_a_wrong_prediction_without_a_known_mistake_reveals_too(journal: Journal) -> None:
    begun = start(PREDICTION, journal)
    begun.commit("4")
    assert (begun.view.phase, begun.view.verdict, begun.view.mistake, begun.view.sentence) == ("done", "wrong", "", "")


def test_a_self_check_gives_hints_in_steps_and_reveals_when_right(journal: Journal) -> None:
    begun = start(CHECK, journal)
    said = []
    for number in ("4", "3", "6", "7", "8", "5"):
        begun.commit(number)
        said.append((begun.view.phase, begun.view.sentence, begun.view.mistake[:2]))
        if begun.view.phase == "again":
            assert not begun.view.truth
            assert not begun.view.reveal
            assert "5" not in json.dumps(dataclasses.asdict(dataclasses.replace(begun.view, turn=0, note="")))
    assert said == [
        ("again", "Hint 1 of 3: First.", ""),
        ("again", "You took the last kernel.", "M2"),
        ("again", "Hint 2 of 3: Second.", ""),
        ("again", "Hint 3 of 3: Third.", ""),
        ("again", "Hint 3 of 3: Third.", ""),
        ("done", "", ""),
    ]
    assert [tries for *_, tries in verdicts(journal)] == [1, 2, 3, 4, 5, 6]
    assert begun.view.truth == "5 pixels"


def test_what_is_no_answer_is_no_try(journal: Journal) -> None:
    begun = start(CHECK, journal)
    begun.commit("4")
    before = begun.view
    begun.commit("four")
    assert begun.view.problem == 'Write the answer in digits; "four" is no number.'
    assert dataclasses.replace(begun.view, problem="", turn=before.turn) == before
    begun.commit("6")
    assert begun.view.problem == ""
    assert begun.view.sentence == "Hint 2 of 3: Second."
    assert len(verdicts(journal)) == 2


def test_show_me_reveals_and_counts_as_unanswered(journal: Journal) -> None:
    begun = start(CHECK, journal)
    begun.commit("4")
    begun.show()
    view = begun.view
    assert (view.phase, view.verdict, view.truth, view.given, view.answer) == ("done", "shown", "5 pixels", None, "")
    assert verdicts(journal) == [(4, "wrong", None, 1), (None, "shown", None, 1)]


def test_the_earlier_answer_is_shown_again_and_both_tries_are_kept(journal: Journal) -> None:
    start(PREDICTION, journal).commit("3")
    reopened = start(PREDICTION, journal)
    view = reopened.view
    assert (view.phase, view.verdict, view.given, view.answer) == ("done", "wrong", 3, "3 pixels")
    assert (view.when, view.mistake[:2], view.sentence) == ("01 March 2026, 12:30", "M2", "You took the last kernel.")
    assert view.reveal
    assert len(verdicts(journal)) == 1  # looking is no try
    reopened.again()
    assert reopened.view == session.View(turn=1)
    reopened.commit("5")
    assert verdicts(journal) == [(3, "wrong", "M2", 1), (5, "right", None, 2)]
    assert start(PREDICTION, journal).view.verdict == "right"


def test_an_unfinished_self_check_goes_on_where_it_stopped(journal: Journal) -> None:
    begun = start(CHECK, journal)
    for number in ("4", "3", "6"):
        begun.commit(number)
    reopened = start(CHECK, journal)
    assert (reopened.view.phase, reopened.view.sentence) == ("again", "Hint 2 of 3: Second.")
    assert not reopened.view.truth
    reopened.commit("7")
    assert reopened.view.sentence == "Hint 3 of 3: Third."


def test_what_was_shown_is_shown_again(journal: Journal) -> None:
    start(CHECK, journal).show()
    view = start(CHECK, journal).view
    assert (view.phase, view.verdict, view.truth) == ("done", "shown", "5 pixels")


def test_a_reworded_question_begins_anew(journal: Journal) -> None:
    start(PREDICTION, journal).commit("3")
    assert start(dataclasses.replace(PREDICTION, prompt="How broad?"), journal).view.phase == "open"


def test_a_recorded_answer_that_fits_no_longer_is_said_and_harms_nothing(journal: Journal) -> None:
    start(PREDICTION, journal).commit("3")
    journal.path.write_text(journal.path.read_text().replace('"answer": 3', '"answer": {"a": "three"}'))
    begun = start(PREDICTION, journal)
    assert begun.view.phase == "open"
    assert begun.view.note.startswith("An earlier answer to this question cannot be shown (AnswerError")
    begun.commit("5")
    assert begun.view.verdict == "right"


def test_damage_is_said_once_with_its_place(journal: Journal) -> None:
    journal.path.write_bytes(b"dear diary\n")
    said = f"{journal.path}: line 1 (it is not a whole JSON object) cannot be read and is left as found."
    assert start(CHECK, journal).view.note == said
    assert start(CHECK, journal).view.note == ""
    with journal.path.open("ab") as stream:
        stream.write(b"dear diary\n")
    assert "line 2" in start(CHECK, journal).view.note


def test_where_the_disk_cannot_be_written_the_question_works_and_says_so(tmp_path: Path) -> None:
    begun = start(PREDICTION, Journal(tmp_path))
    assert "is a folder" in begun.view.note
    begun.commit("3")
    assert (begun.view.verdict, begun.view.truth) == ("wrong", "5 pixels")
    said = f"This answer is not kept: {tmp_path} is a folder; move it, or name a file in RFLIB_ANSWERS."
    assert begun.view.note == said
    begun.again()
    begun.commit("5")
    assert begun.view.verdict == "right"


def test_a_question_that_fails_says_so_and_keeps_nothing(journal: Journal) -> None:
    broken = Number("How wide?", truth=lambda: 1 // 0)
    begun = start(broken, journal)
    begun.commit("3")
    assert begun.view.phase == "open"
    assert begun.view.problem == (
        "This question cannot judge the answer (ZeroDivisionError: integer division or modulo by zero). "
        "Nothing was kept."
    )
    begun.show()
    assert begun.view.problem.startswith("This question cannot compute its answer")
    assert not journal.path.exists()


def test_a_reveal_that_fails_hides_nothing_else(journal: Journal) -> None:
    begun = start(dataclasses.replace(PREDICTION, reveal=lambda: 1 // 0), journal)
    begun.commit("5")
    assert begun.view.verdict == "right"
    assert begun.view.reveal[0]["text"].startswith("The explanation cannot be shown (ZeroDivisionError")


def test_a_reveal_may_be_text_a_table_a_drawing_or_several(journal: Journal) -> None:
    table = tables.layer_table([Layer(3)])
    begun = start(
        dataclasses.replace(CHECK, reveal=lambda: ["A.", table, Drawing(Figure(), "An empty sheet.")]), journal
    )
    begun.show()
    text, markup, picture = begun.view.reveal
    assert text == {"kind": "text", "text": "A."}
    assert (markup["kind"], markup["html"]) == ("html", table._repr_html_())
    assert (picture["kind"], picture["alt"], picture["png"][:6]) == ("image", "An empty sheet.", "iVBORw")


def test_the_right_cells_come_with_the_reveal_of_a_region(journal: Journal) -> None:
    begun = start(ROW, journal)
    assert begun.view.truth_cells is None
    begun.commit([3, 5])
    assert (begun.view.given, begun.view.truth_cells, begun.view.truth) == ([3, 5], [3, 4], "pixels 3 to 4")


# ------------------------------------------------------------------------------------------------------- the widget


def say(widget: QuestionWidget, **message: Any) -> dict[str, Any]:
    """What the browser would send; the view that comes back, by way of JSON."""
    widget._handle_custom_msg(message, [])
    return dict(json.loads(json.dumps(widget.view)))


def test_the_widget_passes_on_what_is_done(journal: Journal) -> None:
    widget = QuestionWidget(start(CHECK, journal))
    assert say(widget, action="commit", answer="")["problem"] == "The field for the answer is empty."
    assert say(widget, action="commit", answer="3")["phase"] == "again"
    assert say(widget, action="show")["truth"] == "5 pixels"
    opened = say(widget, action="again")
    assert opened["phase"] == "open"
    assert "5 pixels" not in json.dumps(widget.get_state(), default=str)
    assert say(widget, action="commit", answer="5")["verdict"] == "right"
    assert [verdict for _, verdict, _, _ in verdicts(journal)] == ["wrong", "shown", "right"]


def test_messages_that_are_none_change_nothing(journal: Journal) -> None:
    widget = QuestionWidget(start(CHECK, journal))
    for message in ({}, {"action": "cheat"}, {"kind": "anywidget-command"}):
        assert say(widget, **message)["turn"] == 0


def test_text_and_picture_give_nothing_away_after_the_reveal(journal: Journal) -> None:
    widget = QuestionWidget(start(PREDICTION, journal))
    before = repr(widget), widget.picture().alt, widget._repr_mimebundle_()[0]["text/plain"]
    say(widget, action="commit", answer="5")
    assert (repr(widget), widget.picture().alt, widget._repr_mimebundle_()[0]["text/plain"]) == before
    assert before[0] == before[2] == "Prediction: How wide?"
    assert before[1] == "Prediction How wide? Answer (pixels): ____ Run this cell to answer."


@pytest.mark.parametrize(
    "question",
    [
        Choice("Which of `a` and *b*?", options=[Option("a"), Option("b", "No.")], truth=never),
        Interval("Costs $5 and $6: where?", truth=never),
        Region("Which?", cells=(5, 6), marks=[((1, 2), "u")], truth=never),
        Region("Which?", cells=(30,), first=-3, truth=never),
        Number("word " * 200, truth=never),
    ],
    ids=lambda question: question.kind,
)
def test_every_kind_has_a_picture(question: Question, journal: Journal) -> None:
    drawing = QuestionWidget(start(question, journal)).picture()
    data, metadata = drawing._repr_mimebundle_()
    assert len(data["image/png"]) > 1000
    assert metadata["image/png"]["alt"].endswith("Run this cell to answer.")


# ------------------------------------------------------------------------------------------------------------- ask


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> list[Any]:
    shown: list[Any] = []
    monkeypatch.setenv("RFLIB_ANSWERS", str(journal.path))
    monkeypatch.setattr(asking, "display", shown.append)
    return shown


def test_ask_shows_and_returns_nothing(displayed: list[Any]) -> None:
    asking.ask("03-order")
    asking.ask(CHECK)
    assert [widget.form["kind"] for widget in displayed] == ["number", "number"]
    assert [str(widget)[:10] for widget in displayed] == ["Prediction", "Self-check"]


def test_ask_refuses_what_is_no_question(displayed: list[Any]) -> None:
    with pytest.raises(UnknownNameError, match=r"There is no question 'order'\. Nearest: .*'03-order'"):
        asking.ask("order")
    with pytest.raises(QuestionError, match=r"`ask` takes the id of a question, or a question; got 3\."):
        asking.ask(3)  # type: ignore[arg-type]
    assert displayed == []


# -------------------------------------------------------------------------------------------------- the browser's part


@pytest.mark.needs("node")
def test_the_scripts_small_functions() -> None:
    script = Path(session.__file__).parents[1] / "widgets" / "question.js"
    code = f"""
      import assert from "node:assert/strict";
      const {{ pieces, box, step }} = await import({json.dumps(script.as_uri())});
      assert.deepEqual(pieces("`b*c*` *d e* f"), [["code", "b*c*"], ["", " "], ["em", "d e"], ["", " f"]]);
      assert.deepEqual(pieces("2 * u - 1 to 2 * u + 1"), [["", "2 * u - 1 to 2 * u + 1"]]);
      assert.deepEqual(pieces("<b>`</b>"), [["", "<b>`</b>"]]);
      assert.deepEqual(pieces(""), []);
      assert.deepEqual(box([1, 2], [0, 1]), ["0,1", "0,2", "1,1", "1,2"]);
      assert.deepEqual(step("ArrowLeft", [0, 0], 2, 3), [0, 0]);
      assert.deepEqual(step("ArrowDown", [0, 1], 2, 3), [1, 1]);
      assert.deepEqual(step("End", [1, 0], 2, 3), [1, 2]);
      assert.equal(step("a", [0, 0], 2, 3), null);
    """
    command = [preflight.find("node") or "node", "--input-type=module", "-e", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
