"""Whether the paths that meet on the way to a unit look at the same places of the input.

Where two paths meet position by position, each has a mean line: how far its window moves from unit to unit, and where
unit 0 looks, on average over one period (nearest upsampling alternates by +0.5 and -0.5, which is no misalignment).
What lies downstream of a meeting inherits the verdict. Constants, gates and paths that read everything take no part.

Reference: Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill, 2019,
doi 10.23915/distill.00021, which compares strides and centers without the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rflib.graph import lines
from rflib.graph.graph import Edge, Graph, Node
from rflib.graph.roles import Axis


@dataclass(frozen=True)
class Operand:
    """One of the paths that meet: its name, its mean stride and the center of its unit 0 on the mean line."""

    name: str
    stride: Fraction
    center: Fraction


@dataclass(frozen=True)
class Misalignment:
    """A point where paths meet whose units look at different places.

    Attributes:
        meeting: name of the operation at which they meet.
        axis: the axis of the input.
        operands: two of the paths that differ.
        source: which input, by its number.
    """

    meeting: str
    axis: int
    operands: tuple[Operand, Operand]
    source: int = 0

    def __str__(self) -> str:
        vias = "; ".join(f"via {o.name!r} stride {o.stride}, center {float(o.center):g}" for o in self.operands)
        one, other = self.operands
        what = "centers" if one.stride == other.stride else "strides"
        where = "a padding" if what == "centers" else "a stride"
        if what == "centers" and (one.center - other.center).denominator > 1:
            where = "a kernel size"  # a padding moves a window by whole positions only
        paths = f"Paths into {self.meeting!r} are misaligned on axis {self.axis}: {vias}."
        return f"{paths} Change {where} so that the {what} agree."


def misalignments(graph: Graph, index: int) -> tuple[Misalignment, ...]:
    """Every meeting on the way to a node whose operands look at different places; () where all agree."""
    memo = graph.kept("alignment", False)
    for at in graph.standing_on(index, lambda n: n in memo, False):
        node = graph.nodes[at]
        found = [m for e in node.full for m in memo[e.source]] + _at(graph, node)
        memo[at] = tuple(dict.fromkeys(found))
    result: tuple[Misalignment, ...] = memo[index]
    return result


def _at(graph: Graph, node: Node) -> list[Misalignment]:
    """The misalignments that arise at a node: at most one an axis."""
    if not node.meeting:
        return []
    found = []
    for axis in sorted(node.reads):
        operands = [o for e in node.full if (o := _operand(graph, e, axis, node)) is not None]
        for other in operands[1:]:
            if (other.stride, other.center) != (operands[0].stride, operands[0].center):
                found.append(Misalignment(node.name or node.operation, axis[1], (operands[0], other), axis[0]))
                break
    return found


def _operand(graph: Graph, edge: Edge, axis: Axis, node: Node) -> Operand | None:
    """The mean line of one operand; None for what has none: constants, gates, paths that read everything."""
    windows = graph.windows(edge.source)
    if edge.kind != "main" or windows is None or axis in graph.whole(edge, False):
        return None
    seen = lines.through(windows, edge.relation, node.roles)
    line = None if seen is None else seen.lines.get(axis)
    if line is None or line.dim is None or len(line.moving) != 1 or any(not w[1] for w in line.moving[0].windows):
        return None  # several strides come from a meeting that is reported already
    source = graph.nodes[edge.source]
    return Operand(edge.via or source.name or source.operation, line.moving[0].slope, line.moving[0].center)
