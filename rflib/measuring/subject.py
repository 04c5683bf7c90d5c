"""A copy of a model and its inputs that may be poked, and the conditions under which poking can be trusted."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

from rflib.errors import ModelError, NoSingleAnswerError, UnknownNameError
from rflib.untouched import left_as_found

Key = tuple[str, int, str]  # module path, number of its call, name of the output ("" for a single tensor)
Inputs = tuple[tuple[Any, ...], dict[str, Any]]


def copy_model(model: nn.Module, training: bool) -> nn.Module:
    """A copy on the CPU that shares nothing with the model, in the mode asked for.

    Raises:
        ModelError: Not a module, not yet initialized, without values (meta device), or impossible to copy.
    """
    if not isinstance(model, nn.Module):
        raise ModelError(f"`model` must be a torch.nn.Module; got {type(model).__name__}. Wrap a function in a module.")
    for path, tensor in (*model.named_parameters(), *model.named_buffers()):
        if nn.parameter.is_lazy(tensor):
            raise ModelError(f"Parameter {path!r} is not initialized yet (a lazy module). Run the model once first.")
        if tensor.is_meta:
            raise ModelError(
                f"{path!r} is on the meta device and has no values. Use model.to_empty(device='cpu') first."
            )
    try:
        twin = copy.deepcopy(model, memo=_loose_tensors(model))
        twin = twin.to("cpu").requires_grad_(False).train(training)
    except Exception as error:
        raise ModelError(
            f"Poking works on a copy, and copy.deepcopy({type(model).__name__}) failed: "
            f"{type(error).__name__}: {error} Give the class a __deepcopy__, or keep what cannot be copied outside."
        ) from error
    for parameter in twin.parameters():
        parameter.grad = None
    return twin


def _loose_tensors(model: nn.Module) -> dict[int, Any]:
    """Copies of tensors with a history, which deepcopy refuses: a cached activation, the weight of old weight_norm."""
    kept = (value for module in model.modules() for value in module.__dict__.values())
    leaves = (leaf for value in kept for leaf in tree_leaves(value))
    return {id(t): t.detach().clone() for t in leaves if isinstance(t, Tensor) and not t.is_leaf}


def own_dtype(model: nn.Module, inputs: Inputs) -> torch.dtype:
    """The precision in which a model computes: its first parameter's, else its first input's."""
    for tensor in (*model.parameters(), *model.buffers(), *tree_leaves(inputs)):
        if isinstance(tensor, Tensor) and tensor.is_floating_point():
            return tensor.dtype
    return torch.float32


def cast_model(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The model with all its floating tensors in a dtype, those too that are plain attributes."""
    model.to(dtype)
    for module in model.modules():
        for name, value in list(module.__dict__.items()):
            if not name.startswith("_") and any(isinstance(leaf, Tensor) for leaf in tree_leaves(value)):
                module.__dict__[name] = cast(value, dtype)
    return model


def cast(tree: Any, dtype: torch.dtype) -> Any:
    """A nest of tensors on the CPU, without history, its floating tensors in a dtype."""

    def one(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        leaf = leaf.detach().to("cpu")
        return leaf.to(dtype) if leaf.is_floating_point() else leaf

    return tree_map(one, tree)


def build_inputs(
    model: nn.Module, input_size: Any, inputs: Any, kwargs: Mapping[str, Any] | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of the call: made from sizes, or those given."""
    if (input_size is None) == (inputs is None):
        raise ModelError("Give either `input_size`, as (1, 3, 224, 224), or `inputs`, a tuple of tensors; not both.")
    if inputs is not None:
        return (tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)), dict(kwargs or {})
    if isinstance(input_size, str) or not isinstance(input_size, Sequence):
        raise ModelError(f"`input_size` must be a tuple of whole numbers, as (1, 3, 224, 224); got {input_size!r}.")
    several = bool(input_size) and all(isinstance(s, Sequence) and not isinstance(s, str) for s in input_size)
    sizes = [_checked_size(s) for s in (input_size if several else [input_size])]
    return tuple(torch.ones(s, dtype=torch.float64, device="cpu") for s in sizes), dict(kwargs or {})


def _checked_size(size: Sequence[Any]) -> tuple[int, ...]:
    good = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1 for n in size)
    if not good or not size:
        raise ModelError(f"`input_size` must hold whole numbers >= 1, as (1, 3, 224, 224); got {tuple(size)!r}.")
    return tuple(int(n) for n in size)


def choose_input(model: nn.Module, inputs: Inputs, which: int | str | None) -> int | str:
    """The position or keyword of the input to poke."""
    args, kwargs = inputs
    try:
        names = list(inspect.signature(model.forward).parameters)
    except (TypeError, ValueError):
        names = []
    known: dict[str, int | str] = {names[i] if i < len(names) else str(i): i for i in range(len(args))}
    known |= {name: name for name in kwargs}
    values = {name: args[at] if isinstance(at, int) else kwargs[at] for name, at in known.items()}
    pokable = [name for name, v in values.items() if isinstance(v, Tensor) and v.is_floating_point()]
    if which is None:
        if len(pokable) == 1:
            return known[pokable[0]]
        if pokable:
            raise NoSingleAnswerError(f"The model has several inputs: {', '.join(pokable)}. Say which= one to poke.")
        raise ModelError("No input is a tensor of floating-point numbers, so none can be poked.")
    at = which if isinstance(which, int) and 0 <= which < len(args) else known.get(str(which))
    if at is None:
        raise UnknownNameError("input", which, known)
    value = args[at] if isinstance(at, int) else kwargs[at]
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise ModelError(f"Input {which!r} must be a tensor of floating-point numbers to be poked; got {kind}.")
    return at


class Enough(BaseException):
    """Every layer that was asked for has run; no `except Exception` of the model may catch it."""


class RunError(ModelError):
    """A forward pass that failed, with the innermost module that was running."""

    def __init__(self, path: str, error: Exception) -> None:
        where = f"Layer {path!r} fails" if path else "The model's forward fails"
        super().__init__(f"{where}: {type(error).__name__}: {error}")
        self.path = path


@dataclass
class Subject:
    """A copied model with its arguments: new weights and new values on demand, the old ones kept."""

    model: nn.Module
    inputs: Inputs
    which: int | str
    dtype: torch.dtype

    def __post_init__(self) -> None:
        cast_model(self.model, self.dtype)
        self.inputs = cast(self.inputs, self.dtype)
        self._own = [p.detach().clone() for p in self.model.parameters()]
        self.x = self.poked(self.inputs)
        self.ran: set[str] = set()
        self._paths = {id(m): path for path, m in self.model.named_modules()}

    def poked(self, inputs: Inputs) -> Tensor:
        args, kwargs = inputs
        found = args[self.which] if isinstance(self.which, int) else kwargs[self.which]
        assert isinstance(found, Tensor)
        return found

    def with_poked(self, inputs: Inputs, x: Tensor) -> Inputs:
        """The arguments with another tensor in the place that is poked."""
        args, kwargs = inputs
        if isinstance(self.which, int):
            return (*args[: self.which], x, *args[self.which + 1 :]), kwargs
        return args, {**kwargs, self.which: x}

    def draw(self, weights: str, values: str, seed: int = 0) -> Inputs:
        """New weights in the model, and arguments of the same shapes with new values.

        Weights are drawn again because a learned zero still reads, and since positive ones keep ReLUs alive and let a
        large poke win every maximum. Those of a convolution sum to about 1, so nothing overflows at any depth.
        """
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for (name, p), own in zip(self.model.named_parameters(), self._own, strict=True):
                p.copy_(own if weights == "own" or not p.is_floating_point() else _weight(name, p, weights, generator))
            for module in self.model.modules():
                if weights != "own" and isinstance(module, nn.modules.batchnorm._NormBase):
                    module.reset_running_stats()

        def value(leaf: Any) -> Any:
            floating = isinstance(leaf, Tensor) and leaf.is_floating_point()
            return _values(leaf, values, generator) if floating else leaf

        drawn: Inputs = tree_map(value, self.inputs)
        return self.with_poked(drawn, torch.zeros_like(self.x)) if values == "zero" else drawn

    def run(self, inputs: Inputs, see: Callable[[Key, Tensor], None], grad: bool = False) -> Any:
        """One forward pass; `see` gets each call's output at the moment it exists, before anything writes into it."""
        counts: dict[str, int] = {}
        stack: list[nn.Module] = []

        def enter(module: nn.Module, _: Any) -> None:
            if id(module) in self._paths:
                stack.append(module)

        def leave(module: nn.Module, _: Any, output: Any) -> None:
            path = self._paths.get(id(module))
            if path is None:
                return
            while stack and stack.pop() is not module:
                continue
            counts[path] = counts.get(path, -1) + 1
            self.ran.add(path)
            with _disable_current_modes(), torch._C.DisableTorchFunction():
                for name, tensor in named_tensors(output):
                    see((path, counts[path], name), tensor)

        args, kwargs = inputs
        with ExitStack() as cleanup:
            cleanup.enter_context(left_as_found(self.model))
            cleanup.enter_context(torch.set_grad_enabled(grad))
            for hook in (register_module_forward_pre_hook(enter), register_module_forward_hook(leave)):
                cleanup.callback(hook.remove)
            seed_everything()
            try:
                return self.model(*args, **kwargs)
            except Enough:
                return None
            except ModelError:
                raise  # from `see`, about what it saw
            except Exception as error:
                path = self._paths[id(stack[-1])] if stack else ""
                raise RunError(path, error) from error

    def noise(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Random numbers from 0.5 to 1.5."""
        return _uniform(shape, self.dtype, generator)


def named_tensors(value: Any, name: str = "") -> list[tuple[str, Tensor]]:
    """The tensors in a tuple, list, dictionary or dataclass, each with its name: "0", "score", "boxes.1"."""
    if isinstance(value, Tensor):
        return [(name, value)]
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        items = zip(value._fields, value, strict=True)
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
    return [leaf for key, part in items for leaf in named_tensors(part, f"{name}.{key}" if name else str(key))]


def _uniform(shape: Sequence[int], dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    return (0.5 + torch.rand(tuple(shape), generator=generator, dtype=torch.float64, device="cpu")).to(dtype)


def _weight(name: str, p: Tensor, weights: str, generator: torch.Generator) -> Tensor:
    size = _uniform(p.shape, p.dtype, generator)
    if p.ndim < 2 and "bias" in name:
        return size * 0.05 if weights != "zero" else torch.zeros_like(p)
    fan = max(p.numel() // max(p.shape[0], 1), 1) if p.ndim >= 2 else 1
    if weights == "signed" and p.ndim >= 2:
        sign = torch.rand(p.shape, generator=generator, dtype=torch.float64, device="cpu") < 0.5
        size = torch.where(sign, size, -size) * float(fan) ** 0.5
    return size / fan


def _values(leaf: Tensor, values: str, generator: torch.Generator) -> Tensor:
    if values == "given":
        return leaf
    if values == "normal":
        return torch.randn(leaf.shape, generator=generator, dtype=torch.float64, device="cpu").to(leaf.dtype)
    return _uniform(leaf.shape, leaf.dtype, generator)


@contextmanager
def conditions(dtype: torch.dtype) -> Iterator[None]:
    """Everything outside the model that could make a poke lie, switched off for a while and put back."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    default, fast_path = torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled()
    mkldnn, nnpack = torch._C._get_mkldnn_enabled(), torch._C._get_nnpack_enabled()
    with ExitStack() as stack:
        stack.callback(random.setstate, python_state)
        stack.callback(np.random.set_state, numpy_state)
        stack.callback(torch.set_default_dtype, default)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast_path)
        stack.callback(torch._C._set_mkldnn_enabled, mkldnn)
        stack.callback(torch._C._set_nnpack_enabled, nnpack)
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.autocast("cpu", enabled=False))
        stack.enter_context(torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        stack.enter_context(torch.device("cpu"))
        torch.set_default_dtype(dtype)  # what a forward creates (a grid, a mask of ones) must fit the copy
        torch.backends.mha.set_fastpath_enabled(False)
        torch._C._set_mkldnn_enabled(False)
        torch._C._set_nnpack_enabled(False)  # in float32 its tiles carried one NaN to 36 units where 9 read it
        yield


def seed_everything() -> None:
    """The same random draws in every run, without a hand on a GPU's generator."""
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)
