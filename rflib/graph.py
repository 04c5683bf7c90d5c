"""A graph of operations, and everything that follows from it: what is read, ideal windows, alignment.

A node is the result of one operation; its edges say, for each operand, which of its elements are read. The graph
does not know where it came from: `rflib.tracing` records one from a PyTorch module, `rflib.networks` writes
published networks down by hand.

Example:
    >>> from rflib import Graph, Layer
    >>> graph = Graph()
    >>> x = graph.input()
    >>> left = graph.layer(Layer(3, padding=1), x, name="left")
    >>> right = graph.layer(Layer(5, padding=2), x, name="right")
    >>> field = graph.window(graph.add(left, right))
    >>> field.size, field.stride, field.padding
    (5, 1, 2)
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from rflib import lines, roles, sets
from rflib.arithmetic import Layer
from rflib.errors import LayerError, ModelError
from rflib.lines import Course, Line, Piece, Windows
from rflib.relations import (
    Digits,
    DimMap,
    Inverse,
    Pattern,
    Relation,
    Repeating,
    Rows,
    Separable,
    Taps,
)
from rflib.roles import CHANNEL, NEUTRAL, Axis, Role
from rflib.sets import Box

UNBOUNDED = 1 << 62
"""The length of an axis of a graph that was written without an input size."""

Kind = Literal["main", "gate", "own"]
"""main: always read. gate: statistics and attention weights, left out of the local field. own: read there instead."""


@dataclass(frozen=True)
class Edge:
    """One operand of an operation: where it comes from, what is read of it, and what a person calls it."""

    source: int
    relation: Relation
    kind: Kind = "main"
    via: str = ""


@dataclass(frozen=True)
class Node:
    """The result of one operation; `full` and `local` are its edges in the whole and in the local field."""

    index: int
    operation: str
    name: str
    shape: tuple[int, ...]
    full: tuple[Edge, ...]
    local: tuple[Edge, ...]
    roles: tuple[Role, ...]
    whole: frozenset[Axis]
    local_whole: frozenset[Axis]
    reads: frozenset[Axis]
    meeting: bool = False

    @property
    def unit_dims(self) -> tuple[int, ...]:
        """The dimensions for which a unit has an index."""
        return tuple(d for d, role in enumerate(self.roles) if role.spatial)


@dataclass(frozen=True)
class Operand:
    """One of the paths that meet: its name, its mean stride and the center of its unit 0 on the mean line."""

    name: str
    stride: Fraction
    center: Fraction


@dataclass(frozen=True)
class Misalignment:
    """A point where paths meet whose units look at different places."""

    meeting: str
    axis: int
    operands: tuple[Operand, Operand]
    source: int = 0

    def __str__(self) -> str:
        vias = "; ".join(f"via {o.name!r} stride {o.stride}, center {float(o.center):g}" for o in self.operands)
        what = "centers" if self.operands[0].stride == self.operands[1].stride else "strides"
        where = "a padding" if what == "centers" else "a stride"
        paths = f"Paths into {self.meeting!r} are misaligned on axis {self.axis}: {vias}."
        return f"{paths} Change {where} so that the {what} agree."


@dataclass
class _Memo:
    """Results that are asked for again, separately for the whole and the local field."""

    windows: dict[tuple[int, bool], Windows | None] = field(default_factory=dict)
    alignment: dict[int, tuple[Misalignment, ...]] = field(default_factory=dict)
    pulled: dict[tuple[int, bool, bool], dict[int, list[Box]]] = field(default_factory=dict)
    smallest: dict[int, Windows | None] = field(default_factory=dict)
    kept: dict[tuple[str, bool], dict[int, Any]] = field(default_factory=dict)


class Graph:
    """Operations in the order in which they ran. Nodes are only ever added, so indices are topological."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.inputs: list[int] = []
        self._memo = _Memo()

    # -- building ---------------------------------------------------------------------------------------------

    def add_input(self, shape: Sequence[int], spatial: Sequence[int], name: str = "input", neutral: int = -1) -> int:
        """A tensor that the network is given; `spatial` are its dimensions of space, `neutral` its batch."""
        k = len(self.inputs)
        axes = {d: (k, a) for a, d in enumerate(spatial)}
        its_roles = tuple(
            Role(frozenset({axes[d]}), leads=True) if d in axes else (NEUTRAL if d == neutral else CHANNEL)
            for d in range(len(shape))
        )
        reads = frozenset(axes.values())
        node = Node(len(self.nodes), "input", name, tuple(shape), (), (), its_roles, frozenset(), frozenset(), reads)
        self.nodes.append(node)
        self.inputs.append(node.index)
        return node.index

    def add_node(
        self,
        operation: str,
        shape: Sequence[int],
        edges: Iterable[Edge],
        name: str = "",
        meeting: bool = False,
        laid_along: int | None = None,
        features: int | None = None,
    ) -> int:
        """The result of one operation.

        Args:
            operation: its name.
            shape: of the result.
            edges: what is read of each operand.
            name: what messages call it.
            meeting: whether operands come together in it position by position.
            laid_along: the dimension along which the operands are laid out one after the other, if they are.
            features: a dimension that the operation makes channels, whatever it is made of (patches, sub-pixels).

        Returns:
            The new node.
        """
        edges = list(dict.fromkeys(edges))
        found: list[Role | None] = [None] * len(shape)
        for e in edges:
            for d, role in enumerate(roles.through(e.relation, self.nodes[e.source].roles)):
                before = found[d]
                found[d] = role if before is None else before if role is None else before.joined(role)
        if laid_along is not None and not (found[laid_along] or CHANNEL).spatial:
            found[laid_along] = self._laid_out(edges) or found[laid_along]
        if features is not None:
            fine = found[features] or CHANNEL
            found[features] = Role(fine=fine.fine | fine.coarse, channel=True)
        its_roles = tuple(CHANNEL if role is None else role for role in found)
        edges = [self._extended(e, its_roles) for e in edges]
        full = tuple(e for e in edges if e.kind != "own")
        local = self._local_edges([e for e in edges if e.kind != "gate"], meeting) or full
        reads = frozenset[Axis]().union(*(self.nodes[e.source].reads for e in edges))
        node = Node(
            len(self.nodes),
            operation,
            name,
            tuple(shape),
            full,
            local,
            its_roles,
            frozenset[Axis]().union(*(self._whole(e, False) for e in full)),
            frozenset[Axis]().union(*(self._whole(e, True) for e in local)),
            reads,
            meeting,
        )
        self.nodes.append(node)
        return node.index

    def _laid_out(self, edges: list[Edge]) -> Role | None:
        """Operands that each stand for one place of an axis (the steps of a loop) make that axis again."""
        missing = frozenset[Axis]()
        for e in edges:
            node = self.nodes[e.source]
            carried = frozenset[Axis]().union(*(role.coarse | role.fine for role in node.roles))
            missing |= node.reads - carried - node.whole
        return Role(missing, leads=True) if missing and len(edges) > 1 else None

    def _extended(self, edge: Edge, result: tuple[Role, ...]) -> Edge:
        """A view knows which of its digits go on beyond the border: those that carry an axis from space to space."""
        view = edge.relation
        if not isinstance(view, Digits):
            return edge
        source = self.nodes[edge.source].roles
        free = set()
        for j, role in enumerate(source):
            mine = [f for f, d in enumerate(view.digits) if d.in_dim == j]
            mine.sort(key=lambda f: -view.digits[f].in_step)
            if not role.coarse or not mine:
                continue
            main = view.digits[mine[0]]
            beside = [d for d in view.digits if d.out_dim == main.out_dim and d is not main]
            crowded = any(d.out_step > main.out_step or (d.in_dim >= 0 and source[d.in_dim].coarse) for d in beside)
            if result[main.out_dim].spatial and not crowded:
                free.add(mine[0])
        return replace(edge, relation=replace(view, extends=frozenset(free)))

    def _whole(self, edge: Edge, local: bool) -> frozenset[Axis]:
        source = self.nodes[edge.source]
        return (source.local_whole if local else source.whole) | roles.reads_whole(edge.relation, source.roles)

    def _local_edges(self, edges: list[Edge], meeting: bool) -> tuple[Edge, ...]:
        """Where a path that reads everything meets one that does not, the local field follows the second."""
        if not meeting:
            return tuple(edges)
        whole = [self._whole(e, True) for e in edges]
        narrow = [self.nodes[e.source].reads - w for e, w in zip(edges, whole, strict=True)]
        kept = [e for i, e in enumerate(edges) if not any(whole[i] & other for k, other in enumerate(narrow) if k != i)]
        return tuple(kept)

    # -- what is read -------------------------------------------------------------------------------------------

    def box(self, index: int, unit: Sequence[int]) -> Box:
        """One unit as a box: its position in space, all of its channels."""
        node = self.nodes[index]
        at = dict(zip(node.unit_dims, unit, strict=True))
        return tuple((at[d], 1) if d in at else sets.interval(0, n - 1) for d, n in enumerate(node.shape))

    def pull(self, index: int, box: Box, bounded: bool = True, local: bool = False) -> dict[int, list[Box]]:
        """The boxes of each input that a box of a node reads.

        Args:
            index: the node.
            box: of its elements.
            bounded: what is really read; otherwise as if every layer went on beyond its border.
            local: without gates and statistics.

        Returns:
            For each input that is read, by its node's index, a list of boxes whose union is read.
        """
        result: dict[int, list[Box]] = {}
        waiting: dict[int, list[Box]] = {index: [box]}
        queue = [-index]
        while queue:
            at = -heapq.heappop(queue)
            boxes = waiting.pop(at)
            node = self.nodes[at]
            edges = node.local if local else node.full
            if node.operation == "input":
                for b in boxes:
                    sets.add_box(result.setdefault(at, []), b)
                continue
            if at != index and len(boxes) == 1 and boxes[0] == self._all_of(node):
                for source, some in self._pull_all(at, bounded, local).items():
                    for b in some:
                        sets.add_box(result.setdefault(source, []), b)
                continue
            for e in edges:
                if e.source not in waiting:
                    waiting[e.source] = []
                    heapq.heappush(queue, -e.source)
                there = waiting[e.source]
                for b in boxes:
                    for read in e.relation.pull(b, bounded):
                        sets.add_box(there, read)
        return {source: boxes for source, boxes in result.items() if boxes}

    def _all_of(self, node: Node) -> Box:
        return tuple(sets.interval(0, n - 1) for n in node.shape)

    def _pull_all(self, index: int, bounded: bool, local: bool) -> dict[int, list[Box]]:
        """What a whole feature map reads: asked for by every unit behind a global operation, so kept."""
        key = (index, bounded, local)
        if key not in self._memo.pulled:
            self._memo.pulled[key] = self.pull(index, self._all_of(self.nodes[index]), bounded, local)
        return self._memo.pulled[key]

    def push(self, source: int, box: Box, target: int, local: bool = False) -> list[Box]:
        """The boxes of a later node that read a box of an earlier one."""
        arrived: dict[int, list[Box]] = {source: [box]}
        for node in self.nodes[source + 1 : target + 1]:
            boxes: list[Box] = []
            for e in node.local if local else node.full:
                for b in arrived.get(e.source, ()):
                    for read_by in e.relation.push(b):
                        sets.add_box(boxes, read_by)
            if boxes:
                arrived[node.index] = boxes
        return arrived.get(target, [])

    # -- ideal windows ------------------------------------------------------------------------------------------

    def windows(self, index: int, local: bool = False) -> Windows | None:
        """The ideal windows of all units of a node, or None where they follow no rule."""
        memo = self._memo.windows
        for at in self.standing_on(index, lambda n: (n, local) in memo, local):
            memo[at, local] = self._windows(self.nodes[at], local)
        return memo[index, local]

    def kept(self, what: str, local: bool) -> dict[int, Any]:
        """A place for results, by node, that others compute from this graph and ask for again."""
        return self._memo.kept.setdefault((what, local), {})

    def standing_on(self, index: int, known: Callable[[int], bool], local: bool) -> list[int]:
        """The nodes that a node stands on and that are not known yet, the first ones first."""
        todo, stack = set(), [index]
        while stack:
            at = stack.pop()
            if at in todo or known(at):
                continue
            todo.add(at)
            stack += [e.source for e in (self.nodes[at].local if local else self.nodes[at].full)]
        return sorted(todo)

    def _windows(self, node: Node, local: bool) -> Windows | None:
        if node.operation == "input":
            return lines.input_windows({a: d for d, role in enumerate(node.roles) for a in role.coarse})
        parts: list[Windows] = []
        for e in node.local if local else node.full:
            before = self._memo.windows[e.source, local]
            after = None if before is None else lines.through(before, e.relation, node.roles)
            if after is None:
                return None
            parts.append(after)
        return lines.unite(parts) if parts else Windows((Piece({}),))

    def steps(self, index: int, axis: Axis) -> set[int]:
        """By how many input positions the windows of each node on the way move in one period."""
        self.windows(index)
        found = {1}
        for at in self.standing_on(index, lambda n: False, False):
            windows = self._memo.windows.get((at, False))
            line = None if windows is None else windows.lines.get(axis)
            found |= {abs(c.step) for c in line.courses if c.step} if line is not None else set()
        return found

    @property
    def convolutions(self) -> list[tuple[str, int]]:
        """The module paths and nodes of all convolutions, in order."""
        return [(n.name, n.index) for n in self.nodes if n.operation == "convolution" and n.full]

    def smallest_sizes(self, index: int) -> dict[Axis, int]:
        """The window of the smallest path to a node, an axis: at branches the smaller one counts."""
        memo = self._memo.smallest
        for at in self.standing_on(index, lambda n: n in memo, False):
            node = self.nodes[at]
            if node.operation == "input":
                memo[at] = lines.input_windows({a: d for d, role in enumerate(node.roles) for a in role.coarse})
                continue
            parts = [
                after
                for e in node.full
                if (before := memo[e.source]) is not None
                and (after := lines.through(before, e.relation, node.roles)) is not None
                and after.lines
            ]
            memo[at] = lines.smallest(parts) if parts else None
        found = memo[index]
        return {} if found is None else {a: line.span for a, line in found.lines.items()}

    # -- alignment ----------------------------------------------------------------------------------------------

    def misalignments(self, index: int) -> tuple[Misalignment, ...]:
        """Every meeting on the way to a node whose operands look at different places; () where all agree."""
        memo = self._memo.alignment
        self.windows(index)
        for at in self.standing_on(index, lambda n: n in memo, False):
            node = self.nodes[at]
            inherited = {m: None for e in node.full for m in memo[e.source]}
            inherited.update(dict.fromkeys(self._meets(node)))
            memo[at] = tuple(inherited)
        return memo[index]

    def _meets(self, node: Node) -> list[Misalignment]:
        if not node.meeting:
            return []
        found = []
        for axis in sorted(node.reads):
            operands = [o for e in node.full if (o := self._operand(e, axis, node)) is not None]
            for other in operands[1:]:
                if (other.stride, other.center) != (operands[0].stride, operands[0].center):
                    found.append(Misalignment(node.name or node.operation, axis[1], (operands[0], other), axis[0]))
                    break
        return found

    def _operand(self, edge: Edge, axis: Axis, node: Node) -> Operand | None:
        """The mean line of one operand; None for constants, gates and paths that read everything."""
        windows = self._memo.windows.get((edge.source, False))
        if edge.kind != "main" or windows is None or axis in self._whole(edge, False):
            return None
        seen = lines.through(windows, edge.relation, node.roles)
        line = None if seen is None else seen.lines.get(axis)
        if line is None or line.dim is None or not line.moving or any(not w[1] for w in line.moving[0].windows):
            return None
        course = line.moving[0]
        source = self.nodes[edge.source]
        return Operand(edge.via or source.name or source.operation, course.slope, course.center)

    # -- one axis, by hand ----------------------------------------------------------------------------------------

    def input(self, length: int | None = None, name: str = "input") -> int:
        """The input of a graph along one axis; without a length, ideal windows are all that can be asked."""
        return self.add_input((UNBOUNDED if length is None else length,), (0,), name)

    def layer(self, layer: Layer, source: int, name: str | None = None) -> int:
        """One more layer of convolution or pooling on a node.

        Args:
            layer: its kernel size, stride, padding and dilation.
            source: the node it reads.
            name: what messages call it; by default the layer's own name.

        Returns:
            The new node.

        Raises:
            LayerError: the layer does not fit into what it reads.
        """
        left, right = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
        name = name or layer.name or f"layer_{len(self.nodes)}"
        length = out = self._length(source)
        if length != UNBOUNDED:
            span = layer.dilation * (layer.kernel_size - 1) + 1
            out = (length + left + right - span) // layer.stride + 1
            if length + left + right < span:
                raise LayerError(
                    f"Layer {name!r} spans {span} positions, but only {length} + {left} + {right} (input and padding) "
                    "reach it. Use a longer input or more padding."
                )
        taps = Taps(layer.stride, -left, layer.dilation, layer.kernel_size, length, out)
        return self._along(out, [(source, taps)], name, "layer")

    def upsample(self, factor: int, source: int, name: str | None = None) -> int:
        """Nearest-neighbor upsampling: unit u reads unit u // factor."""
        length = self._length(source)
        free = Repeating(Pattern(factor, 1, ((0, 1),) * factor))
        if length == UNBOUNDED:
            return self._along(UNBOUNDED, [(source, free)], name, "upsample")
        rows = Rows(tuple((u // factor, 1) for u in range(length * factor)), length, free)
        return self._along(length * factor, [(source, rows)], name, "upsample")

    def transposed(self, layer: Layer, source: int, name: str | None = None) -> int:
        """Transposed convolution: unit u reads every unit that `layer` would have made from position u."""
        left, right = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
        length = self._length(source)
        out = UNBOUNDED
        if length != UNBOUNDED:
            out = (length - 1) * layer.stride - left - right + layer.dilation * (layer.kernel_size - 1) + 1
        taps = Taps(layer.stride, -left, layer.dilation, layer.kernel_size, out, length)
        return self._along(out, [(source, Inverse(taps))], name, "transposed")

    def add(self, *sources: int, name: str | None = None) -> int:
        """Paths that meet: a sum or, since a unit is the union over its channels, a concatenation of channels."""
        lengths = {self._length(s) for s in sources}
        name = name or f"add_{len(self.nodes)}"
        if len(sources) < 2 or len(lengths) > 1:
            raise LayerError(f"Paths into {name!r} must be two or more of equal length; got {sorted(lengths)}.")
        length = lengths.pop()
        taps = Taps() if length == UNBOUNDED else Taps(in_length=length, out_length=length)
        return self._along(length, [(s, taps) for s in sources], name, "add", meeting=True)

    def stack(self, layers: Iterable[Layer], source: int) -> int:
        """Several layers, one after the other."""
        for each in layers:
            source = self.layer(each, source)
        return source

    def window(self, index: int) -> Window:
        """The ideal window of a node of a graph along one axis: Distill's three numbers and more.

        Args:
            index: the node, as the building methods return it.

        Returns:
            A `Window`.

        Raises:
            ModelError: the graph has several inputs, or the node reads none.
        """
        windows = self.windows(index)
        if len(self.inputs) != 1 or windows is None or not windows.lines:
            raise ModelError(f"Node {self.nodes[index].name!r} has no single window: give the graph exactly one input.")
        return Window(next(iter(windows.lines.values())), self.misalignments(index))

    def _length(self, index: int) -> int:
        return self.nodes[index].shape[0]

    def _along(
        self, length: int, reads: list[tuple[int, DimMap]], name: str | None, operation: str, meeting: bool = False
    ) -> int:
        edges = [
            Edge(s, Separable(((0, how),), (length,), (self._length(s),)), via=self.nodes[s].name) for s, how in reads
        ]
        return self.add_node(operation, (length,), edges, name or f"{operation}_{len(self.nodes)}", meeting)


@dataclass(frozen=True)
class Window:
    """The ideal windows of one feature map along one axis.

    `size` is the largest, `stride` the mean number of input positions from unit to unit (None where paths of
    different stride meet), `padding` minus the first position of unit 0.
    """

    line: Line
    misalignments: tuple[Misalignment, ...] = ()

    @property
    def _course(self) -> Course | None:
        return self.line.courses[0] if len(self.line.courses) == 1 else None

    @property
    def sizes(self) -> tuple[int, int]:
        """The smallest and the largest window."""
        spans = [w[1].bit_length() for c in self.line.courses for w in c.windows]
        return min(spans), max(spans)

    @property
    def size(self) -> int:
        """The largest window, in input positions."""
        return self.sizes[1]

    @property
    def stride(self) -> int | Fraction | None:
        """Input positions from one unit to the next, on average."""
        if self._course is None:
            return None
        slope = self._course.slope
        return slope.numerator if slope.denominator == 1 else slope

    @property
    def padding(self) -> int | None:
        """Minus the first position of unit 0."""
        found = self.line.at(0)
        return -found[0] if found[1] else None

    @property
    def density(self) -> float:
        """The share of the largest window that is read."""
        widest = max((w for c in self.line.courses for w in c.windows), key=lambda w: w[1].bit_length())
        return sets.size(widest) / widest[1].bit_length()

    @property
    def aligned(self) -> bool:
        """Whether all paths that meet on the way look at the same places."""
        return not self.misalignments

    def interval(self, unit: int) -> tuple[int, int] | None:
        """First and last position, both included; None for a unit that reads nothing."""
        found = self.line.at(unit)
        return (found[0], sets.last(found)) if found[1] else None
