"""The branch explorer: paths that part at one input and meet again, what each sees, and whether they look alike."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import traitlets
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from rflib.arithmetic import Layer, shown, whole_number
from rflib.figures import drawing as d
from rflib.figures.drawing import Drawing
from rflib.graph import sets
from rflib.graph.axis_graph import Graph, Window
from rflib.widgets.base import Explorer
from rflib.widgets.checked import CursorError, SettingError

KINDS = ("conv", "pool", "transposed", "nearest")
MEETINGS = ("add", "concatenate")
RANGES = {"kernel_size": (1, 15), "stride": (1, 4), "dilation": (1, 32)}
PADDINGS, MOST_LAYERS, MOST_UPSAMPLING, LONGEST_SPAN, LAST_UNIT = (-32, 200), 6, 16, 400, 31
_STYLES = ((d.BLUE, "-", "s"), (d.RED, "--", "D"), (d.GREEN, "-.", "^"))
_EXAMPLE = '{"kind": "conv", "kernel_size": 3, "stride": 1, "padding": 1, "dilation": 1}'

Spec = dict[str, Any]
Branches = tuple[tuple[Spec, ...], ...]


class BranchExplorer(Explorer):
    """Two or three branches from one input that meet in a sum or a concatenation: their windows and their centers.

    Each branch is a short list of layers; an empty list is the identity. Arrow keys or the mouse choose the unit behind
    the meeting; its window in every branch stands on one ruler. Where the branches look at different places the
    explorer says how far apart, and "mend" changes a padding so that the centers agree, if any padding can.

    Example:
        >>> explorer = BranchExplorer([[Layer(3), Layer(3)], []])
        >>> explorer.windows(0), explorer.window(0)
        (((0, 4), (0, 0)), (0, 4))
        >>> explorer.aligned
        False
        >>> explorer.branches = [[Layer(3, padding=1), Layer(3, padding=1)], []]
        >>> explorer
        BranchExplorer: Aligned: every branch moves 1 position a unit, and unit 0 looks at position 0.

    Args:
        branches: Two or three lists of layers. A layer is a `Layer` (a convolution) or a dictionary with "kind"
            ("conv", "pool", "transposed" or "nearest") and, unless they are the usual ones, "kernel_size", "stride",
            "padding" and "dilation"; the stride of "nearest" is its factor.
        meeting: "add" or "concatenate": the windows are the same.
        unit: Which unit behind the meeting is looked at, from 0 to 31.

    Attributes:
        branches: As above, as tuples of dictionaries that hold every number; "padding" is (left, right).
        meeting: As above.
        unit: As above.

    Raises:
        LayerError: If a layer is no layer, or the branches are too many, too long or see too far to be drawn.
        UnitError: If the unit is out of range.

    Reference:
        Araujo, Norris, Sim, Distill, 2019, doi 10.23915/distill.00021: alignment of paths.
    """

    branches = traitlets.Any(()).tag(sync=True)
    meeting = traitlets.Any("add").tag(sync=True)
    unit = traitlets.Any(0).tag(sync=True)

    def __init__(self, branches: Any = None, meeting: str = "add", unit: int = 2) -> None:
        if branches is None:
            branches = [[Layer(3, padding=1), Layer(3, padding=1)], []]
        super().__init__(branches=checked_branches(branches), meeting=meeting, unit=unit)

    @traitlets.validate("branches")
    def _valid_branches(self, proposal: Any) -> Branches:
        return checked_branches(proposal["value"])

    @traitlets.validate("meeting")
    def _valid_meeting(self, proposal: Any) -> str:
        if proposal["value"] not in MEETINGS:
            raise SettingError(f"`meeting` must be 'add' or 'concatenate'; got {shown(proposal['value'])}.")
        return str(proposal["value"])

    @traitlets.validate("unit")
    def _valid_unit(self, proposal: Any) -> int:
        unit = whole_number(proposal["value"])
        if unit is None or not 0 <= unit <= LAST_UNIT:
            raise CursorError(f"`unit` must be an integer from 0 to {LAST_UNIT}; got {shown(proposal['value'])}.")
        return unit

    @property
    def graph(self) -> Graph:
        """The graph of the branches, on an input without end; its last node is the meeting."""
        return built(self.branches, self.meeting)[0]

    def windows(self, unit: int) -> tuple[tuple[int, int] | None, ...]:
        """The ideal window of a unit behind the meeting through each branch.

        Example:
            >>> BranchExplorer([[Layer(3, padding=1)], [{"kind": "pool", "kernel_size": 2, "stride": 1}]]).windows(4)
            ((3, 5), (4, 5))

        Args:
            unit: Its number; any integer.

        Returns:
            (first, last) input position, both included, one entry a branch; None where a branch reads nothing.
        """
        return tuple(window.interval(unit) for window in self._branch_windows())

    def window(self, unit: int) -> tuple[int, int] | None:
        """The ideal window of a unit behind the meeting: first and last position of the union over the branches."""
        return self._meeting_window().interval(unit)

    def positions(self, unit: int) -> tuple[int, ...]:
        """The input positions that a unit behind the meeting reads, the union over the branches, in rising order."""
        return tuple(sets.members(self._meeting_window().line.at(unit)))

    @property
    def lines(self) -> tuple[tuple[Fraction, Fraction] | None, ...]:
        """The mean line of each branch: positions a unit, and where unit 0 looks; None if some unit reads nothing."""
        courses = [window.line.courses[0] for window in self._branch_windows()]
        return tuple((c.slope, c.center) if all(window[1] for window in c.windows) else None for c in courses)

    @property
    def aligned(self) -> bool:
        """Whether all branches look at the same places: equal mean strides, equal mean centers."""
        return self._meeting_window().aligned

    @property
    def verdict(self) -> str:
        """Whether the branches are aligned, in words."""
        return worded(self.lines)

    def _branch_windows(self) -> list[Window]:
        graph, ends = built(self.branches, self.meeting)
        return [graph.window(end) for end in ends]

    def _meeting_window(self) -> Window:
        graph = self.graph
        return graph.window(len(graph.nodes) - 1)

    def __repr__(self) -> str:
        return f"BranchExplorer: {self.verdict}"

    def picture(self) -> Drawing:
        """The windows of the chosen unit through each branch, and their union, on one ruler."""
        rows = len(self.branches) + 1
        axes = d.canvas(d.WIDTH, 1.9 + 0.75 * rows, None)
        handles = _draw_windows(axes, self)
        axes.set_yticks([-row for row in range(rows)], [*(_title(b, n) for n, b in enumerate(self.branches)), "union"])
        axes.set_ylim(0.6 - rows, 0.6)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        d.legend(axes, handles)
        said = "; ".join(f"branch {n} {_span(w)}" for n, w in enumerate(self.windows(self.unit), start=1))
        alt = f"{self.verdict} Unit {self.unit} reads: {said}; together {_span(self.window(self.unit))}."
        return d.finish(axes, self.verdict.split(". ")[0].rstrip("."), alt, "input position", own=True)


def built(branches: Branches, meeting: str) -> tuple[Graph, list[int]]:
    """The graph of some branches and the last node of each; the meeting is the last node of all."""
    graph = Graph()
    source = graph.input()
    ends = []
    for number, branch in enumerate(branches, start=1):
        node = source
        for place, spec in enumerate(branch, start=1):
            name = f"layer {place} of branch {number}"
            layer = Layer(spec["kernel_size"], spec["stride"], tuple(spec["padding"]), spec["dilation"])
            if spec["kind"] == "nearest":
                node = graph.upsample(spec["stride"], node, name)
            elif spec["kind"] == "transposed":
                node = graph.transposed(layer, node, name)
            else:
                node = graph.layer(layer, node, name)
        ends.append(node)
    graph.add(*ends, name=meeting)
    return graph, ends


def checked_branches(given: Any) -> Branches:
    """The branches in their one normal form, or an error that says which layer cannot be."""
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise SettingError("`branches` must be two or three lists of layers; an empty list is the identity.")
    branches: list[tuple[Spec, ...]] = []
    for number, branch in enumerate(given, start=1):
        if not isinstance(branch, tuple | list):
            raise SettingError(f"Branch {number} must be a list of layers; got {shown(branch)}.")
        if len(branch) > MOST_LAYERS:
            raise SettingError(f"Branch {number} has {len(branch)} layers; the explorer draws at most {MOST_LAYERS}.")
        where = [f"layer {place} of branch {number}" for place in range(1, len(branch) + 1)]
        branches.append(tuple(_checked_spec(spec, name) for spec, name in zip(branch, where, strict=True)))
        _checked_reach(branches[-1], number)
    return tuple(branches)


def _checked_spec(given: Any, where: str) -> Spec:
    if isinstance(given, Layer):
        given = {name: getattr(given, name) for name in ("kernel_size", "stride", "padding", "dilation")}
    if not isinstance(given, Mapping) or not set(given) <= {"kind", "padding", *RANGES}:
        example = f"a Layer, or a dictionary such as {_EXAMPLE}"
        raise SettingError(f"{where.capitalize()} must be {example}; got {shown(given)}.")
    kind = given.get("kind", "conv")
    if kind not in KINDS:
        raise SettingError(f"`kind` of {where} must be one of {', '.join(map(repr, KINDS))}; got {shown(kind)}.")
    spec: Spec = {"kind": kind}
    for name, (least, most) in RANGES.items():
        number = whole_number(given.get(name, 1))
        if number is None or not least <= number <= most:
            wanted = f"an integer from {least} to {most}"
            raise SettingError(f"`{name}` of {where} must be {wanted}; got {shown(given.get(name))}.")
        spec[name] = number
    spec["padding"] = _checked_padding(given.get("padding", 0), where)
    return (
        {"kind": kind, "kernel_size": 1, "stride": spec["stride"], "dilation": 1, "padding": (0, 0)}
        if (kind == "nearest")
        else spec
    )


def _checked_padding(given: Any, where: str) -> tuple[int, int]:
    sides = given if isinstance(given, tuple | list) else (given, given)
    numbers = [whole_number(side) for side in sides]
    least, most = PADDINGS
    if len(numbers) != 2 or any(n is None or not least <= n <= most for n in numbers):
        wanted = f"an integer from {least} to {most}, or two of them, (left, right)"
        raise SettingError(f"`padding` of {where} must be {wanted}; got {shown(given)}.")
    return int(numbers[0] or 0), int(numbers[1] or 0)


def _checked_reach(branch: tuple[Spec, ...], number: int) -> None:
    factor = 1
    for spec in branch:
        factor *= spec["stride"] if spec["kind"] in ("transposed", "nearest") else 1
    if factor > MOST_UPSAMPLING:
        raise SettingError(
            f"Branch {number} upsamples by {factor} in all; the explorer follows at most {MOST_UPSAMPLING}."
        )
    graph, ends = built((branch, ()), "add")
    span = graph.window(ends[0]).line.span
    slope = graph.window(ends[0]).line.courses[0].slope
    if max(Fraction(span), slope) > LONGEST_SPAN:
        raise SettingError(
            f"Branch {number} spans {span} positions and moves {slope} a unit; the explorer draws at most "
            f"{LONGEST_SPAN}. Use smaller kernels, strides or dilations."
        )


def worded(lines: tuple[tuple[Fraction, Fraction] | None, ...]) -> str:
    """The verdict on some mean lines, in the words that the browser uses too."""
    known = [(number, *line) for number, line in enumerate(lines, start=1) if line is not None]
    silent = [number for number, line in enumerate(lines, start=1) if line is None]
    aside = "".join(f" Branch {n} has units that read nothing: it takes no part." for n in silent)
    if len(known) < 2:
        return f"Nothing to compare: only {len(known)} of {len(lines)} branches reads something at every unit.{aside}"
    one, stride, center = known[0]
    for other, its_stride, its_center in known[1:]:
        if its_stride != stride:
            drift = f"branch {one} moves {_positions(stride)} a unit, branch {other} moves {_positions(its_stride)}"
            return f"Not aligned: {drift}. They drift apart, whatever the padding: change a stride.{aside}"
        if its_center != center:
            gap, side = abs(its_center - center), "right" if its_center > center else "left"
            what = f"branch {other} has center {_number(its_center)} where branch {one} has {_number(center)}"
            return f"Not aligned: {what}, {_positions(gap)} too far {side}.{aside}"
    where = f"every branch moves {_positions(stride)} a unit, and unit 0 looks at position {_number(center)}"
    return f"Aligned: {where}.{aside}"


def _number(value: Fraction) -> str:
    """A fraction as a reader writes it: 1.5, 4/3."""
    text = f"{float(value):.12g}" if value.denominator in (1, 2, 4, 8, 16) else str(value)
    return text.replace("-", "\N{MINUS SIGN}")


def _positions(value: Fraction) -> str:
    return "half a position" if value == Fraction(1, 2) else f"{_number(value)} position{'' if value == 1 else 's'}"


def _span(window: tuple[int, int] | None) -> str:
    return "nothing" if window is None else f"positions {window[0]} to {window[1]}".replace("-", "\N{MINUS SIGN}")


def _title(branch: tuple[Spec, ...], index: int) -> str:
    what = [f"{spec['kind']} {spec['stride'] if spec['kind'] == 'nearest' else spec['kernel_size']}" for spec in branch]
    return (
        f"branch {index + 1}\n{', '.join(what[:3])}{', ...' if len(what) > 3 else ''}"
        if what
        else (f"branch {index + 1}\nidentity")
    )


def _draw_windows(axes: Axes, explorer: BranchExplorer) -> list[Any]:
    """One row a branch: the window as a bar in a style of its own, the read positions on it, the mean center."""
    unit = explorer.unit
    for row, (window, line) in enumerate(zip(explorer._branch_windows(), explorer.lines, strict=True)):
        color, style, marker = _STYLES[row]
        _draw_row(axes, -row, sets.members(window.line.at(unit)), color, style, marker)
        if line is not None:
            middle = float(line[0] * unit + line[1])
            axes.plot([middle] * 2, [-row - 0.28, -row + 0.28], color=d.BLACK, linewidth=3, zorder=5)
    _draw_row(axes, -len(explorer.branches), list(explorer.positions(unit)), d.BLACK, "-", "o")
    return [
        Line2D([], [], color=d.GRAY, marker="s", label=f"window of unit {unit}, positions read"),
        Line2D([], [], color=d.BLACK, linewidth=3, linestyle="none", marker="|", markersize=14, label="center"),
    ]


def _draw_row(axes: Axes, height: int, read: list[int], color: str, style: str, marker: str) -> None:
    if read:
        axes.plot([read[0], read[-1]], [height] * 2, color=color, linestyle=style, linewidth=2)
        axes.plot(read, [height] * len(read), marker=marker, linestyle="none", color=color, markersize=7)
