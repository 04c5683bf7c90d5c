"""Every question of the course: its truth computes, its mistakes differ, nothing leaks before the commit."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rflib.errors import UnknownNameError
from rflib.questions import Choice, Number, Question, QuestionError, Region, bank, misconceptions
from rflib.questions.judging import in_words, judge, mistaken_answer, read_answer, to_record, true_answer
from rflib.questions.kinds import resolved
from rflib.questions.record import Journal
from rflib.questions.session import Session
from tests.test_widgets.test_javascript import node

from . import cases
from .test_kinds import never
from .test_rehearsal import SCRIPT, seen

QUESTIONS = [question for lesson in bank.lessons() for question in lesson.questions]
every_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)


@pytest.fixture(scope="module")
def truths() -> dict[str, Any]:
    """Computed once: some of them train a network."""
    return {}


def truth_of(question: Question, truths: dict[str, Any]) -> Any:
    if question.id not in truths:
        truths[question.id] = true_answer(question)
    return truths[question.id]


def mistakes_of(question: Question) -> list[tuple[Any, str | None, str]]:
    """Each known wrong answer with its number and its sentence."""
    if isinstance(question, Choice):
        return [(question.label(o), o.mistake, str(resolved(o.feedback))) for o in question.options if o.feedback]
    return [(mistaken_answer(question, m), m.id, str(resolved(m.sentence))) for m in question.known_mistakes]


def test_the_lessons_have_enough_questions_of_every_kind() -> None:
    assert [lesson.number for lesson in bank.lessons()][:4] == ["00", "01", "02", "03"]
    for lesson in bank.lessons():
        assert len(lesson.questions) >= 4, lesson.number
        assert {question.prediction for question in lesson.questions} == {True, False}, lesson.number
    assert {question.kind for question in QUESTIONS} == {"choice", "number", "interval", "region"}


@every_question
def test_the_truth_is_none_of_the_mistakes_and_these_all_differ(question: Question, truths: dict[str, Any]) -> None:
    truth = truth_of(question, truths)
    wrong = [answer for answer, _, _ in mistakes_of(question)]
    assert truth not in wrong
    assert len(set(wrong)) == len(wrong)
    assert wrong, "a question of the course knows at least one mistake"
    if isinstance(question, Choice):
        assert len(wrong) == len(question.options) - 1  # each wrong option has its feedback


@every_question
def test_what_is_right_and_what_is_wrong_can_be_given_and_is_judged_so(
    question: Question, truths: dict[str, Any]
) -> None:
    truth = truth_of(question, truths)
    known = dataclasses.replace(question, truth=lambda: raw(question, truth))
    assert judge(known, read_answer(known, to_record(truth))).right
    for answer, number, sentence in mistakes_of(question):
        verdict = judge(known, read_answer(known, json.loads(json.dumps(to_record(answer)))))
        assert (verdict.right, verdict.mistake, verdict.sentence) == (False, number, sentence)


def raw(question: Question, truth: Any) -> Any:
    """A truth as the question's own function would return it."""
    if isinstance(question, Choice):
        return next(resolved(option.value) for option in question.options if question.label(option) == truth)
    return truth


@every_question
def test_mistakes_are_the_courses_own_and_their_sentences_say_something(question: Question) -> None:
    for _, number, sentence in mistakes_of(question):
        assert number is None or number in misconceptions.NAMES
        assert len(sentence) > 20
        assert sentence.endswith(".")
        assert "  " not in sentence


@every_question
def test_self_checks_have_three_hints(question: Question) -> None:
    if not isinstance(question, Choice):
        assert len(question.hints) == (0 if question.prediction else 3)


@every_question
def test_the_style_of_the_texts(question: Question) -> None:
    texts = [question.prompt, *map(resolved, question.hints), *(sentence for _, _, sentence in mistakes_of(question))]
    for text in texts:
        assert not re.search(r"\b(simply|obviously|just|clearly|trivial)\b", text), text
        assert text.count("`") % 2 == 0
        assert "  " not in text


@every_question
def test_the_reveal_can_be_shown(question: Question, truths: dict[str, Any], tmp_path: Path) -> None:
    truth = truth_of(question, truths)
    known = dataclasses.replace(question, truth=lambda: raw(question, truth))
    session = Session(known, Journal(tmp_path / "answers.jsonl"))
    session.show()
    assert session.view.reveal
    for block in session.view.reveal:
        assert "cannot be shown" not in block.get("text", "")
        assert block["kind"] in ("text", "html", "image")
        assert block["kind"] != "image" or len(block["alt"]) > 20
    assert session.view.truth == in_words(question, truth)


@every_question
def test_nothing_of_the_truth_is_there_before_the_commit(question: Question, truths: dict[str, Any]) -> None:
    """The truth is not computed, and what the browser gets and what is saved would be the same if it were another."""
    truth = truth_of(question, truths)
    blind = dataclasses.replace(question, truth=never, reveal=never)
    widget = make_widget(blind)
    state = json.loads(json.dumps(widget.get_state(), default=str))
    state.pop("layout")
    seen = json.dumps([state["form"], state["view"]])
    assert state["view"]["phase"] == "open"
    assert {key for key, value in state["view"].items() if value} == {"phase"}
    # everything else is the widget's own machinery, the same for every question
    other = make_widget(Number("Which?", truth=never)).get_state()
    assert {key: value for key, value in state.items() if key not in ("form", "view")} == {
        key: json.loads(json.dumps(value, default=str))
        for key, value in other.items()
        if key not in ("form", "view", "layout")
    }
    for sentence in [sentence for _, _, sentence in mistakes_of(question)] + [str(resolved(h)) for h in question.hints]:
        assert json.dumps(sentence)[1:-1] not in seen
    shown = [seen, repr(widget), widget.picture().alt]
    if isinstance(question, Number):
        number = re.escape(str(to_record(truth)))
        assert not re.search(rf"(?<![\w.]){number}(?![\w.])", without_given(question, " ".join(shown)))
    elif isinstance(question, Region):
        assert all(json.dumps(to_record(truth)) not in text for text in shown)
    elif not isinstance(question, Choice):
        assert all(in_words(question, truth) not in text for text in shown)


def without_given(question: Question, text: str) -> str:
    """The text without the question's own words, in which a number may stand that is the answer by chance."""
    for line in question.prompt.splitlines():
        for form in (line, json.dumps(line)[1:-1], line.replace("`", "").replace("*", "")):
            text = text.replace(form, "")
    for wrapped in make_widget(question).picture().alt, repr(make_widget(question)):
        text = text.replace(wrapped, "")
    return text


@pytest.mark.needs("node")
def test_a_page_without_python_says_what_the_session_says(truths: dict[str, Any], tmp_path: Path) -> None:
    random, written = Random(8), []
    for question in QUESTIONS:
        value = raw(question, truth_of(question, truths))
        known = dataclasses.replace(question, truth=lambda value=value: value)
        written.append(cases.case_of(known, cases.sequences(known, random)))
    path = cases.write(tmp_path / "cases.json", written)
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_QUESTION_CASES=str(path))
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    met = seen(done.stdout)
    assert met["steps"] > 20 * len(QUESTIONS)
    assert min(met.values()) > len(QUESTIONS)
    sizes = {case["id"]: len(json.dumps(case["recording"])) for case in written}
    assert sorted(sizes.values())[len(sizes) // 2] < 30_000
    assert max(sizes.values()) < 150_000, max(sizes, key=lambda name: sizes[name])


def make_widget(question: Question) -> Any:
    from rflib.widgets.question import QuestionWidget

    return QuestionWidget(Session(question, Journal(Path("no_such_folder", "answers.jsonl"))))


@every_question
def test_the_picture_holds_the_question_and_its_options(question: Question) -> None:
    alt = make_widget(dataclasses.replace(question, truth=never, reveal=never)).picture().alt
    words = question.prompt.replace("`", "").replace("*", "").split()
    assert " ".join(words) in " ".join(alt.split())
    for label in question.form().get("options", ()):
        assert label.replace("`", "") in " ".join(alt.split())


def test_notebooks_are_named_as_the_syllabus_names_them() -> None:
    for lesson in bank.lessons():
        assert re.fullmatch(rf"lessons/{lesson.number}_[a-z_]+\.ipynb", lesson.notebook)
        assert lesson.title


def test_the_courses_misconceptions_have_names() -> None:
    assert sorted(misconceptions.NAMES) == sorted([f"A{n}" for n in range(1, 15)] + [f"M{n}" for n in range(1, 27)])
    assert all(name and not name.endswith(".") for name in misconceptions.NAMES.values())


def test_an_unknown_id_lists_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        bank.find("03-ordr")
    assert str(caught.value).startswith("There is no question '03-ordr'. Nearest: '03-order'")


def test_the_same_id_twice_is_refused() -> None:
    lesson = bank.lessons()[3]
    double = dataclasses.replace(lesson, questions=(*lesson.questions, lesson.questions[0]))
    with pytest.raises(QuestionError, match="Two questions have the id '03-order'; change one of them"):
        bank.checked([double])
    with pytest.raises(QuestionError, match="The id '03-order' in lesson 04 must begin '04-'"):
        bank.checked([dataclasses.replace(lesson, number="04")])


def test_looking_at_the_bank_loads_neither_torch_nor_matplotlib_nor_ipywidgets() -> None:
    code = (
        "import sys; from rflib.questions import bank; from rflib.questions.progress import progress; bank.lessons(); "
        "progress(); print([name for name in ('torch', 'matplotlib', 'ipywidgets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
