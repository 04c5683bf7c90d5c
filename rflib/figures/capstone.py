"""Pictures of the capstone: what each network makes of a scene, and what windows of each width say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rflib.figures import drawing as d

if TYPE_CHECKING:
    from rflib.experiments.capstone_results import Capstone
    from rflib.experiments.windows import WindowReading

__all__ = ["draw_capstone", "draw_windows"]

_VERDICTS = (
    ("background, left alone", "white"),
    ("ink, named right", d.BLACK),
    ("ink, taken for another digit", d.RED),
    ("ink, missed", d.SKY),
    ("background, taken for ink", d.AMBER),
)
_LOOKS = ((d.BLUE, "o", "-"), (d.RED, "s", "--"), (d.GREEN, "^", "-."), (d.PURPLE, "D", ":"))


def draw_capstone(result: Capstone) -> d.Drawing:
    """Draw a scene, and what the first run of each design makes of its pixels.

    Example:
        >>> from rflib.experiments import train_capstone
        >>> result = train_capstone(["mixed"], steps=2, progress=False)
        >>> draw_capstone(result).alt == result.finding
        True

    Args:
        result: Of `rflib.experiments.train_capstone`.

    Returns:
        The drawing. Its `alt` is the result's finding.
    """
    runs = [result.of(name)[0] for name in dict.fromkeys(run.design for run in result.runs)]
    across = 3
    down = -(-(len(runs) + 1) // across)
    figure = Figure(figsize=(d.WIDTH, 0.9 + 3.1 * down), dpi=d.DPI, facecolor="white", layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).flat
    truth = np.array(result.labels)
    first = next(panels)
    first.imshow(-np.array(result.image), cmap="gray")
    first.set_title("the scene", loc="left", fontsize=d.LABEL, fontweight="bold", color=d.BLACK)
    for run in runs:
        axes = next(panels)
        colors = ListedColormap([color for _, color in _VERDICTS])
        axes.imshow(_verdicts(np.array(run.prediction), truth), cmap=colors, vmin=0, vmax=len(_VERDICTS) - 1)
        said = f"{run.design}\nink {run.score.ink_accuracy:.2f}, mask {run.score.mask_iou:.2f}"
        axes.set_title(said, loc="left", fontsize=d.LABEL, fontweight="bold", color=d.BLACK)
    for axes in figure.axes:
        axes.set(xticks=(), yticks=())
    for axes in panels:
        axes.set_axis_off()
    handles = [Patch(facecolor=color, edgecolor=d.GRAY, label=label) for label, color in _VERDICTS]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=d.SMALL, frameon=False)
    return d.Drawing(figure, result.finding)


def draw_windows(readings: Mapping[str, WindowReading], alt: str, title: str, required: float) -> d.Drawing:
    """Draw the accuracy against the width of the window, one line for each reader.

    Example:
        >>> from rflib.experiments.windows import WindowReading
        >>> reading = WindowReading("a reader", (3, 9, 15), (0.1, 0.4, 0.8))
        >>> draw_windows({"a reader": reading}, "It rises.", "Wider is better", 0.78)
        Drawing: It rises.

    Args:
        readings: By what the legend calls them, at most four.
        alt: What the figure shows.
        title: Its one message.
        required: The accuracy that the task asks for.

    Returns:
        The drawing.
    """
    axes = d.canvas(d.WIDTH, 4.6, None)
    handles = []
    for (name, reading), (color, marker, style) in zip(readings.items(), _LOOKS, strict=False):
        look: dict[str, Any] = {"color": color, "marker": marker, "linestyle": style, "linewidth": 2, "markersize": 8}
        handles += axes.plot(reading.sizes, reading.accuracies, label=name, **look)
    handles.append(axes.axhline(required, color=d.GRAY, linestyle=":", linewidth=2, label="asked for"))
    axes.set(ylim=(0, 1), xticks=sorted({size for reading in readings.values() for size in reading.sizes}))
    axes.grid(True, color=d.PALE, linewidth=0.8)
    d.legend(axes, handles)
    return d.finish(axes, title, alt, "width of the window (pixels)", "ink named right", own=True)


def _verdicts(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """For each pixel, which of `_VERDICTS`."""
    ink = truth > 0
    named = np.where(found == truth, 1, np.where(found > 0, 2, 3))
    return np.where(ink, named, np.where(found > 0, 4, 0))
