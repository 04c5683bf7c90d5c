"""What all pictures share: the result with its alternative text, the axes, the marks, the words."""

from __future__ import annotations

import base64
import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

# Okabe and Ito's colors, K. Ito and M. Okabe, "Color universal design", 2008; yellow left out, too pale on white
BLACK, GRAY, PALE = "#1a1a1a", "#767676", "#cfcfcf"
BLUE, RED, GREEN, AMBER, PURPLE, SKY = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9"
DPI, WIDTH, TALLEST = 110, 9.0, 8.0  # inches at print size
TITLE, LABEL, SMALL = 16, 13, 12  # points at print size: the smallest is read from the last row
HATCH = "///"
_TIMES, _KEPT = "\N{MULTIPLICATION SIGN}", "\N{NO-BREAK SPACE}"

Window = tuple[tuple[int, int], ...]


@dataclass(frozen=True, repr=False)
class Drawing:
    """A figure and the sentence that says what it shows.

    In a notebook it displays as a PNG whose alternative text is that sentence.

    Example:
        >>> Drawing(Figure(), "An empty sheet.")
        Drawing: An empty sheet.

    Attributes:
        figure: The matplotlib figure, to change it or to save it in another way.
        alt: What the figure shows, for readers who do not see it.
    """

    figure: Figure
    alt: str

    def __repr__(self) -> str:
        return f"Drawing: {self.alt}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        """What Jupyter shows: the picture, the alternative text in the picture's metadata."""
        png = io.BytesIO()
        self._write(png, "png")
        data = {"text/plain": repr(self), "image/png": base64.b64encode(png.getvalue()).decode("ascii")}
        return data, {"image/png": {"alt": self.alt}}

    def save(self, path: str | Path) -> None:
        """Write the figure to a file, the alternative text in the file's own metadata.

        Example:
            >>> import pathlib, tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = pathlib.Path(folder, "sheet.png")
            ...     Drawing(Figure(), "An empty sheet.").save(path)
            ...     path.exists()
            True

        Args:
            path: Where to; the ending says the format: .png, .svg, .pdf or another that matplotlib knows.

        Raises:
            ValueError: If matplotlib does not know the format.
        """
        self._write(path, Path(path).suffix.lstrip(".").lower() or "png")

    def _write(self, target: str | Path | io.BytesIO, kind: str) -> None:
        keyword = {"png": "Description", "svg": "Description", "pdf": "Subject"}.get(kind)
        metadata = {keyword: self.alt} if keyword else None
        self.figure.savefig(target, format=kind, dpi=DPI, facecolor="white", metadata=metadata)


# ---------------------------------------------------------------------------------------------------------------- axes


def canvas(width: float, height: float, ax: Axes | None) -> Axes:
    """The axes to draw on, every color set: a reader's dark style sheet must not print white on white."""
    if ax is None:
        layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
        ax = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout=layout).subplots()
    ax.set_facecolor("white")
    ax.grid(False)
    ax.set_axisbelow(True)
    for spine in ax.spines.values():
        spine.set_color(GRAY)
    return ax


def finish(ax: Axes, title: str, alt: str, xlabel: str, ylabel: str = "", *, own: bool) -> Drawing:
    """Title, labels, and the drawing they make; `own` says that the figure holds nothing else."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes always stand in a figure
    look: dict[str, Any] = {"fontsize": TITLE, "fontweight": "bold", "color": BLACK}
    width = figure.get_figwidth() * (1 if own else ax.get_position().width)
    if own:
        figure.suptitle(_wrapped(title, width), x=0.01, horizontalalignment="left", **look)
    else:
        ax.set_title(_wrapped(title, width), loc="left", **look)
    ax.set_xlabel(xlabel, fontsize=LABEL, color=BLACK)
    ax.set_ylabel(ylabel, fontsize=LABEL, color=BLACK)
    ax.tick_params(colors=BLACK, labelcolor=BLACK, labelsize=SMALL)
    return Drawing(figure, alt)


def _wrapped(title: str, width: float) -> str:
    """The title on as few lines of that width (inches) as it needs, the lines about equally long."""
    title = re.sub(rf" ({_TIMES}) |, (?=[-\d.]+\))", lambda gap: gap[0].replace(" ", _KEPT), title)
    room = max(20, int(width * 72 / (0.62 * TITLE)))  # a bold letter is about 0.62 of its point size wide
    lines = len(textwrap.wrap(title, room))
    while room > 20 and len(textwrap.wrap(title, room - 1)) == lines:
        room -= 1
    return textwrap.fill(title, room).replace(_KEPT, " ")


def legend(ax: Axes, handles: Sequence[Any], inside: bool = False) -> None:
    """What the marks mean: below the axes, left-aligned with them, or inside, where there is room."""
    if not handles:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None
    where: dict[str, Any] = {"loc": "best"}
    if not inside:
        # far enough down for the tick labels and the axis label, whatever the axes' height
        lower = ScaledTranslation(0, -0.62, figure.dpi_scale_trans)
        where = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + lower}
        where |= {"borderaxespad": 0, "borderpad": 0}
        letters = [len(str(handle.get_label())) + 8 for handle in handles]  # 8 for the mark and the gap
        room = 11 * (figure.get_figwidth() - 0.9)  # about 11 letters an inch
        half = (len(letters) + 1) // 2
        two = max(letters[:half], default=0) + max(letters[half:], default=0)
        where["ncols"] = len(handles) if sum(letters) < room else 2 if two < room else 1
    ax.legend(handles=list(handles), fontsize=SMALL, frameon=False, labelcolor=BLACK, columnspacing=1.4, **where)


# --------------------------------------------------------------------------------------------------------------- marks


def frame(ax: Axes, window: Window, color: str, label: str, style: str = "-", width: float = 3) -> Rectangle:
    """The ideal window as a rectangle round its outermost positions, on a white lining that shows on any photograph."""
    if width >= 3:  # a thin frame is for cells that a lining would hide
        ax.add_patch(_rectangle(window, fill=False, edgecolor="white", linewidth=5, zorder=5))
    box = _rectangle(window, fill=False, edgecolor=color, linewidth=width, linestyle=style, zorder=6, label=label)
    ax.add_patch(box)
    return box


def hatched(ax: Axes, window: Window) -> None:
    """The window hatched, behind the image: what shows of it is padding."""
    ax.add_patch(_rectangle(window, facecolor="white", edgecolor=GRAY, linewidth=0, hatch=HATCH, zorder=0))


def _rectangle(window: Window, **look: Any) -> Rectangle:
    (top, bottom), (left, right) = window
    return Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, **look)


def cross(ax: Axes, center: Sequence[float], label: str) -> Line2D:
    """A center, (row, column)."""
    row, column = (float(number) for number in center)
    look: dict[str, Any] = {"marker": "P", "markersize": 13, "markerfacecolor": AMBER, "markeredgecolor": BLACK}
    [mark] = ax.plot([column], [row], linestyle="none", zorder=7, label=label, **look)
    return mark


# --------------------------------------------------------------------------------------------------------------- words


def headline(who: str, shape: str, counts: tuple[int, int, int], noun: str) -> str:
    """The one message of a picture of a unit; counts are those of its window: all, inside the input, read."""
    total, inside, read = counts
    if read == 0:
        return f"{who} reads nothing of this input"
    padding = f"{percent(total - inside, total)} of" if total > inside else ""
    if read < inside:
        return f"{who} reads {read:,} of the {inside:,} {noun} in its window" + (
            f"; {padding} the window is padding" if padding else ""
        )
    return f"{who} sees {shape} {noun}" + (f", {padding} them padding" if padding else "")


def percent(part: int, whole: int) -> str:
    """A share that is neither none nor all, and is not rounded to look so."""
    return f"{min(99, max(1, round(100 * part / whole)))}%"


def times(sizes: Iterable[int]) -> str:
    """Sizes as a reader writes them, with the sign for times between them."""
    return f" {_TIMES} ".join(str(size) for size in sizes)


def pair(numbers: Any) -> str:
    """A unit or a center: 4 on one axis, (4, 2.5) on two."""
    text = [f"{float(number):.12g}" for number in (numbers if isinstance(numbers, tuple | list) else (numbers,))]
    return text[0] if len(text) == 1 else f"({', '.join(text)})"


def count(number: int, noun: str) -> str:
    """A number of things: 1 layer, 2 layers."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
