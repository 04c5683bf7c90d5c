"""Pictures made of scikit-learn's handwritten digits (8 x 8 pixels, part of the package, nothing is downloaded)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

from rflib.errors import ModelError

__all__ = ["CELL", "CLASSES", "draw_mosaics", "draw_scenes"]

CLASSES = 10
PIXELS = 8  # of a digit as scikit-learn has it, along each axis
ENLARGED = 24  # of a digit in a scene
CELL = 28  # a scene is a grid of cells of that size, each with one digit or none
HELD_OUT = 397  # of the 1,797 digits, never trained on

Split = Literal["train", "test"]


@dataclass(frozen=True)
class _Digits:
    images: Tensor  # (digits, 8, 8), 0 to 1
    labels: Tensor  # (digits,)


@cache
def _digits(split: Split) -> _Digits:
    if split not in ("train", "test"):
        raise ModelError(f"`split` must be 'train' or 'test'; got {split!r}.")
    found = load_digits()
    order = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(0))
    chosen = order[HELD_OUT:] if split == "train" else order[:HELD_OUT]
    images = torch.tensor(found.images / 16, dtype=torch.float32)
    return _Digits(images[chosen], torch.tensor(found.target, dtype=torch.int64)[chosen])


def draw_mosaics(generator: torch.Generator, count: int, split: Split, digits: int = 4) -> tuple[Tensor, Tensor]:
    """Digits side by side without a gap; each pixel, ink or not, carries the class of its digit.

    Returns:
        Images (count, 1, 8 digits, 8 digits) and classes 0 to 9 (count, 8 digits, 8 digits).
    """
    source = _digits(split)
    picked = torch.randint(0, len(source.labels), (count * digits * digits,), generator=generator)
    labels = source.labels[picked][:, None, None].expand(-1, PIXELS, PIXELS)
    return _laid_out(source.images[picked], count, digits)[:, None], _laid_out(labels, count, digits)


def draw_scenes(generator: torch.Generator, count: int, split: Split, size: int, noise: float) -> tuple[Tensor, Tensor]:
    """Digits of 24 x 24 pixels, black and white, in a loose grid with empty places, under Gaussian noise.

    Args:
        generator: Draws digits, places and noise.
        count: Number of scenes.
        split: "train" or "test": no digit is in both.
        size: Pixels along each axis, a multiple of 28.
        noise: Standard deviation, where ink is 1 and background 0.

    Returns:
        Images (count, 1, size, size) and labels (count, size, size): 0 is background, 1 + class is ink.
    """
    if size < CELL or size % CELL:
        raise ModelError(f"`size` must be a multiple of {CELL} pixels; got {size}.")
    source = _digits(split)
    across = size // CELL
    cells = count * across * across
    picked = torch.randint(0, len(source.labels), (cells,), generator=generator)
    large = functional.interpolate(source.images[picked][:, None], ENLARGED, mode="bilinear", align_corners=False)
    present = torch.rand(cells, generator=generator) >= 0.2
    rim = (CELL - ENLARGED) // 2
    ink = functional.pad(large[:, 0] > 0.5, (rim,) * 4) & present[:, None, None]  # (cells, 28, 28)
    ink = _moved(ink, torch.randint(-rim, rim + 1, (2, cells), generator=generator))
    labels = torch.where(ink, source.labels[picked][:, None, None] + 1, 0)
    clean = _laid_out(ink.float(), count, across)
    noisy = clean + noise * torch.randn(clean.shape, generator=generator)
    return noisy[:, None], _laid_out(labels, count, across)


def _moved(images: Tensor, by: Tensor) -> Tensor:
    """Each image rolled by its own (rows, columns)."""
    places = torch.arange(images.shape[-1])
    rows, columns = ((places - shift[:, None]) % len(places) for shift in by)
    return images[torch.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _laid_out(cells: Tensor, count: int, across: int) -> Tensor:
    """Cells (count * across * across, side, side) as pictures (count, across * side, across * side)."""
    side = cells.shape[-1]
    grid = cells.reshape(count, across, across, side, side).permute(0, 1, 3, 2, 4)
    return grid.reshape(count, across * side, across * side)
