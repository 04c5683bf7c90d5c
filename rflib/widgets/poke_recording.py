"""What the poke explorer's Python answers, written down for a page without Python.

One change at a time of the first image, or one shift of it, with every pixel, every unit and every channel; the
browser's side is poke_recorded.js, which fills the blanks of the same sentences.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from rflib.figures.drawing import count
from rflib.widgets import poke_words as words
from rflib.widgets.poke_subject import Bools, Floats, Place, Poke, Subject, compare_shift, moved_by
from rflib.widgets.shared_recording import bits, one_thread

if TYPE_CHECKING:
    from rflib.widgets.poke import PokeExplorer

__all__ = ["record_poke"]

FARTHEST, SLANTED = 3, 2  # pixels that the image can be shifted, along one axis and along both
SMALL = 256  # pixels; larger images are shifted by one pixel only
MOST_CHANGES = 300_000  # values of one choice of layers after all single changes


def record_poke(explorer: PokeExplorer) -> dict[str, Any]:
    """The recording of all choices of layers."""
    image = explorer._start
    recording: dict[str, Any] = {"space": list(image.shape), "image": image.ravel().tolist()}
    recording |= {"sentences": words.SENTENCES, "start": _start(explorer), "layers": {}}
    with one_thread():
        for name in explorer.offered or [explorer.layers]:
            recording["layers"][name] = _layers(explorer._subject_of(name), image)
    return recording


def _start(explorer: PokeExplorer) -> dict[str, Any]:
    """Where the explorer is: a single change or a shift of the first image, or something that cannot be played back."""
    first, poke, by = explorer._start, explorer._poke, explorer._by
    if poke is not None and not any(by):
        changed = first.copy()
        changed[poke.pixel] = float(first[poke.pixel] < 0.5)
        if np.array_equal(changed, explorer._image):
            return {"poked": list(poke.pixel)}
    if np.array_equal(moved_by(first, by), explorer._image) and by in [(0,) * len(by), *_shifts(first.shape)]:
        return {"by": list(by), "isMoved": explorer._shift is not None}
    return {"isOther": True}


def _shifts(space: Place) -> list[Place]:
    """The shifts that are recorded; back to the start is one of them."""
    most = FARTHEST if np.prod(space) <= SMALL else 1
    found = []
    for by in itertools.product(*(range(-most, most + 1) for _ in space)):
        farthest = SLANTED if sum(b != 0 for b in by) > 1 else most
        if max(map(abs, by)) <= farthest and all(abs(b) < n for b, n in zip(by, space, strict=True)):
            found.append(by)
    return found


def _layers(subject: Subject, image: Floats) -> dict[str, Any]:
    before = subject(image)
    numbers = int(np.prod(image.shape)) * before.size
    every = 1
    while numbers / every**image.ndim > MOST_CHANGES:
        every += 1
    would, pokes = [], []
    for pixel in np.ndindex(*image.shape):
        poke = _poked(subject, image, pixel, before)
        would.append(bits(poke.changed))
        pokes.append(None if any(p % every for p in pixel) else _poke(poke))
    return {
        "units": list(subject.units),
        "channels": subject.channels,
        "of": count(int(np.prod(subject.units)), "unit"),
        "values": before.reshape(subject.channels, -1).tolist(),
        "reads": [bits(subject.reads(unit)) for unit in np.ndindex(*subject.units)],
        "would": would,
        "pokes": pokes,
        "shifts": {",".join(map(str, by)): _shift(subject, image, by, before, would) for by in _shifts(image.shape)},
    }


def _poked(subject: Subject, image: Floats, pixel: Place, before: Floats) -> Poke:
    changed, old = image.copy(), float(image[pixel])
    changed[pixel] = float(old < 0.5)
    return Poke(pixel, old, float(old < 0.5), before, subject(changed))


def _poke(poke: Poke) -> dict[str, Any] | None:
    """What a change made of the changed units, channel after channel; None where it is not a finite number."""
    if not np.isfinite(poke.after).all():
        return None
    pairs = zip(
        poke.before[:, poke.changed].ravel().tolist(), poke.after[:, poke.changed].ravel().tolist(), strict=True
    )
    return {"after": [_short_after(*pair) for pair in pairs], "most": words.largest_words(poke)}


def _short_after(before: float, after: float) -> float | None:
    """The value after with no more digits than are shown beside the value before; None where it is the same."""
    if before == after and np.signbit(before) == np.signbit(after):
        return None
    shown = words.two_values(before, after)
    for text in (f"{after:.{n}f}" for n in range(4, 9)):
        if words.two_values(before, float(text)) == shown:
            return float(text)
    return after


def _short(value: float) -> float:
    """A value with no more digits than are shown."""
    for text in (f"{value:.4f}", f"{value:.1e}"):
        if words.decimal(float(text)) == words.decimal(value):
            return float(text)
    return value


def _shift(subject: Subject, image: Floats, by: Place, before: Floats, would: list[str]) -> dict[str, Any] | None:
    """What a shift makes of the map, and what changes of pixels would do then, where it is something else."""
    moved = moved_by(image, by)
    values = subject(moved)
    if not np.isfinite(values).all():
        return None
    shift = compare_shift(subject, by, before, values)
    others: dict[str, str] = {}
    if any(by):
        for flat, pixel in enumerate(np.ndindex(*image.shape)):
            changed: Bools = _poked(subject, moved, pixel, values).changed
            if bits(changed) != would[flat]:
                others[str(flat)] = bits(changed)
    rows = values.reshape(subject.channels, -1).tolist()
    return {
        "values": [[_short(value) for value in row] for row in rows],
        "same": bits(shift.same),
        "sentence": words.shift_sentence(shift, subject),
        "would": others,
    }
