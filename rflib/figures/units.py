"""Pictures of an analyzed layer: what its units see of a photograph, and the exact positions they read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rflib.errors import ModelError
from rflib.figures import drawing as d

_MOST_DOTS = 24  # along an axis; more of them run into one another at print size
_MOST_CELLS = 64  # along an axis; beyond it, lines between the cells would cover the cells
_LONELY = 9  # where at most one pixel in nine is read, single pixels vanish at print size
_FRAMES = ((d.RED, "-"), (d.BLUE, "--"), (d.GREEN, "-."), (d.AMBER, ":"), (d.PURPLE, "-"), (d.BLACK, "--"))


class _Found(Protocol):
    """What the pictures ask of a layer's analysis."""

    @property
    def path(self) -> str: ...
    @property
    def unit_shape(self) -> tuple[int, ...]: ...
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    def interval(self, unit: Any, /) -> Any: ...
    def center(self, unit: Any, /) -> Any: ...
    def mask(self, unit: Any, /) -> Any: ...


def draw_unit(image: npt.ArrayLike, found: _Found, unit: Any = None, ax: Axes | None = None) -> d.Drawing:
    """Draw what one unit sees of a photograph.

    The frame is the ideal window; where it hangs over the border, the hatched part is padding. What the unit really
    reads keeps its colors, the rest of the photograph is veiled, and a cross marks the center.

    Example:
        >>> import numpy as np
        >>> from torch import nn
        >>> import rflib as rf
        >>> analysis = rf.analyze(nn.Conv2d(3, 1, 5, padding=2), input_size=(1, 3, 32, 48))
        >>> drawing = draw_unit(np.zeros((32, 48, 3)), analysis.output, unit=(16, 24))
        >>> "rows 14 to 18, columns 22 to 26, centered on (16, 24)" in drawing.alt
        True

    Args:
        image: The photograph, (H, W) or (H, W, 3); H and W are those of the analyzed input.
        found: One layer's analysis, `analysis["layer3"]`, of an input with two spatial axes.
        unit: (row, column) in the layer's feature map; by default the middle one.
        ax: The axes to draw on; by default those of a new figure.

    Returns:
        The drawing. Its `alt` states the window, its center and how many pixels are read.

    Raises:
        ModelError: If the input does not have two spatial axes, or the photograph is not of its size.
        UnitError: If the layer has no such unit.
    """
    picture = _photograph(image, found)
    unit = _unit(found, unit)
    window, mask, center = _window(found, unit), np.asarray(found.mask(unit)), found.center(unit)
    axes = _photo_axes(picture, [window] if window else [], ax)
    veil = np.zeros((*mask.shape, 4))
    veil[~mask] = (1.0, 1.0, 1.0, 0.72)
    axes.imshow(veil, interpolation="nearest", zorder=3)
    handles: list[Any] = []
    if window:
        handles.append(d.frame(axes, window, d.RED, f"ideal window, {d.times(_sizes(window))}"))
        if center is not None:
            handles.append(d.cross(axes, center, f"center {d.pair(center)}"))
    handles += _read_mark(axes, picture, mask)
    if window and _hangs_over(window, mask.shape):
        d.hatched(axes, window)
        handles.append(Patch(facecolor="white", edgecolor=d.GRAY, hatch=d.HATCH, label="padding, outside the image"))
    d.legend(axes, handles)
    title, alt = _unit_words(f"Unit {d.pair(unit)} of {_name(found)}", window, center, mask, "pixels")
    return d.finish(axes, title, alt, "column (pixels)", "row (pixels)", own=ax is None)


def draw_grid(
    image: npt.ArrayLike,
    found: _Found,
    units: int | Iterable[Any] | None = None,
    windows: Iterable[Any] | None = None,
    ax: Axes | None = None,
) -> d.Drawing:
    """Draw where the units of a layer look: their centers on a photograph, and the windows of a few of them.

    A unit whose ideal window lies inside the image is a dot, one whose window hangs over the border a hollow square.

    Example:
        >>> import numpy as np
        >>> from torch import nn
        >>> import rflib as rf
        >>> analysis = rf.analyze(nn.Conv2d(3, 1, 5, padding=2), input_size=(1, 3, 32, 48))
        >>> draw_grid(np.zeros((32, 48, 3)), analysis.output, units=8).alt.count("look over the border")
        0

    Args:
        image: The photograph, (H, W) or (H, W, 3); H and W are those of the analyzed input.
        found: One layer's analysis of an input with two spatial axes.
        units: k for every k-th unit along each axis, with the same margin at both ends, or a list of (row, column); by
            default all of them, or every k-th where they would be more than 24 along an axis.
        windows: The units whose windows are drawn, at most six; by default the first, the middle and the last of
            `units`.
        ax: The axes to draw on; by default those of a new figure.

    Returns:
        The drawing. Its `alt` counts the units drawn and those whose window hangs over the border.

    Raises:
        ModelError: If the input does not have two spatial axes, the photograph is not of its size, there are no units
            to draw, or more than six windows.
        UnitError: If the layer has no such unit.
    """
    picture = _photograph(image, found)
    chosen, every = _chosen_units(found, units)
    framed = [_unit(found, unit) for unit in windows] if windows is not None else _three_of(chosen)
    if len(framed) > len(_FRAMES):
        raise ModelError(f"`windows` of draw_grid takes at most {len(_FRAMES)} units; got {len(framed)}. Name fewer.")
    seen = {unit: window for unit in chosen if (window := _window(found, unit))}
    shown = {unit: window for unit in framed if (window := _window(found, unit))}
    over = [unit for unit, window in seen.items() if _hangs_over(window, found.input_shape)]
    inner = [unit for unit, window in seen.items() if not _hangs_over(window, found.input_shape)]
    axes = _photo_axes(picture, list(shown.values()), ax)
    axes.imshow(np.full((*found.input_shape, 4), (1.0, 1.0, 1.0, 0.35)), zorder=3)  # so that the marks stand out
    handles: list[Any] = [
        *_dots(axes, found, inner, "window inside the image", "o", d.BLUE, "white"),
        *_dots(axes, found, over, "window over the border", "s", "white", d.BLACK),
    ]
    for (unit, window), (color, style) in zip(shown.items(), _FRAMES, strict=False):
        handles.append(d.frame(axes, window, color, f"window of unit {d.pair(unit)}", style))
    d.legend(axes, handles)
    title, alt = _grid_words(found, len(chosen), every, len(inner), len(over))
    return d.finish(axes, title, alt, "column (pixels)", "row (pixels)", own=ax is None)


def draw_mask(found: _Found, unit: Any = None, ax: Axes | None = None) -> d.Drawing:
    """Draw the exact positions that one unit reads, cell by cell, holes included.

    Example:
        >>> from torch import nn
        >>> import rflib as rf
        >>> analysis = rf.analyze(nn.Conv2d(1, 1, 3, dilation=3), input_size=(1, 1, 16, 16))
        >>> "it reads 9 positions" in draw_mask(analysis.output).alt
        True

    Args:
        found: One layer's analysis of an input with one or two spatial axes.
        unit: An index for each axis of the layer's feature map; by default the middle one.
        ax: The axes to draw on; by default those of a new figure.

    Returns:
        The drawing. Its `alt` states the window and how many of its positions are read.

    Raises:
        ModelError: If the input has no spatial axis, or more than two.
        UnitError: If the layer has no such unit.
    """
    if len(found.input_shape) not in (1, 2):
        raise ModelError(
            f"draw_mask draws one or two spatial axes; the input of {_name(found)} has {len(found.input_shape)}."
        )
    unit = _unit(found, unit)
    window, mask, center = _window(found, unit), np.asarray(found.mask(unit)), found.center(unit)
    cells = mask.reshape(-1, mask.shape[-1])  # one axis is drawn as one row
    box = ((0, 0), *window)[-2:] if window else None
    axes = _axes([box or _whole(cells.shape)], (2, 2) if mask.ndim == 2 else (0.3, 2), ax)
    axes.imshow(cells, cmap=ListedColormap(["white", d.BLUE]), vmin=0, vmax=1, interpolation="nearest", zorder=1)
    axes.set_aspect("equal" if mask.ndim == 2 else "auto")
    _cell_lines(axes, cells.shape)
    handles: list[Any] = [
        Patch(facecolor=d.BLUE, edgecolor=d.GRAY, label=f"read ({d.count(int(mask.sum()), 'position')})"),
        Patch(facecolor="white", edgecolor=d.GRAY, label="not read"),
    ]
    if window and box:
        thin = 2 if max(_sizes(window)) <= _MOST_CELLS else 1
        handles.append(d.frame(axes, box, d.RED, f"ideal window, {d.times(_sizes(window))}", width=thin))
        if _hangs_over(window, mask.shape):
            d.hatched(axes, box)
            handles.append(Patch(facecolor="white", edgecolor=d.GRAY, hatch=d.HATCH, label="padding"))
    d.legend(axes, handles)
    title, alt = _unit_words(f"Unit {d.pair(unit)} of {_name(found)}", window, center, mask, "positions")
    across, down = ("column (input positions)", "row (input positions)") if mask.ndim == 2 else ("input position", "")
    if mask.ndim == 1:
        axes.set_yticks([])
    return d.finish(axes, title, alt, across, down, own=ax is None)


# ----------------------------------------------------------------------------------------------------- reading a result


def _photograph(image: npt.ArrayLike, found: _Found) -> npt.NDArray[np.float64]:
    """The photograph as (H, W, 3) between 0 and 1, after a check that the result is about an image of that size."""
    size, name = tuple(found.input_shape), _name(found)
    if len(size) != 2:
        advice = " Use draw_mask, or draw_stack for the layers." if len(size) == 1 else ""
        raise ModelError(f"A photograph has two spatial axes; the input of {name} has {len(size)}.{advice}")
    picture = np.asarray(image)
    if picture.shape[:2] != size or picture.shape[2:] not in ((), (1,), (3,)):
        advice = "Analyze the model at the image's own size."
        if picture.shape[:2] == size:
            advice = "Keep the three colors: image[..., :3]."
        elif picture.shape[-2:] == size:
            advice = "Move the colors last: image.transpose(1, 2, 0)."
        raise ModelError(
            f"`image` must have shape {size} or {(*size, 3)}, as the input of {name}; got {picture.shape}. {advice}"
        )
    if picture.dtype.kind not in "buif" or not np.isfinite(picture).all():
        raise ModelError(
            f"`image` must hold finite numbers; got an array of {picture.dtype} with something else in it."
        )
    low, high = float(picture.min()), float(picture.max())
    if low < 0 or high > 255:  # a standardized image, as networks take it: stretched to what a screen can show
        picture = (picture - low) / ((high - low) or 1.0)
    elif picture.dtype.kind in "ui" or high > 1:
        picture = picture / 255
    return np.broadcast_to(picture.astype(np.float64).reshape(*size, -1), (*size, 3))


def _unit(found: _Found, unit: Any) -> tuple[int, ...]:
    """The unit as a tuple, the middle one by default; whether it exists is for `found` to say."""
    if unit is None:
        return tuple(extent // 2 for extent in found.unit_shape)
    return tuple(unit) if isinstance(unit, Iterable) else (unit,)


def _window(found: _Found, unit: tuple[int, ...]) -> d.Window | None:
    """The unit's ideal window, (first, last) for each axis; None where it reads nothing."""
    interval = found.interval(unit)
    if interval is None or any(ends is None for ends in interval):
        return None
    return tuple((int(first), int(last)) for first, last in interval)


def _chosen_units(found: _Found, units: int | Iterable[Any] | None) -> tuple[list[tuple[int, ...]], int]:
    """The units to draw, and k where they are every k-th of the feature map."""
    if units is not None and not isinstance(units, int):
        chosen = [_unit(found, unit) for unit in units]
        if not chosen:
            raise ModelError("`units` of draw_grid is empty: give at least one unit, or leave it out.")
        return chosen, 1
    every = max(1, math.ceil(max(found.unit_shape, default=1) / _MOST_DOTS)) if units is None else units
    if every < 1:
        raise ModelError(f"`units` of draw_grid must be an integer >= 1 or a list of units; got {units}.")
    axes = [range((extent - 1) % every // 2, extent, every) for extent in found.unit_shape]
    return list(itertools.product(*axes)), every


def _three_of(units: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The first, the middle and the last of a grid, or of a list."""
    axes = [sorted(set(axis)) for axis in zip(*units, strict=True)]
    middle = tuple(axis[len(axis) // 2] for axis in axes)
    return list(dict.fromkeys([units[0], middle if middle in units else units[len(units) // 2], units[-1]]))


def _sizes(window: d.Window) -> tuple[int, ...]:
    return tuple(last - first + 1 for first, last in window)


def _hangs_over(window: d.Window, shape: Sequence[int]) -> bool:
    return any(first < 0 or last >= extent for (first, last), extent in zip(window, shape, strict=True))


def _name(found: _Found) -> str:
    return found.path or "the output"


# ------------------------------------------------------------------------------------------------------- axes and marks


def _axes(boxes: Sequence[d.Window], air: tuple[float, float], ax: Axes | None) -> Axes:
    """Axes that show all the boxes and some air round them, row 0 on top, on a figure of their proportions."""
    rows, columns = zip(*boxes, strict=True)
    top, bottom = min(first for first, _ in rows) - air[0], max(last for _, last in rows) + air[0]
    left, right = min(first for first, _ in columns) - air[1], max(last for _, last in columns) + air[1]
    ratio = (bottom - top + 1) / (right - left + 1)
    wide = max(6.2, min(d.WIDTH - 0.9, (d.TALLEST - 1.8) / ratio))
    ax = d.canvas(wide + 0.9, max(0.8, min(d.TALLEST - 1.8, wide * ratio)) + 1.8, ax)
    ax.set_xlim(left - 0.5, right + 0.5)
    ax.set_ylim(bottom + 0.5, top - 0.5)
    ax.set_anchor("SW")  # the legend hangs on the lower edge, so that edge must not move
    return ax


def _photo_axes(picture: npt.NDArray[np.float64], windows: list[d.Window], ax: Axes | None) -> Axes:
    """The photograph, on axes that reach as far as the windows do."""
    whole = _whole(picture.shape[:2])
    air = max(picture.shape[:2]) * 0.02 if any(_hangs_over(window, picture.shape[:2]) for window in windows) else 0.0
    ax = _axes([whole, *windows], (air, air), ax)
    ax.imshow(picture, interpolation="antialiased", zorder=2)
    ax.set_aspect("equal")
    return ax


def _whole(shape: Sequence[int]) -> d.Window:
    return tuple((0, extent - 1) for extent in shape)


def _cell_lines(ax: Axes, shape: Sequence[int]) -> None:
    """A line round each cell of the input, where there are few enough to tell them apart."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    if max(right - left, bottom - top) > _MOST_CELLS:
        return
    rows, columns = shape
    across = [((-0.5, row - 0.5), (columns - 0.5, row - 0.5)) for row in range(rows + 1)]
    down = [((column - 0.5, -0.5), (column - 0.5, rows - 0.5)) for column in range(columns + 1)]
    ax.add_collection(LineCollection(across + down, colors=d.PALE, linewidths=0.8, zorder=3), autolim=False)


def _read_mark(ax: Axes, picture: npt.NDArray[np.float64], mask: npt.NDArray[np.bool_]) -> list[Any]:
    """The legend's entry for what is read; pixels too lonely to be seen get a dot each."""
    total = int(mask.sum())
    label = f"read ({d.count(total, 'pixel')})"
    rows, columns = np.nonzero(mask)
    if not total:
        return []
    if total * _LONELY <= (np.ptp(rows) + 1) * (np.ptp(columns) + 1):
        look: dict[str, Any] = {"markersize": 5, "markerfacecolor": d.BLUE, "markeredgecolor": "white"}
        return ax.plot(columns, rows, linestyle="none", marker="s", zorder=6.5, label=label, **look)
    return [Patch(facecolor=picture[mask].mean(axis=0), edgecolor=d.GRAY, label=f"full color: {label}")]


def _dots(
    ax: Axes, found: _Found, units: list[tuple[int, ...]], label: str, marker: str, face: str, edge: str
) -> list[Line2D]:
    """The units' centers; one handle for the legend, or none."""
    centers = [center for unit in units if (center := found.center(unit)) is not None]
    if not centers:
        return []
    rows, columns = zip(*((float(row), float(column)) for row, column in centers), strict=True)
    gap = min(np.diff(np.unique(columns)), default=math.inf) * (d.WIDTH - 1) * 72 / np.ptp(ax.get_xlim())  # in points
    look: dict[str, Any] = {"marker": marker, "markerfacecolor": face, "markeredgecolor": edge}
    look |= {"markersize": min(8.0, max(3.0, 0.45 * gap)), "label": f"{label} ({len(units):,})"}
    return ax.plot(columns, rows, linestyle="none", zorder=4, **look)


# --------------------------------------------------------------------------------------------------------------- words


def _unit_words(
    who: str, window: d.Window | None, center: Any, mask: npt.NDArray[np.bool_], noun: str
) -> tuple[str, str]:
    """Title and alternative text of a picture of one unit."""
    shape, read = d.times(mask.shape), int(mask.sum())
    if window is None:
        return d.headline(
            who, "", (0, 0, 0), noun
        ), f"{who} reads nothing of this input of {shape} {noun}: it has no window."
    box = mask[tuple(slice(max(first, 0), max(last + 1, 0)) for first, last in window)]
    inside = int(box.sum())
    title = d.headline(who, d.times(_sizes(window)), (math.prod(_sizes(window)), box.size, inside), noun)
    names = ("positions",) if len(window) == 1 else ("rows", "columns")
    spans = ", ".join(f"{name} {first} to {last}" for name, (first, last) in zip(names, window, strict=True))
    middle = f", centered on {d.pair(center)}" if center is not None else ""
    beyond = f", {read - inside:,} of them outside that window" if read > inside else ""
    return (
        title,
        f"{title}. Its ideal window: {spans}{middle}; of the input of {shape} it reads {read:,} {noun}{beyond}.",
    )


def _grid_words(found: _Found, drawn: int, every: int, inner: int, over: int) -> tuple[str, str]:
    """Title and alternative text of a picture of a grid of units."""
    all_of_them = math.prod(found.unit_shape)
    units = f"{drawn:,} units{' drawn' if drawn < all_of_them else ''}"
    some = f"{over:,} of the {units} look" if over else f"none of the {units} looks"
    some = f"all {units} look" if over == drawn else some
    title = f"{_name(found)}: {some} over the border"
    blind = drawn - inner - over
    alt = (
        f"{title} of a photograph of {d.times(found.input_shape)} pixels. The windows of {inner:,} lie inside it"
        f"{f', {blind:,} read nothing' if blind else ''}. The layer has {d.times(found.unit_shape)} units"
        f"{f'; every {every} along each axis are drawn' if every > 1 else ''}."
    )
    return title, alt
