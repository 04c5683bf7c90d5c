"""The cheapest designs that meet the requirements, by exact search, and fronts between two numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias, TypeVar

from rflib.arithmetic import Layer, output_sizes, shown
from rflib.cost import Cost
from rflib.design.designs import COSTS, Design, Listing, check_known, layer_cost, padded_layer
from rflib.design.requirements import Requirements, listed
from rflib.errors import ModelError, NoSingleAnswerError

Item = TypeVar("Item")


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


@dataclass(frozen=True, repr=False)
class Search(Listing):
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
    run, pending = joined(run, waiting)
    over = requirements.exactly and run + sum(reach for _, reach in pending) > requirements.field
    if over or (pending and jump > run):
        return None
    return _State(run, jump, move.length, pending)


def joined(run: int, steps: Mapping[int, int]) -> tuple[int, tuple[tuple[int, int], ...]]:
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
        cost = _ordered(layer_cost(layer, kind, after, requirements), requirements.by)
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
                    yield padded_layer(kernel, stride, dilation, kind), kind
    for size in requirements.pools:
        yield padded_layer(size, size, 1, "pool"), "pool"


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


def _front(numbered: Iterable[tuple[tuple[int, int], Item]]) -> list[Item]:
    """The items whose pair of numbers, both best when small, no other pair equals or beats; the first number rising."""
    front: list[Item] = []
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
def least_cost(requirements: Requirements) -> int:
    """The cost of the cheapest stack, in the cost that the requirements name."""
    cost: int = getattr(cheapest(requirements).best.cost, requirements.by)
    return cost


def _none(wanted: Requirements) -> NoSingleAnswerError:
    goal = "exactly" if wanted.exactly else "at least"
    return NoSingleAnswerError(
        f"No stack of at most {wanted.most_layers} of the allowed layers has a field of {goal} {wanted.field} input "
        f"positions and meets the rest of {wanted}. Allow more layers, a larger budget, stride or kernel, or dilation."
    )


def _pair(between: object) -> tuple[str, str]:
    names = tuple(between) if isinstance(between, Sequence) and not isinstance(between, str) else ()
    if len(names) != 2 or names[0] == names[1]:
        raise ModelError(f"`between` must be two different names of {listed(('field', *COSTS))}; got {shown(between)}.")
    check_known("number to compare stacks by", names, ("field", *COSTS))
    return names[0], names[1]
