"""First and last positions of all units at once, against pulling back from every element by itself."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import rflib as rf
from rflib.graph import sets, spans
from rflib.graph.graph import Graph

Hull = dict[tuple[int, int], tuple[int, int]]


class Fn(nn.Module):
    """Parts, and a function of the inputs and the parts."""

    def __init__(self, run: object, *parts: nn.Module) -> None:
        super().__init__()
        self.run, self.parts = run, nn.ModuleList(parts)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(*inputs, *self.parts)  # type: ignore[operator, no-any-return]


def partition(x: Tensor, size: int = 2) -> Tensor:
    """Windows, a mean inside each, and back."""
    b, c, h, w = x.shape
    windows = x.view(b, c, h // size, size, w // size, size).permute(0, 2, 4, 3, 5, 1).reshape(-1, size * size, c)
    mixed = windows + windows.mean(1, keepdim=True)
    mixed = mixed.view(b, h // size, w // size, size, size, c)
    return mixed.permute(0, 5, 1, 3, 2, 4).reshape(b, c, h, w)


def shifted(x: Tensor) -> Tensor:
    return torch.roll(partition(torch.roll(x, (-1, -1), (2, 3))), (1, 1), (2, 3))


def written(x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, :1, ::2] = x[:, 1:, 1::2].flip(-1)
    y[:, :, 1, 1:] += x[:, :, 0, :-1]
    return y


def folded(x: Tensor) -> Tensor:
    return functional.fold(functional.unfold(x, 3, padding=1, stride=2), (4, 4), 3, padding=1, stride=2)


def conv(kernel: int | tuple[int, int], **options: object) -> nn.Conv2d:
    return nn.Conv2d(2, 2, kernel, **options)  # type: ignore[arg-type]


INDEX = torch.tensor([3, 0, 0, 2])

NETWORKS: dict[str, nn.Module] = {
    "windows": Fn(partition),
    "windows after a convolution": Fn(lambda x, c: partition(c(x)), conv(3, padding=1)),
    "shifted windows": Fn(lambda x: shifted(partition(x))),
    "tokens": Fn(lambda x: x.flatten(2).transpose(1, 2).unfold(1, 3, 2).sum(-1)),
    "flattened": Fn(lambda x, c: c(x).flatten(2)[..., 3:11] * 2, conv(3, padding=2, dilation=2)),
    "cat along space": Fn(lambda x, c: torch.cat([x, c(x)], 2), conv(3, padding=1)),
    "cat, then a pooling": Fn(lambda x, c: nn.MaxPool2d(2)(torch.cat([x, c(x)], 3)), conv((3, 1), padding=(1, 0))),
    "index": Fn(lambda x: x[:, :, INDEX, INDEX.flip(0)] + x[:, :, 0]),
    "gather": Fn(lambda x, c: c(x)[:, :, INDEX][..., INDEX], conv(3, padding=1)),
    "writing": Fn(lambda x, c: written(c(x)), conv(3, padding=1)),
    "fold": Fn(lambda x, c: folded(c(x)), conv(3, padding=1)),
    "transposed, with gaps": Fn(lambda x, t: t(x) + functional.pad(x, (0, 6, 0, 6)), nn.ConvTranspose2d(2, 2, 1, 3)),
    "windows, then a convolution": Fn(lambda x, c: c(partition(x)), conv(3, padding=1)),
    "cat along space, then a convolution": Fn(lambda x, c: c(torch.cat([x, c(x)], 2)), conv(3, padding=1)),
    "cumulative": Fn(lambda x, c: c(x).cumsum(2) + x, conv(3, padding=1)),
    "causal attention": Fn(
        lambda x: functional.scaled_dot_product_attention(*[x.flatten(2).transpose(1, 2)] * 3, is_causal=True)
    ),
    "diagonal": Fn(lambda x, c: c(x).diagonal(dim1=2, dim2=3), conv(3, padding=1)),
    "channels that differ": Fn(
        lambda x, c: (
            torch.cat([x, torch.cat([x[:, :, :2], c(x)[:, :, 2:]], 2)], 1).view(1, 2, 2, 4, 4).flatten(1, 2)[:, 1:3]
        ),
        conv(3, padding=1),
    ),
}


def hull(graph: Graph, index: int, box: sets.Box, local: bool) -> Hull:
    """Of what a box reads without borders, on each axis."""
    found: Hull = {}
    for source, boxes in graph.pull(index, box, bounded=False, local=local).items():
        for d, role in enumerate(graph.nodes[source].roles):
            for axis in role.coarse:
                s = sets.project(boxes, d)
                found[axis] = s[0], sets.last(s)
    return found


def told(found: dict[tuple[int, int], spans.Span], shape: tuple[int, ...], at: tuple[int, ...]) -> Hull:
    result: Hull = {}
    for axis, span in found.items():
        first, last = (int(t.expand(shape)[at]) for t in span)
        assert (first, last) == (spans.NONE, -spans.NONE) or first <= last
        if first <= last:
            result[axis] = first, last
    return result


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_element_and_every_unit(name: str, local: bool) -> None:
    graph = rf.analyze(NETWORKS[name], torch.zeros(1, 2, 4, 4)).graph
    without_lines = 0
    for node in graph.nodes:
        without_lines += graph.windows(node.index, local) is None
        found = spans.of_node(graph, node.index, local)
        if graph.windows(node.index, local) is None:
            for e in itertools.product(*map(range, node.shape)):
                box = tuple((n, 1) for n in e)
                assert told(found, node.shape, e) == hull(graph, node.index, box, local), (
                    node.operation,
                    node.index,
                    e,
                )
        by_unit = {axis: spans.over_units(span, node) for axis, span in found.items()}
        shape = tuple(node.shape[d] for d in node.unit_dims)
        for unit in itertools.product(*map(range, shape)):
            one = hull(graph, node.index, graph.box(node.index, unit), local)
            assert told(by_unit, shape, unit) == one, (node.operation, node.index, unit)
    assert without_lines
