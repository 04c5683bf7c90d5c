"""What the recordings of explorers share: how answers are written down so that a page stays small."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["as_text", "bits", "one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Small layers one after another: threads would wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def as_text(data: bytes) -> str:
    """Bytes as base64; the browser's side is `bytesOf`."""
    return base64.b64encode(data).decode("ascii")


def bits(mask: npt.NDArray[Any]) -> str:
    """A set of places as bits, row after row; the browser's side is `membersOf`."""
    return as_text(np.packbits(np.asarray(mask, dtype=bool).ravel()).tobytes())
