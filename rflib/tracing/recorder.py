"""Runs a module once and records which operation read what: the only place that knows torch's dispatcher.

The inputs live on the meta device, so nothing is computed; calls that touch no traced tensor run really. What a
tensor is made of belongs to its storage, not to the tensor: a view shares the storage of its base, and writing
through a view changes the base. So the recorder keeps, for each storage, the node that its content is now, and
reads every view from its strides. No view operation needs a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from rflib.errors import ReceptiveFieldError, TracingError
from rflib.graph import sets
from rflib.graph.graph import Edge, Graph
from rflib.graph.relations import DimMap, Only, Relation, Segment, Separable, same
from rflib.graph.views import Digits, Turned, factor
from rflib.tracing.gather import Gather, strided_numbers
from rflib.tracing.guard import Saved

Geometry = tuple[tuple[int, ...], tuple[int, ...], int]


@dataclass
class Content:
    """What a storage holds now: a node, laid out with a shape and strides; `views` are nodes already made of it."""

    node: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int
    storage: Any
    via: str
    views: dict[Geometry, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Operand:
    """A traced argument of a call: its node, its shape, the name of the path it came by."""

    node: int
    shape: tuple[int, ...]
    via: str
    position: int


class NeedsValues(Exception):
    """The model asked for a number that the meta device does not have."""


def storage_key(t: torch.Tensor) -> int:
    """What tells storages apart, on every device (data_ptr is 0 on meta)."""
    return int(t.untyped_storage()._cdata)


def tensors_of(value: Any) -> list[torch.Tensor]:
    """The tensors among an operation's arguments, in order: pytrees know more kinds of trees, and take longer."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [t for v in value for t in tensors_of(v)]
    return [t for v in value.values() for t in tensors_of(v)] if isinstance(value, dict) else []


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """An operation's arguments with every leaf changed."""
    if isinstance(value, list | tuple):
        return (
            type(value)([mapped(change, v) for v in value]) if type(value) in (list, tuple) else tree_map(change, value)
        )
    return {k: mapped(change, v) for k, v in value.items()} if isinstance(value, dict) else change(value)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the graph of one run.

    Args:
        graph: filled while the module runs.
        where: tells the path of the module that is running now.
        device: where constants are made when the model asks for the traced tensors' device.
        saved: gets a copy of each tensor of the model before it is written to.
        owned: storage keys of the model's parameters and buffers.
    """

    def __init__(
        self,
        graph: Graph,
        where: Callable[[], str],
        device: torch.device,
        saved: Saved,
        owned: dict[int, torch.Tensor],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.graph = graph
        self.where = where
        self.device = device
        self.real = True
        self.costs: list[tuple[str, int, int]] = []
        self.notes: dict[str, None] = {}
        self._contents: dict[int, Content] = {}
        self._saved, self._owned = saved, owned
        self._alive: list[torch.Tensor] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch imports its compiler, which takes seconds, to keep it away from this class

    # -- tensors and nodes ----------------------------------------------------------------------------------------

    def is_traced(self, t: torch.Tensor) -> bool:
        """Whether this tensor's storage holds anything that came from an input."""
        return storage_key(t) in self._contents

    def is_owned(self, t: torch.Tensor) -> bool:
        """Whether this is a parameter or buffer of the model."""
        return storage_key(t) in self._owned

    def register(self, t: torch.Tensor, node: int, via: str = "") -> None:
        """A new tensor and the node that it holds."""
        via = via or self.where()
        self._contents[storage_key(t)] = Content(
            node, tuple(t.shape), t.stride(), int(t.storage_offset()), t.untyped_storage(), via
        )

    def node_of(self, t: torch.Tensor) -> int:
        """The node of a traced tensor, which may be a view of what its storage holds."""
        content = self._contents[storage_key(t)]
        geometry = (tuple(t.shape), t.stride(), int(t.storage_offset()))
        if geometry == (content.shape, content.stride, content.offset):
            return content.node
        if geometry not in content.views:
            relation = self._view(t, content)
            edge = Edge(content.node, relation, via=content.via)
            content.views[geometry] = self.graph.add_node("view", t.shape, [edge], self.where())
        return content.views[geometry]

    def via_of(self, t: torch.Tensor) -> str:
        """The path of the module that made a traced tensor."""
        return self._contents[storage_key(t)].via

    def name(self, t: torch.Tensor, path: str) -> None:
        """A module returned this tensor: from now on messages call it by the module's path."""
        content = self._contents.get(storage_key(t))
        if content is not None and path:
            content.via = path

    def _view(self, t: torch.Tensor, content: Content) -> Relation:
        offset = int(t.storage_offset()) - content.offset
        found = factor(t.shape, t.stride(), offset, content.shape, content.stride) if offset >= 0 else None
        if found is not None:
            return Digits(found[0], found[1], tuple(t.shape), content.shape)
        return Gather(strided_numbers(t, content.shape, content.stride, content.offset), content.shape)

    def write(self, t: torch.Tensor, node: int) -> None:
        """A tensor was written to: its storage now holds this node there, and what it held elsewhere."""
        key = storage_key(t)
        content = self._contents.get(key)
        if content is None:  # a constant that gets its first traced values: elsewhere it reads nothing
            base = t._base if t._base is not None else t
            empty = self.graph.add_node("constant", base.shape, [])
            offset = int(base.storage_offset())
            content = Content(empty, tuple(base.shape), base.stride(), offset, t.untyped_storage(), "")
            self._contents[key] = content
        content.views = {}
        content.via = self.where()
        if (tuple(t.shape), t.stride(), int(t.storage_offset())) == (content.shape, content.stride, content.offset):
            content.node = node
            return
        relation = self._view(t, content)
        kept = [Edge(content.node, r, via=content.via) for r in _outside(relation)]
        written = Edge(node, _inside(relation), via=content.via)
        content.node = self.graph.add_node("write", content.shape, [*kept, written], self.where())

    # -- calls --------------------------------------------------------------------------------------------------

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = tensors_of((args, kwargs))
        traced = [t for t in tensors if self.is_traced(t)]
        if not traced or _makes_constants(func):
            return self._constant(func, args, kwargs, tensors)
        return self._traced(func, args, kwargs, tensors)

    def _constant(self, func: Any, args: Any, kwargs: Any, tensors: list[torch.Tensor]) -> Any:
        """A call that touches no traced tensor, or none of its values, runs really."""
        if not self.real:
            if _makes_constants(func):
                shape_only = tensors[0]
                kwargs = {**kwargs, **({"device": self.device} if "device" in kwargs else {})}
                args = (_twin(shape_only, self.device), *args[1:])
            elif kwargs.get("device") is not None and torch.device(kwargs["device"]).type == "meta":
                kwargs = {**kwargs, "device": self.device}
        self._save_before_writing(func, args, kwargs)
        return func(*args, **kwargs)

    def _save_before_writing(self, func: Any, args: Any, kwargs: Any) -> None:
        written = _written(func, args, kwargs)
        if "batch_norm" in func._schema.name:  # updates the running statistics, which its schema does not say
            written = tensors_of((args, kwargs))
        for t in written:
            key = storage_key(t)
            if key in self._owned and key not in self._saved:
                owner = self._owned[key]
                self._saved[key] = (owner, owner.detach().clone())

    def _traced(self, func: Any, args: Any, kwargs: Any, tensors: list[torch.Tensor]) -> Any:
        from rflib.tracing.calls import Call
        from rflib.tracing.rules import rule_for

        if torch.Tag.inplace_view in func.tags:  # changes how a tensor looks at its storage, and no element
            return func(*args, **kwargs)
        written = _written(func, args, kwargs)
        call = Call(self, func, args, kwargs)
        rule = rule_for(func)
        if rule is not None:
            _ = call.operands  # what the arguments hold before the call writes to them
        result = self._run(func, args, kwargs, written)
        outputs = tensors_of(result)
        shared = {storage_key(t) for t in tensors}
        fresh = [t for t in outputs if storage_key(t) not in shared]
        if not written and not fresh:
            return result  # a view: its storage says what it holds
        if rule is None:
            raise TracingError(
                f"Operation {func} in module {self.where() or '(the model itself)'!r} has no reading rule in rflib. "
                "rf.measure finds the field of this model by poking; or replace the operation by known ones."
            )
        call.outputs = outputs
        made = self._apply(rule, call)
        for t, node in zip(outputs, made if isinstance(made, list) else [made] * len(outputs), strict=True):
            if any(t is w for w in written):
                self.write(t, node)
            elif storage_key(t) in shared and self.is_traced(t):
                continue
            else:
                self.register(t, node)
        for t in written:
            if not any(t is o for o in outputs):  # an operation that returns something else than what it writes
                self.write(t, made[0] if isinstance(made, list) else made)
        return result

    def _apply(self, rule: Callable[[Any], int | list[int]], call: Any) -> int | list[int]:
        """A rule that stumbles says so itself; its error is not the model's."""
        try:
            return rule(call)
        except ReceptiveFieldError:
            raise
        except Exception as error:
            where = self.where() or "(the model itself)"
            raise TracingError(
                f"The reading rule for operation {call.func} in module {where!r} failed: {type(error).__name__}: "
                f"{error}. "
                "rf.measure finds the field of this model by poking."
            ) from error

    def _run(self, func: Any, args: Any, kwargs: Any, written: list[torch.Tensor]) -> Any:
        if self.real:
            self._save_before_writing(func, args, kwargs)
            result = func(*args, **kwargs)
            self._alive += tensors_of(result)
            return result
        if _is_view(func):  # also of a constant that holds traced values by now: it must stay on its own storage
            return func(*args, **kwargs)
        known = _known_result(func, args)
        if known is not None:
            return known
        twins: dict[int, torch.Tensor] = {}
        back: dict[int, torch.Tensor] = {}

        def on_meta(x: Any) -> Any:
            if isinstance(x, torch.device):
                return torch.device("meta")
            if not isinstance(x, torch.Tensor) or x.device.type == "meta":
                return x
            if id(x) not in twins:
                twins[id(x)] = _twin(x, torch.device("meta"))
                back[id(twins[id(x)])] = x
            return twins[id(x)]

        meta_args, meta_kwargs = mapped(on_meta, (args, kwargs))
        result = func(*meta_args, **meta_kwargs)
        return mapped(lambda x: back.get(id(x), x) if isinstance(x, torch.Tensor) else x, result)


def _known_result(func: Any, args: Any) -> Any:
    """What two frequent operations give on meta, where torch takes slow decompositions: half of a trace's time."""
    x = args[0] if args else None
    if not isinstance(x, torch.Tensor) or x.device.type != "meta" or not x.is_contiguous():
        return None
    if func is torch.ops.aten.relu.default:
        return _twin(x, x.device)
    if func is torch.ops.aten.native_batch_norm.default and not args[5]:  # args[5]: training
        fits = x.ndim > 1 and all(t is None or tuple(t.shape) == (x.shape[1],) for t in args[1:5])
        nothing = torch.empty_strided((0,), (1,), dtype=x.dtype, device=x.device)  # no statistics of the batch
        return (_twin(x, x.device), nothing, nothing.clone()) if fits else None
    return None


def _twin(t: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the same shape and strides elsewhere, without values."""
    return torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device=device)


def _written(func: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """The arguments that a call writes to, by its schema."""
    schema = func._schema
    if not schema.is_mutable:
        return []
    found = []
    for i, a in enumerate(schema.arguments):
        if a.alias_info is not None and a.alias_info.is_write:
            value = args[i] if i < len(args) else kwargs.get(a.name)
            found += tensors_of(value)
    return found


def _is_view(func: Any) -> bool:
    """Operations that return part of their operand, under another shape, without a copy."""
    returns = func._schema.returns
    return not func._schema.is_mutable and any(r.alias_info is not None for r in returns)


CONSTANT_MAKERS = frozenset(
    "new_zeros new_ones new_full new_empty new_empty_strided zeros_like ones_like full_like empty_like rand_like "
    "randn_like randint_like".split()
)


def _makes_constants(func: Any) -> bool:
    """Calls that take a tensor's shape and none of its values."""
    return func._schema.name.split("::")[1] in CONSTANT_MAKERS


def _inside(view: Relation) -> Relation:
    """What the written part of a tensor reads of the values: dimension by dimension where the view is a plain box."""
    turned = Turned(view)
    if not isinstance(view, Digits) or any(d.in_step != 1 or d.out_step != 1 for d in view.digits):
        return turned
    by_in, by_out = {d.in_dim: d for d in view.digits}, {d.out_dim: d for d in view.digits}
    if len(by_in) < len(view.digits) or len(by_out) < len(view.digits) or -1 in by_in:
        return turned
    dims: list[tuple[int, DimMap] | tuple[None, sets.Set]] = []
    for o in range(len(view.out_shape)):
        d = by_out.get(o)
        if d is None:
            dims.append((None, (0, 1)))
        else:
            full = d.size == view.in_shape[d.in_dim]
            dims.append((d.in_dim, same(d.size) if full else Segment(view.offsets[d.in_dim], d.size)))
    where = [(j, (view.offsets[j], 1)) for j, n in enumerate(view.in_shape) if j not in by_in and n > 1]
    return Separable(tuple(dims), view.in_shape, view.out_shape, tuple(where))


def _outside(view: Relation) -> list[Relation]:
    """The part of a tensor that a write through a view leaves alone, as relations that do not overlap."""
    shape = view.in_shape
    if not isinstance(view, Digits):
        return [view.unwritten()] if isinstance(view, Gather) else []
    boxes = view.pull(tuple(sets.interval(0, n - 1) for n in view.out_shape), True)
    if len(boxes) != 1:
        return []
    result: list[Relation] = []
    inside = boxes[0]
    for j, n in enumerate(shape):
        full = sets.interval(0, n - 1)
        left = (0, full[1] & ~(inside[j][1] << inside[j][0]))
        rest = sets.make(*left)
        if not rest[1]:
            continue
        dims: list[tuple[int, DimMap]] = []
        for i, length in enumerate(shape):
            how: DimMap = Only(inside[i]) if i < j else Only(rest) if i == j else same(length)
            dims.append((i, how))
        result.append(Separable(tuple(dims), shape, shape))
    return result
