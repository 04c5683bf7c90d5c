"""Random networks along one axis, and what their units read, written out in Python's sets: the oracle of the graphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property

from hypothesis import strategies as st

from rflib import Graph, Layer

Step = tuple[str, object, tuple[int, ...]]
"""What happens ("layer", "transposed", "upsample", "add"), with which layer or factor, to which earlier maps."""


@dataclass(frozen=True)
class Program:
    """Map 0 is the input; map i + 1 is the result of step i."""

    length: int | None
    steps: tuple[Step, ...]
    lengths: tuple[int, ...] = field(default=(), compare=False)

    def graph(self) -> Graph:
        graph = Graph()
        graph.input(self.length)
        for kind, how, sources in self.steps:
            if kind == "add":
                graph.add(*sources)
            else:
                getattr(graph, kind)(how, *sources)
        return graph

    def reads(self, index: int, unit: int) -> list[tuple[int, int]]:
        """The units of earlier maps that one unit reads directly, beyond the border too."""
        kind, how, sources = self.steps[index - 1]
        if kind == "add":
            return [(s, unit) for s in sources]
        (source,) = sources
        if isinstance(how, int):
            return [(source, unit // how)]
        assert isinstance(how, Layer)
        if kind == "layer":
            return [(source, unit * how.stride - how.left + how.dilation * t) for t in range(how.kernel_size)]
        back = [unit + how.left - how.dilation * t for t in range(how.kernel_size)]
        return [(source, n // how.stride) for n in back if n % how.stride == 0]

    @cached_property
    def _sets(self) -> dict[tuple[int, int, bool], frozenset[int]]:
        return {}

    def seen(self, index: int, unit: int, bounded: bool) -> frozenset[int]:
        """The input positions that a unit reads, really or as if there were no borders."""
        key = (index, unit, bounded)
        if key not in self._sets:
            if bounded and not 0 <= unit < self.lengths[index]:
                found: frozenset[int] = frozenset()
            elif index == 0:
                found = frozenset({unit})
            else:
                found = frozenset().union(*(self.seen(s, u, bounded) for s, u in self.reads(index, unit)))
            self._sets[key] = found
        return self._sets[key]

    def slopes(self, index: int) -> set[Fraction]:
        """The strides of all paths from the input to a map."""
        if index == 0:
            return {Fraction(1)}
        kind, how, sources = self.steps[index - 1]
        before = {slope for s in sources for slope in self.slopes(s)}
        if kind == "add":
            return before
        factor = how if isinstance(how, int) else how.stride  # type: ignore[attr-defined]
        return {s * factor if kind == "layer" else s / factor for s in before}

    def period(self, index: int) -> int:
        """After so many units everything repeats: the product of all factors of upsampling on the way."""
        if index == 0:
            return 1
        kind, how, sources = self.steps[index - 1]
        found = 1
        for s in sources:
            found *= self.period(s)
        if kind == "upsample":
            return found * how  # type: ignore[operator, no-any-return]
        return found * how.stride if kind == "transposed" else found  # type: ignore[attr-defined, no-any-return]

    def paths(self, index: int) -> list[tuple[Layer, ...]]:
        """Every path of layers from the input to a map."""
        if index == 0:
            return [()]
        kind, how, sources = self.steps[index - 1]
        before = [p for s in sources for p in self.paths(s)]
        return before if kind == "add" else [(*p, how) for p in before]  # type: ignore[list-item]


def result_length(kind: str, how: object, length: int) -> int:
    """The number of units, counted: those whose window lies inside the padded map."""
    if isinstance(how, int):
        return length * how
    assert isinstance(how, Layer)
    if kind == "transposed":
        full = {o * how.stride + how.dilation * t for o in range(length) for t in range(how.kernel_size)}
        return len(range(how.left, max(full) + 1 - how.right))
    last = length + how.right - 1
    return sum(1 for u in range(length + how.left + how.right) if how.reads(u)[-1] <= last)


@cache
def layers(strides: tuple[int, ...]) -> st.SearchStrategy[Layer]:
    return st.builds(
        Layer,
        st.integers(1, 4),
        st.sampled_from(strides),
        st.one_of(st.integers(0, 3), st.tuples(st.integers(-1, 3), st.integers(-1, 3))),
        st.integers(1, 3),
    )


@st.composite
def programs(draw: st.DrawFn, with_length: bool, upsampling: bool = True) -> Program:
    """Up to seven steps; paths of equal length meet often."""
    length = draw(st.integers(4, 18)) if with_length else None
    lengths, steps = [length or 0], []
    kinds = ["layer", "layer", "add", "add"] + (["upsample", "transposed"] if upsampling else [])
    for _ in range(draw(st.integers(1, 7))):
        source = draw(st.integers(0, len(lengths) - 1))
        kind = draw(st.sampled_from(kinds))
        if kind == "add":
            equal = [i for i, n in enumerate(lengths) if n == lengths[source]]
            sources = [source, *draw(st.lists(st.sampled_from(equal), min_size=1, max_size=2))]
            steps.append((kind, None, tuple(sources)))
            lengths.append(lengths[source])
            continue
        how: object = draw(st.integers(1, 3))
        if kind != "upsample":
            how = draw(layers((1, 1, 1, 2, 3)))
            if draw(st.booleans()):  # a layer that keeps the length, so that its result can meet what it read
                k, d = how.kernel_size, how.dilation  # type: ignore[attr-defined]
                left = draw(st.integers(0, d * (k - 1)))
                how = Layer(k, 1, (left, d * (k - 1) - left), d)
        if with_length:
            n = result_length(kind, how, lengths[source])
            if not 1 <= n <= 60:
                continue
            lengths.append(n)
        else:
            lengths.append(0)
        steps.append((kind, how, (source,)))
    return Program(length, tuple(steps), tuple(lengths))
