"""Pictures of effective fields: one map with its window, and how training moves a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rflib.errors import ModelError
from rflib.figures import drawing as d

if TYPE_CHECKING:
    from rflib.effective.spread import EffectiveReceptiveField
    from rflib.experiments.moving import FieldInTraining, Snapshot

_STAGES = ((d.SKY, "before training", "o"), (d.RED, "after training", "s"))


def draw_effective(erf: EffectiveReceptiveField, ax: Axes | None = None) -> d.Drawing:
    """Draw an effective field: its map, or its profile on one axis, with two standard deviations marked.

    Example:
        >>> import torch
        >>> from rflib import effective_receptive_field
        >>> model = torch.nn.Conv2d(1, 1, 3, padding=1, bias=False)
        >>> _ = torch.nn.init.constant_(model.weight, 1.0)
        >>> draw_effective(effective_receptive_field(model, torch.ones(1, 1, 9, 9)))
        Drawing: The effective field of unit (4, 4): centered on (4.0, 4.0), standard deviation (0.82, 0.82) input
        positions.

    Args:
        erf: The result of `effective_receptive_field`.
        ax: The axes to draw on; by default a new figure.

    Returns:
        The drawing. Its `alt` states the center and the standard deviation.

    Raises:
        ModelError: If the field has three axes.
    """
    axes = d.canvas(7, 5.6, ax)
    center = f"({', '.join(f'{v:.1f}' for v in erf.center)})"
    sigma = f"({', '.join(f'{v:.2f}' for v in erf.sigma)})"
    if erf.map.ndim == 2:
        shown = axes.imshow(erf.map, cmap="viridis")
        axes.figure.colorbar(shown, ax=axes, label="share of the gradient")
        (row, column), (tall, wide) = erf.center, erf.sigma
        axes.plot([column - 2 * wide, column + 2 * wide], [row, row], color="white", linewidth=2)
        axes.plot([column, column], [row - 2 * tall, row + 2 * tall], color="white", linewidth=2)
        labels = ("column (input positions)", "row (input positions)")
    elif erf.map.ndim == 1:
        axes.fill_between(range(len(erf.map)), erf.map, color=d.BLUE, alpha=0.35, step="mid")
        for side in (-2, 2):
            axes.axvline(erf.center[0] + side * erf.sigma[0], color=d.RED, linestyle="--", linewidth=2)
        labels = ("input position", "share of the gradient")
    else:
        raise ModelError(f"draw_effective draws fields of one or two axes; this one has {erf.map.ndim}.")
    alt = f"The effective field of unit {erf.unit}: centered on {center}, standard deviation {sigma} input positions."
    return d.finish(axes, f"The effective field: standard deviation {sigma}", alt, *labels, own=ax is None)


def draw_field_in_training(result: FieldInTraining, ax: Axes | None = None) -> d.Drawing:
    """Draw how training moves an effective field: the share of every offset before and after, one line for each seed.

    Example:
        >>> from rflib import experiments
        >>> result = experiments.watch_field("copy", 2, seeds=(0,), steps=(0, 100), progress=False)
        >>> drawing = draw_field_in_training(result)
        >>> drawing.alt == result.finding
        True

    Args:
        result: Of `rflib.experiments.watch_field`.
        ax: The axes to draw on; by default a new figure.

    Returns:
        The drawing. Its `alt` is the result's finding.
    """
    axes = d.canvas(d.WIDTH, 5.2, ax)
    handles = []
    groups: tuple[tuple[Snapshot, ...], ...] = (result.before, result.after)
    for snapshots, (color, label, marker) in zip(groups, _STAGES, strict=True):
        for snapshot in snapshots:
            (line,) = axes.plot(result.offsets, snapshot.shares, color=color, marker=marker, markersize=6, linewidth=2)
        line.set_label(label)
        handles.append(line)
    for mark in result.marks:
        handles.append(axes.axvline(mark, color=d.BLACK, linestyle=":", linewidth=2, label="where the answer stands"))
    axes.set_ylim(bottom=0)
    axes.grid(True, color=d.PALE, linewidth=0.8)
    d.legend(axes, handles[:3], inside=True)
    title = f"Training moves the effective field onto {d.count(len(result.marks), 'position')}"
    labels = ("offset from the unit (input positions)", "share of the gradient")
    return d.finish(axes, title, result.finding, *labels, own=ax is None)
