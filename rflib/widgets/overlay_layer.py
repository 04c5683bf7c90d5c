"""What an overlay tells the browser about one layer, and about one unit of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rflib.effective.spread import EffectiveReceptiveField
from rflib.figures.drawing import count, headline, pair, percent, times
from rflib.found import Found

Ints = npt.NDArray[np.int32]


def name_of(found: Found) -> str:
    """How sentences call the layer."""
    if not found.path:
        return "the model's output"
    return f"layer {found.path}" if found.path[0].isdigit() else found.path  # nn.Sequential names by number


def noun_of(found: Found) -> str:
    """What the positions of the input are called."""
    return "pixels" if len(found.input_shape) == 2 else "positions"


def title_of(found: Found, key: str) -> str:
    """The layer in a list to choose from: its path, its units, its window."""
    name = key if found.path else f"the model's output{key}"
    units = f"{times(found.unit_shape)} units" if math.prod(found.unit_shape) != 1 else "1 unit"
    if not any(found.size):
        return f"{name}: {units}, reads nothing of it"
    window = "everything" if all(found.whole_input) else f"window {times(found.size)}"
    return f"{name}: {units}, {window}"


def windows_of(found: Found) -> tuple[Ints, list[int] | None]:
    """The ideal windows of all units, and which axis of the feature map each input axis follows.

    Returns:
        First and last position, (axes, 2, *units), the last before the first where a unit reads nothing; and for each
        input axis the number of the feature map's axis that chooses the window (-1: none does), or None where the
        windows of the units follow no such rule.
    """
    axes, units = len(found.input_shape), found.unit_shape
    follows = _follows(found)
    ends = np.zeros((axes, 2, *units), dtype=np.int32)
    if follows is None:
        for flat, unit in enumerate(itertools.product(*(range(n) for n in units))):
            window = found.interval(unit)
            for a in range(axes):
                ends[a].reshape(2, -1)[:, flat] = (0, -1) if window is None else window[a]
        return ends, None
    for a, k in enumerate(follows):
        along = [_interval_along(found, k, u)[a] for u in range(units[k] if k >= 0 else 1)]
        shape = [2, *(len(along) if d == k else 1 for d in range(len(units)))]
        ends[a] = np.array(along, dtype=np.int32).T.reshape(shape)
    return ends, follows


def _follows(found: Found) -> list[int] | None:
    lines = [found.line(a) for a in range(len(found.input_shape))]
    if 0 in found.unit_shape or any(line is None or line.has_gaps for line in lines):
        return None
    dims = [line.dim for line in lines if line is not None]
    if any(d is not None and d not in found.unit_dims for d in dims):
        return None
    return [-1 if d is None else found.unit_dims.index(d) for d in dims]


def _interval_along(found: Found, axis: int, index: int) -> tuple[tuple[int, int], ...]:
    window = found.interval(tuple(index if d == axis else 0 for d in range(len(found.unit_shape))))
    assert window is not None  # without gaps every unit has one
    return window


class LayerView:
    """One layer, ready for the browser: the windows of all units, and the sentences about them."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.ends, self.follows = windows_of(found)
        last = np.array(found.input_shape, dtype=np.int32).reshape(-1, *([1] * len(found.unit_shape))) - 1
        reads = (self.ends[:, 1] >= self.ends[:, 0]).all(axis=0)
        hangs = ((self.ends[:, 0] < 0) | (self.ends[:, 1] > last)).any(axis=0)
        self.over: npt.NDArray[np.bool_] = np.asarray(reads & hangs)
        self.blind: npt.NDArray[np.bool_] = np.asarray(~reads)

    def as_data(self, layer: str) -> dict[str, Any]:
        """What the browser draws from, without asking again at each move."""
        found = self.found
        data: dict[str, Any] = {"layer": layer, "name": name_of(found), "units": list(found.unit_shape)}
        data |= {"space": list(found.input_shape), "follows": self.follows, "ends": None, "table": None}
        data |= {"border": self.border_words(), "alignment": _alignment_words(found)}
        if self.follows is None:
            # (axes, 2, *units) to (*units, axes, 2): the four numbers of a unit side by side
            table = np.moveaxis(self.ends.reshape(*self.ends.shape[:2], -1), -1, 0)
            data["table"] = np.ascontiguousarray(table, dtype="<i4").tobytes()
        else:
            data["ends"] = [self._along(a, k) for a, k in enumerate(self.follows)]
        return data

    def _along(self, axis: int, follows: int) -> list[list[int]]:
        units = self.ends.ndim - 2
        at = tuple(slice(None) if d == follows else 0 for d in range(units))
        along = self.ends[(axis, slice(None), *at)].reshape(2, -1)
        return [[int(first), int(last)] for first, last in along.T]

    def border_words(self) -> str:
        """How many units look over the border."""
        total, over, blind = self.over.size, int(self.over.sum()), int(self.blind.sum())
        if not total:
            return "The feature map has no units."
        nothing = f", {count(blind, 'unit')} read nothing of the input" if blind else ""
        if total == 1:
            said = "looks over the border" if over else "looks over no border"
            return f"The only unit {'reads nothing of the input' if blind else said}."
        units = count(total, "unit")
        if over == total:
            return f"All {units} look over the border."
        if not over:
            return f"None of the {units} looks over the border{nothing}."
        return f"{over:,} of {units} {'looks' if over == 1 else 'look'} over the border{nothing}."

    def nearest(self, center: Sequence[float] | None) -> tuple[int, ...]:
        """The unit whose center is nearest to a place of the input; the middle one where that says nothing."""
        middle = self.found.unit()
        if center is None or self.blind.all():
            return middle
        place = np.array(center).reshape(-1, *([1] * (self.ends.ndim - 2)))
        gaps = np.asarray(((self.ends.mean(axis=1) - place) ** 2).sum(axis=0))
        gaps[self.blind] = np.inf
        if gaps[middle] == gaps.min():
            return middle
        return tuple(int(i) for i in np.unravel_index(gaps.argmin(), gaps.shape))


def _alignment_words(found: Found) -> str:
    """The first place where paths look at different places, and how many more there are; empty where all agree."""
    points = found.misalignments
    if not points:
        return ""
    more = f" {count(len(points) - 1, 'more place')} like this." if len(points) > 1 else ""
    return f"{points[0]}{more}"


# -------------------- one unit


def rectangles(mask: npt.NDArray[np.bool_]) -> Ints:
    """A mask of one or two axes as rectangles that do not overlap: (top, left, height, width) each.

    A window is one rectangle; a window with holes a few hundred. Rows that are alike share theirs.
    """
    rows = mask.reshape(-1, mask.shape[-1])
    changes = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)) + 1
    bounds = [0, *changes.tolist(), len(rows)]
    found = []
    for top, below in itertools.pairwise(bounds):
        edges = np.flatnonzero(np.diff(rows[top].astype(np.int8), prepend=0, append=0))
        found += [(top, left, below - top, right - left) for left, right in edges.reshape(-1, 2).tolist()]
    return np.array(found, dtype="<i4").reshape(-1, 4)


def answer_of(found: Found, layer: str, unit: tuple[int, ...]) -> dict[str, Any]:
    """What a unit really reads: the exact mask as rectangles, and the sentences about it."""
    mask, window, center = found.mask(unit), found.interval(unit), found.center(unit)
    sentence, read = unit_words(found, unit, mask)
    return {
        "layer": layer,
        "unit": list(unit),
        "read": int(mask.sum()),
        "rectangles": rectangles(mask).tobytes(),
        "sentence": sentence,
        "facts": {"window": _window_words(window), "center": _place_words(center), "read": read},
    }


def unit_words(found: Found, unit: tuple[int, ...], mask: npt.NDArray[np.bool_]) -> tuple[str, str]:
    """The sentence of result, and how much is read as against the window."""
    who, noun, window = f"Unit {pair(unit)} of {name_of(found)}", noun_of(found), found.interval(unit)
    who = f"The unit of {name_of(found)}" if not unit else who
    read = int(mask.sum())
    if window is None or not read:
        return f"{who} reads nothing of this input.", f"0 {noun}"
    sizes = [last - first + 1 for first, last in window]
    box = mask[tuple(slice(max(first, 0), max(last + 1, 0)) for first, last in window)]
    total, inside = math.prod(sizes), int(box.sum())
    facts = [f"{read:,} of {mask.size:,} {noun}"]
    if box.size > inside:
        facts.append(f"{box.size - inside:,} of the {box.size:,} {noun} inside the window are not read")
    if total > box.size:
        facts.append(f"{percent(total - box.size, total)} of the window is padding")
    if read > inside:
        facts.append(f"{read - inside:,} lie outside the window")
    if all(found.whole_input) and read == mask.size:
        return f"{who} reads everything: all {read:,} {noun} of the input.", "; ".join(facts)
    if read == mask.size and total > box.size:
        everything = f"{who} reads all {read:,} {noun}; {percent(total - box.size, total)} of its window is padding."
        return everything, "; ".join(facts)
    return headline(who, times(sizes), (total, box.size, inside), noun) + ".", "; ".join(facts)


def _window_words(window: tuple[tuple[int, int], ...] | None) -> str:
    if window is None:
        return "none"
    size = times(last - first + 1 for first, last in window)
    return "\n".join([size, *(f"{name} {_signed(f)} to {_signed(n)}" for name, (f, n) in _named(window))])


def _place_words(place: tuple[float, ...] | None) -> str:
    if place is None:
        return "none"
    return ", ".join(f"{name[:-1]} {_signed(p)}" for name, p in _named(place))


def _named(values: Sequence[Any]) -> list[tuple[str, Any]]:
    return list(zip(("positions",) if len(values) == 1 else ("rows", "columns"), values, strict=True))


def _signed(number: float) -> str:
    return f"{number:.12g}".replace("-", "\N{MINUS SIGN}")


def effective_words(erf: EffectiveReceptiveField) -> str:
    """The four measures of size, and what the map's own notes say."""
    fit, noun = erf.gaussian(), "positions" if erf.map.ndim == 1 else "pixels"
    half = whole_percent(erf.area_ratio(0.5))
    square = "interval" if erf.map.ndim == 1 else "square"
    measures = [
        f"sigma {_tenths(erf.sigma)} {noun}",
        f"size {erf.size():.1f} (above 4.55% of the peak)",
        f"half of it in a centered {square} of {half} of the input",
        f"Gaussian fit: sigma {_tenths(fit.sigma)}, R\N{SUPERSCRIPT TWO} {fit.r_squared:.2f}",
        *erf.notes[:1],
    ]
    return "\n".join(measures)


def whole_percent(share: float) -> str:
    """A share as whole percent, and never rounded to none or to all."""
    if share in (0, 1):
        return f"{share:.0%}"
    return "less than 1%" if share < 0.01 else f"{min(99, round(100 * share))}%"


def _tenths(numbers: Sequence[float]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(f"{n:.1f}" for n in numbers)
