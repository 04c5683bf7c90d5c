"""What an analysis looks like: a table in a terminal, HTML in a notebook, plain data for JSON."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from rflib.graph.alignment import misalignments
from rflib.tables import html_table, text_table

if TYPE_CHECKING:
    from rflib.analysis import Analysis
    from rflib.found import Found
    from rflib.tracing import ModuleCall, Trace

HEADINGS = (
    "layer",
    "kind",
    "output shape",
    "size",
    "stride",
    "padding",
    "center of unit 0",
    "density",
    "parameters",
    "multiply-adds",
    "aligned",
)


def rows(analysis: Analysis, progress: bool = False) -> list[dict[str, Any]]:
    """One row for each call of a module and each of its outputs, in the order in which the calls began."""
    calls = analysis._in_order
    totals = _Totals(analysis._trace)
    bar: Iterable[ModuleCall] = tqdm(calls, desc="layers", delay=1, leave=False, disable=not progress)
    result = []
    for call in bar:
        for name in call.outputs or {"": -1}:
            result.append(_row(analysis, call, name, totals))
    return result


class _Totals:
    """What lies inside each module and each call, gathered once: row by row it would grow with the square of depth."""

    def __init__(self, trace: Trace) -> None:
        self.parameters: Counter[str] = Counter()
        for path, count in trace.parameters.items():
            self.parameters.update(dict.fromkeys(_around(path), count))
        self.containers = {outer for call in trace.calls for outer in _around(call.path)[:-1]}
        costs = sorted((node, count) for _, count, node in trace.multiply_adds)
        self._nodes = [node for node, _ in costs]
        self._up_to = [0, *accumulate(count for _, count in costs)]

    def multiply_adds(self, call: ModuleCall) -> int:
        first, last = (bisect_left(self._nodes, node) for node in (call.first_node, call.last_node))
        return self._up_to[last] - self._up_to[first]


def _around(path: str) -> list[str]:
    """The modules in which a module lies, from the model, '', to itself."""
    parts = path.split(".") if path else []
    return [".".join(parts[:depth]) for depth in range(len(parts) + 1)]


def _row(analysis: Analysis, call: ModuleCall, output: str, totals: _Totals) -> dict[str, Any]:
    siblings = analysis._calls(call.path)
    row: dict[str, Any] = {
        "layer": call.path,
        "output": output,
        "call": siblings.index(call),
        "calls": len(siblings),
        "kind": call.kind,
        "depth": call.depth,
        "leaf": call.path not in totals.containers,
        "parameters": totals.parameters[call.path],
        "multiply_adds": totals.multiply_adds(call),
    }
    if not call.outputs:
        return row
    found = analysis._found(call, output)
    row["output_shape"] = found.shape
    names = _read(found, analysis.input_names)
    if len(names) == 1:
        row.update(_numbers(found.of(names[0])))
    else:
        row["inputs"] = {name: _numbers(found.of(name)) for name in names}
    return row


def _read(found: Found, names: Sequence[str]) -> list[str]:
    return [names[k] for k in sorted({k for k, _ in found.node.reads})] or [names[0]]


def _numbers(found: Found) -> dict[str, Any]:
    at_zero = found.center((0,) * len(found.unit_shape)) if all(found.unit_shape) else None
    return {
        "units": found.unit_shape,
        "size": found.size,
        "sizes": found.sizes,
        "stride": found.stride,
        "padding": found.padding,
        "center": at_zero,
        "density": tuple(round(d, 4) for d in found.density),
        "whole_input": found.whole_input,
        "aligned": found.aligned,
        "misalignments": [str(m) for m in found.misalignments],
    }


def as_dict(analysis: Analysis) -> dict[str, Any]:
    """Everything as plain data; tuples become lists and fractions strings."""
    shapes = [analysis.graph.nodes[i].shape for i in analysis.graph.inputs]
    inputs = {
        name: {"shape": list(shape), "spatial": list(dims)}
        for name, shape, dims in zip(analysis.input_names, shapes, analysis._trace.input_spatial, strict=True)
    }
    layers = [{k: plain(v) for k, v in row.items()} for row in rows(analysis)]
    return {"inputs": inputs, "layers": layers, "notes": list(analysis.notes)}


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return value


def _shown(value: Any) -> str:
    """A tuple over axes as people write it: one number where all axes agree."""
    if value is None:
        return "-"
    if not isinstance(value, tuple):
        return f"{value:g}" if isinstance(value, float) else str(value)
    parts = [_shown(v) for v in value]
    return parts[0] if len(set(parts)) == 1 else " x ".join(parts) or "-"


def _cells(row: dict[str, Any], name: str) -> list[str]:
    shape = "x".join(str(n) for n in row.get("output_shape", ())) or "-"
    size = _shown(row.get("size"))
    if "sizes" in row and any(a != b for a, b in row["sizes"]):
        low = _shown(tuple(a for a, _ in row["sizes"]))
        size = f"{low} to {size}"
    if any(row.get("whole_input", ())):
        size += " (whole)"
    aligned = {True: "yes", False: "NO", None: "-"}[row.get("aligned")]
    numbers = [_shown(row.get(k)) for k in ("stride", "padding", "center", "density")]
    return [name, row["kind"], shape, size, *numbers, f"{row['parameters']:,}", f"{row['multiply_adds']:,}", aligned]


def _table(analysis: Analysis, progress: bool = False) -> tuple[list[list[str]], int]:
    """The cells of the rows that say something: layers that change neither field nor cost are left out."""
    cells, left_out, before = [], 0, None
    for row in rows(analysis, progress):
        fields = row.get("inputs", {"": row})
        key = [(f.get("size"), f.get("stride"), f.get("padding"), f.get("units")) for f in fields.values()]
        if row["leaf"] and key == before and not row["multiply_adds"] and row["depth"]:
            left_out += 1
            continue
        before = key
        indent = "  " * (row["depth"] - 1) if row["depth"] else ""
        cells += row_cells(row, indent)
    return cells, left_out


def row_cells(row: dict[str, Any], indent: str = "") -> list[list[str]]:
    """The cells of one row; one line for each input that the layer reads, where it reads several."""
    name = indent + (row["layer"] or "(model)")
    name += f" [{row['output']}]" if row["output"] else ""
    name += f", call {row['call'] + 1} of {row['calls']}" if row["calls"] > 1 else ""
    fields = row.get("inputs", {"": row})
    return [_cells({**row, **f}, name + (f" of {of}" if of else "")) for of, f in fields.items()]


def as_text(analysis: Analysis, progress: bool = False) -> str:
    """The table for a terminal, with what must be said below it."""
    cells, left_out = _table(analysis, progress)
    return "\n".join([text_table(HEADINGS, cells), *_below(analysis, left_out)])


def as_html(analysis: Analysis) -> str:
    """The table for a notebook."""
    import html

    cells, left_out = _table(analysis)
    for row in cells:  # a browser shows several plain spaces as one, and none at the beginning
        name = row[0].lstrip(" ")
        row[0] = "\u2003" * ((len(row[0]) - len(name)) // 2) + name
    below = "".join(f"<p>{html.escape(line)}</p>" for line in _below(analysis, left_out))
    return html_table(HEADINGS, cells) + below


def _below(analysis: Analysis, left_out: int) -> list[str]:
    lines = ["Sizes, strides, paddings and centers are in input positions; one number stands for all axes alike."]
    if left_out == 1:
        lines.append("1 pointwise layer is left out: it reads what the layer before it reads.")
    elif left_out:
        lines.append(f"{left_out} pointwise layers are left out: they read what the layer before them reads.")
    points = {m: None for f in analysis.outputs.values() for m in misalignments(f.graph, f.index)}
    lines += [str(m) for m in points]
    return lines + [f"Note: {note}." for note in analysis.notes]
