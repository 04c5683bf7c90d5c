"""Random-dot stereo: how far may the two eyes disagree before the match leaves the window?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from rflib.arithmetic import Layer, receptive_field
from rflib.errors import ModelError
from rflib.experiments.results import Result, mean, spread
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from, train

__all__ = ["StereoMatching", "StereoRun", "draw_stereo_pairs", "match_stereo"]

COLUMN = 5  # rows that the vertical kernel gathers; the match itself lies along the row
ROWS = 8
WIDTH = 8  # units along a row that are trained and scored; around them, as many dots as a unit reads


@dataclass(frozen=True)
class StereoRun:
    """One trained network.

    Attributes:
        field: Size of the receptive field along the row, in dots.
        seed: Of the initialization and of the data.
        accuracy: For each disparity from 0 on, the share of units that name it.
        kernels: Of the layers along the row, in dots.
        parameters: Of the whole network.
    """

    field: int
    seed: int
    accuracy: tuple[float, ...]
    kernels: tuple[int, ...]
    parameters: int

    @property
    def beyond(self) -> tuple[float, ...]:
        """Accuracy at the disparities from `field` on, whose match no unit sees."""
        return self.accuracy[self.field :]


@dataclass(frozen=True, repr=False)
class StereoMatching(Result):
    """Accuracy by disparity, for networks of different fields.

    Attributes:
        largest: The largest disparity, in dots.
        noise: Share of the right image's dots that are flipped.
        steps: Training steps of every run.
        runs: One for each network and seed.
    """

    title: ClassVar[str] = "Random-dot stereo: accuracy by disparity"

    largest: int
    noise: float
    steps: int
    runs: tuple[StereoRun, ...]

    @property
    def finding(self) -> str:
        """Where the accuracy ends."""
        parts = []
        for field in dict.fromkeys(run.field for run in self.runs):
            runs, blind = [run for run in self.runs if run.field == field], self.largest + 1 - field
            part = f"field {field}: {spread(a for run in runs for a in run.accuracy[:field])} up to {field - 1}"
            if blind > 0:
                beyond = spread(mean(run.beyond) for run in runs)
                part += f", {beyond} on average from {field} on (guessing among the {blind} left gives {1 / blind:.2f})"
            parts.append(part)
        return f"The match leaves the window at disparity = field. Accuracy with {'; '.join(parts)}."

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each run, one column for each disparity."""
        headings = ("kernels", "field", "seed", *(f"d={d}" for d in range(self.largest + 1)))
        rows: list[Sequence[object]] = []
        for run in self.runs:
            kernels = " ".join(map(str, run.kernels))
            rows.append([kernels, run.field, run.seed, *(f"{a:.2f}" for a in run.accuracy)])
        return headings, rows


def draw_stereo_pairs(
    generator: torch.Generator, count: int, shape: tuple[int, int], largest: int, noise: float
) -> tuple[Tensor, Tensor]:
    """Pairs of random-dot images of one plane each: the dot at x in the left is at x - disparity in the right.

    Returns:
        Pairs (count, 2, *shape) of -1 and 1, left first, and disparities (count,) from 0 to `largest`, in equal numbers
        where `count` is a multiple of `largest` + 1.

    Reference:
        B. Julesz, "Binocular Depth Perception of Computer-Generated Patterns", Bell System Technical Journal 39, 1960,
        doi 10.1002/j.1538-7305.1960.tb03954.x.
    """
    height, width = shape
    disparities = torch.randperm(count, generator=generator) % (largest + 1)
    dots = torch.randint(0, 2, (count, height, width + largest), generator=generator).float() * 2 - 1
    columns = torch.arange(width) + disparities[:, None]  # (count, width)
    right = torch.gather(dots, 2, columns[:, None, :].expand(count, height, width))
    right = torch.where(torch.rand(right.shape, generator=generator) < noise, -right, right)
    return torch.stack([dots[:, :, :width], right], dim=1), disparities


def match_stereo(
    fields: Sequence[int] = (7,),
    *,
    stacks: Sequence[Sequence[int]] = (),
    largest: int = 12,
    noise: float = 0.1,
    seeds: Iterable[int] = (0,),
    steps: int = 300,
    channels: int = 32,
    progress: bool = True,
) -> StereoMatching:
    """Train networks to name the disparity of two random-dot images at every unit.

    Layers of 1 x 3, or of the kernels given, with batch norm along the row, where the match lies, then one of 5 x 1
    that gathers rows.

    Example:
        >>> result = match_stereo(fields=(3,), largest=4, steps=60, noise=0, progress=False)
        >>> run = result.runs[0]
        >>> run.field, run.accuracy[0] > 0.8, len(run.beyond)
        (3, True, 2)

    Args:
        fields: Odd sizes of the receptive field along the row, in dots; each is reached by kernels of 3.
        stacks: Further networks, each by the odd kernel sizes of its layers, such as (7, 7).
        largest: The largest disparity, in dots; all from 0 on are equally frequent.
        noise: Share of the right image's dots that are flipped, 0 to 0.5.
        seeds: Each initializes a network and draws its data.
        steps: Training steps (Adam, rate 0.006, 5 small pairs of each disparity a step).
        channels: Of every hidden layer.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `StereoMatching`.

    Raises:
        ModelError: An argument out of range.
    """
    largest, steps, channels = (
        at_least("largest", largest, 1),
        at_least("steps", steps, 1),
        at_least("channels", channels, 1),
    )
    seeds, networks = seeds_from(seeds), _kernels(fields, stacks)
    if not 0 <= noise <= 0.5:
        raise ModelError(f"`noise` is a share of dots, 0 to 0.5; got {noise!r}.")
    runs = []
    with bar_over(len(networks) * len(seeds) * steps, "stereo", progress) as bar:
        for kernels in networks:
            for seed in seeds:
                with on_its_own(seed):
                    runs.append(_run(kernels, seed, largest, float(noise), steps, channels, bar))
    return StereoMatching(largest, float(noise), steps, tuple(runs))


def _kernels(fields: Sequence[int], stacks: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The kernel sizes of every network, layer by layer."""
    fields = [at_least("fields", field, 3) for field in fields]
    for field in fields:
        if field % 2 == 0:
            raise ModelError(f"`fields` must be odd, since every layer adds 2; got {field}.")
    networks = [tuple(at_least("stacks", kernel, 1) for kernel in stack) for stack in stacks]
    for kernels in networks:
        if not kernels or not all(kernel % 2 for kernel in kernels):
            raise ModelError(f"`stacks` must hold odd kernel sizes, at least one for each network; got {kernels}.")
    return [(3,) * (field // 2) for field in fields] + networks


def _run(
    kernels: tuple[int, ...], seed: int, largest: int, noise: float, steps: int, channels: int, bar: Any
) -> StereoRun:
    field = receptive_field([Layer(kernel) for kernel in kernels]).size
    model = _network(kernels, channels, largest + 1)
    data = data_generator(seed)
    shape = (ROWS, WIDTH + 2 * (field // 2))

    def draw(each: int = 5) -> tuple[Tensor, Tensor]:
        return draw_stereo_pairs(data, each * (largest + 1), shape, largest, noise)

    def inner(outputs: Tensor) -> Tensor:
        """Without the units whose windows hang over a border."""
        rim, side = COLUMN // 2, field // 2
        return outputs[:, :, rim : ROWS - rim, side : shape[1] - side]

    def loss(outputs: Tensor, disparities: Tensor) -> Tensor:
        scored = inner(outputs)
        return functional.cross_entropy(scored, disparities[:, None, None].expand(-1, *scored.shape[2:]))

    train(model, draw, loss, torch.optim.Adam(model.parameters(), lr=6e-3), steps, bar)
    model.eval()
    pairs, disparities = draw(80)
    with torch.no_grad():
        right = (inner(model(pairs)).argmax(1) == disparities[:, None, None]).float().mean((1, 2))
    accuracy = tuple(float(right[disparities == d].mean()) for d in range(largest + 1))
    return StereoRun(field, seed, accuracy, kernels, sum(weights.numel() for weights in model.parameters()))


def _network(kernels: Sequence[int], channels: int, classes: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    width = 2
    for kernel in kernels:
        conv = nn.Conv2d(width, channels, (1, kernel), padding=(0, kernel // 2))
        parts += [conv, nn.BatchNorm2d(channels), nn.ReLU()]
        width = channels
    parts += [nn.Conv2d(width, channels, (COLUMN, 1), padding=(COLUMN // 2, 0)), nn.ReLU()]
    model = nn.Sequential(*parts, nn.Conv2d(channels, classes, 1))
    he_initialize(model)
    return model
