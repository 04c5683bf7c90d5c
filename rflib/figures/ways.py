"""The field against what it costs: one panel a cost, one line a way."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, StrMethodFormatter

from rflib.design import COSTS, Growth
from rflib.errors import ModelError, UnknownNameError
from rflib.figures import drawing as d

_TITLE_LETTERS = 66  # what a line of a bold title holds at this width
_LOOKS = ((d.BLUE, "o"), (d.RED, "s"), (d.GREEN, "^"), (d.PURPLE, "D"), (d.BLACK, "X"), (d.AMBER, "v"))


def draw_ways(curves: Mapping[str, Sequence[Growth]], title: str = "") -> d.Drawing:
    """Draw how far each way of growing gets for its price, one panel a cost, all panels on one scale of fields.

    Example:
        >>> from rflib.design.affording import growth_within
        >>> curves = {"parameters": [growth_within(way, 80_000) for way in ("depth", "depthwise")]}
        >>> draw_ways(curves)
        Drawing: Receptive field in input positions against price, both scales logarithmic. For at most 76,800
        parameters: depthwise 33, depth 5.

    Args:
        curves: For each cost, "parameters" or "multiply_adds", the curves: at most six, each of another way.
        title: By default, who gets farthest in each panel.

    Returns:
        The drawing. Its `alt` states how far each way gets in every panel.

    Raises:
        ModelError: If there is no cost, or not one to six curves for each.
        UnknownNameError: If a cost is not one of the two.
    """
    if not curves or not all(1 <= len(growths) <= len(_LOOKS) for growths in curves.values()):
        got = ", ".join(f"{len(growths)} for {cost!r}" for cost, growths in curves.items()) or "no cost"
        raise ModelError(f"draw_ways takes one to {len(_LOOKS)} curves for each cost; got {got}.")
    for cost in curves:
        if cost not in COSTS:
            raise UnknownNameError("cost", cost, COSTS)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(d.WIDTH + 1.5, 5.4), dpi=d.DPI, facecolor="white", layout=layout)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    names = list(dict.fromkeys(growth.way for growths in curves.values() for growth in growths))
    looks = dict(zip(names, _LOOKS, strict=False))
    said, ahead = [], []
    for ax, (cost, growths) in zip(panels, curves.items(), strict=True):
        d.canvas(0, 0, ax)
        reached = []
        for growth in growths:
            (color, marker), prices = looks[growth.way], getattr(growth, cost)
            look: dict[str, Any] = {"color": color, "marker": marker, "markersize": 7, "linewidth": 2}
            label = f"{growth.way}: {growth.sizes[-1]:,}"
            ax.plot(prices, growth.sizes, label=label, markevery=max(1, len(prices) // 12), **look)
            reached.append((growth.sizes[-1], growth.way))
        reached.sort(key=lambda entry: -entry[0])
        most = max(getattr(growth, cost)[-1] for growth in growths)
        words = cost.replace("_", "-")
        ahead.append(f"{reached[0][1]} gets to {reached[0][0]:,} for equal {words}")
        said.append(f"For at most {most:,} {words}: {', '.join(f'{way} {size:,}' for size, way in reached)}.")
        ax.set(xscale="log", yscale="log")
        ax.xaxis.set_major_formatter(FuncFormatter(_short))
        ax.xaxis.set_minor_formatter("")
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.grid(True, color=d.PALE, linewidth=0.8)
        ax.set_xlabel(words, fontsize=d.LABEL, color=d.BLACK)
        ax.tick_params(colors=d.BLACK, labelcolor=d.BLACK, labelsize=d.SMALL)
        handles = sorted(ax.get_lines(), key=lambda line: -int(str(line.get_label()).split(": ")[1].replace(",", "")))
        ax.legend(handles=handles, fontsize=d.SMALL, frameon=False, labelcolor=d.BLACK, loc="upper left")
        ax.set_ylim(top=4 * max(size for size, _ in reached))
    panels[0].set_ylabel("receptive field (input positions)", fontsize=d.LABEL, color=d.BLACK)
    look = {"fontsize": d.TITLE, "fontweight": "bold", "color": d.BLACK, "x": 0.01, "horizontalalignment": "left"}
    headline = title or ", ".join(ahead).capitalize()
    figure.suptitle(textwrap.fill(headline, _TITLE_LETTERS), **look)
    return d.Drawing(
        figure, f"Receptive field in input positions against price, both scales logarithmic. {' '.join(said)}"
    )


def _short(number: float, _place: int | None = None) -> str:
    """1,500,000 as 1.5M."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"
