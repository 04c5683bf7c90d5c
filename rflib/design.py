"""Stacks that reach a target under a budget: judged, searched for, and grown in five ways; standard library only.

One width throughout, and every convolution padded so that n positions become n / stride, rounded up: then the layers'
kernels, strides and dilations alone decide the field and the cost, and designs can be compared. Pooling is without
padding, its stride its kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar

from rflib.arithmetic import (
    Layer,
    ReceptiveField,
    checked_stack,
    jumps,
    output_sizes,
    receptive_field,
    shown,
    whole_number,
)
from rflib.cost import Cost, conv_cost, depthwise_separable_cost
from rflib.errors import LayerError, ModelError, NoSingleAnswerError, UnknownNameError
from rflib.tables import html_table, text_table

_Item = TypeVar("_Item")

KINDS = ("conv", "separable", "pool")
COSTS = ("parameters", "multiply_adds")


@dataclass(frozen=True)
class Design:
    """A stack of layers, each with its kind, and what it works on.

    Example:
        >>> design = Design([Layer(3, padding=1), Layer(2, 2), Layer(3, padding=1)], ["conv", "pool", "separable"])
        >>> print(design)
        conv 3, pool 2 stride 2, separable 3
        >>> design.field.size, design.field.stride, design.density, design.output_size
        (8, 2, 1.0, 112)
        >>> design.cost
        Cost(parameters=41728, multiply_adds=1908293632)

    Args:
        layers: The layers in the order in which data passes through them.
        kinds: "conv", "separable" (depthwise, then 1x1) or "pool": one for all layers, or one for each.
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes; the layers are the same on every axis.

    Raises:
        LayerError: If the stack is empty, or there are not as many kinds as layers.
        ModelError: If one of the numbers is not a whole number of at least 1.
        UnknownNameError: If a kind is not one of the three.
    """

    layers: Sequence[Layer]
    kinds: str | Sequence[str] = "conv"
    channels: int = 64
    input_size: int = 224
    axes: int = 2

    def __post_init__(self) -> None:
        layers = checked_stack(self.layers)
        kinds = (self.kinds,) * len(layers) if isinstance(self.kinds, str) else tuple(self.kinds)
        if len(kinds) != len(layers):
            raise LayerError(f"`kinds` must be one word, or one for each of {len(layers)} layers; got {len(kinds)}.")
        _known("kind of layer", kinds, KINDS)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "kinds", kinds)
        for name in ("channels", "input_size", "axes"):
            object.__setattr__(self, name, _count(name, getattr(self, name)))

    @cached_property
    def field(self) -> ReceptiveField:
        """The receptive field of the last layer's units."""
        return receptive_field(self.layers)

    @cached_property
    def density(self) -> float:
        """Share of its window that a unit reads, on one axis; 1.0 where there are no holes."""
        return self.field.density

    @cached_property
    def output_size(self) -> int:
        """Length of the last feature map on each axis."""
        return output_sizes(self.layers, self.input_size)[-1]

    @cached_property
    def cost(self) -> Cost:
        """Parameters, with biases, and multiply-adds for one example."""
        lengths = output_sizes(self.layers, self.input_size)
        parts = zip(self.layers, self.kinds, lengths, strict=True)
        return sum((_cost(layer, kind, length, self) for layer, kind, length in parts), Cost())

    def __str__(self) -> str:
        return ", ".join(_words(layer, kind) for layer, kind in zip(self.layers, self.kinds, strict=True))


@dataclass(frozen=True)
class Requirements:
    """What a stack has to reach, what it may cost, and which layers it may be made of.

    Example:
        >>> Requirements(field=31, largest_stride=1, no_holes=True, dilations=(1, 2, 4, 8)).kernels
        (3, 5, 7)

    Args:
        field: The field wanted, in input positions on each axis: at least so much.
        exactly: Whether the field must have this size and no other.
        by: What is to be small: "parameters" or "multiply_adds".
        most_parameters: Budget; None for no limit.
        most_multiply_adds: Budget for one example; None for no limit.
        most_layers: Largest depth, pooling layers counted.
        largest_stride: Largest product of all strides, so that resolution is kept; None for no limit.
        no_holes: Whether a unit must read every position of its window (density 1).
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes.
        kernels: Allowed kernel sizes of convolutions.
        strides: Allowed strides of convolutions.
        dilations: Allowed dilations of convolutions.
        pools: Allowed sizes of pooling windows, at least 2, their stride their size; () for no pooling.
        convolutions: Allowed kinds of convolutions: "conv", "separable" or both.

    Raises:
        ModelError: If a number is not whole or too small, or nothing at all is allowed.
        UnknownNameError: If `by` or `convolutions` names something else.
    """

    field: int
    exactly: bool = False
    by: str = "parameters"
    most_parameters: int | None = None
    most_multiply_adds: int | None = None
    most_layers: int = 8
    largest_stride: int | None = None
    no_holes: bool = False
    channels: int = 64
    input_size: int = 224
    axes: int = 2
    kernels: Sequence[int] = (3, 5, 7)
    strides: Sequence[int] = (1, 2)
    dilations: Sequence[int] = (1,)
    pools: Sequence[int] = ()
    convolutions: Sequence[str] = ("conv",)

    def __post_init__(self) -> None:
        for name in ("field", "most_layers", "channels", "input_size", "axes"):
            object.__setattr__(self, name, _count(name, getattr(self, name)))
        for name, least in (("most_parameters", 0), ("most_multiply_adds", 0), ("largest_stride", 1)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _count(name, getattr(self, name), least))
        for name, least in (("kernels", 1), ("strides", 1), ("dilations", 1), ("pools", 2)):
            object.__setattr__(self, name, _counts(name, getattr(self, name), least))
        kinds = (self.convolutions,) if isinstance(self.convolutions, str) else tuple(self.convolutions)
        object.__setattr__(self, "convolutions", kinds)
        _known("kind of convolution", kinds, KINDS[:2])
        _known("cost", [self.by], COSTS)
        if not self.pools and not (self.kernels and self.strides and self.dilations and kinds):
            raise ModelError(
                "`Requirements` allow no layer at all: give `pools`, or `kernels`, `strides`, `dilations` and "
                "`convolutions`, at least one of each."
            )

    def design(self, layers: Iterable[Layer], kinds: str | Sequence[str] = "conv") -> Design:
        """The layers as a `Design` with the width, the input and the axes that are required here."""
        return Design(tuple(checked_stack(layers)), kinds, self.channels, self.input_size, self.axes)


@dataclass(frozen=True)
class Assessment:
    """How a design stands against requirements; `assess` makes it.

    Attributes:
        design: The stack, with its field, density, output size and cost.
        fulfilled: What is met, a sentence each, with numbers.
        missed: What is not, likewise.
        score: 0 where anything is missed. Else 100 * (cost of the cheapest) / (its own cost), rounded down, at least 1,
            in the cost that the requirements name: 100 is the cheapest there is, 50 costs twice as much.
    """

    design: Design
    fulfilled: tuple[str, ...]
    missed: tuple[str, ...]
    score: int

    @property
    def met(self) -> bool:
        """Whether everything is met."""
        return not self.missed

    def __str__(self) -> str:
        marked = [f"met     {said}" for said in self.fulfilled] + [f"MISSED  {said}" for said in self.missed]
        return "\n".join([*marked, f"score   {self.score}"])


def assess(stack: Design | Iterable[Layer], requirements: Requirements) -> Assessment:
    """Judge one stack.

    Example:
        >>> wanted = Requirements(field=15, most_parameters=150_000, no_holes=True)
        >>> print(assess([Layer(3, padding=1)] * 7, wanted))
        met     The field is 15 input positions; at least 15 are wanted.
        met     The window has no holes; holes are not allowed.
        met     The depth is 7 layers; at most 8 are allowed.
        met     Every layer is one of the allowed ones.
        MISSED  The parameters are 258,496; at most 150,000 are allowed: 108,496 too many.
        score   0
        >>> halved = [Layer(3, stride, padding=1) for stride in (2, 2, 1, 1)]
        >>> assess(halved, wanted).met, assess(halved, wanted).score, assess(halved[:3], wanted).score
        (True, 75, 100)

    Args:
        stack: A design, or layers, which are then ordinary convolutions. Width, input and axes are those required.
        requirements: What is wanted.

    Returns:
        The numbers, what is met and what is missed, and a score.

    Raises:
        LayerError: If the stack is empty, or the input is too small for a layer.
    """
    design = requirements.design(stack.layers, stack.kinds) if isinstance(stack, Design) else requirements.design(stack)
    judged = list(_judged(design, requirements))
    missed = tuple(said for met, said in judged if not met)
    own = getattr(design.cost, requirements.by)
    score = 0 if missed else 100 if own == (least := _least(requirements)) else max(1, 100 * least // own)
    return Assessment(design, tuple(said for met, said in judged if met), missed, score)


def cheapest(requirements: Requirements) -> Search:
    """The cheapest stack that meets the requirements, by exact search.

    Equally cheap ones are told apart by the other cost, then by depth.

    Example:
        >>> wanted = Requirements(field=31, largest_stride=1, no_holes=True, dilations=(1, 2, 4, 8), input_size=64)
        >>> print(cheapest(wanted).best)
        conv 3, conv 3 dilation 2, conv 3 dilation 4, conv 3 dilation 8
        >>> cheapest(Requirements(field=12, pools=[2], most_layers=3, by="multiply_adds", largest_stride=2))
        field  stride  density  parameters  multiply-adds  stack
           14       2      1.0      139392     1746927616  pool 2 stride 2, conv 3, conv 5
        Of all stacks of at most 3 layers. Deeper ones were not searched and may do better.

    Args:
        requirements: What is wanted, and, in `by`, which cost is to be small.

    Returns:
        One design, as `.best`, and whether deeper stacks than those searched could be cheaper.

    Raises:
        NoSingleAnswerError: If no stack of the allowed layers meets the requirements.
    """
    explored = _explore(requirements, in_order=_other_budget(requirements, requirements.by) is None)
    if not explored.arrived:
        raise _none(requirements)
    best = min(explored.arrived, key=lambda path: (path.cost, path.depth))
    return Search((_design(best, requirements),), requirements, explored.proven)


def pareto(requirements: Requirements, between: tuple[str, str] = COSTS) -> Search:
    """The Pareto front: the stacks that no other one beats in both of two numbers.

    Between the two costs, every stack of the front meets the requirements. Between "field" and a cost, the front rises
    to the required field: its stacks fall short of it but for the last, and meet all else.

    Example:
        >>> pareto(Requirements(field=9, exactly=True, largest_stride=2, input_size=64))
        field  stride  density  parameters  multiply-adds  stack
            9       2      1.0      110784      226492416  conv 3, conv 3 stride 2, conv 3
            9       2      1.0      139392      142606336  conv 5 stride 2, conv 3
        Of all stacks of at most 8 layers. Deeper ones do no better.
        >>> front = pareto(Requirements(field=9, strides=[1]), between=("field", "parameters"))
        >>> [(design.field.size, design.cost.parameters) for design in front]
        [(3, 36928), (5, 73856), (7, 110784), (9, 147712)]

    Args:
        requirements: What is wanted; `by` plays no part.
        between: Two of "field", "parameters", "multiply_adds".

    Returns:
        The designs, by the first number rising; of equal ones, one.

    Raises:
        NoSingleAnswerError: If no stack of the allowed layers meets the requirements.
        UnknownNameError: If `between` names something else.
        ModelError: If `between` is not two different names.
    """
    first, second = _pair(between)
    costs = [name for name in (first, second) if name != "field"]
    wanted = replace(requirements, by=costs[0])
    one_cost = len(costs) == 1 and _other_budget(wanted, costs[0]) is None
    explored = _explore(wanted, in_order=one_cost)
    if not explored.arrived:
        raise _none(requirements)
    if len(costs) == 2:
        paths = _front((path.cost, path) for path in explored.arrived)
    else:
        # What reaches the target counts as reaching it: a wider field than required is no merit.
        fields = ((-min(path.size, wanted.field), path.cost[0]) for path in explored.full)
        paths = _front(zip(fields, explored.full, strict=True))[::-1]
    return Search(tuple(_design(path, wanted) for path in paths), requirements, explored.proven)


class _Listing:
    """What holds designs: iterate over them, count them, see them as a table."""

    designs: tuple[Design, ...]

    def __iter__(self) -> Iterator[Design]:
        return iter(self.designs)

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, index: int) -> Design:
        return self.designs[index]

    def __repr__(self) -> str:
        return text_table(_HEADINGS, self._cells()) + "\n" + self._closing()

    def _repr_html_(self) -> str:
        return html_table(_HEADINGS, self._cells()) + f"<p>{self._closing()}</p>"

    def _cells(self) -> list[list[object]]:
        return [
            [d.field.size, d.field.stride, round(d.density, 3), d.cost.parameters, d.cost.multiply_adds, str(d)]
            for d in self
        ]

    def _closing(self) -> str:
        raise NotImplementedError


_HEADINGS = ["field", "stride", "density", "parameters", "multiply-adds", "stack"]


@dataclass(frozen=True, repr=False)
class Search(_Listing):
    """What a search found; iterate over its designs, or show it.

    Attributes:
        designs: One design from `cheapest`; the front from `pareto`, its first number rising.
        requirements: What was searched for; stacks deeper than its `most_layers` were not looked at.
        proven: Whether deeper stacks could not do better either; False if they were not excluded.
    """

    designs: tuple[Design, ...]
    requirements: Requirements
    proven: bool

    @property
    def best(self) -> Design:
        """The first design: the cheapest one."""
        return self.designs[0]

    def _closing(self) -> str:
        deeper = "Deeper ones do no better." if self.proven else "Deeper ones were not searched and may do better."
        return f"Of all stacks of at most {self.requirements.most_layers} layers. {deeper}"


@dataclass(frozen=True, repr=False)
class Growth(_Listing):
    """How the field and its price grow in one way; `growth` makes it.

    Each property is a curve, one number a step, for plotting.

    Attributes:
        way: Its name in `WAYS`.
        designs: The stack after 1, 2, 3, ... steps.
    """

    way: str
    designs: tuple[Design, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """The numbers of steps: 1, 2, 3, ..."""
        return tuple(range(1, len(self) + 1))

    @property
    def depths(self) -> tuple[int, ...]:
        """Layers, pooling layers counted."""
        return tuple(len(d.layers) for d in self)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Fields, in input positions."""
        return tuple(d.field.size for d in self)

    @property
    def strides(self) -> tuple[int, ...]:
        """Products of all strides, in input positions."""
        return tuple(d.field.stride for d in self)

    @property
    def densities(self) -> tuple[float, ...]:
        """Shares of the windows that are read, on one axis."""
        return tuple(d.density for d in self)

    @property
    def parameters(self) -> tuple[int, ...]:
        """Parameters of the whole stacks."""
        return tuple(d.cost.parameters for d in self)

    @property
    def multiply_adds(self) -> tuple[int, ...]:
        """Multiply-adds of the whole stacks, for one example."""
        return tuple(d.cost.multiply_adds for d in self)

    def _closing(self) -> str:
        return f"{self.way}: {WAYS[self.way].says}."


@dataclass(frozen=True)
class Way:
    """One way to grow a field.

    Attributes:
        says: What one step adds, in a few words.
        make: The layers after so many steps, a (kernel_size, stride, dilation, kind) each.
    """

    says: str
    make: Callable[[int], list[tuple[int, int, int, str]]]


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "depth": Way("one more convolution of 3", lambda n: [(3, 1, 1, "conv")] * n),
        "large kernels": Way("one convolution, its kernel 2 larger", lambda n: [(2 * n + 1, 1, 1, "conv")]),
        "pooling": Way(
            "a convolution of 3 and a pooling of 2 in turn",
            lambda n: [(2, 2, 1, "pool") if i % 2 else (3, 1, 1, "conv") for i in range(n)],
        ),
        "dilation": Way(
            "one more convolution of 3, its dilation doubled", lambda n: [(3, 1, 2**i, "conv") for i in range(n)]
        ),
        "depthwise": Way("one more depthwise separable convolution of 3", lambda n: [(3, 1, 1, "separable")] * n),
    }
)


def growth(way: str, steps: int = 8, channels: int = 64, input_size: int = 224, axes: int = 2) -> Growth:
    """The field and its price, step by step, in one of the five ways of `WAYS`.

    Example:
        >>> growth("dilation", steps=5).sizes, growth("depth", steps=5).sizes
        ((3, 7, 15, 31, 63), (3, 5, 7, 9, 11))
        >>> growth("pooling", steps=4, channels=8)
        field  stride  density  parameters  multiply-adds  stack
            3       1      1.0         584       28901376  conv 3
            4       2      1.0         584       28901376  conv 3, pool 2 stride 2
            8       2      1.0        1168       36126720  conv 3, pool 2 stride 2, conv 3
           10       4      1.0        1168       36126720  conv 3, pool 2 stride 2, conv 3, pool 2 stride 2
        pooling: a convolution of 3 and a pooling of 2 in turn.

    Args:
        way: "depth", "large kernels", "pooling", "dilation" or "depthwise".
        steps: How far.
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes.

    Returns:
        The stacks, and their numbers as curves.

    Raises:
        UnknownNameError: If there is no such way.
        ModelError: If a number is not whole or too small.
        LayerError: If pooling leaves nothing of the input before the last step.
    """
    _known("way to grow", [way], WAYS)
    stacks = [WAYS[way].make(step) for step in range(1, _count("steps", steps) + 1)]
    designs = [
        Design([_layer(*row) for row in rows], [kind for *_, kind in rows], channels, input_size, axes)
        for rows in stacks
    ]
    output_sizes(designs[-1].layers, designs[-1].input_size)  # refuses here, not in a plot, an input that is too short
    return Growth(way, tuple(designs))


# The search. A stack is grown layer by layer; all that matters of its beginning for what may follow is its state.


class _State(NamedTuple):
    """A unit reads `run` positions without a hole, and, not yet joined to them, taps at the `pending` steps."""

    run: int
    jump: int
    length: int
    pending: tuple[tuple[int, int], ...] = ()  # (step, (taps - 1) * step), in input positions, rising


class _Path(NamedTuple):
    """One way to a state: what it costs, the cost that is to be small first, and by which layers."""

    cost: tuple[int, int]
    depth: int
    size: int
    last: _Move | None = None
    before: _Path | None = None


class _Move(NamedTuple):
    """A layer that may come next."""

    layer: Layer
    kind: str
    length: int
    cost: tuple[int, int]


class _Explored(NamedTuple):
    arrived: list[_Path]  # the cheapest that meet everything
    full: list[_Path]  # the cheapest of every state without holes
    proven: bool


_Beats: TypeAlias = Callable[[tuple[int, int], tuple[int, int]], bool]


def _explore(requirements: Requirements, in_order: bool) -> _Explored:
    """All stacks, depth by depth; in each state only those are followed that are not beaten by another in that state.

    `in_order`: the first cost decides, the second one only between equals. Else a stack must be beaten in both.
    """
    beats: _Beats = tuple.__le__ if in_order else _in_both
    kept: dict[_State, list[_Path]] = {}
    arrived: list[_Path] = []
    ends = [(_State(1, 1, requirements.input_size), _Path((0, 0), 0, 1))]
    for depth in range(1, requirements.most_layers + 1):
        reached: dict[_State, None] = {}  # a set in the order of arrival, so that a search always finds the same stack
        for state, path in ends:
            for move in _moves(requirements, state.length):
                if (after := _after(state, move, requirements)) is None:
                    continue
                cost = (path.cost[0] + move.cost[0], path.cost[1] + move.cost[1])
                rivals = kept.setdefault(after, [])
                if _too_dear(cost, requirements) or any(beats(rival.cost, cost) for rival in (*arrived, *rivals)):
                    continue
                new = _Path(cost, depth, after.run + sum(reach for _, reach in after.pending), move, path)
                rivals[:] = [*(rival for rival in rivals if not beats(cost, rival.cost)), new]
                reached[after] = None
                if new.size >= requirements.field and not after.pending:
                    arrived[:] = [*(rival for rival in arrived if not beats(cost, rival.cost)), new]
        fresh = ((state, path) for state in reached for path in kept[state] if path.depth == depth)
        ends = [(state, path) for state, path in fresh if _may_grow(state, path, arrived, beats, requirements)]
        if not ends:
            break
    full = [path for state, paths in kept.items() if not state.pending for path in paths]
    return _Explored(arrived, full, not ends)


def _may_grow(state: _State, path: _Path, arrived: list[_Path], beats: _Beats, requirements: Requirements) -> bool:
    """Whether a longer stack could be of use: not where the goal is reached, or is reached more cheaply elsewhere."""
    if path.size >= requirements.field and not state.pending:
        return False
    if requirements.no_holes and state.jump > state.run:  # every step from here on leaves a hole that nothing closes
        return False
    return not any(beats(done.cost, path.cost) for done in arrived)


def _after(state: _State, move: _Move, requirements: Requirements) -> _State | None:
    """The state one layer later; None if that cannot meet the requirements any more.

    A step that is too long for the run waits for finer ones to come, as a dilation before a smaller dilation does.
    """
    step, taps = state.jump * move.layer.dilation, move.layer.kernel_size
    run, jump, grown = state.run, state.jump * move.layer.stride, (taps - 1) * step
    if requirements.largest_stride is not None and jump > requirements.largest_stride:
        return None
    waiting = dict(state.pending)
    if not requirements.no_holes:
        run += grown
    elif grown:
        waiting[step] = waiting.get(step, 0) + grown
    run, pending = _joined(run, waiting)
    over = requirements.exactly and run + sum(reach for _, reach in pending) > requirements.field
    if over or (pending and jump > run):
        return None
    return _State(run, jump, move.length, pending)


def _joined(run: int, steps: Mapping[int, int]) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The run without a hole that taps at these steps make of a run, and the steps that are too long for it.

    Copies of a run that lie `step` apart touch if `step` is at most the run's length; the finest steps come first.
    """
    rising = sorted(steps.items())
    for index, (step, reach) in enumerate(rising):
        if step > run:
            return run, tuple(rising[index:])
        run += reach
    return run, ()


@lru_cache(maxsize=1024)
def _moves(requirements: Requirements, length: int) -> tuple[_Move, ...]:
    """The layers that may read a map of this length; of those that do the same to the field, the cheapest."""
    same: dict[tuple[int, ...], list[tuple[tuple[int, int], _Move]]] = {}
    for layer, kind in _allowed(requirements):
        if kind == "pool" and layer.kernel_size > length:
            continue
        after = output_sizes([layer], length)[0]
        cost = _ordered(_cost(layer, kind, after, requirements), requirements.by)
        # Where holes are allowed it only matters how far a layer reaches; where they are not, also in which steps.
        step = layer.dilation if requirements.no_holes and layer.kernel_size > 1 else 0
        same.setdefault((layer.extent, step, layer.stride, after), []).append((cost, _Move(layer, kind, after, cost)))
    return tuple(move for group in same.values() for move in _front(group))


def _allowed(requirements: Requirements) -> Iterator[tuple[Layer, str]]:
    """All layers that a stack may be made of, each with its kind."""
    for kind in requirements.convolutions:
        for kernel in requirements.kernels:
            for stride in requirements.strides:
                for dilation in requirements.dilations:
                    yield _layer(kernel, stride, dilation, kind), kind
    for size in requirements.pools:
        yield _layer(size, size, 1, "pool"), "pool"


def _layer(kernel_size: int, stride: int, dilation: int, kind: str) -> Layer:
    """A layer padded by the module's rule; where the padding is odd, the larger half is on the right."""
    around = 0 if kind == "pool" else dilation * (kernel_size - 1)
    return Layer(kernel_size, stride, (around // 2, around - around // 2), dilation)


def _cost(layer: Layer, kind: str, length: int, where: Design | Requirements) -> Cost:
    if kind == "pool":
        return Cost()
    price = conv_cost if kind == "conv" else depthwise_separable_cost
    return price(layer.kernel_size, where.channels, where.channels, (length,) * where.axes)


def _ordered(cost: Cost, by: str) -> tuple[int, int]:
    return (cost.parameters, cost.multiply_adds) if by == "parameters" else (cost.multiply_adds, cost.parameters)


def _too_dear(cost: tuple[int, int], requirements: Requirements) -> bool:
    budgets = requirements.most_parameters, requirements.most_multiply_adds
    spent = cost if requirements.by == "parameters" else cost[::-1]
    return any(most is not None and number > most for number, most in zip(spent, budgets, strict=True))


def _other_budget(requirements: Requirements, cost: str) -> int | None:
    return requirements.most_multiply_adds if cost == "parameters" else requirements.most_parameters


def _in_both(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1]


def _front(numbered: Iterable[tuple[tuple[int, int], _Item]]) -> list[_Item]:
    """The items whose pair of numbers, both best when small, no other pair equals or beats; the first number rising."""
    front: list[_Item] = []
    least = math.inf
    for (_, second), item in sorted(numbered, key=lambda entry: entry[0]):
        if second < least:
            least = second
            front.append(item)
    return front


def _design(path: _Path, requirements: Requirements) -> Design:
    moves = []
    while path.last is not None and path.before is not None:
        moves.append(path.last)
        path = path.before
    moves.reverse()
    return requirements.design([move.layer for move in moves], [move.kind for move in moves])


@lru_cache(maxsize=256)
def _least(requirements: Requirements) -> int:
    """The cost of the cheapest stack, in the cost that the requirements name."""
    cost: int = getattr(cheapest(requirements).best.cost, requirements.by)
    return cost


def _judged(design: Design, wanted: Requirements) -> Iterator[tuple[bool, str]]:
    """Each requirement: whether it is met, and the sentence that says so."""
    size, stride = design.field.size, design.field.stride
    goal = f"exactly {wanted.field} is wanted" if wanted.exactly else f"at least {wanted.field} are wanted"
    met = size == wanted.field or (size > wanted.field and not wanted.exactly)
    yield met, f"The field is {size} input positions; {goal}."
    if wanted.no_holes:
        steps: dict[int, int] = {}
        for layer, jump in zip(design.layers, jumps(tuple(design.layers)), strict=True):
            step = layer.dilation * jump
            steps[step] = steps.get(step, 0) + (layer.kernel_size - 1) * step
        run = min(_joined(1, steps)[0], size)
        hole = "has no holes" if run == size else f"has a hole after its first {run} positions"
        yield run == size, f"The window {hole}; holes are not allowed."
    limits = (
        ("product of all strides is", stride, wanted.largest_stride, ""),
        ("depth is", len(design.layers), wanted.most_layers, " layers"),
        ("parameters are", design.cost.parameters, wanted.most_parameters, ""),
        ("multiply-adds are", design.cost.multiply_adds, wanted.most_multiply_adds, ""),
    )
    for name, number, most, unit in limits:
        if most is not None:
            over = f": {number - most:,} too many" if number > most else ""
            yield number <= most, f"The {name} {number:,}{unit}; at most {most:,} are allowed{over}."
    strange = list(_strange(design, wanted))
    yield from ((False, said) for said in strange)
    if not strange:
        yield True, "Every layer is one of the allowed ones."


def _strange(design: Design, wanted: Requirements) -> Iterator[str]:
    """A sentence for each layer that the requirements do not allow."""
    for index, (layer, kind) in enumerate(zip(design.layers, design.kinds, strict=True), start=1):
        if kind == "pool":
            if (layer.kernel_size, layer.dilation) != (layer.stride, 1) or layer.kernel_size not in wanted.pools:
                yield f"Layer {index} is {_words(layer, kind)}; allowed pools, stride = size: {_listed(wanted.pools)}."
            around = 0
        else:
            around = layer.extent - 1
            facts: tuple[tuple[str, object, Sequence[object]], ...] = (
                ("kind", kind, wanted.convolutions),
                ("kernel_size", layer.kernel_size, wanted.kernels),
                ("stride", layer.stride, wanted.strides),
                ("dilation", layer.dilation, wanted.dilations),
            )
            for name, given, allowed in facts:
                if given not in allowed:
                    yield f"Layer {index} has {name} {given}; allowed: {_listed(allowed)}."
        if min(layer.left, layer.right) < 0 or layer.left + layer.right != around:
            yield f"Layer {index} has padding {layer.left} and {layer.right}; together they must be {around}."


def _words(layer: Layer, kind: str) -> str:
    stride = f" stride {layer.stride}" if layer.stride > 1 else ""
    dilation = f" dilation {layer.dilation}" if layer.dilation > 1 else ""
    return f"{kind} {layer.kernel_size}{stride}{dilation}"


def _listed(allowed: Sequence[object]) -> str:
    return ", ".join(map(str, allowed)) or "none"


def _none(wanted: Requirements) -> NoSingleAnswerError:
    goal = "exactly" if wanted.exactly else "at least"
    return NoSingleAnswerError(
        f"No stack of at most {wanted.most_layers} of the allowed layers has a field of {goal} {wanted.field} input "
        f"positions and meets the rest of {wanted}. Allow more layers, a larger budget, stride or kernel, or dilation."
    )


def _pair(between: object) -> tuple[str, str]:
    names = tuple(between) if isinstance(between, Sequence) and not isinstance(between, str) else ()
    if len(names) != 2 or names[0] == names[1]:
        raise ModelError(
            f"`between` must be two different names of {_listed(('field', *COSTS))}; got {shown(between)}."
        )
    _known("number to compare stacks by", names, ("field", *COSTS))
    return names[0], names[1]


def _known(kind: str, given: Iterable[object], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in given:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def _count(name: str, given: object, least: int = 1) -> int:
    number = whole_number(given)
    if number is None or number < least:
        raise ModelError(f"`{name}` must be an integer >= {least}; got {shown(given)}.")
    return number


def _counts(name: str, given: object, least: int) -> tuple[int, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ModelError(f"`{name}` must be a list of integers >= {least}; got {shown(given)}.")
    return tuple(sorted({_count(f"{name}[{index}]", number, least) for index, number in enumerate(given)}))
