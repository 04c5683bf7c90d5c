"""Wrong rules for the size of a stack's field, so that a wrong answer is computed as the learner computes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rflib.arithmetic import Layer, receptive_field


def kernels_added(layers: Sequence[Layer]) -> int:
    """A7: each layer adds its kernel size."""
    return sum(layer.kernel_size for layer in layers)


def without_strides(layers: Sequence[Layer]) -> int:
    """Every layer adds its kernel size less one, whatever strides came before."""
    return receptive_field([replace(layer, stride=1) for layer in layers]).size


def own_stride(layers: Sequence[Layer]) -> int:
    """M7: the layer's own stride in the place of the jump before it."""
    return 1 + sum((layer.extent - 1) * layer.stride for layer in layers)


def from_the_wrong_end(layers: Sequence[Layer]) -> int:
    """M6: the strides multiplied from the other end."""
    return receptive_field(layers[::-1]).size


def without_dilation(layers: Sequence[Layer]) -> int:
    """M4: the kernel size in the place of the extent."""
    return receptive_field([replace(layer, dilation=1) for layer in layers]).size


def last_kernel(layers: Sequence[Layer]) -> int:
    """M2: the kernel of the last layer alone."""
    return layers[-1].kernel_size


def without_padding(layers: Sequence[Layer]) -> list[Layer]:
    """The stack whose padding was forgotten."""
    return [replace(layer, padding=0) for layer in layers]
