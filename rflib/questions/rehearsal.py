"""A question's session, rehearsed: all it would say, for pages without Python such as the website and the slides.

`rehearsed` asks the question everything beforehand; rflib/widgets/question_session.js then leads a reader through it as
`Session` leads a learner. Nothing here reads or writes the learner's journal.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

from PIL import Image  # matplotlib brings it along

from rflib.questions import judging
from rflib.questions.kinds import Choice, Number, Question, Region, resolved
from rflib.questions.session import blocks, misconception

NOTE = "On this page nothing is kept; in the notebook your answers are."
_COLORS = 256  # as many as one byte a pixel can name


def rehearsed(question: Question) -> dict[str, Any]:
    """Everything that a session says about a question, as plain data.

    Example:
        >>> from rflib.questions import Number
        >>> found = rehearsed(Number("How wide?", truth=lambda: 5, hints=["Count."], reveal=lambda: "Three and two."))
        >>> found["outcomes"], found["reveal"]
        ([{'answer': '5', 'right': True, 'sentence': '', 'mistake': ''}], [{'kind': 'text', 'text': 'Three and two.'}])

    Args:
        question: Of any kind.

    Returns:
        outcomes: The truth, then the known mistakes; the first that an answer agrees with decides, and an answer that
            agrees with none is wrong without a sentence. tolerance: How far an answer may be away.
        truth, truth_cells, reveal, hints, note: As in `View`. A picture's "image" is its place in "images".

    Raises:
        QuestionError: If the truth is nothing that this kind of question can have. What the question's own functions
            raise comes through: a page with half an answer should not be built.
    """
    value = question.truth()  # computed once: some truths train a network
    question = replace(question, truth=lambda: value)
    truth = judging.true_answer(question)
    reveal, images = _without_images(blocks(question.reveal()) if question.reveal else ())
    return {
        "outcomes": _outcomes(question, truth),
        "tolerance": str(Fraction(str(question.tolerance))) if isinstance(question, Number) else "0",
        "hints": [str(resolved(hint)) for hint in question.hints],
        "truth": judging.in_words(question, truth),
        "truth_cells": judging.to_record(truth) if isinstance(question, Region) else None,
        "reveal": reveal,
        "note": NOTE,
        "images": images,
    }


def coded(rehearsal: dict[str, Any]) -> dict[str, Any]:
    """A rehearsal as it stands in a page: its words in base64, its pictures, which are in base64 already, beside them.

    This keeps no secret. It keeps the answer from the eyes of a reader who looks at the page's source, or searches it,
    before committing to one of their own.

    Example:
        >>> coded({"truth": "5 pixels", "images": []})
        {'words': 'eyJ0cnV0aCI6ICI1IHBpeGVscyJ9', 'images': []}

    Args:
        rehearsal: What `rehearsed` returns.

    Returns:
        words: The rehearsal without its pictures, as JSON in UTF-8 in base64. images: PNG files in base64.
    """
    words = {name: value for name, value in rehearsal.items() if name != "images"}
    text = json.dumps(words, ensure_ascii=False).encode("utf-8")
    return {"words": base64.b64encode(text).decode("ascii"), "images": rehearsal["images"]}


def _outcomes(question: Question, truth: Any) -> list[dict[str, Any]]:
    """What is said about each answer of which something is known, the truth first."""
    if isinstance(question, Choice):
        answers: list[Any] = [question.label(option) for option in question.options]
        verdicts = [judging.judge(question, answer) for answer in answers]
    else:
        answers = [truth, *(judging.mistaken_answer(question, mistake) for mistake in question.known_mistakes)]
        said = [judging.Verdict(False, known.id, str(resolved(known.sentence))) for known in question.known_mistakes]
        verdicts = [judging.Verdict(True), *said]
    return [
        {
            "answer": str(answer) if isinstance(answer, Fraction) else judging.to_record(answer),
            "right": verdict.right,
            "sentence": verdict.sentence,
            "mistake": misconception(verdict.mistake),
        }
        for answer, verdict in zip(answers, verdicts, strict=True)
    ]


def _without_images(reveal: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The blocks of a reveal, and the pictures taken out of them."""
    found: list[dict[str, Any]] = []
    images: list[str] = []
    for block in reveal:
        if block["kind"] == "image":
            found.append({"kind": "image", "image": len(images), "alt": block["alt"]})
            images.append(_smaller(block["png"]))
        else:
            found.append(dict(block))
    return found, images


def _smaller(png: str) -> str:
    """The same picture with one byte a pixel, where that is shorter: matplotlib writes four."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    written = io.BytesIO()
    picture.quantize(_COLORS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    shorter = base64.b64encode(written.getvalue()).decode("ascii")
    return min(png, shorter, key=len)
