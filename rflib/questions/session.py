"""One question and one learner, from the asking to the reveal: all states, no pictures and no browser."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rflib.questions import judging, misconceptions
from rflib.questions.judging import AnswerError
from rflib.questions.kinds import Question, Region, resolved
from rflib.questions.progress import complaints
from rflib.questions.record import Event, Journal, Reading

_told: set[tuple[Path, int, str]] = set()  # complaints are made once in a process


@dataclass(frozen=True)
class View:
    """What the learner sees besides the question itself; before the commit everything is empty.

    Attributes:
        phase: "open" before an answer, "again" after a wrong one that may be followed by another, "done".
        verdict: "right", "wrong", "shown", or empty.
        given: The answer as plain data, to be marked in the form.
        answer: The answer in words.
        when: When it was given, if that was before this showing.
        sentence: What is said about the answer.
        mistake: The misconception behind it, its number and its name.
        truth: The right answer in words, when done.
        truth_cells: The right cells, when done, of a question about a region.
        reveal: Blocks of {"kind": "text" | "html" | "image", ...}, when done.
        problem: What is wrong with an input that was no try.
        note: Where the answer is kept, or why it is not, or what is wrong with the file.
        turn: Counts what has been done here, so that a second equal message is seen as new.
    """

    phase: str = "open"
    verdict: str = ""
    given: Any = None
    answer: str = ""
    when: str = ""
    sentence: str = ""
    mistake: str = ""
    truth: str = ""
    truth_cells: Any = None
    reveal: tuple[Mapping[str, str], ...] = ()
    problem: str = ""
    note: str = ""
    turn: int = 0


class Session:
    """Leads a learner through one question.

    Args:
        question: Of any kind.
        journal: Where answers are kept.
        clock: Gives the time, with its zone.
    """

    def __init__(
        self, question: Question, journal: Journal, clock: Callable[[], datetime] = lambda: datetime.now().astimezone()
    ) -> None:
        self.question, self._journal, self._clock = question, journal, clock
        reading = journal.read()
        print_ = question.fingerprint()
        self._events = [e for e in reading.events if e.question == question.id and e.fingerprint == print_]
        self._hints = 0
        self.view = View(note=_new_complaints(journal.path, reading))
        if self._events:
            self._restore(self._events[-1])

    def commit(self, given: Any) -> None:
        """Judge an answer and keep it; what is no answer changes nothing but `problem`."""
        if self.view.phase == "done":
            return
        try:
            answer = judging.read_answer(self.question, given)
        except AnswerError as error:
            self._next(problem=str(error))
            return
        try:
            verdict = judging.judge(self.question, answer)
            shown = self._judged(answer, verdict, verdict.mistake)
        except Exception as error:  # a question is data that anybody may write: it must not take the notebook along
            self._next(problem=f"This question cannot judge the answer ({_said(error)}). Nothing was kept.")
            return
        note = self._keep(judging.to_record(answer), "right" if verdict.right else "wrong", verdict.mistake)
        self._next(**shown, when="", problem="", note=note)

    def show(self) -> None:
        """Reveal without an answer; the question counts as unanswered."""
        if self.view.phase == "done":
            return
        try:
            revealed = self._revealed()
        except Exception as error:
            self._next(problem=f"This question cannot compute its answer ({_said(error)}). Nothing was kept.")
            return
        note = self._keep(None, "shown", None)
        empty = {"given": None, "answer": "", "when": "", "sentence": "", "mistake": "", "problem": ""}
        self._next(**empty, **revealed, phase="done", verdict="shown", note=note)

    def again(self) -> None:
        """Ask anew: an empty form, and nothing of the truth; the earlier answers stay in the file."""
        self._hints = 0
        self.view = View(turn=self.view.turn + 1)

    # ----------------------------------------------------------------------------------------------------------------

    def _next(self, **changes: Any) -> None:
        self.view = replace(self.view, turn=self.view.turn + 1, **changes)

    def _judged(self, answer: Any, verdict: judging.Verdict, mistake: str | None) -> dict[str, Any]:
        """What an answer makes of the view."""
        shown: dict[str, Any] = {
            "verdict": "right" if verdict.right else "wrong",
            "given": judging.to_record(answer),
            "answer": judging.in_words(self.question, answer),
            "sentence": verdict.sentence,
            "mistake": misconception(mistake),
        }
        if verdict.right or self.question.prediction:
            return {**shown, **self._revealed(), "phase": "done"}
        if not verdict.sentence:
            shown["sentence"] = self._hint()
        return {**shown, "phase": "again"}

    def _hint(self) -> str:
        """The next hint; the last one stays."""
        hints = self.question.hints
        if not hints:
            return ""
        step = min(self._hints, len(hints) - 1)
        self._hints += 1
        return f"Hint {step + 1} of {len(hints)}: {resolved(hints[step])}"

    def _revealed(self) -> dict[str, Any]:
        truth = judging.true_answer(self.question)
        cells = judging.to_record(truth) if isinstance(self.question, Region) else None
        return {
            "truth": judging.in_words(self.question, truth),
            "truth_cells": cells,
            "reveal": _revealed_blocks(self.question.reveal) if self.question.reveal else (),
        }

    def _keep(self, answer: Any, verdict: str, mistake: str | None) -> str:
        """Write the event down; what the learner has to know about that."""
        tries = sum(event.verdict != "shown" for event in self._events) + (verdict != "shown")
        question = self.question
        event = Event(
            self._clock(), question.id, question.fingerprint(), question.kind, answer, verdict, mistake, tries
        )
        self._events.append(event)
        problem = self._journal.append(event)
        return f"This answer is not kept: {problem}" if problem else f"Kept in {self._journal.path}"

    def _restore(self, event: Event) -> None:
        """Show the last answer as it was shown then."""
        try:
            when = f"{event.time:%d %B %Y, %H:%M}"
            if event.verdict == "shown":
                self.view = replace(self.view, **self._revealed(), phase="done", verdict="shown", when=when)
                return
            answer = judging.read_answer(self.question, event.answer)
            verdict = judging.judge(self.question, answer)
            self._hints = self._hints_given()
            verdict = replace(verdict, right=event.verdict == "right")
            self.view = replace(self.view, **self._judged(answer, verdict, event.mistake), when=when)
        except Exception as error:  # the record is a file that anybody may edit
            note = f"An earlier answer to this question cannot be shown ({_said(error)})."
            self.view = View(note=" ".join(filter(None, [self.view.note, note])))

    def _hints_given(self) -> int:
        """How many hints the last tries got before the very last one."""
        given = 0
        for event in reversed(self._events[:-1]):
            if event.verdict != "wrong":
                break
            given += event.mistake is None
        return given


def misconception(number: str | None) -> str:
    """A misconception's number and its name, as the learner reads them; empty where there is none."""
    name = misconceptions.name(number)
    return f"{number}: {name}" if name else number or ""


def blocks(content: Any) -> tuple[Mapping[str, str], ...]:
    """What a question reveals, as the browser takes it: one block for each item."""
    return tuple(_block(item) for item in (content if isinstance(content, list | tuple) else [content]))


def _revealed_blocks(reveal: Callable[[], Any]) -> tuple[Mapping[str, str], ...]:
    """The blocks of a reveal; one that fails says so and hides nothing else."""
    try:
        return blocks(reveal())
    except Exception as error:
        return ({"kind": "text", "text": f"The explanation cannot be shown ({_said(error)})."},)


def _block(item: Any) -> Mapping[str, str]:
    if isinstance(item, str):
        return {"kind": "text", "text": item}
    if hasattr(item, "_repr_mimebundle_"):
        bundle = item._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if "image/png" in data:
            png = data["image/png"]
            png = base64.b64encode(png).decode("ascii") if isinstance(png, bytes) else png
            return {"kind": "image", "png": png, "alt": str(metadata.get("image/png", {}).get("alt", item))}
    if hasattr(item, "_repr_html_"):
        return {"kind": "html", "html": str(item._repr_html_())}
    return {"kind": "text", "text": str(item)}


def _new_complaints(path: Path, reading: Reading) -> str:
    """What is wrong with the file and has not been said yet."""
    fresh = tuple(damage for damage in reading.damaged if (path, damage.line, damage.reason) not in _told)
    problem = "" if (path, 0, reading.problem) in _told else reading.problem
    _told.update((path, damage.line, damage.reason) for damage in fresh)
    _told.add((path, 0, reading.problem))
    return " ".join(complaints(path, Reading((), fresh, problem)))


def _said(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
