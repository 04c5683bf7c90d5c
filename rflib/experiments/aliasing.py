"""Aliasing: stripes too fine for the units that are left come out as stripes that are not there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.results import Result
from rflib.experiments.training import at_least

__all__ = ["SUBSAMPLERS", "AliasingTest", "StripeRun", "draw_stripes", "draw_zone_plate", "subsample_stripes"]

STRIDE = 2
ROWS = 8
MARGIN = 8  # columns beyond the ones that are judged, so that no window hangs over a border
PHASE = 0.3  # radians; without it the finest stripes would fall on their zeros

# Each halves both axes. Two average pools one behind the other weigh their inputs 1, 2, 1: the smallest blur.
SUBSAMPLERS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {
        "every second": lambda: nn.MaxPool2d(1, stride=2),
        "max pool": lambda: nn.MaxPool2d(2),
        "average pool": lambda: nn.AvgPool2d(2),
        "blur": lambda: nn.Sequential(nn.AvgPool2d(2, stride=1), nn.AvgPool2d(2)),
        "blurred max pool": lambda: nn.Sequential(
            nn.MaxPool2d(2, stride=1), nn.AvgPool2d(2, stride=1), nn.AvgPool2d(2)
        ),
    }
)


@dataclass(frozen=True)
class StripeRun:
    """What one way of subsampling makes of stripes.

    Attributes:
        subsampler: A name from `SUBSAMPLERS`.
        stripes: In the image, light and dark counted as one stripe.
        seen: In the output: the strongest number of stripes; 0 where the output is flat.
        strength: Of these, as a share of the strength in the image.
    """

    subsampler: str
    stripes: int
    seen: int
    strength: float


@dataclass(frozen=True, repr=False)
class AliasingTest(Result):
    """Stripes of several widths, subsampled in several ways.

    Attributes:
        length: Width of the image in pixels; the output has half as many units.
        runs: One for each way of subsampling and number of stripes.
    """

    title: ClassVar[str] = "Stripes before and after subsampling by 2"

    length: int
    runs: tuple[StripeRun, ...]

    @property
    def finest(self) -> int:
        """The most stripes that the output can show: one for two units."""
        return self.length // STRIDE // 2

    def strength(self, subsampler: str, stripes: int) -> float:
        """What is left of the stripes, right or false."""
        return next(r.strength for r in self.runs if (r.subsampler, r.stripes) == (subsampler, stripes))

    @property
    def finding(self) -> str:
        """How many of the stripes that are too fine come back as others."""
        fine = [run for run in self.runs if run.stripes > self.finest]
        false = [run for run in fine if 0 < run.seen != run.stripes]
        said = (
            f"The output shows at most {self.finest} stripes. Of {len(fine)} cases with more, {len(false)} show others"
        )
        if not false:
            return said + "."
        most, least = (pick(false, key=lambda run: run.strength) for pick in (max, min))
        return (
            f"{said}, strongest with {most.subsampler!r} ({most.strength:.2f}), weakest with {least.subsampler!r} "
            f"({least.strength:.2f})."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each run."""
        rows: list[Sequence[object]] = [[r.subsampler, r.stripes, r.seen, f"{r.strength:.2f}"] for r in self.runs]
        return ("subsampling", "stripes", "seen", "strength"), rows


def draw_stripes(stripes: int, length: int, columns: int | None = None) -> Tensor:
    """An image of upright stripes, from -1 to 1.

    Example:
        >>> draw_stripes(4, 16).shape
        torch.Size([1, 1, 8, 16])

    Args:
        stripes: Over `length` columns, light and dark counted as one.
        length: Columns, in pixels.
        columns: How many are drawn; by default `length`. Beyond it the stripes go on.

    Returns:
        A tensor (1, 1, 8, columns) of float64.
    """
    places = torch.arange(columns or length, dtype=torch.float64)
    return torch.cos(2 * math.pi * stripes * places / length + PHASE).expand(1, 1, ROWS, -1)


def draw_zone_plate(size: int) -> Tensor:
    """Rings that become finer outward: at the middle of each side a light and a dark one take two pixels together.

    Example:
        >>> draw_zone_plate(64).shape
        torch.Size([1, 1, 64, 64])

    Args:
        size: Of the square image, in pixels.

    Returns:
        A tensor (1, 1, size, size) of float64 from -1 to 1.
    """
    places = torch.arange(size, dtype=torch.float64) - size // 2
    return torch.cos(math.pi * (places[:, None] ** 2 + places**2) / size)[None, None]


def subsample_stripes(
    stripes: Iterable[int], subsamplers: Iterable[str] | None = None, *, length: int = 64
) -> AliasingTest:
    """Subsample images of stripes by 2 and count the stripes that come out; nothing is trained.

    Example:
        >>> result = subsample_stripes([10, 24], ["every second", "blur"])
        >>> [(run.subsampler, run.stripes, run.seen) for run in result.runs]
        [('every second', 10, 10), ('every second', 24, 8), ('blur', 10, 10), ('blur', 24, 8)]
        >>> result.strength("every second", 24) > 0.99, result.strength("blur", 24) < 0.2
        (True, True)

    Args:
        stripes: Numbers of stripes over the image, each at most half its length.
        subsamplers: Names from `SUBSAMPLERS`; by default all.
        length: Width of the image, in pixels; even.

    Returns:
        An `AliasingTest`.

    Raises:
        ModelError: An argument out of range.
        UnknownNameError: No way of subsampling has that name.

    Reference:
        R. Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, arXiv:1904.11486.
    """
    names, numbers = list(SUBSAMPLERS if subsamplers is None else subsamplers), list(stripes)
    for name in names:
        if name not in SUBSAMPLERS:
            raise UnknownNameError("way of subsampling", name, SUBSAMPLERS)
    if at_least("length", length, 4) % STRIDE:
        raise ModelError(f"`length` must be even, since every second column stays; got {length}.")
    for number in numbers:
        if at_least("stripes", number, 1) > length // 2:
            raise ModelError(f"`stripes` must be at most {length // 2}, two pixels for each; got {number}.")
    return AliasingTest(length, tuple(_run(name, number, length) for name in names for number in numbers))


def _run(name: str, stripes: int, length: int) -> StripeRun:
    def strengths(row: Tensor) -> Tensor:
        found: Tensor = torch.fft.rfft(row).abs() / len(row) * 2  # the amplitude of each whole number of stripes
        found[-1] /= 2  # two units a stripe: this one has no mirror image
        return found

    image = draw_stripes(stripes, length, length + MARGIN)
    with torch.no_grad():
        output = SUBSAMPLERS[name]()(image)[0, 0, 0, : length // STRIDE]
    before, after = strengths(image[0, 0, 0, :length])[stripes], strengths(output)
    seen = int(after[1:].argmax()) + 1
    strength = float(after[seen] / before)
    return StripeRun(name, stripes, seen if strength > 1e-9 else 0, strength)
