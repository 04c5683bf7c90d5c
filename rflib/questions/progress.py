"""What a learner has answered, and what is worth asking again today.

The rule: a question that you got wrong, or had shown, comes back after 1 day. Each time it comes back and your first
answer is right, the wait grows: to 3, 7 and 21 days, and after that it stays away. A wrong answer sets it back to
1 day.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from rflib.questions import bank, misconceptions
from rflib.questions.kinds import Choice, Interval, Number, Question, Region
from rflib.questions.record import Damage, Event, Journal, Reading, find_course, find_journal
from rflib.tables import text_table

WAITS = (1, 3, 7, 21)  # days
RULE = (
    "A question that you got wrong, or had shown, comes back after 1 day. When your first answer is right then, it "
    "comes back after 3, 7 and 21 days, and no more after that. A wrong answer sets it back to 1 day."
)
_HEADINGS = ("lesson", "questions", "answered", "right at first try", "shown", "open")


@dataclass(frozen=True)
class LessonProgress:
    """One lesson: its questions are answered, shown without an answer, or open.

    Attributes:
        number: Such as "03".
        title: Of the lesson.
        notebook: Its path in the course.
        questions: How many it has.
        answered: How many have an answer, right or wrong.
        right_first: How many of these were right at the first try.
        shown: How many were shown and never answered.
        open: How many nothing has been done with.
    """

    number: str
    title: str
    notebook: str
    questions: int
    answered: int
    right_first: int
    shown: int
    open: int


@dataclass(frozen=True)
class Revisit:
    """A question that is due.

    Attributes:
        question: Its id.
        prompt: Its text.
        notebook: Where it stands; empty for a question of your own.
        due: Since when.
        mistake: Number of the last misconception that was recognized in an answer to it, or None.
    """

    question: str
    prompt: str
    notebook: str
    due: date
    mistake: str | None


@dataclass(frozen=True)
class Progress:
    """What `rf.progress()` shows.

    Attributes:
        lessons: One entry a lesson that has questions.
        revisit: What is due today, the longest due first.
        path: The file in which the answers are kept.
        course: The folder of the course, or None.
        damaged: Lines of the file that were skipped.
        problem: Why the file could not be read; empty where it could.
        own: How many questions outside the course have been met.
        changed: How many answered questions of the course have been reworded since; they count as open.
    """

    lessons: tuple[LessonProgress, ...]
    revisit: tuple[Revisit, ...]
    path: Path
    course: Path | None = None
    damaged: tuple[Damage, ...] = ()
    problem: str = ""
    own: int = 0
    changed: int = 0

    def __repr__(self) -> str:
        lines = [text_table(_HEADINGS, _rows(self.lessons)), "", self._today()]
        for item in self.revisit:
            lines.append(f"- {item.question} ({item.notebook or 'your own'}): {_plain(item.prompt)}")
            if item.mistake:
                lines.append(f"  last time: {_mistake_words(item.mistake)}")
        return "\n".join([*lines, "", RULE, *self._remarks()])

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
        firsts = [self._link(lesson.notebook, f"{lesson.number} {lesson.title}") for lesson in self.lessons]
        body = "".join(
            f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
            for first, row in zip([*firsts, "all"], _rows(self.lessons), strict=True)
        )
        items = "".join(f"<li>{self._item(item)}</li>" for item in self.revisit)
        remarks = "".join(f"<p>{html.escape(text)}</p>" for text in (RULE, *self._remarks()))
        listed = f"<ol>{items}</ol>" if items else ""
        return (
            f"<h3>Your progress</h3><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
            f"<h3>To revisit today</h3><p>{html.escape(self._today())}</p>{listed}{remarks}"
        )

    def _item(self, item: Revisit) -> str:
        where = self._link(item.notebook, item.notebook) if item.notebook else "your own"
        last = f"<br><em>Last time: {html.escape(_mistake_words(item.mistake))}</em>" if item.mistake else ""
        return f"{html.escape(_plain(item.prompt))}<br><code>{html.escape(item.question)}</code>, {where}{last}"

    def _link(self, notebook: str, text: str) -> str:
        """A link to a notebook that is there, relative to the working directory, which is the notebook's."""
        if self.course is None or not (self.course / notebook).is_file():
            return html.escape(text)
        try:
            address = quote(Path(os.path.relpath(self.course / notebook)).as_posix())
        except (OSError, ValueError):  # no working directory; another drive
            return html.escape(text)
        return f'<a href="{html.escape(address)}">{html.escape(text)}</a>'

    def _today(self) -> str:
        number = len(self.revisit)
        if not number:
            return "Nothing to revisit today."
        return f"{number} question{'s' if number > 1 else ''} to revisit today:"

    def _remarks(self) -> list[str]:
        remarks = []
        if self.own:
            remarks.append(f"Questions outside the course: {self.own}.")
        if self.changed:
            remarks.append(f"Reworded since you answered, and open again: {self.changed}.")
        return [*remarks, *complaints(self.path, Reading((), self.damaged, self.problem)), f"Kept in {self.path}"]


def progress(*, now: datetime | None = None) -> Progress:
    """Where you stand: the answers of every lesson, and what to revisit today.

    Example:
        >>> import os
        >>> before = os.environ.get("RFLIB_ANSWERS")
        >>> os.environ["RFLIB_ANSWERS"] = "no_such_folder/answers.jsonl"
        >>> page = progress()
        >>> page.revisit, sum(lesson.answered for lesson in page.lessons)
        ((), 0)
        >>> _ = os.environ.pop("RFLIB_ANSWERS") if before is None else os.environ.update(RFLIB_ANSWERS=before)

    Args:
        now: The time to look from, with its zone; by default the present.

    Returns:
        A `Progress`, which a notebook shows as a page.
    """
    journal = find_journal()
    return summarize(journal, now or datetime.now().astimezone())


def summarize(journal: Journal, now: datetime) -> Progress:
    """The progress that a journal tells, seen from a moment."""
    reading = journal.read()
    by_question: dict[str, list[Event]] = {}
    for event in reading.events:
        by_question.setdefault(event.question, []).append(event)
    lessons, revisit, changed = [], [], 0
    known: set[str] = set()
    for lesson in bank.lessons():
        counts = dict.fromkeys(("answered", "right_first", "shown", "open"), 0)
        for question in lesson.questions:
            known.add(question.id)
            every = by_question.get(question.id, [])
            events = [event for event in every if event.fingerprint == question.fingerprint()]
            changed += bool(every and not events)
            for name in _standing(events):
                counts[name] += 1
            revisit += _due(question, lesson.notebook, events, now)
        lessons.append(
            LessonProgress(lesson.number, lesson.title, lesson.notebook, questions=len(lesson.questions), **counts)
        )
    revisit.sort(key=lambda item: (item.due, item.question))
    kinds = {kind.kind for kind in (Choice, Number, Interval, Region)}  # the design game keeps its results here too
    own = sum(events[-1].kind in kinds for name, events in by_question.items() if name not in known)
    found = find_course()
    return Progress(tuple(lessons), tuple(revisit), journal.path, found, reading.damaged, reading.problem, own, changed)


def due_on(events: Iterable[Event], zone: datetime) -> date | None:
    """When a question comes back, None where it does not.

    Args:
        events: Of this one question, in the order in which they happened.
        zone: Any time in the zone by whose calendar days are counted.
    """
    stage, due = -1, date.max
    for event in events:
        day = event.time.astimezone(zone.tzinfo).date()
        if event.verdict != "right":
            stage, due = 0, day + timedelta(days=WAITS[0])
        elif stage >= 0 and day >= due:
            stage += 1
            if stage == len(WAITS):
                stage, due = -1, date.max
            else:
                due = day + timedelta(days=WAITS[stage])
    return due if stage >= 0 else None


def complaints(path: Path, reading: Reading) -> list[str]:
    """What a reader of the file has to know: sentences, none where all is well."""
    said = [reading.problem] if reading.problem else []
    if reading.damaged:
        lines = ", ".join(f"{damage.line} ({damage.reason})" for damage in reading.damaged[:3])
        more = f" and {len(reading.damaged) - 3} more" if len(reading.damaged) > 3 else ""
        many = "s" if len(reading.damaged) > 1 else ""
        said.append(f"{path}: line{many} {lines}{more} cannot be read and {'are' if many else 'is'} left as found.")
    return said


def _standing(events: Sequence[Event]) -> list[str]:
    answers = [event for event in events if event.verdict != "shown"]
    if not answers:
        return ["shown" if events else "open"]
    return ["answered", "right_first"] if events[0].verdict == "right" else ["answered"]


def _due(question: Question, notebook: str, events: Sequence[Event], now: datetime) -> list[Revisit]:
    due = due_on(events, now)
    if due is None or due > now.date():
        return []
    mistake = next((event.mistake for event in reversed(events) if event.mistake), None)
    return [Revisit(question.id, question.prompt, notebook, due, mistake)]


def _rows(lessons: Sequence[LessonProgress]) -> list[list[object]]:
    """One row a lesson, and their sum."""
    names = ("questions", "answered", "right_first", "shown", "open")
    rows: list[list[object]] = [
        [f"{lesson.number} {lesson.title}", *(getattr(lesson, name) for name in names)] for lesson in lessons
    ]
    return [*rows, ["all", *(sum(getattr(lesson, name) for lesson in lessons) for name in names)]]


def _mistake_words(number: str) -> str:
    name = misconceptions.name(number)
    return f"{number}, {name}" if name else number


def _plain(prompt: str) -> str:
    """The first line of a text without its marks."""
    return prompt.strip().splitlines()[0].replace("`", "").replace("*", "")
