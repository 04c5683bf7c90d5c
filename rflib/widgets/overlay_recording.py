"""What the overlay's Python answers, written down for a page without Python.

Most units of a layer are alike: what is said about a unit depends on what it reads as seen from the beginning of its
window, and on how far the window hangs over the borders. Each kind is kept once, and for every unit the number of its
kind; the browser's side is overlay_recorded.js.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rflib.figures.drawing import pair
from rflib.found import Found
from rflib.widgets import overlay_layer as layers_
from rflib.widgets.shared_recording import as_text, one_thread

if TYPE_CHECKING:
    from rflib.widgets.overlay import Overlay

__all__ = ["MOST_UNITS", "record_overlay"]

Unit = tuple[int, ...]
MOST_UNITS = 100_000  # of all layers together; of layers with more every n-th is recorded
MOST_FIELDS, MOST_BYTES = 60, 700_000  # of the effective fields
MOST_WORK = 980_000  # of these: positions to fit a Gaussian to, and multiply-adds, which cost less
ADDS = 200_000  # multiply-adds that take as long as one position
STEPS = 40  # of color and opacity in a recorded effective field


def record_overlay(overlay: Overlay) -> dict[str, Any]:
    """The recording of all layers that can be chosen."""
    with one_thread():
        every = _every(overlay._founds)
        layers = {key: _layer(overlay, key, every[key]) for key in overlay._founds}
        _add_effective(overlay, layers)
    return {"layers": layers}


# ------------------------------------------------------------------------------------------------------------ units


def _every(founds: dict[str, Found]) -> dict[str, int]:
    """Of each layer every n-th unit along each axis is recorded: 1 where it has no more than its share of them."""
    left, every = MOST_UNITS, {}
    small_first = sorted(founds, key=lambda key: math.prod(founds[key].unit_shape))
    for place, key in enumerate(small_first):
        share, step = left // (len(founds) - place), 1
        while _number(founds[key].unit_shape, step) > max(share, 1):
            step += 1
        every[key] = step
        left -= _number(founds[key].unit_shape, step)
    return every


def _number(shape: Sequence[int], step: int) -> int:
    return math.prod(math.ceil(n / step) for n in shape)


def _layer(overlay: Overlay, key: str, every: int) -> dict[str, Any]:
    found = overlay._founds[key]
    view = overlay._view(key)
    data = view.as_data(key)
    data["table"] = as_text(data["table"]) if data["table"] is not None else None
    kinds: dict[Any, int] = {}
    said: list[dict[str, Any]] = []
    rows: dict[str, int] = {}
    of_rows: list[int] = []
    recorded = [range(0, n, every) for n in found.unit_shape]
    for row in itertools.product(*recorded[:-1]):
        numbers = []
        for last in recorded[-1] if recorded else [None]:
            unit = row if last is None else (*row, last)
            kind = _kind(found, unit)
            if kind not in kinds:
                kinds[kind] = len(said)
                said.append(_said(found, key, unit))
            numbers.append(kinds[kind])
        text = _runs(numbers)
        of_rows.append(rows.setdefault(text, len(rows)))
    units = {"every": every, "kinds": said, "rows": list(rows), "row": of_rows}
    return {"map": data, **units, "effective": {}}


def _runs(numbers: list[int]) -> str:
    """Numbers in a row, equal neighbors together: 3x5 4 7x2."""
    runs = [(number, len(list(group))) for number, group in itertools.groupby(numbers)]
    return " ".join(f"{number}x{times}" if times > 1 else str(number) for number, times in runs)


def _kind(found: Found, unit: Unit) -> Any:
    """What all that is said about a unit depends on, its place apart."""
    boxes, window = found._boxes(unit, True), found.interval(unit)
    start = [0] * len(found.input_shape) if window is None else [first for first, _ in window]
    read = [tuple((box[d][0] - s, box[d][1]) for d, s in zip(found._input_dims, start, strict=True)) for box in boxes]
    over: Any = window and tuple(
        (last - first, max(0, -first), max(0, last - n + 1))
        for (first, last), n in zip(window, found.input_shape, strict=True)
    )
    return tuple(sorted(read)), over


def _said(found: Found, key: str, unit: Unit) -> dict[str, Any]:
    """What is said about a unit, with blanks for its place."""
    answer = layers_.answer_of(found, key, unit)
    rectangles = np.frombuffer(answer["rectangles"], dtype="<i4").reshape(-1, 4)
    window = found.interval(unit)
    kept: list[int] | None = None  # the part of the window inside the input
    if not np.array_equal(rectangles, _inside(window, found.input_shape)):
        start = [0, 0] if window is None else [0, *(first for first, _ in window)][-2:]
        kept = (rectangles - np.array([*start, 0, 0])).ravel().tolist()
    sentence = answer["sentence"]
    who = f"Unit {pair(unit)} "
    if unit:
        assert sentence.startswith(who)
        sentence = f"Unit {{unit}} {sentence.removeprefix(who)}"
    return {"sentence": sentence, "read": answer["read"], "words": answer["facts"]["read"], "rectangles": kept}


def _inside(window: Any, space: Sequence[int]) -> Any:
    """The part of a window inside the input, as rectangles; on one axis a row."""
    if window is None:
        return np.zeros((0, 4))
    ends: list[tuple[int, int]] = [
        (0, 0),
        *((max(0, first), min(n - 1, last)) for (first, last), n in zip(window, space, strict=True)),
    ]
    (top, bottom), (left, right) = ends[-2:]
    return np.array([[top, left, bottom - top + 1, right - left + 1]])[: int(bottom >= top and right >= left)]


# -------------------------------------------------------------------------------------------------- effective fields


def _in_turn(overlay: Overlay) -> Iterator[tuple[str, Unit]]:
    """The units with a recorded effective field: the chosen one, the middle of each layer, a coarse grid of each."""
    yield overlay.layer, overlay.unit
    keys = [overlay.layer, *(key for key in overlay._founds if key != overlay.layer)]
    for key in keys:
        yield key, overlay._founds[key].unit()
    for key in keys:
        shape = overlay._founds[key].unit_shape
        axes = [sorted({n // 6, n // 2, n - 1 - n // 6}) for n in shape]
        yield from ((key, unit) for unit in itertools.product(*axes))


def _add_effective(overlay: Overlay, layers: dict[str, Any]) -> None:
    """As many effective fields as take seconds and not minutes."""
    adds = sum(count for _, count, _ in overlay._analysis._trace.multiply_adds)
    each = math.prod(overlay._space) + adds // ADDS
    size = number = 0
    for key, unit in _in_turn(overlay):
        if number >= MOST_FIELDS or size > MOST_BYTES or number * each > MOST_WORK:
            return
        fields, at = layers[key]["effective"], ",".join(map(str, unit))
        if at not in fields:
            fields[at] = _effective(overlay, key, unit)
            number += 1
            size += len(fields[at]["image"] or "")


def _effective(overlay: Overlay, key: str, unit: Unit) -> dict[str, Any]:
    maps = dict(overlay._maps)
    answer = overlay._effective_of(key, unit, STEPS)
    overlay._maps = maps
    image = answer["image"]
    return {**answer, "image": None if image is None else as_text(image)}
