"""What stacks give and take besides their field: measured on real layers, design beside design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rflib.design import Design
from rflib.errors import ModelError
from rflib.experiments.digits import draw_mosaics
from rflib.experiments.memory import activation_memory
from rflib.experiments.results import Result
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own
from rflib.measuring.measuring import measure

__all__ = ["DesignComparison", "DesignRun", "compare_designs", "network_of"]

_CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d}
_POOLS: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d}
_CIRCULAR: dict[int, Any] = {1: nn.CircularPad1d, 2: nn.CircularPad2d}
_ZERO: dict[int, Any] = {1: nn.ZeroPad1d, 2: nn.ZeroPad2d}


@dataclass(frozen=True)
class DesignRun:
    """What was measured of one design.

    Attributes:
        name: As given.
        depth: Layers, pooling layers counted.
        field: Length of the window along each axis, in input positions.
        read: Share of that window which a unit reads, along one axis, found by poking.
        stride: Input positions between neighboring units: the resolution that is left.
        parameters: Counted in the real network.
        multiply_adds: For one input of the design's own size.
        kept: Bytes that training keeps of the feature maps, for each pixel of the input.
        change: How much the output changes, as a share of its mean size, when the input moves by one pixel and the
            output is moved along. 0 where it follows exactly.
    """

    name: str
    depth: int
    field: int
    read: float
    stride: int
    parameters: int
    multiply_adds: int
    kept: float
    change: float


@dataclass(frozen=True, repr=False)
class DesignComparison(Result):
    """Designs side by side.

    Attributes:
        input_size: Pixels along each axis of the images.
        runs: One a design.
    """

    title: ClassVar[str] = "What each design gives, and what it takes"

    input_size: int
    runs: tuple[DesignRun, ...]

    def __getitem__(self, name: str) -> DesignRun:
        """The run of that name."""
        for run in self.runs:
            if run.name == name:
                return run
        raise KeyError(name)

    @property
    def finding(self) -> str:
        """Who is best and worst in each column."""
        farthest, nearest = (pick(self.runs, key=lambda run: run.field) for pick in (max, min))
        most, least = (pick(self.runs, key=lambda run: run.kept) for pick in (max, min))
        coarse = [run.name for run in self.runs if run.stride > 1]
        moving = [run.name for run in self.runs if run.change > 0.01]
        holes = [run.name for run in self.runs if run.read < 1]
        return (
            f"The widest window is that of {farthest.name} ({farthest.field:,}), the narrowest that of {nearest.name} "
            f"({nearest.field:,}). Resolution is lost by {_listed(coarse)}, coverage by {_listed(holes)}. The output "
            f"does not follow a move by one pixel with {_listed(moving)}. {most.name.capitalize()} keeps "
            f"{most.kept / least.kept:.0f} times as much in memory as {least.name}."
        )

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row a design."""
        headings = (
            *("design", "layers", "field", "stride", "read", "parameters", "multiply-adds"),
            *("bytes kept per pixel", "change at a shift of 1"),
        )
        rows: list[Sequence[object]] = [
            [
                *(run.name, run.depth, run.field, run.stride, f"{run.read:.0%}", f"{run.parameters:,}"),
                *(f"{run.multiply_adds:,}", f"{run.kept:,.0f}", f"{run.change:.2f}"),
            ]
            for run in self.runs
        ]
        return headings, rows


def network_of(design: Design, *, circular: bool = False) -> nn.Sequential:
    """The real network of a design, with random weights: a ReLU behind every convolution, max pooling.

    Example:
        >>> from rflib.arithmetic import Layer
        >>> network_of(Design([Layer(3, padding=1), Layer(2, 2)], ["separable", "pool"], channels=8))
        Sequential(
          (0): Conv2d(8, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=8)
          (1): Conv2d(8, 8, kernel_size=(1, 1), stride=(1, 1))
          (2): ReLU()
          (3): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
        )

    Args:
        design: On one or two axes.
        circular: Whether the map goes on at its other end, in the place of padding with zeros.

    Returns:
        A module (B, channels, ...) -> (B, channels, ...).

    Raises:
        ModelError: If the design has more than two axes.
    """
    axes, width = design.axes, design.channels
    if axes not in _CONVOLUTIONS:
        raise ModelError(f"A design has to have one or two axes to be built; got {axes}.")
    conv, parts = _CONVOLUTIONS[axes], list[nn.Module]()
    for layer, kind in zip(design.layers, design.kinds, strict=True):
        if kind == "pool":
            parts.append(_POOLS[axes](layer.kernel_size, layer.stride))
            continue
        padding = layer.left if layer.left == layer.right and not circular else 0
        if padding == 0 and (layer.left or layer.right):
            pad = _CIRCULAR if circular else _ZERO
            parts.append(pad[axes]((layer.left, layer.right) * axes))
        groups = width if kind == "separable" else 1
        numbers = {"stride": layer.stride, "padding": padding, "dilation": layer.dilation, "groups": groups}
        parts.append(conv(width, width, layer.kernel_size, **numbers))
        if kind == "separable":
            parts.append(conv(width, width, 1))
        parts.append(nn.ReLU())
    return nn.Sequential(*parts)


def compare_designs(
    designs: Mapping[str, Design], *, input_size: int = 128, seed: int = 0, progress: bool = True
) -> DesignComparison:
    """Build designs, and measure what they read, what they keep in memory, and whether they follow a move.

    Memory is what autograd keeps for the way back. The move is tested on images that go on at their other end, so that
    nothing enters or leaves: then a network of stride 1 follows every move exactly.

    Example:
        >>> from rflib.design import growth
        >>> designs = {way: growth(way, 4, channels=4)[-1] for way in ("depth", "pooling")}
        >>> result = compare_designs(designs, input_size=32, progress=False)
        >>> [(run.name, run.field, run.stride, run.change > 0.01) for run in result.runs]
        [('depth', 9, 1, False), ('pooling', 10, 4, True)]

    Args:
        designs: A name for each; on two axes.
        input_size: Pixels along each axis of the images that are run through the networks, a multiple of 8 and of
            every design's stride.
        seed: Of the weights and the images.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `DesignComparison`.

    Raises:
        ModelError: If there is no design, or one with other than two axes, or the input size does not fit.

    Reference:
        R. Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, arXiv:1904.11486 (moves by a pixel).
    """
    input_size, seed = at_least("input_size", input_size, 8), at_least("seed", seed, 0)
    if not designs:
        raise ModelError("`designs` is empty; give at least one, such as rf.growth('depth', 4)[-1].")
    for name, design in designs.items():
        if design.axes != 2:
            raise ModelError(f"Design {name!r} has to have two axes, as an image has; got {design.axes}.")
        if input_size % 8 or input_size % design.field.stride:
            raise ModelError(
                f"`input_size` must be a multiple of 8 and of the stride of each design; got {input_size}, and "
                f"{name!r} has stride {design.field.stride}."
            )
    runs = []
    with bar_over(len(designs), "designs", progress) as bar:
        for name, design in designs.items():
            with on_its_own(seed):
                runs.append(_run(name, design, input_size, seed))
            bar.update()
    return DesignComparison(input_size, tuple(runs))


def _run(name: str, design: Design, input_size: int, seed: int) -> DesignRun:
    model = network_of(design, circular=True)
    he_initialize(model)
    images, _ = draw_mosaics(data_generator(seed), design.channels, "test", digits=input_size // 8)
    image = images[None, :, 0]  # (1, channels, input_size, input_size): a different picture in each channel
    plain = network_of(design)
    return DesignRun(
        name, len(design.layers), design.field.size, _share_read(design), design.field.stride,
        sum(parameter.numel() for parameter in model.parameters()), design.cost.multiply_adds,
        activation_memory(plain, image).bytes / input_size**2, _change(model, image, design.field.stride),
    )  # fmt: skip


def _share_read(design: Design) -> float:
    """Poke a copy with one channel on one axis, on an input that holds the whole window."""
    size, stride = design.field.size, design.field.stride
    length = stride * (2 * (-(-size // stride)) + 2)
    found = measure(network_of(replace(design, channels=1, axes=1)), (1, 1, length), progress=False)
    return int(found.mask.sum()) / size


def _change(model: nn.Module, image: Tensor, stride: int) -> float:
    """The output of the moved image against the moved output, every unit spread over the pixels of its stride."""
    with torch.no_grad():
        still, moved = (
            model(given).repeat_interleave(stride, -1).repeat_interleave(stride, -2)
            for given in (image, torch.roll(image, 1, -1))
        )
    expected = torch.roll(still, 1, -1)
    return float((moved - expected).abs().mean() / expected.abs().mean())


def _listed(names: list[str]) -> str:
    """a, b and c; no design, where there is none."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "no design"
