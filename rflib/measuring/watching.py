"""What becomes of a NaN in each operation of one run of a model.

A NaN put into an input is a mark that travels along every chain of operations. Most operations carry it exactly where
they read. Some drop it (a sign, a comparison), some spread it too far (a tap whose coefficient is fixed at zero, the
future in causal attention). `Watch` finds out which kinds a model uses; `Resampling` and `Causal` repair the second
kind on the spot, by poking that single operation with finite numbers; what cannot be repaired is left to finite pokes
of the whole model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOVES = _names(
    """view _unsafe_view _reshape_alias as_strided slice select narrow transpose t permute expand squeeze unsqueeze
    unbind split split_with_sizes unsafe_split unsafe_split_with_sizes unsafe_chunk chunk cat stack roll flip rot90
    repeat tile unfold pixel_shuffle pixel_unshuffle channel_shuffle constant_pad_nd reflection_pad1d reflection_pad2d
    reflection_pad3d replication_pad1d replication_pad2d replication_pad3d im2col alias detach clone lift_fresh
    diagonal diag_embed block_diag slice_scatter select_scatter diagonal_scatter as_strided_scatter tril triu
    view_as_real view_as_complex fill zero copy set_data"""
)
EXACT = _names(
    """convolution _convolution mm bmm addmm addbmm baddbmm addmv mv dot matmul linear _trilinear col2im
    sum mean amax amin aminmax max min prod var std var_mean std_mean linalg_vector_norm norm dist mse_loss logsumexp
    cumsum cumprod logcumsumexp _softmax _log_softmax _safe_softmax native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training _batch_norm_with_update native_layer_norm native_group_norm _fused_rms_norm
    avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool2d adaptive_avg_pool3d
    max_pool2d_with_indices max_pool3d_with_indices adaptive_max_pool2d adaptive_max_pool3d _to_copy
    upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d _prelu_kernel glu rrelu_with_noise log_sigmoid_forward native_dropout
    _fft_r2c _fft_c2r _fft_c2c"""
)
RESAMPLED = _names(
    """upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa
    _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d"""
)
NEAREST = frozenset(name for name in EXACT if "upsample_nearest" in name)
INTERPOLATED = NEAREST | frozenset(name for name in RESAMPLED if "upsample" in name)
LOCAL = RESAMPLED | _names(
    """sign sgn nan_to_num fmax fmin sort topk kthvalue median nanmedian nansum cummax cummin hardshrink softshrink
    renorm"""
)
INDEXED = _names(
    """index index_select gather take index_put _unsafe_index _unsafe_index_put scatter scatter_add scatter_reduce
    index_add index_copy index_fill embedding max_unpool2d max_unpool3d grid_sampler_2d grid_sampler_3d"""
)
LOSES = _names("argmax argmin argsort searchsorted bucketize histc bincount any all count_nonzero _cdist_forward")
POINTWISE = _names("where masked_fill hardswish mish threshold abs complex polar")  # in places without torch's tag
MASKED = _names("where masked_fill")
CONTROL = _names("_local_scalar_dense is_nonzero equal nonzero masked_select _unique _unique2 unique_dim")
FRESH = _names(
    """empty_like zeros_like ones_like full_like rand_like randn_like randint_like new_empty new_zeros new_ones
    new_full new_empty_strided bernoulli uniform normal exponential random geometric cauchy log_normal"""
)


class Mode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode that does not load torch's compiler, which torch does by default, for two seconds."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


def operation_name(func: Any) -> str:
    """The name of an operation without its overload and its in-place underscore; foreign ones keep their namespace."""
    space, _, name = func._schema.name.partition("::")
    short = name[:-1] if name.endswith("_") and not name.endswith("__") else name
    return short if space == "aten" else f"{space}::{short}"


def tensors_in(tree: Any) -> list[Tensor]:
    """All tensors that a nested structure holds."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def carries_marks(tensor: Tensor) -> bool:
    """Whether its numbers can be NaN."""
    return tensor.is_floating_point() or tensor.is_complex()


class Watch(Mode):  # type: ignore[no-untyped-call]
    """Follow what depends on the poked input, by storage, and sort the operations that touch it by what they do to NaN.

    Args:
        poked: The input that is poked.
        others: The other inputs; a place to read that comes from one of them is as unknown as one from the poked input.
    """

    def __init__(self, poked: Tensor, others: Sequence[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unknown: set[str] = set()
        self.loses: set[str] = set()
        self.indexed: set[str] = set()
        self.control: set[str] = set()
        self.local: set[str] = set()
        self.nearest: set[str] = set()
        self._tainted = {self._storage(poked)}
        self._given = {self._storage(t) for t in (poked, *others)}
        self._alive: list[Any] = [poked, *others]  # a freed storage's address could be used again

    @staticmethod
    def _storage(tensor: Tensor) -> int:
        return int(tensor.untyped_storage()._cdata)

    def depends(self, tensor: Tensor) -> bool:
        """True where the tensor's storage was written by an operation that depends on the poked input."""
        return self._storage(tensor) in self._tainted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        touched = [t for t in tensors_in((args, kwargs)) if self.depends(t)]
        name = operation_name(func)
        if not touched or name in FRESH:
            out = func(*args, **kwargs)
            self._alive.append(out)
            self._follow_given(name, (args, kwargs), out)
            return out
        only_numbers = all(carries_marks(t) for t in touched)
        with _disable_current_modes():  # the repairs are for the model, not for our own arithmetic
            drops = _is_pointwise(func) and name not in MASKED and _drops(func, args, kwargs)
        out = func(*args, **kwargs)
        written = tensors_in((out, kwargs.get("out")))
        self._alive.append((out, args))
        self._tainted.update(self._storage(t) for t in written)
        self._given.update(self._storage(t) for t in written)
        self._sort(func, args, only_numbers, drops, written)
        return out

    def _follow_given(self, name: str, arguments: Any, out: Any) -> None:
        if name not in FRESH and any(self._storage(t) in self._given for t in tensors_in(arguments)):
            self._given.update(self._storage(t) for t in tensors_in(out))

    def _sort(self, func: Any, args: Any, only_numbers: bool, drops: bool, written: list[Tensor]) -> None:
        name = operation_name(func)
        if name in NEAREST:
            self.nearest.add(name)
        if name in MASKED:
            self.local.add(name)
        if name in CONTROL:
            self.control.add(name)
        elif name in INDEXED:
            self._sort_index(name, args)
        elif name in LOCAL:
            self.local.add(name)
        elif name in MOVES and (only_numbers or name != "copy"):
            if only_numbers and not all(carries_marks(t) for t in written):
                self.loses.add(name)
        elif not only_numbers or name in LOSES or drops:
            self.loses.add(name)
        elif name not in EXACT and not _is_pointwise(func):
            self.unknown.add(name)
        elif name == "_to_copy" and not all(carries_marks(t) for t in written):
            self.loses.add(name)

    def _sort_index(self, name: str, args: Any) -> None:
        """An index that was computed from the input says where to read; constants only move elements."""
        where = [t for t in tensors_in(args[1:]) if self._storage(t) in self._given]
        if name.startswith("grid_sampler"):
            self.local.add(name)
            if where:
                self.indexed.add(name)
        elif any(t.dtype == torch.bool for t in where):
            # reading by a condition gives a shape that depends on the values; writing by one is a `where`
            (self.loses if "put" in name else self.control).add(name)
        elif any(not carries_marks(t) for t in where):
            self.indexed.add(name)


def _is_pointwise(func: Any) -> bool:
    return torch.Tag.pointwise in func.tags or operation_name(func) in POINTWISE


def _drops(func: Any, args: Any, kwargs: Any) -> bool:
    """True if a NaN in one operand of a pointwise operation alone is missing where it should be in the result."""
    leaves, tree = tree_flatten((args, kwargs))
    marked = [i for i, t in enumerate(leaves) if isinstance(t, Tensor) and carries_marks(t) and bool(t.isnan().any())]
    for i in marked:
        alone = [t.clone() if isinstance(t, Tensor) else t for t in leaves]  # it may write into its operands
        for other in marked:
            alone[other] = alone[other] if other == i else alone[other].nan_to_num(0.5)
        new_args, new_kwargs = tree_unflatten(alone, tree)
        for result in tensors_in(func(*new_args, **new_kwargs)):
            if not carries_marks(result) or bool((leaves[i].isnan() & ~result.isnan()).any()):
                return True
    return False


class FunctionWatch(TorchFunctionMode):
    """See what the dispatcher does not show: causal attention as one call, and numbers that leave torch."""

    HOST = frozenset({"numpy", "__array__", "tolist", "__dlpack__"})

    def __init__(self) -> None:
        super().__init__()
        self.causal = False
        self.host: set[str] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        self.causal = self.causal or is_causal(name, args, kwargs)
        if name in self.HOST:
            self.host.add(name)
        return func(*args, **kwargs)


def is_causal(name: str, args: Any, kwargs: Any) -> bool:
    """True for a call of attention that leaves the future out by its structure, not by a mask that is added."""
    if name == "scaled_dot_product_attention":
        return bool(kwargs.get("is_causal", args[5] if len(args) > 5 else False))
    if name == "multi_head_attention_forward":
        # torch uses the flag only without weights and padding masks; else it adds the mask, which counts as read
        masked = kwargs.get("need_weights", True) or kwargs.get("key_padding_mask") is not None
        return bool(kwargs.get("is_causal", False)) and not masked
    return False


class Resampling(Mode):  # type: ignore[no-untyped-call]
    """Run nearest interpolation in the model's own dtype; with `marks`, repair NaN in `LOCAL`.

    Torch computes source positions in the tensor's precision: a float64 copy of a float32 model would now and then
    read a neighboring row. Linear and cubic interpolation stay in float64: what float32 adds there is a residue of
    rounding at a position whose coefficient is zero.
    """

    def __init__(self, dtype: torch.dtype, marks: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype = torch.float64 if dtype == torch.float64 else torch.float32  # half kernels compute in float32
        self.marks = marks

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = operation_name(func)
        forward = name.removesuffix("_backward")
        if forward != name and forward in INTERPOLATED:
            return self._backward(getattr(torch.ops.aten, forward).default, *args, **kwargs)
        run = self._in_own_dtype(func) if name in NEAREST else func
        if self.marks and name in MASKED:
            return _both_branches(run, args, kwargs)
        if self.marks and name in LOCAL and any(carries_marks(t) and t.isnan().any() for t in tensors_in(args)):
            out = poke_call(run, args, kwargs)
            return args[0].copy_(out) if func._schema.is_mutable else out
        return run(*args, **kwargs)

    def _in_own_dtype(self, func: Any) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            wide = next(t.dtype for t in tensors_in(args) if t.is_floating_point())

            def cast(leaf: Any, dtype: torch.dtype) -> Any:
                return leaf.to(dtype) if isinstance(leaf, Tensor) and leaf.is_floating_point() else leaf

            leaves, tree = tree_flatten((args, kwargs))
            narrow_args, narrow_kwargs = tree_unflatten([cast(leaf, self.dtype) for leaf in leaves], tree)
            outs, out_tree = tree_flatten(func(*narrow_args, **narrow_kwargs))
            return tree_unflatten([cast(leaf, wide) for leaf in outs], out_tree)

        return run

    def _backward(
        self, forward: Any, gradient: Tensor, output_size: Sequence[int], input_size: Sequence[int], *options: Any
    ) -> Tensor:
        """The adjoint of what the forward kernel really does: torch's backward kernels round indices differently.

        Interpolation is separable, so one matrix an axis holds all, and ones along the other axes show it.
        """
        run = self._in_own_dtype(forward)
        space = tuple(input_size[2:])
        for axis, length in enumerate(space):
            shape = [1] * len(space)
            shape[axis] = length
            ones = torch.eye(length, dtype=gradient.dtype).reshape(1, length, *shape).expand(1, length, *space)
            matrix = run(ones.contiguous(), output_size, *options).movedim(2 + axis, 2).flatten(3)[0, ..., 0]
            gradient = (gradient.movedim(2 + axis, -1) @ matrix.T).movedim(
                -1, 2 + axis
            )  # out positions to in positions
        return gradient


class Causal(TorchFunctionMode):
    """Repair NaN in causal attention, where a NaN times a weight of zero would mark the past."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if is_causal(getattr(func, "__name__", ""), args, kwargs):
            operands = [*args[:3], *(kwargs[k] for k in ("query", "key", "value") if k in kwargs)]
            with _disable_current_modes():
                if any(t.isnan().any() for t in operands):
                    return poke_call(func, args, kwargs, also=operands)
        return func(*args, **kwargs)


def _both_branches(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A mask counts as read, so what it switches off here is marked: another mask would let it through."""
    marks = [t.isnan() for t in tensors_in((args, kwargs)) if carries_marks(t)]
    out = func(*args, **kwargs)
    if isinstance(out, Tensor) and carries_marks(out):
        for mark in marks:
            out.masked_fill_(mark, float("nan"))
    return out


def poke_call(func: Callable[..., Any], args: Any, kwargs: Any, also: list[Tensor] | None = None) -> Any:
    """Call one operation whose operands hold NaN; mark those results that change when the NaN become finite numbers.

    Args:
        func: The operation.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        also: Operands without NaN whose values are replaced as well, lest large values hide a small change.

    Returns:
        What the operation returns, its results NaN where they depend on a NaN of the operands.
    """
    leaves, tree = tree_flatten((args, kwargs))
    kinds = also or [t for t in leaves if isinstance(t, Tensor) and carries_marks(t) and t.isnan().any()]
    replaced = {id(t): t for t in kinds}
    generator = torch.Generator().manual_seed(7)
    outs: list[Any] = []
    out_tree = None
    changed: dict[int, Tensor] = {}
    for pair in _fillings(list(replaced.values()), generator):
        runs = []
        for filled in pair:
            # one object for one object: attention asks `key is value`
            swap = {key: filled[i] for i, key in enumerate(replaced)}
            new_args, new_kwargs = tree_unflatten([swap.get(id(leaf), leaf) for leaf in leaves], tree)
            flat, out_tree = tree_flatten(func(*new_args, **new_kwargs))
            runs.append(flat)
        outs = outs or runs[0]
        for i, (a, b) in enumerate(zip(*runs, strict=True)):
            if isinstance(a, Tensor) and carries_marks(a):
                changed[i] = changed.get(i, torch.zeros_like(a, dtype=torch.bool)) | (a != b)
    for i, where in changed.items():
        outs[i] = outs[i].masked_fill(where, float("nan"))
    assert out_tree is not None
    return tree_unflatten(outs, out_tree)


def _fillings(operands: list[Tensor], generator: torch.Generator) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Pairs of operands that differ only where the given ones are NaN; the rest kept, zero, or random."""
    for rest in ("kept", "zero", "random", "random"):
        for low, high in ((-1.0, 1.0), (0.3, 0.7), (-1e3, 1e3)):
            pair: tuple[list[Tensor], list[Tensor]] = ([], [])
            for operand in operands:
                noise = _random_like(operand, generator)
                base = {"kept": operand, "zero": torch.zeros_like(operand), "random": noise}[rest]
                for filled, scale in zip(pair, (low, high), strict=True):
                    size = 0.5 + _random_like(operand, generator).abs()
                    filled.append(torch.where(operand.isnan(), scale * size, base))
            yield pair


def _random_like(tensor: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(tensor.shape, generator=generator, dtype=torch.float64, device="cpu").to(tensor.dtype)
