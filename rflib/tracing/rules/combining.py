"""Pointwise operations, reductions, matrix products, attention, concatenation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch

from rflib.graph import sets
from rflib.graph.graph import Edge, Kind
from rflib.graph.relations import Everything, Rows, Segment, Separable, Taps
from rflib.tracing.calls import Call, Entry, all_of, broadcast, edge, everything, own, related
from rflib.tracing.recorder import Operand


def pointwise(call: Call) -> int:
    """Each position of the result reads its own position of every operand."""
    operands = call.operands
    shape = call.shape
    _note_masks(call)
    if len({o.node for o in operands}) == 1 and operands[0].shape == shape:
        return operands[0].node  # nothing to add to what is known: the result reads what the operand reads
    distinct = list({o.node: o for o in operands}.values())
    edges = [edge(o, broadcast(o, shape), shape) for o in distinct]
    return call.add(edges, shape, meeting=len(distinct) > 1)


MASKING = 100.0
"""Scores are masked by -inf or by a large negative number; Swin uses -100."""


def _note_masks(call: Call) -> None:
    """A constant that switches positions off is not looked into: it counts as read, and the reader is told."""
    if call.name.rstrip("_") not in ("mul", "add", "sub", "masked_fill", "where"):
        return
    for t in call.tensors:
        if t.dim() == 0 or t.device.type == "meta" or call.recorder.is_traced(t) or not t.numel():
            continue
        if isinstance(t, torch.nn.Parameter):
            continue  # a learned zero is no mask
        if call.name.startswith("mul"):
            masks = bool((t == 0).any()) and len(torch.unique(t)) == 2
        elif t.dtype is torch.bool:
            masks = not call.name.startswith("where")
        else:
            masks = t.is_floating_point() and bool((t <= -MASKING).any())
        if masks:
            where = call.recorder.where() or "the model"
            call.recorder.notes[f"a constant mask in {where!r} ({call.name}): what it switches off counts as read"] = (
                None
            )


def _gated(call: Call) -> int:
    """glu: the first half of a dimension times the second."""
    x, shape = call.operands[0], call.shape
    d = int(call.arg("dim")) % len(shape)
    half = shape[d]
    entries = [own(j, n) for j, n in enumerate(x.shape)]
    entries[d] = (d, Taps(dilation=half, count=2, in_length=2 * half, out_length=half))
    return call.add([edge(x, entries, shape)])


def _each_output(call: Call) -> list[int]:
    """Operations with several results of the operand's shape, each pointwise."""
    return [pointwise(call)] * len(call.outputs)


def _copy(call: Call) -> int:
    source = call.traced("src")
    shape = tuple(call.arg("self").shape)
    return call.add([edge(source, broadcast(source, shape), shape)] if source else [], shape)


def _constant(call: Call) -> int:
    value = next((call.traced(n) for n in ("value",) if n in call.arguments), None)
    shape = tuple(call.arg("self").shape)
    return call.add([everything(value, shape)] if value else [], shape)


def _dims(call: Call, ndim: int) -> set[int]:
    dims = call.arguments.get("dim", call.arguments.get("axis"))
    if dims is None or (isinstance(dims, list | tuple) and not dims):
        return set(range(ndim))
    return {d % ndim for d in (dims if isinstance(dims, list | tuple) else [dims])} if ndim else set()


def reduced(operand: Operand, dims: set[int], out_shape: Sequence[int], keepdim: bool) -> list[Entry]:
    """Entries of a reduction over some dimensions."""
    entries: list[Entry] = []
    o = 0
    for j, n in enumerate(operand.shape):
        if j in dims:
            entries.append((o, Everything(n)) if keepdim else all_of(n))
            o += keepdim
        else:
            entries.append(own(o, n))
            o += 1
    return entries


def _reduction(call: Call) -> list[int]:
    x = call.operands[0]
    keep = bool(call.arguments.get("keepdim", False))
    dims = _dims(call, len(x.shape))
    node = call.add([edge(x, reduced(x, dims, call.shape, keep), call.shape)])
    return [node] * len(call.outputs)


def _along(call: Call) -> list[int]:
    """Sorting and the like: each position may hold any element along one dimension."""
    x = call.operands[0]
    dims = _dims(call, len(x.shape)) if "dim" in call.arguments else {len(x.shape) - 1}
    result = []
    for out in call.outputs:
        shape = tuple(out.shape)
        if len(shape) != len(x.shape):
            result.append(call.add([edge(x, reduced(x, dims, shape, False), shape)], shape))
            continue
        entries = [(j, Everything(n, shape[j])) if j in dims else own(j, n) for j, n in enumerate(x.shape)]
        result.append(call.add([edge(x, entries, shape)], shape))
    return result


def _cumulative(call: Call) -> list[int]:
    x = call.operands[0]
    d = int(call.arg("dim")) % max(len(x.shape), 1)
    prefix = Rows(tuple(sets.interval(0, o) for o in range(x.shape[d])), x.shape[d])
    entries: list[Entry] = [(j, prefix) if j == d else own(j, n) for j, n in enumerate(x.shape)]
    return [call.add([edge(x, entries, x.shape)])] * len(call.outputs)


def _concatenation(call: Call) -> int:
    tensors, shape = list(call.arg("tensors")), call.shape
    d, at, edges = int(call.arg("dim")) % len(shape), 0, []
    for t in tensors:
        if t.dim() == 1 and t.numel() == 0 and len(shape) > 1:
            continue  # torch lets an empty list of numbers stand for nothing
        if call.recorder.is_traced(t):
            o = call.operand(t)
            entries = [(j, Segment(at, n)) if j == d else own(j, n) for j, n in enumerate(o.shape)]
            edges.append(edge(o, entries, shape))
        at += t.shape[d]
    across = len({e.source for e in edges}) > 1
    return call.add(edges, shape, meeting=across, laid_along=d)


def _stack(call: Call) -> int:
    tensors, shape = list(call.arg("tensors")), call.shape
    d, edges = int(call.arg("dim")) % len(shape), []
    for k, t in enumerate(tensors):
        if call.recorder.is_traced(t):
            o = call.operand(t)
            entries = [own(j if j < d else j + 1, n) for j, n in enumerate(o.shape)]
            edges.append(related(o, Separable(tuple(entries), shape, o.shape, ((d, (k, 1)),))))
    return call.add(edges, shape, meeting=len({e.source for e in edges}) > 1, laid_along=d)


def _product(call: Call, a_name: str, b_name: str) -> int:
    """A (.., m, k) times B (.., k, n); a vector has no m or no n."""
    shape = call.shape
    ta, tb = call.arg(a_name), call.arg(b_name)
    a, b = call.traced(a_name), call.traced(b_name)
    batch = len(shape) - (ta.dim() > 1) - (tb.dim() > 1)
    k = ta.shape[-1]
    m_dim = batch if ta.dim() > 1 else None
    n_dim = len(shape) - 1 if tb.dim() > 1 else None
    mixes = False  # weights that are computed from the data, over positions: attention
    if a and b:
        mixes = call.spatial(a, len(a.shape) - 1) or call.spatial(b, max(len(b.shape) - 2, 0))
    kind: Kind = "gate" if mixes else "main"
    edges: list[Edge] = []
    lead: list[Entry] = [own(i, shape[i]) for i in range(batch)]
    if a:
        rows: list[Entry] = [own(m_dim, a.shape[-2])] if m_dim is not None else []
        edges.append(edge(a, [*lead, *rows, all_of(k)][-len(a.shape) :], shape, kind))
    if b:
        columns: list[Entry] = [own(n_dim, b.shape[-1])] if n_dim is not None else []
        edges.append(edge(b, [*lead, all_of(k), *columns][-len(b.shape) :], shape, kind))
        if mixes and m_dim is not None and shape[m_dim] == k:
            edges.append(edge(b, [*lead, own(m_dim, k), *columns][-len(b.shape) :], shape, "own"))
    for name in ("self", "input"):
        added = call.arguments.get(name)
        if isinstance(added, torch.Tensor) and name not in (a_name, b_name) and call.recorder.is_traced(added):
            o = call.operand(added)
            edges.append(edge(o, broadcast(o, shape), shape))
    node = call.add(edges, shape)
    call.cost(prod(shape) * k)
    return node


def _products(a: str, b: str) -> Callable[[Call], int]:
    return lambda call: _product(call, a, b)


def _embedding(call: Call) -> int:
    shape = call.shape
    indices, weight = call.traced("indices"), call.traced("weight")
    edges = []
    if indices:
        edges.append(edge(indices, [own(i, n) for i, n in enumerate(indices.shape)], shape))
    if weight:
        edges.append(edge(weight, [all_of(weight.shape[0]), own(len(shape) - 1, weight.shape[1])], shape))
    return call.add(edges)


def _distances(call: Call) -> int:
    shape = call.shape
    edges = []
    for name, dim in (("x1", -2), ("x2", -1)):
        o = call.traced(name)
        if o:
            lead = [own(i, n) for i, n in enumerate(o.shape[:-2])]
            edges.append(edge(o, [*lead, own(len(shape) + dim, o.shape[-2]), all_of(o.shape[-1])], shape))
    return call.add(edges)


def _own_batch(call: Call) -> list[int]:
    """Each sample of a batch is made of all of itself."""
    result = []
    for t in call.outputs:
        shape = tuple(t.shape)
        edges = [edge(o, [own(0, o.shape[0]), *(all_of(n) for n in o.shape[1:])], shape) for o in call.operands]
        result.append(call.add(edges, shape))
    return result


def _reads_all(call: Call) -> list[int]:
    """Results whose places depend on the data: every position may come from anywhere."""
    return [call.add([everything(o, tuple(t.shape)) for o in call.operands], tuple(t.shape)) for t in call.outputs]


REDUCTIONS = (
    "mean sum amax amin prod var std var_mean std_mean norm linalg_vector_norm logsumexp argmax argmin any all median "
    "nanmedian nansum nanmean max min aminmax mode count_nonzero trace"
).split()
POINTWISE = (
    "clone _to_copy detach lift_fresh alias_copy native_dropout _prelu_kernel prelu contiguous bernoulli rrelu "
    "rrelu_with_noise masked_fill where _unsafe_masked_index leaky_relu hardtanh glu_pointwise fake_quantize "
    "native_dropout_backward dropout fused_dropout real imag view_as_real view_as_complex to lerp frac "
    "_unsafe_view expand_copy_same nan_to_num normal uniform exponential random hardswish log_sigmoid_forward "
    "complex polar fake_quantize_per_tensor_affine_cachemask bucketize "
    "_fake_quantize_per_tensor_affine_cachemask_tensor_qparams"
).split()

RULES: dict[str, Callable[[Call], int | list[int]]] = {
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(POINTWISE, _each_output),
    **dict.fromkeys(("sort", "topk", "kthvalue", "msort", "argsort"), _along),
    **dict.fromkeys(("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "_cummax_helper"), _cumulative),
    **dict.fromkeys(
        "masked_select masked_scatter nonzero unique_consecutive _unique2 unique_dim bincount renorm".split(),
        _reads_all,
    ),
    **dict.fromkeys(("fft_fft", "_fft_r2c", "_fft_c2c", "_fft_c2r"), _along),
    "glu": _gated,
    "copy": _copy,
    "copy_": _copy,
    "fill_": _constant,
    "zero_": _constant,
    "cat": _concatenation,
    "stack": _stack,
    "mm": _products("self", "mat2"),
    "bmm": _products("self", "mat2"),
    "mv": _products("self", "vec"),
    "dot": _products("self", "tensor"),
    "addmm": _products("mat1", "mat2"),
    "addmv": _products("mat", "vec"),
    "baddbmm": _products("batch1", "batch2"),
    "embedding": _embedding,
    "_cdist_forward": _distances,
    "_euclidean_dist": _distances,
    **dict.fromkeys(("linalg_cross", "affine_grid_generator"), _own_batch),
}
