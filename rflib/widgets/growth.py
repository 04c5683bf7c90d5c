"""The growth explorer: five ways to widen a field, and how far each gets for the same price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.ticker import FuncFormatter

from rflib.arithmetic import shown, whole_number
from rflib.design import COSTS, WAYS, Design
from rflib.design.designs import padded_layer
from rflib.errors import LayerError, ModelError, UnknownNameError
from rflib.figures import drawing as d
from rflib.figures.drawing import Drawing
from rflib.figures.stacks import draw_growth
from rflib.widgets.checked import Checked, CheckedExplorer

AXES = ("steps", *COSTS)
KERNELS = (3, 5, 7, 9, 11)
# With these ends every number stays below 2 ** 53, where JavaScript counts exactly.
MOST_DEPTH, MOST_CHANNELS, MOST_INPUT, LEAST_INPUT, MOST_STEPS = 16, 512, 1024, 8, 2 * 1024

_ORDER = tuple(WAYS)
_SAME = {"steps": "number of steps", "parameters": "parameters", "multiply_adds": "multiply-adds"}


def whole(name: str, least: int, most: int) -> Callable[[Any], int]:
    """A check for whole numbers in a range."""

    def check(given: Any) -> int:
        number = whole_number(given)
        if number is None or not least <= number <= most:
            raise ModelError(f"`{name}` must be an integer from {least:,} to {most:,}; got {shown(given)}.")
        return number

    return check


def one_of(kind: str, known: Sequence[str]) -> Callable[[Any], str]:
    """A check for one of a few names."""

    def check(given: Any) -> str:
        if not isinstance(given, str) or given not in known:
            raise UnknownNameError(kind, given, known)
        return given

    return check


def yes_or_no(name: str) -> Callable[[Any], bool]:
    """A check for True and False."""

    def check(given: Any) -> bool:
        if not isinstance(given, bool):
            raise ModelError(f"`{name}` must be True or False; got {shown(given)}.")
        return given

    return check


def way_rows(way: str, step: int, kernel: int = 3) -> list[tuple[int, int, int, str]]:
    """What `WAYS[way].make(step)` makes, with another kernel than 3: (kernel_size, stride, dilation, kind) a layer."""
    if way == "large kernels":
        return [(1 + (kernel - 1) * step, 1, 1, "conv")]
    rows = WAYS[way].make(step)
    return [(size if kind == "pool" else kernel, stride, dilation, kind) for size, stride, dilation, kind in rows]


def _kernel_sizes(given: Any) -> tuple[int, ...]:
    """One kernel size a way, in the order of `WAYS`."""
    if isinstance(given, Mapping):
        for name in given:
            one_of("way to grow", _ORDER)(name)
        given = [given.get(way, 3) for way in _ORDER]
    elif not isinstance(given, Sequence) or isinstance(given, str):
        given = [given] * len(_ORDER)
    sizes = tuple(whole_number(size) for size in given)
    if len(sizes) != len(_ORDER) or not all(size in KERNELS for size in sizes):
        raise ModelError(
            f"`kernels` must be one of {', '.join(map(str, KERNELS))} for each of the {len(_ORDER)} ways; "
            f"got {shown(list(given))}."
        )
    return tuple(size for size in sizes if size is not None)


class GrowthExplorer(CheckedExplorer):
    """How far five ways to widen the field get for the same number of steps, parameters or multiply-adds.

    The chart goes as far to the right as `depth` ordinary layers cost. A curve ends before where the window, of
    2 * input_size - 1 positions or more, holds the whole input wherever it stands.

    Example:
        >>> explorer = GrowthExplorer(axis="parameters", way="depth", step=6)
        >>> {way: design and design.field.size for way, design in explorer.compared.items()}
        {'depth': 13, 'large kernels': 7, 'pooling': 190, 'dilation': 127, 'depthwise': 93}
        >>> explorer
        GrowthExplorer: depth, step 6: field 13 input positions, output stride 1, 221,568 parameters, 11,098,128,384
        multiply-adds. For the same parameters pooling gets farthest: 190.

    Args:
        depth: How far to the right the chart goes: the price of so many steps of "depth", 1 to 16.
        channels: The width, before the stack and after each layer, 1 to 512.
        input_size: Length of the input on both axes, in positions, 8 to 1024.
        kernels: Kernel size of the convolutions, 3, 5, 7, 9 or 11: for all ways, or by the name of the way, else 3.
            For "large kernels" it is the kernel of the first step; each step adds as much again, less one.
        axis: What lies on the horizontal axis: "steps", "parameters" or "multiply_adds".
        log: Whether the field, and a price, stand on logarithmic scales.
        way: Where the cursor stands: "depth", "large kernels", "pooling", "dilation" or "depthwise".
        step: And at which of its steps, counted from 1; beyond the end of its curve: at the end.

    Raises:
        ModelError: If a number is out of range.
        UnknownNameError: If there is no such way or axis.
    """

    _depth = staticmethod(whole("depth", 1, MOST_DEPTH))
    _channels = staticmethod(whole("channels", 1, MOST_CHANNELS))
    _input_size = staticmethod(whole("input_size", LEAST_INPUT, MOST_INPUT))
    _kernels = staticmethod(_kernel_sizes)
    _axis = staticmethod(one_of("horizontal axis", AXES))
    _log = staticmethod(yes_or_no("log"))
    _way = staticmethod(one_of("way to grow", _ORDER))
    _step = staticmethod(whole("step", 1, MOST_STEPS))

    depth = Checked("_depth", 6).tag(sync=True)
    channels = Checked("_channels", 64).tag(sync=True)
    input_size = Checked("_input_size", 224).tag(sync=True)
    kernels = Checked("_kernels", (3,) * len(_ORDER)).tag(sync=True)
    axis = Checked("_axis", "steps").tag(sync=True)
    log = Checked("_log", False).tag(sync=True)
    way = Checked("_way", "depth").tag(sync=True)
    step = Checked("_step", 3).tag(sync=True)

    def __init__(
        self,
        depth: int = 6,
        channels: int = 64,
        input_size: int = 224,
        kernels: int | Mapping[str, int] = 3,
        axis: str = "steps",
        log: bool = False,
        way: str = "depth",
        step: int = 3,
    ) -> None:
        super().__init__(
            depth=depth, channels=channels, input_size=input_size, kernels=kernels,
            axis=axis, log=log, way=way, step=step,
        )  # fmt: skip

    @property
    def design(self) -> Design | None:
        """The stack at the cursor; None where not even the first step of its way is on the chart."""
        step = self._cursor()
        return self._design(self.way, step) if step else None

    @property
    def compared(self) -> dict[str, Design | None]:
        """How far each way gets for what the cursor's stack costs on the horizontal axis; None: not even one step."""
        step = self._cursor()
        most = self._price(self.way, step) if step else self._end()
        reached = {way: self._last(way, most) for way in _ORDER}
        return {way: self._design(way, step) if step else None for way, step in reached.items()}

    @property
    def sentence(self) -> str:
        """What the explorer says below its chart."""
        design, step = self.design, self._cursor()
        first = f"{self.way}: already its first step lies beyond the right end of the chart."
        if design is not None:
            first = (
                f"{self.way}, step {step}: field {design.field.size:,} input positions, output stride "
                f"{design.field.stride:,}, {design.cost.parameters:,} parameters, {design.cost.multiply_adds:,} "
                "multiply-adds."
            )
        sizes = {way: found.field.size if found else 0 for way, found in self.compared.items()}
        best = max(sizes.values())
        ahead = [way for way, size in sizes.items() if size == best]
        who = f"all ways get to {best:,}" if len(ahead) == len(_ORDER) else f"{_listed(ahead)} farthest: {best:,}"
        return f"{first} For the same {_SAME[self.axis]} {who}."

    def _cursor(self) -> int:
        """The step that the cursor stands at; 0 where its way is not on the chart."""
        last: int = min(self.step, self._last(self.way, self._end()))
        return last

    def _design(self, way: str, step: int) -> Design:
        rows = way_rows(way, step, self.kernels[_ORDER.index(way)])
        kinds = [kind for *_, kind in rows]
        return Design([padded_layer(*row) for row in rows], kinds, self.channels, self.input_size)

    def _price(self, way: str, step: int) -> int:
        if self.axis == "steps":
            return step
        cost = self._design(way, step).cost
        return cost.parameters if self.axis == "parameters" else cost.multiply_adds

    def _end(self) -> int:
        """The right end of the chart."""
        return self._price("depth", self.depth)

    def _last(self, way: str, most: int) -> int:
        """The last step of a way that is not beyond a price, nor beyond the end of the curve; 0 if there is none."""
        last, reach = 0, 1
        while self._is_there(way, reach, most):
            last, reach = reach, 2 * reach
        while reach - last > 1:
            middle = (last + reach) // 2
            last, reach = (middle, reach) if self._is_there(way, middle, most) else (last, middle)
        return last

    def _is_there(self, way: str, step: int, most: int) -> bool:
        try:
            if self._price(way, step) > most:
                return False
            self._design(way, step).output_size  # noqa: B018 a map too small for the next pooling is refused here
        except LayerError:
            return False
        return step == 1 or self._design(way, step - 1).field.size < 2 * self.input_size - 1

    def __repr__(self) -> str:
        return f"GrowthExplorer: {self.sentence}"

    def picture(self) -> Drawing:
        """The curves of the field, as far as the explorer shows them."""
        end = self._end()
        steps = {way: self._last(way, end) for way in _ORDER}
        curves = {way: [self._design(way, n) for n in _thinned(last)] for way, last in steps.items() if last}
        if self.axis == "steps":
            drawing = draw_growth({way: [design.field.size for design in row] for way, row in curves.items()}, self.log)
        else:
            drawing = _draw_priced(curves, self.axis, self.log)
        return Drawing(drawing.figure, f"{drawing.alt} At the cursor: {self.sentence}")


def _listed(ways: Sequence[str]) -> str:
    if len(ways) == 1:
        return f"{ways[0]} gets"
    return f"{', '.join(ways[:-1])} and {ways[-1]} get"


def _thinned(last: int) -> list[int]:
    """All steps, or of very many about sixty, the last one among them."""
    every = 1 + last // 60
    return sorted({*range(1, last + 1, every), last})


def _draw_priced(curves: Mapping[str, Sequence[Design]], cost: str, log: bool) -> Drawing:
    """The field against a cost, a line a way."""
    axes = d.canvas(d.WIDTH, 5.2, None)
    styles = ((d.BLUE, "o", "-"), (d.RED, "s", "--"), (d.GREEN, "^", "-."), (d.PURPLE, "D", ":"), (d.BLACK, "X", "--"))
    ends = []
    for way, (color, marker, style) in zip(_ORDER, styles, strict=True):
        if way in curves:
            sizes = [design.field.size for design in curves[way]]
            prices = [getattr(design.cost, cost) for design in curves[way]]
            look: dict[str, Any] = {"color": color, "marker": marker, "linestyle": style, "linewidth": 2.5}
            axes.plot(prices, sizes, label=f"{way}: {sizes[-1]:,}", markersize=8, **look)
            ends.append((sizes[-1], way, f"{way}: {sizes[-1]:,} for {prices[-1]:,}"))
    if log:
        axes.set(xscale="log", yscale="log")
    for scale in (axes.xaxis, axes.yaxis):
        scale.set_major_formatter(FuncFormatter(_engineering))
    axes.grid(True, color=d.PALE, linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    d.legend(axes, axes.get_lines(), inside=True)
    ends.sort(key=lambda entry: -entry[0])
    word = _SAME[cost]
    title = f"For the same {word} {ends[0][1]} gets to {ends[0][0]:,}, {ends[-1][1]} to {ends[-1][0]:,}"
    alt = f"Receptive field in input positions against {word}. {'; '.join(said for *_, said in ends)}."
    return d.finish(axes, title, alt, word, "receptive field (input positions)", own=True)


def _engineering(number: float, _place: int | None = None) -> str:
    """1,500,000 as 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"
