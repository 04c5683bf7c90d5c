"""Leaves a model as it was found: mode, attributes, buffers, parameters, random state, global switches."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

Saved = dict[int, tuple[torch.Tensor, torch.Tensor]]


@contextmanager
def left_as_found(model: nn.Module, training: bool) -> Iterator[Saved]:
    """Run a model in a mode and put back everything that the run may have changed.

    Yields:
        A dictionary in which whoever runs the model saves a tensor of the model before it is written to
        (`storage key: (tensor, its values)`): copying every buffer in advance would cost more than the run.
    """
    modules = list(model.modules())
    attributes = [(m, dict(m.__dict__), _contents(m.__dict__)) for m in modules]
    python_state, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    onednn = torch._C._get_mkldnn_enabled()
    saved: Saved = {}
    try:
        torch._C._set_mkldnn_enabled(False)  # its recurrent layers are one operation that nobody can look into
        torch.backends.mha.set_fastpath_enabled(False)
        for m in modules:
            m.__dict__["training"] = training
        # Inference mode would hide from the recorder how composite operations are taken apart.
        with torch.inference_mode(False), torch.no_grad(), _uncompiled():
            yield saved
    finally:
        for m, before, contents in attributes:
            m.__dict__.clear()
            m.__dict__.update(before)
            for name, kept in contents.items():
                _refill(m.__dict__[name], kept)
        with torch.no_grad():
            for tensor, values in saved.values():
                tensor.copy_(values)
        torch.backends.mha.set_fastpath_enabled(fast_path)
        torch._C._set_mkldnn_enabled(onednn)
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Compiled modules run as they were written; else torch would compile the recorder along with them."""
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and loading it takes a second
        yield
        return
    with warnings.catch_warnings(), torch.compiler.set_stance("force_eager"):
        warnings.filterwarnings("ignore", message="Using `torch.compile")  # that our hooks see a module twice: true
        yield


def _contents(attributes: dict[str, Any]) -> dict[str, Any]:
    """Copies of the lists, dictionaries and sets that a module may fill while it runs."""
    return {name: value.copy() for name, value in attributes.items() if isinstance(value, list | dict | set)}


def _refill(container: Any, kept: Any) -> None:
    if container == kept if not _holds_tensors(kept) else _same_objects(container, kept):
        return
    container.clear()
    container.extend(kept) if isinstance(container, list) else container.update(kept)


def _holds_tensors(container: Any) -> bool:
    values = container.values() if isinstance(container, dict) else container
    return any(not isinstance(v, int | float | str | bool | type(None)) for v in values)


def _same_objects(container: Any, kept: Any) -> bool:
    if len(container) != len(kept):
        return False
    if isinstance(kept, dict):
        return all(k in container and container[k] is v for k, v in kept.items()) and list(container) == list(kept)
    if isinstance(kept, list):
        return all(a is b for a, b in zip(container, kept, strict=True))
    return {id(v) for v in container} == {id(v) for v in kept}
