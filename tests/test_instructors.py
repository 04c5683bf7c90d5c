"""INSTRUCTORS.md is true: its links, cells, questions, answers, minutes and misconceptions, and its unit's dates."""

# ruff: noqa: RUF001 - the page writes spans with a dash

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from rflib.questions import bank, misconceptions
from rflib.questions.kinds import Choice, Interval, Question, resolved
from tests.test_project import ROOT

PAGE = (ROOT / "INSTRUCTORS.md").read_text(encoding="utf-8")
MINUTES, WHERE, ASK, WRONG = "Minutes", "Where", "Ask, and the answer", "Wrong answers, and what each reveals"
SPAN = re.compile(r"(\d+)–(\d+)")
CODE = re.compile(r"\b([AM]\d+)\b")
ASKED = re.compile(r"`(\d\d-[a-z0-9-]+)`")
BOLD = re.compile(r"\*\*(.+?)\*\*")
Row = dict[str, str]


# The page, taken apart


def sections(text: str) -> dict[str, str]:
    """What stands under each heading, code blocks left out."""
    bare = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^#+ (.+)$", bare, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str, column: str) -> list[Row]:
    """The rows of all tables that have a column."""
    found = []
    for table in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
        head, _, *body = ([cell.strip() for cell in line[1:-1].split(" | ")] for line in table.strip().splitlines())
        if column in [cell.strip("| ") for cell in head]:
            found += [dict(zip(head, cells, strict=True)) for cells in body]
    return found


def plans(text: str) -> dict[str, tuple[int, list[Row]]]:
    """Each part that promises minutes in its heading: the promise, and its rows."""
    found = {}
    for heading, body in sections(text).items():
        promised = re.search(r"\((\d+) minutes\)$", heading)
        if promised:
            found[heading] = (int(promised[1]), rows(body, MINUTES))
    return found


def lessons(where: str) -> Iterator[tuple[str, list[str]]]:
    """Each lesson that a cell of a table names, with the ids of its cells."""
    for name, after in re.findall(r"\[\d\d\]\((lessons/\w+\.ipynb)\)([^\[]*)", where):
        yield name, re.findall(r"`([^`]+)`", after)


@cache
def ids(name: str) -> frozenset[str]:
    return frozenset(cell["id"] for cell in json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"])


@cache
def anchors(name: str) -> frozenset[str]:
    """What a link can lead to in a page, as GitHub and MyST name it."""
    heads = re.findall(r"^#+ (.+)$", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads)


def right(question: Question) -> object:
    """The right answer; of a choice, the one option without feedback, since some truths are found by training."""
    if isinstance(question, Choice):
        (option,) = (each for each in question.options if not each.feedback)
        return resolved(option.value)
    return question.truth()


# What can be wrong with it: each returns the problems


def dead_links(text: str) -> list[str]:
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        exists = (ROOT / (name or "INSTRUCTORS.md")).is_file()
        if not exists or (anchor and anchor not in anchors(name or "INSTRUCTORS.md")):
            found.append(link)
    return found


def missing_cells(text: str) -> list[str]:
    named = [(name, cell) for row in rows(text, WHERE) for name, cells in lessons(row[WHERE]) for cell in cells]
    assert len(named) > 150
    return [f"{name}: {cell}" for name, cell in named if cell not in ids(name)]


def missing_questions(text: str) -> list[str]:
    known = {question.id for lesson in bank.lessons() for question in lesson.questions}
    return [name for name in ASKED.findall(text) if name not in known]


def missing_misconceptions(text: str) -> list[str]:
    numbers = [number for row in (*rows(text, WRONG), *rows(text, "It reveals")) for number in CODE.findall(str(row))]
    assert len(numbers) > 100
    return [number for number in [*numbers, *re.findall(r"\(([AM]\d+)\)", text)] if number not in misconceptions.NAMES]


def wrong_minutes(text: str) -> list[str]:
    found = []
    for heading, (promised, table) in plans(text).items():
        spans = [tuple(map(int, match.groups())) for row in table if (match := SPAN.fullmatch(row[MINUTES]))]
        ends = [0, *(number for span in spans for number in span), promised]
        in_pairs = list(zip(ends[::2], ends[1::2], strict=True))
        if len(spans) != len(table) or not spans or any(a != b for a, b in in_pairs) or any(a >= b for a, b in spans):
            found.append(f"{heading}: {spans}")
    return found


def unfilled_rows(text: str) -> list[str]:
    """Rows without a lesson, a question, its answer and a wrong one; a break has none."""
    found = []
    for heading, (_, table) in plans(text).items():
        for row in table:
            full = all(row.values()) and any(cells for _, cells in lessons(row.get(WHERE, "")))
            answered = BOLD.search(row.get(ASK, "")) or re.search(r"\? .+\.$", row.get(ASK, ""))
            if WHERE in row and row["Do"] != "Break" and not (full and answered and "(" in row[WRONG]):
                found.append(f"{heading}, {row[MINUTES]}")
    return found


def is_answer(question: Question, said: str, value: object) -> bool:
    """Whether words of the page stand for a value that the question knows."""
    if isinstance(question, Choice):
        return any(resolved(each.value) == value and question.label(each).startswith(said) for each in question.options)
    if isinstance(question, Interval):
        return said == "{} to {}".format(*value)  # type: ignore[misc]
    return said == f"{value}"


def wrong_answers(question: Question) -> list[tuple[object, str]]:
    """Every wrong answer that a question knows, with the number of its misconception."""
    if isinstance(question, Choice):
        return [(resolved(each.value), each.mistake or "–") for each in question.options if each.feedback]
    return [(resolved(each.value), each.id or "–") for each in question.known_mistakes]


def false_answers(text: str) -> list[str]:
    """Answers that are not the bank's: a right one that is wrong, a wrong one that it does not know so."""
    found = []
    for row in rows(text, ASK):
        for name in ASKED.findall(row[ASK]):
            question, (said,) = bank.find(name), BOLD.findall(row[ASK])
            if not is_answer(question, said, right(question)):
                found.append(f"{name}: {said}")
            claims = re.findall(r"\*\*(.+?)\*\* \(([AM–]\d*)\)", row[WRONG])
            if len(claims) != len(BOLD.findall(row[WRONG])) or not claims:
                found.append(f"{name}: a wrong answer without its number")
            for claim, number in claims:
                known = wrong_answers(question)
                if not any(number == code and is_answer(question, claim, value) for value, code in known):
                    found.append(f"{name}: {claim} ({number})")
    return found


CHECKS: list[Callable[[str], list[str]]] = [
    dead_links, missing_cells, missing_questions, missing_misconceptions, wrong_minutes, unfilled_rows, false_answers,
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_the_page_has_no_problem(check: Callable[[str], list[str]]) -> None:
    assert check(PAGE) == []


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        (dead_links, "(hub/README.md)", "(hub/MISSING.md)"),
        (dead_links, "(#the-board)", "(#the-bored)"),
        (missing_cells, "`draw-pascal`", "`draw-fermat`"),
        (missing_questions, "`12-alibi`", "`12-alibis`"),
        (missing_misconceptions, "(M26)", "(M27)"),
        (wrong_minutes, "| 8–13 |", "| 9–13 |"),
        (wrong_minutes, "| 176–180 |", "| 176–179 |"),
        (wrong_minutes, "| 3–12 |", "| soon |"),
        (unfilled_rows, "48** (A11): twice the depth. **34** (–): the root the wrong way round", ""),
        (false_answers, "one unit of `layer1`? **43**", "one unit of `layer1`? **44**"),
        (false_answers, "**17** (A7)", "**17** (M7)"),
        (false_answers, "**17** (A7)", "**18** (A7)"),
        (false_answers, "**2 to 10**", "**2 to 11**"),
        (false_answers, "**Add one layer**", "**Train it four times as long**"),
    ],
)
def test_a_problem_is_seen(check: Callable[[str], list[str]], old: str, new: str) -> None:
    assert old in PAGE
    assert check(PAGE.replace(old, new))


def test_it_is_plain_markdown_with_one_title() -> None:
    bare = re.sub(r"^```.*?^```$|`[^`\n]*`", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^# .+$", bare, flags=re.MULTILINE) == ["# Teaching with this course"]
    assert re.findall(r"<[a-z/!][^>]*>", bare) == []
    assert "](http" not in PAGE


# Commands


def test_every_command_is_a_target_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z]+)(?=[` ]|$)", "\n".join(re.findall(r"`make [^`]*`|^make .*$", PAGE, re.M))))
    assert {"slides", "book", "lab", "grade", "formgrader"} <= used
    assert used <= targets


def test_every_option_is_one_of_the_grader() -> None:
    source = (ROOT / "rflib" / "grading" / "__main__.py").read_text(encoding="utf-8")
    used = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", PAGE))
    assert {"--due", "--table", "--only", "--same-inputs", "--regrade"} <= used
    assert [option for option in used if f'"{option}"' not in source] == []


# The unit


def unit() -> dict[int, tuple[str, list[Row]]]:
    """Day of each meeting of the unit: its text and its rows."""
    found = {}
    for heading, body in sections(PAGE).items():
        day = re.search(r"^Meeting \d, day (\d+) ", heading)
        if day:
            found[int(day[1])] = (body, rows(body, MINUTES))
    return found


@cache
def exercise_table() -> dict[str, tuple[str, int]]:
    """Number of each exercise: after which lesson, and the minutes that it takes, by lesson 00."""
    cells = json.loads((ROOT / "lessons" / "00_start_here.ipynb").read_text(encoding="utf-8"))["cells"]
    (source,) = ("".join(cell["source"]) for cell in cells if cell["id"] == "exercises-map")
    found = re.findall(r"^\| (\d\d) \| .* \| (\d\d) \| (\d+) \|$", source, flags=re.MULTILINE)
    assert len(found) == 8
    return {number: (lesson, int(minutes)) for number, lesson, minutes in found}


def first_days() -> dict[str, int]:
    """On which day each lesson is begun."""
    found: dict[str, int] = {}
    for day, (_, table) in unit().items():
        for row in table:
            for name, _ in lessons(row[WHERE]):
                found.setdefault(Path(name).name[:2], day)
    return found


def test_the_unit_has_two_meetings_a_week_and_every_lesson() -> None:
    assert [(day - 1) // 7 for day in unit()] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sorted(first_days()) == [f"{number:02}" for number in range(15)]


def test_exercises_are_handed_out_after_their_lesson_and_are_due_one_by_one() -> None:
    table = rows(PAGE, "Out on day")
    dues = [int(row["Due on day, 23:59"]) for row in table]
    assert dues == sorted(set(dues))
    for row, due in zip(table, dues, strict=True):
        number, out = row["Exercise"][1:3], int(row["Out on day"])
        lesson, _ = exercise_table()[number]
        assert first_days()[lesson] <= out < due, number
        assert re.search(rf"Hand out exercises? [\d, ]*{number}", unit()[out][0]), number


def test_the_hours_of_a_week_add_up() -> None:
    days = {
        row["Exercise"][1:3]: (int(row["Out on day"]), int(row["Due on day, 23:59"]))
        for row in rows(PAGE, "Out on day")
    }
    weeks, worked = rows(PAGE, "Hours for a learner"), []
    for row in weeks:
        week = int(row["Week"])
        finished = re.findall(r"\d\d", row["Lessons finished at home"])
        meetings = [int(day) for day in re.findall(r"\d+", row["Meetings"])]
        assert meetings == [day for day in unit() if (day - 1) // 7 == week - 1]
        assert finished == sorted(lesson for lesson, day in first_days().items() if day in meetings)
        exercises = re.findall(r"\d\d", row["Exercises, worked on in this week"])
        assert all(days[number][0] <= 7 * week and days[number][1] > 7 * (week - 1) for number in exercises)
        minutes = 90 * len(meetings) + 20 * len(finished) + sum(exercise_table()[number][1] for number in exercises)
        assert row["Hours for a learner"] == f"{minutes / 60:.1f}"
        worked += exercises
    assert worked == sorted(exercise_table())


def test_what_is_skipped_saves_no_more_than_it_takes() -> None:
    table = rows(PAGE, "Minutes saved")
    assert {row["Plan"] for row in table} == {"1", "2", "3"}
    for row in table:
        said = row["Skip, in this order"]
        meeting = re.match(r"meeting (\d)", said)
        start = f"Meeting {meeting[1] if meeting else 1}," if row["Plan"] == "3" else f"Plan {row['Plan']}:"
        (spans,) = (
            [SPAN.findall(x[MINUTES])[0] for x in body]
            for head, (_, body) in plans(PAGE).items()
            if head.startswith(start)
        )
        first, last = SPAN.findall(said)[0]
        assert first in [a for a, _ in spans], said
        assert last in [b for _, b in spans], said
        assert 0 < int(row["Minutes saved"]) <= int(last) - int(first), said
