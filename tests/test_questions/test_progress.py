"""What is counted, and what comes back when."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rflib.questions import bank
from rflib.questions.progress import due_on, progress, summarize
from rflib.questions.record import Event, Journal

UTC = timezone.utc  # noqa: UP017
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(day: float, verdict: str, question: str = "03-order", mistake: str | None = None) -> Event:
    known = [q for lesson in bank.lessons() for q in lesson.questions if q.id == question]
    fingerprint = known[0].fingerprint() if known else "000000000000"
    return Event(START + timedelta(days=day), question, fingerprint, "number", 7, verdict, mistake, 1)


def due(*history: tuple[float, str]) -> int | None:
    """Days after the start on which it comes back."""
    day = due_on([event(*one) for one in history], START)
    return None if day is None else (day - START.date()).days


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], None),
        ([(0, "right")], None),
        ([(0, "wrong")], 1),
        ([(0, "shown")], 1),
        ([(0, "wrong"), (0.1, "right")], 1),  # right on the second try of the same day
        ([(0, "wrong"), (1, "right")], 1 + 3),
        ([(0, "wrong"), (2, "right")], 2 + 3),  # a day late
        ([(0, "wrong"), (1, "right"), (2, "right")], 4),  # before it was due
        ([(0, "wrong"), (1, "right"), (4, "right")], 4 + 7),
        ([(0, "wrong"), (1, "right"), (4, "right"), (11, "right")], 11 + 21),
        ([(0, "wrong"), (1, "right"), (4, "right"), (11, "right"), (32, "right")], None),
        ([(0, "wrong"), (1, "right"), (4, "wrong")], 5),
        ([(0, "wrong"), (1, "right"), (4, "wrong"), (4.1, "right")], 5),
        ([(0, "wrong"), (1, "right"), (4, "shown"), (5, "right")], 5 + 3),
        ([(0, "wrong"), (1, "wrong"), (1.1, "wrong"), (1.2, "right"), (2, "right")], 2 + 3),
        ([(0, "wrong"), *((d, "right") for d in (1, 4, 11, 32)), (40, "wrong")], 41),
        ([(0, "wrong"), *((d, "right") for d in (1, 4, 11, 32)), (40, "right")], None),
    ],
)
def test_the_schedule(history: list[tuple[float, str]], expected: int | None) -> None:
    assert due(*history) == expected


def test_days_are_those_of_the_learners_zone() -> None:
    late = Event(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "x", "f", "number", 1, "wrong", None, 1)
    assert due_on([late], datetime(2026, 3, 1, tzinfo=UTC)) == date(2026, 3, 2)
    assert due_on([late], datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=2)))) == date(2026, 3, 3)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "answers.jsonl")


def test_each_question_is_answered_shown_or_open(journal: Journal) -> None:
    for one in (
        event(0, "right", "03-order"),
        event(0, "wrong", "03-pool", "M1"),
        event(0, "right", "03-pool"),
        event(0, "shown", "03-dilation"),
        event(0, "shown", "03-backward"),
        event(0, "right", "03-backward"),  # answered, and not at the first try
    ):
        journal.append(one)
    page = summarize(journal, START)
    for lesson in page.lessons:
        assert lesson.answered + lesson.shown + lesson.open == lesson.questions
        assert lesson.questions == len(next(x for x in bank.lessons() if x.number == lesson.number).questions)
    third = next(lesson for lesson in page.lessons if lesson.number == "03")
    assert (third.answered, third.right_first, third.shown) == (3, 1, 1)
    assert all(lesson.answered == 0 for lesson in page.lessons if lesson.number != "03")
    assert page.revisit == ()  # nothing on the same day


def test_what_to_revisit_names_the_mistake_and_the_notebook(journal: Journal) -> None:
    journal.append(event(0, "wrong", "03-pool", "M1"))
    journal.append(event(0.1, "wrong", "03-pool"))
    journal.append(event(-1, "shown", "01-dense"))
    page = summarize(journal, START + timedelta(days=1))
    assert [(item.question, item.mistake, item.notebook) for item in page.revisit] == [
        ("01-dense", None, "lessons/01_what_is_a_receptive_field.ipynb"),
        ("03-pool", "M1", "lessons/03_layer_by_layer.ipynb"),
    ]
    for text in (repr(page), page._repr_html_()):
        assert "2 questions to revisit today:" in text
        assert "M1, a 2 by 2 max-pool doubles the receptive field" in text
        assert "lessons/03_layer_by_layer.ipynb" in text
        assert "1 day" in text  # the rule is stated
        assert str(journal.path) in text


def test_a_reworded_question_is_open_and_an_own_one_counted_apart(journal: Journal) -> None:
    old = event(0, "wrong", "03-pool", "M1")
    journal.append(Event(**{**vars(old), "fingerprint": "0123456789ab"}))
    journal.append(event(0, "wrong", "own-1"))
    page = summarize(journal, START + timedelta(days=9))
    assert (page.changed, page.own, page.revisit) == (1, 1, ())
    assert "Questions outside the course: 1." in repr(page)
    assert "Reworded since you answered, and open again: 1." in repr(page)


def test_damage_is_told_on_the_page_and_markup_in_it_is_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "<b>.jsonl")
    journal.append(event(0, "wrong"))
    with journal.path.open("ab") as stream:
        stream.write(b"dear diary\n")
    page = summarize(journal, START)
    said = f"{journal.path}: line 2 (it is not a whole JSON object) cannot be read and is left as found."
    assert said in repr(page)
    assert "<b>" not in page._repr_html_()
    assert "&lt;b&gt;.jsonl: line 2" in page._repr_html_()


def test_the_page_of_an_unreadable_file_says_why(tmp_path: Path) -> None:
    page = summarize(Journal(tmp_path), START)
    assert page.problem == f"{tmp_path} is a folder; move it, or name a file in RFLIB_ANSWERS."
    assert page.problem in repr(page)


def test_the_page_links_notebooks_that_are_there(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lessons", "rflib"):
        (tmp_path / name).mkdir()
    (tmp_path / "lessons" / "03_layer_by_layer.ipynb").touch()
    monkeypatch.chdir(tmp_path / "lessons")
    monkeypatch.setenv("RFLIB_ANSWERS", str(journal.path))
    text = progress(now=START)._repr_html_()
    assert re.findall('href="([^"]*)"', text) == ["03_layer_by_layer.ipynb"]
    monkeypatch.chdir(tmp_path)
    assert 'href="lessons/03_layer_by_layer.ipynb"' in progress(now=START)._repr_html_()
