"""What every experiment returns: frozen, plain numbers, a table, one sentence that states the finding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any, ClassVar, TypeAlias

from torch import Tensor

from rflib.reporting import plain
from rflib.tables import html_table, text_table

__all__ = ["Picture", "Result", "mean", "picture", "spread"]

Picture: TypeAlias = tuple[tuple[float, ...], ...]


class Result(ABC):
    """A result of an experiment. Subclasses are frozen dataclasses whose fields are numbers, strings and tuples."""

    title: ClassVar[str]

    @property
    @abstractmethod
    def finding(self) -> str:
        """What these runs show, in one sentence made from their numbers."""

    @abstractmethod
    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """Headings and rows."""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data for JSON, the title and the finding included."""
        return {"title": self.title, "finding": self.finding, **plain(asdict(self))}  # type: ignore[call-overload]

    def __repr__(self) -> str:
        return f"{self.title}\n{text_table(*self.table())}\n{self.finding}"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self.title)}</b></p>{html_table(*self.table())}<p>{escape(self.finding)}</p>"


def mean(values: Iterable[float]) -> float:
    """The mean; of nothing, nan."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")


def spread(values: Iterable[float], digits: int = 2) -> str:
    """One number where all agree after rounding, else lowest-highest."""
    listed = sorted(values)
    low, high = (f"{listed[0]:.{digits}f}", f"{listed[-1]:.{digits}f}") if listed else ("-", "-")
    return low if low == high else f"{low}-{high}"


def picture(values: Tensor, digits: int = 3) -> Picture:
    """A (height, width) tensor as rows of rounded numbers, as a frozen result can keep it."""
    return tuple(tuple(round(float(v), digits) for v in row) for row in values)
