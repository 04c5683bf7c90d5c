"""What a network keeps in memory while it is trained: the feature maps that the way back will need."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rflib.errors import ModelError

__all__ = ["ActivationMemory", "activation_memory"]


@dataclass(frozen=True)
class ActivationMemory:
    """What a forward pass leaves in memory for the gradients.

    Attributes:
        tensors: How many tensors are kept; two that share their memory count once.
        bytes: How large they are together.
    """

    tensors: int
    bytes: int


def activation_memory(model: nn.Module, *inputs: Tensor) -> ActivationMemory:
    """Run a model once and add up what autograd keeps for the way back, parameters, buffers and inputs left out.

    Counted, not estimated: autograd hands over every tensor that it keeps. Under `torch.no_grad()` it keeps none.

    Example:
        >>> two = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        >>> activation_memory(two, torch.zeros(1, 8, 16, 16))
        ActivationMemory(tensors=2, bytes=16384)

    Args:
        model: The network; run once, in the mode in which it is.
        inputs: What it is called with.

    Returns:
        An `ActivationMemory`.

    Raises:
        ModelError: An input is no tensor.

    Reference:
        T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv:1604.06174
        (why the maps are kept, and how to keep fewer).
    """
    for number, given in enumerate(inputs):
        if not isinstance(given, Tensor):
            raise ModelError(f"`inputs[{number}]` must be a tensor; got a {type(given).__name__}.")
    there = {_place(tensor) for tensor in (*model.parameters(), *model.buffers(), *inputs)}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(_place(tensor), tensor)  # holding it keeps its place from being used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model(*inputs)
    found = [tensor for place, tensor in kept.items() if place not in there]
    del output
    return ActivationMemory(len(found), sum(tensor.untyped_storage().nbytes() for tensor in found))


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
