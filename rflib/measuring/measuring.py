"""The truth by poking: which input positions a unit reads, found by changing them and looking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from tqdm import tqdm

from rflib.errors import ModelError, NoSingleAnswerError, UnitError, UnknownNameError
from rflib.measuring.poking import Bench, Reader, progress_bar
from rflib.measuring.subject import Key, RunError, Subject, build_inputs, choose_input, copy_model, own_dtype

__all__ = ["Measured", "Projections", "measure", "measure_projections"]

Bools = npt.NDArray[np.bool_]
SPLIT = 8  # a changed group is poked again in this many parts: 1.14 pokes a position where all are read


@dataclass(frozen=True)
class Measured:
    """What one unit reads of one input, as poking shows it.

    Attributes:
        mask: Boolean, over the input's spatial shape: the positions that are read.
        layer: The module path of the layer; "" is the model's output.
        unit: The unit, one index for each spatial axis of the layer's output.
        method: What decided: gradient, NaN, finite pokes, and why.
    """

    mask: Bools = field(repr=False)
    layer: str
    unit: tuple[int, ...]
    method: str

    def __post_init__(self) -> None:
        self.mask.setflags(write=False)

    @property
    def positions(self) -> tuple[tuple[int, ...], ...]:
        """The mask's projection on each axis: the input positions with something read, ascending."""
        axes = range(self.mask.ndim)
        shadows = (self.mask.any(axis=tuple(a for a in axes if a != axis)) for axis in axes)
        return tuple(tuple(np.flatnonzero(shadow).tolist()) for shadow in shadows)

    @property
    def interval(self) -> tuple[tuple[int, int], ...] | None:
        """First and last position that is read, both included, on each axis; None if nothing is read."""
        return tuple((at[0], at[-1]) for at in self.positions) if self.mask.any() else None

    @property
    def size(self) -> tuple[int, ...]:
        """Extent of the hull in input positions, on each axis; 0 if nothing is read."""
        return tuple(at[-1] - at[0] + 1 if at else 0 for at in self.positions)

    @property
    def slices(self) -> tuple[slice, ...]:
        """The hull as slices of the input's spatial axes: `image[..., *measured.slices]`."""
        return tuple(slice(at[0], at[-1] + 1) if at else slice(0, 0) for at in self.positions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measured):
            return NotImplemented
        same = (self.layer, self.unit, self.method) == (other.layer, other.unit, other.method)
        return same and np.array_equal(self.mask, other.mask)

    def __hash__(self) -> int:
        return hash((self.layer, self.unit, self.method, self.mask.tobytes()))

    def __repr__(self) -> str:
        name = repr(self.layer) if self.layer else "the output"
        return (
            f"Measured(unit {self.unit} of {name}: size {self.size}, interval {self.interval}, "
            f"reads {int(self.mask.sum())} of {self.mask.size} positions; by {self.method})"
        )


@dataclass(frozen=True)
class Projections:
    """What all units of one call of a layer read, as its shadow on each axis of the input.

    Attributes:
        layer: The module path; "" is the model's output.
        call: Which call of the module, counted from 0.
        output: Key or index of the tensor, where the module returns several; "" for a single one.
        unit_shape: Extents of the spatial axes of the layer's output.
        unit_dims: The dimensions of the output that are those axes.
        axes: For each axis of the input a boolean array (length of the axis, *unit_shape).
    """

    layer: str
    call: int
    output: str
    unit_shape: tuple[int, ...]
    unit_dims: tuple[int, ...]
    axes: tuple[Bools, ...] = field(repr=False)

    def positions(self, unit: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """The input positions with something that this unit reads, on each axis."""
        return tuple(tuple(np.flatnonzero(np.moveaxis(axis, 0, -1)[unit]).tolist()) for axis in self.axes)


def measure(
    model: nn.Module,
    input_size: Sequence[int] | Sequence[Sequence[int]] | None = None,
    unit: int | Sequence[int] | None = None,
    layer: str | None = None,
    *,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    which: int | str | None = None,
    spatial: Sequence[int] | None = None,
    layer_spatial: Sequence[int] | None = None,
    output: int | str | None = None,
    call: int = -1,
    training: bool = False,
    progress: bool = True,
) -> Measured:
    """Finds the input positions that one unit reads, by poking a copy of the model; the model is not touched.

    The copy computes in float64 with weights and values drawn anew, so that a learned zero still reads. A gradient
    that is not zero proves a position read; the others are poked, in groups that are split where the unit changes.
    The poke is NaN, which every convolution, pooling, normalization and pointwise operation carries exactly where it
    reads. Operations that drop NaN or spread it (interpolation, causal attention, sign, sort) are poked one by one
    with finite numbers, interpolation with the index arithmetic of the model's own precision. Comparisons, `argmax`,
    casts to integers and the like cannot carry it: then finite pokes of several sizes, over several draws of the
    weights, are compared bit for bit as well; with an unknown operation they decide alone. `method` says which.

    Poking can err. Finite pokes show too little where every draw hides a change: rounding in very deep networks,
    saturation, thresholds out of reach. Places computed from the data (`grid_sample`, `max_unpool`, an index from
    `argmax`) are seen only as far as the draws lead there. A constant mask counts as read by definition: multiplied
    in or added to scores it passes NaN, in `where` and `masked_fill` both branches are marked; finite pokes alone
    would not see what it switches off. A custom autograd function whose gradient is an invention can show too much.

    Example:
        >>> import torch
        >>> import rflib as rf
        >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, dilation=2), torch.nn.MaxPool2d(2))
        >>> measured = rf.measure(model, (1, 1, 12, 12), unit=(0, 1))
        >>> measured.size, measured.interval
        ((6, 6), ((0, 5), (2, 7)))
        >>> int(measured.mask.sum())
        36

    Args:
        model: The module; on any device and in any precision, it is copied to the CPU.
        input_size: The input's shape, batch and channels included; several shapes for several inputs.
        unit: One index for each spatial axis of the layer's output; an int on one axis; the middle one by default.
        layer: A path from `named_modules()`; the model's output by default.
        inputs: Instead of `input_size`: a tensor or a tuple of them. Integer tensors are used as they are.
        kwargs: Keyword arguments of the call.
        which: Position or name of the input to poke, where there are several.
        spatial: The dimensions of that input that are space; 2 and up by default.
        layer_spatial: The dimensions of the layer's output that are space; by default the input's if the outputs have
            as many dimensions, else 2 and up. For tokens (batch, tokens, channels) say (1,).
        output: Key or index of the tensor, where several are returned.
        call: Which call of a module that runs several times; the last by default.
        training: Whether the copy runs in training mode.
        progress: Whether a bar is shown when it takes longer than a second.

    Returns:
        A `Measured` with `mask` (the input's spatial shape), `size`, `interval`, `slices`, `positions`.

    Raises:
        ModelError: If the model cannot be copied or run, or an argument does not fit.
        UnitError: If the layer has no such unit.
        UnknownNameError: If there is no such layer, input or output, or the layer is never called.
        NoSingleAnswerError: If there are several inputs or outputs and none was chosen.

    Reference:
        A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019,
        doi:10.23915/distill.00021.
    """
    path = _layer_path(model, layer)
    bench = make_bench(model, input_size, inputs, kwargs, which, spatial, training)
    key = _find_call(bench, path, call, output)
    dims = unit_dims(bench, key, layer_spatial)
    shape = tuple(bench.shapes[key][d] for d in dims)
    reader = Reader(dims, checked_unit(unit, shape, path))
    with progress_bar(None, progress, f"poking for {path or 'the output'}") as bar:
        mask, method = read_mask(bench, key, reader, bar)
    assert reader.unit is not None
    return Measured(mask, path, reader.unit, method)


def measure_projections(
    model: nn.Module,
    input_size: Sequence[int] | Sequence[Sequence[int]] | None = None,
    *,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    which: int | str | None = None,
    spatial: Sequence[int] | None = None,
    dims: Mapping[str, Sequence[int]] | None = None,
    training: bool = False,
    progress: bool = True,
) -> dict[str, tuple[Projections, ...]]:
    """Finds, for all units of all layers at once, the shadow of what they read on each axis.

    A whole row, a whole column is poked in one run: as many runs as the input's axes are long together.

    Example:
        >>> import torch
        >>> from rflib.measuring.measuring import measure_projections
        >>> model = torch.nn.Sequential(torch.nn.Conv1d(1, 1, 3), torch.nn.Conv1d(1, 1, 2, stride=2))
        >>> measure_projections(model, (1, 1, 9))["1"][0].positions((2,))
        ((4, 5, 6, 7),)

    Args:
        model: The module; it is copied.
        input_size: The input's shape, batch and channels included; several shapes for several inputs.
        inputs: Instead of `input_size`: a tensor or a tuple of them.
        kwargs: Keyword arguments of the call.
        which: Position or name of the input to poke, where there are several.
        spatial: The dimensions of that input that are space; 2 and up by default.
        dims: For a path, the dimensions of that layer's output that are space; default as in `measure`.
        training: Whether the copy runs in training mode.
        progress: Whether a bar is shown when it takes longer than a second.

    Returns:
        For each path a tuple of `Projections`, one for each call and each tensor that it returns, in order.

    Raises:
        ModelError: If the model cannot be copied or run, or an argument does not fit.
        NoSingleAnswerError: If there are several inputs and none was chosen.
    """
    bench = make_bench(model, input_size, inputs, kwargs, which, spatial, training)
    chosen = {key: (dims or {}).get(key[0]) for key in bench.shapes}
    return bench_projections(bench, chosen, progress)


def make_bench(
    model: nn.Module,
    input_size: Any,
    inputs: Any,
    kwargs: Mapping[str, Any] | None,
    which: int | str | None,
    spatial: Sequence[int] | None,
    training: bool,
) -> Bench:
    """A bench in float64, or in the model's own precision where its code insists on that."""
    with torch.inference_mode(False):
        twin = copy_model(model, training)
        arguments = build_inputs(twin, input_size, inputs, kwargs)
        at = choose_input(twin, arguments, which)
        own = own_dtype(twin, arguments if inputs is not None else ((), {}))
        problem: RunError | None = None
        for dtype in dict.fromkeys((torch.float64, own, torch.float32)):
            subject = Subject(twin, arguments, at, dtype)
            space = _checked_dims(spatial, tuple(subject.x.shape), "spatial", "the input")
            try:
                return Bench(subject, own, space)
            except RunError as error:
                problem = error if problem is None or dtype == own else problem
    assert problem is not None
    shown = tuple(Subject(twin, arguments, at, own).x.shape)
    raise ModelError(f"The model does not run on an input of shape {shown}. {problem}") from problem.__cause__


def bench_projections(
    bench: Bench, dims: Mapping[Key, Sequence[int] | None], progress: bool
) -> dict[str, tuple[Projections, ...]]:
    """The projections of every call that a bench knows."""
    keys = [key for key in bench.shapes if key not in bench.spoiled]
    readers = {key: Reader(unit_dims(bench, key, dims.get(key))) for key in keys}
    planes = []
    for axis, length in enumerate(bench.space):
        for at in range(length):
            plane = np.zeros(bench.space, bool)
            plane[(slice(None),) * axis + (at,)] = True
            planes.append(plane)
    with progress_bar(len(planes) * len(bench.strategy.rounds), progress, "poking rows and columns") as bar:
        changed = bench.changed(planes, readers, bar) if planes else {}
    cuts = np.cumsum([0, *bench.space])
    found: dict[str, list[Projections]] = {}
    for key in keys:
        shape = tuple(bench.shapes[key][d] for d in readers[key].dims)
        all_axes = changed.get(key, np.zeros((len(planes), *shape), bool))
        axes = tuple(all_axes[cuts[a] : cuts[a + 1]] for a in range(len(bench.space)))
        found.setdefault(key[0], []).append(Projections(*key, shape, readers[key].dims, axes))
    return {path: tuple(calls) for path, calls in found.items()}


def read_mask(bench: Bench, key: Key, reader: Reader, bar: tqdm[Any]) -> tuple[Bools, str]:
    """What one unit reads: proven by gradient, the rest by poking groups, split as long as they change the unit."""
    mask = bench.gradient(key, reader)
    proven = int(mask.sum())
    left = np.flatnonzero(~mask)
    groups = [left] if proven else _parts(left)
    groups = [group for group in groups if group.size]
    while groups:
        regions = [_region(bench.space, group) for group in groups]
        hit = bench.changed(regions, {key: reader}, bar).get(key, np.zeros(len(groups), bool))
        again = []
        for group, changed in zip(groups, hit, strict=True):
            if changed and group.size == 1:
                mask.flat[group[0]] = True
            elif changed:
                again += _parts(group)
        groups = again
    shown = f"gradient ({proven} positions) and " if proven else ""
    return mask, f"{shown}{bench.strategy}"


def _parts(group: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    return [part for part in np.array_split(group, min(SPLIT, max(group.size, 1))) if part.size]


def _region(space: tuple[int, ...], group: npt.NDArray[np.intp]) -> Bools:
    region = np.zeros(space, bool)
    region.flat[group] = True
    return region


def _layer_path(model: nn.Module, layer: str | None) -> str:
    """The path under which the copy knows the layer: a module shared under two names has one."""
    if layer is None or not isinstance(model, nn.Module):
        return ""
    modules = dict(model.named_modules(remove_duplicate=False))
    if layer not in modules:
        raise UnknownNameError("layer", layer, (path for path in modules if path))
    paths: dict[int, str] = {id(module): path for path, module in model.named_modules()}
    return paths[id(modules[layer])]


def _find_call(bench: Bench, path: str, call: int, output: int | str | None) -> Key:
    name = f"Layer {path!r}" if path else "The model"
    if path not in bench.subject.ran:
        raise UnknownNameError(
            "call of layer", path, sorted(bench.subject.ran - {""}), "The model has it but never runs it."
        )
    calls = sorted({key[1] for key in bench.shapes if key[0] == path})
    if not calls:
        raise ModelError(f"{name} returns no tensor. Choose a layer= that does.")
    if not -len(calls) <= call < len(calls):
        raise UnknownNameError("call", call, map(str, calls), f"{name} runs {len(calls)} time(s).")
    names = [key[2] for key in bench.shapes if key[:2] == (path, calls[call])]
    if output is None and len(names) > 1:
        listed = ", ".join(repr(n) for n in names)
        raise NoSingleAnswerError(f"{name} returns {len(names)} tensors: {listed}. Choose one with output=.")
    if output is not None and str(output) not in names:
        raise UnknownNameError("output", output, names, f"{name} does not return it.")
    return path, calls[call], names[0] if output is None else str(output)


def _checked_dims(dims: Sequence[int] | None, shape: tuple[int, ...], name: str, what: str) -> tuple[int, ...]:
    if dims is None:
        return tuple(range(2, len(shape)))
    try:
        chosen = sorted({range(len(shape))[d] for d in dims})
    except (IndexError, TypeError):
        chosen = []
    if len(chosen) != len(tuple(dims)) or len(chosen) > 3:
        raise ModelError(
            f"`{name}` must hold up to three different dimensions of {what}, {shape}; got {tuple(dims)!r}."
        )
    return tuple(chosen)


def unit_dims(bench: Bench, key: Key, dims: Sequence[int] | None) -> tuple[int, ...]:
    """The dimensions of a call's output that are space."""
    shape = bench.shapes[key]
    if dims is None and len(shape) == bench.subject.x.ndim:
        return bench.spatial
    return _checked_dims(dims, shape, "layer_spatial", f"the output of {key[0] or 'the model'}")


def checked_unit(unit: int | Sequence[int] | None, shape: tuple[int, ...], path: str) -> tuple[int, ...]:
    """The unit as a tuple; the middle one by default.

    Raises:
        UnitError: If the feature map has no such unit.
    """
    if unit is None:
        return tuple(n // 2 for n in shape)
    given: tuple[Any, ...] = tuple(unit) if isinstance(unit, Sequence) else (unit,)
    whole = all(isinstance(u, int | np.integer) and not isinstance(u, bool) for u in given)
    if not whole or len(given) != len(shape) or not all(0 <= u < n for u, n in zip(given, shape, strict=True)):
        what = f"layer {path!r}" if path else "the output"
        axes = ", ".join(f"0 to {n - 1}" for n in shape) or "none: it has the single unit ()"
        raise UnitError(f"{what} has no unit {unit!r}. Its feature map is {shape}; indices by axis: {axes}.")
    return tuple(int(u) for u in given)
