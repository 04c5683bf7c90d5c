"""Two public tools that compute receptive fields of PyTorch modules, asked for the field of a ResNet's `layer4`.

Neither is needed: a tool that is installed is run, the other is named with the command that installs it.
"""

from __future__ import annotations

import collections
import collections.abc
import importlib.util
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import version

Module = Any  # torch is not imported here


@dataclass(frozen=True)
class Tool:
    """A tool, how to get it, how to run it on a module, and how to read the field of `layer4` from its result."""

    name: str
    package: str
    install: str
    analyze: Callable[[Module, int], Any]
    answer: Callable[[Any], str]
    rounds: int  # at most so many: one of them takes many passes' time

    @property
    def is_installed(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    def __str__(self) -> str:
        return f"{self.name} {version(self.package)}"


def _crawl(model: Module, size: int) -> Any:
    from torchscan import crawl_module

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no CUDA
        return crawl_module(model, (3, size, size))


def _crawled(report: Any) -> str:
    """Up to 0.1.2 its rows hold the field up to each layer; since 0.2.0 they hold each call's own window."""
    layers = report["layers"]
    if "rf" in layers[0]:
        names = [layer["name"] for layer in layers]
        last = layers[names.index("avgpool") - 1]  # the last row of layer4: a container's row says what enters it
        return f"size {last['rf']:g}, stride {last['s']:g}: it reads the modules as one chain, shortcuts included"
    last = next(layer for layer in reversed(layers) if layer["path"].startswith("layer4."))
    field = last["metrics"]["receptive_field"]
    if field["scope"] == "module_call":
        return f"none: since 0.2 it reports a layer's own window, here {field['value']:g}, not the field up to it"
    return f"size {field['value']:g}"


def _graph(model: Module, size: int) -> Any:
    # It imports `Sequence` from `collections`, where Python 3.10 took it away; given back, it runs.
    if not hasattr(collections, "Sequence"):
        collections.Sequence = collections.abc.Sequence  # type: ignore[attr-defined]
    from rfa_toolbox import create_graph_from_pytorch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.trace is deprecated
        return create_graph_from_pytorch_model(model, input_res=(1, 3, size, size))


def _of_graph(node: Any) -> str:
    inside = [n for n in node.all_layers if n.name.startswith("layer4.")]
    smallest, largest = (_plain(getattr(inside[-1], f"receptive_field_{which}")) for which in ("min", "max"))
    return f"size {largest}, by the smallest path {smallest}; it has no padding and no position"


def _plain(size: Any) -> str:
    """A size as one number where all axes agree."""
    sizes = list(size) if isinstance(size, collections.abc.Sequence) or hasattr(size, "__iter__") else [size]
    shown = [f"{s:g}" if math.isfinite(s) else "the whole input" for s in sizes]
    return shown[0] if len(set(shown)) == 1 else " x ".join(shown)


TOOLS = (
    Tool("torch-scan", "torchscan", "pip install --no-deps torchscan==0.1.2", _crawl, _crawled, 3),
    Tool(
        "rfa_toolbox",
        "rfa_toolbox",
        "pip install --no-deps --ignore-requires-python rfa_toolbox==1.7.0 'graphviz<0.20' attrs",
        _graph,
        _of_graph,
        1,
    ),
)
