"""Pictures of a list of layers along one axis: the stack with its cone, and the growth of the field with depth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from rflib.arithmetic import Layer, ReceptiveField, output_sizes, receptive_field
from rflib.errors import ModelError
from rflib.figures import drawing as d
from rflib.tables import layer_table

_MANY_TAPS = 1500
_LINES = (
    (d.BLUE, "o", "-"), (d.RED, "s", "--"), (d.GREEN, "^", "-."), (d.PURPLE, "D", ":"),
    (d.AMBER, "v", "-"), (d.SKY, "P", "--"), (d.BLACK, "X", "-."),
)  # fmt: skip


def draw_stack(
    layers: Iterable[Layer] | ReceptiveField,
    unit: int | None = None,
    input_size: int | None = None,
    ax: Axes | None = None,
) -> d.Drawing:
    """Draw a stack of layers along one axis, and the cone from one unit down to the input.

    Each row is a feature map; each unit stands at its center in input positions. Filled ones are read, hollow
    ones lie in the window and are not read, crosses are padding.

    Example:
        >>> from rflib.arithmetic import Layer
        >>> draw_stack([Layer(3, name="conv1"), Layer(3, dilation=2, name="conv2")])
        Drawing: Unit 0 of conv2 sees 7 input positions. Its ideal window: positions 0 to 6; of the input without end
        it reads 7 positions. Layers from the input on: conv1, kernel 3, size 3, jump 1; conv2, kernel 3, dilation 2,
        size 7, jump 1.

    Args:
        layers: The stack, the first layer first, or its `ReceptiveField`.
        unit: The unit of the last layer; by default the middle one, or unit 0 without an input size.
        input_size: The input's length in positions. Without it every row goes on forever and nothing is
            padding: the ideal picture.
        ax: The axes to draw on; by default a new figure.

    Returns:
        The drawing. Its `alt` states the window, what is read of it, and each layer's size and jump.

    Raises:
        LayerError: If the stack is empty, or the input is too short for it.
        ModelError: If the input size is not a whole number of at least 1.
        UnitError: If the last layer has no such unit.
    """
    stack = layers.layers if isinstance(layers, ReceptiveField) else tuple(layers)
    rows = _stack_rows(stack, unit, input_size)
    axes = d.canvas(d.WIDTH, 1.7 + max(0.5, min(0.95, 6 / len(rows))) * len(rows), ax)
    low, high = _stack_span(rows)
    axes.set_xlim(low - 0.5, high + 0.5)
    axes.set_ylim(-0.5, len(rows) - 0.6)
    _cone(axes, stack, rows)
    handles: dict[str, Line2D] = {}
    for height, row in enumerate(rows):
        spacing = 6.2 * 72 / (high - low + 1) * row.jump  # points between neighbors, the labels taking 2.8 inches
        handles.update(_row_marks(axes, row, height, (low, high), min(13.0, max(1.0, 0.72 * spacing))))
        beside = axes.get_yaxis_transform()
        axes.text(1.01, height, row.note, transform=beside, verticalalignment="center", fontsize=d.SMALL, color=d.BLACK)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    d.legend(axes, [handles[kind] for kind in _MARKS if kind in handles])
    title, alt = _stack_words(rows, input_size)
    axes.tick_params(axis="y", length=0)
    return d.finish(axes, title, alt, "input position", own=ax is None)


_MARKS: dict[str, dict[str, Any]] = {
    "read": {"markerfacecolor": d.BLUE, "markeredgecolor": d.BLUE},
    "in the window, not read": {"markerfacecolor": "white", "markeredgecolor": d.BLUE, "markeredgewidth": 1.5},
    "padding": {"marker": "x", "markeredgecolor": d.RED, "markeredgewidth": 2.0},
    "outside the window": {"markerfacecolor": d.PALE, "markeredgecolor": d.PALE},
}


@dataclass(frozen=True)
class _Row:
    """One feature map of a stack, as `arithmetic` describes it; row 0 is the input."""

    label: str
    note: str
    length: int | None
    start: float  # center of unit 0, in input positions
    jump: int
    ideal: tuple[int, ...]
    read: tuple[int, ...]

    def at(self, unit: float) -> float:
        """Where a unit stands, in input positions."""
        return self.start + unit * self.jump

    def exists(self, unit: int) -> bool:
        """Whether the feature map has that unit; without an input size it has all of them."""
        return self.length is None or 0 <= unit < self.length


def _stack_rows(stack: tuple[Layer, ...], unit: int | None, input_size: int | None) -> list[_Row]:
    """Every row of the diagram, from the input up, in the answers of `arithmetic`."""
    table = layer_table(stack)
    lengths: list[int | None] = [None] * (len(stack) + 1)
    if input_size is not None:
        lengths = [input_size, *output_sizes(stack, input_size)]
    unit = (lengths[-1] or 0) // 2 if unit is None else unit
    rows = [_Row("input", "", lengths[0], 0.0, 1, *_reached(stack, unit, lengths[0]))]
    for level, (layer, line) in enumerate(zip(stack, table, strict=True), start=1):
        extras = [
            f"{word} {value}" for word, value in (("stride", layer.stride), ("dilation", layer.dilation)) if value > 1
        ]
        label = f"{layer.name or f'layer {level}'}\n{', '.join([f'kernel {layer.kernel_size}', *extras])}"
        note = f"size {line.size:,}\njump {line.jump:,}"
        reached = _reached(stack[level:], unit, lengths[level])
        rows.append(_Row(label, note, lengths[level], line.center, line.jump, *reached))
    return rows


def _reached(above: tuple[Layer, ...], unit: int, length: int | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The units of a row that the top unit reads through the layers above: ideally, and really."""
    if not above:
        return (unit,), (unit,)
    field = receptive_field(above)
    return field.positions(unit), field.positions(unit, length)


def _stack_span(rows: list[_Row]) -> tuple[float, float]:
    """First and last input position to show: the whole input where it is short, else the window and a margin."""
    first, last = rows[0].ideal[0], rows[0].ideal[-1]
    margin = max(2, (last - first + 1) // 12)
    low, high = first - margin, last + margin
    length = rows[0].length
    if length is None:
        return low, high
    if length <= 64:
        return min(first, 0), max(last, length - 1)
    return max(low, min(first, 0)), min(high, max(last, length - 1))


def _cone(ax: Axes, stack: tuple[Layer, ...], rows: list[_Row]) -> None:
    """The shadow from the top unit to its window, and a line for each tap that is read."""
    left = [(row.at(row.ideal[0]), height) for height, row in enumerate(rows)]
    right = [(row.at(row.ideal[-1]), height) for height, row in enumerate(rows)]
    ax.add_patch(
        Polygon([*left, *reversed(right)], closed=True, facecolor=d.BLUE, alpha=0.1, edgecolor="none", zorder=1)
    )
    taps = []
    for height, (layer, row, upper) in enumerate(zip(stack, rows, rows[1:], strict=False)):
        for unit in upper.read:
            taps += [((upper.at(unit), height + 1), (row.at(p), height)) for p in layer.reads(unit) if row.exists(p)]
    if len(taps) <= _MANY_TAPS:  # more of them are one blot, and say less than the shadow
        ax.add_collection(LineCollection(taps, colors=d.BLUE, linewidths=1.0, alpha=0.55, zorder=2))


def _row_marks(ax: Axes, row: _Row, height: int, span: tuple[float, float], size: float) -> dict[str, Line2D]:
    """One row's units by kind; the kinds that occur, for the legend."""
    low, high = (math.ceil((span[0] - row.start) / row.jump), math.floor((span[1] - row.start) / row.jump))
    ideal, read = set(row.ideal), set(row.read)
    kinds: dict[str, list[float]] = {kind: [] for kind in _MARKS}
    for unit in range(min(low, row.ideal[0]), max(high, row.ideal[-1]) + 1):
        inside = row.ideal[0] <= unit <= row.ideal[-1]
        if row.exists(unit):
            kind = "read" if unit in read else "in the window, not read" if inside else "outside the window"
        elif unit in ideal:
            kind = "padding"
        else:
            continue
        kinds[kind].append(row.at(unit))
    shape = "s" if height == 0 else "o"
    handles = {}
    for kind, places in kinds.items():
        if places:
            small = size * (0.5 if kind == "outside the window" else 1.0)
            look = {"marker": shape, "linestyle": "none", "zorder": 4, **_MARKS[kind]}
            ax.plot(places, [height] * len(places), markersize=small, label=kind, clip_on=False, **look)
            handles[kind] = Line2D(
                [], [], markersize=9, label=kind, **(look | {"marker": _MARKS[kind].get("marker", "o")})
            )
    return handles


def _stack_words(rows: list[_Row], input_size: int | None) -> tuple[str, str]:
    """Title and alternative text of a stack's diagram."""
    bottom, top = rows[0], rows[-1]
    first, last = bottom.ideal[0], bottom.ideal[-1]
    total = last - first + 1
    inside = sum(1 for position in range(first, last + 1) if bottom.exists(position))
    who = f"Unit {top.ideal[0]} of {top.label.splitlines()[0]}"
    title = d.headline(who, f"{total:,}", (total, inside, len(bottom.read)), "input positions")
    length = "without end" if input_size is None else f"of {input_size:,} positions"
    layers = "; ".join(f"{row.label}, {row.note}".replace("\n", ", ") for row in rows[1:])
    alt = (
        f"{title}. Its ideal window: positions {first} to {last}; of the input {length} it reads "
        f"{len(bottom.read):,} positions. Layers from the input on: {layers}."
    )
    return title, alt


def draw_growth(curves: Mapping[str, Sequence[Any]], log: bool = False, ax: Axes | None = None) -> d.Drawing:
    """Draw how the receptive field grows with depth, one line for each network.

    Example:
        >>> from rflib.arithmetic import Layer
        >>> draw_growth({"plain": layer_table([Layer(3)] * 6), "by hand": [3, 5, 7]})
        Drawing: Receptive field against depth, in input positions. plain: 13 after 6 layers; by hand: 7 after 3 layers.

    Args:
        curves: A name for each network, and its sizes after layer 1, 2, ...: whole numbers (input
            positions) or the rows of `layer_table`. At most seven.
        log: Whether the axis of sizes is logarithmic.
        ax: The axes to draw on; by default a new figure.

    Returns:
        The drawing. Its `alt` states every network's last size.

    Raises:
        ModelError: If there are no curves, an empty one, or more than seven.
    """
    sizes = {name: [int(getattr(row, "size", row)) for row in rows] for name, rows in curves.items()}
    if not 1 <= len(sizes) <= len(_LINES) or not all(sizes.values()):
        got = ", ".join(f"{name!r} with {len(values)} sizes" for name, values in sizes.items()) or "none"
        raise ModelError(f"draw_growth takes one to {len(_LINES)} curves, each with at least one size; got {got}.")
    axes = d.canvas(d.WIDTH, 5.2, ax)
    by_reach = sorted(sizes, key=lambda name: -sizes[name][-1])
    for name, (color, marker, style) in zip(by_reach, _LINES, strict=False):
        look: dict[str, Any] = {"color": color, "marker": marker, "linestyle": style, "linewidth": 2.5, "markersize": 8}
        axes.plot(range(1, len(sizes[name]) + 1), sizes[name], label=f"{name}: {sizes[name][-1]:,}", **look)
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.grid(True, color=d.PALE, linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    d.legend(axes, axes.get_lines(), inside=True)
    title = _growth_title({name: sizes[name] for name in dict.fromkeys((by_reach[0], by_reach[-1]))})
    ends = [f"{name}: {sizes[name][-1]:,} after {d.count(len(sizes[name]), 'layer')}" for name in by_reach]
    alt = f"Receptive field against depth, in input positions. {'; '.join(ends)}."
    return d.finish(axes, title, alt, "depth (layers)", "receptive field (input positions)", own=ax is None)


def _growth_title(sizes: dict[str, list[int]]) -> str:
    """The widest field and the narrowest one, and after how many layers."""
    depths = {len(values) for values in sizes.values()}
    if len(depths) == 1:
        (first, values), *others = sizes.items()
        rest = "".join(f", {other[-1]:,} ({name})" for name, other in others)
        return f"After {d.count(depths.pop(), 'layer')}: {values[-1]:,} input positions ({first}){rest}"
    return "; ".join(
        f"{values[-1]:,} input positions after {d.count(len(values), 'layer')} ({name})"
        for name, values in sizes.items()
    )
