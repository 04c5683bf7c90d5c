"""Graphs along one axis, written down by hand: layers that part and meet again, and the windows of their units.

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

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rflib.arithmetic import Layer
from rflib.errors import LayerError, ModelError, NoSingleAnswerError
from rflib.graph import graph, sets
from rflib.graph.alignment import Misalignment, misalignments
from rflib.graph.graph import Edge
from rflib.graph.lines import LONGEST_PERIOD, Line
from rflib.graph.relations import DimMap, Inverse, Pattern, Repeating, Rows, Separable, Taps, same
from rflib.graph.sets import Box, Set

UNBOUNDED = 1 << 62
"""The length of an axis of a graph that was written without an input size."""


class Graph(graph.Graph):
    """A network along one axis. Each method adds a feature map and returns its number, from which others go on.

    Example:
        >>> net = Graph()
        >>> stem = net.layer(Layer(7, stride=2, padding=3), net.input(), name="stem")
        >>> body = net.stack([Layer(3, padding=1), Layer(3, padding=1)], stem)
        >>> net.window(net.add(stem, body)).interval(0)
        (-7, 7)
    """

    def input(self, length: int | None = None, name: str = "input") -> int:
        """The input of a graph along one axis; without a length, ideal windows are all that can be asked.

        Args:
            length: in positions, at least 1.
            name: what messages call it.

        Returns:
            The new node.

        Raises:
            ModelError: the length is below 1.
        """
        if length is not None and length < 1:
            raise ModelError(f"`length` of input {name!r} must be an integer >= 1, or None; got {length!r}.")
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
            ModelError: there is no such node.
        """
        name = name or layer.name or f"layer_{len(self.nodes)}"
        length = out = self._length(source)
        if length != UNBOUNDED:
            reached = length + layer.left + layer.right
            out = (reached - layer.extent) // layer.stride + 1
            if reached < layer.extent:
                raise LayerError(
                    f"Layer {name!r} spans {layer.extent} positions, but only {length} + {layer.left} + {layer.right} "
                    "(input and padding) reach it. Use a longer input or more padding."
                )
        taps = Taps(layer.stride, -layer.left, layer.dilation, layer.kernel_size, length, out)
        return self._along(out, [(source, taps)], name, "layer")

    def upsample(self, factor: int, source: int, name: str | None = None) -> int:
        """Nearest-neighbor upsampling: unit u reads unit u // factor.

        Args:
            factor: how many units each unit becomes, at least 1.
            source: the node it reads.
            name: what messages call it.

        Returns:
            The new node.

        Raises:
            LayerError: the factor is below 1.
            ModelError: there is no such node.
        """
        name = name or f"upsample_{len(self.nodes)}"
        if factor < 1:
            raise LayerError(f"`factor` of layer {name!r} must be an integer >= 1; got {factor!r}.")
        length = self._length(source)
        free = Repeating(Pattern(factor, 1, ((0, 1),) * factor))
        if length == UNBOUNDED:
            return self._along(UNBOUNDED, [(source, free)], name, "upsample")
        rows = Rows(tuple((u // factor, 1) for u in range(length * factor)), length, free)
        return self._along(length * factor, [(source, rows)], name, "upsample")

    def transposed(self, layer: Layer, source: int, name: str | None = None) -> int:
        """Transposed convolution: unit u reads every unit that `layer` would have made from position u.

        Args:
            layer: the layer of which this is the transpose, as `torch.nn.ConvTranspose1d` counts padding.
            source: the node it reads.
            name: what messages call it; by default the layer's own name.

        Returns:
            The new node.

        Raises:
            LayerError: the padding leaves nothing of the result.
            ModelError: there is no such node.
        """
        name = name or layer.name or f"transposed_{len(self.nodes)}"
        length, out = self._length(source), UNBOUNDED
        if length != UNBOUNDED:
            full = (length - 1) * layer.stride + layer.extent
            out = full - layer.left - layer.right
            if out < 1:
                raise LayerError(
                    f"Transposed layer {name!r} makes {full} positions, and its padding cuts off {layer.left} + "
                    f"{layer.right}: nothing is left. Use a longer input or less padding."
                )
        taps = Taps(layer.stride, -layer.left, layer.dilation, layer.kernel_size, out, length)
        return self._along(out, [(source, Inverse(taps))], name, "transposed")

    def add(self, *sources: int, name: str | None = None) -> int:
        """Paths that meet: a sum or, since a unit is the union over its channels, a concatenation of channels.

        Args:
            sources: two nodes or more, of equal length.
            name: what messages call it.

        Returns:
            The new node.

        Raises:
            LayerError: fewer than two nodes, or different lengths.
            ModelError: there is no such node.
        """
        name = name or f"add_{len(self.nodes)}"
        lengths = [self._length(s) for s in sources]
        if len(sources) < 2 or len(set(lengths)) > 1:
            got = ", ".join("none" if n == UNBOUNDED else str(n) for n in lengths)
            raise LayerError(f"Paths into {name!r} must be two or more of equal length; got lengths ({got}).")
        return self._along(lengths[0], [(s, same(lengths[0])) for s in sources], name, "add", meeting=True)

    def stack(self, layers: Iterable[Layer], source: int) -> int:
        """Several layers, one after the other, on a node; returns the last."""
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
            ModelError: the graph has several inputs, there is no such node, or its windows follow no rule.
        """
        length = self._length(index)
        name, windows = self.nodes[index].name, self.windows(index)
        if len(self.inputs) != 1:
            raise ModelError(f"Node {name!r} has no single window: the graph has {len(self.inputs)} inputs, not one.")
        if windows is None or not windows.lines:
            raise ModelError(
                f"The windows of node {name!r} repeat only after more than {LONGEST_PERIOD} units. Ask pull() for one."
            )
        units = None if length == UNBOUNDED else length
        return Window(next(iter(windows.lines.values())), misalignments(self, index), units, name)

    def pull(self, index: int, box: Box, bounded: bool = True, local: bool = False) -> dict[int, list[Box]]:
        """The boxes of each input that a box of a node reads; see `rflib.graph.graph.Graph.pull`."""
        if bounded:
            self._needs_length(index)
        return super().pull(index, box, bounded, local)

    def push(self, source: int, box: Box, target: int, local: bool = False) -> list[Box]:
        """The boxes of a later node that read a box of an earlier one; see `rflib.graph.graph.Graph.push`."""
        self._needs_length(target)
        return super().push(source, box, target, local)

    def _needs_length(self, index: int) -> None:
        if self._length(index) == UNBOUNDED:
            raise ModelError(
                f"What node {self.nodes[index].name!r} really reads depends on where the input ends. Give the input a "
                "length: graph.input(length)."
            )

    def _length(self, index: int) -> int:
        if not 0 <= index < len(self.nodes):
            raise ModelError(f"There is no node {index!r}: the graph has {len(self.nodes)}, counted from 0.")
        return self.nodes[index].shape[0]

    def _along(
        self, length: int, reads: list[tuple[int, DimMap]], name: str, operation: str, meeting: bool = False
    ) -> int:
        edges = [
            Edge(s, Separable(((0, how),), (length,), (self._length(s),)), via=self.nodes[s].name) for s, how in reads
        ]
        return self.add_node(operation, (length,), edges, name, meeting)


@dataclass(frozen=True)
class Window:
    """The ideal windows of one feature map along one axis.

    Attributes:
        line: the rule that all windows follow.
        misalignments: the meetings on the way whose paths look at different places.
        units: how many units the feature map has; None if the graph was written without a length.
        name: of the feature map.
    """

    line: Line
    misalignments: tuple[Misalignment, ...] = ()
    units: int | None = None
    name: str = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """The smallest and the largest window, in input positions, of the units that exist.

        Raises:
            NoSingleAnswerError: paths of different stride meet, so windows grow without end, and no length says where
                the units end.
        """
        spans = [w[1].bit_length() for w in self._existing()]
        return min(spans), max(spans)

    @property
    def size(self) -> int:
        """The largest window, in input positions; raises as `sizes` does."""
        return self.sizes[1]

    @property
    def stride(self) -> int | Fraction | None:
        """Input positions from one unit to the next, on average; None where paths of different stride meet."""
        if len(self.line.courses) != 1:
            return None
        slope = self.line.courses[0].slope
        return slope.numerator if slope.denominator == 1 else slope

    @property
    def padding(self) -> int | None:
        """Minus the first position of unit 0; None where there is no stride, or unit 0 reads nothing."""
        first = self.interval(0)
        return None if self.stride is None or first is None else -first[0]

    @property
    def density(self) -> float:
        """The share of the largest window that is read; 1.0 has no holes, 0.0 reads nothing; raises as `sizes` does."""
        widest = max(self._existing(), key=lambda w: w[1].bit_length())
        return sets.size(widest) / widest[1].bit_length() if widest[1] else 0.0

    @property
    def aligned(self) -> bool:
        """Whether all paths that meet on the way look at the same places."""
        return not self.misalignments

    def interval(self, unit: int) -> tuple[int, int] | None:
        """First and last position, both included; None for a unit that reads nothing."""
        found = self.line.at(unit)
        return (found[0], sets.last(found)) if found[1] else None

    def _existing(self) -> list[Set]:
        """The window of every unit, or of one period of them."""
        courses = self.line.courses
        if len(courses) == 1:
            count = courses[0].period if self.units is None else min(courses[0].period, self.units)
        elif self.units is None:
            strides = " and ".join(str(c.slope) for c in courses)
            raise NoSingleAnswerError(
                f"Paths of strides {strides} meet on the way to {self.name!r}, so its windows grow from unit to unit "
                "and have no single size. Give the input a length, or ask interval(unit)."
            )
        else:
            count = self.units
        return [self.line.at(u) for u in range(count)]
