"""Running somebody else's model without leaving a trace in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

__all__ = ["left_as_found"]


@contextmanager
def left_as_found(model: nn.Module) -> Iterator[None]:
    """Freezes the parameters, allows gradients, and puts everything back at the end, also after an error.

    Back come: which parameters want a gradient, the contents of buffers (running statistics, counters), attributes that
    a forward pass sets (caches), training mode, hooks, and the states of the random generators of PyTorch, NumPy and
    Python.
    """
    wanted = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    contents = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    attributes = [(module, _copied(vars(module))) for module in _python_modules(model)]
    devices = sorted({p.device.index for p in model.parameters() if p.device.type == "cuda"})
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices), torch.inference_mode(False), torch.enable_grad():
            for parameter, _ in wanted:
                parameter.requires_grad_(False)
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        for parameter, flag in wanted:
            parameter.requires_grad_(flag)
        for module, before in attributes:
            _put_back(vars(module), before)
        with torch.no_grad():
            for buffer, content in contents:
                # Only where it changed: a write would raise the version that autograd keeps of the caller's graphs.
                if not torch.equal(buffer, content):
                    buffer.copy_(content)


def _python_modules(model: nn.Module) -> list[nn.Module]:
    """All modules but TorchScript's, whose attributes live in C++."""
    return [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    """A copy two levels deep: the tables of hooks, buffers, parameters and children are dicts of their own."""
    return {name: value.copy() if isinstance(value, dict) else value for name, value in attributes.items()}


def _put_back(now: dict[str, Any], before: dict[str, Any]) -> None:
    for name in now.keys() - before.keys():
        del now[name]
    for name, value in before.items():
        if not isinstance(value, dict) or not isinstance(now.get(name), dict):
            now[name] = value
        elif now[name].keys() != value.keys() or any(now[name][key] is not value[key] for key in value):
            now[name].clear()
            now[name].update(value)
