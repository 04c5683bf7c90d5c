"""The poke explorer: change a pixel and see which units change; choose a unit and see which pixels it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeGuard

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import nn

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError, UnitError, UnknownNameError
from rflib.figures import drawing as d
from rflib.widgets import poke_words as words
from rflib.widgets.checked import Checked, CheckedExplorer
from rflib.widgets.poke_subject import LAYERS, Bools, Floats, Place, Poke, Shift, Subject, compare_shift, moved_by

__all__ = ["PokeExplorer"]

LARGEST, LONGEST = 1024, 64  # pixels, positions on one axis: more cannot be told apart in the picture
GIVEN = "your module"
MODES = ("pixel", "unit")


class PokeExplorer(CheckedExplorer):
    """An image and the feature map that real layers make of it: change a pixel, choose a unit, shift the image.

    Everything shown is computed by the layers themselves, in double precision: the units that a changed pixel changes
    (bit for bit), and the pixels that a unit reads, found by poking every pixel. In the browser the arrow keys or the
    mouse move a cursor over image and map; Enter, space or a click changes the pixel under it.

    Example:
        >>> explorer = PokeExplorer()
        >>> explorer.unit = (3, 4)
        >>> int(explorer.reads.sum())  # a 3 x 3 window
        9
        >>> explorer.poke((0, 0))  # far outside
        >>> explorer.changed
        {(0, 0)}
        >>> explorer.layers = "dense layer"
        >>> explorer.poke((0, 0))
        >>> len(explorer.changed)
        100

    Args:
        model: A module that takes (1, channels, *input_size) and returns one feature map of one or two axes, or a row
            of units. It is copied, and runs in the mode it is in. All channels of a pixel get the same gray value. By
            default the reader chooses among layers made here, with random weights.
        input_size: Rows and columns of the image, or the length of a line of one axis; in pixels.
        seed: For the image and for the weights of the layers made here.

    Attributes:
        layers: The name of the layers, of `PokeExplorer.choices`.
        pixel: The pixel under the cursor, (row, column) or (position,).
        unit: The chosen unit, as a tuple.
        mode: "pixel" or "unit": which of them the result line is about.
        channel: The channel of the feature map that is shown.

    Raises:
        ModelError: The module does not run on such an image, or its output cannot be drawn.
        UnitError: There is no such pixel or unit.
        UnknownNameError: There are no such layers.
    """

    choices = tuple(LAYERS)

    # The browser knows what it sent; without the echo the answer is there sooner.
    layers = Checked("_check_layers", choices[0]).tag(sync=True, echo_update=False)
    pixel = Checked("_check_pixel", ()).tag(sync=True, echo_update=False)
    unit = Checked("_check_unit", ()).tag(sync=True, echo_update=False)
    mode = Checked("_check_mode", "pixel").tag(sync=True, echo_update=False)
    channel = Checked("_check_channel", 0).tag(sync=True, echo_update=False)

    _subject: Subject
    _image: Floats
    _reference: Floats  # the image before it was shifted
    _values: Floats
    _by: Place
    _poke: Poke | None
    _shift: Shift | None
    _busy = False

    offered = traitlets.List(traitlets.Unicode()).tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(
        self, model: nn.Module | None = None, input_size: int | Sequence[int] = (12, 12), seed: int = 0
    ) -> None:
        self._space = _checked_space(input_size)
        self._seed = _checked_seed(seed)
        if model is not None and not isinstance(model, nn.Module):
            raise ModelError(f"`model` must be a torch.nn.Module; got {shown(model)}.")
        self._given = model
        self._subjects: dict[str, Subject] = {}
        self._start = first_image(self._space, self._seed)
        name = GIVEN if model is not None else self.choices[0]
        self._load(name)
        middle = tuple(n // 2 for n in self._space)
        super().__init__(
            layers=name,
            pixel=middle,
            unit=tuple(n // 2 for n in self._subject.units),
            offered=[] if model is not None else list(self.choices),
        )
        self.observe(self._moved, ["layers", "pixel", "unit", "mode", "channel"])
        self.on_msg(self._told)
        self._say()

    # What Python offers -----------------------------------------------------------------------------------------------

    @property
    def image(self) -> Floats:
        """The image as it is now, 0 black to 1 white; of shape `input_size`."""
        return self._image.copy()

    @property
    def values(self) -> Floats:
        """The feature map of the image: (channels, *units)."""
        return self._values.copy()

    @property
    def changed(self) -> set[Place]:
        """The units that the last poke changed, in any bit of any channel; empty before a poke."""
        return set(_places(self._poke.changed)) if self._poke else set()

    @property
    def would_change(self) -> set[Place]:
        """The units that a poke of `pixel` would change now."""
        return set(_places(self._tried().changed))

    @property
    def reads(self) -> Bools:
        """The pixels that `unit` reads, found by poking every pixel: boolean, of shape `input_size`."""
        return self._subject.reads(self.unit).copy()

    def poke(self, pixel: int | Sequence[int] | None = None, value: float | None = None) -> None:
        """Change one pixel.

        Args:
            pixel: Its place; by default the pixel under the cursor. The cursor goes there.
            value: The new gray value, 0 to 1; by default the far end of the scale.

        Raises:
            UnitError: There is no such pixel.
            ModelError: The value is not from 0 to 1.
        """
        place = self.pixel if pixel is None else self._check_pixel(pixel)
        if value is not None and not (isinstance(value, int | float | np.number) and 0 <= value <= 1):
            raise ModelError(f"`value` must be a gray value from 0 (black) to 1 (white); got {shown(value)}.")
        self._poke = self._tried(place, None if value is None else float(value))
        self._image[place] = self._poke.new
        self._reference, self._by, self._shift = self._image.copy(), (0,) * len(self._space), None
        self._values = self._poke.after
        self._go(pixel=place, mode="pixel")

    def reset(self) -> None:
        """Take back all pokes and shifts."""
        self._load(self.layers)
        self._go()

    def shift(self, *by: int) -> Shift:
        """Shift the image by whole pixels, zeros coming in at the border, and look what the feature map makes of it.

        Args:
            by: One number an axis; (0, 1) moves every pixel one column to the right.

        Returns:
            What the map did, compared with the map before the first shift.

        Raises:
            ModelError: Not one whole number an axis, or nothing of the image would be left.
        """
        numbers = [whole_number(b) for b in by]
        total = tuple(a + b for a, b in zip(self._by, (n or 0 for n in numbers), strict=False))
        if len(by) != len(self._space) or None in numbers:
            raise ModelError(f"`shift` needs {len(self._space)} whole numbers, one an axis; got {shown(by)}.")
        if any(abs(t) >= n for t, n in zip(total, self._space, strict=True)):
            raise ModelError(f"Shifted by {d.pair(total)} nothing would be left of {words.of_pixels(self._space)}.")
        self._by, self._poke = total, None
        self._image = moved_by(self._reference, total)
        self._values = self._subject(self._image)
        shift = compare_shift(self._subject, total, self._subject(self._reference), self._values)
        self._shift = shift
        self._go()
        return shift

    def recording(self) -> dict[str, Any]:
        """What Python answers to one change at a time, and to shifts by a few pixels, of the first image."""
        from rflib.widgets.poke_recording import record_poke

        return record_poke(self)

    def picture(self) -> d.Drawing:
        """The image and the feature map as they are now."""
        figure = Figure(figsize=(d.WIDTH, 5.0), dpi=d.DPI, facecolor="white", layout="constrained")
        image, features = figure.subplots(1, 2)
        reads, marked = self._subject.reads(self.unit), self._marked()
        title = f"Unit {d.pair(self.unit)} reads {reads.sum()} of {reads.size} pixels"
        words.draw_panel(image, self._image, reads, self.pixel, title)
        what = "moved along" if self._shift else "changed" if self._is_poked(self._poke) else "would change"
        title = f"{marked.sum()} of {marked.size} units {what}"
        words.draw_panel(features, self._values[self.channel], marked, self.unit, title)
        return d.Drawing(figure, f"{self._what()}. {self._sentence()}")

    def __repr__(self) -> str:
        return f"PokeExplorer: {self._what()}. {self._sentence()}"

    # Checks -----------------------------------------------------------------------------------------------------------

    def _check_layers(self, name: object) -> str:
        known = [GIVEN] if self._given is not None else list(self.choices)
        if name not in known:
            raise UnknownNameError("choice of layers", name, known)
        return str(name)

    def _check_pixel(self, place: object) -> Place:
        return _checked_place(place, self._space, "pixel", "a position of the image")

    def _check_unit(self, place: object) -> Place:
        return _checked_place(place, self._subject.units, "unit", "a unit of the feature map")

    def _check_mode(self, mode: object) -> str:
        if mode not in MODES:
            raise ModelError(f"`mode` must be 'pixel' or 'unit'; got {shown(mode)}.")
        return str(mode)

    def _check_channel(self, number: object) -> int:
        channel = whole_number(number)
        if channel is None or not 0 <= channel < self._subject.channels:
            last = self._subject.channels - 1
            raise UnitError(f"`channel` must be a channel of the feature map, 0 to {last}; got {shown(number)}.")
        return channel

    # What moves the explorer ------------------------------------------------------------------------------------------

    def _load(self, name: str) -> None:
        """Take up layers with the first image."""
        self._subject = self._subject_of(name)
        self._image, self._reference = self._start.copy(), self._start.copy()
        self._values = self._subject(self._image)
        self._poke = self._shift = None
        self._by = (0,) * len(self._space)

    def _subject_of(self, name: str) -> Subject:
        if name not in self._subjects:
            self._subjects[name] = Subject(self._made(name), self._space)
        return self._subjects[name]

    def _made(self, name: str) -> nn.Module:
        if self._given is not None:
            return self._given
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            return LAYERS[name](self._space)

    def _moved(self, change: Any) -> None:
        if self._busy:
            return
        if change.name == "layers":
            self._load(self.layers)
            fits = len(self.unit) == len(self._subject.units) and all(map(int.__lt__, self.unit, self._subject.units))
            unit = self.unit if fits else tuple(n // 2 for n in self._subject.units)
            self._go(unit=unit, channel=0)
            return
        self._shift = None  # the cursor moves on: the result line is about it again
        self._go(**({"mode": change.name} if change.name in MODES else {}))

    def _go(self, **traits: Any) -> None:
        """Set traits and answer, in one message."""
        self._busy = True
        try:
            with self.hold_sync():
                for name, value in traits.items():
                    setattr(self, name, value)
                self._say()
        finally:
            self._busy = False

    def _told(self, _: Any, content: Any, _buffers: Any) -> None:
        """What the browser's buttons and keys ask for."""
        asked = content if isinstance(content, dict) else {}
        self.guarded(lambda: self._obey(asked))

    def _obey(self, asked: dict[str, Any]) -> None:
        if asked.get("do") == "poke":
            self.poke(asked.get("pixel"))
        elif asked.get("do") == "shift":
            by = asked.get("by")
            self.shift(*(by if isinstance(by, list) else (by,)))
        elif asked.get("do") == "reset":
            self.reset()
        else:
            raise ModelError(f"The poke explorer knows 'poke', 'shift' and 'reset'; got {shown(asked.get('do'))}.")

    # What is said and shown -------------------------------------------------------------------------------------------

    def _tried(self, pixel: Place | None = None, value: float | None = None) -> Poke:
        place = self.pixel if pixel is None else pixel
        old = float(self._image[place])
        new = value if value is not None else float(old < 0.5)
        poked = self._image.copy()
        poked[place] = new
        return Poke(place, old, new, self._values, self._subject(poked))

    def _is_poked(self, poke: Poke | None) -> TypeGuard[Poke]:
        return poke is not None and poke.pixel == self.pixel

    def _marked(self) -> Bools:
        """The units marked in the map: what changed, or would change, or moved with the image."""
        if self._shift is not None:
            return self._shift.same
        return (self._poke if self._is_poked(self._poke) else self._tried()).changed

    def _say(self) -> None:
        reads = self._subject.reads(self.unit)
        values = self._values[self.channel]
        kind = "moved" if self._shift else "changed" if self._is_poked(self._poke) else "would"
        self.answer = {
            "space": list(self._space),
            "units": list(self._subject.units),
            "channels": self._subject.channels,
            "image": self._image.ravel().tolist(),
            "values": np.nan_to_num(values).ravel().tolist(),
            "reads": np.flatnonzero(reads).tolist(),
            "marked": np.flatnonzero(self._marked()).tolist(),
            "kind": kind,
            "pixel": list(self.pixel),
            "unit": list(self.unit),
            "by": list(self._by),
            "sentence": self._sentence(),
            "layers": self.layers,
        }

    def _what(self) -> str:
        name = self.layers.capitalize() if self._given is None else type(self._given).__name__
        return f"{name} on {words.of_pixels(self._space)}"

    def _sentence(self) -> str:
        if self._shift is not None:
            return words.shift_sentence(self._shift, self._subject)
        poke, channel = self._poke, self.channel
        in_channel = words.SENTENCES["channel"].format(channel=channel) if self._subject.channels > 1 else ""
        value = words.before_and_after(poke, self.unit, channel, in_channel) if poke is not None else None
        if self.mode == "pixel":
            return f"{words.was_poked(poke)}; {value}." if self._is_poked(poke) else words.tried_sentence(self._tried())
        head = words.unit_head(self.unit, self._subject.reads(self.unit))
        now = words.decimal(float(self._values[(channel, *self.unit)]))
        return f"{head}; {f'{value}.' if value else words.SENTENCES['now'].format(channel=in_channel, now=now)}"


# -------------------------------------------------------------------------------------------------------------- checks


def _refuse_space(size: object) -> NoReturn:
    raise ModelError(
        f"`input_size` must hold the lengths of one or two axes, as (12, 12) or 24, each from 1 to {LONGEST}, together "
        f"at most {LARGEST} pixels; got {shown(size)}. For other inputs use rflib.analyze or rflib.measure."
    )


def _checked_space(size: object) -> Place:
    lengths = [whole_number(n) for n in (size if isinstance(size, Sequence) and not isinstance(size, str) else [size])]
    good = [n for n in lengths if n is not None and 1 <= n <= LONGEST]
    if len(good) != len(lengths) or len(good) not in (1, 2) or int(np.prod(good)) > LARGEST:
        _refuse_space(size)
    return tuple(good)


def _checked_seed(seed: object) -> int:
    number = whole_number(seed)
    if number is None or not 0 <= number < 2**63:
        raise ModelError(f"`seed` must be an integer >= 0; got {shown(seed)}.")
    return number


def _checked_place(place: object, shape: Place, name: str, what: str) -> Place:
    given = list(place) if isinstance(place, Sequence | np.ndarray) and not isinstance(place, str) else [place]
    found = [whole_number(number) for number in given]
    good = tuple(i for i, n in zip(found, shape, strict=False) if i is not None and 0 <= i < n)
    if len(good) != len(shape) or len(found) != len(shape):
        raise UnitError(f"`{name}` must be {what}, whose shape is {shape}; got {shown(place)}.")
    return good


def first_image(space: Place, seed: int) -> Floats:
    """A bright ring (on one axis a hump) on noise, in steps of a hundredth: numbers that read well."""
    noise = np.random.default_rng(seed).random(space)
    middle = np.stack([(g - (n - 1) / 2) / max(n / 2, 1) for g, n in zip(np.indices(space), space, strict=True)])
    distance = np.sqrt((middle**2).sum(axis=0))
    ring = np.exp(-(((distance - 0.55) / 0.18) ** 2))
    image: Floats = np.round(0.08 + 0.62 * ring + 0.28 * noise, 2)
    return image


def _places(mask: Bools) -> Iterable[Place]:
    return (tuple(int(i) for i in place) for place in np.argwhere(mask))
