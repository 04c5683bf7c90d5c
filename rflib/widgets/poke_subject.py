"""What the poke explorer asks of a module: its feature map, what every unit reads, what a poke or a shift changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from rflib.errors import ModelError
from rflib.measuring.measuring import make_bench
from rflib.measuring.poking import Reader, progress_bar
from rflib.measuring.subject import cast_model, copy_model

__all__ = ["LAYERS", "Poke", "Shift", "Subject", "compare_shift", "moved_by"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Place = tuple[int, ...]
ROUNDING = 1e-12  # sums in another order differ by less, changed values by more


# ------------------------------------------------------------------------------------------------------ layers to poke


class SqueezeExcite(nn.Module):
    """A convolution whose channels are weighed by what all of them hold on average."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        conv, _, _, average = _kinds(axes)
        self.features = conv(1, 4, 3)
        self.gate = nn.Sequential(average(1), conv(4, 2, 1), nn.SiLU(), conv(2, 4, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, *space) to (B, 4, *units)."""
        features = self.features(x)
        return torch.as_tensor(features * self.gate(features))


def _kinds(axes: int) -> tuple[Any, Any, Any, Any]:
    """Convolution, batch norm, max and average pooling of so many axes."""
    one = (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AdaptiveAvgPool1d)
    return one if axes == 1 else (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d)


def _dense(space: Place) -> nn.Module:
    units = tuple(max(n - 2, 1) for n in space)  # as many as the convolution has, to compare
    linear = nn.Linear(int(np.prod(space)), int(np.prod(units)))
    return nn.Sequential(nn.Flatten(), linear, nn.Unflatten(1, (1, *units)))


def _normed(space: Place, training: bool) -> nn.Module:
    conv, norm, _, _ = _kinds(len(space))
    return nn.Sequential(conv(1, 1, 3), norm(1)).train(training)


def _stack(space: Place, *layers: Callable[[Any, Any, Any, Any], nn.Module]) -> nn.Module:
    return nn.Sequential(*(layer(*_kinds(len(space))) for layer in layers))


LAYERS: dict[str, Callable[[Place], nn.Module]] = {
    "one convolution, kernel 3": lambda space: _kinds(len(space))[0](1, 1, 3),
    "two convolutions, kernel 3": lambda space: _stack(
        space, lambda c, *_: c(1, 4, 3), lambda *_: nn.ReLU(), lambda c, *_: c(4, 1, 3)
    ),
    "strided convolution, stride 2": lambda space: _kinds(len(space))[0](1, 1, 3, stride=2, padding=1),
    "dilated convolution, dilation 2": lambda space: _kinds(len(space))[0](1, 1, 3, dilation=2),
    "convolution and max pooling": lambda space: _stack(
        space, lambda c, *_: c(1, 1, 3), lambda _c, _n, pool, _a: pool(2)
    ),
    "dense layer": _dense,
    "batch norm in training mode": lambda space: _normed(space, training=True),
    "batch norm in evaluation mode": lambda space: _normed(space, training=False),
    "global average pooling": lambda space: _stack(
        space, lambda c, *_: c(1, 1, 3), lambda _c, _n, _m, average: average(1)
    ),
    "squeeze-and-excitation": lambda space: SqueezeExcite(len(space)),
}


class Subject:
    """A module in double precision, one image at a time, and what every unit reads, found by poking every pixel.

    One image at a time: in a batch the order of additions, and with it the last bit, may depend on the row.
    """

    def __init__(self, model: nn.Module, space: Place) -> None:
        self.model, self.space = model, space
        self._twin = cast_model(copy_model(model, getattr(model, "training", False)), torch.float64)
        first = next((m for m in model.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)), None)
        self.shape = (1, first.in_channels if first is not None else 1, *space)
        self.bench = make_bench(model, self.shape, None, None, None, None, model.training)
        outputs = [key for key in self.bench.shapes if key[0] == ""]
        if len(outputs) != 1:
            raise ModelError(f"The poke explorer needs a module that returns one tensor; got {len(outputs)} of them.")
        self._key = outputs[0]
        found = self.bench.shapes[self._key]
        if found[0] != 1 or len(found) not in (2, 3, 4):
            raise ModelError(
                "The poke explorer draws a feature map of one or two axes, (1, channels, *units), or one row of units, "
                f"(1, units); the module gives {found} for an input of {self.shape}."
            )
        # A dense layer's outputs have no place; each is shown as a unit of its own.
        self.dims = tuple(range(2, len(found))) or (1,)
        self.units: Place = tuple(found[i] for i in self.dims)
        self.channels = found[1] if len(found) > 2 else 1
        if not np.isfinite(self(np.zeros(space))).all():
            raise ModelError("The module gives values that are not finite numbers on a black image. Check its weights.")

    def __call__(self, image: Floats) -> Floats:
        """The feature map of an image: (channels, *units)."""
        if not self._draws:
            return self._run(image)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # dropout in training mode drops the same every time
            return self._run(image)

    def _run(self, image: Floats) -> Floats:
        x = torch.from_numpy(np.ascontiguousarray(image)).expand(self.shape).clone()  # (1, C, *space)
        with torch.no_grad():
            values: Floats = self._twin(x).numpy()
        return values.reshape(self.channels, *self.units).copy()

    @cached_property
    def _draws(self) -> bool:
        """Whether the module draws random numbers; to seed them costs more than a small layer does."""
        with torch.random.fork_rng(devices=[]):
            before = torch.get_rng_state()
            self._run(np.zeros(self.space))
            return not torch.equal(before, torch.get_rng_state())

    @cached_property
    def table(self) -> Bools:
        """Which units read which pixels: (pixels, *units)."""
        pixels = int(np.prod(self.space))
        alone = list(np.eye(pixels, dtype=bool).reshape(pixels, *self.space))
        with progress_bar(None, False, "") as bar:
            return self.bench.changed(alone, {self._key: Reader(self.dims)}, bar)[self._key]

    def reads(self, unit: Place) -> Bools:
        """The pixels that a unit reads: boolean, of the image's shape."""
        at: Any = (slice(None), *unit)
        found: Bools = self.table[at].reshape(self.space)
        return found


@dataclass(frozen=True)
class Poke:
    """One pixel changed, and the feature map before and after, (channels, *units)."""

    pixel: Place
    old: float
    new: float
    before: Floats
    after: Floats

    @cached_property
    def changed(self) -> Bools:
        """The units that differ in any bit of any channel."""
        differs: Bools = (self.before.view(np.int64) != self.after.view(np.int64)).any(axis=0)
        return differs

    @property
    def largest(self) -> tuple[Place, float]:
        """The unit that changed most, and by how much."""
        by = np.abs(self.after - self.before).max(axis=0)
        at = np.unravel_index(int(by.argmax()), by.shape)
        return tuple(int(i) for i in at), float(by[at])


@dataclass(frozen=True)
class Shift:
    """The image shifted by whole pixels, and what the feature map made of it.

    Attributes:
        by: The shift, in pixels.
        steps: The shift of the map, in units; None if no unit reads what another one read, moved with the image.
        inner: The units that read what another unit read before, moved with the image.
        same: Those of them that hold the other unit's value.
        error: The largest difference among the inner units.
    """

    by: Place
    steps: Place | None
    inner: Bools
    same: Bools
    error: float


def compare_shift(subject: Subject, by: Place, before: Floats, after: Floats) -> Shift:
    """Look for units that read, of the shifted image, what another unit read before, and compare the values."""
    table = subject.table
    space, units = table.reshape(*subject.space, -1), table.any(axis=0)
    moved = moved_by(space, by).reshape(table.shape)
    whole = moved.sum(axis=0) == table.sum(axis=0)  # nothing fell over the border
    best, steps = np.zeros(subject.units, bool), None
    for candidate in _steps(by, len(subject.units)):
        there = moved_by(whole & units, candidate)
        inner = there & (moved_by(moved, (0, *candidate)) == table).all(axis=0)
        if inner.sum() > best.sum():
            best, steps = inner, candidate
    if steps is None:
        return Shift(by, None, best, best, 0.0)
    expected = moved_by(before, (0, *steps))
    difference = np.abs(np.where(best, after - expected, 0)).max(axis=0)
    return Shift(by, steps, best, best & (difference <= ROUNDING), float(difference.max()))


def _steps(by: Place, axes: int) -> list[Place]:
    """The shifts of a map that may belong to a shift of the image: none is larger, none goes the other way."""
    if axes != len(by):
        return [(0,) * axes]
    ranges = [range(0, b + 1) if b >= 0 else range(0, b - 1, -1) for b in by]
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, axes)
    return [tuple(int(i) for i in row) for row in grid]


def moved_by(array: npt.NDArray[Any], by: Place) -> npt.NDArray[Any]:
    """The array moved along its first axes; zeros come in, what falls over the border is lost."""
    result = np.zeros_like(array)
    if any(abs(b) >= n for b, n in zip(by, array.shape, strict=False)):
        return result
    target = tuple(slice(max(b, 0), n + min(b, 0)) for b, n in zip(by, array.shape, strict=False))
    source = tuple(slice(max(-b, 0), n - max(b, 0)) for b, n in zip(by, array.shape, strict=False))
    result[target] = array[source]
    return result
