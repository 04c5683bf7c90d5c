"""Matrix products and attention that are recorded before torch takes them apart.

Torch folds the leading dimensions of a linear layer, of matmul and of einsum into one and unfolds them again. Seen
after that, rows and columns of an image have been merged; seen whole, each keeps its own dimension. And a causal
mask inside scaled_dot_product_attention is structure only as long as nobody writes it out as numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch

from rflib.graph import sets
from rflib.graph.graph import Edge, Kind
from rflib.graph.relations import Blocks, Rows
from rflib.tracing.calls import Call, Entry, all_of, broadcast, edge, own, untraced
from rflib.tracing.recorder import Recorder
from rflib.tracing.rules.moving import circular

aten = torch.ops.aten


def linear(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    """A linear layer: each position reads all features of its own position."""
    given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
    x, weight, bias = given["input"], given["weight"], given.get("bias")
    letters = "".join(chr(ord("a") + i) for i in range(x.dim() - 1))
    out = untraced(recorder, func, args, kwargs)
    feature = "z" if weight.dim() > 1 else ""
    return _record(
        recorder, aten.linear.default, (x, weight), (letters + "y", feature + "y"), letters + feature, out, bias
    )


def matmul(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    """A product of matrices, of vectors, or of batches of either."""
    given = dict(zip(("input", "other"), args, strict=False)) | kwargs
    a, b = given.get("input", given.get("self")), given.get("other", given.get("mat2"))
    out = untraced(recorder, func, args, kwargs)
    rows, columns = ("y" if a.dim() > 1 else ""), ("z" if b.dim() > 1 else "")
    lead = "".join(chr(ord("a") + i) for i in range(out.dim() - len(rows) - len(columns)))
    names = (
        lead[len(lead) - max(a.dim() - 2, 0) :] + rows + "x",
        lead[len(lead) - max(b.dim() - 2, 0) :] + "x" + columns,
    )
    return _record(recorder, aten.matmul.default, (a, b), names, lead + rows + columns, out)


def einsum(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> torch.Tensor | None:
    """A product written with letters; None where the letters are not plain (an ellipsis, a repeated one)."""
    if not isinstance(args[0], str):
        return None
    operands = list(args[1]) if len(args) == 2 and isinstance(args[1], list | tuple) else list(args[1:])
    left, arrow, right = args[0].replace(" ", "").partition("->")
    names = left.split(",")
    if not arrow:
        every = "".join(names)
        right = "".join(sorted(c for c in set(every) if every.count(c) == 1))
    if "." in args[0] or len(operands) > 2 or any(len(set(n)) != len(n) for n in (*names, right)):
        return None
    out = untraced(recorder, func, args, kwargs)
    return _record(recorder, aten.einsum.default, tuple(operands), tuple(names), right, out)


def _record(
    recorder: Recorder,
    func: Any,
    operands: Sequence[torch.Tensor],
    names: Sequence[str],
    result: str,
    out: torch.Tensor,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """One node for a product whose dimensions are named by letters; letters that vanish are summed over."""
    call = Call(recorder, func, tuple(operands), {})
    call.outputs = [out]
    shape = tuple(out.shape)
    sizes = {c: n for t, name in zip(operands, names, strict=True) for c, n in zip(name, t.shape, strict=True) if n > 1}
    traced = [recorder.is_traced(t) for t in operands]
    summed = [c for c in sizes if c not in result]
    kind: Kind = "gate" if all(traced) and len(operands) > 1 and _over_space(call, operands, names, summed) else "main"
    edges: list[Edge] = []
    for i, (t, name) in enumerate(zip(operands, names, strict=True)):
        if not traced[i]:
            continue
        o = call.operand(t)
        entries: list[Entry] = [_entry(c, n, result, shape) for c, n in zip(name, o.shape, strict=True)]
        edges.append(edge(o, entries, shape, kind))
        instead = _own_position(name, names[1 - i], result, sizes, summed) if kind == "gate" and i == 1 else None
        if instead is not None:
            entries = [_entry(instead.get(c, c), n, result, shape) for c, n in zip(name, o.shape, strict=True)]
            edges.append(edge(o, entries, shape, "own"))
    if bias is not None and recorder.is_traced(bias):
        o = call.operand(bias)
        edges.append(edge(o, broadcast(o, shape), shape))
    recorder.register(out, call.add(edges, shape))
    call.cost(prod(shape) * prod(sizes[c] for c in summed))
    return out


def _entry(letter: str, length: int, result: str, shape: tuple[int, ...]) -> Entry:
    if letter not in result:
        return all_of(length)
    dim = result.index(letter)
    return (None, (0, 1)) if length == 1 and shape[dim] != 1 else own(dim, length)


def _over_space(call: Call, operands: Sequence[torch.Tensor], names: Sequence[str], summed: list[str]) -> bool:
    """Whether weights that were computed from the data add up positions: attention."""
    for t, name in zip(operands, names, strict=True):
        o = call.operand(t)
        if any(c in summed and call.spatial(o, j) for j, c in enumerate(name)):
            return True
    return False


def _own_position(
    values: str, weights: str, result: str, sizes: dict[str, int], summed: list[str]
) -> dict[str, str] | None:
    """With attention left out, a position reads its own value: the summed letter becomes the letter of its rows."""
    rows = [c for c in weights if c in result and c not in values]
    keys = [c for c in summed if c in values and c in weights]
    if len(rows) == 1 and len(keys) == 1 and sizes.get(rows[0]) == sizes[keys[0]]:
        return {keys[0]: rows[0]}
    return None


def attention(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    """scaled_dot_product_attention as one operation."""
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
    given = dict(zip(names, args, strict=False)) | kwargs
    q, k, v, mask = given["query"], given["key"], given["value"], given.get("attn_mask")
    out = untraced(recorder, func, args, kwargs)
    call = Call(recorder, aten.scaled_dot_product_attention.default, args, kwargs)
    call.outputs = [out]
    if mask is not None:
        recorder.notes["a mask added to attention scores counts as read, whatever its values"] = None
    shape = tuple(out.shape)
    recorder.register(out, call.add(_attention_edges(call, q, k, v, mask, bool(given.get("is_causal")), shape), shape))
    call.cost(prod(shape[:-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1]))
    return out


def _attention_edges(call: Call, q: Any, k: Any, v: Any, mask: Any, causal: bool, shape: tuple[int, ...]) -> list[Edge]:
    last, length, keys = len(shape) - 1, q.shape[-2], k.shape[-2]
    prefix = Rows(tuple(sets.interval(0, min(o, keys - 1)) for o in range(length)), keys)
    reads_keys: Entry = (last - 1, prefix) if causal else all_of(keys)
    edges: list[Edge] = []

    def lead(t: Any) -> list[Entry]:
        result: list[Entry] = []
        for i, n in enumerate(t.shape[:-2]):
            o = i + len(shape) - t.dim()
            if n == shape[o]:
                result.append(own(o, n))
            else:  # one key head for several query heads
                result.append((None, (0, 1)) if n == 1 else (o, Blocks(n, shape[o] // n, 1)))
        return result

    traced = {
        name: call.operand(t)
        for name, t in (("q", q), ("k", k), ("v", v), ("m", mask))
        if isinstance(t, torch.Tensor) and call.recorder.is_traced(t)
    }
    space = any(call.spatial(traced[n], len(traced[n].shape) - 2) for n in ("k", "v") if n in traced)
    kind: Kind = "gate" if space else "main"
    if "q" in traced:
        edges.append(edge(traced["q"], [*lead(q), own(last - 1, length), all_of(q.shape[-1])], shape, kind))
    if "k" in traced:
        edges.append(edge(traced["k"], [*lead(k), reads_keys, all_of(k.shape[-1])], shape, kind))
    if "v" in traced:
        edges.append(edge(traced["v"], [*lead(v), reads_keys, own(last, v.shape[-1])], shape, kind))
        if space and keys == length:
            edges.append(edge(traced["v"], [*lead(v), own(last - 1, keys), own(last, v.shape[-1])], shape, "own"))
    if "m" in traced:
        o = traced["m"]
        entries = broadcast(o, (*shape[:-1], keys))
        entries[-1] = all_of(o.shape[-1])
        edges.append(edge(o, entries, shape, kind))
    return edges


Whole = Callable[[Recorder, Any, Any, Any], torch.Tensor | None]
WHOLE: dict[Any, Whole] = {
    torch.nn.functional.linear: linear,
    torch.matmul: matmul,
    torch.Tensor.matmul: matmul,
    torch.Tensor.__matmul__: matmul,
    torch.einsum: einsum,
    torch.nn.functional.scaled_dot_product_attention: attention,
    torch.nn.functional.pad: circular,
}
