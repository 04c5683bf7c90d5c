"""The dilation explorer: what a schedule of dilations reads, in one and in two dimensions, and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from rflib.arithmetic import Layer, ReceptiveField, receptive_field, shown, whole_number
from rflib.errors import UnknownNameError
from rflib.figures import drawing as d
from rflib.figures.drawing import Drawing
from rflib.widgets.base import Explorer
from rflib.widgets.checked import CursorError, SettingError

if TYPE_CHECKING:
    _Any = traitlets.TraitType[Any, Any]
else:
    _Any = traitlets.Any

MOST_LAYERS, LARGEST_DILATION, LARGEST_KERNEL, LONGEST_SPAN = 24, 1024, 32, 4096
_EACH_MARKED = 64  # positions: beyond, a mark for each would be a smear in print


class _Setting(_Any):
    """A trait that the explorer checks; traitlets would let None through without asking."""

    allow_none = False


class DilationExplorer(Explorer):
    """Which offsets a stack of dilated layers reads, layer by layer, in one and in two dimensions.

    Edit the schedule as a list or layer by layer. Each row shows what a unit reads after one more layer, how many paths
    lead there, and whether the layer keeps the rule that leaves no blind spots: no dilation larger than the span so
    far. Arrow keys or the mouse move over the offsets; PageUp and PageDown go to the next blind spot.

    Every setting can be read and set from Python too.

    Example:
        >>> explorer = DilationExplorer((2, 2, 2))
        >>> explorer.receptive_field.size, explorer.blind_spots
        (13, (6, 120))
        >>> explorer.dilations = (1, 2, 5)
        >>> explorer
        DilationExplorer: dilations 1, 2, 5 with kernel size 3 read 17 of 17 offsets, no blind spots

    Args:
        dilations: One a layer, the first layer first, each from 1 to 1024; at most 24.
        kernel_size: One for all layers, or one for each; each from 1 to 32.
        task: What to reach without blind spots: {"size": 31, "kernel_size": 3, "layers": 4} asks for a field of at
            least 31 input positions with that kernel size in at most that many layers; only "size" must be given.
        causal: Whether all padding lies on the left, so that a unit reads only what comes before it.

    Attributes:
        dilations: As above, a tuple.
        kernel_size: As above; several equal ones become one number.
        causal: As above.
        layer: The layer whose unit is looked at, counted from 1.
        offset: The offset that is looked at, in input positions from the unit's own place.
        task: As above, or {}.

    Raises:
        LayerError: If a number is no whole number or out of range, or the field is longer than 4096 positions.

    Reference:
        Yu, Koltun, ICLR 2016, arXiv 1511.07122; on the holes: Wang et al., WACV 2018, arXiv 1702.08502.
    """

    dilations = _Setting((1, 2, 4)).tag(sync=True)
    kernel_size = _Setting(3).tag(sync=True)
    causal = _Setting(False).tag(sync=True)
    layer = _Setting(1).tag(sync=True)
    offset = _Setting(0).tag(sync=True)
    task: Any = _Setting({}).tag(sync=True)

    def __init__(
        self,
        dilations: Any = (1, 2, 4),
        kernel_size: Any = 3,
        task: Mapping[str, int] | None = None,
        causal: bool = False,
    ) -> None:
        numbers = _checked_dilations(dilations)
        settings = {"dilations": numbers, "kernel_size": kernel_size, "causal": causal, "layer": len(numbers)}
        super().__init__(**settings, task=task or {})

    @traitlets.validate("dilations")
    def _valid_dilations(self, proposal: Any) -> tuple[int, ...]:
        numbers = _checked_dilations(proposal["value"])
        _checked_span(numbers, _checked_kernels(self.kernel_size, len(numbers)))
        return numbers

    @traitlets.validate("kernel_size")
    def _valid_kernel_size(self, proposal: Any) -> int | tuple[int, ...]:
        numbers = _checked_dilations(self.dilations)
        kernels = _checked_kernels(proposal["value"], len(numbers))
        _checked_span(numbers, kernels)
        return kernels[0] if len(set(kernels)) == 1 else kernels

    @traitlets.validate("causal")
    def _valid_causal(self, proposal: Any) -> bool:
        if not isinstance(proposal["value"], bool | np.bool_):
            raise SettingError(f"`causal` must be True or False; got {shown(proposal['value'])}.")
        return bool(proposal["value"])

    @traitlets.validate("layer")
    def _valid_layer(self, proposal: Any) -> int:
        layer, count = whole_number(proposal["value"]), len(self.dilations)
        if layer is None or not 1 <= layer <= count:
            got = shown(proposal["value"])
            raise CursorError(f"`layer` must be an integer from 1 to {count}, the number of layers; got {got}.")
        return layer

    @traitlets.validate("offset")
    def _valid_offset(self, proposal: Any) -> int:
        offset, (first, last) = whole_number(proposal["value"]), self._window(self.layer)
        if offset is None or not first <= offset <= last:
            where = f"an integer from {first} to {last}, the window of a unit of layer {self.layer}"
            raise CursorError(f"`offset` must be {where}; got {shown(proposal['value'])}.")
        return offset

    @traitlets.validate("task")
    def _valid_task(self, proposal: Any) -> dict[str, int]:
        return _checked_task({} if proposal["value"] is None else proposal["value"])

    @traitlets.observe("dilations", "kernel_size", "causal", "layer")
    def _keep_the_cursor_inside(self, change: Any) -> None:
        """A shorter schedule takes the cursor along; one that is at the last layer stays there."""
        count = len(self.dilations)
        old = len(change["old"]) if change["name"] == "dilations" and isinstance(change["old"], tuple) else count
        layer = count if self.layer == old else min(self.layer, count)
        first, last = self._window(layer)
        offset = min(max(self.offset, first), last)
        if (layer, offset) != (self.layer, self.offset):
            with self.hold_trait_notifications():
                self.layer, self.offset = layer, offset

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The stack: stride 1, padding that keeps the length."""
        result = []
        for dilation, kernel in zip(
            self.dilations, _checked_kernels(self.kernel_size, len(self.dilations)), strict=True
        ):
            reach = dilation * (kernel - 1)
            left = reach if self.causal else reach // 2
            result.append(Layer(kernel, padding=(left, reach - left), dilation=dilation))
        return tuple(result)

    @property
    def receptive_field(self) -> ReceptiveField:
        """The field of a unit of the last layer; unit 0 of it stands at position 0, so positions are offsets."""
        return receptive_field(self.layers)

    @property
    def blind_offsets(self) -> tuple[int, ...]:
        """The offsets inside the window of a unit of the last layer that it does not read."""
        first, last = self.receptive_field.interval(0)
        read = set(self.receptive_field.positions(0))
        return tuple(offset for offset in range(first, last + 1) if offset not in read)

    @property
    def blind_spots(self) -> tuple[int, int]:
        """How many positions of the window are not read: along one axis, and in the plane of two such axes."""
        size, blind = self.receptive_field.size, len(self.blind_offsets)
        return blind, size * size - (size - blind) ** 2

    @property
    def is_solved(self) -> bool | None:
        """Whether the schedule does what the task asks; None without a task."""
        if not self.task:
            return None
        asked = self.task.get("kernel_size")
        return (
            self.receptive_field.size >= self.task["size"]
            and not self.blind_offsets
            and (asked is None or all(layer.kernel_size == asked for layer in self.layers))
            and len(self.layers) <= self.task.get("layers", MOST_LAYERS)
        )

    def picture(self) -> Drawing:
        """What a unit of each layer reads, as rows of marks, and what one of the last layer reads in the plane."""
        layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1, wspace=0.06)
        height = max(4.2, 1.9 + 0.5 * len(self.dilations))
        figure = Figure(figsize=(d.WIDTH + 2.5, height), dpi=d.DPI, facecolor="white", layout=layout)
        rows_axes, plane_axes = figure.subplots(1, 2, width_ratios=(2.2, 1))
        _draw_rows(d.canvas(0, 0, rows_axes), self.layers)
        _draw_plane(d.canvas(0, 0, plane_axes), self.receptive_field)
        size, (blind, cells) = self.receptive_field.size, self.blind_spots
        holes = "no blind spots" if blind == 0 else f"{blind:,} of {size:,} offsets are blind"
        title = f"{self._schedule().capitalize()}: {holes}"
        alt = f"{title}. In two dimensions {cells:,} of {size * size:,} positions of the window are blind."
        return d.finish(rows_axes, title, alt, "offset from the unit (input positions)", own=True)

    def _window(self, layer: int) -> tuple[int, int]:
        """The first and the last offset of the window of a unit of one layer."""
        return receptive_field(self.layers[:layer]).interval(0)

    def __repr__(self) -> str:
        size, (blind, _) = self.receptive_field.size, self.blind_spots
        holes = d.count(blind, "blind spot") if blind else "no blind spots"
        return f"DilationExplorer: {self._schedule()} read {size - blind:,} of {size:,} offsets, {holes}"

    def _schedule(self) -> str:
        one = whole_number(self.kernel_size) is not None
        kernels = self.kernel_size if one else ", ".join(str(kernel) for kernel in self.kernel_size)
        return f"dilations {', '.join(map(str, self.dilations))} with kernel size{'' if one else 's'} {kernels}"


def _checked_dilations(given: Any) -> tuple[int, ...]:
    """The dilations as a tuple, or an error in the words that the browser uses too."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, tuple | list) or not given:
        what = "`dilations` must be a list of integers, one a layer, such as (1, 2, 4)"
        raise SettingError(f"{what}; got {shown(given)}.")
    if len(given) > MOST_LAYERS:
        raise SettingError(f"`dilations` has {len(given)} entries; the explorer draws at most {MOST_LAYERS} layers.")
    return _numbers("dilation", given, LARGEST_DILATION)


def _checked_kernels(given: Any, layers: int) -> tuple[int, ...]:
    """One kernel size for each layer."""
    sizes = given.tolist() if isinstance(given, np.ndarray) else given
    if not isinstance(sizes, tuple | list):
        sizes = [sizes] * layers
    if len(sizes) != layers:
        raise SettingError(
            f"`kernel_size` has {len(sizes)} entries for {layers} dilations. "
            "Give one number for all layers, or one for each."
        )
    return _numbers("kernel size", sizes, LARGEST_KERNEL)


def _numbers(what: str, given: Sequence[Any], most: int) -> tuple[int, ...]:
    numbers = []
    for index, entry in enumerate(given, start=1):
        number = whole_number(entry)
        if number is None or not 1 <= number <= most:
            raise SettingError(f"The {what} of layer {index} must be an integer from 1 to {most}; got {shown(entry)}.")
        numbers.append(number)
    return tuple(numbers)


def _checked_span(dilations: tuple[int, ...], kernels: tuple[int, ...]) -> None:
    span = 1 + sum(dilation * (kernel - 1) for dilation, kernel in zip(dilations, kernels, strict=True))
    if span > LONGEST_SPAN:
        raise SettingError(
            f"A unit of this stack spans {span} positions; the explorer draws at most {LONGEST_SPAN}. "
            "Use smaller dilations or fewer layers."
        )


def _checked_task(given: Any) -> dict[str, int]:
    keys = ("size", "kernel_size", "layers")
    if not isinstance(given, Mapping) or (given and "size" not in given):
        example = '{"size": 31, "kernel_size": 3, "layers": 4}'
        what = f"`task` must be a dictionary that holds at least a size, such as {example}"
        raise SettingError(f"{what}; got {shown(given)}.")
    task = {}
    for key, value in given.items():
        if key not in keys:
            raise UnknownNameError("entry of a task", key, keys)
        number = whole_number(value)
        if number is None or number < 1:
            raise SettingError(f"`{key}` of the task must be an integer >= 1; got {shown(value)}.")
        task[key] = number
    return task


def _draw_rows(axes: Axes, layers: tuple[Layer, ...]) -> None:
    """One row a layer, the first on top: read offsets filled, blind ones crossed."""
    fields = [receptive_field(layers[:number]) for number in range(1, len(layers) + 1)]
    each = fields[-1].size <= _EACH_MARKED
    marker = {"markersize": min(9.0, 300 / fields[-1].size)} if each else {"markersize": 7}
    for height, field in enumerate(fields):
        first, last = field.interval(0)
        read = field.positions(0)
        blind = sorted(set(range(first, last + 1)) - set(read))
        level = -height
        look: dict[str, Any] = {"linestyle": "none", **marker}
        axes.plot(read, [level] * len(read), marker="s" if each else "|", color=d.BLUE, **look)
        axes.plot(blind, [level] * len(blind), marker="x" if each else 2, color=d.RED, **look)
        note = f"reads {len(read):,} of {field.size:,}"
        beside = axes.get_yaxis_transform()
        axes.text(1.01, level, note, transform=beside, verticalalignment="center", fontsize=d.SMALL, color=d.BLACK)
    axes.set_yticks([-height for height in range(len(layers))], [f"dilation {layer.dilation}" for layer in layers])
    axes.set_ylim(0.6 - len(layers), 0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    marks = [Line2D([], [], marker="s", linestyle="none", color=d.BLUE, label="read")]
    if fields[-1].density < 1 or any(field.density < 1 for field in fields):
        marks.append(Line2D([], [], marker="x", linestyle="none", color=d.RED, label="blind spot"))
    d.legend(axes, marks)


def _draw_plane(axes: Axes, field: ReceptiveField) -> None:
    """The window in the plane: what is read along both axes is read."""
    first, last = field.interval(0)
    read = np.zeros(field.size, dtype=bool)
    read[np.array(field.positions(0)) - first] = True
    plane = np.outer(read, read)
    edges = (first - 0.5, last + 0.5)
    axes.imshow(plane, cmap=ListedColormap(["white", d.BLUE]), vmin=0, vmax=1, extent=(*edges, *edges), origin="lower")
    if field.size <= _EACH_MARKED and not plane.all():
        rows, columns = np.nonzero(~plane)
        size = (150 / field.size) ** 2 / 2
        axes.scatter(columns + first, rows + first, s=size, marker="x", color=d.RED, linewidths=0.8)
    axes.tick_params(colors=d.BLACK, labelcolor=d.BLACK, labelsize=d.SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.set_xlabel("the same in two dimensions", fontsize=d.LABEL, color=d.BLACK)
