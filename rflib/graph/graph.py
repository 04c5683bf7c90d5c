"""A graph of operations, and what follows from it: what is read in both directions, ideal windows.

A node is the result of one operation; its edges say, for each operand, which of its elements are read. The graph
does not know where it came from: `rflib.tracing` records one from a PyTorch module, `rflib.graph.axis_graph` has one
written down by hand.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rflib.graph import lines, roles, sets
from rflib.graph.lines import Piece, Windows
from rflib.graph.relations import Relation, Rows, Separable, ending
from rflib.graph.roles import CHANNEL, NEUTRAL, Axis, Role
from rflib.graph.sets import Box
from rflib.graph.views import Digits, composed

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


@dataclass
class _Memo:
    """Results that are asked for again, separately for the whole and the local field."""

    windows: dict[tuple[int, bool], Windows | None] = field(default_factory=dict)
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
        edges = [self._shortened(e) for e in dict.fromkeys(edges)]
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
            frozenset[Axis]().union(*(self.whole(e, False) for e in full)),
            frozenset[Axis]().union(*(self.whole(e, True) for e in local)),
            reads,
            meeting,
        )
        self.nodes.append(node)
        return node.index

    def _shortened(self, edge: Edge) -> Edge:
        """A view of a view reads the tensor below both: what was split there is seen as one axis again."""
        below = self.nodes[edge.source].full
        if isinstance(edge.relation, Digits) and self.nodes[edge.source].operation == "view" and len(below) == 1:
            inner = below[0].relation
            both = composed(edge.relation, inner) if isinstance(inner, Digits) else None
            if both is not None:
                return Edge(below[0].source, both, edge.kind, edge.via)
        return edge

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
        source = self.nodes[edge.source].roles
        if isinstance(view, Separable):
            return replace(edge, relation=_ending_channels(view, source))
        if not isinstance(view, Digits):
            return edge
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

    def whole(self, edge: Edge, local: bool) -> frozenset[Axis]:
        """The axes along which everything is read, by an edge or somewhere before it."""
        source = self.nodes[edge.source]
        return (source.local_whole if local else source.whole) | roles.reads_whole(edge.relation, source.roles)

    def _local_edges(self, edges: list[Edge], meeting: bool) -> tuple[Edge, ...]:
        """Where a path that reads everything meets one that does not, the local field follows the second."""
        if not meeting:
            return tuple(edges)
        whole = [self.whole(e, True) for e in edges]
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
            bounded: what is really read; otherwise as if every layer went on beyond its border, where windows follow
                lines; where they follow none (behind window partitions, concatenation along space) borders stay real.
            local: without gates and statistics.

        Returns:
            For each input that is read, by its node's index, a list of boxes whose union is read.
        """
        return self._pull(index, box, bounded, local, keep=True)

    def _pull(self, index: int, box: Box, bounded: bool, local: bool, keep: bool) -> dict[int, list[Box]]:
        """The same; what the first whole feature map on the way reads is kept if it is not known yet."""
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
            if at != index and len(boxes) == 1 and _is_all(boxes[0], node):
                known = self._pull_all(at, bounded, local) if keep else self._memo.pulled.get((at, bounded, local))
                if known is not None:
                    for source, some in known.items():
                        for b in some:
                            sets.add_box(result.setdefault(source, []), b)
                    continue
            ends = bounded or self.windows(at, local) is None
            for e in edges:
                if e.source not in waiting:
                    waiting[e.source] = []
                    heapq.heappush(queue, -e.source)
                there = waiting[e.source]
                for b in boxes:
                    for read in (e.relation if bounded or not ends else ending(e.relation)).pull(b, ends):
                        sets.add_box(there, read if ends else _beyond_in_space(read, self.nodes[e.source]))
        return {source: boxes for source, boxes in result.items() if boxes}

    def _pull_all(self, index: int, bounded: bool, local: bool) -> dict[int, list[Box]]:
        """What a whole feature map reads: asked for by every unit behind a global operation, so kept."""
        key = (index, bounded, local)
        if key not in self._memo.pulled:
            everything = tuple(sets.interval(0, n - 1) for n in self.nodes[index].shape)
            self._memo.pulled[key] = self._pull(index, everything, bounded, local, keep=False)
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


def _ending_channels(relation: Separable, source: tuple[Role, ...]) -> Separable:
    """Channels end where they end: a roll among them is a roll, and no shift."""
    dims = tuple(
        (o, replace(how, ideal=None)) if isinstance(how, Rows) and how.ideal and not role.spatial else (o, how)
        for (o, how), role in zip(relation.dims, source, strict=True)
    )
    return relation if dims == relation.dims else replace(relation, dims=dims)  # type: ignore[arg-type]


def _beyond_in_space(box: Box, node: Node) -> Box:
    """Only space goes on beyond its border: a channel that does not exist is read by nobody."""
    return tuple(s if r.spatial else sets.clip(s, n) for s, r, n in zip(box, node.roles, node.shape, strict=True))


def _is_all(box: Box, node: Node) -> bool:
    """Whether a box is the whole feature map; asked without making the sets, which may be endless."""
    return all(
        first == 0 and bits.bit_length() == n == bits.bit_count()
        for (first, bits), n in zip(box, node.shape, strict=True)
    )
