"""How wide a window must be to name the digit at its middle: for a reader without a network, and for a trained one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn
from torch.nn import functional

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError
from rflib.experiments.capstone import NOISE
from rflib.experiments.digits import CELL, Split, draw_scenes
from rflib.experiments.results import Result
from rflib.experiments.training import at_least, data_generator, on_its_own

__all__ = ["WINDOWS", "WindowReading", "read_windows", "uncover_windows"]

WINDOWS = (3, 9, 15, 21, 27, 33, 39, 45)
NEIGHBORS = 5
GRAIN = 3  # the windows are averaged over squares of that side: scikit-learn's digits are enlarged by 3


@dataclass(frozen=True, repr=False)
class WindowReading(Result):
    """How often the digit at the middle of a window is named right, by the width of the window.

    Attributes:
        reader: Who names it.
        sizes: Widths of the windows, in pixels, rising.
        accuracies: For each width, the share of ink pixels whose digit is named right.
    """

    title: ClassVar[str] = "How wide a window names the digit at its middle"

    reader: str
    sizes: tuple[int, ...]
    accuracies: tuple[float, ...]

    def enough(self, within: float = 0.05) -> int:
        """The narrowest window that comes this close to the best one, in pixels.

        Example:
            >>> WindowReading("a coin", (3, 9, 15), (0.2, 0.68, 0.7)).enough()
            9
        """
        best = max(self.accuracies)
        return next(s for s, a in zip(self.sizes, self.accuracies, strict=True) if a >= best - within)

    def least(self, accuracy: float) -> int | None:
        """The narrowest window that reaches this accuracy, in pixels; None where none does.

        Example:
            >>> reading = WindowReading("a coin", (3, 9, 15), (0.2, 0.68, 0.7))
            >>> reading.least(0.5), reading.least(0.9)
            (9, None)
        """
        return next((s for s, a in zip(self.sizes, self.accuracies, strict=True) if a >= accuracy), None)

    @property
    def finding(self) -> str:
        """Between which windows the accuracy rises, and from where on it does not."""
        said = [f"{a:.2f} with {s}" for s, a in zip(self.sizes, self.accuracies, strict=True)]
        return (
            f"Share of ink pixels named right by {self.reader}, with windows of so many pixels: {', '.join(said)}. "
            f"No window is more than 0.05 better than that of {self.enough()}."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each width."""
        rows = [[s, f"{a:.2f}"] for s, a in zip(self.sizes, self.accuracies, strict=True)]
        return ("window (pixels)", "named right"), [*rows]


def read_windows(
    sizes: Sequence[int] = WINDOWS, *, seed: int = 0, size: int = 56, train: int = 14_000, test: int = 1500
) -> WindowReading:
    """Name ink pixels of noisy scenes by what a window around each shows, without any network.

    Five nearest neighbors decide: of many windows with known digits, those five that differ least. The windows are
    averaged over squares of 3 pixels first, which takes most of the noise away. That reader is no bound: a better one
    gets more out of the same window, but not out of what the window does not show.

    Example:
        >>> reading = read_windows((3, 27), train=600, test=200)
        >>> reading.accuracies[1] > reading.accuracies[0] + 0.2
        True

    Args:
        sizes: Odd widths of windows, in pixels.
        seed: Draws scenes and pixels.
        size: Pixels of a scene along each axis, a multiple of 28. What of a window hangs over the border is 0.
        train: Number of windows with known digits.
        test: Number of windows to name, of digits held out.

    Returns:
        A `WindowReading`.

    Raises:
        ModelError: A width that is not odd, or a number too small.
    """
    sizes, size = _odd(sizes), at_least("size", size, CELL)
    train, test = at_least("train", train, NEIGHBORS), at_least("test", test, 1)
    with on_its_own(seed):
        known = _Pixels.drawn(seed, "train", train, size)
        asked = _Pixels.drawn(seed + 500_000, "test", test, size)
        found = []
        for width in sizes:
            reader = KNeighborsClassifier(NEIGHBORS).fit(known.windows(width), known.labels)
            found.append(float((reader.predict(asked.windows(width)) == asked.labels.numpy()).mean()))
    return WindowReading(f"{NEIGHBORS} nearest neighbors", sizes, tuple(found))


def uncover_windows(
    model: nn.Module, sizes: Sequence[int] = WINDOWS, *, seed: int = 0, size: int = 56, pixels: int = 256
) -> WindowReading:
    """Name ink pixels with a trained network that is left only a window around each; all else becomes empty noise.

    What the network reads beyond a window cannot help it there. So the accuracy says how much of its field it uses, in
    the measure that the task is judged by.

    Example:
        >>> from rflib.experiments import DESIGNS, fit_capstone
        >>> model = fit_capstone(DESIGNS["mixed"], steps=2, progress=False)
        >>> uncover_windows(model, (3, 9), pixels=20).sizes
        (3, 9)

    Args:
        model: From images (B, 1, H, W) to scores (B, 11, H, W), background first; used in the mode it is in.
        sizes: Odd widths of windows, in pixels.
        seed: Draws scenes, pixels and noise.
        size: Pixels of a scene along each axis, a multiple of 28.
        pixels: Number of ink pixels asked for.

    Returns:
        A `WindowReading`.

    Raises:
        ModelError: A width that is not odd, or a number too small.
    """
    sizes, size, pixels = _odd(sizes), at_least("size", size, CELL), at_least("pixels", pixels, 1)
    with on_its_own(seed):
        asked = _Pixels.drawn(seed + 500_000, "test", pixels, size)
        empty = NOISE * torch.randn(asked.scenes.shape, generator=data_generator(seed + 900_000))
        found = [_named_right(model, torch.where(asked.inside(width), asked.scenes, empty), asked) for width in sizes]
    return WindowReading("the network", sizes, tuple(found))


@dataclass(frozen=True)
class _Pixels:
    """Ink pixels: the scene of each (pixels, 1, size, size), its place (pixels, 2), its class (pixels,)."""

    scenes: Tensor
    places: Tensor
    labels: Tensor

    @classmethod
    def drawn(cls, seed: int, split: Split, count: int, size: int) -> _Pixels:
        """About 16 pixels of each scene, not more: pixels of one digit are alike."""
        draw = data_generator(seed)
        scenes, labels = draw_scenes(draw, -(-count // 16) + 8, split, size, NOISE)
        ink = (labels > 0).nonzero()  # (ink pixels, 3): scene, row, column
        picked = ink[torch.randperm(len(ink), generator=draw)[:count]]
        return cls(scenes[picked[:, 0]], picked[:, 1:], labels[tuple(picked.T)])

    def windows(self, width: int) -> Tensor:
        """The window around each pixel, averaged and flat: (pixels, (width // 3) ** 2)."""
        padded = functional.pad(self.scenes[:, 0], (width // 2,) * 4)
        across = torch.arange(width)
        rows, columns = (self.places[:, axis, None] + across for axis in (0, 1))
        each = torch.arange(len(padded))[:, None, None]
        cut = padded[each, rows[:, :, None], columns[:, None, :]]  # (pixels, width, width)
        return functional.avg_pool2d(cut[:, None], min(GRAIN, width)).flatten(1)

    def inside(self, width: int) -> Tensor:
        """Which pixels of each scene lie in its window: (pixels, 1, size, size)."""
        steps = torch.arange(self.scenes.shape[-1])
        near = [(steps - self.places[:, axis, None]).abs() <= width // 2 for axis in (0, 1)]
        return (near[0][:, :, None] & near[1][:, None, :])[:, None]


def _named_right(model: nn.Module, scenes: Tensor, asked: _Pixels) -> float:
    with torch.no_grad():
        scores = torch.cat([model(part) for part in torch.split(scenes, 64)])  # (pixels, 11, size, size)
    rows, columns = asked.places.T
    named = scores.argmax(1)[torch.arange(len(scenes)), rows, columns]
    return float((named == asked.labels).double().mean())


def _odd(sizes: object) -> tuple[int, ...]:
    """Rising widths, each odd, so that a window has a middle."""
    numbers = [whole_number(s) for s in sizes] if isinstance(sizes, Iterable) else []
    widths = sorted({n for n in numbers if n is not None and n >= 1 and n % 2})
    if not numbers or len(widths) < len(numbers):
        raise ModelError(f"`sizes` must be different odd integers >= 1, for example (3, 9, 15); got {shown(sizes)}.")
    return tuple(widths)
