"""What a learner may do with a question, step by step, and what `Session` shows after each step.

On these question_session.js must show the same, by the question's recording alone: tests/javascript/question.test.js.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

from rflib.questions import Choice, Interval, Number, Option, Question, Region
from rflib.questions.judging import judge, mistaken_answer, read_answer, to_record, true_answer
from rflib.questions.record import Event, Journal, Reading
from rflib.questions.rehearsal import NOTE, coded, rehearsed
from rflib.questions.session import Session

Case = dict[str, Any]
Message = dict[str, Any]

SIGNS = "0123456789" * 3 + "+-\N{MINUS SIGN}\N{EN DASH}../, _e\N{NO-BREAK SPACE}\x1c\N{ARABIC-INDIC DIGIT ONE}\N{FIRE}"
NO_NUMBERS = ["", " ", "five", "1e3", "nan", "1/0", "1,024", "2,5", "9" * 41, "1_0", "--1", "\N{FIRE}" * 40, None]
AS_WRITTEN = ["7", " 7 ", "+7.0", "7.", "14/2", "007", "-7", "\N{MINUS SIGN}7", "\N{EN DASH}.5", "1/3", "3/8", "0.1",
              "1/1024", "1/65536", "0.0001", "0.00009", "9" * 40, "-" + "9" * 39, "9007199254740993", "1.50",
              "12345678901234567.5", "1234567890123.0625", "0.1000000000000000055511151231257827"]  # fmt: skip


class Nowhere(Journal):
    """Keeps nothing."""

    def read(self) -> Reading:
        """As if there were no file yet."""
        return Reading()

    def append(self, event: Event) -> str:
        """As if it were kept."""
        return ""


def case_of(question: Question, sequences: list[list[Message]]) -> Case:
    """The steps and the views, with the recording by which the page answers.

    Truth and reveal are computed once: some of them train a network.
    """
    value, content = question.truth(), question.reveal() if question.reveal else None
    question = replace(question, truth=lambda: value, reveal=(lambda: content) if question.reveal else None)
    recording = coded(rehearsed(question))
    led = [[[message, view] for message, view in lead(question, sequence, recording)] for sequence in sequences]
    return {"id": question.id, "form": question.form(), "recording": recording, "sequences": led}


def lead(question: Question, sequence: list[Message], recording: Case) -> Iterator[tuple[Message, Case]]:
    session = Session(question, Nowhere(Path("nowhere")))
    for message in sequence:
        if message["action"] == "commit":
            session.commit(message["answer"])
        else:
            getattr(session, message["action"])()
        yield message, on_a_page(asdict(session.view), recording)


def on_a_page(view: Case, recording: Case) -> Case:
    """The view as a page without Python has it: nothing is kept, pictures are smaller, large numbers are texts."""
    view = {**view, "note": NOTE if view["note"] else "", "given": exact(view["given"])}
    images = iter(recording["images"])
    reveal = [{**block, "png": next(images)} if block["kind"] == "image" else dict(block) for block in view["reveal"]]
    return {**view, "reveal": reveal}


def exact(given: Any) -> Any:
    if isinstance(given, list):
        return [exact(part) for part in given]
    return str(given) if isinstance(given, int) and abs(given) >= 2**53 else given


def commit(answer: Any) -> Message:
    return {"action": "commit", "answer": answer}


SHOW, AGAIN = {"action": "show"}, {"action": "again"}


def typed(question: Question, answer: Any) -> Any:
    """An answer as the form of the browser sends it."""
    recorded = to_record(answer)
    if isinstance(question, Number):
        return str(recorded)
    return [str(end) for end in recorded] if isinstance(question, Interval) else recorded


def sequences(question: Question, random: Random) -> list[list[Message]]:
    """For a question of the course: every answer of which something is known, and all that a learner may do else."""
    value = question.truth()
    question = replace(question, truth=lambda: value)
    truth = typed(question, true_answer(question))
    if isinstance(question, Choice):
        known = [question.label(option) for option in question.options if question.label(option) != truth]
    else:
        known = [typed(question, mistaken_answer(question, mistake)) for mistake in question.known_mistakes]
    malformed, others = no_answers(question), unknown_answers(question, random)
    single = [[commit(answer)] for answer in (truth, *known, *others, *malformed)]
    return [
        *single,
        [SHOW, AGAIN, commit(truth), commit(truth), SHOW],
        [*map(commit, (*others, malformed[0], *known, malformed[-1], *others)), SHOW, AGAIN, *map(commit, others)],
        [*map(commit, (*known[:1], *others, truth)), AGAIN, *map(commit, (*known[-1:], truth))],
    ]


def no_answers(question: Question) -> list[Any]:
    if isinstance(question, Number):
        return [*NO_NUMBERS, *(["2.5", "1/3"] if question.whole else [])]
    if isinstance(question, Interval):
        bad = [[text, "4"] for text in NO_NUMBERS] + [["0", text] for text in NO_NUMBERS]
        return [*bad, ["4", "0"], ["0", "1.5"], ["1"], None]
    if isinstance(question, Region):
        return [[], None, [99], [[0, 99]], [-99]]
    return [None, "no such option", ""]


def unknown_answers(question: Question, random: Random) -> list[Any]:
    """Five wrong answers that no mistake explains; none for a choice, where each option has its sentence."""
    if isinstance(question, Choice):
        return []
    found: list[Any] = []
    while len(found) < 5:
        answer = some_answer(question, random)
        verdict = judge(question, read_answer(question, answer))
        if not verdict.right and not verdict.sentence:
            found.append(answer)
    return found


def some_answer(question: Question, random: Random) -> Any:
    if isinstance(question, Number):
        return str(random.randint(-9, 2000))
    if isinstance(question, Interval):
        first = random.randint(-99, 99)
        return [str(first), f"+{first + random.randint(0, 30)}" if first >= 0 else "99"]
    assert isinstance(question, Region)
    rows, columns = (1, *question.cells)[-2:]
    cells = [(random.randrange(rows), random.randrange(columns)) for _ in range(random.randint(1, 6))]
    return [list(cell) if len(question.cells) == 2 else cell[1] + question.first for cell in cells]


# --------------------------------------------------------------------------------------- questions of no lesson

OWN = [
    Number("Share?", truth=lambda: 0.3, tolerance=0.05, whole=False, unit="pixels", id="own-share", hints=["Count."],
           mistakes=[(0.4, "M2", "Größer, \N{FIRE} *as* `it` is."), (0.38, None, "Near the other.")]),
    Number("Third?", truth=lambda: 1 / 3, tolerance=1e-06, whole=False, prediction=True, id="own-third"),
    Number("Far?", truth=lambda: 10**39, id="own-far", mistakes=[(2**53, "X9", "A float's end.")], hints=["1", "2"]),
    Number("None?", truth=lambda: 0, whole=False, unit="units", id="own-none"),
    Interval("Where?", truth=lambda: (-2, 2), mistakes=[((0, 4), "M8", "Without padding.")], id="own-where"),
    Region("Which?", cells=(9,), first=-3, truth=lambda: range(2), mistakes=[([3], "M2", "One.")], id="own-row"),
    Region("Which?", cells=(3, 12), noun="unit", marks=[((1, 2), "u")], truth=lambda: [(0, 10), (0, 9), (2, 1)],
           mistakes=[([(1, 1)], None, "The unit.")], hints=["Look."], id="own-grid"),
    Choice("Which?", options=[Option(0, "You counted.", "M3"), Option(1, "Yes."), Option("x", "No.", "X9")],
           truth=lambda: 1, unit="units", reveal=lambda: ["A *b*.", "\N{FIRE}"], id="own-choice"),
]  # fmt: skip


def own_cases(random: Random) -> Iterator[Case]:
    """Questions at the edges of what the kinds allow, with numbers as people, and cats, write them."""
    for question in OWN:
        led = sequences(question, random)
        if isinstance(question, Number | Interval):
            words = AS_WRITTEN + ["".join(random.choices(SIGNS, k=random.randint(1, 9))) for _ in range(300)]
            words += [f"{random.randint(-99, 99)}{random.choice('./')}{random.randint(0, 4096)}" for _ in range(300)]
            words += ["0.25", "0.2499", "0.35", "0.351", "0.4", "0.44", "0.39", "333333/1000000", "1/3"]
            as_sent = (lambda text: text) if isinstance(question, Number) else (lambda text: ["-100", text])
            led += [[commit(as_sent(text))] for text in words]
        if isinstance(question, Interval):
            led += [[commit([text, text])] for text in ("0", "-3", "9" * 30)]
        if isinstance(question, Region):
            led += [[commit(some_answer(question, random))] for _ in range(60)]
        yield case_of(question, led)


def write(path: Path, cases: list[Case]) -> Path:
    path.write_text(json.dumps(cases), encoding="utf-8")
    return path
