"""What the poke explorer says, and its picture for readers without widgets."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rflib.figures import drawing as d
from rflib.widgets.poke_subject import Bools, Floats, Place, Poke, Shift, Subject

__all__ = ["SENTENCES", "before_and_after", "decimal", "draw_panel", "largest_words", "of_pixels", "shift_sentence"]
__all__ += ["tried_sentence", "two_values", "unit_head", "was_poked"]

# A page without Python fills the blanks as the functions below do.
SENTENCES = {
    "tried": "Pixel {pixel} is {old}; changing it to {new} would change {number} of {units}.",
    "poked": "Pixel {pixel} changed from {old} to {new}: {number} of {units} changed{most}",
    "values": "value of unit {unit}{channel}: {before} before, {after} after: {verdict}",
    "unit": "Unit {unit} reads {number} of {pixels} pixels, found by poking each",
    "now": "its value{channel} is {now}.",
    "channel": " in channel {channel}",
    "changed": "changed",
    "same": "bit-identical",
    "elsewhere": "the same here, changed in another channel",
}


def tried_sentence(poke: Poke) -> str:
    """What changing the pixel would do."""
    return SENTENCES["tried"].format(**_facts(poke))


def was_poked(poke: Poke) -> str:
    """What changing the pixel did."""
    return SENTENCES["poked"].format(**_facts(poke), most=largest_words(poke))


def _facts(poke: Poke) -> dict[str, Any]:
    units = d.count(poke.changed.size, "unit")
    values = {"old": f"{poke.old:.2f}", "new": f"{poke.new:.2f}"}
    return {"pixel": d.pair(poke.pixel), "number": int(poke.changed.sum()), "units": units, **values}


def largest_words(poke: Poke) -> str:
    """Which unit changed most, and by how much; nothing where none did."""
    where, by = poke.largest
    return f", most of all unit {d.pair(where)}, by {decimal(by)}" if poke.changed.any() else ""


def before_and_after(poke: Poke, unit: Place, channel: int, in_channel: str) -> str:
    """The value of a unit before and after, and whether it is another one."""
    before, after = float(poke.before[(channel, *unit)]), float(poke.after[(channel, *unit)])
    verdict = "same" if not poke.changed[unit] else "changed" if before != after else "elsewhere"
    texts = dict(zip(("before", "after"), two_values(before, after), strict=True))
    return SENTENCES["values"].format(unit=d.pair(unit), channel=in_channel, **texts, verdict=SENTENCES[verdict])


def two_values(before: float, after: float) -> tuple[str, str]:
    """Two values with as many digits as it takes to tell them apart."""
    digits = next((n for n in range(4, 18) if before == after or decimal(before, n) != decimal(after, n)), 17)
    return decimal(before, digits), decimal(after, digits)


def unit_head(unit: Place, reads: Bools) -> str:
    """What a unit reads."""
    return SENTENCES["unit"].format(unit=d.pair(unit), number=int(reads.sum()), pixels=reads.size)


def shift_sentence(shift: Shift, subject: Subject) -> str:
    """What the map did when the image was shifted."""
    if not any(shift.by):
        return "The image is back where it was, and so is the map."
    image = f"The image moved {_way(shift.by, 'pixel')}"
    if shift.steps is None:
        reading = subject.table.any(axis=0)
        if subject.table[:, reading].all():
            return f"{image}; the map does not move with it, because every unit reads the whole image."
        return f"{image}; the map cannot follow: no unit reads now what another unit read before."
    inner, same = int(shift.inner.sum()), int(shift.same.sum())
    units, moved = d.count(inner, "inner unit"), _way(shift.steps, "unit")
    if same == inner:
        exactly = "exactly" if shift.error == 0 else "up to rounding"
        return f"{image}, the map {moved}: {exactly}, in all {units} (the others read the border or what is new there)."
    return f"{image}; the map does not follow: {same} of {units} hold the value that {moved} would give them."


def _way(by: Place, noun: str) -> str:
    """A shift in words: 1 pixel down and 2 pixels right."""
    words = (("up", "down"), ("left", "right"))[-len(by) :]
    parts = [f"{d.count(abs(b), noun)} {pair[b > 0]}" for b, pair in zip(by, words, strict=True) if b]
    return " and ".join(parts) or "nowhere"


def of_pixels(space: Place) -> str:
    """The image in words."""
    return f"an image of {d.times(space)} pixels" if len(space) > 1 else f"a line of {space[0]} pixels"


def decimal(number: float, digits: int = 4) -> str:
    """A number with a real minus sign, in powers of ten where it is too small for so many digits."""
    text = f"{number:.{digits}f}" if number == 0 or abs(number) >= 0.001 or digits > 4 else f"{number:.1e}"
    return text.replace("-", "\N{MINUS SIGN}")


def draw_panel(ax: Axes, values: Floats, marked: Bools, cursor: Place, title: str) -> None:
    """Squares with their gray or color, a dot on each marked one, a frame round the chosen one."""
    is_image = title.startswith("Unit")
    look: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1} if is_image else {"cmap": "viridis"}
    ax.imshow(np.atleast_2d(values), **look)
    row, column = np.nonzero(np.atleast_2d(marked))
    ax.plot(column, row, "o", markersize=7, markerfacecolor="white", markeredgecolor=d.BLACK, linestyle="none")
    r, c = (0, *cursor)[-2:]
    d.frame(ax, ((r, r), (c, c)), d.RED, "chosen")
    noun = "" if is_image else " of units"
    d.finish(ax, title, "", f"column{noun}", f"row{noun}", own=False)
    if values.ndim == 1:
        ax.set_yticks([])
        ax.set(ylabel="", xlabel="position" if is_image else "unit")
