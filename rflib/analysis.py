"""The receptive field of every layer of a PyTorch module, exact: the answers to `rf.analyze`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import nn

from rflib.errors import NoSingleAnswerError, UnknownNameError
from rflib.found import Found, called, lengths_of
from rflib.graph.graph import Graph
from rflib.shortest import smallest
from rflib.tiling import Tiling, plan
from rflib.tracing import Given, ModuleCall, Trace, prepare, trace

__all__ = ["Analysis", "Found", "analyze"]


def analyze(
    model: nn.Module,
    *inputs: Any,
    kwargs: Mapping[str, Any] | None = None,
    input_size: Any = None,
    spatial: Any = None,
    training: bool = False,
) -> Analysis:
    """Trace a module once and answer for every layer what its units see of the input.

    Example:
        >>> import rflib as rf
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        >>> analysis = rf.analyze(model, input_size=(1, 3, 32, 32))
        >>> found = analysis["2"]
        >>> found.size, found.stride, found.padding
        ((5, 5), (4, 4), (1, 1))
        >>> found.interval((0, 3))
        ((-1, 3), (11, 15))

    Args:
        model: any module; it is left as found.
        inputs: what the model is called with. Values matter only to models that compute with them in Python.
        kwargs: keyword arguments of the call.
        input_size: instead of inputs, the shape of one input, (batch, channels, ...), or a list of shapes.
        spatial: the dimensions of the inputs that are space, by default 2 and up; for all inputs, or by name.
        training: analyze the training mode, in which batch norm reads the whole batch.

    Returns:
        An `Analysis`.

    Raises:
        ModelError: the model cannot run on these inputs; the layer at which it stopped is named.
        TracingError: an operation has no reading rule; `rf.measure` still works.

    Reference:
        Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill, 2019,
        doi 10.23915/distill.00021 (size, effective stride, effective padding and alignment in graphs).
    """
    given = prepare(model, inputs, kwargs, input_size, spatial)
    return Analysis(trace(model, given, training), subject=_Subject(model, given, training))


@dataclass(frozen=True)
class _Subject:
    """What was analyzed, to be recorded again on an input of another size."""

    model: nn.Module
    given: Given
    training: bool

    def resized(self, source: int, lengths: Sequence[int]) -> Trace:
        """The trace on an input whose spatial dimensions have other lengths; values are cut off, or repeated."""
        tensors = self.given.tensors
        t = tensors[source]
        for d, n in zip(self.given.spatial[source], lengths, strict=True):
            size = t.shape[d]
            t = t.narrow(d, 0, n) if n <= size else t.index_select(d, torch.arange(n, device=t.device) % size)
        leaves = [t if leaf is tensors[source] else leaf for leaf in self.given.leaves]
        return trace(self.model, replace(self.given, leaves=tuple(leaves)), self.training)


class Analysis:
    """What every layer of one traced module sees. Ask `analysis["layer4.2"]`, or print it."""

    def __init__(self, traced: Trace, local: bool = False, subject: _Subject | None = None) -> None:
        self._trace = traced
        self._local = local
        self._subject = subject

    @property
    def graph(self) -> Graph:
        """The recorded graph of operations."""
        return self._trace.graph

    @property
    def input_names(self) -> tuple[str, ...]:
        """The inputs, as the model's signature names them."""
        return self._trace.input_names

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about how this model was read."""
        return self._trace.notes

    @cached_property
    def local(self) -> Analysis:
        """The same without whole-input gates and statistics: squeeze-excite, group norm's moments, attention."""
        return Analysis(self._trace, local=True, subject=self._subject)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The modules that were called, in the order in which they began; '' is the model itself."""
        return tuple(dict.fromkeys(c.path for c in self._in_order))

    @cached_property
    def _in_order(self) -> list[ModuleCall]:
        return sorted(self._trace.calls, key=lambda c: c.order)

    def __getitem__(self, path: str | tuple[str, str]) -> Found:
        path, output = path if isinstance(path, tuple) else (path, None)
        return self._found(self._calls(path)[-1], output)

    def calls(self, path: str) -> list[Found]:
        """All calls of a module that runs several times, in order.

        Args:
            path: the module's path, as named_modules() gives it.

        Returns:
            One `Found` a call.

        Raises:
            UnknownNameError: there is no such module, or it was never called.
        """
        return [self._found(c, None) for c in self._calls(path)]

    @cached_property
    def _by_path(self) -> dict[str, list[ModuleCall]]:
        found: dict[str, list[ModuleCall]] = {}
        for call in self._trace.calls:
            found.setdefault(call.path, []).append(call)
        return found

    def _calls(self, path: str) -> list[ModuleCall]:
        if path in self._by_path:
            return self._by_path[path]
        if path in self._trace.module_paths:
            note = f"Module {path!r} exists but was never called in this run, so it has no field."
            raise UnknownNameError("called layer", path, [p for p in self.paths if p], note)
        raise UnknownNameError("layer", path, [p for p in self._trace.module_paths if p])

    def _found(self, call: ModuleCall, output: str | None) -> Found:
        what = called(call.path)
        if not call.outputs:
            raise NoSingleAnswerError(
                f"The output of {what} holds no tensor that depends on an input, so it has no receptive field."
            )
        if output is None and len(call.outputs) > 1:
            names = ", ".join(repr(n) for n in call.outputs)
            way = f"analysis[{call.path!r}, name]" if call.path else "analysis.outputs[name]"
            raise NoSingleAnswerError(f"The output of {what} is {len(call.outputs)} tensors ({names}). Ask {way}.")
        if output is not None and output not in call.outputs:
            raise UnknownNameError("output", output, call.outputs, f"It was looked for in what {what} returns.")
        name = next(iter(call.outputs)) if output is None else output
        return self._make(call.outputs[name], call.path)

    def _make(self, node: int, path: str) -> Found:
        return Found(self.graph, node, path, self.input_names, self._local)

    @property
    def output(self) -> Found:
        """The model's output, if it is one tensor."""
        return self[""]

    @cached_property
    def outputs(self) -> dict[str, Found]:
        """The model's outputs by name: index of a tuple, key of a dictionary, '' for a single tensor."""
        call = self._calls("")[-1]
        return {name: self._make(node, "") for name, node in call.outputs.items()}

    def between(self, earlier: str, later: str) -> Found:
        """One layer's field in another layer's units.

        Args:
            earlier: path of the layer whose units are counted.
            later: path of the layer that looks at them.

        Returns:
            A `Found` whose positions are units of `earlier`.

        Raises:
            UnknownNameError: a path does not exist.
            NoSingleAnswerError: the later layer does not depend on the earlier one.
        """
        source, target = self[earlier], self[later]
        graph, index = _from_node(self.graph, source.node.index, target.node.index)
        if index is None:
            raise NoSingleAnswerError(
                f"{called(later, True)} does not read {called(earlier)}, so it has no field in its units."
            )
        return Found(graph, index, later, (earlier,), self._local)

    def tiling(self, tile: int | Sequence[int]) -> Tiling:
        """The overlap and the grid of origins that make tiled inference equal to whole-image inference.

        Args:
            tile: length of a tile, in input positions, for all axes or one each.

        Returns:
            A `Tiling`.

        Raises:
            NoSingleAnswerError: some output unit reads the whole input, windows follow no grid, or what a layer does
                depends on the size of the image or on the place.
            ModelError: the tile is too small for a unit that sees nothing of its border.
        """
        return plan(self, tile)

    def _resized(self, lengths: Sequence[int]) -> Analysis:
        """The analysis of the same model on an input of another spatial size."""
        assert self._subject is not None
        return Analysis(self._subject.resized(self.output._source, lengths), self._local, self._subject)

    @cached_property
    def smallest_input(self) -> tuple[int, ...]:
        """The smallest input, an axis, in which some output unit sees no padding.

        The model is recorded again on inputs of about that size, one axis at a time: some lengths it cannot take, and
        there are models that pad an even length otherwise than an odd one.

        Example:
            >>> import rflib as rf
            >>> model = torch.nn.Sequential(torch.nn.Conv1d(1, 1, 3, stride=2, padding=1), torch.nn.Conv1d(1, 1, 3))
            >>> analysis = rf.analyze(model, input_size=(1, 1, 32))
            >>> analysis.output, analysis.smallest_input  # unit 0 sees -1 to 5, unit 1 sees 1 to 7
            (<model: size (7), stride (2), padding (1), units (14)>, (8,))

        Raises:
            NoSingleAnswerError: output units read the whole input, whatever its size, or follow no stride; or no input
                of about the size of a window was found that the model can take.
        """
        return tuple(smallest(self, a) for a in range(len(self.output.input_shape)))

    def unproductive(self, input_size: int | Sequence[int]) -> tuple[str, ...]:
        """The convolutions whose input already sees the whole image: its field is at least as large, on every axis.

        At branches the smallest path counts, so a layer is listed only if no path is still growing into the image.
        Trained networks gained nothing from such layers, in the experiments of the reference.

        Example:
            >>> import rflib as rf
            >>> model = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 3, padding=1) for _ in range(4)))
            >>> rf.analyze(model, input_size=(1, 1, 32, 32)).unproductive(5)
            ('2', '3')

        Args:
            input_size: spatial size of the image, for all axes or one each; of several inputs, of each.

        Returns:
            Paths of modules, in order.

        Raises:
            ModelError: `input_size` is not made of whole numbers of at least 1.

        Reference:
            Richter, Schöning, Wiedenroth, Krumnack: Should You Go Deeper?, 2021, arXiv 2106.12307; that a field equal
            to the image counts follows their toolbox, MLRichter/receptive_field_analysis_toolbox.
        """
        axes = [len(spatial) for spatial in self._trace.input_spatial]
        sizes = {n: lengths_of(input_size, n, "input_size") for n in sorted(set(axes))}
        result: dict[str, None] = {}
        for path, node in self.graph.convolutions:
            source = self.graph.nodes[node].full[0].source
            fields = self.graph.smallest_sizes(source)
            read = {k for k, _ in fields}
            if read and all(fields.get((k, a), 1) >= n for k in read for a, n in enumerate(sizes[axes[k]])):
                result[path] = None
        return tuple(result)

    # -- for people ---------------------------------------------------------------------------------------------

    def rows(self, progress: bool = False) -> list[dict[str, Any]]:
        """One row for each call of a module: what `print(analysis)` shows, as plain numbers."""
        from rflib.reporting import rows

        return rows(self, progress)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data for JSON; fractions are strings."""
        from rflib.reporting import as_dict

        return as_dict(self)

    def __repr__(self) -> str:
        from rflib.reporting import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from rflib.reporting import as_html

        return as_html(self)


def _from_node(graph: Graph, source: int, target: int) -> tuple[Graph, int | None]:
    """The part of a graph that stands on one node, with that node as its input."""
    part, old = Graph(), graph.nodes[source]
    new = {source: part.add_input(old.shape, old.unit_dims, old.name)}
    for node in graph.nodes[source + 1 : target + 1]:
        edges = [replace(e, source=new[e.source]) for e in (*node.full, *node.local) if e.source in new]
        if edges:
            new[node.index] = part.add_node(node.operation, node.shape, edges, node.name, node.meeting)
    return part, new.get(target)
