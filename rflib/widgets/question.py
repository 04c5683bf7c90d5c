"""A question in a notebook: the form, the commit, the reveal."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import Any

import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rflib.figures import drawing as d
from rflib.figures.drawing import Drawing
from rflib.questions.kinds import Question, Region
from rflib.questions.rehearsal import coded, rehearsed
from rflib.questions.session import Session, View
from rflib.widgets.base import Explorer

_COLUMNS = 92  # letters a line in the picture
_LINE = 0.24  # inches


class QuestionWidget(Explorer):
    """A question that the learner answers with the mouse or the keyboard.

    The browser gets the form of the question and the view of the session; the truth is computed after the commit. On a
    page without Python question_session.js leads through the question, by a `recording`.

    Example:
        >>> from pathlib import Path
        >>> from rflib.questions import Number
        >>> from rflib.questions.record import Journal
        >>> question = Number("How wide?", truth=lambda: 5, prediction=True)
        >>> QuestionWidget(Session(question, Journal(Path("no_such_folder", "answers.jsonl"))))
        Prediction: How wide?

    Args:
        session: Leads through the question.
    """

    form = traitlets.Dict(read_only=True).tag(sync=True)
    view = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, session: Session) -> None:
        self._session = session
        super().__init__()
        self.set_trait("form", session.question.form())
        self._update()
        self.on_msg(self._receive)

    def _receive(self, _widget: object, message: Any, _buffers: object) -> None:
        """What the learner did: {"action": "commit" | "show" | "again", "answer": ...}."""
        action = message.get("action") if isinstance(message, dict) else None
        if action == "commit":
            self._session.commit(message.get("answer"))
        elif action == "show":
            self._session.show()
        elif action == "again":
            self._session.again()
        else:
            return  # anywidget's own messages
        self._update()

    def recording(self) -> dict[str, Any]:
        """All that this question can say, in code: see `rflib.questions.rehearsal`. Nothing of the learner is in it."""
        return coded(rehearsed(self._session.question))

    @traitlets.observe("_recording")
    def _forget(self, _change: object) -> None:
        """A page without Python begins with the open question, whatever is kept on the machine that builds it."""
        if self._recording:
            self._show(View())

    def _update(self) -> None:
        self._show(self._session.view)

    def _show(self, shown: View) -> None:
        view = asdict(shown)
        view["reveal"] = [dict(block) for block in view["reveal"]]
        self.set_trait("view", view)

    def __repr__(self) -> str:
        return f"{_heading(self._session.question)}: {_unmarked(self._session.question.prompt)}"

    def picture(self) -> Drawing:
        """The question and its options, whatever has been answered: a saved notebook gives nothing away."""
        question = self._session.question
        lines = _lines(question)
        region = question.cells if isinstance(question, Region) else ()
        rows = region[0] if len(region) == 2 else len(region)
        height = _LINE * (len(lines) + 1) + 0.3 * rows + 0.3
        figure = Figure(figsize=(d.WIDTH, height), dpi=d.DPI, facecolor="white")
        look: dict[str, Any] = {"color": d.BLACK, "fontsize": d.SMALL, "verticalalignment": "top", "parse_math": False}
        for number, (line, weight) in enumerate(lines):
            figure.text(0.02, 1 - (0.15 + _LINE * number) / height, line, fontweight=weight, **look)
        if isinstance(question, Region):
            _draw_cells(figure.add_axes((0.02, 0.12 / height, 0.96, (0.3 * rows + 0.1) / height)), question)
        return Drawing(figure, " ".join(line for line, _ in lines if line))


def _heading(question: Question) -> str:
    return "Prediction" if question.prediction else "Self-check"


def _unmarked(text: str) -> str:
    return text.replace("`", "").replace("*", "")


def _lines(question: Question) -> list[tuple[str, str]]:
    """The text of the picture, line by line, each with its weight."""
    form = question.form()
    prompt = [line for part in _unmarked(question.prompt).splitlines() for line in _wrapped(part, _COLUMNS)]
    options = [_wrapped(_unmarked(label), _COLUMNS - 4) for label in form.get("options", ())]
    unit = f" ({form['unit']})" if form.get("unit") else ""
    fields = {"number": [f"Answer{unit}: ____"], "interval": [f"First and last{unit}: ____ to ____"]}
    said = [(_heading(question), "bold"), *((line, "normal") for line in prompt)]
    for first, *others in options:
        said += [(f"\N{WHITE CIRCLE} {first}", "normal"), *((f"    {line}", "normal") for line in others)]
    said += [(line, "normal") for line in fields.get(question.kind, ())]
    return [*said, ("Run this cell to answer.", "bold")]


def _draw_cells(axes: Axes, question: Region) -> None:
    """The cells to choose from, none chosen."""
    rows, columns = question.cells if len(question.cells) == 2 else (1, question.cells[0])
    marks = dict(question.marks)
    axes.set(xlim=(0, max(columns, 28)), ylim=(rows, 0))
    axes.axis("off")
    for row in range(rows):
        for column in range(columns):
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor="white", edgecolor=d.GRAY))
            cell = (row, column) if len(question.cells) == 2 else column + question.first
            number = "" if isinstance(cell, tuple) else str(cell)
            text = " ".join(filter(None, [number, marks.get(cell, "")]))
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9, color=d.BLACK)


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, columns, break_on_hyphens=False)
