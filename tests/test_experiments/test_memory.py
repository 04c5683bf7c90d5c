"""What training keeps, against sizes counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rflib.errors import ModelError
from rflib.experiments.memory import activation_memory


def conv(kernel_size: int, channels: int = 4) -> list[nn.Module]:
    return [nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2), nn.ReLU()]


ONE_MAP = 4 * 10 * 12 * 4  # channels, height, width, bytes of a float


@pytest.mark.parametrize("kernels", [(7,), (3, 3, 3), (3,) * 6])
def test_every_layer_with_its_relu_keeps_one_map(kernels: tuple[int, ...]) -> None:
    model = nn.Sequential(*[part for kernel in kernels for part in conv(kernel)])
    kept = activation_memory(model, torch.rand(1, 4, 10, 12))
    assert (kept.tensors, kept.bytes) == (len(kernels), len(kernels) * ONE_MAP)


def test_it_grows_with_the_batch_and_with_the_number_type() -> None:
    model = nn.Sequential(*conv(3)).double()
    assert activation_memory(model, torch.rand(5, 4, 10, 12).double()).bytes == 5 * 2 * ONE_MAP


def test_parameters_buffers_and_the_input_are_left_out() -> None:
    assert activation_memory(nn.Conv2d(4, 4, 3), torch.rand(1, 4, 10, 12)).tensors == 0
    norm = activation_memory(nn.BatchNorm2d(4).eval(), torch.rand(1, 4, 10, 12))
    assert norm.bytes <= 2 * 4 * 4  # at most a mean and a deviation for each channel


def test_a_max_pool_keeps_where_its_largest_values_stood() -> None:
    model = nn.Sequential(*conv(3), nn.MaxPool2d(2))
    kept = activation_memory(model, torch.rand(1, 4, 10, 12))
    assert kept.bytes == ONE_MAP + ONE_MAP // 4 * 2  # a quarter as many places, each an integer of 8 bytes


def test_without_gradients_nothing_is_kept() -> None:
    with torch.no_grad():
        kept = activation_memory(nn.Sequential(*conv(3), *conv(3)), torch.rand(1, 4, 10, 12))
    assert (kept.tensors, kept.bytes) == (0, 0)


def test_views_of_one_tensor_count_once() -> None:
    class Twice(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            wide = torch.sigmoid(x)  # keeps its result
            return wide[:, :1] * wide[:, 1:2]  # keeps two views of it

    model = Twice()
    assert activation_memory(model, torch.rand(1, 4, 10, 12, requires_grad=True)).bytes == ONE_MAP


def test_what_is_no_tensor_is_refused() -> None:
    with pytest.raises(ModelError, match=r"`inputs\[1\]` must be a tensor; got a int\."):
        activation_memory(nn.Identity(), torch.zeros(1), 3)
