"""Normalization and softmax: a position reads itself, and statistics of many."""

from __future__ import annotations

from collections.abc import Callable

from rflib.graph.graph import Edge
from rflib.graph.relations import Blocks, Everything
from rflib.tracing.calls import Call, Entry, edge, own
from rflib.tracing.recorder import Operand


def _with_statistics(call: Call, x: Operand, dims: set[int], blocks: Blocks | None = None) -> list[int]:
    """Each position reads its own and, through the statistics, all of `dims`: over space, the second is a gate."""
    shape = tuple(call.outputs[0].shape)

    def entries(over: set[int]) -> list[Entry]:
        result: list[Entry] = []
        for d, n in enumerate(x.shape):
            result.append((d, Everything(n, n)) if d in over else (d, blocks) if blocks and d == 1 else own(d, n))
        return result

    space = {d for d in dims if call.spatial(x, d)} | ({0} & dims)
    edges: list[Edge] = [edge(x, entries(dims - space), shape)]
    if space:
        edges.append(edge(x, entries(dims), shape, "gate"))
    node = call.add(edges, shape) if dims or blocks else x.node
    return [node, *(_statistics(call, x, dims, tuple(t.shape)) for t in call.outputs[1:])]


def _statistics(call: Call, x: Operand, dims: set[int], shape: tuple[int, ...]) -> int:
    """The second and third result, mean and deviation, which hardly anybody reads: all of the input, to be safe."""
    return call.add([edge(x, [(None, (0, (1 << n) - 1)) for n in x.shape], shape)], shape)


def _softmax(call: Call) -> list[int]:
    x = call.operands[0]
    return _with_statistics(call, x, {int(call.arg("dim")) % max(len(x.shape), 1)} if x.shape else set())


def _layer_norm(call: Call) -> list[int]:
    x = call.operands[0]
    count = len(call.arg("normalized_shape"))
    return _with_statistics(call, x, set(range(len(x.shape) - count, len(x.shape))))


def _group_norm(call: Call) -> list[int]:
    x = call.operands[0]
    groups = int(call.arg("group"))
    each = x.shape[1] // groups
    return _with_statistics(call, x, set(range(2, len(x.shape))), Blocks(groups, each, each))


def _batch_norm(call: Call) -> list[int]:
    x = call.operands[0]
    training = bool(call.arguments.get("training", call.arguments.get("train", "no_training" not in call.name)))
    if not training:
        rest = [_statistics(call, x, set(), tuple(t.shape)) for t in call.outputs[1:]]
        return [x.node, *rest]
    if len(x.shape) > 2 or x.shape[0] > 1:
        call.recorder.notes["batch norm in training mode: every unit reads the whole batch"] = None
    return _with_statistics(call, x, {0, *range(2, len(x.shape))})


RULES: dict[str, Callable[[Call], int | list[int]]] = {
    **dict.fromkeys(("_softmax", "_log_softmax", "softmax", "log_softmax", "_safe_softmax"), _softmax),
    **dict.fromkeys(("native_layer_norm", "_fused_rms_norm", "rms_norm"), _layer_norm),
    "native_group_norm": _group_norm,
    **dict.fromkeys(
        (
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "_batch_norm_with_update",
            "_batch_norm_no_update",
            "cudnn_batch_norm",
            "miopen_batch_norm",
        ),
        _batch_norm,
    ),
}
