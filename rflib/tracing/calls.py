"""One recorded call of an operation, as the rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_map

from rflib.graph import sets
from rflib.graph.graph import Edge, Kind
from rflib.graph.relations import DimMap, Relation, Separable, same
from rflib.graph.sets import Set
from rflib.tracing.recorder import Operand, tensors_of

if TYPE_CHECKING:
    from rflib.tracing.recorder import Recorder

Entry = tuple[int, DimMap] | tuple[None, Set]


class Call:
    """An operation with its arguments by name; after it ran, its outputs.

    Args:
        recorder: that records the call.
        func: the operation.
        args: as given.
        kwargs: as given.
    """

    def __init__(self, recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.recorder = recorder
        self.func = func
        self.outputs: list[torch.Tensor] = []
        self._args, self._kwargs = args, kwargs

    @property
    def name(self) -> str:
        """The operation's name, as messages say it."""
        return str(self.func._schema.name).split("::")[1]

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """All arguments by name, defaults filled in."""
        result = {}
        for i, a in enumerate(self.func._schema.arguments):
            if i < len(self._args):
                result[a.name] = self._args[i]
            elif a.name in self._kwargs:
                result[a.name] = self._kwargs[a.name]
            else:
                result[a.name] = a.default_value if a.has_default_value() else None
        return result

    def arg(self, *names: str) -> Any:
        """The value of the first of these arguments that the operation has."""
        for name in names:
            if name in self.arguments:
                return self.arguments[name]
        raise KeyError(names)

    @cached_property
    def tensors(self) -> list[torch.Tensor]:
        """The tensors among the arguments, in order."""
        return tensors_of((self._args, self._kwargs))

    def exchanged(self, by: dict[int, torch.Tensor]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with some tensors (by identity) exchanged, to run a move on index numbers.

        Writing is exchanged for a copy: the operation's in-place form must not touch the learner's tensors.
        """
        return list(tree_map(lambda a: by.get(id(a), a), list(self._args))), tree_map(
            lambda a: by.get(id(a), a), self._kwargs
        )

    def replaced(self, t: torch.Tensor, by: torch.Tensor) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with one tensor exchanged."""
        return self.exchanged({id(t): by})

    @cached_property
    def operands(self) -> list[Operand]:
        """The traced tensors among the arguments, in order."""
        return [self.operand(t) for t in self.tensors if self.recorder.is_traced(t)]

    def operand(self, t: torch.Tensor) -> Operand:
        """A traced tensor as an operand."""
        return Operand(self.recorder.node_of(t), tuple(t.shape), self.recorder.via_of(t), id(t))

    def traced(self, *names: str) -> Operand | None:
        """The argument of that name, if it is traced."""
        value = self.arg(*names)
        return self.operand(value) if isinstance(value, torch.Tensor) and self.recorder.is_traced(value) else None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first output."""
        return tuple(self.outputs[0].shape)

    def spatial(self, operand: Operand, dim: int) -> bool:
        """Whether a dimension of an operand carries a whole axis of space."""
        return bool(self.recorder.graph.nodes[operand.node].roles[dim].coarse)

    def add(
        self,
        edges: Iterable[Edge],
        shape: Sequence[int] | None = None,
        meeting: bool = False,
        laid_along: int | None = None,
        features: int | None = None,
    ) -> int:
        """A node for this call's result."""
        shape = self.shape if shape is None else tuple(shape)
        name = self.recorder.where()
        named = f"{name}.{self.name}" if name and meeting else name or self.name
        return self.recorder.graph.add_node(self.name, shape, edges, named, meeting, laid_along, features)

    def cost(self, multiply_adds: int) -> None:
        """Book multiply-adds on the module that is running."""
        self.recorder.costs.append((self.recorder.where(), multiply_adds, self.recorder.graph.nodes[-1].index))


def edge(operand: Operand, dims: Sequence[Entry], out_shape: Sequence[int], kind: Kind = "main") -> Edge:
    """An edge that treats each dimension by itself."""
    return Edge(operand.node, Separable(tuple(dims), tuple(out_shape), operand.shape), kind, operand.via)


def related(operand: Operand, relation: Relation, kind: Kind = "main") -> Edge:
    """An edge with any relation."""
    return Edge(operand.node, relation, kind, operand.via)


def everything(operand: Operand, out_shape: Sequence[int], kind: Kind = "main") -> Edge:
    """An edge that reads the whole operand."""
    return edge(operand, [all_of(n) for n in operand.shape], out_shape, kind)


def all_of(length: int) -> tuple[None, Set]:
    """An entry that reads a whole dimension, whatever the unit."""
    return None, sets.interval(0, length - 1)


def own(dim: int, length: int) -> tuple[int, DimMap]:
    """An entry that reads its own position."""
    return dim, same(length)


def broadcast(operand: Operand, out_shape: Sequence[int]) -> list[Entry]:
    """Entries of a pointwise operation: own positions, and the only one where a dimension is repeated."""
    extra = len(out_shape) - len(operand.shape)
    result: list[Entry] = []
    for j, n in enumerate(operand.shape):
        repeated = n == 1 and out_shape[j + extra] != 1
        result.append((None, (0, 1)) if repeated else own(j + extra, n))
    return result


def untraced(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    """The tensor that a call returns, seen by nobody: its shape on the meta device, its values in a real run."""

    def on_meta(x: Any) -> Any:
        if isinstance(x, torch.Tensor) and not recorder.real and x.device.type != "meta":
            return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")
        return x

    with torch._C.DisableTorchFunction(), _disable_current_modes():
        args, kwargs = tree_map(on_meta, (args, kwargs))
        result: torch.Tensor = func(*args, **kwargs)
    return result
