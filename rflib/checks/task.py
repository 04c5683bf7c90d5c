"""What a task of an exercise is: properties that earn points, inputs that test them, and how an answer is judged.

The checks beside a task and the judge share these. The truth of a "write it yourself" task is reached by brute force.
"""

from __future__ import annotations

import copy
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property, lru_cache
from random import Random
from typing import Any, TypeAlias

from rflib.checks.plain import plain
from rflib.questions import misconceptions

Inputs: TypeAlias = list[Any]  # plain data, one entry an argument

FEWEST = 6  # inputs that the judge draws for a property
TRIES = 2_000  # draws in search of an input that tells a wrong rule from the truth
SILENT = object()  # what a wrong rule gives where it cannot answer; no answer is like it


@dataclass(frozen=True)
class Rule:
    """A wrong rule that people really follow, so that its answers are recognized.

    Args:
        id: Number of the misconception, such as "M4"; None where it has none.
        sentence: What the learner reads: what was done, and what to do.
        answer: The wrong rule itself, from the inputs to its answer.
    """

    id: str | None
    sentence: str
    answer: Callable[..., Any]

    def __str__(self) -> str:
        name = misconceptions.name(self.id)
        return f"{self.sentence} ({self.id}: {name})" if name else self.sentence


@dataclass(frozen=True)
class Property:
    """One thing that an answer must get right; its points are given for all of it or not at all.

    Args:
        sentence: What is right where it holds, such as "strides multiply the jump".
        points: Whole points.
        draw: Draws one input for the judge.
        small: Inputs for the checks, the smallest first, so that the first one that fails is a smallest counterexample.
    """

    sentence: str
    points: int
    draw: Callable[[Random], Inputs]
    small: Callable[[], Iterable[Inputs]]


@dataclass(frozen=True)
class Fault:
    """One input on which an answer is wrong."""

    inputs: str
    got: str
    expected: str
    rule: Rule | None = None

    def __str__(self) -> str:
        told = f"{self.inputs} gave {self.got.rstrip('.')}; expected {self.expected}."
        return f"{told} {self.rule}" if self.rule else told


@dataclass(frozen=True)
class Verdict:
    """How a property went: over how many inputs, and the first fault."""

    of: Property
    tried: int
    wrong: int
    fault: Fault | None = None

    @property
    def points(self) -> int:
        return 0 if self.fault else self.of.points

    def __str__(self) -> str:
        right = f"{self.of.sentence}: {self.points} of {self.of.points}"
        return f"{right}. {self.fault}" if self.fault else f"{right}, right on {self.tried} of {self.tried} inputs"


@dataclass(frozen=True)
class Task(ABC):
    """One graded task: the learner writes a function of this name.

    Args:
        id: The exercise's number and a word, such as "02-forward".
        name: The function that the learner writes.
        properties: What earns points.
        prepare: Name of a function in `preparing.py` that makes the arguments out of an input; by default the input is
            the arguments.
        show: Shows the arguments of a call; by default as Python would.
        fewest: How many inputs the judge draws for a property at least.
    """

    id: str
    name: str
    properties: tuple[Property, ...]
    _: KW_ONLY
    prepare: str = ""
    show: Callable[..., str] | None = None
    fewest: int = FEWEST

    @abstractmethod
    def fault(self, inputs: Inputs, answer: Any) -> Fault | None:
        """What is wrong with a plain answer to an input; None where it is right."""

    @property
    def points(self) -> int:
        return sum(each.points for each in self.properties)

    def draw(self, seed: str) -> list[list[Inputs]]:
        """Fresh inputs for the judge, a list for each property; the same for the same seed.

        Args:
            seed: Any text; recorded beside the marks.
        """
        return [self._drawn(each, Random(f"{seed}/{self.id}/{place}")) for place, each in enumerate(self.properties)]

    def _drawn(self, of: Property, random: Random) -> list[Inputs]:
        return [of.draw(random) for _ in range(self.fewest)]

    def judge(self, drawn: Sequence[Sequence[Inputs]], answers: Any) -> tuple[Verdict, ...]:
        """The verdict on each property.

        Args:
            drawn: What `draw` returned.
            answers: What the learner's process handed out, believed in nothing: for each property and each input
                {"answer": plain value} or {"error": text}.
        """
        return tuple(
            self.verdict(each, inputs, _entry(answers, place))
            for place, (each, inputs) in enumerate(zip(self.properties, drawn, strict=True))
        )

    def verdict(self, of: Property, inputs: Sequence[Inputs], answers: Any) -> Verdict:
        """How one property went on these inputs; the fault shown is the first."""
        faults = [self.judged(given, _entry(answers, place)) for place, given in enumerate(inputs)]
        first = next((fault for fault in faults if fault), None)
        return Verdict(of, len(inputs), sum(fault is not None for fault in faults), first)

    def judged(self, inputs: Inputs, handed: Any) -> Fault | None:
        """The fault of what a process handed out for one input."""
        if isinstance(handed, dict) and "answer" in handed:
            try:
                answer = plain(handed["answer"])
            except (TypeError, ValueError, RecursionError, OverflowError):
                return self.fault_of(inputs, "something that is no plain data")
            return self.fault(copy.deepcopy(inputs), answer)
        error = handed.get("error") if isinstance(handed, dict) else None
        return self.fault_of(inputs, str(error)[:400] if error else "no answer")

    def fault_of(self, inputs: Inputs, got: str, expected: str = "an answer", rule: Rule | None = None) -> Fault:
        """A fault with the call shown as the learner would type it."""
        shown = self.show(*inputs) if self.show else ", ".join(map(repr, inputs))
        return Fault(f"{self.name}({shown})", got, expected, rule)


@dataclass(frozen=True)
class Written(Task):
    """A function whose answers are compared with the truth.

    Args:
        truth: From an input to the right answer, by brute force.
        rules: Known wrong rules, from the most to the least common.
        within: How far two numbers may be apart, relative to the larger one; 0 compares exactly.
        floor: Smaller numbers than this are held to the tolerance of this one.
    """

    _: KW_ONLY
    truth: Callable[..., Any]
    rules: tuple[Rule, ...] = ()
    within: float = 0.0
    floor: float = 0.0

    def fault(self, inputs: Inputs, answer: Any) -> Fault | None:
        expected = self.true(inputs)
        if alike(answer, expected, self.within, self.floor):
            return None
        return self.fault_of(inputs, said(answer), said(expected), self.rule([(inputs, answer)]))

    def verdict(self, of: Property, inputs: Sequence[Inputs], answers: Any) -> Verdict:
        """As for any task; the rule that is named explains the wrong answers together, not the first one by chance."""
        found = super().verdict(of, inputs, answers)
        handed = [_entry(answers, place) for place in range(len(inputs))]
        if not found.fault or not all(isinstance(each, dict) and "answer" in each for each in handed):
            return found
        pairs = [(given, each["answer"]) for given, each in zip(inputs, handed, strict=True)]
        return replace(found, fault=replace(found.fault, rule=self.rule(pairs)))

    def rule(self, answered: Sequence[tuple[Inputs, Any]]) -> Rule | None:
        """The known wrong rule that gives the first wrong answer, most of the wrong ones, and most of all."""
        wrong = [(given, answer) for given, answer in answered if self.fault_at(given, answer)]
        if not wrong:
            return None
        best: tuple[int, Rule | None] = (0, None)
        for rule in self.rules:
            if self.explains(rule, *wrong[0]) and 2 * sum(self.explains(rule, *each) for each in wrong) > len(wrong):
                best = max(best, (sum(self.explains(rule, *each) for each in answered), rule), key=lambda pair: pair[0])
        return best[1]

    def fault_at(self, inputs: Inputs, answer: Any) -> bool:
        """Whether an answer to an input is wrong."""
        return not alike(answer, self.true(inputs), self.within, self.floor)

    def explains(self, rule: Rule, inputs: Inputs, answer: Any) -> bool:
        """Whether a wrong rule gives this answer."""
        return alike(answer, self.ruled(rule, inputs), self.within, self.floor)

    def true(self, inputs: Inputs) -> Any:
        """The right answer as plain data."""
        return _answered(self.truth, json.dumps(inputs))

    def ruled(self, rule: Rule, inputs: Inputs) -> Any:
        """What a wrong rule answers, as plain data; SILENT where it cannot answer."""
        try:
            return _answered(rule.answer, json.dumps(inputs))
        except (ArithmeticError, LookupError, ValueError, TypeError):
            return SILENT

    def tells(self, rule: Rule, inputs: Inputs) -> bool:
        """Whether this input tells the rule from the truth."""
        return not alike(self.ruled(rule, inputs), self.true(inputs), self.within, self.floor)

    @cached_property
    def _rules_of(self) -> dict[str, list[Rule]]:
        """For each property the rules that it can tell from the truth at all."""
        return {
            each.sentence: [rule for rule in self.rules if any(self.tells(rule, given) for given in each.small())]
            for each in self.properties
        }

    def _drawn(self, of: Property, random: Random) -> list[Inputs]:
        """Inputs until each rule that the property can tell from the truth is told from it."""
        drawn = super()._drawn(of, random)
        for rule in self._rules_of[of.sentence]:
            if any(self.tells(rule, given) for given in drawn):
                continue
            more = (of.draw(random) for _ in range(TRIES))
            drawn += next(([given] for given in more if self.tells(rule, given)), [])
        return drawn


@dataclass(frozen=True)
class Designed(Task):
    """A function whose answers are designs: many are right, and each is judged by what it does.

    Args:
        lacks: From an input and the answer to what the design lacks, in a sentence ("a field of 14, not 15"); "" where
            it lacks nothing. It meets whatever a learner returns and raises nothing.
        wanted: From an input to what was asked for, in words.
        rules: Wrong rules; each says, from an input and an answer, whether it explains a design that lacks something.
        one_for_all: From inputs to whether one and the same answer might do for all of them; then the judge draws on.
    """

    _: KW_ONLY
    lacks: Callable[[Inputs, Any], str]
    wanted: Callable[[Inputs], str]
    rules: tuple[Rule, ...] = ()
    one_for_all: Callable[[Sequence[Inputs]], bool] | None = None

    def _drawn(self, of: Property, random: Random) -> list[Inputs]:
        """Inputs until no answer can be given without looking at them."""
        drawn = super()._drawn(of, random)
        while self.one_for_all and self.one_for_all(drawn):
            drawn.append(of.draw(random))
        return drawn

    def verdict(self, of: Property, inputs: Sequence[Inputs], answers: Any) -> Verdict:
        """As for any task; the fault that is shown is one that the rule explains which explains most of them."""
        found = super().verdict(of, inputs, answers)
        if not found.fault or len(inputs) == 1:
            return found
        handed = [_entry(answers, place) for place in range(len(inputs))]
        wrong = [
            (given, each["answer"])
            for given, each in zip(inputs, handed, strict=True)
            if isinstance(each, dict) and "answer" in each and self.judged(given, each)
        ]
        best: tuple[int, Fault | None] = (0, None)
        for rule in self.rules:
            explained = [(given, answer) for given, answer in wrong if rule.answer(given, answer)]
            if len(explained) > best[0]:
                shown = self.judged(explained[0][0], {"answer": explained[0][1]})
                best = len(explained), shown and replace(shown, rule=rule)
        return replace(found, fault=best[1]) if best[1] else found

    def fault(self, inputs: Inputs, answer: Any) -> Fault | None:
        lack = self.lacks(inputs, answer)
        if not lack:
            return None
        rule = next((rule for rule in self.rules if rule.answer(inputs, answer)), None)
        return self.fault_of(inputs, f"{said(answer)}: {lack}", self.wanted(inputs), rule)


def alike(answer: Any, expected: Any, within: float = 0.0, floor: float = 0.0) -> bool:
    """Whether two plain values are the same; True and 1 are not.

    Example:
        >>> alike([7, 2], [7, 2]), alike(True, 1), alike(0.999, 1, within=0.01)
        (True, False, True)

    Args:
        answer: Plain data.
        expected: Plain data.
        within: How far numbers may be apart, relative to the larger one.
        floor: Smaller numbers than this are held to the tolerance of this one.
    """
    if isinstance(answer, list) and isinstance(expected, list):
        pairs = zip(answer, expected, strict=False)
        return len(answer) == len(expected) and all(alike(a, b, within, floor) for a, b in pairs)
    if isinstance(answer, dict) and isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(
            alike(answer[key], expected[key], within, floor) for key in expected
        )
    if isinstance(answer, bool) or isinstance(expected, bool):
        return answer is expected
    if isinstance(answer, int | float) and isinstance(expected, int | float):
        return answer == expected or (within > 0 and _near(answer, expected, within, floor))
    return type(answer) is type(expected) and bool(answer == expected)


def _near(answer: float, expected: float, within: float, floor: float) -> bool:
    try:
        # An infinity would be near to everything: its tolerance, a share of the larger number, is infinite too.
        finite = math.isfinite(answer) and math.isfinite(expected)
        return finite and abs(answer - expected) <= within * max(abs(answer), abs(expected), floor)
    except OverflowError:
        return False


def said(value: Any) -> str:
    """A plain value as the learner reads it, cut where it is long.

    Example:
        >>> said([1, 2]), said("x" * 300)[-3:]
        ('[1, 2]', '...')
    """
    text = json.dumps(value) if isinstance(value, dict) else repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."


@lru_cache(maxsize=20_000)
def _answered(function: Callable[..., Any], inputs: str) -> Any:
    """What a function answers to inputs in JSON, as plain data; a whole class is asked about the same ones."""
    return plain(function(*json.loads(inputs)))


def _entry(answers: Any, place: int) -> Any:
    return answers[place] if isinstance(answers, list) and place < len(answers) else None
