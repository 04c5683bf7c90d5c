"""Whatever a model does to itself, nothing of it is left afterwards."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rflib.untouched import left_as_found


class Restless(nn.Module):
    """Changes everything about itself that a forward pass can change."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 3)
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("grid", torch.zeros(3))
        self.register_buffer("swapped", torch.zeros(1))
        self.cache: dict[str, int] = {"calls": 0}
        self.last: Tensor | None = None
        self.conv.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        self.cache["calls"] += 1
        self.new = x
        self.last = y = self.norm(nn.functional.dropout(self.conv(x), 0.5))
        self.grid += 1
        self.swapped = torch.ones(1)
        self.register_buffer("extra", torch.ones(1))
        self.register_forward_hook(lambda *_: None)
        self.eval()
        random.random(), np.random.rand()
        return y


def snapshot(model: Restless) -> dict[str, object]:
    return {
        "state": {name: value.clone() for name, value in model.state_dict().items()},
        "wanted": [parameter.requires_grad for parameter in model.parameters()],
        "grads": [parameter.grad for parameter in model.parameters()],
        "modes": [module.training for module in model.modules()],
        "hooks": len(model._forward_hooks),
        "attributes": sorted(vars(model)),
        "cache": dict(model.cache),
        "last": model.last,
        "buffers": [id(buffer) for buffer in model.buffers()],
        "random": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
    }


@pytest.mark.parametrize("fails", [False, True])
def test_a_restless_model_is_put_back(fails: bool) -> None:
    model = Restless()
    before = snapshot(model)
    states = before.pop("state")
    try:
        with left_as_found(model):
            assert not any(parameter.requires_grad for parameter in model.parameters())
            model(torch.randn(4, 2, 9))
            assert model.cache["calls"] == 1
            assert not model.training
            if fails:
                raise KeyError("stop")
    except KeyError:
        assert fails
    after = snapshot(model)
    found = after.pop("state")
    assert after == before
    assert found.keys() == states.keys()
    assert all(torch.equal(found[name], states[name]) for name in states)


def test_gradients_are_on_inside_whatever_the_caller_switched_off() -> None:
    model = nn.Conv1d(1, 1, 3)
    for off in (torch.no_grad, torch.inference_mode):
        with off():
            with left_as_found(model):
                x = torch.zeros(1, 1, 5, requires_grad=True)
                assert model(x).requires_grad
            assert not torch.is_grad_enabled()


def test_a_graph_that_the_caller_holds_stays_good() -> None:
    # Evaluation-mode batch norm keeps its statistics for the backward pass; writing to them would spoil it.
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2)).eval()
    loss = model(torch.randn(2, 1, 9)).sum()
    with left_as_found(model):
        model(torch.randn(2, 1, 9))
    loss.backward()
    assert model[0].weight.grad is not None


def test_scripted_modules_pass_through() -> None:
    with pytest.warns(DeprecationWarning, match="torch.jit.script"):
        model = torch.jit.script(nn.Conv1d(1, 1, 3))
    with left_as_found(model):
        assert not model.weight.requires_grad
    assert model.weight.requires_grad
