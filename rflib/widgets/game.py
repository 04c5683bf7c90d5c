"""The design game: build the cheapest stack that meets what a round requires."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import traitlets
from matplotlib.figure import Figure

from rflib.arithmetic import Layer, shown, whole_number
from rflib.design import Assessment, Design, Requirements, assess, cheapest
from rflib.design.designs import padded_layer
from rflib.errors import ModelError, ReceptiveFieldError, UnknownNameError
from rflib.figures import drawing as d
from rflib.figures.drawing import Drawing
from rflib.figures.stacks import draw_stack
from rflib.questions.record import Event, find_journal
from rflib.widgets.checked import Checked, CheckedExplorer
from rflib.widgets.game_rounds import (
    ROUNDS,
    Round,
    Row,
    Rows,
    as_layers,
    check_size,
    checked_rows,
    fingerprint,
    first_stack,
    question_id,
    row_of,
)

_KIND = "design game"


class _Kept(Checked):
    """A trait that the game alone sets."""

    read_only = True


class DesignGame(CheckedExplorer):
    """Reach a field within a budget: stacks are built, measured against the requirements, and scored.

    The score is that of `rflib.design.assess`: 100 for the cheapest stack there is, found by exact search. The best
    stack of each round is kept, in the game and on your disk in the file of your answers; lines are only ever added to
    that file, and what cannot be read in it is passed over. The cheapest stack is shown on request, and then the round
    counts as given up: what is built in it afterwards is scored, but not kept.

    Example:
        >>> game = DesignGame(name="Small steps", keep=False)
        >>> game.layers = [Layer(5, padding=2), *[Layer(3, padding=1)] * 5]
        >>> game.score, game.solved, game.best.design.field.size
        (90, True, 15)
        >>> game
        DesignGame, round 'Small steps': conv 5, conv 3, conv 3, conv 3, conv 3, conv 3. Score 90, best so far 90.

    Args:
        requirements: What has to be reached; None for the rounds that come with the game.
        name: What the round of your requirements is called, or with which ready round to begin: "Small steps", "Sooner
            is cheaper", "Sharp and without holes", "To the position" or "Everything at once".
        keep: Whether the best is kept on your disk.

    Raises:
        NoSingleAnswerError: If no stack of the allowed layers meets the requirements.
        ModelError: If the numbers of the requirements are too large for the browser to count exactly.
        UnknownNameError: If there is no such ready round.
    """

    rounds: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True)
    level = Checked("_checked_level", 0).tag(sync=True)
    stacks = Checked("_checked_stacks", ()).tag(sync=True)
    best_stacks = _Kept("_checked_solutions", ()).tag(sync=True)
    shown_stacks = _Kept("_checked_solutions", ()).tag(sync=True)
    note = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, requirements: Requirements | None = None, name: str | None = None, *, keep: bool = True) -> None:
        self._rounds, first = _chosen(requirements, name)
        self._least = [
            getattr(cheapest(a_round.requirements).best.cost, a_round.requirements.by) for a_round in self._rounds
        ]
        for a_round in self._rounds:
            check_size(a_round.requirements)
        self._journal = find_journal() if keep else None
        super().__init__()
        self.set_trait("rounds", [
            {**asdict(a_round.requirements), "name": a_round.name, "says": a_round.says, "least": least}
            for a_round, least in zip(self._rounds, self._least, strict=True)
        ])  # fmt: skip
        self.level = first
        self._restore()
        self.observe(self._keep_best, "stacks")
        self.on_msg(self._receive)

    @traitlets.default("stacks")
    def _first_stacks(self) -> tuple[Rows, ...]:
        return tuple(first_stack(a_round.requirements) for a_round in self._rounds)

    @traitlets.default("best_stacks")
    def _no_best(self) -> tuple[Rows, ...]:
        return ((),) * len(self._rounds)

    @traitlets.default("shown_stacks")
    def _none_shown(self) -> tuple[Rows, ...]:
        return ((),) * len(self._rounds)

    # ------------------------------------------------------------------------------------------------ the round shown

    @property
    def requirements(self) -> Requirements:
        """What the round asks for."""
        wanted: Requirements = self._rounds[self.level].requirements
        return wanted

    @property
    def layers(self) -> list[Layer]:
        """The stack of the round; each layer's name says its kind. Set it to change the stack.

        An unpadded layer of two taps or more whose stride is its kernel counts as pooling; other layers count as
        ordinary convolutions, or as the only kind of convolution that the round allows, unless their name begins with
        "conv", "separable" or "pool", as the names of these here do.
        """
        return _named(self.stacks[self.level])

    @layers.setter
    def layers(self, layers: Iterable[Layer]) -> None:
        self._put([row_of(layer, self.requirements) for layer in as_layers(layers)])

    @property
    def design(self) -> Design | None:
        """The stack of the round with its kinds, field and cost; None while it is empty. Set it to change the stack."""
        return self._design(self.stacks[self.level], self.level)

    @design.setter
    def design(self, design: Design) -> None:
        if not isinstance(design, Design):
            raise ModelError(f"`design` must be a Design of rflib.design; got {shown(design)}.")
        pairs = zip(design.layers, design.kinds, strict=True)
        self._put([row_of(layer, self.requirements, kind) for layer, kind in pairs])

    @property
    def assessment(self) -> Assessment | None:
        """How the stack stands against the requirements; None while it is empty."""
        return self._assess(self.stacks[self.level], self.level)

    @property
    def score(self) -> int:
        """Of the stack as it is now: 0 where anything is missed, 100 for the cheapest there is."""
        assessment = self.assessment
        return assessment.score if assessment else 0

    @property
    def best(self) -> Assessment | None:
        """The best so far in this round; None before anything meets the requirements."""
        return self._assess(self.best_stacks[self.level], self.level)

    @property
    def solved(self) -> bool:
        """Whether some stack in this round has met all requirements before it was given up."""
        return bool(self.best_stacks[self.level])

    @property
    def given_up(self) -> bool:
        """Whether the cheapest stack was shown."""
        return bool(self.shown_stacks[self.level])

    def show_solution(self) -> Design:
        """Give up this round: the cheapest stack is shown, in the browser too."""
        level = self.level
        best = cheapest(self._rounds[level].requirements).best
        if not self.shown_stacks[level]:
            self._show(level, best)
            self._write(level, "shown", None)
        return best

    def __repr__(self) -> str:
        design = self.design
        best = self.best
        kept = f"best so far {best.score}" if best else "nothing solved yet"
        given_up = ", given up" if self.given_up else ""
        name = self._rounds[self.level].name
        return f"DesignGame, round {name!r}: {design or 'no layers yet'}. Score {self.score}, {kept}{given_up}."

    def picture(self) -> Drawing:
        """The stack as it is now, with its cone, and in words how it stands against the requirements."""
        assessment, layers = self.assessment, self.layers
        if assessment is None:
            said = f"{self._rounds[self.level].name}: {self._rounds[self.level].says} The stack has no layers yet."
            figure = Figure(figsize=(d.WIDTH, 0.6), dpi=d.DPI, facecolor="white")
            figure.text(0.02, 0.5, said, color=d.BLACK, fontsize=d.SMALL, verticalalignment="center")
            return Drawing(figure, said)
        drawing = draw_stack(layers)
        marked = " ".join([*assessment.fulfilled, *(f"Missed: {said}" for said in assessment.missed)])
        return Drawing(drawing.figure, f"{drawing.alt} {marked} Score {assessment.score}.")

    # ---------------------------------------------------------------------------------------------------------- checks

    def _checked_level(self, given: Any) -> int:
        number = whole_number(given)
        if number is None or not 0 <= number < len(self._rounds):
            raise ModelError(f"`level` must be an integer from 0 to {len(self._rounds) - 1}; got {shown(given)}.")
        return number

    def _checked_stacks(self, given: Any) -> tuple[Rows, ...]:
        """One stack a round."""
        if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != len(self._rounds):
            whole = d.count(len(self._rounds), "stack")
            raise ModelError(f"`stacks` must be a list of {whole}, one for each round; got {shown(given)}.")
        return tuple(checked_rows(rows, a_round) for rows, a_round in zip(given, self._rounds, strict=True))

    def _checked_solutions(self, given: Any) -> tuple[Rows, ...]:
        """One stack a round, each empty or one that meets the requirements."""
        stacks = self._checked_stacks(given)
        for level, rows in enumerate(stacks):
            found = self._assess(rows, level)
            if found and found.missed:
                name = self._rounds[level].name
                raise ModelError(f"The stack of round {name!r} does not solve it: {found.missed[0]}")
        return stacks

    # --------------------------------------------------------------------------------------------------------- the rest

    def _put(self, rows: Sequence[Row]) -> None:
        self.stacks = _replaced(self.stacks, self.level, rows)

    def _design(self, rows: Rows, level: int) -> Design | None:
        if not rows:
            return None
        return self._rounds[level].requirements.design(_named(rows), [kind for *_, kind in rows])

    def _assess(self, rows: Rows, level: int) -> Assessment | None:
        design = self._design(rows, level)
        return assess(design, self._rounds[level].requirements) if design else None

    def _receive(self, _widget: object, message: Any, _buffers: object) -> None:
        """What the browser asks for: {"action": "show"}, the round being the one shown."""
        if isinstance(message, dict) and message.get("action") == "show":
            self.show_solution()

    def _keep_best(self, change: Any) -> None:
        """Keep what is better than the best so far, in every round that is not given up."""
        for level, (before, rows) in enumerate(zip(change["old"], change["new"], strict=True)):
            if rows != before and self._improves(rows, level):
                self.set_trait("best_stacks", _replaced(self.best_stacks, level, rows))
                self._write(level, "right", rows)

    def _improves(self, rows: Rows, level: int) -> bool:
        found, best = self._assess(rows, level), self._assess(self.best_stacks[level], level)
        return bool(found and not self.shown_stacks[level] and found.score > (best.score if best else 0))

    def _show(self, level: int, design: Design) -> None:
        wanted = self._rounds[level].requirements
        rows = [row_of(layer, wanted, kind) for layer, kind in zip(design.layers, design.kinds, strict=True)]
        self.set_trait("shown_stacks", _replaced(self.shown_stacks, level, rows))

    # --------------------------------------------------------------------------------------------------------- the disk

    def _write(self, level: int, verdict: str, rows: Rows | None) -> None:
        if self._journal is None:
            return
        a_round = self._rounds[level]
        answer = (
            {"stack": rows, "score": assessment.score} if (assessment := rows and self._assess(rows, level)) else None
        )
        event = Event(
            datetime.now().astimezone(), question_id(a_round), fingerprint(a_round), _KIND, answer, verdict, None, 1
        )
        problem = self._journal.append(event)
        self.set_trait(
            "note", f"This is not kept on the disk: {problem}" if problem else f"Kept in {self._journal.path}"
        )

    def _restore(self) -> None:
        """The best of former times, judged anew; what cannot be read or is no solution is passed over."""
        if self._journal is None:
            return
        reading = self._journal.read()
        for event in reading.events:
            for level, a_round in enumerate(self._rounds):
                if (event.kind, event.question, event.fingerprint) == (
                    _KIND,
                    question_id(a_round),
                    fingerprint(a_round),
                ):
                    self._take(level, event)
        if reading.problem or reading.damaged:
            lines = f"{len(reading.damaged)} of its lines cannot be read and are left as found."
            self.set_trait("note", reading.problem or f"{self._journal.path}: {lines}")

    def _take(self, level: int, event: Event) -> None:
        if event.verdict == "shown":
            self._show(level, cheapest(self._rounds[level].requirements).best)
            return
        try:
            rows = checked_rows(event.answer["stack"], self._rounds[level])
        except (ReceptiveFieldError, TypeError, KeyError):  # anybody may edit the file
            return
        if self._improves(rows, level):
            self.set_trait("best_stacks", _replaced(self.best_stacks, level, rows))


def _chosen(requirements: Requirements | None, name: str | None) -> tuple[tuple[Round, ...], int]:
    """The rounds of a game, and with which it begins."""
    if requirements is not None:
        if not isinstance(requirements, Requirements):
            raise ModelError(f"`requirements` must be Requirements of rflib.design or None; got {shown(requirements)}.")
        return (Round(name or "Your own round", "Meet the requirements as cheaply as you can.", requirements),), 0
    names = [a_round.name for a_round in ROUNDS]
    if name is not None and name not in names:
        raise UnknownNameError("round", name, names)
    return ROUNDS, names.index(name) if name else 0


def _named(rows: Rows) -> list[Layer]:
    """The layers, each named by its kind and its number."""
    return [replace(padded_layer(*row), name=f"{row[3]} {number}") for number, row in enumerate(rows, start=1)]


def _replaced(stacks: tuple[Rows, ...], level: int, rows: Sequence[Row]) -> tuple[Rows, ...]:
    return (*stacks[:level], tuple(rows), *stacks[level + 1 :])
