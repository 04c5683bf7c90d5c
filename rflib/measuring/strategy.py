"""Which pokes decide for a model, given what it does to NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rflib.measuring.watching import FunctionWatch, Watch


class Round(NamedTuple):
    """One way to poke: how weights and values are drawn, and the size of the poke (None is NaN)."""

    weights: str
    values: str
    poke: float | None


# Positive weights and a large poke win every maximum and open every ReLU, a negative one flips every sign; signed
# weights reach what only falls; zeros leave nothing for a small change to drown in; 1e60 outlives deep rounding.
FINITE = (
    Round("positive", "positive", 1e3),
    Round("positive", "positive", -1e3),
    Round("zero", "zero", 1.0),
    Round("positive", "normal", -3.0),
    Round("signed", "normal", 1.0),
    Round("signed", "normal", -30.0),
    Round("signed", "positive", 1e3),
    Round("own", "given", 1e3),
    Round("positive", "positive", 1e60),
    Round("positive", "positive", -1e60),
)
DRAWS = (("positive", "positive"), ("positive", "normal"), ("signed", "normal"), ("own", "normal"), ("own", "given"))


@dataclass(frozen=True)
class Strategy:
    """How reads are told from the rest, and why.

    Attributes:
        rounds: The ways to poke, one after another; what any of them changes is read.
        marks: Whether NaN takes part.
        causal: Whether causal attention needs its repair.
        resampling: Whether other operations need one.
        reason: Why these pokes, for people.
        places: Whether places to read are computed from the data.
        alone: Whether values steer the model, so that samples in one run could steer each other.
    """

    rounds: tuple[Round, ...]
    marks: bool
    causal: bool
    resampling: bool
    reason: str
    places: bool = False
    alone: bool = False

    def __str__(self) -> str:
        pokes = "NaN" if self.marks else "finite pokes"
        return f"{pokes}{' and finite pokes' if self.marks and len(self.rounds) > 1 else ''}: {self.reason}"


def finite(reason: str, resampling: bool = True, alone: bool = False) -> Strategy:
    """Finite pokes of the whole model, where NaN cannot be used."""
    return Strategy(FINITE, False, False, resampling, reason, alone=alone)


def some(names: set[str]) -> str:
    """The first few names, for a sentence."""
    return ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")


def decide(first: Watch, second: Watch, functions: FunctionWatch, draw: tuple[str, str]) -> Strategy:
    """The strategy for a model that was watched with ordinary numbers and with NaN."""
    resampling = bool(second.local | second.nearest)
    nan = Round(*draw, None)
    if second.unknown or first.unknown:
        reason = f"NaN may go astray in {some(second.unknown | first.unknown)}"
        return finite(reason, resampling)
    places = first.indexed | second.indexed
    lost = second.loses | places
    if lost:
        reason = f"NaN may get lost in {some(lost)}"
        reason += "; of places computed from the data only those that were drawn are seen" if places else ""
        return Strategy((nan, *FINITE), True, functions.causal, resampling, reason, bool(places))
    special = second.local | ({"causal attention"} if functions.causal else set())
    reason = f"with {some(special)} poked on the spot" if special else "every operation carries it"
    return Strategy((nan,), True, functions.causal, resampling, reason)
