"""Operations that move elements: padding, rolling, flipping, indexing, shuffling, unfolding.

Views need no rule (see the recorder). Of the others each is run on index numbers, except where the answer is a
formula and the index numbers would only be slower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from rflib.graph.relations import Rows, Taps
from rflib.graph.views import Digit, Digits, Turned, factor
from rflib.tracing.calls import Call, Entry, edge, everything, own, related, untraced
from rflib.tracing.gather import Gather, relation_of
from rflib.tracing.recorder import Operand, Recorder


def _numbers(shape: Sequence[int]) -> torch.Tensor:
    """Row-major numbers from 1, so that 0 can mean nothing; float64, which every kernel takes and no sum rounds."""
    size = 1
    for n in shape:
        size *= n
    return torch.arange(1, size + 1, dtype=torch.float64).reshape(tuple(shape))


def _moved(call: Call, operand: Operand, ideal: dict[int, Any] | None = None) -> int:
    """The call itself, run on index numbers."""
    source = next(t for t in call.tensors if id(t) == operand.position)
    args, kwargs = call.replaced(source, _numbers(operand.shape))
    found = call.func(*args, **kwargs)
    result = (found if isinstance(found, torch.Tensor) else found[0]).round().to(torch.int64) - 1
    return call.add([related(operand, relation_of(result, operand.shape, ideal))], result.shape)


def _move(call: Call) -> list[int]:
    source = call.arg("self", "input")
    if not call.recorder.is_traced(source) and len(call.operands) == 1:
        known = call.name in ("gather", "take", "index_select", "index", "_unsafe_index")
        looked_up = _looked_up(call) if known else None
        if looked_up is not None:
            return looked_up
    elif len(call.operands) == 1:
        return [_moved(call, call.operands[0])] * len(call.outputs)
    # the places themselves are computed from data
    call.recorder.notes[f"{call.name} takes its places from data: counted as reading every position"] = None
    return [call.add([everything(o, tuple(t.shape)) for o in call.operands], tuple(t.shape)) for t in call.outputs]


def _split(call: Call) -> list[int]:
    """Parts that are copies, not views: what recurrent cells cut their gates with."""
    x = call.operands[0]
    d = int(call.arg("dim")) % len(x.shape)
    made, start = [], 0
    for part in call.outputs:
        cut = Taps(offset=start, in_length=x.shape[d], out_length=part.shape[d])
        entries: list[Entry] = [(j, cut) if j == d else own(j, n) for j, n in enumerate(x.shape)]
        made.append(call.add([edge(x, entries, part.shape)], part.shape))
        start += part.shape[d]
    return made


def _constant_pad(call: Call) -> int:
    x, shape = call.operands[0], call.shape
    pad = list(call.arg("pad"))
    entries: list[Entry] = []
    for d, n in enumerate(x.shape):
        at = 2 * (len(shape) - 1 - d)
        left = pad[at] if at < len(pad) else 0
        entries.append((d, Taps(offset=-left, in_length=n, out_length=shape[d])))
    return call.add([edge(x, entries, shape)])


def _edge_pad(call: Call) -> int:
    """Reflection and replication: the ideal window goes on as if the padding were zeros."""
    x, pad = call.operands[0], list(call.arg("padding"))
    axes = len(pad) // 2
    ideal = {len(x.shape) - 1 - a: Taps(offset=-pad[2 * a]) for a in range(axes)}
    return _moved(call, x, ideal)


def circular(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> torch.Tensor | None:
    """F.pad in circular mode, which torch writes as copies between slices; None for the other modes."""
    given = dict(zip(("input", "pad", "mode", "value"), args, strict=False)) | kwargs
    x, pad = given["input"], list(given["pad"])
    if given.get("mode") != "circular":
        return None
    out = untraced(recorder, func, args, kwargs)
    entries: list[Entry] = []
    for d, n in enumerate(x.shape):
        at = 2 * (x.dim() - 1 - d)
        left = pad[at] if at < len(pad) else 0
        rows = tuple(((o - left) % n, 1) for o in range(out.shape[d]))
        entries.append((d, Rows(rows, n, Taps(offset=-left))) if at < len(pad) else own(d, n))
    call = Call(recorder, torch.ops.aten._pad_circular.default, args, kwargs)
    call.outputs = [out]
    recorder.register(out, call.add([edge(call.operand(x), entries, out.shape)]))
    return out


def _roll(call: Call) -> int:
    x, dims, shifts = call.operands[0], list(call.arg("dims")), list(call.arg("shifts"))
    if not dims:
        return _moved(call, x)
    by = dict.fromkeys((d % len(x.shape) for d in dims), 0)
    for d, s in zip(dims, shifts, strict=True):
        by[d % len(x.shape)] += s
    return _moved(call, x, {d: Taps(offset=-s) for d, s in by.items()})


def _flip(call: Call) -> int:
    x, shape = call.operands[0], call.shape
    dims = {d % len(shape) for d in call.arg("dims")}
    entries: list[Entry] = [
        (d, Taps(-1, n - 1, in_length=n, out_length=n)) if d in dims else own(d, n) for d, n in enumerate(shape)
    ]
    return call.add([edge(x, entries, shape)])


def _regrouped(x: Operand, split: Sequence[int], order: Sequence[Sequence[int]]) -> Digits:
    """A reshape to `split`, a permutation and a reshape in which each group of dimensions becomes one."""
    fine = torch.empty(x.shape, device="meta").view(tuple(split))
    flat = [d for group in order for d in group]
    view = fine.permute(flat)
    strides = torch.empty(x.shape, device="meta").stride()
    found = factor(view.shape, view.stride(), 0, x.shape, strides)
    assert found is not None, "a permuted reshape of a dense tensor always has digits"
    worth, place, at = {}, {}, 0
    for o, group in enumerate(order):
        step = 1
        for i in reversed(range(len(group))):
            worth[at + i], place[at + i] = step, o
            step *= view.shape[at + i]
        at += len(group)
    digits = tuple(
        Digit(d.size, place[d.out_dim], worth[d.out_dim] * d.out_step, d.in_dim, d.in_step) for d in found[0]
    )
    shape, at = [], 0
    for group in order:
        n = 1
        for i in range(len(group)):
            n *= view.shape[at + i]
        shape.append(n)
        at += len(group)
    return Digits(digits, found[1], tuple(shape), x.shape)


def _pixel_shuffle(call: Call) -> int:
    x, r = call.operands[0], int(call.arg("upscale_factor"))
    *lead, c, h, w = x.shape
    k = len(lead)
    order = [[i] for i in range(k)] + [[k], [k + 3, k + 1], [k + 4, k + 2]]
    return call.add([related(x, _regrouped(x, [*lead, c // r**2, r, r, h, w], order))])


def _pixel_unshuffle(call: Call) -> int:
    x, r = call.operands[0], int(call.arg("downscale_factor"))
    *lead, c, h, w = x.shape
    k = len(lead)
    order = [[i] for i in range(k)] + [[k, k + 2, k + 4], [k + 1], [k + 3]]
    return call.add([related(x, _regrouped(x, [*lead, c, h // r, r, w // r, r], order))], features=k)


def _channel_shuffle(call: Call) -> int:
    x, g = call.operands[0], int(call.arg("groups"))
    b, c, *space = x.shape
    order = [[0], [2, 1], *([3 + i] for i in range(len(space)))]
    return call.add([related(x, _regrouped(x, [b, g, c // g, *space], order))])


def _patches(call: Call, image: tuple[int, ...], columns: tuple[int, ...]) -> Digits:
    """im2col as digits: channel and place in the kernel, row and column of the window; padding is a negative offset."""
    k, dil, pad, st = (list(call.arg(n)) for n in ("kernel_size", "dilation", "padding", "stride"))
    lead = len(image) - 3
    size = [(image[lead + 1 + a] + 2 * pad[a] - dil[a] * (k[a] - 1) - 1) // st[a] + 1 for a in (0, 1)]
    c, h, w, o, p = lead, lead + 1, lead + 2, lead, lead + 1
    digits = [Digit(n, i, 1, i, 1) for i, n in enumerate(image[:lead])]
    digits += [Digit(image[c], o, k[0] * k[1], c, 1), Digit(k[0], o, k[1], h, dil[0]), Digit(k[1], o, 1, w, dil[1])]
    digits += [Digit(size[0], p, size[1], h, st[0]), Digit(size[1], p, 1, w, st[1])]
    offsets = (*[0] * lead, 0, -pad[0], -pad[1])
    return Digits(tuple(d for d in digits if d.size > 1), offsets, columns, image)


def _unfold(call: Call) -> int:
    x = call.operands[0]
    return call.add([related(x, _patches(call, x.shape, call.shape))], features=len(call.shape) - 2)


def _fold(call: Call) -> int:
    x = call.operands[0]
    return call.add([related(x, Turned(_patches(call, call.shape, x.shape)))])


def _placed(call: Call) -> list[int]:
    """Values put at constant places of a tensor: the base where it is left alone, the values where they are put."""
    base, name = (
        call.arg("self"),
        "src" if "src" in call.arguments else "values" if "values" in call.arguments else "source",
    )
    source = call.arguments.get(name)
    shape = tuple(base.shape)
    places = [t for t in call.tensors if t is not base and t is not source]
    if not isinstance(source, torch.Tensor) or any(call.recorder.is_traced(t) for t in places):
        return [call.add([everything(o, shape) for o in call.operands], shape)]
    if bool(call.arguments.get("accumulate")) or "add" in call.name:
        return _added(call, base, source, shape)
    numbers = _numbers(source.shape)
    empty = torch.zeros(shape, dtype=torch.float64)
    args, kwargs = call.exchanged({id(base): empty, id(source): numbers})
    put = call.func(*args, **kwargs).round().to(torch.int64) - 1
    edges = []
    if call.recorder.is_traced(source):
        edges.append(related(call.operand(source), relation_of(put, tuple(source.shape))))
    if call.recorder.is_traced(base):
        own_numbers = torch.arange(put.numel()).reshape(shape)
        kept = torch.where(put >= 0, -1, own_numbers)
        edges.append(related(call.operand(base), relation_of(kept, shape)))
    return [call.add(edges, shape)]


def _added(call: Call, base: torch.Tensor, source: torch.Tensor, shape: tuple[int, ...]) -> list[int]:
    """Values added at constant places, which may repeat: each value is followed to its place."""
    numbers = torch.arange(base.numel()).reshape(shape)
    if "indices" in call.arguments:
        indices = [slice(None) if i is None else i for i in call.arg("indices")]
        places = numbers[tuple(indices)].expand(source.shape)
    elif call.name.startswith("index_add"):
        places = numbers.index_select(int(call.arg("dim")), call.arg("index"))
    else:
        index = call.arg("index")
        places = torch.full(tuple(source.shape), -1)
        places[tuple(slice(0, n) for n in index.shape)] = numbers.gather(int(call.arg("dim")), index)
    edges = []
    if call.recorder.is_traced(source):
        edges.append(related(call.operand(source), Turned(Gather(places, shape))))
    if call.recorder.is_traced(base):
        o = call.operand(base)
        edges.append(edge(o, [own(d, n) for d, n in enumerate(shape)], shape))
    return [call.add(edges, shape)]


def _looked_up(call: Call) -> list[int] | None:
    """A constant table read at places that are computed from data: each position reads its own index."""
    name, shape = call.name, call.shape
    if name in ("gather", "take"):
        index, at = call.arg("index"), 0
    elif name == "index_select":
        index, at = call.arg("index"), int(call.arg("dim")) % call.arg("self").dim()
    else:
        given = list(call.arg("indices"))
        places = [i for i, t in enumerate(given) if t is not None]
        if len(places) != 1:
            return None
        index, at = given[places[0]], places[0]
    o = call.operand(index)
    return [call.add([edge(o, [own(at + d, n) for d, n in enumerate(o.shape)], shape)], shape)]


def _filled(call: Call) -> list[int]:
    """A value put at constant places: the others are left alone."""
    x, value = call.arg("self"), call.arguments.get("value")
    if call.recorder.is_traced(x) and not any(call.recorder.is_traced(t) for t in call.tensors if t is not x):
        args, kwargs = call.replaced(x, _numbers(x.shape))
        at = [a.name for a in call.func._schema.arguments].index("fill_value" if value is None else "value")
        args = [0.0 if i == at else a for i, a in enumerate(args)]
        kept = call.func(*args, **kwargs).round().to(torch.int64) - 1
        return [call.add([related(call.operand(x), relation_of(kept, tuple(x.shape)))], x.shape)]
    return [call.add([everything(o, tuple(x.shape)) for o in call.operands], tuple(x.shape))]


MOVES = (
    "index index_select gather take repeat repeat_interleave rot90 diag_embed tril triu _unsafe_index view_copy "
    "permute_copy expand_copy slice_copy select_copy unfold_copy as_strided_copy transpose_copy t_copy squeeze_copy "
    "unsqueeze_copy diagonal_copy reshape _reshape_copy trace_copy tile swapdims"
).split()
PADS = [f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)]
RULES: dict[str, Callable[[Call], int | list[int]]] = {
    **dict.fromkeys(MOVES, _move),
    **dict.fromkeys(PADS, _edge_pad),
    **dict.fromkeys(
        (
            "slice_scatter",
            "select_scatter",
            "diagonal_scatter",
            "as_strided_scatter",
            "index_put",
            "_index_put_impl",
            "_unsafe_index_put",
            "scatter",
            "index_copy",
            "index_add",
            "scatter_add",
            "put",
        ),
        _placed,
    ),
    **dict.fromkeys(("index_fill", "fill_diagonal"), _filled),
    **dict.fromkeys(("unsafe_split", "unsafe_split_with_sizes"), _split),
    "constant_pad_nd": _constant_pad,
    "roll": _roll,
    "flip": _flip,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "channel_shuffle": _channel_shuffle,
    "native_channel_shuffle": _channel_shuffle,
    "im2col": _unfold,
    "col2im": _fold,
}
