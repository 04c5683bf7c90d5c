"""PyTorch module -> graph: run it once, record what each operation reads, leave the module as it was found."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_unflatten

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError, ReceptiveFieldError, UnknownNameError
from rflib.graph.graph import Graph
from rflib.tracing.guard import left_as_found
from rflib.tracing.recorder import Recorder, storage_key
from rflib.tracing.rules.products import WHOLE

__all__ = ["Given", "ModuleCall", "Trace", "trace"]


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module: the nodes that it returned, by name ('' for a single tensor), and its parameters."""

    path: str
    kind: str
    outputs: dict[str, int]
    depth: int
    order: int
    first_node: int
    last_node: int


@dataclass(frozen=True)
class Trace:
    """One recorded run: the graph, the module calls in the order in which they returned, costs and notes."""

    graph: Graph
    calls: tuple[ModuleCall, ...]
    input_names: tuple[str, ...]
    input_spatial: tuple[tuple[int, ...], ...]
    parameters: dict[str, int]
    multiply_adds: tuple[tuple[str, int, int], ...]
    notes: tuple[str, ...]
    module_paths: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """The inputs of a run: tensors with their names, and how they stand in the call."""

    leaves: tuple[Any, ...]
    names: tuple[str, ...]
    structure: Any
    spatial: tuple[tuple[int, ...], ...]
    batch: tuple[int, ...]

    def call(self, model: nn.Module, leaves: Sequence[Any]) -> Any:
        """Run the model on other leaves in the same places."""
        args, kwargs = tree_unflatten(list(leaves), self.structure)
        return model(*args, **kwargs)

    @property
    def tensors(self) -> list[torch.Tensor]:
        """The leaves that are tensors."""
        return [t for t in self.leaves if isinstance(t, torch.Tensor)]


def trace(model: nn.Module, given: Given, training: bool = False) -> Trace:
    """Run a module once and record its graph.

    Args:
        model: the module; it is left as found, also after an error.
        given: its inputs; their values are used only where the model asks for them.
        training: whether it runs in training mode.

    Returns:
        The trace.

    Raises:
        ModelError: the model cannot run on these inputs; the layer at which it stopped is named.
        TracingError: an operation has no reading rule.
    """
    _refuse_unfinished(model)
    try:
        return _Run(model, given, training, real=False).trace()
    except ReceptiveFieldError:
        raise
    except Exception:  # the meta device has no values: whatever the model wanted with one, it gets a real one
        run = _Run(model, given, training, real=True)
        try:
            return run.trace()
        except ReceptiveFieldError:
            raise
        except Exception as error:
            raise ModelError(run.explain(error)) from error


def _refuse_unfinished(model: nn.Module) -> None:
    if not isinstance(model, nn.Module):
        raise ModelError(f"`model` must be a torch.nn.Module; got {type(model).__name__}.")
    for path, module in model.named_modules():
        tensors = [*module._parameters.values(), *module._buffers.values()]
        if any(torch.nn.parameter.is_lazy(t) for t in tensors if t is not None):
            raise ModelError(
                f"Module {path or '(the model itself)'!r} ({type(module).__name__}) is lazy: its shapes are not known "
                "yet. Run the model once on real data, then analyze it."
            )


@dataclass
class _Frame:
    path: str
    kind: str
    shapes: list[tuple[int, ...]]
    order: int
    first_node: int


class _Functions(TorchFunctionMode):
    """Calls that must be seen whole, before torch takes them apart."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in WHOLE and kwargs.get("out") is None:
            tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
            if any(self.recorder.is_traced(t) for t in tensors):
                result = WHOLE[func](self.recorder, func, args, kwargs)
                if result is not None:
                    return result
        if func in RECURRENT and not self.recorder.real:
            args = tuple(_on_meta(a, self.recorder) for a in args)
        if func is torch.max_pool1d:  # on real tensors torch calls a kernel that no dispatcher sees
            return _max_pool1d(*args, **kwargs)
        return func(*args, **kwargs)


RECURRENT = frozenset(getattr(torch._VF, name) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu"))


def _on_meta(argument: Any, recorder: Recorder) -> Any:
    """Recurrent layers compare their operands' devices: constants take part as meta twins."""
    if isinstance(argument, list | tuple):
        return type(argument)(_on_meta(a, recorder) for a in argument)
    if isinstance(argument, torch.Tensor) and argument.device.type != "meta":
        with _disable_current_modes():  # the recorder would make it where the model's own tensors are
            twin = torch.empty_strided(argument.shape, argument.stride(), dtype=argument.dtype, device="meta")
        if recorder.is_traced(argument):  # made as a constant, and written to since
            recorder.register(twin, recorder.node_of(argument), recorder.via_of(argument))
        return twin
    return argument


@contextmanager
def _attention_met_by_name(functions: _Functions) -> Iterator[None]:
    """nn.MultiheadAttention calls its attention where torch has switched function modes off: its name is borrowed."""
    original = F.scaled_dot_product_attention

    def attention(*args: Any, **kwargs: Any) -> Any:
        return functions.__torch_function__(original, (), args, kwargs)

    F.scaled_dot_product_attention = attention
    try:
        yield
    finally:
        F.scaled_dot_product_attention = original


def _max_pool1d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    return torch.max_pool1d_with_indices(
        x, kernel_size, stride if stride else kernel_size, padding, dilation, ceil_mode
    )[0]


class _Run:
    """One run of the model under the recorder."""

    def __init__(self, model: nn.Module, given: Given, training: bool, real: bool) -> None:
        self.model, self.given, self.training, self.real = model, given, training, real
        self.graph = Graph()
        self.paths = {id(m): p for p, m in model.named_modules()}
        self.frames: list[_Frame] = []
        self.entered = 0
        self.calls: list[ModuleCall] = []
        self.failed_in: _Frame | None = None
        tensors = [*model.parameters(), *model.buffers()]
        self.device = next((t.device for t in tensors), torch.device("cpu"))
        self.owned = {storage_key(t): t for t in tensors}

    def trace(self) -> Trace:
        hooks = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, always_call=False),
        ]
        try:
            with left_as_found(self.model, self.training) as saved:
                self.recorder = Recorder(self.graph, self._where, self.device, saved, self.owned)
                self.recorder.real = self.real
                leaves = self._inputs()
                functions = _Functions(self.recorder)
                with functions, self.recorder, _attention_met_by_name(functions):
                    self.given.call(self.model, leaves)
        except Exception:
            self.failed_in = self.frames[-1] if self.frames else None
            raise
        finally:
            for hook in hooks:
                hook.remove()
        if self.real:
            note = "the model computes with values in Python: this answer holds for the path that these values took"
            self.recorder.notes[note] = None
        return Trace(
            self.graph,
            tuple(self.calls),
            self.given.names,
            self.given.spatial,
            _own_parameters(self.model),
            tuple(self.recorder.costs),
            tuple(self.recorder.notes),
            tuple(self.paths.values()),
        )

    def _inputs(self) -> list[Any]:
        leaves, k = [], 0
        for leaf in self.given.leaves:
            if not isinstance(leaf, torch.Tensor):
                leaves.append(leaf)
                continue
            leaf = leaf.detach().clone().to(self.device) if self.real else torch.empty_like(leaf, device="meta")
            node = self.graph.add_input(leaf.shape, self.given.spatial[k], self.given.names[k], self.given.batch[k])
            self.recorder.register(leaf, node, self.given.names[k])
            leaves.append(leaf)
            k += 1
        return leaves

    def _where(self) -> str:
        return self.frames[-1].path if self.frames else ""

    def _enter(self, module: nn.Module, args: Any) -> None:
        path = self.paths.get(id(module), self._where())
        shapes = [tuple(t.shape) for t in tree_flatten(args)[0] if isinstance(t, torch.Tensor)]
        self.entered += 1
        self.frames.append(_Frame(path, type(module).__name__, shapes, self.entered, len(self.graph.nodes)))

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        frame = self.frames.pop()
        outputs = {}
        for name, t in _named_leaves(output):
            if isinstance(t, torch.Tensor) and self.recorder.is_traced(t):
                self.recorder.name(t, frame.path)
                outputs[name] = self.recorder.node_of(t)
        if id(module) in self.paths:
            last = len(self.graph.nodes)
            depth = len(self.frames)
            call = ModuleCall(frame.path, frame.kind, outputs, depth, frame.order, frame.first_node, last)
            self.calls.append(call)

    def explain(self, error: Exception) -> str:
        """Which layer stopped the run, on what, and why."""
        cause = (str(error).strip().split("\n")[0] or type(error).__name__).rstrip(".") + "."
        frame = self.failed_in
        if frame is None:
            return f"The model cannot be called with these inputs: {type(error).__name__}: {cause}"
        on = " and ".join(str(s) for s in frame.shapes) or "no tensor"
        return (
            f"Layer {frame.path or '(the model itself)'!r} ({frame.kind}) cannot take an input of shape {on}: {cause} "
            "Check the input size and the number of channels that reach it."
        )


def _own_parameters(model: nn.Module) -> dict[str, int]:
    """Parameters of each module without those of its children; a shared tensor counts where it comes first."""
    seen: set[int] = set()
    result = {}
    for path, module in model.named_modules():
        count = 0
        for p in module.parameters(recurse=False):
            if id(p) not in seen:
                seen.add(id(p))
                count += p.numel()
        result[path] = count
    return result


def _named_leaves(value: Any, name: str = "") -> list[tuple[str, Any]]:
    """The tensors of a tuple, list, dictionary or dataclass with a name for each."""
    if isinstance(value, Mapping):
        items: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        items = list(zip(value._fields, value, strict=True))
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    elif hasattr(value, "__dataclass_fields__"):
        items = [(f, getattr(value, f)) for f in value.__dataclass_fields__]
    else:
        return [(name, value)]
    return [leaf for k, v in items for leaf in _named_leaves(v, f"{name}.{k}" if name else str(k))]


def prepare(
    model: nn.Module,
    inputs: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None,
    input_size: Any,
    spatial: Any,
) -> Given:
    """The inputs of a run from what a user gave: tensors, or one size or several.

    Raises:
        ModelError: neither or both were given, or a size or a spatial dimension that cannot be.
    """
    _refuse_unfinished(model)
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise ModelError(f"`kwargs` must be a dictionary of keyword arguments; got {shown(kwargs)}.")
    if not inputs and not kwargs and input_size is None:
        raise ModelError("There is nothing to look at: give an input tensor or `input_size=(1, 3, 224, 224)`.")
    if input_size is not None:
        if inputs or kwargs:
            raise ModelError("Give either input tensors or `input_size`, not both.")
        inputs = tuple(_from_size(model, size) for size in _sizes(input_size))
    args, keywords = tuple(inputs), dict(kwargs or {})
    leaves, structure = tree_flatten((args, keywords))
    names = _names(model, args, keywords)
    tensors = [(n, t) for n, t in zip(names, leaves, strict=True) if isinstance(t, torch.Tensor)]
    if not tensors:
        raise ModelError("There is nothing to look at: give an input tensor or `input_size=(1, 3, 224, 224)`.")
    for name in spatial if isinstance(spatial, Mapping) else ():
        if name not in dict(tensors):
            raise UnknownNameError("input", name, dict(tensors))
    dims = [_spatial_dims(spatial, name, t) for name, t in tensors]
    batch = [_batch_dim(t, d) for (_, t), d in zip(tensors, dims, strict=True)]
    return Given(tuple(leaves), tuple(n for n, _ in tensors), structure, tuple(dims), tuple(batch))


def _sizes(input_size: Any) -> list[tuple[int, ...]]:
    several = isinstance(input_size, list | tuple) and any(isinstance(size, list | tuple) for size in input_size)
    return [_size(size) for size in input_size] if several else [_size(input_size)]


def _size(given: Any) -> tuple[int, ...]:
    many = (
        isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) and getattr(given, "ndim", 1) > 0
    )
    numbers = [whole_number(n) for n in given] if many else []
    if not numbers or any(n is None or n < 1 for n in numbers):
        raise ModelError(
            "`input_size` must be a tuple of whole numbers >= 1, batch and channels first, like (1, 3, 224, 224), or a "
            f"list of such tuples; got {shown(given)}."
        )
    return tuple(n for n in numbers if n is not None)


def _from_size(model: nn.Module, size: tuple[int, ...]) -> torch.Tensor:
    tensors = [*model.parameters(), *model.buffers()]
    like = next((t for t in tensors if t.is_floating_point()), None)
    dtype = torch.float32 if like is None else like.dtype
    generator = torch.Generator().manual_seed(0)
    return torch.rand(size, generator=generator).to(dtype)


def _names(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):  # compiled code does not tell
        return [f"input_{i}" for i in range(len(tree_flatten((args, kwargs))[0]))]
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ModelError(
            f"The model cannot be called with these inputs: {error}. Its forward takes {signature}."
        ) from error
    by_position: list[str] = []
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            by_position += [f"{name}.{i}" for i in range(len(value))]
        elif kind is not inspect.Parameter.VAR_KEYWORD and name not in kwargs:
            by_position.append(name)
    result = []
    for name, value in [*zip(by_position, args, strict=False), *kwargs.items()]:
        leaves = tree_flatten(value)[0]
        named = [n for n, _ in _named_leaves(value, name)]
        result += named if len(named) == len(leaves) else [f"{name}.{i}" for i in range(len(leaves))]
    return result


def _spatial_dims(spatial: Any, name: str, t: torch.Tensor) -> tuple[int, ...]:
    if isinstance(spatial, Mapping):
        spatial = spatial.get(name)
    if spatial is None:
        return tuple(range(2, t.dim()))
    many = isinstance(spatial, Iterable) and not isinstance(spatial, str | bytes)
    dims = tuple(whole_number(d) for d in (spatial if many else (spatial,)))
    if any(d is None or not -t.dim() <= d < t.dim() for d in dims):
        raise ModelError(
            f"`spatial` must name dimensions of input {name!r}, which has shape {tuple(t.shape)}; got {shown(spatial)}."
        )
    found = tuple(d % t.dim() for d in dims if d is not None)
    if len(set(found)) != len(found):
        raise ModelError(f"`spatial` names a dimension of input {name!r} twice; got {shown(spatial)}.")
    return found


def _batch_dim(t: torch.Tensor, spatial: tuple[int, ...]) -> int:
    rest = [d for d in range(t.dim()) if d not in spatial]
    return 0 if len(rest) > 1 and rest[0] == 0 else -1
